//! Checks the trail: every row against its hash, every hash against the next row, the last one against the stored head.

use std::collections::BTreeMap;

use super::{AuditHead, AuditRow};
use crate::ledger::{leaf::Digest, verify::ProblemKind};

/// What is wrong, where, and how.
pub(crate) type Fault = (ProblemKind, &'static str, String, String);

/// Takes the rows slot by slot in the order of their numbers, then the stored heads.
#[derive(Debug, Default)]
pub(crate) struct AuditVerifier {
    /// Where every slot's rows end, with the hash that is stored for the last one and whether its head was seen.
    ends: BTreeMap<i64, End>,
}

#[derive(Debug)]
struct End {
    head: AuditHead,
    stored_hash: Digest,
    has_stored_head: bool,
}

const TABLE: &str = "audit";
const HEADS: &str = "audit_head";

impl AuditVerifier {
    /// The next row, with the hash that is stored for it.
    pub(crate) fn row(&mut self, row: &AuditRow, stored_hash: Digest) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut fault = |kind, text: String| faults.push((kind, TABLE, format!("{}/{}", row.slot, row.seq), text));
        let end = self.ends.entry(row.slot).or_insert_with(|| {
            let head = AuditHead::new(row.slot);
            End { stored_hash: head.hash, head, has_stored_head: false }
        });
        let expected = end.head.seq.saturating_add(1);
        let computed = row.hash();
        if row.seq > expected {
            fault(ProblemKind::Gap, format!("rows {expected} to {} are missing", row.seq.saturating_sub(1)));
        } else if row.seq < expected {
            fault(ProblemKind::Fork, format!("the row before has the number {}", end.head.seq));
        } else if row.prev_hash != end.head.hash && row.prev_hash != end.stored_hash {
            fault(ProblemKind::LinkMismatch, "`prev_hash` is not the hash of the row before".to_owned());
        }
        if computed != stored_hash {
            fault(ProblemKind::LeafMismatch, "the row is not what was hashed".to_owned());
        }
        if row.recorded_us < end.head.last_us {
            fault(ProblemKind::TimeBackwards, format!("`recorded_us` is below {}", end.head.last_us));
        }
        end.head = AuditHead { slot: row.slot, seq: row.seq, last_us: row.recorded_us, hash: computed };
        end.stored_hash = stored_hash;
        faults
    }

    /// Where a slot's rows end, as it is stored.
    pub(crate) fn head(&mut self, stored: &AuditHead) -> Option<Fault> {
        let fault = |text: String| Some((ProblemKind::HeadMismatch, HEADS, stored.slot.to_string(), text));
        let Some(end) = self.ends.get_mut(&stored.slot) else {
            let is_empty = *stored == AuditHead::new(stored.slot);
            return if is_empty { None } else { fault(format!("{} rows are missing: the slot has none", stored.seq)) };
        };
        end.has_stored_head = true;
        if stored.seq > end.head.seq {
            return fault(format!("rows {} to {} are missing", end.head.seq.saturating_add(1), stored.seq));
        }
        if stored.seq < end.head.seq {
            return fault(format!("the last row is {}, the head says {}", end.head.seq, stored.seq));
        }
        if stored.last_us != end.head.last_us {
            return fault(format!("`last_us` is {}, the rows say {}", stored.last_us, end.head.last_us));
        }
        if stored.hash != end.head.hash && stored.hash != end.stored_hash {
            return fault("`hash` is not that of the last row".to_owned());
        }
        None
    }

    /// Slots with rows and without a head.
    pub(crate) fn finish(&self) -> impl Iterator<Item = Fault> {
        let lost = self.ends.values().filter(|end| !end.has_stored_head);
        lost.map(|end| (ProblemKind::HeadMismatch, HEADS, end.head.slot.to_string(), "the row is missing".to_owned()))
    }
}
