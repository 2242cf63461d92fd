//! Operators: who may use the console and as what, and the auditors who read the books from outside.

use actix_web::web::Path;
use engine::{
    id::OperatorId,
    operator::Role,
    policy::console::ConsoleAction,
    service::operators::{ChangeOperatorError, OperatorProfile},
};

use crate::{
    console::{Access, Answer, Fault, Fields, ListFile, Problems, Route, Visit, get, post},
    kit::{Cell, Column, Empty, Facts, Heading, Link, Page, Row, Table, Tone, page_href},
    text::{said::Said as _, t},
};

mod again;
mod ask;
mod auditors;
mod change;
mod create;
mod matrix;
mod roles;

pub(super) use create::shown_once;

const LIST: &str = "/admin/operators";

pub(super) fn routes() -> Vec<Route> {
    let needs = Access::Needs;
    vec![
        get("/operators", needs(ConsoleAction::OperatorsRead), list).lists(ListFile::Without(
            "who may come in is asked here and by `tollgate operator list`, and told by the audit trail",
        )),
        get("/operators/matrix", needs(ConsoleAction::OperatorsRead), matrix::show),
        get("/operators/new", needs(ConsoleAction::OperatorCreate), create::ask),
        post("/operators/new", needs(ConsoleAction::OperatorCreate), create::request),
        get("/operators/{id}", needs(ConsoleAction::OperatorsRead), show).lists(ListFile::Without(
            "where somebody is signed in is nothing to keep; the audit trail has every sign-in",
        )),
        get("/operators/{id}/roles", needs(ConsoleAction::OperatorRoles), roles::ask),
        post("/operators/{id}/roles", needs(ConsoleAction::OperatorRoles), roles::request),
        get("/operators/{id}/disable", needs(ConsoleAction::OperatorDisable), change::ask_disable),
        post("/operators/{id}/disable", needs(ConsoleAction::OperatorDisable), change::disable),
        get("/operators/{id}/enable", needs(ConsoleAction::OperatorEnable), again::ask_enable),
        post("/operators/{id}/enable", needs(ConsoleAction::OperatorEnable), again::enable),
        get("/operators/{id}/end-sessions", needs(ConsoleAction::OperatorEndSessions), change::ask_end),
        post("/operators/{id}/end-sessions", needs(ConsoleAction::OperatorEndSessions), change::end),
        get("/operators/{id}/link", needs(ConsoleAction::OperatorReset), again::ask_link),
        post("/operators/{id}/link", needs(ConsoleAction::OperatorReset), again::link),
        get("/operators/auditors", needs(ConsoleAction::OperatorsRead), auditors::list)
            .lists(ListFile::Without("who reads the books is asked here and by `tollgate operator list`")),
        get("/operators/auditors/new", needs(ConsoleAction::AuditorCreate), auditors::ask),
        post("/operators/auditors/new", needs(ConsoleAction::AuditorCreate), auditors::make),
        get("/operators/auditors/{id}", needs(ConsoleAction::OperatorsRead), auditors::show),
        get("/operators/auditors/{id}/revoke", needs(ConsoleAction::AuditorRevoke), auditors::ask_revoke),
        post("/operators/auditors/{id}/revoke", needs(ConsoleAction::AuditorRevoke), auditors::revoke),
    ]
}

fn href(id: OperatorId) -> String {
    format!("{LIST}/{id}")
}

async fn load(visit: &Visit, id: &str) -> Result<OperatorProfile, Fault> {
    let id: OperatorId = id.parse().map_err(|_unreadable| Fault::NotFound)?;
    visit.services().find_operator(id).await?.ok_or(Fault::NotFound)
}

/// A page about an operator, below theirs.
fn below(operator: &OperatorProfile, title: String) -> Page {
    Page::new(title).under(t("operators-title"), LIST).under(operator.name.clone(), href(operator.id))
}

/// Whether they can come in.
pub(super) fn state(operator: &OperatorProfile) -> Cell {
    match (operator.is_disabled, operator.has_password) {
        (true, _) => Cell::state(t("operators-disabled"), Tone::Bad),
        (false, false) => Cell::state(t("operators-invited"), Tone::Warn),
        (false, true) => Cell::state(t("operators-active"), Tone::Good),
    }
}

fn factor(operator: &OperatorProfile) -> Cell {
    if operator.has_factor {
        Cell::state(t("operators-factor-on"), Tone::Good)
    } else {
        Cell::state(t("operators-factor-off"), Tone::Warn)
    }
}

fn roles_text(roles: &[Role]) -> String {
    roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(", ")
}

/// Says beside the form why nothing was changed.
fn refuse(error: ChangeOperatorError, problems: &mut Problems) -> Result<(), Fault> {
    match error {
        ChangeOperatorError::Store(error) => return Err(error.into()),
        ChangeOperatorError::NotFound => return Err(Fault::NotFound),
        error => problems.add("", error.said()),
    }
    Ok(())
}

