//! The books are checked on PostgreSQL as on SQLite: the same rows give the same report, sound or damaged.

mod copies;

use engine::{
    clock::SystemClock,
    ledger::{
        AccountKind, LedgerAccountId,
        batch::Done,
        verify::{Problem, ProblemKind, ProblemKind::*},
    },
    store::{
        StoreError,
        books::{self, VerifyReport},
        writer::Command,
    },
};
use tests::{
    patience::wait_until,
    postgres::{Cluster, TestDatabase},
};

use self::{
    Value::{Bytes, Id, Sql},
    copies::{Original, TABLES, check, copied, migrated, repair, tamper, verify},
};
use super::desk::{Desk, Kind, capture_all, hold, payable_id, wallet_id};

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
        // There alone rows of counters may be late: `docs/adr/0021-late-counters.md`.
        let is_shared = |problem: &&Problem| !problem.text.starts_with("`counted_seq`");
        let shared: Vec<Problem> = sqlite.problems.iter().filter(is_shared).cloned().collect();
        assert_eq!(postgres.problems, shared, "{case}");
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
