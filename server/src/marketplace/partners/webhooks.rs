//! Where a partner is told besides by mail. What is sent, and how it is signed, is in [`crate::webhooks`].

use actix_web::{HttpResponse, http::Method, web};
use engine::{
    code::Code,
    id::{DeliveryId, WebhookId},
    service::partners::{Delivery, DeliveryState, Webhook, WebhookError, WebhookNote, named_by_key},
};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::{Asking, Managing, alerts::read_place};
use crate::{
    http::{
        asked::{Answer, Asked},
        problem::Problem,
        routes::{Mount, resource},
    },
    marketplace::{
        auth::{
            NO_STORE,
            fields::{self, Fields},
            store_problem,
        },
        refusal::time_text,
    },
};

/// The body of a new webhook.
#[derive(Debug, utoipa::ToSchema)]
pub struct WebhookBody {
    /// Where what the partner is told is sent: `https`, and no private address.
    pub url: String,
    /// At most 255 bytes; with the same key again no other webhook is made.
    pub idempotency_key: Option<String>,
}

/// The routes of this module.
pub(super) fn configure(routes: &mut Mount<'_>) {
    routes
        .service(resource(
            "/partners/webhooks",
            [(Method::GET, web::to(list_webhooks)), (Method::POST, web::to(create_webhook))],
        ))
        .service(resource("/partners/webhooks/{id}", [(Method::DELETE, web::to(remove_webhook))]))
        .service(resource("/partners/webhooks/{id}/deliveries", [(Method::GET, web::to(list_deliveries))]))
        .service(resource(
            "/partners/webhooks/{id}/deliveries/{delivery}/replay",
            [(Method::POST, web::to(replay_delivery))],
        ));
}

/// The partner's webhooks.
#[utoipa::path(
    get,
    path = "/partners/webhooks",
    responses(
        (status = OK, description = "The webhooks, the oldest first, without their secrets"),
        Asking
    )
)]
pub(crate) async fn list_webhooks(asking: Asked<Asking>) -> Answer {
    let webhooks = asking.state.services.list_webhooks(asking.partner.id).await.map_err(store_problem)?;
    Ok(HttpResponse::Ok().json(webhooks.iter().map(view).collect::<Vec<_>>()))
}

fn no_key() -> Problem {
    Problem::new(
        Code::DatabaseUnavailable,
        "webhooks cannot be signed just now: the server has not the master key for it",
    )
}

/// Makes a webhook. From now on everything that the partner is told is sent there, signed with the secret in the answer.
#[utoipa::path(
    post,
    path = "/partners/webhooks",
    request_body(content = inline(WebhookBody)),
    responses(
        (status = CREATED, description = "The webhook with its secret"),
        (status = OK, description = "The webhook that the key has made before, with its secret"),
        Managing,
        (status = CONFLICT, description = "The key has made another webhook"),
        (status = UNPROCESSABLE_ENTITY, description = "The URL cannot be used or may not be called, or there are too many webhooks")
    )
)]
pub(crate) async fn create_webhook(asking: Asked<Managing>) -> Answer {
    let body = asking.body().await?;
    let mut fields = Fields::parse(&body)?;
    let (url, key) = (fields.text("url"), fields.idempotency_key());
    fields.finish()?;
    // A name server may keep a thread waiting.
    let errand = asking.state.errands.begin(asking.partner.id.uuid())?;
    asking.state.upstreams.check_hook(&url).await.map_err(|refusal| {
        fields::fault("url", &refusal.to_string()).explained_in_log(&asking.context(), refusal.details())
    })?;
    drop(errand);
    // Before anything is made: a webhook whose secret nobody is told is of no use.
    if !asking.state.webhook_keys.is_open() {
        return Err(no_key());
    }
    let key = key.map(|key| named_by_key(asking.partner.id, "webhook", &key));
    let note = WebhookNote { reason: None, key };
    let made = asking.state.services.create_webhook(&asking.context(), asking.partner.id, &url, note).await;
    let (webhook, is_new) = made.map_err(problem)?;
    let mut shown = view(&webhook);
    if let Value::Object(members) = &mut shown {
        let secret = asking.state.webhook_keys.secret_of(webhook.id).ok_or_else(no_key)?;
        members.insert("secret".to_owned(), secret.expose_secret().into());
    }
    let mut answer = if is_new { HttpResponse::Created() } else { HttpResponse::Ok() };
    Ok(answer.insert_header(NO_STORE).json(shown))
}

