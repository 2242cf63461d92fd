//! From the body of a request to what is asked for.

use std::sync::Arc;

use crate::{
    dialect::FailureKind,
    json::{self, Json, JsonErrorKind, Member, write_string},
    limits::IDEMPOTENCY_KEY_BYTES_MAX,
};

/// What a body asks for. Whatever else stands in it, `dryRun` included, is ignored, as the documents say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayRequest {
    /// The tool's name, trimmed.
    pub tool: String,
    /// `action`, trimmed and not empty.
    pub action: Option<String>,
    /// The arguments as JSON text: an object.
    pub arguments: Arc<str>,
    /// `sessionKey`, trimmed and not empty.
    pub session_key: Option<String>,
    /// `agentId`, trimmed and not empty.
    pub agent_id: Option<String>,
    /// The idempotency key.
    pub key: Option<Arc<str>>,
}

/// Why a body asks for nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestFault {
    /// What it looks like.
    pub kind: FailureKind,
    /// The detail for its message.
    pub detail: String,
}

impl RequestFault {
    /// A fault of this kind.
    pub fn new(kind: FailureKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }
}

/// Reads a body. Its type is not looked at; an empty one counts as `{}`; of two equal keys the last one counts.
///
/// `name` is the newest clients' word for `tool` and stands over it. Members of the wrong type count as absent, except
/// for the idempotency key: who sends one relies on it.
///
/// # Errors
/// It is not JSON, names no tool, or has an idempotency key that cannot be one.
pub fn read_request(body: &str) -> Result<GatewayRequest, RequestFault> {
    let missing = || RequestFault::new(FailureKind::MissingTool, "");
    if body.trim().is_empty() {
        return Err(missing());
    }
    let (members, has_repeats) = json::parse_members_last_wins(body).map_err(|error| match error.kind() {
        JsonErrorKind::NotAnObject => missing(),
        JsonErrorKind::TooManyNodes => RequestFault::new(FailureKind::BodyTooLarge, ""),
        JsonErrorKind::Syntax(_) | JsonErrorKind::TooDeep | JsonErrorKind::DuplicateKey { .. } => {
            RequestFault::new(FailureKind::InvalidJson, error.to_string())
        }
    })?;
    let text = |name: &str| {
        let text = find(&members, name)?.value.as_str()?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    Ok(GatewayRequest {
        tool: text("name").or_else(|| text("tool")).ok_or_else(missing)?,
        action: text("action"),
        arguments: arguments(find(&members, "args"), has_repeats),
        session_key: text("sessionKey"),
        agent_id: text("agentId"),
        key: idempotency_key(find(&members, "idempotencyKey"))?,
    })
}

fn find<'m, 'a>(members: &'m [Member<'a>], name: &str) -> Option<&'m Member<'a>> {
    members.iter().find(|member| member.name == name)
}

/// The arguments exactly as they were written; written anew where a key stands in them twice.
fn arguments(member: Option<&Member<'_>>, has_repeats: bool) -> Arc<str> {
    match member {
        Some(member) if matches!(member.value, Json::Object(_)) => {
            if has_repeats {
                member.value.canonical().into()
            } else {
                Arc::from(member.source)
            }
        }
        _ => Arc::from("{}"),
    }
}

fn idempotency_key(member: Option<&Member<'_>>) -> Result<Option<Arc<str>>, RequestFault> {
    let wrong = |what: &str| RequestFault::new(FailureKind::InvalidRequest, format!("`idempotencyKey` {what}"));
    match member.map(|member| &member.value) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(key)) if key.is_empty() => Err(wrong("is empty")),
        Some(Json::String(key)) if key.len() > IDEMPOTENCY_KEY_BYTES_MAX => {
            Err(wrong(&format!("is longer than {IDEMPOTENCY_KEY_BYTES_MAX} bytes")))
        }
        Some(Json::String(key)) if key.contains(char::is_control) => Err(wrong("holds a control character")),
        Some(Json::String(key)) => Ok(Some(Arc::from(&**key))),
        Some(_) => Err(wrong("must be a text")),
    }
}

/// `arguments` with `action` in them, if they have none: an `action` of any value counts as one.
///
/// Only for tools whose schema knows the property (see [`crate::catalog::ArgumentSchema::takes_action`]).
pub fn with_action(arguments: &Arc<str>, action: &str) -> Arc<str> {
    let is_there = json::parse(arguments).is_ok_and(|arguments| arguments.get("action").is_some());
    let Some(inner) = arguments.trim().strip_prefix('{').and_then(|text| text.strip_suffix('}')) else {
        return Arc::clone(arguments);
    };
    if is_there {
        return Arc::clone(arguments);
    }
    let mut merged = format!("{{{}", inner.trim_end());
    if !inner.trim().is_empty() {
        merged.push(',');
    }
    merged.push_str("\"action\":");
    write_string(&mut merged, action);
    merged.push('}');
    merged.into()
}

#[cfg(test)]
mod tests;
