//! The history of the database schema.
//!
//! A migration is frozen once it has landed: it imports nothing of ours, and it is never edited. Each is a folder with
//! one SQL text per kind of database, because the tables of the ledger are tuned by hand for both.
//! `schema.sqlite.sql` beside this crate's manifest is what all of them together make; a test keeps it fresh.

#![expect(
    elided_lifetimes_in_paths,
    reason = "async_trait fixes the lifetimes of `up` and `down` as the trait writes them"
)]

use sea_orm_migration::prelude::*;

pub use sea_orm_migration::MigratorTrait;

mod m20261121_000001_ledger;
mod m20261121_000002_catalog;
mod m20261121_000003_grants;

/// Runs all migrations in their order.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_000001_ledger::Migration),
            Box::new(m20261121_000002_catalog::Migration),
            Box::new(m20261121_000003_grants::Migration),
        ]
    }
}

/// Runs the statements of one migration for the database at hand.
async fn run(manager: &SchemaManager<'_>, sqlite: &str) -> Result<(), DbErr> {
    match manager.get_database_backend() {
        sea_orm::DatabaseBackend::Sqlite => manager.get_connection().execute_unprepared(sqlite).await.map(drop),
        other => Err(DbErr::Custom(format!("the schema has not been written for {other:?}"))),
    }
}
