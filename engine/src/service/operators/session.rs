//! Sessions of the console: rows that end by being deleted, so that whoever is shut out is out with the next request. What a
//! browser keeps is 256 random bits; the database has their SHA-256.

use std::{fmt, str::FromStr};

use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait as _, UpdateMany,
};
use secrecy::SecretString;
use serde_json::json;

use super::{ChangeOperatorError, OperatorProfile, SECRET_CHARS, profile};
use crate::{
    audit::{Action, Method, OpContext},
    id::{OperatorId, RequestId},
    ledger::{
        hex::{from_hex, hex},
        leaf::{Digest, sha256},
    },
    service::{Services, outbox::unexpected},
    store::{NotSaved, StoreError, UnitOfWork, entity},
};

/// How often sessions are counted again that others begin or end at the same moment.
const TRIES_MAX: u32 = 5;
/// After how many minutes without a request a session is over.
pub const IDLE_MINUTES: i64 = 30;
/// After how many hours a session is over, whatever happens in it.
pub const ABSOLUTE_HOURS: i64 = 12;
/// For how many minutes after a password was shown it need not be shown again.
pub const FRESH_MINUTES: i64 = 5;
/// Longest text that is kept for the next page, in bytes.
pub const FLASH_BYTES_MAX: usize = 4_096;

const US_PER_MINUTE: i64 = 60_000_000;
pub(super) const IDLE_US: i64 = IDLE_MINUTES * US_PER_MINUTE;
const ABSOLUTE_US: i64 = ABSOLUTE_HOURS * 60 * US_PER_MINUTE;
const FRESH_US: i64 = FRESH_MINUTES * US_PER_MINUTE;
/// How often it is written down that somebody is still there, in microseconds.
const TOUCH_US: i64 = US_PER_MINUTE;
/// Longest name of a browser that is kept, in characters.
const USER_AGENT_CHARS_MAX: usize = 200;
/// Longest address that is kept, in characters: more than any has.
const ADDRESS_CHARS_MAX: usize = 64;
/// How many sessions a list shows, the newest first.
const SESSIONS_LISTED_MAX: u64 = 100;
/// How many sessions or links that are over go at once.
const PRUNED_MAX: u64 = 500;

/// The name of a session: the digest of its secret, of no use as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionKey(Digest);

/// The text names no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a session's name has 64 hexadecimal digits")]
pub struct InvalidSessionKey;

impl SessionKey {
    /// Of the session with this secret; `None` if no secret looks like that.
    pub fn of(secret: &str) -> Option<Self> {
        (secret.len() == SECRET_CHARS).then(|| Self(sha256(secret.as_bytes())))
    }

    pub(super) fn row(self) -> Vec<u8> {
        self.0.to_vec()
    }
}

impl fmt::Display for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl FromStr for SessionKey {
    type Err = InvalidSessionKey;

    fn from_str(text: &str) -> Result<Self, InvalidSessionKey> {
        from_hex(text).map(Self).ok_or(InvalidSessionKey)
    }
}

/// A session that was just begun or got a new secret: the only time that it is known.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// What the browser keeps.
    pub secret: SecretString,
    /// Whose it is.
    pub operator: OperatorProfile,
}

/// A session that is not over, with whoever is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorSession {
    /// Who is signed in.
    pub operator: OperatorProfile,
    /// Its name.
    pub key: SessionKey,
    /// When it began, in microseconds since the Unix epoch.
    pub created_us: i64,
    /// When somebody was last seen in it, give or take a minute, in microseconds since the Unix epoch.
    pub seen_us: i64,
    /// When the password was last shown, in microseconds since the Unix epoch.
    pub fresh_us: i64,
    /// What the next page says once; see [`Services::take_flash`].
    pub flash: Option<String>,
}

impl OperatorSession {
    /// What the audit trail says of who asks: this operator, in the request `request`.
    pub fn context(&self, request: RequestId) -> OpContext {
        self.operator.context(Method::Session, request)
    }

    /// Whether the password was shown within the last [`FRESH_MINUTES`] minutes before `now_us` (microseconds since the Unix
    /// epoch).
    pub const fn is_fresh(&self, now_us: i64) -> bool {
        now_us.saturating_sub(self.fresh_us) < FRESH_US
    }
}

