//! A clock that moves when it is told to.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::clock::Clock;

/// Stands still between two calls of [`Self::advance_us`].
#[derive(Debug)]
pub struct ManualClock {
    now_us: AtomicI64,
    wall_ahead_us: AtomicI64,
}

impl ManualClock {
    /// Shows `now_us`, microseconds since the Unix epoch.
    pub const fn starting_at(now_us: i64) -> Self {
        Self { now_us: AtomicI64::new(now_us), wall_ahead_us: AtomicI64::new(0) }
    }

    /// Moves on by so many microseconds. A negative number moves it back: that is how a wall clock is set.
    pub fn advance_us(&self, by_us: i64) {
        self.now_us.fetch_add(by_us, Ordering::SeqCst);
    }

    /// Moves the clock on the wall alone, by so many microseconds: that is how a computer wakes up after a pause.
    pub fn advance_wall_us(&self, by_us: i64) {
        self.wall_ahead_us.fetch_add(by_us, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_us(&self) -> i64 {
        self.now_us.load(Ordering::SeqCst)
    }

    fn wall_us(&self) -> i64 {
        self.now_us().saturating_add(self.wall_ahead_us.load(Ordering::SeqCst))
    }
}
