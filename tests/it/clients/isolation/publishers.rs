//! The rows of publishers.

use super::{
    house::Who,
    table::{Foreign, MISSING, PICTURE, Party, Row, row},
    things::Thing,
};

const NOBODY: (Who, u16, &str) = (Who::Nobody, 401, "missing_token");
const NO_ACCOUNT: (Who, u16, &str) = (Who::Globex, 403, "publisher_required");

const PUBLISHER: Party = Party {
    owner: Who::Carol,
    strangers: &[Who::Dave],
    outsiders: &[NOBODY, NO_ACCOUNT, (Who::Bob, 403, "publisher_required"), (Who::Unknown, 401, "invalid_token")],
};
/// Where whoever has an account becomes a publisher by the way.
const SETUP: Party = Party {
    owner: Who::Carol,
    strangers: &[Who::Dave, Who::Bob],
    outsiders: &[NOBODY, NO_ACCOUNT, (Who::Unknown, 401, "invalid_token")],
};
const NEWCOMER: Party = Party { owner: Who::Erin, strangers: &[], outsiders: &[NOBODY, NO_ACCOUNT] };
/// Pictures are shown to whoever looks at a listing.
const PICTURES: Party = Party { owner: Who::Carol, strangers: &[Who::Nobody], outsiders: &[] };

/// What a body names and is not there is a fault of the body, or missing: the same either way for whoever it is not.
const NO_SUCH: Foreign = Foreign::AsUnknown(&[404, 422]);
const TAKEN: Foreign = Foreign::Taken(&[409, 422]);

const CONNECTION: &[(&str, Thing)] = &[("id", Thing::Connection)];
const SPACE: &[(&str, Thing)] = &[("id", Thing::Namespace)];
const MCP_SPACE: &[(&str, Thing)] = &[("id", Thing::McpNamespace)];
const TOOL: &[(&str, Thing)] = &[("id", Thing::Namespace), ("tid", Thing::Tool)];
const MCP_TOOL: &[(&str, Thing)] = &[("id", Thing::McpNamespace), ("tid", Thing::Tool)];
const GROUP: &[(&str, Thing)] = &[("id", Thing::Namespace), ("gid", Thing::Group)];
const CREDENTIAL: &str = r#"{"api_key": "quetzal-key", "key_identifier": "Authorization", "param_location": "header"}"#;
const SPEC: &str = r#"{"namespace": "{namespace}", "spec": {"openapi": "3.0.3", "info": {"title": "T", "version": "1"},
    "servers": [{"url": "{receiver}"}], "paths": {"/s": {"post": {"operationId": "s", "responses": {"200": {
    "description": "x", "content": {"application/json": {"schema": {"type": "object"}}}}}}}}}}"#;

