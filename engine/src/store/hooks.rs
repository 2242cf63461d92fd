//! What is due for webhooks: of everybody a little, so that one with much does not stand before the others.

use sea_orm::{ConnectionTrait as _, Statement, Value};
use uuid::Uuid;

use super::{StoreError, readers::Readers};

/// The deliveries that are due at `now_us` (microseconds since the Unix epoch), at most `each_max` for each webhook and
/// `rows_max` together, without those for the webhooks `without`: everybody's oldest first, then everybody's second. Reads all
/// that is due along `webhook_delivery_due`.
pub(crate) async fn due(
    readers: &Readers,
    now_us: i64,
    without: &[Uuid],
    (each_max, rows_max): (i64, i64),
) -> Result<Vec<Uuid>, StoreError> {
    let mut values: Vec<Value> = vec![now_us.into(), each_max.into(), rows_max.into()];
    let mut left_out = String::new();
    if !without.is_empty() {
        let first = values.len().saturating_add(1);
        let places: Vec<String> = (first..).take(without.len()).map(|place| format!("${place}")).collect();
        left_out = format!("AND webhook_id NOT IN ({})", places.join(", "));
        values.extend(without.iter().map(|id| Value::from(*id)));
    }
    let sql = format!(
        "SELECT id FROM (SELECT id, next_us, row_number() OVER (PARTITION BY webhook_id ORDER BY next_us, id) AS turn
                         FROM webhook_delivery WHERE state = 'queued' AND next_us <= $1 {left_out}) AS due
         WHERE turn <= $2 ORDER BY turn, next_us, id LIMIT $3"
    );
    let statement = Statement::from_sql_and_values(readers.get_database_backend(), &sql, values);
    let rows = readers.query_all_raw(statement).await?;
    rows.iter().map(|row| Ok(row.try_get_by_index(0)?)).collect()
}
