//! Time as a parameter. Rules receive `now_us`; only shells own a [`Clock`].

/// Tells the time. Shells pass the system's; tests pass one that moves by hand.
pub trait Clock: Send + Sync {
    /// Microseconds since the Unix epoch. Never goes backwards.
    fn now_us(&self) -> i64;

    /// What the clock on the wall shows, in microseconds since the Unix epoch. May jump, both ways: for what is compared with
    /// the clocks of others ([`crate::operator::totp::step_at`]), and for nothing else.
    fn wall_us(&self) -> i64 {
        self.now_us()
    }
}

/// A clock that follows the wall clock without ever jumping.
///
/// A wall clock that is set by an hour must not expire holds early or revive them. So this clock advances with a
/// monotonic source and drifts towards the wall clock by at most one hundredth of the time that passed. It is a plain
/// state machine: the shell feeds both readings in.
#[derive(Debug, Clone, Copy)]
pub struct SteadyClock {
    steady_us: i64,
    monotonic_us: i64,
}

/// How slowly a [`SteadyClock`] corrects itself: at most one microsecond in this many.
pub const SLEW_DIVISOR: i64 = 100;

impl SteadyClock {
    /// Starts at the wall time `wall_us`; `monotonic_us` is the monotonic reading of the same moment.
    pub const fn starting_at(wall_us: i64, monotonic_us: i64) -> Self {
        Self { steady_us: wall_us, monotonic_us }
    }

    /// The time for the readings `wall_us` and `monotonic_us`, all in microseconds.
    pub fn read(&mut self, wall_us: i64, monotonic_us: i64) -> i64 {
        let elapsed = monotonic_us.saturating_sub(self.monotonic_us).max(0);
        let slew_max = elapsed.checked_div(SLEW_DIVISOR).unwrap_or(0);
        let target = self.steady_us.saturating_add(elapsed);
        let correction = wall_us.saturating_sub(target).clamp(slew_max.saturating_neg(), slew_max);
        self.steady_us = target.saturating_add(correction);
        self.monotonic_us = self.monotonic_us.max(monotonic_us);
        self.steady_us
    }

    /// How far the wall clock is ahead of this one (negative: behind), in microseconds.
    pub const fn skew_us(&self, wall_us: i64) -> i64 {
        wall_us.saturating_sub(self.steady_us)
    }
}

#[cfg(feature = "store")]
pub use {shared::SharedClock, system::SystemClock};

#[cfg(feature = "store")]
mod shared;
#[cfg(feature = "store")]
mod system;
#[cfg(test)]
mod tests;
