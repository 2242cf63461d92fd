//! Groups of tools, and their prices.

use actix_web::{HttpResponse, http::Method, web};
use engine::{
    pricing::PricingSpec,
    service::publishing::{GroupChange, NewGroup},
};
use serde_json::Value;

use super::{Asking, Author, find_namespace, insist, parse_id, problem, view};
use crate::{
    http::{
        asked::{Answer, Asked},
        problem::Problem,
        routes::{Mount, resource},
    },
    marketplace::auth::fields::Fields,
};

/// The body of a group: what is left out of a change stays.
#[derive(Debug, utoipa::ToSchema)]
pub struct GroupBody {
    /// Unique in its namespace.
    pub name: Option<String>,
    /// About it.
    pub description: Option<String>,
    /// Where it stands: the lowest first.
    pub sort_order: Option<i64>,
}

/// The body of a price: numbers, or texts that hold them.
#[derive(Debug, utoipa::ToSchema)]
pub struct PricingBody {
    /// `fixed_per_request` or `tool_returned`.
    pub pricing_mode: String,
    /// `success` (default) or `attempt`.
    pub charge_on: Option<String>,
    /// Credits per call.
    pub fixed_credit_cost: Option<String>,
    /// Where the cost stands in the result: JSONPath (RFC 9535).
    pub returned_credit_cost_path: Option<String>,
    /// What it is multiplied by.
    pub returned_credit_multiplier: Option<String>,
    /// What every charged call costs at least.
    pub base_credit_cost: Option<String>,
    /// The most that a call costs.
    pub estimated_max_credit_cost: Option<String>,
    /// For people.
    pub pricing_description: Option<String>,
}

pub(super) fn configure(routes: &mut Mount<'_>) {
    routes
        .service(resource("/namespaces/{id}/groups", [(Method::GET, web::to(list)), (Method::POST, web::to(create))]))
        .service(resource(
            "/namespaces/{id}/groups/{group}",
            [(Method::PUT, web::to(change)), (Method::DELETE, web::to(remove))],
        ))
        .service(resource("/namespaces/{id}/groups/{group}/pricing", [(Method::PUT, web::to(set_pricing))]));
}

/// The groups of a namespace, in their order.
#[utoipa::path(
    get,
    path = "/namespaces/{id}/groups",
    params(("id" = String, Path, description = "The identifier, or the slug")),
    responses(
        (status = OK, description = "The groups with their prices"),
        Asking,
        (status = NOT_FOUND, description = "The publisher has no such namespace")
    )
)]
pub(crate) async fn list(id: web::Path<String>, asking: Asked<Asking>) -> Answer {
    let id = find_namespace(&asking, &id).await?;
    let found = asking.state.services.list_groups(asking.publisher, id).await.map_err(problem)?;
    Ok(HttpResponse::Ok().json(found.iter().map(view::group).collect::<Vec<Value>>()))
}

/// Adds a group. Its tools cost nothing until it has a price.
#[utoipa::path(
    post,
    path = "/namespaces/{id}/groups",
    params(("id" = String, Path, description = "The identifier, or the slug")),
    request_body(content = inline(GroupBody)),
    responses(
        (status = CREATED, description = "The group"),
        Author,
        (status = NOT_FOUND, description = "The publisher has no such namespace"),
        (status = UNPROCESSABLE_ENTITY, description = "A field cannot be used")
    )
)]
pub(crate) async fn create(id: web::Path<String>, asking: Asked<Author>) -> Answer {
    let id = find_namespace(&asking, &id).await?;
    let body = asking.body().await?;
    let mut fields = Fields::parse(&body)?;
    let new = NewGroup {
        name: fields.text("name"),
        description: fields.optional_text("description").unwrap_or_default(),
        sort_order: fields.optional_whole("sort_order").unwrap_or(0),
    };
    fields.finish()?;
    let by = asking.context();
    let made = insist!(asking.state.services.create_group(&by, asking.publisher, id, &new))?;
    Ok(HttpResponse::Created().json(view::group(&made)))
}

