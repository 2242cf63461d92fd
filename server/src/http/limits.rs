//! How fast a token may call, announced in the `RateLimit` headers of the IETF draft (httpapi-ratelimit-headers).

use std::num::NonZeroU32;

use engine::code::Code;
use governor::{
    Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::DefaultKeyedStateStore,
};

use super::problem::Problem;
use crate::config::Limits;

type Keyed = RateLimiter<String, DefaultKeyedStateStore<String>, DefaultClock, StateInformationMiddleware>;

/// The limit per token on the invoke endpoints.
pub struct InvokeLimiter {
    limiter: Keyed,
    clock: DefaultClock,
    policy: String,
}

impl std::fmt::Debug for InvokeLimiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "InvokeLimiter({})", self.policy)
    }
}

/// The headers of an answer on a limited route.
#[derive(Debug, Clone)]
pub struct RateHeaders {
    /// `RateLimit`.
    pub limit: String,
    /// `RateLimit-Policy`.
    pub policy: String,
}

impl InvokeLimiter {
    /// With the configured rate and burst.
    pub fn new(limits: &Limits) -> Self {
        let one = NonZeroU32::MIN;
        let rate = NonZeroU32::new(limits.invoke_per_token_per_s).unwrap_or(one);
        let burst = NonZeroU32::new(limits.invoke_burst).unwrap_or(one);
        Self {
            limiter: RateLimiter::keyed(Quota::per_second(rate).allow_burst(burst))
                .with_middleware::<StateInformationMiddleware>(),
            clock: DefaultClock::default(),
            policy: format!("\"invoke\";q={burst};w=1"),
        }
    }

    /// Counts a call of `token`.
    ///
    /// # Errors
    /// Too fast: 429 with the time to wait.
    pub fn check(&self, token: &str) -> Result<RateHeaders, Problem> {
        match self.limiter.check_key(&token.to_owned()) {
            Ok(state) => Ok(RateHeaders {
                limit: format!("\"invoke\";r={}", state.remaining_burst_capacity()),
                policy: self.policy.clone(),
            }),
            Err(not_until) => {
                let wait = not_until.wait_time_from(self.clock.now());
                let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1);
                Err(Problem::new(Code::RateLimited, "this token calls too fast; nothing was charged")
                    .retry_after_s(seconds)
                    .header("ratelimit", format!("\"invoke\";r=0;t={seconds}"))
                    .header("ratelimit-policy", self.policy.clone()))
            }
        }
    }

    /// Forgets tokens that have not called for a while.
    pub fn tidy(&self) {
        self.limiter.retain_recent();
    }
}
