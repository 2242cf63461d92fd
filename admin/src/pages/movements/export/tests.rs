use super::*;

#[test]
fn no_cell_is_a_formula_and_every_cell_is_one_cell() {
    for (text, written) in [
        ("plain", "plain"),
        ("", ""),
        ("=1+1", "'=1+1"),
        ("-5", "'-5"),
        ("+5", "'+5"),
        ("@a", "'@a"),
        ("\tx", "'\tx"),
        ("a,b", "\"a,b\""),
        ("say \"no\"", "\"say \"\"no\"\"\""),
        ("=a,\"b\"", "\"'=a,\"\"b\"\"\""),
        ("two\nlines", "\"two\nlines\""),
    ] {
        assert_eq!(cell(text), written, "{text:?}");
    }
}

#[test]
fn a_row_ends_with_its_line() {
    let mut out = String::new();
    push_row(&mut out, ["a", "b,c", ""].into_iter());
    assert_eq!(out, "a,\"b,c\",\n");
}

#[test]
fn a_moment_is_read_by_programs() {
    assert_eq!(moment(Some(1_800_014_400_000_000)), "2027-01-15T12:00:00Z");
    assert_eq!(moment(None), "");
}
