//! Accounts: who calls, what they own, what they may still spend.

use actix_web::web::{Path, Payload};
use engine::{
    id::AccountId,
    policy::console::ConsoleAction,
    service::{
        accounts::{AccountFilter, AccountProfile, GrantError, GrantTerms, SuspendAccountError},
        balance::Balance,
        movements::Note,
    },
};

use crate::{
    console::{Access, Answer, Fault, Fields, Problems, Route, Visit, get, post},
    kit::{
        Cell, Choice, Column, Control, Empty, Facts, Field, Filters, Form, Heading, Page, Row, Table, Tone, page_href,
    },
    text::{t, t_with},
};

/// Where the list is.
const LIST: &str = "/admin/accounts";

pub(super) fn routes() -> Vec<Route> {
    let needs = Access::Needs;
    vec![
        get("/accounts", needs(ConsoleAction::AccountsRead), list),
        get("/accounts/{id}", needs(ConsoleAction::AccountsRead), show),
        get("/accounts/{id}/grant", needs(ConsoleAction::GrantCreate), ask_grant),
        post("/accounts/{id}/grant", needs(ConsoleAction::GrantCreate), grant),
        get("/accounts/{id}/suspend", needs(ConsoleAction::AccountSuspend), ask_suspend),
        post("/accounts/{id}/suspend", needs(ConsoleAction::AccountSuspend), suspend),
    ]
}

/// The page of an account.
pub(super) fn href(id: AccountId) -> String {
    format!("{LIST}/{id}")
}

fn state(account: &AccountProfile) -> Cell {
    match (account.is_suspended, account.is_verified) {
        (true, _) => Cell::state(t("accounts-suspended"), Tone::Bad),
        (false, false) => Cell::state(t("accounts-unverified"), Tone::Warn),
        (false, true) => Cell::state(t("accounts-active"), Tone::Good),
    }
}

async fn list(visit: Visit) -> Answer {
    let fields = Fields::parse(&visit.query)?;
    let suspended = fields.text("suspended");
    let filter = AccountFilter {
        email: fields.text("email").to_lowercase(),
        is_suspended: match suspended {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        },
    };
    let listed = visit.services().list_accounts(&filter, fields.cursor()?).await?;
    let mut rows = Vec::with_capacity(listed.rows.len());
    for account in &listed.rows {
        let balance = visit.services().load_balance(account.wallet, visit.now_us).await?;
        rows.push(Row::new(
            href(account.id),
            vec![
                Cell::link(&account.email, href(account.id)),
                state(account),
                Cell::Money(balance.available()),
                Cell::Money(balance.reserved),
                Cell::Time(account.created_us),
            ],
        ));
    }
    let choices = [("", "accounts-any"), ("no", "accounts-active"), ("yes", "accounts-suspended")];
    let choices =
        choices.map(|(value, key)| Choice { value: value.to_owned(), label: t(key), is_chosen: value == suspended });
    let filters = Filters {
        action: LIST.to_owned(),
        fields: vec![
            Field::line("email", t("accounts-email-begins")).value(fields.text("email")),
            Field::select("suspended", t("accounts-state"), choices.into()),
        ],
        all_href: if visit.query.is_empty() { String::new() } else { LIST.to_owned() },
    };
    let table = Table {
        caption: t("accounts-title"),
        columns: vec![
            Column::new(t("accounts-email")),
            Column::new(t("accounts-state")),
            Column::right(t("accounts-available")),
            Column::right(t("accounts-reserved")),
            Column::new(t("accounts-created")),
        ],
        rows,
        first: visit.first_href(LIST),
        next: listed.next.map_or_else(String::new, |next| page_href(LIST, &visit.query, "after", &next)),
        empty: Some(Empty {
            text: t("accounts-empty"),
            command: "tollgate account create --email someone@example.com --credits 100".to_owned(),
            link: None,
        }),
        ..Table::default()
    };
    visit.show(Page::new(t("accounts-title")).with(filters).with(table)).await
}

