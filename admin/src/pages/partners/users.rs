//! End users of a partner: made by their first call, blocked and limited here.

use std::sync::Arc;

use actix_web::web::{Path, Payload};
use engine::{
    credits::Credits,
    id::EndUserId,
    policy::console::ConsoleAction,
    service::{
        balance::Balance,
        partners::{BlockEndUserError, EndUserFilter, EndUserProfile, PartnerProfile},
        recent::{RECENT_CALLS, RecentUsers, SpendingClass},
    },
};

use super::{below, holder, href, load, view};
use crate::{
    console::{Answer, END_USERS, Fault, Fields, ListedPage, Problems, Visit, csv_of},
    kit::{
        Block, Cell, Choice, Column, Control, Empty, Facts, Field, Filters, Form, Heading, Page, Row, Span, Spans,
        Table, Text, Tone, grouped, instant_text, page_href, short_id,
    },
    pages::access,
    text::{said::Said as _, t, t_with},
};

fn list_href(partner: &PartnerProfile) -> String {
    format!("{}/users", href(partner.id))
}

pub(super) fn user_href(user: &EndUserProfile) -> String {
    format!("{}/users/{}", href(user.partner), user.id)
}

/// How an end user stands, in the word of the wire.
pub(super) const fn word(user: &EndUserProfile) -> &'static str {
    match (user.erased_us, user.is_blocked) {
        (Some(_), _) => "erased",
        (None, true) => "blocked",
        (None, false) => "active",
    }
}

fn state(user: &EndUserProfile) -> Cell {
    let (key, tone) = match word(user) {
        "erased" => ("partners-user-erased", Tone::Plain),
        "blocked" => ("partners-user-blocked", Tone::Bad),
        _ => ("partners-user-active", Tone::Good),
    };
    Cell::state(t(key), tone)
}

/// The partner's own name for an end user; of one that was erased what stands in its place.
pub(super) fn shown_name(user: &EndUserProfile) -> String {
    match user.erased_us {
        None => user.external_id.clone(),
        Some(_) => t_with("partners-user-erased-name", &[("id", short_id(&user.id.to_string()).into())]),
    }
}

fn filters(visit: &Visit, partner: &PartnerProfile, fields: &Fields) -> Filters {
    let blocked = fields.text("blocked");
    let choices = [("", "partners-any"), ("no", "partners-user-active"), ("yes", "partners-user-blocked")];
    let choices =
        choices.map(|(value, key)| Choice { value: value.to_owned(), label: t(key), is_chosen: value == blocked });
    Filters {
        action: list_href(partner),
        fields: vec![
            Field::line("name", t("partners-user-begins")).value(fields.text("name")),
            Field::select("blocked", t("partners-state"), choices.into()),
        ],
        all_href: if visit.query.is_empty() { String::new() } else { list_href(partner) },
    }
}

fn filter_of(fields: &Fields) -> EndUserFilter {
    EndUserFilter {
        external_id: fields.text("name").to_owned(),
        is_blocked: match fields.text("blocked") {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        },
    }
}

/// The list as a file.
pub(super) async fn export(visit: Visit, id: Path<String>) -> Answer {
    let partner = load(&visit, &id).await?;
    let filter = Arc::new(filter_of(&Fields::parse(&visit.query)?));
    let recent = Arc::new(visit.services().recent_users(partner.id).await?);
    let columns = ["end_user", "name", "state", "since", "last_call", "recent_calls", "recent_charged_credits"];
    let (reader, of) = (visit.clone(), partner.id.to_string());
    csv_of(&visit, (END_USERS, &of), &columns, move |after: Option<String>| -> ListedPage<String> {
        let (visit, filter, recent) = (reader.clone(), Arc::clone(&filter), Arc::clone(&recent));
        Box::pin(async move {
            let listed = visit.services().list_end_users(partner.id, &filter, after.as_deref()).await?;
            let row = |user: &EndUserProfile| {
                let seen = recent.users.get(&user.id.uuid()).map(|(seen, _)| seen);
                vec![
                    user.id.to_string(),
                    shown_name(user),
                    word(user).to_owned(),
                    instant_text(user.created_us),
                    seen.map(|seen| instant_text(seen.last_us)).unwrap_or_default(),
                    seen.map_or(0, |seen| seen.calls).to_string(),
                    recent.spent_by(user.id).unwrap_or_default().to_string(),
                ]
            };
            Ok((listed.rows.iter().map(row).collect(), listed.next))
        })
    })
    .await
}