/// Changes a group, but not its price.
#[utoipa::path(
    put,
    path = "/namespaces/{id}/groups/{group}",
    params(("id" = String, Path, description = "The identifier, or the slug"), ("group" = String, Path)),
    request_body(content = inline(GroupBody)),
    responses(
        (status = OK, description = "The group as it is now"),
        Author,
        (status = NOT_FOUND, description = "The publisher has no such namespace, or the namespace no such group"),
        (status = UNPROCESSABLE_ENTITY, description = "A field cannot be used")
    )
)]
pub(crate) async fn change(path: web::Path<(String, String)>, asking: Asked<Author>) -> Answer {
    let named = (find_namespace(&asking, &path.0).await?, parse_id("group", &path.1)?);
    let body = asking.body().await?;
    let mut fields = Fields::parse(&body)?;
    let wanted = GroupChange {
        name: fields.optional_text("name"),
        description: fields.optional_text("description"),
        sort_order: fields.optional_whole("sort_order"),
    };
    fields.finish()?;
    let by = asking.context();
    let changed = insist!(asking.state.services.change_group(&by, asking.publisher, named, &wanted))?;
    Ok(HttpResponse::Ok().json(view::group(&changed)))
}

/// Removes a group: its tools are in the default group from now on.
#[utoipa::path(
    delete,
    path = "/namespaces/{id}/groups/{group}",
    params(("id" = String, Path, description = "The identifier, or the slug"), ("group" = String, Path)),
    responses(
        (status = NO_CONTENT, description = "Removed"),
        Author,
        (status = NOT_FOUND, description = "The publisher has no such namespace, or the namespace no such group"),
        (status = CONFLICT, description = "It is the default group")
    )
)]
pub(crate) async fn remove(path: web::Path<(String, String)>, asking: Asked<Author>) -> Answer {
    let named = (find_namespace(&asking, &path.0).await?, parse_id("group", &path.1)?);
    let by = asking.context();
    insist!(asking.state.services.remove_group(&by, asking.publisher, named))?;
    Ok(HttpResponse::NoContent().finish())
}

/// Sets what the tools of a group cost: at once while the namespace is a draft, with the next approval while it is in public.
#[utoipa::path(
    put,
    path = "/namespaces/{id}/groups/{group}/pricing",
    params(("id" = String, Path, description = "The identifier, or the slug"), ("group" = String, Path)),
    request_body(content = inline(PricingBody)),
    responses(
        (status = OK, description = "The group, with `target`: `namespace` or `draft`"),
        Author,
        (status = NOT_FOUND, description = "The publisher has no such namespace, or the namespace no such group"),
        (status = UNPROCESSABLE_ENTITY, description = "The price makes no sense; `pricing_rules` are never accepted")
    )
)]
pub(crate) async fn set_pricing(path: web::Path<(String, String)>, asking: Asked<Author>) -> Answer {
    let named = (find_namespace(&asking, &path.0).await?, parse_id("group", &path.1)?);
    let body = asking.body().await?;
    let (spec, by) = (read_pricing(&body)?, asking.context());
    let (group, target) = insist!(asking.state.services.set_group_pricing(&by, asking.publisher, named, &spec))?;
    let mut shown = view::group(&group);
    if let Value::Object(members) = &mut shown {
        members.insert("target".to_owned(), target.as_str().into());
    }
    Ok(HttpResponse::Ok().json(shown))
}

fn read_pricing(body: &str) -> Result<PricingSpec, Problem> {
    let mut fields = Fields::parse(body)?;
    let spec = PricingSpec {
        pricing_mode: fields.optional_text("pricing_mode"),
        fixed_credit_cost: fields.optional_digits("fixed_credit_cost"),
        returned_credit_cost_path: fields.optional_text("returned_credit_cost_path"),
        returned_credit_multiplier: fields.optional_digits("returned_credit_multiplier"),
        base_credit_cost: fields.optional_digits("base_credit_cost"),
        estimated_max_credit_cost: fields.optional_digits("estimated_max_credit_cost"),
        charge_on: fields.optional_text("charge_on"),
        pricing_rules: fields.is_given("pricing_rules"),
        pricing_unit_fields: None,
        pricing_credits_per_unit: None,
        pricing_description: fields.optional_text("pricing_description"),
    };
    fields.finish()?;
    Ok(spec)
}
