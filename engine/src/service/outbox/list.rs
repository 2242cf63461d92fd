//! The outbox as operators see it: no address in full, no secret at all.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::{MailState, MailTemplate, OutgoingMail, outgoing};
use crate::{
    id::{MailId, first_at},
    service::{
        Services,
        paging::{Listed, PAGE_READ},
    },
    store::{StoreError, entity, overview::COUNTED_MAX},
};

/// What stands in the place of a secret.
const MASK: &str = "••••••••";

/// The bounds of ages in the queue, in seconds: younger than the first, between two, older than the last.
pub const MAIL_AGES_S: [i64; 5] = [60, 600, 3_600, 21_600, 86_400];

/// Which mails are wanted. What is empty or `None` does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MailFilter {
    /// In this state.
    pub state: Option<MailState>,
    /// Saying this.
    pub template: Option<MailTemplate>,
    /// To exactly this address.
    pub recipient: String,
    /// Written before this moment, in microseconds since the Unix epoch.
    pub before_us: Option<i64>,
}

/// A mail in a list. Times are microseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailRow {
    /// Which.
    pub id: MailId,
    /// To whom: the first letter, and where it goes.
    pub recipient: String,
    /// What it says; the word of a newer program is `None`.
    pub template: Option<MailTemplate>,
    /// Where it stands.
    pub state: MailState,
    /// How often it was tried.
    pub attempts: i32,
    /// Of a mail in the queue: when it is tried next.
    pub next_us: i64,
    /// Until when a server that is sending it has it for itself.
    pub claimed_us: Option<i64>,
    /// What went wrong the last time.
    pub last_error: Option<String>,
    /// When it was written.
    pub created_us: i64,
    /// When it was handed over.
    pub sent_us: Option<i64>,
    /// What it is about: a kind, and which one.
    pub about: Option<(String, String)>,
}

impl MailRow {
    /// A server is sending it at `now_us`, in microseconds since the Unix epoch.
    pub fn is_on_its_way(&self, now_us: i64) -> bool {
        self.state == MailState::Queued && self.claimed_us.is_some_and(|until_us| until_us > now_us)
    }

    /// It can be tried (again) at `now_us`: it waits, or was given up and what it said is still known.
    pub fn can_be_retried(&self, now_us: i64) -> bool {
        let has_text = self.template.is_some_and(|template| !template.holds_secret());
        match self.state {
            MailState::Queued => !self.is_on_its_way(now_us),
            MailState::Failed | MailState::Cancelled => has_text,
            MailState::Sent => false,
        }
    }

    /// It can be given up at `now_us`.
    pub fn can_be_cancelled(&self, now_us: i64) -> bool {
        match self.state {
            MailState::Queued => !self.is_on_its_way(now_us),
            MailState::Failed => true,
            MailState::Sent | MailState::Cancelled => false,
        }
    }
}

/// How long mails have been waiting.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MailAges {
    /// How many of each age, between the bounds of [`MAIL_AGES_S`].
    pub counts: [i64; MAIL_AGES_S.len() + 1],
    /// There are more, younger ones, which were not counted.
    pub is_more: bool,
}

impl Services {
    /// The mails that `filter` wants, the newest first, from behind the one named by `after`.
    ///
    /// # Errors
    /// The database cannot be read, or holds a mail that makes no sense.
    pub async fn list_mail(&self, filter: &MailFilter, after: Option<Uuid>) -> Result<Listed<MailRow>, StoreError> {
        use entity::mail::Column;
        // Along the primary key, or the index of what is asked for, which goes on with the primary key: `mail_state`,
        // `mail_template`, `mail_state_template`. Of one address (`mail_recipient`) there are few.
        let mut query = entity::mail::Entity::find().order_by_desc(Column::Id).limit(PAGE_READ);
        let has_receiver = !filter.recipient.is_empty();
        if has_receiver {
            query = query.filter(Column::Recipient.eq(filter.recipient.as_str()));
        }
        // No index is taken for `LIKE`: there are many mails of a state or a template, and few to one address.
        let is = |column: Column, word: &str| if has_receiver { column.like(word) } else { column.eq(word) };
        if let Some(state) = filter.state {
            query = query.filter(is(Column::State, state.as_str()));
        }
        if let Some(template) = filter.template {
            query = query.filter(is(Column::Template, template.as_str()));
        }
        let before = filter.before_us.map(first_at);
        if let Some(place) = [before, after].into_iter().flatten().min() {
            query = query.filter(Column::Id.lt(place));
        }
        let rows = query.all(self.db.readers()).await?;
        let listed = Listed::of(rows, |row| row.id.as_simple().to_string());
        let next = listed.next;
        Ok(Listed { rows: listed.rows.into_iter().map(read).collect::<Result<_, _>>()?, next })
    }

