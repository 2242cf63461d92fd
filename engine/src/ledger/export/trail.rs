//! The audit trail, row by row.

use super::{
    Frame, Item, Render,
    out::Out,
    table::{RowFormat, Table},
    value::Value,
};
use crate::{audit::AuditRow, ledger::leaf::Digest};

/// Every row of the audit trail.
#[derive(Debug)]
pub struct Trail(Table);

impl Trail {
    /// As a table of this format.
    pub fn new(format: RowFormat) -> Self {
        Self(Table::new(
            format,
            &[
                "slot",
                "seq",
                "recorded_at",
                "actor_kind",
                "actor_id",
                "method",
                "credential",
                "action",
                "object_kind",
                "object_id",
                "before",
                "after",
                "reason",
                "request_id",
                "prev_hash",
                "hash",
            ],
        ))
    }
}

impl Render for Trail {
    fn begin(&mut self, _frame: &Frame<'_>, out: &mut Out<'_>) {
        self.0.begin(out);
    }

    fn take(&mut self, _frame: &Frame<'_>, _item: &Item<'_>, _out: &mut Out<'_>) {}

    fn take_audit(&mut self, row: &AuditRow, hash: &Digest, out: &mut Out<'_>) {
        fn optional(text: Option<&String>) -> Value<'_> {
            text.map_or(Value::Nothing, |text| Value::Text(text))
        }
        let row = [
            Value::Number(row.slot),
            Value::Number(row.seq),
            Value::Time(row.recorded_us),
            Value::Text(&row.actor_kind),
            Value::Text(&row.actor_id),
            Value::Text(&row.method),
            optional(row.credential.as_ref()),
            Value::Text(&row.action),
            Value::Text(&row.object_kind),
            Value::Text(&row.object_id),
            optional(row.before.as_ref()),
            optional(row.after.as_ref()),
            optional(row.reason.as_ref()),
            optional(row.request_id.as_ref()),
            Value::Hash(&row.prev_hash),
            Value::Hash(hash),
        ];
        self.0.row(out, &row);
    }

    fn finish(&mut self, _frame: &Frame<'_>, _out: &mut Out<'_>) {}
}
