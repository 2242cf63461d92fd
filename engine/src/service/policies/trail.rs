//! What the audit trail tells of policies: their numbers and digests; the texts stand in their own table for ever.

use serde_json::{Value, json};

use crate::{
    audit::{Action, AuditEntry, OpContext},
    ledger::leaf::Digest,
    store::entity,
};

/// Of a version that is kept and not in force.
pub(super) fn drafted(by: &OpContext, row: &entity::policy_version::Model) -> AuditEntry {
    let after = facts("draft", &row.sha256, Some(&row.author));
    let told = by.entry(Action::PolicyDraft, "policy", row.number).after(after);
    if row.note.is_empty() { told } else { told.because(&row.note) }
}

/// Of a version that is in force now, in the place of another one.
pub(super) fn published(
    by: &OpContext,
    action: Action,
    number: i64,
    sha256: &Digest,
    replaced: Option<i64>,
) -> AuditEntry {
    by.entry(action, "policy", number).before(json!({"in_force": replaced})).after(facts("published", sha256, None))
}

fn facts(state: &str, sha256: &[u8], author: Option<&str>) -> Value {
    let sha256: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({"state": state, "sha256": sha256, "author": author})
}
