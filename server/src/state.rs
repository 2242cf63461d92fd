//! What every handler may use: made once at start, shared with the tests.

use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use admin::console::Console;
use engine::{id::IdSource, service::Services};
use uuid::Uuid;

use crate::{
    config::Config,
    errands::Errands,
    gateway::Gateway,
    http::limits::{AuthLimiter, DiscoveryLimiter, InvokeLimiter},
    marketplace::auth::JwtKeys,
    upstream::HttpUpstreams,
    webhooks::WebhookKeys,
};

/// The parts that handlers use.
#[derive(Clone)]
pub struct AppState {
    /// The use cases.
    pub services: Arc<Services>,
    /// Calls upstreams.
    pub upstreams: Arc<HttpUpstreams>,
    /// Who comes in on `/tools/invoke`.
    pub gateway: Arc<Gateway>,
    /// As loaded at start.
    pub config: Arc<Config>,
    /// How fast a token may call.
    pub invoke_limiter: Arc<InvokeLimiter>,
    /// How fast anybody may look around.
    pub discovery_limiter: Arc<DiscoveryLimiter>,
    /// How fast strangers may try passwords, make accounts and cause mails.
    pub auth_limiter: Arc<AuthLimiter>,
    /// The operators' pages.
    pub console: Arc<Console>,
    /// Signs and checks sessions.
    pub jwt: JwtKeys,
    /// Makes the secrets of partners' webhooks.
    pub webhook_keys: WebhookKeys,
    /// Calls that are being carried out.
    pub in_flight: Arc<InFlight>,
    /// What other servers are asked for publishers who wait.
    pub errands: Arc<Errands>,
    /// How many more exports of the books may begin.
    pub exports: Arc<tokio::sync::Semaphore>,
}

impl std::fmt::Debug for AppState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AppState")
    }
}

/// Counts the calls under way, and says when no more are wanted.
#[derive(Debug, Default)]
pub struct InFlight {
    count: AtomicUsize,
    is_stopping: AtomicBool,
}

/// One call under way: counted until it is dropped.
#[derive(Debug)]
pub struct InFlightGuard(Arc<InFlight>);

impl InFlight {
    /// Counts a call.
    pub fn enter(self: &Arc<Self>) -> InFlightGuard {
        self.count.fetch_add(1, Ordering::SeqCst);
        InFlightGuard(Arc::clone(self))
    }

    /// How many calls are under way.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    /// From now on `/readyz` says no.
    pub fn stop(&self) {
        self.is_stopping.store(true, Ordering::SeqCst);
    }

    /// Whether the program is about to end.
    pub fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::SeqCst)
    }
}

impl Drop for InFlightGuard {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Random bytes are drawn for so many identifiers at once: a draw costs as much for one as for many.
const DRAWN_IDS: usize = 64;

thread_local! {
    /// What was drawn, and how much of it is used.
    static RANDOM: RefCell<([[u8; 10]; DRAWN_IDS], usize)> = const { RefCell::new(([[0; 10]; DRAWN_IDS], DRAWN_IDS)) };
}

/// Identifiers from the operating system's randomness.
#[derive(Debug, Clone, Copy)]
pub struct RandomIds;

impl IdSource for RandomIds {
    #[expect(clippy::expect_used, reason = "without randomness no identifier may be made: stop at once")]
    fn next_uuid(&self, now_us: i64) -> Uuid {
        RANDOM.with_borrow_mut(|(drawn, used)| {
            if *used >= DRAWN_IDS {
                aws_lc_rs::rand::fill(drawn.as_flattened_mut()).expect("the operating system has random bytes");
                *used = 0;
            }
            let random = drawn.get(*used).copied().expect("fewer are used than were drawn");
            *used = used.saturating_add(1);
            engine::id::uuid_v7(now_us, random)
        })
    }
}
