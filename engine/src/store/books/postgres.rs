//! The books in a PostgreSQL database: one connection of its own, without a pool, whose transaction never writes.
//!
//! Every table is read through a cursor on the server, so memory does not grow with the tables, and all cursors see the
//! moment of the first one. The values come in PostgreSQL's binary form and are taken from it without a detour.

use std::{
    cell::{self, RefCell},
    sync::Arc,
    time::Duration,
};

use sea_orm::{
    DbErr, RuntimeErr, SqlxError,
    sqlx::{
        self, AssertSqlSafe, Connection as _, Row as _, ValueRef as _,
        postgres::{PgConnection, PgRow, PgValueFormat},
    },
};
use tokio::runtime::{Builder, Runtime};

use super::{
    reports::Books,
    source::{self, Cell},
};
use crate::{
    id::EntryId,
    store::{StoreError, postgres::Target},
};

/// How many rows the server sends at once.
const FETCH_ROWS: usize = 2_000;
/// How long it may take to take leave.
const CLOSE_MAX: Duration = Duration::from_secs(5);
/// How long it may take for one answer: longer than a disk under load needs for [`FETCH_ROWS`] rows.
const ANSWER_MAX: Duration = Duration::from_mins(2);

/// Rows are wanted in the order of the primary key. Its index has that order; a sort would write the table to disk a
/// second time before it gives the first row.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL enable_sort = off";

/// A database at one moment.
pub(super) struct Postgres {
    runtime: Runtime,
    connection: RefCell<PgConnection>,
    /// How many cursors there are: each has a name of its own.
    declared: cell::Cell<u32>,
}

/// Lets `read` read the database at `url`. Not to be called where a runtime is at work already.
pub(super) fn read<T>(url: &str, read: impl FnOnce(&Postgres) -> Result<T, StoreError>) -> Result<T, StoreError> {
    let source = Postgres::open(url)?;
    let done = read(&source);
    source.close();
    done
}

/// Lets `read` read the database at `url` in pages, each at a moment of its own. Not to be called where a runtime is at
/// work already.
pub(super) fn read_in_pages<T, E: From<StoreError>>(
    url: &str,
    read: impl FnOnce(&Postgres) -> Result<T, E>,
) -> Result<T, E> {
    let settings = [("default_transaction_read_only", "on"), ("enable_sort", "off")];
    let source = Postgres::connect(url, &settings)?;
    let done = read(&source);
    source.close();
    done
}

impl Postgres {
    fn open(url: &str) -> Result<Self, StoreError> {
        let source = Self::connect(url, &[])?;
        source.execute(BEGIN)?;
        Ok(source)
    }

    fn connect(url: &str, settings: &[(&str, &str)]) -> Result<Self, StoreError> {
        let target = Target::of(url)?.named("tollgate ledger", settings);
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| failed(DbErr::Conn, error.into()))?;
        let connection = runtime.block_on(target.connect())?;
        Ok(Self { runtime, connection: RefCell::new(connection), declared: cell::Cell::new(0) })
    }

    fn execute(&self, sql: impl sqlx::SqlSafeStr) -> Result<(), StoreError> {
        let mut connection = self.connection.borrow_mut();
        let done = wait(&self.runtime, ANSWER_MAX, sqlx::raw_sql(sql).execute(&mut *connection));
        done.map(drop).map_err(|error| failed(DbErr::Exec, error))
    }

    fn fetch(&self, sql: impl sqlx::SqlSafeStr) -> Result<Vec<PgRow>, StoreError> {
        let mut connection = self.connection.borrow_mut();
        let rows = wait(&self.runtime, ANSWER_MAX, sqlx::query(sql).fetch_all(&mut *connection));
        rows.map_err(|error| failed(DbErr::Query, error))
    }

    /// Takes leave, so that the server does not log a lost client. What was read stays read if that fails.
    fn close(self) {
        let Self { runtime, connection, .. } = self;
        let closed = wait(&runtime, CLOSE_MAX, connection.into_inner().close());
        drop(closed);
    }
}

fn wait<T>(
    runtime: &Runtime,
    at_most: Duration,
    answer: impl Future<Output = Result<T, SqlxError>>,
) -> Result<T, SqlxError> {
    runtime.block_on(async {
        match tokio::time::timeout(at_most, answer).await {
            Ok(answer) => answer,
            Err(_elapsed) => Err(SqlxError::Io(std::io::ErrorKind::TimedOut.into())),
        }
    })
}

fn failed(what: fn(RuntimeErr) -> DbErr, error: SqlxError) -> StoreError {
    what(RuntimeErr::SqlxError(Arc::new(error))).into()
}

/// A cursor that the server holds ready under the table's name.
pub(super) struct Declared<'c> {
    source: &'c Postgres,
    fetch: Arc<str>,
}

impl source::Source for Postgres {
    type Statement<'c> = Declared<'c>;

