//! Reads the books for those who check them: one connection of its own, one transaction, hence one moment, beside a
//! writer that goes on working. As long as it reads, the write-ahead log cannot be emptied.

use std::{
    path::Path,
    sync::mpsc::{SyncSender, sync_channel},
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::StoreError;
use crate::{
    clock::Clock,
    ledger::{
        chain::ChainHead,
        verify::{Counts, Line, Problem, ProblemKind, TrialBalance, TrialBalanceRow, Verifier},
    },
};

mod journal;
mod projections;
mod rows;

/// How many lines the reading thread hands over at once.
const LINES_MAX: usize = 512;
/// How many such parcels may wait.
const PARCELS_MAX: usize = 4;

/// What `ledger verify` reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyReport {
    /// No problem was found.
    pub ok: bool,
    /// How much was read.
    pub counts: Counts,
    /// How long it took, in microseconds.
    pub elapsed_us: i64,
    /// The number of the last batch that a signed checkpoint vouches for; `None`: there is no checkpoint.
    pub checkpoint: Option<i64>,
    /// Where the chain of every slot ends.
    pub heads: Vec<ChainHead>,
    /// The first [`crate::ledger::verify::PROBLEMS_MAX`] problems.
    pub problems: Vec<Problem>,
    /// How many problems there are.
    pub problem_count: u64,
}

/// Checks the books in the SQLite file at `path`. Damage is reported, however deep it goes; one thread reads, the
/// caller's hashes.
///
/// # Errors
/// There is no such file, it cannot be opened or read, or it has no ledger.
pub fn verify(path: &Path, clock: &dyn Clock) -> Result<VerifyReport, StoreError> {
    let begun_us = clock.now_us();
    let (parcels, arrivals) = sync_channel(PARCELS_MAX);
    let findings = std::thread::scope(|scope| {
        let reader = std::thread::Builder::new()
            .name("ledger-reader".to_owned())
            .spawn_scoped(scope, move || read(path, Sink::new(parcels)))
            .map_err(|source| StoreError::File { path: path.display().to_string(), source })?;
        let mut verifier = Verifier::new();
        for line in arrivals.into_iter().flatten() {
            verifier.take(line);
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
        checkpoint: None,
        heads: findings.heads,
        problems: findings.problems,
        problem_count: findings.problem_count,
    })
}

/// What every account received and spent, in the order of the accounts' numbers.
///
/// # Errors
/// The file cannot be opened or read, or a value makes no sense: [`verify`] tells more.
pub fn trial_balance(path: &Path) -> Result<Vec<TrialBalanceRow>, StoreError> {
    let connection = open(path)?;
    let mut balance = TrialBalance::new();
    let mut statement = connection.prepare(projections::ACCOUNTS)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (id, kind, code) = rows::account(row)
            .map_err(|column| StoreError::Inconsistent { table: "ledger_account", what: column.to_owned() })?;
        balance.account(id, kind, code);
    }
    let mut statement = connection.prepare(journal::POSTINGS)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let leg =
            rows::leg(row).map_err(|column| StoreError::Inconsistent { table: "posting", what: column.to_owned() })?;
        balance.post(&leg);
    }
    match balance.difference() {
        0 => Ok(balance.into_rows()),
        difference => Err(StoreError::Inconsistent { table: "posting", what: format!("difference of {difference}") }),
    }
}

/// Opens the file and fixes the moment that is read. Not read-only: after a crash even a reader may have to build the
/// index of the write-ahead log. `query_only` sees to it that nothing is written.
fn open(path: &Path) -> Result<Connection, StoreError> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.execute_batch("PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; BEGIN")?;
    Ok(connection)
}

fn read(path: &Path, mut sink: Sink) -> Result<(), StoreError> {
    match open(path).and_then(|connection| read_all(&connection, &mut sink)) {
        Err(StoreError::Sqlite(error)) if is_damage(&error) => {
            sink.send(Line::Problem(Problem {
                kind: ProblemKind::Unreadable,
                table: "sqlite_schema",
                key: String::new(),
                text: format!("the file cannot be read to its end: {error}"),
            }));
            Ok(())
        }
        done => done,
    }
}

fn read_all(connection: &Connection, sink: &mut Sink) -> Result<(), StoreError> {
    projections::read_accounts(connection, sink)?;
    journal::read(connection, sink)?;
    projections::read_balances(connection, sink)
}

/// The file's content is at fault, not the way to it.
fn is_damage(error: &rusqlite::Error) -> bool {
    match error.sqlite_error_code() {
        Some(code) => matches!(code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase),
        None => true,
    }
}

/// Hands lines over in parcels.
struct Sink {
    lines: Vec<Line>,
    parcels: SyncSender<Vec<Line>>,
}

impl Sink {
    fn new(parcels: SyncSender<Vec<Line>>) -> Self {
        Self { lines: Vec::with_capacity(LINES_MAX), parcels }
    }

    fn send(&mut self, line: Line) {
        self.lines.push(line);
        if self.lines.len() >= LINES_MAX {
            let parcel = std::mem::replace(&mut self.lines, Vec::with_capacity(LINES_MAX));
            self.hand_over(parcel);
        }
    }

    /// A value of `column` makes no sense.
    fn unreadable(table: &'static str, key: String, column: &str) -> Problem {
        let text = format!("`{column}` holds a value that makes no sense");
        Problem { kind: ProblemKind::Unreadable, table, key, text }
    }

    fn hand_over(&self, parcel: Vec<Line>) {
        // Nobody takes it any more only if the verifier panicked, which the caller is going to see.
        let gone = self.parcels.send(parcel);
        drop(gone);
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let rest = std::mem::take(&mut self.lines);
        self.hand_over(rest);
    }
}

#[cfg(test)]
mod tests;
