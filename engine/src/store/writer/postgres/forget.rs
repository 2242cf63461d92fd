//! Idempotency keys whose day is over, and the answers that were stored for them.

use sea_orm::sqlx;

use super::session::{Session, Trouble};
use crate::ledger::key::KEY_TTL_US;

/// How many expired keys one transaction forgets.
pub(super) const FORGOTTEN_MAX: i64 = 1_024;

/// Forgets the oldest keys whose day is over, and their answers. A running call keeps its key however old. Returns how
/// many keys it looked at.
pub(super) async fn forget_expired(session: &mut Session, now_us: i64) -> Result<u64, Trouble> {
    let looked_at = sqlx::query_scalar::<_, i64>(
        "WITH old AS (SELECT scope, key FROM idem WHERE created_us <= $1 AND state <> 1
                      ORDER BY created_us LIMIT $2 FOR UPDATE SKIP LOCKED),
              gone AS (DELETE FROM idem i USING old WHERE i.scope = old.scope AND i.key = old.key RETURNING i.call),
              wiped AS (DELETE FROM idem_answer a USING gone WHERE a.call = gone.call)
         SELECT count(*) FROM old",
    )
    .bind(now_us.saturating_sub(KEY_TTL_US))
    .bind(FORGOTTEN_MAX)
    .fetch_one(session.connection())
    .await?;
    Ok(looked_at.unsigned_abs())
}
