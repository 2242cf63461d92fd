use super::*;

#[test]
fn usual_schemas_are_accepted() {
    for text in [
        "{}",
        r#"{"type":"object"}"#,
        r#"{"type":["object","null"]}"#,
        r##"{"type":"object","properties":{"node":{"$ref":"#/$defs/node"}},"$defs":{"node":{"type":"object","properties":{"left":{"$ref":"#/$defs/node"},"right":{"$ref":"#/$defs/node"}}}}}"##,
        r##"{"anyOf":[{"type":"object","properties":{"a":{"$ref":"#"}}},{"type":"object","additionalProperties":{"$ref":"#"}}]}"##,
        r#"{"properties":{"id":{"type":"string","format":"uuid","pattern":"^[0-9a-f]{8}-[0-9a-f-]{27}$"}}}"#,
    ] {
        check(text).unwrap_or_else(|fault| panic!("{text}: {fault}"));
        assert_eq!(CheckedSchema::new(text.to_owned()).unwrap().as_str(), text);
    }
}

#[test]
fn what_is_refused_is_named_with_its_place() {
    for (text, word) in [
        ("", "not JSON"),
        ("[]", "JSON object"),
        (r#"{"type":"string"}"#, "/type"),
        (r#"{"type":["string"]}"#, "/type"),
        (r#"{"properties":{"a":{"type":"strin"}}}"#, "/properties/a/type"),
        (r#"{"properties":{"a":{"$ref":"https://example.com/a.json"}}}"#, "`/properties/a/$ref`"),
        (r#"{"properties":{"a":{"$ref":"file:///etc/passwd"}}}"#, "`/properties/a/$ref`"),
        (r##"{"properties":{"a":{"$ref":"#/$defs/no"}}}"##, "leads nowhere"),
        (r##"{"properties":{"a":{"$dynamicRef":"#a"}}}"##, "`/properties/a/$dynamicRef`"),
        (r#"{"properties":{"a":{"$id":"https://example.com/a"}}}"#, "`/properties/a/$id`"),
        (r##"{"allOf":[{"$ref":"#"}]}"##, "without end"),
        (r#"{"properties":{"a":{"pattern":"(?=a)b"}}}"#, "/properties/a/pattern"),
    ] {
        let fault = check(text).unwrap_err();
        assert_eq!(CheckedSchema::new(text.to_owned()), Err(fault.clone()), "{text}");
        assert_eq!(fault.field, "input_schema");
        assert!(fault.message.contains(word), "{text}: {fault}");
    }
}
