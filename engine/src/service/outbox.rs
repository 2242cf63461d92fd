//! The outbox: mails are written in the transaction of the change that causes them, and sent later. Several servers look
//! at one outbox, so a mail is claimed before it is sent. It may be sent twice after a crash, never lost.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};
use serde_json::Value;

use super::Services;
use crate::{
    id::MailId,
    store::{NotSaved, StoreError, UnitOfWork, entity},
};

mod change;
mod facts;
mod list;
mod low_balance;
mod template;

pub use change::ChangeMailError;
pub use list::{MAIL_AGES_S, MailAges, MailFilter, MailRow};
pub use template::{MailState, MailTemplate};

/// How often a mail is tried before it is given up: with the pauses between, that takes about three days.
pub const MAIL_ATTEMPTS_MAX: u32 = 80;
/// How many mails one round of sending takes.
pub const MAIL_BATCH_MAX: u64 = 20;
/// Longest reason of a failed attempt that is kept, in characters.
const ERROR_CHARS_MAX: usize = 200;
/// The wait after the first failed attempt; it doubles with every further one.
const BACKOFF_FIRST_US: i64 = 30_000_000;
/// The longest wait between two attempts.
const BACKOFF_US_MAX: i64 = 3_600_000_000;
/// Every pause is shorter by up to one in so many parts: what failed together is not tried together again.
const JITTER_PARTS: i64 = 4;

/// For how long a claimed mail is its server's alone, in microseconds: longer than sending one may take. If that server
/// dies over it, another one takes it when this is over.
pub const MAIL_CLAIM_US: i64 = 60_000_000;

const US_PER_MINUTE: i64 = 60_000_000;
/// What is left of a mail's data when nobody needs it any more: links are secrets.
const NO_DATA: &str = "{}";

/// A mail that is to be written.
#[derive(Debug)]
pub(super) struct NewMail<'a> {
    /// To whom: one address.
    pub(super) to: &'a str,
    /// What it says.
    pub(super) template: MailTemplate,
    /// What the template needs.
    pub(super) data: Value,
    /// What it is about: a kind, and which one.
    pub(super) about: (&'static str, String),
    /// A name under which it is written once.
    pub(super) key: Option<String>,
}

/// A mail that is to be sent. `Debug` shows neither the address nor the data.
#[derive(Clone)]
pub struct OutgoingMail {
    /// Which.
    pub id: MailId,
    /// To whom: one address.
    pub recipient: String,
    /// What it says.
    pub template: MailTemplate,
    /// What the template needs.
    pub data: Value,
    /// How often it was tried before.
    pub attempts: u32,
    /// Since when it is due, in microseconds since the Unix epoch; whoever claims it changes this.
    pub due_us: i64,
    /// When it was written, in microseconds since the Unix epoch.
    pub created_us: i64,
}

impl std::fmt::Debug for OutgoingMail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OutgoingMail").field("id", &self.id).field("template", &self.template).finish_non_exhaustive()
    }
}

impl OutgoingMail {
    /// When the link in it ends, in microseconds since the Unix epoch; `None` if nothing in it ends.
    fn ends_us(&self) -> Option<i64> {
        let minutes = self.data.get("minutes").and_then(Value::as_i64).filter(|_| self.template.holds_secret())?;
        Some(self.created_us.saturating_add(minutes.saturating_mul(US_PER_MINUTE)))
    }

    /// What it says is worth nothing any more at `now_us`, in microseconds since the Unix epoch: its link has ended.
    pub fn is_over(&self, now_us: i64) -> bool {
        self.ends_us().is_some_and(|ends_us| ends_us <= now_us)
    }
}

/// Why an attempt failed.
#[derive(Debug, Clone, Copy)]
pub struct MailFault<'a> {
    /// In words, without addresses.
    pub text: &'a str,
    /// The next attempt would fare the same: the mail is given up.
    pub is_permanent: bool,
}

