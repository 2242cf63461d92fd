//! What an export is of: kept beside a file, or the last line of a stream.

use serde_json::{Map, Value, json};

use super::{out::Written, request::Request, value::time_text};
use crate::ledger::{hex::hex, leaf::Digest};

/// Up to where an export goes in one slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The slot.
    pub slot: i64,
    /// The last batch; none in the audit trail.
    pub batch_no: Option<i64>,
    /// The last entry.
    pub seq: i64,
    /// The last batch's hash; of the audit trail that of the last row.
    pub hash: Digest,
}

/// The newest signed checkpoint of which an export has everything.
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
        let position: Vec<_> = position
            .iter()
            .map(|at| json!({"slot": at.slot, "batch_no": at.batch_no, "seq": at.seq, "hash": hex(&at.hash)}))
            .collect();
        let checkpoint =
            checkpoint.as_ref().map(|checkpoint| json!({"number": checkpoint.number, "hash": hex(&checkpoint.hash)}));
        let mut json = json!({"manifest_version": Self::VERSION});
        let more = json!({
            "position": position,
            "checkpoint": checkpoint,
            "rows": written.rows,
            "bytes": written.bytes,
            "sha256": hex(&written.sha256),
        });
        if let Value::Object(members) = &mut json {
            for part in [request.to_json(), more] {
                members.extend(part.as_object().cloned().unwrap_or_default());
            }
        }
        json
    }
}

impl Request {
    /// What was asked, as JSON: for manifests.
    pub fn to_json(&self) -> Value {
        self.with_filter(self.only.named().map(|(_, text)| text.as_str()))
    }

    /// What was asked, as JSON for the audit trail: whoever is meant is `identified` there, since what was asked may be
    /// somebody's address.
    pub fn to_trail(&self, identified: Option<&str>) -> Value {
        self.with_filter(identified)
    }

    fn with_filter(&self, whom: Option<&str>) -> Value {
        let filter: Map<String, Value> =
            self.only.named().zip(whom).map(|((what, _), whom)| (what.to_owned(), json!(whom))).into_iter().collect();
        let time = |us: Option<i64>| us.map(time_text);
        json!({
            "report": self.report.as_str(),
            "format": self.format.as_str(),
            "is_full": self.is_full,
            "filter": filter,
            "from": time(self.from_us),
            "to": time(self.to_us),
        })
    }
}
