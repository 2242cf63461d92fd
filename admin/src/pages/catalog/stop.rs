//! Kill switches: a publisher, a namespace or a tool is stopped, or goes on. What that does is shown first.

use actix_web::web::{Path, Payload};
use engine::{
    policy::console::ConsoleAction,
    service::catalog::{CatalogError, Switch, SwitchEffect},
};

use super::{
    PUBLISHERS, TOOLS, add_problem, namespace_href, namespaces, publisher_href, publishers, reason_field, recent_note,
    tool_href, tools,
};
use crate::{
    console::{Answer, Fault, Fields, Problems, Visit},
    kit::{Block, Cell, Column, Control, Facts, Field, Form, Link, Page, Row, Table, Text},
    text::t,
};

/// What is stopped, or goes on.
struct Subject {
    switch: Switch,
    action: ConsoleAction,
    /// What it is called.
    name: String,
    /// Its page, and the form on it.
    href: String,
    form: String,
    /// What it belongs to.
    crumbs: Vec<Link>,
    is_stopped: bool,
}

async fn load_publisher(visit: &Visit, id: &str) -> Result<Subject, Fault> {
    let publisher = publishers::load(visit, id).await?;
    let href = publisher_href(publisher.id);
    Ok(Subject {
        switch: Switch::Publisher(publisher.id),
        action: ConsoleAction::PublisherSuspend,
        name: publisher.display_name,
        form: format!("{href}/suspend"),
        href,
        crumbs: vec![Link::new(t("catalog-publishers"), PUBLISHERS)],
        is_stopped: publisher.is_suspended,
    })
}

async fn load_namespace(visit: &Visit, id: &str) -> Result<Subject, Fault> {
    let (namespace, publisher) = namespaces::load(visit, id).await?;
    let href = namespace_href(namespace.id);
    Ok(Subject {
        switch: Switch::Namespace(namespace.id),
        action: ConsoleAction::NamespaceSuspend,
        name: namespace.name,
        form: format!("{href}/suspend"),
        href,
        crumbs: vec![
            Link::new(t("catalog-publishers"), PUBLISHERS),
            Link::new(publisher.display_name, publisher_href(publisher.id)),
        ],
        is_stopped: namespace.is_suspended,
    })
}

async fn load_tool(visit: &Visit, id: &str) -> Result<Subject, Fault> {
    let tool = tools::load(visit, id).await?.profile;
    let href = tool_href(tool.id);
    Ok(Subject {
        switch: Switch::Tool(tool.id),
        action: ConsoleAction::ToolDisable,
        name: tool.path(),
        form: format!("{href}/disable"),
        href,
        crumbs: vec![Link::new(t("catalog-tools"), TOOLS)],
        is_stopped: tool.is_disabled,
    })
}

/// What the switch does, as far as is known.
fn effect_blocks(effect: &SwitchEffect, is_stopped: bool, now_us: i64) -> Vec<Block> {
    let count = |number: u64| Cell::Number(i64::try_from(number).unwrap_or(i64::MAX));
    let tools = u64::try_from(effect.tools).unwrap_or(u64::MAX);
    let key = if is_stopped { "catalog-tools-going-on" } else { "catalog-tools-stopping" };
    let facts = Facts::new()
        .fact(t(key), count(tools))
        .fact(t("catalog-recent-calls"), count(effect.recent.calls))
        .fact(t("catalog-recent-charged"), Cell::Money(effect.recent.charged));
    let rows = effect.named.iter().map(|path| Row::new("", vec![Cell::text(path)]));
    let table = Table {
        caption: t(key),
        columns: vec![Column::new(t("catalog-tool"))],
        rows: rows.collect(),
        count: if effect.named.len() < effect.tools { t("catalog-some-of-them") } else { String::new() },
        ..Table::default()
    };
    vec![facts.into(), Text::new(recent_note(&effect.recent, now_us)).into(), table.into()]
}

