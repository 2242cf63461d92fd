//! Policies: their versions, the editor, and what explains a decision.

use engine::{
    document::{edit::EditProblem, written::TextProblem},
    limits::POLICY_PATTERN_BYTES_MAX,
    policy::{EvaluationFault, chain::ChainError, lanes::LaneEditProblem},
    service::{
        explain::NotExplained,
        policies::{POLICY_AUTHOR_CHARS_MAX, POLICY_NOTE_CHARS_MAX, POLICY_TEXT_BYTES_MAX, PolicyVersionError},
    },
};

use super::{Said, with};
use crate::text::{t, t_with};

impl Said for PolicyVersionError {
    fn said(&self) -> String {
        match self {
            // What is wrong with a text, in the words of whoever read it.
            Self::Broken(found) => found.join("\n"),
            Self::Author => with("said-policy-author", "max", POLICY_AUTHOR_CHARS_MAX),
            Self::Note => with("said-policy-note", "max", POLICY_NOTE_CHARS_MAX),
            Self::TooLong => with("said-policy-too-long", "max", POLICY_TEXT_BYTES_MAX),
            Self::NotFound(number) => with("said-policy-gone", "number", number),
            Self::InForce(number) => with("said-policy-in-force", "number", number),
            Self::Retired(number) => with("said-policy-retired", "number", number),
            Self::Draft(number) => with("said-policy-draft", "number", number),
            Self::Stale(number) => with("said-policy-stale", "number", number),
            Self::NothingBefore => t("said-policy-nothing-before"),
            Self::Overtaken => t("said-policy-overtaken"),
            Self::Unprepared => t("said-policy-unprepared"),
            Self::Store(error) => error.said(),
        }
    }
}

impl Said for ChainError {
    fn said(&self) -> String {
        with("said-policy-chain", "why", self.why())
    }
}

impl Said for TextProblem {
    fn said(&self) -> String {
        let values = [("place", self.at.to_string().into()), ("message", self.message.as_str().into())];
        t_with("said-policy-text", &values)
    }
}

impl Said for EditProblem {
    fn said(&self) -> String {
        match self {
            Self::Unreadable(found) => found.iter().map(Said::said).collect::<Vec<_>>().join("\n"),
            Self::Missing(path) => with("said-policy-missing", "path", path),
            Self::Misfit(path) => with("said-policy-misfit", "path", path),
        }
    }
}

impl Said for LaneEditProblem {
    fn said(&self) -> String {
        match self {
            Self::Nothing => t("said-lane-nothing"),
            Self::TooLong => with("said-lane-too-long", "max", POLICY_PATTERN_BYTES_MAX),
            Self::There(entry) => with("said-lane-there", "entry", entry),
            Self::Gone(entry) => with("said-lane-gone", "entry", entry),
            Self::NoChannel => t("said-lane-no-channel"),
            Self::Text(problem) => problem.said(),
        }
    }
}

impl Said for EvaluationFault {
    fn said(&self) -> String {
        match self {
            Self::Policy { policy, message } => {
                let values = [("policy", policy.to_string().into()), ("message", message.as_str().into())];
                t_with("said-policy-not-evaluated", &values)
            }
            Self::Request { message } => with("said-policy-request", "message", message),
        }
    }
}

impl Said for NotExplained {
    fn said(&self) -> String {
        match self {
            Self::NoTool(tool) => with("said-explain-no-tool", "tool", tool),
            Self::NoPrice => t("said-explain-no-price"),
            Self::NoAccount(email) => with("said-explain-no-account", "email", email),
            Self::BadToken(error) => error.said(),
            Self::NoToken(token) => with("said-explain-no-token", "token", token),
            Self::NoEndUser => t("said-explain-no-end-user"),
            Self::NotForEndUsers => t("said-explain-not-for-end-users"),
            // What the gateway would answer to whoever calls.
            Self::Session(fault) => fault.detail.clone(),
            Self::NoVersion(number) => with("said-explain-no-version", "number", number),
            Self::Broken(found) => found.join("\n"),
            Self::Unprepared => t("said-explain-unprepared"),
            Self::Store(error) => error.said(),
        }
    }
}
