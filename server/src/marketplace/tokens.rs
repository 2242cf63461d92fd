//! Personal tokens. A key may look at tokens and revoke them; only a signed-in person may make one, so that a leaked
//! key cannot make its own replacement.

use actix_web::{HttpRequest, HttpResponse, http::Method, web};
use engine::{
    code::Code,
    id::TokenId,
    limits::BODY_BYTES_MAX,
    service::tokens::{CreateTokenError, RevokeTokenError, TokenView},
};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::{
    auth::{
        NO_STORE,
        fields::{self, Fields},
        require_account, store_problem,
    },
    refusal::time_text,
};
use crate::{
    http::{
        auth::authenticate,
        body::read_body,
        problem::Problem,
        routes::{Mount, resource},
    },
    state::AppState,
};

pub mod caps;

/// The body of a new token.
#[derive(Debug, utoipa::ToSchema)]
pub struct TokenBody {
    /// What its owner calls it.
    pub name: String,
}

/// The routes of this module.
pub fn configure(routes: &mut Mount<'_>) {
    routes
        .service(resource("/tokens/", [(Method::POST, web::to(create)), (Method::GET, web::to(list))]))
        .service(resource("/tokens/{id}", [(Method::DELETE, web::to(revoke))]))
        .service(resource("/tokens/{id}/caps", [(Method::GET, web::to(caps::list_token_caps))]))
        .service(resource(
            "/tokens/{id}/caps/{window}",
            [(Method::PUT, web::to(caps::set_token_cap)), (Method::DELETE, web::to(caps::remove_token_cap))],
        ));
}

/// Makes a token.
#[utoipa::path(
    post,
    path = "/tokens/",
    request_body(content = inline(TokenBody)),
    responses(
        (status = CREATED, description = "The token, shown once"),
        (status = UNAUTHORIZED, description = "No valid session"),
        (status = FORBIDDEN, description = "A key, not a session"),
        (status = UNPROCESSABLE_ENTITY, description = "No usable name, or too many tokens")
    )
)]
pub(crate) async fn create(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let caller = authenticate(&request, &state).await?;
    let account = require_account(&caller)?;
    if caller.principal.token.is_some() {
        return Err(Problem::new(
            Code::SessionRequired,
            "a key cannot make keys; sign in with POST /auth/login and use its access_token",
        ));
    }
    let body = read_body(payload, BODY_BYTES_MAX, &state.config.limits).await?;
    let mut fields = Fields::parse(&body)?;
    let name = fields.text("name");
    fields.finish()?;
    let token =
        state.services.create_token(&caller.context(&state), account.id, &name).await.map_err(|error| match error {
            CreateTokenError::Name(_) | CreateTokenError::TooMany | CreateTokenError::MadeBefore(_) => {
                fields::fault("name", &error.to_string())
            }
            CreateTokenError::Store(error) => store_problem(error),
        })?;
    let mut answer = view(&token.view);
    if let Value::Object(members) = &mut answer {
        members.insert("token".to_owned(), token.secret.expose_secret().into());
    }
    Ok(HttpResponse::Created().insert_header(NO_STORE).json(answer))
}

/// The caller's tokens, revoked ones too.
#[utoipa::path(
    get,
    path = "/tokens/",
    responses(
        (status = OK, description = "The tokens, the newest first"),
        (status = UNAUTHORIZED, description = "No valid token"),
        (status = FORBIDDEN, description = "Not an account's token")
    )
)]
pub(crate) async fn list(request: HttpRequest, state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
    let caller = authenticate(&request, &state).await?;
    let tokens = state.services.list_tokens(require_account(&caller)?.id).await.map_err(store_problem)?;
    Ok(HttpResponse::Ok().json(tokens.iter().map(view).collect::<Vec<_>>()))
}

/// Revokes a token for ever.
#[utoipa::path(
    delete,
    path = "/tokens/{id}",
    params(("id" = String, Path)),
    responses(
        (status = NO_CONTENT, description = "Revoked"),
        (status = UNAUTHORIZED, description = "No valid token"),
        (status = NOT_FOUND, description = "No such token of this caller")
    )
)]
pub(crate) async fn revoke(
    request: HttpRequest,
    id: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let caller = authenticate(&request, &state).await?;
    let account = require_account(&caller)?;
    let id: TokenId = id.parse().map_err(|_malformed| missing())?;
    state.services.revoke_token(&caller.context(&state), account.id, id).await.map_err(|error| match error {
        RevokeTokenError::NotFound => missing(),
        RevokeTokenError::Store(error) => store_problem(error),
    })?;
    Ok(HttpResponse::NoContent().finish())
}

/// The same for a token that is not there and for one of somebody else.
pub(super) fn missing() -> Problem {
    Problem::new(Code::NotFound, "there is no such token")
}

pub(super) fn view(token: &TokenView) -> Value {
    json!({
        "id": token.id.to_string(),
        "name": token.name,
        "hint": token.hint,
        "is_active": token.revoked_us.is_none(),
        "created_at": time_text(token.created_us),
        "revoked_at": token.revoked_us.map(time_text),
    })
}
