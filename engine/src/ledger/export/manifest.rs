//! What an export is of: kept beside a file, or the last line of a stream.

use serde_json::{Map, Value, json};

use super::{
    out::Written,
    request::Request,
    value::{hex, time_text},
};
use crate::ledger::leaf::Digest;

/// Up to where an export goes in one slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The slot.
    pub slot: i64,
    /// The last batch.
    pub batch_no: i64,
    /// The last entry.
    pub seq: i64,
    /// The last batch's hash.
    pub hash: Digest,
}

/// The signed checkpoint nearest before an export's end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointReference {
    /// Its number.
    pub number: i64,
    /// Its hash.
    pub hash: Digest,
}

/// Says everything that is needed to know whether an export is whole, and what of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// What was asked.
    pub request: Request,
    /// Up to where, slot by slot; slots without entries are left out.
    pub position: Vec<Position>,
    /// The checkpoint, if there is one.
    pub checkpoint: Option<CheckpointReference>,
    /// What was written before the manifest.
    pub written: Written,
}

impl Manifest {
    /// The version of this form.
    const VERSION: i64 = 1;

    /// As JSON.
    pub fn to_json(&self) -> Value {
        let Self { request, position, checkpoint, written } = self;
        let filter: Map<String, Value> =
            request.only.named().map(|(what, text)| (what.to_owned(), json!(text))).into_iter().collect();
        let time = |us: Option<i64>| us.map(time_text);
        let position: Vec<_> = position
            .iter()
            .map(|at| json!({"slot": at.slot, "batch_no": at.batch_no, "seq": at.seq, "hash": hex(&at.hash)}))
            .collect();
        let checkpoint =
            checkpoint.as_ref().map(|checkpoint| json!({"number": checkpoint.number, "hash": hex(&checkpoint.hash)}));
        json!({
            "manifest_version": Self::VERSION,
            "report": request.report.as_str(),
            "format": request.format.as_str(),
            "is_full": request.is_full,
            "filter": filter,
            "from": time(request.from_us),
            "to": time(request.to_us),
            "position": position,
            "checkpoint": checkpoint,
            "rows": written.rows,
            "bytes": written.bytes,
            "sha256": hex(&written.sha256),
        })
    }
}
