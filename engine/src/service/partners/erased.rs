//! Limits that operators have set on end users who were erased. Erasing one must not be a way out of them, so they wait for
//! its name: of that a digest is kept, under a key that is not in the database, and only beside such limits. Whoever has the
//! name next gets them, with what was spent under them.

use arc_swap::ArcSwapOption;
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect, QueryTrait, sea_query::Expr,
};

use crate::{
    audit::{AuditEntry, OpContext},
    credits::Credits,
    id::{EndUserId, PartnerId},
    ledger::caps::CapWindow,
    service::{
        Services,
        access::CapOwner,
        caps::{CapHolder, told_of},
    },
    store::{StoreError, UnitOfWork, entity},
};

/// What the audit trail tells as the reason.
const REASON: &str = "the operator's limit stays with the name";

/// Makes the digests of erased names; nothing while this process has not the key, as at first.
#[derive(Default)]
pub(in crate::service) struct ErasedNames(ArcSwapOption<Key>);

impl ErasedNames {
    fn digest(&self, partner: PartnerId, external_id: &str) -> Option<Vec<u8>> {
        let name = format!("erased end user {partner} {external_id}");
        self.0.load().as_ref().map(|key| sign(key, name.as_bytes()).as_ref().to_vec())
    }
}

fn no_key() -> StoreError {
    let what =
        "the key that names are compared under is sealed under another master key: see `tollgate master-key rotate`";
    StoreError::Inconsistent { table: "erased_name", what: what.to_owned() }
}

/// Limits that wait for a name.
pub(in crate::service) struct WaitingLimits {
    digest: Vec<u8>,
    /// The erased end user that has them.
    erased: Option<entity::erased_name::Model>,
    caps: Vec<entity::cap::Model>,
}

impl Services {
    /// Sets the key of the digests of erased names: the one that webhooks' secrets are made from, since it stays the same when
    /// the master key is replaced. With another key nobody finds what waits under the earlier one.
    /// Without any, nobody is made whom limits may wait for, and nobody erased whom an operator has limited.
    pub fn set_up_erased_names(&self, key: Option<&[u8; 32]>) {
        self.erased_names.0.store(key.map(|key| std::sync::Arc::new(Key::new(HMAC_SHA256, key))));
    }

    /// What waits for this name of an end user.
    pub(in crate::service) async fn find_waiting_limits(
        &self,
        partner: PartnerId,
        external_id: &str,
    ) -> Result<WaitingLimits, StoreError> {
        let Some(digest) = self.erased_names.digest(partner, external_id) else {
            if self.has_waiting_limits(partner).await? {
                return Err(no_key());
            }
            return Ok(WaitingLimits { digest: Vec::new(), erased: None, caps: Vec::new() });
        };
        let erased = entity::erased_name::Entity::find_by_id(digest.clone()).one(self.db.readers()).await?;
        let caps = match &erased {
            Some(erased) => self.list_imposed_caps(EndUserId::from(erased.end_user_id)).await?,
            None => Vec::new(),
        };
        Ok(WaitingLimits { digest, erased, caps })
    }

    async fn has_waiting_limits(&self, partner: PartnerId) -> Result<bool, StoreError> {
        let users = entity::end_user::Entity::find()
            .select_only()
            .column(entity::end_user::Column::Id)
            .filter(entity::end_user::Column::PartnerId.eq(partner.uuid()));
        let waiting = entity::erased_name::Entity::find()
            .filter(entity::erased_name::Column::EndUserId.in_subquery(users.into_query()));
        Ok(waiting.one(self.db.readers()).await?.is_some())
    }

    /// The limits on this end user alone that an operator has set.
    pub(super) async fn list_imposed_caps(&self, user: EndUserId) -> Result<Vec<entity::cap::Model>, StoreError> {
        let (owner, kind) = CapHolder::EndUser(user).owner();
        Ok(entity::cap::Entity::find()
            .filter(entity::cap::Column::OwnerId.eq(owner))
            .filter(entity::cap::Column::OwnerKind.eq(kind.raw()))
            .filter(entity::cap::Column::IsImposed.eq(true))
            .all(self.db.readers())
            .await?)
    }

