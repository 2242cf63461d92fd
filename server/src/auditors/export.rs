//! `GET /ledger/export`: what `tollgate ledger export` writes, as a stream that says at its end whether it is whole.

use std::{
    collections::BTreeMap,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{self, Bytes},
};
use engine::{
    audit::OpContext,
    code::Code,
    ledger::export::request::{Format, Only, Report, Request},
    service::Services,
    store::{
        DatabasePlace, StoreError,
        books::{self, ReportError},
    },
};
use futures_core::Stream;
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
};

use crate::{
    cli::dates::DateRange,
    http::{
        auth::{authenticate_auditor, new_request_id},
        problem::{Fault, Problem},
    },
    state::AppState,
};

/// How many exports may be under way at once.
pub const EXPORTS_MAX: usize = 2;
/// How many pieces may wait for the auditor's side.
const PIECES_MAX: usize = 4;
/// An auditor's side that takes nothing for so long has gone.
const STALL_MAX: Duration = Duration::from_mins(1);

/// The parameters.
const REPORT: &str = "report";
const FORMAT: &str = "format";
const FROM: &str = "from";
const TO: &str = "to";
const PERIOD: &str = "period";
const ACCOUNT: &str = "account";
const PUBLISHER: &str = "publisher";
const PARTNER: &str = "partner";
const FULL: &str = "full";
const PARAMETERS: [&str; 9] = [REPORT, FORMAT, FROM, TO, PERIOD, ACCOUNT, PUBLISHER, PARTNER, FULL];

/// A report of the books, up to where they stand now. The last line is the manifest, in the form of a comment where the
/// format has comments (`# …` in CSV, `; …` for hledger and beancount) and as `{"manifest": …}` in JSON Lines: without it
/// the export is not whole. The transfer is chunked, and one that fails ends without its last chunk.
#[utoipa::path(
    get,
    path = "/ledger/export",
    params(
        ("report" = Option<String>, Query, description = "journal (the default), postings, account-statement, publisher-statement, partner-statement, trial-balance, revenue, open-holds, refunds or audit-trail"),
        ("format" = String, Query, description = "csv, jsonl, hledger or beancount; the last two for the journal"),
        ("from" = Option<String>, Query, description = "Only what was recorded on this date or at this time, or later"),
        ("to" = Option<String>, Query, description = "Only what was recorded before this date or time"),
        ("period" = Option<String>, Query, description = "Only what was recorded in this month (2027-01)"),
        ("account" = Option<String>, Query, description = "One account: its name in the chart, its number, its owner's identifier or address"),
        ("publisher" = Option<String>, Query, description = "One publisher: its slug or identifier"),
        ("partner" = Option<String>, Query, description = "One partner: its name or identifier"),
        ("full" = Option<bool>, Query, description = "hledger and beancount: every posting, not sums by day, wallet and publisher")
    ),
    responses(
        (status = OK, description = "The report as a stream"),
        (status = UNAUTHORIZED, description = "No auditor's token, or one that is over"),
        (status = UNPROCESSABLE_ENTITY, description = "There is no such report, format, account or range"),
        (status = SERVICE_UNAVAILABLE, description = "Too many exports at once, or the database is away")
    )
)]
pub(crate) async fn export(request: HttpRequest, state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
    let auditor = authenticate_auditor(&request, &state).await?;
    let query = web::Query::<BTreeMap<String, String>>::from_query(request.query_string());
    let query = query.map_err(|error| fault("query", error.to_string()))?;
    let wanted = read(&query).map_err(|(parameter, msg)| fault(parameter, msg))?;
    wanted.check().map_err(|error| fault(REPORT, error.to_string()))?;
    let by = auditor.context(new_request_id(&state));
    begin(&state.services, &state.exports, wanted, &by).await.map_err(|error| match error {
        NotBegun::Full => Problem::new(
            Code::Overloaded,
            format!("{EXPORTS_MAX} exports are under way: that is as many as there may be"),
        )
        .retry_after_s(10),
        NotBegun::NoRoom => Problem::new(Code::Overloaded, "there is no room for an export now").retry_after_s(10),
        NotBegun::Report(error) => problem_of(error),
        NotBegun::Broken => Problem::new(Code::Internal, "the export could not be begun"),
    })
}

/// Why an export did not begin. Nothing of it was sent.
#[derive(Debug)]
pub(crate) enum NotBegun {
    /// As many are under way as there may be.
    Full,
    /// The system gives no thread.
    NoRoom,
    /// The request, or the database.
    Report(ReportError),
    /// The program contradicts itself.
    Broken,
}

impl From<StoreError> for NotBegun {
    fn from(error: StoreError) -> Self {
        Self::Report(error.into())
    }
}

/// Begins the export `wanted`, which has been checked, as a download; the audit trail tells of it as done by `by`. `exports`
/// says how many more may begin.
///
/// # Errors
/// See [`NotBegun`].
pub(crate) async fn begin(
    services: &Services,
    exports: &Arc<Semaphore>,
    wanted: Request,
    by: &OpContext,
) -> Result<HttpResponse, NotBegun> {
    let permit = Arc::clone(exports).try_acquire_owned().map_err(|_all_taken| NotBegun::Full)?;
    let identified = identify(services.db.place().clone(), wanted.only.clone()).await?;
    let told = wanted.to_trail(identified.as_deref());
    services.record_export(by, wanted.report.as_str(), &told).await?;
    let mut pieces = start(services.db.place().clone(), wanted.clone(), permit)?;
    // What is wrong before the first byte is still an answer of its own.
    let first = match pieces.recv().await {
        Some(Ok(piece)) => piece,
        Some(Err(error)) => return Err(NotBegun::Report(error)),
        None => return Err(NotBegun::Broken),
    };
    let name = format!("attachment; filename=\"{}.{}\"", wanted.report.as_str(), wanted.format.as_str());
    Ok(HttpResponse::Ok()
        .content_type(wanted.format.media_type())
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_DISPOSITION, name))
        .streaming(Pieces { first: Some(first), rest: pieces }))
}

