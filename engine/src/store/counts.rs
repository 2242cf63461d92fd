//! Counts for people: how many calls came in and what money moved, of every ten minutes. Kept in three small tables, so that
//! nobody scans a day of calls to say how many there were; the statements here read what is to be added to them, and add it.
//!
//! Calls are read by their identifiers, which are times, and the books by the places of their entries: always a range of
//! the primary key, never more than a caller asked for.

use sea_orm::{ConnectionTrait as _, DbBackend, QueryResult, Statement, Value};
use uuid::Uuid;

use super::{StoreError, readers::Readers, usage::DAY_US};
use crate::{
    id::{first_at, made_us},
    invocation::{CallOutcome, CallState},
};

/// What is counted together: ten minutes, in microseconds.
pub(crate) const BUCKET_US: i64 = 600_000_000;

/// How many calls of ten minutes ended alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CallCount {
    /// When the ten minutes began, in microseconds since the Unix epoch.
    pub(crate) bucket_us: i64,
    /// How they ended: [`CallOutcome::raw`].
    pub(crate) outcome: i16,
    /// How many.
    pub(crate) calls: i64,
}

/// How much moved in ten minutes from accounts of one kind to accounts of another, for one reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FlowCount {
    /// When the ten minutes began, in microseconds since the Unix epoch.
    pub(crate) bucket_us: i64,
    /// Why: as [`crate::ledger::TransactionKind`] is stored.
    pub(crate) kind: i16,
    /// From where: as [`crate::ledger::AccountKind`] is stored.
    pub(crate) debited: i16,
    /// To where.
    pub(crate) credited: i16,
    /// In how many postings.
    pub(crate) postings: i64,
    /// Micro-credits.
    pub(crate) amount: i64,
}

fn query(readers: &Readers, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(readers.get_database_backend(), sql, values)
}

/// Up to where `name` has been counted; `None` if it never was.
pub(crate) async fn reached(readers: &Readers, name: &str) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT reached FROM count_head WHERE name = $1";
    let row = readers.query_one_raw(query(readers, sql, [name.into()])).await?;
    Ok(row.map(|row| row.try_get_by_index(0)).transpose()?)
}

/// When the oldest call came in, in microseconds since the Unix epoch.
pub(crate) async fn first_call_us(readers: &Readers) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT id FROM invocation ORDER BY id LIMIT 1";
    let row = readers.query_one_raw(query(readers, sql, [])).await?;
    let id: Option<Uuid> = row.map(|row| row.try_get_by_index(0)).transpose()?;
    Ok(id.map(made_us))
}

/// A part of the calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    /// It ends before this, in microseconds since the Unix epoch: right behind its last call.
    pub(crate) until_us: i64,
    /// There are calls behind it.
    pub(crate) has_more: bool,
}

/// How far counting from `from_us` gets, so that it counts about `calls_max` calls and none that came at `to_us` or later
/// (microseconds since the Unix epoch); `None` if there are none. Calls of one millisecond are never divided.
pub(crate) async fn step(
    readers: &Readers,
    from_us: i64,
    to_us: i64,
    calls_max: i64,
) -> Result<Option<Step>, StoreError> {
    let last = "SELECT id FROM (SELECT id FROM invocation WHERE id >= $1 AND id < $2 ORDER BY id LIMIT $3) AS step
                ORDER BY id DESC LIMIT 1";
    let values = [first_at(from_us).into(), first_at(to_us).into(), calls_max.into()];
    let row = readers.query_one_raw(query(readers, last, values)).await?;
    let Some(row) = row else { return Ok(None) };
    let last: Uuid = row.try_get_by_index(0)?;
    let more = "SELECT id FROM invocation WHERE id > $1 AND id < $2 ORDER BY id LIMIT 1";
    let more = readers.query_one_raw(query(readers, more, [last.into(), first_at(to_us).into()])).await?;
    let (last_us, has_more) = (made_us(last), more.is_some());
    // All of them in one millisecond: more than were asked for, or counting would never get on.
    let is_divided = has_more && last_us > from_us;
    let until_us = if is_divided { last_us } else { last_us.saturating_add(1_000) };
    Ok(Some(Step { until_us, has_more }))
}

/// The calls that came from `from_us` on and before `to_us` (microseconds since the Unix epoch), by ten minutes and end.
/// Reads every one of them: see [`step`].
pub(crate) async fn calls(readers: &Readers, from_us: i64, to_us: i64) -> Result<Vec<CallCount>, StoreError> {
    let sql = format!(
        "SELECT created_us - created_us % {BUCKET_US}, CAST({} AS bigint), count(*) FROM invocation
         WHERE id >= $1 AND id < $2 GROUP BY 1, 2 ORDER BY 1, 2",
        outcome_sql()
    );
    let rows = readers.query_all_raw(query(readers, &sql, [first_at(from_us).into(), first_at(to_us).into()])).await?;
    rows.iter().map(call_count).collect()
}

