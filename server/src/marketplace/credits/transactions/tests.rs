use engine::{
    credits::Credits,
    id::{EntryId, InvocationId, uuid_v7},
    ledger::TransactionKind,
};

use super::*;

fn query(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn parameters_are_read_or_named() {
    let nothing = Wanted { filter: WalletFilter::default(), after: None, count: WALLET_PAGE_ROWS };
    assert_eq!(read(&query(&[])), Ok(nothing));
    let all = read(&query(&[
        ("kind", "expiry"),
        ("from", "1970-01-01"),
        ("to", "1970-01-02T00:00:00Z"),
        ("limit", "200"),
        ("after", "0.120_3.7"),
    ]));
    let filter =
        WalletFilter { kind: Some(WalletMoveKind::Expiry), from_us: Some(0), to_us: Some(24 * 3_600 * 1_000_000) };
    assert_eq!(all, Ok(Wanted { filter, after: Some("0.120_3.7".parse().unwrap()), count: 200 }));
    for (pairs, wrong) in [
        (vec![("kind", "payout")], "kind"),
        (vec![("kind", "")], "kind"),
        (vec![("from", "yesterday")], "from"),
        (vec![("to", "2026-13-01")], "to"),
        (vec![("from", "2026-01-02"), ("to", "2026-01-02")], "to"),
        (vec![("limit", "0")], "limit"),
        (vec![("limit", "201")], "limit"),
        (vec![("limit", "-1")], "limit"),
        (vec![("limit", "ten")], "limit"),
        (vec![("after", "")], "after"),
        (vec![("after", "x.y")], "after"),
        (vec![("account", "acc_1")], "query"),
    ] {
        assert_eq!(read(&query(&pairs)).map_err(|(parameter, _)| parameter), Err(wrong), "{pairs:?}");
    }
}

#[test]
fn a_movement_is_shown_with_its_sign_and_all_its_digits() {
    let call = InvocationId::from(uuid_v7(1, [7; 10]));
    let moved = WalletMove {
        id: EntryId::from(call),
        kind: WalletMoveKind::Transaction(TransactionKind::Charge),
        amount: Credits::parse_exact("-2.000001").unwrap(),
        recorded_us: 1_000_000,
        invocation: Some(call),
        purchase: None,
        reverses: None,
    };
    let page = JournalPage { rows: vec![moved], next: Some("0.7".parse().unwrap()), looked_back_to_us: None };
    let text = view(&page).to_string();
    assert!(text.contains(r#""credits":-2.000001,"#), "{text}");
    let row = &view(&page)["transactions"][0];
    assert_eq!((&row["kind"], &row["at"]), (&json!("charge"), &json!("1970-01-01T00:00:01Z")));
    assert_eq!((&row["invocation_id"], &row["purchase_id"]), (&json!(call.to_string()), &Value::Null));
    assert_eq!((&view(&page)["next"], &view(&page)["looked_back_to"]), (&json!("0.7"), &Value::Null));
}
