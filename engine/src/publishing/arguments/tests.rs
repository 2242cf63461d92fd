use super::*;

const SCHEMA: &str = r#"{"type":"object","properties":{"q":{"type":"string"},"region":{"type":"string"},"limit":{"type":"integer"}},"required":["q","region","limit"]}"#;

#[test]
fn static_arguments_leave_the_public_schema_and_defaults_are_named_in_it() {
    let set = SetArguments::read(r#"{"region":"eu"}"#, r#"{"limit":10}"#).unwrap();
    let public: Value = serde_json::from_str(&set.public_schema(SCHEMA).unwrap()).unwrap();
    assert_eq!(
        public,
        serde_json::json!({
            "type": "object",
            "properties": {"q": {"type": "string"}, "limit": {"type": "integer", "default": 10}},
            "required": ["q"],
        })
    );
}

#[test]
fn a_schema_without_set_arguments_stays_as_it_is() {
    let spaced = SCHEMA.replace(':', " : ");
    assert_eq!(SetArguments::default().public_schema(&spaced).unwrap(), spaced);
}

#[test]
fn a_list_of_what_is_required_that_becomes_empty_is_gone() {
    let set = SetArguments::read(r#"{"q":"x"}"#, "").unwrap();
    assert_eq!(
        set.public_schema(r#"{"properties":{"q":{"type":"string"}},"required":["q"]}"#).unwrap(),
        r#"{"properties":{}}"#
    );
}

#[test]
fn a_default_of_what_no_property_declares_is_declared() {
    let set = SetArguments::read("", r#"{"lang":"en"}"#).unwrap();
    assert_eq!(set.public_schema("{}").unwrap(), r#"{"properties":{"lang":{"default":"en"}}}"#);
}

#[test]
fn merging_keeps_every_digit() {
    let set = SetArguments::read(r#"{"region":"eu","price":0.10}"#, r#"{"limit":1e2}"#).unwrap();
    for (given, merged) in [
        ("{}", r#"{"limit":1e2,"region":"eu","price":0.10}"#),
        (r#"{"region":"us","n": 1.50}"#, r#"{"n":1.50,"limit":1e2,"region":"eu","price":0.10}"#),
        (r#"{"limit":null}"#, r#"{"limit":null,"region":"eu","price":0.10}"#),
        (r#"{"reg\u0069on":"us"}"#, r#"{"limit":1e2,"region":"eu","price":0.10}"#),
    ] {
        assert_eq!(set.merge(given).unwrap(), merged, "{given}");
    }
    assert!(set.merge("[]").is_err());
}

#[test]
fn what_cannot_be_set_is_refused_and_named() {
    let many =
        format!("{{{}}}", (0..=limits::SET_ARGUMENTS_MAX).map(|n| format!("\"a{n}\":1")).collect::<Vec<_>>().join(","));
    let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(limits::SET_ARGUMENTS_BYTES_MAX));
    for (fixed, defaults, field) in [
        ("[]", "", "static_args"),
        ("{", "", "static_args"),
        (r#"{"a":1,"a":2}"#, "", "static_args"),
        ("", "1", "default_args"),
        (many.as_str(), "", "static_args"),
        ("", large.as_str(), "default_args"),
        (r#"{"a":1}"#, r#"{"a":2}"#, "default_args"),
    ] {
        assert_eq!(SetArguments::read(fixed, defaults).unwrap_err().field, field, "{fixed} {defaults}");
    }
}

#[test]
fn what_was_read_is_written_again() {
    let set = SetArguments::read(r#"{ "a" : [1, 2] }"#, "").unwrap();
    assert_eq!((set.static_text().as_str(), set.default_text().as_str()), (r#"{"a":[1, 2]}"#, "{}"));
    assert_eq!(SetArguments::read(&set.static_text(), &set.default_text()).unwrap(), set);
}

#[test]
fn what_is_set_otherwise_is_named_with_its_field() {
    let read = |fixed: &str, defaults: &str| SetArguments::read(fixed, defaults).unwrap();
    let old = read(r#"{"a": 1, "b": "x"}"#, r#"{"c": [1]}"#);
    assert_eq!(old.differences(&old), []);
    for (newer, expected) in [
        (read(r#"{"b": "x", "a": 1}"#, r#"{"c": [1]}"#), vec![]),
        (read(r#"{"a": 2, "b": "x"}"#, r#"{"c": [1]}"#), vec![("static_args", "a"), ("static_args", "a")]),
        (read(r#"{"a": 1, "b": "x", "d": 0}"#, r#"{"c": [1]}"#), vec![("static_args", "d")]),
        (read(r#"{"a": 1, "b": "x"}"#, ""), vec![("default_args", "c")]),
        (read(r#"{"a": 1, "c": [1]}"#, r#"{"b": "x"}"#), {
            vec![("static_args", "b"), ("static_args", "c"), ("default_args", "c"), ("default_args", "b")]
        }),
    ] {
        assert_eq!(old.differences(&newer), expected, "{newer:?}");
    }
    let members: Vec<_> = old.members().collect();
    assert_eq!(members, [("a", "1"), ("b", r#""x""#), ("c", "[1]")]);
}

#[test]
fn definitions_that_only_what_is_hidden_used_are_gone() {
    let set = SetArguments::read(r#"{"mode":"a"}"#, "").unwrap();
    let mode = r##""mode":{"$ref":"#/$defs/Mode"}"##;
    for (own, definitions, left) in [
        (r#""q":{}"#, r#""$defs":{"Mode":{"enum":["a"]}}"#, ""),
        (r#""q":{}"#, r##""$defs":{"Mode":{"$ref":"#/$defs/Part"},"Part":{"enum":["a"]}}"##, ""),
        (
            r##""q":{"$ref":"#/$defs/Mode"}"##,
            r#""$defs":{"Mode":{"enum":["a"]}}"#,
            r#","$defs":{"Mode":{"enum":["a"]}}"#,
        ),
        (
            r##""q":{"items":[{"$ref":"#/definitions/Part/items"}]}"##,
            r#""definitions":{"Part":{"items":{}},"Other":{}}"#,
            r#","definitions":{"Part":{"items":{}}}"#,
        ),
        // Where it is not plain what leads where nothing goes.
        (r##""q":{"$ref":"#part"}"##, r#""$defs":{"P":{"$anchor":"part"}}"#, r#","$defs":{"P":{"$anchor":"part"}}"#),
        (r##""q":{"$ref":"#/$defs/a~1b"}"##, r#""$defs":{"a/b":{},"c":{}}"#, r#","$defs":{"a/b":{},"c":{}}"#),
        (r##""q":{"$ref":"#"}"##, r#""$defs":{"c":{}}"#, ""),
    ] {
        let schema = format!(r#"{{"properties":{{{own},{mode}}},{definitions}}}"#);
        let public = set.public_schema(&schema).unwrap();
        assert_eq!(public, format!(r#"{{"properties":{{{own}}}{left}}}"#), "{schema}");
        // Without anything hidden a schema is as it was written.
        let open = SetArguments::read("", r#"{"n":1}"#).unwrap().public_schema(&schema).unwrap();
        assert!(open.contains(definitions), "{open}");
    }
}
