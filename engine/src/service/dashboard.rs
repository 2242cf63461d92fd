//! What an operator sees first: what needs somebody, how today compares with the same day a week ago, and how far the proof
//! of the books reaches. Nothing here scans a day of calls: see [`super::counts`] and `store::overview`.

use sea_orm::{EntityTrait, QueryOrder};

use super::{
    Services,
    access::CapOwner,
    counts::{Calls, CallsSince, Takings, bucket_of},
    invocations::Wanted,
    partners::WebhookQueue,
    publishing::ReviewQueue,
};
use crate::{
    credits::Credits,
    id::{AccountId, CapId, EndUserId, OperatorId, PartnerId, TokenId},
    invocation::CallState,
    ledger::{caps::CapWindow, checkpoint::Checkpoint},
    store::{
        StoreError, entity,
        overview::{self, COUNTED_MAX, Counted, NearCap},
    },
};

mod hours;

const HOUR_US: i64 = 3_600_000_000;
const DAY_US: i64 = 86_400_000_000;
const WEEK_US: i64 = 604_800_000_000;
/// How many hours the chart has.
const HOURS: i64 = 24;
/// How many caps that are nearly used up are shown.
pub const NEAR_CAPS_SHOWN: usize = 10;
/// What is read of them: one more says that there are more.
const NEAR_CAPS_READ: i64 = 11;

/// A number of things, counted up to a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AtLeast {
    /// So many.
    pub count: i64,
    /// There are more.
    pub is_more: bool,
}

impl AtLeast {
    pub(super) fn of(counted: Counted) -> Self {
        let most = COUNTED_MAX.saturating_sub(1);
        Self { count: counted.count.min(most), is_more: counted.count > most }
    }
}

/// Requests of one kind that wait for a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// What is to be done: the word of a deed in the console.
    pub kind: String,
    /// How many wait.
    pub count: i64,
    /// How many of them somebody else asked for, so that this operator may decide.
    pub of_others: i64,
    /// When the oldest was asked for, in microseconds since the Unix epoch.
    pub oldest_us: i64,
}

/// Whom a cap limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CapSubject {
    /// An account, with its address.
    Account(AccountId, String),
    /// A token, with its name.
    Token(TokenId, String),
    /// A partner, with its name.
    Partner(PartnerId, String),
    /// An end user, in the partner's own words.
    EndUser(EndUserId, String),
}

/// A cap of which four fifths or more are used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapInUse {
    /// Which.
    pub id: CapId,
    /// Whom it limits; `None` if the record makes no sense.
    pub subject: Option<CapSubject>,
    /// How long it counts; `None` if the record makes no sense.
    pub window: Option<CapWindow>,
    /// The most that may be spent, in micro-credits.
    pub limit: Credits,
    /// What is spent and held, in micro-credits.
    pub used: Credits,
}

impl CapInUse {
    /// How much of it is used, in whole hundredths.
    pub fn percent(&self) -> i64 {
        let hundredths = i128::from(self.used.micros()).saturating_mul(100);
        let percent = hundredths.checked_div(i128::from(self.limit.micros())).unwrap_or(100);
        i64::try_from(percent).unwrap_or(i64::MAX)
    }
}

/// The last signed statement of what the books have come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastCheckpoint {
    /// Its number.
    pub number: i64,
    /// When it was made, in microseconds since the Unix epoch.
    pub made_us: i64,
    /// How many batches have been written since.
    pub batches_since: i64,
}

/// What waits to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MailQueue {
    /// How many mails.
    pub queued: AtLeast,
    /// When the oldest of them was written, in microseconds since the Unix epoch.
    pub oldest_us: Option<i64>,
    /// How many were given up by themselves, and by nobody since.
    pub failed: AtLeast,
}

