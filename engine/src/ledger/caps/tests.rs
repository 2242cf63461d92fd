use super::*;

fn us(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_microsecond()
}

#[test]
fn windows_are_cut_in_utc() {
    let rows = [
        (CapWindow::Day, "2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"),
        (CapWindow::Day, "2026-03-01T23:59:59.999999Z", "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"),
        (CapWindow::Day, "2028-02-29T12:00:00Z", "2028-02-29T00:00:00Z", "2028-03-01T00:00:00Z"),
        (CapWindow::Day, "2026-12-31T12:00:00Z", "2026-12-31T00:00:00Z", "2027-01-01T00:00:00Z"),
        (CapWindow::Month, "2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"),
        (CapWindow::Month, "2026-03-31T23:59:59.999999Z", "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"),
        (CapWindow::Month, "2028-02-29T12:00:00Z", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"),
        (CapWindow::Month, "2026-12-31T23:59:59Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        (CapWindow::Day, "1969-12-31T23:59:59.999999Z", "1969-12-31T00:00:00Z", "1970-01-01T00:00:00Z"),
    ];
    for (window, now, start, end) in rows {
        assert_eq!(window.bounds(us(now)), (us(start), Some(us(end))), "{window:?} at {now}");
    }
    for window in [CapWindow::Call, CapWindow::Total] {
        assert_eq!(window.bounds(us("2026-03-01T00:00:00Z")), (0, None), "{window:?}");
    }
}

#[test]
fn windows_are_read_back_from_their_word_and_their_number() {
    for window in [CapWindow::Call, CapWindow::Day, CapWindow::Month, CapWindow::Total] {
        assert_eq!(CapWindow::from_word(window.as_str()), Some(window));
        assert_eq!(CapWindow::from_raw(window.raw()), Some(window));
    }
    assert_eq!(CapWindow::from_word("week"), None);
    assert_eq!(CapWindow::from_raw(0), None);
}

#[test]
fn a_cap_counts_under_its_window_and_a_cap_on_single_calls_not_at_all() {
    let now = us("2026-03-31T10:00:00Z");
    let used = |window| {
        let cap = Cap { id: CapId::from(uuid::Uuid::from_u128(1)), window, limit: Credits::from_micros(10) };
        CapUse::at(cap, now)
    };
    let start = |window| used(window).counter().map(|counter| counter.start_us);
    assert_eq!(start(CapWindow::Call), None);
    assert_eq!(start(CapWindow::Day), Some(us("2026-03-31T00:00:00Z")));
    assert_eq!(start(CapWindow::Month), Some(us("2026-03-01T00:00:00Z")));
    assert_eq!(start(CapWindow::Total), Some(0));
    assert_eq!(used(CapWindow::Month).resets_us, Some(us("2026-04-01T00:00:00Z")));
}

#[test]
fn what_remains_is_never_below_zero() {
    for (limit, spent, held, remaining) in [
        (100, 0, 0, 100),
        (100, 60, 30, 10),
        (100, 100, 0, 0),
        (100, 90, 90, 0),
        (0, 0, 0, 0),
        (i64::MAX, 0, 1, i64::MAX - 1),
        (5, i64::MAX, i64::MAX, 0),
    ] {
        let counter = Counter { spent, held };
        assert_eq!(counter.remaining(Credits::from_micros(limit)).micros(), remaining, "{limit} {spent} {held}");
    }
}

#[test]
fn a_hold_reserves_and_its_end_gives_back_what_was_not_captured() {
    let counter = Counter { spent: 7, held: 20 };
    let micros = Credits::from_micros;
    assert_eq!(counter.holding(micros(30)), Some(Counter { spent: 7, held: 50 }));
    assert_eq!(counter.holding(micros(i64::MAX)), None);
    assert_eq!(counter.settling(micros(20), micros(15)), Counter { spent: 22, held: 0 });
    assert_eq!(counter.settling(micros(20), micros(0)), Counter { spent: 7, held: 0 });
    assert_eq!(counter.settling(micros(30), micros(i64::MAX)), Counter { spent: i64::MAX, held: 0 });
}
