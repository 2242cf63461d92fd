//! The use cases: load facts, let the pure half decide, write what it decided. The only way to the data for `server`
//! and `admin`.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use arc_swap::{ArcSwap, ArcSwapOption};
use sea_orm::EntityTrait as _;
use tokio::sync::watch;

use crate::{
    clock::Clock,
    gateway::sessions::SeenSessions,
    id::IdSource,
    policy::{Policies, console::ConsolePolicies},
    snapshot::{GatewaySetup, PoliciesInForce, Snapshot},
    store::{Database, DatabasePlace, Ledger, StoreError, entity, news},
};

pub mod access;
pub mod accounts;
pub mod approvals;
pub mod audit;
pub mod auditors;
pub mod balance;
pub mod caps;
pub mod catalog;
pub mod chart;
pub mod checkpoints;
pub mod counts;
pub mod dashboard;
pub mod discovery;
pub mod explain;
mod facts;
pub mod grants;
pub mod health;
pub mod invocations;
pub mod invoke;
pub mod journal;
pub mod master_key;
pub mod movements;
pub mod operators;
pub mod outbox;
pub mod paging;
pub mod partners;
pub mod payloads;
pub mod periods;
pub mod policies;
pub mod prices;
pub mod publishing;
pub mod purchases;
pub mod recent;
pub mod saturation;
pub mod search;
pub mod tokens;
pub mod verification;
pub mod work;

/// How often it is looked whether an old snapshot is still looked at.
const LET_GO_EVERY: Duration = Duration::from_millis(100);

/// What every use case works with. One for a process; cheap to share.
pub struct Services {
    /// Readers.
    pub db: Database,
    /// The one way to write.
    pub ledger: Ledger,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Identifiers.
    pub ids: Arc<dyn IdSource>,
    /// Fills a buffer with random bytes for secrets.
    pub random: fn(&mut [u8]),
    snapshot: ArcSwap<Snapshot>,
    /// Held while a snapshot is made, so that an older one never takes the place of a newer one.
    reloading: tokio::sync::Mutex<()>,
    gateway: ArcSwapOption<GatewaySetup>,
    checkpoints: ArcSwapOption<checkpoints::CheckpointSetup>,
    console: ArcSwapOption<operators::ConsoleSetup>,
    /// Who may decide what others ask for.
    console_policies: ArcSwapOption<ConsolePolicies>,
    /// The gateway is open: what is published decides.
    is_gateway_open: AtomicBool,
    seen: Mutex<SeenSessions>,
    /// The program's own policies, for as long as nothing published decides.
    own_policies: Arc<PoliciesInForce>,
    access: access::AccessCache,
    /// The version of tokens, accounts and caps that this process has last seen.
    access_seen: AtomicI64,
    class_sums: chart::KnownSums,
    password_work: accounts::PasswordWork,
    failed_sign_ins: accounts::FailedSignIns,
    factor_tries: operators::FactorTries,
    work: work::WorkLog,
    saturation: saturation::Saturation,
    counting: counts::Counting,
    payloads: payloads::Payloads,
    /// What publishers' secrets are sealed under.
    credentials: ArcSwapOption<publishing::CredentialSetup>,
    /// What the master key of this process opens.
    master_key: ArcSwapOption<master_key::SealingKeys>,
    /// Makes the digests under which limits wait for the names of erased end users.
    erased_names: partners::ErasedNames,
    /// Held while recorded calls are decided again.
    replaying: tokio::sync::Mutex<()>,
    /// When this process began, in microseconds since the Unix epoch.
    started_us: i64,
    verification: Arc<verification::Verification>,
}

impl std::fmt::Debug for Services {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Services").field("db", &self.db).finish_non_exhaustive()
    }
}

impl Services {
    /// Loads the first snapshot. Until [`Self::open_gateway`] the program's own `policies` decide.
    ///
    /// # Errors
    /// The database cannot be read, or holds a tool or a price that makes no sense.
    pub async fn start(
        db: Database,
        ledger: Ledger,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
        policies: Policies,
    ) -> Result<Self, StoreError> {
        let own_policies = Arc::new(PoliciesInForce::new(0, policies));
        let snapshot = Snapshot::load(&db, &own_policies, None).await?;
        let started_us = clock.now_us();
        Ok(Self {
            db,
            ledger,
            clock,
            ids,
            random: fill_random,
            snapshot: ArcSwap::from_pointee(snapshot),
            reloading: tokio::sync::Mutex::default(),
            gateway: ArcSwapOption::empty(),
            checkpoints: ArcSwapOption::empty(),
            console: ArcSwapOption::empty(),
            console_policies: ArcSwapOption::empty(),
            is_gateway_open: AtomicBool::new(false),
            seen: Mutex::default(),
            own_policies,
            access: access::AccessCache::default(),
            access_seen: AtomicI64::new(0),
            class_sums: chart::KnownSums::default(),
            password_work: accounts::PasswordWork::default(),
            failed_sign_ins: accounts::FailedSignIns::default(),
            factor_tries: operators::FactorTries::default(),
            work: work::WorkLog::default(),
            saturation: saturation::Saturation::default(),
            counting: counts::Counting::default(),
            payloads: payloads::Payloads::default(),
            credentials: ArcSwapOption::empty(),
            master_key: ArcSwapOption::empty(),
            erased_names: partners::ErasedNames::default(),
            replaying: tokio::sync::Mutex::default(),
            started_us,
            verification: Arc::default(),
        })
    }

