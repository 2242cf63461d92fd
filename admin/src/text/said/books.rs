//! The books: their periods, proofs and exports.

use engine::{
    ledger::{export::request::RequestError, periods::TooLarge, signing::KeyError},
    service::{checkpoints::CheckpointError, periods::ClosePeriodError, verification::StartVerificationError},
};

use super::{Said, with};
use crate::text::{t, t_with};

impl Said for TooLarge {
    fn said(&self) -> String {
        let Self = self;
        t("said-period-too-large")
    }
}

impl Said for ClosePeriodError {
    fn said(&self) -> String {
        match self {
            Self::Empty => t("said-period-empty"),
            Self::NotOver { period, .. } => with("said-period-not-over", "period", period),
            Self::EndsBeforeStart { period, .. } => with("said-period-backwards", "period", period),
            Self::Closed { period, .. } => with("said-period-closed", "period", period),
            Self::Changed { period } => with("said-period-changed", "period", period),
            Self::TooMany { period, entries, entries_max } => {
                let values = [
                    ("period", period.to_string().into()),
                    ("entries", entries.to_string().into()),
                    ("max", entries_max.to_string().into()),
                ];
                t_with("said-period-too-many", &values)
            }
            Self::TooLarge(error) => error.said(),
            Self::Refused(refusal) => refusal.said(),
            Self::Store(error) => error.said(),
        }
    }
}

impl Said for KeyError {
    fn said(&self) -> String {
        let Self = self;
        t("said-signing-key")
    }
}

impl Said for CheckpointError {
    fn said(&self) -> String {
        match self {
            Self::Store(error) => error.said(),
            Self::Key(error) => error.said(),
            Self::NotSetUp => t("said-checkpoint-not-set-up"),
            Self::Busy => t("said-checkpoint-busy"),
        }
    }
}

impl Said for StartVerificationError {
    fn said(&self) -> String {
        match self {
            Self::Running => t("said-verification-running"),
            Self::NoCheckpoint => t("said-verification-no-checkpoint"),
            Self::NoRoom => t("said-verification-no-room"),
            Self::Store(error) => error.said(),
        }
    }
}

impl Said for RequestError {
    fn said(&self) -> String {
        match self {
            Self::NotAJournal { report, format } => {
                let values = [("format", format.as_str().into()), ("report", report.as_str().into())];
                t_with("said-export-not-a-journal", &values)
            }
            Self::AlwaysFull { format } => with("said-export-always-full", "format", format.as_str()),
            Self::Missing { report, what } => {
                let values = [("report", report.as_str().into()), ("what", (*what).into())];
                t_with("said-export-missing", &values)
            }
            Self::NotLimited { report, format, what } => {
                let values =
                    [("report", report.as_str().into()), ("format", format.as_str().into()), ("what", (*what).into())];
                t_with("said-export-not-limited", &values)
            }
            Self::EndsBeforeItBegins { from_us, to_us } => {
                let values = [("from", from_us.to_string().into()), ("to", to_us.to_string().into())];
                t_with("said-export-backwards", &values)
            }
        }
    }
}
