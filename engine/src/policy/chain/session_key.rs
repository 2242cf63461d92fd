//! What a session key says about a session: whose it is, which group of which channel, whether a subagent's.
//!
//! Keys are of any length and alphabet. Nothing here fails: what does not have a form has no meaning.

use std::borrow::Cow;

use crate::dialect::ChainRules;

/// Longest agent identifier, in characters.
const AGENT_ID_CHARS_MAX: usize = 64;

/// The agent of keys that name none, unless the dialect takes the default agent.
pub(super) const MAIN: &str = "main";

/// An agent's or an account's identifier as it is compared: in lower case, runs of characters outside `[a-z0-9_-]` become
/// a hyphen, none at the ends, at most 64 characters. A text without anything usable becomes `fallback`.
pub(super) fn normalised_id<'a>(text: &'a str, fallback: &'a str) -> Cow<'a, str> {
    let text = text.trim();
    let is_kept = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let is_valid = text.len() <= AGENT_ID_CHARS_MAX
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(is_kept);
    if is_valid {
        let is_lower = !text.contains(|c: char| c.is_ascii_uppercase());
        return if is_lower { Cow::Borrowed(text) } else { Cow::Owned(text.to_ascii_lowercase()) };
    }
    let mut id = String::new();
    for c in text.to_lowercase().chars() {
        if is_kept(c) {
            id.push(c);
        } else if !id.ends_with('-') {
            id.push('-');
        }
    }
    let id: String = id.trim_matches('-').chars().take(AGENT_ID_CHARS_MAX).collect();
    if id.is_empty() { Cow::Borrowed(fallback) } else { Cow::Owned(id) }
}

/// What a key says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KeyParts<'a> {
    /// The agent's identifier as it is written.
    pub(super) agent: Option<&'a str>,
    pub(super) group: Option<GroupKey<'a>>,
    pub(super) is_subagent: bool,
}

/// A group or a channel of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct GroupKey<'a> {
    pub(super) channel: &'a str,
    /// Not yet without its doubled colons; see [`GroupKey::id`].
    rest: &'a str,
}

impl<'a> GroupKey<'a> {
    /// The group's identifier: colons may be part of it, empty parts are not.
    pub(super) fn id(&self) -> Cow<'a, str> {
        let trimmed = self.rest.trim_matches(':').trim();
        if trimmed.contains("::") {
            return Cow::Owned(trimmed.split(':').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(":"));
        }
        Cow::Borrowed(trimmed)
    }
}

/// The first part that is not empty, and what comes after it.
fn next_part(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start_matches(':');
    if text.is_empty() { None } else { Some(text.split_once(':').unwrap_or((text, ""))) }
}

fn has_more(text: &str) -> bool {
    next_part(text).is_some()
}

fn has_prefix(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// Reads a key.
pub(super) fn read<'a>(key: &'a str, rules: &ChainRules) -> KeyParts<'a> {
    let key = key.trim();
    let (agent, own) = split_agent(key, rules);
    // an agent needs a part of its own behind it
    let agent = agent.filter(|_| has_more(own));
    let rest = if agent.is_some() { own.trim_start_matches(':') } else { key };
    KeyParts { agent, group: group(key, rules), is_subagent: has_prefix(rest, "subagent:") }
}

/// `agent:<id>` at the front, and what comes after it.
fn split_agent<'a>(key: &'a str, rules: &ChainRules) -> (Option<&'a str>, &'a str) {
    let is_word = |word: &str| {
        if rules.agent_prefix_any_case { word.eq_ignore_ascii_case("agent") } else { word == "agent" }
    };
    match next_part(key) {
        Some((word, rest)) if is_word(word) => match next_part(rest) {
            Some((id, rest)) => (Some(id), rest),
            None => (None, ""),
        },
        _ => (None, key),
    }
}

fn group<'a>(key: &'a str, rules: &ChainRules) -> Option<GroupKey<'a>> {
    let (_, mut body) = split_agent(without_thread(key, rules), rules);
    if let Some(("subagent", rest)) = next_part(body) {
        body = rest;
    }
    let (channel, rest) = next_part(body)?;
    let (kind, rest) = next_part(rest)?;
    let found = GroupKey { channel: channel.trim(), rest };
    (matches!(kind, "group" | "channel") && !found.id().is_empty()).then_some(found)
}

/// The key before the last `:thread:` or `:topic:`, in any case.
fn without_thread<'a>(key: &'a str, rules: &ChainRules) -> &'a str {
    let mut ends = key.rmatch_indices(':').map(|(at, _)| at);
    // the colon behind the mark comes first from the right
    let Some(mut end) = ends.next() else { return key };
    for start in ends {
        let between = key.get(start.saturating_add(1)..end).unwrap_or_default();
        if start > 0 && rules.thread_marks.iter().any(|mark| mark.eq_ignore_ascii_case(between)) {
            return key.get(..start).unwrap_or(key).trim();
        }
        end = start;
    }
    key
}
