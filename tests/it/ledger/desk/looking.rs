//! Looking into a desk's database past its writer, and tampering with it.

use std::{sync::Arc, thread::JoinHandle};

use engine::{id::EntryId, ledger::LedgerAccountId};
use rusqlite::Connection;

use super::{BOOKS, Desk, Place};
use crate::rows;

/// What `wallet_balance` says of a wallet, in micro-credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WalletRow {
    pub(crate) credits: i64,
    pub(crate) debits: i64,
    pub(crate) held: i64,
    pub(crate) overdraft: i64,
}

impl WalletRow {
    pub(crate) fn available(&self) -> i64 {
        self.credits - self.debits - self.held + self.overdraft
    }
}

impl Desk {
    /// A connection of its own to an SQLite file, for looking (and for tampering).
    pub(crate) fn connection(&self) -> Connection {
        rows::connect(self.path())
    }

    /// The rows that `sql` asks for, as texts; an identifier as 32 hexadecimal digits, `NULL` as nothing.
    pub(crate) fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        self.place.rows(sql)
    }

    /// Looks at the rows that `sql` asks for whenever it is called, also from another thread.
    pub(crate) fn looker(&self, sql: &'static str) -> impl Fn() -> Vec<Vec<String>> + Send + 'static {
        let place = Arc::clone(&self.place);
        move || place.rows(sql)
    }

    /// Does to the books what a person with access to the database could do, guards or not; how many rows that touched.
    pub(crate) fn force(&self, sql: &str) -> usize {
        match &*self.place {
            Place::File { .. } => {
                let connection = self.connection();
                for (table, deed) in BOOKS.iter().flat_map(|table| ["update", "delete"].map(|deed| (table, deed))) {
                    connection.execute_batch(&format!("DROP TRIGGER IF EXISTS {table}_no_{deed}")).unwrap();
                }
                connection.execute(sql, []).unwrap()
            }
            Place::Server(database) => {
                let sql = format!("SET session_replication_role = replica; {sql} RETURNING 1");
                database.query_as_superuser(&sql).unwrap().lines().count()
            }
        }
    }

    /// Changes a PostgreSQL database behind the writers' backs.
    pub(crate) fn alter(&self, sql: &str) {
        match &*self.place {
            Place::File { .. } => panic!("a file is changed through `connection`"),
            Place::Server(database) => drop(database.query_as_superuser(sql).unwrap()),
        }
    }

    /// Has somebody else carry out `sql` on a PostgreSQL database meanwhile; how it ended.
    pub(crate) fn alter_behind(&self, sql: String) -> JoinHandle<Result<String, String>> {
        let place = Arc::clone(&self.place);
        std::thread::spawn(move || match &*place {
            Place::File { .. } => panic!("a file is changed through `connection`"),
            Place::Server(database) => database.query_as_superuser(&sql),
        })
    }

    /// The one number that `sql` asks for.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        self.rows(sql)[0][0].parse().unwrap()
    }

    pub(crate) fn wallet(&self, id: LedgerAccountId) -> WalletRow {
        let sql = "SELECT credits, debits, held, overdraft FROM wallet_balance WHERE account_id = ";
        let row: Vec<i64> =
            self.rows(&format!("{sql}{}", id.raw()))[0].iter().map(|number| number.parse().unwrap()).collect();
        WalletRow { credits: row[0], debits: row[1], held: row[2], overdraft: row[3] }
    }

    /// How SQL writes an identifier.
    pub(crate) fn id_literal(&self, id: EntryId) -> String {
        match &*self.place {
            Place::File { .. } => format!("x'{}'", id.uuid().simple()),
            Place::Server(_) => format!("'{}'::uuid", id.uuid()),
        }
    }

    /// What an unlimited account received, less what it spent.
    pub(crate) fn hot_balance(&self, id: LedgerAccountId) -> i64 {
        let sql = "SELECT coalesce(sum(credits - debits), 0) FROM hot_balance WHERE account_id = ";
        self.number(&format!("{sql}{}", id.raw()))
    }
}
