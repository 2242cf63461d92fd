//! Everything that is known of one end user, for whoever asks the partner for it.

use actix_web::{HttpResponse, web};
use engine::service::invocations::{CallFilter, ListedCall};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{missing, view_with_wallet};
use crate::{
    http::asked::{Answer, Asked},
    marketplace::{
        auth::{NO_STORE, store_problem},
        invoke::number,
        partners::{Asking, caps, query_of, query_problem},
        refusal::time_text,
    },
};

/// How many calls a page has at most.
const CALLS_MAX: u64 = 500;

/// What is known of an end user: its row, its limits, and its calls, the newest first. Calls come page by page: `next` is given
/// as `after` to go on, and is null at the end. A page may have few calls, even none, and still a `next`: it looks at so many
/// calls of everybody.
#[utoipa::path(
    get,
    path = "/partners/users/{external_id}/export",
    params(
        ("external_id" = String, Path),
        ("after" = Option<String>, Query, description = "`next` of the page before")
    ),
    responses(
        (status = OK, description = "The end user, its limits, a page of its calls"),
        Asking,
        (status = NOT_FOUND, description = "The partner has no such end user"),
        (status = UNPROCESSABLE_ENTITY, description = "There is no such place")
    )
)]
pub(crate) async fn export_end_user(name: web::Path<String>, asking: Asked<Asking>) -> Answer {
    let [after] = query_of(&asking.request, ["after"])?;
    let wrong = || query_problem("after", "must be `next` of the page before");
    let after = after.map(|text| Uuid::try_parse(&text)).transpose().map_err(|_no_place| wrong())?;
    let services = &asking.state.services;
    let user = services.find_own_end_user(asking.partner.id, &name).await.map_err(store_problem)?;
    let user = user.ok_or_else(missing)?;
    let limits = services.list_caps_on_end_user(asking.partner.id, user.id, services.clock.now_us()).await;
    let balance = services.load_end_user_balance(user.id).await;
    let filter = CallFilter { partner: Some(asking.partner.id), end_user: Some(user.id), ..CallFilter::default() };
    let calls = services.list_calls(&filter, after, CALLS_MAX).await.map_err(store_problem)?;
    Ok(HttpResponse::Ok().insert_header(NO_STORE).json(json!({
        "user": view_with_wallet(&user, balance.map_err(store_problem)?.as_ref()),
        "caps": limits.map_err(store_problem)?.iter().map(caps::view).collect::<Vec<_>>(),
        "calls": calls.rows.iter().map(call).collect::<Vec<_>>(),
        "next": calls.next,
    })))
}

fn call(call: &ListedCall) -> Value {
    json!({
        "invocation_id": call.id.to_string(),
        "tool": call.tool.as_ref().map(|(_, name)| name),
        "state": call.state.as_str(),
        "credits_held": number(call.held),
        "credits_charged": number(call.charged),
        "error": call.error,
        "created_at": time_text(call.created_us),
        "ended_at": call.ended_us.map(time_text),
    })
}
