//! Auditors: who may read the books from outside, with a token that is shown once and good until a day.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};
use secrecy::SecretString;
use serde_json::json;
use uuid::Uuid;

use super::{
    Services,
    outbox::unexpected,
    paging::{Listed, PAGE_READ},
    tokens::{TokenNameError, check_token_name},
};
use crate::{
    audit::{Action, Actor, Method, OpContext},
    id::{AuditorId, RequestId},
    ledger::leaf::sha256,
    store::{NotSaved, StoreError, UnitOfWork, entity},
};

/// What an auditor's token begins with. It also begins with [`super::access::ACCOUNT_TOKEN_PREFIX`]: look for this one
/// first.
pub const AUDITOR_TOKEN_PREFIX: &str = "faro_audit_";
/// How many days a token is good for, unless it is said.
pub const AUDITOR_DAYS_DEFAULT: u32 = 30;
/// How many days a token may be good for.
pub const AUDITOR_DAYS_MAX: u32 = 366;
/// How many auditors a list shows, the newest first.
const AUDITORS_LISTED_MAX: u64 = 1_000;
const SECRET_BYTES: usize = 32;
const HINT_CHARS: usize = 4;
const US_PER_DAY: i64 = 86_400_000_000;

/// Somebody who may read the books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Auditor {
    /// Which.
    pub id: AuditorId,
    /// Who that is, in the words of whoever made the token.
    pub name: String,
    /// The last characters of the secret.
    pub hint: String,
    /// When it was made, in microseconds since the Unix epoch.
    pub created_us: i64,
    /// From when on the token is worth nothing, in microseconds since the Unix epoch.
    pub expires_us: i64,
    /// When it was revoked, in microseconds since the Unix epoch.
    pub revoked_us: Option<i64>,
}

impl Auditor {
    /// What the audit trail says of who asks: this auditor, in the request `request`.
    pub const fn context(&self, request: RequestId) -> OpContext {
        OpContext { actor: Actor::Auditor(self.id), method: Method::AuditorToken, request: Some(request) }
    }
}

/// A token that was just made: the only time that its secret is known.
#[derive(Debug, Clone)]
pub struct NewAuditor {
    /// What is sent as bearer.
    pub secret: SecretString,
    /// What is stored about it.
    pub auditor: Auditor,
}

