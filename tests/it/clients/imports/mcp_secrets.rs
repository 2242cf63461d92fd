//! What an MCP server asks of whoever calls it: it reaches real servers, one written with `rmcp` and one with `mcp` of Python,
//! with every call, and nobody speaks in a session that was opened with another secret.

use tests::{
    mcp::{Called, McpServer, PythonServer, RustServer},
    on_both_databases,
    upstream::Received,
};

use super::{hostile::listing, *};

on_both_databases!(
    a_secret_reaches_the_server_with_a_call_in_a_header_or_in_the_query,
    two_secrets_at_one_address_are_two_sessions,
    a_secret_is_replaced_from_the_next_call_on,
    a_server_is_scanned_with_the_secret_of_the_namespace_it_is_scanned_for,
);

/// Every secret of these tests has this in it.
const WORD: &str = "quetzalcoatlus";

/// A secret that no other is.
fn secret(number: u32) -> String {
    format!("{WORD}-{number:04}")
}

/// Sets the secret of a connection or of a namespace.
fn set(house: &House, of: &str, (place, name): (&str, &str), number: u32) {
    let credential = json!({"api_key": secret(number), "key_identifier": name, "param_location": place});
    let set = house.done("PUT", &format!("{of}/credentials"), &credential);
    let shown = if of.starts_with("/namespaces") {
        house.get(&format!("{of}/credentials"))
    } else {
        house.get(of)["credentials"].clone()
    };
    assert_eq!(shown, set);
    assert_eq!((&shown["has_credentials"], &shown["param_location"]), (&json!(true), &json!(place)), "{shown}");
    assert!(!set.to_string().contains(WORD) && !shown.to_string().contains(WORD), "{set} {shown}");
}

const HEADER: (&str, &str) = ("header", "X-Key");
const QUERY: (&str, &str) = ("query", "api_key");

/// Calls `echo` of a namespace: how the call arrived.
fn call(house: &House, namespace: &str, server: &impl McpServer) -> Called {
    let before = server.calls("echo").len();
    let answer = house.call(&format!("{namespace}/echo"), &json!({"q": namespace}));
    assert_eq!((answer.status, &answer.json["result"]), (200, &json!({"said": {"q": namespace}})), "{}", answer.body);
    assert!(!answer.body.contains(WORD), "{}", answer.body);
    let mut calls = server.calls("echo");
    assert_eq!(calls.len(), before + 1, "a call is made once");
    calls.pop().unwrap()
}

/// A namespace with the tools of the server behind a connection.
fn desk(house: &House, connection: &str, namespace: &str) {
    house.namespace(namespace, connection);
    let found = house.done("POST", &format!("/namespaces/{namespace}/scan"), &Value::Null);
    assert!(found["import"]["imported"].as_array().unwrap().contains(&json!("echo")), "{found}");
}

fn assert_told_to_nobody(house: &House) {
    for path in ["/connections/", "/namespaces/desk", "/tools/desk/echo", "/publishers/invocations"] {
        let told = house.get(path).to_string();
        assert!(!told.contains(WORD), "{path}: {told}");
    }
    assert!(!house.server.log().contains(WORD), "{}", house.server.log());
}

fn in_a_header_or_in_the_query(house: &House, server: &impl McpServer) {
    house.register(ALICE, "Alice");
    let connection = house.connection("mcp", &server.url());
    desk(house, &connection, "desk");
    let called = call(house, "desk", server);
    assert_eq!((called.key.as_str(), called.query.as_str()), ("", ""), "nothing is asked of anybody yet");
    let of = format!("/connections/{connection}");
    set(house, &of, HEADER, 1);
    let called = call(house, "desk", server);
    assert_eq!((called.key, called.query.as_str()), (secret(1), ""));
    set(house, &of, QUERY, 2);
    let called = call(house, "desk", server);
    assert_eq!((called.key.as_str(), called.query), ("", format!("api_key={}", secret(2))));
    // what a namespace has of its own goes before what its server asks of the others
    set(house, "/namespaces/desk", HEADER, 3);
    let called = call(house, "desk", server);
    assert_eq!((called.key, called.query.as_str()), (secret(3), ""));
    assert_told_to_nobody(house);
}

fn a_secret_reaches_the_server_with_a_call_in_a_header_or_in_the_query(kind: Kind) {
    in_a_header_or_in_the_query(&House::open(kind), &RustServer::start());
    let house = House::open(kind);
    in_a_header_or_in_the_query(&house, &PythonServer::start(house.home.path()));
}

