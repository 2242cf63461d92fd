//! Reads what closing a period takes: where the chains end, what moved between two places of them, and the trial balances.
//!
//! What stands before a cut never changes, so it is read stretch by stretch without a long transaction: neither the log of
//! an SQLite file grows meanwhile nor does anybody wait.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait as _, DbBackend, QueryResult, Statement, Value};

use super::{StoreError, readers::Readers};
use crate::ledger::{
    leaf::{Digest, Position},
    periods::{BalanceKey, BalanceRow, PeriodClose, decode_cut},
};

/// How many entries are added up by one statement.
const STRETCH: i64 = 50_000;

/// How many lines one statement writes.
const LINES_MAX: usize = 1_000;

/// Where a slot's chain ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    /// The last entry.
    pub(crate) last: Position,
    /// Its batch.
    pub(crate) batch_no: i64,
}

fn inconsistent(table: &'static str, what: &str) -> StoreError {
    StoreError::Inconsistent { table, what: what.to_owned() }
}

fn query(readers: &Readers, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(readers.get_database_backend(), sql, values)
}

/// The closed periods, in the order of their numbers.
pub(crate) async fn closes(readers: &Readers) -> Result<Vec<PeriodClose>, StoreError> {
    let sql = "SELECT id, period, start_us, end_us, cut, digest FROM period_close ORDER BY period";
    readers.query_all_raw(query(readers, sql, [])).await?.iter().map(close).collect()
}

/// At most `limit` closed periods below `before`, the last ones first.
pub(crate) async fn closes_before(readers: &Readers, before: i64, limit: i64) -> Result<Vec<PeriodClose>, StoreError> {
    let sql = "SELECT id, period, start_us, end_us, cut, digest FROM period_close WHERE period < $1
               ORDER BY period DESC LIMIT $2";
    readers.query_all_raw(query(readers, sql, [before.into(), limit.into()])).await?.iter().map(close).collect()
}

fn close(row: &QueryResult) -> Result<PeriodClose, StoreError> {
    let cut: Vec<u8> = row.try_get_by_index(4)?;
    let digest: Vec<u8> = row.try_get_by_index(5)?;
    Ok(PeriodClose {
        id: row.try_get_by_index::<uuid::Uuid>(0)?.into(),
        period: row.try_get_by_index(1)?,
        start_us: row.try_get_by_index(2)?,
        end_us: row.try_get_by_index(3)?,
        cut: decode_cut(&cut).ok_or_else(|| inconsistent("period_close", "cut"))?,
        digest: Digest::try_from(digest).map_err(|_length| inconsistent("period_close", "digest"))?,
    })
}

/// Where every chain with entries ends at this moment, in the order of the slots. One statement sees one moment: what is
/// being written meanwhile is behind it.
pub(crate) async fn heads(readers: &Readers) -> Result<Vec<Head>, StoreError> {
    let sql = "SELECT slot, seq, batch_no FROM chain_head WHERE seq > 0 ORDER BY slot";
    let mut heads = Vec::new();
    for row in readers.query_all_raw(query(readers, sql, [])).await? {
        let last = Position { slot: row.try_get_by_index(0)?, seq: row.try_get_by_index(1)? };
        heads.push(Head { last, batch_no: row.try_get_by_index(2)? });
    }
    Ok(heads)
}

/// When a batch was recorded (in microseconds since the Unix epoch), and its first entry.
async fn batch(readers: &Readers, slot: i64, batch_no: i64) -> Result<(i64, i64), StoreError> {
    let sql = "SELECT recorded_us, first_seq FROM batch WHERE slot = $1 AND batch_no = $2";
    let row = readers.query_one_raw(query(readers, sql, [slot.into(), batch_no.into()])).await?;
    let row = row.ok_or_else(|| inconsistent("batch", &format!("{slot}/{batch_no} is missing")))?;
    Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))
}

/// When the first batch of all was recorded, in microseconds since the Unix epoch; `None` before there is one.
pub(crate) async fn first_recorded_us(readers: &Readers, heads: &[Head]) -> Result<Option<i64>, StoreError> {
    let mut first: Option<i64> = None;
    for head in heads {
        let (recorded_us, _) = batch(readers, head.last.slot, 1).await?;
        first = Some(first.map_or(recorded_us, |first| first.min(recorded_us)));
    }
    Ok(first)
}

