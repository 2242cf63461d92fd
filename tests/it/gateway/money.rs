//! Priced tools, idempotency keys, records, and the tools that are answered from our own data.

use serde_json::{Value, json};
use tests::{
    patience::Ends as _,
    patience::wait_until,
    program::{Answer, folder, tollgate},
};

use super::{Gateway, TOKEN, is_error};
use crate::{gateway_cases::fixture, rows};

const ALICE: &str = "faro_alice-00000000";
const BOB: &str = "faro_bob-0000000000";

/// A priced core tool, a priced tool of a namespace, and two accounts that pay: Bob's for the agent `research` alone.
fn config(upstream: &tests::upstream::Upstream, billing: &Value) -> Value {
    let mut config = fixture::config(&json!({"gateway": {"auth": {"token": TOKEN}}}), "fased", upstream);
    let priced = |name: &str| {
        json!({
            "name": name, "input_schema": {"type": "object"},
            "upstream": {"kind": "http", "url": upstream.url(&format!("/{name}"))},
            "pricing": {"pricing_mode": "fixed_per_request", "fixed_credit_cost": 50},
        })
    };
    config["allow_fixture_secrets"] = json!(true);
    config["catalog"]["core_tools"].as_array_mut().unwrap().push(priced("dear"));
    config["catalog"]["publishers"][0]["namespaces"][0]["tools"].as_array_mut().unwrap().push(priced("dear_note"));
    config["catalog"]["accounts"] = json!([
        {"email": "alice@example.com", "verified": true, "grant_credits": 1000, "tokens": [{"name": "cli", "token": ALICE}]},
        {"email": "bob@example.com", "verified": true, "grant_credits": 20, "tokens": [{"name": "cli", "token": BOB}]},
    ]);
    if billing.is_object() {
        config["gateway"]["billing"] = billing.clone();
    }
    config
}

#[test]
fn priced_tools_are_charged_to_the_account_of_the_agent() {
    let upstream = fixture::upstream();
    let folder = folder();
    let billing = json!({"account": "alice@example.com", "agents": {"Research": "bob@example.com"}});
    let gateway = Gateway::start_with(folder.path(), &config(&upstream, &billing), &[]);

    let paid = gateway.call(&json!({"tool": "dear", "args": {"q": 1}}));
    assert_eq!(paid.json, json!({"ok": true, "result": {"tool": "dear", "args": {"q": 1}}}), "{}", paid.body);
    assert_eq!(paid.header("x-tollgate-credits-charged"), Some("50"));
    assert_eq!(paid.header("x-tollgate-credits-remaining"), Some("950"));
    let of_namespace = gateway.call(&json!({"tool": "acme/dear_note"}));
    assert_eq!(of_namespace.header("x-tollgate-credits-remaining"), Some("900"), "{}", of_namespace.body);
    let free = gateway.call(&json!({"tool": "t_echo"}));
    assert_eq!(free.header("x-tollgate-credits-charged"), Some("0"));

    let poor = gateway.call(&json!({"tool": "dear", "sessionKey": "agent:research:main"}));
    assert!(is_error(&poor, 402, "payment_required"), "{}", poor.body);
    let said = poor.json["error"]["message"].as_str().unwrap();
    assert!(said.contains("50 credits") && said.contains("leaves 20") && said.contains("`research`"), "{said}");
    assert_eq!(upstream.count("/dear"), 1);

    // Whoever pays sees the call, whoever does not sees nothing.
    let id = paid.header("x-tollgate-invocation-id").unwrap();
    let look = |token: &str, id: &str| {
        gateway.send("GET", &format!("/invocations/{id}"), &[("authorization", &format!("Bearer {token}"))], "")
    };
    assert_eq!((look(ALICE, id).json["state"].clone(), look(BOB, id).status), (json!("succeeded"), 404));

    // The publisher's share of a namespace's tool, and nobody's of a core tool: grants, 2 postings, 1 posting.
    let verified = tollgate(folder.path(), &["ledger", "verify", "--json"]).ended().unwrap();
    let report: Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert_eq!((&report["ok"], &report["postings"]), (&json!(true), &json!(2 + 2 + 1)), "{report}");
}

