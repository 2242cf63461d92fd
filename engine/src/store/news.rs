//! The one connection that only listens: it hears what other servers have changed as soon as that is committed, and it is
//! the first to know that the database is gone. Whoever does not hear anything still looks from time to time.

use std::time::Duration;

use sea_orm::{
    DbBackend, Statement,
    sqlx::{
        self, Connection as _,
        postgres::{PgListener, PgPoolOptions},
    },
};
use tokio::sync::watch;

use super::{
    StoreError,
    postgres::{CONNECT_TIMEOUT, Target},
    presence::Presence,
};

/// On which it is said that a version has risen. Part of the format of the database: servers of several versions listen.
const CHANNEL: &str = "tollgate_changes";

/// How long to wait before the next try to reach a database that is away.
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// What lets all who listen hear of a transaction, when it is committed.
pub(super) fn announcement() -> Statement {
    Statement::from_string(DbBackend::Postgres, format!("NOTIFY {CHANNEL}"))
}

/// Listens at the database at `url`, without end: says in `presence` whether the database is there, and counts in
/// `changes` whatever was heard of or may have been missed.
pub async fn listen(url: &str, presence: &Presence, changes: &watch::Sender<u64>) -> StoreError {
    let target = match Target::of(url) {
        Ok(target) => target.named("tollgate listener", &[]),
        Err(error) => return error,
    };
    loop {
        // By itself first: what a pool says of a server that is away comes seconds later.
        let found = target.try_connect().await;
        let is_away = found.as_ref().is_err_and(is_absence);
        if presence.set_away(is_away) {
            match &found {
                Err(error) if is_away => tracing::error!(%error, "the database is away"),
                _ => tracing::warn!("the database is back"),
            }
        }
        let heard = match found {
            Ok(connection) => {
                drop(connection.close().await);
                hear(&target, changes).await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = heard {
            tracing::debug!(%error, "nobody can be listened to");
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }
}

/// Whether nobody is there, or somebody who is just coming or going. A server that has no place left for a listener still
/// serves those who are connected.
fn is_absence(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(said) => said.code().is_some_and(|code| code.starts_with("57P")),
        _ => true,
    }
}

/// Until the connection is lost.
async fn hear(target: &Target, changes: &watch::Sender<u64>) -> Result<(), sqlx::Error> {
    let pool =
        PgPoolOptions::new().max_connections(1).acquire_timeout(CONNECT_TIMEOUT).connect_lazy_with(target.options());
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    loop {
        changes.send_modify(|heard| *heard = heard.wrapping_add(1));
        // Lost in good order or not: either way the next thing is to see whether the server is there.
        if !matches!(listener.try_recv().await, Ok(Some(_))) {
            return Ok(());
        }
    }
}
