//! Books that were written on SQLite, and the same rows on PostgreSQL.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use engine::{
    audit::OpContext,
    clock::SystemClock,
    store::{
        Database, StoreError,
        books::{self, VerifyReport},
        writer::Command,
    },
    testing::{History, Step, World},
};
use migrations::{Migrator, MigratorTrait};
use rusqlite::{Connection, types::ValueRef};
use tests::postgres::{Cluster, TestDatabase};

use super::super::desk::{Desk, SECOND_US, START_US, grant, wallet_id};

/// What the verifier reads, and the primary keys.
pub(super) const TABLES: [(&str, &str); 22] = [
    ("ledger_account", "id"),
    ("wallet_balance", "account_id"),
    ("hot_balance", "account_id, slot"),
    ("txn", "slot, seq"),
    ("posting", "slot, seq, ord"),
    ("hold", "slot, seq"),
    ("hold_resolution", "slot, seq"),
    ("refusal", "slot, seq"),
    ("batch", "slot, batch_no"),
    ("open_hold", "hold_id"),
    ("cap_window", "cap_id, start_us"),
    ("refund_total", "txn_id"),
    ("payout", "txn_id"),
    ("chain_head", "slot"),
    ("invocation", "id"),
    ("wallet_grant", "slot, seq"),
    ("hold_source", "slot, seq, ord"),
    ("open_grant", "account"),
    ("period_close", "slot, seq"),
    ("trial_balance", "period, kind, account"),
    ("audit", "slot, seq"),
    ("audit_head", "slot"),
];

/// The books of a random history, in a file that nobody writes to any more and without its guards.
pub(super) struct Original {
    _desk: Desk,
    pub(super) path: PathBuf,
}

impl Original {
    pub(super) async fn play(seed: u64) -> Self {
        let world = World::standard();
        let mut desk = Desk::open_world(&world).await;
        let mut history = History::new(seed, world, START_US);
        for _ in 0..250 {
            match history.next_step() {
                Step::Post(post) => drop(desk.ask(Command::Post(post)).await),
                Step::Hold(hold) => drop(desk.ask(Command::Hold(hold)).await),
                Step::Settle(settle) => drop(desk.ask(Command::Settle(settle)).await),
                Step::Refund(refund) => drop(desk.ask(Command::Refund(refund)).await),
                Step::Revert(revert) => drop(desk.ask(Command::Revert(revert)).await),
                Step::Secure(secure) => drop(desk.ask(Command::Secure(secure)).await),
                Step::Payout(payout) => drop(desk.ask(Command::Payout(payout)).await),
                Step::Collect(collect) => drop(desk.ask(Command::Collect(collect)).await),
                Step::Begin(begin) => drop(desk.ledger().begin(begin).await.unwrap()),
                Step::Finish(finish) => drop(desk.ledger().finish(finish).await.unwrap()),
                Step::Advance(by_us) => desk.clock.advance_us(by_us),
                Step::Give(give) => drop(desk.give(&give).await),
                Step::Close(_) => {}
                Step::Restart => desk.restart(),
            }
        }
        let give = grant(&desk, 900, wallet_id(1), 5, 60 * SECOND_US);
        assert!(desk.give(&give).await.is_ok());
        let until_us = Some(desk.now_us());
        desk.services().await.close_period(&OpContext::system(), until_us).await.unwrap();
        desk.stop();
        let connection = desk.connection();
        let sql = "SELECT 'DROP TRIGGER ' || name FROM sqlite_schema WHERE type = 'trigger'";
        let guards: Vec<String> = connection
            .prepare(sql)
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        connection.execute_batch(&guards.join(";")).unwrap();
        connection.execute_batch("PRAGMA journal_mode = DELETE").unwrap();
        Self { path: desk.path().to_owned(), _desk: desk }
    }

    /// The report on a copy in which `sql` has changed one row.
    pub(super) fn after(&self, sql: &str) -> VerifyReport {
        let copy = self.path.with_extension("damaged");
        std::fs::copy(&self.path, &copy).unwrap();
        let connection = Connection::open(&copy).unwrap();
        connection.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON").unwrap();
        assert_eq!(connection.execute(sql, []).unwrap_or_else(|error| panic!("{sql}: {error}")), 1, "{sql}");
        connection.close().unwrap();
        check(books::verify(&copy, &SystemClock::start()))
    }
}

