//! `GET /invocations/{id}`: what became of a call.

use actix_web::{HttpRequest, HttpResponse, web};
use engine::{
    id::InvocationId,
    invocation::{CallState, Surface},
    service::invocations::{CallDetail, Invocation},
};
use serde_json::{Value, json};

use super::{
    invoke::number,
    refusal::{no_such_tool, time_text},
};
use crate::{
    http::{auth::authenticate, problem::Problem},
    state::AppState,
};

mod explanation;

/// A call of the caller: state, hold, charge, error, and after an unknown outcome when it will be settled.
///
/// `explanation` says why it cost what it cost: the price version that was in force, the arguments that the worst case was
/// computed from and what they counted, what the tool returned, the rule that followed from that, what was held, captured and
/// given back, how the charge was shared, and how the call was decided.
///
/// `explanation.returned.value` is the number at the price's path as the tool wrote it: a number, or a text where it was a
/// number in a string or has more than 15 digits. It is `null` where there was no value, more than one (`warning` says which), or
/// something else, whose type is `value_type`.
///
/// `policy_version` names the policy that decided: the number of its version, as `tollgate policy list` shows it, a hyphen,
/// and sixteen hexadecimal digits for everything that decides (the version's text, the program's own policies, the dialect).
#[utoipa::path(
    get,
    path = "/invocations/{id}",
    params(("id" = String, Path)),
    responses(
        (status = OK, description = "The call"),
        (status = UNAUTHORIZED, description = "No valid token"),
        (status = NOT_FOUND, description = "No such call of this caller")
    )
)]
pub(crate) async fn show(
    request: HttpRequest,
    id: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let caller = authenticate(&request, &state).await?;
    let missing = || Problem::new(no_such_tool().code(), "there is no such invocation");
    let id: InvocationId = id.parse().map_err(|_malformed| missing())?;
    let found = state.services.find_invocation(id, &caller.principal, caller.end_user.as_deref()).await?;
    let found = found.ok_or_else(missing)?;
    let detail = state.services.find_call(id).await?.ok_or_else(missing)?;
    let reason = find_reason(&state, &detail).await?;
    Ok(HttpResponse::Ok().json(view(&found, explanation::view(&detail, reason.as_deref()))))
}

/// What the caller was told who was denied. The agent gateway tells nobody why: there, a tool that is denied looks like one
/// that is not there.
async fn find_reason(state: &AppState, detail: &CallDetail) -> Result<Option<String>, Problem> {
    if detail.call.state != CallState::Denied || detail.call.surface != Some(Surface::Marketplace) {
        return Ok(None);
    }
    let recorded = state.services.find_recorded_explanation(detail.call.id).await?;
    let recorded: Option<Value> = recorded.and_then(|text| serde_json::from_str(&text).ok());
    Ok(recorded.and_then(|value| value.get("reason").and_then(Value::as_str).map(str::to_owned)))
}

fn view(invocation: &Invocation, explanation: Value) -> Value {
    json!({
        "invocation_id": invocation.id.to_string(),
        "tool_id": invocation.tool.map(|id| id.to_string()),
        "price_version_id": invocation.price.map(|id| id.to_string()),
        "policy_version": invocation.policy_version,
        "state": invocation.state.as_str(),
        "is_settled": !invocation.state.is_open(),
        "credits_held": number(invocation.held),
        "credits_charged": number(invocation.charged),
        "error": invocation.error,
        "created_at": time_text(invocation.created_us),
        "ended_at": invocation.ended_us.map(time_text),
        "resolves_at": invocation.resolves_us.map(time_text),
        "explanation": explanation,
    })
}
