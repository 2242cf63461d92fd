//! The signed checkpoint that an export can be held against.

use super::{Books, ReportError, page::each, plan::nonsense};
use crate::{
    ledger::{
        checkpoint::{Checkpoint, trail_of},
        export::manifest::{CheckpointReference, Position},
    },
    store::books::{
        halving::first_of,
        projections::LAST_CHECKPOINT,
        rows,
        source::{Row as _, Select, Source as _, Statement as _},
    },
};

const ONE: Select =
    Select { table: "checkpoint", sql: "SELECT number, body, signature FROM checkpoint WHERE number = $1" };

/// The newest checkpoint of which all is before `position`; `None` if there is none. Checkpoints are numbered without
/// gaps and chains only grow, so it is enough to look at a few.
pub(super) fn find_checkpoint(
    books: &impl Books,
    position: &[Position],
) -> Result<Option<CheckpointReference>, ReportError> {
    let mut last = 0_i64;
    each(&mut books.page(&[]).prepare(LAST_CHECKPOINT)?.open()?, |row| {
        last = row.read(0).ok_or_else(|| nonsense("checkpoint", "number"))?;
        Ok(())
    })?;
    let is_later = |number| read_checkpoint(books, number).map(|checkpoint| !is_before(&checkpoint, position));
    let number = first_of(last, is_later)?.saturating_sub(1);
    if number < 1 {
        return Ok(None);
    }
    Ok(Some(CheckpointReference { number, hash: read_checkpoint(books, number)?.hash() }))
}

fn read_checkpoint(books: &impl Books, number: i64) -> Result<Checkpoint, ReportError> {
    let mut found = None;
    each(&mut books.page(&[number]).prepare(ONE)?.open()?, |row| {
        found = Some(rows::checkpoint(row).map_err(|column| nonsense("checkpoint", column))?.checkpoint);
        Ok(())
    })?;
    found.ok_or_else(|| nonsense("checkpoint", &format!("number {number} is missing")))
}

/// Whether an export up to `position` has all of what the checkpoint is about: of the books, or of the audit trail.
fn is_before(checkpoint: &Checkpoint, position: &[Position]) -> bool {
    let is_trail = position.first().is_some_and(|at| at.batch_no.is_none());
    if is_trail {
        checkpoint.others.iter().all(|other| {
            let of_slot = position.iter().find(|at| trail_of(at.slot) == other.name);
            of_slot.map_or(other.count == 0, |at| at.seq >= other.count)
        })
    } else {
        checkpoint.heads.iter().all(|head| {
            let of_slot = position.iter().find(|at| at.slot == head.slot);
            of_slot.is_some_and(|at| at.batch_no.is_some_and(|batch_no| batch_no >= head.batch_no))
        })
    }
}

#[cfg(test)]
mod tests;
