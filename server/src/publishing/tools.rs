//! A publisher's tools.

use actix_web::{HttpResponse, http::Method, web};
use engine::{
    catalog::Visibility,
    id::{NamespaceId, ToolGroupId, ToolId},
    json,
    publishing::{rest::RestShape, schema::CheckedSchema},
    service::publishing::{ArgumentsChange, NewOwnTool, OwnUpstream, RestToolChange},
};
use serde_json::Value;
use uuid::Uuid;

use super::{Author, find_namespace, insist, parse_id, problem, view};
use crate::{
    http::{
        asked::{Answer, Asked},
        problem::Problem,
        routes::{Mount, resource},
    },
    marketplace::auth::fields::Fields,
};

/// How the request of a tool is made: these members of a body, which [`RestShape`] reads.
const SHAPE: [&str; 6] =
    ["rest_method", "rest_path", "rest_param_map", "rest_body_template", "rest_static_headers", "rest_static_query"];

/// The body of a tool of a REST server: what is left out of a change stays.
#[derive(Debug, utoipa::ToSchema)]
pub struct RestToolBody {
    /// Unique in its namespace.
    pub name: Option<String>,
    /// The HTTP method.
    pub rest_method: Option<String>,
    /// Below the connection's base URL; `{argument}` stands for an argument.
    pub rest_path: Option<String>,
    /// `public` or `private`.
    pub visibility: Option<String>,
    /// One line about it.
    pub short_description: Option<String>,
    /// More about it.
    pub long_description: Option<String>,
    /// Its group.
    pub tool_group_id: Option<String>,
    /// JSON Schema of its arguments.
    pub input_schema: Option<Value>,
    /// Where arguments go: `path`, `query`, `header` or `body`.
    pub rest_param_map: Option<Value>,
    /// The body with arguments in braces.
    pub rest_body_template: Option<Value>,
    /// Headers that are always sent.
    pub rest_static_headers: Option<Value>,
    /// Parameters that are always sent.
    pub rest_static_query: Option<Value>,
}

/// The body of a new name.
#[derive(Debug, utoipa::ToSchema)]
pub struct NameBody {
    /// Unique in its namespace.
    pub name: String,
}

/// The body of who sees a tool.
#[derive(Debug, utoipa::ToSchema)]
pub struct VisibilityBody {
    /// `public` or `private`.
    pub visibility: String,
}

/// The body of a tool's group.
#[derive(Debug, utoipa::ToSchema)]
pub struct ToolGroupBody {
    /// A group of the same namespace.
    pub tool_group_id: String,
}

/// The body of a tool's arguments: what is left out stays, `{}`, `[]` and `0` take away.
#[derive(Debug, utoipa::ToSchema)]
pub struct ArgumentsBody {
    /// Set whatever the caller says, and hidden.
    pub mcp_static_args: Option<Value>,
    /// Set where the caller says nothing.
    pub mcp_default_args: Option<Value>,
    /// JSON Schema of the arguments.
    pub input_schema: Option<Value>,
    /// By which arguments it is priced.
    pub pricing_unit_fields: Option<Vec<String>>,
    /// What a unit costs, in credits.
    pub pricing_credits_per_unit: Option<String>,
}

pub(super) fn configure(routes: &mut Mount<'_>) {
    let tool = |part: &str| format!("/namespaces/{{id}}/tools/{{tool}}/{part}");
    routes
        .service(resource("/namespaces/{id}/tools/rest", [(Method::POST, web::to(create_rest))]))
        .service(resource(&tool("rest"), [(Method::PUT, web::to(change_rest))]))
        .service(resource(&tool("name"), [(Method::PUT, web::to(rename))]))
        .service(resource(&tool("visibility"), [(Method::PUT, web::to(set_visibility))]))
        .service(resource(&tool("group"), [(Method::PUT, web::to(set_group))]))
        .service(resource(&tool("mcp"), [(Method::PUT, web::to(set_arguments))]));
}

/// The tool that a path names, and the body.
async fn read(asking: &Asked<Author>, path: &(String, String)) -> Result<((NamespaceId, ToolId), String), Problem> {
    let tool = (find_namespace(asking, &path.0).await?, parse_id("tool", &path.1)?);
    Ok((tool, asking.body().await?))
}

fn read_visibility(fields: &mut Fields<'_>) -> Option<Visibility> {
    let word = fields.optional_text("visibility")?;
    let visibility = Visibility::from_wire(&word);
    if visibility.is_none() {
        fields.fault("visibility", "must be `public` or `private`");
    }
    visibility
}

