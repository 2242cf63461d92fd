use serde_json::json;

use super::*;
use crate::dialect::ChannelLookup;

fn rules() -> ChainRules {
    let slack = ChannelLookup { entries: Some("channels".to_owned()), guilds: None, id_ends_at_colon: false };
    ChainRules {
        has_also_allow: true,
        has_tools_by_sender: true,
        http_deny: vec!["exec".to_owned()],
        owner_only: vec!["gateway".to_owned()],
        channels: [("slack".to_owned(), slack)].into(),
        ..ChainRules::default()
    }
}

fn document() -> Value {
    json!({
        "tools": {"profile": "coding", "deny": ["exec", 5], "byProvider": {"a/b": {"profile": "full", "allow": ["*"]}}},
        "agents": {"list": [{"id": "Main"}, {"id": "research", "tools": {"deny": ["web_fetch"]}}, "crooked"]},
        "channels": {
            "slack": {
                "groups": {"g": {"tools": {"deny": ["x"]}, "toolsBySender": {"*": {"deny": ["y"]}}}},
                "channels": {"c": {}},
                "accounts": {"second": {"groups": {"h": {}}}},
            },
            "odd": 7,
        },
        "gateway": {"tools": {"allow": ["exec"]}},
    })
}

#[test]
fn the_lanes_stand_in_the_order_of_the_steps() {
    let lanes = lanes(&document(), &rules());
    let shown: Vec<String> =
        lanes.iter().map(|lane| format!("{} {} {}", lane.kind.as_str(), lane.path, lane.agent)).collect();
    let wanted = [
        "profile tools ",
        "profile agents.list[0].tools main",
        "profile agents.list[1].tools research",
        "provider_profile tools.byProvider.a/b ",
        "global tools ",
        "global_provider tools.byProvider.a/b ",
        "agent agents.list[0].tools main",
        "agent agents.list[1].tools research",
        "group channels.slack.groups.g.tools ",
        "group channels.slack.groups.g.toolsBySender.* ",
        "group channels.slack.channels.c.tools ",
        "group channels.slack.accounts.second.groups.h.tools ",
        "subagent tools.subagents.tools ",
        "owner  ",
        "http gateway.tools ",
    ];
    assert_eq!(shown, wanted);
    let chosen = |at: usize| lanes[at].profile.as_ref().and_then(|profile| profile.chosen.as_deref());
    assert_eq!((chosen(0), chosen(1), chosen(3)), (Some("coding"), None, Some("full")));
    let global: Vec<_> = lanes[4].lists.iter().map(|list| (list.name, list.entries.clone())).collect();
    let deny = vec!["exec".to_owned(), String::new()];
    assert_eq!(global, [("allow", None), ("alsoAllow", None), ("deny", Some(deny))]);
    assert_eq!(lanes[14].lists.iter().map(|list| list.name).collect::<Vec<_>>(), ["allow", "deny"]);
    assert_eq!((&lanes[13].built_in, &lanes[14].built_in), (&vec!["gateway".to_owned()], &vec!["exec".to_owned()]));
}

#[test]
fn a_dialect_without_a_list_shows_none() {
    let lanes = lanes(&json!({}), &ChainRules::default());
    assert_eq!(
        lanes.iter().map(|lane| lane.kind.as_str()).collect::<Vec<_>>(),
        ["profile", "global", "subagent", "http"]
    );
    assert!(lanes.iter().flat_map(|lane| &lane.lists).all(|list| list.name != ALSO_ALLOW && list.entries.is_none()));
}

const TEXT: &str = "{\n  // of the house\n  tools: {deny: ['exec', 'web'], profile: 'coding'},\n}\n";

fn tools() -> DocumentPath {
    DocumentPath::default().key("tools")
}

fn after(change: &LaneEdit) -> Result<String, LaneEditProblem> {
    let edited = edit_lane(TEXT, change)?;
    assert!(edited.keeps_comments);
    Ok(edited.text)
}

#[test]
fn a_form_changes_the_text_at_one_place() {
    let deny = tools().key("deny");
    let add = |entry: &str| after(&LaneEdit::Add { list: deny.clone(), entry: entry.to_owned() });
    assert_eq!(add(" fs "), Ok(TEXT.replace("'web']", "'web', \"fs\"]")));
    assert_eq!(add("web"), Err(LaneEditProblem::There("web".to_owned())));
    assert_eq!(add(" "), Err(LaneEditProblem::Nothing));
    assert_eq!(add(&"x".repeat(257)), Err(LaneEditProblem::TooLong));
    let remove = |index, entry: &str| after(&LaneEdit::Remove { list: deny.clone(), index, entry: entry.to_owned() });
    assert_eq!(remove(0, "exec"), Ok(TEXT.replace("'exec', ", "")));
    assert_eq!(remove(0, "web"), Ok(TEXT.replace(", 'web'", "")), "the list has changed by hand");
    assert_eq!(remove(0, "fs"), Err(LaneEditProblem::Gone("fs".to_owned())));
    let profile = |name: &str| after(&LaneEdit::Profile { path: tools().key("profile"), name: name.to_owned() });
    assert_eq!(profile("full"), Ok(TEXT.replace("'coding'", "\"full\"")));
    assert_eq!(profile(""), Ok(TEXT.replace(", profile: 'coding'", "")));
}

#[test]
fn a_form_makes_room_for_lists() {
    let text = after(&LaneEdit::Agent("Research".to_owned())).unwrap();
    let text = edit_lane(&text, &LaneEdit::Group("slack/C1".to_owned())).unwrap().text;
    let provider = LaneEdit::Provider { tools: tools(), name: "anthropic".to_owned() };
    let text = edit_lane(&text, &provider).unwrap().text;
    assert!(text.contains("// of the house"), "{text}");
    let value = Written::parse(&text).unwrap().value().clone();
    assert_eq!(value["agents"], json!({"list": [{"id": "Research"}]}));
    assert_eq!(value["channels"], json!({"slack": {"groups": {"C1": {"tools": {}}}}}));
    assert_eq!(value["tools"]["byProvider"], json!({"anthropic": {}}));
    for again in [LaneEdit::Agent("research".to_owned()), LaneEdit::Group("slack/C1".to_owned()), provider] {
        assert!(matches!(edit_lane(&text, &again), Err(LaneEditProblem::There(_))), "{again:?}");
    }
    assert_eq!(edit_lane(&text, &LaneEdit::Group("C1".to_owned())), Err(LaneEditProblem::NoChannel));
    assert!(matches!(edit_lane("{", &LaneEdit::Agent("a".to_owned())), Err(LaneEditProblem::Text(_))));
}
