//! The books are appended to and never changed: not by an update, not by a deletion, not by a replacement.

use engine::{
    audit::OpContext,
    ledger::{AccountKind, batch::Done},
    store::{NotSaved, UnitOfWork, writer::Command},
    testing::push_statement,
};

use super::desk::{Desk, Kind, SECOND_US, capture_all, grant, hold, on_both, payable_id, post, wallet_id};

on_both! {
    the_writers_own_connection_cannot_change_the_books,
}

const TABLES: [(&str, &str); 10] = [
    ("txn", "kind"),
    ("posting", "amount"),
    ("hold", "amount"),
    ("hold_resolution", "captured"),
    ("refusal", "needed"),
    ("batch", "total"),
    ("wallet_grant", "priority"),
    ("hold_source", "amount"),
    ("period_close", "end_us"),
    ("trial_balance", "closing"),
];

/// A ledger with at least one row in each table of the books.
async fn desk_with_rows(kind: Kind) -> Desk {
    let desk = Desk::open_on(kind).await;
    desk.open_account(payable_id(1), AccountKind::Payable, 0).await;
    desk.open_account(wallet_id(1), AccountKind::Wallet, 0).await;
    desk.fund(wallet_id(1), 100).await;
    let id = desk.fresh();
    assert!(desk.ask(Command::Hold(hold(id, wallet_id(1), payable_id(1), 60))).await.is_ok());
    assert!(desk.ask(Command::Settle(capture_all(id, id))).await.is_ok());
    assert!(desk.ask(Command::Post(post(desk.fresh(), &[(wallet_id(1), payable_id(1), 41)]))).await.is_err());
    let give = grant(&desk, 1, wallet_id(1), 50, 60 * SECOND_US);
    assert_eq!(desk.give(&give).await, Ok(Done::Posted));
    assert!(desk.ask(Command::Hold(hold(desk.fresh(), wallet_id(1), payable_id(1), 60))).await.is_ok());
    let services = desk.services().await;
    assert_eq!(services.close_period(&OpContext::system(), Some(desk.now_us())).await.unwrap().period, 1);
    desk
}

/// What would change the books, in the words of each database.
fn changes(kind: Kind, table: &str, column: &str) -> Vec<String> {
    let number = match table {
        "batch" => "batch_no",
        "trial_balance" => "period",
        _ => "seq",
    };
    let mut changes = vec![
        format!("UPDATE {table} SET {column} = {column}"),
        format!("UPDATE {table} SET {number} = {number} + 1"),
        format!("DELETE FROM {table}"),
    ];
    changes.extend(match kind {
        Kind::Sqlite => vec![
            format!("INSERT OR REPLACE INTO {table} SELECT * FROM {table}"),
            format!("REPLACE INTO {table} SELECT * FROM {table} LIMIT 1"),
            format!("UPDATE OR REPLACE {table} SET {number} = 1"),
        ],
        Kind::Postgres => vec![
            format!("TRUNCATE {table} CASCADE"),
            format!("WITH gone AS (DELETE FROM {table} RETURNING 1) SELECT * FROM gone"),
        ],
    });
    changes
}

async fn the_writers_own_connection_cannot_change_the_books(kind: Kind) {
    let desk = desk_with_rows(kind).await;
    for (table, column) in TABLES {
        let all = format!("SELECT * FROM {table} ORDER BY 1, 2");
        let before = desk.rows(&all);
        assert!(!before.is_empty(), "{table} has no row");
        for sql in changes(kind, table, column) {
            let mut unit = UnitOfWork::new();
            push_statement(&mut unit, &sql, None);
            assert_eq!(desk.save(unit).await, Err(NotSaved::Conflict { statement: 0 }), "{sql}");
        }
        assert_eq!(desk.rows(&all), before, "{table} has changed");
    }
    desk.verify();
}

/// Without the setting that every connection of ours has, SQLite carries a replacement out: this is what the verifier
/// is for.
#[tokio::test(flavor = "multi_thread")]
async fn a_replacement_by_a_foreign_connection_is_found_by_the_verifier() {
    let desk = desk_with_rows(Kind::Sqlite).await;
    let connection = desk.connection();
    assert!(connection.execute_batch("UPDATE posting SET amount = 999").is_err(), "the trigger holds for everybody");
    let replace = "REPLACE INTO posting (slot, seq, ord, debit, credit, amount)
                   SELECT slot, seq, ord, debit, credit, 999 FROM posting LIMIT 1";
    connection.execute_batch("PRAGMA recursive_triggers = ON").unwrap();
    assert!(connection.execute_batch(replace).is_err());
    connection.execute_batch("PRAGMA recursive_triggers = OFF").unwrap();
    connection.execute_batch(replace).unwrap();
    let report = engine::store::books::verify(desk.path(), &engine::clock::SystemClock::start()).unwrap();
    assert!(!report.ok && report.problems.iter().any(|problem| problem.kind.as_str() == "leaf_mismatch"), "{report:?}");
}
