//! Reads what became of one grant that expires: how it was given, what lapsed or was taken back of it, and what moved on its
//! account.

use sea_orm::{ConnectionTrait as _, QueryResult, Value};

use super::pages::{Window, query};
use crate::{
    id::EntryId,
    ledger::{LedgerAccountId, TransactionKind, leaf::Position},
    store::{StoreError, periods::Head, readers::Readers},
};

/// How many transactions that take one grant back are looked at: its lapse, one more for each hold that ended behind it, and
/// an operator's.
const RETURNS_MAX: i64 = 1_000;

/// A grant as the books have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GivenRow {
    /// Where it stands; the transaction that funds it follows.
    pub(crate) position: Position,
    /// Where its credits are.
    pub(crate) account: LedgerAccountId,
    /// When it expires, in microseconds since the Unix epoch.
    pub(crate) expires_us: i64,
    /// When it was recorded, in microseconds since the Unix epoch.
    pub(crate) recorded_us: i64,
    /// What it was funded with, in micro-credits.
    pub(crate) given: i64,
}

/// What an account received and spent, in micro-credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Totals {
    /// Received.
    pub(crate) credits: i64,
    /// Spent.
    pub(crate) debits: i64,
}

/// Something that took a grant back, wholly or in part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReturnRow {
    /// An operator took it back; else it lapsed.
    pub(crate) is_reversal: bool,
    /// Where it stands.
    pub(crate) position: Position,
    /// When it was recorded, in microseconds since the Unix epoch.
    pub(crate) recorded_us: i64,
    /// What went back, in micro-credits.
    pub(crate) amount: i64,
}

/// What moved on an account within a piece of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PieceRow {
    /// When the last of it was recorded, in microseconds since the Unix epoch.
    pub(crate) last_us: i64,
    /// What came in and what left, in micro-credits.
    pub(crate) moved: Totals,
}

/// Time from `from_us` to before `before_us` (microseconds since the Unix epoch), in pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pieces {
    /// Its beginning.
    pub(crate) from_us: i64,
    /// The first moment behind it.
    pub(crate) before_us: i64,
    /// How long a piece is, in microseconds; above zero.
    pub(crate) length: i64,
}

/// The grant `id`, by the index of grants' names; `None` if there is none of this name that expires.
pub(crate) async fn find(readers: &Readers, id: EntryId) -> Result<Option<GivenRow>, StoreError> {
    let sql = "SELECT g.slot, g.seq, g.account, g.expires_us, b.recorded_us,
                      (SELECT CAST(coalesce(sum(p.amount), 0) AS bigint) FROM posting p
                       WHERE p.slot = g.slot AND p.seq = g.seq + 1 AND p.credit = g.account)
               FROM wallet_grant g JOIN batch b ON b.slot = g.slot AND b.batch_no = g.batch_no WHERE g.id = $1";
    let row = readers.query_one_raw(query(readers, sql, [id.uuid().into()])).await?;
    let read = |row: QueryResult| {
        Ok(GivenRow {
            position: Position { slot: row.try_get_by_index(0)?, seq: row.try_get_by_index(1)? },
            account: LedgerAccountId::from_raw(row.try_get_by_index(2)?),
            expires_us: row.try_get_by_index(3)?,
            recorded_us: row.try_get_by_index(4)?,
            given: row.try_get_by_index(5)?,
        })
    };
    row.map(read).transpose()
}

/// Where every chain ends, and what the limited account `account` received and spent up to these ends. One statement sees
/// one moment.
pub(crate) async fn heads_with_totals(
    readers: &Readers,
    account: LedgerAccountId,
) -> Result<(Vec<Head>, Totals), StoreError> {
    let sql = "SELECT h.slot, h.seq, h.batch_no,
                      coalesce((SELECT credits FROM wallet_balance WHERE account_id = $1), 0),
                      coalesce((SELECT debits FROM wallet_balance WHERE account_id = $1), 0)
               FROM chain_head h WHERE h.seq > 0 ORDER BY h.slot";
    let (mut heads, mut totals) = (Vec::new(), Totals::default());
    for row in readers.query_all_raw(query(readers, sql, [account.raw().into()])).await? {
        let last = Position { slot: row.try_get_by_index(0)?, seq: row.try_get_by_index(1)? };
        heads.push(Head { last, batch_no: row.try_get_by_index(2)? });
        totals = Totals { credits: row.try_get_by_index(3)?, debits: row.try_get_by_index(4)? };
    }
    Ok((heads, totals))
}

