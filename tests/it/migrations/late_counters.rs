//! What the schema says of counters that are behind the journal.

use engine::store::Database;
use migrations::{Migrator, MigratorTrait as _};
use rusqlite::Connection;
use tests::{postgres::Cluster, program::folder};

const THIS: &str = "m20261123_000022_late_counters";

/// How many migrations come before this one, and how many there are.
fn place() -> (u32, u32) {
    let all = Migrator::migrations();
    let at = all.iter().position(|migration| migration.name() == THIS).unwrap();
    (u32::try_from(at).unwrap(), u32::try_from(all.len()).unwrap())
}

#[tokio::test]
async fn counters_from_before_are_true_to_the_end_of_the_journal() {
    let folder = folder();
    let path = folder.path().join("books.db");
    let connection = Database::connect_for_migration(&format!("sqlite://{}", path.display())).await.unwrap();
    let (before, all) = place();
    Migrator::up(&connection, Some(before)).await.unwrap();
    let books = Connection::open(&path).unwrap();
    books
        .execute_batch(
            "INSERT INTO cap_window VALUES (zeroblob(16), 0, 5, 7);
             UPDATE chain_head SET epoch = 3, batch_no = 9, seq = 21;",
        )
        .unwrap();
    Migrator::up(&connection, None).await.unwrap();
    let head = || -> (i64, i64) {
        let sql = "SELECT seq, counted_seq FROM chain_head";
        books.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    };
    assert_eq!(head(), (21, 21));
    for wrong in ["counted_seq = 22", "counted_seq = -1", "seq = 20"] {
        let error = books.execute_batch(&format!("UPDATE chain_head SET {wrong}")).unwrap_err().to_string();
        assert!(error.contains("CHECK"), "{wrong}: {error}");
    }
    // A program from before would believe the rows.
    Migrator::down(&connection, Some(all - before - 1)).await.unwrap();
    books.execute_batch("UPDATE chain_head SET seq = 23, counted_seq = 22").unwrap();
    let error = Migrator::down(&connection, Some(1)).await.unwrap_err().to_string();
    assert!(error.contains("start_the_server_and_stop_it_first"), "{error}");
    assert_eq!(head(), (23, 22), "nothing has happened");
    books.execute_batch("UPDATE chain_head SET counted_seq = seq").unwrap();
    Migrator::down(&connection, Some(1)).await.unwrap();
    let kept = "SELECT h.seq + c.spent + c.held FROM chain_head h, cap_window c";
    assert_eq!(books.query_row(kept, [], |row| row.get::<_, i64>(0)).unwrap(), 23 + 5 + 7);
    let columns = "SELECT count(*) FROM pragma_table_info('chain_head') WHERE name = 'counted_seq'";
    assert_eq!(books.query_row(columns, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
}

#[tokio::test]
async fn on_postgres_counters_are_never_behind() {
    let database = Cluster::shared().database();
    let connection = Database::connect_for_migration(&database.url()).await.unwrap();
    let (before, _) = place();
    Migrator::up(&connection, Some(before)).await.unwrap();
    let schema = database.schema();
    Migrator::up(&connection, Some(1)).await.unwrap();
    assert_eq!(database.schema(), schema);
    Migrator::down(&connection, Some(1)).await.unwrap();
    assert_eq!(database.schema(), schema);
}
