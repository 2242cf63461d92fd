use super::*;

const NOON_US: i64 = 1_795_003_200_000_000;
const DAY_US: i64 = 86_400_000_000;

#[test]
fn a_day_is_its_first_moment_in_utc_and_a_time_is_what_it_says() {
    for (text, expected) in [
        ("1970-01-01", 0),
        ("1970-01-02", DAY_US),
        ("2026-11-18T12:00:00Z", NOON_US),
        ("2026-11-18T13:30:00+01:30", NOON_US),
        ("2026-11-18T12:00:00.000001Z", NOON_US + 1),
        ("2026-11-18T12:00:00.25-00:00", NOON_US + 250_000),
        ("2024-02-29", 1_709_164_800_000_000),
    ] {
        assert_eq!(parse("at", text), Ok(expected), "{text}");
    }
}

#[test]
fn anything_else_is_refused_with_the_name_of_the_argument() {
    for text in [
        "",
        "today",
        "2026-11",
        "2026-13-01",
        "2026-02-30",
        "2023-02-29",
        "26-11-18",
        "18.11.2026",
        "20261118",
        "2026-W47-3",
        "2026-11-18T12:00:00",
        "2026-11-18T25:00:00Z",
        "+002026-11-18T12:00:00Z",
        "1795003200",
        "２０２６-11-18",
        " 2026-11-18",
        "2026-11-18 ",
    ] {
        let refused = parse("until", text).unwrap_err();
        assert!(matches!(refused, DateError::Form { name: "until", .. }), "{text}: {refused}");
        assert!(refused.to_string().contains(text), "{refused}");
    }
}

#[test]
fn a_range_ends_after_it_starts() {
    let range = |from, until| DateRange::parse(("from", from), ("until", until));
    let day = DateRange { from_us: Some(0), until_us: Some(DAY_US) };
    assert_eq!(range(Some("1970-01-01"), Some("1970-01-02")), Ok(day));
    assert_eq!(range(None, Some("1970-01-02")), Ok(DateRange { from_us: None, ..day }));
    assert_eq!(range(Some("1970-01-01"), None), Ok(DateRange { until_us: None, ..day }));
    assert_eq!(range(None, None), Ok(DateRange::default()));
    for (from, until) in [("1970-01-02", "1970-01-01"), ("1970-01-01", "1970-01-01")] {
        let refused = range(Some(from), Some(until)).unwrap_err().to_string();
        let (from, until) = (format!("`from` ({from}T00:00:00Z)"), format!("`until` ({until}T00:00:00Z)"));
        assert!(refused.contains(&from) && refused.contains(&until), "{refused}");
    }
    assert!(range(Some("1970-01-01"), Some("soon")).is_err());
}

#[test]
fn what_is_rendered_is_read_again() {
    for us in [0, NOON_US, NOON_US + 1, -1] {
        assert_eq!(parse("at", &render(us)), Ok(us));
    }
}
