//! What a publisher's server asks of whoever calls it: it arrives there, and is nowhere else.

use std::{fs, io::Write as _, path::Path};

use tests::{
    on_both_databases,
    upstream::{Upstream, json_answer},
};

use super::*;
use crate::rows;

on_both_databases!(
    a_secret_reaches_its_server_and_is_told_to_nobody,
    a_request_is_made_as_its_publisher_describes_it,
    what_callers_are_checked_against_is_a_schema_too,
);

const SECRET: &str = "Bearer quetzalcoatlus-0123456789";
const WORD: &str = "quetzalcoatlus";

/// An upstream that says what it was sent.
fn talkative() -> Upstream {
    Upstream::start(|received, stream| {
        let status = if received.path.contains("refuse") { "422 No" } else { "200 OK" };
        let body = json!({
            "message": format!("who is {}?", received.header("authorization").unwrap_or_default()),
            "path": received.path,
            "body": serde_json::from_str::<Value>(&received.body).unwrap_or_default(),
        });
        stream.write_all(json_answer(status, &body.to_string()).as_bytes()).is_ok()
    })
}

/// A namespace `desk` with a secret and these tools, for 5 credits a call.
fn desk(house: &House, upstream: &Upstream, tools: &[Value]) -> String {
    house.register(ALICE, "Alice");
    let connection = house.connection("rest", &upstream.url("/v1"));
    let credentials = json!({"api_key": SECRET, "key_identifier": "Authorization", "param_location": "header"});
    house.done("PUT", &format!("/connections/{connection}/credentials"), &credentials);
    house.namespace("desk", &connection);
    for tool in tools {
        house.done("POST", "/namespaces/desk/tools/rest", tool);
    }
    house.price("desk", 5);
    connection
}

fn a_secret_reaches_its_server_and_is_told_to_nobody(kind: Kind) {
    let (house, upstream) = (House::open(kind), talkative());
    let tool = |name: &str| json!({"name": name, "rest_method": "GET", "rest_path": format!("/{name}"), "visibility": "public"});
    let connection = desk(&house, &upstream, &[tool("look"), tool("refuse")]);
    let mut told = Vec::new();
    for name in ["look", "refuse"] {
        let answer = house.call(&format!("desk/{name}"), &json!({}));
        let sent = upstream.received().last().cloned().unwrap();
        assert_eq!(sent.header("authorization"), Some(SECRET), "{}", sent.head);
        assert_eq!(sent.path, format!("/v1/{name}"));
        assert!(answer.body.contains("[credential]"), "{}", answer.body);
        told.push(answer.body);
    }
    for path in [
        "/connections/".to_owned(),
        format!("/connections/{connection}"),
        "/namespaces/desk".to_owned(),
        "/namespaces/desk/credentials".to_owned(),
        "/tools/desk/look".to_owned(),
        "/publishers/invocations".to_owned(),
    ] {
        told.push(house.get(&path).to_string());
    }
    told.push(house.server.log());
    told.push(house.server.ledger("verify").to_string());
    for text in &told {
        assert!(!text.contains(WORD), "{text}");
    }
    let stored = rows::of_home(&house.home, "SELECT credential FROM connection");
    assert!(!stored.concat().concat().is_empty(), "it is kept");
    let trail = rows::of_home(&house.home, "SELECT count(*) FROM audit WHERE action LIKE '%onnection%'");
    assert_ne!(trail[0][0], "0");
    if kind == Kind::Sqlite {
        assert_nowhere(house.home.path());
    }
    let hex: String = WORD.bytes().map(|byte| format!("{byte:02x}")).collect();
    let stored = stored.concat().concat();
    assert!(!stored.contains(WORD) && !stored.contains(&hex), "{stored}");
}

/// That no file below has the secret in it.
fn assert_nowhere(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_nowhere(&path);
        } else if let Ok(bytes) = fs::read(&path) {
            let is_there = bytes.windows(WORD.len()).any(|window| window == WORD.as_bytes());
            assert!(!is_there, "{}", path.display());
        }
    }
}

fn a_request_is_made_as_its_publisher_describes_it(kind: Kind) {
    let (house, upstream) = (House::open(kind), talkative());
    let note = json!({
        "name": "note",
        "rest_method": "POST",
        "rest_path": "/notes/{id}",
        "visibility": "private",
        "input_schema": {"type": "object", "properties": {"id": {"type": "string"}, "text": {"type": "string"}}, "required": ["id"]},
        "rest_param_map": {"lang": "query"},
        "rest_body_template": {"note": {"text": "{text}"}},
        "rest_static_query": {"v": "2"},
    });
    desk(&house, &upstream, &[note]);
    let answer = house.call("desk/note", &json!({"id": "a/b", "lang": "de", "text": "x\"y"}));
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.json["result"]["path"], "/v1/notes/a%2Fb?v=2&lang=de");
    assert_eq!(answer.json["result"]["body"], json!({"note": {"text": "x\"y"}}));
    // static arguments are placed like any other, and nobody sees them
    let id = house.tool_id("desk", "note");
    house.done("PUT", &format!("/namespaces/desk/tools/{id}/mcp"), &json!({"mcp_static_args": {"lang": "en"}}));
    let answer = house.call("desk/note", &json!({"id": "1", "lang": "de"}));
    assert_eq!(answer.json["result"]["path"], "/v1/notes/1?v=2&lang=en", "{}", answer.body);
    // what cannot be put into the path is never sent, and costs nothing
    let spent = house.server.balance(ALICE);
    let before = upstream.received().len();
    for arguments in [json!({"id": ".."}), json!({"id": ""})] {
        let answer = house.call("desk/note", &arguments);
        assert_eq!((answer.status, answer.code()), (422, "invalid_arguments"), "{arguments}: {}", answer.body);
        assert_eq!(answer.json["detail"][0]["loc"], json!(["body", "arguments", "id"]), "{}", answer.body);
    }
    assert_eq!((upstream.received().len(), house.server.balance(ALICE)), (before, spent));
    house.server.verified_postings();
}

/// Defaults stand in the public schema: one that is too long with them would leave no catalog to load.
fn what_callers_are_checked_against_is_a_schema_too(kind: Kind) {
    let (house, upstream) = (House::open(kind), talkative());
    let tool = json!({"name": "look", "rest_method": "POST", "rest_path": "/look"});
    desk(&house, &upstream, &[tool]);
    let path = format!("/namespaces/desk/tools/{}", house.tool_id("desk", "look"));
    house.done("PUT", &format!("{path}/mcp"), &json!({"mcp_default_args": {"text": "y".repeat(10_000)}}));
    let schema = json!({"type": "object", "description": "x".repeat(60_000)});
    let refused = house.ask("PUT", &format!("{path}/rest"), &json!({"input_schema": schema}));
    assert_names(&refused, "input_schema");
    assert_eq!(house.call("desk/look", &json!({})).status, 200);
    house.done("PUT", &format!("{path}/mcp"), &json!({"mcp_default_args": {}}));
    house.done("PUT", &format!("{path}/rest"), &json!({"input_schema": schema}));
    assert_eq!(house.call("desk/look", &json!({})).status, 200);
}
