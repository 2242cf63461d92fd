//! The writer's loop.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::mpsc;
use uuid::Uuid;

use super::{
    BATCH_MAX,
    forget::{FORGOTTEN_MAX, forget_expired},
    load::{self, Foreign},
    pace::Calm,
    session::{Session, Trouble, store_error, writer_error},
    slot::{self, Slot},
    trail::write_trail,
    wanted::{Contested, Wanted},
    write::{Before, Decision, write},
};
use crate::{
    clock::SharedClock,
    invocation::CallRecord,
    ledger::{
        batch::Batch,
        chain::ChainHead,
        facts::Facts,
        plan::{CallWrite, Plan},
    },
    store::{
        StoreError,
        postgres::Target,
        writer::{
            Job, RECORDS_MAX, WriterCounters, WriterOptions,
            answers::{Decided, answer, decide, fail, is_named, keep, told_of, unavailable},
            count,
        },
    },
};

/// How many holds or calls that nobody settles are settled in one transaction.
const SWEEP_MAX: usize = 512;

/// How long a database that could not be reached is left alone.
const AWAY_PAUSE: Duration = Duration::from_millis(250);

/// How often it is looked what dead servers left open and which keys are over, and the lease renewed if nothing else is
/// written: in microseconds.
const LOOK_US: i64 = 1_000_000;

pub(super) struct Writer {
    pub(super) target: Target,
    pub(super) options: WriterOptions,
    pub(super) shared: Option<Arc<SharedClock>>,
    pub(super) counters: Arc<WriterCounters>,
    pub(super) session: Option<Session>,
    pub(super) head: ChainHead,
    /// What the slot's owner is called at the moment.
    pub(super) owner: Uuid,
    pub(super) facts: Facts,
    /// The facts may differ from the database: load them again before the next batch.
    pub(super) is_stale: bool,
    /// Other writers may have died and left something open: to be looked for in the next batch.
    pub(super) has_lost: bool,
    /// More keys are over than one transaction forgets: the next tick goes on.
    has_expired: bool,
    pub(super) records: Vec<Arc<CallRecord>>,
    pub(super) calm: Calm,
    /// Jobs whose wallets another server had locked: the first of the next batch.
    pub(super) deferred: Vec<Job>,
    /// How many batches in a row have put something off.
    pub(super) deferrals: u32,
    /// So many batches wait for whatever is locked.
    pub(super) crowded: u32,
    /// When it was last looked around: in microseconds since the Unix epoch, and by a clock that cannot stand still.
    looked_us: i64,
    looked_at: Option<Instant>,
    /// The database could not be reached: until then it is not tried again, and whoever asks is told at once.
    away_until: Option<Instant>,
    /// The database was away: until then the other servers get time to renew their leases.
    grace_until: Option<Instant>,
}

impl Writer {
    pub(super) async fn start(
        url: &str,
        options: WriterOptions,
        shared: Option<Arc<SharedClock>>,
        counters: Arc<WriterCounters>,
    ) -> Result<Self, StoreError> {
        let target = Session::target(url)?;
        let mut session = Session::connect(&target).await?;
        if let Some(shared) = &shared {
            shared.follow(session.now_us().await?);
        }
        if session.settings().await?.synchronous != "full" {
            let what = "the server runs with `fsync = off`: a commit would not survive a power cut".to_owned();
            return Err(StoreError::Inconsistent { table: "pg_settings", what });
        }
        let slot = slot::take(&mut session).await.map_err(|trouble| store_error(&trouble))?;
        let Slot { head, owner } = slot.ok_or_else(|| StoreError::Inconsistent {
            table: "chain_head",
            what: "every writer's slot is taken; a dead server's is free after three seconds".to_owned(),
        })?;
        let (facts, records) = (Facts::default(), Vec::new());
        Ok(Self {
            target,
            options,
            shared,
            counters,
            session: Some(session),
            head,
            owner,
            facts,
            is_stale: true,
            has_lost: true,
            has_expired: false,
            records,
            calm: Calm::default(),
            deferred: Vec::new(),
            deferrals: 0,
            crowded: 0,
            looked_us: 0,
            looked_at: None,
            away_until: None,
            grace_until: None,
        })
    }

    pub(super) const fn epoch(&self) -> i64 {
        self.head.epoch
    }

