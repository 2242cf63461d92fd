use super::*;

#[test]
fn a_moment_is_cut_down_to_its_minute_and_its_day() {
    // 2027-01-15T12:00:00Z
    let noon_us = 1_800_014_400_000_000;
    assert_eq!((minute(noon_us), day(noon_us)), ("12:00".to_owned(), "2027-01-15".to_owned()));
}

#[test]
fn a_number_that_was_not_counted_to_its_end_says_so() {
    assert_eq!(at_least(AtLeast { count: 10_000, is_more: true }), Cell::text("10,000+"));
    assert_eq!(at_least(AtLeast { count: 3, is_more: false }), Cell::Number(3));
}
