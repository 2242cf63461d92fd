use super::*;
use crate::catalog::check_tool_name;

#[test]
fn names_fit_and_no_two_are_alike() {
    let long = "x".repeat(300);
    let mut names = Names::default();
    for (wanted, taken) in [
        ("list_things", "list_things"),
        ("list things!", "list_things_2"),
        ("_own", "_own"),
        ("../..", "operation"),
        ("é", "operation_2"),
        ("a//b", "a_b"),
        ("", "operation_3"),
        (&long, long.get(..limits::TOOL_NAME_CHARS_MAX).unwrap()),
    ] {
        let name = names.take(wanted);
        assert_eq!(name, taken, "{wanted}");
        check_tool_name(&name).unwrap();
    }
    let again = names.take(&long);
    assert!(again.ends_with("_2") && check_tool_name(&again).is_ok(), "{again}");
}