async fn load(visit: &Visit, id: &str) -> Result<AccountProfile, Fault> {
    let id: AccountId = id.parse().map_err(|_unreadable| Fault::NotFound)?;
    visit.services().find_profile(id).await?.ok_or(Fault::NotFound)
}

async fn show(visit: Visit, id: Path<String>) -> Answer {
    let account = load(&visit, &id).await?;
    let balance = visit.services().load_balance(account.wallet, visit.now_us).await?;
    let grants = visit.services().list_expiring_grants(account.wallet, visit.now_us).await?;
    let own = href(account.id);
    let suspend = if account.is_suspended { "accounts-resume" } else { "accounts-suspend" };
    let mut page = Page::new(account.email.clone())
        .under(t("accounts-title"), LIST)
        .tool(visit.may(ConsoleAction::GrantCreate), t("accounts-grant"), format!("{own}/grant"))
        .tool(visit.may(ConsoleAction::AccountSuspend), t(suspend), format!("{own}/suspend"))
        .with(facts(&account, &balance));
    page.subtitle = vec![state(&account), Cell::id(account.id, "")];
    if !grants.is_empty() {
        let rows = grants.iter().map(|grant| {
            Row::new(
                "",
                vec![
                    Cell::id(grant.id, ""),
                    Cell::Money(grant.left),
                    Cell::Number(grant.priority),
                    Cell::Time(grant.expires_us),
                ],
            )
        });
        page = page.with(Heading::new(t("accounts-grants"))).with(Table {
            caption: t("accounts-grants"),
            columns: vec![
                Column::new(t("accounts-grant-id")),
                Column::right(t("accounts-grant-left")),
                Column::right(t("accounts-grant-priority")),
                Column::new(t("accounts-grant-expires")),
            ],
            rows: rows.collect(),
            ..Table::default()
        });
    }
    let timeline = super::timeline(&visit, &account.id.to_string()).await?;
    visit.show(page.with(Heading::new(t("console-timeline"))).with(timeline)).await
}

fn facts(account: &AccountProfile, balance: &Balance) -> Facts {
    Facts::new()
        .fact(t("accounts-available"), Cell::Money(balance.available()))
        .fact(t("accounts-balance"), Cell::Money(balance.balance))
        .fact(t("accounts-reserved"), Cell::Money(balance.reserved))
        .fact(t("accounts-wallet"), Cell::Mono(account.wallet.to_string()))
        .fact(t("accounts-created"), Cell::Time(account.created_us))
}

fn grant_page(visit: &Visit, account: &AccountProfile, typed: &Fields, problems: &Problems) -> Page {
    let form = Form::new(format!("{}/grant", href(account.id)), t("accounts-grant-submit"))
        .field(Field::amount("credits", t("accounts-grant-credits")).required())
        .field(Field::line("reason", t("console-reason")).hint(t("accounts-grant-reason-hint")).required())
        .field(
            Field::new("expires", t("accounts-grant-expires"), Control::Line("datetime-local"))
                .hint(t("accounts-grant-expires-hint")),
        )
        .field(Field::line("priority", t("accounts-grant-priority")).hint(t("accounts-grant-priority-hint")))
        .once(visit)
        .step_up(visit, ConsoleAction::GrantCreate)
        .cancel(href(account.id))
        .filled(typed, problems);
    Page::new(t("accounts-grant"))
        .under(t("accounts-title"), LIST)
        .under(account.email.clone(), href(account.id))
        .with(form)
}

async fn ask_grant(visit: Visit, id: Path<String>) -> Answer {
    let account = load(&visit, &id).await?;
    let typed = Fields::parse(&visit.query)?;
    visit.show(grant_page(&visit, &account, &typed, &Problems::default())).await
}

