use super::*;

/// The first of December 2026, in microseconds since the Unix epoch.
const DECEMBER_US: i64 = 1_796_083_200_000_000;

fn calls(day_us: i64, end_user: u128, tool: u128, charged: i64) -> PartnerCalls {
    let sum = Sum { calls: 2, paid_calls: 1, charged };
    let (end_user, tool) = (Uuid::from_u128(end_user), Uuid::from_u128(tool));
    PartnerCalls { partner: Uuid::from_u128(1), day_us, end_user, tool, sum }
}

#[test]
fn every_call_is_part_of_six_sums() {
    let november_us = DECEMBER_US - usage::DAY_US;
    let sums = add_up(&[calls(november_us, 10, 20, 5), calls(november_us, 11, 20, 7), calls(DECEMBER_US, 10, 21, 11)]);
    let charged = |kind: Kind, start_us: i64, subject: u128| {
        sums.get(&(Uuid::from_u128(1), kind, start_us, Uuid::from_u128(subject))).map(|sum| sum.charged)
    };
    let (month_us, _) = CapWindow::Month.bounds(november_us);
    assert_eq!(charged(Kind::Day, november_us, 0), Some(12));
    assert_eq!(charged(Kind::Day, DECEMBER_US, 0), Some(11));
    assert_eq!(charged(Kind::Month, month_us, 0), Some(12));
    assert_eq!(charged(Kind::Month, DECEMBER_US, 0), Some(11));
    assert_eq!(charged(Kind::UserDay, november_us, 10), Some(5));
    assert_eq!(charged(Kind::UserMonth, month_us, 11), Some(7));
    assert_eq!(charged(Kind::ToolDay, november_us, 20), Some(12));
    assert_eq!(charged(Kind::ToolMonth, DECEMBER_US, 21), Some(11));
    assert_eq!(charged(Kind::ToolMonth, DECEMBER_US, 20), None);
    let all: Sum =
        sums.iter().filter(|((_, kind, ..), _)| *kind == Kind::Day).fold(Sum::default(), |mut all, (_, sum)| {
            all.add(*sum);
            all
        });
    assert_eq!(all, Sum { calls: 6, paid_calls: 3, charged: 23 });
}
