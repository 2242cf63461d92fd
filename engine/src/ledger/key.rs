//! Idempotency keys: the first call with a key runs, every other learns what became of it.

use std::sync::Arc;

use uuid::Uuid;

use super::leaf::Digest;
use crate::id::InvocationId;

/// How long a key is remembered, in microseconds: 24 hours (Faro's invoke document).
pub const KEY_TTL_US: i64 = 24 * 3_600 * 1_000_000;

/// Under which a key is unique: the token's owner (an account), or a partner's end user.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName {
    /// The account or the end user.
    pub scope: Uuid,
    /// As the client sent it.
    pub key: Arc<str>,
}

/// A call that wants to be the only one with its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyClaim {
    /// The key and its scope.
    pub name: KeyName,
    /// SHA-256 over the tool's identifier and the canonical arguments.
    pub fingerprint: Digest,
}

/// What became of the call that holds a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyState {
    /// It has not been settled.
    Running,
    /// It was answered.
    Finished {
        /// The HTTP status.
        status: u16,
        /// The body, as sent.
        body: Arc<str>,
    },
    /// Nobody knows whether the upstream did the work; retries are told so and never dispatched.
    Unknown,
}

/// A key as it stands in the books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredKey {
    /// Of the first call.
    pub fingerprint: Digest,
    /// The first call.
    pub call: InvocationId,
    /// When it was claimed, in microseconds since the Unix epoch.
    pub created_us: i64,
    /// What became of it.
    pub state: KeyState,
}

/// The answer to a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyVerdict {
    /// Nobody has the key: go on.
    Fresh,
    /// The first call was answered: send the same again.
    Replay {
        /// The first call.
        call: InvocationId,
        /// The HTTP status.
        status: u16,
        /// The body, as sent.
        body: Arc<str>,
    },
    /// The first call's outcome is unknown: say so again.
    OutcomeUnknown {
        /// The first call.
        call: InvocationId,
    },
    /// The first call has not been settled.
    InFlight {
        /// The first call.
        call: InvocationId,
    },
    /// The key was used for another tool or other arguments.
    Reused {
        /// The first call.
        call: InvocationId,
    },
}

/// Decides a claim against what is stored. Another fingerprint is told before anything else: a client that mixes up
/// its keys must not be shown another call's answer.
pub fn decide_key(stored: Option<&StoredKey>, claim: &KeyClaim, now_us: i64) -> KeyVerdict {
    let Some(stored) = stored else { return KeyVerdict::Fresh };
    let expired = stored.created_us.saturating_add(KEY_TTL_US) <= now_us;
    // A running call keeps its key however old: only its settlement frees or fills it.
    if expired && stored.state != KeyState::Running {
        return KeyVerdict::Fresh;
    }
    let call = stored.call;
    if stored.fingerprint != claim.fingerprint {
        return KeyVerdict::Reused { call };
    }
    match &stored.state {
        KeyState::Running => KeyVerdict::InFlight { call },
        KeyState::Finished { status, body } => KeyVerdict::Replay { call, status: *status, body: Arc::clone(body) },
        KeyState::Unknown => KeyVerdict::OutcomeUnknown { call },
    }
}

#[cfg(test)]
mod tests;
