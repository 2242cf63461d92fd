use super::field;

#[test]
fn no_field_is_a_formula_or_breaks_its_line() {
    for (text, written) in [
        ("plain", "plain"),
        ("=1+1", "'=1+1"),
        ("+49", "'+49"),
        ("-1", "'-1"),
        ("@cell", "'@cell"),
        ("\ttab", "'\ttab"),
        ("a,b", "\"a,b\""),
        ("say \"a\"", "\"say \"\"a\"\"\""),
        ("=\"a\",b", "\"'=\"\"a\"\",b\""),
        ("two\nlines", "\"two\nlines\""),
    ] {
        assert_eq!(field(text), written);
    }
}
