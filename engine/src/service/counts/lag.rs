//! How long calls are left alone before they are counted.

use super::SETTLING_US;

/// What this process has seen lately. Times are microseconds since the Unix epoch.
#[derive(Debug, Default)]
pub(super) struct Lag {
    /// How long a call could take at most, in microseconds, and when that was last so.
    longest: Vec<(i64, i64)>,
    /// When the database last failed.
    failed_us: Option<i64>,
}

impl Lag {
    /// The longest that a call may take that is under way at `now_us`, where one that begins now takes `present_us` at most:
    /// a deadline that was lowered meanwhile still holds for those that began before.
    pub(super) fn longest_us(&mut self, present_us: i64, now_us: i64) -> i64 {
        let may_run = |(longest_us, seen_us): &(i64, i64)| now_us.saturating_sub(*seen_us) <= *longest_us;
        self.longest.retain(|known| known.0 > present_us && may_run(known));
        self.longest.push((present_us, now_us));
        self.longest.iter().fold(present_us, |longest_us, known| longest_us.max(known.0))
    }

    /// The database failed at `now_us`.
    pub(super) const fn failed(&mut self, now_us: i64) {
        self.failed_us = Some(now_us);
    }

    /// Whether the database was away a moment ago: every server first writes down the free calls that it has kept, each in
    /// its own time, and what one has written must not be counted past what another one has not.
    pub(super) fn is_resting(&self, now_us: i64) -> bool {
        self.failed_us.is_some_and(|failed_us| (0..SETTLING_US).contains(&now_us.saturating_sub(failed_us)))
    }
}

#[cfg(test)]
mod tests;
