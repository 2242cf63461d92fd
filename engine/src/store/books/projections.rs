//! Reads what stands beside the books.

use super::{
    Sink, StoreError,
    rows::{self, Decoded},
    source::{Cursor, Row, Select, Source, Statement as _},
};
use crate::ledger::verify::Line;

/// The chart of accounts.
pub(super) const ACCOUNTS: Select =
    Select { table: "ledger_account", sql: "SELECT id, code, kind FROM ledger_account ORDER BY id" };

const TOTALS: Select =
    Select { table: "refund_total", sql: "SELECT txn_id, captured, refunded FROM refund_total ORDER BY txn_id" };
const STATEMENTS: Select = Select {
    table: "payout",
    sql: "SELECT txn_id, account, credits, debits, netted, paid, note FROM payout ORDER BY txn_id",
};
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

fn read_table<C: Cursor>(
    Select { table, .. }: Select,
    key_columns: usize,
    cursor: &mut C,
    sink: &mut Sink,
    decode: impl Fn(&C::Row) -> Decoded<Line>,
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
