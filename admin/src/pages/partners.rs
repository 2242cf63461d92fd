//! Partners: platforms that call for end users of their own, with their tokens, limits and money.

use std::sync::Arc;

use actix_web::web::Path;
use engine::{
    id::PartnerId,
    policy::console::ConsoleAction,
    service::{
        balance::Balance,
        partners::{END_USERS_COUNTED_MAX, Funding, PartnerFilter, PartnerProfile, PartnerSize},
    },
};

use self::funding::{funding_text, held_facts};
use super::access::{self, Held, Holder};
use crate::{
    console::{Access, Answer, Fault, Fields, ListFile, Route, Visit, csv, get, post},
    kit::{
        Cell, Choice, Column, Empty, Facts, Field, Filters, Heading, Link, Page, Row, Table, Tone, instant_text,
        page_href,
    },
    text::{t, t_with},
};

mod alerts;
mod burn;
mod change;
mod deliveries;
mod events;
mod funding;
mod grant;
mod hooks;
mod months;
mod personal;
mod statement;
mod usage;
mod users;

/// Where the list is.
const LIST: &str = "/admin/partners";

pub(super) fn routes() -> Vec<Route> {
    let of_partner = [own_routes(), token_and_cap_routes(), user_routes(), told_routes()];
    of_partner.into_iter().flatten().collect()
}

/// The list, and a partner itself.
fn own_routes() -> Vec<Route> {
    let needs = Access::Needs;
    vec![
        get("/partners", needs(ConsoleAction::PartnersRead), list).lists(ListFile::At("/partners/export")),
        get("/partners/export", needs(ConsoleAction::ListsExport), export),
        get("/partners/deliveries", needs(ConsoleAction::PartnersRead), deliveries::list)
            .lists(ListFile::Without("a queue to work off: what is in it is looked at and sent again on its page")),
        get("/partners/new", needs(ConsoleAction::PartnerCreate), change::ask_new),
        post("/partners/new", needs(ConsoleAction::PartnerCreate), change::make),
        get("/partners/{id}", needs(ConsoleAction::PartnersRead), show)
            .lists(ListFile::Without("its limits, which have a page of their own")),
        get("/partners/{id}/edit", needs(ConsoleAction::PartnerChange), change::ask_edit),
        post("/partners/{id}/edit", needs(ConsoleAction::PartnerChange), change::edit),
        get("/partners/{id}/suspend", needs(ConsoleAction::PartnerSuspend), change::ask_suspend),
        post("/partners/{id}/suspend", needs(ConsoleAction::PartnerSuspend), change::suspend),
        get("/partners/{id}/funding", needs(ConsoleAction::PartnerChange), funding::ask),
        post("/partners/{id}/funding", needs(ConsoleAction::PartnerChange), funding::change),
        get("/partners/{id}/grant", needs(ConsoleAction::PartnerGrant), grant::ask),
        post("/partners/{id}/grant", needs(ConsoleAction::PartnerGrant), grant::give),
        get("/partners/{id}/statement", needs(ConsoleAction::PartnersRead), statement::show)
            .lists(ListFile::Without("the books export the same as the partner's statement")),
        get("/partners/{id}/usage", needs(ConsoleAction::PartnersRead), usage::show)
            .lists(ListFile::At("/partners/{id}/usage/export")),
        get("/partners/{id}/usage/export", needs(ConsoleAction::ListsExport), usage::export),
        get("/partners/{id}/statements", needs(ConsoleAction::PartnersRead), months::list)
            .lists(ListFile::Without("the file of usage by month has the same")),
        get("/partners/{id}/statements/{period}", needs(ConsoleAction::PartnersRead), months::show)
            .lists(ListFile::Without("the file of usage has the same by end user and by tool; the month is printed")),
        get("/partners/{id}/statements/{period}/print", needs(ConsoleAction::PartnersRead), months::print),
    ]
}

