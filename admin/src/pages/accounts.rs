//! Accounts: who calls, what they own, what they may still spend.

use std::sync::Arc;

use actix_web::web::Path;
use engine::{
    id::AccountId,
    policy::console::ConsoleAction,
    service::{
        accounts::{AccountFilter, AccountProfile},
        balance::{Balance, ExpiringGrant},
    },
};

use super::access::{self, Held, Holder};
use crate::{
    console::{Access, Answer, Fault, Fields, ListFile, ListedPage, Route, Visit, csv, get, post},
    kit::{
        Cell, Choice, Column, Empty, Facts, Field, Filters, Heading, Link, Notice, Page, Row, Table, Tone,
        instant_text, page_href,
    },
    text::{t, t_with},
};

mod create;
mod grant;
mod link;
mod lots;
mod suspend;

/// Where the list is.
const LIST: &str = "/admin/accounts";

pub(super) fn routes() -> Vec<Route> {
    let needs = Access::Needs;
    vec![
        get("/accounts", needs(ConsoleAction::AccountsRead), list).lists(ListFile::At("/accounts/export")),
        get("/accounts/export", needs(ConsoleAction::ListsExport), export),
        get("/accounts/new", needs(ConsoleAction::AccountCreate), create::ask),
        post("/accounts/new", needs(ConsoleAction::AccountCreate), create::make),
        get("/accounts/{id}", needs(ConsoleAction::AccountsRead), show)
            .lists(ListFile::Without("what one account has; its money is a statement of the books")),
        get("/accounts/{id}/grant", needs(ConsoleAction::GrantCreate), grant::ask),
        post("/accounts/{id}/grant", needs(ConsoleAction::GrantCreate), grant::give),
        get("/accounts/{id}/link", needs(ConsoleAction::AccountLink), link::ask),
        post("/accounts/{id}/link", needs(ConsoleAction::AccountLink), link::mail),
        get("/accounts/{id}/suspend", needs(ConsoleAction::AccountSuspend), suspend::ask),
        post("/accounts/{id}/suspend", needs(ConsoleAction::AccountSuspend), suspend::suspend),
        get("/accounts/{id}/tokens/new", needs(ConsoleAction::AccountToken), access::ask_token::<OfAccount>),
        post("/accounts/{id}/tokens/new", needs(ConsoleAction::AccountToken), access::make_token::<OfAccount>),
        get(
            "/accounts/{id}/tokens/{token}/revoke",
            needs(ConsoleAction::AccountToken),
            access::ask_revoke::<OfAccount>,
        ),
        post("/accounts/{id}/tokens/{token}/revoke", needs(ConsoleAction::AccountToken), access::revoke::<OfAccount>),
        get("/accounts/{id}/caps", needs(ConsoleAction::AccountsRead), access::show_caps::<OfAccount>)
            .lists(ListFile::Without("four limits at most for the account and for each of its tokens")),
        post("/accounts/{id}/caps", needs(ConsoleAction::AccountCap), access::set_cap::<OfAccount>),
        get("/accounts/{id}/caps/lift", needs(ConsoleAction::AccountCap), access::ask_lift::<OfAccount>),
        post("/accounts/{id}/caps/lift", needs(ConsoleAction::AccountCap), access::lift::<OfAccount>),
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

fn filter_of(fields: &Fields) -> AccountFilter {
    AccountFilter {
        email: fields.text("email").to_owned(),
        is_suspended: match fields.text("suspended") {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        },
    }
}

async fn list(visit: Visit) -> Answer {
    let fields = Fields::parse(&visit.query)?;
    let suspended = fields.text("suspended");
    let listed = visit.services().list_accounts(&filter_of(&fields), fields.cursor()?).await?;
    let wallets: Vec<_> = listed.rows.iter().map(|account| account.wallet).collect();
    let balances = visit.services().load_balances(&wallets, visit.now_us).await?;
    let mut rows = Vec::with_capacity(listed.rows.len());
    for account in &listed.rows {
        let Some(balance) = balances.get(&account.wallet) else { continue };
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
    let next = listed.next.as_ref().map(|next| page_href(LIST, &visit.query, "after", next)).unwrap_or_default();
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
    let may_create = visit.may(ConsoleAction::AccountCreate);
    let new = Link::new(t("accounts-new"), format!("{LIST}/new"));
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
        next: next.clone(),
        exports: visit.file_links(ConsoleAction::ListsExport, &format!("{LIST}/export")),
        empty: listed.looked_at.is_none().then(|| Empty {
            text: t("accounts-empty"),
            command: "tollgate account create --email someone@example.com --credits 100".to_owned(),
            link: may_create.then(|| new.clone()),
        }),
        ..Table::default()
    };
    let mut page = Page::new(t("accounts-title")).tool(may_create, new.text, new.href).with(filters);
    if let Some(looked_at) = listed.looked_at {
        let said = t_with("accounts-looked-at", &[("count", looked_at.into())]);
        page = page.with(Notice::new(Tone::Plain, said).link(t("accounts-go-on"), next));
    }
    visit.show(page.with(table)).await
}

/// The list as a file.
async fn export(visit: Visit) -> Answer {
    let filter = Arc::new(filter_of(&Fields::parse(&visit.query)?));
    let columns = ["account", "email", "suspended", "verified", "available_credits", "held_credits", "created"];
    let reader = visit.clone();
    csv(&visit, "accounts", &columns, move |after| -> ListedPage {
        let (visit, filter) = (reader.clone(), Arc::clone(&filter));
        Box::pin(async move {
            let listed = visit.services().list_accounts(&filter, after).await?;
            let wallets: Vec<_> = listed.rows.iter().map(|account| account.wallet).collect();
            let balances = visit.services().load_balances(&wallets, visit.now_us).await?;
            let row = |account: &AccountProfile| {
                let balance = balances.get(&account.wallet)?;
                Some(vec![
                    account.id.to_string(),
                    account.email.clone(),
                    account.is_suspended.to_string(),
                    account.is_verified.to_string(),
                    balance.available().to_string(),
                    balance.reserved.to_string(),
                    instant_text(account.created_us),
                ])
            };
            Ok((listed.rows.iter().filter_map(row).collect(), listed.next.and_then(|next| next.parse().ok())))
        })
    })
    .await
}

async fn load(visit: &Visit, id: &str) -> Result<AccountProfile, Fault> {
    let id: AccountId = id.parse().map_err(|_unreadable| Fault::NotFound)?;
    visit.services().find_profile(id).await?.ok_or(Fault::NotFound)
}

/// An account, as far as tokens and limits go.
fn holder(account: &AccountProfile) -> Holder {
    Holder {
        owner: account.id.into(),
        name: account.email.clone(),
        href: href(account.id),
        section: Link::new(t("accounts-title"), LIST),
        token_action: ConsoleAction::AccountToken,
        cap_action: ConsoleAction::AccountCap,
        tabs: Vec::new(),
        tools: Vec::new(),
    }
}

/// The same by what stands in the path.
struct OfAccount;

impl Held for OfAccount {
    async fn find(visit: &Visit, id: &str) -> Result<Holder, Fault> {
        Ok(holder(&load(visit, id).await?))
    }
}

async fn show(visit: Visit, id: Path<String>) -> Answer {
    let account = load(&visit, &id).await?;
    let balance = visit.services().load_balance(account.wallet, visit.now_us).await?;
    let grants = visit.services().list_expiring_grants(account.wallet, visit.now_us).await?;
    let holder = holder(&account);
    let tokens = access::tokens::list(&visit, &holder, &holder.href).await?;
    let caps = access::caps::list(&visit, &holder).await?;
    let own = href(account.id);
    let suspend = if account.is_suspended { "accounts-resume" } else { "accounts-suspend" };
    let mut page = Page::new(account.email.clone())
        .under(t("accounts-title"), LIST)
        .tool(visit.may(ConsoleAction::GrantCreate), t("accounts-grant"), format!("{own}/grant"))
        .tool(visit.may(ConsoleAction::AccountAdjust), t("movements-adjust"), format!("{own}/adjust"))
        .tool(visit.may(ConsoleAction::AccountToken), t("partners-token-new"), format!("{own}/tokens/new"))
        .tool(visit.may(ConsoleAction::AccountCap), t("partners-cap-set"), format!("{own}/caps"))
        .tool(visit.may(ConsoleAction::AccountLink), t("accounts-link"), format!("{own}/link"))
        .tool(visit.may(ConsoleAction::AccountSuspend), t(suspend), format!("{own}/suspend"))
        .with(facts(&account, &balance));
    page.subtitle = vec![state(&account), Cell::id(account.id, "")];
    if !grants.is_empty() {
        page = page.with(Heading::new(t("accounts-grants")));
        page = page.with(lots::picture(&balance, &grants, visit.now_us)).with(expiring(&grants));
    }
    let timeline = access::timeline(&visit, &holder).await?;
    let page = page
        .with(Heading::new(t("partners-tokens")))
        .with(tokens)
        .with(Heading::new(t("partners-caps")))
        .with(caps)
        .with(Heading::new(t("console-timeline")))
        .with(timeline);
    visit.show(page).await
}

/// Grants that expire, in the order in which they are spent.
fn expiring(grants: &[ExpiringGrant]) -> Table {
    let rows = grants.iter().map(|grant| {
        let cells = vec![
            Cell::id(grant.id, ""),
            Cell::Money(grant.left),
            Cell::Number(grant.priority),
            Cell::Time(grant.expires_us),
        ];
        Row::new("", cells)
    });
    Table {
        caption: t("accounts-grants"),
        columns: vec![
            Column::new(t("accounts-grant-id")),
            Column::right(t("accounts-grant-left")),
            Column::right(t("accounts-grant-priority")),
            Column::new(t("accounts-grant-expires")),
        ],
        rows: rows.collect(),
        ..Table::default()
    }
}

fn facts(account: &AccountProfile, balance: &Balance) -> Facts {
    Facts::new()
        .fact(t("accounts-available"), Cell::Money(balance.available()))
        .fact(t("accounts-balance"), Cell::Money(balance.balance))
        .fact(t("accounts-reserved"), Cell::Money(balance.reserved))
        .fact(t("accounts-wallet"), Cell::Mono(account.wallet.to_string()))
        .fact(t("accounts-created"), Cell::Time(account.created_us))
}
