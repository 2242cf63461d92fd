use std::time::{Duration, Instant};

use super::*;
use crate::{catalog::ArgumentSchema, json};

mod hostile;

fn declared(text: &str) -> ArgumentSchema {
    ArgumentSchema::declare(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Definitions that each name the next one twice.
fn doubling(levels: usize, step: impl Fn(&str) -> String) -> String {
    let next = |level: usize| format!("\"#/$defs/d{}\"", level + 1);
    let defs: Vec<_> = (0..levels).map(|level| format!("\"d{level}\":{}", step(&next(level)))).collect();
    format!("{{\"$ref\":\"#/$defs/d0\",\"$defs\":{{{},\"d{levels}\":{{\"type\":\"object\"}}}}}}", defs.join(","))
}

#[test]
fn references_that_double_what_applies_are_counted() {
    let both = |next: &str| format!("{{\"allOf\":[{{\"$ref\":{next}}},{{\"$ref\":{next}}}]}}");
    declared(&doubling(8, both));
    let error = ArgumentSchema::declare(&doubling(20, both)).unwrap_err();
    assert!(matches!(error, SchemaError::TooCostly { .. }), "{error}");
}

#[test]
fn what_applies_itself_to_the_same_value_is_refused() {
    for text in [
        r##"{"$ref":"#"}"##,
        r##"{"anyOf":[{"type":"object"},{"not":{"$ref":"#/anyOf/1"}}]}"##,
        r##"{"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}}"##,
    ] {
        let error = ArgumentSchema::declare(text).unwrap_err();
        assert!(matches!(error, SchemaError::Endless { .. }), "{text}: {error}");
    }
}

#[test]
fn there_are_bounds_on_numbers_and_patterns() {
    let many = |count: usize| {
        let properties: Vec<_> = (0..count).map(|n| format!("\"p{n}\":{{}}")).collect();
        format!("{{\"properties\":{{{}}}}}", properties.join(","))
    };
    declared(&many(limits::SCHEMA_SUBSCHEMAS_MAX - 1));
    let error = ArgumentSchema::declare(&many(limits::SCHEMA_SUBSCHEMAS_MAX)).unwrap_err();
    assert_eq!(error, SchemaError::TooManySubschemas);
    let pattern = |bytes: usize| format!("{{\"properties\":{{\"a\":{{\"pattern\":\"{}\"}}}}}}", "a".repeat(bytes));
    declared(&pattern(limits::SCHEMA_PATTERN_CHARS_MAX));
    let error = ArgumentSchema::declare(&pattern(limits::SCHEMA_PATTERN_CHARS_MAX + 1)).unwrap_err();
    assert!(matches!(&error, SchemaError::Invalid { at, .. } if at == "/properties/a/pattern"), "{error}");
}

/// Every way down applies twice as much as the level above.
const GROWING: &str =
    r##"{"type":"object","allOf":[{"properties":{"a":{"$ref":"#"}}},{"patternProperties":{"^a":{"$ref":"#"}}}]}"##;

fn nested(levels: usize) -> String {
    format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels))
}

#[test]
fn deep_arguments_of_a_schema_that_grows_are_refused_at_once() {
    let schema = declared(GROWING);
    let started = Instant::now();
    let faults = schema.validate(&json::parse(&nested(60)).unwrap()).unwrap_err();
    assert!(faults.iter().all(|fault| fault.message.contains("too deep")), "{faults:?}");
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    // few levels are checked
    let faults = schema.validate(&json::parse(&nested(3)).unwrap()).unwrap_err();
    assert!(faults.iter().all(|fault| fault.pointer() == "/a/a/a"), "{faults:?}");
}

#[test]
fn a_tree_does_not_grow() {
    let tree = r##"{"type":"object","properties":{"left":{"$ref":"#"},"right":{"$ref":"#"}}}"##;
    let schema = declared(tree);
    let deep = format!("{}{{}}{}", "{\"left\":".repeat(60), "}".repeat(60));
    assert_eq!(schema.validate(&json::parse(&deep).unwrap()), Ok(()));
}

#[test]
fn long_texts_meet_small_patterns_only() {
    let text = format!("{{\"a\":\"{}\"}}", "a".repeat(1_000_000));
    let arguments = json::parse(&text).unwrap();
    let schema = |pattern: &str| declared(&format!("{{\"properties\":{{\"a\":{{\"pattern\":\"{pattern}\"}}}}}}"));
    assert_eq!(schema("^a+$").validate(&arguments), Ok(()));
    let faults = schema("^[ab]*a[ab]{2000}").validate(&arguments).unwrap_err();
    assert!(faults.iter().all(|fault| fault.message.contains("too large")), "{faults:?}");
}

#[test]
fn real_data_is_checked_whole() {
    let schema = declared(r#"{"type":"object","properties":{"vector":{"type":"array","items":{"type":"number"}}}}"#);
    let text = format!("{{\"vector\":[{}]}}", vec!["0.123"; 190_000].join(","));
    assert_eq!(schema.validate(&json::parse(&text).unwrap()), Ok(()));
}

#[test]
fn states_are_estimated() {
    for (pattern, least, most) in [
        ("abc", 3, 5),
        ("^[a-z]{8}$", 30, 40),
        ("(ab){100}", 200, 220),
        ("((a{70}){70})", 4_900, 5_100),
        (r"^\p{L}*$", 40, 50),
        (r"a\{3\}", 4, 10),
        ("(((", 1, 10),
        ("{5}", 1, 10),
    ] {
        let states = pattern::states(pattern);
        assert!((least..=most).contains(&states), "{pattern}: {states}");
    }
}

#[test]
fn a_schema_of_before_is_still_read() {
    assert!(ArgumentSchema::compile(r##"{"$ref":"#"}"##).is_ok());
}
