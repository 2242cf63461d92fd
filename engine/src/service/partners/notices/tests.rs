use super::*;

#[test]
fn a_part_is_reached_with_its_last_micro_credit() {
    let limit = Credits::from_micros(120);
    for (spent, percent, expected) in
        [(59, 50, false), (60, 50, true), (119, 100, false), (120, 100, true), (1, 1, false), (2, 1, true)]
    {
        assert_eq!(is_reached(spent, limit, percent), expected, "{spent} of 120 and {percent} %");
    }
    assert!(!is_reached(0, Credits::ZERO, 1), "where nothing was spent there is nothing to be told");
    assert!(is_reached(1, Credits::ZERO, 100), "a limit that was lowered below what was spent");
    assert!(is_reached(i64::MAX, Credits::MAX, 100));
}
