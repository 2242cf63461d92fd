//! What publishers have, in the words of the marketplace's documents. No secret is ever among it.

use engine::{
    catalog::Visibility,
    service::{
        catalog::spec_from_json,
        publishing::{
            CredentialView, ListingDraft, OwnConnection, OwnGroup, OwnNamespace, OwnProfile, OwnTool, ToolListing,
        },
    },
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::assets::address_of;
use crate::marketplace::{discovery::view::price, time_text};

pub(super) fn id(id: Uuid) -> Value {
    id.hyphenated().to_string().into()
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

fn pricing(spec: &str) -> Value {
    spec_from_json(spec).map_or(Value::Null, price)
}

fn decimal(text: &str) -> Value {
    text.parse::<serde_json::Number>().map_or_else(|_none| text.into(), Value::Number)
}

pub(super) fn profile(profile: &OwnProfile, base_url: &str) -> Value {
    json!({
        "id": id(profile.id.uuid()),
        "display_name": profile.display_name,
        "website_url": profile.website_url,
        "support_email": profile.support_email,
        "bio": profile.bio,
        "legal_name": profile.legal_name,
        "country": profile.country,
        "logo_url": profile.logo.as_deref().map(|logo| address_of(logo, base_url)),
        "status": if profile.is_suspended { "suspended" } else { "active" },
        "share_basis_points": profile.share_bps,
        "created_at": time_text(profile.created_us),
    })
}

pub(super) fn credential(credential: &CredentialView) -> Value {
    json!({
        "has_credentials": credential.is_set,
        "source": credential.is_set.then_some(if credential.is_own { "namespace" } else { "connection" }),
        "key_identifier": credential.name,
        "param_location": credential.place.map(engine::catalog::CredentialPlace::as_str),
        "param_description": credential.note,
    })
}

pub(crate) fn connection(connection: &OwnConnection) -> Value {
    let url = match connection.kind {
        engine::service::publishing::ConnectionKind::Mcp => "mcp_url",
        engine::service::publishing::ConnectionKind::Rest => "base_url",
    };
    json!({
        "id": id(connection.id.uuid()),
        "label": connection.label,
        "connection_type": connection.kind.as_str(),
        url: connection.url,
        "credentials": credential(&connection.credential),
        "created_at": time_text(connection.created_us),
        "updated_at": time_text(connection.changed_us),
    })
}

/// A namespace in a list.
pub(super) fn head(namespace: &OwnNamespace, base_url: &str) -> Value {
    json!({
        "id": id(namespace.id.uuid()),
        "namespace": namespace.name,
        "status": namespace.status.as_str(),
        "stopped_by_operator": namespace.is_stopped,
        "connection_id": namespace.connection.map(|connection| id(connection.uuid())),
        "listing_name": namespace.listing_name,
        "description": namespace.description,
        "category": namespace.category,
        "tags": namespace.tags,
        "namespace_icon_url": namespace.icon.as_deref().map(|icon| address_of(icon, base_url)),
        "has_draft": !namespace.draft.is_empty(),
        "in_review": namespace.is_handed_in(),
        "rejected_because": namespace.draft.rejected_because,
        "created_at": time_text(namespace.created_us),
    })
}

/// A namespace with everything in it.
pub(crate) fn namespace(namespace: &OwnNamespace, base_url: &str) -> Value {
    let mut view = head(namespace, base_url);
    if let Value::Object(members) = &mut view {
        let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
        put("readme_source_url", namespace.readme_source_url.clone().into());
        put("readme_content", namespace.readme_content.clone().into());
        let has_draft = !namespace.draft.is_empty();
        put("draft_listing", if has_draft { draft(&namespace.draft, base_url) } else { Value::Null });
        put("tools", namespace.tools.iter().map(tool).collect());
        put("groups", namespace.groups.iter().map(group).collect());
    }
    view
}

fn draft(draft: &ListingDraft, base_url: &str) -> Value {
    let edit = &draft.edit;
    let icon =
        edit.icon_url.as_deref().map(|icon| if icon.is_empty() { String::new() } else { address_of(icon, base_url) });
    let members = [
        ("listing_name", edit.listing_name.clone().map(Value::from)),
        ("namespace_icon_url", icon.map(Value::from)),
        ("description", edit.description.clone().map(Value::from)),
        ("readme_content", edit.readme_content.clone().map(Value::from)),
        ("category", edit.category.clone().map(Value::from)),
        ("tags", edit.tags.clone().map(Value::from)),
    ];
    let mut view: Map<String, Value> =
        members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    let tools = edit.tools.iter().map(|(tool, listing)| tool_draft(tool.uuid(), listing));
    view.insert("tools".to_owned(), tools.collect());
    let prices =
        draft.pricing.iter().map(|(group, spec)| json!({"tool_group_id": id(group.uuid()), "pricing": pricing(spec)}));
    view.insert("pricing".to_owned(), prices.collect());
    view.insert("submitted".to_owned(), draft.is_submitted.into());
    view.into()
}

fn tool_draft(tool: Uuid, listing: &ToolListing) -> Value {
    let mut view = Map::from_iter([("tool_id".to_owned(), id(tool))]);
    let members = [
        ("short_description", listing.short_description.clone().map(Value::from)),
        ("long_description", listing.long_description.clone().map(Value::from)),
        ("example_prompts", listing.example_prompts.clone().map(Value::from)),
        ("display_order", listing.display_order.map(Value::from)),
    ];
    view.extend(members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    view.into()
}

pub(crate) fn tool(tool: &OwnTool) -> Value {
    let mut view = json!({
        "id": id(tool.id.uuid()),
        "name": tool.name,
        "visibility": tool.visibility.as_str(),
        "staged_visibility": tool.staged_visibility.map(Visibility::as_str),
        "disabled_by_operator": tool.is_disabled,
        "short_description": tool.short_description,
        "long_description": tool.long_description,
        "display_order": tool.display_order,
        "example_prompts": tool.example_prompts,
        "input_schema": parsed(&tool.input_schema),
        "public_input_schema": parsed(&tool.public_schema),
        "tool_group_id": tool.group.map(|group| id(group.uuid())),
        "mcp_tool_name": tool.mcp_tool,
        "mcp_static_args": parsed(tool.static_args.as_deref().unwrap_or("{}")),
        "mcp_default_args": parsed(tool.default_args.as_deref().unwrap_or("{}")),
        "pricing_unit_fields": tool.units.fields,
        "pricing_credits_per_unit": tool.units.credits_per_unit.as_deref().map(decimal),
        "pricing": tool.pricing.as_deref().map(pricing),
        "staged_pricing": tool.staged_pricing.as_deref().map(pricing),
    });
    if let (Value::Object(members), Some(Value::Object(rest))) = (&mut view, tool.rest.as_deref().map(parsed)) {
        members.extend(rest);
    }
    view
}

/// What the publisher sets of the arguments that a tool is priced by.
pub(super) fn priced_arguments(tool: &OwnTool) -> Map<String, Value> {
    let set = tool.set_arguments().into_iter();
    set.filter_map(|(name, value)| Some((name, parsed(&value?)))).collect()
}

pub(super) fn group(group: &OwnGroup) -> Value {
    json!({
        "id": id(group.id.uuid()),
        "name": group.name,
        "description": group.description,
        "sort_order": group.sort_order,
        "is_default": group.is_default,
        "pricing": pricing(&group.pricing),
        "staged_pricing": group.staged_pricing.as_deref().map(pricing),
    })
}
