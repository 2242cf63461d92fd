//! Which session a call belongs to, and which agent a session.

use serde_json::Value;

use super::request::{GatewayRequest, RequestFault};
use crate::{
    dialect::{Dialect, FailureKind},
    limits::SESSION_KEY_BYTES_MAX,
    policy::chain::normalised_agent,
};

/// The agent of keys that name none, and the default one where none is configured.
pub const MAIN: &str = "main";

/// How many agents are listed at most.
const AGENTS_LISTED_MAX: usize = 200;

/// The configured sessions and agents (`session`, `agents.list`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionSettings {
    /// All agents share the session `global`.
    pub is_global: bool,
    /// The last part of the key of an agent's main session.
    pub main_key: String,
    /// The configured agents, normalised, in their order.
    pub agents: Vec<String>,
    /// The agent of the main session.
    pub default_agent: String,
}

impl SessionSettings {
    /// Out of the sections `session` and `agents` of a policy document. The default agent is the first one that says so,
    /// else the first one, else `main`.
    pub fn from_sections(session: &Value, agents: &Value) -> Self {
        let main_key = session.get("mainKey").and_then(Value::as_str).map(|key| key.trim().to_lowercase());
        let listed = || agents.get("list").and_then(Value::as_array).into_iter().flatten();
        let id_of = |agent: &Value| agent.get("id").and_then(Value::as_str).map(normalised_agent);
        let flagged = listed().find(|agent| agent.get("default") == Some(&Value::Bool(true)));
        Self {
            is_global: session.get("scope").and_then(Value::as_str) == Some("global"),
            main_key: main_key.filter(|key| !key.is_empty()).unwrap_or_else(|| MAIN.to_owned()),
            default_agent: flagged.or_else(|| listed().next()).and_then(id_of).unwrap_or_else(|| MAIN.to_owned()),
            agents: listed().filter_map(id_of).collect(),
        }
    }

    /// Out of a whole policy document.
    pub fn of(document: &Value) -> Self {
        let section = |name: &str| document.get(name).unwrap_or(&Value::Null);
        Self::from_sections(section("session"), section("agents"))
    }

    /// The configured agents, or the default one where none is; the first ones of very many.
    pub fn listed_agents(&self) -> impl Iterator<Item = &str> {
        let default = self.agents.is_empty().then_some(&self.default_agent);
        self.agents.iter().chain(default).take(AGENTS_LISTED_MAX).map(String::as_str)
    }

    fn main_session(&self) -> String {
        if self.is_global { "global".to_owned() } else { self.main_session_of(&self.default_agent) }
    }

    /// The key of an agent's main session.
    pub fn main_session_of(&self, agent: &str) -> String {
        format!("agent:{agent}:{}", self.main_key)
    }
}

/// The session that a call belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its key.
    pub key: String,
    /// Its agent, normalised.
    pub agent: String,
    /// The key in the letters of who asked: policies know groups by them.
    pub given: String,
}

impl Session {
    /// Of a key that nobody has to rewrite.
    pub fn new(key: String, agent: String) -> Self {
        Self { given: key.clone(), key, agent }
    }
}

