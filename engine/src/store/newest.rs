//! How far back a list looks that no index serves.

use sea_orm::{ConnectionTrait as _, Statement, Value};
use uuid::Uuid;

use super::{StoreError, readers::Readers};

/// The last of the `rows_max` newest rows of `table` before `below` and not before `from` (identifiers in their order), if
/// there are more behind it; `None` if all of them are among those. Reads `rows_max` entries of the primary key.
pub(crate) async fn floor(
    readers: &Readers,
    table: &'static str,
    (from, below): (Uuid, Uuid),
    rows_max: i64,
) -> Result<Option<Uuid>, StoreError> {
    let query =
        |sql: &str, values: Vec<Value>| Statement::from_sql_and_values(readers.get_database_backend(), sql, values);
    let rows = format!("SELECT id FROM {table} WHERE id < $1 AND id >= $2 ORDER BY id DESC");
    let last = format!("SELECT id FROM ({rows} LIMIT $3) AS newest ORDER BY id LIMIT 1");
    let row = readers.query_one_raw(query(&last, vec![below.into(), from.into(), rows_max.into()])).await?;
    let Some(row) = row else { return Ok(None) };
    let last: Uuid = row.try_get_by_index(0)?;
    let more = readers.query_one_raw(query(&format!("{rows} LIMIT 1"), vec![last.into(), from.into()])).await?;
    Ok(more.map(|_row| last))
}
