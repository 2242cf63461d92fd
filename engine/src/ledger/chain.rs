//! The chain: every batch header carries the hash of the one before it.

use uuid::Uuid;

use super::{
    leaf::{Bytes, Digest, Entry, Position, leaf_hash, sha256},
    merkle,
};

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

impl ChainHead {
    /// The batch of `entries` that comes next, recorded at `recorded_us` (microseconds since the Unix epoch) and named
    /// `client_batch`. Its entries have the numbers from `first_seq` on, in their order.
    pub fn seal(&self, entries: &[Entry], recorded_us: i64, client_batch: Uuid) -> SealedBatch {
        let first_seq = self.seq.saturating_add(1);
        let (mut postings, mut total) = (0_i64, 0_i64);
        let mut scratch = Vec::with_capacity(512);
        let mut leaves = Vec::with_capacity(entries.len());
        for (seq, entry) in (first_seq..).zip(entries) {
            leaves.push(leaf_hash(Position { slot: self.slot, seq }, entry, &mut scratch));
            if let Entry::Transaction(transaction) = entry {
                for leg in &transaction.legs {
                    postings = postings.saturating_add(1);
                    total = total.saturating_add(leg.amount.micros());
                }
            }
        }
        let count = i64::try_from(entries.len()).unwrap_or(i64::MAX);
        let header = BatchHeader {
            slot: self.slot,
            batch_no: self.batch_no.saturating_add(1),
            epoch: self.epoch,
            first_seq,
            entries: count,
            postings,
            total,
            recorded_us,
            client_batch,
            root: merkle::root(&leaves),
            prev_hash: self.hash,
        };
        let head = Self {
            slot: self.slot,
            epoch: self.epoch,
            batch_no: header.batch_no,
            seq: self.seq.saturating_add(count),
            last_us: recorded_us,
            hash: header.hash(),
        };
        SealedBatch { header, head }
    }
}

/// A batch that is ready to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealedBatch {
    /// Its header.
    pub header: BatchHeader,
    /// The chain's head once it is written; it holds the header's hash.
    pub head: ChainHead,
}