/// The namespaces `desk` and `attic` at the same server, each with a secret of its own.
fn two_of_one_server(house: &House, server: &impl McpServer) {
    house.register(ALICE, "Alice");
    let connection = house.connection("mcp", &server.url());
    desk(house, &connection, "desk");
    desk(house, &connection, "attic");
    set(house, "/namespaces/desk", HEADER, 1);
    set(house, "/namespaces/attic", HEADER, 2);
}

fn two_sessions(house: &House, server: &impl McpServer) {
    two_of_one_server(house, server);
    let before = server.opened();
    let [first, second, third, fourth] = ["desk", "attic", "desk", "attic"].map(|of| call(house, of, server));
    assert_eq!([&first.key, &second.key, &third.key, &fourth.key], [&secret(1), &secret(2), &secret(1), &secret(2)]);
    assert_eq!(server.opened() - before, 2, "each secret has a session, and keeps it");
    assert!(!first.session.is_empty() && first.session != second.session, "{first:?} {second:?}");
    assert_eq!((&first.session, &second.session), (&third.session, &fourth.session));
    assert_told_to_nobody(house);
}

fn two_secrets_at_one_address_are_two_sessions(kind: Kind) {
    two_sessions(&House::open(kind), &RustServer::start());
    let house = House::open(kind);
    two_sessions(&house, &PythonServer::start(house.home.path()));
}

fn replaced(house: &House, server: &impl McpServer) {
    two_of_one_server(house, server);
    let (old, other) = (call(house, "desk", server), call(house, "attic", server));
    assert_eq!((old.key.clone(), other.key.clone()), (secret(1), secret(2)));
    let before = server.opened();
    set(house, "/namespaces/desk", HEADER, 3);
    for _ in 0..3 {
        let new = call(house, "desk", server);
        assert_eq!(new.key, secret(3), "not one more call carries the old one");
        assert!(new.session != old.session && new.session != other.session, "{new:?}");
    }
    assert_eq!(server.opened() - before, 1);
    // the other namespace goes on as before
    let same = call(house, "attic", server);
    assert_eq!((same.key, same.session), (other.key, other.session));
}

fn a_secret_is_replaced_from_the_next_call_on(kind: Kind) {
    replaced(&House::open(kind), &RustServer::start());
    let house = House::open(kind);
    replaced(&house, &PythonServer::start(house.home.path()));
}

fn a_server_is_scanned_with_the_secret_of_the_namespace_it_is_scanned_for(kind: Kind) {
    let house = House::open(kind);
    let server = listing(|_| json!({"tools": [{"name": "fine", "inputSchema": {"type": "object"}}]}).to_string());
    house.register(ALICE, "Alice");
    let connection = house.connection("mcp", &server.url("/mcp"));
    for namespace in ["desk", "attic"] {
        house.namespace(namespace, &connection);
    }
    let of = format!("/connections/{connection}");
    set(&house, &of, HEADER, 1);
    set(&house, "/namespaces/desk", QUERY, 2);
    let desk = house.get("/namespaces/desk")["id"].as_str().unwrap().to_owned();
    for (query, key, path, imported) in [
        (String::new(), Some(secret(1)), "/mcp".to_owned(), None),
        (format!("?namespace_id={desk}"), None, format!("/mcp?api_key={}", secret(2)), Some("desk")),
        // without one of its own, a namespace has its server's
        ("?namespace_id=attic".to_owned(), Some(secret(1)), "/mcp".to_owned(), Some("attic")),
    ] {
        let before = server.received().len();
        let scanned = house.done("POST", &format!("{of}/scan{query}"), &Value::Null);
        let asked = server.received().drain(before..).filter(|asked| !asked.body.is_empty()).collect::<Vec<Received>>();
        let listed = asked.iter().filter(|asked| asked.body.contains("tools/list")).count();
        assert_eq!(listed, 1, "{asked:?}");
        for asked in asked {
            assert_eq!((asked.path.as_str(), asked.header("x-key")), (path.as_str(), key.as_deref()), "{}", asked.head);
        }
        match imported {
            None => assert_eq!(scanned.get("import"), None),
            Some(namespace) => {
                assert_eq!(scanned["import"]["imported"], json!(["fine"]), "{scanned}");
                assert_eq!(house.tools(namespace), ["fine"]);
            }
        }
        assert!(!scanned.to_string().contains(WORD), "{scanned}");
    }
}
