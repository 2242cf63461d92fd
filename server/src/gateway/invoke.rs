//! One request, in the documented order: route, method, caller and limiter, body, tool, policy, availability, call.

use std::{sync::Arc, time::Duration};

use actix_web::{HttpRequest, HttpResponse, ResponseError as _, http::Method, web};
use engine::{
    dialect::FailureKind,
    gateway::{
        auth::{Admitted, Shown},
        context::Hints,
        headers::Headers,
        request::{GatewayRequest, read_request, with_action},
        session_key::{Session, find_session},
    },
    id::InvocationId,
    invocation::{Asked, Surface},
    limits::INVOKE_BODY_BYTES_MAX,
    policy::chain::ChainPlace,
    service::invoke::{Answered, Call, GatewayCall},
    snapshot::{GatewaySnapshot, Snapshot},
    store::StoreError,
};

use super::{
    PATH,
    answers::{GatewayAnswers, respond},
    errors::{Failure, method_not_allowed},
};
use crate::{
    http::{
        address::header_texts,
        body::{BodyFault, collect, drain},
        insert_header,
        routes::not_found,
    },
    marketplace::invoke::{CHARGED_HEADER, INVOCATION_HEADER, REMAINING_HEADER},
    state::AppState,
};

/// The documented deadline of a body.
const BODY_WAIT: Duration = Duration::from_secs(30);
const US_PER_S: i64 = 1_000_000;

/// Calls a tool on behalf of an agent's session.
#[utoipa::path(
    post,
    path = "/tools/invoke",
    request_body(content = inline(crate::openapi::ToolsInvokeBody)),
    responses(
        (status = OK, description = "The tool's result"),
        (status = BAD_REQUEST, description = "An invalid request, or arguments that the tool did not accept"),
        (status = UNAUTHORIZED, description = "No valid credential"),
        (status = PAYMENT_REQUIRED, description = "Nobody pays, or there is not enough money"),
        (status = FORBIDDEN, description = "The tool did not accept the caller, or a scope is missing"),
        (status = NOT_FOUND, description = "No such tool for this session"),
        (status = METHOD_NOT_ALLOWED, description = "Only POST"),
        (status = REQUEST_TIMEOUT, description = "The body did not arrive in time"),
        (status = CONFLICT, description = "The idempotency key is in flight, or was used for something else"),
        (status = PAYLOAD_TOO_LARGE, description = "More than 2 MiB"),
        (status = TOO_MANY_REQUESTS, description = "Too many wrong credentials; Retry-After is set"),
        (status = INTERNAL_SERVER_ERROR, description = "The tool failed"),
        (status = SERVICE_UNAVAILABLE, description = "Overloaded, or the database is away; nothing was done"),
        (status = GATEWAY_TIMEOUT, description = "Nobody knows what became of the call")
    )
)]
pub(crate) async fn invoke(
    request: HttpRequest,
    mut payload: web::Payload,
    state: web::Data<AppState>,
) -> HttpResponse {
    // Only the path as it is written is this one: nothing is decoded.
    if request.uri().path() != PATH {
        return not_found().await.unwrap_or_else(|problem| problem.error_response());
    }
    let headers = header_texts(request.headers());
    let shown = Shown { peer: request.peer_addr().map(|peer| peer.ip()), headers: &headers };
    let errors = state.gateway.errors();
    if let Err(failure) = state.gateway.check_attribution(&shown) {
        return failure.response(errors);
    }
    if *request.method() != Method::POST {
        return method_not_allowed();
    }
    let now_us = state.services.clock.now_us();
    let admitted = match state.gateway.admit(&shown, now_us).await {
        Ok(admitted) => admitted,
        Err(failure) => return failure.response(errors),
    };
    let id = InvocationId::new(&*state.services.ids, now_us);
    let mut response = match carry_out(&state, id, &headers, admitted, &mut payload).await {
        Ok(response) => response,
        Err(failure) => failure.response(errors),
    };
    if !response.headers().contains_key(INVOCATION_HEADER) {
        insert_header(&mut response, INVOCATION_HEADER, &id.to_string());
        insert_header(&mut response, CHARGED_HEADER, "0");
    }
    response
}

