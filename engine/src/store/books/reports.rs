//! Reads the books for exports: entry after entry up to where the books stood at the beginning, in pages. Every page is
//! a short transaction of its own, so that the write-ahead log of an SQLite file can be emptied and PostgreSQL can tidy
//! up while an export goes on; what a page holds never changes, so all pages together are one moment.

use std::{
    collections::BTreeSet,
    io,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
};

use self::{
    page::{Page, read_page},
    plan::Plan,
};
use super::{postgres, source::Source, spawn, sqlite};
use crate::{
    audit::AuditRow,
    ledger::{
        LedgerAccountId,
        export::{
            Frame, Item, Span,
            chart::Chart,
            day_of,
            manifest::{CheckpointReference, Manifest, Position},
            needs_of,
            out::{Out, Sink, Written},
            renderer_of,
            request::{Only, Request, RequestError},
        },
        leaf::Digest,
    },
    store::{DatabasePlace, StoreError},
};

mod anchor;
mod names;
mod page;
mod plan;
mod trail;

/// How many pages may wait for whoever writes them.
const PAGES_MAX: usize = 2;

/// Why there is no export.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// It was asked for in a way that makes no sense.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// There is nobody of that name.
    #[error("there is no {what} `{name}`")]
    Unknown {
        /// What was named.
        what: &'static str,
        /// By which name.
        name: String,
    },
    /// The database, or what stands in it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Whoever takes the bytes.
    #[error("{0}")]
    Sink(io::Error),
}

/// How far an export has come, in entries of the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// So many were read.
    pub done: u64,
    /// Of so many.
    pub total: u64,
}

/// A database that is read in pages.
pub(super) trait Books {
    /// One page of it: statements with these numbers in the place of `$1`, `$2`, `$3`.
    type Page<'c>: Source
    where
        Self: 'c;

    fn page<'c>(&'c self, numbers: &'c [i64]) -> Self::Page<'c>;
}

/// What the reading thread sends.
enum News {
    Start(Box<Start>),
    Page(Page),
    Audit(Vec<(AuditRow, Digest)>),
}

/// What is known before the first page.
struct Start {
    chart: Chart,
    only: Option<BTreeSet<LedgerAccountId>>,
    span: Span,
    position: Vec<Position>,
    checkpoint: Option<CheckpointReference>,
    total: u64,
}

/// Writes the export that `request` asks for to `sink`: one thread reads, the caller's writes. Nothing is written that is
/// not meant to stay, but whether it is whole only the manifest says.
///
/// # Errors
/// The request makes no sense, the database cannot be read or holds nonsense, or the sink refuses.
pub fn write_report(
    place: &DatabasePlace,
    request: &Request,
    sink: &mut Sink<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Manifest, ReportError> {
    request.check()?;
    let (news, arrivals) = sync_channel(PAGES_MAX);
    std::thread::scope(|scope| {
        let reader = spawn(scope, move || match place {
            DatabasePlace::File(path) => read(&sqlite::connect(path)?, request, &news),
            DatabasePlace::Server(url) => postgres::read_in_pages(url, |books| read(books, request, &news)),
        })?;
        let written = write(request, arrivals, sink, progress);
        // The reader's reason comes first: without it there is nothing to write.
        match reader.join() {
            Ok(read) => read?,
            Err(panic) => std::panic::resume_unwind(panic),
        }
        let (written, position, checkpoint) = written?;
        Ok(Manifest { request: request.clone(), position, checkpoint, written })
    })
}

/// Whom `only` names, by identifiers that are no addresses: for the audit trail. `None`: everybody. To be asked before an
/// export is told of, so that nothing is told of nobody.
///
/// # Errors
/// There is nobody of that name, or the database cannot be read.
pub fn identify(place: &DatabasePlace, only: &Only) -> Result<Option<String>, ReportError> {
    if *only == Only::Everything {
        return Ok(None);
    }
    // Of its own thread, since whoever asks may have a runtime at work.
    std::thread::scope(|scope| {
        let reader = spawn(scope, move || match place {
            DatabasePlace::File(path) => identify_in(&sqlite::connect(path)?, only),
            DatabasePlace::Server(url) => postgres::read_in_pages(url, |books| identify_in(books, only)),
        })?;
        match reader.join() {
            Ok(identified) => identified,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

fn identify_in(books: &impl Books, only: &Only) -> Result<Option<String>, ReportError> {
    names::identify(books, &names::read_chart(books)?, only)
}

/// Reads until the end, or until nobody listens.
fn read(books: &impl Books, request: &Request, news: &SyncSender<News>) -> Result<(), ReportError> {
    let needs = needs_of(request);
    if needs.audit {
        return trail::read(books, request, news);
    }
    let mut plan = Plan::make(books, request, needs)?;
    let chart = names::read_chart(books)?;
    let only = names::find_accounts(books, &chart, &request.only)?;
    let (position, span) = (plan.position(), plan.span(request));
    let checkpoint = anchor::find_checkpoint(books, &position)?;
    let start = Start { chart, only, span, position, checkpoint, total: plan.entries() };
    let mut is_heard = news.send(News::Start(Box::new(start))).is_ok();
    while let Some(stretch) = plan.next(books)?.filter(|_| is_heard) {
        is_heard = news.send(News::Page(read_page(books, stretch, needs, plan.ends())?)).is_ok();
    }
    Ok(())
}

type Finished = (Written, Vec<Position>, Option<CheckpointReference>);

fn write(
    request: &Request,
    arrivals: Receiver<News>,
    sink: &mut Sink<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Finished, ReportError> {
    let mut arrivals = arrivals.into_iter();
    // The reader says what it was that it could not begin.
    let Some(News::Start(start)) = arrivals.next() else {
        return Ok((Out::new(sink).finish().map_err(ReportError::Sink)?, Vec::new(), None));
    };
    let Start { chart, only, span, position, checkpoint, total } = *start;
    let frame = Frame { request, chart: &chart, only: only.as_ref(), span, position: &position };
    let mut renderer = renderer_of(request);
    let mut out = Out::new(sink);
    let mut done = 0_u64;
    renderer.begin(&frame, &mut out);
    for news in arrivals {
        if out.has_failed() {
            break;
        }
        let count = match news {
            News::Start(_) => 0,
            News::Page(page) => {
                for (batch, position, row) in page.rows() {
                    let is_before = request.from_us.is_some_and(|from_us| batch.recorded_us < from_us);
                    let item = Item { batch, position, entry: &row.entry, tool: row.tool, end: row.end, is_before };
                    renderer.take(&frame, &item, &mut out);
                }
                page.entries()
            }
            News::Audit(rows) => {
                for (row, hash) in &rows {
                    renderer.take_audit(row, hash, &mut out);
                }
                u64::try_from(rows.len()).unwrap_or(u64::MAX)
            }
        };
        done = done.saturating_add(count);
        progress(Progress { done, total });
    }
    renderer.finish(&frame, &mut out);
    let written = out.finish().map_err(ReportError::Sink)?;
    Ok((written, position, checkpoint))
}

/// The days of an export over batches recorded between these moments.
fn span_of(request: &Request, recorded: Option<(i64, i64)>, has_opening: bool) -> Span {
    let (first_us, last_us) = recorded.unwrap_or((0, 0));
    let first_day = request.from_us.map_or(day_of(first_us), day_of);
    let last_day = request.to_us.map_or(day_of(last_us), |to_us| day_of(to_us.saturating_sub(1)));
    Span { first_day, last_day: last_day.max(first_day), has_opening }
}