impl Services {
    /// Adds to `unit` that a mail is to be sent as soon as possible.
    pub(super) fn enqueue_mail(&self, unit: &mut UnitOfWork, new: NewMail<'_>, now_us: i64) -> MailId {
        let id = MailId::new(&*self.ids, now_us);
        let (object_kind, object_id) = new.about;
        let row = entity::mail::Model {
            id: id.uuid(),
            recipient: new.to.to_owned(),
            template: new.template.as_str().to_owned(),
            data: new.data.to_string(),
            state: MailState::Queued.as_str().to_owned(),
            attempts: 0,
            next_us: now_us,
            last_error: None,
            created_us: now_us,
            sent_us: None,
            object_kind: Some(object_kind.to_owned()),
            object_id: Some(object_id),
            key: new.key,
            claimed_us: None,
        };
        unit.one(self.db.backend(), &entity::mail::Entity::insert(row.into_active_model()));
        id
    }

    /// The mails that are due at `now_us`, the oldest first, at most [`MAIL_BATCH_MAX`]. Those of a newer program, whose
    /// templates are not known here, are left to it.
    ///
    /// # Errors
    /// The database cannot be read, or holds a mail that makes no sense.
    pub async fn list_due_mail(&self, now_us: i64) -> Result<Vec<OutgoingMail>, StoreError> {
        // Served by `mail_due`.
        let rows = entity::mail::Entity::find()
            .filter(entity::mail::Column::State.eq(MailState::Queued.as_str()))
            .filter(entity::mail::Column::NextUs.lte(now_us))
            .filter(entity::mail::Column::Template.is_in(MailTemplate::ALL.map(|(_, word)| word)))
            .order_by_asc(entity::mail::Column::NextUs)
            .limit(MAIL_BATCH_MAX)
            .all(self.db.readers())
            .await?;
        rows.into_iter().map(outgoing).collect()
    }

    /// Takes `mail`, as it was listed, for [`MAIL_CLAIM_US`] from now on. Says whether this caller has it: `false` if
    /// another one was first, or it is not to be sent any more. Only what was claimed may be sent.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn claim_mail(&self, mail: &OutgoingMail) -> Result<bool, StoreError> {
        // Never the same moment as before, or the next one who listed it could claim it, too.
        let until_us = self.clock.now_us().max(mail.due_us).saturating_add(MAIL_CLAIM_US);
        let change =
            entity::mail::ActiveModel { next_us: Set(until_us), claimed_us: Set(Some(until_us)), ..Default::default() };
        self.change_queued_mail(mail.id, change, Some(mail.due_us)).await
    }

    /// Notes that a mail was handed over. If it holds a secret, its data is wiped.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn mark_mail_sent(&self, mail: &OutgoingMail, now_us: i64) -> Result<(), StoreError> {
        let change = entity::mail::ActiveModel {
            state: Set(MailState::Sent.as_str().to_owned()),
            attempts: Set(stored(mail.attempts.saturating_add(1))),
            sent_us: Set(Some(now_us)),
            last_error: Set(None),
            claimed_us: Set(None),
            ..wiped(mail.template)
        };
        self.change_queued_mail(mail.id, change, None).await.map(drop)
    }

    /// Notes that an attempt failed, and when to try again. What was refused for good, was tried [`MAIL_ATTEMPTS_MAX`] times,
    /// or would come with a link that has ended, is given up; if it holds a secret, its data is wiped. Says whether it was
    /// given up.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn mark_mail_failed(
        &self,
        mail: &OutgoingMail,
        fault: MailFault<'_>,
        now_us: i64,
    ) -> Result<bool, StoreError> {
        let attempts = mail.attempts.saturating_add(1);
        let mut random = [0; 2];
        (self.random)(&mut random);
        let next_us = now_us.saturating_add(pause_us(mail.attempts, u16::from_be_bytes(random)));
        let is_given_up = fault.is_permanent || attempts >= MAIL_ATTEMPTS_MAX || mail.is_over(next_us);
        let noted = entity::mail::ActiveModel {
            attempts: Set(stored(attempts)),
            next_us: Set(next_us),
            last_error: Set(Some(fault.text.chars().take(ERROR_CHARS_MAX).collect())),
            claimed_us: Set(None),
            ..Default::default()
        };
        let change = if is_given_up {
            let state = Set(MailState::Failed.as_str().to_owned());
            entity::mail::ActiveModel { state, data: wiped(mail.template).data, ..noted }
        } else {
            noted
        };
        self.change_queued_mail(mail.id, change, None).await?;
        Ok(is_given_up)
    }

    /// Changes a mail that is still to be sent; with `due_us` only if it is due since then. Says whether it was.
    async fn change_queued_mail(
        &self,
        id: MailId,
        change: entity::mail::ActiveModel,
        due_us: Option<i64>,
    ) -> Result<bool, StoreError> {
        let mut unit = UnitOfWork::new();
        let update = entity::mail::Entity::update_many()
            .set(change)
            .filter(entity::mail::Column::Id.eq(id.uuid()))
            .filter(entity::mail::Column::State.eq(MailState::Queued.as_str()));
        match due_us {
            Some(due_us) => unit.one(self.db.backend(), &update.filter(entity::mail::Column::NextUs.eq(due_us))),
            None => unit.any(self.db.backend(), &update),
        };
        match self.ledger.save(unit.unaudited("a mail follows from a change that is audited")).await {
            Ok(_) => Ok(true),
            Err(NotSaved::Conflict { .. }) if due_us.is_some() => Ok(false),
            Err(not_saved) => Err(unexpected("mail", not_saved)),
        }
    }
}

