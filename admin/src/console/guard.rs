//! What stands before every handler of the console: is the connection private, is the form ours, who is it, may they.

use std::sync::Arc;

use actix_web::{
    Error, HttpMessage as _, HttpResponse,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
    web::Data,
};
use engine::{
    id::RequestId,
    policy::console::{ConsoleDecision, ConsoleDenialCode},
};

use super::{
    Access, Console, ROOT, Verb, csrf,
    fault::{self, Fault},
    visit::{self, Visit},
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

/// Lets a request through to its handler, or answers it here.
pub(super) async fn pass<B: MessageBody + 'static>(
    verb: Verb,
    access: Access,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let visit = match enter(verb, access, &request).await {
        Ok(visit) => visit,
        Err(stopped) => {
            let mut response = stopped;
            add_headers(response.headers_mut());
            return Ok(request.into_response(response).map_into_right_body());
        }
    };
    request.extensions_mut().insert(visit);
    let mut response = next.call(request).await?;
    add_headers(response.headers_mut());
    Ok(response.map_into_left_body())
}

/// What every answer of the console says beside its page.
pub(super) fn add_headers(headers: &mut HeaderMap) {
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
}

async fn enter(verb: Verb, access: Access, request: &ServiceRequest) -> Result<Visit, HttpResponse> {
    let Some(console) = request.app_data::<Data<Arc<Console>>>() else {
        return Err(Fault::Broken("the console has not been set up".to_owned()).response());
    };
    let console = Arc::clone(console.get_ref());
    if !console.door.is_private(request.request()) {
        return Err(Fault::NotPrivate.response());
    }
    if verb == Verb::Post
        && let Err(cross_site) = csrf::check(request.headers(), &console.door.origin())
    {
        tracing::warn!(?cross_site, "a form of another site was refused");
        return Err(Fault::CrossSite.response());
    }
    let services = &console.services;
    let session = match visit::session_secret(request) {
        Some(secret) => services.find_operator_session(&secret).await.map_err(|error| Fault::from(error).response())?,
        None => None,
    };
    let now_us = services.clock.now_us();
    let mut visit = Visit {
        request: RequestId::new(&*services.ids, now_us),
        now_us,
        is_fragment: request.headers().contains_key("hx-request"),
        path: request.path().to_owned(),
        query: request.query_string().to_owned(),
        session: session.map(Arc::new),
        owes_step_up: false,
        new_cookie: None,
        console,
    };
    let Access::Needs(action) = access else { return Ok(visit) };
    if visit.session.is_none() {
        return Err(ask_to_sign_in(verb, &visit));
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

/// To the sign-in, and from there back to where this was: the page itself, or the page of the form.
fn ask_to_sign_in(verb: Verb, visit: &Visit) -> HttpResponse {
    let back = match (verb, visit.query.as_str()) {
        (Verb::Get, "") | (Verb::Post, _) => visit.path.clone(),
        (Verb::Get, query) => format!("{}?{query}", visit.path),
    };
    let query: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("next", &back).finish();
    let to = format!("{ROOT}/sign-in?{query}");
    fault::see_other(&to, visit.is_fragment).finish()
}
