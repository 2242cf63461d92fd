//! The writer's loop.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::{
    BATCH_MAX, Command, Job, RECORDS_MAX, Reply, WriterCounters, WriterError, WriterOptions, checkpoint::Checkpointer,
    count, sqlite::Books, write::forget_expired,
};
use crate::{
    invocation::CallRecord,
    ledger::{
        Refusal,
        batch::{Batch, Begun, Done, Ended},
        facts::Facts,
        leaf::Entry,
        plan::{CallWrite, Plan},
    },
    store::{
        lock::WriterLock,
        unit::{NotSaved, UnitOfWork},
    },
};

/// How many holds or calls that nobody settles are settled in one transaction.
const SWEEP_MAX: usize = 2_048;

/// An answer that waits for the commit.
enum Waiting {
    Begin(Reply<Begun>, Begun),
    Finish(Reply<Result<Ended, Refusal>>, Result<Ended, Refusal>),
    Command(Reply<Result<Done, Refusal>>, Result<Done, Refusal>),
    Tick(Reply<()>),
}

impl Waiting {
    /// A caller that went away does not matter: what it asked for is done.
    fn send(self, failure: Option<&WriterError>) {
        fn answer<T>(reply: Reply<T>, value: T, failure: Option<&WriterError>) {
            let gone = reply.send(failure.map_or(Ok(value), |error| Err(error.clone())));
            drop(gone);
        }
        match self {
            Self::Begin(reply, value) => answer(reply, value, failure),
            Self::Finish(reply, value) => answer(reply, value, failure),
            Self::Command(reply, value) => answer(reply, value, failure),
            Self::Tick(reply) => answer(reply, (), failure),
        }
    }
}

pub(super) struct Writer {
    books: Books,
    checkpointer: Checkpointer,
    options: WriterOptions,
    facts: Facts,
    /// The facts may differ from the database: load them again before the next batch.
    is_stale: bool,
    records: Vec<Arc<CallRecord>>,
    counters: Arc<WriterCounters>,
    _lock: WriterLock,
}

impl Writer {
    pub(super) fn new(
        books: Books,
        checkpointer: Checkpointer,
        options: WriterOptions,
        counters: Arc<WriterCounters>,
        lock: WriterLock,
    ) -> Self {
        let (facts, records) = (Facts::default(), Vec::new());
        Self { books, checkpointer, options, facts, is_stale: true, records, counters, _lock: lock }
    }

