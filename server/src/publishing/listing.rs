//! How namespaces present themselves, and their way into public.

use actix_web::{HttpResponse, http::Method, web};
use engine::{
    code::Code,
    json::Json,
    service::publishing::{ListingEdit, OwnNamespace, OwnStatus, PublishAction, ToolListing},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Author, assets::own_path, find_namespace, insist, parse_id, problem, view};
use crate::{
    http::{
        asked::{Answer, Asked},
        problem::Problem,
        routes::{Mount, resource},
    },
    marketplace::auth::{base_url, fields::Fields},
    state::AppState,
};

/// The body of a change of a listing: what is left out stays, an empty text takes away.
#[derive(Debug, utoipa::ToSchema)]
pub struct ListingBody {
    /// Its title.
    pub listing_name: Option<String>,
    /// Where its picture is.
    pub namespace_icon_url: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// More about it, in Markdown.
    pub readme_content: Option<String>,
    /// Its category.
    pub category: Option<String>,
    /// Words to find it by.
    pub tags: Option<Vec<String>>,
    /// Its tools: `tool_id`, `short_description`, `example_prompts`, `display_order`.
    pub tools: Option<Vec<Value>>,
}

/// The body of what becomes of a draft.
#[derive(Debug, utoipa::ToSchema)]
pub struct PublishBody {
    /// `review` hands it in, `draft` takes it back.
    pub action: String,
}

/// The body of what becomes of a namespace.
#[derive(Debug, utoipa::ToSchema)]
pub struct StatusBody {
    /// `suspended` or `draft`.
    pub status: String,
}

pub(super) fn configure(routes: &mut Mount<'_>) {
    routes
        .service(resource("/namespaces/{id}/listing", [(Method::PUT, web::to(edit))]))
        .service(resource("/namespaces/{id}/publish", [(Method::PUT, web::to(publish))]))
        .service(resource("/namespaces/{id}/status", [(Method::PUT, web::to(set_status))]))
        .service(resource("/namespaces/{id}/draft", [(Method::DELETE, web::to(discard))]))
        .service(resource("/namespaces/{id}/generate-listing", [(Method::POST, web::to(generate))]))
        .service(resource("/namespaces/{id}/auto-listing", [(Method::POST, web::to(auto))]));
}

fn answer(namespace: &OwnNamespace, state: &AppState) -> HttpResponse {
    HttpResponse::Ok().json(view::namespace(namespace, &base_url(state)))
}

/// Changes how a namespace presents itself: at once while it is a draft, with the next approval while it is in public.
#[utoipa::path(
    put,
    path = "/namespaces/{id}/listing",
    params(("id" = String, Path, description = "The identifier, or the slug")),
    request_body(content = inline(ListingBody)),
    responses(
        (status = OK, description = "The namespace, with `target`: `namespace` or `draft`"),
        Author,
        (status = NOT_FOUND, description = "The publisher has no such namespace"),
        (status = UNPROCESSABLE_ENTITY, description = "A field cannot be used")
    )
)]
pub(crate) async fn edit(id: web::Path<String>, asking: Asked<Author>) -> Answer {
    let id = find_namespace(&asking, &id).await?;
    let body = asking.body().await?;
    let (edit, by) = (read_edit(&body, &base_url(&asking.state))?, asking.context());
    let target = insist!(asking.state.services.edit_listing(&by, asking.publisher, id, &edit))?;
    let shown = asking.state.services.load_own_namespace(asking.publisher, id).await.map_err(problem)?;
    let mut shown = view::namespace(&shown, &base_url(&asking.state));
    if let Value::Object(members) = &mut shown {
        members.insert("target".to_owned(), target.as_str().into());
    }
    Ok(HttpResponse::Ok().json(shown))
}

fn read_edit(body: &str, base_url: &str) -> Result<ListingEdit, Problem> {
    let mut fields = Fields::parse(body)?;
    let mut edit = ListingEdit {
        listing_name: fields.optional_text("listing_name"),
        icon_url: fields.optional_text("namespace_icon_url").map(|url| own_path(url, base_url)),
        description: fields.optional_text("description"),
        readme_content: fields.optional_text("readme_content"),
        category: fields.optional_text("category"),
        tags: fields.optional_texts("tags"),
        tools: Vec::new(),
    };
    for (index, tool) in fields.optional_list("tools").unwrap_or_default().iter().enumerate() {
        match read_tool(tool) {
            // An identifier that is none is that of no tool.
            Ok((id, listing)) => {
                let id = parse_id("tool", &id).unwrap_or_else(|_none| Uuid::nil().into());
                edit.tools.push((id, listing));
            }
            Err((name, msg)) => fields.fault(&format!("tools.{index}.{name}"), msg),
        }
    }
    fields.finish()?;
    Ok(edit)
}

/// What is wrong with a member of a tool.
type ToolFault = (&'static str, &'static str);

