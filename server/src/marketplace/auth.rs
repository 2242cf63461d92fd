//! Signing up, signing in, verifying an address.

use std::net::IpAddr;

use actix_web::{HttpRequest, HttpResponse, http::Method, web};
use engine::{
    code::Code,
    credits::Credits,
    limits::BODY_BYTES_MAX,
    service::{
        access::{AccountPrincipal, Owner},
        accounts::{
            AccountProfile, CreateAccountError, EMAIL_BYTES_MAX, LINK_MINUTES, LoginError, ResendError, SignupError,
        },
    },
    store::StoreError,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::refusal::time_text;
use crate::{
    http::{
        address::client_address,
        auth::{Caller, authenticate, new_request_id, stranger},
        body::read_body,
        limits::RateHeaders,
        problem::Problem,
        routes::{Mount, resource},
    },
    state::AppState,
};

pub(crate) mod fields;
mod jwt;
mod link;
pub mod reset;

use fields::Fields;
pub use jwt::{JwtKeys, SESSION_MINUTES};

const DEFAULT_TOKEN_NAME: &str = "agent";

/// The body of a sign-up.
#[derive(Debug, utoipa::ToSchema)]
pub struct SignupBody {
    /// Where the verification goes.
    pub email: String,
    /// What the first token is called; `agent` when absent.
    pub token_name: Option<String>,
}

/// The body of a sign-in.
#[derive(utoipa::ToSchema)]
#[expect(missing_debug_implementations, reason = "it holds a password, and is only described, never made")]
pub struct LoginBody {
    /// The account's address.
    pub email: String,
    /// Its password.
    pub password: String,
}

/// The routes of this module.
pub fn configure(routes: &mut Mount<'_>) {
    routes
        .service(resource("/auth/agent-signup", [(Method::POST, web::to(signup))]))
        .service(resource("/auth/login", [(Method::POST, web::to(login))]))
        .service(resource("/auth/resend-verification", [(Method::POST, web::to(resend))]))
        .service(resource("/auth/password-reset", [(Method::POST, web::to(reset::request_password_reset))]))
        .service(resource("/auth/password-reset/confirm", [(Method::POST, web::to(reset::confirm_password_reset))]))
        .service(resource("/auth/me", [(Method::GET, web::to(me))]))
        .service(resource("/auth/page.css", [(Method::GET, web::to(link::style))]))
        .service(resource(
            "/auth/link/{secret}",
            [(Method::GET, web::to(link::show)), (Method::POST, web::to(link::set_password))],
        ));
}

/// Makes an account for an agent's owner: a token at once, a link to set a password, a mail to verify the address.
#[utoipa::path(
    post,
    path = "/auth/agent-signup",
    request_body(content = inline(SignupBody)),
    responses(
        (status = CREATED, description = "The token, shown once, and the link to set a password"),
        (status = BAD_REQUEST, description = "The body is not JSON"),
        (status = UNPROCESSABLE_ENTITY, description = "No such address is possible, or it has an account"),
        (status = TOO_MANY_REQUESTS, description = "Too many new accounts from this address")
    )
)]
pub(crate) async fn signup(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let rate = state.auth_limiter.check_signup(client_address(&request, &state.config.server.trusted_proxies))?;
    let mut response = carry_out_signup(payload, &state).await.map_err(|problem| rate.announce(problem))?;
    rate.insert_into(&mut response);
    Ok(response)
}

async fn carry_out_signup(payload: web::Payload, state: &AppState) -> Result<HttpResponse, Problem> {
    let body = read_body(payload, BODY_BYTES_MAX, &state.config.limits).await?;
    let mut fields = Fields::parse(&body)?;
    let email = fields.text("email");
    let token_name = fields.optional_text("token_name");
    fields.finish()?;
    let token_name = token_name.as_deref().unwrap_or(DEFAULT_TOKEN_NAME);
    let signup =
        state.services.agent_signup(&stranger(state), &email, token_name).await.map_err(|error| match error {
            SignupError::TokenName(error) => fields::fault("token_name", &error.to_string()),
            SignupError::Account(error) => account_problem(error),
        })?;
    let secret = signup.token.secret.expose_secret();
    let response = HttpResponse::Created().insert_header(NO_STORE).json(json!({
        "account_id": signup.account.to_string(),
        "email": email,
        "verified": false,
        "token": secret,
        "api_key": secret,
        "token_id": signup.token.view.id.to_string(),
        "token_name": signup.token.view.name,
        "login_url": format!("{}/auth/link/{}", base_url(state), signup.link.secret.expose_secret()),
        "login_url_expires_at": time_text(signup.link.expires_us),
        "next": format!(
            "open login_url within {LINK_MINUTES} minutes to set a password; the mail to this address verifies it"
        ),
    }));
    Ok(response)
}

/// Signs in with email and password.
#[utoipa::path(
    post,
    path = "/auth/login",
    request_body(content = inline(LoginBody)),
    responses(
        (status = OK, description = "A session token, good for an hour"),
        (status = UNAUTHORIZED, description = "Email and password do not belong together"),
        (status = UNPROCESSABLE_ENTITY, description = "Wrong types"),
        (status = TOO_MANY_REQUESTS, description = "Too many attempts from this address or to this account"),
        (status = SERVICE_UNAVAILABLE, description = "Too many sign-ins at once")
    )
)]
pub(crate) async fn login(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let address = client_address(&request, &state.config.server.trusted_proxies);
    let mut rate = state.auth_limiter.check_login_address(address)?;
    let answered = carry_out_login(payload, &state, address, &mut rate).await;
    let mut response = answered.map_err(|problem| rate.announce(problem))?;
    rate.insert_into(&mut response);
    Ok(response)
}

