//! An operator's own page: who I am here, my second factor, my sessions, my password.

use actix_web::web::Payload;
use engine::{
    policy::console::ConsoleAction,
    service::{
        accounts::PasswordError,
        operators::{ChangeOperatorPasswordError, FactorError, FactorOffer},
    },
};
use secrecy::SecretString;

use crate::{
    console::{Access, Answer, Fault, Fields, Problems, ROOT, Route, Visit, get, post},
    kit::{Cell, Code, Column, Control, Facts, Field, Form, Heading, Page, Qr, Row, Table, Text, Tone},
    text::{said::Said as _, t},
};

pub(super) fn routes() -> Vec<Route> {
    vec![
        get("/me", Access::Needs(ConsoleAction::SelfRead), show),
        get("/me/factor", Access::Needs(ConsoleAction::SelfFactor), offer_factor),
        post("/me/factor", Access::Needs(ConsoleAction::SelfFactor), enrol_factor),
        get("/me/password", Access::Needs(ConsoleAction::SelfPassword), ask_password),
        post("/me/password", Access::Needs(ConsoleAction::SelfPassword), change_password),
    ]
}

async fn show(visit: Visit) -> Answer {
    let session = visit.signed_in()?;
    let operator = &session.operator;
    let factor = if operator.has_factor {
        Cell::state(t("console-me-factor-on"), Tone::Good)
    } else {
        Cell::state(t("console-me-factor-off"), Tone::Warn)
    };
    let roles: Vec<&str> = operator.roles.iter().map(|role| role.as_str()).collect();
    let sessions = visit.services().list_operator_sessions(operator.id).await?;
    let rows = sessions.iter().map(|other| {
        let here = if other.key == session.key { Cell::state(t("console-me-this"), Tone::Good) } else { Cell::None };
        Row::new(
            "",
            vec![
                Cell::Time(other.created_us),
                Cell::Time(other.seen_us),
                Cell::text(&other.address),
                Cell::text(&other.user_agent),
                here,
            ],
        )
    });
    let table = Table {
        caption: t("console-me-sessions"),
        columns: [
            "console-me-began",
            "console-me-seen",
            "console-me-address",
            "console-me-browser",
            "console-me-session",
        ]
        .map(|key| Column::new(t(key)))
        .into(),
        rows: rows.collect(),
        ..Table::default()
    };
    let page = Page::new(operator.name.clone())
        .tool(true, t("console-me-factor-change"), format!("{ROOT}/me/factor"))
        .tool(true, t("console-me-password-change"), format!("{ROOT}/me/password"))
        .with(
            Facts::new()
                .fact(t("console-sign-in-email"), Cell::text(&operator.email))
                .fact(t("console-me-roles"), Cell::text(roles.join(", ")))
                .fact(t("console-me-factor"), factor)
                .fact(t("console-me-last"), Cell::time(operator.signed_in_us)),
        )
        .with(Heading::new(t("console-me-sessions")))
        .with(table)
        .with(Form::new(format!("{ROOT}/sign-out"), t("console-sign-out")));
    visit.show(page).await
}

fn factor_page(visit: &Visit, offer: &FactorOffer, problems: &Problems, typed: &Fields) -> Page {
    let form = Form::new(format!("{ROOT}/me/factor"), t("console-factor-submit"))
        .field(Field::new("seed", "", Control::Hidden).value(&offer.seed))
        .field(Field { fills: "one-time-code", ..Field::line("code", t("console-code-label")) }.required())
        .renewed(visit)
        .cancel(format!("{ROOT}/me"))
        .filled(typed, problems);
    let mut page = Page::new(t("console-factor-title"))
        .under(t("console-me-title"), format!("{ROOT}/me"))
        .with(Text::new(t("console-factor-text")));
    // An address of some thousand characters fits into no picture; there is the text.
    if let Ok(picture) = Qr::new(t("console-factor-picture"), &offer.uri) {
        page = page.with(picture);
    }
    page.with(Code { caption: t("console-factor-secret"), text: offer.secret_text.clone(), is_copied: true })
        .with(Code { caption: t("console-factor-uri"), text: offer.uri.clone(), is_copied: true })
        .with(form)
}

async fn offer_factor(visit: Visit) -> Answer {
    let offer = visit.services().offer_factor(&visit.signed_in()?.operator);
    visit.show(factor_page(&visit, &offer, &Problems::default(), &Fields::default())).await
}

async fn enrol_factor(mut visit: Visit, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let mut problems = Problems::default();
    let code = problems.required(&fields, "code").to_owned();
    visit.renew(&fields, &mut problems).await?;
    if problems.is_empty() {
        let session = visit.signed_in()?;
        match visit.services().enrol_factor(&visit.context()?, session, fields.text("seed"), &code).await {
            Ok(()) => return visit.go(&format!("{ROOT}/me"), &t("console-factor-done")).await,
            Err(FactorError::WrongCode) => problems.add("code", t("console-factor-wrong")),
            Err(FactorError::Store(error)) => return Err(error.into()),
            Err(error) => problems.add("", error.said()),
        }
    }
    // The secret that the authenticator has by now is offered again; a changed one begins anew.
    let operator = &visit.signed_in()?.operator;
    let again = visit.services().offer_factor_again(operator, fields.text("seed"));
    let offer = again.unwrap_or_else(|| visit.services().offer_factor(operator));
    visit.show_refused(factor_page(&visit, &offer, &problems, &fields)).await
}

fn password_page(visit: &Visit, problems: &Problems) -> Page {
    let form = Form::new(format!("{ROOT}/me/password"), t("console-password-submit"))
        .field(Field::username(visit.email()))
        .field(Field::password("old", t("console-password-old"), "current-password").required())
        .field(Field::password("password", t("console-link-password"), "new-password").required())
        .field(Field::password("again", t("console-link-again"), "new-password").required())
        .cancel(format!("{ROOT}/me"))
        .filled(&Fields::default(), problems);
    Page::new(t("console-password-title")).under(t("console-me-title"), format!("{ROOT}/me")).with(form)
}

async fn ask_password(visit: Visit) -> Answer {
    visit.show(password_page(&visit, &Problems::default())).await
}

async fn change_password(visit: Visit, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let mut problems = Problems::default();
    if fields.raw("password") != fields.raw("again") {
        problems.add("again", t("console-link-differ"));
    }
    let attempt = if problems.is_empty() { visit.try_password("old", &mut problems)? } else { None };
    if let Some(attempt) = attempt {
        let (old, new) = (fields.raw("old").to_owned().into(), SecretString::from(fields.raw("password").to_owned()));
        let session = visit.signed_in()?;
        match visit.services().change_operator_password(visit.request, session, &old, &new).await {
            Ok(()) => {
                attempt.succeed();
                return visit.go(&format!("{ROOT}/me"), &t("console-password-done")).await;
            }
            Err(ChangeOperatorPasswordError::WrongPassword) => problems.add("old", t("console-password-wrong")),
            Err(ChangeOperatorPasswordError::Password(PasswordError::Busy)) => {
                attempt.take_back();
                return Err(Fault::Wait(1));
            }
            // Only once the old one was right is the new one looked at.
            Err(ChangeOperatorPasswordError::Password(error)) => {
                attempt.succeed();
                problems.add("password", error.said());
            }
            Err(ChangeOperatorPasswordError::Store(error)) => {
                attempt.take_back();
                return Err(error.into());
            }
        }
    }
    visit.show_refused(password_page(&visit, &problems)).await
}