/// Finds the session of a request. A missing key and `main` mean the main session, that of `agentId` where there is one;
/// any other key is taken as it is and need not exist.
///
/// # Errors
/// The key cannot be one, or contradicts `agentId`.
pub fn find_session(
    settings: &SessionSettings,
    dialect: &Dialect,
    request: &GatewayRequest,
) -> Result<Session, RequestFault> {
    let rules = &dialect.http.sessions;
    let wanted = request.agent_id.as_deref().map(normalised_agent);
    if let Some(agent) = &wanted
        && rules.needs_known_agent
        && !is_known(settings, agent)
    {
        return Err(wrong(format!("unknown agent id \"{agent}\"")));
    }
    let given = request.session_key.as_deref().map(check_key).transpose()?;
    let given = given.map(|key| if rules.is_canonical { key.to_lowercase() } else { key.to_owned() });
    let Some(key) = given.filter(|key| key != MAIN) else {
        return Ok(match wanted {
            None => Session::new(settings.main_session(), settings.default_agent.clone()),
            Some(agent) => Session::new(settings.main_session_of(&agent), agent),
        });
    };
    let inner = key.split_once(':').filter(|(word, _)| *word == "agent").and_then(|(_, rest)| rest.split_once(':'));
    let is_reserved = |text: &str| rules.reserved.iter().any(|beginning| text.starts_with(beginning.as_str()));
    if is_reserved(&key) || inner.is_some_and(|(_, rest)| is_reserved(rest)) {
        return Err(wrong("`sessionKey` is reserved"));
    }
    let named = agent_of(&key, dialect.chain.agent_prefix_any_case);
    if rules.is_canonical && named.is_none() && key.starts_with("agent:") {
        return Err(wrong("`sessionKey` begins like one of an agent, and is none"));
    }
    if let (Some(named), Some(wanted)) = (&named, &wanted)
        && named != wanted
    {
        return Err(wrong(format!("agent id \"{wanted}\" does not match session agent \"{named}\"")));
    }
    let fallback = || {
        if dialect.chain.keyless_is_default_agent { settings.default_agent.clone() } else { MAIN.to_owned() }
    };
    let is_bare = named.is_none() && rules.is_canonical && key != "global";
    let given = request.session_key.clone().unwrap_or_default();
    // Policies find the agent in the key: one that is only asked for is put there.
    let given = match (&named, &wanted) {
        (None, Some(agent)) => format!("agent:{agent}:{given}"),
        _ => given,
    };
    let agent = named.or(wanted).unwrap_or_else(fallback);
    Ok(Session { key: if is_bare { format!("agent:{agent}:{key}") } else { key }, agent, given })
}

fn is_known(settings: &SessionSettings, agent: &str) -> bool {
    if settings.agents.is_empty() { agent == MAIN } else { settings.agents.iter().any(|known| known == agent) }
}

fn wrong(detail: impl Into<String>) -> RequestFault {
    RequestFault::new(FailureKind::InvalidRequest, detail)
}

/// Keys go into headers of upstreams and into the log: they are bounded and hold no control characters.
fn check_key(key: &str) -> Result<&str, RequestFault> {
    if key.len() > SESSION_KEY_BYTES_MAX {
        return Err(wrong(format!("`sessionKey` is longer than {SESSION_KEY_BYTES_MAX} bytes")));
    }
    if key.chars().any(char::is_control) {
        return Err(wrong("`sessionKey` holds a control character"));
    }
    Ok(key)
}

/// The agent that a key names: `agent:<id>:<rest>`, empty parts left out. No other form names one.
pub fn agent_of(key: &str, any_case: bool) -> Option<String> {
    let mut parts = key.split(':').filter(|part| !part.is_empty());
    let (word, id, _) = (parts.next()?, parts.next()?, parts.next()?);
    let is_agent = if any_case { word.eq_ignore_ascii_case("agent") } else { word == "agent" };
    is_agent.then(|| normalised_agent(id))
}

/// What kind of session a key names, for lists of sessions.
pub fn kind_of(key: &str) -> &'static str {
    let rest = match key.splitn(3, ':').collect::<Vec<_>>().as_slice() {
        [word, _, rest] if word.eq_ignore_ascii_case("agent") => *rest,
        _ => key,
    };
    let begins = |word: &str| rest.split(':').next().is_some_and(|first| first.eq_ignore_ascii_case(word));
    let mut parts = rest.split(':').skip(1);
    if key == "global" {
        "global"
    } else if begins("subagent") {
        "subagent"
    } else if begins("cron") {
        "cron"
    } else if parts.next().is_some_and(|part| matches!(part, "group" | "channel")) {
        "group"
    } else if rest.contains(':') {
        "other"
    } else {
        "main"
    }
}

#[cfg(test)]
mod tests;
