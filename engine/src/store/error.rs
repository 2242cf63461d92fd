//! What can go wrong between us and the database.

use sea_orm::{DbErr, RuntimeErr};

use super::presence::AWAY;

/// A fault of the database or of what stands in it. Never an expected "no".
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database did not do what was asked.
    #[error("database: {0}")]
    Database(#[from] DbErr),
    /// The ledger's own connection did not do what was asked.
    #[error("database: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A file beside the database could not be used.
    #[error("`{path}`: {source}")]
    File {
        /// Which file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A stored row makes no sense.
    #[error("table `{table}` holds a value that makes no sense: {what}")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// What is wrong.
        what: String,
    },
    /// Another process writes to this database.
    #[error("another process is the writer of `{path}`: stop it, or send the command to it")]
    Locked {
        /// The database file.
        path: String,
    },
    /// The URL names no database that this program knows.
    #[error("the database URL cannot be used: {why}")]
    Url {
        /// Why, without repeating it: it may hold a password.
        why: String,
    },
    /// There is no connection to the database server.
    #[error("the database at `{place}` cannot be used: {why}")]
    Unreachable {
        /// Where it is, without user and password.
        place: String,
        /// Why.
        why: String,
    },
    /// The writer refused or failed.
    #[error(transparent)]
    Writer(#[from] super::writer::WriterError),
}

impl StoreError {
    /// Nothing was tried, because the database is known to be away. That has been said once.
    pub fn is_away(&self) -> bool {
        match self {
            Self::Database(DbErr::Conn(RuntimeErr::Internal(why))) => why == AWAY,
            Self::Writer(error) => error.is_away(),
            _ => false,
        }
    }

    /// [`Self::Url`] for what is none.
    pub(super) fn no_database_url() -> Self {
        Self::Url { why: "it is neither `sqlite://PATH` nor `postgres://…`".to_owned() }
    }
}
