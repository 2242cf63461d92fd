//! Why the ledger said no. Refusals are data: numbers in them, in a documented order of precedence.

use super::accounts::LedgerAccountId;
use crate::{credits::Credits, id::CapId};

/// In which respect a repeated identifier differs from what it named before, in the order in which it is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// It named another kind of command.
    Operation,
    /// Another hold was settled.
    Hold,
    /// Another account was debited.
    DebitAccount,
    /// Another account was credited.
    CreditAccount,
    /// Another amount.
    Amount,
    /// Another lifetime.
    Ttl,
    /// Another digest of metadata.
    Metadata,
}

/// The limit that said no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// The wallet's balance.
    Wallet(LedgerAccountId),
    /// A cap, with the end of its window in microseconds since the Unix epoch where it has one.
    Cap {
        /// Which.
        cap: CapId,
        /// When the window ends.
        resets_us: Option<i64>,
    },
}

/// Why a command was refused, in the order in which the rules are checked. A refusal changes no balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The identifier already names something else. Looked up before anything else.
    #[error("the identifier exists with another {0:?}")]
    Exists(Difference),
    /// An amount below zero, a leg of nothing, or a lifetime below zero.
    #[error("an amount or lifetime is out of range")]
    OutOfRange,
    /// A leg that debits and credits the same account.
    #[error("debit and credit are the same account")]
    SameAccount,
    /// An account that was never opened.
    #[error("account {0} is unknown")]
    UnknownAccount(LedgerAccountId),
    /// No hold of that name.
    #[error("there is no such hold")]
    HoldNotFound,
    /// The identifier names a transaction.
    #[error("the identifier names something that is not a hold")]
    NotAHold,
    /// The hold is on another wallet than the caller believes.
    #[error("the hold is on another wallet")]
    HoldHasOtherWallet,
    /// The hold is for another payee than the caller believes.
    #[error("the hold is for another payee")]
    HoldHasOtherPayee,
    /// More than was held.
    #[error("more than the hold of {held}")]
    ExceedsHold {
        /// Micro-credits held.
        held: Credits,
    },
    /// A release names another amount than the hold's.
    #[error("a release gives back the whole hold of {held}")]
    ReleaseIsPartial {
        /// Micro-credits held.
        held: Credits,
    },
    /// Captured before.
    #[error("the hold was captured")]
    AlreadyCaptured,
    /// Released before.
    #[error("the hold was released")]
    AlreadyReleased,
    /// Its time is over.
    #[error("the hold has expired")]
    HoldExpired,
    /// A closed account takes no money and spends none.
    #[error("account {0} is closed")]
    AccountClosed(LedgerAccountId),
    /// Not enough: which limit, what was needed, what was there.
    #[error("needs {needed}, available {available}")]
    Insufficient {
        /// Which limit said no.
        limit: Limit,
        /// Micro-credits asked for.
        needed: Credits,
        /// Micro-credits that this limit would still allow.
        available: Credits,
    },
    /// A balance would leave 64 bits.
    #[error("a balance would overflow")]
    Overflow,
}

impl Refusal {
    /// The stable word under which a refusal is recorded and reported.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Exists(Difference::Operation) => "exists_different_operation",
            Self::Exists(Difference::Hold) => "exists_different_hold",
            Self::Exists(Difference::DebitAccount) => "exists_different_debit_account",
            Self::Exists(Difference::CreditAccount) => "exists_different_credit_account",
            Self::Exists(Difference::Amount) => "exists_different_amount",
            Self::Exists(Difference::Ttl) => "exists_different_ttl",
            Self::Exists(Difference::Metadata) => "exists_different_metadata",
            Self::OutOfRange => "out_of_range",
            Self::SameAccount => "same_account",
            Self::UnknownAccount(_) => "unknown_account",
            Self::HoldNotFound => "hold_not_found",
            Self::NotAHold => "not_a_hold",
            Self::HoldHasOtherWallet => "hold_has_different_debit_account",
            Self::HoldHasOtherPayee => "hold_has_different_credit_account",
            Self::ExceedsHold { .. } => "exceeds_hold_amount",
            Self::ReleaseIsPartial { .. } => "release_is_partial",
            Self::AlreadyCaptured => "already_captured",
            Self::AlreadyReleased => "already_released",
            Self::HoldExpired => "hold_expired",
            Self::AccountClosed(_) => "account_closed",
            Self::Insufficient { limit: Limit::Wallet(_), .. } => "insufficient_funds",
            Self::Insufficient { limit: Limit::Cap { .. }, .. } => "cap_reached",
            Self::Overflow => "overflow",
        }
    }
}
