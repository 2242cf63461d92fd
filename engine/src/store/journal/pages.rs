//! Reads the journal a page at a time, the newest entries first. Every statement follows a primary key; what no index
//! answers is looked for in a stretch of entries and no further.

use sea_orm::{ConnectionTrait as _, QueryResult, Statement, Value};

use crate::{
    credits::Credits,
    id::EntryId,
    ledger::{
        LedgerAccountId, Leg, TransactionKind,
        export::DAY_US,
        leaf::{Digest, Position, TransactionEntry},
    },
    store::{StoreError, periods::Head, readers::Readers},
};

/// A place in the journal of all slots: later ones are greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// When it was recorded, in microseconds since the Unix epoch.
    pub(crate) recorded_us: i64,
    /// Where in its slot.
    pub(crate) position: Position,
}

/// A transaction as its tables have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TransactionRow {
    /// Where it stands.
    pub(crate) place: Place,
    /// Its batch.
    pub(crate) batch_no: i64,
    /// What it says. Of a transaction that was found for one account, the postings stand elsewhere.
    pub(crate) entry: TransactionEntry,
}

/// What a transaction did to one account, in micro-credits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MovedRow {
    /// The transaction, without its postings.
    pub(crate) transaction: TransactionRow,
    /// What left the account.
    pub(crate) debits: i64,
    /// What came in.
    pub(crate) credits: i64,
}

/// What all transactions of one kind that count for one day did to some accounts together, in micro-credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DayRow {
    /// When the day began, in microseconds since the Unix epoch.
    pub(crate) day_us: i64,
    /// Why money moved.
    pub(crate) kind: TransactionKind,
    /// What left the accounts.
    pub(crate) debits: i64,
    /// What came in.
    pub(crate) credits: i64,
}

/// Entries of a slot, from `from` to before `before`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    /// The slot.
    pub(crate) slot: i64,
    /// The first one.
    pub(crate) from: i64,
    /// The first one after it.
    pub(crate) before: i64,
}

pub(super) fn inconsistent(table: &'static str, what: impl ToString) -> StoreError {
    StoreError::Inconsistent { table, what: what.to_string() }
}

pub(super) fn query(readers: &Readers, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(readers.get_database_backend(), sql, values)
}

/// A digest of a column that may be absent.
fn optional_digest(row: &QueryResult, index: usize) -> Result<Option<Digest>, StoreError> {
    let bytes: Option<Vec<u8>> = row.try_get_by_index(index)?;
    let digest = |bytes: Vec<u8>| Digest::try_from(bytes).map_err(|_length| inconsistent("txn", "meta_hash"));
    bytes.map(digest).transpose()
}

/// The columns that [`transaction`] reads.
pub(super) const COLUMNS: &str =
    "t.slot, t.seq, b.recorded_us, t.batch_no, t.id, t.kind, t.hold_id, t.reverses, t.effective_us,
        t.meta_hash";
/// How many they are.
pub(super) const COLUMN_COUNT: usize = 10;

pub(super) fn transaction(row: &QueryResult) -> Result<TransactionRow, StoreError> {
    let position = Position { slot: row.try_get_by_index(0)?, seq: row.try_get_by_index(1)? };
    let id = |index: usize| row.try_get_by_index::<Option<uuid::Uuid>>(index);
    let kind = TransactionKind::from_raw(row.try_get_by_index(5)?).ok_or_else(|| inconsistent("txn", "kind"))?;
    let entry = TransactionEntry {
        id: row.try_get_by_index::<uuid::Uuid>(4)?.into(),
        kind,
        hold: id(6)?.map(EntryId::from),
        reverses: id(7)?.map(EntryId::from),
        effective_us: row.try_get_by_index(8)?,
        meta: optional_digest(row, 9)?,
        legs: Vec::new(),
    };
    let place = Place { recorded_us: row.try_get_by_index(2)?, position };
    Ok(TransactionRow { place, batch_no: row.try_get_by_index(3)?, entry })
}

