use engine::gateway::context::Hints;

use super::*;

#[test]
fn what_was_explained_is_a_case_that_says_the_same() {
    let question = Question {
        surface: Surface::Gateway,
        tool: "web_fetch".to_owned(),
        caller: Asker::Account("ops@example.com".to_owned()),
        session_key: Some("agent:research:main".to_owned()),
        agent_id: None,
        hints: Hints { channel: Some("slack".to_owned()), ..Hints::default() },
        is_owner: true,
        at_us: 1_800_014_400_000_000,
    };
    let decision = Decision {
        allowed: false,
        determining: vec!["tools.deny".into()],
        reason: None,
        code: None,
        faults: Vec::new(),
    };
    let cases = PolicyCase::read_all(&text_of(&question, &decision)).unwrap();
    let wanted = PolicyCase {
        says: None,
        surface: Surface::Gateway,
        tool: "web_fetch".to_owned(),
        session_key: Some("agent:research:main".to_owned()),
        agent_id: None,
        channel: Some("slack".to_owned()),
        account_id: None,
        is_owner: Some(true),
        caller: Asker::Account("ops@example.com".to_owned()),
        at_us: Some(1_800_014_400_000_000),
        is_allowed: false,
        by: Some(vec!["tools.deny".to_owned()]),
    };
    assert_eq!(cases, [wanted]);
}

#[test]
fn the_example_is_a_case() {
    let cases = PolicyCase::read_all(EXAMPLE).unwrap();
    assert_eq!((cases.len(), cases[0].is_allowed, cases[0].agent_id.as_deref()), (1, false, Some("research")));
}
