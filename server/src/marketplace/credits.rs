//! Balances and purchases. Amounts are written as exact JSON numbers, never through a double.

use actix_web::{HttpRequest, HttpResponse, http::Method, web};
use engine::{
    code::Code,
    credits::Credits,
    limits::BODY_BYTES_MAX,
    service::{
        access::Owner,
        balance::Balance,
        partners::Funding,
        purchases::{ConfirmError, Provider, Purchase, PurchaseError, PurchaseStatus},
    },
};
use serde_json::json;

use super::{
    auth::{
        fields::{self, Fields},
        require_account, store_problem,
    },
    refusal::time_text,
};
use crate::{
    config::PaymentProvider,
    http::{
        auth::authenticate,
        body::read_body,
        problem::Problem,
        routes::{Mount, resource},
    },
    state::AppState,
};

pub mod transactions;

/// How many credits a US dollar buys.
const CREDITS_PER_USD: i64 = 1_000;

/// The body of a purchase: one of the two amounts.
#[derive(Debug, utoipa::ToSchema)]
pub struct PurchaseBody {
    /// How many credits, as a number or a decimal text.
    pub credits: Option<String>,
    /// Or for how many US dollars.
    pub usd: Option<String>,
    /// At most 255 bytes; the same key again gives the same purchase.
    pub idempotency_key: Option<String>,
}

/// The routes of this module.
pub fn configure(routes: &mut Mount<'_>) {
    routes
        .service(resource("/credits/balance", [(Method::GET, web::to(balance))]))
        .service(resource("/credits/purchase", [(Method::POST, web::to(purchase))]))
        .service(resource("/credits/transactions", [(Method::GET, web::to(transactions::list_transactions))]))
        .service(resource("/credits/purchases", [(Method::GET, web::to(list))]));
}

/// What the caller owns and can spend; or, where each end user of a partner pays for itself, the one that `X-Faro-User` names.
#[utoipa::path(
    get,
    path = "/credits/balance",
    responses(
        (status = OK, description = "The balance, in credits"),
        (status = UNAUTHORIZED, description = "No valid token")
    )
)]
pub(crate) async fn balance(request: HttpRequest, state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
    let caller = authenticate(&request, &state).await?;
    let own = caller.end_user.as_ref().and_then(|user| user.wallet);
    let wallet = match &caller.principal.owner {
        Owner::Account(account) => account.wallet,
        Owner::Partner(partner) if partner.funding == Funding::PerUser => own.unwrap_or(partner.wallet),
        Owner::Partner(partner) => partner.wallet,
    };
    let now_us = state.services.clock.now_us();
    let balance = state.services.load_balance(wallet, now_us).await.map_err(store_problem)?;
    Ok(HttpResponse::Ok().content_type("application/json").body(balance_body(&balance)))
}

fn balance_body(balance: &Balance) -> String {
    let available = balance.available();
    format!(
        "{{\"balance\":{},\"reserved\":{},\"available\":{available},\"credits_remaining\":{available},\
         \"currency\":\"credits\",\"usd\":{}}}",
        balance.balance,
        balance.reserved,
        balance.balance.usd()
    )
}

/// Buys credits. Who confirms is configured: an operator, or in the demo the purchase itself.
#[utoipa::path(
    post,
    path = "/credits/purchase",
    request_body(content = inline(PurchaseBody)),
    responses(
        (status = CREATED, description = "The purchase and what comes next"),
        (status = UNAUTHORIZED, description = "No valid token"),
        (status = CONFLICT, description = "The key was used for another amount"),
        (status = UNPROCESSABLE_ENTITY, description = "No usable amount")
    )
)]
pub(crate) async fn purchase(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let caller = authenticate(&request, &state).await?;
    let account = require_account(&caller)?;
    let body = read_body(payload, BODY_BYTES_MAX, &state.config.limits).await?;
    let (credits, key) = parse_purchase(&body)?;
    let provider = match state.config.payments.provider {
        None | Some(PaymentProvider::Manual) => Provider::Manual,
        Some(PaymentProvider::Demo) => Provider::Demo,
    };
    let by = caller.context(&state);
    let made = state.services.purchase(&by, account.id, credits, provider, key.as_deref()).await.map_err(problem)?;
    Ok(HttpResponse::Created().content_type("application/json").body(view(&made)))
}

