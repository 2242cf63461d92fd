//! `OpenAPI` documents and texts, given or fetched.

use std::io::Write as _;

use tests::{
    on_both_databases,
    upstream::{Upstream, json_answer},
};

use super::*;

on_both_databases!(
    operations_of_a_document_become_tools_that_can_be_called,
    operations_are_where_their_publisher_says_not_where_the_document_does,
    a_document_in_yaml_is_read_like_any_other,
    a_document_with_a_fault_leaves_nothing_behind,
    a_text_is_fetched_and_kept,
);

fn document(server: &str) -> Value {
    json!({
        "openapi": "3.0.3",
        "info": {"title": "Notes", "version": "1"},
        "servers": [{"url": server}],
        "paths": {
            "/notes/{id}": {"get": {
                "operationId": "getNote",
                "summary": "One note",
                "parameters": [
                    {"name": "id", "in": "path", "required": true, "schema": {"type": "string"}},
                    {"name": "full", "in": "query", "schema": {"type": "boolean"}},
                ],
            }},
            "/notes": {"post": {"requestBody": {"required": true, "content": {"application/json": {"schema": {
                "$ref": "#/components/schemas/Note",
            }}}}}},
            "/files": {"post": {"requestBody": {"required": true, "content": {"multipart/form-data": {"schema": {}}}}}},
        },
        "components": {"schemas": {"Note": {
            "type": "object",
            "properties": {"text": {"type": "string"}, "parent": {"$ref": "#/components/schemas/Note"}},
            "required": ["text"],
        }}},
    })
}

fn telling() -> Upstream {
    Upstream::start(|received, stream| {
        let told = json!({"asked": received.head.lines().next(), "body": received.body});
        stream.write_all(json_answer("200 OK", &told.to_string()).as_bytes()).is_ok()
    })
}

fn operations_of_a_document_become_tools_that_can_be_called(kind: Kind) {
    let (house, upstream) = (House::open(kind), telling());
    house.register(ALICE, "Alice");
    let given = json!({"namespace": "notes", "label": "L", "spec": document(&upstream.url("/v1"))});
    let made = house.done("POST", "/connections/import-openapi", &given);
    assert_eq!(made["skipped"][0]["at"], "/paths/~1files/post", "{made}");
    assert_eq!(house.tools("notes"), ["getNote", "post_notes"]);
    house.price("notes", 5);
    for (tool, arguments, asked, body) in [
        ("getNote", json!({"id": "a b", "full": true}), "GET /v1/notes/a%20b?full=true HTTP/1.1", ""),
        ("post_notes", json!({"text": "x"}), "POST /v1/notes HTTP/1.1", r#"{"text":"x"}"#),
    ] {
        let answer = house.call(&format!("notes/{tool}"), &arguments);
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.json["result"], json!({"asked": asked, "body": body}), "{tool}");
    }
    let unfit = house.call("notes/post_notes", &json!({"text": "x", "parent": {"text": 1}}));
    assert_eq!((unfit.status, unfit.code()), (422, "invalid_arguments"), "{}", unfit.body);

    // fetched, with a server that is relative to where the document is
    let mut relative = document("/v2");
    relative["info"]["title"] = json!("Fetched");
    let text = relative.to_string();
    let source = Upstream::start(move |_, stream| stream.write_all(json_answer("200 OK", &text).as_bytes()).is_ok());
    let given = json!({"namespace": "fetched", "spec_url": source.url("/docs/openapi.json")});
    house.done("POST", "/connections/import-openapi", &given);
    let connections = house.get("/connections/");
    let made = connections.as_array().unwrap().iter().find(|connection| connection["label"] == "Fetched");
    assert_eq!(made.unwrap()["base_url"], json!(source.url("/v2")), "{connections}");
}