fn read_tool(tool: &Json<'_>) -> Result<(String, ToolListing), ToolFault> {
    const KNOWN: [&str; 4] = ["tool_id", "short_description", "example_prompts", "display_order"];
    let members = tool.as_object().ok_or(("tool_id", "is missing: each tool is an object"))?;
    if members.iter().any(|(name, _)| !KNOWN.contains(&name.as_ref())) {
        return Err(("tool_id", "stands beside something that is not a member of this request"));
    }
    let given = |name: &str| tool.get(name).filter(|value| !value.is_null());
    let id = given("tool_id").and_then(Json::as_str).ok_or(("tool_id", "is missing"))?;
    let mut listing = ToolListing::default();
    if let Some(text) = given("short_description") {
        listing.short_description = Some(text.as_str().ok_or(("short_description", "must be a text"))?.to_owned());
    }
    if let Some(list) = given("example_prompts") {
        let texts = list.as_array().and_then(|list| list.iter().map(|text| text.as_str().map(str::to_owned)).collect());
        listing.example_prompts = Some(texts.ok_or(("example_prompts", "must be a list of texts"))?);
    }
    if let Some(order) = given("display_order") {
        let order = order.as_number().and_then(|digits| digits.parse().ok());
        listing.display_order = Some(order.ok_or(("display_order", "must be a whole number"))?);
    }
    Ok((id.to_owned(), listing))
}

/// Hands a namespace, or the draft of one in public, in for review, or takes it back.
#[utoipa::path(
    put,
    path = "/namespaces/{id}/publish",
    params(("id" = String, Path, description = "The identifier, or the slug")),
    request_body(content = inline(PublishBody)),
    responses(
        (status = OK, description = "The namespace as it is now"),
        Author,
        (status = NOT_FOUND, description = "The publisher has no such namespace"),
        (status = CONFLICT, description = "It is suspended, or there is nothing to be handed in or taken back"),
        (status = UNPROCESSABLE_ENTITY, description = "It is not complete: `detail` names what is missing")
    )
)]
pub(crate) async fn publish(id: web::Path<String>, asking: Asked<Author>) -> Answer {
    let id = find_namespace(&asking, &id).await?;
    let body = asking.body().await?;
    let mut fields = Fields::parse(&body)?;
    let word = fields.text("action");
    let action = match word.as_str() {
        "draft" => PublishAction::Draft,
        "review" => PublishAction::Review,
        _ => {
            if !fields.has_fault("action") {
                fields.fault("action", "must be `review` or `draft`");
            }
            PublishAction::Review
        }
    };
    fields.finish()?;
    let by = asking.context();
    let changed = insist!(asking.state.services.publish_namespace(&by, asking.publisher, id, action))?;
    Ok(answer(&changed, &asking.state))
}

/// Suspends a namespace, or makes it a draft again.
#[utoipa::path(
    put,
    path = "/namespaces/{id}/status",
    params(("id" = String, Path, description = "The identifier, or the slug")),
    request_body(content = inline(StatusBody)),
    responses(
        (status = OK, description = "The namespace as it is now"),
        Author,
        (status = NOT_FOUND, description = "The publisher has no such namespace"),
        (status = CONFLICT, description = "An operator has suspended it"),
        (status = UNPROCESSABLE_ENTITY, description = "No such status")
    )
)]
pub(crate) async fn set_status(id: web::Path<String>, asking: Asked<Author>) -> Answer {
    let id = find_namespace(&asking, &id).await?;
    let body = asking.body().await?;
    let mut fields = Fields::parse(&body)?;
    let word = fields.text("status");
    let status = match word.as_str() {
        "draft" => OwnStatus::Draft,
        "suspended" => OwnStatus::Suspended,
        _ => {
            if !fields.has_fault("status") {
                fields.fault("status", "must be `suspended` or `draft`");
            }
            OwnStatus::Draft
        }
    };
    fields.finish()?;
    let by = asking.context();
    let changed = insist!(asking.state.services.set_own_status(&by, asking.publisher, id, status))?;
    Ok(answer(&changed, &asking.state))
}

/// Throws away what a namespace in public was to become.
#[utoipa::path(
    delete,
    path = "/namespaces/{id}/draft",
    params(("id" = String, Path, description = "The identifier, or the slug")),
    responses(
        (status = OK, description = "The namespace as it is now"),
        Author,
        (status = NOT_FOUND, description = "The publisher has no such namespace")
    )
)]
pub(crate) async fn discard(id: web::Path<String>, asking: Asked<Author>) -> Answer {
    let id = find_namespace(&asking, &id).await?;
    let by = asking.context();
    let changed = insist!(asking.state.services.discard_draft(&by, asking.publisher, id))?;
    Ok(answer(&changed, &asking.state))
}

/// There is no language model here that writes listings.
async fn refuse(asking: &Asked<Author>, id: &str) -> Answer {
    let id = find_namespace(asking, id).await?;
    let message = "this server has no language model: write the listing with PUT /namespaces/{id}/listing";
    Err(Problem::new(Code::NotOffered, message).fact("namespace_id", json!(id.uuid().hyphenated().to_string())))
}

/// Not offered: listings are not written by a language model here.
#[utoipa::path(
    post,
    path = "/namespaces/{id}/generate-listing",
    params(("id" = String, Path, description = "The identifier, or the slug")),
    responses(
        Author,
        (status = NOT_FOUND, description = "The publisher has no such namespace"),
        (status = NOT_IMPLEMENTED, description = "Always: the message says why")
    )
)]
pub(crate) async fn generate(id: web::Path<String>, asking: Asked<Author>) -> Answer {
    refuse(&asking, &id).await
}

/// Not offered: listings are not written by a language model here.
#[utoipa::path(
    post,
    path = "/namespaces/{id}/auto-listing",
    params(("id" = String, Path, description = "The identifier, or the slug")),
    responses(
        Author,
        (status = NOT_FOUND, description = "The publisher has no such namespace"),
        (status = NOT_IMPLEMENTED, description = "Always: the message says why")
    )
)]
pub(crate) async fn auto(id: web::Path<String>, asking: Asked<Author>) -> Answer {
    refuse(&asking, &id).await
}
