//! The audit trail, for reading.

use engine::{audit::AuditRow, service::audit::AuditCursor};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Done, NotDone, done};
use crate::marketplace::time_text;

#[derive(Serialize)]
struct ActorView<'a> {
    kind: &'a str,
    id: &'a str,
}

#[derive(Serialize)]
struct RowView<'a> {
    slot: i64,
    seq: i64,
    at: String,
    actor: ActorView<'a>,
    method: &'a str,
    credential: Option<&'a str>,
    action: &'a str,
    object: ActorView<'a>,
    before: Option<Box<RawValue>>,
    after: Option<Box<RawValue>>,
    reason: Option<&'a str>,
    request: Option<&'a str>,
    hash: String,
}

#[derive(Serialize)]
struct PageView<'a> {
    audit: Vec<RowView<'a>>,
    next: Option<String>,
}

/// What stands in a column as it was written; as a text if it is no JSON.
fn json(text: Option<&str>) -> Option<Box<RawValue>> {
    let text = text?;
    RawValue::from_string(text.to_owned()).or_else(|_no_json| serde_json::value::to_raw_value(text)).ok()
}

fn view(row: &AuditRow) -> RowView<'_> {
    RowView {
        slot: row.slot,
        seq: row.seq,
        at: time_text(row.recorded_us),
        actor: ActorView { kind: &row.actor_kind, id: &row.actor_id },
        method: &row.method,
        credential: row.credential.as_deref(),
        action: &row.action,
        object: ActorView { kind: &row.object_kind, id: &row.object_id },
        before: json(row.before.as_deref()),
        after: json(row.after.as_deref()),
        reason: row.reason.as_deref(),
        request: row.request_id.as_deref(),
        hash: row.hash().iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

fn line(row: &AuditRow) -> String {
    let actor = [&*row.actor_kind, &row.actor_id].join(" ");
    let what = format!(
        "{}  {:<28}  {} {}  by {} ({})",
        time_text(row.recorded_us),
        row.action,
        row.object_kind,
        row.object_id,
        actor.trim_end(),
        row.method
    );
    let details = [("before", &row.before), ("after", &row.after), ("because", &row.reason)];
    let details = details.into_iter().filter_map(|(name, text)| Some(format!("    {name} {}", text.as_deref()?)));
    std::iter::once(what).chain(details).collect::<Vec<_>>().join("\n")
}

/// A page of the trail.
///
/// # Errors
/// The answer cannot be written.
pub fn listed(rows: &[AuditRow], next: Option<AuditCursor>) -> Result<Done, NotDone> {
    let mut lines: Vec<String> = rows.iter().map(line).collect();
    if let Some(next) = next {
        lines.push(format!("older rows: --after {next}"));
    }
    if lines.is_empty() {
        lines.push("the audit trail has no such row".to_owned());
    }
    done(&PageView { audit: rows.iter().map(view).collect(), next: next.map(|next| next.to_string()) }, lines)
}
