//! Entity tags: what a client has already is not sent again (RFC 9110, sections 8.8.3 and 13.1.2).

use actix_web::{
    HttpRequest,
    http::{
        Method,
        header::{self, HeaderMap},
    },
};
use engine::ledger::{hex::hex, leaf::sha256};

/// How many bytes of a content's digest name it.
const TAG_BYTES: usize = 16;

/// The entity tag of a content.
pub(crate) fn tag_of(body: &str) -> String {
    let digest: Vec<u8> = sha256(body.as_bytes()).iter().take(TAG_BYTES).copied().collect();
    format!("\"{}\"", hex(&digest))
}

/// Whether whoever asks has the content with this tag: `GET` and `HEAD` alone are answered with that.
pub(crate) fn is_known(request: &HttpRequest, tag: &str) -> bool {
    is_reading(request.method()) && is_named(request.headers(), tag)
}

/// Whether a method asks for a content, which has a tag.
pub(crate) fn is_reading(method: &Method) -> bool {
    *method == Method::GET || *method == Method::HEAD
}

/// Whether `If-None-Match` names this content; compared weakly, as RFC 9110 (13.1.2) has it.
fn is_named(headers: &HeaderMap, tag: &str) -> bool {
    let lists = headers.get_all(header::IF_NONE_MATCH).filter_map(|value| value.to_str().ok());
    lists
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

#[cfg(test)]
mod tests;
