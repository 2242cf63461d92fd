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

/// A fixed price, if there is one.
fn at(cost: Option<&str>) -> Option<Price> {
    cost.map(|cost| price(&fixed_spec(cost)))
}

#[test]
fn a_scheduled_price_is_compared_with_both_of_its_neighbours() {
    for (before, new, after, is_dearer) in [
        // The first price of a tool is no raise; what follows it may be one.
        (None, "5", None, false),
        (None, "5", Some("5"), false),
        (None, "5", Some("6"), true),
        (Some("5"), "5", None, false),
        (Some("5"), "4", None, false),
        (Some("5"), "6", None, true),
        // Down and up again, a step at a time.
        (Some("5"), "4", Some("4"), false),
        (Some("5"), "4", Some("3"), false),
        (Some("5"), "4", Some("5"), true),
        (Some("5"), "1", Some("1.000001"), true),
        // Dearer than what is before it, whatever follows.
        (Some("5"), "6", Some("3"), true),
    ] {
        let (before, new, after) = (at(before), price(&fixed_spec(new)), at(after));
        let found = scheduling_may_cost_more(before.as_ref(), &new, after.as_ref());
        assert_eq!(found, is_dearer, "{before:?} → {new:?} → {after:?}");
    }
}

#[test]
fn what_a_price_is_taken_back_for_is_compared_with_it_and_with_what_follows() {
    for (before, taken_back, after, is_dearer) in [
        // Without one before it nothing can be called then.
        (None, "5", None, false),
        (None, "5", Some("9"), false),
        // A raise is taken back.
        (Some("5"), "6", None, false),
        (Some("5"), "6", Some("5"), false),
        // A fall is taken back: what was promised does not come.
        (Some("5"), "4", None, true),
        (Some("5"), "4", Some("3"), true),
        // A raise between two prices is taken back: what follows was a fall, and is a raise now.
        (Some("5"), "20", Some("15"), true),
        (Some("5"), "20", Some("4"), false),
    ] {
        let (before, taken_back, after) = (at(before), price(&fixed_spec(taken_back)), at(after));
        let found = taking_back_may_cost_more(before.as_ref(), &taken_back, after.as_ref());
        assert_eq!(found, is_dearer, "{before:?} → {taken_back:?} → {after:?}");
    }
}
