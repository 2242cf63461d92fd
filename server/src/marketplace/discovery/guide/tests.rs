use super::*;

#[test]
fn an_example_has_what_a_schema_wants() {
    let cases = [
        (json!(true), json!({})),
        (json!({"type": "object", "properties": {"q": {"type": "string"}}}), json!({})),
        (json!({"properties": {"q": {"type": "string"}}, "required": ["q"]}), json!({"q": "text"})),
        (
            json!({"properties": {"q": {"enum": ["a", "b"]}, "n": {"type": "integer", "minimum": 5}}, "required": ["q", "n"]}),
            json!({"q": "a", "n": 5}),
        ),
        (
            json!({"properties": {"q": {"type": "string", "default": "d", "examples": ["e"]}}, "required": ["q"]}),
            json!({"q": "d"}),
        ),
        (json!({"required": ["x"]}), json!({"x": null})),
        (json!({"properties": 5, "required": "q"}), json!({})),
    ];
    for (schema, expected) in cases {
        assert_eq!(example_arguments(&schema), expected, "{schema}");
    }
}

#[test]
fn the_guide_says_what_the_description_of_the_interface_says() {
    let document = json!({"paths": {
        "/open": {"get": {
            "summary": "Open.",
            "parameters": [{"name": "q", "in": "query", "description": "words", "schema": {"type": ["integer", "null"]}}],
            "responses": {"401": {"description": "A token that is not valid; none is needed"}}
        }},
        "/closed": {"post": {
            "summary": "Closed.",
            "requestBody": {"content": {"application/json": {"schema": {"properties": {"name": {"type": "string"}}}}}},
            "responses": {"401": {"description": "No valid token"}}
        }},
    }});
    let guide = guide_of(&document);
    assert_eq!(
        guide["endpoints"],
        json!([
            {"method": "GET", "path": "/open", "description": "Open.", "auth_required": false,
             "parameters": [{"name": "q", "in": "query", "type": "integer", "description": "words"}]},
            {"method": "POST", "path": "/closed", "description": "Closed.", "auth_required": true,
             "parameters": [{"name": "name", "in": "body", "type": "string", "description": ""}]},
        ])
    );
    assert_eq!(guide["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(guide["authentication"]["methods"][2]["prefix"], "faro_partner_");
}
