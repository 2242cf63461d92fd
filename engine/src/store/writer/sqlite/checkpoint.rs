//! Moves what is in the write-ahead log into the database's file, on a thread and a connection of its own: the writer
//! would keep every caller waiting for it.
//!
//! Only the writer can let the log begin anew, and only when nothing is left in it, so under steady load the log grows
//! until the writer itself does the small rest ([`super::books`] says at what size).

use std::{
    path::Path,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread::JoinHandle,
};

use rusqlite::Connection;

/// Rows written between two checkpoints. A row takes about a third of a page of the log.
const ROWS_BETWEEN: usize = 8_192;

/// Tells the thread when enough has been written. Dropped, it waits for the thread: afterwards nobody of this process is
/// at the file, and the writer's lock may go.
pub(super) struct Checkpointer {
    rows: usize,
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    /// Starts the thread for the database in the file at `path`.
    ///
    /// # Errors
    /// The file or the thread cannot be opened.
    pub(super) fn start(path: &Path) -> Result<Self, super::StoreError> {
        let connection = super::books::open(path)?;
        let (wake, woken) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("ledger-checkpoint".to_owned())
            .spawn(move || run(&connection, &woken))
            .map_err(|source| super::StoreError::File { path: path.display().to_string(), source })?;
        Ok(Self { rows: 0, wake: Some(wake), thread: Some(thread) })
    }

    /// Counts rows that were committed.
    pub(super) fn wrote(&mut self, rows: usize) {
        self.rows = self.rows.saturating_add(rows);
        if self.rows >= ROWS_BETWEEN
            && let Some(wake) = &self.wake
        {
            self.rows = 0;
            // Full: it has not come round to the last one yet. Gone: the writer does it.
            let _full_or_gone = wake.try_send(());
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the checkpoints' thread ended in a panic");
        }
    }
}

/// Until the writer is gone. Never waits for anybody (`PASSIVE`), and a failure costs nothing but a longer log.
fn run(connection: &Connection, woken: &Receiver<()>) {
    while woken.recv().is_ok() {
        if let Err(error) = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_row| Ok(())) {
            tracing::warn!(%error, "the log was not moved into the database's file");
        }
    }
}

#[cfg(test)]
mod tests;
