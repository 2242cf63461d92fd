//! The group-commit writer: callers put requests into a bounded queue; one thread drains whatever has come in, decides
//! it as one batch, commits it as one transaction, and only then answers. No timer, no minimum batch: while one commit
//! is on its way to the disk the next batch gathers by itself.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::{mpsc, oneshot};

use super::{
    StoreError,
    presence::{AWAY, Presence},
    unit::{AuditedUnit, NotSaved, UnitOfWork},
};
use crate::{
    clock::{Clock, SharedClock},
    id::{EntryId, IdSource},
    invocation::CallRecord,
    ledger::{
        Collect, LedgerAccountId, Payout, PlaceHold, Post, Refund, Refusal, Revert, Secure, Settle,
        batch::{Begin, Begun, Done, Ended, Finish},
        grants::GiveGrant,
        periods::PeriodClose,
    },
};

mod answers;
mod busy;
mod postgres;
mod sqlite;
mod undo;

pub use busy::BusyTime;
pub use postgres::settings_of as settings_of_postgres;
pub use sqlite::{WriterSettings, settings_of};

/// How many requests may wait; more are refused at once.
pub const QUEUE_MAX: usize = 16_384;
/// How many requests one transaction takes in. `ledger.md` 6.1 gives 2,048 for SQLite.
pub const BATCH_MAX: usize = 2_048;
/// How many records of free calls are handed to the writer together: waking its thread for each of them costs more than
/// writing it. What is left goes with the next tick.
const RECORDS_TOGETHER: usize = 64;
/// How many records of free calls may wait for company before they are written by themselves.
pub const RECORDS_MAX: usize = 1_024;
/// How many records of free calls are kept while the database takes none.
pub const RECORDS_KEPT_MAX: usize = 16 * RECORDS_MAX;

/// Why the writer gave no answer to a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriterError {
    /// The queue is full. Nothing happened.
    #[error("too many requests wait for the ledger")]
    Overloaded,
    /// The database did not take the batch. Nothing of it happened.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// Another process has taken over as the writer. Nothing happened.
    #[error("another process has become the writer of this database")]
    Fenced,
    /// The writer has stopped.
    #[error("the ledger's writer has stopped")]
    Stopped,
}

impl WriterError {
    /// Nothing was tried, because the database is known to be away. That has been said once.
    pub fn is_away(&self) -> bool {
        matches!(self, Self::Unavailable(why) if why == AWAY)
    }
}

type Reply<T> = oneshot::Sender<Result<T, WriterError>>;

/// A plain ledger command.
#[derive(Debug, Clone)]
pub enum Command {
    /// Move money at once.
    Post(Post),
    /// Reserve money.
    Hold(PlaceHold),
    /// End a hold.
    Settle(Settle),
    /// Give back a part of a charge.
    Refund(Refund),
    /// Take a whole transaction back.
    Revert(Revert),
    /// Collect an amount from several accounts.
    Collect(Collect),
    /// Reserve what a wallet has.
    Secure(Secure),
    /// Pay out what was earned.
    Payout(Payout),
    /// Give credits that expire: in a unit that opens their account.
    Give(GiveGrant),
    /// Close a period: in a unit with its trial balance.
    Close(PeriodClose),
}

impl Command {
    /// Whether it looks at more than its own accounts, and so gets a transaction of its own instead of a place in a
    /// batch: what was taken back before, what an account has in all slots.
    pub(super) const fn is_movement(&self) -> bool {
        match self {
            Self::Post(_) | Self::Hold(_) | Self::Settle(_) => false,
            Self::Refund(_)
            | Self::Revert(_)
            | Self::Collect(_)
            | Self::Secure(_)
            | Self::Payout(_)
            | Self::Give(_)
            | Self::Close(_) => true,
        }
    }

    /// Of a movement: its identifier, the transaction that it takes back, and the accounts that it names itself.
    pub(super) fn looks_at(&self) -> (EntryId, Option<EntryId>, BTreeSet<LedgerAccountId>) {
        match self {
            Self::Post(post) => (post.id, None, BTreeSet::new()),
            Self::Hold(hold) => (hold.id, None, BTreeSet::new()),
            Self::Settle(settle) => (settle.id, None, BTreeSet::new()),
            Self::Refund(refund) => (refund.id, Some(refund.of), BTreeSet::new()),
            Self::Revert(revert) => (revert.id, Some(revert.of), BTreeSet::new()),
            Self::Collect(collect) => {
                (collect.id, collect.reverses, collect.sources.iter().copied().chain([collect.to]).collect())
            }
            Self::Secure(secure) => (secure.id, None, [secure.wallet, secure.payee].into()),
            Self::Payout(payout) => (payout.id, None, [payout.from, payout.from.receivable(), payout.to].into()),
            Self::Give(give) => (give.post.id, None, [give.wallet, give.account].into()),
            Self::Close(close) => (close.id, None, BTreeSet::new()),
        }
    }
}

