//! What an MCP server has, and what of it becomes tools of a namespace.

use std::collections::HashSet;

use actix_web::{HttpRequest, HttpResponse, web};
use engine::{
    catalog::Visibility,
    code::Code,
    id::{ConnectionId, NamespaceId},
    service::publishing::{ConnectionKind, OwnConnection},
};
use serde_json::{Value, json};

use super::{ask, found::Found, import, imported_view, namespace_view, visibility};
use crate::{
    http::{
        asked::{Answer, Asked},
        problem::Problem,
    },
    marketplace::auth::fields::{self, Fields},
    publishing::{Author, find_namespace, parse_id, problem},
};

/// The body of an import from an MCP server.
#[derive(Debug, utoipa::ToSchema)]
pub struct ImportBody {
    /// The namespace's own connection.
    pub connection_id: String,
    /// Which tools, by their names there; left out: all.
    pub mcp_tool_names: Option<Vec<String>>,
    /// `public` or `private`, which is what they are where it is left out.
    pub visibility: Option<String>,
}

/// The tools that a connection's server has. With `namespace_id`, those that the namespace lacks are added to it.
#[utoipa::path(
    post,
    path = "/connections/{id}/scan",
    params(
        ("id" = String, Path),
        ("namespace_id" = Option<String>, Query, description = "The identifier or the slug of a namespace of this connection")
    ),
    responses(
        (status = OK, description = "The tools as the server describes them, and what was added"),
        Author,
        (status = NOT_FOUND, description = "The publisher has no such connection or namespace"),
        (status = CONFLICT, description = "The connection is no MCP server"),
        (status = UNPROCESSABLE_ENTITY, description = "The server may not be called, does not answer, or says what cannot be used"),
        (status = TOO_MANY_REQUESTS, description = "Too many servers are being asked, for this account or in all")
    )
)]
pub(crate) async fn scan_connection(id: web::Path<String>, asking: Asked<Author>) -> Answer {
    let id: ConnectionId = parse_id("connection", &id)?;
    let namespace = match namespace_of(&asking.request) {
        Some(text) => Some(find_namespace(&asking, &text).await?),
        None => None,
    };
    let connection = asking.state.services.load_connection(asking.publisher, id).await.map_err(problem)?;
    let found = scan(&asking, &connection, namespace).await?;
    let tools = found.shown().await?;
    let mut answer = json!({"connection_id": shown(id.uuid()), "returned": tools.len(), "tools": tools});
    if let (Some(namespace), Value::Object(members)) = (namespace, &mut answer) {
        let imported = import(&asking, (namespace, id), &found, Visibility::Private).await?;
        members.insert("import".to_owned(), imported_view(&imported));
    }
    Ok(HttpResponse::Ok().json(answer))
}

/// Asks the namespace's server again, and adds the tools that it lacks. Those that it has stay as they are; what their server
/// says otherwise of their arguments by now is told.
#[utoipa::path(
    post,
    path = "/namespaces/{id}/scan",
    params(("id" = String, Path, description = "The identifier, or the slug")),
    responses(
        (status = OK, description = "The tools as the server describes them, and what was added"),
        Author,
        (status = NOT_FOUND, description = "The publisher has no such namespace"),
        (status = CONFLICT, description = "The namespace's connection is no MCP server"),
        (status = UNPROCESSABLE_ENTITY, description = "The server may not be called, does not answer, or says what cannot be used"),
        (status = TOO_MANY_REQUESTS, description = "Too many servers are being asked, for this account or in all")
    )
)]
pub(crate) async fn scan_namespace(id: web::Path<String>, asking: Asked<Author>) -> Answer {
    let id = find_namespace(&asking, &id).await?;
    let namespace = asking.state.services.load_own_namespace(asking.publisher, id).await.map_err(problem)?;
    let connection = namespace.connection.ok_or_else(no_mcp_server)?;
    let connection = asking.state.services.load_connection(asking.publisher, connection).await.map_err(problem)?;
    let found = scan(&asking, &connection, Some(id)).await?;
    let known = namespace.tools.iter();
    let known = known.filter_map(|tool| Some((tool.mcp_tool.clone()?, tool.input_schema.clone())));
    let changed = found.changed(known.collect()).await?;
    let here: HashSet<&str> = found.tools().iter().map(|tool| tool.name.as_str()).collect();
    let known = namespace.tools.iter().filter_map(|tool| tool.mcp_tool.as_deref());
    let gone: Vec<String> = known.filter(|name| !here.contains(name)).map(str::to_owned).collect();
    let tools = found.shown().await?;
    let imported = import(&asking, (id, connection.id), &found, Visibility::Private).await?;
    Ok(HttpResponse::Ok().json(json!({
        "connection_id": shown(connection.id.uuid()),
        "returned": tools.len(),
        "tools": tools,
        "import": imported_view(&imported),
        "changed": changed,
        "gone": gone,
    })))
}

