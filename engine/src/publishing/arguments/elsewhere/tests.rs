use crate::publishing::arguments::SetArguments;

/// The place at which `key` is named in the schema all the same.
fn place(schema: &str) -> Option<String> {
    let set = SetArguments::read(r#"{"key": "a secret"}"#, r#"{"other": 1}"#).unwrap();
    let fault = set.check_hidden(schema).err()?;
    assert_eq!(fault.field, "input_schema", "{schema}");
    assert!(fault.message.contains("`key`") && !fault.message.contains("secret"), "{fault}");
    Some(fault.message.split('`').nth(3).unwrap().to_owned())
}

#[test]
fn a_name_that_callers_would_see_is_found_wherever_it_stands() {
    for (schema, at) in [
        (r#"{"anyOf":[{"required":["key"]}]}"#, "/anyOf/0/required"),
        (r#"{"oneOf":[{"required":["q"]},{"properties":{"key":{}}}]}"#, "/oneOf/1/properties"),
        (r#"{"allOf":[{"allOf":[{"required":["key"]}]}]}"#, "/allOf/0/allOf/0/required"),
        (r#"{"not":{"required":["key"]}}"#, "/not/required"),
        (r#"{"if":{"properties":{"key":{"const":1}}},"then":true}"#, "/if/properties"),
        (r#"{"if":true,"then":{"required":["key"]}}"#, "/then/required"),
        (r#"{"else":{"dependentRequired":{"q":["key"]}}}"#, "/else/dependentRequired"),
        (r#"{"dependentRequired":{"key":["q"]}}"#, "/dependentRequired"),
        (r#"{"dependentRequired":{"q":["n","key"]}}"#, "/dependentRequired"),
        (r#"{"dependentSchemas":{"key":{}}}"#, "/dependentSchemas"),
        (r#"{"dependentSchemas":{"a/b":{"required":["key"]}}}"#, "/dependentSchemas/a~1b/required"),
        (r#"{"dependencies":{"q":["key"]}}"#, "/dependencies"),
        (r#"{"dependencies":{"q":{"required":["key"]}}}"#, "/dependencies/q/required"),
        (r#"{"default":{"key":1}}"#, "/default"),
        (r#"{"const":{"key":1}}"#, "/const"),
        (r#"{"examples":[{"q":1},{"key":1}]}"#, "/examples"),
        (r#"{"example":{"key":1}}"#, "/example"),
        (r#"{"enum":[{"key":1}]}"#, "/enum"),
        (r#"{"patternProperties":{"^key$":{}}}"#, "/patternProperties"),
        (r#"{"propertyNames":{"enum":["q","key"]}}"#, "/propertyNames"),
        (r#"{"propertyNames":{"anyOf":[{"const":"key"}]}}"#, "/propertyNames"),
        (r##"{"$ref":"#/$defs/Input","$defs":{"Input":{"required":["key"]}}}"##, "/$defs/Input/required"),
        (r##"{"allOf":[{"$ref":"#/$defs/a%20b"}],"$defs":{"a b":{"required":["key"]}}}"##, "/$defs/a b/required"),
        (r##"{"properties":{"key":{"$ref":"#/$defs/key"}},"$defs":{"key":{}}}"##, "/$defs"),
        (r#"{"definitions":{"key":{}}}"#, "/definitions"),
        (r#"{"x-order":["q","key"]}"#, "/x-order"),
        (r#"{"ui":{"groups":[{"fields":["key"]}]}}"#, "/ui"),
        (r#"{"ui":{"key":{"hint":"x"}}}"#, "/ui"),
    ] {
        assert_eq!(place(schema).as_deref(), Some(at), "{schema}");
    }
}

#[test]
fn what_is_called_the_same_elsewhere_is_something_else() {
    for schema in [
        "{}",
        "true",
        r#"{"properties":{"key":{"type":"string"}},"required":["key"],"additionalProperties":false}"#,
        // A member of a member.
        r#"{"properties":{"filter":{"properties":{"key":{}},"required":["key"]}}}"#,
        r#"{"properties":{"filter":{"anyOf":[{"required":["key"]}]}}}"#,
        r#"{"additionalProperties":{"properties":{"key":{}}},"items":{"required":["key"]}}"#,
        r#"{"default":{"filter":{"key":1}},"examples":[{"filter":{"key":1}}],"enum":["key"]}"#,
        // Texts, other names, and what nothing refers to.
        r#"{"title":"key","description":"key","$comment":"key"}"#,
        r#"{"anyOf":[{"required":["keys"]},{"required":["Key"]}],"patternProperties":{"^ke":{}}}"#,
        r#"{"$defs":{"Other":{"required":["key"]}}}"#,
        // Defaults may be named: a caller may give them.
        r#"{"anyOf":[{"required":["other"]}]}"#,
        // A schema that applies itself is refused elsewhere; here it comes to an end.
        r##"{"$ref":"#","anyOf":[{"$ref":"#/anyOf/0"}]}"##,
        r##"{"$ref":"#/nowhere"}"##,
    ] {
        assert_eq!(place(schema), None, "{schema}");
    }
    let nothing_hidden = SetArguments::read("", r#"{"key": 1}"#).unwrap();
    nothing_hidden.check_hidden(r#"{"anyOf":[{"required":["key"]}]}"#).unwrap();
}
