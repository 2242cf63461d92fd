//! `tollgate ledger verify`: from the first batch on, or from a checkpoint on, and against checkpoints that were kept.

use std::path::{Path, PathBuf};

use clap::Args;
use engine::{
    clock::SystemClock,
    ledger::verify::Kept,
    store::{
        DatabasePlace,
        books::{self, VerifyReport, VerifyScope},
    },
};
use serde_json::json;

use super::{
    super::{Exit, Failure, Outcome, say},
    unreadable,
};
use crate::{checkpoints, config::Config};

#[derive(Debug, Args)]
pub(in crate::cli) struct VerifyArgs {
    /// Believe the rows up to a checkpoint as they stand and hash only what came later: the checkpoint's number, or a file
    /// whose last line is one. Balances, holds and caps are added up from the first row on all the same.
    #[arg(long, value_name = "FILE|NUMBER")]
    from_checkpoint: Option<String>,
    /// A file with checkpoints that were kept outside of the database: the books must go through all of them.
    #[arg(long, value_name = "FILE")]
    against: Vec<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(place: &DatabasePlace, args: &VerifyArgs, config: &Config) -> Outcome {
    let scope = scope_of(place, args)?;
    let clock = SystemClock::start();
    let report = books::verify_within(place, &scope, &clock).map_err(|error| unreadable(&error, config))?;
    print(&report, args.json)?;
    Ok(if report.ok { Exit::Ok } else { Exit::Damaged })
}

fn scope_of(place: &DatabasePlace, args: &VerifyArgs) -> Result<VerifyScope, Failure> {
    let mut kept = Vec::new();
    for path in &args.against {
        kept.extend(read(path)?);
    }
    let from = match &args.from_checkpoint {
        None => None,
        Some(named) => {
            let found = match named.parse() {
                Ok(number) => stored(place, number)?,
                Err(_) => read(Path::new(named))?.pop().ok_or_else(|| no_checkpoint(named))?,
            };
            let checkpoint = found.signed.checkpoint.clone();
            kept.push(found);
            Some(checkpoint)
        }
    };
    Ok(VerifyScope { from, kept })
}

fn read(path: &Path) -> Result<Vec<Kept>, Failure> {
    checkpoints::read_file(path).map_err(|error| Failure::new(Exit::Refused, error))
}

fn stored(place: &DatabasePlace, number: i64) -> Result<Kept, Failure> {
    let found = books::find_checkpoint(place, Some(number)).map_err(|error| Failure::new(Exit::Database, error))?;
    found.ok_or_else(|| no_checkpoint(number))
}

fn no_checkpoint(named: impl std::fmt::Display) -> Failure {
    Failure::new(Exit::Refused, format!("there is no checkpoint `{named}`"))
}

fn print(report: &VerifyReport, is_json: bool) -> Outcome {
    // Exact: a run is far shorter than 2^53 microseconds.
    let seconds = std::time::Duration::from_micros(u64::try_from(report.elapsed_us).unwrap_or(0)).as_secs_f64();
    let counts = &report.counts;
    if is_json {
        let problems: Vec<_> = report
            .problems
            .iter()
            .map(|problem| json!({"kind": problem.kind.as_str(), "table": problem.table, "key": problem.key, "text": problem.text}))
            .collect();
        return say(&json!({
            "ok": report.ok,
            "postings": counts.postings,
            "transactions": counts.transactions,
            "batches": counts.batches,
            "audit_rows": counts.audit_rows,
            "seconds": seconds,
            "checkpoint": report.checkpoint,
            "problems": problems,
        })
        .to_string());
    }
    say(&format!(
        "{} postings in {} transactions and {} batches, and {} rows of the audit trail checked in {seconds:.3} s",
        counts.postings, counts.transactions, counts.batches, counts.audit_rows
    ))?;
    match report.checkpoint {
        Some(number) => say(&format!("the last checkpoint is number {number}"))?,
        None => say("there is no checkpoint")?,
    };
    for problem in &report.problems {
        say(&format!("{}: {} {}: {}", problem.kind.as_str(), problem.table, problem.key, problem.text))?;
    }
    say(if report.ok { "the books are in order" } else { "the books are damaged" })
}
