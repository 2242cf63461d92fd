//! `load`: the whole system against a bare proxy of the same stack and nginx, on the same two cores, in one run.
//!
//! Every part is a process of its own: this program starts itself again as the upstream, the bare proxy and the
//! driver, and builds and starts Tollgate and nginx. What is measured, and how, stands in `benches/README.md`.

mod bare;
mod binary;
mod books;
mod caps;
mod charging;
mod console;
mod driver;
mod export;
mod failure;
mod gateway;
mod growth;
mod ledger;
mod machine;
mod nginx;
mod postgres;
mod process;
mod report;
mod rounds;
mod search;
mod seed;
mod tollgate;
mod turns;
mod upstream;
mod verify;
mod wire;
mod workspace;

use std::{io::Write as _, process::ExitCode};

use clap::{Parser, Subcommand, ValueEnum};

use crate::{failure::Outcome, report::Report, rounds::Pace, workspace::RunFolder};

/// Tollgate's own allocator: the bare proxy and the rest are not to lose by another one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A machine that was busier than this in the last minute is pointed out.
const LOAD_BEFORE_MAX: f64 = 0.5;

#[derive(Debug, Parser)]
#[command(name = "load", about = "Measures Tollgate against a bare proxy and nginx, side by side in one run")]
struct Arguments {
    #[command(subcommand)]
    part: Option<Part>,
    /// Print one JSON object on standard output and nothing else
    #[arg(long)]
    json: bool,
    /// Measure only this
    #[arg(long, value_name = "NAME")]
    only: Option<Measurement>,
    /// Measured seconds of every drive
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// How often the sides take turns; the medians are reported
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=100))]
    rounds: u64,
    /// How many transactions are in the large books of `growth`
    #[arg(long, value_name = "N", default_value_t = 5_000_000)]
    transactions: u64,
    /// How many tools `search` looks among, and `crowd` calls beside
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    tools: usize,
    #[command(flatten)]
    size: seed::Size,
}

/// The processes that the program starts of itself.
#[derive(Debug, Subcommand)]
enum Part {
    #[command(hide = true)]
    Upstream,
    #[command(hide = true)]
    Bare { url: String },
    #[command(hide = true)]
    Drive,
    #[command(hide = true)]
    Charge,
    /// Fill an empty database with calls, their postings and everything around them
    Seed(seed::SeedArguments),
    /// Time the console's lists on a database that `seed` has filled
    Console(console::ConsoleArguments),
}

