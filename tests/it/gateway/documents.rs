//! Every body, header, curl and status of the two documents of `/tools/invoke`.

use serde_json::{Value, json};
use tests::program::{curl, folder, paste};

use super::{Gateway, TOKEN, is_error};
use crate::gateway_cases::fixture;

#[test]
fn the_body_of_the_document_works_with_every_field_and_the_curl_as_it_is_printed() {
    let upstream = fixture::upstream();
    let folder = folder();
    let gateway = Gateway::start(folder.path(), "zero", json!({}), &upstream);
    let body: Value = serde_json::from_str(
        r#"{
          "tool": "sessions_list",
          "action": "json",
          "args": {},
          "sessionKey": "main",
          "dryRun": false
        }"#,
    )
    .unwrap();
    let answer = gateway.call(&body);
    assert_eq!((answer.status, &answer.json["ok"]), (200, &json!(true)), "{}", answer.body);
    assert!(answer.json.get("result").is_some());

    let printed = r#"curl -sS http://127.0.0.1:18789/tools/invoke \
  -H 'Authorization: Bearer SEU_TOKEN' \
  -H 'Content-Type: application/json' \
  -d '{
    "tool": "sessions_list",
    "action": "json",
    "args": {}
  }'"#;
    let call = printed.replace("http://127.0.0.1:18789", gateway.server.base_url()).replace("SEU_TOKEN", TOKEN);
    let answer = paste(&call);
    assert_eq!((answer.status, &answer.json["ok"]), (200, &json!(true)), "{}", answer.body);
}

