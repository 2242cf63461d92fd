//! A call as an HTTP request.

use engine::{
    catalog::CredentialPlace,
    json::{self, Json, JsonError},
    publishing::rest::ShapedRequest,
    upstream::{Credential, UpstreamRequest},
};
use reqwest::{
    Method, Request,
    header::{
        CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING, UPGRADE,
    },
};
use url::{Url, form_urlencoded};

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
    #[error("header `{0}` of the publisher cannot carry its value")]
    PublishersHeader(String),
    #[error("the request would leave for another host than the tool's")]
    OtherHost,
    #[error("the credential is for another host, or cannot be sent as it is")]
    Credential,
    #[error("the url would be longer than {URL_BYTES_MAX} bytes with the arguments in it")]
    UrlTooLong,
}

/// The request to `url`, which has been judged. Nothing that is done here leads to another host.
pub(super) fn prepare(url: &Url, method: &str, request: &UpstreamRequest) -> Result<Request, Unsendable> {
    let mut outgoing = match &request.shaped {
        Some(shaped) => described(url, shaped)?,
        None => plain(url, method, &request.arguments)?,
    };
    outgoing.headers_mut().extend(context_headers(request)?);
    if let Some(credential) = &request.credential {
        add_credential(&mut outgoing, credential)?;
    }
    if outgoing.url().as_str().len() > URL_BYTES_MAX { Err(Unsendable::UrlTooLong) } else { Ok(outgoing) }
}

/// The arguments as the body, or with `GET` in the query.
fn plain(url: &Url, method: &str, arguments: &str) -> Result<Request, Unsendable> {
    let method = method_of(method)?;
    if method == Method::GET {
        return Ok(Request::new(method, with_query(url, arguments)?));
    }
    let mut outgoing = Request::new(method, url.clone());
    *outgoing.body_mut() = Some(arguments.to_owned().into());
    outgoing.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(outgoing)
}

/// As the publisher describes it, at the host that was judged.
fn described(url: &Url, shaped: &ShapedRequest) -> Result<Request, Unsendable> {
    if shaped.url.origin() != url.origin() {
        return Err(Unsendable::OtherHost);
    }
    let mut outgoing = Request::new(method_of(shaped.method)?, shaped.url.clone());
    if let Some(body) = &shaped.body {
        *outgoing.body_mut() = Some(body.clone().into());
        outgoing.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    for (name, value) in &shaped.headers {
        let unsendable = || Unsendable::PublishersHeader(name.chars().take(40).collect());
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_bad_value| unsendable())?;
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_bad_name| unsendable())?;
        outgoing.headers_mut().insert(header, value);
    }
    Ok(outgoing)
}

fn method_of(method: &str) -> Result<Method, Unsendable> {
    let unsendable = || Unsendable::Method(method.chars().take(20).collect());
    if !METHODS.contains(&method) {
        return Err(unsendable());
    }
    Method::from_bytes(method.as_bytes()).map_err(|_not_a_method| unsendable())
}

/// Puts the publisher's secret into a request that is on its way to the host it is for, and into no other.
pub(super) fn add_credential(request: &mut Request, credential: &Credential) -> Result<(), Unsendable> {
    if !credential.is_for(request.url()) {
        return Err(Unsendable::Credential);
    }
    match credential.place() {
        CredentialPlace::Query => {
            remove_parameter(request.url_mut(), credential.name());
            request.url_mut().query_pairs_mut().append_pair(credential.name(), credential.secret());
        }
        CredentialPlace::Header => {
            let name = HeaderName::from_bytes(credential.name().as_bytes()).map_err(|_bad| Unsendable::Credential)?;
            if OF_THE_CONNECTION.contains(&name) {
                return Err(Unsendable::Credential);
            }
            let mut value =
                HeaderValue::from_bytes(credential.secret().as_bytes()).map_err(|_bad| Unsendable::Credential)?;
            value.set_sensitive(true);
            request.headers_mut().insert(name, value);
        }
    }
    Ok(())
}

/// Takes every parameter of this name out of the query, whoever has put it there; the others stay as they are written.
fn remove_parameter(url: &mut Url, name: &str) {
    let Some(query) = url.query() else { return };
    let is_other = |part: &&str| form_urlencoded::parse(part.as_bytes()).all(|(known, _)| known != name);
    let kept: Vec<&str> = query.split('&').filter(is_other).collect();
    let kept = kept.join("&");
    if kept != query {
        url.set_query((!kept.is_empty()).then_some(&*kept));
    }
}

/// What no secret may stand in, whatever was stored.
const OF_THE_CONNECTION: [HeaderName; 5] = [CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING, UPGRADE];

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
    Ok(url)
}
