use super::*;

#[test]
fn a_wrong_price_is_refused_naming_the_field() {
    let fixed = fixed_spec("50");
    let returned = returned_spec("$.cost", "1", "0", "10");
    let units = units_spec(&["rows"], "0.5", "0");
    let many_fields: Vec<String> = (0..9).map(|n| format!("f{n}")).collect();
    for (spec, field) in [
        (PricingSpec::default(), "pricing_mode"),
        (PricingSpec { pricing_mode: some("free"), ..fixed.clone() }, "pricing_mode"),
        (PricingSpec { pricing_rules: true, ..fixed.clone() }, "pricing_rules"),
        (PricingSpec { charge_on: some("always"), ..fixed.clone() }, "charge_on"),
        (PricingSpec { fixed_credit_cost: None, ..fixed.clone() }, "fixed_credit_cost"),
        (fixed_spec("-1"), "fixed_credit_cost"),
        (fixed_spec("1e3"), "fixed_credit_cost"),
        (fixed_spec("0.0000001"), "fixed_credit_cost"),
        (fixed_spec("ten"), "fixed_credit_cost"),
        (fixed_spec("99999999999999"), "fixed_credit_cost"),
        (PricingSpec { base_credit_cost: some("1"), ..fixed.clone() }, "base_credit_cost"),
        (PricingSpec { returned_credit_cost_path: some("$.a"), ..fixed.clone() }, "returned_credit_cost_path"),
        (PricingSpec { returned_credit_multiplier: some("1"), ..fixed.clone() }, "returned_credit_multiplier"),
        (PricingSpec { estimated_max_credit_cost: some("1"), ..fixed.clone() }, "estimated_max_credit_cost"),
        (PricingSpec { pricing_unit_fields: Some(vec!["a".into()]), ..fixed.clone() }, "pricing_unit_fields"),
        (PricingSpec { pricing_credits_per_unit: some("1"), ..fixed.clone() }, "pricing_credits_per_unit"),
        (PricingSpec { pricing_description: Some("x".repeat(2_001)), ..fixed.clone() }, "pricing_description"),
        (PricingSpec { fixed_credit_cost: some("0"), ..returned.clone() }, "fixed_credit_cost"),
        (PricingSpec { returned_credit_cost_path: None, ..returned.clone() }, "returned_credit_cost_path"),
        (returned_spec("cost", "1", "0", "10"), "returned_credit_cost_path"),
        (returned_spec("$.cost", "-1", "0", "10"), "returned_credit_multiplier"),
        (returned_spec("$.cost", "1000000000.000001", "0", "10"), "returned_credit_multiplier"),
        (returned_spec("$.cost", "1", "-0.5", "10"), "base_credit_cost"),
        (returned_spec("$.cost", "1", "10.000001", "10"), "estimated_max_credit_cost"),
        (returned_spec("$.cost", "1", "0", "-1"), "estimated_max_credit_cost"),
        (PricingSpec { estimated_max_credit_cost: None, ..returned.clone() }, "estimated_max_credit_cost"),
        (PricingSpec { pricing_credits_per_unit: None, ..units.clone() }, "pricing_credits_per_unit"),
        (PricingSpec { pricing_credits_per_unit: some("0"), ..units.clone() }, "pricing_credits_per_unit"),
        (PricingSpec { pricing_credits_per_unit: some("-1"), ..units.clone() }, "pricing_credits_per_unit"),
        (PricingSpec { pricing_unit_fields: Some(vec![]), ..units.clone() }, "pricing_unit_fields"),
        (PricingSpec { pricing_unit_fields: None, ..units.clone() }, "pricing_unit_fields"),
        (PricingSpec { pricing_unit_fields: Some(vec![String::new()]), ..units.clone() }, "pricing_unit_fields"),
        (PricingSpec { pricing_unit_fields: Some(many_fields), ..units.clone() }, "pricing_unit_fields"),
        (units_spec(&["a", "b", "a"], "1", "0"), "pricing_unit_fields"),
    ] {
        let error = Price::from_spec(version(1), 0, &spec).expect_err(field);
        assert_eq!(error.field(), field, "{spec:?}");
        assert!(error.to_string().starts_with(&format!("`{field}` ")), "{error}");
    }
}

