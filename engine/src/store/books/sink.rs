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
    /// Nobody takes anything any more.
    is_abandoned: bool,
    /// `None`: the lines stay here.
    parcels: Option<SyncSender<Vec<Line>>>,
}

impl Sink {
    /// With the place where the parcels arrive.
    pub(super) fn new() -> (Self, Receiver<Vec<Line>>) {
        let (parcels, arrivals) = sync_channel(PARCELS_MAX);
        (Self { lines: Vec::with_capacity(LINES_MAX), is_abandoned: false, parcels: Some(parcels) }, arrivals)
    }

    /// For few lines, which stay here.
    pub(super) const fn keeping() -> Self {
        Self { lines: Vec::new(), is_abandoned: false, parcels: None }
    }

    /// What has stayed here.
    pub(super) fn take_lines(&mut self) -> Vec<Line> {
        std::mem::take(&mut self.lines)
    }

    pub(super) fn send(&mut self, line: Line) {
        self.lines.push(line);
        if self.lines.len() >= LINES_MAX && self.parcels.is_some() {
            let parcel = std::mem::replace(&mut self.lines, Vec::with_capacity(LINES_MAX));
            self.hand_over(parcel);
        }
    }

    /// A value of `column` makes no sense.
    pub(super) fn unreadable(table: &'static str, key: String, column: &str) -> Problem {
        let text = format!("`{column}` holds a value that makes no sense");
        Problem { kind: ProblemKind::Unreadable, table, key, text }
    }

    /// Whether reading on is of no use: whoever took the lines has given up, and says why.
    pub(super) const fn is_abandoned(&self) -> bool {
        self.is_abandoned
    }

    fn hand_over(&mut self, parcel: Vec<Line>) {
        self.is_abandoned |= self.parcels.as_ref().is_some_and(|parcels| parcels.send(parcel).is_err());
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let rest = std::mem::take(&mut self.lines);
        self.hand_over(rest);
    }
}
