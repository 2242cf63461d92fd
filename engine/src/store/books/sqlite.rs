//! The books in a SQLite file.

use std::{path::Path, time::Duration};

use rusqlite::{
    CachedStatement, Connection, ErrorCode, OpenFlags, Row, Rows, Statement,
    fallible_streaming_iterator::FallibleStreamingIterator, params_from_iter, types::ValueRef,
};

use super::{
    reports::Books,
    source::{self, Cell, Select},
};
use crate::{
    id::EntryId,
    ledger::verify::{Problem, ProblemKind},
    store::StoreError,
};

/// The rows of counters may be behind the journal: ADR 0021.
const COUNTED: Select = Select { table: "chain_head", sql: "SELECT slot, counted_seq FROM chain_head ORDER BY slot" };

/// Opens the file and fixes the moment that is read.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    let connection = connect(path)?;
    connection.execute_batch("BEGIN")?;
    Ok(connection)
}

/// Opens the file: every statement reads a moment of its own. Not read-only: after a crash even a reader may have to
/// build the index of the write-ahead log. `query_only` sees to it that nothing is written.
pub(super) fn connect(path: &Path) -> Result<Connection, StoreError> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.execute_batch("PRAGMA query_only = ON; PRAGMA trusted_schema = OFF")?;
    Ok(connection)
}

/// What `error` says of the file, if the file's content is at fault and not the way to it.
pub(super) fn find_damage(error: &StoreError) -> Option<Problem> {
    let StoreError::Sqlite(error) = error else { return None };
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) | None => Some(Problem {
            kind: ProblemKind::Unreadable,
            table: "sqlite_schema",
            key: String::new(),
            text: format!("the file cannot be read to its end: {error}"),
        }),
        Some(_) => None,
    }
}

impl source::Source for Connection {
    type Statement<'c> = Statement<'c>;

    fn prepare_text(&self, _table: &'static str, sql: &str) -> Result<Statement<'_>, StoreError> {
        Ok(Self::prepare(self, sql)?)
    }

    fn id_literal(&self, id: EntryId) -> String {
        format!("x'{}'", id.uuid().simple())
    }

    fn counted(&self) -> Option<Select> {
        Some(COUNTED)
    }
}

impl source::Statement for Statement<'_> {
    type Cursor<'s>
        = Rows<'s>
    where
        Self: 's;

    fn open(&mut self) -> Result<Rows<'_>, StoreError> {
        Ok(self.query([])?)
    }
}

/// A page: its statements get these numbers.
pub(super) struct Page<'c> {
    connection: &'c Connection,
    numbers: &'c [i64],
}

impl Books for Connection {
    type Page<'c> = Page<'c>;

    fn page<'c>(&'c self, numbers: &'c [i64]) -> Page<'c> {
        Page { connection: self, numbers }
    }
}

/// A statement with the numbers that it gets; the next page finds it prepared.
pub(super) struct PageStatement<'c> {
    statement: CachedStatement<'c>,
    numbers: &'c [i64],
}

impl source::Source for Page<'_> {
    type Statement<'s>
        = PageStatement<'s>
    where
        Self: 's;

    fn prepare_text(&self, _table: &'static str, sql: &str) -> Result<PageStatement<'_>, StoreError> {
        Ok(PageStatement { statement: self.connection.prepare_cached(sql)?, numbers: self.numbers })
    }

    fn id_literal(&self, id: EntryId) -> String {
        self.connection.id_literal(id)
    }
}

impl source::Statement for PageStatement<'_> {
    type Cursor<'s>
        = Rows<'s>
    where
        Self: 's;

    fn open(&mut self) -> Result<Rows<'_>, StoreError> {
        Ok(self.statement.query(params_from_iter(self.numbers))?)
    }
}

impl<'s> source::Cursor for Rows<'s> {
    type Row = Row<'s>;

    fn advance(&mut self) -> Result<(), StoreError> {
        Ok(FallibleStreamingIterator::advance(self)?)
    }

    fn row(&self) -> Option<&Row<'s>> {
        self.get()
    }
}

impl source::Row for Row<'_> {
    fn cell(&self, index: usize) -> Cell<'_> {
        match self.get_ref(index) {
            Ok(ValueRef::Integer(value)) => Cell::Integer(value),
            Ok(ValueRef::Blob(bytes)) => Cell::Bytes(bytes),
            Ok(ValueRef::Text(text)) => Cell::Text(text),
            Ok(ValueRef::Null) => Cell::Null,
            Ok(ValueRef::Real(_)) | Err(_) => Cell::Other,
        }
    }
}
