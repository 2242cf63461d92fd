//! The history of the database schema.
//!
//! A migration is frozen once it has landed: it imports nothing of ours, and its SQL is never edited. Each is a folder
//! with one SQL text per kind of database and direction, because the tables of the ledger are tuned by hand for both.
//! `schema.sqlite.sql` and `schema.postgres.sql` beside this crate's manifest are what all of them together make; tests
//! keep them fresh. PostgreSQL is 15 or newer.

#![expect(
    elided_lifetimes_in_paths,
    reason = "async_trait fixes the lifetimes of `up` and `down` as the trait writes them"
)]

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, Statement},
};

pub use sea_orm_migration::{DbErr, MigratorTrait};

/// A migration whose texts stand in the folder of its name.
macro_rules! migration {
    ($name:literal) => {
        Box::new(SqlMigration {
            name: $name,
            sqlite: Texts {
                up: include_str!(concat!($name, "/up.sqlite.sql")),
                down: include_str!(concat!($name, "/down.sqlite.sql")),
            },
            postgres: Texts {
                up: include_str!(concat!($name, "/up.postgres.sql")),
                down: include_str!(concat!($name, "/down.postgres.sql")),
            },
        })
    };
}

/// Runs all migrations in their order.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            migration!("m20261121_000001_ledger"),
            migration!("m20261121_000002_catalog"),
            migration!("m20261121_000003_grants"),
            migration!("m20261121_000004_hot_path"),
            migration!("m20261121_000005_policy_versions"),
            migration!("m20261121_000006_movements"),
            migration!("m20261121_000007_grants_and_periods"),
            migration!("m20261121_000008_audit"),
            migration!("m20261121_000009_proof"),
            migration!("m20261122_000010_operators"),
            migration!("m20261122_000011_console_hours"),
            migration!("m20261122_000012_mail"),
            migration!("m20261122_000013_payloads"),
            migration!("m20261122_000014_discovery"),
            migration!("m20261122_000015_partners"),
            migration!("m20261122_000016_mcp_upstreams"),
            migration!("m20261122_000017_publishers"),
            migration!("m20261123_000018_partner_funding"),
            migration!("m20261123_000019_names_and_keys"),
            migration!("m20261123_000020_catalog_changes"),
            migration!("m20261123_000021_explained_charges"),
            migration!("m20261123_000022_late_counters"),
        ]
    }
}

/// How a database's schema stands to this program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// What is still to be done, in this order.
    pub pending: Vec<String>,
    /// What has been done and is not known here: by a newer program.
    pub unknown: Vec<String>,
}

/// Reads, and changes nothing: also for a role that may not.
///
/// # Errors
/// The database cannot be read.
pub async fn history<C: ConnectionTrait>(connection: &C) -> Result<History, DbErr> {
    let done = done(connection).await?;
    let known: Vec<String> = Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect();
    let unknown = done.iter().filter(|name| !known.contains(name)).cloned().collect();
    Ok(History { pending: known.into_iter().filter(|name| !done.contains(name)).collect(), unknown })
}

/// The names of what has been done to the database; nothing before the first start.
async fn done<C: ConnectionTrait>(connection: &C) -> Result<Vec<String>, DbErr> {
    let tables = match connection.get_database_backend() {
        sea_orm::DatabaseBackend::Sqlite => "SELECT 1 FROM sqlite_schema WHERE name = 'seaql_migrations'",
        _ => "SELECT 1 WHERE to_regclass('seaql_migrations') IS NOT NULL",
    };
    let statement = |sql: &str| Statement::from_string(connection.get_database_backend(), sql.to_owned());
    if connection.query_one_raw(statement(tables)).await?.is_none() {
        return Ok(Vec::new());
    }
    let rows = connection.query_all_raw(statement("SELECT version FROM seaql_migrations ORDER BY version")).await?;
    rows.iter().map(|row| row.try_get("", "version")).collect()
}

struct Texts {
    up: &'static str,
    down: &'static str,
}

struct SqlMigration {
    name: &'static str,
    sqlite: Texts,
    postgres: Texts,
}

impl SqlMigration {
    fn texts(&self, manager: &SchemaManager<'_>) -> Result<&Texts, DbErr> {
        match manager.get_database_backend() {
            sea_orm::DatabaseBackend::Sqlite => Ok(&self.sqlite),
            sea_orm::DatabaseBackend::Postgres => Ok(&self.postgres),
            other => Err(DbErr::Custom(format!("the schema has not been written for {other:?}"))),
        }
    }
}

impl MigrationName for SqlMigration {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for SqlMigration {
    /// A migration happens as a whole, and is remembered with it, or not at all.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(self.texts(manager)?.up).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(self.texts(manager)?.down).await.map(drop)
    }
}
