//! A publisher's servers.

use actix_web::{HttpResponse, http::Method, web};
use engine::{
    catalog::CredentialPlace,
    service::publishing::{ConnectionKind, CredentialInput, NewConnection},
};
use serde_json::Value;

use super::{Asking, Author, insist, parse_id, problem, view};
use crate::{
    http::{
        asked::{Answer, Asked},
        problem::Problem,
        routes::{Mount, resource},
    },
    marketplace::auth::{fields::Fields, store_problem},
};

/// The body of a new server.
#[derive(Debug, utoipa::ToSchema)]
pub struct ConnectionBody {
    /// For its publisher.
    pub label: String,
    /// `mcp` or `rest`.
    pub connection_type: String,
    /// Of an MCP server: its URL.
    pub mcp_url: Option<String>,
    /// Of a REST server: the base of every path.
    pub base_url: Option<String>,
}

/// The body of what a server asks of its callers.
#[derive(utoipa::ToSchema)]
#[expect(missing_debug_implementations, reason = "it holds a secret, and is only described, never made")]
pub struct CredentialsBody {
    /// The secret: kept sealed, and never shown again.
    pub api_key: String,
    /// The name of the header or of the parameter.
    pub key_identifier: String,
    /// `header` or `query`.
    pub param_location: String,
    /// What it is for.
    pub param_description: Option<String>,
}

pub(super) fn configure(routes: &mut Mount<'_>) {
    routes
        .service(resource("/connections/", [(Method::GET, web::to(list)), (Method::POST, web::to(create))]))
        .service(resource("/connections/{id}", [(Method::GET, web::to(show)), (Method::DELETE, web::to(remove))]))
        .service(resource("/connections/{id}/credentials", [(Method::PUT, web::to(set_credentials))]));
}

/// The publisher's servers, the oldest first.
#[utoipa::path(
    get,
    path = "/connections/",
    responses(
        (status = OK, description = "The connections, without their secrets"),
        Asking
    )
)]
pub(crate) async fn list(asking: Asked<Asking>) -> Answer {
    let found = asking.state.services.list_connections(asking.publisher).await.map_err(store_problem)?;
    Ok(HttpResponse::Ok().json(found.iter().map(view::connection).collect::<Vec<Value>>()))
}

/// Adds a server.
#[utoipa::path(
    post,
    path = "/connections/",
    request_body(content = inline(ConnectionBody)),
    responses(
        (status = CREATED, description = "The connection"),
        Author,
        (status = CONFLICT, description = "There are too many"),
        (status = UNPROCESSABLE_ENTITY, description = "A field cannot be used")
    )
)]
pub(crate) async fn create(asking: Asked<Author>) -> Answer {
    let body = asking.body().await?;
    let mut fields = Fields::parse(&body)?;
    let (label, kind) = (fields.text("label"), fields.text("connection_type"));
    let kind = ConnectionKind::from_wire(&kind);
    if kind.is_none() && !fields.has_fault("connection_type") {
        fields.fault("connection_type", "must be `mcp` or `rest`");
    }
    let url = match kind {
        Some(ConnectionKind::Rest) => fields.text("base_url"),
        Some(ConnectionKind::Mcp) | None => fields.text("mcp_url"),
    };
    fields.finish()?;
    let new = NewConnection { label: &label, kind: kind.unwrap_or(ConnectionKind::Mcp), url: &url };
    let by = asking.context();
    let made = insist!(asking.state.services.create_connection(&by, asking.publisher, &new))?;
    Ok(HttpResponse::Created().json(view::connection(&made)))
}

/// One server.
#[utoipa::path(
    get,
    path = "/connections/{id}",
    params(("id" = String, Path)),
    responses(
        (status = OK, description = "The connection, without its secret"),
        Asking,
        (status = NOT_FOUND, description = "The publisher has no such connection")
    )
)]
pub(crate) async fn show(id: web::Path<String>, asking: Asked<Asking>) -> Answer {
    let id = parse_id("connection", &id)?;
    let found = asking.state.services.load_connection(asking.publisher, id).await.map_err(problem)?;
    Ok(HttpResponse::Ok().json(view::connection(&found)))
}

/// Removes a server that no namespace uses.
#[utoipa::path(
    delete,
    path = "/connections/{id}",
    params(("id" = String, Path)),
    responses(
        (status = NO_CONTENT, description = "Removed"),
        Author,
        (status = NOT_FOUND, description = "The publisher has no such connection"),
        (status = CONFLICT, description = "A namespace uses it")
    )
)]
pub(crate) async fn remove(id: web::Path<String>, asking: Asked<Author>) -> Answer {
    let (id, by) = (parse_id("connection", &id)?, asking.context());
    insist!(asking.state.services.remove_connection(&by, asking.publisher, id))?;
    Ok(HttpResponse::NoContent().finish())
}

/// Sets what a server asks of its callers. The secret is never shown again.
#[utoipa::path(
    put,
    path = "/connections/{id}/credentials",
    params(("id" = String, Path)),
    request_body(content = inline(CredentialsBody)),
    responses(
        (status = OK, description = "That there is a secret, and where it is sent"),
        Author,
        (status = NOT_FOUND, description = "The publisher has no such connection"),
        (status = UNPROCESSABLE_ENTITY, description = "A field cannot be used")
    )
)]
pub(crate) async fn set_credentials(id: web::Path<String>, asking: Asked<Author>) -> Answer {
    let id = parse_id("connection", &id)?;
    let body = asking.body().await?;
    let (input, by) = (read_credential(&body)?, asking.context());
    let set = insist!(asking.state.services.set_connection_credential(&by, asking.publisher, id, &input))?;
    Ok(HttpResponse::Ok().json(view::credential(&set)))
}

/// The body of what a server asks of its callers.
pub(super) fn read_credential(body: &str) -> Result<CredentialInput, Problem> {
    let mut fields = Fields::parse(body)?;
    let (secret, name) = (fields.text("api_key"), fields.text("key_identifier"));
    let location = fields.text("param_location");
    let place = CredentialPlace::from_wire(&location);
    if place.is_none() && !fields.has_fault("param_location") {
        fields.fault("param_location", "must be `header` or `query`");
    }
    let note = fields.optional_text("param_description");
    fields.finish()?;
    Ok(CredentialInput { secret: secret.into(), name, place: place.unwrap_or(CredentialPlace::Header), note })
}
