//! What can be asked for: every deed with all that it takes to do it, as it is kept while it waits.

use serde_json::{Map, Value, json};

use self::kept::{Kept, wrong};
use super::RequestApprovalError;
use crate::{
    credits::Credits,
    id::{AccountId, EntryId, OperatorId, PartnerId, PriceVersionId},
    ledger::grants::PRIORITY_MAX,
    operator::Role,
    policy::console::ConsoleAction,
    service::{
        accounts::{GrantTerms, is_reason},
        catalog::spec_from_json,
        operators::NewOperator,
    },
};

mod kept;
mod request;

/// The words of the payloads. Whoever changes them raises it and goes on reading the old ones.
const VERSION: u64 = 1;

/// Something that one operator asks for and another one approves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Give back what was charged, or a part of it.
    RefundCreate {
        /// The charge; a call's has the call's identifier.
        of: EntryId,
        /// How much, in micro-credits; `None`: all that is left when it is done.
        credits: Option<Credits>,
        /// One line; its digest stands in the books.
        reason: String,
    },
    /// Take a whole transaction back.
    ReversalCreate {
        /// The transaction.
        of: EntryId,
        /// As for a refund.
        reason: String,
    },
    /// Correct the wallet of an account.
    AccountAdjust {
        /// Whose.
        account: AccountId,
        /// How much to put in, or to take out where it is below zero, in micro-credits.
        credits: Credits,
        /// As for a refund.
        reason: String,
    },
    /// Give credits to an account.
    GrantCreate {
        /// Whose.
        account: AccountId,
        /// How much, in micro-credits.
        credits: Credits,
        /// When they expire and in which order they are spent; `None`: never.
        terms: Option<GrantTerms>,
        /// As for a refund.
        reason: String,
    },
    /// Give credits to a partner, for ever.
    PartnerGrant {
        /// Whose.
        partner: PartnerId,
        /// How much, in micro-credits.
        credits: Credits,
        /// As for a refund.
        reason: String,
    },
    /// Set a price that is to come.
    PriceSchedule {
        /// The tool's namespace and name, or its plain name.
        tool: String,
        /// The price, as JSON of [`crate::service::catalog::spec_to_json`].
        spec: String,
        /// From when on, in microseconds since the Unix epoch; where that is over, as soon as it is approved.
        from_us: i64,
        /// The version that was seen to be in force before it: another one makes the request stale. `None`: any.
        over: Option<PriceVersionId>,
        /// One line, for the audit trail.
        reason: String,
    },
    /// Put a drafted policy in force.
    PolicyPublish {
        /// Which version.
        number: i64,
        /// The version that was seen to be in force: another one makes the request stale. `None`: any.
        over: Option<i64>,
    },
    /// Let somebody into the console. Whoever approves it is shown the link, and nobody else.
    OperatorCreate {
        /// The address that they sign in with.
        email: String,
        /// Who that is.
        name: String,
        /// What they are.
        roles: Vec<Role>,
        /// Why.
        reason: String,
    },
    /// Give somebody a new link in the place of their password and second factor. It is shown as for a new operator.
    OperatorReset {
        /// Whom.
        operator: OperatorId,
        /// Why.
        reason: String,
    },
    /// Let somebody in again who was shut out.
    OperatorEnable {
        /// Whom.
        operator: OperatorId,
        /// Why.
        reason: String,
    },
    /// Change what somebody is in the console.
    OperatorRoles {
        /// Who.
        operator: OperatorId,
        /// What they are from then on.
        roles: Vec<Role>,
        /// What they were seen to be: other roles make the request stale. `None`: any.
        over: Option<Vec<Role>>,
        /// Why.
        reason: String,
    },
}

/// What was kept cannot be read as a deed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("what is to be done cannot be read: {0}")]
pub struct DeedUnreadable(String);

impl Deed {
    /// What deeds are called: whoever decides one has to be allowed to do it.
    pub const ACTIONS: [ConsoleAction; 11] = [
        ConsoleAction::RefundCreate,
        ConsoleAction::ReversalCreate,
        ConsoleAction::AccountAdjust,
        ConsoleAction::GrantCreate,
        ConsoleAction::PartnerGrant,
        ConsoleAction::PriceSchedule,
        ConsoleAction::PolicyPublish,
        ConsoleAction::OperatorCreate,
        ConsoleAction::OperatorReset,
        ConsoleAction::OperatorEnable,
        ConsoleAction::OperatorRoles,
    ];

