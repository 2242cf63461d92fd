use engine::{
    id::{EntryId, InvocationId, PriceVersionId, uuid_v7},
    invocation::CallOutcome,
    ledger::{
        LedgerAccountId, TransactionKind,
        leaf::{Position, Settled},
    },
    pricing::{PricingSpec, ReturnedValue, read_units},
    service::invocations::{CallPosting, CallSettlement, ListedCall},
};

use super::*;

fn credits(text: &str) -> Credits {
    Credits::parse_exact(text).unwrap()
}

fn price(spec: &PricingSpec) -> Option<CallPrice> {
    let id = PriceVersionId::from(uuid_v7(1, [1; 10]));
    Some(CallPrice { id, price: Price::from_spec(id, 1_000_000, spec).unwrap() })
}

fn fixed(charge_on: &str) -> Option<CallPrice> {
    price(&PricingSpec {
        pricing_mode: Some("fixed_per_request".to_owned()),
        fixed_credit_cost: Some("50".to_owned()),
        charge_on: Some(charge_on.to_owned()),
        ..PricingSpec::default()
    })
}

fn by_units() -> Option<CallPrice> {
    price(&PricingSpec {
        pricing_mode: Some("tool_returned".to_owned()),
        returned_credit_cost_path: Some("$.cost".to_owned()),
        returned_credit_multiplier: Some("1.5".to_owned()),
        base_credit_cost: Some("2".to_owned()),
        estimated_max_credit_cost: Some("10".to_owned()),
        pricing_unit_fields: Some(vec!["rows".to_owned()]),
        pricing_credits_per_unit: Some("0.5".to_owned()),
        ..PricingSpec::default()
    })
}

fn call(state: CallState, price: Option<CallPrice>, (held, charged): (&str, &str)) -> CallDetail {
    let charged = credits(charged);
    CallDetail {
        call: ListedCall {
            id: InvocationId::from(uuid_v7(1, [2; 10])),
            surface: None,
            state,
            outcome: CallOutcome::of(state, !charged.is_zero()),
            tool: None,
            requested: None,
            account: None,
            partner: None,
            end_user: None,
            held: credits(held),
            charged,
            error: None,
            created_us: 0,
            ended_us: None,
        },
        token: None,
        wallet: None,
        price,
        units: Vec::new(),
        returned: None,
        policy_version: "3-0011223344556677".to_owned(),
        catalog_version: 7,
        denied_by: vec!["operator.secret".to_owned()],
        shortfall: Credits::ZERO,
        warning: None,
        resolves_us: None,
        session_key: None,
        channel: None,
        channel_account: None,
        is_owner: None,
        key: None,
        money: CallMoney::default(),
    }
}

fn held(amount: &str) -> CallHold {
    CallHold {
        place: Position { slot: 0, seq: 1 },
        recorded_us: 2_000_000,
        amount: credits(amount),
        wallet: LedgerAccountId::from_raw(1),
        payee: LedgerAccountId::from_raw(2),
        publisher_bps: 8_000,
        partner_bps: 500,
        on_expiry: None,
        grants: vec![(EntryId::from(uuid_v7(1, [3; 10])), credits("1"))],
        is_open: false,
        expires_us: None,
    }
}

#[test]
fn a_rule_follows_from_the_price_and_from_how_the_call_ended() {
    use CallState::{Denied, Failed, Invalid, Refused, Running, Succeeded, Unknown, UnknownCaptured, UnknownReleased};
    for (state, price, expected) in [
        (Running, fixed("success"), "open"),
        (Unknown, fixed("success"), "open"),
        (Succeeded, fixed("success"), "fixed"),
        (Succeeded, by_units(), "returned"),
        (Failed, fixed("success"), "failure_is_free"),
        (Failed, fixed("attempt"), "attempt"),
        (UnknownReleased, fixed("success"), "unknown_is_free"),
        (UnknownCaptured, fixed("attempt"), "unknown_attempt"),
        (Refused, fixed("success"), "never_called"),
        (Denied, fixed("success"), "never_called"),
        (Invalid, by_units(), "never_called"),
        (Invalid, None, "no_price"),
    ] {
        let told = view(&call(state, price, ("0", "0")), None);
        assert_eq!(told["rule"]["code"], expected, "{state:?}");
        assert!(told["rule"]["text"].as_str().is_some_and(|text| text.ends_with('.')), "{told}");
    }
}