    /// Use cases that only read, beside whoever writes: what writes is answered with
    /// [`crate::store::WriterError::Stopped`].
    ///
    /// # Errors
    /// As for [`Self::start`].
    pub async fn read_only(
        db: Database,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
        policies: Policies,
    ) -> Result<Self, StoreError> {
        Self::start(db, Ledger::without_writer(), clock, ids, policies).await
    }

    /// Catalog and policies as they stand now; a call keeps the ones it began with.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Reads catalog and policy again and swaps them in whole. After an error the old ones stay.
    ///
    /// # Errors
    /// As for [`Self::start`].
    pub async fn reload_snapshot(&self) -> Result<(), StoreError> {
        let _turn = self.reloading.lock().await;
        let last = self.snapshot();
        let mut snapshot = Snapshot::load(&self.db, &self.own_policies, Some(&last)).await?;
        let setup = self.gateway.load_full().filter(|_| self.is_gateway_open.load(Ordering::SeqCst));
        if let Some(setup) = setup {
            snapshot = snapshot.with_gateway(&self.db, &setup, &last).await?;
        }
        self.snapshot.store(Arc::new(snapshot));
        tokio::spawn(let_go(last));
        Ok(())
    }

    /// Says how the gateway is set up: with that, policies are checked before they are kept.
    pub fn set_up_gateway(&self, setup: Arc<GatewaySetup>) {
        self.gateway.store(Some(setup));
    }

    /// Offers `/tools/invoke` from now on, as it is set up. From now on what is published decides, on every surface.
    ///
    /// # Errors
    /// As for [`Self::start`]; nothing is published, or what is cannot be used. Then nothing has changed.
    pub async fn open_gateway(&self) -> Result<(), StoreError> {
        self.is_gateway_open.store(true, Ordering::SeqCst);
        let opened = self.reload_snapshot().await;
        if opened.is_err() {
            self.is_gateway_open.store(false, Ordering::SeqCst);
        }
        opened
    }

    /// Takes over what other servers of the same database have changed: catalog, prices, policy, tokens, accounts, caps.
    ///
    /// # Errors
    /// The database cannot be read. What was known stays.
    pub async fn follow_changes(&self) -> Result<(), StoreError> {
        let rows = entity::version::Entity::find().all(self.db.readers()).await?;
        let value_of = |name: &str| rows.iter().find(|row| row.name == name).map_or(0, |row| row.value);
        let known = self.snapshot();
        if value_of("catalog") != known.version() {
            self.reload_snapshot().await?;
            self.forget_access();
        } else if value_of("policy") != known.policy_count() {
            self.reload_snapshot().await?;
        }
        if self.access_seen.swap(value_of("access"), Ordering::SeqCst) != value_of("access") {
            self.forget_access();
        }
        Ok(())
    }

    /// Listens for changes that other servers make, without end, and counts them in `changes`. While the database is
    /// away, [`Ledger::presence`] says so. Where nobody else writes there is nothing to hear.
    pub async fn listen(&self, changes: &watch::Sender<u64>) {
        if let DatabasePlace::Server(url) = self.db.place() {
            let error = news::listen(url, self.ledger.presence(), changes).await;
            tracing::error!(%error, "nobody is listened to");
        }
        std::future::pending::<()>().await;
    }

    /// Forgets what is known of tokens and their owners: the next call reads it again.
    pub fn forget_access(&self) {
        self.access.forget();
    }
}

/// Frees a snapshot that nobody looks at any more. A large one takes its time, on which no request is to wait.
async fn let_go(old: Arc<Snapshot>) {
    while Arc::strong_count(&old) > 1 {
        tokio::time::sleep(LET_GO_EVERY).await;
    }
    tokio::task::spawn_blocking(move || drop(old));
}

/// Random bytes from the operating system.
#[expect(clippy::expect_used, reason = "without randomness no secret may be made: stop at once")]
fn fill_random(out: &mut [u8]) {
    aws_lc_rs::rand::fill(out).expect("the operating system has random bytes");
}
