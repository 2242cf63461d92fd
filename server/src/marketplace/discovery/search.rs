//! `GET` and `POST /tools/search`. In a body the words stand in nobody's access log.

use actix_web::{HttpRequest, HttpResponse, web};
use engine::{
    code::Code,
    limits::{BODY_BYTES_MAX, LINE_CHARS_MAX, SEARCH_RESULTS_DEFAULT, SEARCH_RESULTS_MAX, SEARCH_TEXT_CHARS_MAX},
    service::discovery::ToolQuery,
};
use serde_json::{Value, json};

use super::{Looker, looker, parse_count, query_fault, query_parameters, view};
use crate::{
    http::{
        body::read_body,
        problem::{Fault, Problem},
    },
    marketplace::auth::fields::Fields,
    state::AppState,
};

/// The body of a search.
#[derive(Debug, utoipa::ToSchema)]
pub struct SearchBody {
    /// Plain text, 1 to 500 characters; the first twelve different words count.
    pub q: String,
    /// 1 to 50; 10 when absent.
    pub limit: Option<u32>,
    /// Only tools of exactly this category.
    pub category: Option<String>,
}

/// What is looked for, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) text: String,
    pub(super) category: Option<String>,
    pub(super) limit: usize,
}

/// The tools that fit best. The words are looked for in names, listings and descriptions; signs mean nothing.
#[utoipa::path(
    get,
    path = "/tools/search",
    params(
        ("q" = String, Query, description = "Plain text, 1 to 500 characters; the first twelve different words count"),
        ("limit" = Option<u32>, Query, description = "1 to 50; 10 when absent"),
        ("category" = Option<String>, Query, description = "Only tools of exactly this category")
    ),
    responses(
        (status = OK, description = "`query`, `limit`, `returned` and the `items`, best first"),
        (status = NOT_MODIFIED, description = "The caller has this answer"),
        (status = UNAUTHORIZED, description = "A token that is not valid; none is needed"),
        (status = UNPROCESSABLE_ENTITY, description = "A parameter that is missing or out of its bounds"),
        (status = TOO_MANY_REQUESTS, description = "This caller asks too fast")
    )
)]
pub(crate) async fn search(request: HttpRequest, state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
    let looker = looker(&request, &state).await?;
    let [text, limit, category] = query_parameters(&request, ["q", "limit", "category"])?;
    let limit = limit.map(|text| parse_count(&text, SEARCH_RESULTS_MAX));
    let wanted = check(text, limit, category).map_err(|faults| {
        let faults = faults.into_iter().map(|(name, msg)| query_fault(name, msg)).collect();
        looker.rate.announce(Problem::invalid(Code::InvalidRequest, faults))
    })?;
    answer(&request, &state, &looker, &wanted).await
}

/// The same, with the words in the body.
#[utoipa::path(
    post,
    path = "/tools/search",
    request_body(content = inline(SearchBody)),
    responses(
        (status = OK, description = "`query`, `limit`, `returned` and the `items`, best first"),
        (status = BAD_REQUEST, description = "The body is not JSON"),
        (status = UNAUTHORIZED, description = "A token that is not valid; none is needed"),
        (status = UNPROCESSABLE_ENTITY, description = "A member that is missing, unknown or out of its bounds"),
        (status = TOO_MANY_REQUESTS, description = "This caller asks too fast")
    )
)]
pub(crate) async fn search_by_body(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let looker = looker(&request, &state).await?;
    let body = read_body(payload, BODY_BYTES_MAX, &state.config.limits).await?;
    let wanted = parse_body(&body).map_err(|problem| looker.rate.announce(problem))?;
    answer(&request, &state, &looker, &wanted).await
}

fn parse_body(body: &str) -> Result<Wanted, Problem> {
    let mut fields = Fields::parse(body)?;
    let (text, category) = (fields.optional_text("q"), fields.optional_text("category"));
    let limit = fields.optional_digits("limit").map(|text| parse_count(&text, SEARCH_RESULTS_MAX));
    let checked = check(text, limit, category);
    if let Err(faults) = &checked {
        for (name, msg) in faults {
            // Of another type is said already, and then it is not missing.
            if !fields.has_fault(name) {
                fields.fault(name, msg);
            }
        }
    }
    fields.finish()?;
    checked.map_err(|faults| {
        let faults = faults.into_iter().map(|(name, msg)| Fault { loc: vec!["body".to_owned(), name.to_owned()], msg });
        Problem::invalid(Code::InvalidRequest, faults.collect())
    })
}

/// Checks what was given, wherever it stood. Each fault names its field.
fn check(
    text: Option<String>,
    limit: Option<Result<usize, String>>,
    category: Option<String>,
) -> Result<Wanted, Vec<(&'static str, String)>> {
    let mut faults = Vec::new();
    match text.as_deref().map(str::trim) {
        None => faults.push(("q", "is missing".to_owned())),
        Some("") => faults.push(("q", "is empty".to_owned())),
        Some(text) if text.chars().count() > SEARCH_TEXT_CHARS_MAX => {
            faults.push(("q", format!("must have at most {SEARCH_TEXT_CHARS_MAX} characters")));
        }
        Some(_) => {}
    }
    match &category {
        Some(name) if name.chars().count() > LINE_CHARS_MAX => {
            faults.push(("category", format!("must have at most {LINE_CHARS_MAX} characters")));
        }
        Some(name) if name.contains(char::is_control) => {
            faults.push(("category", "holds a control character".to_owned()));
        }
        Some(_) | None => {}
    }
    let limit = limit.unwrap_or(Ok(SEARCH_RESULTS_DEFAULT)).unwrap_or_else(|msg| {
        faults.push(("limit", msg));
        0
    });
    // An empty category is none: forms and clients send it so.
    let category = category.filter(|name| !name.trim().is_empty());
    if faults.is_empty() { Ok(Wanted { text: text.unwrap_or_default(), category, limit }) } else { Err(faults) }
}

async fn answer(
    request: &HttpRequest,
    state: &AppState,
    looker: &Looker,
    wanted: &Wanted,
) -> Result<HttpResponse, Problem> {
    let query = ToolQuery { text: &wanted.text, category: wanted.category.as_deref(), count_max: wanted.limit };
    let found = state.services.search_tools(&looker.viewer, &query).await;
    let found = found.map_err(|error| looker.rate.announce(Problem::from(error)))?;
    let items: Vec<Value> = found.iter().map(view::item).collect();
    let body = json!({"query": wanted.text, "limit": wanted.limit, "returned": items.len(), "items": items});
    Ok(looker.json(request, &body))
}

#[cfg(test)]
mod tests;
