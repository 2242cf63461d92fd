//! A publisher's namespaces: by their identifiers, or by their slugs.

use actix_web::{HttpResponse, http::Method, web};
use engine::service::publishing::{NamespaceChange, NewOwnNamespace};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Asking, Author,
    assets::{address_of, own_path},
    connections::read_credential,
    find_namespace, insist, parse_id, problem,
    upload::read_file,
    view,
};
use crate::{
    http::{
        asked::{Answer, Asked},
        routes::{Mount, resource},
    },
    marketplace::auth::{base_url, fields::Fields},
};

/// The body of a new namespace.
#[derive(Debug, utoipa::ToSchema)]
pub struct NamespaceBody {
    /// The slug: 2 to 64 small letters, digits and hyphens.
    pub namespace: String,
    /// Where its tools are.
    pub connection_id: String,
    /// Where more about it is said.
    pub readme_source_url: Option<String>,
}

/// The body of a change: what is left out stays, an empty text takes away.
#[derive(Debug, utoipa::ToSchema)]
pub struct NamespaceChangeBody {
    /// The slug: nobody finds it under the old one any more.
    pub namespace: Option<String>,
    /// Where more about it is said.
    pub readme_source_url: Option<String>,
    /// Where its picture is.
    pub namespace_icon_url: Option<String>,
}

pub(super) fn configure(routes: &mut Mount<'_>) {
    routes
        .service(resource("/namespaces/", [(Method::GET, web::to(list)), (Method::POST, web::to(create))]))
        .service(resource("/namespaces/{id}", [(Method::GET, web::to(show)), (Method::PUT, web::to(change))]))
        .service(resource("/namespaces/{id}/icon", [(Method::POST, web::to(set_icon))]))
        .service(resource(
            "/namespaces/{id}/credentials",
            [(Method::GET, web::to(show_credentials)), (Method::PUT, web::to(set_credentials))],
        ));
}

/// The publisher's namespaces by name, without their tools.
#[utoipa::path(
    get,
    path = "/namespaces/",
    responses(
        (status = OK, description = "The namespaces"),
        Asking
    )
)]
pub(crate) async fn list(asking: Asked<Asking>) -> Answer {
    let found = asking.state.services.list_own_namespaces(asking.publisher).await.map_err(problem)?;
    let base_url = base_url(&asking.state);
    Ok(HttpResponse::Ok().json(found.iter().map(|found| view::head(found, &base_url)).collect::<Vec<Value>>()))
}

/// Adds a namespace, which is a draft: nobody else knows of it until it is approved.
#[utoipa::path(
    post,
    path = "/namespaces/",
    request_body(content = inline(NamespaceBody)),
    responses(
        (status = CREATED, description = "The namespace"),
        Author,
        (status = CONFLICT, description = "There are too many, or the name is kept for the namespace that had it"),
        (status = UNPROCESSABLE_ENTITY, description = "A field cannot be used")
    )
)]
pub(crate) async fn create(asking: Asked<Author>) -> Answer {
    let body = asking.body().await?;
    let mut fields = Fields::parse(&body)?;
    let (name, connection) = (fields.text("namespace"), fields.text("connection_id"));
    let readme_source_url = fields.optional_text("readme_source_url");
    fields.finish()?;
    // What is no identifier is nobody's connection.
    let connection = parse_id("connection", &connection).unwrap_or_else(|_none| Uuid::nil().into());
    let new = NewOwnNamespace { name: &name, connection, readme_source_url: readme_source_url.as_deref() };
    let by = asking.context();
    let made = insist!(asking.state.services.create_own_namespace(&by, asking.publisher, &new))?;
    Ok(HttpResponse::Created().json(view::namespace(&made, &base_url(&asking.state))))
}

/// One namespace with everything in it.
#[utoipa::path(
    get,
    path = "/namespaces/{id}",
    params(("id" = String, Path, description = "The identifier, or the slug")),
    responses(
        (status = OK, description = "The namespace with its tools and groups"),
        Asking,
        (status = NOT_FOUND, description = "The publisher has no such namespace")
    )
)]
pub(crate) async fn show(id: web::Path<String>, asking: Asked<Asking>) -> Answer {
    let id = find_namespace(&asking, &id).await?;
    let found = asking.state.services.load_own_namespace(asking.publisher, id).await.map_err(problem)?;
    Ok(HttpResponse::Ok().json(view::namespace(&found, &base_url(&asking.state))))
}

