//! Looking around: search, tools, namespaces, and documents for programs and language models. Nobody has to say who they
//! are; who does, is shown what they may call.

mod answer;
pub(crate) mod guide;
pub(crate) mod mirror;
pub(crate) mod namespaces;
pub mod search;
pub(crate) mod tools;
pub(crate) mod view;

use actix_web::{
    HttpRequest,
    http::{Method, header},
    web,
};
use engine::{code::Code, service::discovery::Viewer};

use crate::{
    http::{
        address::client_address,
        auth::{find_principal, named_end_user},
        limits::RateHeaders,
        problem::{Fault, Problem},
        routes::{Mount, resource},
    },
    state::AppState,
};

/// The routes of this module.
pub fn configure(routes: &mut Mount<'_>) {
    let searches = [(Method::GET, web::to(search::search)), (Method::POST, web::to(search::search_by_body))];
    routes
        .service(resource("/tools/search", searches))
        .service(resource("/tools/{namespace}/{tool_name}", [(Method::GET, web::to(tools::show))]))
        .service(resource("/namespaces/public", [(Method::GET, web::to(namespaces::list))]))
        .service(resource("/namespaces/public/{slug}", [(Method::GET, web::to(namespaces::show))]))
        .service(resource("/docs", [(Method::GET, web::to(guide::guide))]))
        .service(resource("/docs/", [(Method::GET, web::to(guide::guide))]))
        .service(resource("/docs/namespaces/{slug}/{tool_name}", [(Method::GET, web::to(guide::tool_guide))]))
        .service(resource("/llms.txt", [(Method::GET, web::to(mirror::index))]))
        .service(resource("/llms-full.txt", [(Method::GET, web::to(mirror::all))]))
        .service(resource("/llms/namespaces/{slug}.md", [(Method::GET, web::to(mirror::namespace))]))
        .service(resource("/llms/namespaces/{slug}/{tool_name}.md", [(Method::GET, web::to(mirror::tool))]))
        .service(resource("/llms/{topic}.md", [(Method::GET, web::to(mirror::topic))]));
}

/// Somebody who looks around, within the limit.
struct Looker {
    viewer: Viewer,
    rate: RateHeaders,
}

/// Finds out who looks around, and counts it.
async fn looker(request: &HttpRequest, state: &AppState) -> Result<Looker, Problem> {
    if !request.headers().contains_key(header::AUTHORIZATION) {
        let address = client_address(request, &state.config.server.trusted_proxies);
        let rate = state.discovery_limiter.check_address(address)?;
        return Ok(Looker { viewer: Viewer::default(), rate });
    }
    let principal = find_principal(request, state).await?;
    let rate = state.discovery_limiter.check_token(&principal.shown)?;
    let end_user = match named_end_user(request, &principal).map_err(|problem| rate.announce(problem))? {
        Some((partner, external_id)) => Some(state.services.find_seen_end_user(partner.id, external_id).await?),
        None => None,
    };
    Ok(Looker { viewer: Viewer { principal: Some(principal), end_user }, rate })
}

/// What is wrong with one parameter of an address.
fn query_fault(name: &str, msg: impl Into<String>) -> Fault {
    Fault { loc: vec!["query".to_owned(), name.to_owned()], msg: msg.into() }
}

/// The parameters of an address by name, each at most once; `names` are those that there are. Others are left alone, as
/// everywhere on the web.
fn query_parameters<const N: usize>(request: &HttpRequest, names: [&str; N]) -> Result<[Option<String>; N], Problem> {
    let pairs: Vec<(String, String)> =
        url::form_urlencoded::parse(request.query_string().as_bytes()).into_owned().collect();
    let twice: Vec<Fault> = names
        .iter()
        .filter(|name| pairs.iter().filter(|(given, _)| given == *name).count() > 1)
        .map(|name| query_fault(name, "is given more than once"))
        .collect();
    if !twice.is_empty() {
        return Err(Problem::invalid(Code::InvalidRequest, twice));
    }
    Ok(names.map(|name| pairs.iter().find(|(given, _)| given == name).map(|(_, value)| value.clone())))
}

/// A whole number from 1 to `max`, as digits.
fn parse_count(text: &str, max: usize) -> Result<usize, String> {
    let count = text.parse().ok().filter(|count| (1..=max).contains(count) && text.bytes().all(|b| b.is_ascii_digit()));
    count.ok_or_else(|| format!("must be a whole number from 1 to {max}"))
}

#[cfg(test)]
mod tests;
