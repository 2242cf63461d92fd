use engine::policy::PolicyChange;

use super::*;

fn html(compared: &PolicyComparison) -> String {
    blocks(compared).iter().map(ToString::to_string).collect()
}

#[test]
fn nothing_is_said_to_be_nothing() {
    assert!(html(&PolicyComparison::default()).contains("Nothing changes for anybody"));
}

#[test]
fn who_gains_and_who_loses_what_is_listed_by_agent_and_session() {
    let names = |count: usize| (0..count).map(|number| format!("tool-{number}")).collect::<Vec<_>>();
    let main = ChainDiff {
        agent: Some("research".to_owned()),
        session: SessionKind::Main,
        allowed: vec!["web_fetch".to_owned()],
        denied: Vec::new(),
    };
    let group = ChainDiff {
        agent: None,
        session: SessionKind::Group("channels.slack.groups.g.tools".to_owned()),
        allowed: Vec::new(),
        denied: names(42),
    };
    let operator = vec![("house.night".to_owned(), PolicyChange::Gone)];
    let html = html(&PolicyComparison { sessions: vec![main, group], operator });
    for part in ["research", "web_fetch", "channels.slack.groups.g.tools", "tool-39, and 2 more", "house.night", "gone"]
    {
        assert!(html.contains(part), "{part}: {html}");
    }
    assert!(!html.contains("tool-40"), "{html}");
}

#[test]
fn both_texts_are_compared_line_by_line() {
    let text = |chain: &str| PolicyText { chain: chain.to_owned(), operator: String::new() };
    let html = |old: &str, new: &str| texts(&text(old), &text(new)).iter().map(ToString::to_string).collect::<String>();
    let different = html("{\n  a: 1,\n}", "{\n  a: 2,\n}");
    assert!(different.contains("<del>-   a: 1,") && different.contains("<ins>+   a: 2,"), "{different}");
    assert!(!html("{}", "{}").contains("<ins>"));
}