fn operations_are_where_their_publisher_says_not_where_the_document_does(kind: Kind) {
    let (house, named, own) = (House::open(kind), telling(), telling());
    house.register(ALICE, "Alice");
    let text = document(&named.url("/v1")).to_string();
    let source = Upstream::start(move |_, stream| stream.write_all(json_answer("200 OK", &text).as_bytes()).is_ok());
    for (namespace, part, value) in [
        ("given", "spec", document(&named.url("/v1"))),
        ("fetched", "spec_url", json!(source.url("/docs/openapi.json"))),
    ] {
        let mut wanted = json!({"namespace": namespace, "label": namespace, "base_url_override": own.url("/v3")});
        wanted[part] = value;
        house.done("POST", "/connections/import-openapi", &wanted);
        let connections = house.get("/connections/");
        let made = connections.as_array().unwrap().iter().find(|connection| connection["label"] == namespace);
        assert_eq!(made.unwrap()["base_url"], json!(own.url("/v3")), "{connections}");
        let answer = house.call(&format!("{namespace}/getNote"), &json!({"id": "a"}));
        assert_eq!(answer.json["result"]["asked"], "GET /v3/notes/a HTTP/1.1", "{}", answer.body);
    }
    assert_eq!((named.received().len(), own.received().len()), (0, 2));
}

/// Like [`document`], as people write it. `no` is a text, and `1` no version.
fn in_yaml(server: &str) -> String {
    format!(
        "openapi: 3.0.3
info: {{title: Notes, version: '1'}}
servers:
  - url: {server}
paths:
  /notes/{{id}}:
    get:
      operationId: getNote
      summary: >-
        One
        note
      parameters:
        - &id {{name: id, in: path, required: true, schema: {{type: string}}}}
        - {{name: answer, in: query, schema: {{type: string, enum: [no, yes]}}}}
      responses: {{200: {{description: ok}}}}
    delete:
      operationId: dropNote
      parameters: [*id]
"
    )
}

fn a_document_in_yaml_is_read_like_any_other(kind: Kind) {
    let (house, upstream) = (House::open(kind), telling());
    house.register(ALICE, "Alice");
    let text = in_yaml(&upstream.url("/v1"));
    house.done("POST", "/connections/import-openapi", &json!({"namespace": "given", "spec": text}));
    let source = Upstream::start(move |_, stream| {
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-type: application/yaml\r\ncontent-length: {}\r\n\r\n", text.len());
        stream.write_all(format!("{head}{text}").as_bytes()).is_ok()
    });
    let given = json!({"namespace": "fetched", "spec_url": source.url("/openapi.yaml")});
    house.done("POST", "/connections/import-openapi", &given);
    for namespace in ["given", "fetched"] {
        assert_eq!(house.tools(namespace), ["dropNote", "getNote"]);
        let answer = house.call(&format!("{namespace}/getNote"), &json!({"id": "a", "answer": "no"}));
        assert_eq!(answer.json["result"]["asked"], "GET /v1/notes/a?answer=no HTTP/1.1", "{}", answer.body);
        let unfit = house.call(&format!("{namespace}/getNote"), &json!({"id": "a", "answer": false}));
        assert_eq!((unfit.status, unfit.code()), (422, "invalid_arguments"), "{}", unfit.body);
    }
    let with = |line: &str| format!("{}{line}\n", in_yaml("https://example.com"));
    let laughs: String = (1..30).map(|n| format!("x{n}: &x{n} [*x{0}, *x{0}, *x{0}]\n", n - 1)).collect();
    for (text, what) in [
        (with("openapi: 3.0.3"), "duplicate key `openapi` at line 19"),
        (with("x: {a: 1, b: *nobody}"), "at line 19"),
        (with("x: [1, 2"), "not YAML"),
        (with("x: .inf"), "JSON has no place for at line 19"),
        (with("<<: {}"), "merge keys at line 19"),
        (with(&format!("x0: &x0 [1, 2, 3]\n{laughs}")), "with all copies"),
        (with(&format!("x: {}", "[".repeat(200))), "nested deeper"),
        ("openapi: 3.1\npaths: {}\n".to_owned(), "must be a version"),
        ("- openapi\n".to_owned(), "must be an object"),
    ] {
        let answer = house.ask("POST", "/connections/import-openapi", &json!({"namespace": "bad", "spec": text}));
        assert_names(&answer, "spec");
        assert!(answer.body.contains(what), "{what}: {}", answer.body);
    }
    assert_eq!(house.get("/namespaces/").as_array().unwrap().len(), 2);
}

