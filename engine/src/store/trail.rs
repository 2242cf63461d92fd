//! How far back a list of the audit trail looks, and what a word in its filter means.

use sea_orm::{ConnectionTrait as _, Statement, Value};

use super::{StoreError, readers::Readers};

/// A place in the trail: when (in microseconds since the Unix epoch), in which slot, under which number.
pub(crate) type TrailPlace = (i64, i64, i64);

fn query(readers: &Readers, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(readers.get_database_backend(), sql, values)
}

/// The last of the `rows_max` newest rows before `below` and not before `from_us`, if there are more behind it; `None` if all
/// of them are among those. Reads `rows_max` entries of the index of times.
pub(crate) async fn floor(
    readers: &Readers,
    from_us: i64,
    below: TrailPlace,
    rows_max: i64,
) -> Result<Option<TrailPlace>, StoreError> {
    let newest = "SELECT recorded_us, slot, seq FROM audit
                  WHERE recorded_us >= $1 AND (recorded_us, slot, seq) < ($2, $3, $4)
                  ORDER BY recorded_us DESC, slot DESC, seq DESC";
    let values = |(at_us, slot, seq): TrailPlace, limit: i64| [from_us, at_us, slot, seq, limit].map(Value::from);
    let last = format!(
        "SELECT recorded_us, slot, seq FROM ({newest} LIMIT $5) AS newest ORDER BY recorded_us, slot, seq LIMIT 1"
    );
    let row = readers.query_one_raw(query(readers, &last, values(below, rows_max))).await?;
    let Some(row) = row else { return Ok(None) };
    let last = (row.try_get_by_index(0)?, row.try_get_by_index(1)?, row.try_get_by_index(2)?);
    let more = format!("{newest} LIMIT $5");
    let more = readers.query_one_raw(query(readers, &more, values(last, 1))).await?;
    Ok(more.map(|_row| last))
}

/// Whether the trail tells of an object with this identifier. Served by the index of objects.
pub(crate) async fn has_object(readers: &Readers, id: &str) -> Result<bool, StoreError> {
    let sql = "SELECT slot FROM audit WHERE object_id = $1 LIMIT 1";
    Ok(readers.query_one_raw(query(readers, sql, [id.into()])).await?.is_some())
}
