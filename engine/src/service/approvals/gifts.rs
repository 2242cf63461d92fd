//! Credits that one operator wants to give and another one has to approve.

use serde_json::{Value, json};

use super::{Approval, NewApproval, RequestApprovalError};
use crate::{
    audit::OpContext,
    credits::Credits,
    id::{AccountId, ApprovalId, EntryId, OperatorId, PartnerId},
    policy::console::ConsoleAction,
    service::{
        Services,
        accounts::{GrantError, GrantTerms},
        movements::{MovementError, Note},
    },
};

/// The words of the payloads. Whoever changes them raises it and goes on reading the old ones.
const VERSION: u64 = 1;

/// Credits that are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AskedGrant {
    /// For an account.
    Account {
        /// Which.
        account: AccountId,
        /// How much, in micro-credits.
        credits: Credits,
        /// When they expire and in which order they are spent; `None`: never.
        terms: Option<GrantTerms>,
        /// One line; its digest stands in the books.
        reason: String,
    },
    /// For a partner.
    Partner {
        /// Which.
        partner: PartnerId,
        /// How much, in micro-credits.
        credits: Credits,
        /// One line; its digest stands in the books.
        reason: String,
    },
}

/// Why what was approved was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum CarryOutGrantError {
    /// It is something else, or of another version of the program.
    #[error("what was approved is no grant that can be read")]
    Unreadable,
    /// The account's credits were refused.
    #[error(transparent)]
    Account(#[from] GrantError),
    /// The partner's credits were refused.
    #[error(transparent)]
    Partner(#[from] MovementError),
}

impl AskedGrant {
    /// What it is called, and what whoever decides has to be allowed to do.
    const fn action(&self) -> ConsoleAction {
        match self {
            Self::Account { .. } => ConsoleAction::GrantCreate,
            Self::Partner { .. } => ConsoleAction::PartnerGrant,
        }
    }

    /// Everything that it takes, as it is kept.
    pub fn to_payload(&self) -> Value {
        let deed = self.action().as_str();
        match self {
            Self::Account { account, credits, terms, reason } => json!({
                "version": VERSION,
                "deed": deed,
                "account": account.to_string(),
                "credits": credits.to_string(),
                "expires_us": terms.map(|terms| terms.expires_us),
                "priority": terms.map(|terms| terms.priority),
                "reason": reason,
            }),
            Self::Partner { partner, credits, reason } => json!({
                "version": VERSION,
                "deed": deed,
                "partner": partner.to_string(),
                "credits": credits.to_string(),
                "reason": reason,
            }),
        }
    }

    /// Reads what [`Self::to_payload`] made; `None` if it is something else.
    pub fn from_payload(payload: &Value) -> Option<Self> {
        let text = |name: &str| payload.get(name).and_then(Value::as_str);
        if payload.get("version").and_then(Value::as_u64) != Some(VERSION) {
            return None;
        }
        let credits = Credits::parse_exact(text("credits")?).ok()?;
        let reason = text("reason")?.to_owned();
        match ConsoleAction::from_word(text("deed")?)? {
            ConsoleAction::GrantCreate => {
                let number = |name: &str| payload.get(name).and_then(Value::as_i64);
                let terms = match (number("expires_us"), number("priority")) {
                    (Some(expires_us), Some(priority)) => Some(GrantTerms { expires_us, priority }),
                    (None, None) => None,
                    _ => return None,
                };
                Some(Self::Account { account: text("account")?.parse().ok()?, credits, terms, reason })
            }
            ConsoleAction::PartnerGrant => {
                Some(Self::Partner { partner: text("partner")?.parse().ok()?, credits, reason })
            }
            _ => None,
        }
    }
}

impl Services {
    /// Asks for credits above [`super::APPROVAL_FROM`]. The same `key` again (the form's own identifier) asks for nothing
    /// more.
    ///
    /// # Errors
    /// As for [`Self::request_approval`].
    pub async fn request_grant(
        &self,
        by: &OpContext,
        author: OperatorId,
        grant: &AskedGrant,
        key: Option<&str>,
    ) -> Result<ApprovalId, RequestApprovalError> {
        let (credits, object, reason) = match grant {
            AskedGrant::Account { account, credits, reason, .. } => (credits, ("account", account.to_string()), reason),
            AskedGrant::Partner { partner, credits, reason } => (credits, ("partner", partner.to_string()), reason),
        };
        let new = NewApproval {
            kind: grant.action().as_str(),
            payload: grant.to_payload(),
            amount: Some(credits.micros()),
            object,
            reason,
            key,
        };
        self.request_approval(by, author, new).await
    }

    /// Gives the credits of an approved request. Doing it again gives nothing more.
    ///
    /// # Errors
    /// It is no grant, or the credits are refused.
    pub async fn carry_out_grant(&self, by: &OpContext, approval: &Approval) -> Result<EntryId, CarryOutGrantError> {
        let key = approval.key();
        match AskedGrant::from_payload(&approval.payload).ok_or(CarryOutGrantError::Unreadable)? {
            AskedGrant::Account { account, credits, terms, reason } => {
                let note = Note { reason: &reason, key: Some(&key) };
                Ok(self.grant_credits(by, account, credits, terms, note).await?.id)
            }
            AskedGrant::Partner { partner, credits, reason } => {
                let note = Note { reason: &reason, key: Some(&key) };
                Ok(self.grant_to_partner(by, partner, credits, note).await?.id)
            }
        }
    }
}

#[cfg(test)]
mod tests;
