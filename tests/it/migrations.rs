//! The schema's history, forwards and back, with rows in it.

mod late_counters;
mod movements;
mod roles;

use engine::store::Database;
use migrations::{Migrator, MigratorTrait as _};
use rusqlite::Connection;
use tests::{
    postgres::{Cluster, OWNER, TestDatabase},
    program::folder,
};

/// What stands in `sqlite_schema`, in the order of names.
fn schema(connection: &Connection) -> Vec<String> {
    let sql = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name <> 'seaql_migrations' ORDER BY name";
    let mut statement = connection.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[tokio::test]
async fn every_migration_can_be_taken_back() {
    let folder = folder();
    let path = folder.path().join("books.db");
    let connection = Database::connect_for_migration(&format!("sqlite://{}", path.display())).await.unwrap();
    let books = Connection::open(&path).unwrap();
    let mut stages = vec![schema(&books)];
    assert!(stages[0].is_empty());
    for _ in Migrator::migrations() {
        Migrator::up(&connection, Some(1)).await.unwrap();
        assert!(!stages.contains(&schema(&books)), "a migration that changes nothing");
        stages.push(schema(&books));
    }
    for stage in stages.iter().rev().skip(1) {
        Migrator::down(&connection, Some(1)).await.unwrap();
        assert_eq!(schema(&books).len(), stage.len());
    }
    Migrator::up(&connection, None).await.unwrap();
    assert_eq!(Some(schema(&books)), stages.pop());
}

#[tokio::test]
async fn rows_from_before_the_slimmer_hot_path_are_kept() {
    let folder = folder();
    let path = folder.path().join("books.db");
    let connection = Database::connect_for_migration(&format!("sqlite://{}", path.display())).await.unwrap();
    Migrator::up(&connection, Some(3)).await.unwrap();
    let books = Connection::open(&path).unwrap();
    books
        .execute_batch(
            "INSERT INTO txn VALUES (0, 1, x'01', 2, 1, NULL, NULL, 7, NULL), (0, 3, x'02', 3, 1, x'02', NULL, 8, NULL);
             INSERT INTO open_hold VALUES (x'03', 1001, 5, NULL);
             INSERT INTO idem VALUES (x'0a', 'finished', x'00', x'02', 1, 2, 200, 'the answer'),
                                     (x'0a', 'running', x'00', x'04', 2, 1, NULL, NULL);",
        )
        .unwrap();
    for (id, state) in [("02", 3), ("03", 1), ("04", 1), ("05", 2)] {
        let sql = format!(
            "INSERT INTO invocation (id, surface, held, snapshot_version, policy_version, epoch, created_us, state, charged,
                                     shortfall)
             VALUES (x'{id}', 1, 0, 1, 'p', 1, 1, {state}, 0, 0)"
        );
        books.execute_batch(&sql).unwrap();
    }
    let texts = |sql: &str| -> Vec<String> {
        books.prepare(sql).unwrap().query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let transactions = "SELECT hex(id) || kind || effective_us FROM txn ORDER BY seq";
    let before = texts(transactions);

    Migrator::up(&connection, None).await.unwrap();
    assert_eq!(texts(transactions), before);
    assert_eq!(texts("SELECT hex(id) FROM open_call ORDER BY id"), ["04", "05"], "those without an open hold");
    assert_eq!(texts("SELECT hex(call) || body FROM idem_answer"), ["02the answer"]);
    for (sql, why) in [
        ("INSERT INTO txn VALUES (0, 4, x'01', 2, 1, NULL, NULL, 7, NULL)", "UNIQUE"),
        ("DELETE FROM txn", "append-only"),
        ("UPDATE txn SET kind = 1", "append-only"),
    ] {
        let error = books.execute_batch(sql).unwrap_err().to_string();
        assert!(error.contains(why), "{sql}: {error}");
    }

    // This migration, and those after it.
    let later = u32::try_from(Migrator::migrations().len()).unwrap() - 3;
    Migrator::down(&connection, Some(later)).await.unwrap();
    assert_eq!(texts(transactions), before);
    assert_eq!(texts("SELECT key || coalesce(body, '-') FROM idem ORDER BY key"), ["finishedthe answer", "running-"]);
}

/// The tables of the books on PostgreSQL, each with a column that may be counted up.
const BOOKS: [(&str, &str); 14] = [
    ("txn", "kind"),
    ("posting", "amount"),
    ("hold", "amount"),
    ("hold_resolution", "captured"),
    ("refusal", "needed"),
    ("batch", "total"),
    ("credit_grant", "credits"),
    ("payout", "paid"),
    ("movement", "credits"),
    ("wallet_grant", "priority"),
    ("hold_source", "amount"),
    ("period_close", "end_us"),
    ("trial_balance", "kind"),
    ("audit", "recorded_us"),
];

/// One row for each table of the books, and what those refer to.
const ROWS: &str = "
    INSERT INTO ledger_account VALUES (1001, 'wallet:a', 1, 0, NULL), (1002, 'payable:a', 2, 0, NULL);
    INSERT INTO wallet_balance VALUES (1001, 100, 0, 0, 0, 1);
    INSERT INTO txn VALUES (0, 1, gen_random_uuid(), 2, 1, NULL, NULL, 7, NULL);
    INSERT INTO posting VALUES (0, 1, 0, 1001, 1002, 5);
    INSERT INTO hold VALUES (0, 2, gen_random_uuid(), 1, 1001, 1002, 5, 9, 8000, 0, NULL, NULL, '', NULL);
    INSERT INTO hold_resolution VALUES (0, 3, gen_random_uuid(), gen_random_uuid(), 1, 1, 5, NULL);
    INSERT INTO refusal VALUES (0, 4, gen_random_uuid(), 1, 1001, 'insufficient', 5);
    INSERT INTO batch VALUES (0, 1, 1, 1, 4, 1, 5, 9, gen_random_uuid(), '', '', '');
    INSERT INTO account VALUES (gen_random_uuid(), 'a@example.com', true, false, NULL, 1001, 0, 0);
    INSERT INTO credit_grant SELECT gen_random_uuid(), id, 5, 'welcome', NULL, 0, 9, 100 FROM account;
    INSERT INTO wallet_grant VALUES (0, 5, gen_random_uuid(), 1, 1001, 1003, 100, 9);
    INSERT INTO hold_source VALUES (0, 2, 0, gen_random_uuid(), 1003, 5);
    INSERT INTO period_close VALUES (0, 6, gen_random_uuid(), 1, 1, 0, 9, '', decode(repeat('00', 32), 'hex'));
    INSERT INTO trial_balance VALUES (1, 1, 0, 0, 5, 9, 4);
    INSERT INTO payout VALUES (gen_random_uuid(), 1002, 5, 0, 0, 5, NULL);
    INSERT INTO movement VALUES (gen_random_uuid(), 'payout', 'pub_1', 5, 'july', NULL, 0);
    INSERT INTO audit SELECT 0, 1, 9, 'a', 'b', 'c', NULL, 'd', 'e', 'f', NULL, NULL, NULL, NULL, zeros, zeros
        FROM decode(repeat('00', 32), 'hex') AS zeros;
";

/// Carries migrations out in the name of the database's owner.
async fn migrate(database: &TestDatabase<'_>) {
    let connection = Database::connect_for_migration(&database.url()).await.unwrap();
    Migrator::up(&connection, None).await.unwrap();
    connection.close().await.unwrap();
}

/// Fails unless `role` is refused, with these words.
fn check_refused(database: &TestDatabase<'_>, role: &str, sql: &str, why: &str) {
    match database.query_as(role, sql) {
        Ok(rows) => panic!("{role} may do this: {sql}: {rows}"),
        Err(error) => assert!(error.contains(why), "{role}: {sql}: {error}"),
    }
}

#[tokio::test]
async fn every_migration_can_be_taken_back_on_postgres() {
    let database = Cluster::shared().database();
    let connection = Database::connect_for_migration(&database.url()).await.unwrap();
    let mut stages = vec![database.schema()];
    assert_eq!(stages[0], "");
    for _ in Migrator::migrations() {
        Migrator::up(&connection, Some(1)).await.unwrap();
        stages.push(database.schema());
    }
    for stage in stages.iter().rev().skip(1) {
        Migrator::down(&connection, Some(1)).await.unwrap();
        assert_eq!(database.schema(), *stage);
    }
    Migrator::up(&connection, None).await.unwrap();
    assert_eq!(Some(database.schema()), stages.pop());
}

#[tokio::test]
async fn the_books_on_postgres_are_appended_to_and_never_changed() {
    let database = Cluster::shared().database();
    migrate(&database).await;
    database.query(ROWS);
    for (table, column) in BOOKS {
        let rows = format!("SELECT * FROM {table}");
        let before = database.query(&rows);
        assert_eq!(before.lines().count(), 1, "{table}: {before}");
        for sql in [
            format!("UPDATE {table} SET {column} = {column} + 1"),
            format!("UPDATE {table} SET {column} = {column}"),
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table} CASCADE"),
            format!(
                "INSERT INTO {table} SELECT * FROM {table}
                 ON CONFLICT ON CONSTRAINT {table}_pkey DO UPDATE SET {column} = excluded.{column}"
            ),
            format!("MERGE INTO {table} t USING (SELECT 1) one ON true WHEN MATCHED THEN DELETE"),
        ] {
            for role in [OWNER, "postgres"] {
                check_refused(&database, role, &sql, &format!("ERROR:  {table} is append-only"));
            }
        }
        assert_eq!(database.query(&rows), before, "{table} has changed");
    }
    database.query("TRUNCATE idem, open_hold, open_call");
}