/// [`CallOutcome::of`] in SQL.
fn outcome_sql() -> String {
    let whens = CallState::ALL.iter().map(|(state, raw, _)| {
        let [free, charged] = [false, true].map(|is_charged| CallOutcome::of(*state, is_charged).raw());
        format!("WHEN {raw} THEN CASE WHEN charged > 0 THEN {charged} ELSE {free} END ")
    });
    format!("CASE state {}ELSE {} END", whens.collect::<String>(), CallOutcome::Unknown.raw())
}

fn call_count(row: &QueryResult) -> Result<CallCount, StoreError> {
    let outcome: i64 = row.try_get_by_index(1)?;
    Ok(CallCount {
        bucket_us: row.try_get_by_index(0)?,
        outcome: i16::try_from(outcome).unwrap_or(-1),
        calls: row.try_get_by_index(2)?,
    })
}

/// What the entries of a slot behind `after`, up to `until`, have moved.
///
/// What belongs to a posting is a value of it each, not a join: joined, PostgreSQL compared every entry with every posting
/// where it did not know yet how much had been written since it last looked (20,000 entries took 35 seconds), or else read
/// all of both tables. Ten minutes and kind in one number, since a kind is less than that.
pub(crate) async fn flows(readers: &Readers, slot: i64, after: i64, until: i64) -> Result<Vec<FlowCount>, StoreError> {
    let sql = format!(
        "SELECT bucket_kind, CAST(debited AS bigint), CAST(credited AS bigint), count(*), CAST(sum(amount) AS bigint)
         FROM (SELECT (SELECT b.recorded_us - b.recorded_us % {BUCKET_US} + t.kind
                       FROM txn t JOIN batch b ON b.slot = t.slot AND b.batch_no = t.batch_no
                       WHERE t.slot = p.slot AND t.seq = p.seq) AS bucket_kind,
                      (SELECT kind FROM ledger_account WHERE id = p.debit) AS debited,
                      (SELECT kind FROM ledger_account WHERE id = p.credit) AS credited, p.amount
               FROM posting p WHERE p.slot = $1 AND p.seq > $2 AND p.seq <= $3) AS moved
         GROUP BY bucket_kind, debited, credited ORDER BY bucket_kind, debited, credited"
    );
    let rows = readers.query_all_raw(query(readers, &sql, [slot.into(), after.into(), until.into()])).await?;
    let read = |row: &QueryResult| {
        let number = |index: usize| row.try_get_by_index::<Option<i64>>(index);
        // Of damaged books, which `verify` tells: a posting whose transaction or account is gone is nothing to count.
        let (Some(bucket_kind), Some(debited), Some(credited)) = (number(0)?, number(1)?, number(2)?) else {
            return Ok(None);
        };
        let kind = bucket_kind.rem_euclid(BUCKET_US);
        Ok(Some(FlowCount {
            bucket_us: bucket_kind.saturating_sub(kind),
            kind: i16::try_from(kind).unwrap_or(-1),
            debited: i16::try_from(debited).unwrap_or(-1),
            credited: i16::try_from(credited).unwrap_or(-1),
            postings: row.try_get_by_index(3)?,
            amount: row.try_get_by_index(4)?,
        }))
    };
    rows.iter().filter_map(|row| read(row).transpose()).collect()
}

/// A number of a kind, which the statement gives as a large one.
fn small(row: &QueryResult, index: usize) -> Result<i16, StoreError> {
    let number: i64 = row.try_get_by_index(index)?;
    Ok(i16::try_from(number).unwrap_or(-1))
}

fn flow_count(row: &QueryResult) -> Result<FlowCount, StoreError> {
    Ok(FlowCount {
        bucket_us: row.try_get_by_index(0)?,
        kind: small(row, 1)?,
        debited: small(row, 2)?,
        credited: small(row, 3)?,
        postings: row.try_get_by_index(4)?,
        amount: row.try_get_by_index(5)?,
    })
}

