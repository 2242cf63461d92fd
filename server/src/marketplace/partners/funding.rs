//! Credits for end users who pay for themselves: from the partner's wallet, and back into it.

use actix_web::{HttpResponse, http::Method, web};
use engine::{
    code::Code,
    credits::Credits,
    ledger::{LedgerAccountId, Refusal},
    service::partners::{NewTransfer, TransferDirection, TransferError},
};
use serde_json::json;

use super::{Managing, users, wallet_view};
use crate::{
    http::{
        asked::{Answer, Asked},
        problem::Problem,
        routes::{Mount, resource},
    },
    marketplace::{
        auth::{
            fields::{self, Fields},
            store_problem,
        },
        invoke::number,
        refusal::{Payer, wallet_limit},
    },
};

/// The body of a transfer.
#[derive(Debug, utoipa::ToSchema)]
pub struct TransferBody {
    /// How many credits, as a number or a decimal text.
    pub credits: String,
    /// 1 to 255 bytes; with the same key again nothing more is moved.
    pub idempotency_key: String,
}

/// The routes of this module.
pub(super) fn configure(routes: &mut Mount<'_>) {
    routes
        .service(resource("/partners/users/{external_id}/fund", [(Method::POST, web::to(fund_end_user))]))
        .service(resource("/partners/users/{external_id}/withdraw", [(Method::POST, web::to(withdraw_from_end_user))]));
}

/// Moves credits from the partner's wallet into an end user's, where each end user pays for itself.
#[utoipa::path(
    post,
    path = "/partners/users/{external_id}/fund",
    params(("external_id" = String, Path)),
    request_body(content = inline(TransferBody)),
    responses(
        (status = CREATED, description = "What was moved, and both wallets after it"),
        (status = OK, description = "What the key has moved before"),
        Managing,
        (status = PAYMENT_REQUIRED, description = "The partner's wallet has less"),
        (status = NOT_FOUND, description = "The partner has no such end user"),
        (status = CONFLICT, description = "The partner pays for all its end users, or the key has moved something else"),
        (status = UNPROCESSABLE_ENTITY, description = "No usable amount or key"),
        (status = SERVICE_UNAVAILABLE, description = "The end user is being changed by somebody else, or the database is away")
    )
)]
pub(crate) async fn fund_end_user(name: web::Path<String>, asking: Asked<Managing>) -> Answer {
    transfer(&asking, &name, TransferDirection::ToUser).await
}

/// Moves credits from an end user's wallet back into the partner's.
#[utoipa::path(
    post,
    path = "/partners/users/{external_id}/withdraw",
    params(("external_id" = String, Path)),
    request_body(content = inline(TransferBody)),
    responses(
        (status = CREATED, description = "What was moved, and both wallets after it"),
        (status = OK, description = "What the key has moved before"),
        Managing,
        (status = PAYMENT_REQUIRED, description = "The end user's wallet has less, or its calls under way have reserved it"),
        (status = NOT_FOUND, description = "The partner has no such end user"),
        (status = CONFLICT, description = "The key has moved something else"),
        (status = UNPROCESSABLE_ENTITY, description = "No usable amount or key"),
        (status = SERVICE_UNAVAILABLE, description = "The end user is being changed by somebody else, or the database is away")
    )
)]
pub(crate) async fn withdraw_from_end_user(name: web::Path<String>, asking: Asked<Managing>) -> Answer {
    transfer(&asking, &name, TransferDirection::ToPartner).await
}

async fn transfer(asking: &Asked<Managing>, external_id: &str, direction: TransferDirection) -> Answer {
    let (credits, key) = parse(&asking.body().await?)?;
    let (services, by) = (&asking.state.services, asking.context());
    let new = NewTransfer { external_id, direction, credits, key: &key };
    let done = services.transfer(&by, asking.partner.id, new).await.map_err(|error| problem(error, direction))?;
    let own = services.load_end_user_balance(done.user).await.map_err(store_problem)?;
    let of_partner = services.load_balance(asking.partner.wallet, services.clock.now_us()).await;
    let mut answer = if done.is_replay { HttpResponse::Ok() } else { HttpResponse::Created() };
    Ok(answer.json(json!({
        "transaction_id": done.id.to_string(),
        "user_id": done.user.to_string(),
        "credits": number(done.credits),
        "wallet": own.as_ref().map(wallet_view),
        "partner_wallet": wallet_view(&of_partner.map_err(store_problem)?),
    })))
}

fn parse(body: &str) -> Result<(Credits, String), Problem> {
    let mut fields = Fields::parse(body)?;
    let (credits, key) = (fields.optional_amount("credits"), fields.idempotency_key());
    for (name, is_missing) in [("credits", credits.is_none()), ("idempotency_key", key.is_none())] {
        if is_missing && !fields.has_fault(name) {
            fields.fault(name, "is missing");
        }
    }
    fields.finish()?;
    match (credits, key) {
        (Some(credits), Some(key)) => Ok((credits, key)),
        // Each of them was named above.
        (_, _) => Err(fields::fault("credits", "is missing")),
    }
}

fn problem(error: TransferError, direction: TransferDirection) -> Problem {
    match error {
        TransferError::NotFound => users::missing(),
        TransferError::NotPositive => fields::fault("credits", &error.to_string()),
        TransferError::PartnerPays => Problem::new(Code::Conflict, error.to_string()),
        TransferError::KeyReused { id, credits } => Problem::new(Code::IdempotencyKeyReused, error.to_string())
            .fact("transaction_id", id.to_string().into())
            .fact("credits", number(credits)),
        TransferError::Changed => Problem::new(Code::Overloaded, error.to_string()).retry_after_s(1),
        TransferError::NoWallet { needed } => too_little((needed, Credits::ZERO), None, direction),
        TransferError::Refused(refusal) => refused(refusal, direction),
        TransferError::Store(error) => store_problem(error),
    }
}

fn refused(refusal: Refusal, direction: TransferDirection) -> Problem {
    use engine::ledger::refusal::Limit;
    let Refusal::Insufficient { limit: Limit::Wallet(wallet), needed, available } = refusal else {
        tracing::error!(%refusal, "the ledger refused a transfer");
        return Problem::new(Code::Internal, "nothing was moved");
    };
    too_little((needed, available), Some(wallet), direction)
}

/// The wallet that was to give has too little; `None`: an end user's that was never opened.
fn too_little(
    (needed, available): (Credits, Credits),
    wallet: Option<LedgerAccountId>,
    direction: TransferDirection,
) -> Problem {
    let (payer, whose) = match direction {
        TransferDirection::ToUser => (Payer::Partner, "the partner's wallet"),
        TransferDirection::ToPartner => (Payer::EndUser, "the end user's wallet"),
    };
    let message = format!("insufficient credits: {needed} were asked for, {available} can be taken from {whose}");
    Problem::new(Code::InsufficientCredits, message)
        .fact("needed", number(needed))
        .fact("available", number(available))
        .fact("limit", wallet_limit(wallet, payer))
}
