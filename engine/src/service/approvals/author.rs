//! What has to be true of an author when it comes to approving: they may still do what they have asked for, and whoever
//! approves is somebody else indeed.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use super::{Approval, DecideApprovalError};
use crate::{
    audit::Action,
    id::OperatorId,
    policy::console::{ConsoleAction, ConsoleCaller},
    service::Services,
    store::{StoreError, entity},
};

/// For how many hours nobody approves what those have asked for who let them in or gave them a link.
pub const APPROVER_APART_HOURS: i64 = 24;
const US_PER_HOUR: i64 = 3_600_000_000;

/// What somebody does who could be somebody else afterwards: with a link, or with a password that they know.
const MAKING: [Action; 3] = [Action::OperatorCreate, Action::OperatorRenewLink, Action::OperatorEnable];

impl Services {
    /// Looks whether the author is still there and may do what was asked for, whenever they last showed their password and
    /// with which factor.
    pub(super) async fn expect_able_author(&self, approval: &Approval) -> Result<(), DecideApprovalError> {
        let Some(policies) = self.console_policies.load_full() else {
            let what = "this process does not know who may do what in the console".to_owned();
            return Err(StoreError::Inconsistent { table: "approval", what }.into());
        };
        let author = self.find_operator(approval.author).await?.filter(|author| !author.is_disabled);
        let (Some(author), Some(action)) = (author, ConsoleAction::from_word(&approval.kind)) else {
            return Err(DecideApprovalError::AuthorMayNot);
        };
        let caller = ConsoleCaller {
            id: author.id,
            roles: &author.roles,
            is_fresh: true,
            has_factor: true,
            may_postpone: author.is_demo,
        };
        if policies.decide(&caller, action, approval.amount).is_allowed() {
            Ok(())
        } else {
            Err(DecideApprovalError::AuthorMayNot)
        }
    }

    /// Looks whether the author has let `operator` in, or was shown a link of theirs, lately or after asking: then they may be
    /// one and the same. By `audit_actor`.
    pub(super) async fn expect_apart(
        &self,
        approval: &Approval,
        operator: OperatorId,
    ) -> Result<(), DecideApprovalError> {
        use entity::audit::Column;
        let since_us = approval.created_us.saturating_sub(APPROVER_APART_HOURS.saturating_mul(US_PER_HOUR));
        let told = entity::audit::Entity::find()
            .filter(Column::ActorId.eq(approval.author.to_string()))
            .filter(Column::RecordedUs.gte(since_us))
            .filter(Column::ObjectId.eq(operator.to_string()))
            .filter(Column::Action.is_in(MAKING.map(Action::as_str)))
            .limit(1)
            .one(self.db.readers())
            .await
            .map_err(StoreError::from)?;
        if told.is_some() { Err(DecideApprovalError::LetInByAuthor) } else { Ok(()) }
    }
}
