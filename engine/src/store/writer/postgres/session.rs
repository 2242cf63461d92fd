//! The writer's connection, and what its errors mean for a batch.

use sea_orm::sqlx::{self, Row as _, postgres::PgConnection};

use super::statements::OTHER_ROWS;
use crate::store::{
    StoreError,
    postgres::Target,
    writer::{WriterError, WriterSettings, answers::unavailable},
};

/// Why a batch or a unit was not written. Nothing of it happened unless it says so.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Another server was first: decide again on what is there now.
    Raced(String),
    /// The connection is gone, and with it the transaction.
    Lost(String),
    /// The connection went away during the commit: nobody knows whether it happened.
    LostAtCommit(String),
    /// Another server has taken the slot over.
    Fenced,
    /// The database says no, and would say so again.
    Refused(String),
    /// A statement of a unit broke a rule of the data.
    Conflict,
}

impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Self {
        let Some(database) = error.as_database_error() else { return Self::Lost(error.to_string()) };
        match database.code().as_deref().unwrap_or_default() {
            // serialization failure, deadlock, lock not available, a unique value that somebody else was first with
            "40001" | "40P01" | "55P03" | "23505" | OTHER_ROWS => Self::Raced(error.to_string()),
            // the server shuts down, or has ended this session
            "57P01" | "57P02" | "57P03" | "08000" | "08003" | "08006" => Self::Lost(error.to_string()),
            _ => Self::Refused(error.to_string()),
        }
    }
}

/// One connection.
pub(super) struct Session {
    connection: PgConnection,
}

impl Session {
    /// The database at `url`, for sessions whose commits are durable when they return.
    ///
    /// # Errors
    /// The URL cannot be read.
    pub(super) fn target(url: &str) -> Result<Target, StoreError> {
        let settings = [
            ("synchronous_commit", "on"),
            // A lock that is not given by then is a lost race; a server that is gone frees its locks in time. Shorter than a
            // lease: whoever waits for a lock keeps its slot.
            ("lock_timeout", "2s"),
            ("idle_in_transaction_session_timeout", "10s"),
            // The statements name rows by their keys. Planned once, by index: planning takes longer than carrying out, and
            // a plan that was made while a table was small must be good when it is large.
            ("plan_cache_mode", "force_generic_plan"),
            ("enable_seqscan", "off"),
            ("enable_bitmapscan", "off"),
            ("enable_hashjoin", "off"),
            ("enable_mergejoin", "off"),
            ("jit", "off"),
        ];
        Ok(Target::of(url)?.named("tollgate writer", &settings))
    }

    pub(super) async fn connect(target: &Target) -> Result<Self, StoreError> {
        Ok(Self { connection: target.connect().await? })
    }

    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    pub(super) async fn begin(&mut self) -> Result<(), Trouble> {
        sqlx::raw_sql("BEGIN").execute(&mut self.connection).await.map(drop).map_err(Trouble::from)
    }

    pub(super) async fn commit(&mut self) -> Result<(), Trouble> {
        match sqlx::raw_sql("COMMIT").execute(&mut self.connection).await.map_err(Trouble::from) {
            Ok(_) => Ok(()),
            Err(Trouble::Lost(error)) => Err(Trouble::LostAtCommit(error)),
            Err(trouble) => Err(trouble),
        }
    }

    /// Gives up the open transaction.
    pub(super) async fn rollback(&mut self) -> Result<(), Trouble> {
        sqlx::raw_sql("ROLLBACK").execute(&mut self.connection).await.map(drop).map_err(Trouble::from)
    }

    /// The database's clock, in microseconds since the Unix epoch: the one that all servers share.
    pub(super) async fn now_us(&mut self) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
            .fetch_one(&mut self.connection)
            .await
    }

    pub(super) async fn settings(&mut self) -> Result<WriterSettings, sqlx::Error> {
        let row = sqlx::query("SELECT current_setting('fsync') = 'on', current_setting('synchronous_commit')")
            .fetch_one(&mut self.connection)
            .await?;
        let is_durable = row.try_get::<bool, _>(0)? && row.try_get::<String, _>(1)? != "off";
        Ok(WriterSettings { journal_mode: "wal".to_owned(), synchronous: if is_durable { "full" } else { "off" } })
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(sea_orm::DbErr::Custom(error.to_string()))
    }
}

pub(super) fn writer_error(trouble: &Trouble) -> WriterError {
    match trouble {
        Trouble::Fenced => WriterError::Fenced,
        Trouble::Raced(why) | Trouble::Lost(why) | Trouble::LostAtCommit(why) | Trouble::Refused(why) => {
            unavailable(why)
        }
        Trouble::Conflict => unavailable("a statement broke a rule of the data"),
    }
}

pub(super) fn store_error(trouble: &Trouble) -> StoreError {
    StoreError::Writer(writer_error(trouble))
}
