//! Tools that are answered from our own data: which sessions have been seen, what is known of one, and which agents there
//! are. A declared core tool of the same name stands over them.

use serde_json::{Value, json};

use super::{
    session_key::{MAIN, Session, SessionSettings, kind_of},
    sessions::{Seen, SeenSessions},
};
use crate::{catalog::named_values, json::Json};

/// How many sessions are listed where the caller asks for no number.
const SESSIONS_DEFAULT: usize = 50;
/// How many sessions are listed at most.
const SESSIONS_LISTED_MAX: usize = 200;
const US_PER_MS: i64 = 1_000;

named_values! {
    /// The built-in tools.
    Builtin {
        /// The sessions that calls were made in, last used first.
        SessionsList = "sessions_list",
        /// One session.
        SessionStatus = "session_status",
        /// The configured agents, and the tools that each may use.
        AgentsList = "agents_list",
    }
}

/// What the answers are made from.
pub struct BuiltinFacts<'a> {
    /// The sessions seen.
    pub seen: &'a SeenSessions,
    /// What is configured.
    pub settings: &'a SessionSettings,
    /// The caller's session.
    pub session: &'a Session,
    /// The names of the tools that an agent may use in its main session.
    pub tools_of: &'a dyn Fn(&str) -> Vec<String>,
}

impl std::fmt::Debug for BuiltinFacts<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BuiltinFacts").field("session", self.session).finish_non_exhaustive()
    }
}

impl Builtin {
    /// One line about it.
    pub const fn short_description(self) -> &'static str {
        match self {
            Self::SessionsList => "Lists the sessions in which tools have been called, last used first",
            Self::SessionStatus => "Tells what is known of a session",
            Self::AgentsList => "Lists the configured agents and the tools that each may use",
        }
    }

    /// What its arguments look like, as JSON Schema text. Other arguments are ignored, as the dialects' own tools do.
    pub const fn input_schema(self) -> &'static str {
        match self {
            Self::SessionsList => {
                r#"{"type":"object","properties":{"limit":{"type":"integer","minimum":1,"maximum":200},"kinds":{"type":"array","items":{"type":"string"}}}}"#
            }
            Self::SessionStatus => r#"{"type":"object","properties":{"sessionKey":{"type":"string"}}}"#,
            Self::AgentsList => r#"{"type":"object","properties":{}}"#,
        }
    }

    /// The result, as JSON text; a sentence where the arguments name something that is not there.
    ///
    /// # Errors
    /// No such session.
    pub fn answer(self, arguments: &Json<'_>, facts: &BuiltinFacts<'_>) -> Result<String, String> {
        let result = match self {
            Self::SessionsList => sessions_list(arguments, facts),
            Self::SessionStatus => session_status(arguments, facts)?,
            Self::AgentsList => agents_list(facts),
        };
        Ok(result.to_string())
    }
}

fn sessions_list(arguments: &Json<'_>, facts: &BuiltinFacts<'_>) -> Value {
    let limit = arguments.get("limit").and_then(Json::as_number).and_then(|limit| limit.parse::<usize>().ok());
    let kinds = arguments.get("kinds").and_then(Json::as_array);
    let is_wanted = |key: &str| {
        kinds.is_none_or(|kinds| kinds.is_empty() || kinds.iter().any(|kind| kind.as_str() == Some(kind_of(key))))
    };
    let sessions: Vec<Value> = facts
        .seen
        .list()
        .filter(|(key, _)| is_wanted(key))
        .take(limit.unwrap_or(SESSIONS_DEFAULT).min(SESSIONS_LISTED_MAX))
        .map(|(key, seen)| session_view(key, seen))
        .collect();
    json!({"count": sessions.len(), "sessions": sessions})
}

fn session_status(arguments: &Json<'_>, facts: &BuiltinFacts<'_>) -> Result<Value, String> {
    let asked = arguments.get("sessionKey").and_then(Json::as_str).map(str::trim).filter(|key| !key.is_empty());
    let key = asked.filter(|key| *key != MAIN && *key != "current").unwrap_or(&facts.session.key);
    let seen = facts.seen.find(key).ok_or_else(|| "no call has been made in this session".to_owned())?;
    Ok(session_view(key, seen))
}

fn session_view(key: &str, seen: &Seen) -> Value {
    let ms = |us: i64| us.div_euclid(US_PER_MS);
    json!({
        "key": key,
        "agentId": seen.agent,
        "kind": kind_of(key),
        "channel": seen.channel,
        "createdAt": ms(seen.first_us),
        "updatedAt": ms(seen.last_us),
        "calls": seen.calls,
    })
}

fn agents_list(facts: &BuiltinFacts<'_>) -> Value {
    let default = &facts.settings.default_agent;
    let listed = facts.settings.listed_agents();
    let agents: Vec<Value> = listed
        .map(|agent| json!({"id": agent, "default": agent == default, "tools": (facts.tools_of)(agent)}))
        .collect();
    json!({"requester": facts.session.agent, "agents": agents})
}

#[cfg(test)]
mod tests;
