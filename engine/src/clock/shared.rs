use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use super::{Clock, SystemClock};

/// The time of a database that many servers share: this computer's clock, moved by what it differs from the database's.
/// Holds expire and leases end for all servers at the same moment, however their own clocks are set.
pub struct SharedClock {
    own: Arc<dyn Clock>,
    ahead_us: AtomicI64,
    told_us: AtomicI64,
}

impl SharedClock {
    /// Starts as this computer's clock.
    pub fn start() -> Self {
        Self::over(Arc::new(SystemClock::start()))
    }

    /// Starts as the clock `own`.
    pub fn over(own: Arc<dyn Clock>) -> Self {
        Self { own, ahead_us: AtomicI64::new(0), told_us: AtomicI64::new(0) }
    }

    /// The database's clock says `database_us` (microseconds since the Unix epoch) now.
    pub fn follow(&self, database_us: i64) {
        self.ahead_us.store(database_us.saturating_sub(self.own.now_us()), Ordering::Relaxed);
    }
}

impl std::fmt::Debug for SharedClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedClock").field("ahead_us", &self.ahead_us).finish_non_exhaustive()
    }
}

impl Clock for SharedClock {
    fn now_us(&self) -> i64 {
        let now_us = self.own.now_us().saturating_add(self.ahead_us.load(Ordering::Relaxed));
        // Where the database's clock was set back, this one waits for it.
        self.told_us.fetch_max(now_us, Ordering::Relaxed).max(now_us)
    }

    /// What the database's clock shows, as far as it was heard: the one clock of all servers.
    fn wall_us(&self) -> i64 {
        self.own.now_us().saturating_add(self.ahead_us.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests;
