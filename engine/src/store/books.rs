//! Reads the books for those who check them: one connection of its own, one transaction, hence one moment, beside a
//! writer that goes on working. As long as it reads, the write-ahead log cannot be emptied.

use std::{
    path::Path,
    thread::{Scope, ScopedJoinHandle},
};

pub use self::{
    export::{ExportError, export_jsonl},
    receipt::{FoundReceipt, find_checkpoint, find_receipt},
};
use self::{
    postgres::Postgres,
    sink::Sink,
    source::{Cursor as _, Select, Source, Statement as _},
};
use super::{DatabasePlace, StoreError};
use crate::{
    clock::Clock,
    ledger::{
        chain::ChainHead,
        checkpoint::Checkpoint,
        verify::{Counts, Kept, Line, Problem, ProblemKind, TrialBalance, TrialBalanceRow, Verifier},
    },
};

mod export;
mod halving;
mod journal;
mod postgres;
mod projections;
mod receipt;
mod reports;
mod rows;
mod sink;
mod source;
mod sqlite;

pub use reports::{Progress, ReportError, identify, write_report};

/// What `ledger verify` reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyReport {
    /// No problem was found.
    pub ok: bool,
    /// How much was read.
    pub counts: Counts,
    /// How long it took, in microseconds.
    pub elapsed_us: i64,
    /// The number of the last signed checkpoint; `None`: there is none.
    pub checkpoint: Option<i64>,
    /// Where the chain of every slot ends.
    pub heads: Vec<ChainHead>,
    /// The first [`crate::ledger::verify::PROBLEMS_MAX`] problems.
    pub problems: Vec<Problem>,
    /// How many problems there are.
    pub problem_count: u64,
}

/// How much is checked, and against what.
#[derive(Debug, Clone, Default)]
pub struct VerifyScope {
    /// Rows up to here are believed as they stand; without it everything is hashed, from the first batch on.
    pub from: Option<Checkpoint>,
    /// Checkpoints that were kept outside: the books must go through them, too.
    pub kept: Vec<Kept>,
}

impl VerifyScope {
    fn verifier(&self) -> Verifier {
        match &self.from {
            Some(checkpoint) => Verifier::believing(checkpoint, self.kept.clone()),
            None => Verifier::new(self.kept.clone()),
        }
    }
}

/// Checks the books, wherever they are.
///
/// # Errors
/// As for [`verify`] and [`verify_postgres`].
pub fn verify_within(
    place: &DatabasePlace,
    scope: &VerifyScope,
    clock: &dyn Clock,
) -> Result<VerifyReport, StoreError> {
    verify_watched(place, scope, clock, &mut |_entries| {})
}

/// As [`verify_within`]; `tell` hears from time to time how many entries were read.
///
/// # Errors
/// As for [`verify_within`].
pub fn verify_watched(
    place: &DatabasePlace,
    scope: &VerifyScope,
    clock: &dyn Clock,
    tell: &mut dyn FnMut(u64),
) -> Result<VerifyReport, StoreError> {
    match place {
        DatabasePlace::File(path) => check(scope.verifier(), clock, tell, |sink| {
            let read = sqlite::open(path).and_then(|connection| read_all(&connection, sink));
            match read.as_ref().err().and_then(sqlite::find_damage) {
                Some(problem) => {
                    sink.send(Line::Problem(problem));
                    Ok(())
                }
                None => read,
            }
        }),
        DatabasePlace::Server(url) => {
            check(scope.verifier(), clock, tell, |sink| postgres::read(url, |source: &Postgres| read_all(source, sink)))
        }
    }
}

/// Checks the books in the SQLite file at `path`. Damage is reported, however deep it goes; one thread reads, the
/// caller's hashes.
///
/// # Errors
/// There is no such file, it cannot be opened or read, or it has no ledger.
pub fn verify(path: &Path, clock: &dyn Clock) -> Result<VerifyReport, StoreError> {
    verify_within(&DatabasePlace::File(path.to_owned()), &VerifyScope::default(), clock)
}

/// Checks the books in the PostgreSQL database at `url`, as [`verify`] does.
///
/// # Errors
/// The URL is none of PostgreSQL, the database cannot be reached or fails, or it has no ledger.
pub fn verify_postgres(url: &str, clock: &dyn Clock) -> Result<VerifyReport, StoreError> {
    verify_within(&DatabasePlace::Server(url.to_owned()), &VerifyScope::default(), clock)
}

