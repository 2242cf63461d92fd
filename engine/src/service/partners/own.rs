//! What partners do about their end users themselves: they note one before its first call, block it, keep facts of their own
//! beside it, and have everything erased that is known of it.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use serde_json::json;
use uuid::Uuid;

use super::users::{EndUserProfile, profile};
use crate::{
    audit::{Action, AuditEntry, OpContext},
    credits::Credits,
    id::{EndUserId, PartnerId, RequestId},
    ledger::{caps::CapWindow, leaf::sha256},
    limits::EXTERNAL_USER_ID_CHARS_MAX,
    service::{
        Services,
        access::CapOwner,
        caps::{CapHolder, told_of},
        outbox::unexpected,
    },
    store::{NotSaved, StoreError, UnitOfWork, entity},
};

/// What the audit trail tells as the reason.
const REASON: &str = "the partner asked for it";
/// How often a change is tried again when somebody else was first.
pub(super) const TRIES_MAX: u32 = 3;

/// Whether a partner may call an end user so: 1 to 256 visible characters of ASCII.
pub fn is_external_id(text: &str) -> bool {
    (1..=EXTERNAL_USER_ID_CHARS_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The identifier of what a partner's request makes, from the partner's own key for it: with the same key again nothing more
/// is made. `what` tells kinds of things apart.
pub fn named_by_key(partner: PartnerId, what: &str, key: &str) -> RequestId {
    let digest = sha256(format!("{what} of {partner}: {key}").as_bytes());
    let (id, _) = digest.split_at(16);
    RequestId::from(Uuid::from_slice(id).unwrap_or_default())
}

/// What stands in the place of an erased name. No partner can say it: it has a space in it.
fn no_name(id: EndUserId) -> String {
    format!("erased {id}")
}

/// What becomes of what a partner keeps beside an end user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum MetadataChange {
    /// It stays.
    #[default]
    Keep,
    /// It goes.
    Remove,
    /// This JSON object takes its place.
    Set(String),
}

/// What is to be different about an end user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EndUserChange {
    /// Whether its calls are refused; `None`: as before.
    pub is_blocked: Option<bool>,
    /// What the partner keeps beside it.
    pub metadata: MetadataChange,
}