#[test]
fn nobody_is_charged_where_nobody_is_set_to_pay() {
    let upstream = fixture::upstream();
    let folder = folder();
    let gateway = Gateway::start_with(folder.path(), &config(&upstream, &Value::Null), &[]);
    let refused = gateway.call(&json!({"tool": "dear"}));
    assert!(is_error(&refused, 402, "payment_required"), "{}", refused.body);
    assert!(refused.json["error"]["message"].as_str().unwrap().contains("gateway.billing"));
    assert_eq!((upstream.count("/dear"), gateway.call(&json!({"tool": "t_echo"})).status), (0, 200));
}

#[test]
fn a_key_is_carried_out_once_in_its_session_free_or_paid() {
    let upstream = fixture::upstream();
    let folder = folder();
    let settings = config(&upstream, &json!({"account": "alice@example.com"}));
    let gateway = Gateway::start_with(folder.path(), &settings, &[]);
    for (tool, charged) in [("dear", "50"), ("t_echo", "0")] {
        let body = json!({"tool": tool, "args": {"a": 1}, "idempotencyKey": format!("k-{tool}")});
        let path = format!("/{tool}");
        let first = gateway.call(&body);
        assert_eq!((first.status, first.header("x-tollgate-credits-charged")), (200, Some(charged)), "{}", first.body);
        let again = gateway.call(&body);
        assert_eq!((again.header("idempotent-replayed"), &again.body), (Some("true"), &first.body));
        assert_eq!((again.header("x-tollgate-credits-charged"), upstream.count(&path)), (Some("0"), 1));
        let mut other = body.clone();
        other["args"] = json!({"a": 2});
        assert!(is_error(&gateway.call(&other), 409, "idempotency_key_reused"));
        let mut elsewhere = body.clone();
        elsewhere["sessionKey"] = json!("agent:main:other");
        assert_eq!((gateway.call(&elsewhere).header("idempotent-replayed"), upstream.count(&path)), (None, 2));
    }
    // A failure frees the key.
    let failing = json!({"tool": "t_fail", "args": {"mode": "input"}, "idempotencyKey": "k-fail"});
    for _ in 0..2 {
        assert!(is_error(&gateway.call(&failing), 400, "tool_error"));
    }
    assert_eq!(upstream.count("/t_fail"), 2);
    assert!(is_error(&gateway.call(&json!({"tool": "t_echo", "idempotencyKey": 5})), 400, "invalid_request"));
}

#[test]
fn denied_and_unknown_calls_are_recorded() {
    let upstream = fixture::upstream();
    let folder = folder();
    let mut settings = config(&upstream, &json!({"account": "alice@example.com"}));
    settings["tools"] = json!({"deny": ["tts"]});
    let gateway = Gateway::start_with(folder.path(), &settings, &[]);
    for (tool, state) in [("tts", "denied"), ("cron", "denied"), ("nothing", "invalid")] {
        let answer = gateway.call(&json!({"tool": tool}));
        assert!(is_error(&answer, 404, "not_found"), "{tool}: {}", answer.body);
        let id = answer.header("x-tollgate-invocation-id").unwrap();
        let look = || {
            let bearer = format!("Bearer {ALICE}");
            let seen = gateway.send("GET", &format!("/invocations/{id}"), &[("authorization", &bearer)], "");
            (seen.status == 200).then_some(seen)
        };
        // Records of what moved no money follow behind the answer.
        let (seen, _) = wait_until("the record of a refused call", look);
        assert_eq!(seen.json["state"], json!(state), "{tool}: {}", seen.body);
    }
}

