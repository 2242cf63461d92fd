//! Limits are set, changed and lifted.

use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter};

use super::{CapError, CapHolder, told_of};
use crate::{
    audit::{AuditEntry, OpContext},
    credits::Credits,
    id::CapId,
    ledger::caps::CapWindow,
    service::{Services, accounts::is_reason, outbox::unexpected},
    store::{NotSaved, UnitOfWork, entity},
};

/// Who changes a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Setter {
    /// An operator: what is set so, nobody else changes.
    Operator,
    /// Whoever is limited by it, or whose tokens and end users are.
    Owner,
}

/// Nobody has changed the limit since, and its holder has not got another identifier.
fn as_seen(row: &entity::cap::Model) -> Condition {
    use entity::cap::Column;
    Condition::all()
        .add(Column::Id.eq(row.id))
        .add(Column::OwnerId.eq(row.owner_id))
        .add(Column::LimitCredits.eq(row.limit_credits))
        .add(Column::IsImposed.eq(row.is_imposed))
}

impl Services {
    /// Limits what a holder spends in a window, on every server within a second. `was` is what whoever asks believes the
    /// limit to be, in micro-credits; `None`: that there is none. A changed limit keeps its count, a new one begins at zero.
    /// Says whether anything had to be changed.
    ///
    /// # Errors
    /// There is nobody to limit, the limit or the reason cannot be used, the limit is another one than `was`, or the
    /// database failed.
    pub async fn set_cap(
        &self,
        by: &OpContext,
        at: (CapHolder, CapWindow),
        limits: (Option<Credits>, Credits),
        reason: &str,
    ) -> Result<bool, CapError> {
        self.set_cap_as(Setter::Operator, by, at, limits, reason).await
    }

    pub(super) async fn set_cap_as(
        &self,
        setter: Setter,
        by: &OpContext,
        (holder, window): (CapHolder, CapWindow),
        (was, limit): (Option<Credits>, Credits),
        reason: &str,
    ) -> Result<bool, CapError> {
        if limit.is_negative() {
            return Err(CapError::Negative);
        }
        if !is_reason(reason) {
            return Err(CapError::Reason);
        }
        let (mut unit, is_imposed) = (UnitOfWork::new(), setter == Setter::Operator);
        if !self.add_cap_holder(&mut unit, holder, is_imposed).await? {
            return Err(CapError::NoHolder);
        }
        let known = self.find_cap_row(holder, window).await?;
        let now = known.as_ref().map(|row| Credits::from_micros(row.limit_credits));
        if known.as_ref().is_some_and(|row| row.is_imposed && !is_imposed) {
            return Err(CapError::Imposed);
        }
        if now == Some(limit) && known.as_ref().is_some_and(|row| row.is_imposed == is_imposed) {
            return Ok(false);
        }
        if now != was {
            return Err(CapError::Changed { now });
        }
        let now_us = self.clock.now_us();
        let (owner_id, kind) = holder.owner();
        let row = if let Some(row) = known {
            let update = entity::cap::Entity::update_many()
                .set(entity::cap::ActiveModel {
                    limit_credits: Set(limit.micros()),
                    is_imposed: Set(is_imposed),
                    ..Default::default()
                })
                .filter(as_seen(&row));
            unit.one(self.db.backend(), &update);
            entity::cap::Model { limit_credits: limit.micros(), is_imposed, ..row }
        } else {
            let row = entity::cap::Model {
                id: CapId::new(&*self.ids, now_us).uuid(),
                owner_id,
                owner_kind: kind.raw(),
                window: window.raw(),
                limit_credits: limit.micros(),
                created_us: now_us,
                is_imposed,
            };
            unit.one(self.db.backend(), &entity::cap::Entity::insert(row.clone().into_active_model()));
            row
        };
        self.state(&mut unit, &row, now_us);
        let told = told_of(by, (holder, window), (was, Some(limit))).because(reason);
        self.save_cap(unit, told, (holder, window)).await.map(|()| true)
    }

    /// Lifts a limit, on every server within a second. One that is set anew counts from zero. `was` as for
    /// [`Self::set_cap`].
    ///
    /// # Errors
    /// There is no such limit, it is another one than `was`, the reason cannot be used, or the database failed.
    pub async fn remove_cap(
        &self,
        by: &OpContext,
        at: (CapHolder, CapWindow),
        was: Credits,
        reason: &str,
    ) -> Result<(), CapError> {
        self.remove_cap_as(Setter::Operator, by, at, was, reason).await
    }

    pub(super) async fn remove_cap_as(
        &self,
        setter: Setter,
        by: &OpContext,
        (holder, window): (CapHolder, CapWindow),
        was: Credits,
        reason: &str,
    ) -> Result<(), CapError> {
        if !is_reason(reason) {
            return Err(CapError::Reason);
        }
        let row = self.find_cap_row(holder, window).await?.ok_or(CapError::NotFound)?;
        if row.is_imposed && setter == Setter::Owner {
            return Err(CapError::Imposed);
        }
        let now = Some(Credits::from_micros(row.limit_credits));
        if now != Some(was) {
            return Err(CapError::Changed { now });
        }
        let (mut unit, now_us) = (UnitOfWork::new(), self.clock.now_us());
        unit.one(self.db.backend(), &entity::cap::Entity::delete_many().filter(as_seen(&row)));
        self.retract(&mut unit, &row, now_us);
        if let CapHolder::EndUser(user) = holder {
            self.forget_name_without_limits(&mut unit, user);
        }
        let told = told_of(by, (holder, window), (now, None)).because(reason);
        self.save_cap(unit, told, (holder, window)).await
    }

    async fn save_cap(
        &self,
        mut unit: UnitOfWork,
        told: AuditEntry,
        (holder, window): (CapHolder, CapWindow),
    ) -> Result<(), CapError> {
        self.bump_version(&mut unit, "access");
        match self.ledger.save(unit.audited(told)).await {
            Ok(_) => {
                self.forget_access();
                Ok(())
            }
            Err(NotSaved::Conflict { .. }) => {
                let row = self.find_cap_row(holder, window).await?;
                Err(CapError::Changed { now: row.map(|row| Credits::from_micros(row.limit_credits)) })
            }
            Err(not_saved) => Err(unexpected("cap", not_saved).into()),
        }
    }
}