#[tokio::test]
async fn a_price_on_postgres_is_never_changed() {
    let database = Cluster::shared().database();
    migrate(&database).await;
    database.query(
        "INSERT INTO tool VALUES (gen_random_uuid(), NULL, 'a', '', '', '{}', true, false, 'POST', 'http://a', 1, 0);
         INSERT INTO price_version SELECT gen_random_uuid(), id, 0, '{}', 0 FROM tool;",
    );
    check_refused(&database, OWNER, "UPDATE price_version SET spec = '[]'", "price_version is append-only");
}

#[tokio::test]
async fn what_is_unique_on_sqlite_is_unique_on_postgres() {
    let database = Cluster::shared().database();
    migrate(&database).await;
    let [first, second] = ["'00000000-0000-0000-0000-00000000000a'", "'00000000-0000-0000-0000-00000000000b'"];
    let tool = |namespace: &str| {
        format!(
            "INSERT INTO tool
             VALUES (gen_random_uuid(), {namespace}, 'a', '', '', '{{}}', true, false, 'POST', 'u', 1, 0)"
        )
    };
    let txn =
        |seq: u8, id: &str, hold: &str| format!("INSERT INTO txn VALUES (0, {seq}, {id}, 2, 1, {hold}, NULL, 7, NULL)");
    let end = |seq: u8, hold: &str, id: &str| {
        format!("INSERT INTO hold_resolution VALUES (0, {seq}, {hold}, {id}, 1, 1, 5, NULL)")
    };
    let batch = |number: u8| format!("INSERT INTO batch VALUES (0, {number}, 1, 1, 4, 1, 5, 9, {first}, '', '', '')");
    let key =
        "INSERT INTO idem VALUES ('00000000-0000-0000-0000-00000000000a', 'k', '', gen_random_uuid(), 0, 1, NULL)";
    for sql in [
        tool("NULL"),
        txn(1, first, "NULL"),
        // A charge with the identifier of its hold is found by the hold.
        txn(2, second, second),
        txn(3, second, second),
        txn(4, second, "NULL"),
        end(5, first, first),
        end(6, second, "gen_random_uuid()"),
        batch(1),
        key.to_owned(),
    ] {
        database.query(&sql);
    }
    for (sql, index) in [
        (tool("NULL"), "tool_name"),
        (txn(7, first, "NULL"), "txn_id"),
        (txn(8, first, second), "txn_id"),
        (end(9, first, "gen_random_uuid()"), "hold_resolution_hold_id_key"),
        (batch(2), "batch_client_batch_id_key"),
        (key.to_owned(), "idem_pkey"),
    ] {
        check_refused(&database, OWNER, &sql, index);
    }
}

