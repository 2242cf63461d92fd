//! Erasing an end user, at its partner's or an operator's hands: what would go, and that it goes. Limits that an operator has
//! set stay with the name: see `erased`.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect};
use serde_json::json;
use uuid::Uuid;

use super::{
    ChangeEndUserError,
    own::{REASON, TRIES_MAX, is_external_id},
};
use crate::{
    audit::{Action, AuditEntry, OpContext},
    credits::Credits,
    id::{EndUserId, PartnerId},
    ledger::caps::CapWindow,
    service::{
        Services,
        access::CapOwner,
        accounts::{REASON_CHARS_MAX, is_reason},
        caps::{CapHolder, told_of},
        dashboard::AtLeast,
        outbox::unexpected,
    },
    store::{
        NotSaved, StoreError, UnitOfWork, entity,
        overview::{COUNTED_MAX, Counted},
    },
};

/// What stands in the place of an erased name. No partner can say it: it has a space in it.
fn no_name(id: EndUserId) -> String {
    format!("erased {id}")
}

/// What goes with the name of an end user who is erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erasure {
    /// The partner keeps something beside it.
    pub has_metadata: bool,
    /// How many limits of its partner are on it alone.
    pub caps: u64,
    /// How many limits of operators are on it alone: they stay, for whoever has its name next.
    pub imposed_caps: u64,
    /// What is in its wallet and goes back into the partner's, in micro-credits; what its calls under way still hold goes
    /// there when they have ended.
    pub credits: Credits,
    /// How many thresholds are on these.
    pub alerts: u64,
    /// Of how many calls is kept what they carried.
    pub payloads: AtLeast,
}

/// Why no end user was erased.
#[derive(Debug, thiserror::Error)]
pub enum EraseEndUserError {
    /// The partner has none of this identifier.
    #[error("there is no such end user")]
    NotFound,
    /// It was erased before.
    #[error("the end user was erased already")]
    Already,
    /// The reason cannot be used.
    #[error("`reason` is one line of 1 to {REASON_CHARS_MAX} characters")]
    Reason,
    /// Others change it at the same time.
    #[error("somebody else is changing this end user: try again")]
    Changed,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Services {
    /// What would go if this end user were erased.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn preview_erasure(&self, id: EndUserId) -> Result<Erasure, StoreError> {
        let readers = self.db.readers();
        let row = entity::end_user::Entity::find_by_id(id.uuid()).one(readers).await?;
        let caps = entity::cap::Entity::find()
            .filter(entity::cap::Column::OwnerId.eq(id.uuid()))
            .filter(entity::cap::Column::OwnerKind.eq(CapOwner::EndUser.raw()))
            .filter(entity::cap::Column::IsImposed.eq(false))
            .count(readers)
            .await?;
        let imposed_caps = u64::try_from(self.list_imposed_caps(id).await?.len()).unwrap_or(u64::MAX);
        let credits = self.load_end_user_balance(id).await?.map_or(Credits::ZERO, |balance| balance.balance);
        let alerts = entity::cap_alert::Entity::find()
            .filter(entity::cap_alert::Column::OwnerId.eq(id.uuid()))
            .filter(entity::cap_alert::Column::OwnerKind.eq(CapOwner::EndUser.raw()))
            .count(readers)
            .await?;
        // Along `payload_end_user`. A count has no limit of its own.
        let kept: Vec<Uuid> = entity::payload::Entity::find()
            .select_only()
            .column(entity::payload::Column::Call)
            .filter(entity::payload::Column::EndUserId.eq(id.uuid()))
            .limit(u64::try_from(COUNTED_MAX).unwrap_or(u64::MAX))
            .into_tuple()
            .all(readers)
            .await?;
        let kept = Counted { count: i64::try_from(kept.len()).unwrap_or(i64::MAX), value: None };
        Ok(Erasure {
            has_metadata: row.is_some_and(|row| row.metadata.is_some()),
            caps,
            imposed_caps,
            credits,
            alerts,
            payloads: AtLeast::of(kept),
        })
    }

    /// Erases what is known of an end user of this partner, as [`Self::erase_own_end_user`] does it for the partner itself.
    ///
    /// # Errors
    /// See [`EraseEndUserError`].
    pub async fn erase_end_user(
        &self,
        by: &OpContext,
        partner: PartnerId,
        id: EndUserId,
        reason: &str,
    ) -> Result<(), EraseEndUserError> {
        if !is_reason(reason) {
            return Err(EraseEndUserError::Reason);
        }
        for _ in 0..TRIES_MAX {
            let row = entity::end_user::Entity::find_by_id(id.uuid()).one(self.db.readers()).await;
            let row = row.map_err(StoreError::from)?.filter(|row| row.partner_id == partner.uuid());
            let row = row.ok_or(EraseEndUserError::NotFound)?;
            if row.erased_us.is_some() {
                return Err(EraseEndUserError::Already);
            }
            if self.save_erased_end_user(by, &row, reason).await? {
                return Ok(());
            }
        }
        Err(EraseEndUserError::Changed)
    }

