use super::*;

const TOKEN: &str = "tok_00000000000070008000000000000000";

#[test]
fn whose_a_limit_is_can_be_said_in_four_ways() {
    let whose = |more: &str| parse(&format!(r#"{{"window": "day", "percent": 80, {more}}}"#)).unwrap().whose;
    assert_eq!(whose(r#""applies_to": "partner""#), Whose::Partner);
    assert_eq!(whose(r#""applies_to": "each_end_user""#), Whose::EachEndUser);
    assert_eq!(whose(r#""applies_to": "end_user", "external_id": "u-1""#), Whose::EndUser("u-1".to_owned()));
    let token = whose(&format!(r#""applies_to": "token", "token_id": "{TOKEN}""#));
    assert_eq!(token, Whose::Token(TOKEN.parse().unwrap()));
}

#[test]
fn what_is_wrong_is_named() {
    let fine = [("applies_to", r#""partner""#), ("window", r#""day""#), ("percent", "80")];
    let place = |name: &str, value: Option<&str>| {
        let mut members: Vec<String> = fine
            .iter()
            .filter(|(known, _)| *known != name)
            .map(|(known, value)| format!("\"{known}\": {value}"))
            .collect();
        members.extend(value.map(|value| format!("\"{name}\": {value}")));
        let refused = parse(&format!("{{{}}}", members.join(", "))).unwrap_err().body();
        refused["detail"][0]["loc"][1].as_str().unwrap_or_default().to_owned()
    };
    for (name, value, field) in [
        ("applies_to", None, "applies_to"),
        ("applies_to", Some(r#""account""#), "applies_to"),
        ("applies_to", Some("7"), "applies_to"),
        ("applies_to", Some(r#""end_user""#), "external_id"),
        ("applies_to", Some(r#""token""#), "token_id"),
        ("external_id", Some(r#""u-1""#), "external_id"),
        ("token_id", Some(r#""tok_1""#), "token_id"),
        ("window", None, "window"),
        ("window", Some(r#""week""#), "window"),
        ("percent", None, "percent"),
        ("percent", Some("0.5"), "percent"),
        ("percent", Some("1e2"), "percent"),
        ("percent", Some("99999"), "percent"),
        ("email", Some("7"), "email"),
        ("idempotency_key", Some(r#""""#), "idempotency_key"),
        ("url", Some(r#""x""#), "url"),
    ] {
        assert_eq!(place(name, value), field, "{name}: {value:?}");
    }
}
