//! How the program is doing, as far as this process really knows: its database, its writer, its readers, its background
//! work, and the servers that write beside it. No secrets: of a PostgreSQL server not even where it is.

use std::{sync::atomic::Ordering, time::Duration};

use super::{
    Services,
    dashboard::{LastCheckpoint, MailQueue},
    partners::WebhookQueue,
    work::WorkDone,
};
use crate::store::{
    DatabasePlace, StoreError, WriterError,
    database::READERS_MAX,
    overview::{self, SlotRow},
    writer::{QUEUE_MAX, WriterSettings},
};

/// How long the writer may take to say how it writes: it may have much to do, and the rest is worth knowing then.
const WRITER_WAIT: Duration = Duration::from_secs(2);

/// What kind of database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseKind {
    /// A file.
    Sqlite,
    /// A server.
    Postgres,
}

impl DatabaseKind {
    /// How it is called.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// The database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseHealth {
    /// Of which kind.
    pub kind: DatabaseKind,
    /// Its version, in its own words.
    pub version: String,
    /// How large it is, in bytes.
    pub bytes: i64,
    /// Of a file: how large the log beside it is, in bytes.
    pub log_bytes: Option<u64>,
    /// How many migrations made its schema.
    pub migrations: i64,
    /// The name of the last one.
    pub newest_migration: Option<String>,
}

/// The ledger's writer of this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriterHealth {
    /// Its term.
    pub epoch: i64,
    /// How its own connection writes, in the database's words; or why it did not say.
    pub settings: Result<WriterSettings, String>,
    /// How many requests wait for it.
    pub queued: usize,
    /// How many may.
    pub queue_max: usize,
    /// How many transactions it has committed since it began.
    pub batches: u64,
    /// How many requests were in them.
    pub requests: u64,
    /// How many transactions failed.
    pub failures: u64,
}

/// The connections that read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadersHealth {
    /// How many are open.
    pub open: u32,
    /// How many of them have nothing to do.
    pub idle: usize,
    /// How many there may be.
    pub most: u32,
}

/// Where a server writes: a chain of its own. Times are microseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerSlot {
    /// The slot.
    pub slot: i64,
    /// Its term.
    pub epoch: i64,
    /// Its last batch; 0 if there is none.
    pub batch_no: i64,
    /// Its last entry; 0 if there is none.
    pub seq: i64,
    /// When that was recorded.
    pub last_us: i64,
    /// On PostgreSQL: for how long its owner still has it, in microseconds; not above zero if nobody has it. A server that
    /// lives renews this all the time.
    pub lease_left_us: Option<i64>,
}

/// Everything. Times are microseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// When it was asked.
    pub now_us: i64,
    /// How far the clock on the wall is ahead of that (negative: behind), in microseconds: the computer's, or where servers
    /// share a database, that one's. It is followed slowly.
    pub wall_ahead_us: i64,
    /// The version of the program.
    pub version: &'static str,
    /// When this process began.
    pub started_us: i64,
    /// The database.
    pub database: DatabaseHealth,
    /// The database is known to be away.
    pub is_away: bool,
    /// The ledger's writer.
    pub writer: WriterHealth,
    /// The connections that read.
    pub readers: ReadersHealth,
    /// Background work of this process, as far as it has begun.
    pub work: Vec<WorkDone>,
    /// The chains, and whose they are.
    pub servers: Vec<ServerSlot>,
    /// The last checkpoint.
    pub checkpoint: Option<LastCheckpoint>,
    /// How often one is due, in microseconds; `None` where this process makes none.
    pub checkpoint_every_us: Option<i64>,
    /// What waits to be sent.
    pub mail: MailQueue,
    /// What waits to be sent to partners' webhooks.
    pub webhooks: WebhookQueue,
    /// Up to when calls have been counted for the overview; `None` if none was.
    pub counted_until_us: Option<i64>,
    /// The version of the catalog that decides now.
    pub catalog_version: i64,
    /// The policy that decides now.
    pub policy_version: String,
}

impl Services {
    /// How the program is doing.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn load_health(&self) -> Result<Health, StoreError> {
        let readers = self.db.readers();
        let facts = overview::database(readers).await?;
        let kind = match self.db.place() {
            DatabasePlace::File(_) => DatabaseKind::Sqlite,
            DatabasePlace::Server(_) => DatabaseKind::Postgres,
        };
        let database = DatabaseHealth {
            kind,
            version: facts.version,
            bytes: facts.bytes,
            log_bytes: self.db.place().file().and_then(log_bytes),
            migrations: facts.migrations,
            newest_migration: facts.newest,
        };
        let (open, idle) = readers.usage();
        let snapshot = self.snapshot();
        let now_us = self.clock.now_us();
        Ok(Health {
            now_us,
            wall_ahead_us: self.clock.wall_us().saturating_sub(now_us),
            version: env!("CARGO_PKG_VERSION"),
            started_us: self.started_us,
            database,
            is_away: self.ledger.presence().is_away(),
            writer: self.writer_health().await,
            readers: ReadersHealth { open, idle, most: READERS_MAX },
            work: self.list_work(),
            servers: overview::slots(readers).await?.into_iter().map(server).collect(),
            checkpoint: self.find_checkpoint_facts().await?,
            checkpoint_every_us: self.checkpoint_every_us(),
            mail: self.load_mail_queue().await?,
            webhooks: self.load_webhook_queue().await?,
            counted_until_us: self.counted_calls_until().await?,
            catalog_version: snapshot.version(),
            policy_version: snapshot.policies().label().to_string(),
        })
    }

    async fn writer_health(&self) -> WriterHealth {
        let settings = match tokio::time::timeout(WRITER_WAIT, self.ledger.settings()).await {
            Ok(Ok(settings)) => Ok(settings),
            Ok(Err(WriterError::Stopped)) => Err("this process does not write".to_owned()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_elapsed) => Err(format!("it has not answered for {} seconds", WRITER_WAIT.as_secs())),
        };
        let counters = self.ledger.counters();
        WriterHealth {
            epoch: self.ledger.epoch(),
            settings,
            queued: self.ledger.queue_length(),
            queue_max: QUEUE_MAX,
            batches: counters.batches.load(Ordering::Relaxed),
            requests: counters.requests.load(Ordering::Relaxed),
            failures: counters.failures.load(Ordering::Relaxed),
        }
    }
}

fn server(row: SlotRow) -> ServerSlot {
    ServerSlot {
        slot: row.slot,
        epoch: row.epoch,
        batch_no: row.batch_no,
        seq: row.seq,
        last_us: row.last_us,
        lease_left_us: row.lease_left_us,
    }
}

/// How large the write-ahead log of an SQLite file is; `None` if there is none.
fn log_bytes(path: &std::path::Path) -> Option<u64> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    std::fs::metadata(log).ok().map(|found| found.len())
}
