use std::{
    sync::{Mutex, PoisonError},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use super::{Clock, SteadyClock};

/// The computer's clock, steadied: see [`SteadyClock`].
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
    state: Mutex<SteadyClock>,
}

impl SystemClock {
    /// Reads the wall clock once and advances from there.
    pub fn start() -> Self {
        Self { start: Instant::now(), state: Mutex::new(SteadyClock::starting_at(wall_us(), 0)) }
    }
}

impl Clock for SystemClock {
    fn now_us(&self) -> i64 {
        let monotonic_us = i64::try_from(self.start.elapsed().as_micros()).unwrap_or(i64::MAX);
        self.state.lock().unwrap_or_else(PoisonError::into_inner).read(wall_us(), monotonic_us)
    }

    fn wall_us(&self) -> i64 {
        wall_us()
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
fn wall_us() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX)
}