/// The newest `limit` transactions of `window`, the newest first; only those of `kind` if there is one. Reads along the
/// primary key of `txn`: with a kind, at most the whole window.
pub(crate) async fn transactions(
    readers: &Readers,
    window: Window,
    kind: Option<TransactionKind>,
    limit: u64,
) -> Result<Vec<TransactionRow>, StoreError> {
    let only = if kind.is_some() { "AND kind = $5" } else { "" };
    let sql = format!(
        "SELECT {COLUMNS}, p.debit, p.credit, p.amount
         FROM (SELECT * FROM txn WHERE slot = $1 AND seq >= $2 AND seq < $3 {only} ORDER BY seq DESC LIMIT $4) AS t
         JOIN batch b ON b.slot = t.slot AND b.batch_no = t.batch_no
         LEFT JOIN posting p ON p.slot = t.slot AND p.seq = t.seq ORDER BY t.seq DESC, p.ord"
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let numbers = [window.slot, window.from, window.before, limit].map(Value::from);
    let values = numbers.into_iter().chain(kind.map(|kind| Value::from(kind.raw())));
    let mut found: Vec<TransactionRow> = Vec::new();
    for row in readers.query_all_raw(query(readers, &sql, values)).await? {
        let seq: i64 = row.try_get_by_index(1)?;
        if found.last().is_none_or(|last| last.place.position.seq != seq) {
            found.push(transaction(&row)?);
        }
        let debit: Option<i64> = row.try_get_by_index(COLUMN_COUNT)?;
        let (Some(debit), Some(last)) = (debit, found.last_mut()) else { continue };
        last.entry.legs.push(Leg {
            debit: LedgerAccountId::from_raw(debit),
            credit: LedgerAccountId::from_raw(row.try_get_by_index(11)?),
            amount: Credits::from_micros(row.try_get_by_index(12)?),
        });
    }
    Ok(found)
}

/// What the newest `limit` transactions of `window` that touch `account` did to it, the newest first. There is no index
/// from accounts to postings (ADR 0006): it reads the window along the primary key of `posting`.
pub(crate) async fn moves(
    readers: &Readers,
    window: Window,
    account: LedgerAccountId,
    limit: u64,
) -> Result<Vec<MovedRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS}, p.debits, p.credits
         FROM (SELECT slot, seq, CAST(sum(CASE WHEN debit = $5 THEN amount ELSE 0 END) AS bigint) AS debits,
                      CAST(sum(CASE WHEN credit = $5 THEN amount ELSE 0 END) AS bigint) AS credits
               FROM posting WHERE slot = $1 AND seq >= $2 AND seq < $3 AND (debit = $5 OR credit = $5)
               GROUP BY slot, seq ORDER BY seq DESC LIMIT $4) AS p
         JOIN txn t ON t.slot = p.slot AND t.seq = p.seq
         JOIN batch b ON b.slot = t.slot AND b.batch_no = t.batch_no ORDER BY t.seq DESC"
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values = [window.slot, window.from, window.before, limit, account.raw()].map(Value::from);
    let mut found = Vec::new();
    for row in readers.query_all_raw(query(readers, &sql, values)).await? {
        found.push(MovedRow {
            transaction: transaction(&row)?,
            debits: row.try_get_by_index(COLUMN_COUNT)?,
            credits: row.try_get_by_index(11)?,
        });
    }
    Ok(found)
}

