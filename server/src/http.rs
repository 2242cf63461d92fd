//! What all endpoints share: problems, authentication, bodies, limits.

pub mod address;
pub mod asked;
pub mod auth;
pub mod body;
pub(crate) mod etag;
pub mod health;
pub mod limits;
pub mod login_backoff;
pub mod problem;
pub mod routes;

use actix_web::{
    HttpResponse,
    http::header::{HeaderName, HeaderValue},
};

/// Sets a header; a value that cannot be one is left out.
pub fn insert_header(response: &mut HttpResponse, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
}