/// Who calls for it, and how much may be spent.
fn token_and_cap_routes() -> Vec<Route> {
    let needs = Access::Needs;
    vec![
        get("/partners/{id}/tokens", needs(ConsoleAction::PartnersRead), tokens).lists(ListFile::Without(
            "who calls is told by the file of calls; of a token nothing else is worth keeping",
        )),
        get("/partners/{id}/tokens/new", needs(ConsoleAction::PartnerToken), access::ask_token::<OfPartner>),
        post("/partners/{id}/tokens/new", needs(ConsoleAction::PartnerToken), access::make_token::<OfPartner>),
        get(
            "/partners/{id}/tokens/{token}/revoke",
            needs(ConsoleAction::PartnerToken),
            access::ask_revoke::<OfPartner>,
        ),
        post("/partners/{id}/tokens/{token}/revoke", needs(ConsoleAction::PartnerToken), access::revoke::<OfPartner>),
        get("/partners/{id}/caps", needs(ConsoleAction::PartnersRead), access::show_caps::<OfPartner>).lists(
            ListFile::Without("four limits at most for the partner, for each of its tokens and for each end user"),
        ),
        post("/partners/{id}/caps", needs(ConsoleAction::PartnerCap), access::set_cap::<OfPartner>),
        get("/partners/{id}/caps/lift", needs(ConsoleAction::PartnerCap), access::ask_lift::<OfPartner>),
        post("/partners/{id}/caps/lift", needs(ConsoleAction::PartnerCap), access::lift::<OfPartner>),
        get("/partners/{id}/alerts", needs(ConsoleAction::PartnersRead), alerts::show)
            .lists(ListFile::Without("thresholds that the partner reads itself at /partners/alerts")),
        post("/partners/{id}/alerts", needs(ConsoleAction::PartnerAlert), alerts::add),
        get("/partners/{id}/alerts/{alert}/remove", needs(ConsoleAction::PartnerAlert), alerts::ask_remove),
        post("/partners/{id}/alerts/{alert}/remove", needs(ConsoleAction::PartnerAlert), alerts::remove),
    ]
}

/// For whom it calls.
fn user_routes() -> Vec<Route> {
    let needs = Access::Needs;
    vec![
        get("/partners/{id}/users", needs(ConsoleAction::PartnersRead), users::list)
            .lists(ListFile::At("/partners/{id}/users/export")),
        get("/partners/{id}/users/export", needs(ConsoleAction::ListsExport), users::export),
        get("/partners/{id}/users/{user}", needs(ConsoleAction::PartnersRead), users::show)
            .lists(ListFile::Without("its limits; all that is known of somebody is the file of personal data")),
        get("/partners/{id}/users/{user}/block", needs(ConsoleAction::EndUserBlock), users::ask_block),
        post("/partners/{id}/users/{user}/block", needs(ConsoleAction::EndUserBlock), users::block),
        get("/partners/{id}/users/{user}/file", needs(ConsoleAction::EndUserExport), personal::file),
        get("/partners/{id}/users/{user}/erase", needs(ConsoleAction::EndUserErase), personal::ask_erase),
        post("/partners/{id}/users/{user}/erase", needs(ConsoleAction::EndUserErase), personal::erase),
    ]
}

/// What it is told, and where.
fn told_routes() -> Vec<Route> {
    let needs = Access::Needs;
    vec![
        get("/partners/{id}/events", needs(ConsoleAction::PartnersRead), events::list)
            .lists(ListFile::Without("the partner reads and keeps them itself at /partners/events")),
        get("/partners/{id}/webhooks", needs(ConsoleAction::PartnersRead), hooks::list)
            .lists(ListFile::Without("a few addresses of one partner")),
        post("/partners/{id}/webhooks", needs(ConsoleAction::PartnerWebhook), hooks::add),
        get("/partners/{id}/webhooks/{webhook}", needs(ConsoleAction::PartnersRead), hooks::show)
            .lists(ListFile::Without("a queue to work off: what is in it is looked at and sent again on its page")),
        get("/partners/{id}/webhooks/{webhook}/remove", needs(ConsoleAction::PartnerWebhook), hooks::ask_remove),
        post("/partners/{id}/webhooks/{webhook}/remove", needs(ConsoleAction::PartnerWebhook), hooks::remove),
        get(
            "/partners/{id}/webhooks/{webhook}/deliveries/{delivery}/replay",
            needs(ConsoleAction::PartnerWebhook),
            deliveries::ask_replay,
        ),
        post(
            "/partners/{id}/webhooks/{webhook}/deliveries/{delivery}/replay",
            needs(ConsoleAction::PartnerWebhook),
            deliveries::replay,
        ),
    ]
}

/// The page of a partner.
pub(super) fn href(id: PartnerId) -> String {
    format!("{LIST}/{id}")
}

fn state(partner: &PartnerProfile) -> Cell {
    if partner.is_suspended {
        Cell::state(t("partners-suspended"), Tone::Bad)
    } else {
        Cell::state(t("partners-active"), Tone::Good)
    }
}

/// Basis points as per cent, exactly: `5 %`, `0.25 %`.
fn percent_text(bps: u16) -> String {
    let (whole, rest) = (bps.checked_div(100).unwrap_or(0), bps.checked_rem(100).unwrap_or(0));
    let digits =
        if rest == 0 { whole.to_string() } else { format!("{whole}.{rest:02}").trim_end_matches('0').to_owned() };
    format!("{digits} %")
}

