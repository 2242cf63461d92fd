//! The policy's versions. A version is an immutable text; at most one is published, and that one decides. A publication is
//! one transaction: the version before is retired, the new one published, and every server told.

use std::fmt;

use sea_orm::{
    ColumnTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, Select, Set, sea_query::ExprTrait as _,
};

use super::Services;
use crate::{
    audit::{Action, OpContext},
    ledger::leaf::{Digest, sha256},
    policy::WrittenPolicy,
    snapshot::{PUBLISHED, read_policy},
    store::{AuditedUnit, NotSaved, StoreError, UnitOfWork, entity},
};

mod check;
pub(in crate::service) mod decisions;
mod draft;
mod file;
mod layers;
mod look;
pub(super) mod replay;
mod trail;

pub use self::{
    check::{PolicyCheck, PolicyFault, SESSIONS_COMPARED_MAX},
    decisions::{DECISION_DAYS, DecisionDay, Denials},
    file::{FilePolicy, FilePublication},
    layers::{LayerCount, LayerCounts, PolicyLayer},
    look::PolicyFilter,
    replay::{REPLAY_CALLS_MAX, Replayed, ReplayedCall},
};

/// Longest name of a version's author, in characters.
pub const POLICY_AUTHOR_CHARS_MAX: usize = 100;
/// Longest note of a version, in characters.
pub const POLICY_NOTE_CHARS_MAX: usize = 500;
/// Longest text of a version, in bytes.
pub const POLICY_TEXT_BYTES_MAX: usize = 8 * 1024 * 1024;
/// How many versions are listed at once.
pub const POLICIES_LISTED_MAX: u64 = 1_000;

/// How often a number is taken anew that somebody else has taken at the same moment.
const TRIES_MAX: u32 = 16;

/// Where a version stands. Drafts become published, published ones retired, and that is all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyState {
    /// Kept, never in force.
    Draft,
    /// In force.
    Published,
    /// Was in force.
    Retired,
}

impl PolicyState {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Draft, "draft"), (Self::Published, PUBLISHED), (Self::Retired, "retired")];

    /// The word of the database and the command line.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(state, _)| *state == self).map_or("", |(_, word)| *word)
    }

    /// Reads what [`Self::as_str`] wrote.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == word).map(|(state, _)| *state)
    }
}

