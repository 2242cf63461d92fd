//! Hands lines from the thread that reads to the one that checks.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use crate::ledger::verify::{Line, Problem, ProblemKind};

/// How many lines are handed over at once.
const LINES_MAX: usize = 512;
/// How many such parcels may wait.
const PARCELS_MAX: usize = 4;

/// Takes lines and hands them over in parcels; what is left goes when it is dropped.
pub(super) struct Sink {
    lines: Vec<Line>,
    parcels: SyncSender<Vec<Line>>,
}

impl Sink {
    /// With the place where the parcels arrive.
    pub(super) fn new() -> (Self, Receiver<Vec<Line>>) {
        let (parcels, arrivals) = sync_channel(PARCELS_MAX);
        (Self { lines: Vec::with_capacity(LINES_MAX), parcels }, arrivals)
    }

    pub(super) fn send(&mut self, line: Line) {
        self.lines.push(line);
        if self.lines.len() >= LINES_MAX {
            let parcel = std::mem::replace(&mut self.lines, Vec::with_capacity(LINES_MAX));
            self.hand_over(parcel);
        }
    }

    /// A value of `column` makes no sense.
    pub(super) fn unreadable(table: &'static str, key: String, column: &str) -> Problem {
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
