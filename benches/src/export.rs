//! `tollgate ledger export` beside the database's own dump of the same tables, into files on the same disk: whole commands
//! are timed, and the most memory that ours ever had is read from the system.

use std::{
    fs::File,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    driver::count_f64,
    failure::{Context as _, Failure, Outcome},
    ledger, machine, nginx, note,
    postgres::cluster::Cluster,
    process,
    report::{Export, Exported, Figures, Sqlite, median, rounded},
    rounds::Pace,
    tollgate::{Installation, Site, Tollgate},
    workspace::RunFolder,
};

/// What is dumped: all tables that the journal is made of.
const TABLES: [&str; 6] = ["txn", "posting", "hold", "hold_resolution", "refusal", "batch"];

/// The database on the server.
const DATABASE: &str = "export";

/// How often the memory of a running export is read.
const LOOK: Duration = Duration::from_millis(2);

const MIB: f64 = 1024.0 * 1024.0;

/// What is exported: the report and its format.
const REPORTS: [(&str, &str); 4] =
    [("journal", "csv"), ("journal", "jsonl"), ("postings", "csv"), ("journal", "beancount")];

/// Fills fresh books in an SQLite file and exports them.
pub(crate) fn measure_sqlite(folder: &RunFolder, program: &Path, pace: Pace, sqlite: &mut Sqlite) -> Outcome<()> {
    let place = folder.subfolder("export")?;
    let installation = filled(program, &Site::with_sqlite(place.clone()), pace)?;
    let shell = process::find_program("sqlite3");
    if shell.is_none() {
        note("load: `sqlite3` is not installed, so the dump is not measured");
    }
    let database = installation.database_path();
    let dump = || {
        shell.as_ref().map(|shell| {
            let mut command = process::command(shell);
            let tables: String = TABLES.map(|table| format!("SELECT * FROM {table};")).concat();
            command.arg("-csv").arg(&database).arg(tables);
            command
        })
    };
    sqlite.export = Some(measure(&installation, &place, pace, dump)?);
    Ok(())
}

/// The same on PostgreSQL.
pub(crate) fn measure_postgres(
    folder: &RunFolder,
    program: &Path,
    pace: Pace,
    cluster: &Cluster,
    figures: &mut Figures,
) -> Outcome<()> {
    let place = folder.subfolder("export-postgres")?;
    let url = cluster.create_database(DATABASE)?;
    let installation = filled(program, &Site::with_database(place.clone(), url), pace)?;
    let dump = || {
        let mut command = cluster.client_of(DATABASE);
        for table in TABLES {
            command.arg("--command").arg(format!("COPY {table} TO STDOUT (FORMAT csv)"));
        }
        Some(command)
    };
    figures.export = Some(measure(&installation, &place, pace, dump)?);
    Ok(())
}

/// Has Tollgate make the accounts, then drives the writer without it.
fn filled(program: &Path, site: &Site, pace: Pace) -> Outcome<Installation> {
    // nothing is called here, so nobody has to listen
    let tollgate = Tollgate::start(program, site, nginx::free_address()?)?;
    tollgate.check_durable()?;
    let installation = tollgate.stop()?;
    let charged = ledger::fill(&installation, pace.seconds.saturating_mul(pace.rounds))?;
    note(&format!("export: {charged} charges in the books"));
    Ok(installation)
}

fn measure(
    installation: &Installation,
    place: &Path,
    pace: Pace,
    dump: impl Fn() -> Option<Command>,
) -> Outcome<Export> {
    let mut dumps = Vec::new();
    let mut exports: [Vec<Sample>; REPORTS.len()] = Default::default();
    // the sides take turns, so that a slower machine is slower for all of them
    for _ in 0..pace.rounds {
        if let Some(command) = dump() {
            dumps.push(time_dump(command, &place.join("dump.csv"))?);
        }
        for ((report, format), samples) in REPORTS.iter().zip(&mut exports) {
            samples.push(export(installation, place, report, format)?);
        }
    }
    let dump_s = (!dumps.is_empty()).then(|| median(dumps));
    let entries = exports.first().and_then(|samples| samples.first()).map_or(0, |sample| sample.rows);
    let reports = REPORTS.iter().zip(&exports);
    let reports = reports.map(|((report, format), samples)| (format!("{report}.{format}"), figures(samples, dump_s)));
    Ok(Export { entries, dump_s, reports: reports.collect() })
}

fn figures(samples: &[Sample], dump_s: Option<f64>) -> Exported {
    let seconds = median(samples.iter().map(|sample| sample.seconds));
    let rows = samples.first().map_or(0, |sample| sample.rows);
    let peak = samples.iter().filter_map(|sample| sample.peak_kib).max();
    Exported {
        rows,
        mib: rounded(count_f64(samples.first().map_or(0, |sample| sample.bytes)) / MIB),
        seconds,
        rows_per_s: rounded(count_f64(rows) / seconds),
        over_dump: dump_s.map(|dump_s| rounded(dump_s / seconds)),
        peak_resident_mib: peak.map(|kib| rounded(count_f64(kib) / 1024.0)),
    }
}

struct Sample {
    seconds: f64,
    rows: u64,
    bytes: u64,
    peak_kib: Option<u64>,
}

fn export(installation: &Installation, place: &Path, report: &str, format: &str) -> Outcome<Sample> {
    let out = place.join(format!("{report}.{format}"));
    let path = out.to_str().ok_or_else(|| Failure::new("a path that is no text"))?;
    let begin = Instant::now();
    let mut child = installation
        .command(&["ledger", "export", "--json", "--replace", "--report", report, "--format", format, "--out", path])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak_kib = None;
    while child.try_wait()?.is_none() {
        peak_kib = machine::find_kib(&status, "VmHWM").or(peak_kib);
        process::pause(LOOK);
    }
    let seconds = begin.elapsed().as_secs_f64();
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Err(Failure::new(format!("`tollgate ledger export` ended with {}", output.status)));
    }
    let manifest: Value = serde_json::from_slice(&output.stdout).context(|| "no manifest".to_owned())?;
    let number = |name: &str| manifest.get(name).and_then(Value::as_u64).unwrap_or(0);
    std::fs::remove_file(&out)?;
    Ok(Sample { seconds, rows: number("rows"), bytes: number("bytes"), peak_kib })
}

fn time_dump(mut command: Command, path: &Path) -> Outcome<f64> {
    let file = File::create(path)?;
    let begin = Instant::now();
    let status = command.stdin(Stdio::null()).stdout(file.try_clone()?).status()?;
    // ours is on disk when it ends
    file.sync_all()?;
    let seconds = begin.elapsed().as_secs_f64();
    std::fs::remove_file(path)?;
    if status.success() { Ok(seconds) } else { Err(Failure::new(format!("the dump ended with {status}"))) }
}
