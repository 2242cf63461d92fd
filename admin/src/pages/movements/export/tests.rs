use super::*;

#[test]
fn a_row_ends_with_its_line_and_has_no_formula() {
    for (row, written) in [
        (["a", "b,c", ""], "a,\"b,c\",\n"),
        (["-5", "-0.25", "12"], "-5,-0.25,12\n"),
        (["=1+1", "-1+2", "@a"], "'=1+1,'-1+2,'@a\n"),
        (["+5", "\tx", "=a,\"b\""], "'+5,'\tx,\"'=a,\"\"b\"\"\"\n"),
    ] {
        let mut out = String::new();
        push_row(&mut out, row.into_iter());
        assert_eq!(out, written, "{row:?}");
    }
}

#[test]
fn a_moment_is_read_by_programs() {
    assert_eq!(moment(Some(1_800_014_400_000_000)), "2027-01-15T12:00:00Z");
    assert_eq!(moment(None), "");
}
