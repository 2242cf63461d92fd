//! `tollgate ledger export`: reports for auditors into a file or a pipe, also beside a running server.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser as _},
};
use engine::{
    ledger::export::{
        manifest::Manifest,
        request::{Format, Only, Report, Request},
    },
    store::{
        Database, DatabasePlace, StoreError,
        books::{self, Progress, ReportError},
    },
};
use indicatif::{ProgressBar, ProgressStyle};

use self::file::NewFile;
use super::{
    Exit, Failure, Outcome,
    dates::{self, DateRange},
    operate, say,
};
use crate::{app, config::Config, operator::Command};

mod file;

/// What stands for the standard output.
const STDOUT: &str = "-";

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// What to export.
    #[arg(long, default_value = Report::Journal.as_str(), value_parser = report_parser())]
    report: Report,
    /// How to write it; hledger and beancount have the journal.
    #[arg(long, value_parser = format_parser())]
    format: Format,
    /// The file; FILE.manifest.json is written beside it. `-` or a pipe: a stream, whose last line is the manifest.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    range: RangeArgs,
    /// One account: its name in the chart, its number, its owner's identifier or address.
    #[arg(long, group = "only")]
    account: Option<String>,
    /// One publisher: its slug or identifier.
    #[arg(long, group = "only")]
    publisher: Option<String>,
    /// One partner: its name or identifier.
    #[arg(long, group = "only")]
    partner: Option<String>,
    /// hledger and beancount: every posting, not sums by day, wallet and publisher.
    #[arg(long)]
    full: bool,
    /// Put the new files in the place of those that are there; else nothing is overwritten.
    #[arg(long)]
    replace: bool,
    /// Print the manifest as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct RangeArgs {
    /// Only what was recorded on this date (`2027-01-31`) or at this time, or later.
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// Only what was recorded before this date or time.
    #[arg(long, value_name = "DATE")]
    to: Option<String>,
    /// Only what was recorded in this month (`2027-01`).
    #[arg(long, value_name = "MONTH", conflicts_with_all = ["from", "to"])]
    period: Option<String>,
}

fn report_parser() -> impl clap::builder::TypedValueParser<Value = Report> {
    PossibleValuesParser::new(Report::all().map(Report::as_str))
        .try_map(|word| Report::parse(&word).ok_or("is no report"))
}

fn format_parser() -> impl clap::builder::TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::all().map(Format::as_str))
        .try_map(|word| Format::parse(&word).ok_or("is no format"))
}

pub(super) fn run(args: &ExportArgs, place: &DatabasePlace, config: &Config) -> Outcome {
    let request = args.request()?;
    request.check().map_err(|error| Failure::new(Exit::Refused, error))?;
    check_place(&args.out, place, args.replace)?;
    check_version(config)?;
    let identified = books::identify(place, &request.only).map_err(|error| failure_of(error, 0))?;
    // Before anything is read for it: what the audit trail cannot tell of is not given away.
    let (report, facts) = (request.report.as_str().to_owned(), request.to_trail(identified.as_deref()));
    drop(operate::hand_over(&Command::ExportNoted { report, facts }, config)?);
    if args.out == Path::new(STDOUT) {
        stream(place, &request, &mut io::stdout().lock())?;
        return Ok(Exit::Ok);
    }
    let manifest = if is_pipe(&args.out) {
        let opened = std::fs::File::options().write(true).open(&args.out);
        let mut pipe = opened.map_err(|error| file::failed(&args.out, &error))?;
        stream(place, &request, &mut pipe)?
    } else {
        write_files(place, &request, &args.out, args.replace)?
    };
    let json = manifest.to_json();
    if args.json {
        return say(&json.to_string());
    }
    let sha256 = json.get("sha256").and_then(serde_json::Value::as_str).unwrap_or_default();
    let (rows, bytes) = (manifest.written.rows, manifest.written.bytes);
    say(&format!("{rows} rows, {bytes} bytes in {}\nSHA-256 {sha256}", args.out.display()))
}

/// Nothing is overwritten unasked, and the books are never overwritten.
fn check_place(out: &Path, place: &DatabasePlace, may_replace: bool) -> Result<(), Failure> {
    let is_there = |path: &Path| path.symlink_metadata().is_ok() && !is_pipe(path);
    let taken = [out.to_owned(), manifest_path(out)].into_iter().find(|path| !may_replace && is_there(path));
    if let Some(taken) = taken {
        let why = format!("`{}` is there already: `--replace` puts the new file in its place", taken.display());
        return Err(Failure::new(Exit::Refused, why));
    }
    let real = |path: &Path| path.canonicalize().ok();
    if place.file().and_then(real).is_some_and(|database| real(out) == Some(database)) {
        return Err(Failure::new(Exit::Refused, format!("`{}` is the database", out.display())));
    }
    Ok(())
}

