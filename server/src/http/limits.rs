//! How fast callers may ask, announced in the `RateLimit` headers of the IETF draft (httpapi-ratelimit-headers).

use std::{net::IpAddr, num::NonZeroU32, sync::Arc};

use actix_web::{
    HttpResponse,
    http::header::{HeaderName, HeaderValue},
};
use engine::{
    code::Code,
    id::AccountId,
    ledger::{hex::hex, leaf::sha256},
};
use governor::{
    Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::DefaultKeyedStateStore,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    address::limit_key,
    login_backoff::{LoginAttempt, LoginBackoff, Pair},
    problem::Problem,
};
use crate::config::Limits;

type Keyed = RateLimiter<String, DefaultKeyedStateStore<String>, DefaultClock, StateInformationMiddleware>;

const SECOND: (&str, fn(NonZeroU32) -> Quota) = ("1", Quota::per_second);
const MINUTE: (&str, fn(NonZeroU32) -> Quota) = ("60", Quota::per_minute);
const HOUR: (&str, fn(NonZeroU32) -> Quota) = ("3600", Quota::per_hour);

/// How many mails that reset a password may wait to be written behind their answers.
const RESETS_MAX: usize = 64;

/// The headers of an answer on a limited route.
#[derive(Debug, Clone)]
pub struct RateHeaders {
    /// `RateLimit`.
    pub limit: String,
    /// `RateLimit-Policy`.
    pub policy: String,
}

impl RateHeaders {
    /// Announces the limit on an answer.
    pub fn insert_into(&self, response: &mut HttpResponse) {
        for (name, value) in [("ratelimit", &self.limit), ("ratelimit-policy", &self.policy)] {
            if let Ok(value) = HeaderValue::from_str(value) {
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
    }

    /// Announces the limit on a problem.
    #[must_use]
    pub fn announce(&self, problem: Problem) -> Problem {
        problem.header("ratelimit", self.limit.clone()).header("ratelimit-policy", self.policy.clone())
    }

    /// Announces another limit as well: both headers are lists.
    fn add(&mut self, other: &Self) {
        self.limit = format!("{}, {}", self.limit, other.limit);
        self.policy = format!("{}, {}", self.policy, other.policy);
    }
}

/// A request that came too soon.
#[derive(Debug)]
pub struct Limited {
    headers: RateHeaders,
    wait_s: u64,
    message: String,
}

impl Limited {
    /// With the limit that says no, the seconds to wait and a sentence.
    pub fn new(headers: RateHeaders, wait_s: u64, message: &str) -> Self {
        Self { headers, wait_s, message: message.to_owned() }
    }

    /// How long to wait, in seconds.
    pub fn wait_s(&self) -> u64 {
        self.wait_s
    }

    /// The answer, without the limit's headers.
    fn problem(&self) -> Problem {
        Problem::new(Code::RateLimited, &*self.message).retry_after_s(self.wait_s)
    }
}

impl From<Limited> for Problem {
    fn from(limited: Limited) -> Self {
        limited.headers.announce(limited.problem())
    }
}

/// One limit, counted apart for every key.
struct Limit {
    name: &'static str,
    limiter: Keyed,
    clock: DefaultClock,
    policy: String,
}

impl Limit {
    fn new(name: &'static str, rate: u32, burst: u32, (window_s, quota): (&str, fn(NonZeroU32) -> Quota)) -> Self {
        let one = NonZeroU32::MIN;
        let rate = NonZeroU32::new(rate).unwrap_or(one);
        let burst = NonZeroU32::new(burst).unwrap_or(one);
        Self {
            name,
            limiter: RateLimiter::keyed(quota(rate).allow_burst(burst)).with_middleware::<StateInformationMiddleware>(),
            clock: DefaultClock::default(),
            policy: format!("\"{name}\";q={burst};w={window_s}"),
        }
    }

    fn check(&self, key: &str, message: &str) -> Result<RateHeaders, Limited> {
        let name = self.name;
        match self.limiter.check_key(&key.to_owned()) {
            Ok(state) => Ok(RateHeaders {
                limit: format!("\"{name}\";r={}", state.remaining_burst_capacity()),
                policy: self.policy.clone(),
            }),
            Err(not_until) => {
                let wait = not_until.wait_time_from(self.clock.now());
                let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1);
                let limit = format!("\"{name}\";r=0;t={seconds}");
                Err(Limited::new(RateHeaders { limit, policy: self.policy.clone() }, seconds, message))
            }
        }
    }

    fn tidy(&self) {
        self.limiter.retain_recent();
    }
}

/// The limit per token on the invoke endpoints.
pub struct InvokeLimiter(Limit);

impl std::fmt::Debug for InvokeLimiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "InvokeLimiter({})", self.0.policy)
    }
}

