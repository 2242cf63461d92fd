//! The writer's loop.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::{books::Books, checkpoint::Checkpointer, counters::Rows, write::forget_expired};
use crate::{
    invocation::CallRecord,
    ledger::{
        batch::{Batch, Done},
        facts::Facts,
        leaf::RefusalEntry,
        plan::{CallWrite, Plan},
    },
    store::{
        lock::WriterLock,
        unit::{AuditedUnit, NotSaved},
        writer::{
            BATCH_MAX, Job, RECORDS_MAX, WriterCounters, WriterError, WriterOptions,
            answers::{
                Decided, answer, decide, decide_unit, fail, is_named, keep, last_refusal, refusal_plan, told_of,
                unavailable,
            },
            count,
            undo::Undo,
        },
    },
};

/// How many holds or calls that nobody settles are settled in one transaction.
const SWEEP_MAX: usize = 2_048;

/// How long the writer looks for more before it goes to sleep. With few callers the settlement of a call comes as soon as its
/// upstream has answered, and being woken takes longer than that: 60 µs take a tenth of a millisecond from a paid call whose
/// upstream is near (`benches/README.md`), and cost as much of one core after a batch at most.
const LOOK: Duration = Duration::from_micros(60);

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
        while receive(&mut jobs, &mut waiting) > 0 {
            self.counters.busy.begin();
            let mut batch = Vec::with_capacity(waiting.len());
            for job in waiting.drain(..) {
                match job {
                    Job::Unit(unit, reply) => {
                        self.run_batch(&mut batch);
                        self.settle_due();
                        self.run_unit(&unit, reply);
                    }
                    Job::Records(records) => keep(&mut self.records, records),
                    Job::Settings(reply) => drop(reply.send(self.books.settings().map_err(unavailable))),
                    other => batch.push(other),
                }
            }
            if !batch.is_empty() || self.records.len() >= RECORDS_MAX {
                self.run_batch(&mut batch);
            }
            self.counters.busy.end();
        }
        self.run_batch(&mut Vec::new());
        self.write_late_counters();
    }

    /// The writer goes, and nobody has to count again what it has counted. What it cannot write stands in the journal.
    fn write_late_counters(&mut self) {
        let written = self.refresh().and_then(|()| {
            if self.books.counters.counted_seq() == self.books.head.seq {
                return Ok(());
            }
            let now_us = self.books.time_after(self.options.clock.now_us());
            self.books.begin().map_err(unavailable)?;
            self.commit(&Plan::default(), now_us, Uuid::nil(), Rows::AtOnce)
        });
        if let Err(error) = written {
            tracing::warn!(%error, "counters of limits were left to be counted again");
            self.books.rollback();
        }
    }

    fn run_batch(&mut self, jobs: &mut Vec<Job>) {
        if jobs.is_empty() && self.records.is_empty() {
            return;
        }
        let requests = jobs.len();
        match self.decide_and_commit(jobs) {
            Ok(decided) => {
                self.records.clear();
                count(&self.counters.batches, 1);
                count(&self.counters.requests, requests);
                failpoint!("after_commit");
                jobs.drain(..).zip(decided).for_each(|(job, decided)| answer(job, decided));
            }
            Err(error) => {
                self.recover_from(&error);
                jobs.drain(..).for_each(|job| fail(job, &error));
            }
        }
    }

    /// Settles what is due without anybody asking, if anything is: a unit may ask for all that a wallet has.
    fn settle_due(&mut self) {
        let now_us = self.books.time_after(self.options.clock.now_us());
        let settled = self.refresh().and_then(|()| {
            let is_due = self.facts.is_anything_due(now_us, self.books.epoch());
            if is_due { self.decide_and_commit(&[]).map(|_nothing| true) } else { Ok(false) }
        });
        match settled {
            Ok(true) => {
                self.records.clear();
                count(&self.counters.batches, 1);
            }
            Ok(false) => {}
            Err(error) => self.recover_from(&error),
        }
    }

    fn decide_and_commit(&mut self, jobs: &[Job]) -> Result<Vec<Decided>, WriterError> {
        self.refresh()?;
        let now_us = self.books.time_after(self.options.clock.now_us());
        self.books.begin().map_err(unavailable)?;
        let is_tick = jobs.iter().any(|job| matches!(job, Job::Tick(_)));
        if is_tick {
            forget_expired(&self.books.connection, now_us).map_err(unavailable)?;
        }
        self.books.load(&mut self.facts, jobs, now_us).map_err(unavailable)?;
        let mut batch = Batch::new(&mut self.facts, now_us, self.books.epoch());
        let swept = batch.recover(SWEEP_MAX).and_then(|_calls| batch.sweep(SWEEP_MAX));
        swept.map_err(|refusal| WriterError::Unavailable(format!("an expired hold cannot be settled: {refusal}")))?;
        let decided = jobs.iter().map(|job| decide(&mut batch, job)).collect();
        let mut plan = batch.into_plan();
        plan.calls.extend(self.records.iter().map(|record| CallWrite::Insert(Arc::clone(record))));
        let name = if is_named(jobs, &plan) { self.options.ids.next_uuid(now_us) } else { Uuid::nil() };
        // So that the rows are never later than a tick, whatever the clock does.
        self.commit(&plan, now_us, name, if is_tick { Rows::AtOnce } else { Rows::InTime })?;
        self.facts.end_batch();
        Ok(decided)
    }

    fn commit(&mut self, plan: &Plan, now_us: i64, name: Uuid, rows: Rows) -> Result<(), WriterError> {
        self.books.write_trail(&told_of(plan), now_us).map_err(unavailable)?;
        if !self.books.write(&self.facts, plan, now_us, name, rows).map_err(unavailable)? {
            return Err(WriterError::Fenced);
        }
        failpoint!("inside_commit");
        self.books.commit().map_err(unavailable)?;
        self.checkpointer.wrote(plan.rows());
        Ok(())
    }

    /// Statements first, so that the ledger's commands see the accounts that they open.
    fn run_unit(&mut self, unit: &AuditedUnit, reply: oneshot::Sender<Result<Vec<Done>, NotSaved>>) {
        let mut refused = None;
        let saved = self.save(unit, &mut refused);
        // Statements may have opened, closed or changed accounts: what was known of them is read again.
        self.facts.forget_accounts();
        match &saved {
            Ok(_) if !unit.unit.is_rehearsal => {
                count(&self.counters.batches, 1);
                count(&self.counters.requests, 1);
                failpoint!("after_unit");
            }
            // Nothing was decided, or it was taken back.
            Ok(_) | Err(NotSaved::Conflict { .. } | NotSaved::Refused(_)) => self.books.rollback(),
            Err(NotSaved::Writer(_)) => {
                self.is_stale = true;
                self.books.rollback();
            }
        }
        if let Some(entry) = refused.filter(|_| !unit.unit.is_rehearsal) {
            self.record_refusal(entry);
        }
        let gone = reply.send(saved);
        drop(gone);
    }

    /// Writes a unit, or only decides about it. A refusal is left in `refused`.
    fn save(
        &mut self,
        AuditedUnit { unit, trail }: &AuditedUnit,
        refused: &mut Option<RefusalEntry>,
    ) -> Result<Vec<Done>, NotSaved> {
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
        let undo = Undo::of_commands(&self.facts, &unit.commands);
        self.books.load_commands(&mut self.facts, &unit.commands).map_err(unavailable)?;
        let mut batch = Batch::new(&mut self.facts, now_us, self.books.epoch());
        let decided = decide_unit(&mut batch, unit);
        let plan = batch.into_plan();
        match decided {
            Ok(done) if !unit.is_rehearsal => {
                self.books.write_trail(trail, now_us).map_err(unavailable)?;
                self.commit(&plan, now_us, self.options.ids.next_uuid(now_us), Rows::InTime)?;
                self.facts.end_batch();
                Ok(done)
            }
            not_written => {
                undo.take_back(&mut self.facts, &plan);
                if not_written.is_ok() {
                    unit.show_rehearsal(&plan);
                }
                not_written.map_err(|refusal| {
                    *refused = last_refusal(plan);
                    NotSaved::Refused(refusal)
                })
            }
        }
    }

    /// The unit was rolled back, and the refusal with it; auditors still want to see it.
    fn record_refusal(&mut self, entry: RefusalEntry) {
        let plan = refusal_plan(entry);
        let now_us = self.books.time_after(self.options.clock.now_us());
        let written = self
            .refresh()
            .and_then(|()| self.books.begin().map_err(unavailable))
            .and_then(|()| self.commit(&plan, now_us, self.options.ids.next_uuid(now_us), Rows::InTime));
        if let Err(error) = written {
            self.recover_from(&error);
        }
    }

    /// After a failure nothing in memory is trusted.
    fn refresh(&mut self) -> Result<(), WriterError> {
        if self.is_stale {
            self.facts = self.books.reload().map_err(unavailable)?;
            self.is_stale = false;
            count(&self.counters.reloads, 1);
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

/// Waits until there is something to do, and takes what has come, as much as one batch may have; nothing once nobody can ask
/// any more. Looks around for a moment before it sleeps, and lets everybody else have the core meanwhile.
fn receive(jobs: &mut mpsc::Receiver<Job>, waiting: &mut Vec<Job>) -> usize {
    let until = Instant::now() + LOOK;
    while jobs.is_empty() && Instant::now() < until {
        thread::yield_now();
    }
    jobs.blocking_recv_many(waiting, BATCH_MAX)
}
