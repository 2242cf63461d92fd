//! What stands before every handler of the console: is the connection private, is the form ours, who is it, may they.

use std::sync::Arc;

use actix_web::{
    Error, HttpMessage as _, HttpResponse,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderMap, HeaderName, HeaderValue, REFERER, SET_COOKIE},
    middleware::Next,
    web::Data,
};
use engine::{
    id::RequestId,
    policy::console::{ConsoleDecision, ConsoleDenialCode},
};

use super::{
    Access, Console, ROOT, Verb, csrf, echo,
    fault::{self, Fault},
    visit::{self, NewCookie, Visit},
};

/// Nothing from elsewhere, nothing inline: pages have neither scripts nor styles in their text.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'";
/// What every page says to the browser beside that.
const HEADERS: [(&str, &str); 8] = [
    ("content-security-policy", POLICY),
    ("cache-control", "no-store"),
    ("vary", "hx-request"),
    // Under `no-referrer` browsers that know no `Sec-Fetch-Site` send `Origin: null`, and could use no form.
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ("strict-transport-security", "max-age=31536000; includeSubDomains"),
];

/// What stands before one handler.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gate {
    /// How it is asked.
    pub(super) verb: Verb,
    /// Who may.
    pub(super) access: Access,
    /// There is a page at its path: of a form its own one, on which it stands alone.
    pub(super) has_page: bool,
}

/// Lets a request through to its handler, or answers it here.
pub(super) async fn pass<B: MessageBody + 'static>(
    gate: Gate,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let cookie = NewCookie::default();
    let visit = match enter(gate, &mut request, &cookie).await {
        Ok(visit) => visit,
        Err(stopped) => {
            let mut response = stopped;
            finish(response.headers_mut(), &cookie);
            return Ok(request.into_response(response).map_into_right_body());
        }
    };
    request.extensions_mut().insert(visit);
    let mut response = next.call(request).await?;
    finish(response.headers_mut(), &cookie);
    Ok(response.map_into_left_body())
}

/// Adds what every answer says, and the session's new secret, whatever has become of the request: the old one opens
/// nothing any more.
fn finish(headers: &mut HeaderMap, cookie: &NewCookie) {
    add_headers(headers);
    if let Some(cookie) = cookie.take().and_then(|cookie| HeaderValue::from_str(&cookie).ok()) {
        headers.append(SET_COOKIE, cookie);
    }
}

/// What every answer of the console says beside its page.
pub(super) fn add_headers(headers: &mut HeaderMap) {
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
}

async fn enter(gate: Gate, request: &mut ServiceRequest, cookie: &NewCookie) -> Result<Visit, HttpResponse> {
    let Gate { verb, access, .. } = gate;
    let Some(console) = request.app_data::<Data<Arc<Console>>>() else {
        return Err(Fault::Broken("the console has not been set up".to_owned()).response());
    };
    let console = Arc::clone(console.get_ref());
    if !console.door.is_private(request.request()) {
        return Err(Fault::NotPrivate.response());
    }
    let origin = console.door.origin();
    if verb == Verb::Post
        && let Err(cross_site) = csrf::check(request.headers(), &origin)
    {
        tracing::warn!(?cross_site, "a form of another site was refused");
        return Err(Fault::CrossSite.response());
    }
    let services = &console.services;
    let secret = visit::session_secret(request, &origin);
    let session = match &secret {
        Some(secret) => services.find_operator_session(secret).await.map_err(|error| Fault::from(error).response())?,
        None => None,
    };
    let now_us = services.clock.now_us();
    let (query, opened) = visit::split_opened(request.query_string());
    let mut visit = Visit {
        request: RequestId::new(&*services.ids, now_us),
        now_us,
        is_fragment: request.headers().contains_key("hx-request"),
        path: request.path().to_owned(),
        query,
        opened,
        session: session.map(Arc::new),
        owes_step_up: false,
        new_cookie: cookie.clone(),
        address: console.door.client_address(request.request()),
        console,
    };
    let Access::Needs(action) = access else { return Ok(visit) };
    if visit.session.is_none()
        && verb == Verb::Post
        && let Some(secret) = &secret
    {
        enter_again(&mut visit, request, secret).await.map_err(|fault| fault.response())?;
    }
    if visit.session.is_none() {
        return Err(ask_to_sign_in(gate, &visit, request));
    }
    if let Some(session) = &visit.session
        && let Err(error) = visit.console.services.touch_operator_session(&session.key).await
    {
        tracing::warn!(%error, "a session could not be renewed");
    }
    // How much money it will be about is for the form to say: who may move little comes in.
    match visit.decide(action, Some(0)) {
        ConsoleDecision::Allowed => Ok(visit),
        // The form itself asks for what is missing, and keeps what was typed.
        ConsoleDecision::Denied(denial) if denial.code == ConsoleDenialCode::StepUp => {
            visit.owes_step_up = verb == Verb::Post;
            Ok(visit)
        }
        ConsoleDecision::Denied(denial) => Err(Fault::Forbidden(Box::new(denial)).response()),
    }
}

/// Goes on in a session of its own if this is the second copy of a form that has shown the password.
async fn enter_again(visit: &mut Visit, request: &mut ServiceRequest, secret: &str) -> Result<(), Fault> {
    let console = Arc::clone(&visit.console);
    match echo::enter(&console, request, secret).await? {
        Some(beside) => visit.adopt(&beside).await,
        None => Ok(()),
    }
}

/// To the sign-in, and from there back to where this was: the page itself, or the page of the form.
fn ask_to_sign_in(gate: Gate, visit: &Visit, request: &ServiceRequest) -> HttpResponse {
    let own = match request.query_string() {
        "" => visit.path.clone(),
        query => format!("{}?{query}", visit.path),
    };
    let back = match gate.verb {
        Verb::Get => own,
        Verb::Post => match page_of_form(request.headers()) {
            Some(page) if is_page_of(gate, visit, &page) => page,
            _ => own,
        },
    };
    let query: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("next", &back).finish();
    let to = format!("{ROOT}/sign-in?{query}");
    fault::see_other(&to, visit.is_fragment).finish()
}

/// Whether a form stands on `page`, so that it is there again behind the sign-in. A page that shows the form beside other
/// things, or beside a list, is not where it is found again; its own one is, where there is one. What is checked while it is
/// filled in stands on the page that is shown.
fn is_page_of(gate: Gate, visit: &Visit, page: &str) -> bool {
    let path = page.split('?').next().unwrap_or_default();
    !gate.has_page || visit.is_fragment || path == visit.path
}

/// The page that a form was sent from, with what it was asked for, as browsers say it of pages of the same site. Of the
/// address only what stands behind the host is taken, so that it leads nowhere else.
fn page_of_form(headers: &HeaderMap) -> Option<String> {
    let from = url::Url::parse(headers.get(REFERER)?.to_str().ok()?).ok()?;
    let below = from.path().strip_prefix(ROOT)?;
    if !below.starts_with('/') || below == "/sign-in" {
        return None;
    }
    Some(match from.query() {
        None => from.path().to_owned(),
        Some(query) => format!("{}?{query}", from.path()),
    })
}

#[cfg(test)]
mod tests;
