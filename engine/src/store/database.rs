//! Opening the database: the file, its schema, the pool of readers.

use std::{path::PathBuf, time::Duration};

use sea_orm::{ConnectOptions, ConnectionTrait as _, DatabaseConnection, DbBackend, sqlx::Connection as _};

use super::{StoreError, postgres::Target, presence::Presence, readers::Readers};

/// The advisory lock of whoever migrates: the first bytes of `tollgate`.
const MIGRATION_LOCK: i64 = 0x746f_6c6c_6761_7465;

/// How many connections read at once.
pub(crate) const READERS_MAX: u32 = 8;

/// How long a reader waits for a connection. On a machine with too much to do, letting one in takes PostgreSQL seconds;
/// of a database that is away its users are told before: see [`Readers`].
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// A database by its URL.
#[derive(Debug, Clone)]
pub struct Database {
    place: DatabasePlace,
    readers: Readers,
}

/// Where a database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabasePlace {
    /// An SQLite file.
    File(PathBuf),
    /// A database of a PostgreSQL server, by its URL.
    Server(String),
}

impl DatabasePlace {
    /// The place that `url` names.
    ///
    /// # Errors
    /// It is neither `sqlite://PATH` nor `postgres://…`.
    pub fn of(url: &str) -> Result<Self, StoreError> {
        if Database::is_server(url) { Ok(Self::Server(url.to_owned())) } else { Database::path_of(url).map(Self::File) }
    }

    /// The file of an SQLite database.
    pub fn file(&self) -> Option<&std::path::Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Server(_) => None,
        }
    }
}

impl Database {
    /// Whether `url` names a database of a PostgreSQL server.
    pub fn is_server(url: &str) -> bool {
        url.starts_with("postgres://") || url.starts_with("postgresql://")
    }

    /// The file that `url` (`sqlite://PATH`) names.
    ///
    /// # Errors
    /// Any other URL.
    pub fn path_of(url: &str) -> Result<PathBuf, StoreError> {
        url.strip_prefix("sqlite://")
            .or_else(|| url.strip_prefix("sqlite:"))
            .filter(|path| !path.is_empty() && !path.contains('?'))
            .map(PathBuf::from)
            .ok_or_else(StoreError::no_database_url)
    }

    /// Makes the file of `url`, empty, and its folder, if they are not there. Only its owner may read it: it holds
    /// addresses and the digests of secrets. SQLite gives its other files the same mode.
    ///
    /// # Errors
    /// The folder or the file cannot be made.
    pub fn make_file(url: &str) -> Result<PathBuf, StoreError> {
        let path = Self::path_of(url)?;
        let failed = |path: &std::path::Path| {
            let path = path.display().to_string();
            move |source| StoreError::File { path, source }
        };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(failed(folder))?;
        }
        let mut options = std::fs::OpenOptions::new();
        options.create_new(true).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(failed(&path)(error)),
            _ => Ok(path),
        }
    }

    /// A connection that may write, for migrations only: made, used and dropped before the writer starts. The file and
    /// its folder are created if they are not there.
    ///
    /// # Errors
    /// The file cannot be made or opened.
    pub async fn connect_for_migration(url: &str) -> Result<DatabaseConnection, StoreError> {
        if Self::is_server(url) {
            Target::of(url)?.connect().await?.close().await?;
            let mut options = ConnectOptions::new(url);
            options.max_connections(1).acquire_timeout(ACQUIRE_TIMEOUT).sqlx_logging(false);
            let connection = sea_orm::Database::connect(options).await?;
            // Servers that start together migrate one after the other; the lock goes with the connection.
            connection.execute_unprepared(&format!("SELECT pg_advisory_lock({MIGRATION_LOCK})")).await?;
            return Ok(connection);
        }
        let path = Self::make_file(url)?;
        let mut options = ConnectOptions::new(format!("sqlite://{}?mode=rwc", path.display()));
        options.max_connections(1).sqlx_logging(false).map_sqlx_sqlite_opts(|sqlite| {
            sqlite.pragma("journal_mode", "WAL").pragma("synchronous", "FULL").pragma("recursive_triggers", "ON")
        });
        Ok(sea_orm::Database::connect(options).await?)
    }

    /// Opens the readers of an existing database.
    ///
    /// # Errors
    /// There is no such file, or it cannot be opened.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        Self::open_beside(url, Presence::default()).await
    }

    /// As [`Self::open`], for those who are told by `presence` that the database is away.
    ///
    /// # Errors
    /// As for [`Self::open`].
    pub async fn open_beside(url: &str, presence: Presence) -> Result<Self, StoreError> {
        let place = DatabasePlace::of(url)?;
        let pool = match &place {
            DatabasePlace::File(path) => Self::open_file(path).await?,
            DatabasePlace::Server(url) => Self::open_server(url).await?,
        };
        Ok(Self { place, readers: Readers::new(pool, presence) })
    }

    async fn open_file(path: &std::path::Path) -> Result<DatabaseConnection, StoreError> {
        // Not `mode=ro`: a reader of a write-ahead log may have to build the shared index after a crash.
        let mut options = ConnectOptions::new(format!("sqlite://{}?mode=rw", path.display()));
        options
            .max_connections(READERS_MAX)
            .min_connections(1)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .sqlx_logging(false)
            .map_sqlx_sqlite_opts(|sqlite| {
                sqlite
                    .busy_timeout(Duration::from_secs(5))
                    .pragma("query_only", "ON")
                    .pragma("recursive_triggers", "ON")
                    .pragma("trusted_schema", "OFF")
            });
        Ok(sea_orm::Database::connect(options).await?)
    }

    async fn open_server(url: &str) -> Result<DatabaseConnection, StoreError> {
        Target::of(url)?;
        let mut options = ConnectOptions::new(url);
        options
            .max_connections(READERS_MAX)
            .min_connections(1)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .sqlx_logging(false)
            .map_sqlx_postgres_opts(|postgres| {
                // A search looks at the first so many tools with a word: they are to be the same ones the next time.
                // To translate a statement takes longer than to carry it out: all that is read here is found by its keys.
                let settings =
                    [("default_transaction_read_only", "on"), ("synchronize_seqscans", "off"), ("jit", "off")];
                postgres.application_name("tollgate readers").options(settings)
            });
        Ok(sea_orm::Database::connect(options).await?)
    }

    /// Closes the readers; what is under way ends first.
    ///
    /// # Errors
    /// A connection did not take leave.
    pub async fn close(self) -> Result<(), StoreError> {
        Ok(self.readers.close().await?)
    }

    /// Where it is.
    pub const fn place(&self) -> &DatabasePlace {
        &self.place
    }

    /// For queries through sea-orm.
    pub const fn readers(&self) -> &Readers {
        &self.readers
    }

    /// In which SQL statements have to be written.
    pub fn backend(&self) -> DbBackend {
        self.readers.get_database_backend()
    }
}

#[cfg(test)]
mod tests;