/// An identifier that is none is that of no group.
fn read_group(fields: &mut Fields<'_>) -> Option<ToolGroupId> {
    let text = fields.optional_text("tool_group_id")?;
    Some(parse_id("group", &text).unwrap_or_else(|_none| Uuid::nil().into()))
}

fn leave_shape(fields: &mut Fields<'_>) {
    for name in SHAPE {
        fields.is_given(name);
    }
}

/// Adds a tool to a namespace whose connection is a REST server.
#[utoipa::path(
    post,
    path = "/namespaces/{id}/tools/rest",
    params(("id" = String, Path, description = "The identifier, or the slug")),
    request_body(content = inline(RestToolBody)),
    responses(
        (status = CREATED, description = "The tool"),
        Author,
        (status = NOT_FOUND, description = "The publisher has no such namespace"),
        (status = CONFLICT, description = "There are too many tools, or the name is kept for another one"),
        (status = UNPROCESSABLE_ENTITY, description = "A field cannot be used")
    )
)]
pub(crate) async fn create_rest(id: web::Path<String>, asking: Asked<Author>) -> Answer {
    let id = find_namespace(&asking, &id).await?;
    let body = asking.body().await?;
    let new = read_new(&body)?;
    let by = asking.context();
    let made = insist!(asking.state.services.create_rest_tool(&by, asking.publisher, id, new.clone()))?;
    Ok(HttpResponse::Created().json(view::tool(&made)))
}

fn read_new(body: &str) -> Result<NewOwnTool, Problem> {
    let mut fields = Fields::parse(body)?;
    let name = fields.text("name");
    let visibility = read_visibility(&mut fields).unwrap_or(Visibility::Private);
    let (short, long) = (fields.optional_text("short_description"), fields.optional_text("long_description"));
    let (group, input_schema) = (read_group(&mut fields), fields.optional_source("input_schema"));
    leave_shape(&mut fields);
    fields.finish()?;
    let whole = json::parse(body).map_err(|error| Problem::new(error.code(), error.to_string()))?;
    let shape = RestShape::read(&whole).map_err(|fault| problem(fault.into()))?;
    let input_schema = input_schema.map(CheckedSchema::new).transpose().map_err(|fault| problem(fault.into()))?;
    Ok(NewOwnTool {
        name,
        short_description: short.unwrap_or_default(),
        long_description: long.unwrap_or_default(),
        input_schema,
        visibility,
        group,
        upstream: OwnUpstream::Rest(shape),
    })
}

/// Changes a tool of a REST server.
#[utoipa::path(
    put,
    path = "/namespaces/{id}/tools/{tool}/rest",
    params(("id" = String, Path, description = "The identifier, or the slug"), ("tool" = String, Path)),
    request_body(content = inline(RestToolBody)),
    responses(
        (status = OK, description = "The tool as it is now"),
        Author,
        (status = NOT_FOUND, description = "The publisher has no such namespace, or the namespace no such tool"),
        (status = CONFLICT, description = "It is no tool of a REST server, or the name is kept for another one"),
        (status = UNPROCESSABLE_ENTITY, description = "A field cannot be used")
    )
)]
pub(crate) async fn change_rest(path: web::Path<(String, String)>, asking: Asked<Author>) -> Answer {
    let (tool, body) = read(&asking, &path).await?;
    let mut fields = Fields::parse(&body)?;
    let mut wanted = RestToolChange {
        name: fields.optional_text("name"),
        short_description: fields.optional_text("short_description"),
        long_description: fields.optional_text("long_description"),
        input_schema: fields.optional_source("input_schema"),
        visibility: read_visibility(&mut fields),
        group: read_group(&mut fields),
        shape: None,
    };
    leave_shape(&mut fields);
    fields.finish()?;
    wanted.shape = json::parse(&body).ok();
    let by = asking.context();
    let changed = insist!(asking.state.services.change_rest_tool(&by, asking.publisher, tool, &wanted))?;
    Ok(HttpResponse::Ok().json(view::tool(&changed)))
}

/// Calls a tool something else: under the old name nobody finds it from now on.
#[utoipa::path(
    put,
    path = "/namespaces/{id}/tools/{tool}/name",
    params(("id" = String, Path, description = "The identifier, or the slug"), ("tool" = String, Path)),
    request_body(content = inline(NameBody)),
    responses(
        (status = OK, description = "The tool as it is now"),
        Author,
        (status = NOT_FOUND, description = "The publisher has no such namespace, or the namespace no such tool"),
        (status = CONFLICT, description = "The name is kept for another tool that had it, or too many were given up"),
        (status = UNPROCESSABLE_ENTITY, description = "The name cannot be used")
    )
)]
pub(crate) async fn rename(path: web::Path<(String, String)>, asking: Asked<Author>) -> Answer {
    let (tool, body) = read(&asking, &path).await?;
    let mut fields = Fields::parse(&body)?;
    let name = fields.text("name");
    fields.finish()?;
    let by = asking.context();
    let changed = insist!(asking.state.services.rename_tool(&by, asking.publisher, tool, &name))?;
    Ok(HttpResponse::Ok().json(view::tool(&changed)))
}

