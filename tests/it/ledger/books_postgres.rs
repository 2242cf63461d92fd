//! The books are checked on PostgreSQL as on SQLite: the same rows give the same report, sound or damaged.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use engine::{
    audit::OpContext,
    clock::SystemClock,
    ledger::{
        AccountKind, LedgerAccountId,
        batch::Done,
        verify::{ProblemKind, ProblemKind::*},
    },
    store::{
        Database, StoreError,
        books::{self, VerifyReport},
        writer::Command,
    },
    testing::{History, Step, World},
};
use migrations::{Migrator, MigratorTrait};
use rusqlite::{Connection, types::ValueRef};
use tests::{
    patience::wait_until,
    postgres::{Cluster, TestDatabase},
};

use self::Value::{Bytes, Id, Sql};
use super::desk::{Desk, Kind, SECOND_US, START_US, capture_all, grant, hold, payable_id, wallet_id};

/// What the verifier reads, and the primary keys.
const TABLES: [(&str, &str); 22] = [
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
struct Original {
    _desk: Desk,
    path: PathBuf,
}

impl Original {
    async fn play(seed: u64) -> Self {
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
    fn after(&self, sql: &str) -> VerifyReport {
        let copy = self.path.with_extension("damaged");
        std::fs::copy(&self.path, &copy).unwrap();
        let connection = Connection::open(&copy).unwrap();
        connection.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON").unwrap();
        assert_eq!(connection.execute(sql, []).unwrap_or_else(|error| panic!("{sql}: {error}")), 1, "{sql}");
        connection.close().unwrap();
        check(books::verify(&copy, &SystemClock::start()))
    }
}

fn check(report: Result<VerifyReport, StoreError>) -> VerifyReport {
    let report = report.unwrap();
    assert_eq!((report.ok, report.problem_count == 0), (report.problems.is_empty(), report.ok));
    report
}

fn verify(database: &TestDatabase<'_>) -> VerifyReport {
    check(books::verify_postgres(&database.url(), &SystemClock::start()))
}

async fn migrated() -> TestDatabase<'static> {
    let database = Cluster::shared().database();
    let connection = Database::connect_for_migration(&database.url()).await.unwrap();
    Migrator::up(&connection, None).await.unwrap();
    connection.close().await.unwrap();
    database
}

/// Below all guards.
fn tamper(database: &TestDatabase<'_>, sql: &str) {
    let sql = format!("SET session_replication_role = replica; {sql}");
    database.query_as_superuser(&sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// Copies what the verifier reads, and keeps it a second time in tables of their own.
async fn copied(path: &Path) -> TestDatabase<'static> {
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

fn repair(database: &TestDatabase<'_>, table: &str) {
    tamper(database, &format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM sound_{table}"));
}

/// The columns of a table and its rows in PostgreSQL's words.
fn read(connection: &Connection, database: &TestDatabase<'_>, table: &str) -> (String, Vec<String>) {
    let sql = format!(
        "SELECT column_name FROM information_schema.columns WHERE data_type = 'uuid' AND table_name = '{table}'"
    );
    let names = database.query(&sql);
    let identifiers: BTreeSet<&str> = names.lines().collect();
    let mut statement = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
    let columns: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
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

#[tokio::test(flavor = "multi_thread")]
async fn sound_books_give_the_same_report_on_both_databases() {
    for seed in [3, 4] {
        let original = Original::play(seed).await;
        let database = copied(&original.path).await;
        let (sqlite, postgres) = (check(books::verify(&original.path, &SystemClock::start())), verify(&database));
        assert_eq!(postgres.problems, [], "seed {seed}");
        assert_eq!((postgres.counts, &postgres.heads), (sqlite.counts, &sqlite.heads), "seed {seed}");
        assert!(postgres.counts.transactions > 10, "seed {seed} wrote {:?}", postgres.counts);
        let balance = books::trial_balance_postgres(&database.url()).unwrap();
        assert_eq!(balance, books::trial_balance(&original.path).unwrap(), "seed {seed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_books_are_sound() {
    let report = verify(&migrated().await);
    assert_eq!((report.problems, report.heads), (vec![], vec![]));
}

/// Another value for a column.
enum Value {
    /// The same words on both databases.
    Sql(&'static str),
    /// So many of one and the same.
    Bytes(usize),
    Id(&'static str),
}

impl Value {
    fn on_sqlite(&self) -> String {
        match self {
            Self::Sql(sql) => (*sql).to_owned(),
            Self::Bytes(count) => format!("x'{}'", "5a".repeat(*count)),
            Self::Id(digits) => format!("x'{digits}'"),
        }
    }

    fn on_postgres(&self) -> String {
        match self {
            Self::Sql(sql) => (*sql).to_owned(),
            Self::Bytes(count) => format!(r"'\x{}'", "5a".repeat(*count)),
            Self::Id(digits) => format!("'{digits}'"),
        }
    }
}

const ID: Value = Id("00000000000000000000000000000009");

/// A column of a table, what is written to it in the first row, and what that must be reported as, among others.
const CASES: [(&str, &str, Value, ProblemKind); 42] = [
    ("txn", "kind", Sql("1 + kind % 9"), LeafMismatch),
    ("txn", "kind", Sql("99"), Unreadable),
    ("txn", "id", ID, LeafMismatch),
    ("txn", "reverses", ID, LeafMismatch),
    ("txn", "meta_hash", Bytes(32), LeafMismatch),
    ("txn", "meta_hash", Bytes(31), Unreadable),
    ("txn", "seq", Sql("seq + 10000"), Gap),
    ("txn", "batch_no", Sql("batch_no + 1"), LeafMismatch),
    ("posting", "amount", Sql("amount + 1"), LeafMismatch),
    ("posting", "ord", Sql("ord + 7"), LeafMismatch),
    ("posting", "slot", Sql("3"), LeafMismatch),
    ("hold", "partner", Sql("coalesce(partner, 0) + 1"), LeafMismatch),
    ("hold", "publisher_bps", Sql("20000"), Unreadable),
    ("hold", "partner_bps", Sql("-1"), Unreadable),
    ("hold", "counters", Bytes(24), LeafMismatch),
    ("hold", "counters", Bytes(25), Unreadable),
    ("hold_resolution", "outcome", Sql("1 + outcome % 4"), LeafMismatch),
    ("hold_resolution", "outcome", Sql("5"), Unreadable),
    ("hold_resolution", "hold_id", ID, LeafMismatch),
    ("refusal", "reason", Sql("'overflow'"), LeafMismatch),
    ("refusal", "reason", Sql("'because'"), Unreadable),
    ("refusal", "needed", Sql("needed - 1"), LeafMismatch),
    ("batch", "merkle_root", Bytes(32), RootMismatch),
    ("batch", "merkle_root", Bytes(0), Unreadable),
    ("batch", "hash", Bytes(32), HeaderMismatch),
    ("batch", "total", Sql("total + 1"), CountMismatch),
    ("batch", "client_batch_id", ID, HeaderMismatch),
    ("batch", "prev_hash", Bytes(32), LinkMismatch),
    ("batch", "batch_no", Sql("batch_no + 10000"), Gap),
    ("chain_head", "hash", Bytes(32), HeadMismatch),
    ("chain_head", "hash", Bytes(33), Unreadable),
    ("chain_head", "batch_no", Sql("batch_no - 1"), HeadMismatch),
    ("ledger_account", "kind", Sql("3"), AccountMismatch),
    ("ledger_account", "kind", Sql("0"), Unreadable),
    ("ledger_account", "code", Sql("'x'"), AccountMismatch),
    ("wallet_balance", "credits", Sql("credits + 1"), ProjectionMismatch),
    ("hot_balance", "credits", Sql("credits + 1"), ProjectionMismatch),
    ("hot_balance", "slot", Sql("7"), ProjectionMismatch),
    ("cap_window", "spent", Sql("spent + 1"), ProjectionMismatch),
    ("cap_window", "start_us", Sql("start_us + 1"), ProjectionMismatch),
    ("open_hold", "amount", Sql("amount + 1"), ProjectionMismatch),
    ("open_hold", "hold_id", ID, ProjectionMismatch),
];

#[tokio::test(flavor = "multi_thread")]
async fn damage_is_reported_as_on_sqlite() {
    let original = Original::play(3).await;
    let database = copied(&original.path).await;
    for (table, column, value, kind) in CASES {
        let keys = TABLES.iter().find(|(name, _)| *name == table).unwrap().1;
        let row = format!("WHERE ({keys}) = (SELECT {keys} FROM {table} ORDER BY {keys} LIMIT 1)");
        let update = |value: String| format!("UPDATE {table} SET {column} = {value} {row}");
        let sqlite = original.after(&update(value.on_sqlite()));
        tamper(&database, &update(value.on_postgres()));
        let postgres = verify(&database);
        let case = update(value.on_postgres());
        assert!(postgres.problems.iter().any(|problem| problem.kind == kind), "{case}: {:?}", postgres.problems);
        assert_eq!(postgres.problems, sqlite.problems, "{case}");
        repair(&database, table);
    }
    for (table, keys) in TABLES.iter().filter(|(table, _)| *table != "invocation") {
        let delete =
            format!("DELETE FROM {table} WHERE ({keys}) = (SELECT {keys} FROM {table} ORDER BY {keys} LIMIT 1)");
        let sqlite = original.after(&delete);
        tamper(&database, &delete);
        let postgres = verify(&database);
        assert!(!postgres.ok, "{delete}");
        assert_eq!(postgres.problems, sqlite.problems, "{delete}");
        repair(&database, table);
    }
    assert_eq!(verify(&database).problems, []);
}

/// Starts `sql` as a superuser in a transaction that has locked the last table that the verifier reads, and which goes
/// on as soon as the verifier waits for that table. Returns what `sql` said, and what the verifier did.
fn beside_a_verifier(
    database: &TestDatabase<'_>,
    sql: &str,
) -> (Result<String, String>, Result<VerifyReport, StoreError>) {
    const WAITING: &str =
        "application_name = 'tollgate ledger' AND wait_event_type = 'Lock' AND datname = current_database()";
    let sql = format!(
        "SET statement_timeout = '2min';
         LOCK TABLE chain_head IN ACCESS EXCLUSIVE MODE;
         DO $$ BEGIN
             WHILE NOT EXISTS (SELECT 1 FROM pg_stat_activity WHERE {WAITING}) LOOP
                 PERFORM pg_sleep(0.005), pg_stat_clear_snapshot();
             END LOOP;
         END $$;
         {}",
        sql.replace("WAITING", WAITING)
    );
    let locked = "SELECT count(*) FROM pg_locks
                  WHERE relation = 'chain_head'::regclass AND mode = 'AccessExclusiveLock' AND granted";
    std::thread::scope(|scope| {
        let other = scope.spawn(|| database.query_as_superuser(&sql));
        wait_until("the table is locked", || (database.query(locked) == "1").then_some(()));
        let report = books::verify_postgres(&database.url(), &SystemClock::start());
        (other.join().unwrap(), report)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn all_tables_are_read_at_one_moment() {
    let original = Original::play(3).await;
    let database = copied(&original.path).await;
    let change = "SET session_replication_role = replica;
                  UPDATE chain_head SET batch_no = batch_no + 1;
                  UPDATE wallet_balance SET version = version + 1;";
    let (changed, report) = beside_a_verifier(&database, change);
    changed.unwrap();
    assert_eq!(check(report).problems, []);
    assert!(verify(&database).problems.iter().any(|problem| problem.kind == HeadMismatch));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_fails_is_an_error_and_no_damage() {
    let original = Original::play(3).await;
    let database = copied(&original.path).await;
    let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE WAITING";
    let (cut_off, report) = beside_a_verifier(&database, cut);
    assert_eq!(cut_off.unwrap().lines().last(), Some("1"));
    assert!(matches!(report, Err(StoreError::Database(_))), "{report:?}");
    assert_eq!(verify(&database).problems, []);

    database.query("ALTER TABLE chain_head RENAME TO head");
    let report = books::verify_postgres(&database.url(), &SystemClock::start());
    assert!(matches!(report, Err(StoreError::Database(_))), "{report:?}");
    let empty = Cluster::shared().database();
    assert!(books::trial_balance_postgres(&empty.url()).is_err());
    assert!(books::verify_postgres(&empty.url(), &SystemClock::start()).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_balance_of_damaged_books_names_the_table() {
    let original = Original::play(3).await;
    let database = copied(&original.path).await;
    tamper(&database, "UPDATE ledger_account SET kind = 99 WHERE id = 2");
    let refused = books::trial_balance_postgres(&database.url());
    assert!(matches!(&refused, Err(StoreError::Inconsistent { table: "ledger_account", what }) if what == "kind"));
    repair(&database, "ledger_account");
    // An account that only postings know of has no name.
    tamper(&database, "DELETE FROM ledger_account WHERE id = 3");
    let rows = books::trial_balance_postgres(&database.url()).unwrap();
    let unnamed: Vec<_> = rows.iter().filter(|row| row.kind.is_none()).map(|row| row.account).collect();
    assert_eq!(unnamed, [LedgerAccountId::OPENING]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_may_end_in_an_earlier_slot_beside_running_writers() {
    let desk = Desk::open_on(Kind::Postgres).await;
    desk.open_account(payable_id(1), AccountKind::Payable, 0).await;
    desk.open_account(wallet_id(1), AccountKind::Wallet, 0).await;
    desk.fund(wallet_id(1), 1_000).await;
    let (second, thread) = desk.another_writer().unwrap();
    let place = |id| Command::Hold(hold(id, wallet_id(1), payable_id(1), 60));
    let capture = |id| Command::Settle(capture_all(id, id));
    let [backward, forward, open] = [(); 3].map(|()| desk.fresh());
    assert_eq!(second.command(place(backward)).await.unwrap(), Ok(Done::Held));
    assert!(desk.ask(capture(backward)).await.is_ok());
    assert_eq!(desk.ask(place(forward)).await, Ok(Done::Held));
    assert!(second.command(capture(forward)).await.unwrap().is_ok());
    assert_eq!(second.command(place(open)).await.unwrap(), Ok(Done::Held));

    let report = check(books::verify_postgres(&desk.url(), &SystemClock::start()));
    assert_eq!(report.problems, []);
    assert_eq!(report.heads.iter().map(|head| head.slot).collect::<Vec<_>>(), [0, 1]);
    drop(second);
    thread.join().unwrap();
}
