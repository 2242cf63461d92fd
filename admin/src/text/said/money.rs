//! What moves money: grants, refunds, purchases, payouts.

use engine::{
    ledger::grants::{OPEN_GRANTS_MAX, PRIORITY_MAX},
    service::{
        accounts::{FundedAccountError, GrantError},
        movements::{ChargebackState, MovementError},
        purchases::ConfirmError,
    },
};

use super::{Said, key, reason, with};
use crate::text::{t, t_with};

impl Said for GrantError {
    fn said(&self) -> String {
        match self {
            Self::NotFound => t("said-account-gone"),
            Self::NotPositive => t("said-grant-not-positive"),
            Self::Reason => reason(),
            Self::Expired { .. } => t("said-grant-expired"),
            Self::Priority(priority) => {
                let values = [("max", PRIORITY_MAX.to_string().into()), ("priority", priority.to_string().into())];
                t_with("said-grant-priority", &values)
            }
            Self::TooMany => with("said-grant-too-many", "max", OPEN_GRANTS_MAX),
            Self::Key => key(),
            Self::KeyReused { account, credits, reason } => {
                let values = [
                    ("credits", credits.to_string().into()),
                    ("account", account.to_string().into()),
                    ("reason", reason.as_str().into()),
                ];
                t_with("said-grant-key-reused", &values)
            }
            Self::FourEyes(weight) => weight.said(),
            Self::Changed => t("said-money-changed"),
            Self::Refused(refusal) => refusal.said(),
            Self::Store(error) => error.said(),
        }
    }
}

impl Said for FundedAccountError {
    fn said(&self) -> String {
        match self {
            Self::TokenName(error) => error.said(),
            Self::Account(error) => error.said(),
            Self::MadeBefore(_) => t("said-account-made-before"),
            Self::KeyReused => t("said-account-key-reused"),
            Self::FourEyes(weight) => weight.said(),
            Self::Changed => t("said-money-changed"),
            Self::Refused(refusal) => refusal.said(),
        }
    }
}

impl Said for ConfirmError {
    fn said(&self) -> String {
        match self {
            Self::NotFound => t("said-purchase-gone"),
            Self::AlreadyConfirmed(credits) => with("said-purchase-confirmed", "credits", credits),
            Self::AlreadyFailed(credits) => with("said-purchase-failed", "credits", credits),
            Self::Reason => reason(),
            Self::FourEyes(weight) => weight.said(),
            Self::Changed => t("said-money-changed"),
            Self::Refused(refusal) => refusal.said(),
            Self::Store(error) => error.said(),
        }
    }
}

impl Said for MovementError {
    fn said(&self) -> String {
        match self {
            Self::Reason => reason(),
            Self::Key => key(),
            Self::KeyReused { kind, amount, subject, reason } => {
                let values = [
                    ("kind", kind.as_str().into()),
                    ("amount", amount.as_str().into()),
                    ("subject", subject.as_str().into()),
                    ("reason", reason.as_str().into()),
                ];
                t_with("said-movement-key-reused", &values)
            }
            Self::NotPositive => t("said-grant-not-positive"),
            Self::Address => t("said-movement-address"),
            Self::Nothing => t("said-movement-nothing"),
            Self::NotFound(what) => with("said-no-such", "what", what),
            Self::NotConfirmed(state) => with("said-movement-not-confirmed", "state", state),
            Self::AlreadyDisputed { credits, state } => {
                let values = [("credits", credits.to_string().into()), ("state", chargeback(*state).into())];
                t_with("said-movement-disputed", &values)
            }
            Self::NotDisputed(None) => t("said-movement-not-disputed"),
            Self::NotDisputed(Some(state)) => with("said-movement-not-disputed-since", "state", chargeback(*state)),
            Self::FourEyes(weight) => weight.said(),
            Self::Refused(refusal) => refusal.said(),
            Self::Changed => t("said-movement-changed"),
            Self::Store(error) => error.said(),
        }
    }
}

/// How a dispute stands.
fn chargeback(state: ChargebackState) -> String {
    t(match state {
        ChargebackState::Open => "movements-dispute-state-open",
        ChargebackState::Won => "movements-dispute-state-won",
        ChargebackState::Lost => "movements-dispute-state-lost",
    })
}