async fn page(visit: &Visit, subject: &Subject, typed: &Fields, problems: &Problems) -> Result<Page, Fault> {
    let is_tool = matches!(subject.switch, Switch::Tool(_));
    let (key, text) = match (is_tool, subject.is_stopped) {
        (true, false) => ("catalog-disable", "catalog-disable-text"),
        (true, true) => ("catalog-enable", "catalog-enable-text"),
        (false, false) => ("catalog-suspend", "catalog-suspend-text"),
        (false, true) => ("catalog-resume", "catalog-resume-text"),
    };
    let effect = visit.services().preview_switch(subject.switch).await?;
    let mut form = Form::new(subject.form.clone(), t(key))
        .field(reason_field())
        .step_up(visit, subject.action)
        .cancel(subject.href.clone())
        .previewed()
        .filled(typed, problems)
        // What the form was made for: somebody else may have done it in the meantime.
        .field(Field::new("stopped", "", Control::Hidden).value(if subject.is_stopped { "no" } else { "yes" }))
        .preview(effect_blocks(&effect, subject.is_stopped, visit.now_us));
    form.is_danger = !subject.is_stopped;
    let mut page = Page::new(t(key));
    page.crumbs.clone_from(&subject.crumbs);
    Ok(page.under(subject.name.clone(), subject.href.clone()).with(Text::new(t(text))).with(form))
}

async fn ask(visit: Visit, subject: Subject) -> Answer {
    let typed = Fields::parse(&visit.query)?;
    let page = page(&visit, &subject, &typed, &Problems::default()).await?;
    visit.show(page).await
}

async fn turn(mut visit: Visit, subject: Subject, fields: Fields) -> Answer {
    let mut problems = Problems::default();
    let reason = problems.required(&fields, "reason").to_owned();
    let is_stopped = fields.text("stopped") == "yes";
    visit.permit(subject.action, None, &fields, &mut problems).await?;
    // Somebody else has done it, or the same form was sent before.
    if subject.is_stopped == is_stopped {
        return visit.go(&subject.href, &t("catalog-switch-already")).await;
    }
    if problems.is_empty() && fields.text("step") != "confirm" {
        let page = page(&visit, &subject, &fields, &problems).await?;
        return visit.show(page).await;
    }
    if problems.is_empty() {
        let (services, by) = (visit.services(), visit.context()?);
        let turned = match subject.switch {
            Switch::Publisher(id) => services.set_publisher_suspended(&by, id, is_stopped, &reason).await,
            Switch::Namespace(id) => services.set_namespace_suspended(&by, id, is_stopped, &reason).await,
            Switch::Tool(id) => services.set_tool_disabled(&by, id, is_stopped, &reason).await,
        };
        match turned {
            Ok(()) => {
                let said = t(if is_stopped { "catalog-stopped-done" } else { "catalog-resumed-done" });
                return visit.go(&subject.href, &said).await;
            }
            Err(CatalogError::AlreadySo(_)) => {
                return visit.go(&subject.href, &t("catalog-switch-already")).await;
            }
            Err(error) => add_problem(&mut problems, error)?,
        }
    }
    let page = page(&visit, &subject, &fields, &problems).await?;
    visit.show_refused(page).await
}

pub(super) async fn ask_publisher(visit: Visit, id: Path<String>) -> Answer {
    let subject = load_publisher(&visit, &id).await?;
    ask(visit, subject).await
}

pub(super) async fn publisher(visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let subject = load_publisher(&visit, &id).await?;
    turn(visit, subject, fields).await
}

pub(super) async fn ask_namespace(visit: Visit, id: Path<String>) -> Answer {
    let subject = load_namespace(&visit, &id).await?;
    ask(visit, subject).await
}

pub(super) async fn namespace(visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let subject = load_namespace(&visit, &id).await?;
    turn(visit, subject, fields).await
}

pub(super) async fn ask_tool(visit: Visit, id: Path<String>) -> Answer {
    let subject = load_tool(&visit, &id).await?;
    ask(visit, subject).await
}

pub(super) async fn tool(visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let subject = load_tool(&visit, &id).await?;
    turn(visit, subject, fields).await
}
