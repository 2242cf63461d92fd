//! A forgotten password: asked for with an email address, replaced with what the mail brings. Every address is answered
//! alike; what differs is done behind the answer, so that neither its words nor its time tell who has an account.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use engine::{
    code::Code,
    limits::BODY_BYTES_MAX,
    service::accounts::{
        LINK_MINUTES, PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, PasswordError, SetPasswordError, is_email,
    },
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::{
    NO_STORE, busy,
    fields::{self, Fields},
    store_problem,
};
use crate::{
    http::{
        address::client_address,
        auth::{new_request_id, stranger},
        body::read_body,
        limits::RateHeaders,
        problem::Problem,
    },
    state::AppState,
};

/// The body of a request for a new password.
#[derive(Debug, utoipa::ToSchema)]
pub struct ResetBody {
    /// The account's address.
    pub email: String,
}

/// The body that brings the new password.
#[derive(utoipa::ToSchema)]
#[expect(missing_debug_implementations, reason = "it holds a password, and is only described, never made")]
pub struct NewPasswordBody {
    /// The last part of the mailed link.
    pub secret: String,
    /// The new password: 12 to 128 characters, and none of the usual ones.
    pub password: String,
}

/// Mails a link with which a forgotten password is replaced. The answer is the same whether the address has an account or
/// not. Nothing changes before the link is used.
#[utoipa::path(
    post,
    path = "/auth/password-reset",
    request_body(content = inline(ResetBody)),
    responses(
        (status = ACCEPTED, description = "If the address has an account, a mail is on its way"),
        (status = BAD_REQUEST, description = "The body is not JSON"),
        (status = UNPROCESSABLE_ENTITY, description = "No such address is possible"),
        (status = TOO_MANY_REQUESTS, description = "Too many of these from this client, or for this address"),
        (status = SERVICE_UNAVAILABLE, description = "Too many at once, or the database is away")
    )
)]
pub(crate) async fn request_password_reset(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let address = client_address(&request, &state.config.server.trusted_proxies);
    let mut rate = state.auth_limiter.check_reset_address(address)?;
    let answered = ask(payload, &state, &mut rate).await;
    let mut response = answered.map_err(|problem| rate.announce(problem))?;
    rate.insert_into(&mut response);
    Ok(response)
}

async fn ask(payload: web::Payload, state: &AppState, rate: &mut RateHeaders) -> Result<HttpResponse, Problem> {
    let body = read_body(payload, BODY_BYTES_MAX, &state.config.limits).await?;
    let mut fields = Fields::parse(&body)?;
    let email = fields.text("email");
    if !fields.has_fault("email") && !is_email(&email) {
        fields.fault("email", "is not an email address");
    }
    fields.finish()?;
    let permit = state.auth_limiter.begin_reset(&email, rate)?;
    if let Some(account) = state.services.find_reset_account(&email).await.map_err(store_problem)? {
        let (services, by, counted) = (Arc::clone(&state.services), stranger(state), state.in_flight.enter());
        tokio::spawn(async move {
            if let Err(error) = services.mail_password_reset(&by, &account).await {
                tracing::warn!(%error, "a mail that resets a password was not written");
            }
            drop((permit, counted));
        });
    }
    Ok(HttpResponse::Accepted().json(json!({
        "status": "accepted",
        "text": format!(
            "if this address has an account, a mail is on its way; its link is good for {LINK_MINUTES} minutes and once"
        ),
    })))
}

/// Sets a new password with the secret of a mailed link, which is used up by it. Every session of the account ends, and so
/// does every other link that was mailed to it; its keys stay good.
#[utoipa::path(
    post,
    path = "/auth/password-reset/confirm",
    request_body(content = inline(NewPasswordBody)),
    responses(
        (status = OK, description = "The password is set: sign in with it"),
        (status = BAD_REQUEST, description = "The body is not JSON"),
        (status = UNPROCESSABLE_ENTITY, description = "The secret cannot be used any more, or the password cannot be used"),
        (status = TOO_MANY_REQUESTS, description = "Too many attempts from this address"),
        (status = SERVICE_UNAVAILABLE, description = "Too many at once, or the database is away")
    )
)]
pub(crate) async fn confirm_password_reset(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let address = client_address(&request, &state.config.server.trusted_proxies);
    let rate = state.auth_limiter.check_login_address(address)?;
    let mut response = confirm(payload, &state).await.map_err(|problem| rate.announce(problem))?;
    rate.insert_into(&mut response);
    Ok(response)
}

async fn confirm(payload: web::Payload, state: &AppState) -> Result<HttpResponse, Problem> {
    let body = read_body(payload, BODY_BYTES_MAX, &state.config.limits).await?;
    let mut fields = Fields::parse(&body)?;
    let secret = SecretString::from(fields.text("secret"));
    let password = SecretString::from(fields.text("password"));
    fields.finish()?;
    let account =
        state.services.set_password(new_request_id(state), secret.expose_secret(), &password).await.map_err(problem)?;
    Ok(HttpResponse::Ok().insert_header(NO_STORE).json(json!({
        "status": "password_set",
        "email": account.email,
        "verified": account.is_verified,
        "next": {"action": "sign_in", "text": "sign in with the new password", "method": "POST", "path": "/auth/login"},
    })))
}

fn problem(error: SetPasswordError) -> Problem {
    match error {
        SetPasswordError::LinkGone => {
            fields::fault("secret", "cannot be used any more; POST /auth/password-reset mails another one")
        }
        SetPasswordError::Password(PasswordError::Length) => {
            fields::fault("password", &format!("has {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters"))
        }
        SetPasswordError::Password(PasswordError::Guessable) => {
            fields::fault("password", "is among the first that somebody would try")
        }
        SetPasswordError::Password(PasswordError::Busy) => busy(),
        SetPasswordError::Password(PasswordError::Failed) => {
            Problem::new(Code::Internal, "the password could not be set")
        }
        SetPasswordError::Store(error) => store_problem(error),
    }
}
