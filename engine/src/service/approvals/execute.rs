//! Carrying out what was approved: at once by whoever approved it, or later by whichever server finds it undone.
//!
//! Refunds, grants, corrections, payouts and prices are carried out under a key of their own, so that they happen once. A
//! policy is published, a payment confirmed and a price taken back once by its state. Of these, and of what is done about
//! operators, the audit trail says whether it was done for this approval. A link that comes of it is known only to whoever
//! approved it; whoever takes the deed up later shows it to nobody.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use super::{Approval, DecideApprovalError, Decision, Deed, DeedFailure, failure::refused};
use crate::{
    audit::{Actor, Method, OpContext},
    id::{ApprovalId, EntryId, OperatorId, RequestId},
    operator::Role,
    service::{
        Services,
        catalog::spec_from_json,
        movements::Note,
        operators::{CreatedOperator, NewOperator},
        prices::{PriceCancel, PriceOrder, PriceStart},
    },
    store::{StoreError, entity},
};

/// How long whoever has approved something is left to carry it out, in seconds, before a server takes it up.
pub const RESUMED_AFTER_S: i64 = 5;
const RESUMED_AFTER_US: i64 = RESUMED_AFTER_S * 1_000_000;
/// How much earlier than the decision a deed may seem to have been told, in microseconds: clocks of servers differ.
const CLOCKS_DIFFER_US: i64 = 60_000_000;

const NOT_VOUCHED_FOR: &str = "the audit trail tells of no such approval: find out who writes into the database";

/// What was done.
#[derive(Debug, Clone)]
pub struct DeedDone {
    /// In words.
    pub said: String,
    /// The ledger's transaction, where money moved.
    pub entry: Option<EntryId>,
    /// Whoever got a link, with it: the only time that it is known.
    pub link: Option<CreatedOperator>,
}

impl DeedDone {
    const fn of(said: String) -> Self {
        Self { said, entry: None, link: None }
    }

    const fn moved(entry: EntryId, said: String) -> Self {
        Self { said, entry: Some(entry), link: None }
    }
}

