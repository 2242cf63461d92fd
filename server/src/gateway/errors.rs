//! What refusals and failures look like on the wire: `{"ok": false, "error": {"type", "message"}}`, in the words and with
//! the statuses of the dialect's file.

use actix_web::{
    HttpResponse,
    http::header::{ALLOW, RETRY_AFTER},
};
use engine::{
    code::Kind,
    dialect::{ErrorRules, FailureKind},
    gateway::request::RequestFault,
};
use serde_json::json;

use super::answers::json_response;
use crate::http::problem::status_of;

/// One refusal or failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What it looks like.
    pub kind: FailureKind,
    /// The detail for its message.
    pub detail: String,
    /// The upstream's own status, where there is one.
    pub upstream_status: Option<u16>,
    /// When to come back, in seconds.
    pub retry_after_s: Option<u64>,
}

impl Failure {
    /// A failure of this kind.
    pub fn new(kind: FailureKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), upstream_status: None, retry_after_s: None }
    }

    /// With the upstream's own status.
    #[must_use]
    pub const fn of_upstream(mut self, status: u16) -> Self {
        self.upstream_status = Some(status);
        self
    }

    /// With the time to wait.
    #[must_use]
    pub const fn retry_after_s(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// Nothing was done, and somebody can try again soon.
    pub fn unavailable() -> Self {
        Self::new(FailureKind::Unavailable, "the gateway cannot serve this call just now; nothing was done")
            .retry_after_s(1)
    }

    /// Its status in a dialect.
    pub fn status(&self, rules: &ErrorRules) -> u16 {
        let rule = rules.rule(self.kind);
        self.upstream_status.filter(|_| rule.keeps_status).unwrap_or(rule.status)
    }

    /// Its body in a dialect.
    pub fn body(&self, rules: &ErrorRules) -> String {
        let rule = rules.rule(self.kind);
        json!({"ok": false, "error": {"type": rule.kind, "message": rule.message_with(&self.detail)}}).to_string()
    }

    /// The answer in a dialect.
    pub fn response(&self, rules: &ErrorRules) -> HttpResponse {
        let mut response = json_response(self.status(rules), self.body(rules));
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<RequestFault> for Failure {
    fn from(fault: RequestFault) -> Self {
        Self::new(fault.kind, fault.detail)
    }
}

/// The same in every dialect, before anybody is asked who they are.
pub fn method_not_allowed() -> HttpResponse {
    HttpResponse::build(status_of(Kind::MethodNotAllowed))
        .insert_header((ALLOW, "POST"))
        .content_type("text/plain; charset=utf-8")
        .body("Method Not Allowed")
}
