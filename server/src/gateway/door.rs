//! Who comes in: the engine's decision on what a request shows, and the limiter's memory.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use engine::{
    dialect::{ErrorRules, FailureKind},
    gateway::{
        auth::{Admitted, AuthSettings, Shown, Verdict},
        limiter::{Attempt, Limiter},
    },
};

use super::errors::Failure;

/// The gateway's door.
pub struct Gateway {
    settings: AuthSettings,
    limiter: Mutex<Limiter>,
    errors: ErrorRules,
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Gateway {
    /// With everything that decides who comes in.
    pub fn new(settings: AuthSettings, limiter: Limiter, errors: ErrorRules) -> Self {
        Self { settings, limiter: Mutex::new(limiter), errors }
    }

    /// What refusals look like.
    pub const fn errors(&self) -> &ErrorRules {
        &self.errors
    }

    /// Whether the request can be held to somebody, where the dialect minds.
    ///
    /// # Errors
    /// It cannot.
    pub fn check_attribution(&self, shown: &Shown<'_>) -> Result<(), Failure> {
        self.settings.check_attribution(shown).map_err(|kind| Failure::new(kind, ""))
    }

    /// Lets a caller in. What it shows is compared first and weighed by the limiter after, in one step, so that no number of
    /// guesses at once is more than the limit. A refusal may take its time.
    ///
    /// # Errors
    /// It is not let in.
    pub async fn admit(&self, shown: &Shown<'_>, now_us: i64) -> Result<Admitted, Failure> {
        let verdict = self.settings.judge(shown);
        let attempt = self.note(shown, &verdict, now_us);
        match (attempt, verdict) {
            (Attempt::LockedOut { retry_after_s }, _) => {
                let failure = Failure::new(FailureKind::LockedOut, "");
                Err(if self.settings.limiter.tells_when { failure.retry_after_s(retry_after_s) } else { failure })
            }
            (Attempt::Counted | Attempt::Delayed { .. }, Verdict::Right(admitted)) => {
                admitted.map_err(|missing| Failure::new(FailureKind::MissingScope, missing.0))
            }
            (attempt, Verdict::Wrong { .. }) => {
                if let Attempt::Delayed { pause } = attempt {
                    tokio::time::sleep(pause).await;
                }
                Err(Failure::new(FailureKind::Unauthorized, ""))
            }
        }
    }

    fn note(&self, shown: &Shown<'_>, verdict: &Verdict, now_us: i64) -> Attempt {
        let mut limiter = self.limiter.lock().unwrap_or_else(PoisonError::into_inner);
        limiter.note(self.settings.client(shown), verdict, now_us)
    }
}