async fn grant(mut visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let account = load(&visit, &id).await?;
    let mut problems = Problems::default();
    let credits = problems.amount(&fields, "credits");
    let reason = problems.required(&fields, "reason").to_owned();
    let expires_us = problems.day(&fields, "expires");
    let priority = match fields.text("priority") {
        "" => Some(engine::ledger::grants::PRIORITY_DEFAULT),
        text => text.parse().ok(),
    };
    if priority.is_none() {
        problems.add("priority", t("console-number-unreadable"));
    }
    visit
        .permit(ConsoleAction::GrantCreate, credits.map(engine::credits::Credits::micros), &fields, &mut problems)
        .await?;
    if let (true, Some(credits), Some(priority)) = (problems.is_empty(), credits, priority) {
        let terms = expires_us.map(|expires_us| GrantTerms { expires_us, priority });
        let key = fields.text("op");
        match visit
            .services()
            .grant_credits(&visit.context()?, account.id, credits, terms, Note { reason: &reason, key: Some(key) })
            .await
        {
            Ok(_given) => {
                let said = t_with("accounts-granted", &[("credits", credits.to_string().into())]);
                return visit.go(&href(account.id), &said).await;
            }
            Err(GrantError::Store(error)) => return Err(error.into()),
            Err(error @ GrantError::Expired { .. }) => problems.add("expires", error.to_string()),
            Err(error @ GrantError::Priority(_)) => problems.add("priority", error.to_string()),
            Err(error @ GrantError::Reason) => problems.add("reason", error.to_string()),
            Err(error) => problems.add("", error.to_string()),
        }
    }
    visit.show_refused(grant_page(&visit, &account, &fields, &problems)).await
}

fn suspend_page(visit: &Visit, account: &AccountProfile, typed: &Fields, problems: &Problems) -> Page {
    let key = if account.is_suspended { "accounts-resume" } else { "accounts-suspend" };
    let text = if account.is_suspended { "accounts-resume-text" } else { "accounts-suspend-text" };
    let mut form = Form::new(format!("{}/suspend", href(account.id)), t(key))
        .field(Field::line("reason", t("console-reason")).required())
        // What the form was made for: somebody else may have done it in the meantime.
        .field(Field::new("suspended", "", Control::Hidden).value(if account.is_suspended { "no" } else { "yes" }))
        .step_up(visit, ConsoleAction::AccountSuspend)
        .cancel(href(account.id))
        .filled(typed, problems);
    form.is_danger = !account.is_suspended;
    Page::new(t(key))
        .under(t("accounts-title"), LIST)
        .under(account.email.clone(), href(account.id))
        .with(crate::kit::Text::new(t(text)))
        .with(form)
}

async fn ask_suspend(visit: Visit, id: Path<String>) -> Answer {
    let account = load(&visit, &id).await?;
    let typed = Fields::parse(&visit.query)?;
    visit.show(suspend_page(&visit, &account, &typed, &Problems::default())).await
}

async fn suspend(mut visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let account = load(&visit, &id).await?;
    let mut problems = Problems::default();
    let reason = problems.required(&fields, "reason").to_owned();
    let is_suspended = fields.text("suspended") == "yes";
    visit.permit(ConsoleAction::AccountSuspend, None, &fields, &mut problems).await?;
    if problems.is_empty() {
        match visit.services().set_account_suspended(&visit.context()?, account.id, is_suspended, &reason).await {
            Ok(()) => {
                let said = t(if is_suspended { "accounts-suspended-done" } else { "accounts-resumed-done" });
                return visit.go(&href(account.id), &said).await;
            }
            Err(SuspendAccountError::Store(error)) => return Err(error.into()),
            Err(SuspendAccountError::NotFound) => return Err(Fault::NotFound),
            Err(error @ SuspendAccountError::AlreadySo(_)) => problems.add("", error.to_string()),
        }
    }
    visit.show_refused(suspend_page(&visit, &account, &fields, &problems)).await
}