/// What took back the grant `id`, whose credits are on `account`, by the index of what is taken back; the earliest first.
pub(crate) async fn returns(
    readers: &Readers,
    id: EntryId,
    account: LedgerAccountId,
) -> Result<Vec<ReturnRow>, StoreError> {
    // That a grant lapses is booked as a grant that takes one back.
    let [lapse, reversal] = [TransactionKind::Grant, TransactionKind::Reversal].map(TransactionKind::raw);
    let sql = "SELECT t.slot, t.seq, b.recorded_us, t.kind,
                      (SELECT CAST(coalesce(sum(p.amount), 0) AS bigint) FROM posting p
                       WHERE p.slot = t.slot AND p.seq = t.seq AND p.debit = $2)
               FROM txn t JOIN batch b ON b.slot = t.slot AND b.batch_no = t.batch_no
               WHERE t.reverses = $1 AND t.kind IN ($3, $4) ORDER BY b.recorded_us, t.slot, t.seq LIMIT $5";
    let values: [Value; 5] =
        [id.uuid().into(), account.raw().into(), lapse.into(), reversal.into(), RETURNS_MAX.into()];
    let read = |row: &QueryResult| {
        let kind: i16 = row.try_get_by_index(3)?;
        Ok(ReturnRow {
            is_reversal: kind == reversal,
            position: Position { slot: row.try_get_by_index(0)?, seq: row.try_get_by_index(1)? },
            recorded_us: row.try_get_by_index(2)?,
            amount: row.try_get_by_index(4)?,
        })
    };
    readers.query_all_raw(query(readers, sql, values)).await?.iter().map(read).collect()
}

/// When the first transaction of a slot from the entry `from` on was recorded, in microseconds since the Unix epoch; `None`
/// if there is none.
pub(crate) async fn first_from(readers: &Readers, slot: i64, from: i64) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT b.recorded_us FROM txn t JOIN batch b ON b.slot = t.slot AND b.batch_no = t.batch_no
               WHERE t.slot = $1 AND t.seq >= $2 ORDER BY t.seq LIMIT 1";
    let row = readers.query_one_raw(query(readers, sql, [slot.into(), from.into()])).await?;
    Ok(row.map(|row| row.try_get_by_index(0)).transpose()?)
}

/// What the transactions of `window` that were recorded within `pieces` did to `account`, a row for every piece in which
/// something moved, the earliest first. As [`super::pages::days`], it reads the window along the primary key of `posting`
/// and no further, and looks at no transaction that these postings do not lead to.
pub(crate) async fn pieces(
    readers: &Readers,
    window: Window,
    account: LedgerAccountId,
    pieces: Pieces,
) -> Result<Vec<PieceRow>, StoreError> {
    // Put aside, so that PostgreSQL looks for each posting's transaction once.
    let sql = "WITH moved AS MATERIALIZED (
                   SELECT (SELECT b.recorded_us FROM txn t
                           JOIN batch b ON b.slot = t.slot AND b.batch_no = t.batch_no
                           WHERE t.slot = p.slot AND t.seq = p.seq) AS recorded_us,
                          CASE WHEN p.credit = $4 THEN p.amount ELSE 0 END AS credits,
                          CASE WHEN p.debit = $4 THEN p.amount ELSE 0 END AS debits
                   FROM posting p
                   WHERE p.slot = $1 AND p.seq >= $2 AND p.seq < $3 AND (p.debit = $4 OR p.credit = $4))
               SELECT max(recorded_us), CAST(sum(credits) AS bigint), CAST(sum(debits) AS bigint)
               FROM moved WHERE recorded_us >= $5 AND recorded_us < $6
               GROUP BY (recorded_us - $5) / $7 ORDER BY 1";
    let Pieces { from_us, before_us, length } = pieces;
    let values = [window.slot, window.from, window.before, account.raw(), from_us, before_us, length].map(Value::from);
    let read = |row: &QueryResult| {
        let moved = Totals { credits: row.try_get_by_index(1)?, debits: row.try_get_by_index(2)? };
        Ok(PieceRow { last_us: row.try_get_by_index(0)?, moved })
    };
    readers.query_all_raw(query(readers, sql, values)).await?.iter().map(read).collect()
}
