//! Documents that a publisher gives or names: an interface as `OpenAPI` describes it, and a text about a namespace.

use actix_web::{HttpResponse, web};
use engine::{
    catalog::{Visibility, http_url},
    limits::OPENAPI_BYTES_MAX,
    publishing::openapi,
    service::publishing::{ConnectionKind, NewConnection, SetUp},
};
use serde_json::Value;
use url::Url;

use super::{document_fault, fetch, found::aside, namespace_view, skipped_view};
use crate::{
    http::asked::{Answer, Asked},
    marketplace::auth::{
        base_url,
        fields::{self, Fields},
    },
    publishing::{Author, find_namespace, insist, sources, view},
};

/// The document and what stands around it, in bytes.
const IMPORT_BYTES_MAX: usize = OPENAPI_BYTES_MAX + 64 * 1024;
/// The longest text about a namespace that is read, in bytes.
const README_BYTES_MAX: usize = 512 * 1024;
/// The longest label of a connection that a document's title makes, in characters.
const LABEL_CHARS_MAX: usize = 100;

/// The body of an import of a document.
#[derive(Debug, utoipa::ToSchema)]
pub struct DocumentBody {
    /// The slug of the new namespace.
    pub namespace: String,
    /// What the connection is called; left out: as the document is.
    pub label: Option<String>,
    /// Where the operations are, instead of where the document says.
    pub base_url_override: Option<String>,
    /// Where the document is: JSON or YAML.
    pub spec_url: Option<String>,
    /// The document itself: an object, or a text in JSON or YAML.
    pub spec: Option<Value>,
}

/// The body of a request for a text.
#[derive(Debug, utoipa::ToSchema)]
pub struct ReadmeBody {
    /// Where it is.
    pub url: String,
}

/// Makes a connection and a namespace with a tool for each operation of a document that takes JSON: all of it, or nothing.
#[utoipa::path(
    post,
    path = "/connections/import-openapi",
    request_body(content = inline(DocumentBody)),
    responses(
        (status = CREATED, description = "The namespace with its tools, which are private, and the operations that make none"),
        Author,
        (status = CONFLICT, description = "There are too many of something, or the name is kept for the publisher who had it"),
        (status = PAYLOAD_TOO_LARGE, description = "More than 2 MiB"),
        (status = UNPROCESSABLE_ENTITY, description = "A field or a place in the document cannot be used"),
        (status = TOO_MANY_REQUESTS, description = "Too many documents are being read, for this account or in all")
    )
)]
pub(crate) async fn import_openapi(asking: Asked<Author>) -> Answer {
    let body = asking.body_within(IMPORT_BYTES_MAX).await?;
    let mut fields = Fields::parse(&body)?;
    let (namespace, label) = (fields.text("namespace"), fields.optional_text("label"));
    let (elsewhere, spec_url) = (fields.optional_text("base_url_override"), fields.optional_text("spec_url"));
    let spec = fields.optional_document("spec");
    if spec.is_some() == spec_url.is_some() && !fields.has_fault("spec") && !fields.has_fault("spec_url") {
        fields.fault("spec", "must be given, or `spec_url`, and not both");
    }
    if let Some(Err(error)) = elsewhere.as_deref().map(http_url) {
        fields.fault("base_url_override", &error.to_string());
    }
    fields.finish()?;
    drop(body);
    let (text, from, errand) = match (spec, spec_url) {
        (Some(spec), _) => (spec, None, asking.state.errands.begin(asking.account().uuid())?),
        (None, url) => {
            let (fetched, errand) = fetch(&asking, &url.unwrap_or_default(), OPENAPI_BYTES_MAX, "spec_url").await?;
            (fetched.text, Some(fetched.url), errand)
        }
    };
    let described = aside(&errand, move || openapi::read(&text)).await?.map_err(|fault| document_fault(&fault))?;
    let url = match elsewhere {
        Some(url) => url,
        None => described.base(from.as_ref()).map_err(|fault| document_fault(&fault))?.to_string(),
    };
    let title = described.title.clone().unwrap_or_else(|| namespace.clone());
    let label = label.unwrap_or_else(|| title.chars().take(LABEL_CHARS_MAX).collect());
    let (tools, skipped) = sources::of_document(described, Visibility::Private);
    if tools.is_empty() {
        return Err(fields::fault("spec", "has no operation that takes JSON"));
    }
    let wanted = SetUp {
        register_as: None,
        connection: NewConnection { label: &label, kind: ConnectionKind::Rest, url: &url },
        namespace: &namespace,
        readme_source_url: from.as_ref().map(Url::as_str),
        tools,
    };
    let by = asking.context();
    let made = insist!(asking.state.services.set_up_namespace(&by, asking.account(), wanted.clone()))?;
    let mut answer = view::namespace(&made, &base_url(&asking.state));
    if let Value::Object(members) = &mut answer {
        members.insert("skipped".to_owned(), skipped_view(&skipped));
    }
    Ok(HttpResponse::Created().json(answer))
}

/// Fetches a text and makes it what the namespace says of itself at length; of one in public, with the next approval.
#[utoipa::path(
    post,
    path = "/namespaces/{id}/fetch-readme",
    params(("id" = String, Path, description = "The identifier, or the slug")),
    request_body(content = inline(ReadmeBody)),
    responses(
        (status = OK, description = "The namespace, and whether the text is in its listing or in its draft"),
        Author,
        (status = NOT_FOUND, description = "The publisher has no such namespace"),
        (status = UNPROCESSABLE_ENTITY, description = "The text may not be fetched, does not come, or cannot be used"),
        (status = TOO_MANY_REQUESTS, description = "Too many servers are being asked, for this account or in all")
    )
)]
pub(crate) async fn fetch_readme(id: web::Path<String>, asking: Asked<Author>) -> Answer {
    let id = find_namespace(&asking, &id).await?;
    let body = asking.body().await?;
    let mut fields = Fields::parse(&body)?;
    let url = fields.text("url");
    if let (false, Err(error)) = (fields.has_fault("url"), http_url(&url)) {
        fields.fault("url", &error.to_string());
    }
    fields.finish()?;
    let (fetched, _errand) = fetch(&asking, &url, README_BYTES_MAX, "url").await?;
    let text = fetched.text.trim_start_matches('\u{feff}');
    let beginning: String = text.trim_start().chars().take(16).collect::<String>().to_ascii_lowercase();
    if text.trim().is_empty() || beginning.starts_with("<!doctype") || beginning.starts_with("<html") {
        return Err(fields::fault("url", "leads to a page or to nothing, not to a text"));
    }
    let by = asking.context();
    let target = insist!(asking.state.services.set_namespace_readme(&by, asking.publisher, id, (&url, text)))?;
    let mut answer = namespace_view(&asking, id).await?;
    if let Value::Object(members) = &mut answer {
        members.insert("target".to_owned(), target.as_str().into());
    }
    Ok(HttpResponse::Ok().json(answer))
}
