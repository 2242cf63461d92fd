//! The rows of the audit trail, in the transaction of the unit that they tell of. Every slot has a chain of its own and one
//! owner, so no server waits for another; an owner that lost its slot is found out when the unit is committed.

use sea_orm::sqlx::{self, Row as _};

use super::session::{Session, Trouble};
use crate::{
    audit::{AuditEntry, AuditHead},
    ledger::leaf::Digest,
};

/// Writes `entries` behind the last row of `slot`.
pub(super) async fn write_trail(
    session: &mut Session,
    slot: i64,
    entries: &[AuditEntry],
    now_us: i64,
) -> Result<(), Trouble> {
    if entries.is_empty() {
        return Ok(());
    }
    // Locked until the commit: a former owner whose last unit is still on its way is waited for.
    let row = sqlx::query("SELECT seq, last_us, hash FROM audit_head WHERE slot = $1 FOR UPDATE")
        .bind(slot)
        .fetch_one(session.connection())
        .await?;
    let hash = Digest::try_from(row.try_get::<Vec<u8>, _>(2)?)
        .map_err(|_long| Trouble::Refused("the audit trail's head has a damaged hash".to_owned()))?;
    let mut head = AuditHead { slot, seq: row.try_get(0)?, last_us: row.try_get(1)?, hash };
    for entry in entries {
        let (row, hash) = head.add(entry, now_us);
        sqlx::query(
            "INSERT INTO audit (slot, seq, recorded_us, actor_kind, actor_id, method, credential, action, object_kind,
                                object_id, before_json, after_json, reason, request_id, prev_hash, hash)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        )
        .bind(row.slot)
        .bind(row.seq)
        .bind(row.recorded_us)
        .bind(row.actor_kind)
        .bind(row.actor_id)
        .bind(row.method)
        .bind(row.credential)
        .bind(row.action)
        .bind(row.object_kind)
        .bind(row.object_id)
        .bind(row.before)
        .bind(row.after)
        .bind(row.reason)
        .bind(row.request_id)
        .bind(row.prev_hash.to_vec())
        .bind(hash.to_vec())
        .execute(session.connection())
        .await?;
    }
    sqlx::query("UPDATE audit_head SET seq = $2, last_us = $3, hash = $4 WHERE slot = $1")
        .bind(slot)
        .bind(head.seq)
        .bind(head.last_us)
        .bind(head.hash.to_vec())
        .execute(session.connection())
        .await?;
    Ok(())
}
