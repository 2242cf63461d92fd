//! A partner's tokens. One without a spending limit of its own makes and revokes others: a partner has nobody who signs in.

use actix_web::{HttpRequest, HttpResponse, web};
use engine::{
    code::Code,
    id::TokenId,
    limits::BODY_BYTES_MAX,
    service::{
        partners::named_by_key,
        tokens::{CreateTokenError, RevokeTokenError, TokenNote, TokenOwner},
    },
};
use secrecy::ExposeSecret as _;
use serde_json::Value;

use super::{authenticate_manager, authenticate_partner};
use crate::{
    http::{body::read_body, problem::Problem},
    marketplace::{
        auth::{
            NO_STORE,
            fields::{self, Fields},
            store_problem,
        },
        tokens::{missing, view},
    },
    state::AppState,
};

/// The body of a partner's new token.
#[derive(Debug, utoipa::ToSchema)]
pub struct PartnerTokenBody {
    /// What the partner calls it.
    pub name: String,
    /// At most 255 bytes; with the same key again no other token is made.
    pub idempotency_key: Option<String>,
}

/// The partner's tokens, revoked ones too.
#[utoipa::path(
    get,
    path = "/partners/tokens",
    responses(
        (status = OK, description = "The tokens, the newest first"),
        (status = UNAUTHORIZED, description = "No valid token"),
        (status = FORBIDDEN, description = "Not a partner's token")
    )
)]
pub(crate) async fn list_partner_tokens(
    request: HttpRequest,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let asking = authenticate_partner(&request, &state).await?;
    let tokens = state.services.list_owned_tokens(asking.partner.id.into()).await.map_err(store_problem)?;
    Ok(HttpResponse::Ok().json(tokens.iter().map(view).collect::<Vec<_>>()))
}

/// Makes a token of the partner.
#[utoipa::path(
    post,
    path = "/partners/tokens",
    request_body(content = inline(PartnerTokenBody)),
    responses(
        (status = CREATED, description = "The token, shown once"),
        (status = UNAUTHORIZED, description = "No valid token"),
        (status = FORBIDDEN, description = "Not a partner's token, or one with a limit of its own, or the partner is suspended"),
        (status = CONFLICT, description = "The key has made a token before, whose secret was shown then"),
        (status = UNPROCESSABLE_ENTITY, description = "No usable name, or too many tokens")
    )
)]
pub(crate) async fn create_partner_token(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let asking = authenticate_manager(&request, &state).await?;
    let body = read_body(payload, BODY_BYTES_MAX, &state.config.limits).await?;
    let mut fields = Fields::parse(&body)?;
    let (name, key) = (fields.text("name"), fields.idempotency_key());
    fields.finish()?;
    let key = key.map(|key| named_by_key(asking.partner.id, "token", &key));
    let owner = TokenOwner::Partner(asking.partner.id);
    let note = TokenNote { reason: None, key };
    let made = state.services.create_owned_token(&asking.context(&state), owner, &name, note).await;
    let token = made.map_err(|error| match error {
        CreateTokenError::Name(_) | CreateTokenError::TooMany => fields::fault("name", &error.to_string()),
        CreateTokenError::MadeBefore(id) => {
            Problem::new(Code::IdempotencyKeyReused, error.to_string()).fact("token_id", id.to_string().into())
        }
        CreateTokenError::Store(error) => store_problem(error),
    })?;
    let mut answer = view(&token.view);
    if let Value::Object(members) = &mut answer {
        members.insert("token".to_owned(), token.secret.expose_secret().into());
    }
    Ok(HttpResponse::Created().insert_header(NO_STORE).json(answer))
}

/// Revokes a token of the partner for ever; also the one that the request carries.
#[utoipa::path(
    delete,
    path = "/partners/tokens/{id}",
    params(("id" = String, Path)),
    responses(
        (status = NO_CONTENT, description = "Revoked"),
        (status = UNAUTHORIZED, description = "No valid token"),
        (status = FORBIDDEN, description = "Not a partner's token, or one with a limit of its own, or the partner is suspended"),
        (status = NOT_FOUND, description = "The partner has no such token")
    )
)]
pub(crate) async fn revoke_partner_token(
    request: HttpRequest,
    id: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let asking = authenticate_manager(&request, &state).await?;
    let id: TokenId = id.parse().map_err(|_malformed| missing())?;
    let owner = TokenOwner::Partner(asking.partner.id);
    let revoked = state.services.revoke_owned_token(&asking.context(&state), owner, id, None).await;
    revoked.map_err(|error| match error {
        RevokeTokenError::NotFound => missing(),
        RevokeTokenError::Store(error) => store_problem(error),
    })?;
    Ok(HttpResponse::NoContent().finish())
}
