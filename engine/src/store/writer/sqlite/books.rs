//! The writer's own connection to SQLite: synchronous, on the writer's thread, with every statement cached.
//! `docs/adr/0003-the-writers-connection.md` says why this is not sea-orm's pool.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params, params_from_iter, types};
use sea_orm::sea_query::Value;

use super::counters::Counters;
use crate::{
    ledger::chain::{BatchHeader, ChainHead},
    store::{StoreError, unit::Guarded},
};

/// SQLite has one writer, so one slot.
pub(super) const SLOT: i64 = 0;

/// More than the writer has statements: none is ever prepared twice.
const STATEMENTS_MAX: usize = 128;

/// How a connection writes, in the database's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriterSettings {
    /// `wal`: readers and the writer do not wait for one another.
    pub journal_mode: String,
    /// `full`: a commit is on the disk when it returns.
    pub synchronous: &'static str,
}

/// What the writer's connection would be set to: read from one to the SQLite file at `path` that is opened as the
/// writer opens its own, and changes nothing in the books.
///
/// # Errors
/// There is no such file, or it cannot be opened.
pub fn settings_of(path: &Path) -> Result<WriterSettings, StoreError> {
    Ok(read_settings(&open(path)?)?)
}

/// A connection as the writer has it.
pub(super) fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    // FULL: a commit returns when the log is on the disk. recursive_triggers: REPLACE may not get round the triggers.
    // cache_size in KiB: what a batch touches is not read again; no more, since after every commit that has split a page
    // SQLite looks through the whole cache. wal_autocheckpoint in pages (128 MiB): the checkpointer has done nearly all of
    // it by then.
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
         PRAGMA recursive_triggers = ON; PRAGMA trusted_schema = OFF; PRAGMA cache_size = -16384;
         PRAGMA wal_autocheckpoint = 32768;",
    )?;
    Ok(connection)
}

fn read_settings(connection: &Connection) -> rusqlite::Result<WriterSettings> {
    let journal_mode = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    let synchronous: i64 = connection.pragma_query_value(None, "synchronous", |row| row.get(0))?;
    let words = [(0_i64, "off"), (1, "normal"), (2, "full"), (3, "extra")];
    let word = words.iter().find(|(number, _)| *number == synchronous);
    Ok(WriterSettings { journal_mode, synchronous: word.map_or("unknown", |(_, word)| *word) })
}

pub(super) struct Books {
    pub(super) connection: Connection,
    pub(super) head: ChainHead,
    /// What the rows of the limits' counters do not say yet.
    pub(super) counters: Counters,
}

impl Books {
    /// Opens the file, checks its last batch, counts what the rows of counters do not say, and begins a new term.
    pub(super) fn take_over(path: &Path) -> Result<Self, StoreError> {
        let connection = open(path)?;
        let (head, _) = read_head(&connection)?;
        let mut books = Self { connection, head, counters: Counters::default() };
        books.check_head()?;
        books.connection.execute_batch("BEGIN IMMEDIATE")?;
        let taken = books.connection.execute(
            "UPDATE chain_head SET epoch = epoch + 1 WHERE slot = ?1 AND epoch = ?2",
            (SLOT, books.head.epoch),
        )?;
        if taken != 1 {
            return Err(StoreError::Inconsistent { table: "chain_head", what: "the slot has gone".to_owned() });
        }
        let (head, counted_seq) = read_head(&books.connection)?;
        books.counters = Counters::read(&books.connection, &head, counted_seq)?;
        books.connection.execute_batch("COMMIT")?;
        books.head = head;
        Ok(books)
    }

    pub(super) fn settings(&self) -> rusqlite::Result<WriterSettings> {
        read_settings(&self.connection)
    }

    pub(super) const fn epoch(&self) -> i64 {
        self.head.epoch
    }

    /// Recorded time never goes backwards, whatever the clock does.
    pub(super) fn time_after(&self, now_us: i64) -> i64 {
        now_us.max(self.head.last_us)
    }

    /// The head must be the hash of the last batch, or somebody has been at the file.
    fn check_head(&self) -> Result<(), StoreError> {
        let damaged = |what: &str| StoreError::Inconsistent { table: "chain_head", what: what.to_owned() };
        if self.head.batch_no == 0 {
            return if self.head.hash == crate::ledger::chain::GENESIS {
                Ok(())
            } else {
                Err(damaged("hash before the first batch"))
            };
        }
        let last = self
            .connection
            .query_row(
                "SELECT epoch, first_seq, n_entry, n_posting, total, recorded_us, client_batch_id, merkle_root, prev_hash
                 FROM batch WHERE slot = ?1 AND batch_no = ?2",
                (SLOT, self.head.batch_no),
                |row| {
                    Ok(BatchHeader {
                        slot: SLOT,
                        batch_no: self.head.batch_no,
                        epoch: row.get(0)?,
                        first_seq: row.get(1)?,
                        entries: row.get(2)?,
                        postings: row.get(3)?,
                        total: row.get(4)?,
                        recorded_us: row.get(5)?,
                        client_batch: uuid::Uuid::from_bytes(row.get(6)?),
                        root: row.get(7)?,
                        prev_hash: row.get(8)?,
                    })
                },
            )
            .optional()?
            .ok_or_else(|| damaged("the last batch is missing"))?;
        if last.hash() == self.head.hash { Ok(()) } else { Err(damaged("the last batch has another hash")) }
    }

