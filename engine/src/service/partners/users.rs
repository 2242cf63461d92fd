//! End users of partners as operators see them: made by their first call, blocked and let in again.

use sea_orm::{ActiveValue::Set, ColumnTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;

use crate::{
    audit::{Action, OpContext},
    id::{EndUserId, PartnerId},
    service::{
        Services,
        accounts::{REASON_CHARS_MAX, is_reason},
        outbox::unexpected,
        paging::{Listed, PAGE_READ, PAGE_ROWS},
    },
    store::{NotSaved, StoreError, UnitOfWork, entity},
};

/// How many end users one page looks through for a beginning of a name.
const LOOKED_THROUGH_MAX: u64 = 10_000;

/// Which end users of a partner are wanted. What is empty or `None` does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EndUserFilter {
    /// How the partner's own name for it begins.
    pub external_id: String,
    /// Blocked ones, or those that are not.
    pub is_blocked: Option<bool>,
}

impl EndUserFilter {
    fn wants(&self, row: &entity::end_user::Model) -> bool {
        row.external_id.starts_with(&self.external_id)
            && self.is_blocked.is_none_or(|is_blocked| row.is_blocked == is_blocked)
    }

    const fn is_empty(&self) -> bool {
        self.external_id.is_empty() && self.is_blocked.is_none()
    }
}

/// A partner's end user as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndUserProfile {
    /// Which.
    pub id: EndUserId,
    /// Whose.
    pub partner: PartnerId,
    /// The partner's own name for it.
    pub external_id: String,
    /// Its calls are refused.
    pub is_blocked: bool,
    /// When it first called, or the partner noted it, in microseconds since the Unix epoch.
    pub created_us: i64,
    /// What the partner keeps beside it: a JSON object.
    pub metadata: Option<String>,
    /// When what was known of it was erased.
    pub erased_us: Option<i64>,
}

/// Why no end user was blocked or let in again.
#[derive(Debug, thiserror::Error)]
pub enum BlockEndUserError {
    /// There is none.
    #[error("there is no such end user")]
    NotFound,
    /// It is so already.
    #[error("the end user is {} already", if *.0 { "blocked" } else { "not blocked" })]
    AlreadySo(bool),
    /// The reason cannot be used.
    #[error("`reason` is one line of 1 to {REASON_CHARS_MAX} characters")]
    Reason,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Services {
    /// The end users of `partner` that `filter` wants, by the partner's names for them, from behind the name `after`. The
    /// unique key of partner and name serves this. With a filter at most 10,000 are looked through: then a
    /// page may have few rows, or none, and a next page all the same.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn list_end_users(
        &self,
        partner: PartnerId,
        filter: &EndUserFilter,
        after: Option<&str>,
    ) -> Result<Listed<EndUserProfile>, StoreError> {
        use entity::end_user::Column;
        let mut query = entity::end_user::Entity::find()
            .filter(Column::PartnerId.eq(partner.uuid()))
            .order_by_asc(Column::ExternalId)
            .limit(if filter.is_empty() { PAGE_READ } else { LOOKED_THROUGH_MAX });
        // Whatever the collation, what begins with a text does not come before it.
        if !filter.external_id.is_empty() {
            query = query.filter(Column::ExternalId.gte(&*filter.external_id));
        }
        if let Some(after) = after {
            query = query.filter(Column::ExternalId.gt(after));
        }
        let rows = query.all(self.db.readers()).await?;
        if filter.is_empty() {
            return Ok(Listed::of(rows, |row| row.external_id.clone()).map(profile));
        }
        Ok(self.narrowed(rows, filter))
    }

    /// A page of the rows that were looked through.
    fn narrowed(&self, rows: Vec<entity::end_user::Model>, filter: &EndUserFilter) -> Listed<EndUserProfile> {
        let is_all = u64::try_from(rows.len()).unwrap_or(u64::MAX) < LOOKED_THROUGH_MAX;
        let last = rows.last().map(|row| row.external_id.clone());
        // Where names are sorted by their bytes, those with this beginning stand together.
        let is_sorted_by_bytes = self.db.backend() == DbBackend::Sqlite;
        let is_past = last.as_ref().is_some_and(|last| !last.starts_with(&filter.external_id));
        let wanted: Vec<_> = rows.into_iter().filter(|row| filter.wants(row)).collect();
        let is_more_than_a_page = u64::try_from(wanted.len()).unwrap_or(u64::MAX) > PAGE_ROWS;
        if is_more_than_a_page || is_all || (is_sorted_by_bytes && is_past) {
            return Listed::of(wanted, |row| row.external_id.clone()).map(profile);
        }
        Listed { rows: wanted.into_iter().map(profile).collect(), next: last }
    }

    /// An end user of this partner; `None` for any other.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_end_user_of(
        &self,
        partner: PartnerId,
        id: EndUserId,
    ) -> Result<Option<EndUserProfile>, StoreError> {
        let row = entity::end_user::Entity::find_by_id(id.uuid()).one(self.db.readers()).await?;
        Ok(row.filter(|row| row.partner_id == partner.uuid()).map(profile))
    }

    /// Refuses the calls for an end user, or lets it in again: the next call is decided by that, on every server within a
    /// second.
    ///
    /// # Errors
    /// There is none, it is so already, the reason cannot be used, or the database failed.
    pub async fn set_end_user_blocked(
        &self,
        by: &OpContext,
        id: EndUserId,
        is_blocked: bool,
        reason: &str,
    ) -> Result<(), BlockEndUserError> {
        if !is_reason(reason) {
            return Err(BlockEndUserError::Reason);
        }
        let row = entity::end_user::Entity::find_by_id(id.uuid()).one(self.db.readers()).await;
        let row = row.map_err(StoreError::from)?.ok_or(BlockEndUserError::NotFound)?;
        if row.is_blocked == is_blocked {
            return Err(BlockEndUserError::AlreadySo(is_blocked));
        }
        let mut unit = UnitOfWork::new();
        let update = entity::end_user::Entity::update_many()
            .set(entity::end_user::ActiveModel { is_blocked: Set(is_blocked), ..Default::default() })
            .filter(entity::end_user::Column::Id.eq(row.id))
            .filter(entity::end_user::Column::IsBlocked.eq(row.is_blocked));
        unit.one(self.db.backend(), &update);
        self.bump_version(&mut unit, "access");
        let action = if is_blocked { Action::EndUserBlock } else { Action::EndUserUnblock };
        // Its name is the partner's, and may be an address.
        let partner = PartnerId::from(row.partner_id).to_string();
        let facts = |is_blocked: bool| json!({"partner": partner, "blocked": is_blocked});
        let told = by.entry(action, "end_user", id).before(facts(row.is_blocked)).after(facts(is_blocked));
        match self.ledger.save(unit.audited(told.because(reason))).await {
            Ok(_) => {
                self.forget_access();
                Ok(())
            }
            Err(NotSaved::Conflict { .. }) => Err(BlockEndUserError::AlreadySo(is_blocked)),
            Err(not_saved) => Err(unexpected("end_user", not_saved).into()),
        }
    }
}

pub(super) fn profile(row: entity::end_user::Model) -> EndUserProfile {
    EndUserProfile {
        id: EndUserId::from(row.id),
        partner: PartnerId::from(row.partner_id),
        external_id: row.external_id,
        is_blocked: row.is_blocked,
        created_us: row.created_us,
        metadata: row.metadata,
        erased_us: row.erased_us,
    }
}
