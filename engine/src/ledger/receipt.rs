//! Receipts: what the books say of one call, with the way from each of its entries to a signed checkpoint. Whoever has
//! one can check it without us, and without the books.

use serde_json::{Value, json};

use super::{
    chain::BatchHeader,
    checkpoint::SignedCheckpoint,
    hex::hex,
    jsonl::{checkpoint_view, line_view, path_view},
    leaf::{Digest, Entry, Position, leaf_hash},
    merkle::Step,
    signing::NumberedKey,
    verify::Line,
};
use crate::id::EntryId;

/// What the first member of a receipt says of its form.
pub const FORMAT: &str = "tollgate-receipt";
/// Rises when a reader of an earlier form would misunderstand a receipt.
pub const VERSION: i64 = 1;

/// One entry and its way to a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenEntry {
    /// Its place.
    pub position: Position,
    /// What it says.
    pub entry: Entry,
    /// From its leaf to the root of its batch.
    pub path: Vec<Step>,
    /// Its batch.
    pub header: BatchHeader,
    /// The hash of its batch.
    pub hash: Digest,
    /// From its batch to the span of the checkpoint.
    pub span_path: Vec<Step>,
    /// The number of the first checkpoint that vouches for its batch.
    pub checkpoint: i64,
}

/// Everything that bears a name in the books, proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The name.
    pub id: EntryId,
    /// In the order of time within a slot: holds, settlements, transactions, and what took them back.
    pub entries: Vec<ProvenEntry>,
    /// The checkpoints that the entries lead to.
    pub checkpoints: Vec<SignedCheckpoint>,
    /// The keys that signed them.
    pub keys: Vec<NumberedKey>,
}

impl Receipt {
    /// As JSON. `name` is what the receipt was asked for by.
    pub fn view(&self, name: &str) -> Value {
        let keys: Vec<_> = self
            .keys
            .iter()
            .map(|key| json!({"number": key.number, "public_key": hex(&key.public), "from_us": key.from_us}))
            .collect();
        json!({
            "format": FORMAT,
            "version": VERSION,
            "id": name,
            "entries": self.entries.iter().map(entry_view).collect::<Vec<_>>(),
            "checkpoints": self.checkpoints.iter().map(checkpoint_view).collect::<Vec<_>>(),
            "keys": keys,
        })
    }
}

fn entry_view(proven: &ProvenEntry) -> Value {
    let mut leaf = Vec::with_capacity(256);
    // The bytes are left where they were put together.
    leaf_hash(proven.position, &proven.entry, &mut leaf);
    json!({
        "says": line_view(&Line::Entry(proven.position, proven.header.batch_no, proven.entry.clone())),
        "leaf": hex(&leaf),
        "path": path_view(&proven.path),
        "batch": line_view(&Line::Batch(proven.header, proven.hash)),
        "span_path": path_view(&proven.span_path),
        "checkpoint": proven.checkpoint,
    })
}
