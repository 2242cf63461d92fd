//! What calls of partners came to, by days and months: sums that are kept, so that nobody scans calls to say so.
//!
//! Calls are read by their identifiers, which are times, as in [`super::counts`]; sums by ranges of their primary key.

use sea_orm::{ConnectionTrait as _, DbBackend, QueryResult, Statement, Value};
use uuid::Uuid;

use super::{StoreError, readers::Readers};
use crate::id::first_at;

/// A day, in microseconds.
pub(crate) const DAY_US: i64 = 86_400_000_000;
/// How many rows one statement adds.
pub(crate) const ROWS_ADDED_MAX: usize = 50;

/// What is added up together. The numbers are stored: they never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// All calls of a day.
    Day,
    /// All calls of a month.
    Month,
    /// By end user and day.
    UserDay,
    /// By end user and month.
    UserMonth,
    /// By tool and day.
    ToolDay,
    /// By tool and month.
    ToolMonth,
}

impl Kind {
    /// As the database stores it.
    pub(crate) const fn raw(self) -> i16 {
        match self {
            Self::Day => 1,
            Self::Month => 2,
            Self::UserDay => 3,
            Self::UserMonth => 4,
            Self::ToolDay => 5,
            Self::ToolMonth => 6,
        }
    }
}

/// What some calls came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Sum {
    /// How many there were.
    pub(crate) calls: i64,
    /// How many of them were charged.
    pub(crate) paid_calls: i64,
    /// Micro-credits.
    pub(crate) charged: i64,
}

impl Sum {
    pub(crate) fn add(&mut self, more: Self) {
        self.calls = self.calls.saturating_add(more.calls);
        self.paid_calls = self.paid_calls.saturating_add(more.paid_calls);
        self.charged = self.charged.saturating_add(more.charged);
    }
}

/// Names a sum: whose, of what kind, from when on (microseconds since the Unix epoch), and about whom or what; nil where it is
/// about everything.
pub(crate) type Place = (Uuid, Kind, i64, Uuid);

/// Calls of one day for one end user of one tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PartnerCalls {
    /// Whose.
    pub(crate) partner: Uuid,
    /// When the day began, in microseconds since the Unix epoch.
    pub(crate) day_us: i64,
    /// For whom; nil where nobody was named.
    pub(crate) end_user: Uuid,
    /// Of what; nil where there was no such tool.
    pub(crate) tool: Uuid,
    /// What they came to.
    pub(crate) sum: Sum,
}

fn query(readers: &Readers, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(readers.get_database_backend(), sql, values)
}

/// The calls of partners that came from `from_us` on and before `to_us` (microseconds since the Unix epoch). Reads every call
/// of that time: see [`super::counts::step`].
pub(crate) async fn partner_calls(
    readers: &Readers,
    from_us: i64,
    to_us: i64,
) -> Result<Vec<PartnerCalls>, StoreError> {
    let sql = format!(
        "SELECT partner_id, created_us - created_us % {DAY_US}, end_user_id, tool_id, count(*),
                CAST(sum(CASE WHEN charged > 0 THEN 1 ELSE 0 END) AS bigint), CAST(sum(charged) AS bigint)
         FROM invocation WHERE id >= $1 AND id < $2 AND partner_id IS NOT NULL GROUP BY 1, 2, 3, 4"
    );
    let rows = readers.query_all_raw(query(readers, &sql, [first_at(from_us).into(), first_at(to_us).into()])).await?;
    rows.iter()
        .map(|row| {
            let end_user: Option<Uuid> = row.try_get_by_index(2)?;
            let tool: Option<Uuid> = row.try_get_by_index(3)?;
            Ok(PartnerCalls {
                partner: row.try_get_by_index(0)?,
                day_us: row.try_get_by_index(1)?,
                end_user: end_user.unwrap_or_default(),
                tool: tool.unwrap_or_default(),
                sum: sum(row, 4)?,
            })
        })
        .collect()
}

fn sum(row: &QueryResult, at: usize) -> Result<Sum, StoreError> {
    Ok(Sum {
        calls: row.try_get_by_index(at)?,
        paid_calls: row.try_get_by_index(at.saturating_add(1))?,
        charged: row.try_get_by_index(at.saturating_add(2))?,
    })
}

