//! The connections that read. While the database is away nobody waits for one.

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, Statement};

use super::presence::{AWAY, Presence};

mod plans;

/// A pool that knows whether its database is there: to be used like a connection.
#[derive(Debug, Clone)]
pub struct Readers {
    pool: DatabaseConnection,
    presence: Presence,
}

impl Readers {
    pub(super) const fn new(pool: DatabaseConnection, presence: Presence) -> Self {
        Self { pool, presence }
    }

    pub(super) async fn close(self) -> Result<(), DbErr> {
        self.pool.close().await
    }

    /// How many connections are open, and how many of them have nothing to do.
    pub(crate) fn usage(&self) -> (u32, usize) {
        match self.pool.get_database_backend() {
            DbBackend::Sqlite => {
                let pool = self.pool.get_sqlite_connection_pool();
                (pool.size(), pool.num_idle())
            }
            DbBackend::Postgres => {
                let pool = self.pool.get_postgres_connection_pool();
                (pool.size(), pool.num_idle())
            }
            _ => (0, 0),
        }
    }

    /// A pool waits seconds for a server that is away; its users give up as soon as that is known.
    async fn unless_away<T>(&self, work: impl Future<Output = Result<T, DbErr>> + Send) -> Result<T, DbErr> {
        if self.presence.is_away() {
            return Err(away());
        }
        tokio::select! {
            biased;
            done = work => done,
            () = self.presence.until_away() => Err(away()),
        }
    }
}

fn away() -> DbErr {
    DbErr::Conn(RuntimeErr::Internal(AWAY.to_owned()))
}

#[sea_orm::prelude::async_trait::async_trait]
impl ConnectionTrait for Readers {
    fn get_database_backend(&self) -> DbBackend {
        self.pool.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.unless_away(self.pool.execute_raw(statement)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.unless_away(self.pool.execute_unprepared(sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let work = async {
            plans::tell(&self.pool, &statement).await;
            self.pool.query_one_raw(statement).await
        };
        self.unless_away(work).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let work = async {
            plans::tell(&self.pool, &statement).await;
            self.pool.query_all_raw(statement).await
        };
        self.unless_away(work).await
    }
}
