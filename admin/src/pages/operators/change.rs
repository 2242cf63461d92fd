//! Shutting an operator out, and signing them out everywhere: done at once, by one operator alone.

use actix_web::web::{Path, Payload};
use engine::{policy::console::ConsoleAction, service::operators::OperatorProfile};

use super::{below, href, load, refuse};
use crate::{
    console::{Answer, Fields, Problems, Visit},
    kit::{Field, Form, Notice, Page, Text, Tone},
    text::t,
};

/// The form that shuts somebody out. Where it is so already, it says so.
fn disable_page(visit: &Visit, operator: &OperatorProfile, typed: &Fields, problems: &Problems) -> Page {
    let page = below(operator, t("operators-disable"));
    if operator.is_disabled {
        return page.with(Notice::new(Tone::Warn, t("operators-disabled-already")));
    }
    let form = Form::new(format!("{}/disable", href(operator.id)), t("operators-disable"))
        .field(Field::line("reason", t("console-reason")).required())
        .step_up(visit, ConsoleAction::OperatorDisable)
        .danger()
        .cancel(href(operator.id))
        .filled(typed, problems);
    page.with(Text::new(t("operators-disable-text"))).with(form)
}

pub(super) async fn ask_disable(visit: Visit, id: Path<String>) -> Answer {
    let operator = load(&visit, &id).await?;
    let typed = Fields::parse(&visit.query)?;
    visit.show(disable_page(&visit, &operator, &typed, &Problems::default())).await
}

pub(super) async fn disable(mut visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let operator = load(&visit, &id).await?;
    let mut problems = Problems::default();
    let reason = problems.required(&fields, "reason").to_owned();
    visit.permit(ConsoleAction::OperatorDisable, None, &fields, &mut problems).await?;
    if problems.is_empty() {
        let by = visit.context()?;
        match visit.services().set_operator_disabled(&by, operator.id, true, Some(&reason)).await {
            Ok(_changed) => return visit.go(&href(operator.id), &t("operators-disabled-done")).await,
            Err(error) => refuse(error, &mut problems)?,
        }
    }
    visit.show_refused(disable_page(&visit, &operator, &fields, &problems)).await
}

fn end_page(visit: &Visit, operator: &OperatorProfile, typed: &Fields, problems: &Problems) -> Page {
    let form = Form::new(format!("{}/end-sessions", href(operator.id)), t("operators-end"))
        .step_up(visit, ConsoleAction::OperatorEndSessions)
        .danger()
        .cancel(href(operator.id))
        .filled(typed, problems);
    below(operator, t("operators-end")).with(Text::new(t("operators-end-text"))).with(form)
}

pub(super) async fn ask_end(visit: Visit, id: Path<String>) -> Answer {
    let operator = load(&visit, &id).await?;
    let typed = Fields::parse(&visit.query)?;
    visit.show(end_page(&visit, &operator, &typed, &Problems::default())).await
}

pub(super) async fn end(mut visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let operator = load(&visit, &id).await?;
    let mut problems = Problems::default();
    visit.permit(ConsoleAction::OperatorEndSessions, None, &fields, &mut problems).await?;
    if problems.is_empty() {
        match visit.services().end_operator_sessions(&visit.context()?, operator.id).await {
            Ok(()) => return visit.go(&href(operator.id), &t("operators-end-done")).await,
            Err(error) => refuse(error, &mut problems)?,
        }
    }
    visit.show_refused(end_page(&visit, &operator, &fields, &problems)).await
}