pub(super) const ROWS: &[Row] = &[
    row(NEWCOMER, "POST /publishers/register", &[], Foreign::Own).body(r#"{"display_name": "Erin's"}"#),
    row(PUBLISHER, "GET /publishers/me", &[], Foreign::Nothing).shows("Quetzal"),
    row(PUBLISHER, "PUT /publishers/me", &[], Foreign::Own).body(r#"{"country": "ES"}"#).keeps("/publishers/me"),
    row(PUBLISHER, "POST /publishers/me/logo", &[], Foreign::Own).body(PICTURE).keeps("/publishers/me"),
    row(PICTURES, "GET /assets/{id}", &[("id", Thing::Picture)], Foreign::Nothing),
    row(PUBLISHER, "GET /publishers/earnings", &[("+earned", Thing::Earned)], Foreign::Nothing).shows("{+earned}"),
    row(PUBLISHER, "GET /publishers/sales-summary", &[("+sale", Thing::CountedSale)], Foreign::Nothing)
        .query("?period=month&month=2025-10")
        .shows("{+sale}"),
    row(PUBLISHER, "GET /publishers/invocations", &[("+sale", Thing::Sale)], Foreign::Nothing).shows("{+sale}"),
    row(PUBLISHER, "PATCH /publishers/invocations/{id}/acknowledge", &[("id", Thing::Sale)], MISSING)
        .keeps("/publishers/invocations"),
    // Connections.
    row(PUBLISHER, "GET /connections/", &[("+connection", Thing::Connection)], Foreign::Nothing).shows("{+connection}"),
    row(PUBLISHER, "POST /connections/", &[], Foreign::Own)
        .body(r#"{"label": "another", "connection_type": "rest", "base_url": "{receiver}"}"#),
    row(PUBLISHER, "GET /connections/{id}", CONNECTION, MISSING).shows("{id}"),
    row(PUBLISHER, "DELETE /connections/{id}", CONNECTION, MISSING).keeps("/connections/{id}"),
    row(
        PUBLISHER,
        "POST /connections/{id}/scan",
        &[("id", Thing::McpConnection), ("namespace_id", Thing::McpNamespace)],
        NO_SUCH,
    )
    .query("?namespace_id={namespace_id}")
    .keeps("/namespaces/{namespace_id}"),
    row(PUBLISHER, "PUT /connections/{id}/credentials", CONNECTION, MISSING)
        .body(CREDENTIAL)
        .keeps("/connections/{id}"),
    row(PUBLISHER, "POST /connections/import-openapi", &[("namespace", Thing::Slug)], TAKEN).body(SPEC),
    // Namespaces.
    row(PUBLISHER, "GET /namespaces/", &[("+space", Thing::Namespace)], Foreign::Nothing).shows("{+space}"),
    row(PUBLISHER, "POST /namespaces/", &[("namespace", Thing::Slug), ("connection_id", Thing::Connection)], NO_SUCH)
        .body(r#"{"namespace": "{namespace}", "connection_id": "{connection_id}"}"#),
    row(SETUP, "POST /namespaces/quick-setup", &[("namespace", Thing::Slug)], TAKEN)
        .body(r#"{"namespace": "{namespace}", "mcp_url": "{mcp}"}"#),
    row(PUBLISHER, "GET /namespaces/{id}", SPACE, MISSING).shows("{id}"),
    row(PUBLISHER, "PUT /namespaces/{id}", &[("id", Thing::Namespace), ("namespace", Thing::Slug)], MISSING)
        .body(r#"{"namespace": "{namespace}"}"#)
        .keeps("/namespaces/{id}"),
    row(PUBLISHER, "POST /namespaces/{id}/icon", SPACE, MISSING).body(PICTURE).keeps("/namespaces/{id}"),
    row(PUBLISHER, "POST /namespaces/{id}/scan", MCP_SPACE, MISSING).keeps("/namespaces/{id}"),
    row(
        PUBLISHER,
        "POST /namespaces/{id}/import-tools",
        &[("id", Thing::McpNamespace), ("connection_id", Thing::McpConnection)],
        NO_SUCH,
    )
    .body(r#"{"connection_id": "{connection_id}", "visibility": "private"}"#)
    .keeps("/namespaces/{id}"),
    row(PUBLISHER, "POST /namespaces/{id}/fetch-readme", SPACE, MISSING)
        .body(r#"{"url": "{receiver}/readme"}"#)
        .keeps("/namespaces/{id}"),
    row(PUBLISHER, "POST /namespaces/{id}/generate-listing", SPACE, MISSING).body("{}").refused_to_all(501),
    row(PUBLISHER, "POST /namespaces/{id}/auto-listing", SPACE, MISSING).refused_to_all(501),
    row(
        PUBLISHER,
        "PUT /namespaces/{id}/listing",
        &[("id", Thing::Namespace), ("tools.0.tool_id", Thing::Tool)],
        NO_SUCH,
    )
    .body(r#"{"description": "d", "tools": [{"tool_id": "{tools.0.tool_id}", "short_description": "s"}]}"#)
    .keeps("/namespaces/{id}"),
    // It is not complete, which only its publisher is told.
    row(PUBLISHER, "PUT /namespaces/{id}/publish", SPACE, MISSING)
        .body(r#"{"action": "review"}"#)
        .keeps("/namespaces/{id}")
        .refused_to_all(422),
    row(PUBLISHER, "PUT /namespaces/{id}/status", SPACE, MISSING)
        .body(r#"{"status": "suspended"}"#)
        .keeps("/namespaces/{id}"),
    row(PUBLISHER, "DELETE /namespaces/{id}/draft", SPACE, MISSING).keeps("/namespaces/{id}"),
    row(PUBLISHER, "GET /namespaces/{id}/credentials", SPACE, MISSING),
    row(PUBLISHER, "PUT /namespaces/{id}/credentials", SPACE, MISSING)
        .body(CREDENTIAL)
        .keeps("/namespaces/{id}/credentials"),
    // Tools.
    row(PUBLISHER, "PUT /namespaces/{id}/tools/{tid}/name", TOOL, MISSING)
        .body(r#"{"name": "taken"}"#)
        .keeps("/namespaces/{id}"),
    row(PUBLISHER, "PUT /namespaces/{id}/tools/{tid}/visibility", TOOL, MISSING)
        .body(r#"{"visibility": "public"}"#)
        .keeps("/namespaces/{id}"),
    row(
        PUBLISHER,
        "PUT /namespaces/{id}/tools/{tid}/group",
        &[("id", Thing::Namespace), ("tid", Thing::Tool), ("tool_group_id", Thing::Group)],
        NO_SUCH,
    )
    .body(r#"{"tool_group_id": "{tool_group_id}"}"#)
    .keeps("/namespaces/{id}"),
    row(
        PUBLISHER,
        "POST /namespaces/{id}/tools/rest",
        &[("id", Thing::Namespace), ("tool_group_id", Thing::Group)],
        NO_SUCH,
    )
    .body(
        r#"{"name": "more", "rest_method": "GET", "rest_path": "/m", "visibility": "private",
            "tool_group_id": "{tool_group_id}"}"#,
    )
    .keeps("/namespaces/{id}"),
    row(
        PUBLISHER,
        "PUT /namespaces/{id}/tools/{tid}/rest",
        &[("id", Thing::Namespace), ("tid", Thing::Tool), ("tool_group_id", Thing::Group)],
        NO_SUCH,
    )
    .body(r#"{"rest_path": "/q", "tool_group_id": "{tool_group_id}"}"#)
    .keeps("/namespaces/{id}"),
    row(PUBLISHER, "PUT /namespaces/{id}/tools/{tid}/mcp", MCP_TOOL, MISSING)
        .body(r#"{"mcp_static_args": {}}"#)
        .keeps("/namespaces/{id}"),
    // Groups.
    row(PUBLISHER, "GET /namespaces/{id}/groups", &[("id", Thing::Namespace), ("+group", Thing::Group)], MISSING)
        .shows("{+group}"),
    row(PUBLISHER, "POST /namespaces/{id}/groups", SPACE, MISSING)
        .body(r#"{"name": "G", "sort_order": 0}"#)
        .keeps("/namespaces/{id}/groups"),
    row(PUBLISHER, "PUT /namespaces/{id}/groups/{gid}", GROUP, MISSING)
        .body(r#"{"name": "H"}"#)
        .keeps("/namespaces/{id}/groups"),
    row(PUBLISHER, "DELETE /namespaces/{id}/groups/{gid}", GROUP, MISSING).keeps("/namespaces/{id}/groups"),
    row(PUBLISHER, "PUT /namespaces/{id}/groups/{gid}/pricing", GROUP, MISSING)
        .body(r#"{"pricing_mode": "fixed_per_request", "charge_on": "success", "fixed_credit_cost": "5"}"#)
        .keeps("/namespaces/{id}/groups"),
];
