//! Reaching a PostgreSQL database, and what it says of itself before anything is done with it: one sentence for everybody
//! who cannot use it, without the password.

use std::{io::ErrorKind, str::FromStr as _, time::Duration};

use sea_orm::sqlx::{
    self, ConnectOptions as _, Row as _,
    postgres::{PgConnectOptions, PgConnection},
};

use super::{Database, StoreError};

/// How long the server may take to let us in.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The oldest PostgreSQL that the program is made for.
const VERSION_MIN: i32 = 15;

/// The tables of the books, whose rows nobody changes: see `docs/ledger-format.md`.
const JOURNAL: [&str; 7] = ["txn", "posting", "hold", "hold_resolution", "refusal", "batch", "audit"];

/// A database by its URL, before there is a connection.
#[derive(Debug, Clone)]
pub(super) struct Target {
    options: PgConnectOptions,
    /// Where it is, without user and password: for people.
    place: String,
}

impl Target {
    /// # Errors
    /// The URL cannot be read.
    pub(super) fn of(url: &str) -> Result<Self, StoreError> {
        if !Database::is_server(url) {
            return Err(StoreError::no_database_url());
        }
        // Such a URL is read as another host, and parts of the password would be shown as its port or database.
        let rest = url.split_once("://").map_or("", |(_, rest)| rest);
        if rest.find(['/', '?', '#']).is_some_and(|end| rest.rfind('@') > Some(end)) {
            let why = "in a password `/`, `?`, `#` and `@` have to be written as `%2F`, `%3F`, `%23` and `%40`";
            return Err(StoreError::Url { why: why.to_owned() });
        }
        let options = PgConnectOptions::from_str(url).map_err(|error| StoreError::Url { why: error.to_string() })?;
        let server = match options.get_socket() {
            Some(folder) => folder.display().to_string(),
            None => format!("{}:{}", options.get_host(), options.get_port()),
        };
        let place = format!("{server}/{}", options.get_database().unwrap_or_else(|| options.get_username()));
        Ok(Self { options: options.disable_statement_logging(), place })
    }

    /// With the name that the server's administrator sees, and settings of the session.
    pub(super) fn named(mut self, name: &str, settings: &[(&str, &str)]) -> Self {
        self.options = self.options.application_name(name).options(settings.iter().copied());
        self
    }

    /// For a pool.
    pub(super) fn options(&self) -> PgConnectOptions {
        self.options.clone()
    }

    /// # Errors
    /// Nobody answers, or we are not let in.
    pub(super) async fn connect(&self) -> Result<PgConnection, StoreError> {
        self.try_connect().await.map_err(|error| self.unreachable(in_words(&error)))
    }

    /// As [`Self::connect`], for those who look at the error.
    pub(super) async fn try_connect(&self) -> Result<PgConnection, sqlx::Error> {
        let connected = tokio::time::timeout(CONNECT_TIMEOUT, self.options.connect()).await;
        connected.unwrap_or_else(|_elapsed| Err(sqlx::Error::Io(ErrorKind::TimedOut.into())))
    }

    fn unreachable(&self, why: String) -> StoreError {
        StoreError::Unreachable { place: self.place.clone(), why }
    }
}

/// Why there is no connection. What the server says itself is plain enough, and never repeats a password.
fn in_words(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(said) => said.message().to_owned(),
        sqlx::Error::Io(error) if error.kind() == ErrorKind::ConnectionRefused => {
            "nobody listens there: is the server running, are host and port right?".to_owned()
        }
        sqlx::Error::Io(error) if error.kind() == ErrorKind::TimedOut => {
            format!("no answer within {} seconds", CONNECT_TIMEOUT.as_secs())
        }
        sqlx::Error::Io(error) => error.to_string(),
        sqlx::Error::Protocol(_) => "what listens there does not speak PostgreSQL's protocol".to_owned(),
        other => other.to_string(),
    }
}

/// What is not as it should be in a database server that can be used all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TooManyRights {
    /// The role may do everything, also to the books.
    Superuser {
        /// Which.
        role: String,
    },
    /// The role may change or delete rows of the books, or owns them.
    Books {
        /// Which.
        role: String,
    },
}

impl std::fmt::Display for TooManyRights {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (role, what) = match self {
            Self::Superuser { role } => (role, "is a superuser"),
            Self::Books { role } => (role, "may change and delete rows of the books"),
        };
        write!(f, "the role `{role}` {what}, which the program never does: docs/postgres-roles.sql makes one without")
    }
}

/// Connects to the database at `url` and looks whether it can be used, and by whom. To be called before anything else:
/// the other ways in only say that it took too long.
///
/// # Errors
/// It cannot be reached with this URL, or is too old.
pub async fn examine_server(url: &str) -> Result<Option<TooManyRights>, StoreError> {
    let target = Target::of(url)?.named("tollgate", &[]);
    let mut connection = target.connect().await?;
    let found = sqlx::query(
        "SELECT current_setting('server_version_num')::int, current_setting('server_version'), current_user::text,
                (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
                coalesce((SELECT bool_or(has_table_privilege(to_regclass(name)::oid, 'UPDATE, DELETE, TRUNCATE'))
                          FROM unnest($1::text[]) AS name), false)",
    )
    .bind(JOURNAL.map(str::to_owned).to_vec())
    .fetch_one(&mut connection)
    .await?;
    let (number, version): (i32, String) = (found.try_get(0)?, found.try_get(1)?);
    if number.checked_div(10_000) < Some(VERSION_MIN) {
        return Err(target.unreachable(format!("PostgreSQL {version} is too old, it has to be {VERSION_MIN} or newer")));
    }
    let role: String = found.try_get(2)?;
    sqlx::Connection::close(connection).await?;
    Ok(match (found.try_get(3)?, found.try_get(4)?) {
        (true, _) => Some(TooManyRights::Superuser { role }),
        (false, true) => Some(TooManyRights::Books { role }),
        (false, false) => None,
    })
}

#[cfg(test)]
mod tests;
