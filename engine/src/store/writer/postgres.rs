//! The writer on PostgreSQL: one for every process, each in a slot of its own with a chain of its own. Wallets and
//! counters belong to all servers: a batch locks the rows that it decides on, and passes over those that another server
//! has locked: what needs them comes first in the next batch. What this server has opened (holds, calls) it remembers;
//! that another server has ended one of them shows in the number of rows that a batch touches.
//!
//! A batch is a pure function of its requests and the database, so after a lost race or a lost connection it is simply
//! decided again. Four round trips: BEGIN, the locks with all facts, one statement that writes everything, COMMIT. While
//! other servers leave the same wallets alone it is a single one (`comparing`): that statement, which compares whatever it
//! replaces with what was decided on, and fails as a whole where something is different.

use std::{sync::Arc, thread::JoinHandle};

use tokio::sync::mpsc;

use super::{Job, StoreError, WriterCounters, WriterOptions, WriterSettings};
use crate::clock::SharedClock;

mod columns;
mod comparing;
mod contested;
mod load;
mod pace;
mod recovery;
mod session;
mod slot;
mod statements;
mod task;
mod unit;
mod wanted;
mod write;

/// How many requests one transaction takes in. `ledger.md` 6.1 gives 512 for PostgreSQL.
const BATCH_MAX: usize = 512;

/// Connects, takes a slot and starts the thread, which works until `jobs` is closed; returns its term.
pub(super) fn start(
    url: &str,
    options: WriterOptions,
    shared: Option<Arc<SharedClock>>,
    counters: Arc<WriterCounters>,
    jobs: mpsc::Receiver<Job>,
) -> Result<(i64, JoinHandle<()>), StoreError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| StoreError::File { path: "the writer's runtime".to_owned(), source })?;
    let url = url.to_owned();
    let (tell, told) = std::sync::mpsc::sync_channel(1);
    let handle = std::thread::Builder::new()
        .name("ledger-writer".to_owned())
        .spawn(move || {
            runtime.block_on(async move {
                match task::Writer::start(&url, options, shared, counters).await {
                    Ok(writer) => {
                        drop(tell.send(Ok(writer.epoch())));
                        writer.run(jobs).await;
                    }
                    Err(error) => drop(tell.send(Err(error))),
                }
            });
        })
        .map_err(|source| StoreError::File { path: "the writer's thread".to_owned(), source })?;
    match told.recv() {
        Ok(started) => started.map(|epoch| (epoch, handle)),
        Err(_gone) => Err(StoreError::Writer(super::WriterError::Stopped)),
    }
}

/// How the writer's own session would write to the database at `url`.
///
/// # Errors
/// The database cannot be reached.
pub async fn settings_of(url: &str) -> Result<WriterSettings, StoreError> {
    let mut session = session::Session::connect(&session::Session::target(url)?).await?;
    Ok(session.settings().await?)
}
