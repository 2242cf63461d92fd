//! The circuit breaker of one endpoint: a pure state machine, time comes in as a parameter.
//!
//! Closed, it counts. [`CONSECUTIVE_FAILURES_MAX`] failures in a row, or failures making up half of at least
//! [`WINDOW_CALLS_MIN`] calls within [`WINDOW_US`], open it. Open, it refuses everything until its time is up; then one
//! call goes through as a probe. A probe that succeeds closes it; one that fails opens it for twice as long as before,
//! at most [`OPEN_US_MAX`].

/// So many failures in a row open the breaker.
pub const CONSECUTIVE_FAILURES_MAX: u32 = 5;
/// How far back the failure rate looks, in microseconds.
pub const WINDOW_US: i64 = 10_000_000;
/// The failure rate counts from so many calls on.
pub const WINDOW_CALLS_MIN: u32 = 20;
/// How long the breaker stays open at first, in microseconds.
pub const OPEN_US_FIRST: i64 = 5_000_000;
/// How long it stays open at most, in microseconds.
pub const OPEN_US_MAX: i64 = 60_000_000;

const SLOTS: usize = 10;
const SLOT_US: i64 = 1_000_000;

/// How an admitted call ended, as far as the breaker cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The upstream is able to answer.
    Success,
    /// It is not.
    Failure,
    /// Nothing was learnt: the call was given up for reasons of our own.
    Abandoned,
}

/// The right to make one call, to be given back to [`Breaker::record`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    /// Which life of the breaker issued it. What calls of an earlier life report is no news.
    epoch: u64,
}

/// The breaker is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the circuit breaker is open")]
pub struct Open;

/// What a recorded outcome changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    None,
    /// The breaker opened.
    Opened {
        /// For how long, in microseconds.
        open_us: i64,
    },
    /// A probe closed it.
    Closed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed,
    Open { until_us: i64, open_us: i64 },
    Probing { open_us: i64 },
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    number: i64,
    calls: u32,
    failures: u32,
}

/// The state machine. All times are microseconds of one clock that never goes backwards.
#[derive(Debug)]
pub struct Breaker {
    state: State,
    epoch: u64,
    consecutive_failures: u32,
    slots: [Slot; SLOTS],
}

impl Default for Breaker {
    fn default() -> Self {
        Self { state: State::Closed, epoch: 0, consecutive_failures: 0, slots: [Slot::default(); SLOTS] }
    }
}

impl Breaker {
    /// Asks to make a call at `now_us`.
    ///
    /// # Errors
    ///
    /// [`Open`] while the breaker is open or its probe is out.
    pub fn admit(&mut self, now_us: i64) -> Result<Ticket, Open> {
        match self.state {
            State::Closed => {}
            State::Open { until_us, open_us } if now_us >= until_us => {
                self.state = State::Probing { open_us };
                self.epoch = self.epoch.wrapping_add(1);
            }
            State::Open { .. } | State::Probing { .. } => return Err(Open),
        }
        Ok(Ticket { epoch: self.epoch })
    }

    /// Takes in how an admitted call ended.
    pub fn record(&mut self, ticket: Ticket, outcome: Outcome, now_us: i64) -> Change {
        if ticket.epoch != self.epoch {
            return Change::None;
        }
        match (self.state, outcome) {
            (State::Closed, Outcome::Abandoned) | (State::Open { .. }, _) => Change::None,
            (State::Closed, Outcome::Success) => {
                self.consecutive_failures = 0;
                self.count(now_us, 0);
                Change::None
            }
            (State::Closed, Outcome::Failure) => {
                self.consecutive_failures = self.consecutive_failures.saturating_add(1);
                self.count(now_us, 1);
                if self.consecutive_failures >= CONSECUTIVE_FAILURES_MAX || self.is_failing_half(now_us) {
                    self.open(now_us, OPEN_US_FIRST)
                } else {
                    Change::None
                }
            }
            (State::Probing { .. }, Outcome::Success) => {
                *self = Self { epoch: self.epoch.wrapping_add(1), ..Self::default() };
                Change::Closed
            }
            (State::Probing { open_us }, Outcome::Failure) => {
                self.open(now_us, open_us.saturating_mul(2).min(OPEN_US_MAX))
            }
            (State::Probing { open_us }, Outcome::Abandoned) => {
                self.state = State::Open { until_us: now_us, open_us };
                Change::None
            }
        }
    }

    fn open(&mut self, now_us: i64, open_us: i64) -> Change {
        self.state = State::Open { until_us: now_us.saturating_add(open_us), open_us };
        self.epoch = self.epoch.wrapping_add(1);
        Change::Opened { open_us }
    }

    fn count(&mut self, now_us: i64, failures: u32) {
        let number = now_us.div_euclid(SLOT_US);
        let slots = i64::try_from(SLOTS).unwrap_or(i64::MAX);
        let slot = usize::try_from(number.rem_euclid(slots)).ok().and_then(|index| self.slots.get_mut(index));
        let Some(slot) = slot else { return };
        if slot.number != number {
            *slot = Slot { number, ..Slot::default() };
        }
        slot.calls = slot.calls.saturating_add(1);
        slot.failures = slot.failures.saturating_add(failures);
    }

    fn is_failing_half(&self, now_us: i64) -> bool {
        let oldest = now_us.saturating_sub(WINDOW_US).div_euclid(SLOT_US);
        let recent = self.slots.iter().filter(|slot| slot.number > oldest);
        let (calls, failures) = recent.fold((0_u32, 0_u32), |(calls, failures), slot| {
            (calls.saturating_add(slot.calls), failures.saturating_add(slot.failures))
        });
        calls >= WINDOW_CALLS_MIN && failures.saturating_mul(2) >= calls
    }
}

#[cfg(test)]
mod tests;
