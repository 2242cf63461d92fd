//! Nothing of another publisher is there: every route of the publishers with something of somebody else's in its path.

use serde_json::{Value, json};
use tests::{
    home::Kind,
    on_both_databases,
    server::{ALICE, BOB},
};

use super::{House, id, register_bob};

on_both_databases!(what_is_another_publishers_is_not_there, nobody_but_publishers_is_answered);

/// A route of the publishers, and what a request to it has in it. Those of scans and imports have a table of their own.
const ROUTES: [(&str, &str, &str); 37] = [
    ("POST", "/publishers/register", r#"{"display_name": "x"}"#),
    ("GET", "/publishers/me", ""),
    ("PUT", "/publishers/me", "{}"),
    ("POST", "/publishers/me/logo", ""),
    ("GET", "/publishers/earnings", ""),
    ("GET", "/publishers/sales-summary", ""),
    ("GET", "/publishers/invocations", ""),
    ("PATCH", "/publishers/invocations/{call}/acknowledge", ""),
    ("GET", "/connections/", ""),
    ("POST", "/connections/", "{}"),
    ("GET", "/connections/{connection}", ""),
    ("DELETE", "/connections/{connection}", ""),
    (
        "PUT",
        "/connections/{connection}/credentials",
        r#"{"api_key": "k", "key_identifier": "X-Key", "param_location": "header"}"#,
    ),
    ("GET", "/namespaces/", ""),
    ("POST", "/namespaces/", "{}"),
    ("GET", "/namespaces/{id}", ""),
    ("PUT", "/namespaces/{id}", r#"{"namespace": "mine"}"#),
    ("POST", "/namespaces/{id}/icon", ""),
    ("GET", "/namespaces/{id}/credentials", ""),
    (
        "PUT",
        "/namespaces/{id}/credentials",
        r#"{"api_key": "k", "key_identifier": "X-Key", "param_location": "header"}"#,
    ),
    ("PUT", "/namespaces/{id}/listing", r#"{"description": "mine"}"#),
    ("PUT", "/namespaces/{id}/publish", r#"{"action": "review"}"#),
    ("PUT", "/namespaces/{id}/status", r#"{"status": "suspended"}"#),
    ("DELETE", "/namespaces/{id}/draft", ""),
    ("POST", "/namespaces/{id}/generate-listing", ""),
    ("POST", "/namespaces/{id}/auto-listing", ""),
    ("POST", "/namespaces/{id}/tools/rest", r#"{"name": "x", "rest_method": "GET", "rest_path": "/"}"#),
    ("PUT", "/namespaces/{id}/tools/{tool}/rest", r#"{"rest_path": "/x"}"#),
    ("PUT", "/namespaces/{id}/tools/{tool}/name", r#"{"name": "x"}"#),
    ("PUT", "/namespaces/{id}/tools/{tool}/visibility", r#"{"visibility": "private"}"#),
    ("PUT", "/namespaces/{id}/tools/{tool}/group", r#"{"tool_group_id": "x"}"#),
    ("PUT", "/namespaces/{id}/tools/{tool}/mcp", "{}"),
    ("GET", "/namespaces/{id}/groups", ""),
    ("POST", "/namespaces/{id}/groups", r#"{"name": "x"}"#),
    ("PUT", "/namespaces/{id}/groups/{group}", r#"{"name": "x"}"#),
    ("DELETE", "/namespaces/{id}/groups/{group}", ""),
    (
        "PUT",
        "/namespaces/{id}/groups/{group}/pricing",
        r#"{"pricing_mode": "fixed_per_request", "fixed_credit_cost": "0"}"#,
    ),
];
/// An identifier that nothing has.
const NOWHERE: &str = "00000000-0000-7000-8000-000000000000";

fn body(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or(Value::Null)
}

fn what_is_another_publishers_is_not_there(kind: Kind) {
    let house = House::open(kind);
    let (namespace, tool) = house.publish();
    register_bob(&house);
    let connection = id(&house.get("/connections/")[0]);
    let group = json!({"name": "secret-group"});
    let group = id(&house.ask("POST", &format!("/namespaces/{namespace}/groups"), &group));
    let listing = json!({"description": "secret-text", "listing_name": "secret-title"});
    house.ask("PUT", &format!("/namespaces/{namespace}/listing"), &listing);
    let called = house.call(ALICE, "sums/add");
    assert_eq!(called.status, 200, "{}", called.body);
    let call = called.json["invocation_id"].as_str().unwrap();
    let filled = |route: &str, own: bool| {
        let named = |known: &str| if own { known.to_owned() } else { NOWHERE.to_owned() };
        let unknown_call = format!("inv_{}", NOWHERE.replace('-', ""));
        route
            .replace("{id}", &named(&namespace))
            .replace("{tool}", &named(&tool))
            .replace("{group}", &named(&group))
            .replace("{connection}", &named(&connection))
            .replace("{call}", if own { call } else { &unknown_call })
    };
    let before = house.get(&format!("/namespaces/{namespace}"));
    for (method, route, content) in ROUTES {
        let is_named = route.contains('{');
        if !is_named && method != "GET" {
            continue;
        }
        let foreign = house.send(BOB, method, &filled(route, true), &body(content));
        for secret in ["secret", &*namespace, &tool, &group, &connection, "sums"] {
            assert!(!foreign.body.contains(secret), "{method} {route}: {}", foreign.body);
        }
        if is_named {
            let unknown = house.send(BOB, method, &filled(route, false), &body(content));
            assert_eq!((foreign.status, foreign.code()), (404, "not_found"), "{method} {route}: {}", foreign.body);
            assert_eq!(foreign.body, unknown.body, "{method} {route}: not a byte tells them apart");
        }
    }
    // By its slug neither.
    assert_eq!(house.send(BOB, "GET", "/namespaces/sums", &Value::Null).status, 404);
    // Of a namespace of one's own, somebody else's tool and group are not there either.
    let new = json!({"label": "B", "connection_type": "rest", "base_url": "http://127.0.0.1:9"});
    let mine = house.send(BOB, "POST", "/connections/", &new);
    let mine = house.send(BOB, "POST", "/namespaces/", &json!({"namespace": "mine", "connection_id": id(&mine.json)}));
    let mine = id(&mine.json);
    for (method, path) in [("PUT", format!("tools/{tool}/name")), ("PUT", format!("groups/{group}"))] {
        let foreign = house.send(BOB, method, &format!("/namespaces/{mine}/{path}"), &json!({"name": "x"}));
        assert_eq!((foreign.status, foreign.code()), (404, "not_found"), "{path}: {}", foreign.body);
    }
    assert_eq!(house.get(&format!("/namespaces/{namespace}")), before, "nothing of it has changed anything");
}

fn nobody_but_publishers_is_answered(kind: Kind) {
    let house = House::open(kind);
    let document = house.server.get(ALICE, "/openapi.json").json;
    let is_ours = |path: &str| {
        ["/publishers/", "/connections/", "/namespaces/"].iter().any(|prefix| path.starts_with(prefix))
            && !path.starts_with("/namespaces/public")
    };
    // They have a table of their own.
    let is_import = |path: &str| {
        ["scan", "import-tools", "import-openapi", "quick-setup", "fetch-readme"].iter().any(|end| path.ends_with(end))
    };
    let mut described: Vec<(String, String)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(path, _)| is_ours(path) && !is_import(path))
        .flat_map(|(path, methods)| {
            methods.as_object().unwrap().keys().map(|method| (method.to_uppercase(), path.clone())).collect::<Vec<_>>()
        })
        .collect();
    let in_the_document = |route: &str| route.replace("{connection}", "{id}").replace("{call}", "{id}");
    let mut listed: Vec<(String, String)> =
        ROUTES.iter().map(|(method, route, _)| ((*method).to_owned(), in_the_document(route))).collect();
    described.sort();
    listed.sort();
    assert_eq!(listed, described, "a new route needs a row");
    for (method, route, content) in ROUTES {
        let path = route.replace(['{', '}'], "");
        let stranger = house.server.send(method, &path, &[], content);
        assert_eq!((stranger.status, stranger.code()), (401, "missing_token"), "{method} {path}: {}", stranger.body);
        let unknown = house.send("faro_unknown-000000", method, &path, &body(content));
        assert_eq!((unknown.status, unknown.code()), (401, "invalid_token"), "{method} {path}: {}", unknown.body);
        if path != "/publishers/register" {
            let account = house.send(BOB, method, &path, &body(content));
            assert_eq!(
                (account.status, account.code()),
                (403, "publisher_required"),
                "{method} {path}: {}",
                account.body
            );
        }
    }
}