/// A session in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorSessionView {
    /// Its name.
    pub key: SessionKey,
    /// When it began, in microseconds since the Unix epoch.
    pub created_us: i64,
    /// When somebody was last seen in it, give or take a minute, in microseconds since the Unix epoch.
    pub seen_us: i64,
    /// From where it was begun.
    pub address: String,
    /// What the browser called itself.
    pub user_agent: String,
}

impl Services {
    /// Adds to `unit` a session that begins now.
    pub(super) fn add_session(
        &self,
        unit: &mut UnitOfWork,
        operator: OperatorId,
        (address, user_agent): (&str, &str),
        now_us: i64,
    ) -> SecretString {
        let (secret, digest) = self.new_secret();
        let row = entity::operator_session::Model {
            digest,
            operator_id: operator.uuid(),
            created_us: now_us,
            seen_us: now_us,
            fresh_us: now_us,
            address: address.chars().take(ADDRESS_CHARS_MAX).collect(),
            user_agent: user_agent.chars().filter(|c| !c.is_control()).take(USER_AGENT_CHARS_MAX).collect(),
            flash: None,
            echo: None,
        };
        unit.one(self.db.backend(), &entity::operator_session::Entity::insert(row.into_active_model()));
        secret
    }

    /// Adds to `unit` that a session gets a new secret, because its operator has just shown the password. What it began with
    /// stays: it is not good for longer.
    pub(super) fn rotate_session(&self, unit: &mut UnitOfWork, key: SessionKey, now_us: i64) -> SecretString {
        let (secret, digest) = self.new_secret();
        let change = entity::operator_session::ActiveModel {
            digest: Set(digest),
            seen_us: Set(now_us),
            fresh_us: Set(now_us),
            ..Default::default()
        };
        unit.one(self.db.backend(), &change_of(key, change));
        secret
    }

    /// Adds to `unit` that every session and every open link of an operator is over, but for the session `but`.
    pub(super) fn end_sessions_and_links(&self, unit: &mut UnitOfWork, operator: OperatorId, but: Option<SessionKey>) {
        let mut sessions = entity::operator_session::Entity::delete_many()
            .filter(entity::operator_session::Column::OperatorId.eq(operator.uuid()));
        if let Some(key) = but {
            sessions = sessions.filter(entity::operator_session::Column::Digest.ne(key.row()));
        }
        unit.any(self.db.backend(), &sessions);
        let links = entity::operator_link::Entity::update_many()
            .set(entity::operator_link::ActiveModel { used_us: Set(Some(self.clock.now_us())), ..Default::default() })
            .filter(entity::operator_link::Column::OperatorId.eq(operator.uuid()))
            .filter(entity::operator_link::Column::UsedUs.is_null());
        unit.any(self.db.backend(), &links);
    }

