//! How long the writer has been at work, for whoever asks while it is: one atomic, written twice for each turn.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

/// Time at work, measured by a clock that nobody can set. One thread works; others ask.
///
/// The number is twice a time in microseconds. While nobody works that is the time at work so far. While somebody does there
/// is one more, and the time is the moment at which the work would have begun had there been no pause before it: asking takes
/// one subtraction, and never sees a turn half counted.
#[derive(Debug)]
pub struct BusyTime {
    origin: Instant,
    state: AtomicU64,
}

impl Default for BusyTime {
    fn default() -> Self {
        Self { origin: Instant::now(), state: AtomicU64::new(0) }
    }
}

impl BusyTime {
    /// A turn begins.
    pub(super) fn begin(&self) {
        self.state.store(begun(self.state.load(Ordering::Relaxed), self.now_us()), Ordering::Relaxed);
    }

    /// It is over.
    pub(super) fn end(&self) {
        self.state.store(ended(self.state.load(Ordering::Relaxed), self.now_us()), Ordering::Relaxed);
    }

    /// How long all turns took, up to now, in microseconds.
    pub fn total_us(&self) -> u64 {
        total(self.state.load(Ordering::Relaxed), self.now_us())
    }

    fn now_us(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

const fn is_at_work(state: u64) -> bool {
    state % 2 == 1
}

const fn total(state: u64, now_us: u64) -> u64 {
    let kept = state / 2;
    if is_at_work(state) { now_us.saturating_sub(kept) } else { kept }
}

const fn begun(state: u64, now_us: u64) -> u64 {
    if is_at_work(state) {
        return state;
    }
    now_us.saturating_sub(state / 2).saturating_mul(2).saturating_add(1)
}

const fn ended(state: u64, now_us: u64) -> u64 {
    total(state, now_us).saturating_mul(2)
}

#[cfg(test)]
mod tests;
