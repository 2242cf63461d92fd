use super::*;

/// 2027-01-15T12:00:00Z
const NOON_US: i64 = 1_800_014_400_000_000;

fn days(query: &str) -> Result<(String, String, UsagePeriod), Vec<(String, String)>> {
    let (period, (from_us, last_us), problems) = range(&Fields::parse(query).unwrap(), NOON_US);
    let day = |at_us: i64| period_text(at_us, UsagePeriod::Day);
    if problems.is_empty() { Ok((day(from_us), day(last_us), period)) } else { Err(problems.all()) }
}

#[test]
fn days_are_read_and_what_is_no_range_is_named() {
    let is = |from: &str, to: &str, period| Ok((from.to_owned(), to.to_owned(), period));
    for (query, expected) in [
        ("", is("2026-12-17", "2027-01-15", UsagePeriod::Day)),
        ("per=month", is("2026-01-16", "2027-01-15", UsagePeriod::Month)),
        ("from=2027-01-01&to=2027-01-01", is("2027-01-01", "2027-01-01", UsagePeriod::Day)),
        ("to=2026-03-01", is("2026-01-31", "2026-03-01", UsagePeriod::Day)),
        ("from=2026-01-15", is("2026-01-15", "2027-01-15", UsagePeriod::Day)),
    ] {
        assert_eq!(days(query), expected, "{query}");
    }
    for (query, field) in [
        ("from=yesterday", "from"),
        ("to=x", "to"),
        ("from=2027-01-02&to=2027-01-01", "to"),
        ("from=2026-01-14", "from"),
        ("per=month&from=2016-01-01", "from"),
    ] {
        let problems = days(query).unwrap_err();
        assert_eq!(problems.first().map(|(name, _)| name.as_str()), Some(field), "{query}");
    }
}

#[test]
fn a_period_is_written_as_what_it_is() {
    assert_eq!(period_text(NOON_US, UsagePeriod::Day), "2027-01-15");
    assert_eq!(period_text(NOON_US, UsagePeriod::Month), "2027-01");
}