/// Why no end user was changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeEndUserError {
    /// The partner has none of this name.
    #[error("there is no such end user")]
    NotFound,
    /// Others change it at the same time.
    #[error("somebody else is changing this end user")]
    Changed,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Services {
    /// The end user that this partner calls so; `None` if there is none, or it was erased.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_own_end_user(
        &self,
        partner: PartnerId,
        external_id: &str,
    ) -> Result<Option<EndUserProfile>, StoreError> {
        if !is_external_id(external_id) {
            return Ok(None);
        }
        Ok(self.find_end_user(partner, external_id).await?.map(profile))
    }

    /// Notes an end user before its first call. Says whether it is new: one that is known is left as it is.
    ///
    /// # Errors
    /// The database failed.
    pub async fn create_own_end_user(
        &self,
        by: &OpContext,
        partner: PartnerId,
        external_id: &str,
        metadata: Option<String>,
    ) -> Result<(EndUserProfile, bool), StoreError> {
        if let Some(known) = self.find_end_user(partner, external_id).await? {
            return Ok((profile(known), false));
        }
        let now_us = self.clock.now_us();
        let row = entity::end_user::Model {
            id: EndUserId::new(&*self.ids, now_us).uuid(),
            partner_id: partner.uuid(),
            external_id: external_id.to_owned(),
            is_blocked: false,
            created_us: now_us,
            metadata,
            erased_us: None,
        };
        let mut unit = UnitOfWork::new();
        unit.one(self.db.backend(), &entity::end_user::Entity::insert(row.clone().into_active_model()));
        // Its name is the partner's, and may be an address.
        let after = json!({"partner": partner.to_string(), "metadata": row.metadata.is_some()});
        let told = by.entry(Action::EndUserCreate, "end_user", EndUserId::from(row.id)).after(after);
        match self.ledger.save(unit.audited(told)).await {
            Ok(_) => Ok((profile(row), true)),
            // Another request, or a call for it, was first.
            Err(NotSaved::Conflict { .. }) => {
                let known = self.find_end_user(partner, external_id).await?;
                let missing = || StoreError::Inconsistent { table: "end_user", what: partner.to_string() };
                Ok((profile(known.ok_or_else(missing)?), false))
            }
            Err(not_saved) => Err(unexpected("end_user", not_saved)),
        }
    }

    /// Changes an end user of this partner; on every server within a second. What is so already is no change.
    ///
    /// # Errors
    /// There is none of this name, others change it at the same time, or the database failed.
    pub async fn change_own_end_user(
        &self,
        by: &OpContext,
        partner: PartnerId,
        external_id: &str,
        change: &EndUserChange,
    ) -> Result<EndUserProfile, ChangeEndUserError> {
        for _ in 0..TRIES_MAX {
            let row = self.find_end_user(partner, external_id).await?;
            let row = row.filter(|_| is_external_id(external_id)).ok_or(ChangeEndUserError::NotFound)?;
            let is_blocked = change.is_blocked.unwrap_or(row.is_blocked);
            let metadata = match &change.metadata {
                MetadataChange::Keep => row.metadata.clone(),
                MetadataChange::Remove => None,
                MetadataChange::Set(object) => Some(object.clone()),
            };
            let wanted = entity::end_user::Model { is_blocked, metadata, ..row.clone() };
            if wanted == row || self.save_own_end_user(by, &row, &wanted).await? {
                return Ok(profile(wanted));
            }
        }
        Err(ChangeEndUserError::Changed)
    }

    /// Says whether it was saved: if not, somebody else has changed the row.
    async fn save_own_end_user(
        &self,
        by: &OpContext,
        row: &entity::end_user::Model,
        wanted: &entity::end_user::Model,
    ) -> Result<bool, StoreError> {
        use entity::end_user::{ActiveModel, Column};
        let mut unit = UnitOfWork::new();
        let change = ActiveModel {
            is_blocked: Set(wanted.is_blocked),
            metadata: Set(wanted.metadata.clone()),
            ..Default::default()
        };
        let update = entity::end_user::Entity::update_many()
            .set(change)
            .filter(Column::Id.eq(row.id))
            .filter(Column::ExternalId.eq(&*row.external_id))
            .filter(Column::IsBlocked.eq(row.is_blocked));
        unit.one(self.db.backend(), &update);
        let mut told = Vec::new();
        let of = |action: Action| by.entry(action, "end_user", EndUserId::from(row.id)).because(REASON);
        let partner = PartnerId::from(row.partner_id).to_string();
        if wanted.is_blocked != row.is_blocked {
            self.bump_version(&mut unit, "access");
            let action = if wanted.is_blocked { Action::EndUserBlock } else { Action::EndUserUnblock };
            let facts = |is_blocked: bool| json!({"partner": partner, "blocked": is_blocked});
            told.push(of(action).before(facts(row.is_blocked)).after(facts(wanted.is_blocked)));
        }
        if wanted.metadata != row.metadata {
            // That there is something, never what: it may have to be erased, and the trail is kept for ever.
            let facts = |has: bool| json!({"partner": partner, "metadata": has});
            let entry = of(Action::EndUserChange).before(facts(row.metadata.is_some()));
            told.push(entry.after(facts(wanted.metadata.is_some())));
        }
        let mut told = told.into_iter();
        let Some(first) = told.next() else { return Ok(true) };
        match self.ledger.save(unit.audited(first).and(told)).await {
            Ok(_) => {
                self.forget_access();
                Ok(true)
            }
            Err(NotSaved::Conflict { .. }) => Ok(false),
            Err(not_saved) => Err(unexpected("end_user", not_saved)),
        }
    }

    /// Erases what is known of an end user: its name, what the partner keeps beside it, its own limits and the thresholds on
    /// them, what its calls carried. The books and the records of its calls keep its identifier, which leads to nobody any more. The next call under
    /// the same name is that of a new end user.
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
        let lifted = self.lift_all_caps(&mut unit, by, id, (reason, now_us)).await?;
        let alerts = entity::cap_alert::Entity::delete_many()
            .filter(entity::cap_alert::Column::OwnerId.eq(row.id))
            .filter(entity::cap_alert::Column::OwnerKind.eq(CapOwner::EndUser.raw()));
        unit.any(self.db.backend(), &alerts);
        // Along `payload_end_user`.
        let carried = entity::payload::Entity::delete_many().filter(entity::payload::Column::EndUserId.eq(row.id));
        unit.any(self.db.backend(), &carried);
        self.bump_version(&mut unit, "access");
        let after = json!({"partner": PartnerId::from(row.partner_id).to_string()});
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

    /// Adds to `unit` that nothing limits this end user alone any more; what the audit trail tells of it.
    async fn lift_all_caps(
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
            .all(self.db.readers())
            .await?;
        let mut told = Vec::with_capacity(rows.len());
        for row in rows {
            let broken = || StoreError::Inconsistent { table: "cap", what: row.id.to_string() };
            let window = CapWindow::from_raw(row.window).ok_or_else(broken)?;
            let delete = entity::cap::Entity::delete_many()
                .filter(entity::cap::Column::Id.eq(row.id))
                .filter(entity::cap::Column::LimitCredits.eq(row.limit_credits));
            unit.one(self.db.backend(), &delete);
            self.retract(unit, &row, now_us);
            let was = Some(Credits::from_micros(row.limit_credits));
            told.push(told_of(by, (holder, window), (was, None)).because(reason));
        }
        Ok(told)
    }
}
