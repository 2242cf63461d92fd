//! The writer's loop.

use std::sync::Arc;

use sea_orm::{
    sea_query::Value,
    sqlx::{self, postgres::PgArguments},
};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::{
    BATCH_MAX,
    load::{self, Foreign, Wanted},
    pace::{TRIES_MAX, pause},
    session::{Session, Trouble},
    slot,
    write::{Before, Decision, write},
};
use crate::{
    clock::SharedClock,
    invocation::CallRecord,
    ledger::{
        batch::{Batch, Done},
        chain::ChainHead,
        facts::Facts,
        key::KEY_TTL_US,
        plan::{CallWrite, Plan},
    },
    store::{
        StoreError,
        unit::{Guarded, NotSaved, UnitOfWork},
        writer::{
            Job, RECORDS_MAX, WriterCounters, WriterError, WriterOptions,
            answers::{Decided, answer, decide, fail, refusal_plan, unavailable},
            count,
        },
    },
};

/// How many holds or calls that nobody settles are settled in one transaction.
const SWEEP_MAX: usize = 512;

/// How many expired keys one transaction forgets.
const FORGOTTEN_MAX: i64 = 1_024;

/// How often a lost connection is made again for the same batch.
const RECONNECTS_MAX: u32 = 2;

pub(super) struct Writer {
    url: String,
    options: WriterOptions,
    shared: Option<Arc<SharedClock>>,
    counters: Arc<WriterCounters>,
    session: Option<Session>,
    head: ChainHead,
    facts: Facts,
    /// The facts may differ from the database: load them again before the next batch.
    is_stale: bool,
    /// Other writers may have died and left something open: to be looked for in the next batch.
    has_lost: bool,
    records: Vec<Arc<CallRecord>>,
}

impl Writer {
    pub(super) async fn start(
        url: &str,
        options: WriterOptions,
        shared: Option<Arc<SharedClock>>,
        counters: Arc<WriterCounters>,
    ) -> Result<Self, StoreError> {
        let mut session = Session::connect(url).await?;
        if let Some(shared) = &shared {
            shared.follow(session.now_us().await?);
        }
        if session.settings().await?.synchronous != "full" {
            let what = "the server runs with `fsync = off`: a commit would not survive a power cut".to_owned();
            return Err(StoreError::Inconsistent { table: "pg_settings", what });
        }
        let head = slot::take(&mut session).await.map_err(|trouble| store_error(&trouble))?;
        let head = head.ok_or_else(|| StoreError::Inconsistent {
            table: "chain_head",
            what: "every writer's slot is taken; a dead server's is free after three seconds".to_owned(),
        })?;
        let (facts, records) = (Facts::default(), Vec::new());
        let url = url.to_owned();
        Ok(Self {
            url,
            options,
            shared,
            counters,
            session: Some(session),
            head,
            facts,
            is_stale: true,
            has_lost: true,
            records,
        })
    }

    pub(super) const fn epoch(&self) -> i64 {
        self.head.epoch
    }

