use super::*;
use crate::{catalog::ArgumentSchema, json};

fn ask(builtin: Builtin, arguments: &str) -> Result<Value, String> {
    let mut seen = SeenSessions::default();
    let of = |key: &str, agent: &str| Session::new(key.to_owned(), agent.to_owned());
    seen.note(&of("agent:a:main", "a"), None, 1_000);
    seen.note(&of("agent:b:slack:group:C1", "b"), Some("slack"), 2_000_500);
    seen.note(&of("agent:a:main", "a"), None, 3_000_000);
    let settings =
        SessionSettings::from_sections(&json!({}), &json!({"list": [{"id": "a"}, {"id": "b", "default": true}]}));
    let tools_of = |agent: &str| vec![format!("tool_of_{agent}")];
    let facts =
        BuiltinFacts { seen: &seen, settings: &settings, session: &of("agent:a:main", "a"), tools_of: &tools_of };
    let parsed = json::parse(arguments).unwrap();
    ArgumentSchema::compile(builtin.input_schema()).unwrap().validate(&parsed).unwrap();
    builtin.answer(&parsed, &facts).map(|text| serde_json::from_str(&text).unwrap())
}

#[test]
fn sessions_are_listed_with_their_last_use() {
    let main = json!({
        "key": "agent:a:main", "agentId": "a", "kind": "main", "channel": null, "createdAt": 1, "updatedAt": 3000,
        "calls": 2,
    });
    let group = json!({
        "key": "agent:b:slack:group:C1", "agentId": "b", "kind": "group", "channel": "slack", "createdAt": 2000,
        "updatedAt": 2000, "calls": 1,
    });
    for (arguments, sessions) in [
        ("{}", vec![&main, &group]),
        (r#"{"limit": 1}"#, vec![&main]),
        (r#"{"kinds": ["group"]}"#, vec![&group]),
        (r#"{"kinds": ["cron"], "other": 1}"#, vec![]),
    ] {
        let answer = ask(Builtin::SessionsList, arguments).unwrap();
        assert_eq!(answer, json!({"count": sessions.len(), "sessions": sessions}), "{arguments}");
    }
    for arguments in ["{}", r#"{"sessionKey": "main"}"#, r#"{"sessionKey": "agent:a:main"}"#] {
        assert_eq!(ask(Builtin::SessionStatus, arguments).unwrap(), main, "{arguments}");
    }
    assert!(ask(Builtin::SessionStatus, r#"{"sessionKey": "agent:c:main"}"#).is_err());
}

#[test]
fn agents_are_listed_with_their_tools() {
    let expected = json!({"requester": "a", "agents": [
        {"id": "a", "default": false, "tools": ["tool_of_a"]},
        {"id": "b", "default": true, "tools": ["tool_of_b"]},
    ]});
    assert_eq!(ask(Builtin::AgentsList, "{}").unwrap(), expected);
}
