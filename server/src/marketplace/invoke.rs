//! `POST /invoke/{namespace}/{tool_name}`: from the request to a call, and from its answer to a response.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, ResponseError as _, web};
use engine::{
    code::Code,
    credits::Credits,
    id::InvocationId,
    invocation::Surface,
    json::{self, Json},
    limits::{IDEMPOTENCY_KEY_BYTES_MAX, INVOKE_BODY_BYTES_MAX},
    service::{
        access::Owner,
        invoke::{Answer, AnswerTemplate, AnswerWriter, Answered, Call, Completion, Told},
    },
};

use super::refusal::{self, Asked, Payer};
use crate::{
    http::{
        auth::{Caller, find_principal, require_end_user},
        body::read_body,
        insert_header,
        limits::RateHeaders,
        problem::{Fault, Problem, STATUS_OK, status_number, stored_status},
    },
    state::{AppState, InFlightGuard},
};

/// Header of every answer after authentication.
pub const INVOCATION_HEADER: &str = "x-tollgate-invocation-id";
/// Header: micro-exact credits charged by this request.
pub const CHARGED_HEADER: &str = "x-tollgate-credits-charged";
/// Header: credits that can be spent now.
pub const REMAINING_HEADER: &str = "x-tollgate-credits-remaining";

const UNKNOWN_RESOLVE_US_PER_S: i64 = 1_000_000;

/// Calls a tool and pays for it.
#[utoipa::path(
    post,
    path = "/invoke/{namespace}/{tool_name}",
    params(("namespace" = String, Path), ("tool_name" = String, Path)),
    request_body(content = inline(crate::openapi::InvokeBody)),
    responses(
        (status = OK, description = "The tool's result and what it cost"),
        (status = BAD_REQUEST, description = "The body is not JSON, or is nested too deep"),
        (status = UNAUTHORIZED, description = "No valid token"),
        (status = PAYMENT_REQUIRED, description = "Not enough credits, or a cap is reached"),
        (status = FORBIDDEN, description = "Not allowed"),
        (status = NOT_FOUND, description = "No such tool for this caller"),
        (status = CONFLICT, description = "The idempotency key is in flight, or was used for something else"),
        (status = PAYLOAD_TOO_LARGE, description = "More than 2 MiB"),
        (status = UNPROCESSABLE_ENTITY, description = "Wrong types, or arguments that do not fit the schema"),
        (status = TOO_MANY_REQUESTS, description = "This token calls too fast"),
        (status = BAD_GATEWAY, description = "The upstream failed"),
        (status = SERVICE_UNAVAILABLE, description = "Overloaded, or the database is away; nothing was charged"),
        (status = GATEWAY_TIMEOUT, description = "Nobody knows what became of the call")
    )
)]
pub(crate) async fn invoke(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    payload: web::Payload,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let principal = find_principal(&request, &state).await?;
    let id = InvocationId::new(&*state.services.ids, state.services.clock.now_us());
    let rate = state.invoke_limiter.check(&principal.shown).map_err(|limited| named(limited.into(), id))?;
    let (namespace, tool) = path.into_inner();
    let own_token = match &principal.owner {
        Owner::Account(_) => principal.token,
        Owner::Partner(_) => None,
    };
    let payer = Payer::of(&principal.owner);
    let answered = match require_end_user(&request, &state, &principal).await {
        Ok(end_user) => carry_out(&state, Caller { principal, end_user }, id, (&namespace, &tool), payload).await,
        Err(problem) => Err(problem),
    };
    let answered = answered.map_err(|problem| rate.announce(named(problem, id)))?;
    let asked = Asked { path: &format!("/invoke/{namespace}/{tool}"), own_token, payer };
    Ok(respond(&answered, &rate, asked))
}

async fn carry_out(
    state: &AppState,
    caller: Caller,
    id: InvocationId,
    (namespace, tool): (&str, &str),
    payload: web::Payload,
) -> Result<Answered, Problem> {
    let body = read_body(payload, INVOKE_BODY_BYTES_MAX, &state.config.limits).await?;
    let request = parse_body(&body)?;
    let snapshot = state.services.snapshot();
    let account = caller.principal.account();
    let offer = snapshot.find_offer(namespace, tool).filter(|offer| offer.is_known_to(account));
    let Some(offer) = offer else { return Err(refusal::no_such_tool()) };
    let call = Call {
        id,
        surface: Surface::Marketplace,
        principal: Some(caller.principal),
        end_user: caller.end_user,
        gateway: None,
        offer: Arc::clone(offer),
        snapshot: Arc::clone(&snapshot),
        arguments: request.arguments,
        key: request.key,
        unknown_resolves_after_us: i64::from(state.config.limits.unknown_resolve_after_s)
            .saturating_mul(UNKNOWN_RESOLVE_US_PER_S),
    };
    Ok(state
        .services
        .invoke(&state.upstreams, Arc::new(MarketplaceAnswers { _counted: state.in_flight.enter() }), call)
        .await?)
}

/// The documented body.
#[derive(Debug)]
struct InvokeRequest {
    arguments: Arc<str>,
    key: Option<Arc<str>>,
}

