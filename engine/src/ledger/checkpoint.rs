//! Checkpoints: what all chains had come to at one moment, in bytes to be signed and kept elsewhere.
//!
//! Whoever can write the database can write all of it again, with hashes that fit. A checkpoint that is out of their reach
//! tells: the books must go through its heads. Checkpoints are a chain, too; `docs/ledger-format.md` has their bytes.

use super::{
    leaf::{Bytes, Digest, sha256},
    signing::{PublicKey, Signature, is_signed_by},
};

/// What stands before the first checkpoint.
pub const NO_CHECKPOINT: Digest = [0; 32];

/// Most items that a list of a checkpoint may have; more is damage.
const ITEMS_MAX: u32 = 65_536;

/// Where a slot's chain stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotHead {
    /// The writer's slot.
    pub slot: i64,
    /// Its last batch's number, above 0.
    pub batch_no: i64,
    /// Its last entry's number.
    pub seq: i64,
    /// Its last batch's hash.
    pub hash: Digest,
    /// Its last batch's number in the checkpoint before; 0 if it was not there.
    pub after: i64,
    /// The Merkle root over the hashes of the batches from `after` + 1 to `batch_no`: a receipt's way from its batch to
    /// here.
    pub span: Digest,
}

/// Where a chain beside the books stood, such as that of the audit trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherHead {
    /// Which chain.
    pub name: String,
    /// How many links it had.
    pub count: i64,
    /// Its last link's hash.
    pub hash: Digest,
}

/// What is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Counts from 1, without gaps.
    pub number: i64,
    /// When it was made, in microseconds since the Unix epoch.
    pub made_us: i64,
    /// The number of the key that signs it.
    pub key: i64,
    /// The hash of the checkpoint before.
    pub prev_hash: Digest,
    /// Every slot that has batches, by its number.
    pub heads: Vec<SlotHead>,
    /// Other chains, by name.
    pub others: Vec<OtherHead>,
    /// The public key that takes over from here on: the old key vouches for the new one.
    pub successor: Option<[u8; 32]>,
}

/// What the audit trail of a slot is called among the other chains.
pub fn trail_of(slot: i64) -> String {
    format!("audit/{slot}")
}

impl Checkpoint {
    /// The bytes that are signed: `0x05` and the fields in the order of the struct.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        out.push(0x05);
        let mut bytes = Bytes(&mut out);
        for value in [self.number, self.made_us, self.key] {
            bytes.int(value);
        }
        bytes.raw(&self.prev_hash);
        bytes.length(self.heads.len());
        for head in &self.heads {
            bytes.int(head.slot);
            bytes.int(head.batch_no);
            bytes.int(head.seq);
            bytes.raw(&head.hash);
            bytes.int(head.after);
            bytes.raw(&head.span);
        }
        bytes.length(self.others.len());
        for other in &self.others {
            bytes.text(&other.name);
            bytes.int(other.count);
            bytes.raw(&other.hash);
        }
        bytes.optional(self.successor, |bytes, key| bytes.raw(&key));
        out
    }

    /// Reads what [`Self::bytes`] wrote; `None` if it is anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut rest = Rest(bytes);
        if rest.array::<1>()? != [0x05] {
            return None;
        }
        let (number, made_us, key, prev_hash) = (rest.int()?, rest.int()?, rest.int()?, rest.array()?);
        let heads = rest.list(|rest| {
            Some(SlotHead {
                slot: rest.int()?,
                batch_no: rest.int()?,
                seq: rest.int()?,
                hash: rest.array()?,
                after: rest.int()?,
                span: rest.array()?,
            })
        })?;
        let others = rest.list(|rest| {
            let name = rest.text()?;
            Some(OtherHead { name, count: rest.int()?, hash: rest.array()? })
        })?;
        let successor = match rest.array::<1>()? {
            [0] => None,
            [1] => Some(rest.array()?),
            _ => return None,
        };
        let read = Self { number, made_us, key, prev_hash, heads, others, successor };
        rest.0.is_empty().then_some(read)
    }

    /// SHA-256 of [`Self::bytes`]: what the next checkpoint carries.
    pub fn hash(&self) -> Digest {
        sha256(&self.bytes())
    }

    /// Where `slot` stood.
    pub fn head_of(&self, slot: i64) -> Option<&SlotHead> {
        self.heads.iter().find(|head| head.slot == slot)
    }
}

/// A checkpoint with its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// What was signed.
    pub checkpoint: Checkpoint,
    /// Ed25519 over [`Checkpoint::bytes`].
    pub signature: Signature,
}

impl SignedCheckpoint {
    /// Whether `key` signed it.
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        is_signed_by(key, &self.checkpoint.bytes(), &self.signature)
    }
}

/// What has not been read yet.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*array)
    }

    fn int(&mut self) -> Option<i64> {
        self.array().map(i64::from_be_bytes)
    }

    fn length(&mut self) -> Option<usize> {
        let length = u32::from_be_bytes(self.array()?);
        usize::try_from(length).ok().filter(|_| length <= ITEMS_MAX)
    }

    fn text(&mut self) -> Option<String> {
        let length = self.length()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(text).ok().map(ToOwned::to_owned)
    }

    fn list<T>(&mut self, read: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let length = self.length()?;
        (0..length).map(|_| read(self)).collect()
    }
}

#[cfg(test)]
mod tests;