/// Whom the audit trail says that the export is about.
async fn identify(place: DatabasePlace, only: Only) -> Result<Option<String>, NotBegun> {
    let found = tokio::task::spawn_blocking(move || books::identify(&place, &only)).await;
    found.map_err(|_panicked| NotBegun::Broken)?.map_err(NotBegun::Report)
}

type Piece = Result<Bytes, ReportError>;

/// Reads and writes on a thread of its own, as fast as the pieces are taken.
fn start(
    place: DatabasePlace,
    wanted: Request,
    permit: OwnedSemaphorePermit,
) -> Result<mpsc::Receiver<Piece>, NotBegun> {
    let (sender, receiver) = mpsc::channel(PIECES_MAX);
    let runtime = Handle::current();
    let work = move || {
        let send = |piece: Piece| {
            let send = async { tokio::time::timeout(STALL_MAX, sender.send(piece)).await };
            match runtime.block_on(send) {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_gone)) => Err(io::Error::from(io::ErrorKind::BrokenPipe)),
                Err(_stalled) => Err(io::Error::from(io::ErrorKind::TimedOut)),
            }
        };
        let mut sink = |bytes: &[u8]| send(Ok(Bytes::copy_from_slice(bytes)));
        let ended = match books::write_report(&place, &wanted, &mut sink, &mut |_progress| {}) {
            Ok(manifest) => send(Ok(wanted.format.last_line(&manifest.to_json().to_string()).into())),
            Err(error) => {
                if let ReportError::Store(error) = &error {
                    tracing::error!(%error, "an export could not be finished");
                }
                send(Err(error))
            }
        };
        // Nobody listens any more: there is nobody to tell.
        drop(ended);
        drop(permit);
    };
    match std::thread::Builder::new().name("export".to_owned()).spawn(work) {
        Ok(_thread) => Ok(receiver),
        Err(error) => {
            tracing::error!(%error, "no thread for an export");
            Err(NotBegun::NoRoom)
        }
    }
}

/// The pieces as they come. An error ends the transfer without its last chunk.
struct Pieces {
    first: Option<Bytes>,
    rest: mpsc::Receiver<Piece>,
}

impl Stream for Pieces {
    type Item = Result<Bytes, io::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.first.take() {
            Some(piece) => Poll::Ready(Some(Ok(piece))),
            None => self.rest.poll_recv(context).map(|piece| piece.map(|piece| piece.map_err(io::Error::other))),
        }
    }
}

/// Reads the parameters; else which one is wrong, and why.
fn read(query: &BTreeMap<String, String>) -> Result<Request, (&'static str, String)> {
    let text = |name: &str| query.get(name).map(String::as_str);
    if let Some(unknown) = query.keys().find(|name| !PARAMETERS.contains(&name.as_str())) {
        let unknown: String = unknown.chars().take(64).collect();
        return Err(("query", format!("there is no parameter `{unknown}`")));
    }
    let words = |all: Vec<&str>| format!("must be one of {}", all.join(", "));
    let report = match text(REPORT) {
        None => Report::Journal,
        Some(word) => {
            Report::parse(word).ok_or_else(|| (REPORT, words(Report::all().map(Report::as_str).collect())))?
        }
    };
    let format = text(FORMAT).and_then(Format::parse);
    let format = format.ok_or_else(|| (FORMAT, words(Format::all().map(Format::as_str).collect())))?;
    let range = match (text(PERIOD), text(FROM), text(TO)) {
        (Some(month), None, None) => DateRange::month(PERIOD, month).map_err(|error| (PERIOD, error.to_string()))?,
        (Some(_), ..) => return Err((PERIOD, "cannot be used with `from` or `to`".to_owned())),
        (None, from, to) => DateRange::parse((FROM, from), (TO, to)).map_err(|error| (FROM, error.to_string()))?,
    };
    let only = match (text(ACCOUNT), text(PUBLISHER), text(PARTNER)) {
        (None, None, None) => Only::Everything,
        (Some(account), None, None) => Only::Account(account.to_owned()),
        (None, Some(publisher), None) => Only::Publisher(publisher.to_owned()),
        (None, None, Some(partner)) => Only::Partner(partner.to_owned()),
        _ => return Err((ACCOUNT, "only one of `account`, `publisher` and `partner` may be given".to_owned())),
    };
    let is_full = match text(FULL) {
        None | Some("false") => false,
        Some("true" | "") => true,
        Some(_) => return Err((FULL, "must be `true` or `false`".to_owned())),
    };
    Ok(Request { report, format, from_us: range.from_us, to_us: range.until_us, only, is_full })
}

fn fault(parameter: &str, msg: String) -> Problem {
    let loc = vec!["query".to_owned(), parameter.to_owned()];
    Problem::invalid(Code::InvalidRequest, vec![Fault { loc, msg }])
}

fn problem_of(error: ReportError) -> Problem {
    match error {
        ReportError::Request(error) => fault(REPORT, error.to_string()),
        ReportError::Unknown { what, .. } => fault(what, error.to_string()),
        ReportError::Store(error) => error.into(),
        ReportError::Sink(_) => Problem::new(Code::Internal, "the export could not be begun"),
    }
}
