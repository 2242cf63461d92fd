//! A link for an account's owner: to confirm the address, or to choose a new password.

use actix_web::web::{Path, Payload};
use engine::{
    policy::console::ConsoleAction,
    service::accounts::{AccountProfile, LINK_MINUTES, MailLinkError},
};

use super::{LIST, href, load};
use crate::{
    console::{Answer, Fault, Fields, Problems, Visit},
    kit::{Field, Form, Page, Text},
    text::{said::Said as _, t, t_with},
};

fn page(visit: &Visit, account: &AccountProfile, typed: &Fields, problems: &Problems) -> Page {
    let form = Form::new(format!("{}/link", href(account.id)), t("accounts-link"))
        .field(Field::line("reason", t("console-reason")).required())
        .once(visit)
        .step_up(visit, ConsoleAction::AccountLink)
        .cancel(href(account.id))
        .filled(typed, problems);
    let text = if account.is_verified { "accounts-link-password" } else { "accounts-link-confirm" };
    Page::new(t("accounts-link"))
        .under(t("accounts-title"), LIST)
        .under(account.email.clone(), href(account.id))
        .with(Text::new(t_with(text, &[("minutes", LINK_MINUTES.into())])))
        .with(form)
}

pub(super) async fn ask(visit: Visit, id: Path<String>) -> Answer {
    let account = load(&visit, &id).await?;
    let typed = Fields::parse(&visit.query)?;
    visit.show(page(&visit, &account, &typed, &Problems::default())).await
}

pub(super) async fn mail(mut visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let account = load(&visit, &id).await?;
    let mut problems = Problems::default();
    let reason = problems.required(&fields, "reason").to_owned();
    let key = problems.key(&fields);
    visit.permit(ConsoleAction::AccountLink, None, &fields, &mut problems).await?;
    if problems.is_empty() {
        match visit.services().mail_login_link(&visit.context()?, account.id, &reason, &key).await {
            Ok(()) => return visit.go(&href(account.id), &t("accounts-link-done")).await,
            Err(MailLinkError::Store(error)) => return Err(error.into()),
            Err(MailLinkError::NotFound) => return Err(Fault::NotFound),
            Err(error @ MailLinkError::Reason) => problems.add("reason", error.said()),
        }
    }
    visit.show_refused(page(&visit, &account, &fields, &problems)).await
}
