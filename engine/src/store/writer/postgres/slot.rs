//! Slots: a process writes in one as long as its lease lasts. The lease only keeps servers out of each other's way; what
//! fences an old owner off is the term (`epoch`), which every batch compares.
//!
//! Within a term the owner's name fences off statements that were sent over a lost connection and may still be carried
//! out: it is changed before anybody asks whether they were.

use sea_orm::sqlx::{self, Row as _, postgres::PgRow};
use uuid::Uuid;

use super::session::{Session, Trouble};
use crate::ledger::{chain::ChainHead, leaf::Digest};

/// How long a lease lasts without being renewed, in microseconds. Every batch and every tick renews it.
pub(super) const LEASE_US: i64 = 3_000_000;

/// The database's clock in microseconds since the Unix epoch: leases must mean the same to servers whose clocks differ.
const NOW_US: &str = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

/// A slot as one process has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    /// Where its chain stands.
    pub(super) head: ChainHead,
    /// The owner's name at the moment.
    pub(super) owner: Uuid,
}

/// Takes the slot that has been free for longest, in a new term: after the database was away, the owners of others may
/// only not have been able to renew their leases.
pub(super) async fn take(session: &mut Session) -> Result<Option<Slot>, Trouble> {
    let sql = format!(
        "UPDATE chain_head SET epoch = epoch + 1, owner = gen_random_uuid(), lease_until_us = {NOW_US} + $1
         WHERE slot = (SELECT slot FROM chain_head WHERE lease_until_us < {NOW_US}
                       ORDER BY lease_until_us, slot LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING slot, epoch, batch_no, seq, last_us, hash, owner"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(LEASE_US).fetch_optional(session.connection()).await?;
    row.map(|row| slot_from(&row)).transpose()
}

/// Renews the lease while nothing can be written.
pub(super) async fn renew(session: &mut Session, head: &ChainHead) -> Result<(), Trouble> {
    let sql = format!("UPDATE chain_head SET lease_until_us = {NOW_US} + $1 WHERE slot = $2 AND epoch = $3");
    sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(LEASE_US)
        .bind(head.slot)
        .bind(head.epoch)
        .execute(session.connection())
        .await?;
    Ok(())
}

/// Gives the slot back, so that the next server need not wait for the lease.
pub(super) async fn give_back(session: &mut Session, head: &ChainHead) -> Result<(), Trouble> {
    sqlx::query("UPDATE chain_head SET lease_until_us = 0, owner = NULL WHERE slot = $1 AND epoch = $2")
        .bind(head.slot)
        .bind(head.epoch)
        .execute(session.connection())
        .await?;
    Ok(())
}

/// Gives the owner of `slot` in its term `epoch` a new name: no statement that names the old one will be carried out any
/// more. Waits for one that is at it. Returns the new name and that of the last write; `None` if somebody else has the
/// slot.
pub(super) async fn rename_owner(
    session: &mut Session,
    slot: i64,
    epoch: i64,
) -> Result<Option<(Uuid, Option<Uuid>)>, Trouble> {
    let sql =
        "UPDATE chain_head SET owner = gen_random_uuid() WHERE slot = $1 AND epoch = $2 RETURNING owner, last_write";
    let row = sqlx::query(sql).bind(slot).bind(epoch).fetch_optional(session.connection()).await?;
    row.map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).transpose()
}

/// How slot number `slot` stands now, in whatever term.
pub(super) async fn read(session: &mut Session, slot: i64) -> Result<Slot, Trouble> {
    let sql = "SELECT slot, epoch, batch_no, seq, last_us, hash, coalesce(owner, gen_random_uuid()) FROM chain_head
               WHERE slot = $1";
    let row = sqlx::query(sql).bind(slot).fetch_one(session.connection()).await?;
    slot_from(&row)
}

fn slot_from(row: &PgRow) -> Result<Slot, Trouble> {
    let hash: Vec<u8> = row.try_get(5)?;
    let head = ChainHead {
        slot: row.try_get(0)?,
        epoch: row.try_get(1)?,
        batch_no: row.try_get(2)?,
        seq: row.try_get(3)?,
        last_us: row.try_get(4)?,
        hash: Digest::try_from(hash)
            .map_err(|_long| Trouble::Refused("a chain's head has a damaged hash".to_owned()))?,
    };
    Ok(Slot { head, owner: row.try_get(6)? })
}