/// What every account received and spent, in the order of the accounts' numbers.
///
/// # Errors
/// The file cannot be opened or read, or a value makes no sense: [`verify`] tells more.
pub fn trial_balance(path: &Path) -> Result<Vec<TrialBalanceRow>, StoreError> {
    add_up(&sqlite::open(path)?)
}

/// What every account in the PostgreSQL database at `url` received and spent, as [`trial_balance`] has it.
///
/// # Errors
/// The URL is none of PostgreSQL, the database cannot be reached or fails, or a value makes no sense:
/// [`verify_postgres`] tells more.
pub fn trial_balance_postgres(url: &str) -> Result<Vec<TrialBalanceRow>, StoreError> {
    // On a thread of its own: the caller may be one that must not wait for input and output.
    std::thread::scope(|scope| {
        let reader = spawn(scope, || postgres::read(url, |source: &Postgres| add_up(source)))?;
        reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Feeds the verifier with what `read` sends from a thread of its own.
fn check(
    mut verifier: Verifier,
    clock: &dyn Clock,
    tell: &mut dyn FnMut(u64),
    read: impl FnOnce(&mut Sink) -> Result<(), StoreError> + Send,
) -> Result<VerifyReport, StoreError> {
    let begun_us = clock.now_us();
    let (mut sink, arrivals) = Sink::new();
    let findings = std::thread::scope(|scope| {
        let reader = spawn(scope, move || read(&mut sink))?;
        let mut entries = 0_u64;
        for parcel in arrivals {
            for line in parcel {
                entries = entries.saturating_add(u64::from(matches!(line, Line::Entry(..))));
                verifier.take(line);
            }
            tell(entries);
        }
        match reader.join() {
            Ok(read) => read.map(|()| verifier.finish()),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })?;
    Ok(VerifyReport {
        ok: findings.problem_count == 0,
        counts: findings.counts,
        elapsed_us: clock.now_us().saturating_sub(begun_us),
        checkpoint: findings.checkpoint,
        heads: findings.heads,
        problems: findings.problems,
        problem_count: findings.problem_count,
    })
}

fn spawn<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> Result<ScopedJoinHandle<'scope, T>, StoreError> {
    const NAME: &str = "ledger-reader";
    let thread = std::thread::Builder::new().name(NAME.to_owned()).spawn_scoped(scope, work);
    thread.map_err(|source| StoreError::File { path: NAME.to_owned(), source })
}

fn read_all(source: &impl Source, sink: &mut Sink) -> Result<(), StoreError> {
    let read = projections::read_accounts(source, sink)
        .and_then(|()| projections::read_checkpoints(source, sink))
        .and_then(|()| projections::read_movements(source, sink))
        .and_then(|()| projections::read_closes(source, sink))
        .and_then(|()| projections::read_counted(source, sink))
        .and_then(|()| journal::read(source, sink))
        .and_then(|()| projections::read_balances(source, sink))
        .and_then(|()| projections::read_facts(source, sink))
        .and_then(|()| projections::read_keys_of_calls(source, sink));
    match read {
        Err(StoreError::Inconsistent { table, what }) => {
            let (kind, text) = (ProblemKind::Unreadable, format!("reading ends here: {what} makes no sense"));
            sink.send(Line::Problem(Problem { kind, table, key: String::new(), text }));
            Ok(())
        }
        read => read,
    }
}

fn add_up(source: &impl Source) -> Result<Vec<TrialBalanceRow>, StoreError> {
    let nonsense = |Select { table, .. }: Select, column: &str| {
        let what = column.to_owned();
        StoreError::Inconsistent { table, what }
    };
    let mut balance = TrialBalance::new();
    let mut statement = source.prepare(projections::ACCOUNTS)?;
    let mut accounts = statement.open()?;
    accounts.advance()?;
    while let Some(row) = accounts.row() {
        let (id, kind, code) = rows::account(row).map_err(|column| nonsense(projections::ACCOUNTS, column))?;
        balance.account(id, kind, code);
        accounts.advance()?;
    }
    let mut statement = source.prepare(journal::POSTINGS)?;
    let mut postings = statement.open()?;
    postings.advance()?;
    while let Some(row) = postings.row() {
        balance.post(&rows::leg(row).map_err(|column| nonsense(journal::POSTINGS, column))?);
        postings.advance()?;
    }
    match balance.difference() {
        0 => Ok(balance.into_rows()),
        difference => Err(StoreError::Inconsistent { table: "posting", what: format!("difference of {difference}") }),
    }
}

#[cfg(test)]
mod tests;
