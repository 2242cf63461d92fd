use super::*;

fn policy(id: &str, keys: &[&str]) -> ChainPolicy {
    ChainPolicy {
        id: id.into(),
        keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        text: "forbid (principal,\naction, resource);".to_owned(),
    }
}

#[test]
fn every_policy_leads_to_its_keys_and_every_key_to_its_policies() {
    let document = "{\n  tools: {\n    profile: 'coding',\n    deny: ['exec'],\n  },\n  agents: {list: [\n    {id: 'Main', \
                    tools: {profile: 'full'}},\n  ]},\n}";
    let policies = [
        policy("tools.profile", &["profile `coding`"]),
        policy("tools.deny", &["tools.deny"]),
        policy("agents.main.tools.profile", &["profile `full`"]),
        policy("gateway.tools.deny", &["what is denied over HTTP"]),
    ];
    let panes = linked(document, &policies);
    let [text, cedar] = panes.panes.as_slice() else { panic!("{panes:?}") };
    let links = |line: &PaneLine| line.links.iter().map(|link| link.href.clone()).collect::<Vec<_>>();
    let of_text: Vec<_> = text.lines.iter().map(links).filter(|links| !links.is_empty()).collect();
    assert_eq!(of_text, [["#c0"], ["#c1"], ["#c2"]]);
    let heads: Vec<_> = cedar.lines.iter().filter(|line| !line.id.is_empty()).collect();
    let of_cedar: Vec<_> = heads.iter().map(|line| (line.id.as_str(), links(line))).collect();
    let to = |anchor: &str| vec![anchor.to_owned()];
    assert_eq!(of_cedar, [("c0", to("#t3")), ("c1", to("#t4")), ("c2", to("#t7")), ("c3", Vec::new())]);
    assert_eq!((text.lines.len(), cedar.lines.len()), (9, 16));
}

#[test]
fn a_document_that_cannot_be_read_has_no_links() {
    let panes = linked("{", &[policy("tools.deny", &["tools.deny"])]);
    assert!(panes.panes.iter().flat_map(|pane| &pane.lines).all(|line| line.links.is_empty()));
}