    pub(super) fn begin(&mut self) -> rusqlite::Result<()> {
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([]).map(drop)
    }

    pub(super) fn commit(&mut self) -> rusqlite::Result<()> {
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        self.counters.committed();
        Ok(())
    }

    /// Gives up whatever transaction is open. Failing at that is no news: the next `begin` will say so.
    pub(super) fn rollback(&mut self) {
        self.counters.taken_back();
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "rollback failed");
        }
    }

    /// Carries out one statement of a unit of work; returns how many rows it touched.
    pub(super) fn execute(&mut self, guarded: &Guarded) -> rusqlite::Result<u64> {
        let values = guarded.values.0.iter().map(bound).collect::<rusqlite::Result<Vec<_>>>()?;
        let mut statement = self.connection.prepare_cached(&guarded.sql)?;
        let touched = statement.execute(params_from_iter(values))?;
        Ok(u64::try_from(touched).unwrap_or(u64::MAX))
    }

    /// Moves the head on to `next` if this process is still the writer in its term; `false` if not. The rows of counters are
    /// true up to `counted_seq`.
    pub(super) fn advance(
        &mut self,
        header: &BatchHeader,
        next: &ChainHead,
        counted_seq: i64,
    ) -> rusqlite::Result<bool> {
        let moved = self
            .connection
            .prepare_cached(
                "UPDATE chain_head SET batch_no = ?1, seq = ?2, last_us = ?3, hash = ?4, counted_seq = ?8
                 WHERE slot = ?5 AND epoch = ?6 AND batch_no = ?7",
            )?
            .execute(params![
                header.batch_no,
                next.seq,
                header.recorded_us,
                next.hash,
                SLOT,
                self.head.epoch,
                self.head.batch_no,
                counted_seq
            ])?;
        Ok(moved == 1)
    }

    /// Says that the rows of counters are true up to the head, if this process is still the writer; `false` if not. For
    /// batches that write rows and add nothing to the chain.
    pub(super) fn level(&mut self) -> rusqlite::Result<bool> {
        let moved = self
            .connection
            .prepare_cached("UPDATE chain_head SET counted_seq = seq WHERE slot = ?1 AND epoch = ?2 AND seq = ?3")?
            .execute((SLOT, self.head.epoch, self.head.seq))?;
        Ok(moved == 1)
    }

    /// Whether this process is still the writer, for batches that add nothing to the chain.
    pub(super) fn holds_slot(&mut self) -> rusqlite::Result<bool> {
        let epoch: i64 = self
            .connection
            .prepare_cached("SELECT epoch FROM chain_head WHERE slot = ?1")?
            .query_row([SLOT], |row| row.get(0))?;
        Ok(epoch == self.head.epoch)
    }
}

/// The head, and up to and including which entry the rows of counters are true.
pub(super) fn read_head(connection: &Connection) -> rusqlite::Result<(ChainHead, i64)> {
    connection.query_row(
        "SELECT slot, epoch, batch_no, seq, last_us, hash, counted_seq FROM chain_head WHERE slot = ?1",
        [SLOT],
        |row| {
            let head = ChainHead {
                slot: row.get(0)?,
                epoch: row.get(1)?,
                batch_no: row.get(2)?,
                seq: row.get(3)?,
                last_us: row.get(4)?,
                hash: row.get(5)?,
            };
            Ok((head, row.get(6)?))
        },
    )
}

/// A value that sea-orm built, as SQLite stores it. The tables hold integers, texts and byte strings only.
fn bound(value: &Value) -> rusqlite::Result<types::Value> {
    fn integer(value: Option<impl Into<i64>>) -> types::Value {
        value.map_or(types::Value::Null, |number| types::Value::Integer(number.into()))
    }
    Ok(match value {
        Value::Bool(value) => integer(*value),
        Value::TinyInt(value) => integer(*value),
        Value::SmallInt(value) => integer(*value),
        Value::Int(value) => integer(*value),
        Value::BigInt(value) => integer(*value),
        Value::String(value) => value.as_ref().map_or(types::Value::Null, |text| types::Value::Text(text.clone())),
        Value::Bytes(value) => value.as_ref().map_or(types::Value::Null, |bytes| types::Value::Blob(bytes.clone())),
        Value::Uuid(value) => value.map_or(types::Value::Null, |uuid| types::Value::Blob(uuid.as_bytes().to_vec())),
        other => {
            return Err(rusqlite::Error::ToSqlConversionFailure(
                format!("no column holds such a value: {other:?}").into(),
            ));
        }
    })
}
