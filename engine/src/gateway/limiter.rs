//! What guessing costs: a sliding window of failures for each client, and a lockout.
//!
//! A plain state machine; whoever holds it feeds the time in. Its memory is bounded: the client whose last failure is
//! longest ago is forgotten first.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    net::IpAddr,
    time::Duration,
};

use super::{
    address::{is_loopback, limit_key},
    auth::Verdict,
};

/// How many failures of all clients together are remembered.
pub const FAILURES_MAX: usize = 200_000;

const US_PER_MS: i64 = 1_000;

/// The limit (`gateway.auth.rateLimit`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Failures within the window that lock a client out.
    pub max_attempts: u32,
    /// Length of the sliding window in milliseconds.
    pub window_ms: u64,
    /// How long a client stays locked out, in milliseconds.
    pub lockout_ms: u64,
    /// Loopback clients are never locked out.
    pub exempts_loopback: bool,
}

impl Default for Limit {
    fn default() -> Self {
        Self { max_attempts: 10, window_ms: 60_000, lockout_ms: 300_000, exempts_loopback: true }
    }
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// It may go on, if its credential is right; else it is refused.
    Counted,
    /// Its client is locked out, whatever it shows.
    LockedOut {
        /// Until then, rounded up to whole seconds.
        retry_after_s: u64,
    },
    /// Refused, after a pause.
    Delayed {
        /// How long the answer waits.
        pause: Duration,
    },
}

/// One client. Clients without an address share one place.
type Client = Option<IpAddr>;

#[derive(Debug, Default)]
struct History {
    /// The failures in the window, oldest first, in microseconds since the Unix epoch.
    failures: VecDeque<i64>,
    last_us: i64,
    locked_until_us: Option<i64>,
}

/// The failures of all clients.
#[derive(Debug)]
pub struct Limiter {
    limit: Option<Limit>,
    delays: Vec<Duration>,
    failures_max: usize,
    clients: HashMap<Client, History>,
    /// The clients by their last failure, oldest first.
    order: BTreeSet<(i64, Client)>,
    remembered: usize,
}

impl Limiter {
    /// With `limit`, or none. Failures from this machine wait for `loopback_delays_ms`, one after the other.
    pub fn new(limit: Option<Limit>, loopback_delays_ms: &[u64]) -> Self {
        Self {
            limit,
            delays: loopback_delays_ms.iter().copied().map(Duration::from_millis).collect(),
            failures_max: FAILURES_MAX,
            clients: HashMap::new(),
            order: BTreeSet::new(),
            remembered: 0,
        }
    }

    /// Takes note of what a request at `now_us` (microseconds since the Unix epoch) has shown. The failure that reaches the
    /// limit is still answered as one; from the next request on the client is locked out, until the lockout is over, and
    /// whatever comes in the meantime changes nothing. A right credential before that clears the count.
    pub fn note(&mut self, address: Option<IpAddr>, verdict: &Verdict, now_us: i64) -> Attempt {
        let is_near = address.is_some_and(is_loopback);
        let is_exempt = self.limit.is_none_or(|limit| limit.exempts_loopback && is_near);
        if is_exempt && (self.delays.is_empty() || !is_near) {
            return Attempt::Counted;
        }
        let client = address.map(limit_key);
        if !is_exempt && let Some(retry_after_s) = self.locked_for_s(client, now_us) {
            return Attempt::LockedOut { retry_after_s };
        }
        match verdict {
            Verdict::Right(_) => {
                self.forget(client);
                Attempt::Counted
            }
            Verdict::Wrong { counts: false } => Attempt::Counted,
            Verdict::Wrong { counts: true } => self.fail(client, is_exempt, now_us),
        }
    }

    fn locked_for_s(&mut self, client: Client, now_us: i64) -> Option<u64> {
        let until = self.clients.get(&client)?.locked_until_us?;
        if now_us >= until {
            self.forget(client);
            return None;
        }
        let missing_us = u64::try_from(until.saturating_sub(now_us)).unwrap_or(0);
        Some(missing_us.div_ceil(1_000_000))
    }

    fn fail(&mut self, client: Client, is_exempt: bool, now_us: i64) -> Attempt {
        let limit = self.limit.unwrap_or_default();
        let mut history = self.take(client);
        let window_start = now_us.saturating_sub(us(limit.window_ms));
        while history.failures.front().is_some_and(|at| *at <= window_start) {
            history.failures.pop_front();
        }
        history.failures.push_back(now_us);
        history.last_us = now_us;
        let count = history.failures.len();
        if is_exempt {
            // Only the number of failures matters here, and only up to the longest pause.
            while history.failures.len() > self.delays.len() {
                history.failures.pop_front();
            }
        } else if count >= usize::try_from(limit.max_attempts).unwrap_or(usize::MAX) {
            history.locked_until_us = Some(now_us.saturating_add(us(limit.lockout_ms)));
            history.failures = VecDeque::from([now_us]);
        }
        self.put(client, history);
        let pause = self.delays.get(count.saturating_sub(1)).or(self.delays.last());
        match pause {
            Some(pause) if client.is_some_and(is_loopback) => Attempt::Delayed { pause: *pause },
            _ => Attempt::Counted,
        }
    }

    fn forget(&mut self, client: Client) {
        drop(self.take(client));
    }

    fn take(&mut self, client: Client) -> History {
        let Some(history) = self.clients.remove(&client) else { return History::default() };
        self.order.remove(&(history.last_us, client));
        self.remembered = self.remembered.saturating_sub(history.failures.len());
        history
    }

    fn put(&mut self, client: Client, history: History) {
        self.remembered = self.remembered.saturating_add(history.failures.len());
        self.order.insert((history.last_us, client));
        self.clients.insert(client, history);
        while self.remembered > self.failures_max {
            let Some((_, oldest)) = self.order.first().copied() else { return };
            self.forget(oldest);
        }
    }
}

fn us(milliseconds: u64) -> i64 {
    i64::try_from(milliseconds).unwrap_or(i64::MAX).saturating_mul(US_PER_MS)
}

#[cfg(test)]
mod tests;
