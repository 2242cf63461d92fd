//! Shutting an operator out, letting them in again, signing them out everywhere.

use actix_web::web::{Path, Payload};
use engine::{policy::console::ConsoleAction, service::operators::OperatorProfile};

use super::{below, href, load, refuse};
use crate::{
    console::{Answer, Fields, Problems, Visit},
    kit::{Field, Form, Notice, Page, Text, Tone},
    text::t,
};

/// The form that shuts somebody out, or lets them in again. Where it is so already, it says so.
fn disable_page(
    visit: &Visit,
    (operator, is_disabled): (&OperatorProfile, bool),
    typed: &Fields,
    problems: &Problems,
) -> Page {
    let (key, text, way) = if is_disabled {
        ("operators-disable", "operators-disable-text", "disable")
    } else {
        ("operators-enable", "operators-enable-text", "enable")
    };
    let page = below(operator, t(key));
    if operator.is_disabled == is_disabled {
        let already = if is_disabled { "operators-disabled-already" } else { "operators-enabled-already" };
        return page.with(Notice::new(Tone::Warn, t(already)));
    }
    let mut form = Form::new(format!("{}/{way}", href(operator.id)), t(key))
        .field(Field::line("reason", t("console-reason")).required())
        .step_up(visit, ConsoleAction::OperatorDisable)
        .cancel(href(operator.id))
        .filled(typed, problems);
    form.is_danger = is_disabled;
    page.with(Text::new(t(text))).with(form)
}

async fn ask(visit: Visit, id: &str, is_disabled: bool) -> Answer {
    let operator = load(&visit, id).await?;
    let typed = Fields::parse(&visit.query)?;
    visit.show(disable_page(&visit, (&operator, is_disabled), &typed, &Problems::default())).await
}

async fn set(mut visit: Visit, id: &str, payload: Payload, is_disabled: bool) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let operator = load(&visit, id).await?;
    let mut problems = Problems::default();
    let reason = problems.required(&fields, "reason").to_owned();
    visit.permit(ConsoleAction::OperatorDisable, None, &fields, &mut problems).await?;
    if problems.is_empty() {
        let by = visit.context()?;
        match visit.services().set_operator_disabled(&by, operator.id, is_disabled, Some(&reason)).await {
            Ok(_changed) => {
                let said = if is_disabled { "operators-disabled-done" } else { "operators-enabled-done" };
                return visit.go(&href(operator.id), &t(said)).await;
            }
            Err(error) => refuse(error, &mut problems)?,
        }
    }
    visit.show_refused(disable_page(&visit, (&operator, is_disabled), &fields, &problems)).await
}

pub(super) async fn ask_disable(visit: Visit, id: Path<String>) -> Answer {
    ask(visit, &id, true).await
}

pub(super) async fn disable(visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    set(visit, &id, payload, true).await
}

pub(super) async fn ask_enable(visit: Visit, id: Path<String>) -> Answer {
    ask(visit, &id, false).await
}

pub(super) async fn enable(visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    set(visit, &id, payload, false).await
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