fn filter_of(fields: &Fields) -> PartnerFilter {
    PartnerFilter {
        name: fields.text("name").to_owned(),
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
    let listed = visit.services().list_partners(&filter_of(&fields), fields.cursor()?).await?;
    let wallets: Vec<_> = listed.rows.iter().map(|partner| partner.wallet).collect();
    let balances = visit.services().load_balances(&wallets, visit.now_us).await?;
    let mut rows = Vec::with_capacity(listed.rows.len());
    for partner in &listed.rows {
        let Some(balance) = balances.get(&partner.wallet) else { continue };
        let cells = vec![
            Cell::link(&partner.name, href(partner.id)),
            state(partner),
            Cell::text(percent_text(partner.margin_bps)),
            Cell::Money(balance.available()),
            Cell::Money(balance.reserved),
            Cell::Time(partner.created_us),
        ];
        rows.push(Row::new(href(partner.id), cells));
    }
    let choices = [("", "partners-any"), ("no", "partners-active"), ("yes", "partners-suspended")];
    let choices =
        choices.map(|(value, key)| Choice { value: value.to_owned(), label: t(key), is_chosen: value == suspended });
    let filters = Filters {
        action: LIST.to_owned(),
        fields: vec![
            Field::line("name", t("partners-name-begins")).value(fields.text("name")),
            Field::select("suspended", t("partners-state"), choices.into()),
        ],
        all_href: if visit.query.is_empty() { String::new() } else { LIST.to_owned() },
    };
    let may_create = visit.may(ConsoleAction::PartnerCreate);
    let new = Link::new(t("partners-new"), format!("{LIST}/new"));
    let export = Link::new(t("partners-export"), page_href(&format!("{LIST}/export"), &visit.query, "after", ""));
    let table = Table {
        caption: t("partners-title"),
        columns: vec![
            Column::new(t("partners-name")),
            Column::new(t("partners-state")),
            Column::new(t("partners-margin")),
            Column::right(t("partners-available")),
            Column::right(t("partners-reserved")),
            Column::new(t("partners-created")),
        ],
        rows,
        first: visit.first_href(LIST),
        next: listed.next.map_or_else(String::new, |next| page_href(LIST, &visit.query, "after", &next)),
        exports: if visit.may(ConsoleAction::ListsExport) { vec![export] } else { Vec::new() },
        empty: Some(Empty {
            text: t("partners-empty"),
            command: "{ catalog: { partners: [{ name: 'Globex', margin_bps: 500 }] } }".to_owned(),
            link: may_create.then(|| new.clone()),
        }),
        ..Table::default()
    };
    let page = Page::new(t("partners-title")).tool(may_create, new.text, new.href);
    let page = page.tool(true, t("partners-deliveries"), deliveries::LIST);
    visit.show(page.with(filters).with(table)).await
}

/// The list as a file.
async fn export(visit: Visit) -> Answer {
    let filter = Arc::new(filter_of(&Fields::parse(&visit.query)?));
    let columns = ["partner", "name", "suspended", "margin_bps", "available_credits", "held_credits", "created"];
    let reader = visit.clone();
    csv(&visit, "partners", &columns, move |after| {
        let (visit, filter) = (reader.clone(), Arc::clone(&filter));
        Box::pin(async move {
            let listed = visit.services().list_partners(&filter, after).await?;
            let mut rows = Vec::with_capacity(listed.rows.len());
            for partner in &listed.rows {
                let balance = visit.services().load_balance(partner.wallet, visit.now_us).await?;
                rows.push(vec![
                    partner.id.to_string(),
                    partner.name.clone(),
                    partner.is_suspended.to_string(),
                    partner.margin_bps.to_string(),
                    balance.available().to_string(),
                    balance.reserved.to_string(),
                    instant_text(partner.created_us),
                ]);
            }
            Ok((rows, listed.next.and_then(|next| next.parse().ok())))
        })
    })
    .await
}

async fn load(visit: &Visit, id: &str) -> Result<PartnerProfile, Fault> {
    let id: PartnerId = id.parse().map_err(|_unreadable| Fault::NotFound)?;
    visit.services().find_partner(id).await?.ok_or(Fault::NotFound)
}

/// The views of a partner; `here` is the one that is shown.
fn tabs(partner: &PartnerProfile, here: &str) -> Vec<Link> {
    let own = href(partner.id);
    let views = [
        ("", "partners-tab-overview"),
        ("/users", "partners-tab-users"),
        ("/tokens", "partners-tab-tokens"),
        ("/caps", "partners-tab-caps"),
        ("/alerts", "partners-tab-alerts"),
        ("/usage", "partners-tab-usage"),
        ("/statements", "partners-tab-months"),
        ("/statement", "partners-tab-statement"),
        ("/webhooks", "partners-tab-webhooks"),
        ("/events", "partners-tab-events"),
    ];
    let link = |(path, key): (&str, &str)| {
        Link::new(t(key), if path == here { String::new() } else { format!("{own}{path}") })
    };
    views.into_iter().map(link).collect()
}

/// What can be done to a partner, as far as the operator may.
fn tools(visit: &Visit, partner: &PartnerProfile) -> Vec<Link> {
    let own = href(partner.id);
    let suspend = if partner.is_suspended { "partners-resume" } else { "partners-suspend" };
    let tools = [
        (ConsoleAction::PartnerGrant, "partners-grant", "grant"),
        (ConsoleAction::PartnerToken, "partners-token-new", "tokens/new"),
        (ConsoleAction::PartnerChange, "partners-edit", "edit"),
        (ConsoleAction::PartnerChange, "partners-funding-change", "funding"),
        (ConsoleAction::PartnerSuspend, suspend, "suspend"),
    ];
    let may = tools.into_iter().filter(|(action, ..)| visit.may(*action));
    may.map(|(_, key, below)| Link::new(t(key), format!("{own}/{below}"))).collect()
}

/// One view of a partner, with what can be done to it.
fn view(visit: &Visit, partner: &PartnerProfile, here: &str) -> Page {
    let mut page = Page::new(partner.name.clone()).under(t("partners-title"), LIST);
    page.tools = tools(visit, partner);
    page.subtitle = vec![state(partner), Cell::id(partner.id, "")];
    page.tabs = tabs(partner, here);
    page
}

/// A page below that of a partner.
fn below(partner: &PartnerProfile, title: String) -> Page {
    Page::new(title).under(t("partners-title"), LIST).under(partner.name.clone(), href(partner.id))
}

/// A partner, as far as tokens and limits go.
fn holder(visit: &Visit, partner: &PartnerProfile) -> Holder {
    Holder {
        owner: partner.id.into(),
        name: partner.name.clone(),
        href: href(partner.id),
        section: Link::new(t("partners-title"), LIST),
        token_action: ConsoleAction::PartnerToken,
        cap_action: ConsoleAction::PartnerCap,
        tabs: tabs(partner, "/caps"),
        tools: tools(visit, partner),
    }
}

/// How many end users there are, as far as they are counted.
fn count_of(size: &PartnerSize) -> Cell {
    if size.end_users > END_USERS_COUNTED_MAX {
        return Cell::text(t_with("console-rows-many", &[("count", END_USERS_COUNTED_MAX.into())]));
    }
    Cell::Number(i64::try_from(size.end_users).unwrap_or(i64::MAX))
}

/// The same by what stands in the path.
struct OfPartner;

impl Held for OfPartner {
    async fn find(visit: &Visit, id: &str) -> Result<Holder, Fault> {
        Ok(holder(visit, &load(visit, id).await?))
    }
}

async fn show(visit: Visit, id: Path<String>) -> Answer {
    let partner = load(&visit, &id).await?;
    let balance = visit.services().load_balance(partner.wallet, visit.now_us).await?;
    let size = visit.services().load_partner_size(partner.id).await?;
    let funding = visit.services().load_partner_funding(partner.id).await?;
    let mut facts = facts(&partner, &balance, &size).fact(t("partners-funding"), Cell::text(funding_text(funding)));
    if funding == Funding::PerUser {
        facts = held_facts(facts, &visit.services().load_held_by_users(partner.id).await?);
    }
    let holder = holder(&visit, &partner);
    let caps = access::caps::list(&visit, &holder).await?;
    let timeline = access::timeline(&visit, &holder).await?;
    let mut page = view(&visit, &partner, "").with(facts).with(Heading::new(t("partners-caps")));
    page.blocks.extend(burn::of(&visit, &partner, &holder).await?);
    let page = page.with(caps).with(Heading::new(t("console-timeline"))).with(timeline);
    visit.show(page).await
}

fn facts(partner: &PartnerProfile, balance: &Balance, size: &PartnerSize) -> Facts {
    let own = href(partner.id);
    Facts::new()
        .fact(t("partners-available"), Cell::Money(balance.available()))
        .fact(t("partners-balance"), Cell::Money(balance.balance))
        .fact(t("partners-reserved"), Cell::Money(balance.reserved))
        .fact(t("partners-margin"), Cell::text(percent_text(partner.margin_bps)))
        .fact(t("partners-users"), count_of(size))
        .fact(t("partners-tokens-active"), Cell::link(size.tokens.to_string(), format!("{own}/tokens")))
        .fact(t("partners-wallet"), Cell::Mono(partner.wallet.to_string()))
        .fact(t("partners-margin-account"), Cell::Mono(partner.margin.to_string()))
        .fact(t("partners-created"), Cell::Time(partner.created_us))
}

async fn tokens(visit: Visit, id: Path<String>) -> Answer {
    let partner = load(&visit, &id).await?;
    let tokens =
        access::tokens::list(&visit, &holder(&visit, &partner), &format!("{}/tokens", href(partner.id))).await?;
    visit.show(view(&visit, &partner, "/tokens").with(tokens)).await
}

#[cfg(test)]
mod tests;
