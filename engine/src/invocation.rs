//! Calls: what is recorded of one, and the states it goes through.

use std::sync::Arc;

use uuid::Uuid;

use crate::{
    code::Code,
    credits::Credits,
    id::{AccountId, EndUserId, InvocationId, PartnerId, PriceVersionId, TokenId, ToolId},
    ledger::LedgerAccountId,
};

/// Where a call came in. The numbers are stored: they never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Surface {
    /// `POST /invoke/{namespace}/{tool}`.
    Marketplace,
    /// `POST /tools/invoke`.
    Gateway,
}

impl Surface {
    /// As the database stores it.
    pub const fn raw(self) -> i16 {
        match self {
            Self::Marketplace => 1,
            Self::Gateway => 2,
        }
    }
}

/// The states of a call. The numbers are stored: they never change.
///
/// `Running` → `Succeeded`, `Failed` or `Unknown`; `Unknown` → `UnknownReleased` or `UnknownCaptured`. The others are
/// final from the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallState {
    /// Begun; the upstream may be at work.
    Running,
    /// Sent, and nobody knows what happened; the hold is still open.
    Unknown,
    /// The upstream did the work.
    Succeeded,
    /// The upstream did not do the work.
    Failed,
    /// Unknown for good; the caller paid nothing.
    UnknownReleased,
    /// Unknown for good; the attempt was charged.
    UnknownCaptured,
    /// No money: the wallet or a cap said no.
    Refused,
    /// Not allowed: policy said no.
    Denied,
    /// The request itself was wrong (arguments, unknown tool).
    Invalid,
}

impl Surface {
    /// Every surface with its word.
    pub const ALL: [(Self, &'static str); 2] = [(Self::Marketplace, "marketplace"), (Self::Gateway, "gateway")];

    /// The word of the command line and the console.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(surface, _)| *surface == self).map_or("", |(_, word)| *word)
    }

    /// Reads what [`Self::as_str`] gives.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == word).map(|(surface, _)| *surface)
    }

    /// Reads what [`Self::raw`] wrote.
    pub fn from_raw(raw: i16) -> Option<Self> {
        Self::ALL.iter().find(|(surface, _)| surface.raw() == raw).map(|(surface, _)| *surface)
    }
}

impl CallState {
    /// Every state, as it is stored and as it is called.
    pub(crate) const ALL: [(Self, i16, &'static str); 9] = [
        (Self::Running, 1, "running"),
        (Self::Unknown, 2, "unknown"),
        (Self::Succeeded, 3, "succeeded"),
        (Self::Failed, 4, "failed"),
        (Self::UnknownReleased, 5, "unknown_released"),
        (Self::UnknownCaptured, 6, "unknown_captured"),
        (Self::Refused, 7, "refused"),
        (Self::Denied, 8, "denied"),
        (Self::Invalid, 9, "invalid"),
    ];

    /// As the database stores it.
    pub fn raw(self) -> i16 {
        Self::ALL.iter().find(|(state, ..)| *state == self).map_or(0, |(_, raw, _)| *raw)
    }

    /// Reads what [`Self::raw`] wrote.
    pub fn from_raw(raw: i16) -> Option<Self> {
        Self::ALL.iter().find(|(_, stored, _)| *stored == raw).map(|(state, ..)| *state)
    }

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(state, ..)| *state == self).map_or("", |(.., word)| *word)
    }

    /// Reads what [`Self::as_str`] gives.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(.., known)| *known == word).map(|(state, ..)| *state)
    }

    /// Whether the call's end has still to be recorded.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Running | Self::Unknown)
    }
}

/// What became of a call, for those who count calls. The numbers are stored: they never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallOutcome {
    /// It is under way. Never stored: it will be something else.
    Open,
    /// The tool did the work and was paid.
    Charged,
    /// The tool did the work for nothing.
    Free,
    /// The tool did not do the work.
    Failed,
    /// No money: the wallet or a cap said no.
    Refused,
    /// Policy said no.
    Denied,
    /// The request itself was wrong.
    Invalid,
    /// Sent, and nobody knew what happened: whether the attempt was charged or not.
    Unknown,
}

