use super::*;

#[test]
fn days_have_their_calls_and_what_was_published_on_them() {
    let count =
        |day: i64, outcome: CallOutcome, calls| CallCount { bucket_us: day * DAY_US, outcome: outcome.raw(), calls };
    let counted =
        [count(100, CallOutcome::Denied, 2), count(100, CallOutcome::Free, 3), count(129, CallOutcome::Charged, 7)];
    let published = [(9, 129 * DAY_US), (8, 101 * DAY_US - 1), (7, 100 * DAY_US)];
    let days = days_of(100 * DAY_US, &counted, &published);
    assert_eq!(days.len(), 30);
    let told = |day: usize| (days[day].calls, days[day].denied, days[day].published.clone());
    assert_eq!([told(0), told(1), told(29)], [(5, 2, vec![7, 8]), (0, 0, vec![]), (7, 0, vec![9])]);
    assert_eq!((days[1].from_us, days[29].from_us), (101 * DAY_US, 129 * DAY_US));
    assert_eq!(days_of(0, &[], &published), [], "no call, no picture");
}

#[test]
fn rules_are_counted_once_for_each_call_they_denied() {
    let found = by_rule(["b", "a,b", "", "c"].into_iter());
    let found: Vec<(&str, i64)> = found.iter().map(|(rule, count)| (rule.as_str(), *count)).collect();
    assert_eq!(found, [("b", 2), ("a", 1), ("c", 1)]);
    assert!(by_rule(std::iter::empty()).is_empty());
}

#[test]
fn a_key_with_a_comma_is_one_policy() {
    for (denied_by, expected) in [
        ("", &[][..]),
        ("a,b", &["a", "b"]),
        (
            r#"channels.x.groups["a,b"].tools.deny,gateway.tools.deny"#,
            &[r#"channels.x.groups["a,b"].tools.deny"#, "gateway.tools.deny"],
        ),
        (r#"x["a\",b"].deny,y["\\"].deny,z"#, &[r#"x["a\",b"].deny"#, r#"y["\\"].deny"#, "z"]),
    ] {
        assert_eq!(named(denied_by).collect::<Vec<_>>(), expected, "{denied_by}");
    }
}
