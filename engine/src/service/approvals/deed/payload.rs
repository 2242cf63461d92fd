//! Deeds as they are kept while they wait: JSON, with words that never change.

use serde_json::{Map, Value, json};

use super::{
    Deed,
    kept::{Kept, wrong},
};
use crate::{operator::Role, policy::console::ConsoleAction};

/// The words of the payloads. Whoever changes them raises it and goes on reading the old ones.
const VERSION: u64 = 1;

/// What was kept cannot be read as a deed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("what is to be done cannot be read: {0}")]
pub struct DeedUnreadable(pub(super) String);

impl DeedUnreadable {
    /// Why not.
    pub fn why(&self) -> &str {
        &self.0
    }
}

impl Deed {
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
            Self::PayoutCreate { payee, credits, tell, reason } => {
                let credits = credits.map(|credits| credits.to_string());
                json!({"payee": payee, "credits": credits, "tell": tell, "reason": reason})
            }
            Self::PurchaseConfirm { purchase, reason } => {
                json!({"purchase": purchase.to_string(), "reason": reason})
            }
            Self::PriceCancel { price, instead, reason } => {
                let instead = instead.map(|instead| instead.to_string());
                json!({"price": price.to_string(), "instead": instead, "reason": reason})
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
        let reason = || kept.text("reason").map(str::to_owned);
        Ok(match ConsoleAction::from_word(kept.text("deed")?) {
            Some(ConsoleAction::RefundCreate) => Self::RefundCreate {
                of: kept.parsed("of")?,
                credits: kept.maybe_credits("credits")?,
                reason: reason()?,
            },
            Some(ConsoleAction::ReversalCreate) => Self::ReversalCreate { of: kept.parsed("of")?, reason: reason()? },
            Some(ConsoleAction::AccountAdjust) => Self::AccountAdjust {
                account: kept.parsed("account")?,
                credits: kept.credits("credits")?,
                reason: reason()?,
            },
            Some(ConsoleAction::GrantCreate) => Self::GrantCreate {
                account: kept.parsed("account")?,
                credits: kept.credits("credits")?,
                terms: kept.maybe_terms()?,
                reason: reason()?,
            },
            Some(ConsoleAction::PartnerGrant) => Self::PartnerGrant {
                partner: kept.parsed("partner")?,
                credits: kept.credits("credits")?,
                reason: reason()?,
            },
            Some(ConsoleAction::PayoutCreate) => Self::PayoutCreate {
                payee: kept.text("payee")?.to_owned(),
                credits: kept.maybe_credits("credits")?,
                tell: kept.maybe_parsed("tell")?,
                reason: reason()?,
            },
            Some(ConsoleAction::PurchaseConfirm) => {
                Self::PurchaseConfirm { purchase: kept.parsed("purchase")?, reason: reason()? }
            }
            Some(ConsoleAction::PriceSchedule) => Self::PriceSchedule {
                tool: kept.text("tool")?.to_owned(),
                spec: kept.text("spec")?.to_owned(),
                from_us: kept.number("from_us")?,
                over: kept.maybe_parsed("over")?,
                reason: reason()?,
            },
            Some(ConsoleAction::PriceCancel) => Self::PriceCancel {
                price: kept.parsed("price")?,
                instead: kept.maybe_parsed("instead")?,
                reason: reason()?,
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
}