    /// Erases what is known of an end user: its name, what the partner keeps beside it, its own limits and the thresholds on
    /// them, what its calls carried. The books and the records of its calls keep its identifier, which leads to nobody any
    /// more. What is left in its wallet goes back into the partner's. The next call under the same name is that of a new end
    /// user; limits that an operator has set on this one are its limits, too.
    ///
    /// # Errors
    /// There is none of this name, others change it at the same time, or the database failed.
    pub async fn erase_own_end_user(
        &self,
        by: &OpContext,
        partner: PartnerId,
        external_id: &str,
    ) -> Result<EndUserId, ChangeEndUserError> {
        for _ in 0..TRIES_MAX {
            let row = self.find_end_user(partner, external_id).await?;
            let row = row.filter(|_| is_external_id(external_id)).ok_or(ChangeEndUserError::NotFound)?;
            let id = EndUserId::from(row.id);
            if self.save_erased_end_user(by, &row, REASON).await? {
                return Ok(id);
            }
        }
        Err(ChangeEndUserError::Changed)
    }

    /// Says whether it was saved: if not, somebody else has changed the row.
    pub(super) async fn save_erased_end_user(
        &self,
        by: &OpContext,
        row: &entity::end_user::Model,
        reason: &str,
    ) -> Result<bool, StoreError> {
        use entity::end_user::{ActiveModel, Column};
        let (id, now_us) = (EndUserId::from(row.id), self.clock.now_us());
        let mut unit = UnitOfWork::new();
        let change = ActiveModel {
            external_id: Set(no_name(id)),
            metadata: Set(None),
            erased_us: Set(Some(now_us)),
            ..Default::default()
        };
        let update = entity::end_user::Entity::update_many()
            .set(change)
            .filter(Column::Id.eq(row.id))
            .filter(Column::ExternalId.eq(&*row.external_id));
        unit.one(self.db.backend(), &update);
        let imposed = self.list_imposed_caps(id).await?;
        let lifted = self.lift_own_caps(&mut unit, by, id, (reason, now_us)).await?;
        self.let_limits_wait(&mut unit, row, &imposed, now_us)?;
        let returned = self.end_wallet(&mut unit, row, now_us).await?;
        let alerts = entity::cap_alert::Entity::delete_many()
            .filter(entity::cap_alert::Column::OwnerId.eq(row.id))
            .filter(entity::cap_alert::Column::OwnerKind.eq(CapOwner::EndUser.raw()));
        unit.any(self.db.backend(), &alerts);
        // Along `payload_end_user`.
        let carried = entity::payload::Entity::delete_many().filter(entity::payload::Column::EndUserId.eq(row.id));
        unit.any(self.db.backend(), &carried);
        self.bump_version(&mut unit, "access");
        let after = match returned {
            None => json!({"partner": PartnerId::from(row.partner_id).to_string()}),
            Some(id) => json!({"partner": PartnerId::from(row.partner_id).to_string(), "transaction": id.to_string()}),
        };
        let told = by.entry(Action::EndUserErase, "end_user", id).after(after).because(reason);
        match self.ledger.save(unit.audited(told).and(lifted)).await {
            Ok(_) => {
                self.forget_access();
                Ok(true)
            }
            Err(NotSaved::Conflict { .. }) => Ok(false),
            Err(not_saved) => Err(unexpected("end_user", not_saved)),
        }
    }

    /// Adds to `unit` that the partner's limits on this end user alone are lifted; what the audit trail tells of it.
    async fn lift_own_caps(
        &self,
        unit: &mut UnitOfWork,
        by: &OpContext,
        id: EndUserId,
        (reason, now_us): (&str, i64),
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let holder = CapHolder::EndUser(id);
        let (owner, kind) = holder.owner();
        let rows = entity::cap::Entity::find()
            .filter(entity::cap::Column::OwnerId.eq(owner))
            .filter(entity::cap::Column::OwnerKind.eq(kind.raw()))
            .filter(entity::cap::Column::IsImposed.eq(false))
            .all(self.db.readers())
            .await?;
        let mut told = Vec::with_capacity(rows.len());
        for row in rows {
            let broken = || StoreError::Inconsistent { table: "cap", what: row.id.to_string() };
            let window = CapWindow::from_raw(row.window).ok_or_else(broken)?;
            let delete = entity::cap::Entity::delete_many()
                .filter(entity::cap::Column::Id.eq(row.id))
                .filter(entity::cap::Column::LimitCredits.eq(row.limit_credits))
                .filter(entity::cap::Column::IsImposed.eq(false));
            unit.one(self.db.backend(), &delete);
            self.retract(unit, &row, now_us);
            let was = Some(Credits::from_micros(row.limit_credits));
            told.push(told_of(by, (holder, window), (was, None)).because(reason));
        }
        Ok(told)
    }

    /// Tells that what is known of an end user was taken away as a file.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn record_end_user_export(
        &self,
        by: &OpContext,
        partner: PartnerId,
        id: EndUserId,
    ) -> Result<(), StoreError> {
        let facts = serde_json::json!({"partner": partner.to_string()});
        self.record(by, Action::ExportCreate, ("end_user", &id.to_string()), &facts).await
    }
}