    /// The session with this secret; `None` if there is none, if it is over, or if its operator is shut out. It is looked up
    /// in the database every time: whoever is shut out must be out at once, on every server.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_operator_session(&self, secret: &str) -> Result<Option<OperatorSession>, StoreError> {
        let Some(key) = SessionKey::of(secret) else { return Ok(None) };
        let Some(row) = self.find_session_row(key).await? else { return Ok(None) };
        let operator = entity::operator::Entity::find_by_id(row.operator_id).one(self.db.readers()).await?;
        let operator = operator.as_ref().filter(|operator| !operator.is_disabled).map(profile).transpose()?;
        Ok(operator.map(|operator| OperatorSession {
            operator,
            key,
            created_us: row.created_us,
            seen_us: row.seen_us,
            fresh_us: row.fresh_us,
            flash: row.flash,
        }))
    }

    /// The session with this name, and not what its secret was before it got another one.
    pub(super) async fn find_session_row(
        &self,
        key: SessionKey,
    ) -> Result<Option<entity::operator_session::Model>, StoreError> {
        entity::operator_session::Entity::find_by_id(key.row())
            .filter(is_good_at(self.clock.now_us()))
            .filter(entity::operator_session::Column::Echo.is_null())
            .one(self.db.readers())
            .await
            .map_err(StoreError::from)
    }

    /// Writes down that somebody is still there, once a minute at most.
    ///
    /// # Errors
    /// The database failed.
    pub async fn touch_operator_session(&self, key: &SessionKey) -> Result<(), StoreError> {
        let now_us = self.clock.now_us();
        let row = entity::operator_session::Entity::find_by_id(key.row()).one(self.db.readers()).await?;
        if row.is_none_or(|row| now_us.saturating_sub(row.seen_us) < TOUCH_US) {
            return Ok(());
        }
        let change = entity::operator_session::ActiveModel { seen_us: Set(now_us), ..Default::default() };
        let mut unit = UnitOfWork::new();
        let touch = change_of(*key, change).filter(entity::operator_session::Column::SeenUs.lt(now_us));
        unit.any(self.db.backend(), &touch);
        self.save_session_note(unit, "somebody looks at pages: what they do is told by what they do").await
    }

    /// Keeps what the next page is to say once: JSON, at most [`FLASH_BYTES_MAX`] bytes; a longer one is not kept. One takes
    /// the place of the one before.
    ///
    /// # Errors
    /// The database failed.
    pub async fn put_flash(&self, key: &SessionKey, text: &str) -> Result<(), StoreError> {
        if text.len() > FLASH_BYTES_MAX {
            tracing::warn!(bytes = text.len(), "what the next page was to say is too long and was not kept");
            return Ok(());
        }
        let change = entity::operator_session::ActiveModel { flash: Set(Some(text.to_owned())), ..Default::default() };
        let mut unit = UnitOfWork::new();
        unit.any(self.db.backend(), &change_of(*key, change));
        self.save_session_note(unit, "what a page says once about something that is told").await
    }

    /// What this page is to say, which no other page says any more.
    ///
    /// # Errors
    /// The database failed.
    pub async fn take_flash(&self, key: &SessionKey) -> Result<Option<String>, StoreError> {
        let row = entity::operator_session::Entity::find_by_id(key.row()).one(self.db.readers()).await?;
        let Some(flash) = row.and_then(|row| row.flash) else { return Ok(None) };
        let change = entity::operator_session::ActiveModel { flash: Set(None), ..Default::default() };
        let mut unit = UnitOfWork::new();
        let wipe = change_of(*key, change).filter(entity::operator_session::Column::Flash.eq(flash.as_str()));
        unit.any(self.db.backend(), &wipe);
        self.save_session_note(unit, "what a page says once about something that is told").await?;
        Ok(Some(flash))
    }

    pub(super) async fn save_session_note(&self, unit: UnitOfWork, why: &'static str) -> Result<(), StoreError> {
        let saved = self.ledger.save(unit.unaudited(why)).await;
        saved.map(drop).map_err(|not_saved| unexpected("operator_session", not_saved))
    }

    /// Ends a session: signs out. One that is over already is no error. Whether whoever asks may end it is for the caller to
    /// know.
    ///
    /// # Errors
    /// The database failed.
    pub async fn end_operator_session(&self, by: &OpContext, key: &SessionKey) -> Result<(), StoreError> {
        let row = entity::operator_session::Entity::find_by_id(key.row()).one(self.db.readers()).await?;
        let Some(row) = row else { return Ok(()) };
        let (backend, sessions) = (self.db.backend(), entity::operator_session::Entity::delete_many);
        let mut unit = UnitOfWork::new();
        unit.one(backend, &sessions().filter(entity::operator_session::Column::Digest.eq(key.row())));
        // What its old secret is still good for goes with it.
        let echoes = Condition::all()
            .add(entity::operator_session::Column::OperatorId.eq(row.operator_id))
            .add(entity::operator_session::Column::Echo.is_not_null());
        unit.any(backend, &sessions().filter(echoes));
        let told = by.entry(Action::OperatorSignOut, "operator", OperatorId::from(row.operator_id));
        match self.ledger.save(unit.audited(told)).await {
            // The second copy of the form, at the same moment: the first one tells of it.
            Ok(_) | Err(NotSaved::Conflict { .. }) => Ok(()),
            Err(not_saved) => Err(unexpected("operator_session", not_saved)),
        }
    }

    /// Signs an operator out everywhere; its links stay good.
    ///
    /// # Errors
    /// There is none, or the database failed.
    pub async fn end_operator_sessions(&self, by: &OpContext, id: OperatorId) -> Result<(), ChangeOperatorError> {
        self.load_operator(id).await?;
        let is_of = entity::operator_session::Column::OperatorId.eq(id.uuid());
        let facts = |sessions: u64| json!({"sessions": sessions});
        for _ in 0..TRIES_MAX {
            let there = entity::operator_session::Entity::find().filter(is_of.clone());
            let there = there.count(self.db.readers()).await.map_err(StoreError::from)?;
            // The button was pressed twice: there is nothing more to end.
            if there == 0 {
                return Ok(());
            }
            let mut unit = UnitOfWork::new();
            // As many as were counted: of two copies at the same moment one tells of them.
            let ended = entity::operator_session::Entity::delete_many().filter(is_of.clone());
            unit.push(ended.build(self.db.backend()), Some(there));
            let told = by.entry(Action::OperatorEndSessions, "operator", id).before(facts(there)).after(facts(0));
            match self.ledger.save(unit.audited(told)).await {
                Ok(_) => return Ok(()),
                Err(NotSaved::Conflict { .. }) => {}
                Err(not_saved) => return Err(unexpected("operator_session", not_saved).into()),
            }
        }
        let what = "an operator's sessions begin and end all the time".to_owned();
        Err(StoreError::Inconsistent { table: "operator_session", what }.into())
    }

    /// The sessions of an operator that are not over, the newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn list_operator_sessions(&self, id: OperatorId) -> Result<Vec<OperatorSessionView>, StoreError> {
        let rows = entity::operator_session::Entity::find()
            .filter(entity::operator_session::Column::OperatorId.eq(id.uuid()))
            .filter(is_good_at(self.clock.now_us()))
            .filter(entity::operator_session::Column::Echo.is_null())
            .order_by_desc(entity::operator_session::Column::CreatedUs)
            .limit(SESSIONS_LISTED_MAX)
            .all(self.db.readers())
            .await?;
        rows.into_iter()
            .map(|row| {
                let digest = row.digest.try_into().map_err(|_length| StoreError::Inconsistent {
                    table: "operator_session",
                    what: "a digest that is none".to_owned(),
                })?;
                Ok(OperatorSessionView {
                    key: SessionKey(digest),
                    created_us: row.created_us,
                    seen_us: row.seen_us,
                    address: row.address,
                    user_agent: row.user_agent,
                })
            })
            .collect()
    }

    /// Deletes some of the sessions and links that are over. To be called from time to time.
    ///
    /// # Errors
    /// The database failed.
    pub async fn forget_ended_sessions(&self) -> Result<(), StoreError> {
        use entity::{operator_link as link, operator_session as session};
        let now_us = self.clock.now_us();
        let sessions = session::Entity::find()
            .filter(Condition::not(is_good_at(now_us)))
            .limit(PRUNED_MAX)
            .all(self.db.readers())
            .await?;
        let links = link::Entity::find()
            .filter(Condition::any().add(link::Column::UsedUs.is_not_null()).add(link::Column::ExpiresUs.lte(now_us)))
            .limit(PRUNED_MAX)
            .all(self.db.readers())
            .await?;
        if sessions.is_empty() && links.is_empty() {
            return Ok(());
        }
        let mut unit = UnitOfWork::new();
        // A session that was over stays over, unless the clock was set back.
        let over = session::Entity::delete_many()
            .filter(session::Column::Digest.is_in(sessions.into_iter().map(|row| row.digest)))
            .filter(Condition::not(is_good_at(now_us)));
        unit.any(self.db.backend(), &over);
        let gone =
            link::Entity::delete_many().filter(link::Column::Digest.is_in(links.into_iter().map(|row| row.digest)));
        unit.any(self.db.backend(), &gone);
        let saved = self.ledger.save(unit.unaudited("what is over cannot be used already")).await;
        saved.map(drop).map_err(|not_saved| unexpected("operator_session", not_saved))
    }
}

/// A change of the session `key`, and not of what its secret was before it got another one.
fn change_of(
    key: SessionKey,
    change: entity::operator_session::ActiveModel,
) -> UpdateMany<entity::operator_session::Entity> {
    entity::operator_session::Entity::update_many()
        .set(change)
        .filter(entity::operator_session::Column::Digest.eq(key.row()))
        .filter(entity::operator_session::Column::Echo.is_null())
}

/// Neither idle for too long nor too old.
pub(super) fn is_good_at(now_us: i64) -> Condition {
    Condition::all()
        .add(entity::operator_session::Column::SeenUs.gt(now_us.saturating_sub(IDLE_US)))
        .add(entity::operator_session::Column::CreatedUs.gt(now_us.saturating_sub(ABSOLUTE_US)))
}

#[cfg(test)]
mod tests;