#[test]
fn token_and_password_are_taken_from_the_configuration_or_the_environment() {
    let upstream = fixture::upstream();
    for (dialect, brand) in [("fased", "FASED"), ("zero", "ZERO")] {
        let (token, password) = (format!("{brand}_GATEWAY_TOKEN"), format!("{brand}_GATEWAY_PASSWORD"));
        for (auth, environment) in [
            (json!({"mode": "token", "token": "right"}), vec![]),
            (json!({"mode": "token"}), vec![(token.as_str(), "right")]),
            (json!({"mode": "token", "token": "right"}), vec![(token.as_str(), "other")]),
            (json!({"mode": "password", "password": "right"}), vec![]),
            (json!({"mode": "password"}), vec![(password.as_str(), "right")]),
        ] {
            let folder = folder();
            let config = fixture::config(&json!({"gateway": {"auth": auth}}), dialect, &upstream);
            let gateway = Gateway::start_with(folder.path(), &config, &environment);
            let ask = |credential: &str| {
                gateway.send("POST", "/tools/invoke", &[("authorization", credential)], r#"{"tool": "t_echo"}"#)
            };
            assert_eq!(ask("Bearer right").status, 200, "{dialect} {auth} {environment:?}");
            assert!(is_error(&ask("Bearer wrong"), 401, "unauthorized"), "{dialect} {auth}");
        }
    }
}

#[test]
fn every_status_of_the_fased_document() {
    let upstream = fixture::upstream();
    let folder = folder();
    let limit = json!({"maxAttempts": 2, "windowMs": 60000, "lockoutMs": 60000, "exemptLoopback": false});
    let config = json!({"gateway": {"auth": {"mode": "token", "token": TOKEN, "rateLimit": limit}}});
    let gateway = Gateway::start(folder.path(), "fased", config, &upstream);
    let fail = |mode: &str| gateway.call(&json!({"tool": "t_fail", "args": {"mode": mode}}));

    let fine = gateway.call(&json!({"tool": "t_echo", "args": {"a": 1}}));
    assert_eq!((fine.status, &fine.json), (200, &json!({"ok": true, "result": {"tool": "t_echo", "args": {"a": 1}}})));
    assert_eq!(fail("undef").body, r#"{"ok":true}"#);
    assert_eq!(fail("null").body, r#"{"ok":true,"result":null}"#);
    assert!(is_error(&gateway.call(&json!({})), 400, "invalid_request_error"));
    for (mode, status, message) in [
        ("input", 400, "field q is required"),
        ("input_422", 422, "q must be a list"),
        ("input_empty", 400, "invalid tool arguments"),
        ("auth", 403, "not for you"),
        ("crash", 500, "tool execution failed"),
    ] {
        let failed = fail(mode);
        assert!(is_error(&failed, status, "tool_error"), "{mode}: {} {}", failed.status, failed.body);
        assert_eq!(failed.json["error"]["message"], json!(message), "{mode}");
    }
    let unknown = gateway.call(&json!({"tool": "nothing"}));
    assert!(is_error(&unknown, 404, "not_found"));
    assert_eq!(unknown.json["error"]["message"], json!("Tool not available: nothing"));
    for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let wrong = gateway.send(method, "/tools/invoke", &[], "");
        assert_eq!((wrong.status, wrong.header("allow")), (405, Some("POST")), "{method}");
    }
    let head = curl(&format!("{}/tools/invoke", gateway.server.base_url()), &["-I"]);
    assert_eq!((head.status, head.header("allow")), (405, Some("POST")));
    let stranger = || gateway.send("POST", "/tools/invoke", &[("authorization", "Bearer x")], "{}");
    assert!(is_error(&stranger(), 401, "unauthorized") && is_error(&stranger(), 401, "unauthorized"));
    let locked = gateway.call(&json!({"tool": "t_echo"}));
    assert!(is_error(&locked, 429, "rate_limited"), "{}", locked.body);
    let wait: u64 = locked.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
}

#[test]
fn every_status_of_the_zero_document() {
    let upstream = fixture::upstream();
    let folder = folder();
    let gateway = Gateway::start(folder.path(), "zero", json!({"tools": {"deny": ["tts"]}}), &upstream);
    assert_eq!(gateway.call(&json!({"tool": "t_echo"})).status, 200);
    assert!(is_error(&gateway.call(&json!({"args": {}})), 400, "invalid_request_error"));
    for (mode, message) in [("input", "field q is required"), ("throw_string", "boom-77"), ("auth", "not for you")] {
        let failed = gateway.call(&json!({"tool": "t_fail", "args": {"mode": mode}}));
        assert!(is_error(&failed, 400, "tool_error"), "{mode}: {}", failed.body);
        assert_eq!(failed.json["error"]["message"], json!(message));
    }
    assert!(is_error(&gateway.send("POST", "/tools/invoke", &[], "{}"), 401, "unauthorized"));
    assert!(is_error(&gateway.call(&json!({"tool": "tts"})), 404, "not_found"));
    assert_eq!(gateway.send("GET", "/tools/invoke", &[], "").status, 405);
}

#[test]
fn the_five_denied_names_can_be_taken_out_and_others_added() {
    let upstream = fixture::upstream();
    let five = ["sessions_spawn", "sessions_send", "cron", "gateway", "whatsapp_login"];
    for (tools, available) in [
        (json!({}), vec![]),
        (json!({"allow": ["cron", "gateway"]}), vec!["cron", "gateway"]),
        (
            json!({"allow": five, "deny": ["gateway"]}),
            vec!["sessions_spawn", "sessions_send", "cron", "whatsapp_login"],
        ),
    ] {
        let folder = folder();
        let gateway = Gateway::start(folder.path(), "fased", json!({"gateway": {"tools": tools}}), &upstream);
        for tool in five {
            let status = gateway.call(&json!({"tool": tool})).status;
            assert_eq!(status == 200, available.contains(&tool), "{tool} with {tools}: {status}");
        }
    }
}

#[test]
fn the_main_session_and_the_context_headers_reach_the_tool() {
    let upstream = fixture::upstream();
    let agents = json!({"list": [{"id": "ops"}, {"id": "desk", "default": true}]});
    for (session, key) in
        [(json!({"mainKey": "hub"}), "agent:desk:hub"), (json!({"scope": "global", "mainKey": "hub"}), "global")]
    {
        let folder = folder();
        let gateway = Gateway::start(folder.path(), "fased", json!({"session": session, "agents": agents}), &upstream);
        for body in [json!({"tool": "t_ctx"}), json!({"tool": "t_ctx", "sessionKey": "main"})] {
            assert_eq!(gateway.call(&body).json["result"]["sessionKey"], json!(key), "{session}");
        }
    }
    let folder = folder();
    let gateway = Gateway::start(folder.path(), "fased", json!({}), &upstream);
    let headers = [
        ("x-fased-message-channel", "Slack"),
        ("x-fased-account-id", "work"),
        ("x-fased-message-to", "C123"),
        ("x-fased-thread-id", "171.5"),
    ];
    let told = gateway.call_with(&headers, &json!({"tool": "t_ctx", "sessionKey": "agent:ops:x", "agentId": "Ops"}));
    let expected = json!({
        "sessionKey": "agent:ops:x", "channel": "slack", "accountId": "work", "to": "C123", "threadId": "171.5",
    });
    assert_eq!(told.json["result"], expected, "{}", told.body);
    let received = upstream.received();
    let last = received.last().unwrap();
    assert_eq!(last.header("x-tollgate-agent-id"), Some("ops"));
    assert_eq!(last.header("x-tollgate-invocation-id"), told.header("x-tollgate-invocation-id"));
    let contradiction = gateway.call(&json!({"tool": "t_ctx", "sessionKey": "agent:ops:x", "agentId": "desk"}));
    assert!(is_error(&contradiction, 400, "invalid_request"), "{}", contradiction.body);
}

#[test]
fn arguments_that_do_not_fit_a_declared_schema_are_an_error_of_the_input() {
    let upstream = fixture::upstream();
    let folder = folder();
    let mut config = fixture::config(&json!({"gateway": {"auth": {"token": TOKEN}}}), "fased", &upstream);
    config["catalog"]["core_tools"].as_array_mut().unwrap().push(json!({
        "name": "strict",
        "input_schema": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]},
        "upstream": {"kind": "http", "url": upstream.url("/strict")},
    }));
    let gateway = Gateway::start_with(folder.path(), &config, &[]);
    let refused = gateway.call(&json!({"tool": "strict", "args": {"n": "x"}}));
    assert!(is_error(&refused, 400, "tool_error"), "{}", refused.body);
    assert!(refused.json["error"]["message"].as_str().unwrap().contains("/n"), "{}", refused.body);
    assert_eq!(upstream.count("/strict"), 0);
    assert_eq!(gateway.call(&json!({"tool": "strict", "args": {"n": 1}})).status, 200);
}

#[test]
fn the_agent_that_is_asked_for_is_the_one_whose_policy_counts() {
    let upstream = fixture::upstream();
    for dialect in ["fased", "zero", "openclaw"] {
        let folder = folder();
        let agents = json!({"list": [
            {"id": "main", "default": true}, {"id": "Research - EU", "tools": {"deny": ["t_echo"]}},
        ]});
        let gateway = Gateway::start(folder.path(), dialect, json!({"agents": agents}), &upstream);
        for (agent, key, status) in [
            ("Research - EU", None, 404),
            ("Research - EU", Some("task-42"), 404),
            ("Research - EU", Some("agent:research---eu:task-42"), 404),
            ("main", Some("task-42"), 200),
        ] {
            let answer = gateway.call(&json!({"tool": "t_echo", "agentId": agent, "sessionKey": key}));
            assert_eq!(answer.status, status, "{dialect} {agent} {key:?}: {}", answer.body);
        }
    }
}