impl CallOutcome {
    /// Every outcome with its number and its word.
    pub const ALL: [(Self, i16, &'static str); 8] = [
        (Self::Open, 0, "open"),
        (Self::Charged, 1, "charged"),
        (Self::Free, 2, "free"),
        (Self::Failed, 3, "failed"),
        (Self::Refused, 4, "refused"),
        (Self::Denied, 5, "denied"),
        (Self::Invalid, 6, "invalid"),
        (Self::Unknown, 7, "unknown"),
    ];

    /// What became of a call that is in this state and was charged something, or not.
    pub const fn of(state: CallState, is_charged: bool) -> Self {
        match (state, is_charged) {
            (CallState::Running, _) => Self::Open,
            (CallState::Succeeded, true) => Self::Charged,
            (CallState::Succeeded, false) => Self::Free,
            (CallState::Failed, _) => Self::Failed,
            (CallState::Refused, _) => Self::Refused,
            (CallState::Denied, _) => Self::Denied,
            (CallState::Invalid, _) => Self::Invalid,
            (CallState::Unknown | CallState::UnknownReleased | CallState::UnknownCaptured, _) => Self::Unknown,
        }
    }

    /// As the database stores it.
    pub fn raw(self) -> i16 {
        Self::ALL.iter().find(|(outcome, ..)| *outcome == self).map_or(0, |(_, raw, _)| *raw)
    }

    /// Reads what [`Self::raw`] wrote.
    pub fn from_raw(raw: i16) -> Option<Self> {
        Self::ALL.iter().find(|(_, stored, _)| *stored == raw).map(|(outcome, ..)| *outcome)
    }

    /// The word of the console.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(outcome, ..)| *outcome == self).map_or("", |(.., word)| *word)
    }

    /// Reads what [`Self::as_str`] gives.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(.., known)| *known == word).map(|(outcome, ..)| *outcome)
    }

    /// The states of the calls that ended so, and whether something was charged where that tells two outcomes apart.
    pub fn states(self) -> (Vec<CallState>, Option<bool>) {
        let states = CallState::ALL.iter().map(|(state, ..)| *state);
        let ends_so = |state: &CallState| [false, true].iter().any(|is_charged| Self::of(*state, *is_charged) == self);
        let is_charged = match self {
            Self::Charged => Some(true),
            Self::Free => Some(false),
            _ => None,
        };
        (states.filter(ends_so).collect(), is_charged)
    }
}

/// Who called, as far as a record needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallParties {
    /// The account, for its own tokens and sessions.
    pub account: Option<AccountId>,
    /// The token; none for signed-in sessions.
    pub token: Option<TokenId>,
    /// The partner, for partner tokens.
    pub partner: Option<PartnerId>,
    /// The partner's end user.
    pub end_user: Option<EndUserId>,
}

/// What a decision on the gateway depends on beside accounts and tools: whoever has it can decide again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The tool as the caller wrote it.
    pub tool: String,
    /// The session's key in the letters of who asked.
    pub session_key: String,
    /// The channel that a header hints at.
    pub channel: Option<String>,
    /// The account on the channel.
    pub account: Option<String>,
    /// The caller owns the gateway.
    pub is_owner: bool,
}

/// One call as recorded at its beginning (or at once, if it never got further).
#[derive(Debug, Clone, PartialEq)]
pub struct CallRecord {
    /// The call.
    pub id: InvocationId,
    /// Where it came in.
    pub surface: Surface,
    /// Who called.
    pub parties: CallParties,
    /// The tool, if it exists.
    pub tool: Option<ToolId>,
    /// The price in force when it was accepted.
    pub price: Option<PriceVersionId>,
    /// The wallet that pays.
    pub wallet: Option<LedgerAccountId>,
    /// Reserved, in micro-credits.
    pub held: Credits,
    /// What the arguments counted that the price is by, as [`crate::pricing::units_text`] writes it.
    pub units: Option<String>,
    /// The catalog snapshot that decided.
    pub snapshot_version: i64,
    /// The policy that decided: the number of its version, a hyphen, and sixteen digits for everything in it.
    pub policy_version: Arc<str>,
    /// Why policy said no: the determining policies, comma-separated.
    pub denied_by: Option<String>,
    /// The same in full, for operators: the JSON text of an explanation.
    pub explanation: Option<Arc<str>>,
    /// The idempotency key's scope and text.
    pub key: Option<(Uuid, Arc<str>)>,
    /// When it was accepted, in microseconds since the Unix epoch.
    pub created_us: i64,
    /// The state it is recorded in.
    pub state: CallState,
    /// Its end, where it is recorded with it.
    pub end: Option<CallEnd>,
    /// On the gateway, where the tool exists: how it was asked for.
    pub asked: Option<Arc<Asked>>,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallEnd {
    /// The state after.
    pub state: CallState,
    /// What was charged, in micro-credits.
    pub charged: Credits,
    /// What the tool wanted beyond the hold, in micro-credits: the publisher's warning.
    pub shortfall: Credits,
    /// What the caller was told, where that was an error.
    pub error: Option<Code>,
    /// A publisher's warning about the returned cost.
    pub warning: Option<String>,
    /// What stood at the price's path, as [`crate::pricing::ReturnedValue::to_text`] writes it.
    pub returned: Option<String>,
    /// When, in microseconds since the Unix epoch.
    pub ended_us: i64,
    /// For an unknown outcome: when its hold is settled by rule.
    pub resolves_us: Option<i64>,
}

#[cfg(test)]
mod tests;
