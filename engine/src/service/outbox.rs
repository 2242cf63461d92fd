//! The outbox: mails are written in the transaction of the change that causes them, and sent later. Several servers look
//! at one outbox, so a mail is claimed before it is sent. It may be sent twice after a crash, never lost.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};
use serde_json::Value;

use super::Services;
use crate::{
    id::MailId,
    store::{NotSaved, StoreError, UnitOfWork, entity},
};

/// How often a mail is tried before it is given up.
pub const MAIL_ATTEMPTS_MAX: u32 = 8;
/// How many mails one round of sending takes.
pub const MAIL_BATCH_MAX: u64 = 20;
/// Longest reason of a failed attempt that is kept, in characters.
const ERROR_CHARS_MAX: usize = 200;
/// The wait after the first failed attempt; it doubles with every further one.
const BACKOFF_FIRST_US: i64 = 30_000_000;
/// The longest wait between two attempts.
const BACKOFF_US_MAX: i64 = 3_600_000_000;

/// For how long a claimed mail is its server's alone, in microseconds: longer than sending one may take. If that server
/// dies over it, another one takes it when this is over.
pub const MAIL_CLAIM_US: i64 = 60_000_000;

const QUEUED: &str = "queued";
const SENT: &str = "sent";
const FAILED: &str = "failed";
/// What is left of a mail's data when nobody needs it any more: links are secrets.
const NO_DATA: &str = "{}";

/// What a mail says. The words are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailTemplate {
    /// Asks to confirm an address. Data: `secret` of the link, `minutes` that it is good for.
    Verification,
    /// A purchase was confirmed. Data: `purchase_id`, `credits` and `usd` as decimal texts.
    Receipt,
    /// A checkpoint, for an auditor to keep. Data: `number`, `made_us`, `hash` as hexadecimal digits, `checkpoint` as JSON.
    Checkpoint,
}

impl MailTemplate {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Verification, "verification"), (Self::Receipt, "receipt"), (Self::Checkpoint, "checkpoint")];

    /// The word that the database stores.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(template, _)| *template == self).map_or("", |(_, word)| *word)
    }

    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, stored)| *stored == word).map(|(template, _)| *template)
    }
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

impl Services {
    /// Adds to `unit` that a mail is to be sent as soon as possible.
    pub(super) fn enqueue_mail(
        &self,
        unit: &mut UnitOfWork,
        recipient: &str,
        template: MailTemplate,
        data: &Value,
        now_us: i64,
    ) {
        let row = entity::mail::Model {
            id: MailId::new(&*self.ids, now_us).uuid(),
            recipient: recipient.to_owned(),
            template: template.as_str().to_owned(),
            data: data.to_string(),
            state: QUEUED.to_owned(),
            attempts: 0,
            next_us: now_us,
            last_error: None,
            created_us: now_us,
            sent_us: None,
        };
        unit.one(self.db.backend(), &entity::mail::Entity::insert(row.into_active_model()));
    }

    /// The mails that are due at `now_us`, the oldest first, at most [`MAIL_BATCH_MAX`].
    ///
    /// # Errors
    /// The database cannot be read, or holds a mail that makes no sense.
    pub async fn list_due_mail(&self, now_us: i64) -> Result<Vec<OutgoingMail>, StoreError> {
        let rows = entity::mail::Entity::find()
            .filter(entity::mail::Column::State.eq(QUEUED))
            .filter(entity::mail::Column::NextUs.lte(now_us))
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
        let change = entity::mail::ActiveModel { next_us: Set(until_us), ..Default::default() };
        self.change_queued_mail(mail.id, change, Some(mail.due_us)).await
    }

    /// Notes that a mail was handed over. Its data is wiped.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn mark_mail_sent(&self, id: MailId, now_us: i64) -> Result<(), StoreError> {
        let change = entity::mail::ActiveModel {
            state: Set(SENT.to_owned()),
            data: Set(NO_DATA.to_owned()),
            sent_us: Set(Some(now_us)),
            last_error: Set(None),
            ..Default::default()
        };
        self.change_queued_mail(id, change, None).await.map(drop)
    }

    /// Notes that an attempt failed with `error` (without addresses), and when to try again; after
    /// [`MAIL_ATTEMPTS_MAX`] attempts the mail is given up and its data is wiped. Says whether it was given up.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn mark_mail_failed(&self, mail: &OutgoingMail, error: &str, now_us: i64) -> Result<bool, StoreError> {
        let attempts = mail.attempts.saturating_add(1);
        let is_given_up = attempts >= MAIL_ATTEMPTS_MAX;
        let mut change = entity::mail::ActiveModel {
            attempts: Set(i32::try_from(attempts).unwrap_or(i32::MAX)),
            next_us: Set(now_us.saturating_add(backoff_us(mail.attempts))),
            last_error: Set(Some(error.chars().take(ERROR_CHARS_MAX).collect())),
            ..Default::default()
        };
        if is_given_up {
            change.state = Set(FAILED.to_owned());
            change.data = Set(NO_DATA.to_owned());
        }
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
            .filter(entity::mail::Column::State.eq(QUEUED));
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

/// How long to wait after `attempts` earlier failures and one more.
fn backoff_us(attempts: u32) -> i64 {
    let factor = 1_i64.checked_shl(attempts.min(30)).unwrap_or(i64::MAX);
    BACKOFF_FIRST_US.saturating_mul(factor).min(BACKOFF_US_MAX)
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