/// An update that changes no indexed column and finds room on its page writes nothing but that page (HOT). An index of
/// a balance or of a state would cost every call dearly, and nothing else would tell.
#[tokio::test]
async fn what_changes_all_the_time_on_postgres_is_changed_in_place() {
    let database = Cluster::shared().database();
    migrate(&database).await;
    database.query(
        "INSERT INTO ledger_account SELECT n, 'a:' || n, 1, 0, NULL FROM generate_series(1000, 1999) n;
         INSERT INTO wallet_balance SELECT n, 9, 0, 0, 0, 1 FROM generate_series(1000, 1999) n;
         INSERT INTO hot_balance SELECT n, 0, 9, 0, 1 FROM generate_series(1000, 1999) n;
         INSERT INTO cap_window SELECT gen_random_uuid(), n, 0, 0 FROM generate_series(1000, 1999) n;
         INSERT INTO idem SELECT gen_random_uuid(), 'key', '', gen_random_uuid(), n, 1, NULL
             FROM generate_series(1000, 1999) n;
         INSERT INTO invocation (id, surface, held, snapshot_version, policy_version, epoch, created_us, state, charged,
                                 shortfall, resolves_us)
             SELECT gen_random_uuid(), 1, 5, 1, 'p', 1, n, 1, 0, 0, n FROM generate_series(1000, 1999) n;",
    );
    for (table, change) in [
        ("wallet_balance", "held = 5, credits = credits + 1, version = version + 1 WHERE account_id % 4 = 0"),
        ("hot_balance", "credits = credits + 1, version = version + 1 WHERE account_id % 4 = 0"),
        ("cap_window", "spent = spent + 1, held = held + 1 WHERE start_us % 4 = 0"),
        (
            "chain_head",
            "batch_no = 1, seq = 9, hash = hash, last_us = 9, lease_until_us = 9, owner = gen_random_uuid()",
        ),
        ("idem", "state = 2, status = 200 WHERE created_us % 8 = 0"),
        ("invocation", "state = 3, charged = 5, ended_us = 9, resolves_us = NULL WHERE created_us % 8 = 0"),
        ("version", "value = value + 1"),
    ] {
        let sql = format!(
            "UPDATE {table} SET {change};
             SELECT n_tup_upd > 0, n_tup_upd - n_tup_hot_upd FROM pg_stat_xact_user_tables WHERE relname = '{table}'"
        );
        assert_eq!(database.query(&sql), "t|0", "{table}");
    }
}