async fn carry_out_login(
    payload: web::Payload,
    state: &AppState,
    address: IpAddr,
    rate: &mut RateHeaders,
) -> Result<HttpResponse, Problem> {
    let body = read_body(payload, BODY_BYTES_MAX, &state.config.limits).await?;
    let mut fields = Fields::parse(&body)?;
    let email = fields.text("email");
    let password = SecretString::from(fields.text("password"));
    fields.finish()?;
    let wrong = || Problem::new(Code::InvalidCredentials, "Invalid email or password");
    if email.len() > EMAIL_BYTES_MAX {
        return Err(wrong());
    }
    let attempt = state.auth_limiter.begin_login(&email, address, state.services.clock.now_us(), rate)?;
    let account = match state.services.login(new_request_id(state), &email, &password).await {
        Ok(account) => account,
        Err(LoginError::BadCredentials) => return Err(wrong()),
        // No password was looked at, so nothing was learnt about who asks.
        Err(LoginError::Busy) => {
            attempt.take_back();
            return Err(busy());
        }
        Err(LoginError::Store(error)) => {
            attempt.take_back();
            return Err(store_problem(error));
        }
    };
    attempt.succeed();
    let token = state.jwt.issue(account, state.services.clock.now_us()).map_err(|error| {
        tracing::error!(%error, "a session token could not be signed");
        Problem::new(Code::Internal, "the session could not be made")
    })?;
    Ok(HttpResponse::Ok().insert_header(NO_STORE).json(json!({
        "access_token": token,
        "token_type": "bearer",
        "expires_in": SESSION_MINUTES.saturating_mul(60),
    })))
}

/// Mails another link to verify the caller's address.
#[utoipa::path(
    post,
    path = "/auth/resend-verification",
    responses(
        (status = OK, description = "A mail is on its way, or there is nothing to verify"),
        (status = UNAUTHORIZED, description = "No valid token"),
        (status = TOO_MANY_REQUESTS, description = "Too many mails to this account")
    )
)]
pub(crate) async fn resend(request: HttpRequest, state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
    let caller = authenticate(&request, &state).await?;
    let account = require_account(&caller)?;
    let rate = state.auth_limiter.check_mail(account.id)?;
    let status = match state.services.resend_verification(&caller.context(&state), account.id).await {
        Ok(()) => "queued",
        Err(ResendError::AlreadyVerified) => "already_verified",
        Err(ResendError::NotFound) => return Err(Problem::new(Code::NotFound, "there is no such account")),
        Err(ResendError::Store(error)) => return Err(rate.announce(store_problem(error))),
    };
    let mut response = HttpResponse::Ok().json(json!({"status": status}));
    rate.insert_into(&mut response);
    Ok(response)
}

/// The caller's account.
#[utoipa::path(
    get,
    path = "/auth/me",
    responses(
        (status = OK, description = "The account"),
        (status = UNAUTHORIZED, description = "No valid token"),
        (status = FORBIDDEN, description = "Not an account's token")
    )
)]
pub(crate) async fn me(request: HttpRequest, state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
    let caller = authenticate(&request, &state).await?;
    let account = require_account(&caller)?;
    let profile = state.services.find_profile(account.id).await.map_err(store_problem)?;
    let profile = profile.ok_or_else(|| Problem::new(Code::NotFound, "there is no such account"))?;
    let now_us = state.services.clock.now_us();
    let balance = state.services.load_balance(profile.wallet, now_us).await.map_err(store_problem)?;
    Ok(HttpResponse::Ok().json(view(&profile, tier(profile.is_verified, balance.available()))))
}

/// What the account can call: `unverified` only tools that are free and of that tier, `verified` what is free, `paid` also
/// what costs something, as long as there are credits to spend.
fn tier(is_verified: bool, available: Credits) -> &'static str {
    match (is_verified, available.is_zero()) {
        (false, _) => "unverified",
        (true, true) => "verified",
        (true, false) => "paid",
    }
}

fn view(profile: &AccountProfile, tier: &str) -> serde_json::Value {
    json!({
        "id": profile.id.to_string(),
        "email": profile.email,
        "verified": profile.is_verified,
        "tier": tier,
        "suspended": profile.is_suspended,
        "has_password": profile.has_password,
        "created_at": time_text(profile.created_us),
    })
}

/// The caller's account; partners have routes of their own.
pub(super) fn require_account(caller: &Caller) -> Result<&AccountPrincipal, Problem> {
    match &caller.principal.owner {
        Owner::Account(account) => Ok(account),
        Owner::Partner(_) => Err(Problem::new(Code::SessionRequired, "this route is for accounts, not for partners")),
    }
}

/// Keeps answers with secrets out of caches.
pub(crate) const NO_STORE: (&str, &str) = ("cache-control", "no-store");

/// Where links lead.
pub(crate) fn base_url(state: &AppState) -> String {
    state.config.server.base_url(state.config.server.bind)
}

/// A failure of the writer has a code of its own when it is overloaded.
pub(crate) fn store_problem(error: StoreError) -> Problem {
    match error {
        StoreError::Writer(error) => error.into(),
        other => other.into(),
    }
}

fn busy() -> Problem {
    Problem::new(Code::Overloaded, "too many sign-ins at once").retry_after_s(1)
}

fn account_problem(error: CreateAccountError) -> Problem {
    match error {
        CreateAccountError::EmailInvalid => fields::fault("email", "is not an email address"),
        CreateAccountError::EmailTaken => {
            fields::fault("email", "has an account; sign in, or use the link in its verification mail")
        }
        CreateAccountError::Password(error) => fields::fault("password", &error.to_string()),
        CreateAccountError::Store(error) => store_problem(error),
    }
}

#[cfg(test)]
mod tests;