/// What gives the books away changes no schema and makes no database.
pub(super) fn check_version(config: &Config) -> Result<(), Failure> {
    let pending = operate::runtime()?.block_on(async {
        let database = Database::open(config.database.url.expose()).await?;
        let pending = app::pending_migrations(&database).await;
        database.close().await?;
        pending
    });
    match pending {
        Ok(pending) if pending.is_empty() => Ok(()),
        Ok(_) => {
            let why = "the database is of an older version: the next start of `tollgate serve` brings it up to date";
            Err(Failure::new(Exit::Database, why))
        }
        Err(error) => Err(Failure::new(Exit::Database, error)),
    }
}

impl ExportArgs {
    fn request(&self) -> Result<Request, Failure> {
        let refused = |error: dates::DateError| Failure::new(Exit::Refused, error);
        let RangeArgs { from, to, period } = &self.range;
        let range = match period {
            Some(month) => DateRange::month("period", month).map_err(refused)?,
            None => DateRange::parse(("from", from.as_deref()), ("to", to.as_deref())).map_err(refused)?,
        };
        let only = match (&self.account, &self.publisher, &self.partner) {
            (Some(account), ..) => Only::Account(account.clone()),
            (_, Some(publisher), _) => Only::Publisher(publisher.clone()),
            (.., Some(partner)) => Only::Partner(partner.clone()),
            _ => Only::Everything,
        };
        let (from_us, to_us) = (range.from_us, range.until_us);
        Ok(Request { report: self.report, format: self.format, from_us, to_us, only, is_full: self.full })
    }
}

/// Something that is there and no file: nothing can be put in its place.
fn is_pipe(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir())
}

/// Writes the export and its manifest; both files appear when they are whole, or not at all.
fn write_files(place: &DatabasePlace, request: &Request, path: &Path, may_replace: bool) -> Result<Manifest, Failure> {
    let mut file = NewFile::create(path)?;
    let manifest = export(place, request, &mut |bytes| file.write_all(bytes))?;
    let mut beside = NewFile::create(&manifest_path(path))?;
    let text = format!("{:#}\n", manifest.to_json());
    beside.write_all(text.as_bytes()).map_err(|error| file::failed(path, &error))?;
    let (file, beside) = (file.finish()?, beside.finish()?);
    file.publish(may_replace)?;
    beside.publish(may_replace)?;
    Ok(manifest)
}

fn manifest_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".manifest.json");
    name.into()
}

/// Writes the export and its manifest as the last line. A stream without that line is not whole.
fn stream(place: &DatabasePlace, request: &Request, out: &mut impl io::Write) -> Result<Manifest, Failure> {
    let manifest = export(place, request, &mut |bytes| out.write_all(bytes))?;
    let line = request.format.last_line(&manifest.to_json().to_string());
    let ended = out.write_all(line.as_bytes()).and_then(|()| out.flush());
    ended.map_err(|error| given_up(0, &error))?;
    Ok(manifest)
}

fn export(
    place: &DatabasePlace,
    request: &Request,
    write: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> Result<Manifest, Failure> {
    let bar = progress_bar();
    let mut bytes = 0_usize;
    let mut sink = |piece: &[u8]| {
        write(piece)?;
        bytes = bytes.saturating_add(piece.len());
        Ok(())
    };
    let exported = books::write_report(place, request, &mut sink, &mut |Progress { done, total }| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    exported.map_err(|error| failure_of(error, bytes))
}

/// After so many bytes.
fn failure_of(error: ReportError, bytes: usize) -> Failure {
    match error {
        ReportError::Request(_) | ReportError::Unknown { .. } => Failure::new(Exit::Refused, error),
        ReportError::Store(StoreError::Inconsistent { .. }) => {
            Failure::new(Exit::Damaged, format!("{error}; `tollgate ledger verify` tells more"))
        }
        ReportError::Store(_) => Failure::new(Exit::Database, error),
        ReportError::Sink(error) => given_up(bytes, &error),
    }
}

fn given_up(bytes: usize, error: &io::Error) -> Failure {
    Failure::new(Exit::Refused, format!("the export was given up after {bytes} bytes: {error}"))
}

/// On the standard error, if that is a terminal.
fn progress_bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {percent:>3} %  {pos} of {len} entries  {eta} left");
    let bar = ProgressBar::new(0);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_unreadable) => bar,
    }
}