impl Deed {
    /// Does it. `key` names it, so that doing it again changes nothing.
    ///
    /// # Errors
    /// See [`DeedFailure`].
    #[expect(clippy::too_many_lines, reason = "one arm for each deed")]
    pub async fn execute(&self, services: &Services, by: &OpContext, key: &str) -> Result<DeedDone, DeedFailure> {
        let note = |reason| Note { reason, key: Some(key) };
        match self {
            Self::RefundCreate { of, credits, reason } => {
                let refunded = services.refund(by, *of, *credits, note(reason)).await?;
                let said = format!("{} credits went back with {}", refunded.credits, refunded.id);
                Ok(DeedDone::moved(refunded.id, said))
            }
            Self::ReversalCreate { of, reason } => {
                let reverted = services.revert(by, *of, note(reason), false).await?;
                Ok(DeedDone { entry: reverted.id, ..DeedDone::of(format!("{of} was taken back")) })
            }
            Self::AccountAdjust { account, credits, reason } => {
                let adjusted = services.adjust(by, *account, *credits, note(reason)).await?;
                let said = format!("the wallet was corrected by {credits} credits with {}", adjusted.id);
                Ok(DeedDone::moved(adjusted.id, said))
            }
            Self::GrantCreate { account, credits, terms, reason } => {
                let given = services.grant_credits(by, *account, *credits, *terms, note(reason)).await?;
                Ok(DeedDone::moved(given.id, format!("{credits} credits were given with {}", given.id)))
            }
            Self::PartnerGrant { partner, credits, reason } => {
                let given = services.grant_to_partner(by, *partner, *credits, note(reason)).await?;
                Ok(DeedDone::moved(given.id, format!("{credits} credits were given with {}", given.id)))
            }
            Self::PayoutCreate { payee, credits, tell, reason } => {
                let payee = services.find_payee(payee).await?;
                let paid = services.pay_out_and_tell(by, &payee, *credits, note(reason), tell.as_deref()).await?;
                let said = format!("{} credits were paid to {} with {}", paid.paid, payee.name, paid.id);
                Ok(DeedDone::moved(paid.id, said))
            }
            Self::PurchaseConfirm { purchase, reason } => {
                services.confirm_purchase(by, *purchase, Some(reason)).await?;
                Ok(DeedDone::moved(purchase.uuid().into(), self.outcome()))
            }
            Self::PriceCancel { price, instead, reason } => {
                let order = PriceCancel { id: *price, reason: Some(reason), may_raise: true, instead: *instead };
                services.take_price_back(by, &order).await?;
                Ok(DeedDone::of(self.outcome()))
            }
            Self::PriceSchedule { tool, spec, from_us, over, reason } => {
                let spec = spec_from_json(spec).map_err(DeedFailure::Refused)?;
                let order = PriceOrder {
                    path: tool,
                    spec: &spec,
                    // Waiting may take longer than it was to begin.
                    start: PriceStart::NotBefore(*from_us),
                    key: Some(key),
                    reason: Some(reason),
                    may_raise: true,
                    over: *over,
                };
                let made = services.order_price(by, &order).await?;
                Ok(DeedDone::of(format!("{} is the price of {tool} from its time on", made.id)))
            }
            Self::PolicyPublish { number, over } => {
                services.publish_policy(by, *number, *over).await?;
                Ok(DeedDone::of(self.outcome()))
            }
            Self::OperatorCreate { email, name, roles, reason } => {
                let new = NewOperator { email, name, roles };
                let made = services.create_operator_because(by, new, Some(reason)).await?;
                Ok(DeedDone { link: Some(made), ..DeedDone::of(self.outcome()) })
            }
            Self::OperatorReset { operator, reason } => {
                let renewed = services.renew_operator_link(by, *operator, Some(reason)).await?;
                Ok(DeedDone { link: Some(renewed), ..DeedDone::of(self.outcome()) })
            }
            Self::OperatorEnable { operator, reason } => {
                services.set_operator_disabled(by, *operator, false, Some(reason)).await?;
                Ok(DeedDone::of(self.outcome()))
            }
            Self::OperatorRoles { operator, roles, over, reason } => {
                services.set_operator_roles(by, *operator, roles, over.as_deref(), Some(reason)).await?;
                Ok(DeedDone::of(self.outcome()))
            }
        }
    }

    /// Of a deed without a key: what was done, in words.
    fn outcome(&self) -> String {
        match self {
            Self::PurchaseConfirm { purchase, .. } => format!("{purchase} is paid, and its credits are in the wallet"),
            Self::PriceCancel { price, .. } => format!("{price} will not take effect"),
            Self::PolicyPublish { number, .. } => format!("version {number} of the policy is in force"),
            Self::OperatorCreate { name, roles, .. } => format!("{name} may come in as {}", Role::join(roles)),
            Self::OperatorReset { operator, .. } => {
                format!("{operator} has a new link, and neither password nor second factor")
            }
            Self::OperatorEnable { operator, .. } => format!("{operator} may come in again"),
            Self::OperatorRoles { operator, roles, .. } => format!("{operator} is {}", Role::join(roles)),
            _ => String::new(),
        }
    }

    /// Whether doing it twice is kept apart by its key.
    const fn has_key(&self) -> bool {
        !matches!(
            self,
            Self::PurchaseConfirm { .. }
                | Self::PriceCancel { .. }
                | Self::PolicyPublish { .. }
                | Self::OperatorCreate { .. }
                | Self::OperatorReset { .. }
                | Self::OperatorEnable { .. }
                | Self::OperatorRoles { .. }
        )
    }
}

