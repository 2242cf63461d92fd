//! Statements for crates that may not know sea-orm.

use sea_orm::{DbBackend, Statement};

use crate::store::UnitOfWork;

/// Adds a statement for SQLite without parameters to `unit`; `rows` is the number of rows that it must touch.
pub fn push_statement(unit: &mut UnitOfWork, sql: &str, rows: Option<u64>) {
    unit.push(Statement::from_string(DbBackend::Sqlite, sql), rows);
}
