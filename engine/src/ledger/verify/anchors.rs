//! Checks the checkpoints among themselves, and that the books go through what they vouch for.

use std::collections::BTreeMap;

use super::{ProblemKind, Problems};
use crate::ledger::{
    checkpoint::{Checkpoint, NO_CHECKPOINT, SignedCheckpoint, SlotHead},
    leaf::Digest,
    signing::{NumberedKey, PublicKey},
};

/// A checkpoint that was kept outside of the database, with the key that signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The checkpoint.
    pub signed: SignedCheckpoint,
    /// The key, as it was known when the checkpoint was kept.
    pub public: PublicKey,
}

const CHECKPOINT: &str = "checkpoint";
const KEY: &str = "signing_key";

/// What has to be found in the chain of a slot.
#[derive(Debug)]
struct Anchor {
    checkpoint: i64,
    head: SlotHead,
    /// It comes from outside: nothing follows from where the one before it was.
    is_kept: bool,
}

#[derive(Debug, Default)]
pub(super) struct Anchors {
    kept: Vec<Kept>,
    keys: BTreeMap<i64, NumberedKey>,
    /// The number of the key that signs now.
    signing: i64,
    last: Option<(i64, Digest, i64)>,
    /// Where each slot stood in the last checkpoint.
    reached: BTreeMap<i64, i64>,
    /// By slot and batch.
    waiting: BTreeMap<(i64, i64), Vec<Anchor>>,
    /// Of the chains beside the books, by name and number: the checkpoint and the hash.
    others: BTreeMap<(String, i64), (i64, Digest)>,
    is_complete: bool,
}

impl Anchors {
    pub(super) fn new(kept: Vec<Kept>) -> Self {
        Self { kept, signing: 1, ..Self::default() }
    }

    /// The last stored checkpoint.
    pub(super) fn last(&self) -> Option<i64> {
        self.last.map(|(number, ..)| number)
    }

    pub(super) fn key(&mut self, key: NumberedKey, problems: &mut Problems) {
        let expected = self.keys.last_key_value().map_or(1, |(last, _)| last.saturating_add(1));
        if key.number != expected {
            problems.add(ProblemKind::Gap, KEY, key.number, || format!("key {expected} should stand here"));
        }
        self.keys.insert(key.number, key);
    }

    pub(super) fn checkpoint(&mut self, signed: &SignedCheckpoint, problems: &mut Problems) {
        let checkpoint = &signed.checkpoint;
        let number = checkpoint.number;
        let (last_no, last_hash, last_us) = self.last.unwrap_or((0, NO_CHECKPOINT, i64::MIN));
        let expected = last_no.saturating_add(1);
        if number == expected {
            if checkpoint.prev_hash != last_hash {
                problems.add(ProblemKind::LinkMismatch, CHECKPOINT, number, || {
                    "it does not carry the hash of the checkpoint before".to_owned()
                });
            }
        } else {
            problems.add(ProblemKind::Gap, CHECKPOINT, number, || format!("checkpoint {expected} should stand here"));
        }
        if checkpoint.made_us < last_us {
            problems.add(ProblemKind::TimeBackwards, CHECKPOINT, number, || {
                format!("made at {}, the one before at {last_us}", checkpoint.made_us)
            });
        }
        self.check_keys(signed, problems);
        self.check_kept(checkpoint, problems);
        for head in &checkpoint.heads {
            let after = self.reached.insert(head.slot, head.batch_no).unwrap_or(0);
            if number == expected && (head.after != after || head.batch_no < after) {
                problems.add(ProblemKind::AnchorMismatch, CHECKPOINT, number, || {
                    format!("slot {} stands at batch {}, in the one before at {after}", head.slot, head.batch_no)
                });
            }
            if head.batch_no > after {
                self.wait_for(Anchor { checkpoint: number, head: *head, is_kept: false });
            }
        }
        self.wait_for_others(checkpoint);
        self.last = Some((number, checkpoint.hash(), checkpoint.made_us));
    }

    fn wait_for_others(&mut self, checkpoint: &Checkpoint) {
        for other in &checkpoint.others {
            self.others.insert((other.name.clone(), other.count), (checkpoint.number, other.hash));
        }
    }

    /// A link of a chain beside the books was read.
    pub(super) fn passed_other(&mut self, name: String, count: i64, hash: &Digest, problems: &mut Problems) {
        let key = (name, count);
        if let Some((checkpoint, anchored)) = self.others.remove(&key)
            && anchored != *hash
        {
            problems.add(ProblemKind::AnchorMismatch, "audit", format!("{}/{count}", key.0), || {
                format!("checkpoint {checkpoint} vouches for another hash: the trail was written again")
            });
        }
    }

    /// The chains beside the books are over.
    pub(super) fn end_others(&self, problems: &mut Problems) {
        for ((name, count), (checkpoint, _)) in &self.others {
            problems.add(ProblemKind::AnchorMissing, "audit", format!("{name}/{count}"), || {
                format!("checkpoint {checkpoint} vouches for this row, which is not there")
            });
        }
    }

    fn wait_for(&mut self, anchor: Anchor) {
        self.waiting.entry((anchor.head.slot, anchor.head.batch_no)).or_default().push(anchor);
    }

