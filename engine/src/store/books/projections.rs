//! Reads what stands beside the books.

use rusqlite::{Connection, Row, types::ValueRef};

use super::{
    Sink, StoreError,
    rows::{self, Decoded},
};
use crate::ledger::verify::Line;

/// The chart of accounts.
pub(super) const ACCOUNTS: &str = "SELECT id, code, kind FROM ledger_account";

/// A table, its statement, and how many columns its primary key has: they are selected first.
type Source = (&'static str, &'static str, usize, fn(&Row<'_>) -> Decoded<Line>);

const BALANCES: [Source; 6] = [
    ("wallet_balance", "SELECT account_id, credits, debits, held FROM wallet_balance", 1, rows::wallet),
    ("hot_balance", "SELECT account_id, slot, credits, debits FROM hot_balance", 2, rows::hot),
    ("cap_window", "SELECT cap_id, start_us, spent, held FROM cap_window", 2, rows::counter),
    // Of the open holds, those whose call ended with an unknown outcome.
    (
        "invocation",
        "SELECT i.id, i.resolves_us FROM open_hold o JOIN invocation i ON i.id = o.hold_id
         WHERE i.state = 2 AND i.resolves_us IS NOT NULL",
        1,
        rows::postponed,
    ),
    ("open_hold", "SELECT hold_id, wallet, amount, expires_us FROM open_hold", 1, rows::open_hold),
    ("chain_head", "SELECT slot, epoch, batch_no, seq, last_us, hash FROM chain_head", 1, rows::head),
];

pub(super) fn read_accounts(connection: &Connection, sink: &mut Sink) -> Result<(), StoreError> {
    let account = |row: &Row<'_>| rows::account(row).map(|(id, kind, code)| Line::Account { id, kind, code });
    read_table(connection, sink, ("ledger_account", ACCOUNTS, 1, account))
}

pub(super) fn read_balances(connection: &Connection, sink: &mut Sink) -> Result<(), StoreError> {
    BALANCES.into_iter().try_for_each(|source| read_table(connection, sink, source))
}

fn read_table(
    connection: &Connection,
    sink: &mut Sink,
    (table, sql, key_columns, decode): Source,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        match decode(row) {
            Ok(line) => sink.send(line),
            Err(column) => sink.send(Line::Problem(Sink::unreadable(table, key(row, key_columns), column))),
        }
    }
    Ok(())
}

/// The row's primary key for people, whatever it holds.
fn key(row: &Row<'_>, columns: usize) -> String {
    let words: Vec<_> = (0..columns)
        .map(|index| match row.get_ref(index) {
            Ok(ValueRef::Integer(value)) => value.to_string(),
            Ok(ValueRef::Blob(bytes)) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
            Ok(ValueRef::Text(text)) => String::from_utf8_lossy(text).into_owned(),
            Ok(ValueRef::Null | ValueRef::Real(_)) | Err(_) => "?".to_owned(),
        })
        .collect();
    words.join("/")
}
