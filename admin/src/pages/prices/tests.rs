use engine::id::PriceVersionId;

use super::*;

const HOUR_US: i64 = 3_600_000_000;

fn version(hour: i64, spec: &str, cancelled_us: Option<i64>) -> PriceVersion {
    PriceVersion {
        id: PriceVersionId::from(uuid::Uuid::from_u128(u128::try_from(hour).unwrap())),
        tool: ToolId::from(uuid::Uuid::nil()),
        path: "acme/tool".to_owned(),
        effective_from_us: hour * HOUR_US,
        spec: spec.to_owned(),
        created_us: 0,
        cancelled_us,
        is_replay: false,
    }
}

fn fixed(credits: &str) -> String {
    format!(r#"{{"pricing_mode":"fixed_per_request","fixed_credit_cost":"{credits}"}}"#)
}

const BY_UNITS: &str = r#"{"pricing_mode":"tool_returned","returned_credit_cost_path":"$.cost",
    "pricing_unit_fields":["n","m"],"pricing_credits_per_unit":"0.5","base_credit_cost":"1"}"#;

#[test]
fn a_chart_has_the_steps_that_take_effect_in_their_order() {
    // The last to take effect comes first; what was taken back, and what has no bound, is no step.
    let versions = [
        version(20, &fixed("7"), None),
        version(15, &fixed("99"), Some(1)),
        version(12, BY_UNITS, None),
        version(10, &fixed("5"), None),
        version(0, &fixed("2.5"), None),
    ];
    let steps = chart(&versions, 15 * HOUR_US).unwrap().unwrap();
    let places: Vec<(i64, i64)> = steps.points.iter().map(|(_, at, value)| (*at, *value)).collect();
    assert_eq!(places, [(0, 2_500_000), (454, 5_000_000), (909, 7_000_000)]);
    assert_eq!(steps.now, 681);
    assert_eq!(steps.written.len(), 3);
    assert!(chart(&versions[4..], HOUR_US).unwrap().is_none(), "one price is no chart");
    assert!(chart(&[version(1, "{}", None), version(0, "[", None)], 0).is_err(), "what is no price is said");
}

#[test]
fn a_price_is_told_in_words() {
    for (spec, told) in [
        (fixed("5"), "5 credits a call, charged when it succeeds"),
        (fixed("0"), "free"),
        (
            BY_UNITS.to_owned(),
            "1 + 1 × what the tool returns at $.cost, 0.5 held for each unit of n × m, charged when it succeeds",
        ),
    ] {
        assert_eq!(price_text(&spec_from_json(&spec).unwrap()), told);
    }
}

#[test]
fn a_form_says_what_a_price_is() {
    let fields =
        Fields::parse("pricing_mode=tool_returned&pricing_unit_fields=n%2C+m&base_credit_cost=+1+&fixed_credit_cost=")
            .unwrap();
    let spec = spec_of(&fields);
    assert_eq!(spec.pricing_unit_fields, Some(vec!["n".to_owned(), "m".to_owned()]));
    assert_eq!((spec.base_credit_cost.as_deref(), spec.fixed_credit_cost), (Some("1"), None));
}