/// Removes a webhook: what is still on its way to it is not sent.
#[utoipa::path(
    delete,
    path = "/partners/webhooks/{id}",
    params(("id" = String, Path)),
    responses(
        (status = NO_CONTENT, description = "Removed"),
        Managing,
        (status = NOT_FOUND, description = "The partner has no such webhook")
    )
)]
pub(crate) async fn remove_webhook(id: web::Path<String>, asking: Asked<Managing>) -> Answer {
    let id = parse_id(&id)?;
    asking.state.services.remove_webhook(&asking.context(), asking.partner.id, id, None).await.map_err(problem)?;
    Ok(HttpResponse::NoContent().finish())
}

/// What was sent to a webhook and is on its way to it, the newest first. `next` is given as `after` to go on.
#[utoipa::path(
    get,
    path = "/partners/webhooks/{id}/deliveries",
    params(
        ("id" = String, Path),
        ("after" = Option<String>, Query, description = "`next` of the page before")
    ),
    responses(
        (status = OK, description = "The deliveries"),
        Asking,
        (status = NOT_FOUND, description = "The partner has no such webhook"),
        (status = UNPROCESSABLE_ENTITY, description = "There is no such place")
    )
)]
pub(crate) async fn list_deliveries(id: web::Path<String>, asking: Asked<Asking>) -> Answer {
    let (id, after) = (parse_id(&id)?, read_place(&asking.request)?);
    let page = asking.state.services.list_deliveries(asking.partner.id, id, after).await.map_err(problem)?;
    let deliveries: Vec<Value> = page.rows.iter().map(view_delivery).collect();
    Ok(HttpResponse::Ok().json(json!({"deliveries": deliveries, "next": page.next})))
}

/// Has something sent once more that was taken or given up; what is still to be sent is left as it is.
#[utoipa::path(
    post,
    path = "/partners/webhooks/{id}/deliveries/{delivery}/replay",
    params(("id" = String, Path), ("delivery" = String, Path)),
    responses(
        (status = OK, description = "The delivery, which is sent again"),
        Managing,
        (status = NOT_FOUND, description = "The partner has no such webhook, or the webhook no such delivery")
    )
)]
pub(crate) async fn replay_delivery(path: web::Path<(String, String)>, asking: Asked<Managing>) -> Answer {
    let delivery: DeliveryId = path.1.parse().map_err(|_malformed| missing())?;
    let named = (parse_id(&path.0)?, delivery);
    let replayed = asking.state.services.replay_delivery(&asking.context(), asking.partner.id, named, None).await;
    Ok(HttpResponse::Ok().json(view_delivery(&replayed.map_err(problem)?)))
}

fn parse_id(text: &str) -> Result<WebhookId, Problem> {
    text.parse().map_err(|_malformed| missing())
}

/// The same for what is not there and for what is somebody else's.
fn missing() -> Problem {
    Problem::new(Code::NotFound, "there is no such webhook or delivery")
}

fn problem(error: WebhookError) -> Problem {
    match error {
        WebhookError::NotFound => missing(),
        WebhookError::TooMany => fields::fault("url", &error.to_string()),
        WebhookError::MadeBefore(id) => {
            Problem::new(Code::IdempotencyKeyReused, error.to_string()).fact("webhook_id", id.to_string().into())
        }
        WebhookError::Store(error) => store_problem(error),
    }
}

fn view(webhook: &Webhook) -> Value {
    json!({"id": webhook.id.to_string(), "url": webhook.url, "created_at": time_text(webhook.created_us)})
}

fn view_delivery(delivery: &Delivery) -> Value {
    let is_queued = delivery.state == DeliveryState::Queued;
    json!({
        "id": delivery.id.to_string(),
        "event_id": delivery.event.to_string(),
        "state": delivery.state.as_str(),
        "attempts": delivery.attempts,
        "next_attempt_at": is_queued.then(|| time_text(delivery.next_us)),
        "last_error": delivery.last_error,
        "created_at": time_text(delivery.created_us),
        "sent_at": delivery.sent_us.map(time_text),
    })
}
