//! MCP servers that hang, lie or never end: a clear refusal, in time, and nothing is left of the attempt.

use std::{io::Write as _, time::Instant};

use tests::{
    on_both_databases,
    upstream::{Upstream, hang, json_answer},
};

use super::*;

on_both_databases!(
    nothing_is_left_of_a_server_that_cannot_be_used,
    a_name_that_is_taken_leaves_nothing_behind,
    for_whom_nothing_is_made_nobody_is_asked,
    a_connection_that_fails_tells_no_address,
);

/// A server that opens sessions, and lists what `tools` says.
fn listing(tools: impl Fn(usize) -> String + Send + Sync + 'static) -> Upstream {
    let pages = std::sync::atomic::AtomicUsize::new(0);
    Upstream::start(move |received, stream| {
        let asked: Value = serde_json::from_str(&received.body).unwrap_or_default();
        let answer = match asked["method"].as_str() {
            Some("initialize") => {
                let server = json!({"name": "x", "version": "1"});
                let known =
                    json!({"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": server});
                json_answer("200 OK", &json!({"jsonrpc": "2.0", "id": asked["id"], "result": known}).to_string())
            }
            Some("tools/list") => {
                let page = pages.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                let body = format!(r#"{{"jsonrpc":"2.0","id":{},"result":{}}}"#, asked["id"], tools(page));
                json_answer("200 OK", &body)
            }
            _ => "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n".to_owned(),
        };
        stream.write_all(answer.as_bytes()).is_ok()
    })
}

fn nothing_is_left_of_a_server_that_cannot_be_used(kind: Kind) {
    let house = House::open(kind);
    let tool = |schema: &str| {
        format!(r#"{{"tools":[{{"name":"fine","inputSchema":{{}}}},{{"name":"bad","inputSchema":{schema}}}]}}"#)
    };
    let remote = tool(r#"{"properties":{"a":{"$ref":"https://example.com/a.json"}}}"#);
    let pattern = tool(r#"{"properties":{"a":{"pattern":"(?=a)"}}}"#);
    let endless = tool(r##"{"allOf":[{"$ref":"#"}]}"##);
    let cases: Vec<(&str, Upstream, &str)> = vec![
        ("garbage", Upstream::answering("hello"), "mcp_url"),
        (
            "silence",
            Upstream::start(|_, stream| {
                hang(stream);
                false
            }),
            "mcp_url",
        ),
        ("no list", listing(|_| "[]".to_owned()), "mcp_url"),
        ("endless pages", listing(|page| json!({"tools": [], "nextCursor": format!("{page}")}).to_string()), "mcp_url"),
        ("a remote reference", listing(move |_| remote.clone()), "tools.bad.input_schema"),
        ("a pattern that backtracks", listing(move |_| pattern.clone()), "tools.bad.input_schema"),
        ("a schema without end", listing(move |_| endless.clone()), "tools.bad.input_schema"),
    ];
    for (name, upstream, field) in &cases {
        let started = Instant::now();
        let wanted = json!({"namespace": "desk", "mcp_url": upstream.url("/mcp")});
        let answer = house.ask("POST", "/namespaces/quick-setup", &wanted);
        assert_names(&answer, field);
        assert!(started.elapsed().as_secs() < 28, "{name}: {:?}", started.elapsed());
        assert_eq!(house.ask("GET", "/publishers/me", &Value::Null).status, 403, "{name}");
        house.assert_nothing_was_made();
    }
    // addresses that nobody is ever asked at, whatever the rules
    for url in ["http://169.254.169.254/mcp", "ftp://example.com/", "http://user:pw@example.com/", "nowhere"] {
        let answer = house.ask("POST", "/namespaces/quick-setup", &json!({"namespace": "desk", "mcp_url": url}));
        assert_names(&answer, "mcp_url");
    }
    house.assert_nothing_was_made();
}

fn a_name_that_is_taken_leaves_nothing_behind(kind: Kind) {
    let house = House::open(kind);
    let upstream = listing(|_| r#"{"tools":[{"name":"a","inputSchema":{}}]}"#.to_owned());
    // the configuration's
    let answer =
        house.ask("POST", "/namespaces/quick-setup", &json!({"namespace": "acme", "mcp_url": upstream.url("/mcp")}));
    assert!((400..500).contains(&answer.status), "{}", answer.body);
    house.assert_nothing_was_made();
    let bad =
        house.ask("POST", "/namespaces/quick-setup", &json!({"namespace": "-a", "mcp_url": upstream.url("/mcp")}));
    assert_names(&bad, "namespace");
}

fn for_whom_nothing_is_made_nobody_is_asked(kind: Kind) {
    let house = House::open(kind);
    let made = house.server.send("POST", "/auth/agent-signup", &[], r#"{"email": "ann@example.com"}"#);
    let key = made.json["token"].as_str().unwrap();
    let upstream = listing(|_| r#"{"tools":[{"name":"a","inputSchema":{}}]}"#.to_owned());
    let wanted = json!({"namespace": "anns", "mcp_url": upstream.url("/mcp")});
    for (path, wanted) in
        [("/namespaces/quick-setup", wanted), ("/publishers/register", json!({"display_name": "Ann"}))]
    {
        let refused = house.send(key, "POST", path, &wanted);
        assert_eq!((refused.status, refused.code()), (403, "email_unverified"), "{path}: {}", refused.body);
    }
    assert_eq!(upstream.count("/mcp"), 0, "the server was asked");
    assert_eq!(house.send(key, "GET", "/publishers/me", &Value::Null).status, 403);
}

fn a_connection_that_fails_tells_no_address(kind: Kind) {
    let house = House::open(kind);
    house.register(ALICE, "Alice");
    // nobody listens there
    let nobody = "http://localhost:9";
    house.namespace("notes", &house.connection("rest", nobody));
    let server = house.connection("mcp", &format!("{nobody}/mcp"));
    let spec = json!({"namespace": "spec", "spec_url": format!("{nobody}/spec.json")});
    for (path, wanted, field) in [
        ("/namespaces/notes/fetch-readme".to_owned(), json!({"url": format!("{nobody}/README.md")}), "url"),
        ("/connections/import-openapi".to_owned(), spec, "spec_url"),
        ("/namespaces/quick-setup".to_owned(), json!({"namespace": "desk", "mcp_url": nobody}), "mcp_url"),
        (format!("/connections/{server}/scan"), Value::Null, "connection_id"),
    ] {
        let answer = house.ask("POST", &path, &wanted);
        assert_names(&answer, field);
        let told = answer.json["detail"][0]["msg"].as_str().unwrap();
        assert!(told.ends_with("there is no connection, none is allowed, or it broke"), "{path}: {}", answer.body);
        let request = answer.json["error"]["request_id"].as_str();
        assert!(request.is_some_and(|id| id.starts_with("req_")), "{path}: {}", answer.body);
        for detail in ["127.0.0.1", "::1", "refused", "os error", "tcp"] {
            assert!(!answer.body.contains(detail), "{path}: {}", answer.body);
        }
    }
}
