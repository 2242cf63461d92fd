//! A database that is changed below all guards, and looked at.

use std::{collections::BTreeMap, path::Path};

use engine::{
    clock::SystemClock,
    ledger::{jsonl::read_checkpoint, verify::Kept},
    store::{
        DatabasePlace,
        books::{self, VerifyReport, VerifyScope},
    },
};
use tests::home::Home;

use super::super::books::Books;
use crate::rows;

/// A column with the way its values are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) table: String,
    pub(super) name: String,
    pub(super) sort: String,
}

/// A database at rest, and what was kept of it outside.
pub(super) struct Ground<'a> {
    pub(super) home: &'a Home,
    pub(super) columns: Vec<Column>,
    pub(super) keys: BTreeMap<String, Vec<String>>,
    pub(super) kept: Vec<Kept>,
}

impl<'a> Ground<'a> {
    pub(super) fn of(books: &'a Books) -> Self {
        let kept = read_kept(&books.kept(1));
        let home = &books.home;
        let columns = match home.database() {
            None => {
                "SELECT m.name, c.name, lower(c.type) FROM sqlite_schema m, pragma_table_info(m.name) c
                 WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY 1, c.cid"
            }
            Some(_) => {
                "SELECT table_name, column_name, data_type FROM information_schema.columns
                 WHERE table_schema = 'public' ORDER BY 1, ordinal_position"
            }
        };
        let keys = match home.database() {
            None => {
                "SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c
                 WHERE m.type = 'table' AND c.pk > 0 ORDER BY 1, c.pk"
            }
            Some(_) => {
                "SELECT t.relname, a.attname FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
                 JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = ANY (i.indkey)
                 WHERE i.indisprimary AND t.relnamespace = 'public'::regnamespace ORDER BY 1, a.attnum"
            }
        };
        let columns = rows::of_home(home, columns);
        let columns = columns
            .into_iter()
            .map(|row| Column { table: row[0].clone(), name: row[1].clone(), sort: row[2].clone() })
            .collect();
        let mut by_table: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in rows::of_home(home, keys) {
            by_table.entry(row[0].clone()).or_default().push(row[1].clone());
        }
        // This one is unique without being a key on SQLite.
        by_table.insert("idem".to_owned(), vec!["scope".to_owned(), "key".to_owned()]);
        Self { home, columns, keys: by_table, kept }
    }

    fn place(&self) -> DatabasePlace {
        match self.home.database() {
            None => DatabasePlace::File(self.home.file()),
            Some(database) => DatabasePlace::Server(database.url()),
        }
    }

    pub(super) fn verify(&self, kept: &[Kept]) -> VerifyReport {
        let scope = VerifyScope { from: None, kept: kept.to_vec() };
        books::verify_within(&self.place(), &scope, &SystemClock::start()).unwrap()
    }

    pub(super) fn columns_of(&self, table: &str) -> Vec<&Column> {
        self.columns.iter().filter(|column| column.table == table).collect()
    }

