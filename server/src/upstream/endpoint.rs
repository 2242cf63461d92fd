//! What is shared between all calls of one endpoint and of one origin: the breaker and the concurrency limit.
//!
//! The breaker belongs to the endpoint (the URL without its query, and for MCP the tool), so that one broken tool does not take down its
//! healthy neighbours, which may belong to other publishers on the same host. The concurrency limit belongs to the
//! origin (scheme, host, port), which is what gets crowded.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use engine::clock::Clock;
use url::{Position, Url};

use super::breaker::{Breaker, Change, Outcome, Ticket};

/// How many calls to one origin may be open at a time, in this process.
pub const CALLS_PER_ORIGIN_MAX: usize = 1024;

/// Above so many known endpoints, those that nobody uses are forgotten.
const ENDPOINTS_KEPT: usize = 4096;

#[derive(Debug, Default)]
struct Origin {
    calls: AtomicUsize,
}

/// One endpoint's shared state.
#[derive(Debug)]
pub(super) struct Endpoint {
    name: String,
    origin: Arc<Origin>,
    breaker: Mutex<Breaker>,
}

/// All endpoints that have been called. Looked into when a worker thread meets a URL for the first time only.
#[derive(Debug, Default)]
pub(super) struct Endpoints {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    origins: HashMap<String, Arc<Origin>>,
    endpoints: HashMap<String, Arc<Endpoint>>,
}

impl Endpoints {
    /// The endpoint that `url` belongs to.
    pub(super) fn load(&self, url: &Url) -> Arc<Endpoint> {
        self.load_named(&url[..Position::AfterPath], url)
    }

    /// The endpoint that a tool of the MCP server at `url` is: all its tools are at one URL, and one of them that is broken
    /// says nothing about the others.
    pub(super) fn load_tool(&self, url: &Url, tool: &str) -> Arc<Endpoint> {
        self.load_named(&format!("{}#{tool}", &url[..Position::AfterPath]), url)
    }

    fn load_named(&self, name: &str, url: &Url) -> Arc<Endpoint> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(endpoint) = known.endpoints.get(name) {
            return Arc::clone(endpoint);
        }
        if known.endpoints.len() >= ENDPOINTS_KEPT {
            known.endpoints.retain(|_, endpoint| Arc::strong_count(endpoint) > 1);
            known.origins.retain(|_, origin| Arc::strong_count(origin) > 1);
        }
        let origin = known.origins.entry(url.origin().ascii_serialization()).or_default();
        let endpoint = Arc::new(Endpoint {
            name: name.to_owned(),
            origin: Arc::clone(origin),
            breaker: Mutex::new(Breaker::default()),
        });
        known.endpoints.insert(name.to_owned(), Arc::clone(&endpoint));
        endpoint
    }
}

/// Why an endpoint takes no call right now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Busy {
    /// The concurrency limit of the origin is reached.
    #[error("{CALLS_PER_ORIGIN_MAX} calls to this origin are open already")]
    TooManyCalls,
    /// The endpoint has been failing.
    #[error("the circuit breaker is open")]
    BreakerOpen,
}

/// The right to make one call. Dropped without a word (the caller's future was dropped), it counts as abandoned.
pub(super) struct Permit {
    endpoint: Arc<Endpoint>,
    clock: Arc<dyn Clock>,
    ticket: Ticket,
    outcome: Outcome,
}

impl Endpoint {
    /// Asks to make a call.
    pub(super) fn admit(self: &Arc<Self>, clock: &Arc<dyn Clock>) -> Result<Permit, Busy> {
        if self.origin.calls.fetch_add(1, Ordering::Relaxed) >= CALLS_PER_ORIGIN_MAX {
            self.origin.calls.fetch_sub(1, Ordering::Relaxed);
            return Err(Busy::TooManyCalls);
        }
        let admitted = self.lock().admit(clock.now_us());
        match admitted {
            Ok(ticket) => {
                Ok(Permit { endpoint: Arc::clone(self), clock: Arc::clone(clock), ticket, outcome: Outcome::Abandoned })
            }
            Err(_open) => {
                self.origin.calls.fetch_sub(1, Ordering::Relaxed);
                Err(Busy::BreakerOpen)
            }
        }
    }

    /// A panic while the lock was held cannot leave a breaker half-changed in a way that matters.
    fn lock(&self) -> std::sync::MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// The call ended; `is_healthy` says whether the endpoint showed itself able to answer.
    pub(super) fn finish(mut self, is_healthy: bool) {
        self.outcome = if is_healthy { Outcome::Success } else { Outcome::Failure };
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let change = self.endpoint.lock().record(self.ticket, self.outcome, self.clock.now_us());
        self.endpoint.origin.calls.fetch_sub(1, Ordering::Relaxed);
        match change {
            Change::None => {}
            Change::Opened { open_us } => {
                tracing::warn!(
                    endpoint = self.endpoint.name,
                    open_us,
                    "upstream keeps failing, circuit breaker opened"
                );
            }
            Change::Closed => {
                tracing::info!(endpoint = self.endpoint.name, "upstream answers again, circuit breaker closed");
            }
        }
    }
}

#[cfg(test)]
mod tests;
