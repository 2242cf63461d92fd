//! Schemas and arguments that are made to be slow: what they would cost is counted, and no more than the bound is ever done.

use super::*;

fn cost(text: &str) -> Cost {
    Cost::of(&json::parse(text).unwrap().to_value()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// How many steps these arguments take against this schema.
fn steps(schema: &str, arguments: &str) -> u64 {
    cost(schema).work(&json::parse(arguments).unwrap()).checking
}

fn refused(text: &str) -> SchemaError {
    ArgumentSchema::declare(text).err().unwrap_or_else(|| panic!("{text} is accepted"))
}

fn of_a(schema: &str) -> String {
    format!("{{\"type\":\"object\",\"properties\":{{\"a\":{schema}}}}}")
}

fn is_too_large(schema: &str, arguments: &str) -> bool {
    let faults = declared(schema).validate(&json::parse(arguments).unwrap()).err().unwrap_or_default();
    faults.iter().any(|fault| fault.message.contains("too large or too deep"))
}

#[test]
fn nothing_outside_of_a_schema_is_ever_asked_for() {
    for reference in [
        "https://example.com/a.json",
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
        "//example.com/a",
        "other.json#/a",
        "#anchor",
        "urn:uuid:5f6f1234-0000-4000-8000-000000000001",
        "",
        "#/%zz",
        "#/properties/b",
    ] {
        let error = refused(&of_a(&format!("{{\"$ref\":\"{reference}\"}}")));
        assert!(matches!(error, SchemaError::Reference { .. }), "{reference}: {error}");
    }
    for keyword in [r##""$dynamicRef":"#a""##, r##""$recursiveRef":"#""##, r#""$id":"https://example.com/a""#] {
        let error = refused(&of_a(&format!("{{{keyword}}}")));
        assert!(matches!(error, SchemaError::Reference { .. }), "{keyword}: {error}");
    }
}

#[test]
fn references_that_double_level_by_level_cost_what_one_way_down_does() {
    let members = |next: &str| format!("{{\"properties\":{{\"a\":{{\"$ref\":{next}}},\"b\":{{\"$ref\":{next}}}}}}}");
    let schema = doubling(25, members);
    declared(&schema);
    // 2^25 places, and never more than one of them for a value
    let deep = format!("{}1{}", "{\"a\":".repeat(25), "}".repeat(25));
    assert!(steps(&schema, &deep) < 10_000, "{}", steps(&schema, &deep));
}

#[test]
fn what_applies_at_once_is_bounded_however_it_is_written() {
    for keyword in ["allOf", "anyOf", "oneOf"] {
        let both = |next: &str| format!("{{\"{keyword}\":[{{\"$ref\":{next}}},{{\"$ref\":{next}}}]}}");
        assert!(matches!(refused(&doubling(20, both)), SchemaError::TooCostly { .. }), "{keyword}");
    }
    let conditional =
        |next: &str| format!("{{\"if\":{{\"$ref\":{next}}},\"then\":{{\"$ref\":{next}}},\"not\":{{\"$ref\":{next}}}}}");
    assert!(matches!(refused(&doubling(20, conditional)), SchemaError::TooCostly { .. }));
    let dependent =
        |next: &str| format!("{{\"dependentSchemas\":{{\"a\":{{\"$ref\":{next}}},\"b\":{{\"$ref\":{next}}}}}}}");
    assert!(matches!(refused(&doubling(20, dependent)), SchemaError::TooCostly { .. }));
}

#[test]
fn repetition_in_patterns_is_counted_before_anything_is_compiled() {
    for pattern in [
        "((a{100}){100}){100}",
        "a{1000}{1000}",
        "(((((a{9}){9}){9}){9}){9}){9}",
        r"\\p{L}{1000}",
        "[^a]{1000}{20}",
        "(a|b|c{50000}){3}",
    ] {
        for schema in [
            of_a(&format!("{{\"pattern\":\"{pattern}\"}}")),
            format!("{{\"patternProperties\":{{\"{pattern}\":{{}}}}}}"),
            format!("{{\"$defs\":{{\"a\":{{\"pattern\":\"{pattern}\"}}}}}}"),
        ] {
            let error = refused(&schema);
            assert!(matches!(error, SchemaError::TooManyPatterns { .. }), "{schema}: {error}");
        }
    }
    // what would go back and forth is not taken at all
    for pattern in ["(?=a)b", "(?<!a)b", r"(a)\\1"] {
        let error = refused(&of_a(&format!("{{\"pattern\":\"{pattern}\"}}")));
        assert!(matches!(error, SchemaError::Invalid { .. }), "{pattern}: {error}");
    }
}

#[test]
fn many_patterns_are_as_bad_as_large_ones() {
    let many = |count: usize, pattern: &str| {
        let members: Vec<_> = (0..count).map(|n| format!("\"p{n}\":{{\"pattern\":\"{pattern}\"}}")).collect();
        format!("{{\"properties\":{{{}}}}}", members.join(","))
    };
    declared(&many(limits::SCHEMA_PATTERNS_MAX, "^[a-z]+$"));
    let error = refused(&many(limits::SCHEMA_PATTERNS_MAX + 1, "^[a-z]+$"));
    let last = format!("/properties/p{}/pattern", limits::SCHEMA_PATTERNS_MAX);
    assert!(matches!(&error, SchemaError::TooManyPatterns { at } if *at != last), "in whatever order: {error}");
    declared(&many(30, r"^[\\w-]{1,64}$"));
    let error = refused(&many(150, "^[a-z]{1,64}$"));
    assert!(matches!(error, SchemaError::TooManyPatterns { .. }), "{error}");
}

#[test]
fn nested_repetition_takes_one_way_through_a_text() {
    for pattern in ["^(a+)+$", "^(a|aa)+$", "^(a*)*b$", "^(([a-z])+.)+[A-Z]([a-z])+$"] {
        let schema = of_a(&format!("{{\"pattern\":\"{pattern}\"}}"));
        let (short, long) = ("a".repeat(1_000), "a".repeat(100_000));
        let of = |text: &str| steps(&schema, &format!("{{\"a\":\"{text}!\"}}"));
        assert!(of(&long) < of(&short) * 110, "{pattern}: {} after {}", of(&long), of(&short));
        assert!(of(&long) < limits::ARGUMENT_CHECK_STEPS_MAX, "{pattern}");
        let arguments = format!("{{\"a\":\"{long}!\"}}");
        assert!(declared(&schema).validate(&json::parse(&arguments).unwrap()).is_err(), "{pattern}");
    }
}

#[test]
fn names_meet_all_patterns() {
    let patterns: Vec<_> = (0..100).map(|n| format!("\"^[ab]*{n}[ab]{{20}}$\":{{}}")).collect();
    let schema = format!("{{\"patternProperties\":{{{}}}}}", patterns.join(","));
    let name = |bytes: usize| format!("{{\"{}\":1}}", "a".repeat(bytes));
    assert!(!is_too_large(&schema, &name(100)));
    assert!(is_too_large(&schema, &name(200_000)), "{}", steps(&schema, &name(200_000)));
}

/// What an object has evaluated is found out by checking it once more, and all below with it.
const ASKING: &str =
    r##"{"anyOf":[{"properties":{"a":{"$ref":"#"}}},{"type":"string"}],"unevaluatedProperties":false}"##;

#[test]
fn asking_what_was_evaluated_is_counted_as_often_as_it_is_done() {
    let of = |levels: usize| steps(ASKING, &nested(levels));
    assert!(of(11) > of(10) * 3 / 2 && of(20) > of(10) * 100, "{} {} {}", of(10), of(11), of(20));
    assert!(is_too_large(ASKING, &nested(40)));
    assert!(!is_too_large(ASKING, &nested(4)));
    let elements = r##"{"properties":{"a":{"type":"array","contains":{"$ref":"#"},"unevaluatedItems":{"$ref":"#"}}}}"##;
    let deep = |levels: usize| format!("{}1{}", "{\"a\":[".repeat(levels), "]}".repeat(levels));
    assert!(is_too_large(elements, &deep(25)), "{}", steps(elements, &deep(25)));
    assert!(!is_too_large(elements, &deep(2)));
}

#[test]
fn asking_within_asking_is_refused_when_it_is_declared() {
    let mut schema = "{\"properties\":{\"a\":{}}}".to_owned();
    for _ in 0..20 {
        schema = format!("{{\"allOf\":[{schema}],\"unevaluatedProperties\":false}}");
    }
    assert!(matches!(refused(&schema), SchemaError::TooCostly { .. }));
    // many that ask the same large one
    let both = |next: &str| format!("{{\"allOf\":[{{\"$ref\":{next}}},{{\"$ref\":{next}}}]}}");
    let large = doubling(11, both);
    let defs = large.split_once("\"$defs\":{").unwrap().1.strip_suffix("}}").unwrap().to_owned();
    let asking: Vec<_> =
        (0..100).map(|n| format!("\"p{n}\":{{\"$ref\":\"#/$defs/d0\",\"unevaluatedProperties\":false}}")).collect();
    let schema = format!("{{\"properties\":{{{}}},\"$defs\":{{{defs}}}}}", asking.join(","));
    assert!(matches!(refused(&schema), SchemaError::TooCostly { .. }));
}

#[test]
fn what_people_compose_stays_usable() {
    let schema = r##"{"allOf":[{"$ref":"#/$defs/base"},{"properties":{"b":{"type":"integer"}}}],"unevaluatedProperties":false,
        "$defs":{"base":{"type":"object","properties":{"name":{"type":"string"},"children":{"type":"array","items":{"$ref":"#"}}}}}}"##;
    let deep = format!("{}{{}}{}", "{\"name\":\"x\",\"children\":[".repeat(20), "]}".repeat(20));
    assert_eq!(declared(schema).validate(&json::parse(&deep).unwrap()), Ok(()));
    let wrong = deep.replacen("{}", "{\"c\":1}", 1);
    assert!(declared(schema).validate(&json::parse(&wrong).unwrap()).is_err());
}

#[test]
fn elements_are_told_apart_within_bounds() {
    let schema = of_a(r#"{"type":"array","uniqueItems":true,"contains":{"const":1},"minContains":0}"#);
    let list = |count: u64, from: u64| {
        let numbers: Vec<_> = (from..from + count).map(|n| n.to_string()).collect();
        format!("{{\"a\":[{}]}}", numbers.join(","))
    };
    assert_eq!(declared(&schema).validate(&json::parse(&list(100_000, 0)).unwrap()), Ok(()));
    // numbers that a double does not tell apart have one digest: all are compared with all
    let wide = list(50_000, 1 << 63);
    assert!(is_too_large(&schema, &wide), "{}", steps(&schema, &wide));
    assert_eq!(declared(&schema).validate(&json::parse(&list(2_000, 1 << 63)).unwrap()), Ok(()));
}

#[test]
fn what_is_wrong_is_only_said_where_finding_it_is_bounded() {
    let schema =
        of_a(r#"{"type":"array","items":{"anyOf":[{"type":"string","minLength":3},{"const":1},{"const":2}]}}"#);
    let arguments = format!("{{\"a\":[{}true]}}", "1,".repeat(190_000));
    let arguments = json::parse(&arguments).unwrap();
    let work = cost(&schema).work(&arguments);
    assert!(work.is_bounded() && work.naming == work.checking * 3, "{work:?}");
    let faults = declared(&schema).validate(&arguments).unwrap_err();
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].path.is_empty(), !work.names_faults(), "{faults:?}");
}
