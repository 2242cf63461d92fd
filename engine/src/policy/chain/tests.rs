//! The parts that know no dialect: patterns and session keys. What a chain decides is tested with the shipped dialects, in
//! `policies/tests`.

use cedar_policy::PolicySet;
use serde_json::json;

use super::{CatalogTool, Chain, PolicyDocument, StepKind, names::is_like, session_key};
use crate::dialect::ChainRules;

fn rules(agent_prefix_any_case: bool) -> ChainRules {
    let thread_marks = ["thread", "topic"].map(str::to_owned).to_vec();
    ChainRules { agent_prefix_any_case, thread_marks, ..ChainRules::default() }
}

#[test]
fn a_star_stands_for_any_characters_and_nothing_else_does() {
    let table = [
        ("web_search", "web_search", true),
        ("web_search", "web_searchx", false),
        ("*", "", true),
        ("***", "x", true),
        ("web_*", "web_", true),
        ("*_list", "agents_list", true),
        ("*_list", "_lists", false),
        ("s*s*t", "sessions_list", true),
        ("a*a", "a", false),
        ("a*a", "aa", true),
        ("ab*ba", "aba", false),
        ("*ab*ab*", "aab", false),
        ("*ab*ab*", "abab", true),
        ("web?", "webs", false),
        ("w[e]b", "web", false),
        ("工*", "工具", true),
    ];
    for (pattern, text, wanted) in table {
        assert_eq!(is_like(pattern, text), wanted, "{pattern} {text}");
    }
}

#[test]
fn a_session_key_says_whose_it_is_and_which_group() {
    let rules = rules(false);
    let table: [(&str, Option<&str>, Option<(&str, &str)>, bool); 22] = [
        ("", None, None, false),
        ("global", None, None, false),
        ("agent:rhea", None, None, false),
        ("agent:rhea:main", Some("rhea"), None, false),
        ("::agent::Rhea::main", Some("Rhea"), None, false),
        ("Agent:rhea:main", None, None, false),
        ("agent:rhea:slack:group:C0", Some("rhea"), Some(("slack", "C0")), false),
        ("slack:channel:a:B:c", None, Some(("slack", "a:B:c")), false),
        ("slack:channel::a::b", None, Some(("slack", "a:b")), false),
        ("slack:Group:C0", None, None, false),
        ("slack:group:", None, None, false),
        ("agent:rhea:slack:group:C0:thread:1:THREAD:2", Some("rhea"), Some(("slack", "C0:thread:1")), false),
        ("agent:rhea:slack:group:-1:topic:7", Some("rhea"), Some(("slack", "-1")), false),
        ("agent:rhea:thread:1", Some("rhea"), None, false),
        ("agent:thread:1:slack:group:C0", Some("thread"), None, false),
        ("agent: :thread:1", Some(" "), None, false),
        ("agent:rhea:  :topic:1:slack:group:C0", Some("rhea"), None, false),
        ("slack:group: :", None, None, false),
        ("agent:rhea:subagent:7f", Some("rhea"), None, true),
        ("SubAgent:x", None, None, true),
        ("agent:rhea:subagents:7f", Some("rhea"), None, false),
        ("agent:rhea:subagent:slack:group:C0", Some("rhea"), Some(("slack", "C0")), true),
    ];
    for (key, agent, group, is_subagent) in table {
        let parts = session_key::read(key, &rules);
        let found = parts.group.map(|group| (group.channel.to_owned(), group.id().into_owned()));
        assert_eq!(parts.agent, agent, "{key}");
        assert_eq!(found.as_ref().map(|(channel, id)| (channel.as_str(), id.as_str())), group, "{key}");
        assert_eq!(parts.is_subagent, is_subagent, "{key}");
    }
    assert_eq!(session_key::read("AGENT:rhea:main", &self::rules(true)).agent, Some("rhea"));
}

#[test]
fn identifiers_are_compared_in_one_form() {
    let long = "x".repeat(80);
    let table = [
        ("rhea", "rhea"),
        (" RHEA ", "rhea"),
        ("Ops Team!", "ops-team"),
        ("--a--", "a"),
        ("a--", "a--"),
        ("Research - EU", "research---eu"),
        ("", "main"),
        ("!!!", "main"),
        ("é", "main"),
        (&long, &long[..64]),
    ];
    for (text, wanted) in table {
        assert_eq!(session_key::normalised_id(text, "main"), wanted, "{text}");
    }
}

