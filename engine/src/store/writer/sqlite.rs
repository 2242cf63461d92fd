//! The writer on SQLite: a thread with a synchronous connection of its own. It is the only writer, so what it knows of the
//! books stays true between batches.

use std::{path::Path, sync::Arc, thread::JoinHandle};

use tokio::sync::mpsc;

use super::{Job, StoreError, WriterCounters, WriterOptions};
use crate::store::lock::WriterLock;

mod books;
mod checkpoint;
mod counters;
mod grants;
mod load;
mod thread;
mod trail;
mod write;

pub use books::{WriterSettings, settings_of};

/// Takes the slot and starts the thread, which works until `jobs` is closed; returns its term.
pub(super) fn start(
    path: &Path,
    lock: WriterLock,
    options: WriterOptions,
    counters: Arc<WriterCounters>,
    jobs: mpsc::Receiver<Job>,
) -> Result<(i64, JoinHandle<()>), StoreError> {
    let books = books::Books::take_over(path)?;
    let checkpointer = checkpoint::Checkpointer::start(path)?;
    let epoch = books.epoch();
    let writer = thread::Writer::new(books, checkpointer, options, counters, lock);
    let handle = std::thread::Builder::new()
        .name("ledger-writer".to_owned())
        .spawn(move || writer.run(jobs))
        .map_err(|source| StoreError::File { path: path.display().to_string(), source })?;
    Ok((epoch, handle))
}
