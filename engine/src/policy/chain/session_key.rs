//! What a session key says about a session: whose it is, which group of which channel, whether a subagent's.
//!
//! Keys are of any length and alphabet. Nothing here fails: what does not have a form has no meaning.

use std::borrow::Cow;

use crate::dialect::ChainRules;

/// Longest agent identifier, in characters.
const AGENT_ID_CHARS_MAX: usize = 64;

/// The agent of keys that name none, unless the dialect takes the default agent.
pub(super) const MAIN: &str = "main";

/// An agent's or an account's identifier as it is compared: in lower case. One of 1 to 64 of `[a-z0-9_-]` that begins with a
/// letter or a digit stays as it is; in any other, each run of other characters becomes a hyphen, then there are none at the
/// ends, and at most 64 characters. A text without anything usable becomes `fallback`.
pub(in crate::policy) fn normalised_id<'a>(text: &'a str, fallback: &'a str) -> Cow<'a, str> {
    if is_normal_id(text.as_bytes()) {
        return Cow::Borrowed(text);
    }
    let text = text.trim();
    let lower = text.to_ascii_lowercase();
    if is_normal_id(lower.as_bytes()) {
        return Cow::Owned(lower);
    }
    let is_kept = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let mut id = String::new();
    let mut is_in_run = false;
    for c in text.to_lowercase().chars() {
        if is_kept(c) {
            id.push(c);
        } else if !is_in_run {
            id.push('-');
        }
        is_in_run = !is_kept(c);
    }
    let id: String = id.trim_matches('-').chars().take(AGENT_ID_CHARS_MAX).collect();
    if id.is_empty() { Cow::Borrowed(fallback) } else { Cow::Owned(id) }
}

/// An identifier that stays as it is. Nearly all do.
fn is_normal_id(text: &[u8]) -> bool {
    let is_alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.len() <= AGENT_ID_CHARS_MAX
        && text.first().is_some_and(is_alphanumeric)
        && text.iter().all(|byte| is_alphanumeric(byte) || matches!(byte, b'_' | b'-'))
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
    fn has_id(&self) -> bool {
        self.rest.bytes().any(|byte| byte.is_ascii_alphanumeric()) || !self.id().is_empty()
    }

    /// The group's identifier: colons may be part of it, empty parts are not.
    pub(super) fn id(&self) -> Cow<'a, str> {
        let trimmed = self.rest.trim_matches(':').trim();
        if trimmed.as_bytes().windows(2).any(|pair| pair == b"::") {
            return Cow::Owned(trimmed.split(':').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(":"));
        }
        Cow::Borrowed(trimmed)
    }
}

/// The first part that is not empty, and what comes after it.
fn next_part(text: &str) -> Option<(&str, &str)> {
    let text = without_colons(text);
    // parts are short: looking at every byte is faster than a search that is made for long texts
    match text.bytes().position(|byte| byte == b':') {
        Some(end) => Some((text.get(..end)?, text.get(end.saturating_add(1)..)?)),
        None => (!text.is_empty()).then_some((text, "")),
    }
}

fn has_more(text: &str) -> bool {
    text.bytes().any(|byte| byte != b':')
}

/// Without the colons in front.
fn without_colons(mut text: &str) -> &str {
    while let Some(rest) = text.strip_prefix(':') {
        text = rest;
    }
    text
}

fn has_prefix(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// Reads a key.
pub(super) fn read<'a>(key: &'a str, rules: &ChainRules) -> KeyParts<'a> {
    let key = key.trim();
    let (agent, own) = split_agent(key, rules);
    let group = group(key, own, rules);
    // an agent needs a part of its own behind it
    let agent = agent.filter(|_| has_more(own));
    let rest = if agent.is_some() { without_colons(own) } else { key };
    KeyParts { agent, group, is_subagent: has_prefix(rest, "subagent:") }
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

/// `own` is what comes after the agent.
fn group<'a>(key: &'a str, own: &'a str, rules: &ChainRules) -> Option<GroupKey<'a>> {
    let key_to_thread = without_thread(key, rules);
    let own_start = key.len().saturating_sub(own.len());
    let mut body = match key_to_thread.get(own_start..) {
        Some(body) => body,
        // the thread begins inside of what looked like an agent
        None => split_agent(key_to_thread, rules).1,
    };
    if let Some(("subagent", rest)) = next_part(body) {
        body = rest;
    }
    let (channel, rest) = next_part(body)?;
    let (kind, rest) = next_part(rest)?;
    let found = GroupKey { channel: channel.trim(), rest };
    (matches!(kind, "group" | "channel") && found.has_id()).then_some(found)
}

/// The key before the last `:thread:` or `:topic:`, in any case.
fn without_thread<'a>(key: &'a str, rules: &ChainRules) -> &'a str {
    let mut end = None;
    for (at, _) in key.bytes().enumerate().rev().filter(|(_, byte)| *byte == b':') {
        // the colon behind the mark comes first from the right
        let between = end.and_then(|end| key.get(at.saturating_add(1)..end));
        let is_mark = |text: &str| rules.thread_marks.iter().any(|mark| mark.eq_ignore_ascii_case(text));
        if at > 0 && between.is_some_and(is_mark) {
            return key.get(..at).unwrap_or(key).trim();
        }
        end = Some(at);
    }
    key
}