    /// Works until the last [`super::Ledger`] is gone.
    pub(super) fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut waiting = Vec::with_capacity(BATCH_MAX);
        while jobs.blocking_recv_many(&mut waiting, BATCH_MAX) > 0 {
            let mut batch = Vec::with_capacity(waiting.len());
            for job in waiting.drain(..) {
                match job {
                    Job::Unit(unit, reply) => {
                        self.run_batch(&mut batch);
                        self.run_unit(&unit, reply);
                    }
                    Job::Record(record) => self.records.push(record),
                    Job::Settings(reply) => drop(reply.send(self.books.settings().map_err(unavailable))),
                    other => batch.push(other),
                }
            }
            if !batch.is_empty() || self.records.len() >= RECORDS_MAX {
                self.run_batch(&mut batch);
            }
        }
        self.run_batch(&mut Vec::new());
    }

    fn run_batch(&mut self, jobs: &mut Vec<Job>) {
        if jobs.is_empty() && self.records.is_empty() {
            return;
        }
        let mut replies = Vec::with_capacity(jobs.len());
        let requests = jobs.len();
        let done = self.decide_and_commit(jobs, &mut replies);
        let failure = done.err();
        match &failure {
            None => {
                self.records.clear();
                count(&self.counters.batches, 1);
                count(&self.counters.requests, requests);
            }
            Some(error) => self.recover_from(error),
        }
        failpoint!("after_commit");
        for reply in replies {
            reply.send(failure.as_ref());
        }
        for job in jobs.drain(..) {
            fail(job, failure.as_ref().unwrap_or(&WriterError::Stopped));
        }
    }

    fn decide_and_commit(&mut self, jobs: &mut Vec<Job>, replies: &mut Vec<Waiting>) -> Result<(), WriterError> {
        self.refresh()?;
        let now_us = self.books.time_after(self.options.clock.now_us());
        self.books.begin().map_err(unavailable)?;
        if jobs.iter().any(|job| matches!(job, Job::Tick(_))) {
            forget_expired(&self.books.connection, now_us).map_err(unavailable)?;
        }
        self.books.load(&mut self.facts, jobs, now_us).map_err(unavailable)?;
        let mut batch = Batch::new(&mut self.facts, now_us, self.books.epoch());
        let swept = batch.recover(SWEEP_MAX).and_then(|_calls| batch.sweep(SWEEP_MAX));
        swept.map_err(|refusal| WriterError::Unavailable(format!("an expired hold cannot be settled: {refusal}")))?;
        for job in jobs.drain(..) {
            replies.extend(decide(&mut batch, job));
        }
        let mut plan = batch.into_plan();
        plan.calls.extend(self.records.iter().map(|record| CallWrite::Insert(Arc::clone(record))));
        self.commit(&plan, now_us)?;
        self.facts.end_batch();
        Ok(())
    }

    fn commit(&mut self, plan: &Plan, now_us: i64) -> Result<(), WriterError> {
        let name = self.options.ids.next_uuid(now_us);
        if !self.books.write(&self.facts, plan, now_us, name).map_err(unavailable)? {
            return Err(WriterError::Fenced);
        }
        failpoint!("inside_commit");
        self.books.commit().map_err(unavailable)?;
        self.checkpointer.wrote(plan.rows());
        Ok(())
    }

    /// Statements first, so that the ledger transactions see the accounts that they open.
    fn run_unit(&mut self, unit: &UnitOfWork, reply: oneshot::Sender<Result<Vec<Done>, NotSaved>>) {
        let saved = self.save(unit);
        // Statements may have opened, closed or changed accounts: what was known of them is read again.
        self.facts.accounts.clear();
        self.facts.wallets.clear();
        if let Err(not_saved) = &saved {
            self.is_stale = true;
            self.books.rollback();
            if let NotSaved::Refused(refusal) = not_saved {
                self.record_refusal(unit, refusal);
            }
        } else {
            count(&self.counters.batches, 1);
            count(&self.counters.requests, 1);
        }
        let gone = reply.send(saved);
        drop(gone);
    }

    fn save(&mut self, unit: &UnitOfWork) -> Result<Vec<Done>, NotSaved> {
        self.refresh()?;
        let now_us = self.books.time_after(self.options.clock.now_us());
        self.books.begin().map_err(unavailable)?;
        for (statement, guarded) in unit.statements.iter().enumerate() {
            let touched = self.books.execute(guarded).map_err(|error| match error {
                rusqlite::Error::SqliteFailure(code, _) if code.code == rusqlite::ErrorCode::ConstraintViolation => {
                    NotSaved::Conflict { statement }
                }
                other => NotSaved::Writer(unavailable(other)),
            })?;
            if guarded.rows.is_some_and(|rows| rows != touched) {
                return Err(NotSaved::Conflict { statement });
            }
        }
        self.books.load_posts(&mut self.facts, &unit.posts).map_err(unavailable)?;
        let mut batch = Batch::new(&mut self.facts, now_us, self.books.epoch());
        let mut done = Vec::with_capacity(unit.posts.len());
        for post in &unit.posts {
            done.push(batch.post(post)?);
        }
        let plan = batch.into_plan();
        self.commit(&plan, now_us)?;
        self.facts.end_batch();
        Ok(done)
    }

    /// The unit was rolled back, and the refusal with it; auditors still want to see it.
    fn record_refusal(&mut self, unit: &UnitOfWork, refusal: &Refusal) {
        let Some(post) = unit.posts.first() else { return };
        let wallet = post.legs.first().map(|leg| leg.debit);
        let needed = post.legs.iter().map(|leg| leg.amount).max().unwrap_or_default();
        let entry = crate::ledger::leaf::RefusalEntry { id: post.id, wallet, reason: refusal.as_str(), needed };
        let plan = Plan { entries: vec![Entry::Refusal(entry)], ..Plan::default() };
        let now_us = self.books.time_after(self.options.clock.now_us());
        let written = self
            .refresh()
            .and_then(|()| self.books.begin().map_err(unavailable))
            .and_then(|()| self.commit(&plan, now_us));
        if let Err(error) = written {
            self.recover_from(&error);
        }
    }

    /// After a failure nothing in memory is trusted.
    fn refresh(&mut self) -> Result<(), WriterError> {
        if self.is_stale {
            self.facts = self.books.reload().map_err(unavailable)?;
            self.is_stale = false;
        }
        Ok(())
    }

    fn recover_from(&mut self, error: &WriterError) {
        tracing::error!(%error, "a batch was not written");
        count(&self.counters.failures, 1);
        self.is_stale = true;
        self.books.rollback();
    }
}

fn unavailable(error: impl std::fmt::Display) -> WriterError {
    WriterError::Unavailable(error.to_string())
}

fn decide(batch: &mut Batch<'_>, job: Job) -> Option<Waiting> {
    match job {
        Job::Begin(begin, reply) => Some(Waiting::Begin(reply, batch.begin(&begin))),
        Job::Finish(finish, reply) => Some(Waiting::Finish(reply, batch.finish(&finish))),
        Job::Command(command, reply) => {
            let done = match *command {
                Command::Post(post) => batch.post(&post),
                Command::Hold(hold) => batch.hold(&hold),
                Command::Settle(settle) => batch.settle(&settle),
            };
            Some(Waiting::Command(reply, done))
        }
        Job::Tick(reply) => Some(Waiting::Tick(reply)),
        Job::Unit(..) | Job::Record(_) | Job::Settings(_) => None,
    }
}

fn fail(job: Job, error: &WriterError) {
    match job {
        Job::Begin(_, reply) => drop(reply.send(Err(error.clone()))),
        Job::Finish(_, reply) => drop(reply.send(Err(error.clone()))),
        Job::Command(_, reply) => drop(reply.send(Err(error.clone()))),
        Job::Tick(reply) => drop(reply.send(Err(error.clone()))),
        Job::Settings(reply) => drop(reply.send(Err(error.clone()))),
        Job::Unit(_, reply) => drop(reply.send(Err(NotSaved::Writer(error.clone())))),
        Job::Record(_) => {}
    }
}
