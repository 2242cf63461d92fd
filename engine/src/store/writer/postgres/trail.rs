//! The rows of the audit trail, in the transaction of the unit that they tell of. Every slot has a chain of its own and one
//! owner, so no server waits for another; an owner that lost its slot is found out when the unit is committed.

use sea_orm::sqlx::{self, Row as _};

use super::session::{Session, Trouble};
use crate::{
    audit::{AuditEntry, AuditHead, AuditRow},
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
    let rows: Vec<(AuditRow, Digest)> = entries.iter().map(|entry| head.add(entry, now_us)).collect();
    // All rows in one round trip, by one text: a batch may let hundreds of grants lapse.
    sqlx::query(
        "INSERT INTO audit (slot, seq, recorded_us, actor_kind, actor_id, method, credential, action, object_kind,
                            object_id, before_json, after_json, reason, request_id, prev_hash, hash)
         SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                                  $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[],
                                  $15::bytea[], $16::bytea[])",
    )
    .bind(slot)
    .bind(column(&rows, |row, _| row.seq))
    .bind(column(&rows, |row, _| row.recorded_us))
    .bind(column(&rows, |row, _| row.actor_kind.clone()))
    .bind(column(&rows, |row, _| row.actor_id.clone()))
    .bind(column(&rows, |row, _| row.method.clone()))
    .bind(column(&rows, |row, _| row.credential.clone()))
    .bind(column(&rows, |row, _| row.action.clone()))
    .bind(column(&rows, |row, _| row.object_kind.clone()))
    .bind(column(&rows, |row, _| row.object_id.clone()))
    .bind(column(&rows, |row, _| row.before.clone()))
    .bind(column(&rows, |row, _| row.after.clone()))
    .bind(column(&rows, |row, _| row.reason.clone()))
    .bind(column(&rows, |row, _| row.request_id.clone()))
    .bind(column(&rows, |row, _| row.prev_hash.to_vec()))
    .bind(column(&rows, |_, hash| hash.to_vec()))
    .execute(session.connection())
    .await?;
    sqlx::query("UPDATE audit_head SET seq = $2, last_us = $3, hash = $4 WHERE slot = $1")
        .bind(slot)
        .bind(head.seq)
        .bind(head.last_us)
        .bind(head.hash.to_vec())
        .execute(session.connection())
        .await?;
    Ok(())
}

fn column<T>(rows: &[(AuditRow, Digest)], value: impl Fn(&AuditRow, &Digest) -> T) -> Vec<T> {
    rows.iter().map(|(row, hash)| value(row, hash)).collect()
}
