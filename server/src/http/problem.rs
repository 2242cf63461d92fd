//! The one place that turns a public code into an HTTP status and a body: `{"detail": …, "error": {"code", "message",
//! …facts}}` (`product.md` 4.1). `detail` is what the published clients read.

use actix_web::{
    HttpResponse, HttpResponseBuilder, ResponseError,
    http::{StatusCode, header},
};
use engine::{
    audit::OpContext,
    code::{Code, Kind},
    store::{StoreError, WriterError},
};
use serde_json::{Map, Value, json};

/// One thing that is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where: `body`, then member names and indexes.
    pub loc: Vec<String>,
    /// What.
    pub msg: String,
}

/// An answer that is not a success.
#[derive(Debug, Clone)]
pub struct Problem(Box<Parts>);

/// Boxed: every handler's result carries a problem, and nearly none is one.
#[derive(Debug, Clone)]
struct Parts {
    code: Code,
    message: String,
    faults: Vec<Fault>,
    facts: Map<String, Value>,
    headers: Vec<(&'static str, String)>,
}

impl Problem {
    /// A problem with its public sentence.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            code,
            message: message.into(),
            faults: Vec::new(),
            facts: Map::new(),
            headers: Vec::new(),
        }))
    }

    /// A request whose parts are wrong: 422 with a list.
    pub fn invalid(code: Code, faults: Vec<Fault>) -> Self {
        let message = faults.first().map_or_else(
            || "the request is not valid".to_owned(),
            |fault| format!("{}: {}", fault.loc.join("."), fault.msg),
        );
        let mut problem = Self::new(code, message);
        problem.0.faults = faults;
        problem
    }

    /// Adds a fact to `error`.
    #[must_use]
    pub fn fact(mut self, name: &str, value: Value) -> Self {
        self.0.facts.insert(name.to_owned(), value);
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.headers.push((name, value.into()));
        self
    }

    /// When to try again, in seconds.
    #[must_use]
    pub fn retry_after_s(self, seconds: u64) -> Self {
        self.header("retry-after", seconds.to_string())
    }

    /// Of a server that was not reached: why is for the log alone, under the request's identifier.
    #[must_use]
    pub fn explained_in_log(self, by: &OpContext, details: Option<&str>) -> Self {
        let Some((details, request)) = details.zip(by.request) else { return self };
        tracing::warn!(%request, details, "a server that was named in a request was not reached");
        self.fact("request_id", request.to_string().into())
    }

    /// The public code.
    pub const fn code(&self) -> Code {
        self.0.code
    }

    /// The body as sent.
    pub fn body(&self) -> Value {
        let detail = if self.0.faults.is_empty() {
            Value::String(self.0.message.clone())
        } else {
            self.0.faults.iter().map(|fault| json!({"loc": fault.loc, "msg": fault.msg})).collect()
        };
        let mut error = self.0.facts.clone();
        error.insert("code".to_owned(), self.0.code.as_str().into());
        error.insert("message".to_owned(), self.0.message.clone().into());
        json!({"detail": detail, "error": error})
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.0.code.as_str(), self.0.message)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        status_of(self.0.code.kind())
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        for (name, value) in &self.0.headers {
            response.insert_header((*name, value.as_str()));
        }
        if self.0.code.kind() == Kind::Unauthenticated {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        response.json(self.body())
    }
}

/// The status of each kind of code.
pub fn status_of(kind: Kind) -> StatusCode {
    match kind {
        Kind::Invalid => StatusCode::BAD_REQUEST,
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::PaymentRequired => StatusCode::PAYMENT_REQUIRED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Kind::Timeout => StatusCode::REQUEST_TIMEOUT,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Kind::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::Limited => StatusCode::TOO_MANY_REQUESTS,
        Kind::NotOffered => StatusCode::NOT_IMPLEMENTED,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        Kind::UpstreamFailed => StatusCode::BAD_GATEWAY,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Unknown => StatusCode::GATEWAY_TIMEOUT,
    }
}

/// The status of a success.
pub const STATUS_OK: u16 = 200;

/// The status that a stored or written answer with this code has.
pub fn status_number(code: Code) -> u16 {
    status_of(code.kind()).as_u16()
}

/// A page for a form that was not filled in as it has to be.
pub(crate) fn refused_form() -> HttpResponseBuilder {
    HttpResponse::UnprocessableEntity()
}

/// A page for a link that works no longer.
pub(crate) fn gone_page() -> HttpResponseBuilder {
    HttpResponse::Gone()
}

/// The status of a stored answer, as it was written.
pub fn stored_status(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

impl From<StoreError> for Problem {
    /// The inner text goes to the log, never out.
    fn from(error: StoreError) -> Self {
        if !error.is_away() {
            tracing::error!(%error, "the database failed a request");
        }
        Self::new(Code::DatabaseUnavailable, "the database is not available; nothing was charged").retry_after_s(1)
    }
}

impl From<WriterError> for Problem {
    fn from(error: WriterError) -> Self {
        match error {
            WriterError::Overloaded => {
                Self::new(Code::Overloaded, "too many requests at once; nothing was charged").retry_after_s(1)
            }
            WriterError::Unavailable(_) | WriterError::Fenced | WriterError::Stopped => {
                if !error.is_away() {
                    tracing::error!(%error, "the ledger failed a request");
                }
                Self::new(Code::DatabaseUnavailable, "the database is not available; nothing was charged")
                    .retry_after_s(1)
            }
        }
    }
}