/// What becomes of a mail's data when it is not to be sent any more: only secrets go.
fn wiped(template: MailTemplate) -> entity::mail::ActiveModel {
    let mut change = entity::mail::ActiveModel::default();
    if template.holds_secret() {
        change.data = Set(NO_DATA.to_owned());
    }
    change
}

fn stored(attempts: u32) -> i32 {
    i32::try_from(attempts).unwrap_or(i32::MAX)
}

/// How long to wait after `attempts` earlier failures and one more, at most.
fn backoff_us(attempts: u32) -> i64 {
    let factor = 1_i64.checked_shl(attempts.min(30)).unwrap_or(i64::MAX);
    BACKOFF_FIRST_US.saturating_mul(factor).min(BACKOFF_US_MAX)
}

/// How long to wait after `attempts` earlier failures and one more; `chance` makes it a part shorter.
pub(super) fn pause_us(attempts: u32, chance: u16) -> i64 {
    jittered(backoff_us(attempts), chance)
}

/// A pause that is shorter by a chance part of its [`JITTER_PARTS`]th.
fn jittered(pause_us: i64, chance: u16) -> i64 {
    let most = pause_us.checked_div(JITTER_PARTS).unwrap_or(0);
    let part = most.saturating_mul(i64::from(chance)).checked_div(i64::from(u16::MAX)).unwrap_or(0);
    pause_us.saturating_sub(part)
}

fn outgoing(row: entity::mail::Model) -> Result<OutgoingMail, StoreError> {
    let broken = || StoreError::Inconsistent { table: "mail", what: MailId::from(row.id).to_string() };
    Ok(OutgoingMail {
        id: MailId::from(row.id),
        template: MailTemplate::from_word(&row.template).ok_or_else(broken)?,
        data: serde_json::from_str(&row.data).map_err(|_not_json| broken())?,
        attempts: u32::try_from(row.attempts).unwrap_or(0),
        due_us: row.next_us,
        created_us: row.created_us,
        recipient: row.recipient,
    })
}

/// A unit that can only fail because the writer could not, or because the data makes no sense.
pub(super) fn unexpected(table: &'static str, not_saved: NotSaved) -> StoreError {
    match not_saved {
        NotSaved::Writer(error) => error.into(),
        NotSaved::Conflict { .. } | NotSaved::Refused(_) => {
            StoreError::Inconsistent { table, what: not_saved.to_string() }
        }
    }
}

#[cfg(test)]
mod tests;
