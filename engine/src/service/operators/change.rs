//! Changing what an operator may do. Whoever is changed is signed out everywhere, and there is always an owner.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, QueryFilter,
    sea_query::{Expr, Query},
};
use serde_json::json;

use super::{OperatorProfile, inconsistent};
use crate::{
    audit::{Action, AuditEntry, OpContext},
    id::OperatorId,
    operator::Role,
    service::{Services, outbox::unexpected},
    store::{NotSaved, StoreError, UnitOfWork, entity},
};

/// Why an operator was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeOperatorError {
    /// There is none.
    #[error("there is no such operator")]
    NotFound,
    /// No role was given.
    #[error("an operator has at least one role")]
    NoRole,
    /// Nobody else could say who may use the console.
    #[error("this is the last owner who can sign in: make another one first")]
    LastOwner,
    /// It is shut out.
    #[error("this operator is disabled: enable it first")]
    Disabled,
    /// Its roles are not those that were seen.
    #[error("its roles have changed since this was asked for: look at it again")]
    Stale,
    /// It is as it was to become.
    #[error("this operator is so already")]
    Unchanged,
    /// Somebody else has changed it at the same moment.
    #[error("somebody else changes this operator at the same moment: try again")]
    Changed,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Services {
    pub(super) async fn load_operator(&self, id: OperatorId) -> Result<OperatorProfile, ChangeOperatorError> {
        self.find_operator(id).await?.ok_or(ChangeOperatorError::NotFound)
    }

    /// Gives an operator other roles and signs it out everywhere. `over`: the roles that were seen when this was asked for;
    /// with other ones nothing is done.
    ///
    /// # Errors
    /// There is none, it has these roles, none is given, it is the last owner and would be none, it has others than those
    /// that were seen, or the database failed.
    pub async fn set_operator_roles(
        &self,
        by: &OpContext,
        id: OperatorId,
        roles: &[Role],
        over: Option<&[Role]>,
        reason: Option<&str>,
    ) -> Result<OperatorProfile, ChangeOperatorError> {
        let before = self.load_operator(id).await?;
        if over.is_some_and(|seen| Role::join(seen) != Role::join(&before.roles)) {
            return Err(ChangeOperatorError::Stale);
        }
        let words = Role::join(roles);
        let roles = Role::split(&words).map_err(|error| inconsistent(&error))?;
        if roles.is_empty() {
            return Err(ChangeOperatorError::NoRole);
        }
        if roles == before.roles {
            return Err(ChangeOperatorError::Unchanged);
        }
        let facts = |roles: &[Role]| json!({"roles": Role::join(roles)});
        let told = by.entry(Action::OperatorSetRoles, "operator", id).before(facts(&before.roles)).after(facts(&roles));
        let stays_owner = roles.contains(&Role::Owner);
        let change = entity::operator::ActiveModel { roles: Set(words), ..Default::default() };
        self.change_operator(&before, change, stays_owner, because(told, reason)).await?;
        Ok(OperatorProfile { roles, ..before })
    }

    /// Shuts an operator out, at once on every server, or lets it in again.
    ///
    /// # Errors
    /// There is none, it is so already, it is the last owner, or the database failed.
    pub async fn set_operator_disabled(
        &self,
        by: &OpContext,
        id: OperatorId,
        is_disabled: bool,
        reason: Option<&str>,
    ) -> Result<OperatorProfile, ChangeOperatorError> {
        let before = self.load_operator(id).await?;
        if before.is_disabled == is_disabled {
            return Err(ChangeOperatorError::Unchanged);
        }
        let action = if is_disabled { Action::OperatorDisable } else { Action::OperatorEnable };
        let facts = |is_disabled: bool| json!({"disabled": is_disabled});
        let told = by.entry(action, "operator", id).before(facts(before.is_disabled)).after(facts(is_disabled));
        let change = entity::operator::ActiveModel { is_disabled: Set(is_disabled), ..Default::default() };
        self.change_operator(&before, change, !is_disabled, because(told, reason)).await?;
        Ok(OperatorProfile { is_disabled, ..before })
    }

    /// Changes what an operator may do: it is signed out everywhere, and its links end. Unless it `stays_owner`, there has
    /// to be another one; one who can sign in, if it can itself.
    async fn change_operator(
        &self,
        before: &OperatorProfile,
        change: entity::operator::ActiveModel,
        stays_owner: bool,
        told: AuditEntry,
    ) -> Result<(), ChangeOperatorError> {
        let mut unit = UnitOfWork::new();
        let mut update = entity::operator::Entity::update_many()
            .set(change)
            .filter(entity::operator::Column::Id.eq(before.id.uuid()))
            .filter(entity::operator::Column::Roles.eq(Role::join(&before.roles)))
            .filter(entity::operator::Column::IsDisabled.eq(before.is_disabled));
        let was_owner = before.roles.contains(&Role::Owner) && !before.is_disabled;
        let leaves = was_owner && !stays_owner;
        if leaves {
            // Two owners who leave at the same moment wait for each other here: the second one counts without the first.
            self.bump_version(&mut unit, "owners");
            let others = Query::select()
                .column(entity::operator::Column::Id)
                .from(entity::operator::Entity)
                .cond_where(is_other_owner(before))
                .take();
            update = update.filter(Expr::exists(others));
            if !before.has_password {
                // Whoever has set one in the meantime counts as an owner who can sign in.
                update = update.filter(entity::operator::Column::PasswordHash.is_null());
            }
        }
        unit.one(self.db.backend(), &update);
        self.end_sessions_and_links(&mut unit, before.id, None);
        match self.ledger.save(unit.audited(told)).await {
            Ok(_) => Ok(()),
            Err(NotSaved::Conflict { .. }) if leaves && !self.has_other_owner(before).await? => {
                Err(ChangeOperatorError::LastOwner)
            }
            Err(NotSaved::Conflict { .. }) => Err(ChangeOperatorError::Changed),
            Err(not_saved) => Err(unexpected("operator", not_saved).into()),
        }
    }

    async fn has_other_owner(&self, leaving: &OperatorProfile) -> Result<bool, StoreError> {
        let others = entity::operator::Entity::find().filter(is_other_owner(leaving)).one(self.db.readers()).await?;
        Ok(others.is_some())
    }
}

/// Whoever else is an owner and not shut out; and can sign in, where the one who is `leaving` can: an owner who has never set
/// a password takes nobody's place. The word of no other role has theirs in it.
fn is_other_owner(leaving: &OperatorProfile) -> Condition {
    let others = Condition::all()
        .add(entity::operator::Column::Id.ne(leaving.id.uuid()))
        .add(entity::operator::Column::IsDisabled.eq(false))
        .add(entity::operator::Column::Roles.contains(Role::Owner.as_str()));
    if leaving.has_password { others.add(entity::operator::Column::PasswordHash.is_not_null()) } else { others }
}

pub(super) fn because(told: AuditEntry, reason: Option<&str>) -> AuditEntry {
    match reason {
        Some(reason) => told.because(reason),
        None => told,
    }
}
