//! Reads what stands beside the books.

use super::{
    Problem, ProblemKind, Sink, StoreError,
    rows::{self, Decoded},
    source::{Cell, Cursor, Row, Select, Source, Statement as _},
};
use crate::ledger::{
    fact::{self, Beside, FACT_TABLES, FactTable},
    verify::Line,
};

/// The chart of accounts.
pub(super) const ACCOUNTS: Select =
    Select { table: "ledger_account", sql: "SELECT id, code, kind FROM ledger_account ORDER BY id" };

const TOTALS: Select =
    Select { table: "refund_total", sql: "SELECT txn_id, captured, refunded FROM refund_total ORDER BY txn_id" };
const STATEMENTS: Select = Select {
    table: "payout",
    sql: "SELECT txn_id, account, credits, debits, netted, paid, note FROM payout ORDER BY txn_id",
};
pub(super) const KEYS: Select =
    Select { table: "signing_key", sql: "SELECT number, public_key, from_us FROM signing_key ORDER BY number" };
pub(super) const CHECKPOINTS: Select =
    Select { table: "checkpoint", sql: "SELECT number, body, signature FROM checkpoint ORDER BY number" };
/// The number of the last checkpoint; 0 if there is none.
pub(super) const LAST_CHECKPOINT: Select =
    Select { table: "checkpoint", sql: "SELECT coalesce(max(number), 0) FROM checkpoint" };

const WALLETS: Select = Select {
    table: "wallet_balance",
    sql: "SELECT account_id, credits, debits, held FROM wallet_balance ORDER BY account_id",
};
const HOT: Select = Select {
    table: "hot_balance",
    sql: "SELECT account_id, slot, credits, debits FROM hot_balance ORDER BY account_id, slot",
};
const COUNTERS: Select = Select {
    table: "cap_window",
    sql: "SELECT cap_id, start_us, spent, held FROM cap_window ORDER BY cap_id, start_us",
};
/// Of the open holds, those whose call ended with an unknown outcome.
const POSTPONED: Select = Select {
    table: "invocation",
    sql: "SELECT i.id, i.resolves_us FROM open_hold o JOIN invocation i ON i.id = o.hold_id
          WHERE i.state = 2 AND i.resolves_us IS NOT NULL",
};
const OPEN_HOLDS: Select =
    Select { table: "open_hold", sql: "SELECT hold_id, wallet, amount, expires_us FROM open_hold ORDER BY hold_id" };
const HEADS: Select = Select {
    table: "chain_head",
    sql: "SELECT slot, epoch, batch_no, seq, last_us, hash FROM chain_head ORDER BY slot",
};

const AUDIT: Select = Select {
    table: "audit",
    sql: "SELECT slot, seq, recorded_us, actor_kind, actor_id, method, credential, action, object_kind, object_id,
                 before_json, after_json, reason, request_id, prev_hash, hash FROM audit ORDER BY slot, seq",
};
const AUDIT_HEADS: Select =
    Select { table: "audit_head", sql: "SELECT slot, seq, last_us, hash FROM audit_head ORDER BY slot" };
const OPEN_GRANTS: Select = Select {
    table: "open_grant",
    sql: "SELECT account, id, wallet, priority, expires_us FROM open_grant ORDER BY account",
};
/// The closes of periods, before the journal has them: they decide which period a transaction belongs to.
const CLOSES: Select = Select {
    table: "period_close",
    sql: "SELECT slot, seq, batch_no, id, period, start_us, end_us, cut, digest FROM period_close ORDER BY period",
};
const TRIAL_BALANCES: Select = Select {
    table: "trial_balance",
    sql: "SELECT period, kind, account, opening, debits, credits, closing FROM trial_balance
          ORDER BY period, kind, account",
};