    fn prepare_text(&self, table: &'static str, sql: &str) -> Result<Declared<'_>, StoreError> {
        let number = self.declared.get();
        self.declared.set(number.saturating_add(1));
        // Nothing in it comes from outside.
        self.execute(AssertSqlSafe(format!("DECLARE read_{table}_{number} NO SCROLL CURSOR FOR {sql}")))?;
        Ok(Declared { source: self, fetch: format!("FETCH {FETCH_ROWS} FROM read_{table}_{number}").into() })
    }

    fn id_literal(&self, id: EntryId) -> String {
        format!("'{}'::uuid", id.uuid())
    }
}

impl<'c> source::Statement for Declared<'c> {
    type Cursor<'s>
        = Cursor<'c>
    where
        Self: 's;

    fn open(&mut self) -> Result<Cursor<'c>, StoreError> {
        let fetch = Arc::clone(&self.fetch);
        Ok(Cursor { source: self.source, fetch, fetched: Vec::new().into_iter(), row: None, is_over: false })
    }
}

pub(super) struct Cursor<'c> {
    source: &'c Postgres,
    fetch: Arc<str>,
    fetched: std::vec::IntoIter<PgRow>,
    row: Option<PgRow>,
    /// The server has no more.
    is_over: bool,
}

/// A page: its statements get these numbers.
pub(super) struct Page<'c> {
    source: &'c Postgres,
    numbers: &'c [i64],
}

impl Books for Postgres {
    type Page<'c> = Page<'c>;

    fn page<'c>(&'c self, numbers: &'c [i64]) -> Page<'c> {
        Page { source: self, numbers }
    }
}

/// A statement with the numbers that it gets.
pub(super) struct PageStatement<'c> {
    source: &'c Postgres,
    sql: Arc<str>,
    numbers: &'c [i64],
}

impl source::Source for Page<'_> {
    type Statement<'s>
        = PageStatement<'s>
    where
        Self: 's;

    fn prepare_text(&self, _table: &'static str, sql: &str) -> Result<PageStatement<'_>, StoreError> {
        Ok(PageStatement { source: self.source, sql: sql.into(), numbers: self.numbers })
    }

    fn id_literal(&self, id: EntryId) -> String {
        self.source.id_literal(id)
    }
}

impl source::Statement for PageStatement<'_> {
    type Cursor<'s>
        = PageCursor
    where
        Self: 's;

    fn open(&mut self) -> Result<PageCursor, StoreError> {
        let query = sqlx::query(AssertSqlSafe(Arc::clone(&self.sql)));
        let query = self.numbers.iter().fold(query, |query, number| query.bind(*number));
        let mut connection = self.source.connection.borrow_mut();
        let rows = wait(&self.source.runtime, ANSWER_MAX, query.fetch_all(&mut *connection));
        let rows = rows.map_err(|error| failed(DbErr::Query, error))?;
        Ok(PageCursor { fetched: rows.into_iter(), row: None })
    }
}

/// The rows of a page, fetched at once.
pub(super) struct PageCursor {
    fetched: std::vec::IntoIter<PgRow>,
    row: Option<PgRow>,
}

impl source::Cursor for PageCursor {
    type Row = PgRow;

    fn advance(&mut self) -> Result<(), StoreError> {
        self.row = self.fetched.next();
        Ok(())
    }

    fn row(&self) -> Option<&PgRow> {
        self.row.as_ref()
    }
}

impl source::Cursor for Cursor<'_> {
    type Row = PgRow;

    fn advance(&mut self) -> Result<(), StoreError> {
        self.row = self.fetched.next();
        if self.row.is_none() && !self.is_over {
            let fetched = self.source.fetch(AssertSqlSafe(Arc::clone(&self.fetch)))?;
            self.is_over = fetched.len() < FETCH_ROWS;
            self.fetched = fetched.into_iter();
            self.row = self.fetched.next();
        }
        Ok(())
    }

    fn row(&self) -> Option<&PgRow> {
        self.row.as_ref()
    }
}

impl source::Row for PgRow {
    fn cell(&self, index: usize) -> Cell<'_> {
        let Ok(value) = self.try_get_raw(index) else { return Cell::Other };
        if value.is_null() {
            return Cell::Null;
        }
        let (PgValueFormat::Binary, Ok(bytes)) = (value.format(), value.as_bytes()) else { return Cell::Other };
        value.type_info().oid().map_or(Cell::Other, |oid| decode(oid.0, bytes))
    }
}

/// The bytes of a value of the type that PostgreSQL numbers so.
fn decode(type_oid: u32, bytes: &[u8]) -> Cell<'_> {
    const BYTEA: u32 = 17;
    const INT8: u32 = 20;
    const INT2: u32 = 21;
    const INT4: u32 = 23;
    const TEXT: u32 = 25;
    const VARCHAR: u32 = 1_043;
    const UUID: u32 = 2_950;
    let integer = match type_oid {
        INT8 => bytes.try_into().ok().map(i64::from_be_bytes),
        INT4 => bytes.try_into().ok().map(|bytes| i32::from_be_bytes(bytes).into()),
        INT2 => bytes.try_into().ok().map(|bytes| i16::from_be_bytes(bytes).into()),
        BYTEA | UUID => return Cell::Bytes(bytes),
        TEXT | VARCHAR => return Cell::Text(bytes),
        _ => None,
    };
    integer.map_or(Cell::Other, Cell::Integer)
}

#[cfg(test)]
mod tests;