/// Everything at a glance. Times are microseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dashboard {
    /// When it was asked.
    pub now_us: i64,
    /// When today began, in UTC.
    pub day_us: i64,
    /// The calls of today.
    pub calls: Calls,
    /// Calls that came in until then are in it.
    pub calls_until_us: i64,
    /// What came of calls today.
    pub takings: Takings,
    /// The calls of the same day a week ago until [`Self::before_until_us`].
    pub calls_before: Calls,
    /// What came of calls then.
    pub takings_before: Takings,
    /// A week before these ten minutes began: until when last week is compared with.
    pub before_until_us: i64,
    /// The last twenty-four hours, the earliest first: when each began, and its calls.
    pub hours: Vec<(i64, Calls)>,
    /// How many orders gave back something of a charge in each of these hours: at most so many as are read.
    pub hours_refunds: Vec<i64>,
    /// What the platform kept in each of these hours, less what it gave back then, in micro-credits.
    pub hours_kept: Vec<i64>,
    /// Holds that nobody has settled.
    pub open_holds: AtLeast,
    /// What they reserve.
    pub held: Credits,
    /// Calls of which nobody knows how they ended, and whose hold is still open.
    pub unknown: AtLeast,
    /// What waits for a decision.
    pub waiting: Vec<Waiting>,
    /// Purchases that wait for somebody to say that they were paid.
    pub pending_purchases: AtLeast,
    /// Payments in dispute.
    pub open_chargebacks: AtLeast,
    /// Caps that are nearly used up, at most [`NEAR_CAPS_SHOWN`].
    pub near_caps: Vec<CapInUse>,
    /// There are more of them.
    pub has_more_near_caps: bool,
    /// The last checkpoint; `None` if there is none.
    pub checkpoint: Option<LastCheckpoint>,
    /// How often one is due, in microseconds; `None` where this process makes none.
    pub checkpoint_every_us: Option<i64>,
    /// What waits to be sent.
    pub mail: MailQueue,
    /// What waits to be sent to partners' webhooks.
    pub webhooks: WebhookQueue,
    /// What publishers have handed in.
    pub listings: ReviewQueue,
}

impl Services {
    /// Everything at a glance, for this operator.
    ///
    /// # Errors
    /// The database cannot be read, or holds something that makes no sense.
    pub async fn load_dashboard(&self, operator: OperatorId) -> Result<Dashboard, StoreError> {
        let now_us = self.clock.now_us();
        let day_us = now_us.saturating_sub(now_us.rem_euclid(DAY_US));
        let first_hour_us = first_hour(now_us);
        let (day_before_us, before_until_us) =
            (day_us.saturating_sub(WEEK_US), bucket_of(now_us).saturating_sub(WEEK_US));
        let calls = self.load_calls_since(first_hour_us).await?;
        let readers = self.db.readers();
        let holds = overview::open_holds(readers).await?;
        let waiting = overview::waiting(readers, now_us, operator.uuid()).await?;
        let (near_caps, has_more_near_caps) = self.load_near_caps(now_us).await?;
        Ok(Dashboard {
            now_us,
            day_us,
            calls: calls.between(day_us, i64::MAX),
            calls_until_us: calls.until_us,
            takings: self.load_takings(day_us, i64::MAX).await?,
            calls_before: self.load_counted_calls(day_before_us, before_until_us).await?,
            takings_before: self.load_takings(day_before_us, before_until_us).await?,
            before_until_us,
            hours: hours_of(first_hour_us, &calls),
            hours_refunds: self.load_hours_refunds(first_hour_us).await?,
            hours_kept: self.load_hours_kept(first_hour_us).await?,
            open_holds: AtLeast::of(holds),
            held: Credits::from_micros(holds.value.unwrap_or(0)),
            unknown: AtLeast::of(overview::open_calls_in(readers, CallState::Unknown.raw()).await?),
            waiting: waiting
                .into_iter()
                .map(|row| Waiting {
                    of_others: row.count.saturating_sub(row.own),
                    kind: row.kind,
                    count: row.count,
                    oldest_us: row.oldest_us,
                })
                .collect(),
            pending_purchases: AtLeast::of(overview::pending_purchases(readers).await?),
            open_chargebacks: AtLeast::of(overview::open_chargebacks(readers).await?),
            near_caps,
            has_more_near_caps,
            checkpoint: self.find_checkpoint_facts().await?,
            checkpoint_every_us: self.checkpoint_every_us(),
            mail: self.load_mail_queue().await?,
            webhooks: self.load_webhook_queue().await?,
            listings: self.load_review_queue().await?,
        })
    }