impl InvokeLimiter {
    /// With the configured rate and burst.
    pub fn new(limits: &Limits) -> Self {
        Self(Limit::new("invoke", limits.invoke_per_token_per_s, limits.invoke_burst, SECOND))
    }

    /// Counts a call of `token`.
    ///
    /// # Errors
    /// Too fast: 429 with the time to wait.
    pub fn check(&self, token: &str) -> Result<RateHeaders, Limited> {
        self.0.check(token, "this token calls too fast; nothing was charged")
    }

    /// Forgets tokens that have not called for a while.
    pub fn tidy(&self) {
        self.0.tidy();
    }
}

/// The limit on looking around: per token, or per address where there is none.
pub struct DiscoveryLimiter(Limit);

impl std::fmt::Debug for DiscoveryLimiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DiscoveryLimiter({})", self.0.policy)
    }
}

impl DiscoveryLimiter {
    /// With the configured rate.
    pub fn new(limits: &Limits) -> Self {
        let rate = limits.discovery_per_caller_per_s;
        Self(Limit::new("discovery", rate, rate, SECOND))
    }

    /// Counts a request of the holder of `token`.
    ///
    /// # Errors
    /// Too fast: 429 with the time to wait.
    pub fn check_token(&self, token: &str) -> Result<RateHeaders, Limited> {
        self.0.check(token, "this token asks too fast")
    }

    /// Counts a request of a stranger from `address`.
    ///
    /// # Errors
    /// Too fast: 429 with the time to wait.
    pub fn check_address(&self, address: IpAddr) -> Result<RateHeaders, Limited> {
        self.0.check(&limit_key(address), "too many requests without a token from this address")
    }

    /// Forgets who has not asked for a while.
    pub fn tidy(&self) {
        self.0.tidy();
    }
}

/// The limits on signing in, signing up and mail: what strangers may try, and what they may make us send.
pub struct AuthLimiter {
    login_address: Limit,
    login_account: Limit,
    login_backoff: LoginBackoff,
    signup_address: Limit,
    mail_account: Limit,
    reset_address: Limit,
    reset_account: Limit,
    resets: Arc<Semaphore>,
}

impl std::fmt::Debug for AuthLimiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AuthLimiter")
    }
}

impl AuthLimiter {
    /// With the configured rates.
    pub fn new(limits: &Limits) -> Self {
        let limit = |name, rate, window| Limit::new(name, rate, rate, window);
        Self {
            login_address: limit("login-address", limits.login_per_address_per_min, MINUTE),
            login_account: limit("login-account", limits.login_per_account_per_min, MINUTE),
            login_backoff: LoginBackoff::default(),
            signup_address: limit("signup-address", limits.signup_per_address_per_hour, HOUR),
            mail_account: limit("mail-account", limits.mail_per_account_per_hour, HOUR),
            reset_address: limit("reset-address", limits.login_per_address_per_min, MINUTE),
            reset_account: limit("reset-account", limits.mail_per_account_per_hour, HOUR),
            resets: Arc::new(Semaphore::new(RESETS_MAX)),
        }
    }

