//! A list as a file: what its filter wants, a page after the other, as comma-separated values.

use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{HttpResponse, http::header, web::Bytes};
use engine::{service::paging::Listed, store::StoreError};
use futures_core::Stream;
use serde_json::json;
use uuid::Uuid;

use crate::{
    console::{
        Answer, CSV_ROWS_MAX, CSV_WHOLE, Visit, books_position, csv_cell, csv_comment, csv_cut_off, without_people,
    },
    kit::instant_text,
};

/// A page of rows as texts.
type Page = Result<Listed<Vec<String>>, StoreError>;
type Reading = Pin<Box<dyn Future<Output = Page>>>;

/// Sends a list as a file. `read` gives the page behind a place; the audit trail tells that it was taken away.
///
/// # Errors
/// The database failed before the first row.
pub(super) async fn answer<F, Fut>(visit: Visit, name: &'static str, columns: &[&str], read: F) -> Answer
where
    F: Fn(Visit, Option<Uuid>) -> Fut + 'static,
    Fut: Future<Output = Page> + 'static,
{
    let operator = &visit.signed_in()?.operator;
    let facts = json!({"filter": without_people(name, &visit.query)});
    visit.services().record_export(&visit.context()?, name, &facts).await?;
    let books = books_position(&visit).await?;
    let mut head = format!(
        "# tollgate {name}; filter: {}; at: {}Z; operator: {} {}; {books}\n",
        csv_comment(&visit.query),
        instant_text(visit.now_us).replace(' ', "T"),
        csv_comment(&operator.name),
        operator.id
    );
    push_row(&mut head, columns.iter().copied());
    let rows = Rows {
        head: Some(head),
        reading: Some(Box::pin(read(visit.clone(), None))),
        read: Box::new(move |place| Box::pin(read(visit.clone(), Some(place)))),
        left: CSV_ROWS_MAX,
    };
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"tollgate-{name}.csv\"")))
        .streaming(rows))
}

/// A moment as programs read it; `us` in microseconds since the Unix epoch.
pub(super) fn moment(us: Option<i64>) -> String {
    us.map(|us| format!("{}Z", instant_text(us).replace(' ', "T"))).unwrap_or_default()
}

fn push_row<'a>(out: &mut String, cells: impl Iterator<Item = &'a str>) {
    let cells: Vec<String> = cells.map(csv_cell).collect();
    out.push_str(&cells.join(","));
    out.push('\n');
}

/// The rows as they are read. What fails ends the transfer without its last piece.
struct Rows {
    head: Option<String>,
    reading: Option<Reading>,
    read: Box<dyn Fn(Uuid) -> Reading>,
    left: usize,
}

impl Rows {
    /// A page as text, and the reading of the next one.
    fn take(&mut self, page: Page) -> Result<Bytes, io::Error> {
        let page = page.map_err(io::Error::other)?;
        let mut out = self.head.take().unwrap_or_default();
        for row in page.rows.iter().take(self.left) {
            push_row(&mut out, row.iter().map(String::as_str));
        }
        let is_cut = page.rows.len() > self.left || (page.rows.len() == self.left && page.next.is_some());
        self.left = self.left.saturating_sub(page.rows.len());
        let place = page.next.filter(|_| !is_cut).and_then(|next| next.parse().ok());
        match place {
            _ if is_cut => push_row(&mut out, [csv_cut_off().as_str()].into_iter()),
            None => push_row(&mut out, [CSV_WHOLE].into_iter()),
            Some(place) => self.reading = Some((self.read)(place)),
        }
        Ok(Bytes::from(out))
    }
}

impl Stream for Rows {
    type Item = Result<Bytes, io::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(reading) = self.reading.as_mut() else { return Poll::Ready(None) };
        match reading.as_mut().poll(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(page) => {
                self.reading = None;
                Poll::Ready(Some(self.take(page)))
            }
        }
    }
}

#[cfg(test)]
mod tests;