/// Adds tools of the namespace's server to it: all that are named, or none.
#[utoipa::path(
    post,
    path = "/namespaces/{id}/import-tools",
    params(("id" = String, Path, description = "The identifier, or the slug")),
    request_body(content = inline(ImportBody)),
    responses(
        (status = OK, description = "The namespace, and what was added"),
        Author,
        (status = NOT_FOUND, description = "The publisher has no such namespace"),
        (status = CONFLICT, description = "The connection is no MCP server, or there would be too many tools"),
        (status = UNPROCESSABLE_ENTITY, description = "The server has no such tool or cannot be asked, or a field cannot be used"),
        (status = TOO_MANY_REQUESTS, description = "Too many servers are being asked, for this account or in all")
    )
)]
pub(crate) async fn import_tools(id: web::Path<String>, asking: Asked<Author>) -> Answer {
    let id = find_namespace(&asking, &id).await?;
    let body = asking.body().await?;
    let mut fields = Fields::parse(&body)?;
    let (connection, names) = (fields.text("connection_id"), fields.optional_texts("mcp_tool_names"));
    let visibility = visibility(&mut fields);
    fields.finish()?;
    let nobodys = || fields::fault("connection_id", "is no connection of yours");
    let connection: ConnectionId = parse_id("connection", &connection).map_err(|_none| nobodys())?;
    let connection = asking.state.services.load_connection(asking.publisher, connection).await.map_err(|error| {
        let found = problem(error);
        if found.code() == Code::NotFound { nobodys() } else { found }
    })?;
    let found = scan(&asking, &connection, Some(id)).await?;
    let found = match names {
        Some(names) => named(&found, &names)?,
        None => found,
    };
    let imported = import(&asking, (id, connection.id), &found, visibility).await?;
    let mut answer = namespace_view(&asking, id).await?;
    if let Value::Object(members) = &mut answer {
        members.insert("import".to_owned(), imported_view(&imported));
    }
    Ok(HttpResponse::Ok().json(answer))
}

/// Asks a publisher's MCP server, with the secret that it is called with.
async fn scan(
    asking: &Asked<Author>,
    connection: &OwnConnection,
    namespace: Option<NamespaceId>,
) -> Result<Found, Problem> {
    if connection.kind != ConnectionKind::Mcp {
        return Err(no_mcp_server());
    }
    let credential = match namespace {
        Some(id) => asking.state.services.open_namespace_credential(asking.publisher, id).await,
        None => asking.state.services.open_connection_credential(asking.publisher, connection.id).await,
    };
    // The namespace's secret may be for another of the publisher's servers, and goes to that one alone.
    let is_for = |credential: &engine::upstream::Credential| {
        url::Url::parse(&connection.url).is_ok_and(|url| credential.is_for(&url))
    };
    let credential = credential.map_err(problem)?.filter(is_for);
    ask((&asking.state, &asking.context(), asking.account()), &connection.url, credential, "connection_id").await
}

/// The tools of these names, all of which are there.
fn named(found: &Found, names: &[String]) -> Result<Found, Problem> {
    let is_there = |name: &&String| found.tools().iter().any(|tool| tool.name == **name);
    if let Some(missing) = names.iter().find(|name| !is_there(name)) {
        let shown: String = missing.chars().take(64).collect();
        return Err(fields::fault("mcp_tool_names", &format!("the server has no tool `{shown}`")));
    }
    Ok(found.named(names))
}

fn no_mcp_server() -> Problem {
    Problem::new(Code::Conflict, "the connection is no MCP server: tools of a REST server are added one by one")
}

fn namespace_of(request: &HttpRequest) -> Option<String> {
    let mut pairs = url::form_urlencoded::parse(request.query_string().as_bytes());
    pairs.find(|(name, _)| name == "namespace_id").map(|(_, value)| value.into_owned())
}

fn shown(id: uuid::Uuid) -> String {
    id.hyphenated().to_string()
}
