//! Compares the rows that are stated in the books with what was stated last.

use std::collections::HashMap;

use super::{ProblemKind, Problems, key_of};
use crate::{
    id::EntryId,
    ledger::{
        command::TransactionKind,
        fact::FactTable,
        leaf::{Digest, Position, TransactionEntry},
    },
};

/// Two servers that change one thing at the same moment may record that in another order than they did it: within so many
/// microseconds either statement may be the last.
const SAME_MOMENT_US: i64 = 10_000_000;

/// The last statement of a slot about a thing.
#[derive(Debug)]
struct Stated {
    at: Position,
    recorded_us: i64,
    digest: Option<Digest>,
}

#[derive(Debug, Default)]
pub(super) struct Facts {
    /// By the thing; one statement a slot.
    stated: HashMap<EntryId, Vec<Stated>>,
    /// Rows that were there before there were facts have been stated, too.
    is_complete: bool,
}

impl Facts {
    pub(super) fn transaction(
        &mut self,
        at: Position,
        recorded_us: i64,
        entry: &TransactionEntry,
        problems: &mut Problems,
    ) {
        if entry.kind != TransactionKind::Fact {
            return;
        }
        let Some(thing) = entry.reverses.filter(|_| entry.legs.is_empty()) else {
            problems.add(ProblemKind::FactMismatch, "txn", key_of(at), || {
                "a fact names a thing and moves no money".to_owned()
            });
            return;
        };
        let stated = self.stated.entry(thing).or_default();
        stated.retain(|before| before.at.slot != at.slot);
        stated.push(Stated { at, recorded_us, digest: entry.meta });
    }

    /// Whether rows must have been stated.
    pub(super) fn complete(&mut self, is_complete: bool, problems: &mut Problems) {
        self.is_complete = is_complete;
        if !is_complete && !self.stated.is_empty() {
            problems.add(ProblemKind::FactMismatch, "version", "facts", || {
                "the books have facts, and this says that there are none".to_owned()
            });
        }
    }

    pub(super) fn row(
        &mut self,
        (table, key): (&'static str, &str),
        thing: EntryId,
        digest: Digest,
        problems: &mut Problems,
    ) {
        let Some(stated) = self.stated.remove(&thing) else {
            if self.is_complete {
                problems.add(ProblemKind::FactMismatch, table, key, || "the books know of no such row".to_owned());
            }
            return;
        };
        if !last(&stated).any(|stated| stated.digest == Some(digest)) {
            problems.add(ProblemKind::FactMismatch, table, key, || {
                let places: Vec<_> = stated.iter().map(|stated| key_of(stated.at)).collect();
                format!("it is not what the books say at {}", places.join(", "))
            });
        }
    }

    /// What is left was stated and is not there. It may be gone if that was stated last.
    pub(super) fn report_missing(&self, problems: &mut Problems) {
        let mut missing: Vec<_> = self.stated.iter().collect();
        missing.retain(|(_, stated)| last(stated).all(|stated| stated.digest.is_some()));
        missing.sort_unstable_by_key(|(thing, _)| **thing);
        for (thing, stated) in missing {
            let table = FactTable::of_thing(*thing).map_or("txn", |table| table.table);
            let places: Vec<_> = stated.iter().map(|stated| key_of(stated.at)).collect();
            problems.add(ProblemKind::FactMismatch, table, places.join(","), || {
                "the row that the books state here is missing".to_owned()
            });
        }
    }
}

/// Those of the slots' last statements that may be the last of all.
fn last(stated: &[Stated]) -> impl Iterator<Item = &Stated> {
    let last_us = stated.iter().map(|stated| stated.recorded_us).max().unwrap_or(0);
    stated.iter().filter(move |stated| stated.recorded_us >= last_us.saturating_sub(SAME_MOMENT_US))
}