async fn carry_out(
    state: &AppState,
    id: InvocationId,
    headers: &Headers<'_>,
    admitted: Admitted,
    payload: &mut web::Payload,
) -> Result<HttpResponse, Failure> {
    let body = read_body(payload).await?;
    let asked = read_request(&body)?;
    drop(body);
    let snapshot = state.services.snapshot();
    let Some(gateway) = snapshot.gateway() else { return Err(Failure::unavailable()) };
    let dialect = &gateway.setup.dialect;
    let session = find_session(&gateway.sessions, dialect, &asked)?;
    let hints = Hints::read(dialect, headers)?;
    let answered = call(state, id, (&snapshot, gateway), &asked, (session.clone(), hints, admitted)).await?;
    let mut response = respond(dialect, &answered.answer, &asked.tool, &session.agent);
    insert_header(&mut response, INVOCATION_HEADER, &answered.id.to_string());
    insert_header(&mut response, CHARGED_HEADER, &answered.charged.to_string());
    if let Some(spendable) = answered.spendable {
        insert_header(&mut response, REMAINING_HEADER, &spendable.to_string());
    }
    Ok(response)
}

/// Where a request belongs, and who makes it.
type Whereabouts = (Session, Hints, Admitted);

async fn call(
    state: &AppState,
    id: InvocationId,
    (snapshot, gateway): (&Arc<Snapshot>, &Arc<GatewaySnapshot>),
    asked: &GatewayRequest,
    (session, hints, admitted): Whereabouts,
) -> Result<Answered, Failure> {
    let principal = state.services.find_payer(gateway, &session.agent).await.map_err(unavailable)?;
    let scope = gateway.scope(&session, &hints, admitted.is_owner);
    let (Some((tool, offer)), Some(scope)) = (gateway.find_offer(&asked.tool), scope) else {
        let recorded = state.services.record_unknown_tool(id, snapshot, principal.as_deref()).await;
        if let Err(error) = recorded {
            tracing::warn!(%error, invocation = %id, "a call of a tool that is not there was not recorded");
        }
        return Err(Failure::new(FailureKind::NotAvailable, &asked.tool));
    };
    let arguments = match &asked.action {
        Some(action) if offer.tool.schema.takes_action() => with_action(&asked.arguments, action),
        _ => Arc::clone(&asked.arguments),
    };
    let recorded = Asked {
        tool: asked.tool.clone(),
        session_key: session.given.clone(),
        channel: hints.channel.clone(),
        account: hints.account.clone(),
        is_owner: admitted.is_owner,
    };
    let place = ChainPlace { scope, tool };
    let call = Call {
        id,
        surface: Surface::Gateway,
        principal,
        end_user: None,
        gateway: Some(GatewayCall { snapshot: Arc::clone(gateway), session, hints, place, asked: Arc::new(recorded) }),
        offer: Arc::clone(offer),
        snapshot: Arc::clone(snapshot),
        arguments,
        key: asked.key.clone(),
        unknown_resolves_after_us: i64::from(state.config.limits.unknown_resolve_after_s).saturating_mul(US_PER_S),
    };
    let answers = GatewayAnswers { setup: Arc::clone(&gateway.setup), _counted: state.in_flight.enter() };
    state.services.invoke(&state.upstreams, Arc::new(answers), call).await.map_err(unavailable)
}

/// The inner text goes to the log, never out.
fn unavailable(error: StoreError) -> Failure {
    tracing::error!(%error, "the database failed a call of the gateway");
    Failure::unavailable()
}

async fn read_body(payload: &mut web::Payload) -> Result<String, Failure> {
    let kind = match collect(payload, INVOKE_BODY_BYTES_MAX, BODY_WAIT).await {
        Ok(body) => return Ok(body),
        Err(BodyFault::NotText) => {
            return Err(Failure::new(FailureKind::InvalidJson, "the body is not UTF-8 text"));
        }
        Err(BodyFault::TooLarge) => {
            drain(payload).await;
            FailureKind::BodyTooLarge
        }
        Err(BodyFault::Late) => FailureKind::BodyTimeout,
        Err(BodyFault::Cut) => FailureKind::BodyCut,
    };
    Err(Failure::new(kind, ""))
}
