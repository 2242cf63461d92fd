//! Prices that somebody else has to approve: what is asked for, and how it is carried out.

use serde_json::{Value, json};

use super::{PriceOrder, PriceStart, PriceVersion, SchedulePriceError};
use crate::{
    audit::OpContext,
    id::{ApprovalId, OperatorId},
    policy::console::ConsoleAction,
    service::{
        Services,
        approvals::{Approval, NewApproval, RequestApprovalError},
        catalog::spec_from_json,
    },
};

/// Why a price was not asked for.
#[derive(Debug, thiserror::Error)]
pub enum RequestPriceError {
    /// It could not be scheduled if it were approved.
    #[error(transparent)]
    Price(#[from] SchedulePriceError),
    /// It cannot be asked for.
    #[error(transparent)]
    Request(#[from] RequestApprovalError),
}

/// Why a price that was approved was not scheduled.
#[derive(Debug, thiserror::Error)]
pub enum CarryOutPriceError {
    /// What was approved is no price, or cannot be read.
    #[error("what was approved is no price: {0}")]
    Payload(String),
    /// It cannot be scheduled.
    #[error(transparent)]
    Price(#[from] SchedulePriceError),
}

impl Services {
    /// Asks for a price that some call may become dearer by. It begins when it was to begin, or as soon as it is approved.
    /// The same key again asks for nothing more.
    ///
    /// What is asked for is `{"tool", "spec", "from_us", "standing"}`: the tool's path, the price in the field names of the
    /// wire, when it is to begin (in microseconds since the Unix epoch), and the price that it takes the place of.
    ///
    /// # Errors
    /// The price could not be scheduled as things stand, there is no reason, or the database failed.
    pub async fn request_price(
        &self,
        by: &OpContext,
        author: OperatorId,
        order: &PriceOrder<'_>,
    ) -> Result<ApprovalId, RequestPriceError> {
        let planned = self.plan_price(order).await?;
        let value_of = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
        let (PriceStart::At(from_us) | PriceStart::NotBefore(from_us)) = order.start;
        let standing = planned.standing.as_ref();
        let payload = json!({
            "tool": planned.path,
            "spec": value_of(&planned.spec),
            "from_us": from_us,
            "standing": standing.map(|price| json!({"price": price.id.to_string(), "spec": value_of(&price.spec)})),
        });
        let new = NewApproval {
            kind: ConsoleAction::PriceSchedule.as_str(),
            payload,
            amount: None,
            object: ("tool", planned.tool.to_string()),
            reason: order.reason.unwrap_or_default(),
            key: order.key,
        };
        Ok(self.request_approval(by, author, new).await?)
    }

    /// Schedules a price that was approved. Carried out again it is the same version.
    ///
    /// # Errors
    /// It is no price, or it cannot be scheduled any more.
    pub async fn carry_out_price(
        &self,
        by: &OpContext,
        approval: &Approval,
    ) -> Result<PriceVersion, CarryOutPriceError> {
        let missing = |name: &str| CarryOutPriceError::Payload(format!("`{name}` is missing"));
        if approval.kind != ConsoleAction::PriceSchedule.as_str() {
            return Err(CarryOutPriceError::Payload(format!("it is `{}`", approval.kind)));
        }
        let path = approval.payload.get("tool").and_then(Value::as_str).ok_or_else(|| missing("tool"))?;
        let from_us = approval.payload.get("from_us").and_then(Value::as_i64).ok_or_else(|| missing("from_us"))?;
        let spec = approval.payload.get("spec").ok_or_else(|| missing("spec"))?;
        let spec = spec_from_json(&spec.to_string()).map_err(CarryOutPriceError::Payload)?;
        let key = approval.key();
        let order = PriceOrder {
            path,
            spec: &spec,
            start: PriceStart::NotBefore(from_us),
            key: Some(&key),
            reason: Some(&approval.reason),
            may_raise: true,
            over: None,
        };
        Ok(self.order_price(by, &order).await?)
    }
}
