use super::*;

/// 2027-01-15T12:00:00Z
const NOON_US: i64 = 1_800_014_400_000_000;

/// In what, from which day to which one, and the field in which something is wrong.
fn asked(query: &str) -> (UsagePeriod, String, Option<String>) {
    let (period, (from_us, last_us), problems) = range(&Fields::parse(query).expect("a query"), NOON_US);
    let day = |at_us: i64| period_text(at_us, UsagePeriod::Day);
    (period, format!("{} {}", day(from_us), day(last_us)), problems.all().first().map(|(name, _)| name.clone()))
}

#[test]
fn days_are_read_and_what_is_no_range_is_named() {
    for (query, period, days) in [
        ("", UsagePeriod::Day, "2026-12-17 2027-01-15"),
        ("per=month", UsagePeriod::Month, "2026-01-16 2027-01-15"),
        ("from=2027-01-01&to=2027-01-01", UsagePeriod::Day, "2027-01-01 2027-01-01"),
        ("to=2026-03-01", UsagePeriod::Day, "2026-01-31 2026-03-01"),
        ("from=2026-01-15", UsagePeriod::Day, "2026-01-15 2027-01-15"),
    ] {
        assert_eq!(asked(query), (period, days.to_owned(), None), "{query}");
    }
    for (query, field) in [
        ("from=yesterday", "from"),
        ("to=x", "to"),
        ("from=2027-01-02&to=2027-01-01", "to"),
        ("from=2026-01-14", "from"),
        ("per=month&from=2016-01-01", "from"),
    ] {
        assert_eq!(asked(query).2.as_deref(), Some(field), "{query}");
    }
}

#[test]
fn a_period_is_written_as_what_it_is() {
    assert_eq!(period_text(NOON_US, UsagePeriod::Day), "2027-01-15");
    assert_eq!(period_text(NOON_US, UsagePeriod::Month), "2027-01");
}
