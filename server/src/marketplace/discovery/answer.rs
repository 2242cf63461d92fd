//! Answers that a client may keep: each names its content, and is not sent again to whoever has it.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, HeaderMap},
};
use engine::ledger::{hex::hex, leaf::sha256};
use serde_json::Value;

use super::Looker;

/// How many bytes of a content's digest name it.
const TAG_BYTES: usize = 16;

impl Looker {
    /// A JSON answer.
    pub(super) fn json(&self, request: &HttpRequest, body: &Value) -> HttpResponse {
        self.answer(request, "application/json", body.to_string())
    }

    /// A page in Markdown. `/llms.txt` is read as plain text by its name, and so are the others.
    pub(super) fn markdown(&self, request: &HttpRequest, body: String) -> HttpResponse {
        self.answer(request, "text/markdown; charset=utf-8", body)
    }

    fn answer(&self, request: &HttpRequest, content_type: &'static str, body: String) -> HttpResponse {
        let tag = tag_of(&body);
        let is_known = is_known(request.headers(), &tag);
        let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
        // What a caller is shown is theirs alone. Whoever keeps it asks every time: a price may have changed.
        let keeping = if self.viewer.principal.is_some() { "private, no-cache" } else { "no-cache" };
        response
            .insert_header((header::ETAG, tag))
            .insert_header((header::CACHE_CONTROL, keeping))
            .insert_header((header::VARY, "authorization, x-faro-user"));
        let mut response = if is_known { response.finish() } else { response.content_type(content_type).body(body) };
        self.rate.insert_into(&mut response);
        response
    }
}

/// The entity tag of a content.
fn tag_of(body: &str) -> String {
    let digest: Vec<u8> = sha256(body.as_bytes()).iter().take(TAG_BYTES).copied().collect();
    format!("\"{}\"", hex(&digest))
}

/// Whether `If-None-Match` names this content; compared weakly, as RFC 9110 (13.1.2) has it.
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let lists = headers.get_all(header::IF_NONE_MATCH).filter_map(|value| value.to_str().ok());
    lists
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

#[cfg(test)]
mod tests;
