//! A clock that moves when it is told to.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::clock::Clock;

/// Stands still between two calls of [`Self::advance_us`].
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// Shows `now_us`, microseconds since the Unix epoch.
    pub const fn starting_at(now_us: i64) -> Self {
        Self(AtomicI64::new(now_us))
    }

    /// Moves on by so many microseconds. A negative number moves it back: that is how a wall clock is set.
    pub fn advance_us(&self, by_us: i64) {
        self.0.fetch_add(by_us, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_us(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}
