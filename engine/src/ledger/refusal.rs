//! Why the ledger said no. Refusals are data: numbers in them, in a documented order of precedence.

use super::{accounts::LedgerAccountId, command::TransactionKind};
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
    /// Such a transaction cannot be posted freely, or not from such an account.
    #[error("a {kind} follows rules of its own", kind = .0.as_str())]
    WrongKind(TransactionKind),
    /// No transaction of that name.
    #[error("there is no such transaction")]
    TransactionNotFound,
    /// The identifier names something of which nothing can go back: a refund, another kind of transaction, a hold.
    #[error("nothing of this can be taken back: it is {what}", what = .0.map_or("a hold, or its end", TransactionKind::as_str))]
    NotReversible(Option<TransactionKind>),
    /// A whole transaction cannot be taken back after a part of it, nor a second time.
    #[error("{refunded} of {captured} were taken back before")]
    AlreadyReversed {
        /// What moved, in micro-credits.
        captured: Credits,
        /// What went back, in micro-credits.
        refunded: Credits,
    },
    /// More than what is left of the transaction.
    #[error("{needed} of {captured} cannot go back: {refunded} went back before, {left} are left", left = .captured.checked_sub(*.refunded).unwrap_or_default())]
    ExceedsRefundable {
        /// Micro-credits asked for; zero where all that is left was asked for.
        needed: Credits,
        /// What moved, in micro-credits.
        captured: Credits,
        /// What went back, in micro-credits.
        refunded: Credits,
    },
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
    /// A payout of more than was earned, less what is owed.
    #[error("a payout of {needed} is above what can be paid: {payable} are payable, {owed} of that are owed")]
    ExceedsPayable {
        /// Micro-credits asked for; zero where all that is there was asked for.
        needed: Credits,
        /// Earned and not paid, in micro-credits.
        payable: Credits,
        /// Owed, in micro-credits.
        owed: Credits,
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
            Self::WrongKind(_) => "wrong_kind",
            Self::TransactionNotFound => "transaction_not_found",
            Self::NotReversible(_) => "not_reversible",
            Self::AlreadyReversed { .. } => "already_reversed",
            Self::ExceedsRefundable { .. } => "exceeds_refundable",
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
            Self::ExceedsPayable { .. } => "exceeds_payable",
            Self::Overflow => "overflow",
        }
    }
}
