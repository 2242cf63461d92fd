//! Partners, their end users, webhooks, thresholds and limits.

use engine::{
    limits::{CAP_ALERTS_MAX, WEBHOOKS_MAX},
    pricing::BASIS_POINTS,
    service::{
        caps::CapError,
        partners::{
            BlockEndUserError, CapAlertError, EraseEndUserError, Funding, FundingError, PARTNER_NAME_CHARS_MAX,
            PartnerError, WebhookError,
        },
    },
};

use super::{Said, reason, with};
use crate::text::{t, t_with};

impl Said for PartnerError {
    fn said(&self) -> String {
        match self {
            Self::NotFound => t("said-partner-gone"),
            Self::Name => with("said-partner-name", "max", PARTNER_NAME_CHARS_MAX),
            Self::MadeBefore(name) => with("said-partner-made-before", "name", name),
            Self::NameTaken => t("said-partner-taken"),
            Self::Reason => reason(),
            Self::Margin { margin_bps, share_bps } => {
                let values = [
                    ("margin", margin_bps.to_string().into()),
                    ("share", share_bps.to_string().into()),
                    ("max", BASIS_POINTS.to_string().into()),
                ];
                t_with("said-partner-margin", &values)
            }
            Self::AlreadySo(true) => t("said-partner-suspended"),
            Self::AlreadySo(false) => t("said-partner-not-suspended"),
            Self::Changed { now_bps } => with("said-partner-changed", "now", now_bps),
            Self::Overtaken => t("said-catalog-overtaken"),
            Self::Store(error) => error.said(),
        }
    }
}

impl Said for FundingError {
    fn said(&self) -> String {
        match self {
            Self::NotFound => t("said-partner-gone"),
            Self::AlreadySo(Funding::PerUser) => t("said-funding-per-user"),
            Self::AlreadySo(Funding::Partner) => t("said-funding-partner"),
            Self::Reason => reason(),
            Self::Held(held) => {
                let values = [("users", held.users.to_string().into()), ("credits", held.credits.to_string().into())];
                t_with("said-funding-held", &values)
            }
            Self::Store(error) => error.said(),
        }
    }
}

impl Said for BlockEndUserError {
    fn said(&self) -> String {
        match self {
            Self::NotFound => t("said-end-user-gone"),
            Self::AlreadySo(true) => t("said-end-user-blocked"),
            Self::AlreadySo(false) => t("said-end-user-not-blocked"),
            Self::Reason => reason(),
            Self::Store(error) => error.said(),
        }
    }
}

impl Said for EraseEndUserError {
    fn said(&self) -> String {
        match self {
            Self::NotFound => t("said-end-user-gone"),
            Self::Already => t("said-end-user-erased"),
            Self::Reason => reason(),
            Self::Changed => t("said-end-user-changed"),
            Self::Store(error) => error.said(),
        }
    }
}

impl Said for WebhookError {
    fn said(&self) -> String {
        match self {
            Self::NotFound => t("said-webhook-gone"),
            Self::TooMany => with("said-webhook-too-many", "max", WEBHOOKS_MAX),
            Self::MadeBefore(_) => t("said-webhook-made-before"),
            Self::Store(error) => error.said(),
        }
    }
}

impl Said for CapAlertError {
    fn said(&self) -> String {
        match self {
            Self::NoHolder => t("said-cap-no-holder"),
            Self::NotFound => t("said-alert-gone"),
            Self::Window => t("said-alert-window"),
            Self::Percent => t("said-alert-percent"),
            Self::Email => t("said-alert-email"),
            Self::TooManyMails => t("said-alert-too-many-mails"),
            Self::TooMany => with("said-alert-too-many", "max", CAP_ALERTS_MAX),
            Self::MadeBefore(_) => t("said-alert-made-before"),
            Self::Store(error) => error.said(),
        }
    }
}

impl Said for CapError {
    fn said(&self) -> String {
        match self {
            Self::NoHolder => t("said-cap-no-holder"),
            Self::NotFound => t("said-cap-gone"),
            Self::Negative => t("said-cap-negative"),
            Self::Reason => reason(),
            Self::Changed { now: Some(now) } => with("said-cap-changed", "credits", now),
            Self::Changed { now: None } => t("said-cap-changed-to-none"),
            Self::Imposed => t("said-cap-imposed"),
            Self::Store(error) => error.said(),
        }
    }
}