    /// Adds to `unit` that the new end user `row` has the limits that waited for its name, and what the audit trail tells of
    /// it. They keep their identifiers, and so their counts. Should others have come to wait in the meantime, nothing of the
    /// unit happens.
    pub(in crate::service) fn hand_over_limits(
        &self,
        unit: &mut UnitOfWork,
        by: &OpContext,
        (row, waiting): (&entity::end_user::Model, &WaitingLimits),
        now_us: i64,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        use entity::cap::{ActiveModel, Column};
        let backend = self.db.backend();
        let delete = entity::erased_name::Entity::delete_many()
            .filter(entity::erased_name::Column::Digest.eq(waiting.digest.clone()));
        unit.push(delete.build(backend), Some(u64::from(waiting.erased.is_some())));
        if let Some(erased) = &waiting.erased {
            let all = entity::cap::Entity::update_many()
                .col_expr(Column::CreatedUs, Expr::col(Column::CreatedUs))
                .filter(Column::OwnerId.eq(erased.end_user_id))
                .filter(Column::OwnerKind.eq(CapOwner::EndUser.raw()));
            unit.push(all.build(backend), u64::try_from(waiting.caps.len()).ok());
        }
        let mut told = Vec::with_capacity(waiting.caps.len());
        for cap in &waiting.caps {
            let broken = || StoreError::Inconsistent { table: "cap", what: cap.id.to_string() };
            let window = CapWindow::from_raw(cap.window).ok_or_else(broken)?;
            let update = entity::cap::Entity::update_many()
                .set(ActiveModel { owner_id: Set(row.id), ..Default::default() })
                .filter(Column::Id.eq(cap.id))
                .filter(Column::OwnerId.eq(cap.owner_id))
                .filter(Column::LimitCredits.eq(cap.limit_credits));
            unit.one(backend, &update);
            self.state(unit, &entity::cap::Model { owner_id: row.id, ..cap.clone() }, now_us);
            let holder = CapHolder::EndUser(EndUserId::from(row.id));
            let limit = Some(Credits::from_micros(cap.limit_credits));
            told.push(told_of(by, (holder, window), (None, limit)).because(REASON));
        }
        Ok(told)
    }

    /// Adds to `unit` that the operator's limits on the end user `row`, who is erased, wait for its name. To be called when
    /// its other limits have been lifted in the unit: should it have got another one in the meantime, nothing of it happens.
    pub(super) fn let_limits_wait(
        &self,
        unit: &mut UnitOfWork,
        row: &entity::end_user::Model,
        imposed: &[entity::cap::Model],
        now_us: i64,
    ) -> Result<(), StoreError> {
        use entity::cap::Column;
        let backend = self.db.backend();
        let all = entity::cap::Entity::update_many()
            .col_expr(Column::CreatedUs, Expr::col(Column::CreatedUs))
            .filter(Column::OwnerId.eq(row.id))
            .filter(Column::OwnerKind.eq(CapOwner::EndUser.raw()));
        unit.push(all.build(backend), u64::try_from(imposed.len()).ok());
        if imposed.is_empty() {
            return Ok(());
        }
        let name = entity::erased_name::Model {
            digest: self.erased_names.digest(row.partner_id.into(), &row.external_id).ok_or_else(no_key)?,
            end_user_id: row.id,
            created_us: now_us,
        };
        unit.one(backend, &entity::erased_name::Entity::insert(name.into_active_model()));
        Ok(())
    }

    /// Adds to `unit`, in which a limit is set on this end user, that it is not erased or, if `may_wait`, that limits on it
    /// wait; says whether it is so now. Should that change in the meantime, nothing of the unit happens.
    pub(in crate::service) async fn add_limited_end_user(
        &self,
        unit: &mut UnitOfWork,
        user: EndUserId,
        may_wait: bool,
    ) -> Result<bool, StoreError> {
        use entity::{end_user, erased_name};
        let (backend, readers) = (self.db.backend(), self.db.readers());
        let Some(row) = end_user::Entity::find_by_id(user.uuid()).one(readers).await? else { return Ok(false) };
        if row.erased_us.is_none() {
            let is_there = end_user::Entity::update_many()
                .col_expr(end_user::Column::CreatedUs, Expr::col(end_user::Column::CreatedUs))
                .filter(end_user::Column::Id.eq(row.id))
                .filter(end_user::Column::ErasedUs.is_null());
            unit.one(backend, &is_there);
            return Ok(true);
        }
        let waiting = erased_name::Entity::find().filter(erased_name::Column::EndUserId.eq(row.id));
        if !may_wait || waiting.one(readers).await?.is_none() {
            return Ok(false);
        }
        let still_waits = erased_name::Entity::update_many()
            .col_expr(erased_name::Column::CreatedUs, Expr::col(erased_name::Column::CreatedUs))
            .filter(erased_name::Column::EndUserId.eq(row.id));
        unit.one(backend, &still_waits);
        Ok(true)
    }

    /// Adds to `unit`, in which a limit on this end user is lifted, that nothing is kept of its name once no limit is left
    /// that would wait for it.
    pub(in crate::service) fn forget_name_without_limits(&self, unit: &mut UnitOfWork, user: EndUserId) {
        let left = entity::cap::Entity::find()
            .select_only()
            .column(entity::cap::Column::OwnerId)
            .filter(entity::cap::Column::OwnerId.eq(user.uuid()))
            .filter(entity::cap::Column::OwnerKind.eq(CapOwner::EndUser.raw()));
        let delete = entity::erased_name::Entity::delete_many()
            .filter(entity::erased_name::Column::EndUserId.eq(user.uuid()))
            .filter(entity::erased_name::Column::EndUserId.not_in_subquery(left.into_query()));
        unit.any(self.db.backend(), &delete);
    }
}

#[cfg(test)]
mod tests;