/// The gateway tells nobody why: there, what is denied looks like what is not there. Whoever pays for its calls could read
/// the reason in the record instead.
#[test]
fn why_the_gateway_denied_a_call_is_not_told_to_whoever_pays() {
    const REASON: &str = "Quinces are for the winter.";
    let upstream = fixture::upstream();
    let folder = folder();
    let policy = format!(
        "@id(\"market.quince\") @code(\"policy_denied\") @reason(\"{REASON}\")\n\
         forbid (principal, action in Action::\"invoke\", resource) when {{ resource.name == \"acme/dear_note\" }};"
    );
    std::fs::write(folder.path().join("quince.cedar"), policy).unwrap();
    let mut settings = config(&upstream, &json!({"account": "alice@example.com"}));
    settings["operator_policies"] = json!("quince.cedar");
    let gateway = Gateway::start_with(folder.path(), &settings, &[]);
    let bearer = format!("Bearer {ALICE}");
    let headers = [("authorization", bearer.as_str())];
    // Records of what moved no money follow behind the answer.
    let record_of = |answer: &Answer| {
        let id = answer.header("x-tollgate-invocation-id").unwrap();
        let look = || {
            let seen = gateway.send("GET", &format!("/invocations/{id}"), &headers, "");
            (seen.status == 200).then_some(seen)
        };
        wait_until("the record of a denied call", look).0
    };

    let by_gateway = gateway.call(&json!({"tool": "acme/dear_note"}));
    assert!(is_error(&by_gateway, 404, "not_found") && !by_gateway.body.contains("Quinces"), "{}", by_gateway.body);
    let seen = record_of(&by_gateway);
    let decision = &seen.json["explanation"]["decision"];
    assert_eq!((&seen.json["state"], &decision["is_allowed"]), (&json!("denied"), &json!(false)), "{}", seen.body);
    assert_eq!(decision["reason"], Value::Null, "{}", seen.body);
    for word in ["Quinces", "market.quince"] {
        assert!(!seen.body.contains(word), "{}", seen.body);
    }
    // What is not told is known all the same, to operators.
    let recorded = || {
        let sql = "SELECT explanation FROM invocation WHERE explanation IS NOT NULL";
        rows::in_file(&folder.path().join("data/tollgate.db"), sql).concat()
    };
    assert!(recorded().iter().all(|explanation| explanation.contains(REASON)) && recorded().len() == 1);

    // The same policy denies the same tool to the same account where callers are told.
    let by_account = gateway.send("POST", "/invoke/acme/dear_note", &headers, "{}");
    assert_eq!((by_account.status, &by_account.json["detail"]), (403, &json!(REASON)), "{}", by_account.body);
    let seen = record_of(&by_account);
    assert_eq!(seen.json["explanation"]["decision"]["reason"], json!(REASON), "{}", seen.body);
    assert!(!seen.body.contains("market.quince"), "{}", seen.body);
}

#[test]
fn builtin_tools_answer_from_real_data() {
    let upstream = fixture::upstream();
    let folder = folder();
    let agents = json!({"list": [{"id": "ops", "tools": {"allow": ["t_echo", "agents_list", "sessions_list", "session_status"]}}, {"id": "desk", "default": true}]});
    let given = json!({"gateway": {"auth": {"token": TOKEN}}, "agents": agents});
    let mut settings = fixture::config(&given, "fased", &upstream);
    let builtin = ["sessions_list", "session_status", "agents_list"];
    let core = settings["catalog"]["core_tools"].as_array_mut().unwrap();
    core.retain(|tool| !builtin.contains(&tool["name"].as_str().unwrap()));
    let gateway = Gateway::start_with(folder.path(), &settings, &[]);

    for _ in 0..2 {
        assert_eq!(gateway.call(&json!({"tool": "t_echo", "sessionKey": "agent:ops:slack:group:C1"})).status, 200);
    }
    let listed = gateway.call(&json!({"tool": "sessions_list"}));
    let sessions = &listed.json["result"]["sessions"];
    assert_eq!(listed.json["result"]["count"], json!(2), "{}", listed.body);
    assert_eq!((&sessions[0]["key"], &sessions[0]["calls"]), (&json!("agent:desk:main"), &json!(1)));
    assert_eq!((&sessions[1]["agentId"], &sessions[1]["kind"]), (&json!("ops"), &json!("group")));
    assert_eq!(sessions[1]["calls"], json!(2));
    let status = gateway.call(&json!({"tool": "session_status", "sessionKey": "agent:ops:slack:group:C1"}));
    assert_eq!(status.json["result"]["calls"], json!(3), "{}", status.body);
    let unknown = gateway.call(&json!({"tool": "session_status", "args": {"sessionKey": "agent:no:body"}}));
    assert!(is_error(&unknown, 400, "tool_error"), "{}", unknown.body);
    let found = gateway.call(&json!({"tool": "agents_list"}));
    let agents = &found.json["result"]["agents"];
    assert_eq!(
        agents[0]["tools"],
        json!(["agents_list", "session_status", "sessions_list", "t_echo"]),
        "{}",
        found.body
    );
    assert_eq!((&agents[1]["id"], &agents[1]["default"]), (&json!("desk"), &json!(true)));
    let wrong = gateway.call(&json!({"tool": "sessions_list", "args": {"limit": 0}}));
    assert!(is_error(&wrong, 400, "tool_error"), "{}", wrong.body);
}
