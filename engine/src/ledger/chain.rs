//! The chain: every batch header carries the hash of the one before it.

use uuid::Uuid;

use super::leaf::{Bytes, Digest, sha256};

/// What stands before the first batch.
pub const GENESIS: Digest = [0; 32];

/// The header of one batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchHeader {
    /// The writer's slot.
    pub slot: i64,
    /// Counts the slot's batches from 1, without gaps.
    pub batch_no: i64,
    /// The writer's term: it rises whenever another process takes the slot over.
    pub epoch: i64,
    /// The first entry's number.
    pub first_seq: i64,
    /// How many entries.
    pub entries: i64,
    /// How many postings among them.
    pub postings: i64,
    /// The sum of the postings, in micro-credits.
    pub total: i64,
    /// When it was recorded, in microseconds since the Unix epoch; never below the batch before.
    pub recorded_us: i64,
    /// The writer's name for this attempt: after a lost connection it tells whether the commit happened.
    pub client_batch: Uuid,
    /// The root over the entries' leaves.
    pub root: Digest,
    /// The hash of the batch before.
    pub prev_hash: Digest,
}

impl BatchHeader {
    /// `SHA-256(0x02 || header)`, the fields in the order of the struct.
    pub fn hash(&self) -> Digest {
        let mut out = Vec::with_capacity(160);
        out.push(0x02);
        let mut bytes = Bytes(&mut out);
        for value in [
            self.slot,
            self.batch_no,
            self.epoch,
            self.first_seq,
            self.entries,
            self.postings,
            self.total,
            self.recorded_us,
        ] {
            bytes.int(value);
        }
        bytes.uuid(self.client_batch);
        bytes.raw(&self.root);
        bytes.raw(&self.prev_hash);
        sha256(&out)
    }
}

/// Where a slot's chain stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainHead {
    /// The writer's slot.
    pub slot: i64,
    /// The writer's term.
    pub epoch: i64,
    /// The last batch's number; 0 before the first.
    pub batch_no: i64,
    /// The last entry's number; 0 before the first.
    pub seq: i64,
    /// When the last batch was recorded, in microseconds since the Unix epoch.
    pub last_us: i64,
    /// The last batch's hash.
    pub hash: Digest,
}
