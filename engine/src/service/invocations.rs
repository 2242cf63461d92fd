//! Calls as their callers may look at them afterwards, and as operators may.

use sea_orm::EntityTrait;

use super::{
    Services,
    access::{EndUser, Owner, Principal},
};
use crate::{
    code::Code,
    credits::Credits,
    id::{InvocationId, PriceVersionId, ToolId},
    invocation::{CallState, Surface},
    store::{StoreError, entity},
};

mod detail;
mod list;
mod names;
mod why;

pub use detail::{
    CallDetail, CallHold, CallKey, CallMoney, CallPosting, CallPrice, CallSettlement, CallTransaction, Place,
};
pub use list::{CALLS_LOOKED_AT, CALLS_PAGE_MAX, CallFilter, CallPage, ListedCall};
pub(super) use names::{Names, Wanted};
pub use why::CallReason;

/// A call as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// Which.
    pub id: InvocationId,
    /// What was called, if it existed.
    pub tool: Option<ToolId>,
    /// The price that was in force.
    pub price: Option<PriceVersionId>,
    /// The policy that decided: the number of a version, a hyphen, and sixteen digits for everything that decides.
    pub policy_version: String,
    /// Where it stands.
    pub state: CallState,
    /// Reserved at its beginning, in micro-credits.
    pub held: Credits,
    /// Charged, in micro-credits.
    pub charged: Credits,
    /// The public error code that the caller was told.
    pub error: Option<String>,
    /// Accepted, in microseconds since the Unix epoch.
    pub created_us: i64,
    /// Ended, in microseconds since the Unix epoch.
    pub ended_us: Option<i64>,
    /// For an unknown outcome: when its hold is settled by rule.
    pub resolves_us: Option<i64>,
}

impl Services {
    /// A call of this caller; `None` for any other. A partner sees the calls of all its end users unless it names one.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_invocation(
        &self,
        id: InvocationId,
        principal: &Principal,
        end_user: Option<&EndUser>,
    ) -> Result<Option<Invocation>, StoreError> {
        let row = entity::invocation::Entity::find_by_id(id.uuid()).one(self.db.readers()).await?;
        let Some(row) = row else { return Ok(None) };
        let is_own = match &principal.owner {
            Owner::Account(account) => row.account_id == Some(account.id.uuid()),
            Owner::Partner(partner) => {
                row.partner_id == Some(partner.id.uuid())
                    && end_user.is_none_or(|user| row.end_user_id == Some(user.id.uuid()))
            }
        };
        // A tool that is hidden from the caller is not there afterwards either.
        let is_hidden =
            row.surface == Surface::Marketplace.raw() && row.error.as_deref() == Some(Code::NotFound.as_str());
        if !is_own || is_hidden {
            return Ok(None);
        }
        let state = CallState::from_raw(row.state)
            .ok_or_else(|| StoreError::Inconsistent { table: "invocation", what: id.to_string() })?;
        Ok(Some(Invocation {
            id,
            tool: row.tool_id.map(ToolId::from),
            price: row.price_id.map(PriceVersionId::from),
            policy_version: row.policy_version,
            state,
            held: Credits::from_micros(row.held),
            charged: Credits::from_micros(row.charged),
            error: row.error,
            created_us: row.created_us,
            ended_us: row.ended_us,
            resolves_us: row.resolves_us.filter(|_| state == CallState::Unknown),
        }))
    }
}