/// Says who sees a tool: with the next search and the next call, or with the next approval where nobody has approved it.
#[utoipa::path(
    put,
    path = "/namespaces/{id}/tools/{tool}/visibility",
    params(("id" = String, Path, description = "The identifier, or the slug"), ("tool" = String, Path)),
    request_body(content = inline(VisibilityBody)),
    responses(
        (status = OK, description = "The tool as it is now"),
        Author,
        (status = NOT_FOUND, description = "The publisher has no such namespace, or the namespace no such tool"),
        (status = UNPROCESSABLE_ENTITY, description = "No such visibility")
    )
)]
pub(crate) async fn set_visibility(path: web::Path<(String, String)>, asking: Asked<Author>) -> Answer {
    let (tool, body) = read(&asking, &path).await?;
    let mut fields = Fields::parse(&body)?;
    let visibility = read_visibility(&mut fields);
    if visibility.is_none() && !fields.has_fault("visibility") {
        fields.fault("visibility", "is missing");
    }
    fields.finish()?;
    let (visibility, by) = (visibility.unwrap_or(Visibility::Private), asking.context());
    let changed = insist!(asking.state.services.set_tool_visibility(&by, asking.publisher, tool, visibility))?;
    Ok(HttpResponse::Ok().json(view::tool(&changed)))
}

/// Puts a tool into another group, with its price: of a namespace in public, with the next approval.
#[utoipa::path(
    put,
    path = "/namespaces/{id}/tools/{tool}/group",
    params(("id" = String, Path, description = "The identifier, or the slug"), ("tool" = String, Path)),
    request_body(content = inline(ToolGroupBody)),
    responses(
        (status = OK, description = "The tool as it is now"),
        Author,
        (status = NOT_FOUND, description = "The publisher has no such namespace, or the namespace no such tool"),
        (status = UNPROCESSABLE_ENTITY, description = "No such group, or its price makes no sense for the tool")
    )
)]
pub(crate) async fn set_group(path: web::Path<(String, String)>, asking: Asked<Author>) -> Answer {
    let (tool, body) = read(&asking, &path).await?;
    let mut fields = Fields::parse(&body)?;
    let group = read_group(&mut fields);
    if group.is_none() && !fields.has_fault("tool_group_id") {
        fields.fault("tool_group_id", "is missing");
    }
    fields.finish()?;
    let (group, by) = (group.unwrap_or_else(|| Uuid::nil().into()), asking.context());
    let changed = insist!(asking.state.services.set_tool_group(&by, asking.publisher, tool, group))?;
    Ok(HttpResponse::Ok().json(view::tool(&changed)))
}

/// Sets the arguments of a tool that its publisher decides on, and those that it is priced by.
#[utoipa::path(
    put,
    path = "/namespaces/{id}/tools/{tool}/mcp",
    params(("id" = String, Path, description = "The identifier, or the slug"), ("tool" = String, Path)),
    request_body(content = inline(ArgumentsBody)),
    responses(
        (status = OK, description = "The tool as it is now"),
        Author,
        (status = NOT_FOUND, description = "The publisher has no such namespace, or the namespace no such tool"),
        (status = UNPROCESSABLE_ENTITY, description = "A field cannot be used")
    )
)]
pub(crate) async fn set_arguments(path: web::Path<(String, String)>, asking: Asked<Author>) -> Answer {
    let (tool, body) = read(&asking, &path).await?;
    let mut fields = Fields::parse(&body)?;
    let wanted = ArgumentsChange {
        static_args: fields.optional_source("mcp_static_args"),
        default_args: fields.optional_source("mcp_default_args"),
        input_schema: fields.optional_source("input_schema"),
        unit_fields: fields.optional_texts("pricing_unit_fields"),
        credits_per_unit: fields.optional_digits("pricing_credits_per_unit"),
    };
    fields.finish()?;
    let by = asking.context();
    let changed = insist!(asking.state.services.set_tool_arguments(&by, asking.publisher, tool, &wanted))?;
    Ok(HttpResponse::Ok().json(view::tool(&changed)))
}
