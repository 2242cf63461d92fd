//! The use cases: load facts, let the pure half decide, write what it decided. The only way to the data for `server`
//! and `admin`.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicI64, Ordering},
};

use arc_swap::{ArcSwap, ArcSwapOption};
use sea_orm::EntityTrait as _;
use tokio::sync::watch;

use crate::{
    clock::Clock,
    gateway::sessions::SeenSessions,
    id::IdSource,
    policy::{CachedPolicies, DECISION_CACHE_ENTRIES_MAX, Policies},
    snapshot::{GatewaySetup, Snapshot},
    store::{Database, DatabasePlace, Ledger, StoreError, entity, news},
};

pub mod access;
pub mod accounts;
pub mod balance;
pub mod catalog;
pub mod explain;
pub mod invocations;
pub mod invoke;
pub mod outbox;
pub mod purchases;
pub mod tokens;

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
    gateway: ArcSwapOption<GatewaySetup>,
    seen: Mutex<SeenSessions>,
    policies: CachedPolicies,
    access: access::AccessCache,
    /// The version of tokens, accounts and caps that this process has last seen.
    access_seen: AtomicI64,
    password_work: accounts::PasswordWork,
}

impl std::fmt::Debug for Services {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Services").field("db", &self.db).finish_non_exhaustive()
    }
}

impl Services {
    /// Loads the first snapshot.
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
        let snapshot = Snapshot::load(&db, None).await?;
        Ok(Self {
            db,
            ledger,
            clock,
            ids,
            random: fill_random,
            snapshot: ArcSwap::from_pointee(snapshot),
            gateway: ArcSwapOption::empty(),
            seen: Mutex::default(),
            policies: CachedPolicies::new(policies, DECISION_CACHE_ENTRIES_MAX),
            access: access::AccessCache::default(),
            access_seen: AtomicI64::new(0),
            password_work: accounts::PasswordWork::default(),
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

    /// The catalog as it stands now; a call keeps the one it began with.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// The policies in force.
    pub fn policies(&self) -> &Policies {
        self.policies.policies()
    }

    /// Reads the catalog again and swaps it in whole. After an error the old one stays.
    ///
    /// # Errors
    /// As for [`Self::start`].
    pub async fn reload_snapshot(&self) -> Result<(), StoreError> {
        let gateway = self.gateway.load_full();
        self.snapshot.store(Arc::new(Snapshot::load(&self.db, gateway.as_ref()).await?));
        Ok(())
    }

    /// Offers `/tools/invoke` from now on, set up like this, in the place of whatever setup there was.
    ///
    /// # Errors
    /// As for [`Self::start`]. The old setup stays.
    pub async fn serve_gateway(&self, setup: Arc<GatewaySetup>) -> Result<(), StoreError> {
        self.snapshot.store(Arc::new(Snapshot::load(&self.db, Some(&setup)).await?));
        self.gateway.store(Some(setup));
        Ok(())
    }

    /// Takes over what other servers of the same database have changed: catalog, prices, tokens, accounts, caps.
    ///
    /// # Errors
    /// The database cannot be read. What was known stays.
    pub async fn follow_changes(&self) -> Result<(), StoreError> {
        let rows = entity::version::Entity::find().all(self.db.readers()).await?;
        let value_of = |name: &str| rows.iter().find(|row| row.name == name).map_or(0, |row| row.value);
        if value_of("catalog") != self.snapshot().version() {
            self.reload_snapshot().await?;
            self.forget_access();
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

/// Random bytes from the operating system.
#[expect(clippy::expect_used, reason = "without randomness no secret may be made: stop at once")]
fn fill_random(out: &mut [u8]) {
    aws_lc_rs::rand::fill(out).expect("the operating system has random bytes");
}
