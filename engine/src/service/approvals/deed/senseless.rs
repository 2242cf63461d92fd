//! Why something is not asked for: it could never be done.

use crate::{
    id::{EntryId, PurchaseId},
    ledger::grants::PRIORITY_MAX,
    service::{accounts::REASON_CHARS_MAX, movements::MovementError, operators::CreateOperatorError},
};

/// Why a deed makes no sense.
#[derive(Debug, thiserror::Error)]
pub enum Senseless {
    /// Nothing, or less, is given.
    #[error("`credits` must be more than 0")]
    NotPositive,
    /// A correction of nothing.
    #[error("`credits` must not be 0")]
    Zero,
    /// Grants have no such priority.
    #[error("`priority` is a number from 0 to {PRIORITY_MAX}, not {0}")]
    Priority(i64),
    /// The price cannot be read.
    #[error("{0}")]
    Price(String),
    /// There can be no such operator.
    #[error(transparent)]
    Operator(CreateOperatorError),
    /// An operator without a role.
    #[error("an operator has at least one role")]
    NoRole,
    /// There is no reason, or it is none.
    #[error("`reason` is one line of 1 to {REASON_CHARS_MAX} characters")]
    Reason,
    /// No tool has this name.
    #[error("there is no tool `{0}`")]
    NoTool(String),
    /// The transaction is not there, or nothing of it is left.
    #[error("nothing of `{0}` can be taken back")]
    NothingLeft(EntryId),
    /// Nobody is paid out like this.
    #[error(transparent)]
    Payee(MovementError),
    /// It was paid, or given up.
    #[error("`{0}` does not wait for a payment")]
    NotPending(PurchaseId),
}
