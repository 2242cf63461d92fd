use super::*;

const DAY_US: i64 = 86_400_000_000;
/// Noon on the last of December 2026, in microseconds since the Unix epoch.
const NOON_US: i64 = 1_798_718_400_000_000;

#[test]
fn periods_begin_where_their_first_moment_is_in_them() {
    let midnight_us = NOON_US - DAY_US / 2;
    assert_eq!(UsagePeriod::Day.starts_us(NOON_US, NOON_US + DAY_US), [midnight_us, midnight_us + DAY_US]);
    assert_eq!(
        UsagePeriod::Month.starts_us(NOON_US, NOON_US + DAY_US),
        [midnight_us - 30 * DAY_US, midnight_us + DAY_US]
    );
    assert_eq!(UsagePeriod::Day.starts_us(NOON_US, midnight_us), [0; 0]);
    assert_eq!(UsagePeriod::Day.starts_us(0, i64::MAX).len(), USAGE_SPAN_MAX, "never more than are looked up at once");
}

#[test]
fn a_place_is_read_as_it_is_written() {
    let cursor = UsageCursor { start_us: NOON_US, subject: Uuid::from_u128(7) };
    assert_eq!(cursor.to_string().parse(), Ok(cursor));
    for text in ["", ".", "1", "1.", ".1", "x.00000000000000000000000000000007", "1.7", "1.2.3"] {
        assert_eq!(text.parse::<UsageCursor>(), Err(InvalidUsageCursor), "{text}");
    }
}
