//! `GET /namespaces/public` and `GET /namespaces/public/{slug}`.

use actix_web::{HttpRequest, HttpResponse, web};
use engine::{
    code::Code,
    limits::{NAMESPACES_LISTED_DEFAULT, NAMESPACES_LISTED_MAX},
};
use serde_json::{Value, json};

use super::{looker, parse_count, query_fault, query_parameters, view};
use crate::{http::problem::Problem, marketplace::auth::base_url, state::AppState};

/// Nobody is told whether there is none or none that this caller may know of.
pub(super) fn no_such_namespace() -> Problem {
    Problem::new(Code::NotFound, "there is no such namespace")
}

/// The namespaces with something in them, by name. `next_after` leads to the next ones, where there are more.
#[utoipa::path(
    get,
    path = "/namespaces/public",
    params(
        ("limit" = Option<u32>, Query, description = "1 to 1000; 100 when absent"),
        ("after" = Option<String>, Query, description = "Only namespaces behind this one, by name")
    ),
    responses(
        (status = OK, description = "`limit`, `returned`, `next_after` and the `items`"),
        (status = NOT_MODIFIED, description = "The caller has this answer"),
        (status = UNAUTHORIZED, description = "A token that is not valid; none is needed"),
        (status = UNPROCESSABLE_ENTITY, description = "A parameter that is out of its bounds"),
        (status = TOO_MANY_REQUESTS, description = "This caller asks too fast")
    )
)]
pub(crate) async fn list(request: HttpRequest, state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
    let looker = looker(&request, &state).await?;
    let [limit, after] = query_parameters(&request, ["limit", "after"])?;
    let limit = limit.map_or(Ok(NAMESPACES_LISTED_DEFAULT), |text| parse_count(&text, NAMESPACES_LISTED_MAX));
    let limit = limit
        .map_err(|msg| looker.rate.announce(Problem::invalid(Code::InvalidRequest, vec![query_fault("limit", msg)])))?;
    // One more than is shown says whether there is more.
    let mut found = state.services.list_shown_namespaces(&looker.viewer, after.as_deref(), limit.saturating_add(1));
    let has_more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| has_more).map(|namespace| namespace.name.clone());
    let items: Vec<Value> = found.iter().map(|found| view::namespace(found, &base_url(&state))).collect();
    let body = json!({"limit": limit, "returned": items.len(), "next_after": next, "items": items});
    Ok(looker.json(&request, &body))
}

/// A namespace with its tools, by name, at most 1,000 of them.
#[utoipa::path(
    get,
    path = "/namespaces/public/{slug}",
    params(("slug" = String, Path)),
    responses(
        (status = OK, description = "The namespace"),
        (status = NOT_MODIFIED, description = "The caller has this answer"),
        (status = UNAUTHORIZED, description = "A token that is not valid; none is needed"),
        (status = NOT_FOUND, description = "No such namespace for this caller"),
        (status = TOO_MANY_REQUESTS, description = "This caller asks too fast")
    )
)]
pub(crate) async fn show(
    request: HttpRequest,
    slug: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let looker = looker(&request, &state).await?;
    let found = state.services.find_shown_namespace(&looker.viewer, &slug);
    let found = found.ok_or_else(|| looker.rate.announce(no_such_namespace()))?;
    Ok(looker.json(&request, &view::whole_namespace(&found, &base_url(&state))))
}
