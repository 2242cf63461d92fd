//! Slots: a process writes in one as long as its lease lasts. The lease only keeps servers out of each other's way; what
//! fences an old owner off is the term (`epoch`), which every batch compares.

use sea_orm::sqlx::{self, Row as _, postgres::PgRow};

use super::session::{Session, Trouble};
use crate::ledger::{chain::ChainHead, leaf::Digest};

/// How long a lease lasts without being renewed, in microseconds. Every batch and every tick renews it.
pub(super) const LEASE_US: i64 = 3_000_000;

/// The database's clock in microseconds since the Unix epoch: leases must mean the same to servers whose clocks differ.
const NOW_US: &str = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

/// Takes a free slot, in a new term.
pub(super) async fn take(session: &mut Session) -> Result<Option<ChainHead>, Trouble> {
    let sql = format!(
        "UPDATE chain_head SET epoch = epoch + 1, owner = gen_random_uuid(), lease_until_us = {NOW_US} + $1
         WHERE slot = (SELECT slot FROM chain_head WHERE lease_until_us < {NOW_US}
                       ORDER BY slot LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING slot, epoch, batch_no, seq, last_us, hash"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(LEASE_US).fetch_optional(session.connection()).await?;
    row.map(|row| head_from(&row)).transpose()
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

/// Where the chain of `head`'s slot stands now, in whatever term.
pub(super) async fn read(session: &mut Session, slot: i64) -> Result<ChainHead, Trouble> {
    let row = sqlx::query("SELECT slot, epoch, batch_no, seq, last_us, hash FROM chain_head WHERE slot = $1")
        .bind(slot)
        .fetch_one(session.connection())
        .await?;
    head_from(&row)
}

fn head_from(row: &PgRow) -> Result<ChainHead, Trouble> {
    let hash: Vec<u8> = row.try_get(5)?;
    Ok(ChainHead {
        slot: row.try_get(0)?,
        epoch: row.try_get(1)?,
        batch_no: row.try_get(2)?,
        seq: row.try_get(3)?,
        last_us: row.try_get(4)?,
        hash: Digest::try_from(hash)
            .map_err(|_long| Trouble::Refused("a chain's head has a damaged hash".to_owned()))?,
    })
}