pub(super) fn check(report: Result<VerifyReport, StoreError>) -> VerifyReport {
    let report = report.unwrap();
    assert_eq!((report.ok, report.problem_count == 0), (report.problems.is_empty(), report.ok));
    report
}

pub(super) fn verify(database: &TestDatabase<'_>) -> VerifyReport {
    check(books::verify_postgres(&database.url(), &SystemClock::start()))
}

pub(super) async fn migrated() -> TestDatabase<'static> {
    let database = Cluster::shared().database();
    let connection = Database::connect_for_migration(&database.url()).await.unwrap();
    Migrator::up(&connection, None).await.unwrap();
    connection.close().await.unwrap();
    database
}

/// Below all guards.
pub(super) fn tamper(database: &TestDatabase<'_>, sql: &str) {
    let sql = format!("SET session_replication_role = replica; {sql}");
    database.query_as_superuser(&sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// Copies what the verifier reads, and keeps it a second time in tables of their own.
pub(super) async fn copied(path: &Path) -> TestDatabase<'static> {
    const ROWS_MAX: usize = 200;
    let database = migrated().await;
    let connection = Connection::open(path).unwrap();
    for (table, _) in TABLES {
        let (columns, rows) = read(&connection, &database, table);
        assert!(!rows.is_empty(), "{table} has no row");
        // On PostgreSQL an open hold names the slot and the term of its writer, an open grant the slot.
        let (more, values) = match table {
            "open_hold" => (", slot, epoch", ", 0, 1"),
            "open_grant" => (", slot", ", 0"),
            _ => ("", ""),
        };
        tamper(
            &database,
            &format!("DELETE FROM {table} WHERE {}", if table.ends_with("_head") { "slot = 0" } else { "true" }),
        );
        for rows in rows.chunks(ROWS_MAX) {
            let rows: Vec<_> = rows.iter().map(|row| format!("({row}{values})")).collect();
            tamper(&database, &format!("INSERT INTO {table} ({columns}{more}) VALUES {}", rows.join(", ")));
        }
        tamper(&database, &format!("CREATE TABLE sound_{table} AS SELECT * FROM {table}"));
    }
    let facts: i64 =
        connection.query_row("SELECT value FROM version WHERE name = 'facts'", [], |row| row.get(0)).unwrap();
    tamper(&database, &format!("UPDATE version SET value = {facts} WHERE name = 'facts'"));
    database
}

pub(super) fn repair(database: &TestDatabase<'_>, table: &str) {
    tamper(database, &format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM sound_{table}"));
}

/// The columns of a table and its rows in PostgreSQL's words.
fn read(connection: &Connection, database: &TestDatabase<'_>, table: &str) -> (String, Vec<String>) {
    let sql = format!(
        "SELECT column_name FROM information_schema.columns WHERE data_type = 'uuid' AND table_name = '{table}'"
    );
    let names = database.query(&sql);
    let identifiers: BTreeSet<&str> = names.lines().collect();
    let names = format!("SELECT name FROM pragma_table_info('{table}')");
    let mut statement = connection.prepare(&names).unwrap();
    let names = statement.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap);
    // On PostgreSQL counters are never behind the journal. Nor are they in a file that was left in order.
    let columns: Vec<String> = names.filter(|name| name != "counted_seq").collect();
    let mut statement = connection.prepare(&format!("SELECT {} FROM {table}", columns.join(", "))).unwrap();
    let literal = |column: &str, value: ValueRef<'_>| match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(value) => value.to_string(),
        ValueRef::Text(text) => format!("'{}'", std::str::from_utf8(text).unwrap().replace('\'', "''")),
        ValueRef::Blob(bytes) => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("'{}{digits}'", if identifiers.contains(column) { "" } else { r"\x" })
        }
        ValueRef::Real(value) => panic!("{table}.{column} is {value}"),
    };
    let rows = statement.query_map([], |row| {
        let values = columns.iter().enumerate().map(|(index, column)| Ok(literal(column, row.get_ref(index)?)));
        Ok(values.collect::<rusqlite::Result<Vec<_>>>()?.join(", "))
    });
    let rows = rows.unwrap().collect::<Result<_, _>>().unwrap();
    (columns.join(", "), rows)
}
