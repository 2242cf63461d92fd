//! The sessions that calls have been made in: what the built-in tools tell about them.
//!
//! Kept in memory, bounded: the session that was used longest ago is forgotten first.

use std::collections::{BTreeSet, HashMap};

use super::session_key::Session;
use crate::limits::SESSIONS_SEEN_MAX;

/// One session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its agent.
    pub agent: String,
    /// The first call, in microseconds since the Unix epoch.
    pub first_us: i64,
    /// The last call, in microseconds since the Unix epoch.
    pub last_us: i64,
    /// How many calls.
    pub calls: u64,
    /// The channel that the last call with one hinted at.
    pub channel: Option<String>,
}

/// All of them.
#[derive(Debug, Default)]
pub struct SeenSessions {
    known: HashMap<String, Seen>,
    /// By last use, oldest first.
    order: BTreeSet<(i64, String)>,
}

impl SeenSessions {
    /// Takes note of a call at `now_us` (microseconds since the Unix epoch).
    pub fn note(&mut self, session: &Session, channel: Option<&str>, now_us: i64) {
        let seen = self.known.entry(session.key.clone()).or_insert_with(|| Seen {
            agent: session.agent.clone(),
            first_us: now_us,
            last_us: now_us,
            calls: 0,
            channel: None,
        });
        self.order.remove(&(seen.last_us, session.key.clone()));
        seen.last_us = now_us;
        seen.calls = seen.calls.saturating_add(1);
        if let Some(channel) = channel {
            seen.channel = Some(channel.to_owned());
        }
        self.order.insert((now_us, session.key.clone()));
        while self.known.len() > SESSIONS_SEEN_MAX {
            let Some((_, oldest)) = self.order.pop_first() else { return };
            self.known.remove(&oldest);
        }
    }

    /// A session by its key.
    pub fn find(&self, key: &str) -> Option<&Seen> {
        self.known.get(key)
    }

    /// The sessions, last used first.
    pub fn list(&self) -> impl Iterator<Item = (&str, &Seen)> {
        self.order.iter().rev().filter_map(|(_, key)| Some((key.as_str(), self.known.get(key)?)))
    }
}

#[cfg(test)]
mod tests;