pub(super) async fn list(visit: Visit, id: Path<String>) -> Answer {
    let partner = load(&visit, &id).await?;
    let fields = Fields::parse(&visit.query)?;
    let filter = filter_of(&fields);
    // Names of end users have no spaces; this one is from the list before.
    let after = Some(fields.text("after")).filter(|after| !after.is_empty());
    let listed = visit.services().list_end_users(partner.id, &filter, after).await?;
    let recent = visit.services().recent_users(partner.id).await?;
    let rows = listed.rows.iter().map(|user| {
        let spent = recent.spent_by(user.id);
        let seen = recent.users.get(&user.id.uuid()).map(|(seen, _)| seen);
        let cells = vec![
            Cell::link(shown_name(user), user_href(user)),
            state(user),
            Cell::Time(user.created_us),
            Cell::time(seen.map(|seen| seen.last_us)),
            Cell::Number(seen.map_or(0, |seen| seen.calls)),
            Cell::Money(spent.unwrap_or_default()),
        ];
        Row::new(user_href(user), cells)
    });
    let path = list_href(&partner);
    let table = Table {
        caption: t("partners-users"),
        columns: vec![
            Column::new(t("partners-user-name")),
            Column::new(t("partners-state")),
            Column::new(t("partners-user-since")),
            Column::new(t("partners-last-call")),
            Column::right(t_with("partners-calls-of", &[("count", RECENT_CALLS.into())])),
            Column::right(t("partners-charged-of")),
        ],
        rows: rows.collect(),
        first: visit.first_href(&path),
        next: listed.next.map_or_else(String::new, |next| page_href(&path, &visit.query, "after", &next)),
        exports: visit.file_links(ConsoleAction::ListsExport, &format!("{path}/export")),
        empty: Some(Empty {
            text: t("partners-users-empty"),
            command: "curl -H 'Authorization: Bearer faro_partner_…' -H 'X-Faro-User: user-1' \
                      -d '{}' …/invoke/NAMESPACE/TOOL"
                .to_owned(),
            link: None,
        }),
        ..Table::default()
    };
    let mut page = view(&visit, &partner, "/users");
    // It is about all of them: not about those who are looked for, nor about those of a later page.
    if after.is_none() && filter == EndUserFilter::default() && !recent.users.is_empty() {
        page.blocks.extend(spending(&recent, None));
    }
    visit.show(page.with(filters(&visit, &partner, &fields)).with(table)).await
}

/// How many end users spent how much lately, and of which calls that is known; with a mark where `user` is.
fn spending(recent: &RecentUsers, user: Option<EndUserId>) -> Vec<Block> {
    let spent = user.and_then(|user| recent.spent_by(user));
    let picture = Spans {
        title: t("partners-spending"),
        values: t("partners-users"),
        spans: recent.spending().iter().map(|class| class_span(class, spent)).collect(),
    };
    let bound = Text::looked_back("partners-spending-some", RECENT_CALLS, recent.since_us);
    std::iter::once(picture.into()).chain(bound.map(Block::from)).collect()
}

/// A class; with a mark if whoever `spent` so much is in it.
fn class_span(class: &SpendingClass, spent: Option<Credits>) -> Span {
    let written = |credits: Credits| grouped(&credits.to_string());
    let from = || ("from", written(class.from).into());
    let (name, color) = match class.below {
        _ if class.from.is_zero() => (t("partners-spending-nothing"), "s6"),
        Some(below) => (t_with("partners-spending-class", &[from(), ("below", written(below).into())]), "s1"),
        None => (t_with("partners-spending-most", &[from()]), "s1"),
    };
    let is_here = spent.is_some_and(|spent| class.has(spent));
    let (note, class_name) = if is_here { (t("partners-spending-here"), "s3") } else { (String::new(), color) };
    let says = grouped(&class.users.to_string());
    Span { name, from: 0, to: class.users, value: Cell::Number(class.users), says, class: class_name, note }
}

