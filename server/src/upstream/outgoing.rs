//! A call as an HTTP request.

use engine::{
    json::{self, Json, JsonError},
    upstream::UpstreamRequest,
};
use reqwest::{
    Method, Request,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use url::Url;

use super::egress::URL_BYTES_MAX;

/// The methods that a target may name.
///
/// `GET` carries the arguments in the URL's query, behind what stands there already: texts as they are, anything else
/// as its JSON text, `null` not at all. The others carry the arguments object as their body, as the caller wrote it.
pub const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// The target or the context cannot be put into an HTTP request.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unsendable {
    #[error("method `{0}` is not one of GET, POST, PUT, PATCH, DELETE")]
    Method(String),
    #[error("header `{0}` cannot carry its value")]
    Header(&'static str),
    #[error("the arguments cannot be put into a query: {0}")]
    Arguments(#[from] JsonError),
    #[error("the url would be longer than {URL_BYTES_MAX} bytes with the arguments in it")]
    UrlTooLong,
}

/// The request to `url`, which has been judged. Nothing that is done here leads to another host.
pub(super) fn prepare(url: &Url, method: &str, request: &UpstreamRequest) -> Result<Request, Unsendable> {
    let unsendable = || Unsendable::Method(method.chars().take(20).collect());
    if !METHODS.contains(&method) {
        return Err(unsendable());
    }
    let method = Method::from_bytes(method.as_bytes()).map_err(|_not_a_method| unsendable())?;
    let mut outgoing = if method == Method::GET {
        Request::new(method, with_query(url, &request.arguments)?)
    } else {
        let mut outgoing = Request::new(method, url.clone());
        *outgoing.body_mut() = Some(request.arguments.to_string().into());
        outgoing.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        outgoing
    };
    outgoing.headers_mut().extend(context_headers(request)?);
    Ok(outgoing)
}

/// What tells the upstream which call this is, and of whom.
pub(super) fn context_headers(request: &UpstreamRequest) -> Result<HeaderMap, Unsendable> {
    let invocation = request.invocation.to_string();
    let own = [("x-tollgate-invocation-id", &invocation), ("idempotency-key", &request.idempotency_key)];
    let mut headers = HeaderMap::new();
    for (name, value) in request.headers.iter().map(|(name, value)| (*name, value)).chain(own) {
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_bad_value| Unsendable::Header(name))?;
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_bad_name| Unsendable::Header(name))?;
        headers.insert(header, value);
    }
    Ok(headers)
}

fn with_query(url: &Url, arguments: &str) -> Result<Url, Unsendable> {
    let mut url = url.clone();
    let members = json::parse_members(arguments)?;
    if members.iter().any(|member| !member.value.is_null()) {
        let mut query = url.query_pairs_mut();
        for member in members {
            match &member.value {
                Json::Null => {}
                Json::String(text) => {
                    query.append_pair(&member.name, text);
                }
                Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => {
                    query.append_pair(&member.name, member.source);
                }
            }
        }
    }
    if url.as_str().len() > URL_BYTES_MAX { Err(Unsendable::UrlTooLong) } else { Ok(url) }
}
