//! The schema's history, forwards and back, with rows in it.

use engine::store::Database;
use migrations::{Migrator, MigratorTrait as _};
use rusqlite::Connection;
use tests::program::folder;

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

    Migrator::down(&connection, Some(1)).await.unwrap();
    assert_eq!(texts(transactions), before);
    assert_eq!(texts("SELECT key || coalesce(body, '-') FROM idem ORDER BY key"), ["finishedthe answer", "running-"]);
}