    /// What waits to be sent.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn load_mail_queue(&self) -> Result<MailQueue, StoreError> {
        let queued = overview::queued_mail(self.db.readers()).await?;
        let failed = overview::failed_mail(self.db.readers()).await?;
        Ok(MailQueue { queued: AtLeast::of(queued), oldest_us: queued.value, failed: AtLeast::of(failed) })
    }

    /// How often checkpoints are due here, in microseconds; `None` where this process makes none.
    pub fn checkpoint_every_us(&self) -> Option<i64> {
        self.checkpoints.load().as_ref().map(|setup| setup.rules.every_us)
    }

    /// The last checkpoint, and how much has been written since.
    ///
    /// # Errors
    /// The database cannot be read, or holds a checkpoint that makes no sense.
    pub async fn find_checkpoint_facts(&self) -> Result<Option<LastCheckpoint>, StoreError> {
        let newest = entity::checkpoint::Entity::find().order_by_desc(entity::checkpoint::Column::Number);
        let Some(row) = newest.one(self.db.readers()).await? else { return Ok(None) };
        let broken = || StoreError::Inconsistent { table: "checkpoint", what: row.number.to_string() };
        let checkpoint = Checkpoint::from_bytes(&row.body).ok_or_else(broken)?;
        let heads = overview::slots(self.db.readers()).await?;
        let since = heads.iter().map(|head| {
            let signed = checkpoint.head_of(head.slot).map_or(0, |signed| signed.batch_no);
            head.batch_no.saturating_sub(signed)
        });
        let batches_since = since.fold(0, i64::saturating_add);
        Ok(Some(LastCheckpoint { number: row.number, made_us: checkpoint.made_us, batches_since }))
    }

    async fn load_near_caps(&self, now_us: i64) -> Result<(Vec<CapInUse>, bool), StoreError> {
        let (day_us, month_us) = (CapWindow::Day.bounds(now_us).0, CapWindow::Month.bounds(now_us).0);
        let mut rows = overview::near_caps(self.db.readers(), day_us, month_us, NEAR_CAPS_READ).await?;
        let has_more = rows.len() > NEAR_CAPS_SHOWN;
        rows.truncate(NEAR_CAPS_SHOWN);
        let mut wanted = Wanted::default();
        for row in &rows {
            match CapOwner::from_raw(row.owner_kind) {
                Some(CapOwner::Account) => wanted.accounts.insert(row.owner),
                Some(CapOwner::Token) => wanted.tokens.insert(row.owner),
                Some(CapOwner::Partner) => wanted.partners.insert(row.owner),
                // A partner's cap on each of its users counts for every user apart, under names of their own.
                Some(CapOwner::EndUser) => wanted.end_users.insert(row.owner),
                None => false,
            };
        }
        let names = self.load_names(wanted).await?;
        let cap = |row: &NearCap| {
            let named = |names: &std::collections::HashMap<uuid::Uuid, String>| {
                names.get(&row.owner).cloned().unwrap_or_default()
            };
            let subject = CapOwner::from_raw(row.owner_kind).map(|owner| match owner {
                CapOwner::Account => CapSubject::Account(row.owner.into(), named(&names.accounts)),
                CapOwner::Token => CapSubject::Token(row.owner.into(), named(&names.tokens)),
                CapOwner::Partner => CapSubject::Partner(row.owner.into(), named(&names.partners)),
                CapOwner::EndUser => CapSubject::EndUser(row.owner.into(), named(&names.end_users)),
            });
            CapInUse {
                id: CapId::from(row.id),
                subject,
                window: CapWindow::from_raw(row.window),
                limit: Credits::from_micros(row.limit),
                used: Credits::from_micros(row.used),
            }
        };
        Ok((rows.iter().map(cap).collect(), has_more))
    }
}

/// When the first of the hours of the chart began.
fn first_hour(now_us: i64) -> i64 {
    let this_us = now_us.saturating_sub(now_us.rem_euclid(HOUR_US));
    this_us.saturating_sub(HOUR_US.saturating_mul(HOURS.saturating_sub(1)))
}

fn hours_of(first_us: i64, calls: &CallsSince) -> Vec<(i64, Calls)> {
    let hour = |hour: i64| {
        let from_us = first_us.saturating_add(hour.saturating_mul(HOUR_US));
        (from_us, calls.between(from_us, from_us.saturating_add(HOUR_US)))
    };
    (0..HOURS).map(hour).collect()
}
