//! What partners do about their end users themselves: they note one before its first call, block it, keep facts of their own
//! beside it. That they have one erased is in `erasure`.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use serde_json::json;
use uuid::Uuid;

use super::users::{EndUserProfile, profile};
use crate::{
    audit::{Action, OpContext},
    id::{EndUserId, PartnerId, RequestId},
    ledger::leaf::sha256,
    limits::EXTERNAL_USER_ID_CHARS_MAX,
    service::{Services, outbox::unexpected},
    store::{NotSaved, StoreError, UnitOfWork, entity},
};

/// What the audit trail tells as the reason.
pub(super) const REASON: &str = "the partner asked for it";
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
        for _ in 0..TRIES_MAX {
            if let Some(known) = self.find_end_user(partner, external_id).await? {
                return Ok((profile(known), false));
            }
            let waiting = self.find_waiting_limits(partner, external_id).await?;
            let now_us = self.clock.now_us();
            let row = entity::end_user::Model {
                id: EndUserId::new(&*self.ids, now_us).uuid(),
                partner_id: partner.uuid(),
                external_id: external_id.to_owned(),
                is_blocked: false,
                created_us: now_us,
                metadata: metadata.clone(),
                erased_us: None,
            };
            let mut unit = UnitOfWork::new();
            unit.one(self.db.backend(), &entity::end_user::Entity::insert(row.clone().into_active_model()));
            let limited = self.hand_over_limits(&mut unit, by, (&row, &waiting), now_us)?;
            // Its name is the partner's, and may be an address.
            let after = json!({"partner": partner.to_string(), "metadata": row.metadata.is_some()});
            let told = by.entry(Action::EndUserCreate, "end_user", EndUserId::from(row.id)).after(after);
            match self.ledger.save(unit.audited(told).and(limited)).await {
                Ok(_) => return Ok((profile(row), true)),
                // Another request, or a call for it, was first; or an operator was at the limits that wait for it.
                Err(NotSaved::Conflict { .. }) => {}
                Err(not_saved) => return Err(unexpected("end_user", not_saved)),
            }
        }
        Err(StoreError::Inconsistent { table: "end_user", what: partner.to_string() })
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
}