    /// Counts an attempt to sign in, or to use a link, from `address`.
    ///
    /// # Errors
    /// Too many: 429 with the time to wait.
    pub fn check_login_address(&self, address: IpAddr) -> Result<RateHeaders, Limited> {
        self.login_address.check(&limit_key(address), "too many sign-ins from this address")
    }

    /// Counts an attempt to sign in as `email` at `now_us` (microseconds since the Unix epoch), whether there is such an
    /// account or not, and adds what it finds to `rate`. The limit on the account, whatever the address, does not hold
    /// where the account is known: else guesses from elsewhere would keep its owner out.
    ///
    /// # Errors
    /// Too many: 429 with the time to wait.
    pub fn begin_login(
        &self,
        email: &str,
        address: IpAddr,
        now_us: i64,
        rate: &mut RateHeaders,
    ) -> Result<LoginAttempt, Problem> {
        self.try_login(email, address, now_us, rate).map_err(|limited| limited.problem())
    }

    /// As [`Self::begin_login`], for what answers otherwise.
    ///
    /// # Errors
    /// Too many.
    pub fn try_login(
        &self,
        email: &str,
        address: IpAddr,
        now_us: i64,
        rate: &mut RateHeaders,
    ) -> Result<LoginAttempt, Limited> {
        let mut refuse = |limited: Limited| {
            rate.add(&limited.headers);
            limited
        };
        let pair = Pair::new(email, &limit_key(address));
        let account = if self.login_backoff.is_known(&pair) {
            None
        } else {
            let checked = self.login_account.check(&account_key(email), "too many sign-ins to this account");
            Some(checked.map_err(&mut refuse)?)
        };
        let (attempt, tries) = self.login_backoff.begin(&pair, now_us).map_err(&mut refuse)?;
        for headers in account.iter().chain([&tries]) {
            rate.add(headers);
        }
        Ok(attempt)
    }

    /// Counts a new account from `address`.
    ///
    /// # Errors
    /// Too many: 429 with the time to wait.
    pub fn check_signup(&self, address: IpAddr) -> Result<RateHeaders, Limited> {
        self.signup_address.check(&limit_key(address), "too many new accounts from this address")
    }

    /// Counts a mail to `account`.
    ///
    /// # Errors
    /// Too many: 429 with the time to wait.
    pub fn check_mail(&self, account: AccountId) -> Result<RateHeaders, Limited> {
        self.mail_account.check(&account.to_string(), "too many mails to this account")
    }

    /// Counts a request for a new password from `address`.
    ///
    /// # Errors
    /// Too many: 429 with the time to wait.
    pub fn check_reset_address(&self, address: IpAddr) -> Result<RateHeaders, Limited> {
        self.reset_address.check(&limit_key(address), "too many requests for a new password from this address")
    }

    /// Counts a request for a new password for `email`, whether there is such an account or not, and adds what it finds to
    /// `rate`. The permit is kept until the mail is written.
    ///
    /// # Errors
    /// Too many for this address: 429 with the time to wait. Too many at once, whatever their addresses: 503.
    pub fn begin_reset(&self, email: &str, rate: &mut RateHeaders) -> Result<OwnedSemaphorePermit, Problem> {
        let checked =
            self.reset_account.check(&account_key(email), "too many requests for a new password for this email");
        let headers = checked.map_err(|limited| {
            rate.add(&limited.headers);
            limited.problem()
        })?;
        rate.add(&headers);
        Arc::clone(&self.resets).try_acquire_owned().map_err(|_all_taken| {
            Problem::new(Code::Overloaded, "too many requests for a new password at once").retry_after_s(1)
        })
    }

    /// Forgets who has not come for a while.
    pub fn tidy(&self) {
        let strangers = [&self.login_address, &self.login_account, &self.signup_address, &self.reset_address];
        for limit in strangers.into_iter().chain([&self.mail_account, &self.reset_account]) {
            limit.tidy();
        }
    }
}

/// What stands for an account: of one length, however long what was typed as its email is.
fn account_key(email: &str) -> String {
    hex(&sha256(email.to_ascii_lowercase().as_bytes()))
}

#[cfg(test)]
mod tests;
