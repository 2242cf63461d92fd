//! Answers that a client may keep: each names its content, and is not sent again to whoever has it. What was asked with `POST` is
//! always answered whole.

use actix_web::{HttpRequest, HttpResponse, http::header};
use serde_json::Value;

use super::Looker;
use crate::http::etag::{is_known, is_reading, tag_of};

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
        let is_known = is_known(request, &tag);
        let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
        // What a caller is shown is theirs alone. Whoever keeps it asks every time: a price may have changed.
        let keeping = if self.viewer.principal.is_some() { "private, no-cache" } else { "no-cache" };
        if is_reading(request.method()) {
            response.insert_header((header::ETAG, tag));
        }
        response
            .insert_header((header::CACHE_CONTROL, keeping))
            .insert_header((header::VARY, "authorization, x-faro-user"));
        let mut response = if is_known { response.finish() } else { response.content_type(content_type).body(body) };
        self.rate.insert_into(&mut response);
        response
    }
}