#[derive(Debug)]
enum Job {
    Begin(Box<Begin>, Reply<Begun>),
    Finish(Box<Finish>, Reply<Result<Ended, Refusal>>),
    Command(Box<Command>, Reply<Result<Done, Refusal>>),
    Unit(Box<AuditedUnit>, oneshot::Sender<Result<Vec<Done>, NotSaved>>),
    Records(Vec<Arc<CallRecord>>),
    Tick(Reply<()>),
    Settings(Reply<WriterSettings>),
}

/// What the writer has done since it started; for metrics and benches.
#[derive(Debug, Default)]
pub struct WriterCounters {
    /// Committed transactions.
    pub batches: AtomicU64,
    /// Requests in them.
    pub requests: AtomicU64,
    /// Transactions that failed.
    pub failures: AtomicU64,
    /// How often all that is open was read.
    pub reloads: AtomicU64,
    /// How long it was at work, and took nothing else up.
    pub busy: BusyTime,
}

/// The way to the ledger. Cheap to clone; the writer stops when the last clone is gone.
#[derive(Debug, Clone)]
pub struct Ledger {
    queue: mpsc::Sender<Job>,
    records: Arc<Records>,
    counters: Arc<WriterCounters>,
    epoch: i64,
    presence: Presence,
}

/// Records of free calls that the writer has not been given yet.
#[derive(Debug)]
struct Records {
    waiting: Mutex<Vec<Arc<CallRecord>>>,
    queue: mpsc::Sender<Job>,
}

impl Records {
    /// Takes one in; returns all that wait once they are enough to be handed over.
    fn add(&self, record: Arc<CallRecord>) -> Option<Vec<Arc<CallRecord>>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push(record);
        (waiting.len() >= RECORDS_TOGETHER)
            .then(|| std::mem::replace(&mut *waiting, Vec::with_capacity(RECORDS_TOGETHER)))
    }

    fn take(&self) -> Vec<Arc<CallRecord>> {
        std::mem::take(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The last handle is gone: what waits is the writer's last work.
impl Drop for Records {
    fn drop(&mut self) {
        let records = self.take();
        if !records.is_empty() && self.queue.try_send(Job::Records(records)).is_err() {
            tracing::error!("the writer cannot take the last records of free calls");
        }
    }
}

/// What the writer needs from outside.
#[derive(Clone)]
pub struct WriterOptions {
    /// The ledger's clock.
    pub clock: Arc<dyn Clock>,
    /// Names the batches.
    pub ids: Arc<dyn IdSource>,
}

impl std::fmt::Debug for WriterOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WriterOptions")
    }
}

impl Ledger {
    /// Takes the writer's slot of the SQLite file at `path` and starts the writer's thread.
    ///
    /// # Errors
    /// Another process is the writer, the file cannot be opened, or its last batch does not carry its own hash.
    pub fn start(
        path: &std::path::Path,
        options: WriterOptions,
    ) -> Result<(Self, std::thread::JoinHandle<()>), StoreError> {
        Self::start_locked(path, super::lock::WriterLock::take(path)?, options)
    }

    /// As [`Self::start`], with the writer's slot taken before: whoever brings the schema up to date holds it already.
    ///
    /// # Errors
    /// As for [`Self::start`].
    pub fn start_locked(
        path: &std::path::Path,
        lock: super::lock::WriterLock,
        options: WriterOptions,
    ) -> Result<(Self, std::thread::JoinHandle<()>), StoreError> {
        let (queue, jobs) = mpsc::channel(QUEUE_MAX);
        let counters = Arc::new(WriterCounters::default());
        let (epoch, handle) = sqlite::start(path, lock, options, Arc::clone(&counters), jobs)?;
        Ok((Self::over(queue, counters, epoch), handle))
    }

    /// Takes a writer's slot of the PostgreSQL database at `url` and starts the writer's thread, which keeps `shared` at
    /// the database's time.
    ///
    /// # Errors
    /// The database cannot be reached, would not be durable, or has no free slot.
    pub fn start_postgres(
        url: &str,
        options: WriterOptions,
        shared: Option<Arc<SharedClock>>,
    ) -> Result<(Self, std::thread::JoinHandle<()>), StoreError> {
        let (queue, jobs) = mpsc::channel(QUEUE_MAX);
        let counters = Arc::new(WriterCounters::default());
        let (epoch, handle) = postgres::start(url, options, shared, Arc::clone(&counters), jobs)?;
        Ok((Self::over(queue, counters, epoch), handle))
    }

    /// A ledger without a writer, for what only reads: everything else is answered with [`WriterError::Stopped`].
    pub fn without_writer() -> Self {
        let (queue, _nobody) = mpsc::channel(1);
        Self::over(queue, Arc::default(), 0)
    }