fn parse_purchase(body: &str) -> Result<(Credits, Option<String>), Problem> {
    let mut fields = Fields::parse(body)?;
    let credits = fields.optional_amount("credits");
    let usd = fields.optional_amount("usd");
    let key = fields.idempotency_key();
    let amount = match (credits, usd) {
        (Some(credits), None) => Some(credits),
        (None, Some(usd)) => usd.checked_mul(CREDITS_PER_USD),
        (Some(_), Some(_)) | (None, None) => None,
    };
    if amount.is_none() && !fields.has_fault("credits") && !fields.has_fault("usd") {
        let msg = if usd.is_some() && credits.is_none() { "is out of range" } else { "give either `credits` or `usd`" };
        fields.fault(if usd.is_some() { "usd" } else { "credits" }, msg);
    }
    fields.finish()?;
    let amount = amount.ok_or_else(|| fields::fault("credits", "is missing"))?;
    Ok((amount, key))
}

fn problem(error: PurchaseError) -> Problem {
    match error {
        PurchaseError::OutOfRange => fields::fault("credits", &error.to_string()),
        PurchaseError::KeyReused(_) => Problem::new(Code::IdempotencyKeyReused, error.to_string()),
        PurchaseError::Store(error) | PurchaseError::Confirm(ConfirmError::Store(error)) => store_problem(error),
        PurchaseError::Confirm(
            error @ (ConfirmError::NotFound
            | ConfirmError::AlreadyConfirmed(_)
            | ConfirmError::AlreadyFailed(_)
            | ConfirmError::Reason
            | ConfirmError::FourEyes(_)
            | ConfirmError::Changed
            | ConfirmError::Refused(_)),
        ) => {
            tracing::error!(%error, "a purchase could not confirm itself");
            Problem::new(Code::Internal, "the purchase was noted and could not be confirmed")
        }
    }
}

/// The caller's purchases.
#[utoipa::path(
    get,
    path = "/credits/purchases",
    responses(
        (status = OK, description = "The purchases, the newest first"),
        (status = UNAUTHORIZED, description = "No valid token"),
        (status = FORBIDDEN, description = "Not an account's token")
    )
)]
pub(crate) async fn list(request: HttpRequest, state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
    let caller = authenticate(&request, &state).await?;
    let purchases = state.services.list_purchases(require_account(&caller)?.id).await.map_err(store_problem)?;
    let items: Vec<String> = purchases.iter().map(view).collect();
    Ok(HttpResponse::Ok().content_type("application/json").body(format!("[{}]", items.join(","))))
}

/// A purchase as JSON: the amounts are written as they are, everything else has no digits to lose.
fn view(purchase: &Purchase) -> String {
    let next = match purchase.status {
        PurchaseStatus::Pending => json!({
            "action": "wait",
            "text": format!("an operator confirms it with `tollgate purchase confirm {}`", purchase.id),
            "method": "GET",
            "path": "/credits/purchases",
        }),
        PurchaseStatus::Confirmed => json!({
            "action": "spend",
            "text": "the credits are in the wallet",
            "method": "GET",
            "path": "/credits/balance",
        }),
        PurchaseStatus::Failed => json!({
            "action": "buy",
            "text": "the payment failed: nothing was bought",
            "method": "POST",
            "path": "/credits/purchase",
        }),
    };
    format!(
        "{{\"purchase_id\":\"{}\",\"status\":\"{}\",\"credits\":{},\"amount_usd\":{},\"provider\":\"{}\",\
         \"created_at\":\"{}\",\"confirmed_at\":{},\"next\":{next}}}",
        purchase.id,
        purchase.status.as_str(),
        purchase.credits,
        purchase.credits.usd(),
        purchase.provider.as_str(),
        time_text(purchase.created_us),
        json!(purchase.confirmed_us.map(time_text)),
    )
}

#[cfg(test)]
mod tests;
