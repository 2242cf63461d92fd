//! Lists as files: what a list shows, page after page, as CSV; what is known of something as lines of JSON.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{HttpResponse, http::header::CONTENT_DISPOSITION, web::Bytes};
use engine::{ledger::leaf::Position, store::StoreError};
use futures_core::Stream;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Answer, Visit};
use crate::kit::instant_text;

/// Most rows of one file.
pub(crate) const ROWS_MAX: usize = 100_000;
/// What the list of a partner's end users is called as a file.
pub(crate) const END_USERS: &str = "end-users";
/// What the last line of a file says that has everything in it.
pub(crate) const WHOLE: &str = "# the end";

/// The rows of a page, and what the next one begins behind.
pub(crate) type ListedPage<P = Uuid> = Pin<Box<dyn Future<Output = Result<(Vec<Vec<String>>, Option<P>), StoreError>>>>;

/// What the last line of a file says that ends early.
pub(crate) fn cut_off() -> String {
    format!("# it ends here because {ROWS_MAX} rows are as many as a file has: narrow the list")
}

/// Up to where the books stand, as a file says it of itself: `books up to 0/120 1/7`, the last entry of each slot.
///
/// # Errors
/// The database cannot be read.
pub(crate) async fn books_position(visit: &Visit) -> Result<String, StoreError> {
    let position = visit.services().load_books_position().await?;
    Ok(position_text(&position))
}

fn position_text(position: &[Position]) -> String {
    let places: Vec<String> = position.iter().map(|last| format!("{}/{}", last.slot, last.seq)).collect();
    if places.is_empty() { "books empty".to_owned() } else { format!("books up to {}", places.join(" ")) }
}

/// A list as CSV, as it is narrowed in the address: at most [`ROWS_MAX`] rows. The first line says which list this is, how
/// it is narrowed, when and by whom it was taken away, and up to where the books stood then; the last one says whether it is
/// whole. The audit trail tells of it.
///
/// # Errors
/// Nobody is signed in, or the database failed.
pub(crate) async fn csv(
    visit: &Visit,
    name: &'static str,
    columns: &[&str],
    page: impl Fn(Option<Uuid>) -> ListedPage + Unpin + 'static,
) -> Answer {
    csv_by(visit, name, columns, page).await
}

/// As [`csv`], of a list whose pages begin behind something else than an identifier.
///
/// # Errors
/// As for [`csv`].
pub(crate) async fn csv_by<P: 'static>(
    visit: &Visit,
    name: &'static str,
    columns: &[&str],
    page: impl Fn(Option<P>) -> ListedPage<P> + Unpin + 'static,
) -> Answer {
    told_csv(visit, (name, None), columns, page).await
}

/// As [`csv_by`], of a list that belongs to something: `of` is its identifier, which stands in the file and in its name, and
/// which the audit trail is told.
///
/// # Errors
/// As for [`csv`].
pub(crate) async fn csv_of<P: 'static>(
    visit: &Visit,
    (name, of): (&'static str, &str),
    columns: &[&str],
    page: impl Fn(Option<P>) -> ListedPage<P> + Unpin + 'static,
) -> Answer {
    told_csv(visit, (name, Some(of)), columns, page).await
}

async fn told_csv<P: 'static>(
    visit: &Visit,
    (name, of): (&'static str, Option<&str>),
    columns: &[&str],
    page: impl Fn(Option<P>) -> ListedPage<P> + Unpin + 'static,
) -> Answer {
    let told = without_people(name, &visit.query);
    let facts = of.map_or_else(|| json!({"filter": told}), |of| json!({"of": of, "filter": told}));
    visit.services().record_export(&visit.context()?, name, &facts).await?;
    let operator = &visit.signed_in()?.operator;
    let when = instant_text(visit.now_us);
    let (filter, who) = (comment(&visit.query), comment(&operator.name));
    // Read before the first row: what a row says of money is at least as new.
    let books = books_position(visit).await?;
    let whose = of.map_or_else(String::new, |of| format!(" of {}", comment(of)));
    let about = format!("# {name}{whose}, filter: {filter}, {when} UTC, {who} ({}), {books}", operator.id);
    let columns: Vec<String> = columns.iter().map(|column| (*column).to_owned()).collect();
    let head = line(&[about]) + &line(&columns);
    let waiting = Some(page(None));
    let lines = Lines { form: Form::Csv, head: Some(head), page, waiting, left: ROWS_MAX };
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{}.csv\"", file_name(name, of))))
        .streaming(lines))
}

/// What a file is called, without its ending: which list it is, and whose.
fn file_name(name: &str, of: Option<&str>) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
    let plain = |of: &str| -> String {
        of.chars().map(|character| if is_plain(character) { character } else { '-' }).collect()
    };
    of.map_or_else(|| name.to_owned(), |of| format!("{name}-{}", plain(of)))
}