fn a_document_with_a_fault_leaves_nothing_behind(kind: Kind) {
    let (house, upstream) = (House::open(kind), telling());
    house.register(ALICE, "Alice");
    let fine = document(&upstream.url("/"));
    let with = |pointer: &str, value: Value| {
        let mut changed = fine.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        json!({"namespace": "notes", "spec": changed})
    };
    let deep = format!("{}{}", "{\"a\":".repeat(70), "1".to_owned() + &"}".repeat(70));
    let missing = Upstream::start(|_, stream| stream.write_all(json_answer("404 No", "{}").as_bytes()).is_ok());
    let cases = [
        ("empty", json!({"namespace": "notes", "spec": {}}), "spec"),
        ("no document", json!({"namespace": "notes"}), "spec"),
        ("two documents", json!({"namespace": "notes", "spec": fine, "spec_url": upstream.url("/")}), "spec"),
        ("a text", json!({"namespace": "notes", "spec": "openapi: 3.0.0"}), "spec"),
        ("no version", with("/openapi", Value::Null), "spec"),
        ("no paths", with("/paths", json!([])), "spec"),
        ("a remote reference", with("/components/schemas/Note", json!({"$ref": "https://example.com/a"})), "spec"),
        ("a missing reference", with("/components/schemas", json!({})), "spec"),
        ("a loop", with("/components/schemas/Note", json!({"$ref": "#/components/schemas/Note"})), "spec"),
        ("a wrong schema", with("/components/schemas/Note/type", json!("thing")), "spec"),
        ("no server", with("/servers", json!([])), "spec"),
        ("a server that is none", with("/servers/0/url", json!("ftp://example.com")), "spec"),
        ("no slug", json!({"namespace": "N!", "spec": fine}), "namespace"),
        ("no base", json!({"namespace": "notes", "spec": fine, "base_url_override": "x"}), "base_url_override"),
        ("nobody", json!({"namespace": "notes", "spec_url": missing.url("/")}), "spec_url"),
        ("a closed address", json!({"namespace": "notes", "spec_url": "http://169.254.169.254/a"}), "spec_url"),
        ("unknown", json!({"namespace": "notes", "spec": fine, "more": 1}), "more"),
    ];
    for (name, body, field) in cases {
        let answer = house.ask("POST", "/connections/import-openapi", &body);
        assert_eq!(answer.status, 422, "{name}: {}", answer.body);
        assert_names(&answer, field);
        house.assert_nothing_was_made();
    }
    let too_deep = format!(r#"{{"namespace": "notes", "spec": {deep}}}"#);
    let headers = [("authorization", &*format!("Bearer {ALICE}"))];
    let answer = house.server.send("POST", "/connections/import-openapi", &headers, &too_deep);
    assert_eq!((answer.status, answer.code()), (400, "too_deep"), "{}", answer.body);
    let huge = format!(r#"{{"namespace": "notes", "spec": {{"a": "{}"}}}}"#, "x".repeat(2_200_000));
    let answer = house.server.send("POST", "/connections/import-openapi", &headers, &huge);
    assert_eq!((answer.status, answer.code()), (413, "body_too_large"), "{}", answer.body);
    house.assert_nothing_was_made();
}

fn a_text_is_fetched_and_kept(kind: Kind) {
    let house = House::open(kind);
    house.register(ALICE, "Alice");
    let connection = house.connection("rest", "http://127.0.0.1:9/");
    house.namespace("notes", &connection);
    let texts = Upstream::start(|received, stream| {
        let (status, body) = match received.path.as_str() {
            "/README.md" => ("200 OK", "# Notes\n\nAll of them.\n".to_owned()),
            "/page" => ("200 OK", "<!DOCTYPE html><html></html>".to_owned()),
            "/long" => ("200 OK", "x".repeat(600_000)),
            "/control" => ("200 OK", "a\u{7}b".to_owned()),
            _ => ("302 Found", String::new()),
        };
        stream.write_all(json_answer(status, &body).as_bytes()).is_ok()
    });
    let fetch = |url: &str| house.ask("POST", "/namespaces/notes/fetch-readme", &json!({"url": url}));
    for path in ["/page", "/long", "/elsewhere"] {
        assert_names(&fetch(&texts.url(path)), "url");
    }
    assert_names(&fetch("http://169.254.169.254/README.md"), "url");
    assert_names(&fetch("README.md"), "url");
    assert_eq!(fetch(&texts.url("/control")).status, 422);
    assert_eq!(house.get("/namespaces/notes")["readme_content"], Value::Null);
    let fetched = fetch(&texts.url("/README.md"));
    assert_eq!(fetched.status, 200, "{}", fetched.body);
    let shown = house.get("/namespaces/notes");
    assert_eq!(shown["readme_content"], "# Notes\n\nAll of them.\n");
    assert_eq!(shown["readme_source_url"], json!(texts.url("/README.md")));
}
