//! The page behind a link: shows what it does, sets a password. Works without JavaScript; looking uses nothing up.

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use admin::link::{Done, Form, render_done, render_form, render_gone};
use engine::{
    code::Code,
    service::accounts::{PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, PasswordError, SetPasswordError},
};
use secrecy::{ExposeSecret as _, SecretString};

use super::{base_url, busy, store_problem};
use crate::{
    http::{
        address::client_address,
        auth::new_request_id,
        body::read_body,
        limits::RateHeaders,
        problem::{Problem, gone_page, refused_form},
    },
    state::AppState,
};

/// Largest form, in bytes: two passwords of 128 characters, percent-encoded, fit many times.
const FORM_BYTES_MAX: usize = 16_384;
const POLICY: &str =
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The page's style.
pub(super) async fn style() -> HttpResponse {
    HttpResponse::Ok().content_type("text/css; charset=utf-8").body(admin::link::STYLE)
}

/// The form.
pub(super) async fn show(
    request: HttpRequest,
    secret: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let rate =
        state.auth_limiter.check_login_address(client_address(&request, &state.config.server.trusted_proxies))?;
    let found = state.services.find_login_link(&secret).await.map_err(store_problem)?;
    let shown = match found {
        Some(found) => form(HttpResponse::Ok(), &found.account.email, found.is_verifying, None),
        None => gone(),
    };
    announce(&rate, shown)
}

fn announce(rate: &RateHeaders, answer: Result<HttpResponse, Problem>) -> Result<HttpResponse, Problem> {
    let mut response = answer.map_err(|problem| rate.announce(problem))?;
    rate.insert_into(&mut response);
    Ok(response)
}

/// Sets the password and uses the link up.
pub(super) async fn set_password(
    request: HttpRequest,
    secret: web::Path<String>,
    payload: web::Payload,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let rate =
        state.auth_limiter.check_login_address(client_address(&request, &state.config.server.trusted_proxies))?;
    if !is_same_origin(&request) {
        return announce(&rate, Err(Problem::new(Code::PolicyDenied, "this form was sent from another site")));
    }
    announce(&rate, carry_out(&secret, payload, &state).await)
}

async fn carry_out(secret: &str, payload: web::Payload, state: &AppState) -> Result<HttpResponse, Problem> {
    let body = SecretString::from(read_body(payload, FORM_BYTES_MAX, &state.config.limits).await?);
    let found = state.services.find_login_link(secret).await.map_err(store_problem)?;
    let Some(found) = found else { return gone() };
    let field = |wanted: &str| {
        url::form_urlencoded::parse(body.expose_secret().as_bytes())
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.into_owned())
    };
    let retry = |problem: &str| form(refused_form(), &found.account.email, found.is_verifying, Some(problem));
    let password = field("password").unwrap_or_default();
    if field("again").is_some_and(|again| again != password) {
        return retry("The two passwords differ.");
    }
    match state.services.set_password(new_request_id(state), secret, &SecretString::from(password)).await {
        Ok(account) => {
            let done = Done { email: &account.email, is_verified: account.is_verified, base_url: &base_url(state) };
            page(HttpResponse::Ok(), render_done(&done))
        }
        Err(SetPasswordError::LinkGone) => gone(),
        Err(SetPasswordError::Password(PasswordError::Length)) => {
            retry(&format!("A password has {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters."))
        }
        Err(SetPasswordError::Password(PasswordError::Guessable)) => {
            retry("This password is among the first that somebody would try. Take a longer one, or several words.")
        }
        Err(SetPasswordError::Password(PasswordError::Busy | PasswordError::Failed)) => Err(busy()),
        Err(SetPasswordError::Store(error)) => Err(store_problem(error)),
    }
}

/// Whether a browser says that the form is ours. Programs that are not browsers say nothing, and nobody can make them
/// send a form for somebody else.
fn is_same_origin(request: &HttpRequest) -> bool {
    let text = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
    match (text("sec-fetch-site"), text(header::ORIGIN.as_str()), text(header::HOST.as_str())) {
        (Some(site), _, _) => site == "same-origin",
        (None, Some(origin), Some(host)) => {
            origin.split_once("://").is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host))
        }
        (None, Some(_), None) => false,
        (None, None, _) => true,
    }
}

fn form(
    response: actix_web::HttpResponseBuilder,
    email: &str,
    is_verifying: bool,
    problem: Option<&str>,
) -> Result<HttpResponse, Problem> {
    let form = Form { email, is_verifying, problem, chars_min: PASSWORD_CHARS_MIN, chars_max: PASSWORD_CHARS_MAX };
    page(response, render_form(&form))
}

fn gone() -> Result<HttpResponse, Problem> {
    page(gone_page(), render_gone())
}

fn page(
    mut response: actix_web::HttpResponseBuilder,
    html: Result<String, admin::link::RenderError>,
) -> Result<HttpResponse, Problem> {
    let html = html.map_err(|error| {
        tracing::error!(%error, "a page could not be written");
        Problem::new(Code::Internal, "the page could not be written")
    })?;
    Ok(response
        .insert_header(super::NO_STORE)
        .insert_header(("content-security-policy", POLICY))
        // Under `no-referrer` browsers send `Origin: null` with the form, and it could not be told from another site's.
        .insert_header(("referrer-policy", "same-origin"))
        .content_type("text/html; charset=utf-8")
        .body(html))
}
