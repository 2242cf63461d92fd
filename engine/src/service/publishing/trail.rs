//! What the audit trail tells of what publishers change: no secret, and of long texts and pictures only their digests.

use serde_json::{Map, Value, json};

use super::own_json;
use crate::{
    id::{ConnectionId, ToolGroupId},
    ledger::{hex::hex, leaf::sha256},
    service::catalog::{facts_of, namespace_facts, without_secrets},
    store::entity,
};

fn digest(text: &str) -> Value {
    hex(&sha256(text.as_bytes())).into()
}

fn with(mut facts: Value, more: Map<String, Value>) -> Value {
    if let Value::Object(facts) = &mut facts {
        facts.extend(more);
    }
    facts
}

/// Of a namespace.
pub(super) fn namespace(row: &entity::namespace::Model) -> Value {
    let mut more = Map::from_iter([
        ("name".to_owned(), json!(row.name)),
        ("status".to_owned(), json!(row.status)),
        ("suspended".to_owned(), json!(row.is_suspended)),
    ]);
    let texts = [
        ("connection", row.connection_id.map(|id| ConnectionId::from(id).to_string().into())),
        ("icon", row.icon.as_deref().map(|icon| without_secrets(icon).into())),
        ("readme_source_url", row.readme_source_url.as_deref().map(|url| without_secrets(url).into())),
        ("readme_sha256", row.readme_content.as_deref().map(digest)),
        ("draft_sha256", row.draft_listing.as_deref().map(digest)),
        // That there is one, and when it changes that it does; what it is nobody can tell from this.
        ("credential_sha256", row.credential.as_ref().map(|sealed| hex(&sha256(sealed)).into())),
        ("key_identifier", row.key_identifier.clone().map(Value::from)),
    ];
    more.extend(texts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    with(namespace_facts(row), more)
}

/// Of a tool.
pub(super) fn tool(path: &str, row: &entity::tool::Model) -> Value {
    let mut more = Map::from_iter([
        ("visibility".to_owned(), json!(row.visibility)),
        ("display_order".to_owned(), json!(row.display_order)),
        ("example_prompts_sha256".to_owned(), digest(&row.example_prompts)),
    ]);
    // What a publisher sets may be meant for nobody else.
    let texts = [
        ("group", row.group_id.map(|id| ToolGroupId::from(id).to_string().into())),
        ("rest_sha256", row.rest.as_deref().map(digest)),
        ("static_args_sha256", row.static_args.as_deref().map(digest)),
        ("default_args_sha256", row.default_args.as_deref().map(digest)),
        ("pricing_unit_fields", row.unit_fields.as_deref().map(own_json)),
        ("pricing_credits_per_unit", row.credits_per_unit.clone().map(Value::from)),
    ];
    more.extend(texts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    with(facts_of(path, row), more)
}

/// Of a group.
pub(super) fn group(row: &entity::tool_group::Model) -> Value {
    json!({
        "name": row.name,
        "description_sha256": digest(&row.description),
        "sort_order": row.sort_order,
        "pricing": own_json(&row.pricing),
    })
}

/// Of a server.
pub(super) fn connection(row: &entity::connection::Model) -> Value {
    json!({
        "label": row.label,
        "kind": row.kind,
        "url": without_secrets(&row.url),
        "credential_sha256": row.credential.as_ref().map(|sealed| hex(&sha256(sealed))),
        "key_identifier": row.key_identifier,
        "param_location": row.param_location,
    })
}

/// Of a publisher. Neither its address nor its people's name: they may have to be erased.
pub(super) fn publisher(row: &entity::publisher::Model) -> Value {
    json!({
        "display_name": row.display_name,
        "share_bps": row.share_bps,
        "website_url": row.website_url.as_deref().map(without_secrets),
        "has_support_email": row.support_email.is_some(),
        "has_legal_name": row.legal_name.is_some(),
        "bio_sha256": row.bio.as_deref().map(digest),
        "country": row.country,
        "logo": row.logo.as_deref().map(without_secrets),
    })
}