pub(super) fn read_closes<S: Source>(source: &S, sink: &mut Sink) -> Result<(), StoreError> {
    let mut statement = source.prepare(Select { table: "period_close_announced", ..CLOSES })?;
    let mut cursor = statement.open()?;
    cursor.advance()?;
    while let Some(row) = cursor.row() {
        // What cannot be read is reported where it stands in the chain.
        if let Ok(close) = rows::close(row) {
            sink.send(Line::Close(close));
        }
        cursor.advance()?;
    }
    Ok(())
}

/// Up to where the counters are true, where they may be behind. Before the journal: it is added up no further.
pub(super) fn read_counted<S: Source>(source: &S, sink: &mut Sink) -> Result<(), StoreError> {
    let Some(counted) = source.counted() else { return Ok(()) };
    read_table(counted, 1, &mut source.prepare(counted)?.open()?, sink, rows::counted)
}

pub(super) fn read_accounts(source: &impl Source, sink: &mut Sink) -> Result<(), StoreError> {
    let mut statement = source.prepare(ACCOUNTS)?;
    let mut cursor = statement.open()?;
    read_table(ACCOUNTS, 1, &mut cursor, sink, |row| {
        rows::account(row).map(|(id, kind, code)| Line::Account { id, kind, code })
    })
}

/// What has to be known before the books are read.
pub(super) fn read_movements<S: Source>(source: &S, sink: &mut Sink) -> Result<(), StoreError> {
    read_table(TOTALS, 1, &mut source.prepare(TOTALS)?.open()?, sink, rows::refund_total)?;
    read_table(STATEMENTS, 1, &mut source.prepare(STATEMENTS)?.open()?, sink, rows::statement)
}

/// The keys, then what they have signed.
pub(super) fn read_checkpoints<S: Source>(source: &S, sink: &mut Sink) -> Result<(), StoreError> {
    read_table(KEYS, 1, &mut source.prepare(KEYS)?.open()?, sink, rows::key)?;
    read_table(CHECKPOINTS, 1, &mut source.prepare(CHECKPOINTS)?.open()?, sink, |row| {
        rows::checkpoint(row).map(Line::Checkpoint)
    })
}

pub(super) fn read_balances<S: Source>(source: &S, sink: &mut Sink) -> Result<(), StoreError> {
    // Of each table, how many columns its primary key has: they are selected first.
    read_table(WALLETS, 1, &mut source.prepare(WALLETS)?.open()?, sink, rows::wallet)?;
    read_table(HOT, 2, &mut source.prepare(HOT)?.open()?, sink, rows::hot)?;
    read_table(COUNTERS, 2, &mut source.prepare(COUNTERS)?.open()?, sink, rows::counter)?;
    read_table(POSTPONED, 1, &mut source.prepare(POSTPONED)?.open()?, sink, rows::postponed)?;
    read_table(OPEN_HOLDS, 1, &mut source.prepare(OPEN_HOLDS)?.open()?, sink, rows::open_hold)?;
    read_table(OPEN_GRANTS, 1, &mut source.prepare(OPEN_GRANTS)?.open()?, sink, rows::open_grant)?;
    read_table(TRIAL_BALANCES, 3, &mut source.prepare(TRIAL_BALANCES)?.open()?, sink, rows::trial_balance)?;
    read_table(HEADS, 1, &mut source.prepare(HEADS)?.open()?, sink, rows::head)?;
    read_table(AUDIT, 2, &mut source.prepare(AUDIT)?.open()?, sink, rows::audit)?;
    read_table(AUDIT_HEADS, 1, &mut source.prepare(AUDIT_HEADS)?.open()?, sink, rows::audit_head)
}

/// Every idempotency key with its call and whether its answer is kept.
const KEYS_OF_CALLS: Select = Select {
    table: "idem",
    sql: "SELECT i.scope, i.key, i.state, i.status, v.key_scope, v.key, v.state, a.call
          FROM idem i LEFT JOIN invocation v ON v.id = i.call LEFT JOIN idem_answer a ON a.call = i.call
          ORDER BY i.scope, i.key",
};