/// What can be measured alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Measurement {
    /// Paid calls against the bare proxy (and nginx where it is installed), at 1, 64 and 256 callers
    Paid,
    /// The bare proxy against nginx
    Nginx,
    /// `/tools/invoke` on a free tool against the bare proxy, at 1, 64 and 256 callers; memory idle and loaded
    Gateway,
    /// Only when asked for: paid calls with three nested limits against the same without any, at 1, 64 and 256 callers
    Caps,
    /// Only when asked for: paid calls with 100,000 tools in the catalog against the same with 100, at 1, 64 and 256 callers
    Crowd,
    /// The ledger alone: hold and capture through its writer, 256 callers
    Ledger,
    /// As `paid`, with the books in PostgreSQL: one server process, then two on one database
    Postgres,
    /// The ledger alone on PostgreSQL: hold and capture from four processes, and the same without batches
    PostgresLedger,
    /// Only when asked for: the operators' console on many calls, on both databases
    Console,
    /// Only when asked for: searches in a large catalog, and what its change costs, on both databases
    Search,
    /// Only when asked for: the ledger alone with 50,000 transactions in the books and with many more
    Growth,
    /// `tollgate ledger verify` on the books of a paid drive
    Verify,
    /// `tollgate ledger export` beside the database's own dump, on SQLite and PostgreSQL
    Export,
    /// The size of the binary
    Size,
    /// Time to ready and memory when idle
    Start,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match &arguments.part {
        Some(Part::Upstream) => upstream::run(),
        Some(Part::Bare { url }) => bare::run(url),
        Some(Part::Drive) => driver::run(),
        Some(Part::Charge) => postgres::crew::run(),
        Some(Part::Seed(size)) => seed::run(size),
        Some(Part::Console(place)) => console::run(place, arguments.json),
        None => run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            note(&format!("load: {failure}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Outcome<()> {
    let folder = RunFolder::create()?;
    let report = match measure(arguments, &folder) {
        Ok(report) => report,
        Err(failure) => {
            note(&format!("load: the files of this run are kept in `{}`", folder.keep().display()));
            return Err(failure);
        }
    };
    let text = if arguments.json { serde_json::to_string(&report)? } else { report.to_string() };
    writeln!(std::io::stdout(), "{text}")?;
    Ok(())
}

fn measure(arguments: &Arguments, folder: &RunFolder) -> Outcome<Report> {
    let wants = |measurement| arguments.only.is_none_or(|only| only == measurement);
    let pace = Pace { seconds: arguments.seconds, rounds: arguments.rounds };
    let machine = machine::describe(folder.path())?;
    if machine.load_before > LOAD_BEFORE_MAX {
        note(&format!("load: the machine is busy ({:.2} before the run), figures will be noisy", machine.load_before));
    }
    let mut report = Report::new(machine);
    if arguments.only == Some(Measurement::Nginx) {
        report.proxies = Some(rounds::measure_proxies(folder, pace)?);
        return Ok(report);
    }
    let program = tollgate::build()?;
    if wants(Measurement::Paid) {
        rounds::measure_paid(folder, &program, pace, report.sqlite.get_or_insert_default())?;
    }
    if wants(Measurement::Gateway) {
        report.gateway = Some(gateway::measure(folder, &program, pace)?);
    }
    if wants(Measurement::Ledger) {
        ledger::measure(folder, &program, pace, report.sqlite.get_or_insert_default())?;
    }
    if wants(Measurement::Postgres) {
        postgres::measure(folder, "postgres", &mut report.postgres, |cluster, figures| {
            postgres::paid::measure(folder, &program, pace, cluster, figures)
        })?;
    }
    if wants(Measurement::PostgresLedger) {
        postgres::measure(folder, "postgres-ledger", &mut report.postgres, |cluster, figures| {
            postgres::ledger::measure(folder, &program, pace, cluster, figures)
        })?;
    }
    if arguments.only == Some(Measurement::Caps) {
        report.caps = Some(caps::measure(folder, &program, pace)?);
    }
    if arguments.only == Some(Measurement::Crowd) {
        report.crowd = Some(search::measure_crowd(folder, &program, pace, arguments.tools)?);
    }
    if arguments.only == Some(Measurement::Growth) {
        report.growth = Some(growth::measure(folder, &program, pace, arguments.transactions)?);
    }
    if arguments.only == Some(Measurement::Console) {
        report.console = Some(console::measure(folder, &program, arguments.size)?);
    }
    if arguments.only == Some(Measurement::Search) {
        report.search = Some(search::measure(folder, &program, arguments.tools)?);
    }
    if arguments.only == Some(Measurement::Verify) {
        verify::measure(folder, &program, pace, report.sqlite.get_or_insert_default())?;
    }
    if arguments.only == Some(Measurement::Export) {
        export::measure_sqlite(folder, &program, pace, report.sqlite.get_or_insert_default())?;
        postgres::measure(folder, "postgres-export", &mut report.postgres, |cluster, figures| {
            export::measure_postgres(folder, &program, pace, cluster, figures)
        })?;
    }
    if wants(Measurement::Size) {
        report.size = Some(binary::measure_size(folder, &program)?);
    }
    if wants(Measurement::Start) {
        report.start = Some(binary::measure_start(folder, &program)?);
    }
    Ok(report)
}

/// Tells the person at the terminal something, on standard error.
#[expect(clippy::print_stderr, reason = "standard output is for the figures")]
pub(crate) fn note(text: &str) {
    eprintln!("{text}");
}