    /// A mail by its identifier.
    ///
    /// # Errors
    /// As for [`Self::list_mail`].
    pub async fn find_mail(&self, id: MailId) -> Result<Option<MailRow>, StoreError> {
        self.find_mail_row(id).await?.map(read).transpose()
    }

    pub(super) async fn find_mail_row(&self, id: MailId) -> Result<Option<entity::mail::Model>, StoreError> {
        Ok(entity::mail::Entity::find_by_id(id.uuid()).one(self.db.readers()).await?)
    }

    /// A mail as far as others than its receiver may read it: no address, and a mask in the place of a secret. `None` if
    /// there is none, it is of a newer program, or what it said is gone.
    ///
    /// # Errors
    /// As for [`Self::list_mail`].
    pub async fn find_readable_mail(&self, id: MailId) -> Result<Option<OutgoingMail>, StoreError> {
        let Some(row) = self.find_mail_row(id).await? else { return Ok(None) };
        if MailTemplate::from_word(&row.template).is_none() {
            return Ok(None);
        }
        let mut mail = outgoing(row)?;
        mail.recipient = masked(&mail.recipient);
        if mail.template.holds_secret() {
            match mail.data.get_mut("secret") {
                Some(secret) => *secret = MASK.into(),
                None => return Ok(None),
            }
        }
        self.complete_mail(mail).await.map(Some)
    }

    /// How long the mails of the queue have been waiting at `now_us` (microseconds since the Unix epoch); the oldest ten
    /// thousand are counted.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn load_mail_ages(&self, now_us: i64) -> Result<MailAges, StoreError> {
        // Along `mail_state`, a bounded number of rows.
        let written: Vec<i64> = entity::mail::Entity::find()
            .select_only()
            .column(entity::mail::Column::CreatedUs)
            .filter(entity::mail::Column::State.eq(MailState::Queued.as_str()))
            .order_by_asc(entity::mail::Column::Id)
            .limit(u64::try_from(COUNTED_MAX).unwrap_or(u64::MAX))
            .into_tuple()
            .all(self.db.readers())
            .await?;
        let most = usize::try_from(COUNTED_MAX).unwrap_or(usize::MAX);
        let mut ages = MailAges { is_more: written.len() >= most, ..MailAges::default() };
        for created_us in written.into_iter().take(most.saturating_sub(1)) {
            let age_s = now_us.saturating_sub(created_us).checked_div(1_000_000).unwrap_or(0);
            let place = MAIL_AGES_S.iter().filter(|bound_s| age_s >= **bound_s).count();
            if let Some(count) = ages.counts.get_mut(place) {
                *count = count.saturating_add(1);
            }
        }
        Ok(ages)
    }
}

/// Enough of an address to tell a few apart, and not enough to write to it.
pub(super) fn masked(address: &str) -> String {
    let Some((local, domain)) = address.rsplit_once('@') else { return "…".to_owned() };
    let mut letters = local.chars();
    // Of a single letter nothing would be left to hide.
    let first = letters.next().filter(|_| letters.next().is_some());
    format!("{}…@{domain}", first.map(String::from).unwrap_or_default())
}

fn read(row: entity::mail::Model) -> Result<MailRow, StoreError> {
    let id = MailId::from(row.id);
    let state = MailState::from_word(&row.state);
    Ok(MailRow {
        id,
        recipient: masked(&row.recipient),
        template: MailTemplate::from_word(&row.template),
        state: state.ok_or_else(|| StoreError::Inconsistent { table: "mail", what: id.to_string() })?,
        attempts: row.attempts,
        next_us: row.next_us,
        claimed_us: row.claimed_us,
        last_error: row.last_error,
        created_us: row.created_us,
        sent_us: row.sent_us,
        about: row.object_kind.zip(row.object_id),
    })
}
