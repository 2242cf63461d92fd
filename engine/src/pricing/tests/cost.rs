use proptest::prelude::*;

use super::*;
use crate::{credits::CreditsError, json};

fn quote(spec: &PricingSpec, arguments: &str) -> Result<Credits, QuoteRefusal> {
    let Ok(arguments) = json::parse(arguments) else { panic!("not JSON: {arguments}") };
    worst_case(&price(spec), &arguments)
}

fn cost(spec: &PricingSpec, hold: &str, result: &str) -> (String, String, Option<&'static str>) {
    let actual = actual_cost(&price(spec), cr(hold), &json::parse(result).unwrap(), &json::Json::Null);
    (actual.charge.to_string(), actual.shortfall.to_string(), actual.warning.map(CostWarning::as_str))
}

#[test]
fn the_path_is_asked_about_the_result_first_and_then_about_what_stands_beside_it() {
    let cases = [
        ("$.c", r#"{"c":2}"#, r#"{"c":9}"#, "2", None),
        ("$.c", r#"{"d":2}"#, r#"{"c":0.123456}"#, "0.123456", None),
        ("$.c", "null", r#"{"c":"3.5"}"#, "3.5", None),
        ("$._meta.c", r#"{"d":2}"#, r#"{"c":4}"#, "4", None),
        ("$.usage.c", "[]", r#"{"usage":{"c":1e1}}"#, "10", None),
        ("$..c", r#"{"d":2}"#, r#"{"a":{"c":5}}"#, "5", None),
        // what is in the result counts, even if it is no cost
        ("$.c", r#"{"c":-1}"#, r#"{"c":4}"#, "0", Some("cost_negative")),
        ("$.c", r#"{"c":"x"}"#, r#"{"c":4}"#, "0", Some("cost_not_a_number")),
        ("$.c", r#"{"d":2}"#, r#"{"d":4}"#, "0", Some("cost_missing")),
        ("$.c", r#"{"d":2}"#, "null", "0", Some("cost_missing")),
        ("$.c", "null", r#"{"c":13}"#, "12.5", Some("cost_above_hold")),
    ];
    for (path, result, meta, charge, warning) in cases {
        let (result, meta) = (json::parse(result).unwrap(), json::parse(meta).unwrap());
        let actual = actual_cost(&price(&returned_spec(path, "1", "0", "12.5")), cr("12.5"), &result, &meta);
        let told = (actual.charge.to_string(), actual.warning.map(CostWarning::as_str));
        assert_eq!(told, (charge.to_owned(), warning), "{path} in {result:?} and {meta:?}");
    }
}

#[test]
fn the_worst_case_of_a_fixed_or_declared_price_is_that_price() {
    assert_eq!(quote(&fixed_spec("50"), "{}"), Ok(cr("50")));
    assert_eq!(quote(&returned_spec("$.c", "1", "3", "12.5"), "{}"), Ok(cr("12.5")));
}

#[test]
fn units_multiply_and_add_to_the_base() {
    let capped = PricingSpec { estimated_max_credit_cost: some("20"), ..units_spec(&["rows", "columns"], "0.5", "2") };
    for (spec, arguments, expected) in [
        (units_spec(&["rows"], "0.5", "0"), r#"{"rows":3}"#, "1.5"),
        (units_spec(&["rows"], "0.5", "2"), r#"{"rows":0}"#, "2"),
        (units_spec(&["rows", "columns"], "0.5", "2"), r#"{"rows":3,"columns":4,"x":"y"}"#, "8"),
        (units_spec(&["s"], "0.000001", "0"), r#"{"s":0.000001}"#, "0.000001"), // rounded up
        (units_spec(&["s"], "0.333333", "0"), r#"{"s":0.5}"#, "0.166667"),
        (units_spec(&["s"], "1", "0"), r#"{"s":-0}"#, "0"),
        (units_spec(&["rows"], "1", "0"), r#"{"rows":9000000000000}"#, "9000000000000"),
        (capped.clone(), r#"{"rows":3,"columns":4}"#, "8"),
        (capped.clone(), r#"{"rows":300,"columns":4}"#, "20"),
        (capped.clone(), r#"{"rows":9000000000000,"columns":9000000000000}"#, "20"),
    ] {
        assert_eq!(quote(&spec, arguments), Ok(cr(expected)), "{arguments}");
    }
}

#[test]
fn an_unusable_unit_is_refused_naming_the_argument() {
    let spec = units_spec(&["rows", "columns"], "0.5", "0");
    let capped = PricingSpec { estimated_max_credit_cost: some("20"), ..spec.clone() };
    for (arguments, fault) in [
        (r#"{"rows":1}"#, UnitFault::Missing),
        (r#"{"rows":1,"columns":null}"#, UnitFault::NotANumber),
        (r#"{"rows":1,"columns":"3"}"#, UnitFault::NotANumber),
        (r#"{"rows":1,"columns":[3]}"#, UnitFault::NotANumber),
        (r#"{"rows":1,"columns":-1}"#, UnitFault::Number(CreditsError::Negative)),
        (r#"{"rows":1,"columns":1e2}"#, UnitFault::Number(CreditsError::Exponent)),
        (r#"{"rows":1,"columns":0.0000001}"#, UnitFault::Number(CreditsError::TooPrecise)),
        (r#"{"rows":1,"columns":99999999999999}"#, UnitFault::Number(CreditsError::OutOfRange)),
    ] {
        let expected = Err(QuoteRefusal::Unit { argument: "columns".to_owned(), fault });
        assert_eq!(quote(&spec, arguments), expected, "{arguments}");
        assert_eq!(quote(&capped, arguments), expected, "{arguments}");
    }
    let message = quote(&spec, r#"{"rows":-1,"columns":1}"#).unwrap_err().to_string();
    assert_eq!(message, "argument `rows` must not be negative: the tool is priced by it");
    for arguments in ["[]", "null", "3"] {
        let expected = QuoteRefusal::Unit { argument: "rows".to_owned(), fault: UnitFault::Missing };
        assert_eq!(quote(&spec, arguments), Err(expected));
    }
}

#[test]
fn units_beyond_all_amounts_are_refused() {
    let spec = units_spec(&["a", "b"], "1000", "0");
    assert_eq!(quote(&spec, r#"{"a":9000000000,"b":9000000000}"#), Err(QuoteRefusal::OutOfRange));
    let fields = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let arguments = format!("{{{}}}", fields.map(|field| format!("\"{field}\":1234567.891234")).join(","));
    assert_eq!(quote(&units_spec(&fields, "1", "0"), &arguments), Err(QuoteRefusal::OutOfRange));
    assert_eq!(quote(&units_spec(&fields, "1", "4"), &arguments.replace("1234567.891234", "0")), Ok(cr("4")));
}

#[test]
fn the_cost_is_base_plus_multiplier_times_value_rounded_up() {
    for (multiplier, base, result, expected) in [
        ("1", "0", r#"{"cost":7}"#, "7"),
        ("1", "0", r#"{"cost":"7.5"}"#, "7.5"),
        ("0.5", "1", r#"{"cost":3}"#, "2.5"),
        ("2", "1", r#"{"cost":0}"#, "1"),
        ("0", "1", r#"{"cost":5}"#, "1"),
        ("1", "0", r#"{"cost":-0.0}"#, "0"),
        ("1", "0", r#"{"cost":1.5e1}"#, "15"),
        ("1", "0", r#"{"cost":0.0000001}"#, "0.000001"),
        ("0.333333", "0", r#"{"cost":0.5}"#, "0.166667"),
        ("1", "0", r#"{"cost":0.1}"#, "0.1"),
        // a price in dollars: rounded once, after the multiplication
        ("1000", "0", r#"{"cost":0.0000123456789}"#, "0.012346"),
        ("1000", "0", r#"{"cost":1.23e-5}"#, "0.0123"),
        ("1000000000", "0", r#"{"cost":0.000000000000000000001}"#, "0.000001"),
    ] {
        let spec = returned_spec("$.cost", multiplier, base, "1000");
        assert_eq!(cost(&spec, "1000", result), (expected.to_owned(), "0".to_owned(), None), "{multiplier} {result}");
    }
}

#[test]
fn digits_that_no_double_can_hold_are_charged_exactly() {
    let spec = returned_spec("$.cost", "1", "0", "9007199254.740993");
    let (charge, ..) = cost(&spec, "9007199254.740993", r#"{"cost":9007199254.740993}"#);
    assert_eq!(charge, "9007199254.740993");
    let filtered = returned_spec("$.items[?@.kind == 'total'].cost", "1", "0", "9007199254.740993");
    let result = r#"{"items":[{"kind":"part","cost":1},{"kind":"total","cost":9007199254.740993}]}"#;
    assert_eq!(cost(&filtered, "9007199254.740993", result).0, "9007199254.740993");
}

#[test]
fn a_cost_above_the_hold_charges_the_hold_and_records_the_shortfall() {
    let above = Some("cost_above_hold");
    let max_less_10 = Credits::MAX.checked_sub(cr("10")).unwrap().to_string();
    for (result, shortfall) in [
        (r#"{"cost":10.000001}"#, "0.000001".to_owned()),
        (r#"{"cost":10.0000001}"#, "0.000001".to_owned()),
        (r#"{"cost":25}"#, "15".to_owned()),
        (r#"{"cost":1e29}"#, max_less_10.clone()),
        (r#"{"cost":99999999999999999999999999999999999999999999}"#, max_less_10),
    ] {
        let spec = returned_spec("$.cost", "1", "0", "10");
        assert_eq!(cost(&spec, "10", result), ("10".to_owned(), shortfall, above), "{result}");
    }
    assert_eq!(cost(&fixed_spec("5"), "3", "null"), ("3".to_owned(), "2".to_owned(), above));
}

#[test]
fn an_unusable_value_charges_the_base_with_a_warning() {
    for (path, result, warning) in [
        ("$.cost", "{}", "cost_missing"),
        ("$.cost", "null", "cost_missing"),
        ("$.cost", "[]", "cost_missing"),
        ("$.a[3]", r#"{"a":[1]}"#, "cost_missing"),
        ("$[?@.x].cost", r#"[{"cost":1}]"#, "cost_missing"),
        ("$.cost", r#"{"cost":null}"#, "cost_not_a_number"),
        ("$.cost", r#"{"cost":true}"#, "cost_not_a_number"),
        ("$.cost", r#"{"cost":{"a":1}}"#, "cost_not_a_number"),
        ("$.cost", r#"{"cost":[1]}"#, "cost_not_a_number"),
        ("$.cost", r#"{"cost":"free"}"#, "cost_not_a_number"),
        ("$.cost", r#"{"cost":"NaN"}"#, "cost_not_a_number"),
        ("$.cost", r#"{"cost":1e31}"#, "cost_not_a_number"),
        ("$.cost", r#"{"cost":-1}"#, "cost_negative"),
        ("$.cost", r#"{"cost":"-0.5"}"#, "cost_negative"),
        ("$.cost", r#"{"cost":-1e30}"#, "cost_negative"),
        ("$..cost", r#"{"cost":1,"a":{"cost":1}}"#, "cost_ambiguous"),
        ("$.*", "[1,2,3]", "cost_ambiguous"),
    ] {
        let spec = returned_spec(path, "1", "2.5", "10");
        let expected = ("2.5".to_owned(), "0".to_owned(), Some(warning));
        assert_eq!(cost(&spec, "10", result), expected, "{path} in {result}");
    }
}

#[test]
fn every_kind_of_path_finds_the_value() {
    let result =
        r#"{"cost":1.50,"usage":{"credits":"2.25","it's":[0,{"n":3.125}]},"list":[{"k":"a","v":4},{"k":"b","v":5}]}"#;
    for (path, expected) in [
        ("$.cost", "1.5"),
        ("$['cost']", "1.5"),
        ("$.usage.credits", "2.25"),
        ("$.usage['it\\'s'][1].n", "3.125"),
        ("$.usage[\"it's\"][-1].n", "3.125"),
        ("$..n", "3.125"),
        ("$.list[?@.k=='b'].v", "5"),
        ("$.list[0:1].v", "4"),
        ("$[?length(@) == 2][1].v", "5"),
        ("$.list[0].v", "4"),
    ] {
        let spec = returned_spec(path, "1", "0", "10");
        assert_eq!(cost(&spec, "10", result), (expected.to_owned(), "0".to_owned(), None), "{path}");
    }
}

#[test]
fn a_failed_attempt_costs_the_fixed_price_or_the_base() {
    assert_eq!(cost_of_failed_attempt(&price(&fixed_spec("50"))), cr("50"));
    assert_eq!(cost_of_failed_attempt(&price(&returned_spec("$.c", "1", "2", "10"))), cr("2"));
}

#[test]
fn a_large_result_is_searched_in_bounded_time() {
    let depth = crate::limits::JSON_DEPTH_MAX - 1;
    let item = format!("{}0{}", "[".repeat(depth - 1), "]".repeat(depth - 1));
    let result = format!("[{},{{\"cost\":7}}]", vec![item; 2_500].join(","));
    let spec = returned_spec("$..[?@.cost].cost", "1", "0", "10");
    assert_eq!(cost(&spec, "10", &result).0, "7");
}

proptest! {
    #[test]
    fn the_charge_is_between_nothing_and_the_hold(
        value in -1_000_000_i64..1_000_000_000_000, scale in 0_u32..20, multiplier in 0_i64..5_000_000,
        base in 0_i64..1_000_000, room in 0_i64..100_000_000,
    ) {
        let max = Credits::from_micros(base + room);
        let multiplier_text = crate::credits::Decimal::from_millionths(multiplier).to_string();
        let spec = returned_spec("$.cost", &multiplier_text, &Credits::from_micros(base).to_string(), &max.to_string());
        let text = format!("{{\"cost\":{value}e-{scale}}}");
        let result = json::parse(&text).unwrap();
        let actual = actual_cost(&price(&spec), max, &result, &json::Json::Null);
        prop_assert!(actual.charge >= Credits::from_micros(base) && actual.charge <= max);
        prop_assert_eq!(actual.shortfall.is_zero(), actual.warning != Some(CostWarning::AboveHold));
        if value >= 0 && scale <= 18 {
            // charge + shortfall = base + ceil(value * multiplier / 10^scale), in micro-credits
            let product = i128::from(value) * i128::from(multiplier);
            let unit = 10_i128.pow(scale);
            let exact = i128::from(base) + product.div_euclid(unit) + i128::from(product.rem_euclid(unit) != 0);
            prop_assert_eq!(i128::from(actual.charge.micros()) + i128::from(actual.shortfall.micros()), exact);
        }
    }

    #[test]
    fn plain_paths_find_what_the_query_finds(keys in prop::collection::vec("[a-c]", 1..4), wrap in prop::collection::vec(any::<bool>(), 3)) {
        // the same path in quotes is answered by the JSONPath library
        let plain = keys.iter().fold(String::from("$"), |path, key| format!("{path}.{key}"));
        let quoted = keys.iter().fold(String::from("$"), |path, key| format!("{path}['{key}']"));
        let result = wrap.iter().enumerate().fold(String::from("4.50"), |inner, (level, is_short)| {
            let key = ["a", "b", "c"][level];
            if *is_short { format!("{{\"{key}\":{inner}}}") } else { format!("{{\"{key}\":{inner},\"z\":1}}") }
        });
        let costs = [&plain, &quoted].map(|path| cost(&returned_spec(path, "1", "0", "10"), "10", &result));
        prop_assert_eq!(&costs[0], &costs[1]);
    }
}

#[test]
fn a_charge_is_traced_back_to_the_value_that_made_it() {
    for (multiplier, base, charge, expected) in [
        ("1.5", "2", "6.5", Some("3")),
        ("1", "0", "0.5", Some("0.5")),
        ("1", "0", "0", Some("0")),
        ("3", "0", "1", Some("0.333333")),
        // Any value makes this charge.
        ("0", "2", "2", None),
        // None does.
        ("1", "2", "1", None),
    ] {
        let price = price(&returned_spec("$.c", multiplier, base, "12.5"));
        let PricingMode::ToolReturned(returned) = &price.mode else { panic!("{price:?}") };
        assert_eq!(returned.implied_value(cr(charge)), expected.map(cr), "{charge} = {base} + {multiplier} × …");
    }
}

#[test]
fn what_the_price_looked_at_is_recorded_as_it_was() {
    for (result, recorded) in [
        (r#"{"c":2.50}"#, Some("number 2.50")),
        (r#"{"c":"3.5"}"#, Some("string 3.5")),
        // Above the hold, and what cannot be used.
        (r#"{"c":13e0}"#, Some("number 13e0")),
        (r#"{"c":-1}"#, Some("number -1")),
        // Of what is no number, nothing but its type.
        (r#"{"c":"ann@example.com"}"#, Some("string")),
        (r#"{"c":"2026-11-23"}"#, Some("string")),
        (r#"{"c":""}"#, Some("string")),
        (r#"{"c":[1]}"#, Some("array")),
        (r#"{"c":{"d":1}}"#, Some("object")),
        (r#"{"c":true}"#, Some("boolean")),
        (r#"{"c":null}"#, Some("null")),
        (r#"{"d":1}"#, None),
    ] {
        let spec = returned_spec("$.c", "1", "0", "12.5");
        let actual = actual_cost(&price(&spec), cr("12.5"), &json::parse(result).unwrap(), &json::Json::Null);
        let text = actual.returned.as_ref().map(ReturnedValue::to_text);
        assert_eq!(text.as_deref(), recorded, "{result}");
        assert_eq!(text.as_deref().and_then(ReturnedValue::from_text), actual.returned, "{result}");
    }
    for (length, is_kept) in [(100, true), (101, false)] {
        let number = format!("0.{}", "1".repeat(length - 2));
        let result = format!(r#"{{"c":{number}}}"#);
        let spec = returned_spec("$.c", "1", "0", "12.5");
        let actual = actual_cost(&price(&spec), cr("12.5"), &json::parse(&result).unwrap(), &json::Json::Null);
        assert_eq!(actual.returned.unwrap().number, is_kept.then_some(number), "{length}");
    }
    let several = returned_spec("$[*]", "1", "0", "12.5");
    let several = actual_cost(&price(&several), cr("12.5"), &json::parse("[1,2]").unwrap(), &json::Json::Null);
    assert_eq!((several.returned, several.warning), (None, Some(CostWarning::Several { count: 2 })));
    let fixed = actual_cost(&price(&fixed_spec("5")), cr("5"), &json::parse("{}").unwrap(), &json::Json::Null);
    assert_eq!(fixed.returned, None);
    assert_eq!(ReturnedValue::from_text("a word"), None);
}

#[test]
fn units_are_recorded_as_they_counted() {
    let units = |spec: &PricingSpec, arguments: &str| {
        units_text(&crate::pricing::quote(&price(spec), &json::parse(arguments).unwrap()).unwrap().units)
    };
    let by_two = units_spec(&["rows", "columns"], "0.5", "2");
    let text = units(&by_two, r#"{"columns":0.250,"rows":3,"x":"a secret"}"#);
    assert_eq!(text.as_deref(), Some("3 0.25"));
    assert_eq!(read_units("3 0.25").map(|units| units.len()), Some(2));
    assert_eq!((read_units(""), read_units("3 rows")), (None, None));
    for spec in [fixed_spec("5"), returned_spec("$.c", "1", "0", "12.5")] {
        assert_eq!(units(&spec, r#"{"rows":3}"#), None);
    }
}
