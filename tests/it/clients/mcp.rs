//! Tools of MCP servers through the whole program, with a server written with `rmcp` and one with `mcp` from PyPI: what the
//! caller is told, what it costs, what arrives.

use std::{io::Write as _, thread};

use serde_json::{Value, json};
use tests::{
    home::{Home, Kind},
    mcp::{McpServer, PythonServer, RustServer},
    on_both_databases,
    program::Answer,
    server::{ALICE, Server, config},
    upstream::{Upstream, json_answer},
};

on_both_databases!(
    a_result_is_what_is_structured_else_the_text,
    a_cost_is_charged_exactly_wherever_the_server_says_it,
    a_tool_that_says_no_is_heard_and_paid_by_the_rules,
    what_nobody_knows_is_settled_by_rule,
);

/// A tool of the server at `url` that has the same name there.
fn tool(name: &str, url: &str, timeout_ms: u32, pricing: &str) -> String {
    format!(
        "{{name: '{name}', tier: 'verified', input_schema: {{type: 'object'}}, \
         upstream: {{kind: 'mcp', url: '{url}', timeout_ms: {timeout_ms}}}, pricing: {{{pricing}}}}},"
    )
}

const FIXED: &str = "pricing_mode: 'fixed_per_request', fixed_credit_cost: 5";
const ATTEMPT: &str = "pricing_mode: 'fixed_per_request', fixed_credit_cost: 5, charge_on: 'attempt'";
const RETURNED: &str =
    "pricing_mode: 'tool_returned', returned_credit_cost_path: '$.cost', estimated_max_credit_cost: 10";

/// All tools of the servers, with those that hang given up soon.
fn tools(url: &str) -> String {
    let named = [("echo", FIXED), ("say", FIXED), ("say_json", FIXED), ("refuse", FIXED)];
    let priced = [("priced", RETURNED), ("priced_beside", RETURNED)];
    let fine: String = named.iter().chain(&priced).map(|(name, pricing)| tool(name, url, 20_000, pricing)).collect();
    let refuse_dear = tool("refuse_dear", url, 20_000, ATTEMPT).replace("kind: 'mcp',", "kind: 'mcp', tool: 'refuse',");
    fine + &refuse_dear + &tool("hang", url, 1_500, FIXED)
}

fn start(home: &Home, url: &str) -> Server {
    Server::start(home.path(), &config(&tools(url), "", "limits: {unknown_resolve_after_s: 2},"))
}

/// Does the same with both servers, each with books of its own.
fn with_both(kind: Kind, check: impl Fn(&Server, &dyn Fn(&str) -> Vec<tests::mcp::Called>)) {
    let rust = RustServer::start();
    let home = Home::on(kind);
    check(&start(&home, &rust.url()), &|tool| rust.calls(tool));
    let home = Home::on(kind);
    let python = PythonServer::start(home.path());
    check(&start(&home, &python.url()), &|tool| python.calls(tool));
}

fn told(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.code())
}

