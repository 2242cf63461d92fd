//! Approving, rejecting and withdrawing what was asked for.

use actix_web::web::{Path, Payload};
use engine::{
    policy::console::ConsoleAction,
    service::approvals::{Approval, DecideApprovalError, Decision, Deed, WithdrawApprovalError},
};

use super::{LIST, facts, href, kind_text, load, outcome, state, with_effect};
use crate::{
    console::{Access, Answer, Fault, Fields, Problems, Route, Visit, get, post},
    kit::{Cell, Field, Form, Heading, Page, Text},
    pages::operators,
    text::{said::Said as _, t, t_with},
};

pub(super) fn routes() -> Vec<Route> {
    let needs = Access::Needs;
    vec![
        get("/approvals/{id}/approve", needs(ConsoleAction::ApprovalDecide), ask_approve),
        post("/approvals/{id}/approve", needs(ConsoleAction::ApprovalDecide), approve),
        get("/approvals/{id}/reject", needs(ConsoleAction::ApprovalDecide), ask_reject),
        post("/approvals/{id}/reject", needs(ConsoleAction::ApprovalDecide), reject),
        get("/approvals/{id}/withdraw", needs(ConsoleAction::ApprovalWithdraw), ask_withdraw),
        post("/approvals/{id}/withdraw", needs(ConsoleAction::ApprovalWithdraw), withdraw),
    ]
}

/// A page that decides something about a request.
async fn decide_page(visit: &Visit, approval: &Approval, title: &str, form: Form) -> Result<Page, Fault> {
    let mut page = Page::new(t(title))
        .under(t("approvals-title"), LIST)
        .under(kind_text(&approval.kind), href(approval.id))
        .with(facts(visit, approval).await?);
    page.subtitle = vec![state(approval), Cell::id(approval.id, "")];
    page = with_effect(visit, page, approval).await?;
    Ok(page.with(Heading::new(t(title))).with(form))
}

/// The form of whoever approves; it says nothing of what that does.
pub(super) fn approve_form(visit: &Visit, approval: &Approval, typed: &Fields, problems: &Problems) -> Form {
    Form::new(format!("{}/approve", href(approval.id)), t("approvals-approve-submit"))
        .field(Field::line("note", t("approvals-note")).hint(t("approvals-note-hint")))
        .step_up(visit, ConsoleAction::ApprovalDecide)
        .cancel(href(approval.id))
        .filled(typed, problems)
}

async fn ask_approve(visit: Visit, id: Path<String>) -> Answer {
    let approval = load(&visit, &id).await?;
    let form = approve_form(&visit, &approval, &Fields::default(), &Problems::default());
    let page = decide_page(&visit, &approval, "approvals-approve", form).await?;
    visit.show(page).await
}

/// Whoever decides has to be allowed to decide, and to do what is asked for.
async fn permit(visit: &mut Visit, approval: &Approval, fields: &Fields, problems: &mut Problems) -> Result<(), Fault> {
    let Some(action) = ConsoleAction::from_word(&approval.kind) else {
        return Err(Fault::Broken(format!("`{}` is no deed of the console", approval.kind)));
    };
    // What is counted together for whoever asks is so for whoever approves.
    let weight = match Deed::from_payload(&approval.payload) {
        Ok(deed) => visit.services().weigh(approval.author, &deed).await?,
        Err(_unreadable) => None,
    };
    let amount = weight.map_or(approval.amount, |weight| Some(weight.total().micros()));
    // Nobody is asked for a password, or gets another session, for what they may not do.
    for action in [ConsoleAction::ApprovalDecide, action] {
        visit.check(action, amount)?;
    }
    visit.permit(ConsoleAction::ApprovalDecide, amount, fields, problems).await?;
    // What is missing has been said already.
    if problems.is_empty() { visit.permit(action, amount, fields, problems).await } else { Ok(()) }
}

/// What kept somebody from deciding, beside the form or its field `note`.
fn say(problems: &mut Problems, note: &str, error: DecideApprovalError) -> Result<(), Fault> {
    match error {
        DecideApprovalError::Store(error) => Err(error.into()),
        DecideApprovalError::NotFound => Err(Fault::NotFound),
        error @ DecideApprovalError::Note => {
            problems.add(note, error.said());
            Ok(())
        }
        error => {
            problems.add("", error.said());
            Ok(())
        }
    }
}

