//! `GET /tools/{namespace}/{tool_name}`.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{looker, view};
use crate::{http::problem::Problem, marketplace::refusal::no_such_tool, state::AppState};

/// A tool: its schema, its descriptions, and the price that is in force.
#[utoipa::path(
    get,
    path = "/tools/{namespace}/{tool_name}",
    params(("namespace" = String, Path), ("tool_name" = String, Path)),
    responses(
        (status = OK, description = "The tool"),
        (status = NOT_MODIFIED, description = "The caller has this answer"),
        (status = UNAUTHORIZED, description = "A token that is not valid; none is needed"),
        (status = NOT_FOUND, description = "No such tool for this caller"),
        (status = TOO_MANY_REQUESTS, description = "This caller asks too fast")
    )
)]
pub(crate) async fn show(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let looker = looker(&request, &state).await?;
    let (namespace, tool) = path.into_inner();
    let found = state.services.find_shown_tool(&looker.viewer, &namespace, &tool);
    let found = found.ok_or_else(|| looker.rate.announce(no_such_tool()))?;
    Ok(looker.json(&request, &view::tool(&found)))
}
