use super::*;

fn on_attempt(spec: PricingSpec) -> PricingSpec {
    PricingSpec { charge_on: some("attempt"), ..spec }
}

fn capped(spec: PricingSpec, max: &str) -> PricingSpec {
    PricingSpec { estimated_max_credit_cost: some(max), ..spec }
}

#[test]
fn a_price_is_dearer_if_some_call_may_cost_more() {
    let returned = |multiplier: &str, base: &str, max: &str| returned_spec("$.cost", multiplier, base, max);
    let cases = [
        (fixed_spec("5"), fixed_spec("5"), false),
        (fixed_spec("5"), fixed_spec("5.000001"), true),
        (fixed_spec("0"), fixed_spec("0.000001"), true),
        (fixed_spec("5"), fixed_spec("0"), false),
        // The same amount for more calls.
        (fixed_spec("5"), on_attempt(fixed_spec("5")), true),
        (on_attempt(fixed_spec("5")), on_attempt(fixed_spec("5")), false),
        (on_attempt(fixed_spec("5")), fixed_spec("5"), false),
        (fixed_spec("5"), on_attempt(fixed_spec("0")), false),
        // From fixed to returned and back.
        (fixed_spec("5"), returned("1", "0", "5"), false),
        (fixed_spec("5"), returned("1", "0", "5.1"), true),
        (fixed_spec("5"), units_spec(&["n"], "0.1", "0"), true),
        (returned("1", "2", "9"), fixed_spec("2"), false),
        (returned("1", "2", "9"), fixed_spec("2.1"), true),
        // Returned: each part of the sum.
        (returned("2", "1", "9"), returned("2", "1", "9"), false),
        (returned("2", "1", "9"), returned("1", "0", "8"), false),
        (returned("2", "1", "9"), returned("2.1", "1", "9"), true),
        (returned("2", "1", "9"), returned("2", "1.1", "9"), true),
        (returned("2", "1", "9"), returned("2", "1", "9.1"), true),
        (returned("2", "1", "9"), returned_spec("$.other", "2", "1", "9"), true),
        (returned("2", "1", "9"), returned_spec("$.other", "2", "1", "1"), false),
        // By units: the same arguments, no dearer, no higher limit.
        (units_spec(&["n"], "2", "1"), units_spec(&["n"], "1", "1"), false),
        (units_spec(&["n"], "2", "1"), units_spec(&["n"], "3", "1"), true),
        (units_spec(&["n"], "2", "1"), units_spec(&["m"], "2", "1"), true),
        (units_spec(&["n"], "2", "1"), capped(units_spec(&["n"], "2", "1"), "10"), false),
        (capped(units_spec(&["n"], "2", "1"), "10"), units_spec(&["n"], "2", "1"), true),
        (capped(units_spec(&["n"], "2", "1"), "10"), capped(units_spec(&["n"], "2", "1"), "11"), true),
        (capped(units_spec(&["n"], "2", "1"), "10"), returned_spec("$.cost", "1", "1", "10"), true),
    ];
    for (old, new, is_dearer) in cases {
        assert_eq!(may_cost_more(&price(&old), &price(&new)), is_dearer, "{old:?} → {new:?}");
    }
}
