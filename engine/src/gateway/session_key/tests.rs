use serde_json::json;

use super::*;
use crate::dialect::SessionRules;

fn settings(session: Value, agents: Value) -> SessionSettings {
    SessionSettings::from_sections(&session, &agents)
}

fn request(key: Option<&str>, agent: Option<&str>) -> GatewayRequest {
    GatewayRequest {
        tool: "t".to_owned(),
        action: None,
        arguments: "{}".into(),
        session_key: key.map(str::to_owned),
        agent_id: agent.map(str::to_owned),
        key: None,
    }
}

fn dialect(any_case: bool, keyless_is_default: bool, sessions: SessionRules) -> Dialect {
    let mut dialect = super::super::tests::dialect();
    dialect.chain.agent_prefix_any_case = any_case;
    dialect.chain.keyless_is_default_agent = keyless_is_default;
    dialect.http.sessions = sessions;
    dialect
}

#[test]
fn the_main_session_follows_scope_main_key_and_default_agent() {
    let two = json!({"list": [{"id": "alfa"}, {"id": "bravo", "default": true}, {"id": "charlie", "default": true}]});
    for (session, agents, key, agent) in [
        (json!({}), json!({}), "agent:main:main", "main"),
        (json!({"mainKey": " Desk "}), json!({}), "agent:main:desk", "main"),
        (json!({"mainKey": " "}), json!({}), "agent:main:main", "main"),
        (json!({}), json!({"list": [{"id": "alfa"}, {"id": "bravo"}]}), "agent:alfa:main", "alfa"),
        (json!({}), two.clone(), "agent:bravo:main", "bravo"),
        (json!({"scope": "global", "mainKey": "desk"}), two, "global", "bravo"),
        (json!({"mainKey": "hub"}), json!({"list": [{"id": "Ops Team!"}]}), "agent:ops-team:hub", "ops-team"),
    ] {
        let settings = settings(session, agents);
        let dialect = dialect(true, false, SessionRules::default());
        for asked in [None, Some("main")] {
            let session = find_session(&settings, &dialect, &request(asked, None)).unwrap();
            assert_eq!((session.key.as_str(), session.agent.as_str()), (key, agent));
        }
    }
}

#[test]
fn any_other_key_is_taken_as_it_is() {
    let settings = settings(json!({"mainKey": "desk"}), json!({"list": [{"id": "alfa"}]}));
    for (any_case, keyless_is_default, key, agent) in [
        (true, false, "Main", "main"),
        (true, false, "desk", "main"),
        (true, true, "desk", "alfa"),
        (true, false, "agent:Bravo:Main", "bravo"),
        (true, false, "AGENT:bravo:x", "bravo"),
        (false, false, "AGENT:bravo:x", "main"),
        (true, false, "agent:bravo", "main"),
        (true, false, "agent::bravo::x", "bravo"),
        (true, false, "slack:group:C1", "main"),
        (true, false, "agent:bravo:slack:group:C1:thread:9", "bravo"),
        (true, false, "日本", "main"),
    ] {
        let dialect = dialect(any_case, keyless_is_default, SessionRules::default());
        let session = find_session(&settings, &dialect, &request(Some(key), None)).unwrap();
        assert_eq!((session.key.as_str(), session.agent.as_str()), (key, agent));
    }
}

#[test]
fn an_agent_can_be_asked_for_by_its_name_unless_the_key_says_another() {
    let settings = settings(json!({}), json!({"list": [{"id": "alfa"}, {"id": "bravo"}]}));
    let dialect = dialect(true, false, SessionRules::default());
    let find = |key, agent| find_session(&settings, &dialect, &request(key, Some(agent)));
    for (key, agent, found) in [
        (None, "Bravo", "agent:bravo:main"),
        (Some("main"), "bravo", "agent:bravo:main"),
        (Some("agent:bravo:x"), "bravo", "agent:bravo:x"),
        (None, "nobody", "agent:nobody:main"),
        (Some("task"), "bravo", "task"),
    ] {
        let session = find(key, agent).unwrap();
        let named = agent_of(&session.given, true).unwrap_or_default();
        assert_eq!((session.key.as_str(), named), (found, session.agent), "{key:?} {agent}");
    }
    let fault = find(Some("agent:alfa:x"), "bravo").unwrap_err();
    assert_eq!(fault, wrong("agent id \"bravo\" does not match session agent \"alfa\""));
}

#[test]
fn keys_can_be_canonical_reserved_or_of_known_agents_only() {
    let settings = settings(json!({}), json!({"list": [{"id": "alfa"}, {"id": "bravo"}]}));
    let rules = SessionRules { is_canonical: true, reserved: vec!["harness:".to_owned()], needs_known_agent: true };
    let dialect = dialect(true, true, rules);
    let find = |key, agent| find_session(&settings, &dialect, &request(key, agent));
    for (key, agent, found) in [
        (Some("Main"), None, "agent:alfa:main"),
        (Some("Desk"), None, "agent:alfa:desk"),
        (Some("Desk"), Some("bravo"), "agent:bravo:desk"),
        (Some("Agent:Bravo:Slack:Group:C1"), None, "agent:bravo:slack:group:c1"),
        (Some("global"), None, "global"),
    ] {
        assert_eq!(find(key, agent).unwrap().key, found, "{key:?}");
    }
    for (key, agent) in [
        (Some("agent:bravo"), None),
        (Some("agent:::"), None),
        (Some("harness:x"), None),
        (Some("agent:alfa:harness:x"), None),
        (None, Some("charlie")),
    ] {
        assert_eq!(find(key, agent).unwrap_err().kind, FailureKind::InvalidRequest, "{key:?} {agent:?}");
    }
}

#[test]
fn keys_are_bounded_and_hold_no_control_characters() {
    let settings = settings(json!({}), json!({}));
    let dialect = dialect(true, false, SessionRules::default());
    let find = |key: &str| find_session(&settings, &dialect, &request(Some(key), None));
    assert!(find(&"k".repeat(SESSION_KEY_BYTES_MAX)).is_ok());
    for key in ["k".repeat(SESSION_KEY_BYTES_MAX + 1), "a\nb".to_owned(), "a\0".to_owned(), "\u{85}x".to_owned()] {
        assert_eq!(find(&key).unwrap_err().kind, FailureKind::InvalidRequest, "{key:?}");
    }
}

#[test]
fn agents_are_compared_in_one_form() {
    for (id, normal) in [
        ("Ops Team!", "ops-team"),
        (" a ", "a"),
        ("a__b--c", "a__b--c"),
        ("-a-", "a"),
        ("!!!", "main"),
        ("", "main"),
        ("é", "main"),
        ("a..b", "a-b"),
        ("Research - EU", "research---eu"),
        ("ops-", "ops-"),
    ] {
        assert_eq!(normalised_agent(id), normal, "{id}");
    }
    assert_eq!(normalised_agent(&"x".repeat(100)).len(), 64);
}

#[test]
fn keys_tell_what_kind_of_session_it_is() {
    for (key, kind) in [
        ("global", "global"),
        ("desk", "main"),
        ("agent:a:main", "main"),
        ("agent:a:subagent:1", "subagent"),
        ("subagent:1", "subagent"),
        ("agent:a:cron:1", "cron"),
        ("agent:a:slack:group:C1", "group"),
        ("slack:channel:C1", "group"),
        ("agent:a:telegram:dm:5", "other"),
    ] {
        assert_eq!(kind_of(key), kind, "{key}");
    }
}
