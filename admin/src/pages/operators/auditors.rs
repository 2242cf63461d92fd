//! Auditors' tokens: made with the secret shown once, and revoked.

use actix_web::web::{Path, Payload};
use engine::{
    id::AuditorId,
    policy::console::ConsoleAction,
    service::auditors::{AUDITOR_DAYS_DEFAULT, AUDITOR_DAYS_MAX, Auditor, CreateAuditorError, RevokeAuditorError},
};
use secrecy::ExposeSecret as _;
use uuid::Uuid;

use super::LIST;
use crate::{
    console::{Answer, Fault, Fields, Problems, Visit},
    kit::{
        Cell, Column, Control, Empty, Facts, Field, Form, Heading, Link, Notice, Page, Row, Secret, Table, Text, Tone,
        page_href,
    },
    text::{said::Said as _, t, t_with},
};

fn href(id: AuditorId) -> String {
    format!("{LIST}/auditors/{id}")
}

fn is_good(auditor: &Auditor, now_us: i64) -> bool {
    auditor.revoked_us.is_none() && now_us < auditor.expires_us
}

fn state(auditor: &Auditor, now_us: i64) -> Cell {
    match auditor.revoked_us {
        Some(_) => Cell::state(t("operators-auditor-revoked"), Tone::Bad),
        None if now_us >= auditor.expires_us => Cell::state(t("operators-auditor-over"), Tone::Plain),
        None => Cell::state(t("operators-auditor-good"), Tone::Good),
    }
}

fn hint(auditor: &Auditor) -> Cell {
    Cell::Mono(format!("…{}", auditor.hint))
}

/// Where the list is.
const AUDITORS: &str = "/admin/operators/auditors";

/// The auditors.
pub(super) async fn list(visit: Visit) -> Answer {
    let after = Fields::parse(&visit.query)?.cursor()?;
    let page = Page::new(t("operators-auditors"))
        .under(t("operators-title"), LIST)
        .tool(visit.may(ConsoleAction::AuditorCreate), t("operators-auditor-new"), format!("{AUDITORS}/new"))
        .with(table(&visit, after).await?);
    visit.show(page).await
}

/// The tokens, the newest first, from behind the one named by `after`.
pub(super) async fn table(visit: &Visit, after: Option<Uuid>) -> Result<Table, Fault> {
    let auditors = visit.services().list_auditors_page(after).await?;
    let rows = auditors.rows.iter().map(|auditor| {
        let cells = vec![
            Cell::link(&auditor.name, href(auditor.id)),
            hint(auditor),
            state(auditor, visit.now_us),
            Cell::Time(auditor.created_us),
            Cell::Time(auditor.expires_us),
        ];
        Row::new(href(auditor.id), cells)
    });
    let new = Link::new(t("operators-auditor-new"), format!("{LIST}/auditors/new"));
    Ok(Table {
        caption: t("operators-auditors"),
        columns: [
            "operators-auditor",
            "operators-auditor-hint",
            "operators-state",
            "operators-since",
            "operators-auditor-until",
        ]
        .map(|key| Column::new(t(key)))
        .into(),
        rows: rows.collect(),
        first: if after.is_some() { AUDITORS.to_owned() } else { String::new() },
        next: auditors.next.map_or_else(String::new, |next| page_href(AUDITORS, "", "after", &next)),
        empty: Some(Empty {
            text: t("operators-auditors-empty"),
            command: "tollgate operator create --role auditor --name 'Example & Co'".to_owned(),
            link: visit.may(ConsoleAction::AuditorCreate).then_some(new),
        }),
        ..Table::default()
    })
}

async fn load(visit: &Visit, id: &str) -> Result<Auditor, Fault> {
    let id: AuditorId = id.parse().map_err(|_unreadable| Fault::NotFound)?;
    visit.services().find_auditor_by_id(id).await?.ok_or(Fault::NotFound)
}

fn facts(auditor: &Auditor) -> Facts {
    Facts::new()
        .fact(t("operators-auditor"), Cell::text(&auditor.name))
        .fact(t("operators-auditor-hint"), hint(auditor))
        .fact(t("operators-since"), Cell::Time(auditor.created_us))
        .fact(t("operators-auditor-until"), Cell::Time(auditor.expires_us))
        .fact(t("operators-auditor-ended"), Cell::time(auditor.revoked_us))
}

pub(super) async fn show(visit: Visit, id: Path<String>) -> Answer {
    let auditor = load(&visit, &id).await?;
    let may_revoke = visit.may(ConsoleAction::AuditorRevoke) && auditor.revoked_us.is_none();
    let deeds = format!("/admin/audit?actor={}", auditor.id);
    let timeline = crate::pages::timeline(&visit, &auditor.id.to_string()).await?;
    let mut page = Page::new(auditor.name.clone())
        .under(t("operators-title"), LIST)
        .tool(may_revoke, t("operators-auditor-revoke"), format!("{}/revoke", href(auditor.id)))
        .tool(visit.may(ConsoleAction::AuditRead), t("operators-deeds"), deeds)
        .with(facts(&auditor))
        .with(Heading::new(t("console-timeline")))
        .with(timeline);
    page.subtitle = vec![state(&auditor, visit.now_us), Cell::id(auditor.id, "")];
    visit.show(page).await
}

