use super::*;

/// Noon on the last of December 2026, in microseconds since the Unix epoch.
const NOON_US: i64 = 1_798_718_400_000_000;

fn read_of(given: &[(&str, &str)]) -> Result<Wanted, Fault> {
    let names = ["from", "to", "group_by", "per", "user", "limit", "after"];
    let of = |name: &str| given.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned());
    read(&names.map(of), NOON_US)
}

#[test]
fn what_is_wrong_is_named() {
    let first = "0.00000000000000000000000000000000";
    for (given, name) in [
        (&[("from", "yesterday")][..], "from"),
        (&[("to", "2026-13-01")], "to"),
        (&[("from", "2026-12-02"), ("to", "2026-12-02")], "to"),
        (&[("group_by", "account")], "group_by"),
        (&[("group_by", "user"), ("per", "week")], "per"),
        (&[("group_by", "day"), ("per", "day")], "per"),
        (&[("group_by", "tool"), ("user", "u-1")], "user"),
        (&[("limit", "0")], "limit"),
        (&[("limit", "501")], "limit"),
        (&[("limit", "-1")], "limit"),
        (&[("after", "x")], "after"),
    ] {
        assert_eq!(read_of(given).unwrap_err().0, name, "{given:?}");
    }
    assert!(read_of(&[("after", first)]).is_ok());
}

#[test]
fn the_present_month_is_what_nobody_asks_for_differently() {
    let wanted = read_of(&[]).unwrap();
    assert_eq!((wanted.query.by, wanted.query.period, wanted.count), (UsageBy::Total, UsagePeriod::Day, 100));
    assert_eq!((wanted.query.from_us, wanted.query.to_us), (UsagePeriod::Month.start_us(NOON_US), NOON_US + 1));
    assert_eq!(read_of(&[("group_by", "month")]).unwrap().query.period, UsagePeriod::Month);
    let of_a_user = read_of(&[("group_by", "user"), ("per", "month"), ("user", "u-1")]).unwrap();
    assert_eq!((of_a_user.query.period, of_a_user.user.as_deref()), (UsagePeriod::Month, Some("u-1")));
}

#[test]
fn a_line_says_about_whom_it_is() {
    let line = |subject: UsageSubject| UsageLine {
        start_us: NOON_US - 43_200_000_000,
        subject,
        calls: 3,
        paid_calls: 2,
        charged: engine::credits::Credits::from_micros(1_500_000),
    };
    let sums = json!({"period": "2026-12-31", "calls": 3, "paid_calls": 2, "credits_charged": 1.5});
    assert_eq!(view(&line(UsageSubject::All), UsagePeriod::Day), sums);
    let month = view(&line(UsageSubject::All), UsagePeriod::Month);
    assert_eq!(month["period"], "2026-12");
    let id = uuid::Uuid::from_u128(7);
    let user = view(&line(UsageSubject::EndUser(id.into(), None)), UsagePeriod::Day);
    assert_eq!(
        (&user["external_id"], &user["user_id"]),
        (&Value::Null, &json!("usr_00000000000000000000000000000007"))
    );
    let tool = view(&line(UsageSubject::Tool(id.into(), Some("acme/paid".to_owned()))), UsagePeriod::Day);
    assert_eq!(tool["tool"], "acme/paid");
}
