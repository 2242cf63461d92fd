//! Units of work: statements and ledger transactions that happen together or not at all.

use sea_orm::{
    sea_query::Value,
    sqlx::{self, postgres::PgArguments},
};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::{
    session::{Session, Trouble, writer_error},
    task::{Writer, open},
    trail::write_trail,
    wanted::{Contested, Wanted},
    write::Before,
};
use crate::{
    ledger::{
        Refusal,
        batch::{Batch, Done},
        leaf::RefusalEntry,
        plan::Plan,
    },
    store::{
        unit::{AuditedUnit, Guarded, NotSaved},
        writer::{
            answers::{decide_unit, last_refusal, refusal_plan},
            count,
            undo::Undo,
        },
    },
};

/// How far a unit got.
#[derive(Default)]
struct UnitProgress {
    statement: usize,
    done: Vec<Done>,
}

impl Writer {
    /// Statements first, so that the ledger's commands see the accounts that they open.
    pub(super) async fn run_unit(&mut self, unit: &AuditedUnit, reply: oneshot::Sender<Result<Vec<Done>, NotSaved>>) {
        let mut refused = None;
        let saved = self.try_unit(unit, &mut refused).await;
        if saved.is_ok() && !unit.unit.is_rehearsal {
            count(&self.counters.batches, 1);
            count(&self.counters.requests, 1);
            failpoint!("after_unit");
        }
        if let Some(entry) = refused.filter(|_| !unit.unit.is_rehearsal)
            && let Err(trouble) = self.record(&refusal_plan(entry)).await
        {
            tracing::error!(?trouble, "a refusal was not recorded");
            self.is_stale = true;
            self.roll_back().await;
        }
        let gone = reply.send(saved);
        drop(gone);
    }

    async fn try_unit(
        &mut self,
        unit: &AuditedUnit,
        refused: &mut Option<RefusalEntry>,
    ) -> Result<Vec<Done>, NotSaved> {
        let (mut name, mut races, mut reconnects) = (None, 0, 0);
        loop {
            let mut progress = UnitProgress::default();
            let trouble = match self.attempt_unit(unit, &mut name, &mut progress).await {
                Ok(Ok(done)) => {
                    if unit.unit.is_rehearsal {
                        self.roll_back().await;
                    }
                    return Ok(done);
                }
                Ok(Err((refusal, entry))) => {
                    *refused = entry;
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
        AuditedUnit { unit, trail }: &AuditedUnit,
        name: &mut Option<Uuid>,
        progress: &mut UnitProgress,
    ) -> Result<Result<Vec<Done>, (Refusal, Option<RefusalEntry>)>, Trouble> {
        self.refresh().await?;
        let now_us = self.now_us();
        let (slot, epoch) = (self.head.slot, self.head.epoch);
        let (session, facts) = (open(&mut self.session)?, &mut self.facts);
        session.begin().await?;
        for (number, guarded) in unit.statements.iter().enumerate() {
            progress.statement = number;
            execute(session, guarded).await?;
        }
        let undo = Undo::of_commands(facts, &unit.commands);
        let mut wanted = Wanted::by_commands(facts, &unit.commands);
        let (foreign, _nothing) = wanted.lock(session.connection(), facts, Contested::Wait).await?;
        let before = Before::of(&wanted, facts);
        let mut batch = Batch::new(facts, now_us, epoch);
        let decided = decide_unit(&mut batch, unit);
        let plan = batch.into_plan();
        progress.done = match decided {
            Ok(done) if !unit.is_rehearsal => done,
            not_written => {
                foreign.forget(facts);
                undo.take_back(facts, &plan);
                wanted.forget(facts);
                if not_written.is_ok() {
                    unit.show_rehearsal(&plan);
                }
                return Ok(not_written.map_err(|refusal| (refusal, last_refusal(plan))));
            }
        };
        write_trail(open(&mut self.session)?, slot, trail, now_us).await?;
        let name = self.name(name, now_us);
        self.commit(&plan, &before, now_us, name).await?;
        foreign.forget(&mut self.facts);
        self.facts.end_batch();
        Ok(Ok(std::mem::take(&mut progress.done)))
    }

    async fn record(&mut self, plan: &Plan) -> Result<(), Trouble> {
        self.refresh().await?;
        let now_us = self.now_us();
        open(&mut self.session)?.begin().await?;
        let name = self.name(&mut None, now_us);
        self.commit(plan, &Before::default(), now_us, name).await
    }
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
