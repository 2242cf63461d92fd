use super::*;
use crate::{credits::Credits, id::EntryId, service::movements::MovementKind};

#[test]
fn a_band_is_the_narrower_the_more_calls_there_are() {
    for (says, mean, counts, expected) in [
        ("a hundred of ten thousand", 10_000, (100, 10_000), (10_000, 7_016, 12_984)),
        ("few calls", 10_000, (1, 100), (10_000, 0, 39_849)),
        ("far too many", 10_000, (300, 10_000), (30_000, 7_016, 12_984)),
        ("everything goes back", 1_000_000, (5, 5), (1_000_000, 1_000_000, 1_000_000)),
        ("more than were charged on these days", 500_000, (4, 2), (2_000_000, 0, 1_000_000)),
        ("nothing", 0, (0, 7), (0, 0, 0)),
    ] {
        let found = ToolRate::of(Uuid::nil(), String::new(), counts, mean);
        assert_eq!((found.rate, found.low, found.high), expected, "{says}");
    }
}

#[test]
fn only_days_that_are_known_wholly_are_told_of() {
    let today_us = 1_000 * DAY_US;
    let now_us = today_us + 5;
    for (says, since_us, expected) in [
        ("everything is known", None, Some(today_us - 29 * DAY_US)),
        ("more than thirty days", Some(today_us - 40 * DAY_US), Some(today_us - 29 * DAY_US)),
        ("from a midnight on", Some(today_us - DAY_US), Some(today_us - DAY_US)),
        ("from within a day on", Some(today_us - DAY_US + 1), Some(today_us)),
        ("not even today", Some(today_us + 1), None),
    ] {
        assert_eq!(first_day(since_us, now_us), expected, "{says}");
    }
}

#[test]
fn a_call_that_went_back_in_parts_counts_once() {
    let id = Uuid::from_u128;
    let refund = |charge: u128| Movement {
        id: EntryId::from(id(99)),
        kind: MovementKind::Refund,
        subject: EntryId::from(id(charge)).to_string(),
        credits: Some(Credits::from_micros(1)),
        reason: String::new(),
        created_us: 0,
    };
    let tools = HashMap::from([(id(1), id(10)), (id(2), id(20)), (id(3), id(20))]);
    let refunds = [refund(1), refund(1), refund(2), refund(3), refund(4)];
    assert_eq!(refunded_calls(refunds.iter(), &tools), [(id(20), 2), (id(10), 1)]);
}