/// What the transactions of `window` that count for the day that begins at `since_us` (microseconds since the Unix epoch) or
/// a later one did to two accounts together, day by day in UTC and kind by kind, without what moved from one of them to the
/// other. As [`moves`], it reads the window along the primary key of `posting` and no further.
pub(crate) async fn days(
    readers: &Readers,
    window: Window,
    accounts: [LedgerAccountId; 2],
    since_us: i64,
) -> Result<Vec<DayRow>, StoreError> {
    // A value of each posting, not a join: whatever PostgreSQL knows of the tables, it looks at no transaction that the
    // window's own postings do not lead to. Day and kind in one number, since a kind is less than a day.
    let sql = format!(
        "SELECT day_kind, CAST(sum(debits) AS bigint), CAST(sum(credits) AS bigint)
         FROM (SELECT (SELECT t.effective_us - t.effective_us % {DAY_US} + t.kind FROM txn t
                       WHERE t.slot = p.slot AND t.seq = p.seq) AS day_kind,
                      CASE WHEN p.debit IN ($4, $5) THEN p.amount ELSE 0 END AS debits,
                      CASE WHEN p.credit IN ($4, $5) THEN p.amount ELSE 0 END AS credits
               FROM posting p
               WHERE p.slot = $1 AND p.seq >= $2 AND p.seq < $3
                 AND (p.debit IN ($4, $5)) <> (p.credit IN ($4, $5))) AS moved
         GROUP BY day_kind ORDER BY day_kind"
    );
    let [one, other] = accounts.map(LedgerAccountId::raw);
    let values = [window.slot, window.from, window.before, one, other].map(Value::from);
    let rows = readers.query_all_raw(query(readers, &sql, values)).await?;
    let read = |row: &QueryResult| {
        // Of damaged books, which `verify` tells: a posting whose transaction is gone has no day.
        let Some(day_kind) = row.try_get_by_index::<Option<i64>>(0)? else { return Ok(None) };
        let raw = day_kind.rem_euclid(DAY_US);
        let day_us = day_kind.saturating_sub(raw);
        // Looking at the day here spares the statement to look for each posting's transaction twice.
        if day_us < since_us {
            return Ok(None);
        }
        let kind = i16::try_from(raw).ok().and_then(TransactionKind::from_raw);
        Ok(Some(DayRow {
            day_us,
            kind: kind.ok_or_else(|| inconsistent("txn", "kind"))?,
            debits: row.try_get_by_index(1)?,
            credits: row.try_get_by_index(2)?,
        }))
    };
    rows.iter().filter_map(|row| read(row).transpose()).collect()
}

/// Where the newest transaction of a slot before the entry `before` stands; `None` if there is none.
pub(crate) async fn last_before(readers: &Readers, slot: i64, before: i64) -> Result<Option<Place>, StoreError> {
    let sql = "SELECT t.seq, b.recorded_us FROM txn t JOIN batch b ON b.slot = t.slot AND b.batch_no = t.batch_no
               WHERE t.slot = $1 AND t.seq < $2 ORDER BY t.seq DESC LIMIT 1";
    let row = readers.query_one_raw(query(readers, sql, [slot.into(), before.into()])).await?;
    let place = |row: QueryResult| {
        let position = Position { slot, seq: row.try_get_by_index(0)? };
        Ok(Place { recorded_us: row.try_get_by_index(1)?, position })
    };
    row.map(place).transpose()
}

/// By how many micro-credits the entries of `window` changed the balance of `account`.
pub(crate) async fn sum_of_moves(
    readers: &Readers,
    window: Window,
    account: LedgerAccountId,
) -> Result<i64, StoreError> {
    let sql = "SELECT CAST(coalesce(sum(CASE WHEN credit = $4 THEN amount ELSE -amount END), 0) AS bigint)
               FROM posting WHERE slot = $1 AND seq >= $2 AND seq < $3 AND (debit = $4 OR credit = $4)";
    let values = [window.slot, window.from, window.before, account.raw()].map(Value::from);
    let row = readers.query_one_raw(query(readers, sql, values)).await?;
    Ok(row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or(0))
}

/// Where every chain ends, and what `account` has at that moment, in micro-credits. One statement sees one moment: the
/// balance is the sum of all postings up to these ends.
pub(crate) async fn heads_with_balance(
    readers: &Readers,
    account: LedgerAccountId,
) -> Result<(Vec<Head>, i64), StoreError> {
    let sql = "SELECT h.slot, h.seq, h.batch_no,
                      (SELECT CAST(coalesce(sum(credits - debits), 0) AS bigint) FROM wallet_balance
                       WHERE account_id = $1)
                      + (SELECT CAST(coalesce(sum(credits - debits), 0) AS bigint) FROM hot_balance
                         WHERE account_id = $1)
               FROM chain_head h WHERE h.seq > 0 ORDER BY h.slot";
    let (mut heads, mut balance) = (Vec::new(), 0);
    for row in readers.query_all_raw(query(readers, sql, [account.raw().into()])).await? {
        let last = Position { slot: row.try_get_by_index(0)?, seq: row.try_get_by_index(1)? };
        heads.push(Head { last, batch_no: row.try_get_by_index(2)? });
        balance = row.try_get_by_index(3)?;
    }
    Ok((heads, balance))
}