/// A version without its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyVersionInfo {
    /// From 1, rising. An invocation's `policy_version` begins with it.
    pub number: i64,
    /// Where it stands.
    pub state: PolicyState,
    /// Who wrote it.
    pub author: String,
    /// What for; may be empty.
    pub note: String,
    /// Of its text.
    pub sha256: Digest,
    /// Which version was in force before it.
    pub replaces: Option<i64>,
    /// In microseconds since the Unix epoch.
    pub created_us: i64,
    /// In microseconds since the Unix epoch.
    pub published_us: Option<i64>,
    /// In microseconds since the Unix epoch.
    pub retired_us: Option<i64>,
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum PolicyVersionError {
    /// The policy is wrong; every problem of it.
    #[error("{}", .0.join("\n"))]
    Broken(Vec<String>),
    /// The author cannot be used.
    #[error("`author` is one line of 1 to {POLICY_AUTHOR_CHARS_MAX} characters")]
    Author,
    /// The note cannot be used.
    #[error("`note` is one line of at most {POLICY_NOTE_CHARS_MAX} characters")]
    Note,
    /// The text is too long.
    #[error("the policy is longer than {POLICY_TEXT_BYTES_MAX} bytes")]
    TooLong,
    /// There is no such version.
    #[error("there is no version {0}")]
    NotFound(i64),
    /// It is in force.
    #[error("version {0} is in force")]
    InForce(i64),
    /// It was published before.
    #[error("version {0} was in force before: `policy rollback {0}` publishes it again")]
    Retired(i64),
    /// It was never published.
    #[error("version {0} was never in force: `policy publish {0}` publishes it")]
    Draft(i64),
    /// Another version is in force than the one that was seen.
    #[error("version {0} was in force when this was asked for, and is not any more: look at it again")]
    Stale(i64),
    /// Nothing was in force before what is.
    #[error("there is no version to go back to")]
    NothingBefore,
    /// Somebody else published at the same moment.
    #[error("another version was published at the same moment: look before you repeat it")]
    Overtaken,
    /// This process does not know the gateway's rules.
    #[error("policies cannot be checked here")]
    Unprepared,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DbErr> for PolicyVersionError {
    fn from(error: DbErr) -> Self {
        Self::Store(error.into())
    }
}

/// A policy as it is kept.
struct Text {
    text: String,
    sha256: Digest,
}

impl Text {
    fn of(policy: &WrittenPolicy) -> Result<Self, PolicyVersionError> {
        Self::stored(policy.to_value().to_string())
    }

    fn stored(text: String) -> Result<Self, PolicyVersionError> {
        if text.len() > POLICY_TEXT_BYTES_MAX {
            return Err(PolicyVersionError::TooLong);
        }
        Ok(Self { sha256: sha256(text.as_bytes()), text })
    }
}

impl Services {
    /// A version with its text.
    ///
    /// # Errors
    /// The database cannot be read, or the text is damaged.
    pub async fn find_policy(&self, number: i64) -> Result<Option<(PolicyVersionInfo, WrittenPolicy)>, StoreError> {
        let row = self.find_policy_row(number).await?;
        row.map(|row| Ok((info(&row)?, read_policy(number, &row.text)?))).transpose()
    }

    /// The version in force with its text; `None` before the first start.
    ///
    /// # Errors
    /// As for [`Self::find_policy`].
    pub async fn find_published_policy(&self) -> Result<Option<(PolicyVersionInfo, WrittenPolicy)>, StoreError> {
        let row = self.find_published().await?;
        row.map(|row| Ok((info(&row)?, read_policy(row.number, &row.text)?))).transpose()
    }

    /// Puts a draft in force, here and on every other server.
    ///
    /// # Errors
    /// It is no draft, is wrong by now, another version than `over` is in force (`None`: whichever is), somebody else
    /// published at the same moment, or the database failed.
    pub async fn publish_policy(
        &self,
        by: &OpContext,
        number: i64,
        over: Option<i64>,
    ) -> Result<PolicyVersionInfo, PolicyVersionError> {
        let (found, policy) = self.find_policy(number).await?.ok_or(PolicyVersionError::NotFound(number))?;
        match found.state {
            PolicyState::Draft => {}
            PolicyState::Published => return Err(PolicyVersionError::InForce(number)),
            PolicyState::Retired => return Err(PolicyVersionError::Retired(number)),
        }
        self.compile_policy(&policy).await?;
        let mut unit = UnitOfWork::new();
        let replaced = self.publish_draft(&mut unit, number).await?;
        if let Some(seen) = over.filter(|seen| replaced != Some(*seen)) {
            return Err(PolicyVersionError::Stale(seen));
        }
        let told = trail::published(by, Action::PolicyPublish, number, &found.sha256, replaced);
        self.save_publication(unit.audited(told)).await?;
        self.load_policy_info(number).await
    }

    /// Puts the text of an earlier version in force again, as a new version that says so: the version that was in force
    /// before, unless `number` names another one. `reason` goes into its note; it may be empty.
    ///
    /// # Errors
    /// There is no such version, it was never in force or is now, it is wrong by now, the author or the reason cannot be
    /// used, another version than `over` is in force (`None`: whichever is), somebody else published at the same moment, or
    /// the database failed.
    pub async fn rollback_policy(
        &self,
        by: &OpContext,
        number: Option<i64>,
        over: Option<i64>,
        author: &str,
        reason: &str,
    ) -> Result<PolicyVersionInfo, PolicyVersionError> {
        check_author(author)?;
        let current = self.find_published().await?.ok_or(PolicyVersionError::NothingBefore)?;
        let number = number.or(current.replaces).ok_or(PolicyVersionError::NothingBefore)?;
        let note = match reason {
            "" => format!("rollback to version {number}"),
            reason => format!("rollback to version {number}: {reason}"),
        };
        check_note(&note)?;
        let old = self.find_policy_row(number).await?.ok_or(PolicyVersionError::NotFound(number))?;
        let found = info(&old)?;
        match found.state {
            PolicyState::Retired => {}
            PolicyState::Published => return Err(PolicyVersionError::InForce(number)),
            PolicyState::Draft => return Err(PolicyVersionError::Draft(number)),
        }
        self.compile_policy(&read_policy(number, &old.text)?).await?;
        let mut row = self.new_row(&Text { text: old.text, sha256: found.sha256 }, author, &note).await?;
        let new = row.number;
        let mut unit = UnitOfWork::new();
        self.publish_new(&mut unit, &mut row).await?;
        // What the unit takes the place of, or nothing of it is written.
        if let Some(seen) = over.filter(|seen| row.replaces != Some(*seen)) {
            return Err(PolicyVersionError::Stale(seen));
        }
        let told = trail::published(by, Action::PolicyRollback, new, &found.sha256, row.replaces).because(&row.note);
        self.save_publication(unit.audited(told)).await?;
        self.load_policy_info(new).await
    }

    async fn find_published(&self) -> Result<Option<entity::policy_version::Model>, StoreError> {
        let query = entity::policy_version::Entity::find();
        Ok(query.filter(entity::policy_version::Column::State.eq(PUBLISHED)).one(self.db.readers()).await?)
    }

    async fn load_policy_info(&self, number: i64) -> Result<PolicyVersionInfo, PolicyVersionError> {
        let row = self.find_policy_row(number).await?;
        Ok(info(&row.ok_or(PolicyVersionError::NotFound(number))?)?)
    }

    /// A draft under the next number.
    async fn new_row(
        &self,
        text: &Text,
        author: &str,
        note: &str,
    ) -> Result<entity::policy_version::Model, StoreError> {
        let newest = newest_first().one(self.db.readers()).await?;
        Ok(entity::policy_version::Model {
            number: newest.map_or(1, |row| row.number.saturating_add(1)),
            text: text.text.clone(),
            sha256: text.sha256.to_vec(),
            author: author.to_owned(),
            note: note.to_owned(),
            state: PolicyState::Draft.as_str().to_owned(),
            replaces: None,
            created_us: self.clock.now_us(),
            published_us: None,
            retired_us: None,
        })
    }

    fn insert(&self, unit: &mut UnitOfWork, row: &entity::policy_version::Model) {
        let insert = entity::policy_version::Entity::insert(row.clone().into_active_model());
        unit.one(self.db.backend(), &insert);
        self.state(unit, row, row.created_us);
    }

    /// Adds to `unit` that a row which is not there yet is published.
    async fn publish_new(
        &self,
        unit: &mut UnitOfWork,
        row: &mut entity::policy_version::Model,
    ) -> Result<(), StoreError> {
        row.replaces = self.retire_published(unit).await?;
        PUBLISHED.clone_into(&mut row.state);
        row.published_us = Some(row.created_us);
        self.insert(unit, row);
        self.bump_version(unit, "policy");
        Ok(())
    }

    /// Adds to `unit` that a draft is published.
    async fn publish_draft(&self, unit: &mut UnitOfWork, number: i64) -> Result<Option<i64>, StoreError> {
        let found = self.find_policy_row(number).await?;
        let missing = || StoreError::Inconsistent { table: "policy_version", what: number.to_string() };
        let replaced = self.retire_published(unit).await?;
        let row = entity::policy_version::Model {
            state: PUBLISHED.to_owned(),
            replaces: replaced,
            published_us: Some(self.clock.now_us()),
            ..found.ok_or_else(missing)?
        };
        self.change(unit, PolicyState::Draft, &row);
        self.bump_version(unit, "policy");
        Ok(replaced)
    }

    /// Adds to `unit` that what is in force is retired; returns which version that is.
    async fn retire_published(&self, unit: &mut UnitOfWork) -> Result<Option<i64>, StoreError> {
        let Some(current) = self.find_published().await? else { return Ok(None) };
        let number = current.number;
        let row = entity::policy_version::Model {
            state: PolicyState::Retired.as_str().to_owned(),
            retired_us: Some(self.clock.now_us()),
            ..current
        };
        self.change(unit, PolicyState::Published, &row);
        Ok(Some(number))
    }

    /// Adds to `unit` that a version which was in the state `from` is in that of `row`.
    fn change(&self, unit: &mut UnitOfWork, from: PolicyState, row: &entity::policy_version::Model) {
        let is_meant = entity::policy_version::Column::Number
            .eq(row.number)
            .and(entity::policy_version::Column::State.eq(from.as_str()));
        let change = entity::policy_version::ActiveModel {
            state: Set(row.state.clone()),
            replaces: Set(row.replaces),
            published_us: Set(row.published_us),
            retired_us: Set(row.retired_us),
            ..Default::default()
        };
        self.state(unit, row, self.clock.now_us());
        let update = entity::policy_version::Entity::update_many().set(change).filter(is_meant);
        unit.one(self.db.backend(), &update);
    }

    /// Writes a publication and takes it into use.
    async fn save_publication(&self, unit: AuditedUnit) -> Result<(), PolicyVersionError> {
        self.ledger.save(unit).await.map_err(failed)?;
        Ok(self.reload_snapshot().await?)
    }
}

impl fmt::Display for PolicyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn newest_first() -> Select<entity::policy_version::Entity> {
    entity::policy_version::Entity::find().order_by_desc(entity::policy_version::Column::Number)
}

fn info(row: &entity::policy_version::Model) -> Result<PolicyVersionInfo, StoreError> {
    let broken = |what: &str| StoreError::Inconsistent { table: "policy_version", what: what.to_owned() };
    Ok(PolicyVersionInfo {
        number: row.number,
        state: PolicyState::from_word(&row.state).ok_or_else(|| broken("state"))?,
        author: row.author.clone(),
        note: row.note.clone(),
        sha256: row.sha256.as_slice().try_into().map_err(|_length| broken("sha256"))?,
        replaces: row.replaces,
        created_us: row.created_us,
        published_us: row.published_us,
        retired_us: row.retired_us,
    })
}

fn failed(not_saved: NotSaved) -> PolicyVersionError {
    match not_saved {
        NotSaved::Conflict { .. } | NotSaved::Refused(_) => PolicyVersionError::Overtaken,
        NotSaved::Writer(error) => PolicyVersionError::Store(error.into()),
    }
}

fn check_author(author: &str) -> Result<(), PolicyVersionError> {
    let line = check_line(author, POLICY_AUTHOR_CHARS_MAX).filter(|line| !line.trim().is_empty());
    line.map(drop).ok_or(PolicyVersionError::Author)
}

fn check_note(note: &str) -> Result<(), PolicyVersionError> {
    check_line(note, POLICY_NOTE_CHARS_MAX).map(drop).ok_or(PolicyVersionError::Note)
}

fn check_line(text: &str, chars_max: usize) -> Option<&str> {
    (text.chars().count() <= chars_max && !text.chars().any(char::is_control)).then_some(text)
}
