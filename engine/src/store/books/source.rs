//! Where the books are read from: what every database must offer, and how its values become ours.
//!
//! All of it is resolved at compile time: the inner loop of the verifier knows its database's rows.

use crate::{id::EntryId, store::StoreError};

/// One of the statements that read the books.
#[derive(Debug, Clone, Copy)]
pub(super) struct Select {
    /// Where its rows come from.
    pub(super) table: &'static str,
    /// The same for every database.
    pub(super) sql: &'static str,
}

impl Select {
    /// Only the rows for which `condition` holds, in the same order.
    pub(super) fn only(&self, condition: &str) -> String {
        match self.sql.rsplit_once("ORDER BY") {
            Some((rows, order)) => format!("{rows}WHERE {condition} ORDER BY{order}"),
            None => format!("{} WHERE {condition}", self.sql),
        }
    }
}

/// A database whose books stand still while they are read.
pub(super) trait Source {
    /// A statement that has been prepared.
    type Statement<'c>: Statement
    where
        Self: 'c;

    fn prepare(&self, Select { table, sql }: Select) -> Result<Self::Statement<'_>, StoreError> {
        self.prepare_text(table, sql)
    }

    /// The same for a statement that was put together: of constants, numbers and [`Self::id_literal`] only.
    fn prepare_text(&self, table: &'static str, sql: &str) -> Result<Self::Statement<'_>, StoreError>;

    /// How SQL writes an identifier here.
    fn id_literal(&self, id: EntryId) -> String;

    /// Where it stands up to which entry the counters of limits are true; `None`: they are true up to the last one.
    fn counted(&self) -> Option<Select> {
        None
    }
}

pub(super) trait Statement {
    type Cursor<'s>: Cursor
    where
        Self: 's;

    /// Runs it; the cursor stands before the first row.
    fn open(&mut self) -> Result<Self::Cursor<'_>, StoreError>;
}

/// Rows one after the other.
pub(super) trait Cursor {
    type Row: Row;

    fn advance(&mut self) -> Result<(), StoreError>;

    /// The present row; `None` before the first and after the last.
    fn row(&self) -> Option<&Self::Row>;
}

pub(super) trait Row {
    fn cell(&self, index: usize) -> Cell<'_>;

    /// The value of a column; `None` if it makes no sense as a `T`.
    fn read<'r, T: FromCell<'r>>(&'r self, index: usize) -> Option<T> {
        T::from_cell(self.cell(index))
    }
}

/// A value as the database has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cell<'r> {
    Null,
    Integer(i64),
    /// Also identifiers.
    Bytes(&'r [u8]),
    /// As stored: it may be damaged.
    Text(&'r [u8]),
    /// Of a type that the books do not use, or not there at all.
    Other,
}

impl Cell<'_> {
    /// For people, whatever it is.
    pub(super) fn display(self) -> String {
        match self {
            Self::Integer(value) => value.to_string(),
            Self::Bytes(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
            Self::Text(text) => String::from_utf8_lossy(text).into_owned(),
            Self::Null | Self::Other => "?".to_owned(),
        }
    }
}

/// What a value can be read as.
pub(super) trait FromCell<'r>: Sized {
    fn from_cell(cell: Cell<'r>) -> Option<Self>;
}

impl FromCell<'_> for i64 {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Integer(value) => Some(value),
            Cell::Null | Cell::Bytes(_) | Cell::Text(_) | Cell::Other => None,
        }
    }
}

impl FromCell<'_> for i16 {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        i64::from_cell(cell)?.try_into().ok()
    }
}

impl FromCell<'_> for u16 {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        i64::from_cell(cell)?.try_into().ok()
    }
}

impl<'r> FromCell<'r> for &'r [u8] {
    fn from_cell(cell: Cell<'r>) -> Option<Self> {
        match cell {
            Cell::Bytes(bytes) => Some(bytes),
            Cell::Null | Cell::Integer(_) | Cell::Text(_) | Cell::Other => None,
        }
    }
}

impl<const N: usize> FromCell<'_> for [u8; N] {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        <&[u8]>::from_cell(cell)?.try_into().ok()
    }
}

impl<'r> FromCell<'r> for &'r str {
    fn from_cell(cell: Cell<'r>) -> Option<Self> {
        match cell {
            Cell::Text(text) => std::str::from_utf8(text).ok(),
            Cell::Null | Cell::Integer(_) | Cell::Bytes(_) | Cell::Other => None,
        }
    }
}

impl FromCell<'_> for String {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        <&str>::from_cell(cell).map(ToOwned::to_owned)
    }
}

impl<'r, T: FromCell<'r>> FromCell<'r> for Option<T> {
    fn from_cell(cell: Cell<'r>) -> Option<Self> {
        match cell {
            Cell::Null => Some(None),
            Cell::Integer(_) | Cell::Bytes(_) | Cell::Text(_) | Cell::Other => T::from_cell(cell).map(Some),
        }
    }
}

#[cfg(test)]
mod tests;