fn parse_body(body: &str) -> Result<InvokeRequest, Problem> {
    let members = json::parse_members(body).map_err(|error| Problem::new(error.code(), error.to_string()))?;
    let mut request = InvokeRequest { arguments: Arc::from("{}"), key: None };
    let mut faults = Vec::new();
    for member in &members {
        let mut fault = |msg: &str| {
            faults.push(Fault { loc: vec!["body".to_owned(), member.name.to_string()], msg: msg.to_owned() });
        };
        match (&*member.name, &member.value) {
            ("arguments", Json::Object(_)) => request.arguments = Arc::from(member.source),
            ("arguments", _) => fault("must be an object"),
            ("idempotency_key", Json::String(key)) if key.len() > IDEMPOTENCY_KEY_BYTES_MAX => {
                fault(&format!("is longer than {IDEMPOTENCY_KEY_BYTES_MAX} bytes"));
            }
            ("idempotency_key", Json::String(key)) if key.is_empty() => fault("is empty"),
            ("idempotency_key", Json::String(key)) if key.contains(char::is_control) => {
                fault("holds a control character");
            }
            ("idempotency_key", Json::String(key)) => request.key = Some(Arc::from(&**key)),
            ("idempotency_key", Json::Null) => {}
            ("idempotency_key", _) => fault("must be a text"),
            _ => fault("is not a member of this request"),
        }
    }
    if faults.is_empty() { Ok(request) } else { Err(Problem::invalid(Code::InvalidRequest, faults)) }
}

/// Answers as the Faro document shows them, with the two fields that the published libraries also read (`status`,
/// `meta`). A result that is not an object is wrapped as `{"value": …}`: the libraries take objects only.
#[derive(Debug)]
struct MarketplaceAnswers {
    /// The writer lives as long as the call does, also when its caller hangs up: so long the call counts as under way.
    _counted: InFlightGuard,
}

impl AnswerWriter for MarketplaceAnswers {
    fn template(&self, completion: &Completion) -> AnswerTemplate {
        match completion {
            Completion::Result(result) => {
                let result = as_object(result.as_deref());
                AnswerTemplate { status: STATUS_OK, fill: Box::new(move |told| success_body(&result, told)) }
            }
            Completion::Rejected(status, message) => failure(
                Code::UpstreamRejected,
                message.clone().unwrap_or_else(|| "the tool did not accept the arguments".to_owned()),
                Some(*status),
            ),
            Completion::Forbidden(..) | Completion::Failed(_) => {
                failure(Code::UpstreamFailed, "the tool's upstream failed".to_owned(), None)
            }
        }
    }
}

fn success_body(result: &str, told: &Told) -> Arc<str> {
    let charged = told.charged.to_json_number();
    // Unknown only where the database went away behind a free call.
    let remaining = told.spendable.map_or_else(|| "null".to_owned(), Credits::to_json_number);
    let id = told.id;
    format!(
        "{{\"result\":{result},\"credits_charged\":{charged},\"credits_remaining\":{remaining},\
         \"invocation_id\":\"{id}\",\"status\":\"success\",\"meta\":{{\"credits_charged\":{charged}}}}}"
    )
    .into()
}

fn as_object(result: Option<&str>) -> String {
    match result.map(str::trim) {
        None => "{}".to_owned(),
        Some(text) if text.starts_with('{') => text.to_owned(),
        Some(text) => format!("{{\"value\":{text}}}"),
    }
}

fn failure(code: Code, message: String, upstream_status: Option<u16>) -> AnswerTemplate {
    AnswerTemplate {
        status: status_number(code),
        fill: Box::new(move |told| {
            let note = if told.charged.is_zero() { "nothing was charged" } else { "the attempt was charged" };
            let mut problem = Problem::new(code, format!("{message}; {note}"))
                .fact("credits_charged", number(told.charged))
                .fact("invocation_id", told.id.to_string().into());
            if let Some(status) = upstream_status {
                problem = problem.fact("upstream_status", status.into());
            }
            problem.body().to_string().into()
        }),
    }
}

/// Credits as an exact JSON number.
pub(crate) fn number(credits: Credits) -> serde_json::Value {
    credits.to_json_number().parse::<serde_json::Number>().map_or(serde_json::Value::Null, Into::into)
}

fn respond(answered: &Answered, rate: &RateHeaders, asked: Asked<'_>) -> HttpResponse {
    let mut response = match &answered.answer {
        Answer::Complete { status, body } => json_response(*status, body),
        Answer::Replayed { status, body } => {
            let mut response = json_response(*status, body);
            insert_header(&mut response, "idempotent-replayed", "true");
            response
        }
        other => refusal::problem_of(other, answered, asked).error_response(),
    };
    insert_header(&mut response, INVOCATION_HEADER, &answered.id.to_string());
    insert_header(&mut response, CHARGED_HEADER, &answered.charged.to_string());
    if let Some(spendable) = answered.spendable {
        insert_header(&mut response, REMAINING_HEADER, &spendable.to_string());
    }
    rate.insert_into(&mut response);
    response
}

fn json_response(status: u16, body: &Arc<str>) -> HttpResponse {
    HttpResponse::build(stored_status(status)).content_type("application/json").body(body.to_string())
}

fn named(problem: Problem, id: InvocationId) -> Problem {
    problem.header(INVOCATION_HEADER, id.to_string()).header(CHARGED_HEADER, "0")
}

#[cfg(test)]
mod tests;
