//! Erasing an end user at an operator's hands: what would go, and that it goes. What a partner asks for itself is in `own`;
//! both do the same.

use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use super::own::TRIES_MAX;
use crate::{
    audit::{Action, OpContext},
    id::{EndUserId, PartnerId},
    service::{
        Services,
        access::CapOwner,
        accounts::{REASON_CHARS_MAX, is_reason},
        dashboard::AtLeast,
    },
    store::{
        StoreError, entity,
        overview::{COUNTED_MAX, Counted},
    },
};

/// What goes with the name of an end user who is erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erasure {
    /// The partner keeps something beside it.
    pub has_metadata: bool,
    /// How many limits are on it alone.
    pub caps: u64,
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
            .count(readers)
            .await?;
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
