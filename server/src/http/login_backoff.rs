//! Wrong passwords make the next try wait, longer each time, for one account and one address together.
//!
//! A limit per account alone would let anybody lock its owner out by guessing. So the pauses belong to the pair of account
//! and address, they end, and an address from which the account has been signed in to is *known*: guesses from elsewhere
//! do not touch it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine::ledger::leaf::{Digest, sha256};
use quick_cache::sync::Cache;

use super::limits::{Limited, RateHeaders};

/// How many wrong passwords cost no pause.
pub const FREE_TRIES: u32 = 5;
/// The longest pause, in seconds: also who has to share an address with a guesser gets in after that.
pub const PAUSE_S_MAX: u64 = 900;
/// After so long without a try, in seconds, the count begins again.
pub const FORGET_S: u64 = 3_600;
/// How many pairs are remembered; each was worth at least one try under the limit per address.
const PAIRS_MAX: usize = 50_000;
const US_PER_S: i64 = 1_000_000;

/// What is remembered of one pair of account and address.
#[derive(Debug, Clone, Copy, Default)]
struct Tries {
    /// Tries since the last right password.
    count: u32,
    last_us: i64,
    /// No try counts before this.
    free_us: i64,
    /// The right password has come from here.
    is_known: bool,
}

/// The pairs.
#[derive(Debug)]
pub struct LoginBackoff(Cache<Digest, Arc<Mutex<Tries>>>);

/// One account and one address.
#[derive(Debug, Clone, Copy)]
pub struct Pair(Digest);

impl Pair {
    /// Of an email, however it is typed, and the key that stands for an address.
    pub fn new(email: &str, address: &str) -> Self {
        Self(sha256(format!("{}\n{address}", email.to_ascii_lowercase()).as_bytes()))
    }
}

impl Default for LoginBackoff {
    fn default() -> Self {
        Self(Cache::new(PAIRS_MAX))
    }
}

impl LoginBackoff {
    /// Whether this account has been signed in to from this address.
    pub fn is_known(&self, pair: &Pair) -> bool {
        self.0.get(&pair.0).is_some_and(|tries| lock(&tries).is_known)
    }

    /// Counts a try at `now_us` (microseconds since the Unix epoch) before its password is looked at, so that many at
    /// once are counted, too.
    ///
    /// # Errors
    /// The last wrong password was too short a while ago.
    pub fn begin(&self, pair: &Pair, now_us: i64) -> Result<(LoginAttempt, RateHeaders), Limited> {
        let known = self.0.get_or_insert_with(&pair.0, || Ok::<_, std::convert::Infallible>(Arc::default()));
        let Ok(shared) = known;
        let mut tries = lock(&shared);
        if now_us < tries.free_us {
            return Err(Limited::new(
                headers(0, Some(seconds_until(tries.free_us, now_us))),
                seconds_until(tries.free_us, now_us),
                "too many wrong passwords for this account from this address",
            ));
        }
        if now_us >= tries.last_us.saturating_add(us(FORGET_S)) {
            tries.count = 0;
        }
        tries.count = tries.count.saturating_add(1);
        tries.last_us = now_us;
        tries.free_us = now_us.saturating_add(us(pause_s(tries.count)));
        let left = FREE_TRIES.saturating_sub(tries.count);
        drop(tries);
        Ok((LoginAttempt(shared), headers(left, None)))
    }
}

/// A try that has been counted as a wrong one, until it is said to be something else.
#[derive(Debug)]
pub struct LoginAttempt(Arc<Mutex<Tries>>);

impl LoginAttempt {
    /// The password was right.
    pub fn succeed(self) {
        *lock(&self.0) = Tries { is_known: true, ..Tries::default() };
    }

    /// The password was not looked at.
    pub fn take_back(self) {
        let mut tries = lock(&self.0);
        tries.count = tries.count.saturating_sub(1);
        tries.free_us = 0;
    }
}

/// Nothing for the free tries, then 1, 2, 4 … seconds.
fn pause_s(count: u32) -> u64 {
    match count.checked_sub(FREE_TRIES) {
        None => 0,
        Some(beyond) => 1_u64.checked_shl(beyond).unwrap_or(PAUSE_S_MAX).min(PAUSE_S_MAX),
    }
}

fn headers(left: u32, wait_s: Option<u64>) -> RateHeaders {
    let wait = wait_s.map_or_else(String::new, |seconds| format!(";t={seconds}"));
    RateHeaders {
        limit: format!("\"login-wrong\";r={left}{wait}"),
        policy: format!("\"login-wrong\";q={FREE_TRIES};w={FORGET_S}"),
    }
}

fn lock(tries: &Mutex<Tries>) -> MutexGuard<'_, Tries> {
    tries.lock().unwrap_or_else(PoisonError::into_inner)
}

fn us(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(US_PER_S)
}

/// Rounded up, so that who waits as told is not refused again.
fn seconds_until(then_us: i64, now_us: i64) -> u64 {
    let missing = then_us.saturating_sub(now_us).saturating_add(US_PER_S - 1).div_euclid(US_PER_S);
    u64::try_from(missing).unwrap_or(0).max(1)
}

#[cfg(test)]
mod tests;
