//! Lists as files: what a list shows, page after page, as CSV.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{HttpResponse, http::header::CONTENT_DISPOSITION, web::Bytes};
use engine::store::StoreError;
use futures_core::Stream;
use serde_json::json;
use uuid::Uuid;

use super::{Answer, Visit};
use crate::kit::instant_text;

/// Most rows of one file.
pub(crate) const ROWS_MAX: usize = 100_000;
/// What the last line of a file says that has everything in it.
pub(crate) const WHOLE: &str = "# the end";

/// The rows of a page, and what the next one begins behind.
pub(crate) type ListedPage<P = Uuid> = Pin<Box<dyn Future<Output = Result<(Vec<Vec<String>>, Option<P>), StoreError>>>>;

/// What the last line of a file says that ends early.
pub(crate) fn cut_off() -> String {
    format!("# it ends here because {ROWS_MAX} rows are as many as a file has: narrow the list")
}

/// A list as CSV, as it is narrowed in the address: at most [`ROWS_MAX`] rows. The first line says which list this is, how
/// it is narrowed, when and by whom it was taken away, and the last one whether it is whole; the audit trail tells of it.
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
    let facts = json!({"filter": without_people(&visit.query)});
    visit.services().record_export(&visit.context()?, name, &facts).await?;
    let operator = &visit.signed_in()?.operator;
    let when = instant_text(visit.now_us);
    let (filter, who) = (comment(&visit.query), comment(&operator.name));
    let about = format!("# {name}, filter: {filter}, {when} UTC, {who} ({})", operator.id);
    let columns: Vec<String> = columns.iter().map(|column| (*column).to_owned()).collect();
    let head = line(&[about]) + &line(&columns);
    let waiting = Some(page(None));
    let lines = Lines { head: Some(head), page, waiting, left: ROWS_MAX };
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.csv\"")))
        .streaming(lines))
}

/// How a list was narrowed, without what may name a person: an address may have to be erased, and the trail stays.
fn without_people(query: &str) -> String {
    let pairs =
        url::form_urlencoded::parse(query.as_bytes()).filter(|(name, value)| name != "email" && !value.contains('@'));
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// The lines of a file, as they are read.
struct Lines<F, P> {
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
        let mut text: String = rows.iter().take(self.left).map(|row| line(row)).collect();
        let is_cut = rows.len() > self.left || (rows.len() == self.left && next.is_some());
        self.left = self.left.saturating_sub(rows.len());
        match next {
            _ if is_cut => text.push_str(&line(&[cut_off()])),
            None => text.push_str(&line(&[WHOLE.to_owned()])),
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

/// One cell. What a spreadsheet would work out gets an apostrophe before it.
pub(crate) fn cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
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
