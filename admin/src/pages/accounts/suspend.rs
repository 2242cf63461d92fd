//! Suspending an account, and letting it go on.

use actix_web::web::{Path, Payload};
use engine::{
    policy::console::ConsoleAction,
    service::{
        accounts::{AccountProfile, SuspendAccountError},
        recent::{RECENT_CALLS, RecentBy},
    },
};

use super::{LIST, href, load};
use crate::{
    console::{Answer, Fault, Fields, Problems, Visit},
    kit::{Block, Cell, Control, Facts, Field, Form, Page, Text},
    text::{said::Said as _, t, t_with},
};

/// Whom it would concern: how the account calls, how busy it is, and what it has.
async fn effect(visit: &Visit, account: &AccountProfile) -> Result<Vec<Block>, Fault> {
    let balance = visit.services().load_balance(account.wallet, visit.now_us).await?;
    let in_use = visit.services().list_active_tokens(account.id.into()).await?.len();
    let recent = visit.services().recent_calls(RecentBy::Account).await?;
    let seen = recent.get(&account.id.uuid());
    let calls = t_with("partners-calls-of", &[("count", RECENT_CALLS.into())]);
    let facts = Facts::new()
        .fact(t("partners-tokens-active"), Cell::Number(i64::try_from(in_use).unwrap_or(i64::MAX)))
        .fact(calls, Cell::Number(seen.map_or(0, |seen| seen.calls)))
        .fact(t("partners-last-call"), Cell::time(seen.map(|seen| seen.last_us)))
        .fact(t("accounts-balance"), Cell::Money(balance.balance))
        .fact(t("accounts-reserved"), Cell::Money(balance.reserved));
    Ok(vec![facts.into()])
}

async fn page(visit: &Visit, account: &AccountProfile, typed: &Fields, problems: &Problems) -> Result<Page, Fault> {
    let key = if account.is_suspended { "accounts-resume" } else { "accounts-suspend" };
    let text = if account.is_suspended { "accounts-resume-text" } else { "accounts-suspend-text" };
    let mut form = Form::new(format!("{}/suspend", href(account.id)), t(key))
        .field(Field::line("reason", t("console-reason")).required())
        .step_up(visit, ConsoleAction::AccountSuspend)
        .cancel(href(account.id))
        .previewed()
        .filled(typed, problems)
        // What the form was made for: somebody else may have done it in the meantime.
        .field(Field::new("suspended", "", Control::Hidden).value(if account.is_suspended { "no" } else { "yes" }))
        .preview(effect(visit, account).await?);
    form.is_danger = !account.is_suspended;
    Ok(Page::new(t(key))
        .under(t("accounts-title"), LIST)
        .under(account.email.clone(), href(account.id))
        .with(Text::new(t(text)))
        .with(form))
}

pub(super) async fn ask(visit: Visit, id: Path<String>) -> Answer {
    let account = load(&visit, &id).await?;
    let typed = Fields::parse(&visit.query)?;
    let page = page(&visit, &account, &typed, &Problems::default()).await?;
    visit.show(page).await
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
    if problems.is_empty() && fields.text("step") != "confirm" {
        let page = page(&visit, &account, &fields, &problems).await?;
        return visit.show(page).await;
    }
    visit.permit(ConsoleAction::AccountSuspend, None, &fields, &mut problems).await?;
    if problems.is_empty() {
        match visit.services().set_account_suspended(&visit.context()?, account.id, is_suspended, &reason).await {
            Ok(()) => {
                let said = t(if is_suspended { "accounts-suspended-done" } else { "accounts-resumed-done" });
                return visit.go(&href(account.id), &said).await;
            }
            Err(error @ SuspendAccountError::Reason) => problems.add("reason", error.said()),
            Err(SuspendAccountError::Store(error)) => return Err(error.into()),
            Err(SuspendAccountError::NotFound) => return Err(Fault::NotFound),
            Err(SuspendAccountError::AlreadySo(_)) => {
                return visit.go(&href(account.id), &t("console-already")).await;
            }
        }
    }
    let page = page(&visit, &account, &fields, &problems).await?;
    visit.show_refused(page).await
}