/// Changes a namespace. Under its old name nobody finds it from now on.
#[utoipa::path(
    put,
    path = "/namespaces/{id}",
    params(("id" = String, Path, description = "The identifier, or the slug")),
    request_body(content = inline(NamespaceChangeBody)),
    responses(
        (status = OK, description = "The namespace as it is now"),
        Author,
        (status = NOT_FOUND, description = "The publisher has no such namespace"),
        (status = CONFLICT, description = "The name is kept for the namespace that had it, or too many were given up"),
        (status = UNPROCESSABLE_ENTITY, description = "A field cannot be used")
    )
)]
pub(crate) async fn change(id: web::Path<String>, asking: Asked<Author>) -> Answer {
    let id = find_namespace(&asking, &id).await?;
    let body = asking.body().await?;
    let mut fields = Fields::parse(&body)?;
    let wanted = NamespaceChange {
        name: fields.optional_text("namespace"),
        readme_source_url: fields.optional_text("readme_source_url"),
        icon_url: fields.optional_text("namespace_icon_url").map(|url| own_path(url, &base_url(&asking.state))),
    };
    fields.finish()?;
    let by = asking.context();
    let changed = insist!(asking.state.services.change_own_namespace(&by, asking.publisher, id, &wanted))?;
    Ok(HttpResponse::Ok().json(view::namespace(&changed, &base_url(&asking.state))))
}

/// Makes a file the namespace's picture; of one in public, with the next approval.
#[utoipa::path(
    post,
    path = "/namespaces/{id}/icon",
    params(("id" = String, Path, description = "The identifier, or the slug")),
    request_body(content = inline(super::profile::FileForm), content_type = "multipart/form-data"),
    responses(
        (status = OK, description = "Where the picture is"),
        Author,
        (status = NOT_FOUND, description = "The publisher has no such namespace"),
        (status = PAYLOAD_TOO_LARGE, description = "More than 2 MiB"),
        (status = UNPROCESSABLE_ENTITY, description = "No picture that can be used")
    )
)]
pub(crate) async fn set_icon(id: web::Path<String>, asking: Asked<Author>) -> Answer {
    let id = find_namespace(&asking, &id).await?;
    let file = read_file(&asking).await?;
    let by = asking.context();
    let icon = insist!(asking.state.services.set_namespace_icon(&by, asking.publisher, id, &file))?;
    Ok(HttpResponse::Ok().json(json!({"namespace_icon_url": address_of(&icon, &base_url(&asking.state))})))
}

/// What calls of the namespace carry: whose secret, and where it is sent.
#[utoipa::path(
    get,
    path = "/namespaces/{id}/credentials",
    params(("id" = String, Path, description = "The identifier, or the slug")),
    responses(
        (status = OK, description = "Whether there is a secret, and where it is sent; never the secret"),
        Asking,
        (status = NOT_FOUND, description = "The publisher has no such namespace")
    )
)]
pub(crate) async fn show_credentials(id: web::Path<String>, asking: Asked<Asking>) -> Answer {
    let id = find_namespace(&asking, &id).await?;
    let found = asking.state.services.find_namespace_credential(asking.publisher, id).await.map_err(problem)?;
    Ok(HttpResponse::Ok().json(view::credential(&found)))
}

/// Sets what calls of the namespace carry instead of what its connection asks for.
#[utoipa::path(
    put,
    path = "/namespaces/{id}/credentials",
    params(("id" = String, Path, description = "The identifier, or the slug")),
    request_body(content = inline(super::connections::CredentialsBody)),
    responses(
        (status = OK, description = "That there is a secret, and where it is sent"),
        Author,
        (status = NOT_FOUND, description = "The publisher has no such namespace"),
        (status = UNPROCESSABLE_ENTITY, description = "A field cannot be used")
    )
)]
pub(crate) async fn set_credentials(id: web::Path<String>, asking: Asked<Author>) -> Answer {
    let id = find_namespace(&asking, &id).await?;
    let body = asking.body().await?;
    let (input, by) = (read_credential(&body)?, asking.context());
    let set = insist!(asking.state.services.set_namespace_credential(&by, asking.publisher, id, &input))?;
    Ok(HttpResponse::Ok().json(view::credential(&set)))
}
