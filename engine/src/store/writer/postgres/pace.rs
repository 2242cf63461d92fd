//! How long a batch that lost a race waits before it is decided again, and how long locks are taken first after that.

use std::time::Duration;

use uuid::Uuid;

/// How often a batch is decided again before it is split.
pub(super) const TRIES_MAX: u32 = 8;

const FIRST_PAUSE_MS: u64 = 5;
const PAUSE_MS_MAX: u64 = 200;

/// The pause before try number `attempt` (from 1): 5, 10, 20 … 200 ms, of which between half and all is waited, as the
/// batch's `name` says, so that two servers do not meet again.
pub(super) fn pause(attempt: u32, name: Uuid) -> Duration {
    let whole_ms = FIRST_PAUSE_MS.saturating_mul(1_u64.checked_shl(attempt.saturating_sub(1)).unwrap_or(u64::MAX));
    let whole_us = whole_ms.min(PAUSE_MS_MAX).saturating_mul(1_000);
    let half_us = whole_us.checked_div(2).unwrap_or(0);
    let (_, random) = name.as_u64_pair();
    let share = random.rotate_left(attempt).checked_rem(half_us.max(1)).unwrap_or(0);
    Duration::from_micros(half_us.saturating_add(share))
}

/// After so many batches under locks at most, it is tried without them again.
const LOCKED_MAX: u32 = 1_024;

/// Whether it pays to decide without locks: as long as other servers leave the same wallets alone.
#[derive(Debug, Default)]
pub(super) struct Calm {
    /// How many batches are decided under locks after the next lost race.
    penalty: u32,
    /// How many of them are left.
    left: u32,
}

impl Calm {
    pub(super) fn may_compare(&mut self) -> bool {
        let may = self.left == 0;
        self.left = self.left.saturating_sub(1);
        may
    }

    /// Nobody had changed what was decided on.
    pub(super) fn won(&mut self) {
        self.penalty >>= 1;
    }

    /// Somebody had: twice as many batches under locks as the last time.
    pub(super) fn lost(&mut self) {
        self.penalty = self.penalty.saturating_mul(2).clamp(1, LOCKED_MAX);
        self.left = self.penalty;
    }
}

#[cfg(test)]
mod tests;
