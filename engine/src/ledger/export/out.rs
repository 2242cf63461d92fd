//! Where the bytes of an export go.

use std::io;

use aws_lc_rs::digest::{Context, SHA256};

use crate::ledger::leaf::Digest;

/// How many bytes are handed on at once.
const PIECE_BYTES: usize = 65_536;

/// Takes finished bytes.
pub type Sink<'a> = dyn FnMut(&[u8]) -> io::Result<()> + 'a;

/// Collects bytes, hands them on in pieces, and counts and hashes them. After the first failure nothing is handed on any
/// more; [`Out::finish`] says so.
pub struct Out<'a> {
    sink: &'a mut Sink<'a>,
    waiting: Vec<u8>,
    hash: Context,
    bytes: u64,
    rows: u64,
    failure: Option<io::Error>,
}

impl std::fmt::Debug for Out<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Out").field("bytes", &self.bytes).field("rows", &self.rows).finish_non_exhaustive()
    }
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Rows, or transactions of an accounting journal.
    pub rows: u64,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256 of all bytes.
    pub sha256: Digest,
}

impl<'a> Out<'a> {
    /// Nothing written yet.
    pub fn new(sink: &'a mut Sink<'a>) -> Self {
        let waiting = Vec::with_capacity(PIECE_BYTES.saturating_mul(2));
        Self { sink, waiting, hash: Context::new(&SHA256), bytes: 0, rows: 0, failure: None }
    }

    /// Adds text.
    pub fn text(&mut self, text: &str) {
        self.waiting.extend_from_slice(text.as_bytes());
    }

    /// Adds a row: what `write` adds.
    pub fn row(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.waiting);
        self.rows = self.rows.saturating_add(1);
        self.pass();
    }

    /// Hands on what has come together, if that is enough.
    pub fn pass(&mut self) {
        if self.waiting.len() >= PIECE_BYTES {
            self.flush();
        }
    }

    /// Whether nobody takes the bytes any more.
    pub const fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// How many rows there are so far.
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    fn flush(&mut self) {
        if self.failure.is_none() && !self.waiting.is_empty() {
            self.hash.update(&self.waiting);
            self.bytes = self.bytes.saturating_add(u64::try_from(self.waiting.len()).unwrap_or(u64::MAX));
            self.failure = (self.sink)(&self.waiting).err();
        }
        self.waiting.clear();
    }

    /// Hands on the rest.
    ///
    /// # Errors
    /// The first failure of whoever takes the bytes.
    pub fn finish(mut self) -> io::Result<Written> {
        self.flush();
        if let Some(error) = self.failure {
            return Err(error);
        }
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(self.hash.finish().as_ref());
        Ok(Written { rows: self.rows, bytes: self.bytes, sha256 })
    }
}