#[test]
fn defaults_are_success_one_and_no_base() {
    let spec =
        PricingSpec { returned_credit_multiplier: None, base_credit_cost: None, ..returned_spec("$.c", "", "", "7") };
    let price = price(&spec);
    assert_eq!(price.charge_on, ChargeOn::Success);
    let PricingMode::ToolReturned(returned) = price.mode else { panic!("tool_returned") };
    assert_eq!(returned.multiplier.to_string(), "1");
    assert_eq!(returned.base, Credits::ZERO);
    assert_eq!(returned.worst_case, WorstCase::Declared(cr("7")));
}

#[test]
fn a_price_of_nothing_is_free() {
    for (spec, is_free) in [
        (fixed_spec("0"), true),
        (fixed_spec("0.000001"), false),
        (returned_spec("$.c", "1", "0", "0"), true),
        (returned_spec("$.c", "1", "0", "1"), false),
        (units_spec(&["rows"], "1", "0"), false),
    ] {
        assert_eq!(price(&spec).is_free(), is_free, "{spec:?}");
    }
}

#[test]
fn cleared_unit_fields_count_as_absent() {
    let cleared = PricingSpec {
        pricing_unit_fields: Some(vec![]),
        pricing_credits_per_unit: some("0"),
        ..returned_spec("$.c", "1", "0", "5")
    };
    assert_eq!(price(&cleared), price(&returned_spec("$.c", "1", "0", "5")));
    let cleared =
        PricingSpec { pricing_unit_fields: Some(vec![]), pricing_credits_per_unit: some("0"), ..fixed_spec("5") };
    assert_eq!(price(&cleared), price(&fixed_spec("5")));
}

#[test]
fn a_price_survives_being_written_and_read() {
    let both = PricingSpec { estimated_max_credit_cost: some("9"), ..units_spec(&["a", "b"], "0.25", "2.5") };
    let attempt = PricingSpec {
        charge_on: some("attempt"),
        pricing_description: some("per row"),
        ..returned_spec("$..usage['a\\'b']", "0.003", "1", "100")
    };
    for spec in [fixed_spec("50"), fixed_spec("0"), both, units_spec(&["rows"], "1", "0"), attempt] {
        let first = price(&spec);
        assert_eq!(price(&first.to_spec()), first);
    }
}

#[test]
fn paths_whose_cost_is_not_bounded_are_refused() {
    for text in
        ["$..a..b", "$..*..*", "$[0,0]", "$['a','b']", "$[?@.a == $.b]", "$[?@.a].b[?@.c]", "$[?(((((((((@.a)))))))))]"]
    {
        assert!(matches!(CostPath::parse(text), Err(CostPathError::TooCostly(_))), "{text}");
    }
    let long = format!("$.{}", "a".repeat(300));
    assert_eq!(CostPath::parse(&long), Err(CostPathError::TooLong));
}

#[test]
fn what_is_not_a_path_is_refused() {
    for text in
        ["", "cost", ".cost", "$cost", "$.", "$.a[", "$.a b", "$['a", "$.a[01]", "$[?lenght(@.a) > 1]", " $.a", "$.a "]
    {
        assert!(
            matches!(CostPath::parse(text), Err(CostPathError::Syntax(_))),
            "{text:?}: {:?}",
            CostPath::parse(text)
        );
    }
}

#[test]
fn punctuation_in_a_quoted_name_is_not_counted() {
    for text in ["$['a,b']", "$[\"?$..\"].x", "$['it\\'s, $']", "$..['..']"] {
        assert!(CostPath::parse(text).is_ok(), "{text}: {:?}", CostPath::parse(text));
    }
}

#[test]
fn the_price_in_force_is_the_latest_that_has_started() {
    let at = |number: u128, effective_from_us: i64| {
        Price::from_spec(version(number), effective_from_us, &fixed_spec(&number.to_string())).unwrap()
    };
    let book = PriceBook::new([at(3, 200), at(1, 100), at(2, 200)]);
    let in_force = |now_us: i64| book.in_force_at(now_us).map(|price| price.id);
    for (now_us, expected) in [
        (i64::MIN, None),
        (99, None),
        (100, Some(version(1))),
        (199, Some(version(1))),
        (200, Some(version(3))),
        (i64::MAX, Some(version(3))),
    ] {
        assert_eq!(in_force(now_us), expected, "{now_us}");
    }
    assert_eq!(book.scheduled_after(100).len(), 2);
    assert_eq!(book.scheduled_after(200).len(), 0);
    assert_eq!(book.versions().len(), 3);
    assert_eq!(PriceBook::default().in_force_at(0), None);
}
