//! What calls of publishers' tools came to, by tools and days: sums that are kept, so that nobody scans calls to say so.
//!
//! Calls are read by their identifiers, which are times, as in [`super::counts`]; sums by a range of their primary key.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait as _, DbBackend, QueryResult, Statement, Value};
use uuid::Uuid;

use super::{
    StoreError,
    readers::Readers,
    usage::{DAY_US, Sum},
};
use crate::id::first_at;

/// Names a sum: whose, of which day (its beginning in microseconds since the Unix epoch), and of which tool.
pub(crate) type Place = (Uuid, i64, Uuid);

fn query(readers: &Readers, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(readers.get_database_backend(), sql, values)
}

fn sum(row: &QueryResult, at: usize) -> Result<Sum, StoreError> {
    Ok(Sum {
        calls: row.try_get_by_index(at)?,
        paid_calls: row.try_get_by_index(at.saturating_add(1))?,
        charged: row.try_get_by_index(at.saturating_add(2))?,
    })
}

/// The calls of publishers' tools that came from `from_us` on and before `to_us` (microseconds since the Unix epoch). Reads
/// every call of that time: see [`super::counts::step`].
pub(crate) async fn calls(readers: &Readers, from_us: i64, to_us: i64) -> Result<Vec<(Place, Sum)>, StoreError> {
    let sql = format!(
        "SELECT n.publisher_id, i.created_us - i.created_us % {DAY_US}, i.tool_id, count(*),
                CAST(sum(CASE WHEN i.charged > 0 THEN 1 ELSE 0 END) AS bigint), CAST(sum(i.charged) AS bigint)
         FROM invocation i JOIN tool t ON t.id = i.tool_id JOIN namespace n ON n.id = t.namespace_id
         WHERE i.id >= $1 AND i.id < $2 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    );
    let rows = readers.query_all_raw(query(readers, &sql, [first_at(from_us).into(), first_at(to_us).into()])).await?;
    rows.iter()
        .map(|row| {
            let place = (row.try_get_by_index(0)?, row.try_get_by_index(1)?, row.try_get_by_index(2)?);
            Ok((place, sum(row, 3)?))
        })
        .collect()
}

/// The statement that adds to a sum.
pub(crate) fn add(backend: DbBackend, (publisher, start_us, tool): Place, sum: Sum) -> Statement {
    let sql = "INSERT INTO sales_day (publisher_id, start_us, tool_id, calls, paid_calls, charged)
               VALUES ($1, $2, $3, $4, $5, $6)
               ON CONFLICT (publisher_id, start_us, tool_id) DO UPDATE SET
                   calls = sales_day.calls + excluded.calls,
                   paid_calls = sales_day.paid_calls + excluded.paid_calls,
                   charged = sales_day.charged + excluded.charged";
    let values: [Value; 6] =
        [publisher.into(), start_us.into(), tool.into(), sum.calls.into(), sum.paid_calls.into(), sum.charged.into()];
    Statement::from_sql_and_values(backend, sql, values)
}

/// The statement that takes back what was counted from `from_us` on, which is the beginning of a day.
pub(crate) fn empty(backend: DbBackend, from_us: i64) -> Statement {
    let sql = "UPDATE sales_day SET calls = 0, paid_calls = 0, charged = 0 WHERE start_us >= $1";
    Statement::from_sql_and_values(backend, sql, [from_us.into()])
}

/// The sums of a publisher by days from `from_us` on and before `to_us`, the earliest first.
pub(crate) async fn days(
    readers: &Readers,
    publisher: Uuid,
    (from_us, to_us): (i64, i64),
) -> Result<Vec<(i64, Sum)>, StoreError> {
    let sql =
        "SELECT start_us, CAST(sum(calls) AS bigint), CAST(sum(paid_calls) AS bigint), CAST(sum(charged) AS bigint)
               FROM sales_day WHERE publisher_id = $1 AND start_us >= $2 AND start_us < $3
               GROUP BY start_us ORDER BY start_us";
    let values: [Value; 3] = [publisher.into(), from_us.into(), to_us.into()];
    let rows = readers.query_all_raw(query(readers, sql, values)).await?;
    rows.iter().map(|row| Ok((row.try_get_by_index(0)?, sum(row, 1)?))).collect()
}