fn a_result_is_what_is_structured_else_the_text(kind: Kind) {
    with_both(kind, |server, calls| {
        let answer = server.invoke(ALICE, "echo", r#"{"arguments": {"q": "é"}, "idempotency_key": "k-1"}"#);
        assert_eq!((answer.status, &answer.json["result"]), (200, &json!({"said": {"q": "é"}})), "{}", answer.body);
        assert_eq!(answer.json["credits_charged"], json!(5));
        let [called] = <[_; 1]>::try_from(calls("echo")).unwrap();
        let id = answer.json["invocation_id"].as_str().unwrap();
        assert_eq!(called.arguments, json!({"q": "é"}));
        assert_eq!((called.invocation.as_str(), called.idempotency_key.len()), (id, 64));
        assert_eq!(called.meta["tollgate/invocation-id"], json!(id), "{}", called.meta);
        assert_eq!(called.meta["tollgate/idempotency-key"], json!(called.idempotency_key), "{}", called.meta);

        for (tool, result) in [("say", json!({"text": "hello, world"})), ("say_json", json!({"said": 1.5}))] {
            let answer = server.invoke(ALICE, tool, "{}");
            assert_eq!((answer.status, &answer.json["result"]), (200, &result), "{}", answer.body);
        }
        assert_eq!(server.balance(ALICE)["balance"], json!(9_985));
    });
}

fn a_cost_is_charged_exactly_wherever_the_server_says_it(kind: Kind) {
    with_both(kind, |server, _| {
        let mut left = 10_000_000_000_i64;
        for (tool, cost, micros) in [
            ("priced", "0.123456", 123_456),
            ("priced", "7", 7_000_000),
            ("priced_beside", "2.000001", 2_000_001),
            ("priced_beside", "0.1", 100_000),
        ] {
            let answer = server.invoke(ALICE, tool, &format!(r#"{{"arguments": {{"cost": {cost}}}}}"#));
            let charged: Value = serde_json::from_str(cost).unwrap();
            assert_eq!((answer.status, &answer.json["credits_charged"]), (200, &charged), "{}", answer.body);
            left -= micros;
        }
        let left = format!("{}.{:06}", left / 1_000_000, left % 1_000_000);
        assert_eq!(server.balance(ALICE)["balance"].to_string(), left.trim_end_matches('0'));
        server.verified_postings();
    });
}

fn a_tool_that_says_no_is_heard_and_paid_by_the_rules(kind: Kind) {
    with_both(kind, |server, _| {
        for (tool, charged) in [("refuse", 0), ("refuse_dear", 5)] {
            let answer = server.invoke(ALICE, tool, "{}");
            assert_eq!(told(&answer), (502, "upstream_rejected"), "{}", answer.body);
            assert!(answer.body.contains("there is no such city"), "{}", answer.body);
            assert_eq!(answer.header("x-tollgate-credits-charged"), Some(charged.to_string().as_str()), "{tool}");
        }
        assert_eq!(server.balance(ALICE)["balance"], json!(9_995));
    });
}

fn what_nobody_knows_is_settled_by_rule(kind: Kind) {
    with_both(kind, |server, calls| {
        let late = server.invoke(ALICE, "hang", r#"{"idempotency_key": "k"}"#);
        assert_eq!(told(&late), (504, "outcome_unknown"), "{}", late.body);
        assert_eq!(server.balance(ALICE)["reserved"], json!(5));
        // whoever hangs harms nobody else, not even on the same server
        assert_eq!(server.invoke(ALICE, "say", "{}").status, 200);
        let id = late.json["error"]["invocation_id"].as_str().unwrap();
        let settled = server.wait_until_settled(ALICE, id);
        assert_eq!((&settled["state"], &settled["credits_charged"]), (&json!("unknown_released"), &json!(0)));
        let balance = server.balance(ALICE);
        assert_eq!((&balance["balance"], &balance["reserved"]), (&json!(9_995), &json!(0)), "{balance}");
        let retry = server.invoke(ALICE, "hang", r#"{"idempotency_key": "k"}"#);
        assert_eq!((retry.status, &retry.body), (504, &late.body));
        assert_eq!(calls("hang").len(), 1, "never a second dispatch");
    });
}

/// Many calls at once use one session, and the next one is opened by itself when the server has forgotten it.
fn sessions_are_used_again_and_replaced(upstream: impl McpServer) {
    let home = Home::on(Kind::Sqlite);
    let server = start(&home, &upstream.url());
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..4 {
                    assert_eq!(server.invoke(ALICE, "say", "{}").status, 200);
                }
            });
        }
    });
    assert_eq!((upstream.calls("say").len(), upstream.opened()), (32, 1));

    let upstream = upstream.restart();
    let first = server.invoke(ALICE, "say", "{}");
    // Where the loss is learnt from the call itself, it was refused and cost nothing; it is not sent again by us.
    let mut made = 32;
    match first.status {
        200 => made += 1,
        _ => assert_eq!(
            (told(&first), first.header("x-tollgate-credits-charged")),
            ((502, "upstream_failed"), Some("0"))
        ),
    }
    for _ in 0..3 {
        let answer = server.invoke(ALICE, "say", "{}");
        assert_eq!(answer.status, 200, "{}", answer.body);
        made += 1;
    }
    assert_eq!((upstream.calls("say").len(), upstream.opened()), (made, 2));
    let spent = u64::try_from(made).unwrap() * 5;
    assert_eq!(server.balance(ALICE)["balance"], json!(10_000 - spent));
}

#[test]
fn sessions_with_rmcp_are_used_again_and_replaced() {
    sessions_are_used_again_and_replaced(RustServer::start());
}

#[test]
fn sessions_with_mcp_of_pypi_are_used_again_and_replaced() {
    let folder = tests::program::folder();
    sessions_are_used_again_and_replaced(PythonServer::start(folder.path()));
}

/// The reply of a server that is well to whoever opens a session.
fn opened(body: &str) -> String {
    let asked: Value = serde_json::from_str(body).unwrap();
    let known =
        json!({"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": {"name": "x", "version": "1"}});
    json!({"jsonrpc": "2.0", "id": asked["id"], "result": known}).to_string()
}

#[test]
fn nonsense_costs_nothing_and_harms_nobody() {
    let nonsense = Upstream::start(move |received, stream| {
        let answer = if received.path == "/never" || received.body.contains("tools/call") {
            json_answer("200 OK", "hello")
        } else if received.body.contains("\"initialize\"") {
            json_answer("200 OK", &opened(&received.body))
        } else {
            "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n".to_owned()
        };
        stream.write_all(answer.as_bytes()).is_ok()
    });
    let well = RustServer::start();
    let dear = |name: &str, path: &str| tool(name, &nonsense.url(path), 20_000, ATTEMPT);
    let tools = tools(&well.url()) + &dear("garbage", "/mcp") + &dear("never", "/never");
    let home = Home::on(Kind::Sqlite);
    let server = Server::start(home.path(), &config(&tools, "", ""));
    // an attempt is charged where something was sent
    for (name, charged) in [("garbage", "5"), ("never", "0")] {
        let answer = server.invoke(ALICE, name, "{}");
        assert_eq!(told(&answer), (502, "upstream_failed"), "{}", answer.body);
        assert!(!answer.body.contains("hello"), "{}", answer.body);
        assert_eq!(answer.header("x-tollgate-credits-charged"), Some(charged), "{name}");
    }
    assert_eq!(server.invoke(ALICE, "say", "{}").status, 200);
    assert_eq!(server.balance(ALICE)["balance"], json!(9_990));
}

#[test]
fn a_private_address_is_refused() {
    let upstream = RustServer::start();
    let open = config(&tools(&upstream.url()), "", "");
    let closed = open.replace("egress: {allow_private: true}, ", "");
    assert_ne!(open, closed);
    let home = Home::on(Kind::Sqlite);
    let server = Server::start(home.path(), &closed);
    let answer = server.invoke(ALICE, "refuse_dear", "{}");
    assert_eq!(told(&answer), (502, "upstream_failed"), "{}", answer.body);
    assert_eq!(answer.header("x-tollgate-credits-charged"), Some("0"));
    assert_eq!((upstream.opened(), server.balance(ALICE)["balance"].clone()), (0, json!(10_000)));
}