async fn approve(mut visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let approval = load(&visit, &id).await?;
    let mut problems = Problems::default();
    permit(&mut visit, &approval, &fields, &mut problems).await?;
    if problems.is_empty() {
        let (by, me) = (visit.context()?, visit.signed_in()?.operator.id);
        match visit.services().approve_and_carry_out(&by, approval.id, me, Some(fields.text("note"))).await {
            // Shown once, here and nowhere else.
            Ok((_decided, Some(made))) => return visit.show(operators::shown_once(&visit, &made)).await,
            Ok((decided, None)) => {
                let said = outcome(&decided).map(|(_, text)| text).unwrap_or_default();
                let said = t_with("approvals-approved", &[("outcome", said.into())]);
                return visit.go(&href(approval.id), &said).await;
            }
            Err(error) => say(&mut problems, "note", error)?,
        }
    }
    // Somebody else may have been faster: the page shows how it stands now.
    let approval = load(&visit, &id).await?;
    let form = approve_form(&visit, &approval, &fields, &problems);
    let page = decide_page(&visit, &approval, "approvals-approve", form).await?;
    visit.show_refused(page).await
}

fn reject_form(visit: &Visit, approval: &Approval, typed: &Fields, problems: &Problems) -> Form {
    Form::new(format!("{}/reject", href(approval.id)), t("approvals-reject-submit"))
        .danger()
        .field(Field::line("reason", t("console-reason")).hint(t("approvals-reject-hint")).required())
        .step_up(visit, ConsoleAction::ApprovalDecide)
        .cancel(href(approval.id))
        .filled(typed, problems)
}

async fn ask_reject(visit: Visit, id: Path<String>) -> Answer {
    let approval = load(&visit, &id).await?;
    let form = reject_form(&visit, &approval, &Fields::default(), &Problems::default());
    let page = decide_page(&visit, &approval, "approvals-reject", form).await?;
    visit.show(page).await
}

async fn reject(mut visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let approval = load(&visit, &id).await?;
    let mut problems = Problems::default();
    let reason = problems.required(&fields, "reason").to_owned();
    permit(&mut visit, &approval, &fields, &mut problems).await?;
    if problems.is_empty() {
        let (by, me) = (visit.context()?, visit.signed_in()?.operator.id);
        match visit.services().decide_approval(&by, approval.id, me, Decision::Reject, Some(&reason)).await {
            Ok(_rejected) => return visit.go(&href(approval.id), &t("approvals-rejected")).await,
            Err(error) => say(&mut problems, "reason", error)?,
        }
    }
    let approval = load(&visit, &id).await?;
    let form = reject_form(&visit, &approval, &fields, &problems);
    let page = decide_page(&visit, &approval, "approvals-reject", form).await?;
    visit.show_refused(page).await
}

fn withdraw_page(approval: &Approval, typed: &Fields, problems: &Problems) -> Page {
    let form = Form::new(format!("{}/withdraw", href(approval.id)), t("approvals-withdraw"))
        .danger()
        .field(Field::line("note", t("approvals-note")))
        .cancel(href(approval.id))
        .filled(typed, problems);
    Page::new(t("approvals-withdraw"))
        .under(t("approvals-title"), LIST)
        .under(kind_text(&approval.kind), href(approval.id))
        .with(Text::new(t("approvals-withdraw-text")))
        .with(form)
}

async fn ask_withdraw(visit: Visit, id: Path<String>) -> Answer {
    let approval = load(&visit, &id).await?;
    visit.show(withdraw_page(&approval, &Fields::default(), &Problems::default())).await
}

async fn withdraw(visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let approval = load(&visit, &id).await?;
    let mut problems = Problems::default();
    let (by, me) = (visit.context()?, visit.signed_in()?.operator.id);
    match visit.services().withdraw_approval(&by, approval.id, me, Some(fields.text("note"))).await {
        Ok(_withdrawn) => return visit.go(&href(approval.id), &t("approvals-withdrawn")).await,
        Err(WithdrawApprovalError::Store(error)) => return Err(error.into()),
        Err(WithdrawApprovalError::NotFound) => return Err(Fault::NotFound),
        Err(error @ WithdrawApprovalError::Note) => problems.add("note", error.said()),
        Err(error) => problems.add("", error.said()),
    }
    visit.show_refused(withdraw_page(&approval, &fields, &problems)).await
}
