use engine::{id::EntryId, ledger::LedgerAccountId};

use super::*;

const HOUR_US: i64 = 3_600_000_000;

fn grant(left: i64, expires_hours: i64) -> ExpiringGrant {
    ExpiringGrant {
        id: EntryId::from(uuid::Uuid::nil()),
        account: LedgerAccountId::from_raw(1),
        left: Credits::from_micros(left),
        priority: 0,
        expires_us: expires_hours * HOUR_US,
    }
}

fn balance(micros: i64) -> Balance {
    Balance { balance: Credits::from_micros(micros), reserved: Credits::ZERO }
}

#[test]
fn lots_lie_on_each_other_and_go_when_they_expire() {
    let found = picture(&balance(100), &[grant(30, 5), grant(20, 2), grant(5, 5)], HOUR_US);
    assert_eq!(found.labels, ["1970-01-01 01:00:00", "1970-01-01 02:00:00", "1970-01-01 05:00:00"]);
    let lots: Vec<(&str, &[i64])> =
        found.series.iter().map(|series| (series.label.as_str(), series.values.as_slice())).collect();
    let expected: [(&str, &[i64]); 4] = [
        ("Lasting", &[45, 45, 45]),
        ("Until 1970-01-01 05:00:00 UTC", &[5, 5, 0]),
        ("Until 1970-01-01 05:00:00 UTC", &[30, 30, 0]),
        ("Until 1970-01-01 02:00:00 UTC", &[20, 0, 0]),
    ];
    assert_eq!(lots, expected);
}

#[test]
fn many_lots_are_drawn_in_as_many_colours_as_there_are() {
    let many: Vec<ExpiringGrant> = (1..=40).map(|hours| grant(1, hours)).collect();
    let found = picture(&balance(40), &many, 0);
    assert_eq!((found.labels.len(), found.series.len()), (25, 7));
    let sum = |bar: usize| found.series.iter().map(|series| series.values[bar]).sum::<i64>();
    assert_eq!((sum(0), sum(1), sum(24)), (40, 39, 16), "one is gone after every hour");
    let classes: std::collections::HashSet<&str> = found.series.iter().map(|series| series.class).collect();
    assert_eq!(classes.len(), 7);
}
