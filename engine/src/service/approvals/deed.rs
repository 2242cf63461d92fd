//! What can be asked for: every deed with all that it takes to do it, as it is kept while it waits.

use crate::{
    credits::Credits,
    id::{AccountId, EntryId, OperatorId, PartnerId, PriceVersionId, PurchaseId},
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
mod payload;
mod request;
mod senseless;

pub use payload::DeedUnreadable;
pub use senseless::Senseless;

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
    /// Pay a publisher or a partner what they have earned.
    PayoutCreate {
        /// Whom: the public form of their identifier.
        payee: String,
        /// How much, in micro-credits; `None`: all there is when it is done.
        credits: Option<Credits>,
        /// The address that the statement is mailed to, if it is.
        tell: Option<String>,
        /// As for a refund.
        reason: String,
    },
    /// Confirm that a purchase was paid.
    PurchaseConfirm {
        /// Which.
        purchase: PurchaseId,
        /// One line, for the audit trail.
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
    /// Take a price back that is to come.
    PriceCancel {
        /// Which.
        price: PriceVersionId,
        /// The version that was seen to be in force instead: another one makes the request stale. `None`: any.
        instead: Option<PriceVersionId>,
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

impl Deed {
    /// What deeds are called: whoever decides one has to be allowed to do it.
    pub const ACTIONS: [ConsoleAction; 14] = [
        ConsoleAction::RefundCreate,
        ConsoleAction::ReversalCreate,
        ConsoleAction::AccountAdjust,
        ConsoleAction::GrantCreate,
        ConsoleAction::PartnerGrant,
        ConsoleAction::PayoutCreate,
        ConsoleAction::PurchaseConfirm,
        ConsoleAction::PriceSchedule,
        ConsoleAction::PriceCancel,
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
            Self::PayoutCreate { .. } => ConsoleAction::PayoutCreate,
            Self::PurchaseConfirm { .. } => ConsoleAction::PurchaseConfirm,
            Self::PriceSchedule { .. } => ConsoleAction::PriceSchedule,
            Self::PriceCancel { .. } => ConsoleAction::PriceCancel,
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
            Self::PayoutCreate { payee, .. } => ("payee", payee.clone()),
            Self::PurchaseConfirm { purchase, .. } => ("purchase", purchase.to_string()),
            Self::PriceSchedule { tool, .. } => ("tool", tool.clone()),
            Self::PriceCancel { price, .. } => ("price", price.to_string()),
            Self::PolicyPublish { number, .. } => ("policy", number.to_string()),
            // They have no identifier yet, and no address is told in the audit trail.
            Self::OperatorCreate { name, .. } => ("operator", name.clone()),
            Self::OperatorReset { operator, .. }
            | Self::OperatorEnable { operator, .. }
            | Self::OperatorRoles { operator, .. } => ("operator", operator.to_string()),
        }
    }

    /// What of it makes no sense whatever the books say, so that nobody is asked to decide it.
    fn problem(&self) -> Option<Senseless> {
        let of_reason = |reason: &str| (!is_reason(reason)).then_some(Senseless::Reason);
        match self {
            Self::RefundCreate { credits, reason, .. } | Self::PayoutCreate { credits, reason, .. } => {
                let is_positive = credits.is_none_or(|credits| credits > Credits::ZERO);
                if is_positive { of_reason(reason) } else { Some(Senseless::NotPositive) }
            }
            Self::PartnerGrant { credits, .. } if *credits <= Credits::ZERO => Some(Senseless::NotPositive),
            Self::AccountAdjust { credits, .. } if credits.is_zero() => Some(Senseless::Zero),
            Self::GrantCreate { credits, terms, reason, .. } => {
                if *credits <= Credits::ZERO {
                    return Some(Senseless::NotPositive);
                }
                let priority = terms.map(|terms| terms.priority).filter(|number| !(0..=PRIORITY_MAX).contains(number));
                priority.map(Senseless::Priority).or_else(|| of_reason(reason))
            }
            Self::PriceSchedule { spec, reason, .. } => {
                spec_from_json(spec).err().map(Senseless::Price).or_else(|| of_reason(reason))
            }
            Self::PolicyPublish { .. } => None,
            Self::OperatorCreate { email, name, roles, reason } => {
                let checked = NewOperator { email, name, roles }.checked_email();
                checked.err().map(Senseless::Operator).or_else(|| of_reason(reason))
            }
            Self::OperatorRoles { roles, .. } if roles.is_empty() => Some(Senseless::NoRole),
            Self::ReversalCreate { reason, .. }
            | Self::AccountAdjust { reason, .. }
            | Self::PartnerGrant { reason, .. }
            | Self::OperatorReset { reason, .. }
            | Self::OperatorEnable { reason, .. }
            | Self::PurchaseConfirm { reason, .. }
            | Self::PriceCancel { reason, .. }
            | Self::OperatorRoles { reason, .. } => of_reason(reason),
        }
    }
}

#[cfg(test)]
mod tests;
