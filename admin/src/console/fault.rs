//! What can go wrong on the way to a page, each with a page of its own. The statuses of the console stand here.

use actix_web::{
    HttpResponse, HttpResponseBuilder, ResponseError,
    http::{
        StatusCode,
        header::{self, HeaderName},
    },
};
use engine::{
    policy::console::{ConsoleDenial, ConsoleDenialCode},
    store::StoreError,
};

use super::{frame::plain_page, guard::add_headers};
use crate::text::{said::Said as _, t, t_with};

/// What a handler answers.
pub(crate) type Answer = Result<HttpResponse, Fault>;

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// There is no such thing.
    #[error("there is no such thing")]
    NotFound,
    /// The operator may not.
    #[error("the operator may not")]
    Forbidden(Box<ConsoleDenial>),
    /// A form of another site.
    #[error("a form of another site")]
    CrossSite,
    /// Plain HTTP from elsewhere.
    #[error("the connection is not private")]
    NotPrivate,
    /// A form that cannot be read.
    #[error("a form that cannot be read: {0}")]
    Form(&'static str),
    /// What stands behind the question mark cannot be read.
    #[error("the address cannot be read")]
    Address,
    /// Too many tries; how many seconds to wait.
    #[error("too many tries")]
    Wait(u64),
    /// The database is away or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A page could not be written, or the program contradicts itself.
    #[error("{0}")]
    Broken(String),
}

impl From<askama::Error> for Fault {
    fn from(error: askama::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

impl Fault {
    /// The page that says so.
    pub(super) fn response(&self) -> HttpResponse {
        let (key, detail) = match self {
            Self::NotFound => ("console-not-found", t("console-not-found-detail")),
            Self::Forbidden(denial) if denial.code == ConsoleDenialCode::Factor => {
                ("console-factor-missing", t("console-factor-missing-detail"))
            }
            Self::Forbidden(denial) => ("console-forbidden", denial.said()),
            Self::CrossSite => ("console-cross-site", t("console-cross-site-detail")),
            Self::NotPrivate => ("console-not-private", t("console-not-private-detail")),
            Self::Form(what) => ("console-form", t_with("console-form-detail", &[("what", (*what).into())])),
            Self::Address => ("console-address", t("console-address-detail")),
            Self::Wait(seconds) => ("console-wait", t_with("console-wait-detail", &[("seconds", (*seconds).into())])),
            Self::Store(error) => {
                tracing::warn!(%error, "the console could not use the database");
                ("console-away", t("console-away-detail"))
            }
            Self::Broken(error) => {
                tracing::error!(%error, "a page of the console failed");
                ("console-broken", t("console-broken-detail"))
            }
        };
        let html = plain_page(&t(key), &detail).unwrap_or_else(|_error| t(key));
        let mut response = HttpResponse::build(self.status_code());
        if let Self::Wait(seconds) = self {
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        if matches!(self, Self::Store(_)) {
            response.insert_header((header::RETRY_AFTER, "5"));
        }
        response.content_type("text/html; charset=utf-8").body(html)
    }
}

impl ResponseError for Fault {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Forbidden(_) | Self::CrossSite | Self::NotPrivate => StatusCode::FORBIDDEN,
            Self::Form(_) | Self::Address => StatusCode::BAD_REQUEST,
            Self::Wait(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Broken(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        self.response()
    }
}

/// A form that could not be used is shown again.
pub(super) fn refused_form() -> HttpResponseBuilder {
    HttpResponse::UnprocessableEntity()
}

/// To another page. What asks for a part of a page follows a redirection by itself, sees no header of it, and would show
/// the other page as that part: it is told in an answer of its own, by which htmx takes the whole window there.
pub(super) fn see_other(to: &str, is_fragment: bool) -> HttpResponseBuilder {
    let mut response = if is_fragment { HttpResponse::Ok() } else { HttpResponse::SeeOther() };
    let header = if is_fragment { HeaderName::from_static("hx-redirect") } else { header::LOCATION };
    response.insert_header((header, to.to_owned()));
    response
}

/// Whatever no route matches.
pub(super) async fn not_found() -> HttpResponse {
    nothing_here()
}

/// There is nothing at this path.
pub(super) fn nothing_here() -> HttpResponse {
    let mut response = Fault::NotFound.response();
    add_headers(response.headers_mut());
    response
}

/// A path that takes other methods.
pub(super) fn method_not_allowed(allowed: &str) -> HttpResponse {
    let mut response = HttpResponse::MethodNotAllowed().insert_header((header::ALLOW, allowed.to_owned())).finish();
    add_headers(response.headers_mut());
    response
}
