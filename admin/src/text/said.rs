//! What an operator is told of something that did not work.
//!
//! The engine's errors speak for themselves on the command line and in the log; the console says the same from its own files
//! of texts (`said.ftl`). Every variant has a sentence, and none is matched by a wildcard: a new one does not compile without.
//! What an error only passes on (the message of a parser, the name of a thing) is a variable of its sentence.

use engine::{
    credits::CreditsError,
    id::InvalidId,
    limits::IDEMPOTENCY_KEY_BYTES_MAX,
    policy::console::{ConsoleAction, ConsoleDenial, NO_PERMIT},
    sealing::SealError,
    service::{accounts::REASON_CHARS_MAX, approvals::Weight},
    store::StoreError,
};

use super::{t, t_with};

mod approvals;
mod books;
mod catalog;
mod ledger;
mod money;
mod partners;
mod people;
mod policies;
mod terms;

/// What an operator is told of something that did not work, in the operator's words.
pub(crate) trait Said {
    /// The sentence, without a full stop.
    fn said(&self) -> String;
}

impl Said for StoreError {
    fn said(&self) -> String {
        // Which file, which statement: that is for whoever runs the program.
        match self {
            Self::Database(_)
            | Self::Sqlite(_)
            | Self::File { .. }
            | Self::Inconsistent { .. }
            | Self::Locked { .. }
            | Self::Url { .. }
            | Self::Unreachable { .. }
            | Self::Writer(_) => {
                tracing::warn!(error = %self, "the console could not use the database");
                t("said-store")
            }
        }
    }
}

impl Said for SealError {
    fn said(&self) -> String {
        let Self = self;
        t("said-seal")
    }
}

impl Said for InvalidId {
    fn said(&self) -> String {
        t_with("said-id", &[("text", self.text().into()), ("prefix", self.prefix().into())])
    }
}

impl Said for CreditsError {
    fn said(&self) -> String {
        t(match self {
            Self::NotANumber => "said-credits-not-a-number",
            Self::TooPrecise => "said-credits-too-precise",
            Self::Exponent => "said-credits-exponent",
            Self::OutOfRange => "said-credits-out-of-range",
            Self::Negative => "said-credits-negative",
        })
    }
}

impl Said for Weight {
    fn said(&self) -> String {
        let values = [("total", self.total().to_string().into()), ("before", self.before.to_string().into())];
        t_with("said-four-eyes", &values)
    }
}

impl Said for ConsoleDenial {
    fn said(&self) -> String {
        match self.policy.as_str() {
            NO_PERMIT => t("said-denied-no-permit"),
            "console.support.limit" => t("said-denied-support-limit"),
            "console.factor" => t("said-denied-factor"),
            "console.step_up" => t("said-denied-step-up"),
            // Whoever is not signed in is told so by the console itself.
            _ => self.reason.clone(),
        }
    }
}

/// What somebody does in the console, as a sentence without its full stop.
pub(crate) fn deed(action: ConsoleAction) -> String {
    t(&["deed-", &action.as_str().replace('.', "-")].concat())
}

/// A sentence with one variable. Numbers are given as text: what is said of a limit reads as it is typed.
fn with(key: &str, name: &str, value: impl ToString) -> String {
    t_with(key, &[(name, value.to_string().into())])
}

/// What is wrong with a field.
fn field(field: &str, message: &str) -> String {
    t_with("said-field", &[("field", field.into()), ("message", message.into())])
}

/// What is wrong with a reason.
fn reason() -> String {
    with("said-reason", "max", REASON_CHARS_MAX)
}

/// What is wrong with the key of what a form does.
fn key() -> String {
    with("said-key", "max", IDEMPOTENCY_KEY_BYTES_MAX)
}

#[cfg(test)]
mod tests;
