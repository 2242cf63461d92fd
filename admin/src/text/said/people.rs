//! Accounts, operators, auditors, their passwords and tokens, and the mails to them.

use engine::service::{
    accounts::{
        CreateAccountError, MailLinkError, PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, PasswordError, SuspendAccountError,
    },
    auditors::{AUDITOR_DAYS_MAX, CreateAuditorError, RevokeAuditorError},
    operators::{ChangeOperatorError, CreateOperatorError, FactorError, OPERATOR_NAME_CHARS_MAX},
    outbox::ChangeMailError,
    tokens::{CreateTokenError, TOKEN_NAME_CHARS_MAX, TOKENS_ACTIVE_MAX, TokenNameError},
};

use super::{Said, reason, with};
use crate::text::{t, t_with};

impl Said for PasswordError {
    fn said(&self) -> String {
        match self {
            Self::Length => {
                let values =
                    [("min", PASSWORD_CHARS_MIN.to_string().into()), ("max", PASSWORD_CHARS_MAX.to_string().into())];
                t_with("said-password-length", &values)
            }
            Self::Guessable => t("said-password-guessable"),
            Self::Busy => t("said-password-busy"),
            Self::Failed => t("said-password-failed"),
        }
    }
}

impl Said for CreateAccountError {
    fn said(&self) -> String {
        match self {
            Self::EmailInvalid => t("said-email-invalid"),
            Self::EmailTaken => t("said-account-taken"),
            Self::Password(error) => error.said(),
            Self::Store(error) => error.said(),
        }
    }
}

impl Said for SuspendAccountError {
    fn said(&self) -> String {
        match self {
            Self::NotFound => t("said-account-gone"),
            Self::AlreadySo(true) => t("said-account-suspended"),
            Self::AlreadySo(false) => t("said-account-not-suspended"),
            Self::Reason => reason(),
            Self::Store(error) => error.said(),
        }
    }
}

impl Said for MailLinkError {
    fn said(&self) -> String {
        match self {
            Self::NotFound => t("said-account-gone"),
            Self::Reason => reason(),
            Self::Store(error) => error.said(),
        }
    }
}

impl Said for TokenNameError {
    fn said(&self) -> String {
        let Self = self;
        with("said-token-name", "max", TOKEN_NAME_CHARS_MAX)
    }
}

impl Said for CreateTokenError {
    fn said(&self) -> String {
        match self {
            Self::Name(error) => error.said(),
            Self::TooMany => with("said-token-too-many", "max", TOKENS_ACTIVE_MAX),
            Self::MadeBefore(_) => t("said-token-made-before"),
            Self::Store(error) => error.said(),
        }
    }
}

impl Said for CreateAuditorError {
    fn said(&self) -> String {
        match self {
            Self::Name(error) => error.said(),
            Self::Days(days) => {
                let values = [("max", AUDITOR_DAYS_MAX.to_string().into()), ("days", days.to_string().into())];
                t_with("said-auditor-days", &values)
            }
            Self::MadeBefore(_) => t("said-token-made-before"),
            Self::Store(error) => error.said(),
        }
    }
}

impl Said for RevokeAuditorError {
    fn said(&self) -> String {
        match self {
            Self::NotFound => t("said-auditor-gone"),
            Self::AlreadyRevoked => t("said-auditor-revoked"),
            Self::Store(error) => error.said(),
        }
    }
}

impl Said for CreateOperatorError {
    fn said(&self) -> String {
        match self {
            Self::EmailInvalid => t("said-email-invalid"),
            Self::EmailTaken => t("said-operator-taken"),
            Self::Name => with("said-operator-name", "max", OPERATOR_NAME_CHARS_MAX),
            Self::NoRole => t("said-operator-no-role"),
            Self::Password(error) => error.said(),
            Self::Store(error) => error.said(),
        }
    }
}

impl Said for ChangeOperatorError {
    fn said(&self) -> String {
        match self {
            Self::NotFound => t("said-operator-gone"),
            Self::NoRole => t("said-operator-no-role"),
            Self::LastOwner => t("said-operator-last-owner"),
            Self::Disabled => t("said-operator-disabled"),
            Self::Stale => t("said-operator-stale"),
            Self::Unchanged => t("said-operator-unchanged"),
            Self::Changed => t("said-operator-changed"),
            Self::Store(error) => error.said(),
        }
    }
}

impl Said for FactorError {
    fn said(&self) -> String {
        match self {
            Self::NotSetUp => t("said-factor-not-set-up"),
            Self::NotFresh => t("said-factor-not-fresh"),
            Self::BadSeed => t("said-factor-bad-seed"),
            Self::WrongCode => t("said-factor-wrong-code"),
            Self::Seal(error) => error.said(),
            Self::Store(error) => error.said(),
        }
    }
}

impl Said for ChangeMailError {
    fn said(&self) -> String {
        match self {
            Self::NotFound => t("said-mail-gone"),
            Self::Reason => reason(),
            Self::Sent => t("said-mail-sent"),
            Self::Cancelled => t("said-mail-cancelled"),
            Self::OnItsWay => t("said-mail-on-its-way"),
            Self::Wiped => t("said-mail-wiped"),
            Self::Changed => t("said-mail-changed"),
            Self::Store(error) => error.said(),
        }
    }
}