/// Reads the idempotency keys and reports those that are not the keys of their calls.
pub(super) fn read_keys_of_calls<S: Source>(source: &S, sink: &mut Sink) -> Result<(), StoreError> {
    let Select { table, .. } = KEYS_OF_CALLS;
    let mut statement = source.prepare(KEYS_OF_CALLS)?;
    let mut cursor = statement.open()?;
    cursor.advance()?;
    while let Some(row) = cursor.row() {
        if let Some(text) = rows::key_of_call(row) {
            let (key, text) = (key(row, 2), text.to_owned());
            sink.send(Line::Problem(Problem { kind: ProblemKind::ProjectionMismatch, table, key, text }));
        }
        cursor.advance()?;
    }
    Ok(())
}

const FACTS_COMPLETE: Select = Select { table: "version", sql: "SELECT name, value FROM version WHERE name = 'facts'" };

/// Reads the rows that are stated in the books.
pub(super) fn read_facts<S: Source>(source: &S, sink: &mut Sink) -> Result<(), StoreError> {
    let mut is_there = false;
    read_table(FACTS_COMPLETE, 1, &mut source.prepare(FACTS_COMPLETE)?.open()?, sink, |row| {
        is_there = true;
        row.read::<i64>(1).map(|value| Line::FactsComplete(value == 1)).ok_or("value")
    })?;
    if !is_there {
        let text = "the row is missing".to_owned();
        let kind = ProblemKind::FactMismatch;
        sink.send(Line::Problem(Problem { kind, table: "version", key: "facts".to_owned(), text }));
    }
    for stated in FACT_TABLES {
        let columns: Vec<_> = stated.columns.iter().map(|column| format!("\"{column}\"")).collect();
        let FactTable { table, key, beside, .. } = stated;
        let beside = beside.map(|Beside { table: other, key: column }| {
            format!(" LEFT JOIN {other} ON {other}.{column} = {table}.{key}")
        });
        let (columns, beside) = (columns.join(", "), beside.unwrap_or_default());
        let sql = format!("SELECT {key}, {columns} FROM {table}{beside} ORDER BY {key}");
        let select = Select { table, sql: "" };
        read_table(select, 1, &mut source.prepare_text(table, &sql)?.open()?, sink, |row| fact_row(&stated, row))?;
    }
    Ok(())
}

fn fact_row(stated: &FactTable, row: &impl Row) -> Decoded<Line> {
    let key = fact_cell(row.cell(0)).ok_or(stated.key)?;
    let mut values = Vec::with_capacity(stated.columns.len());
    for (index, column) in (1..).zip(stated.columns) {
        values.push(fact_cell(row.cell(index)).ok_or(*column)?);
    }
    Ok(Line::FactRow {
        table: stated.table,
        key: row.cell(0).display(),
        thing: stated.thing(key),
        digest: stated.digest(key, &values),
    })
}

fn fact_cell(cell: Cell<'_>) -> Option<fact::Cell<'_>> {
    match cell {
        Cell::Null => Some(fact::Cell::Null),
        Cell::Integer(value) => Some(fact::Cell::Int(value)),
        Cell::Bytes(bytes) => Some(fact::Cell::Bytes(bytes)),
        Cell::Text(text) => std::str::from_utf8(text).ok().map(fact::Cell::Text),
        Cell::Other => None,
    }
}

fn read_table<C: Cursor>(
    Select { table, .. }: Select,
    key_columns: usize,
    cursor: &mut C,
    sink: &mut Sink,
    mut decode: impl FnMut(&C::Row) -> Decoded<Line>,
) -> Result<(), StoreError> {
    cursor.advance()?;
    while let Some(row) = cursor.row() {
        sink.send(match decode(row) {
            Ok(line) => line,
            Err(column) => Line::Problem(Sink::unreadable(table, key(row, key_columns), column)),
        });
        cursor.advance()?;
    }
    Ok(())
}

/// The row's primary key for people, whatever it holds.
fn key(row: &impl Row, columns: usize) -> String {
    let words: Vec<_> = (0..columns).map(|index| row.cell(index).display()).collect();
    words.join("/")
}