    fn check_keys(&mut self, signed: &SignedCheckpoint, problems: &mut Problems) {
        let checkpoint = &signed.checkpoint;
        let number = checkpoint.number;
        if checkpoint.key != self.signing {
            problems.add(ProblemKind::KeyMismatch, CHECKPOINT, number, || {
                format!("signed by key {}, key {} was in force", checkpoint.key, self.signing)
            });
            self.signing = checkpoint.key;
        }
        match self.keys.get(&checkpoint.key) {
            None => problems.add(ProblemKind::KeyMismatch, KEY, checkpoint.key, || {
                format!("checkpoint {number} is signed by it, and it is missing")
            }),
            Some(key) if !signed.is_signed_by(&key.public) => {
                problems.add(ProblemKind::BadSignature, CHECKPOINT, number, || {
                    format!("key {} did not sign this", checkpoint.key)
                });
            }
            Some(_) => {}
        }
        // The first key begins with the first checkpoint, another one with the checkpoint that hands over to it.
        let begins = match checkpoint.successor {
            Some(public) => {
                self.signing = checkpoint.key.saturating_add(1);
                Some((self.signing, Some(public)))
            }
            None => (number == 1).then_some((1, None)),
        };
        if let Some((key_no, public)) = begins {
            let is_right = |key: &NumberedKey| {
                key.from_us == checkpoint.made_us && public.is_none_or(|public| key.public == public)
            };
            if !self.keys.get(&key_no).is_some_and(is_right) {
                problems.add(ProblemKind::KeyMismatch, KEY, key_no, || {
                    format!("checkpoint {number} says that another key begins at {}", checkpoint.made_us)
                });
            }
        }
    }

    /// Compares with what was kept of the same number.
    fn check_kept(&self, checkpoint: &Checkpoint, problems: &mut Problems) {
        let others = self.kept.iter().filter(|kept| kept.signed.checkpoint.number == checkpoint.number);
        for _ in others.filter(|kept| kept.signed.checkpoint != *checkpoint) {
            problems.add(ProblemKind::AnchorMismatch, CHECKPOINT, checkpoint.number, || {
                "another one was kept under this number".to_owned()
            });
        }
    }

    /// There are no more checkpoints.
    pub(super) fn complete(&mut self, problems: &mut Problems) {
        if std::mem::replace(&mut self.is_complete, true) {
            return;
        }
        let last = self.last().unwrap_or(0);
        if last == 0 && !self.keys.is_empty() {
            problems.add(ProblemKind::AnchorMissing, CHECKPOINT, 1, || "there are keys and no checkpoint".to_owned());
        }
        let unknown = self.keys.keys().filter(|number| last > 0 && **number > self.signing);
        for number in unknown {
            problems.add(ProblemKind::KeyMismatch, KEY, number, || "no checkpoint hands over to it".to_owned());
        }
        for kept in std::mem::take(&mut self.kept) {
            self.take_kept(&kept, last, problems);
        }
    }

    fn take_kept(&mut self, kept: &Kept, last: i64, problems: &mut Problems) {
        let checkpoint = &kept.signed.checkpoint;
        if !kept.signed.is_signed_by(&kept.public) {
            problems.add(ProblemKind::BadSignature, CHECKPOINT, checkpoint.number, || {
                "the key that was kept with it did not sign it".to_owned()
            });
            return;
        }
        if self.keys.get(&checkpoint.key).is_none_or(|key| key.public != kept.public) {
            problems.add(ProblemKind::KeyMismatch, KEY, checkpoint.key, || {
                format!("checkpoint {} was kept with another key of this number", checkpoint.number)
            });
        }
        if checkpoint.number > last {
            problems.add(ProblemKind::AnchorMissing, CHECKPOINT, checkpoint.number, || {
                "it was kept elsewhere and is missing here".to_owned()
            });
        }
        self.wait_for_others(checkpoint);
        for head in &checkpoint.heads {
            self.wait_for(Anchor { checkpoint: checkpoint.number, head: *head, is_kept: true });
        }
    }

    /// A batch was followed to its end. `is_at` says whether a hash is its own; `span` is the root over the batches since
    /// the last anchor, if it can be trusted. Says whether a span ends here.
    pub(super) fn passed(
        &mut self,
        (slot, batch_no, seq): (i64, i64, i64),
        is_at: impl Fn(&Digest) -> bool,
        span: impl Fn() -> Option<Digest>,
        problems: &mut Problems,
    ) -> bool {
        let Some(anchors) = self.waiting.remove(&(slot, batch_no)) else { return false };
        for Anchor { checkpoint, head, is_kept } in &anchors {
            let key = format!("{slot}/{batch_no}");
            if !is_at(&head.hash) {
                problems.add(ProblemKind::AnchorMismatch, "batch", key, || {
                    format!("checkpoint {checkpoint} vouches for another hash: the chain was written again")
                });
            } else if head.seq != seq || (!is_kept && span().is_some_and(|root| root != head.span)) {
                problems.add(ProblemKind::AnchorMismatch, CHECKPOINT, checkpoint, || {
                    format!("its entry or its span at batch {key} is not that of the books")
                });
            }
        }
        anchors.iter().any(|anchor| !anchor.is_kept)
    }

    /// The books are over: of every slot, the first place that was not found.
    pub(super) fn end(&mut self, problems: &mut Problems) {
        self.complete(problems);
        let mut last_slot = None;
        for ((slot, batch_no), anchors) in std::mem::take(&mut self.waiting) {
            if last_slot.replace(slot) != Some(slot) {
                let numbers: Vec<_> = anchors.iter().map(|anchor| anchor.checkpoint.to_string()).collect();
                problems.add(ProblemKind::AnchorMissing, "batch", format!("{slot}/{batch_no}"), || {
                    format!("checkpoint {} vouches for this batch, which is not there", numbers.join(", "))
                });
            }
        }
    }
}