/// The newest first; below the first page of them the newest auditors.
async fn list(visit: Visit) -> Answer {
    let after = Fields::parse(&visit.query)?.cursor()?;
    let operators = visit.services().list_operators_page(after).await?;
    let rows = operators.rows.iter().map(|operator| {
        let cells = vec![
            Cell::link(&operator.name, href(operator.id)),
            Cell::text(roles_text(&operator.roles)),
            factor(operator),
            Cell::time(operator.signed_in_us),
            state(operator),
        ];
        Row::new(href(operator.id), cells)
    });
    let may_create = visit.may(ConsoleAction::OperatorCreate);
    let new = Link::new(t("operators-new"), format!("{LIST}/new"));
    let table = Table {
        caption: t("operators-title"),
        columns: ["operators-name", "operators-roles", "operators-factor", "operators-last-sign-in", "operators-state"]
            .map(|key| Column::new(t(key)))
            .into(),
        rows: rows.collect(),
        first: visit.first_href(LIST),
        next: operators.next.map_or_else(String::new, |next| page_href(LIST, &visit.query, "after", &next)),
        empty: Some(Empty {
            text: t("operators-empty"),
            command: "tollgate operator create --email ann@example.com --name Ann --role owner".to_owned(),
            link: may_create.then(|| new.clone()),
        }),
        ..Table::default()
    };
    let page = Page::new(t("operators-title"))
        .tool(may_create, new.text, new.href)
        .tool(visit.may(ConsoleAction::AuditorCreate), t("operators-auditor-new"), format!("{LIST}/auditors/new"))
        .tool(true, t("operators-auditors"), format!("{LIST}/auditors"))
        .tool(true, t("operators-matrix"), format!("{LIST}/matrix"))
        .with(table);
    if after.is_some() {
        return visit.show(page).await;
    }
    let auditors = auditors::table(&visit, None).await?;
    visit.show(page.with(Heading::new(t("operators-auditors"))).with(auditors)).await
}

async fn sessions(visit: &Visit, operator: &OperatorProfile) -> Result<Table, Fault> {
    let found = visit.services().list_operator_sessions(operator.id).await?;
    let rows = found.iter().map(|session| {
        let cells = vec![
            Cell::Time(session.created_us),
            Cell::Time(session.seen_us),
            Cell::text(&session.address),
            Cell::text(&session.user_agent),
        ];
        Row::new("", cells)
    });
    Ok(Table {
        caption: t("operators-sessions"),
        columns: [
            "operators-session-began",
            "operators-session-seen",
            "operators-session-from",
            "operators-session-with",
        ]
        .map(|key| Column::new(t(key)))
        .into(),
        rows: rows.collect(),
        empty: Some(Empty {
            text: t("operators-sessions-none"),
            command: format!("tollgate operator link {}", operator.id),
            link: None,
        }),
        ..Table::default()
    })
}

async fn show(visit: Visit, id: Path<String>) -> Answer {
    let operator = load(&visit, &id).await?;
    let own = href(operator.id);
    let (switch, way, action) = if operator.is_disabled {
        ("operators-enable", "enable", ConsoleAction::OperatorEnable)
    } else {
        ("operators-disable", "disable", ConsoleAction::OperatorDisable)
    };
    let may_reset = visit.may(ConsoleAction::OperatorReset) && !operator.is_disabled;
    let facts = Facts::new()
        .fact(t("operators-email"), Cell::text(&operator.email))
        .fact(t("operators-roles"), Cell::text(roles_text(&operator.roles)))
        .fact(t("operators-factor"), factor(&operator))
        .fact(t("operators-last-sign-in"), Cell::time(operator.signed_in_us))
        .fact(t("operators-since"), Cell::Time(operator.created_us));
    let timeline = super::timeline(&visit, &operator.id.to_string()).await?;
    let deeds = format!("/admin/audit?actor={}", operator.id);
    let mut page = Page::new(operator.name.clone())
        .under(t("operators-title"), LIST)
        .tool(visit.may(ConsoleAction::OperatorRoles), t("operators-set-roles"), format!("{own}/roles"))
        .tool(visit.may(action), t(switch), format!("{own}/{way}"))
        .tool(visit.may(ConsoleAction::OperatorEndSessions), t("operators-end"), format!("{own}/end-sessions"))
        .tool(may_reset, t("operators-link"), format!("{own}/link"))
        .tool(visit.may(ConsoleAction::AuditRead), t("operators-deeds"), deeds)
        .with(facts)
        .with(Heading::new(t("operators-sessions")))
        .with(sessions(&visit, &operator).await?)
        .with(Heading::new(t("console-timeline")))
        .with(timeline);
    page.subtitle = vec![state(&operator), Cell::id(operator.id, "")];
    visit.show(page).await
}
