//! The books in a SQLite file.

use std::{path::Path, time::Duration};

use rusqlite::{
    Connection, ErrorCode, OpenFlags, Row, Rows, Statement, fallible_streaming_iterator::FallibleStreamingIterator,
    types::ValueRef,
};

use super::source::{self, Cell};
use crate::{
    id::EntryId,
    ledger::verify::{Problem, ProblemKind},
    store::StoreError,
};

/// Opens the file and fixes the moment that is read. Not read-only: after a crash even a reader may have to build the
/// index of the write-ahead log. `query_only` sees to it that nothing is written.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.execute_batch("PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; BEGIN")?;
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
