//! Asking for a deed.

use super::{Deed, Senseless};
use crate::{
    audit::OpContext,
    credits::Credits,
    id::{ApprovalId, EntryId, OperatorId},
    service::{
        Services,
        approvals::{NewApproval, RequestApprovalError},
        movements::MovementError,
        purchases::PurchaseStatus,
    },
};

impl Services {
    /// Asks for a deed: another operator has to decide it. `reason` is for whoever decides; the same `key` again (the form's
    /// own identifier) asks for nothing more.
    ///
    /// # Errors
    /// See [`RequestApprovalError`]: the deed makes no sense, there is nothing to give back, the reason or the key cannot be
    /// used, or the database failed.
    pub async fn request_deed(
        &self,
        by: &OpContext,
        author: OperatorId,
        deed: &Deed,
        reason: &str,
        key: Option<&str>,
    ) -> Result<ApprovalId, RequestApprovalError> {
        if let Some(problem) = deed.problem() {
            return Err(problem.into());
        }
        let new = NewApproval {
            kind: deed.action().as_str(),
            payload: deed.to_payload(),
            amount: self.amount_of(deed).await?,
            object: self.object_of(deed)?,
            reason,
            key,
        };
        self.request_approval(by, author, new).await
    }

    /// What a deed is done to, as its page knows it: tools have identifiers, too.
    fn object_of(&self, deed: &Deed) -> Result<(&'static str, String), RequestApprovalError> {
        let Deed::PriceSchedule { tool, .. } = deed else { return Ok(deed.object()) };
        let found = self.find_tool_by_path(tool);
        let found = found.ok_or_else(|| Senseless::NoTool(tool.clone()))?;
        Ok(("tool", found.to_string()))
    }

    /// How much money a deed moves at most, in micro-credits. Of a charge less and less is left, never more.
    async fn amount_of(&self, deed: &Deed) -> Result<Option<i64>, RequestApprovalError> {
        let nothing = |of: &EntryId| Senseless::NothingLeft(*of);
        let amount = match deed {
            Deed::RefundCreate { of, credits: None, .. } => {
                let left = self.find_refundable(*of).await?.map(|charge| charge.left());
                left.filter(|left| !left.is_zero()).ok_or_else(|| nothing(of))?
            }
            Deed::ReversalCreate { of, .. } => {
                let (_, postings) = self.find_transaction(*of).await?.ok_or_else(|| nothing(of))?;
                let moved = Credits::checked_sum(postings.iter().map(|posting| posting.amount));
                moved.ok_or_else(|| nothing(of))?
            }
            Deed::PayoutCreate { payee, credits: None, .. } => {
                let payee = self.find_payee(payee).await.map_err(|error| match error {
                    MovementError::Store(error) => error.into(),
                    other => RequestApprovalError::from(Senseless::Payee(other)),
                })?;
                self.load_payee_balance(&payee).await?.due()
            }
            Deed::PurchaseConfirm { purchase, .. } => {
                let found = self.find_purchase(*purchase).await?;
                let pending = found.filter(|found| found.status == PurchaseStatus::Pending);
                pending.ok_or(Senseless::NotPending(*purchase))?.credits
            }
            Deed::RefundCreate { credits: Some(credits), .. }
            | Deed::PayoutCreate { credits: Some(credits), .. }
            | Deed::AccountAdjust { credits, .. }
            | Deed::GrantCreate { credits, .. }
            | Deed::PartnerGrant { credits, .. } => credits.size(),
            Deed::PriceSchedule { .. }
            | Deed::PriceCancel { .. }
            | Deed::PolicyPublish { .. }
            | Deed::OperatorCreate { .. }
            | Deed::OperatorReset { .. }
            | Deed::OperatorEnable { .. }
            | Deed::OperatorRoles { .. } => return Ok(None),
        };
        Ok(Some(amount.micros()))
    }
}
