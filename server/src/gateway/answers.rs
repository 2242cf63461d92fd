//! Answers of `/tools/invoke`: results as they are, everything else in the dialect's words.

use std::sync::Arc;

use actix_web::HttpResponse;
use engine::{
    catalog::ArgumentFault,
    credits::Credits,
    dialect::{Dialect, FailureKind},
    ledger::{Refusal, refusal::Limit},
    service::invoke::{Answer, AnswerTemplate, AnswerWriter, Completion},
    snapshot::GatewaySetup,
};

use super::errors::Failure;
use crate::{
    http::problem::{STATUS_OK, stored_status},
    state::InFlightGuard,
};

/// How many faults of the arguments a message names.
const FAULTS_SHOWN_MAX: usize = 3;

/// Writes the answers of calls that the tool answered.
#[derive(Debug)]
pub(super) struct GatewayAnswers {
    pub(super) setup: Arc<GatewaySetup>,
    /// The writer lives as long as the call does, also when its caller hangs up: so long the call counts as under way.
    pub(super) _counted: InFlightGuard,
}

impl AnswerWriter for GatewayAnswers {
    fn template(&self, completion: &Completion) -> AnswerTemplate {
        let rules = &self.setup.dialect.http.errors;
        let failure = |kind, detail: &Option<String>| Failure::new(kind, detail.clone().unwrap_or_default());
        let failure = match completion {
            Completion::Result(result) => {
                let body = success_body(result.as_deref());
                return fixed(STATUS_OK, body);
            }
            Completion::Rejected(status, message) => failure(FailureKind::ToolInput, message).of_upstream(*status),
            Completion::Forbidden(status, message) => failure(FailureKind::ToolForbidden, message).of_upstream(*status),
            Completion::Failed(message) => failure(FailureKind::ToolFailed, message),
        };
        fixed(failure.status(rules), failure.body(rules))
    }
}

fn fixed(status: u16, body: String) -> AnswerTemplate {
    let body: Arc<str> = body.into();
    AnswerTemplate { status, fill: Box::new(move |_told| Arc::clone(&body)) }
}

/// A tool without a result has none in the answer either; `null` is one.
fn success_body(result: Option<&str>) -> String {
    result.map_or_else(|| r#"{"ok":true}"#.to_owned(), |result| format!(r#"{{"ok":true,"result":{result}}}"#))
}

/// A JSON answer.
pub(super) fn json_response(status: u16, body: String) -> HttpResponse {
    HttpResponse::build(stored_status(status)).content_type("application/json; charset=utf-8").body(body)
}

/// The answer to a call of `tool` for `agent`.
pub(super) fn respond(dialect: &Dialect, answer: &Answer, tool: &str, agent: &str) -> HttpResponse {
    let failure = match answer {
        Answer::Complete { status, body } => return json_response(*status, body.to_string()),
        Answer::Replayed { status, body } => {
            let mut response = json_response(*status, body.to_string());
            crate::http::insert_header(&mut response, "idempotent-replayed", "true");
            return response;
        }
        // Whatever the reason: the caller cannot tell a denied tool from one that is not there.
        Answer::Denied { .. } | Answer::NotForSale => Failure::new(FailureKind::NotAvailable, tool),
        Answer::InvalidArguments(faults) => Failure::new(FailureKind::ToolInput, describe(faults)),
        Answer::Unpriceable(refusal) => Failure::new(FailureKind::ToolInput, refusal.to_string()),
        Answer::NobodyPays { needed } => Failure::new(FailureKind::PaymentRequired, nobody_pays(*needed, agent)),
        Answer::Refused { refusal, .. } => no_money(refusal, agent),
        Answer::OutcomeUnknown => Failure::new(FailureKind::OutcomeUnknown, ""),
        Answer::InFlight => Failure::new(FailureKind::KeyInFlight, "").retry_after_s(1),
        Answer::KeyReused => Failure::new(FailureKind::KeyReused, ""),
        // Nothing left this machine; what is wrong stands in the log.
        Answer::NotDispatched => Failure::new(FailureKind::ToolFailed, ""),
        Answer::Unavailable(error) => {
            tracing::error!(%error, "the ledger failed a call of the gateway");
            Failure::unavailable()
        }
    };
    failure.response(&dialect.http.errors)
}

fn describe(faults: &[ArgumentFault]) -> String {
    let shown = faults.iter().take(FAULTS_SHOWN_MAX).map(|fault| {
        let at = fault.pointer();
        if at.is_empty() { fault.message.clone() } else { format!("`{at}`: {}", fault.message) }
    });
    shown.collect::<Vec<_>>().join("; ")
}

fn nobody_pays(needed: Credits, agent: &str) -> String {
    format!(
        "this call may cost {needed} credits, and no account pays for the agent `{agent}`: set `gateway.billing.account`"
    )
}

fn no_money(refusal: &Refusal, agent: &str) -> Failure {
    let Refusal::Insufficient { limit, needed, available } = refusal else {
        tracing::error!(%refusal, "the ledger refused a hold of the gateway");
        return Failure::new(FailureKind::PaymentRequired, "the account that pays cannot be charged");
    };
    let (what, ways_out) = match limit {
        Limit::Wallet(_) => ("the wallet", "buy credits for it with POST /credits/purchase, or have more granted"),
        Limit::Cap { .. } => ("a spending cap", "wait until it starts again, or have it raised"),
    };
    Failure::new(
        FailureKind::PaymentRequired,
        format!(
            "this call may cost {needed} credits, {what} of the account that pays for the agent `{agent}` \
             (`gateway.billing`) leaves {available}: {ways_out}"
        ),
    )
}
