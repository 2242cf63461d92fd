//! Finds what bears a name in the books, each by an index of its own: its hold, how that ended, its transaction, and what
//! took that back.

use sea_orm::{ConnectionTrait as _, DbBackend, QueryResult, Value};
use uuid::Uuid;

use super::pages::{inconsistent, query};
use crate::{
    credits::Credits,
    id::EntryId,
    ledger::{
        LedgerAccountId,
        chain::BatchHeader,
        leaf::{Digest, Position, Settled},
    },
    store::{StoreError, readers::Readers},
};

/// A hold as its table has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldEntry {
    /// Its name.
    pub id: EntryId,
    /// Where it stands.
    pub position: Position,
    /// Whose money.
    pub wallet: LedgerAccountId,
    /// Who might get it.
    pub payee: LedgerAccountId,
    /// How much, in micro-credits.
    pub amount: Credits,
}

/// How a hold ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndedHold {
    /// Where that stands.
    pub position: Position,
    /// Which hold.
    pub hold: EntryId,
    /// How.
    pub settled: Settled,
    /// What was charged, in micro-credits; the rest went back.
    pub captured: Credits,
}

async fn position(readers: &Readers, sql: &str, values: Vec<Value>) -> Result<Option<Position>, StoreError> {
    let row = readers.query_one_raw(query(readers, sql, values)).await?;
    let read = |row: QueryResult| Ok(Position { slot: row.try_get_by_index(0)?, seq: row.try_get_by_index(1)? });
    row.map(read).transpose()
}

/// Where the transaction `id` stands, which is no charge of the hold of that name.
pub(crate) async fn find_transaction(readers: &Readers, id: EntryId) -> Result<Option<Position>, StoreError> {
    // The index of identifiers is found by the words of its own condition.
    let differs = if readers.get_database_backend() == DbBackend::Postgres { "IS DISTINCT FROM" } else { "IS NOT" };
    let sql = format!("SELECT slot, seq FROM txn WHERE id = $1 AND id {differs} hold_id");
    position(readers, &sql, vec![id.uuid().into()]).await
}

/// Where the charge stands that follows the end of its hold; `None` if nothing was charged.
pub(crate) async fn find_charge(readers: &Readers, ended: &EndedHold) -> Result<Option<Position>, StoreError> {
    let sql = "SELECT slot, seq FROM txn WHERE slot = $1 AND seq = $2 AND hold_id = $3";
    let Position { slot, seq } = ended.position;
    position(readers, sql, vec![slot.into(), seq.saturating_add(1).into(), ended.hold.uuid().into()]).await
}

/// The hold `id`.
pub(crate) async fn find_hold(readers: &Readers, id: EntryId) -> Result<Option<HeldEntry>, StoreError> {
    let sql = "SELECT slot, seq, wallet, payee, amount FROM hold WHERE id = $1";
    let row = readers.query_one_raw(query(readers, sql, [id.uuid().into()])).await?;
    let read = |row: QueryResult| {
        Ok(HeldEntry {
            id,
            position: Position { slot: row.try_get_by_index(0)?, seq: row.try_get_by_index(1)? },
            wallet: LedgerAccountId::from_raw(row.try_get_by_index(2)?),
            payee: LedgerAccountId::from_raw(row.try_get_by_index(3)?),
            amount: Credits::from_micros(row.try_get_by_index(4)?),
        })
    };
    row.map(read).transpose()
}

/// How the hold `id` ended; `None` if it is open, or no hold.
pub(crate) async fn find_end(readers: &Readers, id: EntryId) -> Result<Option<EndedHold>, StoreError> {
    let sql = "SELECT slot, seq, outcome, captured FROM hold_resolution WHERE hold_id = $1";
    let row = readers.query_one_raw(query(readers, sql, [id.uuid().into()])).await?;
    let read = |row: QueryResult| {
        let settled = Settled::from_raw(row.try_get_by_index(2)?);
        Ok(EndedHold {
            position: Position { slot: row.try_get_by_index(0)?, seq: row.try_get_by_index(1)? },
            hold: id,
            settled: settled.ok_or_else(|| inconsistent("hold_resolution", "outcome"))?,
            captured: Credits::from_micros(row.try_get_by_index(3)?),
        })
    };
    row.map(read).transpose()
}

/// Where at most `limit` transactions stand that take `id` back, the first ones.
pub(crate) async fn find_taken_back(readers: &Readers, id: EntryId, limit: i64) -> Result<Vec<Position>, StoreError> {
    let sql = "SELECT slot, seq FROM txn WHERE reverses = $1 ORDER BY slot, seq LIMIT $2";
    let rows = readers.query_all_raw(query(readers, sql, [id.uuid().into(), limit.into()])).await?;
    let read = |row: &QueryResult| Ok(Position { slot: row.try_get_by_index(0)?, seq: row.try_get_by_index(1)? });
    rows.iter().map(read).collect()
}

/// The header of a batch, with the hash that is stored for it.
pub(crate) async fn find_batch(
    readers: &Readers,
    slot: i64,
    batch_no: i64,
) -> Result<Option<(BatchHeader, Digest)>, StoreError> {
    let sql =
        "SELECT epoch, first_seq, n_entry, n_posting, total, recorded_us, client_batch_id, merkle_root, prev_hash,
                      hash
               FROM batch WHERE slot = $1 AND batch_no = $2";
    let row = readers.query_one_raw(query(readers, sql, [slot.into(), batch_no.into()])).await?;
    let Some(row) = row else { return Ok(None) };
    let digest = |index: usize, name: &'static str| {
        let bytes: Vec<u8> = row.try_get_by_index(index)?;
        Digest::try_from(bytes).map_err(|_length| inconsistent("batch", name))
    };
    let header = BatchHeader {
        slot,
        batch_no,
        epoch: row.try_get_by_index(0)?,
        first_seq: row.try_get_by_index(1)?,
        entries: row.try_get_by_index(2)?,
        postings: row.try_get_by_index(3)?,
        total: row.try_get_by_index(4)?,
        recorded_us: row.try_get_by_index(5)?,
        client_batch: row.try_get_by_index::<Uuid>(6)?,
        root: digest(7, "merkle_root")?,
        prev_hash: digest(8, "prev_hash")?,
    };
    Ok(Some((header, digest(9, "hash")?)))
}
