use std::time::{Duration, Instant};

use super::*;
use crate::json::{self, Segment};

#[test]
fn namespace_slugs_follow_the_published_rule() {
    let longest = "a".repeat(limits::SLUG_CHARS_MAX);
    for text in ["ab", "a1", "00", "acme-tools", "a--b", longest.as_str()] {
        assert_eq!(check_slug(text), Ok(()), "{text}");
    }
    let too_long = "a".repeat(limits::SLUG_CHARS_MAX + 1);
    for text in ["", "a", "-a", "a-", "--", "Acme", "a_b", "a.b", "a b", "é", "ab\n", "a/b", too_long.as_str()] {
        assert!(check_slug(text).is_err(), "{text:?}");
    }
}

#[test]
fn tool_names_are_safe_in_a_path() {
    let longest = "a".repeat(limits::TOOL_NAME_CHARS_MAX);
    for text in ["a", "note_add", "Note.Add-2", "_x", "0", "a..b", longest.as_str()] {
        assert_eq!(check_tool_name(text), Ok(()), "{text}");
    }
    let too_long = "a".repeat(limits::TOOL_NAME_CHARS_MAX + 1);
    for text in ["", ".", "..", ".a", "-a", "a/b", "a b", "a%2f", "é", "a\0", "a:b", too_long.as_str()] {
        assert!(check_tool_name(text).is_err(), "{text:?}");
    }
}

#[test]
fn a_refused_name_is_repeated_only_in_part() {
    let message = check_slug(&"x y".repeat(1_000)).unwrap_err().to_string();
    assert!(message.chars().count() < 250, "{message}");
}

#[test]
fn an_upstream_is_an_absolute_address_without_secrets() {
    for text in ["http://127.0.0.1:9/", "https://a.example/x?y=z", "HTTPS://A.example"] {
        assert!(http_url(text).is_ok(), "{text}");
    }
    for text in
        ["", "a.example/x", "/x", "ftp://a.example", "https://u:p@a.example", "https://a.example/#x", "https://"]
    {
        assert_eq!(http_url(text), Err(HttpUrlError), "{text}");
    }
}

#[test]
fn a_line_is_one_line() {
    let longest = "é".repeat(limits::LINE_CHARS_MAX);
    for text in ["a", "Acme Ltd.", longest.as_str()] {
        assert_eq!(check_line(text), Ok(()), "{text}");
    }
    let too_long = "é".repeat(limits::LINE_CHARS_MAX + 1);
    for text in ["", "  ", "a\nb", "a\tb", too_long.as_str()] {
        assert_eq!(check_line(text), Err(LineError), "{text:?}");
    }
}

#[test]
fn states_are_read_as_they_are_written() {
    for state in NamespaceState::ALL {
        assert_eq!(NamespaceState::from_wire(state.as_str()), Some(*state));
    }
    for state in ToolState::ALL {
        assert_eq!(ToolState::from_wire(&state.to_string()), Some(*state));
    }
    for tier in Tier::ALL {
        assert_eq!(Tier::from_wire(tier.as_str()), Some(*tier));
    }
    for visibility in Visibility::ALL {
        assert_eq!(Visibility::from_wire(visibility.as_str()), Some(*visibility));
    }
    for state in PublisherState::ALL {
        assert_eq!(PublisherState::from_wire(state.as_str()), Some(*state));
    }
    assert_eq!(PublisherState::from_wire("Active"), None);
}

fn faults(schema: &str, arguments: &str) -> Vec<ArgumentFault> {
    let schema = ArgumentSchema::compile(schema).unwrap();
    schema.validate(&json::parse(arguments).unwrap()).err().unwrap_or_default()
}

const NOTE: &str = r#"{
    "type": "object",
    "properties": {
        "text": { "type": "string", "maxLength": 5, "pattern": "^\\p{L}*$" },
        "tags": { "type": "array", "items": { "type": "string" } },
        "count": { "type": "integer", "minimum": 1 }
    },
    "required": ["text"],
    "additionalProperties": false
}"#;

#[test]
fn fitting_arguments_have_no_faults() {
    for arguments in [r#"{"text":"abc"}"#, r#"{"text":"","tags":["x"],"count":1}"#, r#"{"text":"é","count":3.0}"#] {
        assert_eq!(faults(NOTE, arguments), [], "{arguments}");
    }
    assert_eq!(faults("{}", "[1,null]"), []);
}

