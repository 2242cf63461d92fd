use super::*;

/// Noon on a day.
const NOW_US: i64 = 1_000 * DAY_US + DAY_US / 2;

fn row(days_ago: i64, kind: TransactionKind, debits: i64, credits: i64) -> DayRow {
    DayRow { day_us: day_of(NOW_US) - days_ago * DAY_US, kind, debits, credits }
}

/// How many days ago, what was earned, what went back: of the days on which something was.
fn told(moved: &[DayRow], since_us: i64) -> Vec<(i64, i64, i64)> {
    let days = days_of(moved, since_us, NOW_US);
    let filled = days.iter().filter(|day| !day.share.is_zero() || !day.back.is_zero());
    filled.map(|day| ((NOW_US - day.from_us) / DAY_US, day.share.micros(), day.back.micros())).collect()
}

#[test]
fn shares_and_what_goes_back_are_told_day_by_day() {
    use TransactionKind::{Adjustment, Charge, Chargeback, Opening, Payout, Refund, Reversal};
    for (says, moved, expected) in [
        ("nothing", &[][..], &[][..]),
        ("a charge today", &[row(0, Charge, 0, 80)], &[(0, 80, 0)]),
        ("charges of two slots", &[row(0, Charge, 0, 80), row(0, Charge, 0, 8)], &[(0, 88, 0)]),
        (
            "a refund on a later day than its charge",
            &[row(3, Charge, 0, 80), row(1, Refund, 30, 0)],
            &[(3, 80, 0), (1, 0, 30)],
        ),
        (
            "whatever takes back",
            &[row(0, Refund, 1, 0), row(0, Reversal, 20, 0), row(0, Chargeback, 300, 0)],
            &[(0, 0, 321)],
        ),
        ("the first of the days", &[row(29, Charge, 0, 5)], &[(29, 5, 0)]),
        ("a day too early", &[row(30, Charge, 0, 5)], &[]),
        ("a day that has not come", &[row(-1, Charge, 0, 5)], &[]),
        ("paid, put in, carried in", &[row(0, Payout, 9, 4), row(0, Adjustment, 9, 9), row(0, Opening, 0, 9)], &[]),
        ("a payout that was taken back", &[row(0, Reversal, 0, 9)], &[]),
        ("more than there can be", &[row(0, Charge, 0, i64::MAX), row(0, Charge, 0, 1)], &[(0, i64::MAX, 0)]),
    ] {
        assert_eq!(told(moved, first_day(NOW_US)), expected, "{says}");
    }
}

#[test]
fn days_without_anything_are_there_and_days_that_were_not_looked_at_are_not() {
    let moved = [row(0, TransactionKind::Charge, 0, 80), row(9, TransactionKind::Charge, 0, 8)];
    for (says, since_us, count) in [
        ("all of them", first_day(NOW_US), 30),
        ("from long before", 0, 30),
        ("from a moment of a day on", NOW_US - 4 * DAY_US, 5),
        ("from this moment on", NOW_US, 1),
    ] {
        let days = days_of(&moved, since_us, NOW_US);
        assert_eq!(days.len(), count, "{says}");
        assert!(days.windows(2).all(|pair| pair[1].from_us - pair[0].from_us == DAY_US), "{says}");
        assert_eq!(days.last().map(|day| day.from_us), Some(day_of(NOW_US)), "{says}");
    }
    assert_eq!(days_of(&[], 0, NOW_US), [], "nothing at all is no picture");
}