impl Services {
    /// Approves what somebody else has asked for, and carries it out. If that cannot be finished now, a round of
    /// [`Self::resume_approvals`] does it: the answer says how it stands. With the link that came of it: nobody else is ever
    /// shown it.
    ///
    /// # Errors
    /// As for [`Self::decide_approval`]: then nothing was approved.
    pub async fn approve_and_carry_out(
        &self,
        by: &OpContext,
        id: ApprovalId,
        operator: OperatorId,
        note: Option<&str>,
    ) -> Result<(Approval, Option<CreatedOperator>), DecideApprovalError> {
        let approved = self.decide_approval(by, id, operator, Decision::Approve, note).await?;
        let link = self.carry_out_approval(&approved).await.unwrap_or_else(|error| {
            tracing::warn!(%id, %error, "what was approved could not be carried out yet");
            None
        });
        match self.find_approval(id).await {
            Ok(now) => Ok((now.unwrap_or(approved), link)),
            // How it stands can be looked up later, the link cannot.
            Err(error) if link.is_some() => {
                tracing::warn!(%id, %error, "what was approved cannot be read again");
                Ok((approved, link))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Carries out what was approved some seconds ago and has no outcome: whoever approved it is gone. To be called from time
    /// to time, by any number of servers.
    ///
    /// # Errors
    /// The database cannot be read. What fails by itself is tried again in the next round.
    pub async fn resume_approvals(&self) -> Result<(), StoreError> {
        let until_us = self.clock.now_us().saturating_sub(RESUMED_AFTER_US);
        let unfinished = self.list_unfinished_approvals().await?;
        let left = unfinished.iter().filter(|approval| approval.decided_us.is_some_and(|at_us| at_us <= until_us));
        for approval in left {
            if let Err(error) = self.carry_out_approval(approval).await {
                tracing::warn!(id = %approval.id, %error, "what was approved could not be carried out");
            }
        }
        Ok(())
    }

    /// Carries out what was approved and keeps what came of it: that it was done, or why it cannot be. Gives the link that
    /// was made, for whoever approved it. What the audit trail does not vouch for is refused.
    ///
    /// # Errors
    /// The database failed, or somebody was at the same thing: it is as it was, and can be tried again.
    pub async fn carry_out_approval(&self, approval: &Approval) -> Result<Option<CreatedOperator>, DeedFailure> {
        let Some(approver) = approval.decided_by else { return Ok(None) };
        if !self.is_approved(approval).await? {
            tracing::error!(id = %approval.id, "the audit trail tells of no such approval: nothing is done");
            self.finish_approval(approval.id, Err(NOT_VOUCHED_FOR)).await?;
            return Ok(None);
        }
        let by = OpContext {
            actor: Actor::Operator(approver.to_string()),
            method: Method::Approval { id: approval.id, author: approval.author },
            request: Some(RequestId::new(&*self.ids, self.clock.now_us())),
        };
        match self.do_approved(&by, approval).await {
            Ok(done) => {
                match self.finish_approval(approval.id, Ok(&done.said)).await {
                    // A round writes it once more; the link is never to be had again.
                    Err(error) if done.link.is_some() => {
                        tracing::warn!(id = %approval.id, %error, "what came of an approval could not be written yet");
                    }
                    finished => finished?,
                }
                Ok(done.link)
            }
            Err(DeedFailure::Refused(why)) => {
                self.finish_approval(approval.id, Err(&why)).await?;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    async fn do_approved(&self, by: &OpContext, approval: &Approval) -> Result<DeedDone, DeedFailure> {
        let deed = Deed::from_payload(&approval.payload).map_err(|error| refused(&error))?;
        if !deed.has_key() && self.was_carried_out(approval).await? {
            return Ok(DeedDone::of(deed.outcome()));
        }
        let done = deed.execute(self, by, &approval.key()).await;
        // Another server was at it at the same moment.
        if done.is_err() && !deed.has_key() && self.was_carried_out(approval).await? {
            return Ok(DeedDone::of(deed.outcome()));
        }
        done
    }

    /// Whether the audit trail tells of something that was done because of this approval. By `audit_actor`.
    async fn was_carried_out(&self, approval: &Approval) -> Result<bool, StoreError> {
        use entity::audit::Column;
        let (Some(approver), Some(decided_us)) = (approval.decided_by, approval.decided_us) else { return Ok(false) };
        let told = entity::audit::Entity::find()
            .filter(Column::ActorId.eq(approver.to_string()))
            .filter(Column::RecordedUs.gte(decided_us.saturating_sub(CLOCKS_DIFFER_US)))
            .filter(Column::Credential.eq(approval.id.to_string()))
            .limit(1)
            .one(self.db.readers())
            .await?;
        Ok(told.is_some())
    }
}
