//! The rows of the trail and their hashes.
//!
//! A row's hash is `SHA-256(0x03 || fields…)` over the fields of [`AuditRow`] in their order, written as the leaves of
//! the books are (`docs/ledger-format.md`): integers in 64 bits, texts behind their length, optional ones behind `0x00` or
//! `0x01`. The last field is the hash of the row before in the same slot, so that no row can be taken out, put in or
//! changed without the next one showing it.

use super::AuditEntry;
use crate::ledger::{
    chain::GENESIS,
    leaf::{Bytes, Digest, sha256},
};

/// A row as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// The writer's slot: every slot has a chain of its own, so that servers never wait for one another.
    pub slot: i64,
    /// Counts the slot's rows from 1, without gaps.
    pub seq: i64,
    /// When it was written, in microseconds since the Unix epoch; never below the row before.
    pub recorded_us: i64,
    /// Who: the kind.
    pub actor_kind: String,
    /// Who: which one.
    pub actor_id: String,
    /// How that is known.
    pub method: String,
    /// Which token or which approval it was, where it was one.
    pub credential: Option<String>,
    /// What was done, as `category.operation`.
    pub action: String,
    /// To what: the kind.
    pub object_kind: String,
    /// To what: which one.
    pub object_id: String,
    /// What was: JSON.
    pub before: Option<String>,
    /// What is: JSON.
    pub after: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// In which request.
    pub request_id: Option<String>,
    /// The hash of the row before; zeros before the first.
    pub prev_hash: Digest,
}

impl AuditRow {
    /// The row's hash.
    pub fn hash(&self) -> Digest {
        let mut out = Vec::with_capacity(512);
        out.push(0x03);
        let mut bytes = Bytes(&mut out);
        for value in [self.slot, self.seq, self.recorded_us] {
            bytes.int(value);
        }
        for text in [&self.actor_kind, &self.actor_id, &self.method] {
            bytes.text(text);
        }
        bytes.optional(self.credential.as_deref(), Bytes::text);
        for text in [&self.action, &self.object_kind, &self.object_id] {
            bytes.text(text);
        }
        for text in [&self.before, &self.after, &self.reason, &self.request_id] {
            bytes.optional(text.as_deref(), Bytes::text);
        }
        bytes.raw(&self.prev_hash);
        sha256(&out)
    }
}

/// Where the trail of a slot ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditHead {
    /// The writer's slot.
    pub slot: i64,
    /// The last row's number; 0 before the first.
    pub seq: i64,
    /// When it was written, in microseconds since the Unix epoch.
    pub last_us: i64,
    /// Its hash.
    pub hash: Digest,
}

impl AuditHead {
    /// Before the first row.
    pub const fn new(slot: i64) -> Self {
        Self { slot, seq: 0, last_us: 0, hash: GENESIS }
    }

    /// Gives `entry` the next place, at `now_us` (microseconds since the Unix epoch), and moves on behind it. Returns the
    /// row with its hash.
    pub fn add(&mut self, entry: &AuditEntry, now_us: i64) -> (AuditRow, Digest) {
        let (object_kind, object_id) = &entry.object;
        let row = AuditRow {
            slot: self.slot,
            seq: self.seq.saturating_add(1),
            recorded_us: now_us.max(self.last_us),
            actor_kind: entry.by.actor.kind().to_owned(),
            actor_id: entry.by.actor.id(),
            method: entry.by.method.as_str().to_owned(),
            credential: entry.by.method.credential(),
            action: entry.action.as_str().to_owned(),
            object_kind: (*object_kind).to_owned(),
            object_id: object_id.clone(),
            before: entry.before.clone(),
            after: entry.told_after(),
            reason: entry.reason.clone(),
            request_id: entry.by.request.map(|id| id.to_string()),
            prev_hash: self.hash,
        };
        let hash = row.hash();
        (self.seq, self.last_us, self.hash) = (row.seq, row.recorded_us, hash);
        (row, hash)
    }
}
