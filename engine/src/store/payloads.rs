//! What calls carried, as it is written.

use sea_orm::{DbBackend, Statement, Value};
use uuid::Uuid;

use super::entity::payload;

/// The statement that keeps what a call of this end user carried, unless the end user is erased. Of two servers, the one that
/// erases and the one that writes wait for each other: whoever comes second sees what the first one did.
///
/// An earlier try may have been committed without anybody hearing of it.
pub(crate) fn insert_of(backend: DbBackend, row: payload::Model, end_user: Uuid) -> Statement {
    let lock = match backend {
        DbBackend::Postgres => "FOR SHARE",
        // There is one writer.
        _ => "",
    };
    let sql = format!(
        "INSERT INTO payload (call, arguments, arguments_bytes, answer, answer_bytes, until_us, end_user_id)
         SELECT $1, $2, $3, $4, $5, $6, id FROM end_user WHERE id = $7 AND erased_us IS NULL {lock}
         ON CONFLICT (call) DO NOTHING"
    );
    let values: [Value; 7] = [
        row.call.into(),
        row.arguments.into(),
        row.arguments_bytes.into(),
        row.answer.into(),
        row.answer_bytes.into(),
        row.until_us.into(),
        end_user.into(),
    ];
    Statement::from_sql_and_values(backend, sql, values)
}