/// How many calls of each of these tools were charged on these days (their beginnings in microseconds since the Unix epoch).
/// Each sum is found by its whole primary key, so that it costs the same however much a publisher sells besides.
pub(crate) async fn paid_calls(
    readers: &Readers,
    tools: &[Uuid],
    starts_us: &[i64],
) -> Result<HashMap<Uuid, i64>, StoreError> {
    if tools.is_empty() || starts_us.is_empty() {
        return Ok(HashMap::new());
    }
    let places = |from: usize, count: usize| {
        let places = (1..=count).map(|place| format!("${}", from.saturating_add(place)));
        places.collect::<Vec<_>>().join(", ")
    };
    let sql = format!(
        "SELECT t.id, CAST(sum(s.paid_calls) AS bigint)
         FROM tool t JOIN namespace n ON n.id = t.namespace_id
         JOIN sales_day s ON s.publisher_id = n.publisher_id AND s.tool_id = t.id AND s.start_us IN ({})
         WHERE t.id IN ({}) GROUP BY t.id",
        places(0, starts_us.len()),
        places(starts_us.len(), tools.len()),
    );
    let days = starts_us.iter().map(|start_us| Value::from(*start_us));
    let rows =
        readers.query_all_raw(query(readers, &sql, days.chain(tools.iter().map(|tool| Value::from(*tool))))).await?;
    rows.iter().map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))).collect()
}

/// The newest calls of a publisher's tools with a warning that it has not acknowledged, the newest first, at most `rows_max`.
/// Of each tool as many are read in their index, with what was acknowledged before them.
pub(crate) async fn warned(readers: &Readers, publisher: Uuid, rows_max: usize) -> Result<Vec<Uuid>, StoreError> {
    let of_tool = format!(
        "SELECT i.id FROM invocation i WHERE i.tool_id = t.id AND i.warning IS NOT NULL
             AND NOT EXISTS (SELECT 1 FROM acknowledged_call a WHERE a.call = i.id)
         ORDER BY i.id DESC LIMIT {rows_max}"
    );
    let found = match readers.get_database_backend() {
        DbBackend::Postgres => format!("JOIN LATERAL ({of_tool}) w ON true"),
        _ => format!("CROSS JOIN invocation w ON w.id IN ({of_tool})"),
    };
    let sql = format!(
        "SELECT w.id FROM namespace n CROSS JOIN tool t {found}
         WHERE n.publisher_id = $1 AND t.namespace_id = n.id ORDER BY w.id DESC LIMIT {rows_max}"
    );
    let rows = readers.query_all_raw(query(readers, &sql, [publisher.into()])).await?;
    Ok(rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?)
}

/// The sums of a publisher by namespaces: each with its identifier and its name, by names.
pub(crate) async fn namespaces(
    readers: &Readers,
    publisher: Uuid,
    (from_us, to_us): (i64, i64),
) -> Result<Vec<(Uuid, String, Sum)>, StoreError> {
    let sql = "SELECT n.id, n.name, CAST(sum(s.calls) AS bigint), CAST(sum(s.paid_calls) AS bigint),
                      CAST(sum(s.charged) AS bigint)
               FROM sales_day s JOIN tool t ON t.id = s.tool_id JOIN namespace n ON n.id = t.namespace_id
               WHERE s.publisher_id = $1 AND s.start_us >= $2 AND s.start_us < $3
               GROUP BY n.id, n.name ORDER BY n.name";
    let values: [Value; 3] = [publisher.into(), from_us.into(), to_us.into()];
    let rows = readers.query_all_raw(query(readers, sql, values)).await?;
    rows.iter().map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?, sum(row, 2)?))).collect()
}