    /// What it is called, and what whoever decides has to be allowed to do.
    pub const fn action(&self) -> ConsoleAction {
        match self {
            Self::RefundCreate { .. } => ConsoleAction::RefundCreate,
            Self::ReversalCreate { .. } => ConsoleAction::ReversalCreate,
            Self::AccountAdjust { .. } => ConsoleAction::AccountAdjust,
            Self::GrantCreate { .. } => ConsoleAction::GrantCreate,
            Self::PartnerGrant { .. } => ConsoleAction::PartnerGrant,
            Self::PriceSchedule { .. } => ConsoleAction::PriceSchedule,
            Self::PolicyPublish { .. } => ConsoleAction::PolicyPublish,
            Self::OperatorCreate { .. } => ConsoleAction::OperatorCreate,
            Self::OperatorReset { .. } => ConsoleAction::OperatorReset,
            Self::OperatorEnable { .. } => ConsoleAction::OperatorEnable,
            Self::OperatorRoles { .. } => ConsoleAction::OperatorRoles,
        }
    }

    /// What it is done to: a kind, and which one, as the audit trail calls it.
    pub fn object(&self) -> (&'static str, String) {
        match self {
            Self::RefundCreate { of, .. } | Self::ReversalCreate { of, .. } => ("transaction", of.to_string()),
            Self::AccountAdjust { account, .. } | Self::GrantCreate { account, .. } => ("account", account.to_string()),
            Self::PartnerGrant { partner, .. } => ("partner", partner.to_string()),
            Self::PriceSchedule { tool, .. } => ("tool", tool.clone()),
            Self::PolicyPublish { number, .. } => ("policy", number.to_string()),
            // They have no identifier yet, and no address is told in the audit trail.
            Self::OperatorCreate { name, .. } => ("operator", name.clone()),
            Self::OperatorReset { operator, .. }
            | Self::OperatorEnable { operator, .. }
            | Self::OperatorRoles { operator, .. } => ("operator", operator.to_string()),
        }
    }

    /// Everything that it takes, as it is kept.
    pub fn to_payload(&self) -> Value {
        let facts = match self {
            Self::RefundCreate { of, credits, reason } => {
                let credits = credits.map(|credits| credits.to_string());
                json!({"of": of.to_string(), "credits": credits, "reason": reason})
            }
            Self::ReversalCreate { of, reason } => json!({"of": of.to_string(), "reason": reason}),
            Self::AccountAdjust { account, credits, reason } => {
                json!({"account": account.to_string(), "credits": credits.to_string(), "reason": reason})
            }
            Self::GrantCreate { account, credits, terms, reason } => json!({
                "account": account.to_string(),
                "credits": credits.to_string(),
                "expires_us": terms.map(|terms| terms.expires_us),
                "priority": terms.map(|terms| terms.priority),
                "reason": reason,
            }),
            Self::PartnerGrant { partner, credits, reason } => {
                json!({"partner": partner.to_string(), "credits": credits.to_string(), "reason": reason})
            }
            Self::PriceSchedule { tool, spec, from_us, over, reason } => {
                let over = over.map(|over| over.to_string());
                json!({"tool": tool, "spec": spec, "from_us": from_us, "over": over, "reason": reason})
            }
            Self::PolicyPublish { number, over } => json!({"number": number, "over": over}),
            Self::OperatorCreate { email, name, roles, reason } => {
                json!({"email": email, "name": name, "roles": Role::join(roles), "reason": reason})
            }
            Self::OperatorReset { operator, reason } | Self::OperatorEnable { operator, reason } => {
                json!({"operator": operator.to_string(), "reason": reason})
            }
            Self::OperatorRoles { operator, roles, over, reason } => {
                let over = over.as_deref().map(Role::join);
                json!({"operator": operator.to_string(), "roles": Role::join(roles), "over": over, "reason": reason})
            }
        };
        let mut payload = Map::new();
        payload.insert("version".to_owned(), VERSION.into());
        payload.insert("deed".to_owned(), self.action().as_str().into());
        if let Value::Object(facts) = facts {
            payload.extend(facts);
        }
        Value::Object(payload)
    }

