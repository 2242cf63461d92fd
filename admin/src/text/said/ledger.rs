//! Why the ledger said no.

use engine::{
    credits::Credits,
    ledger::refusal::{Difference, Refusal},
};

use super::{Said, with};
use crate::text::{t, t_with};

impl Said for Refusal {
    fn said(&self) -> String {
        match self {
            Self::Exists(difference) => with("said-ledger-exists", "what", different(*difference)),
            Self::OutOfRange => t("said-ledger-out-of-range"),
            Self::SameAccount => t("said-ledger-same-account"),
            Self::UnknownAccount(account) => with("said-ledger-unknown-account", "account", account),
            Self::WrongKind(kind) => with("said-ledger-wrong-kind", "kind", kind.as_str()),
            Self::TransactionNotFound => t("said-ledger-no-transaction"),
            Self::NotReversible(Some(kind)) => with("said-ledger-not-reversible", "kind", kind.as_str()),
            Self::NotReversible(None) => t("said-ledger-not-reversible-hold"),
            Self::HoldNotFound => t("said-ledger-no-hold"),
            Self::NotAHold => t("said-ledger-not-a-hold"),
            Self::HoldHasOtherWallet => t("said-ledger-other-wallet"),
            Self::HoldHasOtherPayee => t("said-ledger-other-payee"),
            Self::ExceedsHold { held } => with("said-ledger-exceeds-hold", "held", held),
            Self::ReleaseIsPartial { held } => with("said-ledger-partial-release", "held", held),
            Self::AlreadyCaptured => t("said-ledger-captured"),
            Self::AlreadyReleased => t("said-ledger-released"),
            Self::HoldExpired => t("said-ledger-expired"),
            Self::AccountClosed(account) => with("said-ledger-account-closed", "account", account),
            Self::Overflow => t("said-ledger-overflow"),
            Self::AlreadyReversed { captured, refunded } => {
                amounts("said-ledger-reversed", &[("captured", *captured), ("refunded", *refunded)])
            }
            Self::ExceedsRefundable { needed, captured, refunded } => {
                let left = captured.checked_sub(*refunded).unwrap_or_default();
                let all = [("needed", *needed), ("captured", *captured), ("refunded", *refunded), ("left", left)];
                amounts("said-ledger-exceeds-refundable", &all)
            }
            Self::Insufficient { limit: _, needed, available } => {
                amounts("said-ledger-insufficient", &[("needed", *needed), ("available", *available)])
            }
            Self::ExceedsPayable { needed, payable, owed } => {
                amounts("said-ledger-exceeds-payable", &[("needed", *needed), ("payable", *payable), ("owed", *owed)])
            }
        }
    }
}

/// A sentence about amounts.
fn amounts(key: &str, amounts: &[(&str, Credits)]) -> String {
    let values: Vec<_> = amounts.iter().map(|(name, amount)| (*name, amount.to_string().into())).collect();
    t_with(key, &values)
}

/// In which respect something differs from what has its identifier.
fn different(difference: Difference) -> String {
    t(match difference {
        Difference::Operation => "said-ledger-other-operation",
        Difference::Hold => "said-ledger-other-hold",
        Difference::DebitAccount => "said-ledger-other-debit",
        Difference::CreditAccount => "said-ledger-other-credit",
        Difference::Amount => "said-ledger-other-amount",
        Difference::Ttl => "said-ledger-other-ttl",
        Difference::Metadata => "said-ledger-other-metadata",
    })
}
