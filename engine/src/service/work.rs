//! What a server does without being asked, and when it last did: kept in memory, for people who ask how the program is
//! doing.

use std::sync::{Mutex, PoisonError};

use super::Services;

/// One kind of background work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Work {
    /// Settles expired holds and calls of dead servers.
    Ledger,
    /// Takes over what other servers have changed.
    Follow,
    /// Sends mail.
    Outbox,
    /// Signs what the books have come to.
    Checkpoints,
    /// Counts calls and what they came to.
    Counts,
    /// Writes to customers whose credits end.
    LowBalances,
    /// Keeps what calls carried, and forgets it.
    Payloads,
    /// Tells partners that their limits are nearly spent.
    Thresholds,
    /// Sends what partners are told to their webhooks.
    Webhooks,
    /// Gives back to partners what is in wallets of end users who were erased.
    Leftovers,
}

impl Work {
    /// Every kind with its word.
    pub const ALL: [(Self, &'static str); 10] = [
        (Self::Ledger, "ledger"),
        (Self::Follow, "follow"),
        (Self::Outbox, "outbox"),
        (Self::Checkpoints, "checkpoints"),
        (Self::Counts, "counts"),
        (Self::LowBalances, "balances"),
        (Self::Payloads, "payloads"),
        (Self::Thresholds, "thresholds"),
        (Self::Webhooks, "webhooks"),
        (Self::Leftovers, "leftovers"),
    ];

    /// The word of the console.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(work, _)| *work == self).map_or("", |(_, word)| *word)
    }
}

/// How some background work is going. Times are microseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkDone {
    /// Which.
    pub work: Work,
    /// When it was last tried.
    pub tried_us: i64,
    /// When it last went well.
    pub done_us: Option<i64>,
    /// What went wrong, if the last try did.
    pub problem: Option<String>,
}

/// Remembers the last round of every kind.
#[derive(Debug, Default)]
pub(super) struct WorkLog(Mutex<Vec<WorkDone>>);

impl Services {
    /// Notes that a round of `work` is over; `problem` if it did not go well.
    pub fn note_work(&self, work: Work, problem: Option<String>) {
        let now_us = self.clock.now_us();
        let mut log = self.work.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = log.iter().find(|known| known.work == work).and_then(|known| known.done_us);
        let done_us = if problem.is_none() { Some(now_us) } else { before };
        log.retain(|known| known.work != work);
        log.push(WorkDone { work, tried_us: now_us, done_us, problem });
        log.sort_by_key(|known| known.work);
    }

    /// The background work of this process, as far as it has begun.
    pub fn list_work(&self) -> Vec<WorkDone> {
        self.work.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
