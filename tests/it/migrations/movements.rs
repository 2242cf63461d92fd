//! What the schema says of refunds, chargebacks and payouts.

use engine::store::Database;
use migrations::{Migrator, MigratorTrait as _};
use rusqlite::Connection;
use tests::{
    postgres::{Cluster, OWNER},
    program::folder,
};

use super::{check_refused, migrate};

/// A purchase with an open chargeback, and what a chargeback may become.
const DISPUTED: &str = "
    INSERT INTO ledger_account (id, code, kind, created_us) VALUES (1001, 'liabilities:wallet:a', 1, 0);
    INSERT INTO account VALUES (@1, 'a@example.com', true, false, NULL, 1001, 0, 0);
    INSERT INTO purchase (id, account_id, credits, provider, status, created_us)
    VALUES (@2, @1, 5, 'manual', 'confirmed', 0);
    INSERT INTO chargeback VALUES (@3, @2, 5, 'open', 1, NULL, NULL);
    INSERT INTO payout VALUES (@1, 1001, 5, 0, 0, 5, NULL);
    INSERT INTO movement VALUES (@1, 'payout', 'pub_1', 5, 'july', 'k', 0);";

const ALLOWED: &str = "UPDATE chargeback SET state = 'won', closing = @4, closed_us = 2;
                       INSERT INTO chargeback VALUES (@5, @2, 5, 'open', 3, NULL, NULL);";

const FORBIDDEN: [(&str, &str); 11] = [
    ("UPDATE chargeback SET credits = 4 WHERE state = 'open'", "append-only"),
    ("UPDATE chargeback SET state = 'lost', closing = @6 WHERE state = 'won'", "append-only"),
    ("DELETE FROM chargeback", "append-only"),
    ("UPDATE chargeback SET state = 'lost' WHERE state = 'open'", "CHECK"),
    ("INSERT INTO chargeback VALUES (@6, @2, 5, 'open', 4, NULL, NULL)", "UNIQUE"),
    ("INSERT INTO refund_total VALUES (@6, 5, 6)", "CHECK"),
    ("UPDATE payout SET paid = paid", "append-only"),
    ("DELETE FROM payout", "append-only"),
    ("UPDATE movement SET reason = 'x'", "append-only"),
    ("DELETE FROM movement", "append-only"),
    ("INSERT INTO movement VALUES (@6, 'refund', 'ent_1', 5, 'r', 'k', 0)", "UNIQUE"),
];

/// `sql` with names for its identifiers.
fn named(sql: &str, name: impl Fn(&str) -> String) -> String {
    (1..=6).fold(sql.to_owned(), |sql, number| sql.replace(&format!("@{number}"), &name(&number.to_string())))
}

#[tokio::test]
async fn a_chargeback_goes_forward_once_and_nothing_goes_back_twice() {
    let folder = folder();
    let path = folder.path().join("books.db");
    let connection = Database::connect_for_migration(&format!("sqlite://{}", path.display())).await.unwrap();
    Migrator::up(&connection, None).await.unwrap();
    let books = Connection::open(&path).unwrap();
    let on_sqlite = |sql: &str| named(sql, |number| format!("x'0{number}'"));
    books.execute_batch(&on_sqlite(DISPUTED)).unwrap();
    books.execute_batch(&on_sqlite(ALLOWED)).unwrap();
    let database = Cluster::shared().database();
    migrate(&database).await;
    let on_postgres = |sql: &str| named(sql, |number| format!("'00000000-0000-0000-0000-00000000000{number}'"));
    database.query(&on_postgres(DISPUTED));
    database.query(&on_postgres(ALLOWED));
    for (sql, why) in FORBIDDEN {
        let error = books.execute_batch(&on_sqlite(sql)).unwrap_err().to_string();
        assert!(error.contains(why), "{sql}: {error}");
        check_refused(&database, OWNER, &on_postgres(sql), &why.to_lowercase());
    }
}

#[tokio::test]
async fn publishers_from_before_get_an_account_for_what_they_owe() {
    let folder = folder();
    let path = folder.path().join("books.db");
    let connection = Database::connect_for_migration(&format!("sqlite://{}", path.display())).await.unwrap();
    Migrator::up(&connection, Some(5)).await.unwrap();
    let payable =
        "INSERT INTO ledger_account (id, code, kind, created_us) VALUES (77, 'liabilities:payable:pub_1', 2, 9)";
    let books = Connection::open(&path).unwrap();
    books.execute_batch(payable).unwrap();
    Migrator::up(&connection, Some(1)).await.unwrap();
    let found = |books: &Connection| -> Vec<String> {
        let sql =
            "SELECT id || ' ' || code || ' ' || kind || ' ' || created_us FROM ledger_account WHERE id < 0 OR id = 7";
        books.prepare(sql).unwrap().query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(found(&books), ["-77 assets:receivable:publisher:pub_1 7 9", "7 expenses:loss:chargeback 8 0"]);
    let database = Cluster::shared().database();
    let connection = Database::connect_for_migration(&database.url()).await.unwrap();
    Migrator::up(&connection, Some(5)).await.unwrap();
    database.query(payable);
    Migrator::up(&connection, Some(1)).await.unwrap();
    let sql = "SELECT id || ' ' || code FROM ledger_account WHERE id < 0";
    assert_eq!(database.query(sql).trim(), "-77 assets:receivable:publisher:pub_1");
}
