//! The rows of the audit trail, in the transaction of the unit that they tell of.

use rusqlite::params;

use super::books::{Books, SLOT};
use crate::audit::{AuditEntry, AuditHead};

impl Books {
    /// Writes `entries` behind the last row.
    pub(super) fn write_trail(&mut self, entries: &[AuditEntry], now_us: i64) -> rusqlite::Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        let mut head = self
            .connection
            .prepare_cached("SELECT seq, last_us, hash FROM audit_head WHERE slot = ?1")?
            .query_row([SLOT], |row| {
                Ok(AuditHead { slot: SLOT, seq: row.get(0)?, last_us: row.get(1)?, hash: row.get(2)? })
            })?;
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO audit (slot, seq, recorded_us, actor_kind, actor_id, method, credential, action, object_kind,
                                object_id, before_json, after_json, reason, request_id, prev_hash, hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
        )?;
        for entry in entries {
            let (row, hash) = head.add(entry, now_us);
            insert.execute(params![
                row.slot,
                row.seq,
                row.recorded_us,
                row.actor_kind,
                row.actor_id,
                row.method,
                row.credential,
                row.action,
                row.object_kind,
                row.object_id,
                row.before,
                row.after,
                row.reason,
                row.request_id,
                row.prev_hash,
                hash
            ])?;
        }
        self.connection
            .prepare_cached("UPDATE audit_head SET seq = ?2, last_us = ?3, hash = ?4 WHERE slot = ?1")?
            .execute(params![SLOT, head.seq, head.last_us, head.hash])
            .map(drop)
    }
}
