//! Namespaces as operators go through them. Every server holds the whole catalog in memory, so the table is small: it is walked
//! along its primary key, and only of what stands on a page the columns are read. Long texts are not among them.

use sea_orm::{ConnectionTrait as _, DbBackend, QueryResult, Statement, Value};
use uuid::Uuid;

use super::{
    StoreError,
    overview::{COUNTED_MAX, Counted},
    readers::Readers,
};
use crate::catalog::named_values;

named_values! {
    /// Which namespaces are wanted.
    ListingFilter {
        /// Those that wait for an operator.
        Waiting = "waiting",
        /// Those of them that are new.
        New = "new",
        /// Those of them that are in public, and are to change.
        Changes = "changes",
        /// Being written.
        Draft = "draft",
        /// In public.
        Active = "active",
        /// Stopped by their publisher or an operator.
        Suspended = "suspended",
        /// All of them.
        Any = "any",
    }
}

/// A namespace in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListingRow {
    /// Which.
    pub(crate) id: Uuid,
    /// The slug.
    pub(crate) name: String,
    /// Its title.
    pub(crate) listing_name: Option<String>,
    /// Whose.
    pub(crate) publisher: Uuid,
    /// What that is called for people.
    pub(crate) publisher_name: String,
    /// How far it has come, as it is stored.
    pub(crate) status: String,
    /// It is stopped.
    pub(crate) is_suspended: bool,
    /// Something of it waits for an operator.
    pub(crate) is_waiting: bool,
    /// When what waits was handed in, in microseconds since the Unix epoch.
    pub(crate) submitted_us: Option<i64>,
    /// When it was made, in microseconds since the Unix epoch.
    pub(crate) created_us: i64,
}

/// What waits for an operator. A draft is JSON that this program has written without spaces; in a text of a publisher the
/// quotes have backslashes before them.
const WAITING: &str = "NOT n.is_suspended AND (n.status = 'review'
    OR n.status = 'active' AND n.draft_listing LIKE '%\"submitted\":true%')";

fn condition(wanted: ListingFilter) -> String {
    match wanted {
        ListingFilter::Waiting => WAITING.to_owned(),
        ListingFilter::New => format!("{WAITING} AND n.status = 'review'"),
        ListingFilter::Changes => format!("{WAITING} AND n.status = 'active'"),
        ListingFilter::Draft => "NOT n.is_suspended AND n.status = 'draft'".to_owned(),
        ListingFilter::Active => "NOT n.is_suspended AND n.status = 'active'".to_owned(),
        ListingFilter::Suspended => "n.is_suspended".to_owned(),
        ListingFilter::Any => "1 = 1".to_owned(),
    }
}

/// When it was handed in: a member of the draft.
fn submitted_us(readers: &Readers) -> &'static str {
    match readers.get_database_backend() {
        DbBackend::Postgres => "CAST(CAST(n.draft_listing AS json) ->> 'submitted_us' AS bigint)",
        _ => "CAST(json_extract(n.draft_listing, '$.submitted_us') AS bigint)",
    }
}

fn query(readers: &Readers, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(readers.get_database_backend(), sql, values)
}

/// The newest namespaces that are `wanted` and were made before the one named `before`, at most `count_max`. Served by the
/// primary keys.
pub(crate) async fn list(
    readers: &Readers,
    wanted: ListingFilter,
    before: Uuid,
    count_max: i64,
) -> Result<Vec<ListingRow>, StoreError> {
    let sql = format!(
        "SELECT n.id, n.name, n.listing_name, n.publisher_id, p.display_name, n.status,
                CAST(CASE WHEN n.is_suspended THEN 1 ELSE 0 END AS bigint),
                CAST(CASE WHEN {WAITING} THEN 1 ELSE 0 END AS bigint), {}, n.created_us
         FROM namespace n JOIN publisher p ON p.id = n.publisher_id
         WHERE n.id < $1 AND ({}) ORDER BY n.id DESC LIMIT $2",
        submitted_us(readers),
        condition(wanted),
    );
    let rows = readers.query_all_raw(query(readers, &sql, [before.into(), count_max.into()])).await?;
    let read = |row: &QueryResult| {
        Ok(ListingRow {
            id: row.try_get_by_index(0)?,
            name: row.try_get_by_index(1)?,
            listing_name: row.try_get_by_index(2)?,
            publisher: row.try_get_by_index(3)?,
            publisher_name: row.try_get_by_index(4)?,
            status: row.try_get_by_index(5)?,
            is_suspended: row.try_get_by_index::<i64>(6)? == 1,
            is_waiting: row.try_get_by_index::<i64>(7)? == 1,
            submitted_us: row.try_get_by_index(8)?,
            created_us: row.try_get_by_index(9)?,
        })
    };
    rows.iter().map(read).collect()
}

/// How many wait for an operator, and since when the first of them does.
pub(crate) async fn waiting(readers: &Readers) -> Result<Counted, StoreError> {
    let sql = format!(
        "SELECT count(*), min(submitted_us)
         FROM (SELECT {} AS submitted_us FROM namespace n WHERE {WAITING} LIMIT $1) AS waiting",
        submitted_us(readers),
    );
    let row = readers.query_one_raw(query(readers, &sql, [COUNTED_MAX.into()])).await?;
    let read = |row: QueryResult| -> Result<Counted, StoreError> {
        Ok(Counted { count: row.try_get_by_index(0)?, value: row.try_get_by_index(1)? })
    };
    row.map(read).transpose().map(Option::unwrap_or_default)
}
