//! The books as lines of JSON, in one pass and constant memory: one thread reads, the caller's writes.

use std::io::{self, Write};

use super::{Postgres, Sink, StoreError, journal, postgres, projections, source::Source, spawn, sqlite};
use crate::{
    ledger::{
        jsonl,
        verify::{Line, Problem},
    },
    store::DatabasePlace,
};

/// After so many bytes they are handed on.
const CHUNK_BYTES: usize = 64 * 1024;

/// Why the books were not written out. What was written is of no use.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// They could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// They could not be written.
    #[error("the export cannot be written: {0}")]
    Write(#[from] io::Error),
    /// They are damaged.
    #[error("the books are damaged, run `tollgate ledger verify`: {}: {} {}: {}", .0.kind.as_str(), .0.table, .0.key, .0.text)]
    Damaged(Problem),
}

/// Writes the books at `place` to `out`, as `docs/ledger-format.md` describes it: accounts, keys, checkpoints, then slot by
/// slot the batches with their entries, then the balances, all of one moment. `tell` hears from time to time how many
/// lines were written. Returns how many there are.
///
/// # Errors
/// See [`ExportError`].
pub fn export_jsonl(place: &DatabasePlace, out: &mut dyn Write, tell: &mut dyn FnMut(i64)) -> Result<i64, ExportError> {
    let (mut sink, arrivals) = Sink::new();
    std::thread::scope(|scope| {
        let reader = spawn(scope, move || match place {
            DatabasePlace::File(path) => sqlite::open(path).and_then(|connection| read(&connection, &mut sink)),
            DatabasePlace::Server(url) => postgres::read(url, |source: &Postgres| read(source, &mut sink)),
        })?;
        let mut chunk = Vec::with_capacity(CHUNK_BYTES.saturating_mul(2));
        jsonl::write_header(&mut chunk);
        let mut lines = 1_i64;
        let written = arrivals.into_iter().try_for_each(|parcel| {
            for line in parcel {
                lines = lines.saturating_add(i64::from(write(&mut chunk, line)?));
            }
            if chunk.len() >= CHUNK_BYTES {
                out.write_all(&chunk)?;
                chunk.clear();
                tell(lines);
            }
            Ok::<_, ExportError>(())
        });
        let read = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        written?;
        read?;
        jsonl::write_end(&mut chunk, lines);
        out.write_all(&chunk)?;
        out.flush()?;
        tell(lines);
        Ok(lines)
    })
}

fn write(chunk: &mut Vec<u8>, line: Line) -> Result<bool, ExportError> {
    match line {
        Line::Problem(problem) | Line::UnreadableEntry(_, problem) => Err(ExportError::Damaged(problem)),
        line => Ok(jsonl::write_line(chunk, &line)),
    }
}

fn read(source: &impl Source, sink: &mut Sink) -> Result<(), StoreError> {
    projections::read_accounts(source, sink)?;
    projections::read_checkpoints(source, sink)?;
    journal::read(source, sink)?;
    projections::read_balances(source, sink)
}