#[test]
fn keys_of_any_length_and_alphabet_have_a_meaning_or_none() {
    let rules = rules(true);
    for piece in ["agent:", ":", "thread:", "agent:a:slack:group:", "工具", "\0\n", "subagent:"] {
        let key = piece.repeat(100_000 / piece.len());
        let parts = session_key::read(&key, &rules);
        assert!(parts.group.is_none_or(|group| group.id().len() <= key.len()));
    }
}

#[test]
fn the_compiled_text_is_the_whole_set_and_names_its_sources() {
    let rules = rules(true);
    let nasty = "a\"; permit (principal, action, resource); //\n\0工";
    let document = json!({
        "tools": {"allow": ["image"], "deny": [nasty]},
        "agents": {"list": [{"id": "rhea", "tools": {"deny": ["tts"]}}]},
        "channels": {nasty: {"groups": {nasty: {"tools": {"deny": [nasty]}}}}},
    });
    let document = PolicyDocument::from_value(&document, &rules).unwrap();
    let catalog = [CatalogTool { name: nasty, namespace: None }, CatalogTool { name: "tts", namespace: None }];
    let chain = Chain::compile(document, &rules, &catalog).unwrap();
    let text = chain.cedar_text().unwrap();
    let parsed: PolicySet = text.parse().unwrap_or_else(|error| panic!("{error}: {text}"));
    let mut ids: Vec<&str> = parsed.policies().map(|policy| policy.annotation("id").unwrap()).collect();
    let sources = chain.source_map();
    let mut wanted: Vec<&str> = sources.iter().map(|(id, _)| id.as_str()).collect();
    ids.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(ids, wanted);
    assert!(parsed.policies().all(|policy| policy.effect() == cedar_policy::Effect::Forbid), "{text}");
    assert!(text.contains("// agents.list[0].tools.deny\n"), "{text}");
}

#[test]
fn the_identifier_of_every_policy_says_of_which_step_it_is() {
    let rules = ChainRules {
        profiles: [("minimal".to_owned(), Some(vec!["read".to_owned()]))].into(),
        owner_only: vec!["exec".to_owned()],
        http_deny: vec!["exec".to_owned()],
        ..ChainRules::default()
    };
    let lists = json!({"allow": ["read"], "deny": ["exec"]});
    let by_provider = json!({
        "profile.deny": {"profile": "minimal", "allow": ["read"], "deny": ["exec"]},
        "p": {"profile": "minimal", "allow": ["read"], "deny": ["exec"]},
    });
    let tools = json!({"profile": "minimal", "allow": ["read"], "deny": ["exec"], "byProvider": by_provider});
    let mut everybody = tools.clone();
    everybody["subagents"] = json!({"tools": lists});
    let groups = json!({"a,b.tools.profile": {"tools": lists}, "c": {"tools": lists}});
    let document = json!({
        "tools": everybody,
        "agents": {"list": [{"id": "deny", "tools": tools}, {"id": "allow", "tools": tools}]},
        "channels": {"x y": {"groups": groups}, "telegram": {"groups": groups}},
        "gateway": {"tools": {"deny": ["exec"]}},
    });
    let document = PolicyDocument::from_value(&document, &rules).unwrap();
    let catalog = ["read", "exec"].map(|name| CatalogTool { name, namespace: None });
    let chain = Chain::compile(document, &rules, &catalog).unwrap();
    let mut found = std::collections::BTreeSet::new();
    for step in &chain.plan.steps {
        for list in step.lists() {
            assert_eq!(StepKind::of_policy(&list.id), Some(step.kind), "{}", list.id);
            found.insert(step.kind);
        }
    }
    assert_eq!(found.into_iter().collect::<Vec<_>>(), StepKind::ALL, "a policy of every kind was looked at");
    for id in
        ["", "tools", "tools.x.deny", "agents.deny", "agents.a.b.deny", "channels", "channelsx.deny", "base.permit"]
    {
        assert_eq!(StepKind::of_policy(id), None, "{id}");
    }
}