    /// Reads what [`Self::to_payload`] made.
    ///
    /// # Errors
    /// It is something else, or of another version of the program.
    pub fn from_payload(payload: &Value) -> Result<Self, DeedUnreadable> {
        let kept = Kept(payload);
        match payload.get("version").and_then(Value::as_u64) {
            Some(VERSION) => {}
            Some(version) => return Err(DeedUnreadable(format!("it is of version {version}"))),
            None => return Err(wrong("version")),
        }
        let action = ConsoleAction::from_word(kept.text("deed")?);
        Ok(match action {
            Some(ConsoleAction::RefundCreate) => Self::RefundCreate {
                of: kept.parsed("of")?,
                credits: kept.maybe_credits("credits")?,
                reason: kept.text("reason")?.to_owned(),
            },
            Some(ConsoleAction::ReversalCreate) => {
                Self::ReversalCreate { of: kept.parsed("of")?, reason: kept.text("reason")?.to_owned() }
            }
            Some(ConsoleAction::AccountAdjust) => Self::AccountAdjust {
                account: kept.parsed("account")?,
                credits: kept.credits("credits")?,
                reason: kept.text("reason")?.to_owned(),
            },
            Some(ConsoleAction::GrantCreate) => Self::GrantCreate {
                account: kept.parsed("account")?,
                credits: kept.credits("credits")?,
                terms: match (kept.maybe_number("expires_us")?, kept.maybe_number("priority")?) {
                    (Some(expires_us), Some(priority)) => Some(GrantTerms { expires_us, priority }),
                    (None, None) => None,
                    _ => return Err(wrong("expires_us")),
                },
                reason: kept.text("reason")?.to_owned(),
            },
            Some(ConsoleAction::PartnerGrant) => Self::PartnerGrant {
                partner: kept.parsed("partner")?,
                credits: kept.credits("credits")?,
                reason: kept.text("reason")?.to_owned(),
            },
            Some(ConsoleAction::PriceSchedule) => Self::PriceSchedule {
                tool: kept.text("tool")?.to_owned(),
                spec: kept.text("spec")?.to_owned(),
                from_us: kept.number("from_us")?,
                over: kept.maybe_parsed("over")?,
                reason: kept.text("reason")?.to_owned(),
            },
            Some(ConsoleAction::PolicyPublish) => {
                Self::PolicyPublish { number: kept.number("number")?, over: kept.maybe_number("over")? }
            }
            Some(action) => return Self::about_operator(action, &kept),
            None => return Err(wrong("deed")),
        })
    }

    /// The rest of [`Self::from_payload`].
    fn about_operator(action: ConsoleAction, kept: &Kept<'_>) -> Result<Self, DeedUnreadable> {
        let reason = || kept.text("reason").map(str::to_owned);
        Ok(match action {
            ConsoleAction::OperatorCreate => Self::OperatorCreate {
                email: kept.text("email")?.to_owned(),
                name: kept.text("name")?.to_owned(),
                roles: kept.roles("roles")?,
                reason: reason()?,
            },
            ConsoleAction::OperatorReset => {
                Self::OperatorReset { operator: kept.parsed("operator")?, reason: reason()? }
            }
            ConsoleAction::OperatorEnable => {
                Self::OperatorEnable { operator: kept.parsed("operator")?, reason: reason()? }
            }
            ConsoleAction::OperatorRoles => Self::OperatorRoles {
                operator: kept.parsed("operator")?,
                roles: kept.roles("roles")?,
                over: kept.maybe_roles("over")?,
                reason: reason()?,
            },
            _ => return Err(wrong("deed")),
        })
    }

    /// What of it makes no sense whatever the books say, so that nobody is asked to decide it.
    fn problem(&self) -> Option<String> {
        let of_reason = |reason: &str| (!is_reason(reason)).then(|| RequestApprovalError::Reason.to_string());
        match self {
            Self::RefundCreate { credits, reason, .. } => {
                let is_positive = credits.is_none_or(|credits| credits > Credits::ZERO);
                if is_positive { of_reason(reason) } else { Some("`credits` must be more than 0".to_owned()) }
            }
            Self::PartnerGrant { credits, .. } if *credits <= Credits::ZERO => {
                Some("`credits` must be more than 0".to_owned())
            }
            Self::AccountAdjust { credits, .. } if credits.is_zero() => Some("`credits` must not be 0".to_owned()),
            Self::GrantCreate { credits, terms, reason, .. } => {
                if *credits <= Credits::ZERO {
                    return Some("`credits` must be more than 0".to_owned());
                }
                let priority = terms.map(|terms| terms.priority).filter(|number| !(0..=PRIORITY_MAX).contains(number));
                let of_priority = |priority| format!("`priority` is a number from 0 to {PRIORITY_MAX}, not {priority}");
                priority.map(of_priority).or_else(|| of_reason(reason))
            }
            Self::PriceSchedule { spec, reason, .. } => spec_from_json(spec).err().or_else(|| of_reason(reason)),
            Self::PolicyPublish { .. } => None,
            Self::OperatorCreate { email, name, roles, reason } => {
                let checked = NewOperator { email, name, roles }.checked_email();
                checked.err().map(|error| error.to_string()).or_else(|| of_reason(reason))
            }
            Self::OperatorRoles { roles, .. } if roles.is_empty() => {
                Some("an operator has at least one role".to_owned())
            }
            Self::ReversalCreate { reason, .. }
            | Self::AccountAdjust { reason, .. }
            | Self::PartnerGrant { reason, .. }
            | Self::OperatorReset { reason, .. }
            | Self::OperatorEnable { reason, .. }
            | Self::OperatorRoles { reason, .. } => of_reason(reason),
        }
    }
}

#[cfg(test)]
mod tests;