pub(super) async fn load_user(visit: &Visit, id: &str, user: &str) -> Result<(PartnerProfile, EndUserProfile), Fault> {
    let partner = load(visit, id).await?;
    let user: EndUserId = user.parse().map_err(|_unreadable| Fault::NotFound)?;
    let user = visit.services().find_end_user_of(partner.id, user).await?.ok_or(Fault::NotFound)?;
    Ok((partner, user))
}

/// A page below the list of end users.
pub(super) fn below_list(partner: &PartnerProfile, title: String) -> Page {
    below(partner, title).under(t("partners-users"), list_href(partner))
}

pub(super) async fn show(visit: Visit, path: Path<(String, String)>) -> Answer {
    let (id, user) = path.into_inner();
    let (partner, user) = load_user(&visit, &id, &user).await?;
    let recent = visit.services().recent_users(partner.id).await?;
    let balance = visit.services().load_end_user_balance(user.id).await?;
    let facts = facts(&partner, &user, &recent, balance.as_ref());
    let caps = access::caps::list_of_user(&visit, &holder(&visit, &partner), &user).await?;
    let timeline = crate::pages::timeline(&visit, &user.id.to_string()).await?;
    let mut page = with_tools(&visit, &user, below_list(&partner, shown_name(&user))).with(facts);
    if recent.spent_by(user.id).is_some() {
        page.blocks.extend(spending(&recent, Some(user.id)));
    }
    let mut page =
        page.with(Heading::new(t("partners-caps"))).with(caps).with(Heading::new(t("console-timeline"))).with(timeline);
    page.subtitle = vec![state(&user), Cell::id(user.id, "")];
    visit.show(page).await
}

fn facts(partner: &PartnerProfile, user: &EndUserProfile, recent: &RecentUsers, balance: Option<&Balance>) -> Facts {
    let seen = recent.users.get(&user.id.uuid()).map(|(seen, _)| seen);
    let calls = t_with("partners-calls-of", &[("count", RECENT_CALLS.into())]);
    let own = href(partner.id);
    // What stands in it is the partner's affair: it may be about a person.
    let kept = if user.metadata.is_some() { "partners-user-metadata-kept" } else { "partners-user-metadata-none" };
    let mut facts = Facts::new()
        .fact(t("partners-user-of"), Cell::link(&partner.name, own.clone()))
        .fact(t("partners-user-since"), Cell::Time(user.created_us))
        .fact(t("partners-last-call"), Cell::time(seen.map(|seen| seen.last_us)))
        .fact(calls, Cell::Number(seen.map_or(0, |seen| seen.calls)))
        .fact(t("partners-charged-of"), Cell::Money(recent.spent_by(user.id).unwrap_or_default()))
        .fact(t("partners-usage"), Cell::link(t("partners-usage-show"), format!("{own}/usage?user={}", user.id)))
        .fact(t("partners-user-metadata"), Cell::text(t(kept)));
    if let Some(balance) = balance {
        facts = facts
            .fact(t("partners-user-wallet"), Cell::Money(balance.balance))
            .fact(t("partners-user-available"), Cell::Money(balance.available()))
            .fact(t("partners-user-reserved"), Cell::Money(balance.reserved));
    }
    if user.erased_us.is_some() {
        facts = facts.fact(t("partners-user-erased-when"), Cell::time(user.erased_us));
    }
    facts
}

/// Adds what can be done to an end user. Of one that was erased only what is left can be taken away.
fn with_tools(visit: &Visit, user: &EndUserProfile, page: Page) -> Page {
    let (own, partner) = (user_href(user), href(user.partner));
    let block = if user.is_blocked { "partners-user-unblock" } else { "partners-user-block" };
    let may = |action: ConsoleAction| user.erased_us.is_none() && visit.may(action);
    page.tool(may(ConsoleAction::EndUserBlock), t(block), format!("{own}/block"))
        .tool(may(ConsoleAction::PartnerCap), t("partners-cap-set"), format!("{partner}/caps?of={}", user.id))
        .tool(may(ConsoleAction::PartnerAlert), t("partners-alert-set"), format!("{partner}/alerts?of={}", user.id))
        .tool(visit.may(ConsoleAction::EndUserExport), t("partners-user-file"), format!("{own}/file"))
        .tool(may(ConsoleAction::EndUserErase), t("partners-erase"), format!("{own}/erase"))
}