/// The statement that adds to at most [`ROWS_ADDED_MAX`] sums, each of them once.
pub(crate) fn add(backend: DbBackend, rows: &[(Place, Sum)]) -> Statement {
    const COLUMNS: usize = 7;
    let mut values: Vec<Value> = Vec::with_capacity(rows.len().saturating_mul(COLUMNS));
    let mut groups = Vec::with_capacity(rows.len());
    for ((partner, kind, start_us, subject), sum) in rows {
        let first = values.len();
        let group: Vec<String> = (1..=COLUMNS).map(|column| format!("${}", first.saturating_add(column))).collect();
        groups.push(format!("({})", group.join(", ")));
        let row: [Value; COLUMNS] = [
            (*partner).into(),
            kind.raw().into(),
            (*start_us).into(),
            (*subject).into(),
            sum.calls.into(),
            sum.paid_calls.into(),
            sum.charged.into(),
        ];
        values.extend(row);
    }
    let sql = format!(
        "INSERT INTO partner_usage (partner_id, kind, start_us, subject_id, calls, paid_calls, charged) VALUES {}
         ON CONFLICT (partner_id, kind, start_us, subject_id) DO UPDATE SET
             calls = partner_usage.calls + excluded.calls,
             paid_calls = partner_usage.paid_calls + excluded.paid_calls,
             charged = partner_usage.charged + excluded.charged",
        groups.join(", ")
    );
    Statement::from_sql_and_values(backend, sql, values)
}

/// The statement that takes back what was counted from `from_us` on, which is the beginning of a month.
pub(crate) fn empty(backend: DbBackend, from_us: i64) -> Statement {
    let sql = "UPDATE partner_usage SET calls = 0, paid_calls = 0, charged = 0 WHERE start_us >= $1";
    Statement::from_sql_and_values(backend, sql, [from_us.into()])
}

/// A sum that was read: from when on, about whom or what, and how much.
pub(crate) type Found = (i64, Uuid, Sum);

fn found(row: &QueryResult) -> Result<Found, StoreError> {
    Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?, sum(row, 2)?))
}

/// The sums of a kind that begin from `from_us` on and before `to_us`, behind the one that begins at `after.0` and is about
/// `after.1`, the earliest first: at most `rows_max`. A range of the primary key.
pub(crate) async fn page(
    readers: &Readers,
    (partner, kind): (Uuid, Kind),
    (from_us, to_us): (i64, i64),
    after: (i64, Uuid),
    rows_max: i64,
) -> Result<Vec<Found>, StoreError> {
    let sql = "SELECT start_us, subject_id, calls, paid_calls, charged FROM partner_usage
               WHERE partner_id = $1 AND kind = $2 AND start_us >= $3 AND start_us < $4
                 AND (start_us, subject_id) > ($5, $6)
               ORDER BY start_us, subject_id LIMIT $7";
    let values: [Value; 7] = [
        partner.into(),
        kind.raw().into(),
        from_us.into(),
        to_us.into(),
        after.0.into(),
        after.1.into(),
        rows_max.into(),
    ];
    let rows = readers.query_all_raw(query(readers, sql, values)).await?;
    rows.iter().map(found).collect()
}

/// The sums of a kind about one subject that begin at these times, the earliest first: each by its primary key.
pub(crate) async fn of_subject(
    readers: &Readers,
    (partner, kind, subject): (Uuid, Kind, Uuid),
    starts_us: &[i64],
) -> Result<Vec<Found>, StoreError> {
    if starts_us.is_empty() {
        return Ok(Vec::new());
    }
    let places: Vec<String> = (0..starts_us.len()).map(|at| format!("${}", at.saturating_add(4))).collect();
    let sql = format!(
        "SELECT start_us, subject_id, calls, paid_calls, charged FROM partner_usage
         WHERE partner_id = $1 AND kind = $2 AND subject_id = $3 AND start_us IN ({}) ORDER BY start_us",
        places.join(", ")
    );
    let mut values: Vec<Value> = vec![partner.into(), kind.raw().into(), subject.into()];
    values.extend(starts_us.iter().map(|start_us| Value::from(*start_us)));
    let rows = readers.query_all_raw(query(readers, &sql, values)).await?;
    rows.iter().map(found).collect()
}

/// The months in which a partner's calls were counted, the latest first: at most `rows_max`.
pub(crate) async fn months(readers: &Readers, partner: Uuid, rows_max: i64) -> Result<Vec<Found>, StoreError> {
    let sql = "SELECT start_us, subject_id, calls, paid_calls, charged FROM partner_usage
               WHERE partner_id = $1 AND kind = $2 ORDER BY start_us DESC LIMIT $3";
    let values: [Value; 3] = [partner.into(), Kind::Month.raw().into(), rows_max.into()];
    let rows = readers.query_all_raw(query(readers, sql, values)).await?;
    rows.iter().map(found).collect()
}
