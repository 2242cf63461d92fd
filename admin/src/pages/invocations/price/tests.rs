use engine::{
    id::{InvocationId, PriceVersionId, uuid_v7},
    invocation::{CallOutcome, CallState},
    pricing::{PricingSpec, read_units},
    service::invocations::{CallMoney, ListedCall},
};

use super::*;

fn credits(text: &str) -> Credits {
    Credits::parse_exact(text).unwrap()
}

fn returned(base: &str, multiplier: &str, max: &str) -> Price {
    let spec = PricingSpec {
        pricing_mode: Some("tool_returned".to_owned()),
        returned_credit_cost_path: Some("$.cost".to_owned()),
        returned_credit_multiplier: Some(multiplier.to_owned()),
        base_credit_cost: Some(base.to_owned()),
        estimated_max_credit_cost: Some(max.to_owned()),
        ..PricingSpec::default()
    };
    Price::from_spec(PriceVersionId::from(uuid_v7(0, [0; 10])), 0, &spec).unwrap()
}

fn call(state: CallState, held: &str, charged: &str) -> CallDetail {
    let charged = credits(charged);
    CallDetail {
        call: ListedCall {
            id: InvocationId::from(uuid_v7(0, [0; 10])),
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
        price: None,
        units: Vec::new(),
        returned: None,
        policy_version: String::new(),
        catalog_version: 0,
        denied_by: Vec::new(),
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

fn amounts(price: &Price, detail: &CallDetail) -> Vec<Cell> {
    steps(price, detail).into_iter().map(|step| step.amount).collect()
}

#[test]
fn a_returned_cost_is_traced_back_to_the_value() {
    let price = returned("2", "1.5", "10");
    let detail = call(CallState::Succeeded, "10", "6.5");
    let money = |text: &str| Cell::Money(credits(text));
    assert_eq!(amounts(&price, &detail), ["2", "10", "10", "6.5", "6.5"].map(money));
    let told = steps(&price, &detail);
    assert!(told[3].why.contains(" 3"), "{:?}", told[3]);
    assert!(told[0].why.contains("$.cost") && told[0].why.contains("1.5"), "{:?}", told[0]);
}

#[test]
fn a_cost_above_the_hold_is_shown_with_what_was_wanted() {
    let price = returned("2", "1", "10");
    let mut detail = call(CallState::Succeeded, "10", "10");
    detail.shortfall = credits("4.25");
    let told = steps(&price, &detail);
    assert_eq!(told[3].amount, Cell::Money(credits("14.25")));
    assert!(told[3].why.contains("4.25"), "{:?}", told[3]);
    detail.returned = ReturnedValue::from_text("number 12.250");
    let told = steps(&price, &detail);
    assert!(told[3].why.contains("4.25") && told[3].why.contains(" 12.250"), "{:?}", told[3]);
}

#[test]
fn what_was_counted_and_returned_is_shown_as_recorded() {
    let spec = PricingSpec {
        pricing_mode: Some("tool_returned".to_owned()),
        returned_credit_cost_path: Some("$.cost".to_owned()),
        pricing_unit_fields: Some(vec!["rows".to_owned(), "pages".to_owned()]),
        pricing_credits_per_unit: Some("0.5".to_owned()),
        ..PricingSpec::default()
    };
    let price = Price::from_spec(PriceVersionId::from(uuid_v7(0, [0; 10])), 0, &spec).unwrap();
    let mut detail = call(CallState::Succeeded, "10", "6.5");
    let told = steps(&price, &detail);
    assert!(told[1].why.contains("rows × pages"), "{:?}", told[1]);
    detail.units = read_units("4 2.5").unwrap();
    detail.returned = ReturnedValue::from_text("string 6.50");
    let told = steps(&price, &detail);
    assert!(told[1].why.contains("rows (4) × pages (2.5)"), "{:?}", told[1]);
    assert!(told[3].why.contains(" 6.50"), "{:?}", told[3]);
}

#[test]
fn an_unusable_value_costs_the_base_and_says_why() {
    let price = returned("2", "1", "10");
    let mut detail = call(CallState::Succeeded, "10", "2");
    detail.warning = Some("there was nothing".to_owned());
    let told = steps(&price, &detail);
    assert_eq!((&told[3].amount, told[3].why.as_str()), (&Cell::Money(credits("2")), "there was nothing."));
    detail.returned = ReturnedValue::from_text("array");
    let told = steps(&price, &detail);
    assert!(told[3].why.starts_with("there was nothing. ") && told[3].why.contains("array"), "{:?}", told[3]);
}

#[test]
fn what_did_not_succeed_returned_no_value() {
    let price = returned("2", "1", "10");
    for state in [CallState::Failed, CallState::Denied, CallState::Unknown, CallState::UnknownReleased] {
        assert_eq!(steps(&price, &call(state, "10", "0")).len(), 4, "{state:?}");
    }
}