    /// Works until the last [`crate::store::Ledger`] is gone, then gives the slot back.
    pub(super) async fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut waiting = Vec::with_capacity(BATCH_MAX);
        while self.receive(&mut jobs, &mut waiting).await {
            self.counters.busy.begin();
            let mut batch = self.take_deferred().await;
            for job in waiting.drain(..) {
                match job {
                    Job::Unit(unit, reply) => {
                        self.run_batch(std::mem::take(&mut batch), Contested::PassOver).await;
                        self.settle_due().await;
                        self.run_unit(&unit, reply).await;
                    }
                    Job::Records(records) => keep(&mut self.records, records),
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
            if !batch.is_empty() || (self.records.len() >= RECORDS_MAX && !self.is_away()) {
                self.run_batch(batch, Contested::PassOver).await;
            }
            self.counters.busy.end();
        }
        self.run_batch(Vec::new(), Contested::Wait).await;
        if let Some(session) = &mut self.session
            && let Err(trouble) = slot::give_back(session, &self.head).await
        {
            tracing::warn!(?trouble, "the writer's slot was not given back; it is free when its lease is over");
        }
    }

    /// Carries `jobs` out as one transaction. After too many lost races they are carried out in two halves, so that one
    /// contested wallet does not stop the others.
    pub(super) async fn run_batch(&mut self, jobs: Vec<Job>, contested: Contested) {
        let mut pending = vec![jobs];
        while let Some(mut jobs) = pending.pop() {
            if jobs.is_empty() && self.records.is_empty() {
                continue;
            }
            if self.records.is_empty() && self.is_idle(&jobs) {
                for job in jobs {
                    answer(job, Decided::Nothing);
                }
                continue;
            }
            match self.try_batch(&jobs, contested).await {
                Ok(decided) => {
                    self.records.clear();
                    count(&self.counters.batches, 1);
                    failpoint!("after_commit");
                    for (job, decided) in jobs.into_iter().zip(decided) {
                        if matches!(decided, Decided::Deferred) {
                            self.deferred.push(job);
                        } else {
                            count(&self.counters.requests, 1);
                            answer(job, decided);
                        }
                    }
                }
                // One of the records may be what the database does not take: the jobs go without them.
                Err(Trouble::Refused(_)) if !self.records.is_empty() => {
                    self.save_records().await;
                    pending.push(jobs);
                }
                Err(Trouble::Raced(_) | Trouble::Refused(_)) if jobs.len() > 1 => {
                    let half = jobs.split_off(jobs.len().div_ceil(2));
                    pending.extend([half, jobs]);
                }
                Err(Trouble::Raced(_)) if !self.records.is_empty() => {
                    self.save_records().await;
                    pending.push(jobs);
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

    /// Settles what is due without anybody asking, if anything is: a unit may ask for all that a wallet has. If that cannot
    /// be done now, the unit says why.
    async fn settle_due(&mut self) {
        let now_us = self.now_us();
        if self.refresh().await.is_err() || !self.facts.is_anything_due(now_us, self.head.epoch) {
            return;
        }
        if self.try_batch(&[], Contested::Wait).await.is_ok() {
            self.records.clear();
            count(&self.counters.batches, 1);
        }
    }

    pub(super) async fn try_batch(&mut self, jobs: &[Job], contested: Contested) -> Result<Vec<Decided>, Trouble> {
        let (mut name, mut races, mut reconnects) = (None, 0, 0);
        let mut compares = self.may_compare(jobs);
        loop {
            let mut decided = Vec::with_capacity(jobs.len());
            let attempted = if std::mem::take(&mut compares) {
                self.compare(jobs, &mut name, &mut decided).await
            } else {
                self.attempt(jobs, contested, &mut name, &mut decided).await.map(|()| true)
            };
            let trouble = match attempted {
                Ok(true) => return Ok(decided),
                Ok(false) => continue,
                Err(trouble) => trouble,
            };
            if self.recover(&trouble, name, &mut races, &mut reconnects).await? {
                return Ok(decided);
            }
        }
    }

    async fn attempt(
        &mut self,
        jobs: &[Job],
        contested: Contested,
        name: &mut Option<Uuid>,
        decided: &mut Vec<Decided>,
    ) -> Result<(), Trouble> {
        let ticks = jobs.iter().any(|job| matches!(job, Job::Tick(_)));
        let looks = ticks && self.is_look_due();
        let forgets = looks || (ticks && self.has_expired);
        if looks {
            self.follow_database_clock().await?;
            (self.has_lost, self.looked_us, self.looked_at) = (true, self.options.clock.now_us(), Some(Instant::now()));
        }
        self.refresh().await?;
        let now_us = self.now_us();
        let epoch = self.head.epoch;
        let (session, facts) = (open(&mut self.session)?, &mut self.facts);
        session.begin().await?;
        let mut foreign = Foreign::default();
        let forgotten = if forgets { forget_expired(session, now_us).await? } else { 0 };
        if facts.grants.expiries.wants_more() {
            facts.grants.expiries = load::load_expiries(session.connection(), self.head.slot).await?;
        }
        let settles_lost = self.has_lost_to_settle();
        let (session, facts) = (open(&mut self.session)?, &mut self.facts);
        if settles_lost {
            foreign = load::load_lost(session.connection(), facts, &self.head, now_us).await?;
        }
        let mut wanted = Wanted::by_jobs(facts, jobs, now_us, epoch);
        // What no job asks for is settled whole, so its wallets must be there.
        let waits = looks || settles_lost || wanted.has_due;
        let contested = if waits { Contested::Wait } else { contested };
        let put_off = self.lock(jobs, &mut wanted, contested, &mut foreign).await?;
        let facts = &mut self.facts;
        let before = Before::of(&wanted, facts);
        let mut batch = Batch::new(facts, now_us, epoch);
        let swept = batch.recover(SWEEP_MAX).and_then(|_calls| batch.sweep(SWEEP_MAX));
        swept.map_err(|refusal| Trouble::Refused(format!("an expired hold cannot be settled: {refusal}")))?;
        decided.extend(
            jobs.iter().zip(put_off).map(
                |(job, is_put_off)| {
                    if is_put_off { Decided::Deferred } else { decide(&mut batch, job) }
                },
            ),
        );
        let mut plan = batch.into_plan();
        plan.calls.extend(self.records.iter().map(|record| CallWrite::Insert(Arc::clone(record))));
        let name = if is_named(jobs, &plan) { self.name(name, now_us) } else { Uuid::nil() };
        self.commit(&plan, &before, now_us, name).await?;
        self.has_lost &= !settles_lost;
        if forgets {
            self.has_expired = forgotten >= FORGOTTEN_MAX.unsigned_abs();
        }
        foreign.forget(&mut self.facts);
        self.facts.end_batch();
        Ok(())
    }

    /// A batch gets its name when it is first written, and keeps it over all attempts.
    pub(super) fn name(&self, name: &mut Option<Uuid>, now_us: i64) -> Uuid {
        *name.get_or_insert_with(|| self.options.ids.next_uuid(now_us))
    }

    pub(super) async fn commit(
        &mut self,
        plan: &Plan,
        before: &Before,
        now_us: i64,
        name: Uuid,
    ) -> Result<(), Trouble> {
        let session = open(&mut self.session)?;
        write_trail(session, self.head.slot, &told_of(plan), now_us).await?;
        let decision = Decision { plan, facts: &self.facts, before, now_us, name };
        let next = write(session, &self.head, self.owner, decision).await?;
        failpoint!("inside_commit");
        session.commit().await?;
        self.head = next;
        Ok(())
    }

    /// Whether a second is over since it was last looked around. A clock that was set back or stands still does not put it
    /// off: that it does shows only when the database's is looked at.
    pub(super) fn is_look_due(&self) -> bool {
        let now_us = self.options.clock.now_us();
        let by_clock = now_us < self.looked_us || now_us.saturating_sub(self.looked_us) >= LOOK_US;
        by_clock
            || self
                .looked_at
                .is_none_or(|looked_at| looked_at.elapsed() >= Duration::from_micros(LOOK_US.unsigned_abs()))
    }

    /// Whether `jobs` are ticks with nothing to do.
    fn is_idle(&self, jobs: &[Job]) -> bool {
        let is_quiet = !self.is_stale
            && !self.has_lost_to_settle()
            && self.session.is_some()
            && !self.is_look_due()
            && !self.has_expired;
        let is_tick = |job: &Job| matches!(job, Job::Tick(_));
        is_quiet && jobs.iter().all(is_tick) && !self.facts.is_anything_over(self.now_us())
    }

    /// Recorded time never goes backwards, whatever the clock does.
    pub(super) fn now_us(&self) -> i64 {
        self.options.clock.now_us().max(self.head.last_us)
    }

    /// Whether it is time to look what dead servers left open.
    pub(super) fn has_lost_to_settle(&self) -> bool {
        self.has_lost && self.grace_until.is_none_or(|until| Instant::now() >= until)
    }

    fn is_away(&self) -> bool {
        self.away_until.is_some_and(|until| Instant::now() < until)
    }

    /// A session, made anew if there is none.
    pub(super) async fn session(&mut self) -> Result<&mut Session, Trouble> {
        if self.session.is_none() {
            if self.is_away() {
                return Err(Trouble::Lost("the database did not answer a moment ago".to_owned()));
            }
            match Session::connect(&self.target).await {
                Ok(session) => self.session = Some(session),
                Err(error) => {
                    self.away_until = Instant::now().checked_add(AWAY_PAUSE);
                    return Err(Trouble::Lost(error.to_string()));
                }
            }
            (self.is_stale, self.away_until) = (true, None);
            self.grace_until = Instant::now().checked_add(Duration::from_micros(slot::LEASE_US.unsigned_abs()));
        }
        open(&mut self.session)
    }

    /// After a failure nothing in memory is trusted.
    pub(super) async fn refresh(&mut self) -> Result<(), Trouble> {
        self.session().await?;
        if self.is_stale {
            let session = open(&mut self.session)?;
            let Slot { head, owner } = slot::read(session, self.head.slot).await?;
            if head.epoch != self.head.epoch {
                return Err(Trouble::Fenced);
            }
            self.facts = load::reload(session.connection(), &head).await?;
            (self.head, self.owner) = (head, owner);
            self.is_stale = false;
            count(&self.counters.reloads, 1);
        }
        Ok(())
    }

    async fn follow_database_clock(&mut self) -> Result<(), Trouble> {
        let Some(shared) = self.shared.clone() else { return Ok(()) };
        let now_us = self.session().await?.now_us().await?;
        shared.follow(now_us);
        Ok(())
    }

    pub(super) async fn roll_back(&mut self) {
        if let Some(session) = &mut self.session
            && session.rollback().await.is_err()
        {
            self.session = None;
        }
    }
}

pub(super) fn open(session: &mut Option<Session>) -> Result<&mut Session, Trouble> {
    session.as_mut().ok_or_else(|| Trouble::Lost("there is no connection".to_owned()))
}
