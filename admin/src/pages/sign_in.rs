//! The way in and out: sign-in, the one-time link of a new operator, sign-out.

use actix_web::{
    http::header::{HeaderName, HeaderValue},
    web::{Path, Payload},
};
use engine::service::{
    accounts::{PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, PasswordError},
    operators::{OperatorLinkError, OperatorSignIn, OperatorSignInError},
};
use secrecy::SecretString;

use crate::{
    console::{Access, Answer, Fault, Fields, Problems, ROOT, Route, Visit, get, plain_page, post},
    kit::{Code, Field, Form, Notice, Page, Text, Tone},
    text::{said::Said as _, t, t_with},
};
use engine::policy::console::ConsoleAction;

pub(super) fn routes() -> Vec<Route> {
    vec![
        get("/sign-in", Access::Anybody, show),
        post("/sign-in", Access::Anybody, sign_in),
        get("/link/{secret}", Access::Anybody, show_link),
        post("/link/{secret}", Access::Anybody, use_link),
        post("/sign-out", Access::Needs(ConsoleAction::SelfSignOut), sign_out),
    ]
}

/// Where a sign-in leads to: a page of the console, and nowhere else.
fn next_of(fields: &Fields) -> String {
    let next = fields.text("next");
    let is_ours = next.strip_prefix(ROOT).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
        && !next.contains(['\\', '\n', '\r'])
        && !next.starts_with("//");
    if is_ours { next.to_owned() } else { format!("{ROOT}/") }
}

fn form(fields: &Fields, problems: &Problems) -> Form {
    Form::new(format!("{ROOT}/sign-in"), t("console-sign-in"))
        .field(
            Field {
                fills: "username",
                ..Field::new("email", t("console-sign-in-email"), crate::kit::Control::Line("email"))
            }
            .required(),
        )
        .field(Field::password("password", t("console-sign-in-password"), "current-password").required())
        .field(
            Field { fills: "one-time-code", ..Field::line("code", t("console-code-label")) }
                .hint(t("console-sign-in-code-hint")),
        )
        .field(Field::new("next", "", crate::kit::Control::Hidden).value(next_of(fields)))
        .filled(fields, problems)
}

async fn show(visit: Visit) -> Answer {
    let fields = Fields::parse(&visit.query)?;
    if visit.is_signed_in() {
        return Ok(visit.go_quietly(&next_of(&fields)));
    }
    if !visit.services().has_operators().await? {
        let page = Page::new(t("console-first-title")).with(Text::new(t("console-first-text"))).with(Code {
            caption: t("console-first-command"),
            text: "tollgate operator create --role owner --name \"Your name\" --email you@example.com".to_owned(),
            is_copied: true,
        });
        return visit.show(page).await;
    }
    visit.show(Page::new(t("console-sign-in-title")).with(form(&fields, &Problems::default()))).await
}

async fn sign_in(mut visit: Visit, request: actix_web::HttpRequest, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let mut problems = Problems::default();
    let email = problems.required(&fields, "email").to_owned();
    if fields.raw("password").is_empty() {
        problems.add("password", t("console-required"));
    }
    if !problems.is_empty() {
        return visit.show_refused(Page::new(t("console-sign-in-title")).with(form(&fields, &problems))).await;
    }
    let address = visit.address;
    let attempt = visit.console().door.begin_sign_in(&email, address).map_err(Fault::Wait)?;
    let password = SecretString::from(fields.raw("password").to_owned());
    let agent = request.headers().get("user-agent").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let address = address.to_string();
    let asked = OperatorSignIn {
        email: &email,
        password: &password,
        code: Some(fields.text("code")).filter(|code| !code.is_empty()),
        address: &address,
        user_agent: agent,
    };
    match visit.services().operator_sign_in(visit.request, asked).await {
        Ok(session) => {
            attempt.succeed();
            visit.adopt(&session).await?;
            Ok(visit.go_quietly(&next_of(&fields)))
        }
        Err(OperatorSignInError::BadCredentials | OperatorSignInError::Elsewhere) => {
            problems.add("", t("console-sign-in-wrong"));
            visit.show_refused(Page::new(t("console-sign-in-title")).with(form(&fields, &problems))).await
        }
        Err(OperatorSignInError::Busy) => {
            attempt.take_back();
            Err(Fault::Wait(1))
        }
        Err(OperatorSignInError::Store(error)) => {
            attempt.take_back();
            Err(error.into())
        }
    }
}

async fn sign_out(mut visit: Visit) -> Answer {
    let key = visit.signed_in()?.key;
    visit.services().end_operator_session(&visit.context()?, &key).await?;
    visit.forget();
    let html = plain_page(&t("console-signed-out"), &t("console-signed-out-detail"))?;
    let mut response = Visit::plain(html);
    // Whoever uses this browser next finds nothing of it. The session's cookie ends by itself; `cookies` would take those of
    // whatever else is on this host.
    let cleared = HeaderValue::from_static("\"cache\", \"storage\"");
    response.headers_mut().insert(HeaderName::from_static("clear-site-data"), cleared);
    Ok(response)
}

fn link_form(secret: &str, email: &str, problems: &Problems) -> Page {
    let form = Form::new(format!("{ROOT}/link/{secret}"), t("console-link-submit"))
        .field(Field::username(email))
        .field(
            Field::password("password", t("console-link-password"), "new-password")
                .hint(t_with(
                    "console-link-hint",
                    &[("min", PASSWORD_CHARS_MIN.into()), ("max", PASSWORD_CHARS_MAX.into())],
                ))
                .required(),
        )
        .field(Field::password("again", t("console-link-again"), "new-password").required())
        .filled(&Fields::default(), problems);
    Page::new(t("console-link-title"))
        .with(Text::new(t_with("console-link-text", &[("email", email.to_owned().into())])))
        .with(form)
}

fn gone() -> Page {
    Page::new(t("console-link-gone")).with(Notice::new(Tone::Warn, t("console-link-gone-text")))
}

async fn show_link(visit: Visit, secret: Path<String>) -> Answer {
    match visit.services().find_operator_link(&secret).await? {
        Some(link) => visit.show(link_form(&secret, &link.operator.email, &Problems::default())).await,
        None => visit.show_refused(gone()).await,
    }
}

async fn use_link(visit: Visit, secret: Path<String>, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let Some(link) = visit.services().find_operator_link(&secret).await? else {
        return visit.show_refused(gone()).await;
    };
    let mut problems = Problems::default();
    if fields.raw("password") != fields.raw("again") {
        problems.add("again", t("console-link-differ"));
        return visit.show_refused(link_form(&secret, &link.operator.email, &problems)).await;
    }
    let password = SecretString::from(fields.raw("password").to_owned());
    match visit.services().use_operator_link(visit.request, &secret, &password).await {
        Ok(_operator) => Ok(visit.go_quietly(&format!("{ROOT}/sign-in"))),
        Err(OperatorLinkError::LinkGone) => visit.show_refused(gone()).await,
        Err(OperatorLinkError::Password(PasswordError::Busy)) => Err(Fault::Wait(1)),
        Err(OperatorLinkError::Password(error)) => {
            problems.add("password", error.said());
            visit.show_refused(link_form(&secret, &link.operator.email, &problems)).await
        }
        Err(OperatorLinkError::Store(error)) => Err(error.into()),
    }
}