/// The statement that moves the head of `name` from `from` (`None`: it never was counted) on to `to`. It touches one row,
/// unless somebody else has counted meanwhile.
pub(crate) fn advance(backend: DbBackend, name: &str, from: Option<i64>, to: i64) -> Statement {
    if let Some(from) = from {
        let sql = "UPDATE count_head SET reached = $1 WHERE name = $2 AND reached = $3";
        return Statement::from_sql_and_values(backend, sql, [to.into(), name.into(), from.into()]);
    }
    let sql = "INSERT INTO count_head (name, reached) VALUES ($1, $2)";
    Statement::from_sql_and_values(backend, sql, [name.into(), to.into()])
}

/// The statement that adds calls to what was counted before.
pub(crate) fn add_calls(backend: DbBackend, count: &CallCount) -> Statement {
    let sql = "INSERT INTO call_count (bucket_us, outcome, calls) VALUES ($1, $2, $3)
               ON CONFLICT (bucket_us, outcome) DO UPDATE SET calls = call_count.calls + excluded.calls";
    let values: [Value; 3] = [count.bucket_us.into(), count.outcome.into(), count.calls.into()];
    Statement::from_sql_and_values(backend, sql, values)
}

/// The statement that takes back what was counted in the ten minutes that begin at `from_us` and later.
pub(crate) fn empty_calls(backend: DbBackend, from_us: i64) -> Statement {
    let sql = "UPDATE call_count SET calls = 0 WHERE bucket_us >= $1";
    Statement::from_sql_and_values(backend, sql, [from_us.into()])
}

/// The statement that adds what has moved to what was counted before.
pub(crate) fn add_flow(backend: DbBackend, count: &FlowCount) -> Statement {
    let sql = "INSERT INTO flow_count (bucket_us, kind, debited, credited, postings, amount)
               VALUES ($1, $2, $3, $4, $5, $6)
               ON CONFLICT (bucket_us, kind, debited, credited) DO UPDATE
               SET postings = flow_count.postings + excluded.postings, amount = flow_count.amount + excluded.amount";
    let values: [Value; 6] = [
        count.bucket_us.into(),
        count.kind.into(),
        count.debited.into(),
        count.credited.into(),
        count.postings.into(),
        count.amount.into(),
    ];
    Statement::from_sql_and_values(backend, sql, values)
}

/// What was counted of calls in the ten minutes that begin from `from_us` on and before `to_us`. Served by the primary key.
pub(crate) async fn counted_calls(readers: &Readers, from_us: i64, to_us: i64) -> Result<Vec<CallCount>, StoreError> {
    let sql = "SELECT bucket_us, CAST(outcome AS bigint), calls FROM call_count
               WHERE bucket_us >= $1 AND bucket_us < $2 ORDER BY bucket_us, outcome";
    let rows = readers.query_all_raw(query(readers, sql, [from_us.into(), to_us.into()])).await?;
    rows.iter().map(call_count).collect()
}

/// How many calls that ended like this were counted since `from_us`. Served by the primary key: it reads a row for every ten
/// minutes and end.
pub(crate) async fn counted_of(readers: &Readers, outcome: i16, from_us: i64) -> Result<i64, StoreError> {
    let sql = "SELECT CAST(coalesce(sum(calls), 0) AS bigint) FROM call_count WHERE bucket_us >= $1 AND outcome = $2";
    let row = readers.query_one_raw(query(readers, sql, [from_us.into(), outcome.into()])).await?;
    Ok(row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or(0))
}

/// What was counted of calls since `from_us` by days (in UTC) and end: when each day began, the end, and how many. Served by
/// the primary key: it reads a row for every ten minutes and end.
pub(crate) async fn counted_days(readers: &Readers, from_us: i64) -> Result<Vec<CallCount>, StoreError> {
    let sql = format!(
        "SELECT bucket_us - bucket_us % {DAY_US}, CAST(outcome AS bigint), CAST(sum(calls) AS bigint) FROM call_count
         WHERE bucket_us >= $1 GROUP BY 1, 2 ORDER BY 1, 2"
    );
    let rows = readers.query_all_raw(query(readers, &sql, [from_us.into()])).await?;
    rows.iter().map(call_count).collect()
}

/// What was counted of money in the ten minutes that begin from `from_us` on and before `to_us`.
pub(crate) async fn counted_flows(readers: &Readers, from_us: i64, to_us: i64) -> Result<Vec<FlowCount>, StoreError> {
    let sql =
        "SELECT bucket_us, CAST(kind AS bigint), CAST(debited AS bigint), CAST(credited AS bigint), postings, amount
               FROM flow_count WHERE bucket_us >= $1 AND bucket_us < $2 ORDER BY bucket_us, kind, debited, credited";
    let rows = readers.query_all_raw(query(readers, sql, [from_us.into(), to_us.into()])).await?;
    rows.iter().map(flow_count).collect()
}
