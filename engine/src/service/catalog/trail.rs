//! What the audit trail tells of catalog items. No part of an address that may hold a secret.

use serde_json::{Map, Value, json};

use crate::{ledger::leaf::sha256, store::entity};

/// Of a publisher.
pub(super) fn publisher_facts(display_name: &str, share_bps: i32) -> Value {
    json!({"display_name": display_name, "share_bps": share_bps})
}

/// Of a namespace: what it does not say of itself is left out.
pub(in crate::service) fn namespace_facts(row: &entity::namespace::Model) -> Value {
    let mut facts = Map::from_iter([("description".to_owned(), json!(row.description))]);
    if let Some(name) = &row.listing_name {
        facts.insert("listing_name".to_owned(), json!(name));
    }
    add_topics(&mut facts, row.category.as_deref(), &row.tags);
    facts.into()
}

/// Adds what something is about, as far as it says so.
fn add_topics(facts: &mut Map<String, Value>, category: Option<&str>, tags: &str) {
    if let Some(category) = category {
        facts.insert("category".to_owned(), json!(category));
    }
    match serde_json::from_str::<Value>(tags) {
        Ok(Value::Array(tags)) if !tags.is_empty() => {
            facts.insert("tags".to_owned(), tags.into());
        }
        _ => {}
    }
}

/// Of a tool. That its upstream is an MCP server is told where it is one.
pub(super) fn tool_facts(row: &entity::tool::Model) -> Value {
    let schema: String = sha256(row.input_schema.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let mut facts = json!({
        "short_description": row.short_description,
        "input_schema_sha256": schema,
        "unverified_ok": row.is_unverified_ok,
        "method": row.upstream_method,
        "url": without_secrets(&row.upstream_url),
        "timeout_ms": row.timeout_ms,
    });
    if let Some(facts) = facts.as_object_mut() {
        if let Some(tool) = &row.upstream_tool {
            facts.insert("mcp_tool".to_owned(), json!(tool));
        }
        add_topics(facts, row.category.as_deref(), &row.tags);
    }
    facts
}

/// Of a price version.
pub(in crate::service) fn price_facts(tool: &str, spec: &str, from_us: i64) -> Value {
    let spec: Value = serde_json::from_str(spec).unwrap_or_default();
    json!({"tool": tool, "spec": spec, "effective_from_us": from_us})
}

/// An address without user, password, query and fragment.
pub(in crate::service) fn without_secrets(url: &str) -> String {
    let plain = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = plain.split_once("://") else { return plain.to_owned() };
    let (authority, path) = rest.split_once('/').map_or((rest, ""), |(authority, path)| (authority, path));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}/{path}")
}

#[cfg(test)]
mod tests;