/// A file with a JSON object on each line: `head` first, then the rows of the pages, each of one cell, at most [`ROWS_MAX`].
/// The last line says whether the file is whole. Whoever gives it away has told the audit trail.
pub(crate) fn json_lines<P: 'static>(
    name: &str,
    head: &[Value],
    page: impl Fn(Option<P>) -> ListedPage<P> + Unpin + 'static,
) -> HttpResponse {
    let head = head.iter().map(|object| format!("{object}\n")).collect();
    let waiting = Some(page(None));
    let lines = Lines { form: Form::JsonLines, head: Some(head), page, waiting, left: ROWS_MAX };
    HttpResponse::Ok()
        .content_type("application/x-ndjson")
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.jsonl\"")))
        .streaming(lines)
}

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// As spreadsheets read it.
    Csv,
    /// An object on each line.
    JsonLines,
}

impl Form {
    fn line(self, cells: &[String]) -> String {
        match self {
            Self::Csv => line(cells),
            Self::JsonLines => cells.iter().map(|object| format!("{object}\n")).collect(),
        }
    }

    /// The last line: whether the file ends early.
    fn end(self, is_cut: bool) -> String {
        match (self, is_cut) {
            (Self::Csv, true) => line(&[cut_off()]),
            (Self::Csv, false) => line(&[WHOLE.to_owned()]),
            (Self::JsonLines, _) => format!("{}\n", json!({"kind": "end", "is_whole": !is_cut})),
        }
    }
}

/// How the list `of` was narrowed, without what may name a person: who that was may have to be forgotten, and the trail stays.
pub(crate) fn without_people(of: &str, query: &str) -> String {
    let is_person = |name: &str, value: &str| {
        let is_somebodys = matches!((of, name), (END_USERS, "name") | ("mail", "to"));
        is_somebodys || matches!(name, "email" | "user") || value.contains('@')
    };
    let pairs = url::form_urlencoded::parse(query.as_bytes()).filter(|(name, value)| !is_person(name, value));
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// The lines of a file, as they are read.
struct Lines<F, P> {
    form: Form,
    head: Option<String>,
    page: F,
    waiting: Option<ListedPage<P>>,
    left: usize,
}

impl<P, F: Fn(Option<P>) -> ListedPage<P> + Unpin> Stream for Lines<F, P> {
    type Item = Result<Bytes, StoreError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let lines = self.get_mut();
        if let Some(head) = lines.head.take() {
            return Poll::Ready(Some(Ok(Bytes::from(head))));
        }
        loop {
            let Some(waiting) = &mut lines.waiting else { return Poll::Ready(None) };
            let Poll::Ready(read) = waiting.as_mut().poll(context) else { return Poll::Pending };
            lines.waiting = None;
            match read {
                Err(error) => return Poll::Ready(Some(Err(error))),
                Ok((rows, next)) => {
                    let text = lines.take(&rows, next);
                    // An empty piece would end the answer; of a page nothing may be left that is wanted.
                    if !text.is_empty() {
                        return Poll::Ready(Some(Ok(Bytes::from(text))));
                    }
                }
            }
        }
    }
}

impl<P, F: Fn(Option<P>) -> ListedPage<P>> Lines<F, P> {
    /// A page as text, behind the last one with how the file ends. The next one is asked for.
    fn take(&mut self, rows: &[Vec<String>], next: Option<P>) -> String {
        let mut text: String = rows.iter().take(self.left).map(|row| self.form.line(row)).collect();
        let is_cut = rows.len() > self.left || (rows.len() == self.left && next.is_some());
        self.left = self.left.saturating_sub(rows.len());
        match next {
            _ if is_cut => text.push_str(&self.form.end(true)),
            None => text.push_str(&self.form.end(false)),
            Some(next) => self.waiting = Some((self.page)(Some(next))),
        }
        text
    }
}

/// One line of CSV (RFC 4180).
fn line(cells: &[String]) -> String {
    let mut out = cells.iter().map(|text| cell(text)).collect::<Vec<_>>().join(",");
    out.push_str("\r\n");
    out
}

/// Whether a spreadsheet would work a cell out. An amount below zero begins like a formula, and is a number all the same.
fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_decimal(text)
}

/// Whether a cell is a plain number: `-113`, `0.5`.
fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    [whole, fraction].iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// One cell. What a spreadsheet would work out gets an apostrophe before it.
pub(crate) fn cell(text: &str) -> String {
    let guard = if is_formula(text) { "'" } else { "" };
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{guard}{}\"", text.replace('"', "\"\""))
    } else {
        format!("{guard}{text}")
    }
}

/// What somebody has typed, in a line before the names of the columns: one line, and nothing that begins a cell, whatever
/// separates them where it is read.
pub(crate) fn comment(text: &str) -> String {
    let separates = |character: char| character.is_control() || matches!(character, ',' | ';' | '"');
    text.chars().map(|character| if separates(character) { ' ' } else { character }).collect()
}

#[cfg(test)]
mod tests;