    /// Works until the last [`crate::store::Ledger`] is gone, then gives the slot back.
    pub(super) async fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut waiting = Vec::with_capacity(BATCH_MAX);
        while jobs.recv_many(&mut waiting, BATCH_MAX).await > 0 {
            let mut batch = Vec::with_capacity(waiting.len());
            for job in waiting.drain(..) {
                match job {
                    Job::Unit(unit, reply) => {
                        self.run_batch(std::mem::take(&mut batch)).await;
                        self.run_unit(&unit, reply).await;
                    }
                    Job::Record(record) => self.records.push(record),
                    Job::Settings(reply) => {
                        let settings = match self.session().await {
                            Ok(session) => session.settings().await.map_err(unavailable),
                            Err(trouble) => Err(writer_error(&trouble)),
                        };
                        drop(reply.send(settings));
                    }
                    other => batch.push(other),
                }
            }
            if !batch.is_empty() || self.records.len() >= RECORDS_MAX {
                self.run_batch(batch).await;
            }
        }
        self.run_batch(Vec::new()).await;
        if let Some(session) = &mut self.session
            && let Err(trouble) = slot::give_back(session, &self.head).await
        {
            tracing::warn!(?trouble, "the writer's slot was not given back; it is free when its lease is over");
        }
    }

    /// Carries `jobs` out as one transaction. After too many lost races they are carried out in two halves, so that one
    /// contested wallet does not stop the others.
    async fn run_batch(&mut self, jobs: Vec<Job>) {
        let mut pending = vec![jobs];
        while let Some(mut jobs) = pending.pop() {
            if jobs.is_empty() && self.records.is_empty() {
                continue;
            }
            match self.try_batch(&jobs).await {
                Ok(decided) => {
                    self.records.clear();
                    count(&self.counters.batches, 1);
                    count(&self.counters.requests, jobs.len());
                    failpoint!("after_commit");
                    jobs.into_iter().zip(decided).for_each(|(job, decided)| answer(job, decided));
                }
                Err(Trouble::Raced(_)) if jobs.len() > 1 => {
                    let half = jobs.split_off(jobs.len().div_ceil(2));
                    pending.extend([half, jobs]);
                }
                Err(trouble) => {
                    let error = writer_error(&trouble);
                    tracing::error!(%error, "a batch was not written");
                    count(&self.counters.failures, 1);
                    for job in jobs {
                        fail(job, &error);
                    }
                }
            }
        }
    }

    async fn try_batch(&mut self, jobs: &[Job]) -> Result<Vec<Decided>, Trouble> {
        let (mut name, mut races, mut reconnects) = (None, 0, 0);
        loop {
            let mut decided = Vec::with_capacity(jobs.len());
            let trouble = match self.attempt(jobs, &mut name, &mut decided).await {
                Ok(()) => return Ok(decided),
                Err(trouble) => trouble,
            };
            if self.recover(&trouble, name, &mut races, &mut reconnects).await? {
                return Ok(decided);
            }
        }
    }

    /// After a failed attempt: whether it was committed all the same. Returns the trouble if another attempt is useless.
    async fn recover(
        &mut self,
        trouble: &Trouble,
        name: Option<Uuid>,
        races: &mut u32,
        reconnects: &mut u32,
    ) -> Result<bool, Trouble> {
        self.is_stale = true;
        tracing::debug!(?trouble, "a batch is tried again");
        match trouble {
            Trouble::Raced(why) => {
                *races = races.saturating_add(1);
                self.roll_back().await;
                if *races >= TRIES_MAX {
                    return Err(Trouble::Raced(why.clone()));
                }
                tokio::time::sleep(pause(*races, name.unwrap_or_default())).await;
                Ok(false)
            }
            Trouble::Lost(why) | Trouble::LostAtCommit(why) => {
                *reconnects = reconnects.saturating_add(1);
                self.session = None;
                if *reconnects > RECONNECTS_MAX {
                    return Err(Trouble::Lost(why.clone()));
                }
                if matches!(trouble, Trouble::Lost(_)) {
                    return Ok(false);
                }
                match name {
                    Some(name) => self.was_committed(name).await,
                    None => Ok(false),
                }
            }
            Trouble::Fenced => {
                *reconnects = reconnects.saturating_add(1);
                self.roll_back().await;
                if *reconnects > RECONNECTS_MAX {
                    return Err(Trouble::Fenced);
                }
                self.take_slot().await.map(|()| false)
            }
            Trouble::Refused(why) => {
                self.roll_back().await;
                Err(Trouble::Refused(why.clone()))
            }
            Trouble::Conflict => {
                self.roll_back().await;
                Err(Trouble::Conflict)
            }
        }
    }

    /// Whether the batch `name` is in the books. The old session may still be at its commit: it holds the slot's row, so
    /// reading that row under a lock waits for it.
    async fn was_committed(&mut self, name: Uuid) -> Result<bool, Trouble> {
        let slot = self.head.slot;
        let session = self.session().await?;
        session.begin().await?;
        sqlx::query("SELECT 1 FROM chain_head WHERE slot = $1 FOR UPDATE")
            .bind(slot)
            .execute(session.connection())
            .await?;
        let found: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM batch WHERE client_batch_id = $1)")
            .bind(name)
            .fetch_one(session.connection())
            .await?;
        session.rollback().await?;
        Ok(found)
    }

    async fn attempt(
        &mut self,
        jobs: &[Job],
        name: &mut Option<Uuid>,
        decided: &mut Vec<Decided>,
    ) -> Result<(), Trouble> {
        let is_tick = jobs.iter().any(|job| matches!(job, Job::Tick(_)));
        if is_tick {
            self.follow_database_clock().await?;
            self.has_lost = true;
        }
        self.refresh().await?;
        let now_us = self.now_us();
        let epoch = self.head.epoch;
        let (session, facts) = (open(&mut self.session)?, &mut self.facts);
        session.begin().await?;
        let mut foreign = Foreign::default();
        if is_tick {
            forget_expired(session, now_us).await?;
        }
        if self.has_lost {
            foreign = load::load_lost(session.connection(), facts, &self.head, now_us).await?;
        }
        let wanted = Wanted::by_jobs(facts, jobs, now_us, epoch);
        foreign.add(wanted.load(session.connection(), facts).await?);
        let before = Before::of(facts);
        let mut batch = Batch::new(facts, now_us, epoch);
        let swept = batch.recover(SWEEP_MAX).and_then(|_calls| batch.sweep(SWEEP_MAX));
        swept.map_err(|refusal| Trouble::Refused(format!("an expired hold cannot be settled: {refusal}")))?;
        decided.extend(jobs.iter().map(|job| decide(&mut batch, job)));
        let mut plan = batch.into_plan();
        plan.calls.extend(self.records.iter().map(|record| CallWrite::Insert(Arc::clone(record))));
        self.commit(&plan, &before, now_us, name).await?;
        self.has_lost = false;
        foreign.forget(&mut self.facts);
        self.facts.end_batch();
        Ok(())
    }

    /// The batch gets its `name` here, and keeps it over all attempts.
    async fn commit(
        &mut self,
        plan: &Plan,
        before: &Before,
        now_us: i64,
        name: &mut Option<Uuid>,
    ) -> Result<(), Trouble> {
        let name = *name.get_or_insert_with(|| self.options.ids.next_uuid(now_us));
        let session = open(&mut self.session)?;
        let decision = Decision { plan, facts: &self.facts, before, now_us, name };
        let next = write(session, &self.head, decision).await?;
        failpoint!("inside_commit");
        session.commit().await?;
        self.head = next;
        Ok(())
    }

    /// Statements first, so that the ledger transactions see the accounts that they open.
    async fn run_unit(&mut self, unit: &UnitOfWork, reply: oneshot::Sender<Result<Vec<Done>, NotSaved>>) {
        let saved = self.try_unit(unit).await;
        match &saved {
            Ok(_) => {
                count(&self.counters.batches, 1);
                count(&self.counters.requests, 1);
            }
            Err(NotSaved::Refused(refusal)) => {
                if let Some(plan) = refusal_plan(unit, refusal)
                    && let Err(trouble) = self.record(&plan).await
                {
                    tracing::error!(?trouble, "a refusal was not recorded");
                    self.is_stale = true;
                    self.roll_back().await;
                }
            }
            Err(_) => {}
        }
        let gone = reply.send(saved);
        drop(gone);
    }

    async fn try_unit(&mut self, unit: &UnitOfWork) -> Result<Vec<Done>, NotSaved> {
        let (mut name, mut races, mut reconnects) = (None, 0, 0);
        loop {
            let mut progress = UnitProgress::default();
            let trouble = match self.attempt_unit(unit, &mut name, &mut progress).await {
                Ok(Ok(done)) => return Ok(done),
                Ok(Err(refusal)) => {
                    self.is_stale = true;
                    self.roll_back().await;
                    return Err(NotSaved::Refused(refusal));
                }
                Err(trouble) => trouble,
            };
            match self.recover(&trouble, name, &mut races, &mut reconnects).await {
                Ok(true) => return Ok(progress.done),
                Ok(false) => {}
                Err(Trouble::Conflict) => return Err(NotSaved::Conflict { statement: progress.statement }),
                Err(trouble) => return Err(NotSaved::Writer(writer_error(&trouble))),
            }
        }
    }

    async fn attempt_unit(
        &mut self,
        unit: &UnitOfWork,
        name: &mut Option<Uuid>,
        progress: &mut UnitProgress,
    ) -> Result<Result<Vec<Done>, crate::ledger::Refusal>, Trouble> {
        self.refresh().await?;
        let now_us = self.now_us();
        let epoch = self.head.epoch;
        let (session, facts) = (open(&mut self.session)?, &mut self.facts);
        session.begin().await?;
        for (number, guarded) in unit.statements.iter().enumerate() {
            progress.statement = number;
            execute(session, guarded).await?;
        }
        let foreign = Wanted::by_posts(&unit.posts).load(session.connection(), facts).await?;
        let before = Before::of(facts);
        let mut batch = Batch::new(facts, now_us, epoch);
        for post in &unit.posts {
            match batch.post(post) {
                Ok(done) => progress.done.push(done),
                Err(refusal) => return Ok(Err(refusal)),
            }
        }
        let plan = batch.into_plan();
        self.commit(&plan, &before, now_us, name).await?;
        foreign.forget(&mut self.facts);
        self.facts.end_batch();
        Ok(Ok(std::mem::take(&mut progress.done)))
    }

    async fn record(&mut self, plan: &Plan) -> Result<(), Trouble> {
        self.refresh().await?;
        let now_us = self.now_us();
        open(&mut self.session)?.begin().await?;
        let before = Before::of(&self.facts);
        self.commit(plan, &before, now_us, &mut None).await
    }

    /// Recorded time never goes backwards, whatever the clock does.
    fn now_us(&self) -> i64 {
        self.options.clock.now_us().max(self.head.last_us)
    }

    /// A session, made anew if there is none.
    async fn session(&mut self) -> Result<&mut Session, Trouble> {
        if self.session.is_none() {
            let connected = Session::connect(&self.url).await;
            self.session = Some(connected.map_err(|error| Trouble::Lost(error.to_string()))?);
            self.is_stale = true;
        }
        open(&mut self.session)
    }

    /// After a failure nothing in memory is trusted.
    async fn refresh(&mut self) -> Result<(), Trouble> {
        self.session().await?;
        if self.is_stale {
            let session = open(&mut self.session)?;
            let head = slot::read(session, self.head.slot).await?;
            if head.epoch != self.head.epoch {
                return Err(Trouble::Fenced);
            }
            self.facts = load::reload(session.connection(), &head).await?;
            self.head = head;
            self.is_stale = false;
        }
        Ok(())
    }

    /// Another server has the slot: this one goes on in a new one. What it had opened is settled by rule.
    async fn take_slot(&mut self) -> Result<(), Trouble> {
        let session = self.session().await?;
        let head = slot::take(session).await?;
        self.head = head.ok_or(Trouble::Fenced)?;
        (self.is_stale, self.has_lost) = (true, true);
        tracing::warn!(
            slot = self.head.slot,
            epoch = self.head.epoch,
            "the writer's slot was lost; another one was taken"
        );
        Ok(())
    }

    async fn follow_database_clock(&mut self) -> Result<(), Trouble> {
        let Some(shared) = self.shared.clone() else { return Ok(()) };
        let now_us = self.session().await?.now_us().await?;
        shared.follow(now_us);
        Ok(())
    }

    async fn roll_back(&mut self) {
        if let Some(session) = &mut self.session
            && session.rollback().await.is_err()
        {
            self.session = None;
        }
    }
}

