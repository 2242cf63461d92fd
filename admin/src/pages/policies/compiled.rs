//! What a policy becomes: the document and its Cedar policies, each linked with the other.

use std::collections::BTreeMap;

use engine::{
    document::written::{Position, Written},
    policy::{
        PolicyText,
        chain::{Chain, ChainPolicy, normalised_agent},
    },
};
use serde_json::Value;

use crate::{
    kit::{Block, Code, Heading, Link, Notice, Pane, PaneLine, Panes, Tone},
    text::{said::Said as _, t, t_with},
};

/// Most lines of one pane.
const LINES_SHOWN: usize = 4_000;

/// The document without what it becomes: it cannot be used as it is.
pub(super) fn text_alone(text: &PolicyText) -> Vec<Block> {
    let document = Code { caption: t("policies-text"), text: text.chain.clone(), is_copied: true };
    let mut out = vec![Heading::new(t("policies-text")).into(), document.into()];
    out.extend(operator(text));
    out
}

/// Both, beside each other.
pub(super) fn both(text: &PolicyText, chain: &Chain) -> Vec<Block> {
    let policies = match chain.cedar_policies() {
        Ok(policies) => policies,
        Err(error) => {
            let mut out = text_alone(text);
            out.insert(0, Notice::new(Tone::Bad, error.said()).into());
            return out;
        }
    };
    let mut out: Vec<Block> = vec![Heading::new(t("policies-compiled")).into()];
    let panes = linked(&text.chain, &policies);
    if panes.panes.iter().any(|pane| pane.lines.len() >= LINES_SHOWN) {
        let count = i64::try_from(LINES_SHOWN).unwrap_or(i64::MAX);
        out.push(Notice::new(Tone::Warn, t_with("policies-compiled-cut", &[("count", count.into())])).into());
    }
    out.push(panes.into());
    out.extend(operator(text));
    out
}

fn operator(text: &PolicyText) -> Option<Block> {
    let has_any = !text.operator.trim().is_empty();
    has_any.then(|| Code { caption: t("policies-operator"), text: text.operator.clone(), is_copied: true }.into())
}

/// The line of the document in which the value with this path stands, as an anchor of the page of its version.
pub(super) fn anchor(position: Position) -> String {
    format!("t{}", position.line)
}

/// Every Cedar policy with links to the keys that it came from, and every key with links to its policies.
fn linked(document: &str, policies: &[ChainPolicy]) -> Panes {
    let places =
        Written::parse(document).map(|written| (written.places(), agents(written.value()))).unwrap_or_default();
    let mut from_lines: BTreeMap<usize, Vec<Link>> = BTreeMap::new();
    let mut cedar = Vec::new();
    for (number, policy) in policies.iter().enumerate() {
        let own = format!("c{number}");
        let mut head = PaneLine::new(own.clone(), format!("// {}", policy.keys.join(", ")));
        let mut found: Vec<(String, Position)> =
            policy.keys.iter().filter_map(|key| Some((key.clone(), *places.0.get(key)?))).collect();
        found.extend(profile(policy, &places));
        for (key, place) in found {
            head.links.push(Link::new(format!("↑ {key}"), format!("#{}", anchor(place))));
            let link = Link::new(format!("→ {}", policy.id.as_str()), format!("#{own}"));
            from_lines.entry(place.line).or_default().push(link);
        }
        cedar.push(head);
        cedar.extend(policy.text.lines().map(|line| PaneLine::new("", line)));
        cedar.push(PaneLine::default());
    }
    let line = |(number, text): (usize, &str)| PaneLine {
        id: format!("t{number}"),
        text: text.to_owned(),
        links: from_lines.remove(&number).unwrap_or_default(),
    };
    let pane = |caption: String, lines: Vec<PaneLine>| Pane { caption, lines };
    let mut lines: Vec<PaneLine> = (1..).zip(document.lines()).map(line).collect();
    lines.truncate(LINES_SHOWN);
    cedar.truncate(LINES_SHOWN);
    Panes { panes: vec![pane(t("policies-text"), lines), pane(t("policies-cedar"), cedar)] }
}

/// Under which key of the document each agent is listed, by what the chain's steps call it.
fn agents(document: &Value) -> BTreeMap<String, String> {
    let list = document.get("agents").and_then(|agents| agents.get("list")).and_then(Value::as_array);
    let agents = list.into_iter().flatten().enumerate();
    let named = agents.filter_map(|(index, agent)| {
        let id = normalised_agent(agent.get("id")?.as_str()?);
        Some((format!("agents.{id}."), format!("agents.list[{index}].")))
    });
    named.collect()
}

/// Where the name of a profile stands that a policy came from: the list itself is the dialect's.
fn profile(
    policy: &ChainPolicy,
    places: &(BTreeMap<String, Position>, BTreeMap<String, String>),
) -> Option<(String, Position)> {
    let id = Some(policy.id.as_str()).filter(|id| id.ends_with(".profile"))?;
    let (places, agents) = places;
    let agent = agents.iter().find_map(|(step, key)| Some(format!("{key}{}", id.strip_prefix(step.as_str())?)));
    let key = agent.unwrap_or_else(|| id.to_owned());
    places.get(&key).map(|place| (key, *place))
}

#[cfg(test)]
mod tests;
