//! What a call tells its tool about where it belongs.

use super::{headers::Headers, request::RequestFault, session_key::Session};
use crate::{
    dialect::{Dialect, FailureKind},
    limits::CONTEXT_BYTES_MAX,
};

/// What the headers of a request hint at. Hints never make a session one of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hints {
    /// The channel in lower case, other names of it resolved.
    pub channel: Option<String>,
    /// The account on the channel.
    pub account: Option<String>,
    /// The recipient on the channel.
    pub to: Option<String>,
    /// The thread or topic.
    pub thread: Option<String>,
}

impl Hints {
    /// Reads the headers that the dialect has.
    ///
    /// # Errors
    /// One of them is too long, or holds a control character.
    pub fn read(dialect: &Dialect, headers: &Headers<'_>) -> Result<Self, RequestFault> {
        let names = &dialect.http.headers;
        let read = |name: &Option<String>| {
            let Some(name) = name else { return Ok(None) };
            headers.text(name).map(|value| check(name, value)).transpose()
        };
        let channel = read(&names.channel)?.map(|channel| channel.to_lowercase());
        Ok(Self {
            channel: channel.map(|channel| dialect.chain.channel_aliases.get(&channel).cloned().unwrap_or(channel)),
            account: read(&names.account)?,
            to: read(&names.to)?,
            thread: read(&names.thread)?,
        })
    }

    /// The headers of an upstream's request (`product.md` 4.2).
    pub fn upstream_headers(&self, session: &Session) -> Vec<(&'static str, String)> {
        let all = [
            ("x-tollgate-session-key", Some(&session.key)),
            ("x-tollgate-agent-id", Some(&session.agent)),
            ("x-tollgate-channel", self.channel.as_ref()),
            ("x-tollgate-account-id", self.account.as_ref()),
            ("x-tollgate-message-to", self.to.as_ref()),
            ("x-tollgate-thread-id", self.thread.as_ref()),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?.clone()))).collect()
    }
}

fn check(name: &str, value: &str) -> Result<String, RequestFault> {
    let wrong = |what: &str| RequestFault::new(FailureKind::InvalidRequest, format!("`{name}` {what}"));
    if value.len() > CONTEXT_BYTES_MAX {
        return Err(wrong(&format!("is longer than {CONTEXT_BYTES_MAX} bytes")));
    }
    if value.chars().any(char::is_control) { Err(wrong("holds a control character")) } else { Ok(value.to_owned()) }
}

#[cfg(test)]
mod tests;
