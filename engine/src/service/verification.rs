//! Checking the books on demand: one run at a time in this process, on threads of its own, and what came of the last one.
//!
//! Nothing of it is stored: what a run found is true of the moment at which it began, and this process remembers it as long
//! as it lives. While a run reads an SQLite file, the write-ahead log of that file cannot be emptied.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::json;

use super::Services;
use crate::{
    audit::{Action, OpContext},
    clock::Clock,
    ledger::verify::Kept,
    store::{
        DatabasePlace, StoreError,
        books::{self, VerifyReport, VerifyScope},
        periods,
    },
};

/// How far back a run hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerifyFrom {
    /// From the first batch on.
    Genesis,
    /// Rows up to the checkpoint with this number are believed as they stand.
    Checkpoint(i64),
}

/// A run that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningVerification {
    /// Who asked for it.
    pub by: String,
    /// When it began, in microseconds since the Unix epoch.
    pub begun_us: i64,
    /// How far back it hashes.
    pub from: VerifyFrom,
    /// How many entries were read.
    pub done: u64,
    /// Of how many there were when it began.
    pub total: u64,
}

/// A run that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedVerification {
    /// Who asked for it.
    pub by: String,
    /// When it began, in microseconds since the Unix epoch.
    pub begun_us: i64,
    /// When it ended, in microseconds since the Unix epoch.
    pub ended_us: i64,
    /// How far back it hashed.
    pub from: VerifyFrom,
    /// What it found; else why it could not be carried out, in words.
    pub found: Result<VerifyReport, String>,
}

/// What this process knows of its runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerificationState {
    /// The one that is under way.
    pub running: Option<RunningVerification>,
    /// The last one that has ended.
    pub last: Option<EndedVerification>,
}

/// Why no run was begun.
#[derive(Debug, thiserror::Error)]
pub enum StartVerificationError {
    /// One is under way.
    #[error("the books are being checked already: wait for the end of that run")]
    Running,
    /// There is nothing to begin from.
    #[error("there is no checkpoint to begin from: sign one, or check everything")]
    NoCheckpoint,
    /// The system gives no thread.
    #[error("there is no room for a run now: try again")]
    NoRoom,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The runs of a process.
#[derive(Debug, Default)]
pub(super) struct Verification(Mutex<Runs>);

#[derive(Debug, Default)]
struct Runs {
    state: VerificationState,
    /// How many were begun: the number of the one that is under way.
    begun: u64,
}

impl Runs {
    /// What is known, for the run of this number; `None` if it is not the one that is under way.
    fn own(&mut self, number: u64) -> Option<&mut VerificationState> {
        (self.begun == number).then_some(&mut self.state)
    }
}

impl Verification {
    fn with<T>(&self, change: impl FnOnce(&mut Runs) -> T) -> T {
        // What a panicking thread left behind is whole: every change is one assignment.
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes the place of the run that is under way, if nobody has it. Returns the run's number, by which it is known from
    /// then on: as soon as one has ended the next one may have begun.
    fn begin(&self, run: RunningVerification) -> Option<u64> {
        self.with(|runs| {
            if runs.state.running.is_some() {
                return None;
            }
            runs.state.running = Some(run);
            runs.begun = runs.begun.saturating_add(1);
            Some(runs.begun)
        })
    }

    fn tell(&self, number: u64, done: u64) {
        self.with(|runs| {
            if let Some(running) = runs.own(number).and_then(|state| state.running.as_mut()) {
                running.done = done;
            }
        });
    }

    fn give_up(&self, number: u64) {
        self.with(|runs| {
            if let Some(state) = runs.own(number) {
                state.running = None;
            }
        });
    }

    fn end(&self, number: u64, ended_us: i64, found: Result<VerifyReport, String>) {
        self.with(|runs| {
            let Some(state) = runs.own(number) else { return };
            if let Some(RunningVerification { by, begun_us, from, .. }) = state.running.take() {
                state.last = Some(EndedVerification { by, begun_us, ended_us, from, found });
            }
        });
    }
}

impl Services {
    /// Begins to check the books in the background, from the first batch on or from the newest checkpoint on. `name` is who
    /// asks for it, for people; the audit trail tells of it.
    ///
    /// # Errors
    /// A run is under way, there is no checkpoint, or the database failed.
    pub async fn start_verification(
        &self,
        by: &OpContext,
        name: String,
        is_from_checkpoint: bool,
    ) -> Result<(), StartVerificationError> {
        let newest = if is_from_checkpoint { self.find_newest_checkpoint().await? } else { None };
        let (from, scope) = match (is_from_checkpoint, newest) {
            (false, _) => (VerifyFrom::Genesis, VerifyScope::default()),
            (true, None) => return Err(StartVerificationError::NoCheckpoint),
            (true, Some(known)) => {
                let checkpoint = known.signed.checkpoint.clone();
                let number = checkpoint.number;
                let kept = vec![Kept { signed: known.signed, public: known.public }];
                (VerifyFrom::Checkpoint(number), VerifyScope { from: Some(checkpoint), kept })
            }
        };
        let heads = periods::heads(self.db.readers()).await?;
        let total = heads.iter().fold(0_u64, |sum, head| sum.saturating_add(u64::try_from(head.last.seq).unwrap_or(0)));
        let begun_us = self.clock.now_us();
        let run_of = RunningVerification { by: name, begun_us, from, done: 0, total };
        let number = self.verification.begin(run_of).ok_or(StartVerificationError::Running)?;
        let told = match from {
            VerifyFrom::Genesis => json!({"from": "genesis"}),
            VerifyFrom::Checkpoint(number) => json!({"checkpoint": number, "from": "checkpoint"}),
        };
        let mut taken = Taken(Some((&self.verification, number)));
        self.record(by, Action::BooksVerify, ("books", "ledger"), &told).await?;
        let (place, clock) = (self.db.place().clone(), Arc::clone(&self.clock));
        let verification = Arc::clone(&self.verification);
        let work = move || run(&verification, number, &place, &scope, &*clock);
        if let Err(error) = std::thread::Builder::new().name("verify".to_owned()).spawn(work) {
            tracing::error!(%error, "no thread for checking the books");
            return Err(StartVerificationError::NoRoom);
        }
        // From now on it is the thread's.
        taken.0 = None;
        Ok(())
    }

    /// The run that is under way in this process, and the last one that has ended.
    pub fn verification(&self) -> VerificationState {
        self.verification.with(|runs| runs.state.clone())
    }
}

/// The place of the run that is under way: whatever happens to who has it, it is free again.
struct Taken<'v>(Option<(&'v Verification, u64)>);

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if let Some((verification, number)) = self.0 {
            verification.give_up(number);
        }
    }
}

fn run(verification: &Verification, number: u64, place: &DatabasePlace, scope: &VerifyScope, clock: &dyn Clock) {
    let _taken = Taken(Some((verification, number)));
    let found = books::verify_watched(place, scope, clock, &mut |entries| verification.tell(number, entries));
    match &found {
        Ok(report) if !report.ok => {
            tracing::error!(problems = report.problem_count, "the books are damaged");
        }
        Err(error) => tracing::error!(%error, "the books could not be checked"),
        Ok(_) => {}
    }
    verification.end(number, clock.now_us(), found.map_err(|error| error.to_string()));
}

#[cfg(test)]
mod tests;