#[test]
fn each_fault_names_its_place() {
    for (arguments, place) in [
        ("{}", ""),
        ("[]", ""),
        (r#"{"text":1}"#, "/text"),
        (r#"{"text":"abcdef"}"#, "/text"),
        (r#"{"text":"a1"}"#, "/text"),
        (r#"{"text":"a","tags":["x",2]}"#, "/tags/1"),
        (r#"{"text":"a","count":0}"#, "/count"),
        (r#"{"text":"a","count":1.5}"#, "/count"),
        (r#"{"text":"a","more":1}"#, ""),
    ] {
        let found = faults(NOTE, arguments);
        assert_eq!(found.iter().map(ArgumentFault::pointer).collect::<Vec<_>>(), [place], "{arguments}: {found:?}");
    }
    let [first, second] = faults(NOTE, r#"{"text":1,"tags":["x",2]}"#).try_into().unwrap();
    assert_eq!(first.path, [Segment::Key("tags".into()), Segment::Index(1)]);
    assert_eq!(second.path, [Segment::Key("text".into())]);
    assert_eq!(second.message, r#"value is not of type "string""#);
}

#[test]
fn faults_do_not_repeat_what_was_sent_without_bound() {
    let secret = format!("secret-{}", "x".repeat(100_000));
    for arguments in [format!(r#"{{"text":"{secret}"}}"#), format!(r#"{{"text":"a","count":"{secret}"}}"#)] {
        let found = faults(NOTE, &arguments);
        assert!(!found.is_empty() && found.iter().all(|fault| !fault.message.contains("secret")), "{found:?}");
    }
    let unexpected = faults(NOTE, &format!(r#"{{"text":"a","{secret}":1}}"#));
    assert_eq!(unexpected[0].message.chars().count(), limits::FAULT_MESSAGE_CHARS_MAX);
    let in_long_key = faults(
        r#"{"additionalProperties":false,"patternProperties":{"^s":{"type":"null"}}}"#,
        &format!(r#"{{"{secret}":1}}"#),
    );
    assert_eq!(in_long_key[0].pointer().len(), 1 + limits::ECHO_CHARS_MAX);
}

#[test]
fn the_number_of_faults_is_bounded() {
    let schema = r#"{"properties":{"tags":{"items":{"type":"string"}}}}"#;
    let arguments = |count: usize| format!("{{\"tags\":[{}]}}", vec!["1"; count].join(","));
    assert_eq!(faults(schema, &arguments(3)).len(), 3);
    assert_eq!(faults(schema, &arguments(1_000)).len(), limits::ARGUMENT_FAULTS_MAX);
    assert_eq!(faults(schema, &arguments(100_000)).len(), 1);
}

#[test]
fn unusable_schemas_are_refused_with_their_reason() {
    let too_large = format!("{{\"description\":\"{}\"}}", "x".repeat(limits::INPUT_SCHEMA_BYTES_MAX));
    assert_eq!(ArgumentSchema::compile(&too_large).unwrap_err(), SchemaError::TooLarge);
    assert!(matches!(ArgumentSchema::compile("{"), Err(SchemaError::Json(_))));
    assert!(matches!(ArgumentSchema::compile(r#"{"type":"object","type":"object"}"#), Err(SchemaError::Json(_))));
    for text in ["true", "[]", "\"object\""] {
        assert_eq!(ArgumentSchema::compile(text).unwrap_err(), SchemaError::NotAnObject);
    }
    for text in [
        r#"{"$ref":"https://example.com/schema.json"}"#,
        r#"{"$ref":"http://127.0.0.1:1/schema.json"}"#,
        r#"{"properties":{"a":{"$ref":"file:///etc/passwd"}}}"#,
        r#"{"$schema":"https://example.com/own","type":"object"}"#,
        r##"{"$ref":"#/$defs/absent"}"##,
        r#"{"$id":"https://example.com/","$ref":"other.json"}"#,
    ] {
        let error = ArgumentSchema::compile(text).unwrap_err();
        assert!(matches!(error, SchemaError::Reference { .. }), "{text}: {error:?}");
    }
    for (text, place) in [
        (r#"{"type":"objekt"}"#, "/type"),
        (r#"{"properties":{"a":{"minimum":"1"}}}"#, "/properties/a/minimum"),
        (r#"{"required":"a"}"#, "/required"),
        (r#"{"properties":{"a":{"pattern":"("}}}"#, "/properties/a/pattern"),
    ] {
        let error = ArgumentSchema::compile(text).unwrap_err();
        assert!(matches!(&error, SchemaError::Invalid { at, .. } if at == place), "{text}: {error:?}");
    }
}

#[test]
fn patterns_that_backtrack_are_refused_and_others_run_in_linear_time() {
    for pattern in ["(?=a)b", "(?!a)b", "(a)\\\\1"] {
        let schema = format!(r#"{{"properties":{{"a":{{"pattern":"{pattern}"}}}}}}"#);
        assert!(matches!(ArgumentSchema::compile(&schema), Err(SchemaError::Invalid { .. })), "{pattern}");
    }
    let huge = r#"{"properties":{"a":{"pattern":"((((a{100}){100}){100}){100})"}}}"#;
    assert!(matches!(ArgumentSchema::compile(huge), Err(SchemaError::Invalid { .. })));

    let started = Instant::now();
    let arguments = format!("{{\"a\":\"{}!\"}}", "a".repeat(100_000));
    assert_eq!(faults(r#"{"properties":{"a":{"pattern":"^(a+)+$"}}}"#, &arguments).len(), 1);
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[test]
fn schemas_that_refer_to_themselves_end() {
    for schema in [
        r##"{"$ref":"#"}"##,
        r##"{"allOf":[{"$ref":"#"}]}"##,
        r##"{"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}},"$ref":"#/$defs/a"}"##,
    ] {
        assert_eq!(faults(schema, r#"{"a":1}"#), [], "{schema}");
    }
    let tree = r##"{"type":"object","properties":{"next":{"$ref":"#"}},"additionalProperties":false}"##;
    let nested = |inner: &str| format!("{}{inner}{}", "{\"next\":".repeat(60), "}".repeat(60));
    assert_eq!(faults(tree, &nested("{}")), []);
    assert_eq!(faults(tree, &nested("1")).len(), 1);
}

#[test]
fn an_older_draft_is_honoured_when_it_is_named() {
    // a list of schemas in `items` means "by position" up to 2019-09, and is an error in 2020-12
    let by_position = r#"{"$schema":"http://json-schema.org/draft-07/schema#","items":[{"type":"string"}]}"#;
    assert_eq!(faults(by_position, "[1]").len(), 1);
    assert!(ArgumentSchema::compile(r#"{"items":[{"type":"string"}]}"#).is_err());
    assert!(format!("{:?}", ArgumentSchema::compile("{}").unwrap()).contains("Draft202012"));
}