/// What is at stake: how busy an end user is, and what it has.
async fn block_effect(visit: &Visit, user: &EndUserProfile) -> Result<Vec<Block>, Fault> {
    let recent = visit.services().recent_users(user.partner).await?;
    let seen = recent.users.get(&user.id.uuid()).map(|(seen, _)| seen);
    let calls = t_with("partners-calls-of", &[("count", RECENT_CALLS.into())]);
    let mut facts = Facts::new()
        .fact(calls, Cell::Number(seen.map_or(0, |seen| seen.calls)))
        .fact(t("partners-charged-of"), Cell::Money(recent.spent_by(user.id).unwrap_or_default()))
        .fact(t("partners-last-call"), Cell::time(seen.map(|seen| seen.last_us)));
    if let Some(balance) = visit.services().load_end_user_balance(user.id).await? {
        facts = facts
            .fact(t("partners-user-wallet"), Cell::Money(balance.balance))
            .fact(t("partners-user-reserved"), Cell::Money(balance.reserved));
    }
    Ok(vec![facts.into()])
}

async fn block_page(
    visit: &Visit,
    (partner, user): (&PartnerProfile, &EndUserProfile),
    typed: &Fields,
    problems: &Problems,
) -> Result<Page, Fault> {
    let (key, text) = if user.is_blocked {
        ("partners-user-unblock", "partners-user-unblock-text")
    } else {
        ("partners-user-block", "partners-user-block-text")
    };
    let mut form = Form::new(format!("{}/block", user_href(user)), t(key))
        .field(Field::line("reason", t("console-reason")).required())
        .step_up(visit, ConsoleAction::EndUserBlock)
        .cancel(user_href(user))
        .previewed()
        .filled(typed, problems)
        // What the form was made for: somebody else may have done it in the meantime.
        .field(Field::new("blocked", "", Control::Hidden).value(if user.is_blocked { "no" } else { "yes" }))
        .preview(block_effect(visit, user).await?);
    form.is_danger = !user.is_blocked;
    Ok(below_list(partner, t(key)).under(shown_name(user), user_href(user)).with(Text::new(t(text))).with(form))
}

pub(super) async fn ask_block(visit: Visit, path: Path<(String, String)>) -> Answer {
    let (id, user) = path.into_inner();
    let (partner, user) = load_user(&visit, &id, &user).await?;
    let typed = Fields::parse(&visit.query)?;
    let page = block_page(&visit, (&partner, &user), &typed, &Problems::default()).await?;
    visit.show(page).await
}

pub(super) async fn block(mut visit: Visit, path: Path<(String, String)>, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let (id, user) = path.into_inner();
    let (partner, user) = load_user(&visit, &id, &user).await?;
    let mut problems = Problems::default();
    let reason = problems.required(&fields, "reason").to_owned();
    let is_blocked = fields.text("blocked") == "yes";
    // Somebody else has done it, or the same form was sent before.
    if user.is_blocked == is_blocked {
        return visit.go(&user_href(&user), &t("console-already")).await;
    }
    if problems.is_empty() && fields.text("step") != "confirm" {
        let page = block_page(&visit, (&partner, &user), &fields, &problems).await?;
        return visit.show(page).await;
    }
    visit.permit(ConsoleAction::EndUserBlock, None, &fields, &mut problems).await?;
    if problems.is_empty() {
        match visit.services().set_end_user_blocked(&visit.context()?, user.id, is_blocked, &reason).await {
            Ok(()) => {
                let said = t(if is_blocked { "partners-user-blocked-done" } else { "partners-user-unblocked-done" });
                return visit.go(&user_href(&user), &said).await;
            }
            Err(BlockEndUserError::Store(error)) => return Err(error.into()),
            Err(BlockEndUserError::NotFound) => return Err(Fault::NotFound),
            Err(error @ BlockEndUserError::Reason) => problems.add("reason", error.said()),
            Err(BlockEndUserError::AlreadySo(_)) => return visit.go(&user_href(&user), &t("console-already")).await,
        }
    }
    let page = block_page(&visit, (&partner, &user), &fields, &problems).await?;
    visit.show_refused(page).await
}

#[cfg(test)]
mod tests;
