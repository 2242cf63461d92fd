//! A partner's tokens. One without a spending limit of its own makes and revokes others: a partner has nobody who signs in.

use actix_web::{HttpResponse, web};
use engine::{
    code::Code,
    id::TokenId,
    service::{
        partners::named_by_key,
        tokens::{CreateTokenError, RevokeTokenError, TokenNote, TokenOwner},
    },
};
use secrecy::ExposeSecret as _;
use serde_json::Value;

use super::{Asking, Managing};
use crate::{
    http::{
        asked::{Answer, Asked},
        problem::Problem,
    },
    marketplace::{
        auth::{
            NO_STORE,
            fields::{self, Fields},
            store_problem,
        },
        tokens::{missing, view},
    },
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
        Asking
    )
)]
pub(crate) async fn list_partner_tokens(asking: Asked<Asking>) -> Answer {
    let tokens = asking.state.services.list_owned_tokens(asking.partner.id.into()).await.map_err(store_problem)?;
    Ok(HttpResponse::Ok().json(tokens.iter().map(view).collect::<Vec<_>>()))
}

/// Makes a token of the partner.
#[utoipa::path(
    post,
    path = "/partners/tokens",
    request_body(content = inline(PartnerTokenBody)),
    responses(
        (status = CREATED, description = "The token, shown once"),
        Managing,
        (status = CONFLICT, description = "The key has made a token before, whose secret was shown then"),
        (status = UNPROCESSABLE_ENTITY, description = "No usable name, or too many tokens")
    )
)]
pub(crate) async fn create_partner_token(asking: Asked<Managing>) -> Answer {
    let body = asking.body().await?;
    let mut fields = Fields::parse(&body)?;
    let (name, key) = (fields.text("name"), fields.idempotency_key());
    fields.finish()?;
    let key = key.map(|key| named_by_key(asking.partner.id, "token", &key));
    let owner = TokenOwner::Partner(asking.partner.id);
    let note = TokenNote { reason: None, key };
    let made = asking.state.services.create_owned_token(&asking.context(), owner, &name, note).await;
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
        Managing,
        (status = NOT_FOUND, description = "The partner has no such token")
    )
)]
pub(crate) async fn revoke_partner_token(id: web::Path<String>, asking: Asked<Managing>) -> Answer {
    let id: TokenId = id.parse().map_err(|_malformed| missing())?;
    let owner = TokenOwner::Partner(asking.partner.id);
    let revoked = asking.state.services.revoke_owned_token(&asking.context(), owner, id, None).await;
    revoked.map_err(|error| match error {
        RevokeTokenError::NotFound => missing(),
        RevokeTokenError::Store(error) => store_problem(error),
    })?;
    Ok(HttpResponse::NoContent().finish())
}
