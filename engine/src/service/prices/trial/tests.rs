use super::*;

fn price(mode: &str, charge_on: &str) -> Price {
    let text = |text: &str| Some(text.to_owned());
    let spec = match mode {
        "fixed" => PricingSpec {
            pricing_mode: text("fixed_per_request"),
            fixed_credit_cost: text("5"),
            charge_on: text(charge_on),
            ..PricingSpec::default()
        },
        _ => PricingSpec {
            pricing_mode: text("tool_returned"),
            returned_credit_cost_path: text("$.cost"),
            base_credit_cost: text("2"),
            estimated_max_credit_cost: (mode == "returned").then(|| "9".to_owned()),
            pricing_unit_fields: (mode == "units").then(|| vec!["n".to_owned()]),
            pricing_credits_per_unit: (mode == "units").then(|| "1".to_owned()),
            charge_on: text(charge_on),
            ..PricingSpec::default()
        },
    };
    Price::from_spec(PriceVersionId::from(uuid::Uuid::nil()), 0, &spec).unwrap()
}

#[test]
fn a_call_would_have_cost_between_these_bounds() {
    use CallState::{Denied, Failed, Invalid, Refused, Running, Succeeded, Unknown, UnknownCaptured, UnknownReleased};
    let credits = |credits: i64| Credits::from_micros(credits * 1_000_000);
    let known = |least, most| Some((credits(least), Some(credits(most))));
    for (mode, charge_on, state, expected) in [
        ("fixed", "success", Succeeded, known(5, 5)),
        ("fixed", "success", Failed, known(0, 0)),
        ("fixed", "attempt", Failed, known(0, 5)),
        ("fixed", "attempt", UnknownReleased, known(5, 5)),
        ("fixed", "success", UnknownCaptured, known(0, 0)),
        ("returned", "success", Succeeded, known(2, 9)),
        ("returned", "attempt", Failed, known(0, 2)),
        ("units", "success", Succeeded, Some((credits(2), None))),
    ] {
        assert_eq!(bounds(&price(mode, charge_on), state), expected, "{mode} {charge_on} {state:?}");
    }
    for state in [Running, Unknown, Refused, Denied, Invalid] {
        assert_eq!(bounds(&price("fixed", "attempt"), state), None, "{state:?}");
    }
}