#[test]
fn a_returned_cost_is_traced_to_the_value_and_to_the_price() {
    let mut paid = call(CallState::Succeeded, by_units(), ("10", "6.5"));
    paid.units = read_units("20.5").unwrap();
    paid.returned = ReturnedValue::from_text("number 3.0");
    let told = view(&paid, None);
    assert_eq!(
        told["price"],
        json!({
            "price_version_id": PriceVersionId::from(uuid_v7(1, [1; 10])).to_string(),
            "effective_from": "1970-01-01T00:00:01Z",
            "pricing_mode": "tool_returned",
            "charge_on": "success",
            "pricing_description": null,
            "fixed_credit_cost": null,
            "base_credit_cost": 2,
            "returned_credit_multiplier": 1.5,
            "returned_credit_cost_path": "$.cost",
            "estimated_max_credit_cost": 10,
        })
    );
    assert_eq!(
        told["inputs"],
        json!({"pricing_unit_fields": ["rows"], "pricing_credits_per_unit": 0.5, "values": {"rows": 20.5}})
    );
    let returned = |value: Value, kind: Value, wanted: Value| json!({"path": "$.cost", "value": value, "value_type": kind, "credits_wanted": wanted, "warning": null});
    assert_eq!(told["returned"], returned(json!(3.0), json!("number"), json!(6.5)));

    // Of a call that was recorded without them, they follow from the charge or are not known.
    let told = view(&call(CallState::Succeeded, by_units(), ("10", "6.5")), None);
    assert_eq!(told["inputs"]["values"], Value::Null);
    assert_eq!(told["returned"], returned(json!(3), Value::Null, json!(6.5)));

    // What was wanted beyond the hold, and what could not be used.
    let mut capped = call(CallState::Succeeded, by_units(), ("10", "10"));
    capped.shortfall = credits("4.25");
    for (recorded, value, kind) in [
        (None, Value::Null, Value::Null),
        (Some("number 8.1666"), json!(8.1666), json!("number")),
        (Some("string 8.1666"), json!("8.1666"), json!("string")),
        (Some("number 8.16660000000000001"), json!("8.16660000000000001"), json!("number")),
        (Some("number"), Value::Null, json!("number")),
    ] {
        capped.returned = recorded.and_then(ReturnedValue::from_text);
        assert_eq!(view(&capped, None)["returned"], returned(value, kind, json!(14.25)), "{recorded:?}");
    }
    let told = view(&capped, None);
    assert_eq!(told["rule"]["code"], "capped_at_hold");
    let mut unusable = call(CallState::Succeeded, by_units(), ("10", "2"));
    unusable.warning = Some("it was no number".to_owned());
    unusable.returned = ReturnedValue::from_text("object");
    let told = view(&unusable, None);
    assert_eq!((&told["returned"]["value"], &told["returned"]["warning"]), (&Value::Null, &json!("it was no number")));
    assert_eq!(told["returned"]["value_type"], json!("object"));
    assert_eq!(told["rule"]["code"], "base");
    // What did not succeed returned nothing, and a fixed price looks at nothing.
    for other in
        [call(CallState::Failed, by_units(), ("10", "0")), call(CallState::Succeeded, fixed("success"), ("50", "50"))]
    {
        assert_eq!(view(&other, None)["returned"], Value::Null);
    }
}

#[test]
fn the_money_is_told_step_by_step_without_names() {
    let posting = |to: &str, to_kind: AccountKind, amount: &str| CallPosting {
        from: "liabilities:wallet:acc_1".to_owned(),
        to: to.to_owned(),
        to_kind: Some(to_kind),
        amount: credits(amount),
    };
    let transaction = |kind: TransactionKind, postings: Vec<CallPosting>| CallTransaction {
        id: EntryId::from(uuid_v7(1, [4; 10])),
        kind,
        place: Position { slot: 0, seq: 3 },
        recorded_us: 3_000_000,
        postings,
    };
    let mut detail = call(CallState::Succeeded, fixed("success"), ("50", "40"));
    detail.money = CallMoney {
        hold: Some(held("50")),
        settlement: Some(CallSettlement {
            place: Position { slot: 0, seq: 2 },
            recorded_us: 3_000_000,
            settled: Settled::Captured,
            captured: credits("40"),
        }),
        // From two sources: a grant and the wallet.
        charge: Some(transaction(
            TransactionKind::Charge,
            vec![
                posting("liabilities:payable:acme", AccountKind::Payable, "1"),
                posting("liabilities:payable:acme", AccountKind::Payable, "31"),
                posting("liabilities:partner:globex", AccountKind::PartnerMargin, "2"),
                posting("revenue:platform:fee", AccountKind::PlatformFee, "6"),
            ],
        )),
        refunds: vec![transaction(
            TransactionKind::Refund,
            vec![posting("liabilities:wallet:acc_1", AccountKind::Wallet, "5.5")],
        )],
        refunded: credits("5.5"),
        refundable: credits("34.5"),
    };
    let told = view(&detail, None);
    assert_eq!(
        told["hold"],
        json!({
            "credits": 50,
            "at": "1970-01-01T00:00:02Z",
            "from_grants": [{"transaction_id": EntryId::from(uuid_v7(1, [3; 10])).to_string(), "credits": 1}],
            "credits_on_expiry": null,
            "is_open": false,
            "expires_at": null,
        })
    );
    assert_eq!(
        told["capture"],
        json!({"how": "captured", "credits": 40, "credits_released": 10, "at": "1970-01-01T00:00:03Z"})
    );
    assert_eq!(
        told["split"],
        json!({
            "publisher": {"bps": 8000, "credits": 32},
            "partner": {"bps": 500, "credits": 2},
            "platform": {"bps": 1500, "credits": 6},
        })
    );
    assert_eq!((&told["refunds"][0]["credits"], &told["credits_refunded"]), (&json!(5.5), &json!(5.5)));
    for name in ["acme", "globex", "acc_1", "operator.secret"] {
        assert!(!told.to_string().contains(name), "{name}: {told}");
    }
}

#[test]
fn a_denied_call_has_a_public_reason_and_no_money() {
    let mut denied = call(CallState::Denied, fixed("success"), ("0", "0"));
    denied.call.error = Some("policy_denied".to_owned());
    let told = view(&denied, Some("This tool is switched off."));
    assert_eq!(
        told["decision"],
        json!({
            "is_allowed": false,
            "code": "policy_denied",
            "reason": "This tool is switched off.",
            "policy_version": "3-0011223344556677",
            "catalog_version": 7,
        })
    );
    for member in ["hold", "capture", "split"] {
        assert_eq!(told[member], Value::Null, "{member}");
    }
    // An upstream that fails says nothing about the decision.
    let mut failed = call(CallState::Failed, fixed("success"), ("50", "0"));
    failed.call.error = Some("upstream_failed".to_owned());
    let decision = &view(&failed, Some("not told"))["decision"];
    assert_eq!((&decision["is_allowed"], &decision["code"]), (&json!(true), &Value::Null));
    assert_eq!(decision["reason"], Value::Null);
}
