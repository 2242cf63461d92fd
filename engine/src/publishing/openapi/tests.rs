use serde_json::json;

use super::*;

fn document(paths: &Value) -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Notes", "version": "1"},
        "servers": [{"url": "https://{region}.example.com/v1", "variables": {"region": {"default": "eu"}}}],
        "paths": paths,
        "components": {"schemas": {
            "Node": {"type": "object", "properties": {"name": {"type": "string"}, "next": {"$ref": "#/components/schemas/Node"}}},
        }},
    })
}

fn described(paths: &Value) -> Described {
    read(&document(paths).to_string()).unwrap_or_else(|fault| panic!("{paths}: {fault}"))
}

fn refused(document: &Value) -> FieldFault {
    read(&document.to_string()).unwrap_err()
}

fn schema_of(tool: &DescribedTool) -> Value {
    serde_json::from_str(tool.input_schema.as_str()).unwrap()
}

#[test]
fn operations_become_tools() {
    let described = described(&json!({
        "/notes/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}],
            "get": {
                "operationId": "getNote",
                "summary": "One note",
                "description": "A note\nwith its text.",
                "parameters": [
                    {"name": "fields[all]", "in": "query", "schema": {"type": "string"}},
                    {"name": "X-Trace", "in": "header", "schema": {"type": "string"}, "description": "for us"},
                ],
            },
            "patch": {
                "requestBody": {"required": true, "content": {"application/json": {"schema": {
                    "type": "object",
                    "properties": {"id": {"type": "integer"}, "tree": {"$ref": "#/components/schemas/Node"}},
                    "required": ["tree"],
                }}}},
            },
        },
    }));
    assert_eq!(described.title.as_deref(), Some("Notes"));
    assert_eq!(described.base(None).unwrap().as_str(), "https://eu.example.com/v1");
    let [get, patch] = &*described.tools else { panic!("{described:?}") };
    assert_eq!((get.name.as_str(), get.at.as_str()), ("getNote", "/paths/~1notes~1{id}/get"));
    assert_eq!((get.short_description.as_str(), get.long_description.as_str()), ("One note", "A note\nwith its text."));
    assert_eq!(
        schema_of(get),
        json!({
            "type": "object",
            "properties": {
                "id": {"type": "string"},
                "fields_all": {"type": "string"},
                "X-Trace": {"type": "string", "description": "for us"},
            },
            "required": ["id"],
        })
    );
    let base = Url::parse("https://eu.example.com/v1").unwrap();
    let sent = get.shape.shape(&base, r#"{"id":"a b","fields_all":"x","X-Trace":"t"}"#).unwrap();
    assert_eq!(sent.url.as_str(), "https://eu.example.com/v1/notes/a%20b?fields%5Ball%5D=x");
    assert_eq!(sent.headers, [("X-Trace".to_owned(), "t".to_owned())]);
    assert_eq!((patch.name.as_str(), patch.short_description.as_str()), ("patch_notes_id", "PATCH /notes/{id}"));
    assert_eq!(
        schema_of(patch),
        json!({
            "type": "object",
            "properties": {"id": {"type": "string"}, "id_body": {"type": "integer"}, "tree": {"$ref": "#/$defs/Node"}},
            "required": ["id", "tree"],
            "$defs": {"Node": {"type": "object", "properties": {"name": {"type": "string"}, "next": {"$ref": "#/$defs/Node"}}}},
        })
    );
    let sent = patch.shape.shape(&base, r#"{"id":"1","id_body":2,"tree":{}}"#).unwrap();
    assert_eq!((sent.url.path(), sent.body.as_deref()), ("/v1/notes/1", Some(r#"{"id":2,"tree":{}}"#)));
}

#[test]
fn a_body_that_is_no_plain_object_is_one_argument() {
    let body = |schema: Value| json!({"/a": {"post": {"requestBody": {"content": {"application/vnd.a+json": {"schema": schema}}}}}});
    for schema in
        [json!({"type": "array", "items": {"type": "string"}}), json!({"allOf": [{"type": "object"}]}), json!({})]
    {
        let described = described(&body(schema));
        let tool = described.tools.first().unwrap();
        let sent = tool.shape.shape(&Url::parse("https://example.com").unwrap(), r#"{"body":["x"]}"#).unwrap();
        assert_eq!(sent.body.as_deref(), Some(r#"["x"]"#), "{tool:?}");
    }
}

#[test]
fn what_takes_no_json_is_left_out_and_said() {
    let described = described(&json!({
        "/upload": {"post": {"requestBody": {"required": true, "content": {"multipart/form-data": {"schema": {}}}}}},
        "/cookie": {"get": {"parameters": [{"name": "sid", "in": "cookie", "required": true, "schema": {}}]}},
        "/fine": {"get": {"parameters": [{"name": "Authorization", "in": "header", "schema": {}}, {"name": "c", "in": "cookie", "schema": {}}]}},
    }));
    assert_eq!(described.tools.iter().map(|tool| tool.at.as_str()).collect::<Vec<_>>(), ["/paths/~1fine/get"]);
    let skipped: Vec<_> = described.skipped.iter().map(|skipped| skipped.at.as_str()).collect();
    assert_eq!(skipped, ["/paths/~1upload/post", "/paths/~1cookie/get"]);
}

#[test]
fn names_fit_and_are_unique() {
    let operation = |id: &str| json!({"get": {"operationId": id}});
    let described = described(&json!({
        "/a": operation("list things!"),
        "/b": operation("list_things"),
        "/c": operation("../.."),
        "/d": operation(&"x".repeat(300)),
        "/e": {"get": {}},
        "/f": operation("é"),
    }));
    let names: Vec<_> = described.tools.iter().map(|tool| tool.name.clone()).collect();
    let long = "x".repeat(limits::TOOL_NAME_CHARS_MAX);
    assert_eq!(names, ["list_things", "list_things_2", "operation", &long, "get_e", "operation_2"]);
    names.iter().for_each(|name| crate::catalog::check_tool_name(name).unwrap());
}

#[test]
fn words_of_3_0_become_those_of_json_schema() {
    let mut document = document(&json!({"/a": {"get": {"parameters": [{"name": "n", "in": "query", "schema": {
        "type": "integer", "minimum": 0, "exclusiveMinimum": true, "maximum": 9, "exclusiveMaximum": false,
        "nullable": true, "enum": [1, 2], "example": 1, "x-more": {},
    }}]}}}));
    document["openapi"] = json!("3.0.3");
    let described = read(&document.to_string()).unwrap();
    assert_eq!(
        schema_of(&described.tools[0])["properties"]["n"],
        json!({"type": ["integer", "null"], "maximum": 9, "enum": [1, 2, null], "exclusiveMinimum": 0})
    );
}

#[test]
fn what_is_missing_or_wrong_is_named_with_its_place() {
    let with = |key: &str, value: Value| {
        let mut document = document(&json!({"/a": {"get": {}}}));
        match value {
            Value::Null => drop(document.as_object_mut().unwrap().remove(key)),
            value => document[key] = value,
        }
        document
    };
    let get = |operation: Value| document(&json!({"/a": {"get": operation}}));
    let parameter = |parameter: Value| get(json!({"parameters": [parameter]}));
    for (document, place) in [
        (json!([]), "spec"),
        (json!({"swagger": "2.0", "paths": {}}), "spec/swagger"),
        (with("openapi", Value::Null), "spec/openapi"),
        (with("openapi", json!("2.0")), "spec/openapi"),
        (with("paths", Value::Null), "spec/paths"),
        (with("paths", json!({})), "spec/paths"),
        (with("paths", json!([])), "spec/paths"),
        (with("paths", json!({"/a": 1})), "spec/paths/~1a"),
        (with("paths", json!({"/a": {"$ref": "https://example.com/a"}})), "spec/paths/~1a/$ref"),
        (with("paths", json!({"/a": {"$ref": "#/paths/~1a"}})), "spec/paths/~1a"),
        (with("paths", json!({"/a/{id}": {"get": {}}})), "spec/paths/~1a~1{id}/get"),
        (with("paths", json!({"a": {"get": {}}})), "spec/paths/a/get"),
        (with("servers", json!([{}])), "spec/servers/0/url"),
        (get(json!(1)), "spec/paths/~1a/get"),
        (get(json!({"parameters": {}})), "spec/paths/~1a/get/parameters"),
        (parameter(json!({"in": "query", "schema": {}})), "spec/paths/~1a/get/parameters/0/name"),
        (parameter(json!({"name": "a", "schema": {}})), "spec/paths/~1a/get/parameters/0/in"),
        (parameter(json!({"name": "a", "in": "body", "schema": {}})), "spec/paths/~1a/get/parameters/0/in"),
        (parameter(json!({"name": "a", "in": "query"})), "spec/paths/~1a/get/parameters/0/schema"),
        (parameter(json!({"name": "a", "in": "path", "schema": {}})), "spec/paths/~1a/get"),
        (
            parameter(json!({"name": "a", "in": "query", "schema": {"$ref": "#/components/schemas/No"}})),
            "spec/paths/~1a/get/parameters/0/schema/$ref",
        ),
        (
            parameter(json!({"name": "a", "in": "query", "schema": {"$ref": "file:///etc/passwd"}})),
            "spec/paths/~1a/get/parameters/0/schema/$ref",
        ),
        (parameter(json!({"name": "a", "in": "query", "schema": {"type": "x"}})), "spec/paths/~1a/get"),
        (parameter(json!({"$ref": "#/components/parameters/no"})), "spec/paths/~1a/get/parameters/0/$ref"),
        (document(&json!({"/a": {"post": {"requestBody": {}}}})), "spec/paths/~1a/post/requestBody/content"),
    ] {
        let fault = refused(&document);
        assert_eq!(fault.field, place, "{fault}");
    }
}

#[test]
fn huge_and_recursive_documents_are_refused_soon() {
    let started = std::time::Instant::now();
    assert_eq!(read(&" ".repeat(limits::OPENAPI_BYTES_MAX + 1)).unwrap_err().field, "spec");
    let paths: Map<String, Value> =
        (0..=limits::OPENAPI_OPERATIONS_MAX).map(|n| (format!("/p{n}"), json!({"get": {}}))).collect();
    assert_eq!(refused(&document(&Value::Object(paths))).field, "spec/paths");
    // each of them refers to all of the others
    let mut wide = document(&json!({"/a": {"get": {"parameters": [
        {"name": "a", "in": "query", "schema": {"$ref": "#/components/schemas/S0"}},
    ]}}}));
    let all: Vec<_> = (0..200).map(|n| json!({"$ref": format!("#/components/schemas/S{n}")})).collect();
    let schemas: Map<String, Value> = (0..200).map(|n| (format!("S{n}"), json!({"anyOf": all}))).collect();
    wide["components"]["schemas"] = Value::Object(schemas);
    let fault = refused(&wide);
    assert!(fault.message.contains("too large"), "{fault}");
    let loops = document(
        &json!({"/a": {"get": {"parameters": [{"name": "a", "in": "query", "schema": {"$ref": "#/components/schemas/A"}}]}}}),
    );
    let mut loops = loops;
    loops["components"]["schemas"] = json!({"A": {"allOf": [{"$ref": "#/components/schemas/B"}]}, "B": {"allOf": [{"$ref": "#/components/schemas/A"}]}});
    assert!(refused(&loops).message.contains("without end"));
    assert!(started.elapsed() < std::time::Duration::from_secs(10), "{:?}", started.elapsed());
}

#[test]
fn a_server_may_be_relative_to_the_document() {
    let mut document = document(&json!({"/a": {"get": {}}}));
    document["servers"] = json!([{"url": "/api"}]);
    let described = read(&document.to_string()).unwrap();
    let from = Url::parse("https://example.com/docs/openapi.json").unwrap();
    assert_eq!(described.base(Some(&from)).unwrap().as_str(), "https://example.com/api");
    assert_eq!(described.base(None).unwrap_err().field, "spec/servers/0/url");
    document.as_object_mut().unwrap().remove("servers");
    assert_eq!(read(&document.to_string()).unwrap().base(None).unwrap_err().field, "spec/servers");
}
