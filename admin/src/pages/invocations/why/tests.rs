use serde_json::json;

use super::*;
use crate::kit::Block;

fn html(page: &Page) -> String {
    page.blocks.iter().map(Block::to_string).collect()
}

#[test]
fn every_step_is_shown_with_the_key_that_decided() {
    let explanation = json!({
        "decision": "deny", "determining": ["tools.deny"], "reason": null, "code": null, "faults": [],
        "policy_version": "0123456789abcdef",
        "chain": {"agent": "a", "tool": "acme/left", "steps": [
            {"step": "tools", "kind": "global", "verdict": "denied", "key": "tools.deny", "entry": "left",
             "allow_lists": [], "dropped": null, "policies": ["tools.deny"], "tools_left": 3},
            {"step": "agents.a", "kind": "agent", "verdict": "not_allowed", "key": null, "entry": null,
             "allow_lists": ["agents.a.allow", "agents.a.alsoAllow"], "dropped": "agents.a.more", "policies": [],
             "tools_left": 0},
        ]},
    });
    let page = html(&explained(Page::new("why"), &explanation));
    for shown in ["tools.deny", "acme/left", "agents.a.allow, agents.a.alsoAllow", "agents.a.more", "0123456789abcdef"]
    {
        assert!(page.contains(shown), "{shown}: {page}");
    }
}

#[test]
fn a_decision_without_a_chain_says_so() {
    let explanation = json!({"decision": "allow", "determining": ["base.permit"], "chain": null});
    let page = html(&explained(Page::new("why"), &explanation));
    assert!(page.contains(&t("invocations-no-chain")) && page.contains("base.permit"), "{page}");
}