fn new_page(visit: &Visit, typed: &Fields, problems: &Problems) -> Page {
    let form = Form::new(format!("{LIST}/auditors/new"), t("operators-auditor-new"))
        .field(Field::line("name", t("operators-auditor")).hint(t("operators-auditor-name-hint")).required())
        .field(
            Field::new("days", t("operators-auditor-days"), Control::Line("number"))
                .value(AUDITOR_DAYS_DEFAULT.to_string())
                .hint(t_with("operators-auditor-days-hint", &[("max", AUDITOR_DAYS_MAX.into())]))
                .required(),
        )
        .once(visit)
        .step_up(visit, ConsoleAction::AuditorCreate)
        .cancel(LIST)
        .filled(typed, problems);
    Page::new(t("operators-auditor-new"))
        .under(t("operators-title"), LIST)
        .with(Text::new(t("operators-auditor-new-text")))
        .with(form)
}

pub(super) async fn ask(visit: Visit) -> Answer {
    let typed = Fields::parse(&visit.query)?;
    visit.show(new_page(&visit, &typed, &Problems::default())).await
}

pub(super) async fn make(mut visit: Visit, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let mut problems = Problems::default();
    let name = problems.required(&fields, "name").to_owned();
    let days: Option<u32> = problems.required(&fields, "days").parse().ok();
    if days.is_none() && problems.of("days").is_none() {
        problems.add("days", t("console-number-unreadable"));
    }
    problems.key(&fields);
    visit.permit(ConsoleAction::AuditorCreate, None, &fields, &mut problems).await?;
    // Sent twice, and at the same moment, the form makes one token: by its key, or because there is a good one of this name.
    let known = visit.services().list_auditors().await?;
    if known.iter().any(|auditor| auditor.name == name && is_good(auditor, visit.now_us)) {
        problems.add("name", t("operators-auditor-known"));
    }
    if let (true, Some(days)) = (problems.is_empty(), days) {
        match visit.services().create_auditor(&visit.context()?, &name, days, fields.key()).await {
            Ok(made) => {
                let secret = made.secret.expose_secret().to_owned();
                let mut page = Page::new(t("operators-auditor-done"))
                    .under(t("operators-title"), LIST)
                    .with(Secret { text: t("operators-auditor-secret"), secret })
                    .with(facts(&made.auditor));
                page.tools.push(Link::new(t("operators-auditor-kept"), href(made.auditor.id)));
                return visit.show(page).await;
            }
            Err(CreateAuditorError::Store(error)) => return Err(error.into()),
            Err(error @ CreateAuditorError::Name(_)) => problems.add("name", error.said()),
            Err(error @ CreateAuditorError::Days(_)) => problems.add("days", error.said()),
            Err(error @ CreateAuditorError::MadeBefore(_)) => problems.add("", error.said()),
        }
    }
    visit.show_refused(new_page(&visit, &fields, &problems)).await
}

fn revoke_page(visit: &Visit, auditor: &Auditor, typed: &Fields, problems: &Problems) -> Page {
    let page = Page::new(t("operators-auditor-revoke"))
        .under(t("operators-title"), LIST)
        .under(auditor.name.clone(), href(auditor.id))
        .with(facts(auditor));
    if auditor.revoked_us.is_some() {
        return page.with(Notice::new(Tone::Warn, t("operators-auditor-revoked-already")));
    }
    let form = Form::new(format!("{}/revoke", href(auditor.id)), t("operators-auditor-revoke"))
        .field(Field::line("reason", t("console-reason")).required())
        .step_up(visit, ConsoleAction::AuditorRevoke)
        .danger()
        .cancel(href(auditor.id))
        .filled(typed, problems);
    page.with(Text::new(t("operators-auditor-revoke-text"))).with(form)
}

pub(super) async fn ask_revoke(visit: Visit, id: Path<String>) -> Answer {
    let auditor = load(&visit, &id).await?;
    let typed = Fields::parse(&visit.query)?;
    visit.show(revoke_page(&visit, &auditor, &typed, &Problems::default())).await
}

pub(super) async fn revoke(mut visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let auditor = load(&visit, &id).await?;
    let mut problems = Problems::default();
    let reason = problems.required(&fields, "reason").to_owned();
    visit.permit(ConsoleAction::AuditorRevoke, None, &fields, &mut problems).await?;
    if problems.is_empty() {
        match visit.services().revoke_auditor(&visit.context()?, auditor.id, Some(&reason)).await {
            Ok(_revoked) => return visit.go(&href(auditor.id), &t("operators-auditor-revoked-done")).await,
            Err(RevokeAuditorError::Store(error)) => return Err(error.into()),
            Err(RevokeAuditorError::NotFound) => return Err(Fault::NotFound),
            Err(error @ RevokeAuditorError::AlreadyRevoked) => problems.add("", error.said()),
        }
    }
    visit.show_refused(revoke_page(&visit, &auditor, &fields, &problems)).await
}