    /// The rows of a table, every value as SQL writes it.
    pub(super) fn rows(&self, table: &str) -> Vec<Vec<String>> {
        let columns = self.columns_of(table);
        // Lists separate columns by a bar on one database, so that texts are read as digits.
        let read = |column: &&Column| {
            let name = &column.name;
            match (column.sort.as_str(), self.home.database().is_some()) {
                ("text" | "blob", false) => format!("coalesce(hex(\"{name}\"), ''), \"{name}\" IS NULL"),
                ("text", true) => {
                    format!("coalesce(encode(convert_to(\"{name}\", 'UTF8'), 'hex'), ''), (\"{name}\" IS NULL)::int")
                }
                ("bytea", true) => format!("coalesce(encode(\"{name}\", 'hex'), ''), (\"{name}\" IS NULL)::int"),
                ("boolean", true) => format!("\"{name}\"::int, (\"{name}\" IS NULL)::int"),
                (_, true) => format!("coalesce(\"{name}\"::text, ''), (\"{name}\" IS NULL)::int"),
                (_, false) => format!("coalesce(\"{name}\", ''), \"{name}\" IS NULL"),
            }
        };
        let list: Vec<_> = columns.iter().map(read).collect();
        let found = rows::of_home(self.home, &format!("SELECT {} FROM {table}", list.join(", ")));
        let literal = |(column, pair): (&&Column, &[String])| match (&*pair[1], column.sort.as_str()) {
            ("1", _) => "NULL".to_owned(),
            (_, "text") if self.home.database().is_none() => format!("CAST(x'{}' AS TEXT)", pair[0]),
            (_, "text") => format!("convert_from('\\x{}', 'UTF8')", pair[0]),
            (_, "blob") => format!("x'{}'", pair[0]),
            (_, "bytea") => format!("'\\x{}'::bytea", pair[0]),
            (_, "uuid") => format!("'{}'::uuid", pair[0]),
            (_, "boolean") => format!("{}::int::boolean", pair[0]),
            _ => pair[0].clone(),
        };
        found.iter().map(|row| columns.iter().zip(row.chunks(2)).map(literal).collect()).collect()
    }

    /// How to find a row.
    pub(super) fn condition(&self, table: &str, row: &[String]) -> String {
        let columns = self.columns_of(table);
        let parts = columns.iter().zip(row).filter(|(column, _)| self.keys[table].contains(&column.name));
        parts.map(|(column, value)| format!("\"{}\" = {value}", column.name)).collect::<Vec<_>>().join(" AND ")
    }

    /// Whether the database takes this at all: a number may be taken, or too large.
    pub(super) fn try_change(&self, sql: &str) -> bool {
        match self.home.database() {
            Some(database) => {
                database.query_as_superuser(&format!("SET session_replication_role = replica; {sql}")).is_ok()
            }
            None => {
                let connection = rows::connect(&self.home.file());
                connection
                    .execute_batch(
                        "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; PRAGMA synchronous = OFF",
                    )
                    .unwrap();
                connection.execute_batch(sql).is_ok()
            }
        }
    }

    pub(super) fn change(&self, sql: &str) {
        assert!(self.try_change(sql), "{sql}");
    }

    pub(super) fn delete(&self, table: &str, row: &[String]) {
        self.change(&format!("DELETE FROM {table} WHERE {}", self.condition(table, row)));
    }

    pub(super) fn insert(&self, table: &str, row: &[String]) -> bool {
        let names: Vec<_> = self.columns_of(table).iter().map(|column| format!("\"{}\"", column.name)).collect();
        self.try_change(&format!("INSERT INTO {table} ({}) VALUES ({})", names.join(", "), row.join(", ")))
    }
}

/// The checkpoints in a file outside of the database.
fn read_kept(file: &Path) -> Vec<Kept> {
    let text = std::fs::read_to_string(file).unwrap();
    let read = |line| read_checkpoint(&serde_json::from_str(line).unwrap()).unwrap();
    text.lines().map(read).map(|(signed, public)| Kept { signed, public }).collect()
}

/// Does something to the database, looks, and puts everything back.
pub(super) fn beside<T>(ground: &Ground<'_>, sql: &str, look: impl FnOnce() -> T) -> T {
    let tables = [
        "batch",
        "posting",
        "txn",
        "hold",
        "hold_resolution",
        "refusal",
        "chain_head",
        "checkpoint",
        "signing_key",
        "wallet_balance",
        "hot_balance",
    ];
    let before: Vec<_> = tables.iter().map(|table| (table, ground.rows(table))).collect();
    ground.change(sql);
    let seen = look();
    for (table, rows) in before {
        let columns = ground.columns_of(table);
        let names: Vec<_> = columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
        let rows: Vec<_> = rows.iter().map(|row| format!("({})", row.join(", "))).collect();
        let insert = format!("INSERT INTO {table} ({}) VALUES {}", names.join(", "), rows.join(", "));
        ground.change(&format!("DELETE FROM {table}; {insert}"));
    }
    seen
}
