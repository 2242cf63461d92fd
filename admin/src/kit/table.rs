//! Lists: rows with pages, in the one order that an index gives them, filters that stand in the address.

use askama::Template;

use super::{Cell, Empty, Field, Link, Tone};
use crate::{console::CSV_ROWS_MAX, text::t_with};

/// One column.
#[derive(Debug, Clone, Default)]
pub struct Column {
    /// Its heading.
    pub label: String,
    /// Numbers stand at the right.
    pub is_right: bool,
}

impl Column {
    /// A column of words.
    pub fn new(label: impl Into<String>) -> Self {
        Self { label: label.into(), ..Self::default() }
    }

    /// A column of numbers.
    pub fn right(label: impl Into<String>) -> Self {
        Self { is_right: true, ..Self::new(label) }
    }
}

/// One row.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// The page of the thing in this row; empty if it has none. Opens beside the list where scripts run.
    pub href: String,
    /// One for every column.
    pub cells: Vec<Cell>,
    /// How it stands.
    pub tone: Tone,
}

impl Row {
    /// A row that leads to a page.
    pub fn new(href: impl Into<String>, cells: Vec<Cell>) -> Self {
        Self { href: href.into(), cells, tone: Tone::Plain }
    }
}

/// Rows.
#[derive(Debug, Default, Template)]
#[template(path = "kit/table.html")]
pub struct Table {
    /// What is listed, for who cannot see it.
    pub caption: String,
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows of this page.
    pub rows: Vec<Row>,
    /// Where the list begins; empty on its first page.
    pub first: String,
    /// Where the next page is; empty on the last.
    pub next: String,
    /// How many there are, in words; empty if it is not known.
    pub count: String,
    /// What is shown, as files.
    pub exports: Vec<Link>,
    /// What stands there when there is no row.
    pub empty: Option<Empty>,
}

impl Table {
    /// How much of the list a file has.
    #[expect(clippy::unused_self, reason = "the template asks the table")]
    fn export_hint(&self) -> String {
        let rows = i64::try_from(CSV_ROWS_MAX).unwrap_or(i64::MAX);
        t_with("console-export-hint", &[("rows", rows.into())])
    }
}

/// One field of the filters.
pub type Filter = Field;

/// What a list is narrowed by: a form whose answer is the list.
#[derive(Debug, Template)]
#[template(path = "kit/filters.html")]
pub struct Filters {
    /// The list.
    pub action: String,
    /// The fields.
    pub fields: Vec<Filter>,
    /// Something is narrowed: where everything is.
    pub all_href: String,
}

/// How lists go on: the query without its cursor, and the cursors of the pages before and after.
pub fn page_href(path: &str, query: &str, cursor: &str, value: &str) -> String {
    let mut out = url::form_urlencoded::Serializer::new(String::new());
    let kept = url::form_urlencoded::parse(query.as_bytes());
    out.extend_pairs(kept.filter(|(name, value)| name != "after" && name != "before" && !value.is_empty()));
    if !value.is_empty() {
        out.append_pair(cursor, value);
    }
    let query = out.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}
