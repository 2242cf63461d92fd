//! Suspending an account, and letting it go on.

use actix_web::web::{Path, Payload};
use engine::{
    policy::console::ConsoleAction,
    service::accounts::{AccountProfile, SuspendAccountError},
};

use super::{LIST, href, load};
use crate::{
    console::{Answer, Fault, Fields, Problems, Visit},
    kit::{Control, Field, Form, Page, Text},
    text::t,
};

fn page(visit: &Visit, account: &AccountProfile, typed: &Fields, problems: &Problems) -> Page {
    let key = if account.is_suspended { "accounts-resume" } else { "accounts-suspend" };
    let text = if account.is_suspended { "accounts-resume-text" } else { "accounts-suspend-text" };
    let mut form = Form::new(format!("{}/suspend", href(account.id)), t(key))
        .field(Field::line("reason", t("console-reason")).required())
        .step_up(visit, ConsoleAction::AccountSuspend)
        .cancel(href(account.id))
        .filled(typed, problems)
        // What the form was made for: somebody else may have done it in the meantime.
        .field(Field::new("suspended", "", Control::Hidden).value(if account.is_suspended { "no" } else { "yes" }));
    form.is_danger = !account.is_suspended;
    Page::new(t(key))
        .under(t("accounts-title"), LIST)
        .under(account.email.clone(), href(account.id))
        .with(Text::new(t(text)))
        .with(form)
}

pub(super) async fn ask(visit: Visit, id: Path<String>) -> Answer {
    let account = load(&visit, &id).await?;
    let typed = Fields::parse(&visit.query)?;
    visit.show(page(&visit, &account, &typed, &Problems::default())).await
}

pub(super) async fn suspend(mut visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let account = load(&visit, &id).await?;
    let mut problems = Problems::default();
    let reason = problems.required(&fields, "reason").to_owned();
    let is_suspended = fields.text("suspended") == "yes";
    // Somebody else has done it, or the same form was sent before.
    if account.is_suspended == is_suspended {
        return visit.go(&href(account.id), &t("console-already")).await;
    }
    visit.permit(ConsoleAction::AccountSuspend, None, &fields, &mut problems).await?;
    if problems.is_empty() {
        match visit.services().set_account_suspended(&visit.context()?, account.id, is_suspended, &reason).await {
            Ok(()) => {
                let said = t(if is_suspended { "accounts-suspended-done" } else { "accounts-resumed-done" });
                return visit.go(&href(account.id), &said).await;
            }
            Err(error @ SuspendAccountError::Reason) => problems.add("reason", error.to_string()),
            Err(SuspendAccountError::Store(error)) => return Err(error.into()),
            Err(SuspendAccountError::NotFound) => return Err(Fault::NotFound),
            Err(SuspendAccountError::AlreadySo(_)) => {
                return visit.go(&href(account.id), &t("console-already")).await;
            }
        }
    }
    visit.show_refused(page(&visit, &account, &fields, &problems)).await
}
