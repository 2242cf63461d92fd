//! What the books and the keys say of one call. A call's hold, settlement and charge bear its identifier, so everything is
//! found by a key.

use sea_orm::{ConnectionTrait as _, QueryResult, Statement, Value};
use uuid::Uuid;

use super::{StoreError, readers::Readers};

fn query(readers: &Readers, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(readers.get_database_backend(), sql, values)
}

/// A hold as it was placed. Amounts are micro-credits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HoldRow {
    pub(crate) slot: i64,
    pub(crate) seq: i64,
    pub(crate) recorded_us: i64,
    pub(crate) wallet: i64,
    pub(crate) payee: i64,
    pub(crate) amount: i64,
    pub(crate) publisher_bps: i64,
    pub(crate) partner_bps: i64,
    pub(crate) expiry_capture: Option<i64>,
    /// Nobody has settled it.
    pub(crate) is_open: bool,
    /// Until when, where that is said.
    pub(crate) expires_us: Option<i64>,
}

/// The hold with this identifier.
pub(crate) async fn hold(readers: &Readers, id: Uuid) -> Result<Option<HoldRow>, StoreError> {
    let sql = "SELECT h.slot, h.seq, b.recorded_us, h.wallet, h.payee, h.amount,
                      CAST(h.publisher_bps AS bigint), CAST(h.partner_bps AS bigint), h.expiry_capture,
                      o.hold_id, o.expires_us
               FROM hold h JOIN batch b ON b.slot = h.slot AND b.batch_no = h.batch_no
               LEFT JOIN open_hold o ON o.hold_id = h.id WHERE h.id = $1";
    let row = readers.query_one_raw(query(readers, sql, [id.into()])).await?;
    let read = |row: QueryResult| -> Result<HoldRow, StoreError> {
        let open: Option<Uuid> = row.try_get_by_index(9)?;
        Ok(HoldRow {
            slot: row.try_get_by_index(0)?,
            seq: row.try_get_by_index(1)?,
            recorded_us: row.try_get_by_index(2)?,
            wallet: row.try_get_by_index(3)?,
            payee: row.try_get_by_index(4)?,
            amount: row.try_get_by_index(5)?,
            publisher_bps: row.try_get_by_index(6)?,
            partner_bps: row.try_get_by_index(7)?,
            expiry_capture: row.try_get_by_index(8)?,
            is_open: open.is_some(),
            expires_us: row.try_get_by_index(10)?,
        })
    };
    row.map(read).transpose()
}

/// How a hold ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SettlementRow {
    pub(crate) slot: i64,
    pub(crate) seq: i64,
    pub(crate) recorded_us: i64,
    pub(crate) outcome: i16,
    /// Micro-credits.
    pub(crate) captured: i64,
}

/// The end of the hold with this identifier.
pub(crate) async fn settlement(readers: &Readers, hold: Uuid) -> Result<Option<SettlementRow>, StoreError> {
    let sql = "SELECT r.slot, r.seq, b.recorded_us, CAST(r.outcome AS bigint), r.captured
               FROM hold_resolution r JOIN batch b ON b.slot = r.slot AND b.batch_no = r.batch_no
               WHERE r.hold_id = $1";
    let row = readers.query_one_raw(query(readers, sql, [hold.into()])).await?;
    let read = |row: QueryResult| -> Result<SettlementRow, StoreError> {
        let outcome: i64 = row.try_get_by_index(3)?;
        Ok(SettlementRow {
            slot: row.try_get_by_index(0)?,
            seq: row.try_get_by_index(1)?,
            recorded_us: row.try_get_by_index(2)?,
            outcome: i16::try_from(outcome).unwrap_or(-1),
            captured: row.try_get_by_index(4)?,
        })
    };
    row.map(read).transpose()
}

/// A transaction of the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TransactionRow {
    pub(crate) id: Uuid,
    pub(crate) slot: i64,
    pub(crate) seq: i64,
    pub(crate) kind: i16,
    pub(crate) recorded_us: i64,
}

const TRANSACTION: &str = "SELECT t.id, t.slot, t.seq, CAST(t.kind AS bigint), b.recorded_us
    FROM txn t JOIN batch b ON b.slot = t.slot AND b.batch_no = t.batch_no";

