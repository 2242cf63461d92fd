//! What happens to requests by themselves: what was approved gets an outcome, what nobody has decided expires.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;

use super::{Approval, ApprovalState, cut, read, told_of};
use crate::{
    audit::{Action, AuditEntry, OpContext},
    id::ApprovalId,
    service::{Services, outbox::unexpected},
    store::{NotSaved, StoreError, UnitOfWork, entity},
};

/// How many are looked at in one round.
const ROUND_MAX: u64 = 100;

impl Services {
    /// Says what came of carrying out what was approved: something was done, or it was refused and nothing happened. Once it
    /// is said it stays. What was done is told where it is done; that nothing was is told here.
    ///
    /// # Errors
    /// The database failed.
    pub async fn finish_approval(&self, id: ApprovalId, outcome: Result<&str, &str>) -> Result<(), StoreError> {
        let Some(approval) = self.find_approval(id).await? else { return Ok(()) };
        let (state, kept) = match outcome {
            Ok(done) => (ApprovalState::Approved, json!({"done": cut(done)})),
            Err(refused) => (ApprovalState::Failed, json!({"refused": cut(refused)})),
        };
        let change = entity::approval::ActiveModel {
            state: Set(state.as_str().to_owned()),
            outcome: Set(Some(kept.to_string())),
            ..Default::default()
        };
        let update = entity::approval::Entity::update_many()
            .set(change)
            .filter(entity::approval::Column::Id.eq(id.uuid()))
            .filter(entity::approval::Column::State.eq(ApprovalState::Approved.as_str()))
            .filter(entity::approval::Column::Outcome.is_null());
        let mut unit = UnitOfWork::new();
        unit.one(self.db.backend(), &update);
        let unit = match outcome {
            Ok(_) => unit.unaudited("what was carried out is told by what was done"),
            // By nobody: in the name of whoever approved it stands what was done because of it.
            Err(refused) => unit.audited(told_of_failure(&approval, refused)),
        };
        match self.ledger.save(unit).await {
            // It has an outcome, or was never approved.
            Ok(_) | Err(NotSaved::Conflict { .. }) => Ok(()),
            Err(not_saved) => Err(unexpected("approval", not_saved)),
        }
    }

    /// What was approved and has no outcome, the oldest first: it is being carried out, or whoever did that is gone.
    ///
    /// # Errors
    /// As for [`Self::list_approvals`].
    pub async fn list_unfinished_approvals(&self) -> Result<Vec<Approval>, StoreError> {
        let rows = entity::approval::Entity::find()
            .filter(entity::approval::Column::State.eq(ApprovalState::Approved.as_str()))
            .filter(entity::approval::Column::Outcome.is_null())
            .order_by_asc(entity::approval::Column::Id)
            .limit(ROUND_MAX)
            .all(self.db.readers())
            .await?;
        rows.into_iter().map(|row| read(row, self.clock.now_us())).collect()
    }

    /// Marks some of the requests that nobody has decided in time. To be called from time to time; they cannot be decided
    /// any more before that.
    ///
    /// # Errors
    /// The database failed.
    pub async fn expire_approvals(&self) -> Result<(), StoreError> {
        let now_us = self.clock.now_us();
        let due = entity::approval::Entity::find()
            .filter(entity::approval::Column::State.eq(ApprovalState::Waiting.as_str()))
            .filter(entity::approval::Column::ExpiresUs.lte(now_us))
            .limit(ROUND_MAX)
            .all(self.db.readers())
            .await?;
        let mut unit = UnitOfWork::new();
        let mut entries = Vec::new();
        for row in due {
            let change = entity::approval::ActiveModel {
                state: Set(ApprovalState::Expired.as_str().to_owned()),
                decided_us: Set(Some(now_us)),
                ..Default::default()
            };
            let update = entity::approval::Entity::update_many()
                .set(change)
                .filter(entity::approval::Column::Id.eq(row.id))
                .filter(entity::approval::Column::State.eq(ApprovalState::Waiting.as_str()));
            unit.one(self.db.backend(), &update);
            entries.push(told_of(
                &OpContext::system(),
                Action::ApprovalExpire,
                &read(row, now_us)?,
                (ApprovalState::Expired, None),
            ));
        }
        let mut entries = entries.into_iter();
        let Some(first) = entries.next() else { return Ok(()) };
        match self.ledger.save(unit.audited(first).and(entries)).await {
            // Another server does the same.
            Ok(_) | Err(NotSaved::Conflict { .. }) => Ok(()),
            Err(not_saved) => Err(unexpected("approval", not_saved)),
        }
    }
}

/// What the audit trail tells of an approval that came to nothing.
fn told_of_failure(approval: &Approval, refused: &str) -> AuditEntry {
    let after = json!({
        "kind": approval.kind,
        "amount_microcredits": approval.amount,
        "object": approval.object_id,
        "author": approval.author.to_string(),
        "approved_by": approval.decided_by.map(|operator| operator.to_string()),
        "refused": cut(refused),
    });
    OpContext::system().entry(Action::ApprovalFail, "approval", approval.id).after(after)
}
