//! Looking at a database from outside, past the program: the same words from both kinds.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, types::ValueRef};
use tests::{home::Home, postgres::TestDatabase};

/// A connection to an SQLite file, for looking and for tampering.
pub(crate) fn connect(file: &Path) -> Connection {
    let connection = Connection::open(file).unwrap();
    connection.busy_timeout(Duration::from_secs(10)).unwrap();
    connection
}

/// The rows that `sql` asks for, as texts; an identifier as 32 hexadecimal digits, `NULL` as nothing.
pub(crate) fn in_file(file: &Path, sql: &str) -> Vec<Vec<String>> {
    let connection = connect(file);
    let mut statement = connection.prepare(sql).unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| (0..columns).map(|column| text(row.get_ref(column)?)).collect());
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

/// The same from a server.
pub(crate) fn on_server(database: &TestDatabase<'_>, sql: &str) -> Vec<Vec<String>> {
    let is_id = |word: &str| word.len() == 36 && word.bytes().filter(|byte| *byte == b'-').count() == 4;
    let word = |word: &str| if is_id(word) { word.replace('-', "") } else { word.to_owned() };
    database.query(sql).lines().map(|line| line.split('|').map(word).collect()).collect()
}

/// The same from wherever the program at `home` has its database.
pub(crate) fn of_home(home: &Home, sql: &str) -> Vec<Vec<String>> {
    match home.database() {
        Some(database) => on_server(database, sql),
        None => in_file(&home.file(), sql),
    }
}

/// Changes something there, for which there is no command.
pub(crate) fn change_home(home: &Home, sql: &str) {
    match home.database() {
        Some(database) => drop(database.query(sql)),
        None => connect(&home.file()).execute_batch(sql).unwrap(),
    }
}

fn text(value: ValueRef<'_>) -> rusqlite::Result<String> {
    Ok(match value {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Blob(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    })
}