fn transaction(row: &QueryResult) -> Result<TransactionRow, StoreError> {
    let kind: i64 = row.try_get_by_index(3)?;
    Ok(TransactionRow {
        id: row.try_get_by_index(0)?,
        slot: row.try_get_by_index(1)?,
        seq: row.try_get_by_index(2)?,
        kind: i16::try_from(kind).unwrap_or(-1),
        recorded_us: row.try_get_by_index(4)?,
    })
}

/// The charge of a hold: it stands right behind its settlement.
pub(crate) async fn charge(
    readers: &Readers,
    hold: Uuid,
    settlement: &SettlementRow,
) -> Result<Option<TransactionRow>, StoreError> {
    let sql = format!("{TRANSACTION} WHERE t.slot = $1 AND t.seq = $2 AND t.hold_id = $3");
    let values = [settlement.slot.into(), settlement.seq.saturating_add(1).into(), hold.into()];
    readers.query_one_raw(query(readers, &sql, values)).await?.as_ref().map(transaction).transpose()
}

/// What took the transaction with this identifier back, or a part of it: the oldest `count_max`, by the index of what is
/// taken back.
pub(crate) async fn taken_back(readers: &Readers, id: Uuid, count_max: i64) -> Result<Vec<TransactionRow>, StoreError> {
    let sql = format!("{TRANSACTION} WHERE t.reverses = $1 ORDER BY t.slot, t.seq LIMIT $2");
    let rows = readers.query_all_raw(query(readers, &sql, [id.into(), count_max.into()])).await?;
    rows.iter().map(transaction).collect()
}

/// One posting with the names of its accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PostingRow {
    pub(crate) debit_code: String,
    pub(crate) credit_code: String,
    pub(crate) credit_kind: i16,
    /// Micro-credits.
    pub(crate) amount: i64,
}

/// The postings of an entry, at most `count_max`.
pub(crate) async fn postings(
    readers: &Readers,
    (slot, seq): (i64, i64),
    count_max: i64,
) -> Result<Vec<PostingRow>, StoreError> {
    let sql = "SELECT d.code, c.code, CAST(c.kind AS bigint), p.amount
               FROM posting p JOIN ledger_account d ON d.id = p.debit JOIN ledger_account c ON c.id = p.credit
               WHERE p.slot = $1 AND p.seq = $2 ORDER BY p.ord LIMIT $3";
    let rows = readers.query_all_raw(query(readers, sql, [slot.into(), seq.into(), count_max.into()])).await?;
    let read = |row: &QueryResult| {
        let kind: i64 = row.try_get_by_index(2)?;
        Ok(PostingRow {
            debit_code: row.try_get_by_index(0)?,
            credit_code: row.try_get_by_index(1)?,
            credit_kind: i16::try_from(kind).unwrap_or(-1),
            amount: row.try_get_by_index(3)?,
        })
    };
    rows.iter().map(read).collect()
}

/// Of a hold: the grants that it reserved from, with their amounts in micro-credits.
pub(crate) async fn sources(readers: &Readers, hold: &HoldRow) -> Result<Vec<(Uuid, i64)>, StoreError> {
    let sql = "SELECT grant_id, amount FROM hold_source WHERE slot = $1 AND seq = $2 ORDER BY ord";
    let rows = readers.query_all_raw(query(readers, sql, [hold.slot.into(), hold.seq.into()])).await?;
    rows.iter().map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))).collect()
}

/// What stands under an idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyRow {
    /// The call that has it.
    pub(crate) call: Uuid,
    /// When it was claimed.
    pub(crate) created_us: i64,
    /// The HTTP status of the answer, once there is one.
    pub(crate) status: Option<i64>,
}

/// What stands under `key` in `scope`, if it is remembered.
pub(crate) async fn key(readers: &Readers, scope: Uuid, key: &str) -> Result<Option<KeyRow>, StoreError> {
    let sql = "SELECT call, created_us, CAST(status AS bigint) FROM idem
               WHERE scope = $1 AND key = $2";
    let row = readers.query_one_raw(query(readers, sql, [scope.into(), key.into()])).await?;
    let read = |row: QueryResult| -> Result<KeyRow, StoreError> {
        Ok(KeyRow {
            call: row.try_get_by_index(0)?,
            created_us: row.try_get_by_index(1)?,
            status: row.try_get_by_index(2)?,
        })
    };
    row.map(read).transpose()
}
