//! What can go wrong between us and the database.

/// A fault of the database or of what stands in it. Never an expected "no".
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database did not do what was asked.
    #[error("database: {0}")]
    Database(#[from] sea_orm::DbErr),
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
    #[error("`{url}` is not a database URL: expected `sqlite://PATH` or `postgres://…`")]
    Url {
        /// As configured.
        url: String,
    },
    /// The writer refused or failed.
    #[error(transparent)]
    Writer(#[from] super::writer::WriterError),
}
