//! Session keys: whose they are, which group they name, whether a subagent's.

use serde_json::Value;

use super::{Asked, Interpreter, Rule, names::strings};

pub(super) fn id_of(text: &str, fallback: &str) -> String {
    let lower = text.trim().to_lowercase();
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    let is_valid = lower.len() <= 64
        && lower.chars().all(is_plain)
        && lower.chars().next().is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    if is_valid {
        return lower;
    }
    let mut out = String::new();
    for c in lower.chars() {
        if is_plain(c) {
            out.push(c);
        } else if !out.ends_with('-') {
            out.push('-');
        }
    }
    let out: String = out.trim_matches('-').chars().take(64).collect();
    if out.is_empty() { fallback.to_owned() } else { out }
}

fn parts(key: &str) -> Vec<&str> {
    key.split(':').filter(|part| !part.is_empty()).collect()
}

impl Interpreter<'_> {
    fn is_agent(&self, word: &str) -> bool {
        let is_any_case = self.flag("agent_prefix_any_case", true) && self.knows(Rule::AgentInAnyCase);
        if is_any_case { word.to_ascii_lowercase() == "agent" } else { word == "agent" }
    }

    /// The configured agent of a session, or null.
    pub(super) fn agent(&self, asked: &Asked) -> &Value {
        let parts = parts(asked.key.trim());
        let list = self.document["agents"]["list"].as_array().map_or(&[] as &[Value], Vec::as_slice);
        let id = |agent: &Value| id_of(agent["id"].as_str().unwrap_or(""), "main");
        let default = list.iter().find(|agent| agent["default"] == true).or(list.first()).map_or("main".to_owned(), id);
        let own = if parts.len() >= 3 && self.is_agent(parts[0]) {
            id_of(parts[1], "main")
        } else if self.flag("keyless_is_default_agent", false) && self.knows(Rule::DefaultAgent) {
            default
        } else {
            "main".to_owned()
        };
        list.iter().find(|agent| id(agent) == own).unwrap_or(&Value::Null)
    }

    pub(super) fn is_subagent(&self, asked: &Asked) -> bool {
        let key = asked.key.trim();
        let starts = |text: &str| text.to_lowercase().starts_with("subagent:");
        let parts = parts(key);
        if parts.len() < 3 || !self.is_agent(parts[0]) {
            return starts(key);
        }
        // what follows the agent, with the empty parts in front of it dropped
        let mut rest = key;
        for part in &parts[..2] {
            rest = &rest[rest.find(part).unwrap() + part.len()..];
        }
        starts(rest.trim_start_matches(':'))
    }

    /// Channel and identifier of the group that a key names.
    pub(super) fn group_key(&self, key: &str) -> Option<(String, String)> {
        let mut key = key.trim();
        let lower: String = key.chars().map(|c| c.to_ascii_lowercase()).collect();
        let marks = strings(self.rule("thread_marks"));
        let at = marks.iter().filter_map(|mark| lower.rfind(&format!(":{mark}:"))).max();
        if let Some(at) = at.filter(|at| *at > 0 && self.knows(Rule::ThreadMarks)) {
            key = key[..at].trim();
        }
        let mut parts = parts(key);
        if parts.first().is_some_and(|word| self.is_agent(word)) {
            parts = parts.into_iter().skip(2).collect();
        }
        if parts.first() == Some(&"subagent") {
            parts.remove(0);
        }
        let is_group = parts.len() >= 3 && (parts[1] == "group" || parts[1] == "channel");
        let id = is_group.then(|| parts[2..].join(":").trim().to_owned()).filter(|id| !id.is_empty())?;
        Some((parts[0].trim().to_lowercase(), id))
    }
}