/// Why no token was made.
#[derive(Debug, thiserror::Error)]
pub enum CreateAuditorError {
    /// The name cannot be used.
    #[error(transparent)]
    Name(#[from] TokenNameError),
    /// Too few or too many days.
    #[error("`days` is 1 to {AUDITOR_DAYS_MAX}, not {0}")]
    Days(u32),
    /// The key made a token before, whose secret was shown then.
    #[error("this was sent before: the token was made then, and its secret was shown then")]
    MadeBefore(AuditorId),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why no token was revoked.
#[derive(Debug, thiserror::Error)]
pub enum RevokeAuditorError {
    /// There is none.
    #[error("there is no such auditor")]
    NotFound,
    /// It was revoked before.
    #[error("this token is revoked already")]
    AlreadyRevoked,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Services {
    /// Makes a token for an auditor, good for `days` days. The same `key` again (the form's own identifier) makes nothing
    /// more.
    ///
    /// # Errors
    /// The name or the number of days cannot be used, the key made a token before, or the database failed.
    pub async fn create_auditor(
        &self,
        by: &OpContext,
        name: &str,
        days: u32,
        key: Option<RequestId>,
    ) -> Result<NewAuditor, CreateAuditorError> {
        check_token_name(name)?;
        if !(1..=AUDITOR_DAYS_MAX).contains(&days) {
            return Err(CreateAuditorError::Days(days));
        }
        // The key names the row: whoever comes second finds it.
        let known = key.map(|key| AuditorId::from(key.uuid()));
        if let Some(id) = known
            && self.is_auditor(id).await?
        {
            return Err(CreateAuditorError::MadeBefore(id));
        }
        let mut random = [0; SECRET_BYTES];
        (self.random)(&mut random);
        let text = BASE64_URL_SAFE_NO_PAD.encode(random);
        let hint = text.chars().skip(text.chars().count().saturating_sub(HINT_CHARS)).collect();
        let secret = format!("{AUDITOR_TOKEN_PREFIX}{text}");
        let created_us = self.clock.now_us();
        let row = entity::auditor_token::Model {
            id: known.unwrap_or_else(|| AuditorId::new(&*self.ids, created_us)).uuid(),
            name: name.to_owned(),
            hint,
            digest: sha256(secret.as_bytes()).to_vec(),
            created_us,
            expires_us: created_us.saturating_add(US_PER_DAY.saturating_mul(days.into())),
            revoked_us: None,
        };
        let mut unit = UnitOfWork::new();
        unit.one(self.db.backend(), &entity::auditor_token::Entity::insert(row.clone().into_active_model()));
        let auditor = view(row);
        let after = json!({
            "role": "auditor",
            "name": auditor.name,
            "hint": auditor.hint,
            "expires_us": auditor.expires_us,
        });
        let told = by.entry(Action::OperatorCreate, "auditor", auditor.id).after(after);
        match self.ledger.save(unit.audited(told)).await {
            Ok(_) => Ok(NewAuditor { secret: SecretString::from(secret), auditor }),
            // The same form at the same moment.
            Err(NotSaved::Conflict { .. }) if known.is_some() && self.is_auditor(auditor.id).await? => {
                Err(CreateAuditorError::MadeBefore(auditor.id))
            }
            Err(not_saved) => Err(unexpected("auditor_token", not_saved).into()),
        }
    }

    async fn is_auditor(&self, id: AuditorId) -> Result<bool, StoreError> {
        Ok(entity::auditor_token::Entity::find_by_id(id.uuid()).one(self.db.readers()).await?.is_some())
    }

    /// Revokes an auditor's token for ever, at once on every server.
    ///
    /// # Errors
    /// There is none, it was revoked before, or the database failed.
    pub async fn revoke_auditor(
        &self,
        by: &OpContext,
        id: AuditorId,
        reason: Option<&str>,
    ) -> Result<Auditor, RevokeAuditorError> {
        let row = entity::auditor_token::Entity::find_by_id(id.uuid()).one(self.db.readers()).await;
        let row = row.map_err(StoreError::from)?.ok_or(RevokeAuditorError::NotFound)?;
        if row.revoked_us.is_some() {
            return Err(RevokeAuditorError::AlreadyRevoked);
        }
        let now_us = self.clock.now_us();
        let mut unit = UnitOfWork::new();
        let revoke = entity::auditor_token::Entity::update_many()
            .set(entity::auditor_token::ActiveModel { revoked_us: Set(Some(now_us)), ..Default::default() })
            .filter(entity::auditor_token::Column::Id.eq(id.uuid()))
            .filter(entity::auditor_token::Column::RevokedUs.is_null());
        unit.one(self.db.backend(), &revoke);
        let facts = |is_active: bool| json!({"role": "auditor", "active": is_active});
        let mut told = by.entry(Action::OperatorRevoke, "auditor", id).before(facts(true)).after(facts(false));
        if let Some(reason) = reason {
            told = told.because(reason);
        }
        match self.ledger.save(unit.audited(told)).await {
            Ok(_) => Ok(Auditor { revoked_us: Some(now_us), ..view(row) }),
            Err(NotSaved::Conflict { .. }) => Err(RevokeAuditorError::AlreadyRevoked),
            Err(not_saved) => Err(unexpected("auditor_token", not_saved).into()),
        }
    }

    /// Whose token this is; `None` if nobody's, or if it is revoked or over. It is looked up in the database every time:
    /// auditors ask seldom, and a revoked token must be worth nothing at once.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_auditor(&self, secret: &str) -> Result<Option<Auditor>, StoreError> {
        let row = entity::auditor_token::Entity::find()
            .filter(entity::auditor_token::Column::Digest.eq(sha256(secret.as_bytes()).to_vec()))
            .filter(entity::auditor_token::Column::RevokedUs.is_null())
            .filter(entity::auditor_token::Column::ExpiresUs.gt(self.clock.now_us()))
            .one(self.db.readers())
            .await?;
        Ok(row.map(view))
    }

    /// The auditors, revoked ones too, the newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn list_auditors(&self) -> Result<Vec<Auditor>, StoreError> {
        let rows = entity::auditor_token::Entity::find()
            .order_by_desc(entity::auditor_token::Column::Id)
            .limit(AUDITORS_LISTED_MAX)
            .all(self.db.readers())
            .await?;
        Ok(rows.into_iter().map(view).collect())
    }

    /// A page of the auditors, revoked ones too, the newest first, from behind the one named by `after`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn list_auditors_page(&self, after: Option<Uuid>) -> Result<Listed<Auditor>, StoreError> {
        let column = entity::auditor_token::Column::Id;
        let rows = entity::auditor_token::Entity::find()
            .filter(column.lt(after.unwrap_or(Uuid::max())))
            .order_by_desc(column)
            .limit(PAGE_READ)
            .all(self.db.readers())
            .await?;
        Ok(Listed::of(rows, |row| row.id.as_simple().to_string()).map(view))
    }

    /// An auditor.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_auditor_by_id(&self, id: AuditorId) -> Result<Option<Auditor>, StoreError> {
        let row = entity::auditor_token::Entity::find_by_id(id.uuid()).one(self.db.readers()).await?;
        Ok(row.map(view))
    }
}

fn view(row: entity::auditor_token::Model) -> Auditor {
    Auditor {
        id: AuditorId::from(row.id),
        name: row.name,
        hint: row.hint,
        created_us: row.created_us,
        expires_us: row.expires_us,
        revoked_us: row.revoked_us,
    }
}
