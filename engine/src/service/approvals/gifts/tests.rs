use uuid::Uuid;

use super::*;

#[test]
fn what_is_asked_for_is_read_as_it_was_written() {
    let (account, partner) = (AccountId::from(Uuid::from_u128(7)), PartnerId::from(Uuid::from_u128(8)));
    let (credits, reason) = (Credits::from_micros(150_500_000), "sorry, \"really\"".to_owned());
    let terms = Some(GrantTerms { expires_us: 9, priority: 5 });
    let for_account = |terms| AskedGrant::Account { account, credits, terms, reason: reason.clone() };
    for asked in
        [for_account(None), for_account(terms), AskedGrant::Partner { partner, credits, reason: reason.clone() }]
    {
        let text = asked.to_payload().to_string();
        assert_eq!(AskedGrant::from_payload(&serde_json::from_str(&text).unwrap()), Some(asked), "{text}");
    }
}

#[test]
fn anything_else_is_no_grant() {
    let partner = PartnerId::from(Uuid::from_u128(8));
    let asked = AskedGrant::Partner { partner, credits: Credits::from_micros(1), reason: "why".to_owned() };
    let whole = asked.to_payload();
    for (name, value) in [
        ("version", json!(2)),
        ("deed", json!("refund.create")),
        ("deed", json!("grant.create")),
        ("partner", json!("par_1")),
        ("credits", json!(1)),
        ("credits", json!("1e3")),
        ("reason", Value::Null),
    ] {
        let mut payload = whole.clone();
        payload[name] = value;
        assert_eq!(AskedGrant::from_payload(&payload), None, "{payload}");
    }
}
