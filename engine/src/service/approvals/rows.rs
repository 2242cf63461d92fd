//! Requests as the database has them.

use serde_json::Value;

use crate::{
    id::{ApprovalId, OperatorId},
    store::{StoreError, entity},
};

/// Where a request stands. It waits, and then it does not any more; what was approved may still fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApprovalState {
    /// Nobody has decided.
    Waiting,
    /// It is to be done, or has been.
    Approved,
    /// It is not to be done.
    Rejected,
    /// Its author does not want it any more.
    Withdrawn,
    /// Nobody has decided in time.
    Expired,
    /// It was approved, and then it could not be done.
    Failed,
}

impl ApprovalState {
    /// Every state with its word.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::Waiting, "waiting"),
        (Self::Approved, "approved"),
        (Self::Rejected, "rejected"),
        (Self::Withdrawn, "withdrawn"),
        (Self::Expired, "expired"),
        (Self::Failed, "failed"),
    ];

    /// The word of the database.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(state, _)| *state == self).map_or("", |(_, word)| *word)
    }

    /// Reads what [`Self::as_str`] gives.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == word).map(|(state, _)| *state)
    }
}

/// What somebody has asked for, and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Approval {
    /// Which.
    pub id: ApprovalId,
    /// What is to be done: the word of a deed in the console.
    pub kind: String,
    /// Everything that is needed to do it.
    pub payload: Value,
    /// How much money it moves, in micro-credits.
    pub amount: Option<i64>,
    /// What it is done to: a kind.
    pub object_kind: String,
    /// And which one.
    pub object_id: String,
    /// Why.
    pub reason: String,
    /// Who asked for it.
    pub author: OperatorId,
    /// When, in microseconds since the Unix epoch.
    pub created_us: i64,
    /// Until when it can be decided, in microseconds since the Unix epoch.
    pub expires_us: i64,
    /// Where it stands now.
    pub state: ApprovalState,
    /// Who decided, or withdrew it.
    pub decided_by: Option<OperatorId>,
    /// When, in microseconds since the Unix epoch.
    pub decided_us: Option<i64>,
    /// What was said then.
    pub note: Option<String>,
    /// What came of it: `{"done": …}` or `{"refused": …}`.
    pub outcome: Option<Value>,
}

impl Approval {
    /// The key that what was approved is carried out with, so that it happens once.
    pub fn key(&self) -> String {
        format!("approval:{}", self.id)
    }
}

/// A request as it stands at `now_us` (microseconds since the Unix epoch).
pub(super) fn read(row: entity::approval::Model, now_us: i64) -> Result<Approval, StoreError> {
    let id = ApprovalId::from(row.id);
    let wrong = |what: &str| StoreError::Inconsistent { table: "approval", what: format!("`{what}` of {id}") };
    let json = |name: &'static str, text: &str| serde_json::from_str(text).map_err(|_error| wrong(name));
    let stored = ApprovalState::from_word(&row.state).ok_or_else(|| wrong("state"))?;
    let is_over = stored == ApprovalState::Waiting && row.expires_us <= now_us;
    Ok(Approval {
        id,
        payload: json("payload", &row.payload)?,
        kind: row.kind,
        amount: row.amount,
        object_kind: row.object_kind,
        object_id: row.object_id,
        reason: row.reason,
        author: OperatorId::from(row.author),
        created_us: row.created_us,
        expires_us: row.expires_us,
        state: if is_over { ApprovalState::Expired } else { stored },
        decided_by: row.decided_by.map(OperatorId::from),
        decided_us: row.decided_us,
        note: row.note,
        outcome: row.outcome.as_deref().map(|text| json("outcome", text)).transpose()?,
    })
}
