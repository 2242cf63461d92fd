//! The calls of the present filter as a file, written while they are read.

use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{HttpResponse, http::header, web::Bytes};
use engine::{
    invocation::{CallOutcome, CallState, Surface},
    service::invocations::{CALLS_PAGE_MAX, CallFilter, CallPage, ListedCall},
};
use futures_core::Stream;
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::filter;
use crate::console::{Answer, Fault, Fields, Visit, books_position, csv_cell, csv_comment};

/// How many calls a file has at most.
const ROWS_MAX: u64 = 100_000;
/// How many calls are looked at for a file at most.
const LOOKED_AT_MAX: i64 = 2_000_000;

const COLUMNS: &str = "id,accepted,ended,endpoint,outcome,state,tool,requested,account,partner,end_user,held_credits,\
                       charged_credits,error\n";

pub(super) async fn download(visit: Visit) -> Answer {
    let fields = Fields::parse(&visit.query)?;
    let asked = filter::read(&visit, &fields).await?;
    if !asked.problems.is_empty() {
        return Err(Fault::Form("for calls of nobody"));
    }
    let told = told(&asked.filter);
    visit.services().record_export(&visit.context()?, "invocations", &told).await?;
    let operator = &visit.signed_in()?.operator;
    let books = books_position(&visit).await?;
    let head = format!(
        "# Tollgate: calls, newest first; filter {told}; made {} by {} ({}); {books}; times are UTC, amounts are \
         credits\n{COLUMNS}",
        instant(visit.now_us),
        operator.id,
        csv_comment(&operator.name),
    );
    let export = Export { filter: asked.filter, after: None, rows: 0, looked_at: 0, visit };
    let stream = Pieces { first: Some(head.into()), step: Some(Box::pin(export.step())) };
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((header::CONTENT_DISPOSITION, "attachment; filename=\"calls.csv\""))
        .streaming(stream))
}

/// What the audit trail is told of the filter: identifiers, no addresses.
fn told(filter: &CallFilter) -> serde_json::Value {
    json!({
        "account": filter.account.map(|id| id.to_string()),
        "partner": filter.partner.map(|id| id.to_string()),
        "end_user": filter.end_user.map(|id| id.to_string()),
        "tool": filter.tool.map(|id| id.to_string()),
        "outcome": filter.outcome.map(CallOutcome::as_str),
        "state": filter.state.map(CallState::as_str),
        "error": filter.error.as_deref().map(csv_comment),
        "endpoint": filter.surface.map(Surface::as_str),
        "from": filter.from_us.map(instant),
        "to": filter.to_us.map(instant),
    })
}

/// A moment as RFC 3339.
fn instant(at_us: i64) -> String {
    Timestamp::from_microsecond(at_us).map_or_else(|_far| at_us.to_string(), |time| time.to_string())
}

/// How far a file has come.
struct Export {
    visit: Visit,
    filter: CallFilter,
    after: Option<Uuid>,
    rows: u64,
    looked_at: i64,
}

/// A piece of the file, and what comes after it.
type Piece = (Result<Bytes, io::Error>, Option<Export>);

impl Export {
    async fn step(mut self) -> Piece {
        let count = ROWS_MAX.saturating_sub(self.rows).min(CALLS_PAGE_MAX);
        let found = match self.visit.services().list_calls(&self.filter, self.after, count).await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%error, "a file of calls could not be finished");
                return (Err(io::Error::other(error)), None);
            }
        };
        let CallPage { rows, next, looked_at } = found;
        let shown = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        self.rows = self.rows.saturating_add(u64::try_from(rows.len()).unwrap_or(u64::MAX));
        self.looked_at = self.looked_at.saturating_add(looked_at.unwrap_or(shown));
        let mut text: String = rows.iter().map(line).collect();
        self.after = next.and_then(|next| next.parse().ok());
        let end = if self.after.is_none() {
            "# the end\n".to_owned()
        } else if self.rows >= ROWS_MAX {
            format!("# it ends here because {ROWS_MAX} calls are as many as a file has\n")
        } else if self.looked_at >= LOOKED_AT_MAX {
            format!("# it ends here because {LOOKED_AT_MAX} calls were looked at: narrow the time\n")
        } else {
            return (Ok(text.into()), Some(self));
        };
        text.push_str(&end);
        (Ok(text.into()), None)
    }
}

fn line(call: &ListedCall) -> String {
    let name = |named: Option<&str>| named.unwrap_or_default().to_owned();
    let cells = [
        call.id.to_string(),
        instant(call.created_us),
        call.ended_us.map(instant).unwrap_or_default(),
        name(call.surface.map(Surface::as_str)),
        call.outcome.as_str().to_owned(),
        call.state.as_str().to_owned(),
        name(call.tool.as_ref().map(|(_, name)| name.as_str())),
        name(call.requested.as_deref()),
        name(call.account.as_ref().map(|(_, email)| email.as_str())),
        name(call.partner.as_ref().map(|(_, name)| name.as_str())),
        name(call.end_user.as_ref().map(|(_, name)| name.as_str())),
        call.held.to_string(),
        call.charged.to_string(),
        name(call.error.as_deref()),
    ];
    let mut line = cells.iter().map(|text| csv_cell(text)).collect::<Vec<_>>().join(",");
    line.push('\n');
    line
}

/// The pieces as they are read. An error ends the transfer without its last chunk.
struct Pieces {
    first: Option<Bytes>,
    step: Option<Pin<Box<dyn Future<Output = Piece>>>>,
}

impl Stream for Pieces {
    type Item = Result<Bytes, io::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        let Some(step) = self.step.as_mut() else { return Poll::Ready(None) };
        match step.as_mut().poll(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready((piece, next)) => {
                self.step = next.map(|export| -> Pin<Box<dyn Future<Output = Piece>>> { Box::pin(export.step()) });
                Poll::Ready(Some(piece))
            }
        }
    }
}