    fn over(queue: mpsc::Sender<Job>, counters: Arc<WriterCounters>, epoch: i64) -> Self {
        let records = Arc::new(Records { waiting: Mutex::default(), queue: queue.clone() });
        Self { queue, records, counters, epoch, presence: Presence::default() }
    }

    /// The writer's term.
    pub const fn epoch(&self) -> i64 {
        self.epoch
    }

    /// Whether the database is there. Where somebody says that it is away, what could wait for it is refused at once.
    pub const fn presence(&self) -> &Presence {
        &self.presence
    }

    /// What the writer has done.
    pub fn counters(&self) -> &WriterCounters {
        &self.counters
    }

    /// How many requests wait.
    pub fn queue_length(&self) -> usize {
        self.queue.max_capacity().saturating_sub(self.queue.capacity())
    }

    /// Begins a call. Durable when it returns.
    pub async fn begin(&self, begin: Begin) -> Result<Begun, WriterError> {
        self.ask(|reply| Job::Begin(Box::new(begin), reply)).await
    }

    /// Ends a call. Durable when it returns. Waits for a place in the queue: money that was held must be settled.
    pub async fn finish(&self, finish: Finish) -> Result<Result<Ended, Refusal>, WriterError> {
        let (reply, answer) = oneshot::channel();
        self.queue.send(Job::Finish(Box::new(finish), reply)).await.map_err(|_closed| WriterError::Stopped)?;
        answer.await.map_err(|_closed| WriterError::Stopped)?
    }

    /// Carries out a plain command. Durable when it returns.
    pub async fn command(&self, command: Command) -> Result<Result<Done, Refusal>, WriterError> {
        if command.is_movement() {
            let mut unit = UnitOfWork::new();
            unit.command(command);
            return match self.save(unit.unaudited("a plain command of nobody's")).await {
                Ok(done) => done.into_iter().next().map(Ok).ok_or(WriterError::Stopped),
                Err(NotSaved::Refused(refusal)) => Ok(Err(refusal)),
                Err(NotSaved::Writer(error)) => Err(error),
                Err(conflict @ NotSaved::Conflict { .. }) => Err(WriterError::Unavailable(conflict.to_string())),
            };
        }
        self.ask(|reply| Job::Command(Box::new(command), reply)).await
    }

    /// Writes a unit of work and its rows of the audit trail. Durable when it returns.
    pub async fn save(&self, unit: AuditedUnit) -> Result<Vec<Done>, NotSaved> {
        self.expect_presence()?;
        let (reply, answer) = oneshot::channel();
        self.queue.try_send(Job::Unit(Box::new(unit), reply)).map_err(|error| refused(&error))?;
        answer.await.map_err(|_closed| WriterError::Stopped)?
    }

    /// Records a call that moved no money and holds no key, behind its answer. Waits only when the queue is full.
    pub async fn record(&self, call: Arc<CallRecord>) -> Result<(), WriterError> {
        match self.records.add(call) {
            Some(records) => self.hand_over(records).await,
            None if self.queue.is_closed() => Err(WriterError::Stopped),
            None => Ok(()),
        }
    }

    async fn hand_over(&self, records: Vec<Arc<CallRecord>>) -> Result<(), WriterError> {
        self.queue.send(Job::Records(records)).await.map_err(|_closed| WriterError::Stopped)
    }

    /// Lets the writer do what is due without anybody asking: expired holds, calls of dead servers, waiting records, rows of
    /// counters that are late.
    pub async fn tick(&self) -> Result<(), WriterError> {
        let records = self.records.take();
        if !records.is_empty() {
            self.hand_over(records).await?;
        }
        self.ask(Job::Tick).await
    }

    /// How the writer's own connection writes, as the database says it now.
    pub async fn settings(&self) -> Result<WriterSettings, WriterError> {
        self.ask(Job::Settings).await
    }

    fn expect_presence(&self) -> Result<(), WriterError> {
        if self.presence.is_away() {
            return Err(WriterError::Unavailable(AWAY.to_owned()));
        }
        Ok(())
    }

    async fn ask<T>(&self, job: impl FnOnce(Reply<T>) -> Job) -> Result<T, WriterError> {
        self.expect_presence()?;
        let (reply, answer) = oneshot::channel();
        self.queue.try_send(job(reply)).map_err(|error| refused(&error))?;
        answer.await.map_err(|_closed| WriterError::Stopped)?
    }
}

fn refused(error: &mpsc::error::TrySendError<Job>) -> WriterError {
    match error {
        mpsc::error::TrySendError::Full(_) => WriterError::Overloaded,
        mpsc::error::TrySendError::Closed(_) => WriterError::Stopped,
    }
}

/// Adds to a counter that only this thread writes.
fn count(counter: &AtomicU64, more: usize) {
    counter.fetch_add(u64::try_from(more).unwrap_or(u64::MAX), Ordering::Relaxed);
}
