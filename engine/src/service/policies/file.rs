//! The policy of the configuration file, and who leads: the file or the database.

use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect as _, Set};

use super::{PolicyVersionError, PolicyVersionInfo, TRIES_MAX, Text, failed, info, newest_first, trail};
use crate::{
    audit::{Action, AuditEntry, OpContext},
    policy::WrittenPolicy,
    service::Services,
    store::{NotSaved, StoreError, UnitOfWork, entity},
};

/// Who wrote what comes from the file.
const AUTHOR: &str = "file";
/// Under which name its last digest is kept.
const ITEM: &str = "policy";

/// When the file's policy is put in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilePublication {
    /// Whenever it has changed: the file leads, or somebody wants it.
    IfChanged,
    /// Where nothing is in force: the first start. Else a changed one becomes a draft.
    IfNone,
    /// Never: a changed one becomes a draft.
    Never,
}

/// What becomes of the file's policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilePolicy {
    /// It is in force, or has not changed: the database stands.
    Unchanged,
    /// It has changed, and is kept as this draft.
    Draft(PolicyVersionInfo),
    /// It was put in force as this version.
    Published(PolicyVersionInfo),
}

/// What is to be done.
enum Step {
    Nothing,
    /// Only remember that this text was seen.
    Remember,
    Draft,
    PublishNew,
    PublishDraft(i64),
}

impl Services {
    /// Takes over the policy of the configuration file if it differs from the one taken over last; otherwise the database
    /// stands. Servers that start together make one version of it.
    ///
    /// # Errors
    /// The policy is to be kept and is wrong, or the database failed.
    pub async fn import_policy(
        &self,
        by: &OpContext,
        policy: &WrittenPolicy,
        publication: FilePublication,
    ) -> Result<FilePolicy, PolicyVersionError> {
        let text = Text::of(policy)?;
        let mut tries = 0;
        loop {
            let seen = self.last_imported().await?;
            let step = self.step(&text, seen.as_deref(), publication).await?;
            let mut unit = UnitOfWork::new();
            let by_file = |told: AuditEntry| told.because("the configuration's policy");
            let (number, is_published, told) = match step {
                Step::Nothing => return Ok(FilePolicy::Unchanged),
                Step::Remember => (None, false, None),
                Step::Draft | Step::PublishNew => {
                    self.compile_policy(policy).await?;
                    let mut row = self.new_row(&text, AUTHOR, "").await?;
                    let is_published = matches!(step, Step::PublishNew);
                    if is_published {
                        self.publish_new(&mut unit, &mut row).await?;
                    } else {
                        self.insert(&mut unit, &row);
                    }
                    let told = if is_published {
                        trail::published(by, Action::PolicyPublish, row.number, &text.sha256, row.replaces)
                    } else {
                        trail::drafted(by, &row)
                    };
                    (Some(row.number), is_published, Some(by_file(told)))
                }
                Step::PublishDraft(number) => {
                    self.compile_policy(policy).await?;
                    let replaced = self.publish_draft(&mut unit, number).await?;
                    let told = trail::published(by, Action::PolicyPublish, number, &text.sha256, replaced);
                    (Some(number), true, Some(by_file(told)))
                }
            };
            self.remember(&mut unit, &text, seen);
            let unit = match told {
                Some(told) => unit.audited(told),
                None => unit.unaudited("it is only noted which file was looked at"),
            };
            match self.ledger.save(unit).await {
                Ok(_) => {}
                // Another server or command was first: look again.
                Err(NotSaved::Conflict { .. }) if tries < TRIES_MAX => {
                    tries = tries.saturating_add(1);
                    continue;
                }
                Err(not_saved) => return Err(failed(not_saved)),
            }
            if is_published {
                self.reload_snapshot().await?;
            }
            let Some(number) = number else { return Ok(FilePolicy::Unchanged) };
            let kept = self.load_policy_info(number).await?;
            return Ok(if is_published { FilePolicy::Published(kept) } else { FilePolicy::Draft(kept) });
        }
    }

    /// What [`Self::import_policy`] would do, in a word: `draft`, `publish`, or nothing.
    ///
    /// # Errors
    /// The policy would be kept and is wrong, or the database cannot be read.
    pub async fn plan_policy(
        &self,
        policy: &WrittenPolicy,
        publication: FilePublication,
    ) -> Result<Option<&'static str>, PolicyVersionError> {
        let text = Text::of(policy)?;
        let seen = self.last_imported().await?;
        let planned = match self.step(&text, seen.as_deref(), publication).await? {
            Step::Nothing | Step::Remember => return Ok(None),
            Step::Draft => "draft",
            Step::PublishNew | Step::PublishDraft(_) => "publish",
        };
        self.compile_policy(policy).await?;
        Ok(Some(planned))
    }

    async fn step(
        &self,
        text: &Text,
        seen: Option<&[u8]>,
        publication: FilePublication,
    ) -> Result<Step, PolicyVersionError> {
        let published = self.find_published().await?;
        let is_seen = seen == Some(text.sha256.as_slice());
        if published.as_ref().is_some_and(|row| row.sha256 == text.sha256) {
            return Ok(if is_seen { Step::Nothing } else { Step::Remember });
        }
        let publishes = match publication {
            FilePublication::IfChanged => true,
            FilePublication::IfNone => published.is_none(),
            FilePublication::Never => false,
        };
        let draft = self.find_draft(text).await?;
        Ok(match draft {
            Some(draft) if publishes => Step::PublishDraft(draft.number),
            // What was in force and is no longer was taken back by somebody: the file says nothing new.
            _ if is_seen && published.is_some() => Step::Nothing,
            Some(_) => Step::Remember,
            None if publishes => Step::PublishNew,
            None => Step::Draft,
        })
    }

    /// The draft with this text.
    pub(super) async fn find_draft(&self, text: &Text) -> Result<Option<PolicyVersionInfo>, StoreError> {
        let row = newest_first()
            .filter(entity::policy_version::Column::State.eq("draft"))
            .filter(entity::policy_version::Column::Sha256.eq(text.sha256.to_vec()))
            .limit(1)
            .one(self.db.readers())
            .await?;
        row.as_ref().map(info).transpose()
    }

    async fn last_imported(&self) -> Result<Option<Vec<u8>>, StoreError> {
        let row = entity::import::Entity::find_by_id(ITEM).one(self.db.readers()).await?;
        Ok(row.map(|row| row.hash))
    }

    /// Adds to `unit` that this text was taken over; of several who do that at once only one comes through.
    fn remember(&self, unit: &mut UnitOfWork, text: &Text, seen: Option<Vec<u8>>) {
        let (hash, imported_us) = (text.sha256.to_vec(), self.clock.now_us());
        let backend = self.db.backend();
        match seen {
            None => {
                let row = entity::import::Model { item: ITEM.to_owned(), hash, imported_us };
                unit.one(backend, &entity::import::Entity::insert(row.into_active_model()));
            }
            Some(seen) => {
                let change = entity::import::ActiveModel {
                    hash: Set(hash),
                    imported_us: Set(imported_us),
                    ..Default::default()
                };
                let update = entity::import::Entity::update_many()
                    .set(change)
                    .filter(entity::import::Column::Item.eq(ITEM))
                    .filter(entity::import::Column::Hash.eq(seen));
                unit.one(backend, &update);
            }
        }
    }
}