/// How far a unit got.
#[derive(Default)]
struct UnitProgress {
    statement: usize,
    done: Vec<Done>,
}

fn open(session: &mut Option<Session>) -> Result<&mut Session, Trouble> {
    session.as_mut().ok_or_else(|| Trouble::Lost("there is no connection".to_owned()))
}

/// Carries out one statement of a unit of work.
async fn execute(session: &mut Session, guarded: &Guarded) -> Result<(), Trouble> {
    let mut query = sqlx::query(sqlx::AssertSqlSafe(guarded.sql.clone()));
    for value in &guarded.values.0 {
        query = bind(query, value)?;
    }
    let touched = query.execute(session.connection()).await.map_err(|error| {
        // Class 23: a unique value, a check, a reference. What was read has changed since: the unit's author decides again.
        let code = error.as_database_error().and_then(|database| database.code().map(std::borrow::Cow::into_owned));
        if code.is_some_and(|code| code.starts_with("23")) { Trouble::Conflict } else { Trouble::from(error) }
    })?;
    match guarded.rows {
        Some(rows) if rows != touched.rows_affected() => Err(Trouble::Conflict),
        _ => Ok(()),
    }
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Postgres, PgArguments>;

/// A value that sea-orm built. The tables hold truth values, integers, texts, byte strings and identifiers only.
fn bind<'q>(query: Query<'q>, value: &'q Value) -> Result<Query<'q>, Trouble> {
    Ok(match value {
        Value::Bool(value) => query.bind(*value),
        Value::SmallInt(value) => query.bind(*value),
        Value::Int(value) => query.bind(*value),
        Value::BigInt(value) => query.bind(*value),
        Value::String(value) => query.bind(value.as_deref()),
        Value::Bytes(value) => query.bind(value.as_deref()),
        Value::Uuid(value) => query.bind(*value),
        other => return Err(Trouble::Refused(format!("no column holds such a value: {other:?}"))),
    })
}

/// Forgets the oldest keys whose day is over. A running call keeps its key however old.
async fn forget_expired(session: &mut Session, now_us: i64) -> Result<(), Trouble> {
    sqlx::query(
        "WITH old AS (SELECT scope, key FROM idem WHERE created_us <= $1 AND state <> 1
                      ORDER BY created_us LIMIT $2 FOR UPDATE SKIP LOCKED),
              gone AS (DELETE FROM idem i USING old WHERE i.scope = old.scope AND i.key = old.key RETURNING i.call)
         DELETE FROM idem_answer a USING gone WHERE a.call = gone.call",
    )
    .bind(now_us.saturating_sub(KEY_TTL_US))
    .bind(FORGOTTEN_MAX)
    .execute(session.connection())
    .await?;
    Ok(())
}

fn writer_error(trouble: &Trouble) -> WriterError {
    match trouble {
        Trouble::Fenced => WriterError::Fenced,
        Trouble::Raced(why) | Trouble::Lost(why) | Trouble::LostAtCommit(why) | Trouble::Refused(why) => {
            unavailable(why)
        }
        Trouble::Conflict => unavailable("a statement broke a rule of the data"),
    }
}

fn store_error(trouble: &Trouble) -> StoreError {
    StoreError::Writer(writer_error(trouble))
}