/// The last entry of a slot that was recorded before `since_us` (microseconds since the Unix epoch); 0 if none was. In a
/// slot recorded time never goes backwards, so it is found by halving.
pub(crate) async fn last_entry_before(readers: &Readers, head: &Head, since_us: i64) -> Result<i64, StoreError> {
    let (mut before, mut at_or_after) = (0, head.batch_no.saturating_add(1));
    let mut first_seq = head.last.seq.saturating_add(1);
    while at_or_after.saturating_sub(before) > 1 {
        let middle = before.midpoint(at_or_after);
        let (recorded_us, seq) = batch(readers, head.last.slot, middle).await?;
        if recorded_us < since_us {
            before = middle;
        } else {
            (at_or_after, first_seq) = (middle, seq);
        }
    }
    Ok(first_seq.saturating_sub(1))
}

/// What a stretch of a slot's entries may add to a period.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stretch {
    /// The slot.
    pub(crate) slot: i64,
    /// The last entry before it.
    pub(crate) after: i64,
    /// Its last entry.
    pub(crate) until: i64,
    /// When the period begins, in microseconds since the Unix epoch.
    pub(crate) start_us: i64,
    /// The first moment after the period.
    pub(crate) end_us: i64,
    /// The cut of the period before: what counts earlier and stands behind it was late.
    pub(crate) late_after: i64,
}

const MOVED: &str = "
SELECT kind, account, CAST(sum(debit) AS bigint), CAST(sum(credit) AS bigint) FROM (
    SELECT a.kind, CASE WHEN a.kind IN (1, 10) THEN 0 ELSE a.id END AS account, p.amount AS debit, 0 AS credit
    FROM txn t JOIN posting p ON p.slot = t.slot AND p.seq = t.seq JOIN ledger_account a ON a.id = p.debit
    WHERE t.slot = $1 AND t.seq > $2 AND t.seq <= $3 AND t.effective_us < $5
      AND (t.effective_us >= $4 OR t.seq > $6)
    UNION ALL
    SELECT a.kind, CASE WHEN a.kind IN (1, 10) THEN 0 ELSE a.id END AS account, 0 AS debit, p.amount AS credit
    FROM txn t JOIN posting p ON p.slot = t.slot AND p.seq = t.seq JOIN ledger_account a ON a.id = p.credit
    WHERE t.slot = $1 AND t.seq > $2 AND t.seq <= $3 AND t.effective_us < $5
      AND (t.effective_us >= $4 OR t.seq > $6)
) AS sides GROUP BY kind, account";

/// Adds to `moved` what `stretch` adds to its period: debits and credits by line of the trial balance.
pub(crate) async fn add_moved(
    readers: &Readers,
    stretch: Stretch,
    moved: &mut BTreeMap<BalanceKey, (i128, i128)>,
) -> Result<(), StoreError> {
    let mut after = stretch.after;
    while after < stretch.until {
        let until = after.saturating_add(STRETCH).min(stretch.until);
        let values = [stretch.slot, after, until, stretch.start_us, stretch.end_us, stretch.late_after];
        for row in readers.query_all_raw(query(readers, MOVED, values.map(Value::from))).await? {
            let key = (row.try_get_by_index::<i16>(0)?, row.try_get_by_index::<i64>(1)?);
            let (debits, credits): (i64, i64) = (row.try_get_by_index(2)?, row.try_get_by_index(3)?);
            let sums: &mut (i128, i128) = moved.entry(key).or_default();
            sums.0 = sums.0.saturating_add(debits.into());
            sums.1 = sums.1.saturating_add(credits.into());
        }
        after = until;
    }
    Ok(())
}

/// How many transactions `stretch` adds to its period.
pub(crate) async fn count_moved(readers: &Readers, stretch: Stretch) -> Result<i64, StoreError> {
    let sql = "SELECT CAST(count(*) AS bigint) FROM txn t WHERE t.slot = $1 AND t.seq > $2 AND t.seq <= $3
               AND t.effective_us < $5 AND (t.effective_us >= $4 OR t.seq > $6)";
    let Stretch { slot, after, until, start_us, end_us, late_after } = stretch;
    let values = [slot, after, until, start_us, end_us, late_after].map(Value::from);
    let row = readers.query_one_raw(query(readers, sql, values)).await?;
    Ok(row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or(0))
}

/// At most `limit` lines of the trial balance of a closed period, behind the one with the key `after`.
pub(crate) async fn lines_after(
    readers: &Readers,
    period: i64,
    (kind, account): BalanceKey,
    limit: i64,
) -> Result<Vec<BalanceRow>, StoreError> {
    let sql = "SELECT kind, account, opening, debits, credits, closing FROM trial_balance
               WHERE period = $1 AND (kind, account) > ($2, $3) ORDER BY kind, account LIMIT $4";
    let values = [period.into(), kind.into(), account.into(), limit.into()];
    readers.query_all_raw(query(readers, sql, values)).await?.iter().map(line).collect()
}

/// The sums of a closed period's lines by kind: openings, debits, credits and closings.
pub(crate) async fn sums_by_kind(readers: &Readers, period: i64) -> Result<Vec<BalanceRow>, StoreError> {
    let sql = "SELECT kind, CAST(0 AS bigint), CAST(sum(opening) AS bigint), CAST(sum(debits) AS bigint),
                      CAST(sum(credits) AS bigint), CAST(sum(closing) AS bigint)
               FROM trial_balance WHERE period = $1 GROUP BY kind ORDER BY kind";
    readers.query_all_raw(query(readers, sql, [period.into()])).await?.iter().map(line).collect()
}

fn line(row: &QueryResult) -> Result<BalanceRow, StoreError> {
    Ok(BalanceRow {
        key: (row.try_get_by_index(0)?, row.try_get_by_index(1)?),
        opening: row.try_get_by_index(2)?,
        debits: row.try_get_by_index(3)?,
        credits: row.try_get_by_index(4)?,
        closing: row.try_get_by_index(5)?,
    })
}

/// The trial balance of a closed period.
pub(crate) async fn lines(readers: &Readers, period: i64) -> Result<Vec<BalanceRow>, StoreError> {
    let sql = "SELECT kind, account, opening, debits, credits, closing FROM trial_balance WHERE period = $1
               ORDER BY kind, account";
    readers.query_all_raw(query(readers, sql, [period.into()])).await?.iter().map(line).collect()
}

/// The codes of the accounts that have lines of their own in `lines`.
pub(crate) async fn codes(readers: &Readers, lines: &[BalanceRow]) -> Result<BTreeMap<i64, String>, StoreError> {
    let sql = match readers.get_database_backend() {
        DbBackend::Postgres => {
            "SELECT a.id, a.code FROM json_array_elements_text($1::text::json) AS l (id)
             JOIN ledger_account a ON a.id = l.id::bigint"
        }
        _ => "SELECT a.id, a.code FROM json_each($1) AS l JOIN ledger_account a ON a.id = l.value",
    };
    let accounts: Vec<i64> = lines.iter().map(|line| line.key.1).filter(|account| *account != 0).collect();
    let mut codes = BTreeMap::new();
    for some in accounts.chunks(LINES_MAX) {
        let list = some.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        for row in readers.query_all_raw(query(readers, sql, [format!("[{list}]").into()])).await? {
            codes.insert(row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        }
    }
    Ok(codes)
}

/// The statements that write the trial balance of `period`: each writes as many lines as it says, or nothing is written.
pub(crate) fn write_lines(backend: DbBackend, period: i64, lines: &[BalanceRow]) -> Vec<(Statement, u64)> {
    let sql = match backend {
        DbBackend::Postgres => {
            "INSERT INTO trial_balance (period, kind, account, opening, debits, credits, closing)
             SELECT $1::bigint, (l->>0)::smallint, (l->>1)::bigint, (l->>2)::bigint, (l->>3)::bigint, (l->>4)::bigint,
                    (l->>5)::bigint
             FROM json_array_elements($2::text::json) AS l"
        }
        _ => {
            "INSERT INTO trial_balance (period, kind, account, opening, debits, credits, closing)
             SELECT ?1, value->>0, value->>1, value->>2, value->>3, value->>4, value->>5 FROM json_each(?2)"
        }
    };
    let line = |row: &BalanceRow| {
        let (kind, account) = row.key;
        format!("[{kind},{account},{},{},{},{}]", row.opening, row.debits, row.credits, row.closing)
    };
    lines
        .chunks(LINES_MAX)
        .map(|some| {
            let list = some.iter().map(line).collect::<Vec<_>>().join(",");
            let values = [Value::from(period), Value::from(format!("[{list}]"))];
            (Statement::from_sql_and_values(backend, sql, values), u64::try_from(some.len()).unwrap_or(u64::MAX))
        })
        .collect()
}
