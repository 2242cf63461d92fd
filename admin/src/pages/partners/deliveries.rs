//! What is sent to webhooks: of one of them, of all partners, and having something sent once more.

use actix_web::web::{Path, Payload};
use engine::{
    id::{DeliveryId, WebhookId},
    policy::console::ConsoleAction,
    service::partners::{
        Delivery, DeliveryCursor, DeliveryState, PartnerDelivery, PartnerProfile, Webhook, WebhookError,
    },
};

use super::{below, hooks, href, load};
use crate::{
    console::{Answer, Fault, Fields, Problems, Visit},
    kit::{
        Cell, Choice, Column, Control, Empty, Facts, Field, Filters, Form, Link, Notice, Page, Row, Table, Text, Tone,
        page_href,
    },
    text::{said::Said as _, t},
};

/// Where the deliveries of all partners are.
pub(super) const LIST: &str = "/admin/partners/deliveries";
/// What the texts of states begin with.
const STATE: &str = "partners-delivery-state-";

/// How something stands, with the tone of its row.
fn state(state: DeliveryState) -> (Cell, Tone) {
    let (shown, row) = match state {
        DeliveryState::Queued => (Tone::Warn, Tone::Plain),
        DeliveryState::Sent => (Tone::Good, Tone::Plain),
        DeliveryState::Failed => (Tone::Bad, Tone::Bad),
        DeliveryState::Cancelled => (Tone::Plain, Tone::Plain),
    };
    (Cell::state(t(&format!("{STATE}{}", state.as_str())), shown), row)
}

/// When it was taken, or is tried next.
fn when(delivery: &Delivery) -> Cell {
    match delivery.state {
        DeliveryState::Queued => Cell::Time(delivery.next_us),
        _ => Cell::time(delivery.sent_us),
    }
}

fn replay_href(partner: &PartnerProfile, hook: WebhookId, id: DeliveryId) -> String {
    format!("{}/deliveries/{id}/replay", hooks::hook_href(partner, hook))
}

fn columns(first: &[&str]) -> Vec<Column> {
    let keys = first.iter().copied().chain([
        "partners-state",
        "partners-delivery-attempts",
        "partners-delivery-error",
        "partners-delivery-when",
        "partners-delivery-written",
    ]);
    keys.map(|key| Column::new(t(key))).collect()
}

/// What every list of deliveries says of one.
fn cells(delivery: &Delivery) -> [Cell; 5] {
    [
        state(delivery.state).0,
        Cell::Number(delivery.attempts.into()),
        Cell::maybe(delivery.last_error.as_deref()),
        when(delivery),
        Cell::Time(delivery.created_us),
    ]
}

/// What was sent to a webhook and is on its way to it, the newest first: the page that the address names.
pub(super) async fn of_hook(visit: &Visit, partner: &PartnerProfile, hook: &Webhook) -> Result<Table, Fault> {
    let after = Fields::parse(&visit.query)?.cursor()?;
    let listed = match visit.services().list_deliveries(partner.id, hook.id, after).await {
        Ok(listed) => listed,
        Err(WebhookError::Store(error)) => return Err(error.into()),
        Err(_gone) => return Err(Fault::NotFound),
    };
    let (own, may_replay) = (hooks::hook_href(partner, hook.id), visit.may(ConsoleAction::PartnerWebhook));
    let rows = listed.rows.iter().map(|delivery| {
        let replay = Cell::link(t("partners-delivery-replay"), replay_href(partner, hook.id, delivery.id));
        let mut shown = vec![Cell::id(delivery.event, "")];
        shown.extend(cells(delivery));
        shown.push(if may_replay && delivery.state != DeliveryState::Queued { replay } else { Cell::None });
        Row { tone: state(delivery.state).1, ..Row::new("", shown) }
    });
    let mut columns = columns(&["partners-delivery-event"]);
    columns.push(Column::new(t("partners-cap-change")));
    Ok(Table {
        caption: t("partners-deliveries"),
        columns,
        rows: rows.collect(),
        first: visit.first_href(&own),
        next: listed.next.map_or_else(String::new, |next| page_href(&own, &visit.query, "after", &next)),
        empty: Some(Empty {
            text: t("partners-deliveries-none"),
            command: "curl -H 'Authorization: Bearer faro_partner_…' …/partners/alerts \
                      -d '{\"applies_to\": \"partner\", \"window\": \"month\", \"percent\": 80}'"
                .to_owned(),
            link: Some(Link::new(t("partners-alerts"), format!("{}/alerts", href(partner.id)))),
        }),
        ..Table::default()
    })
}

fn cursor(fields: &Fields) -> Result<Option<DeliveryCursor>, Fault> {
    match fields.text("after") {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_unreadable| Fault::Address),
    }
}

/// The deliveries of all partners in one state: what was given up, if nothing else is asked for.
pub(super) async fn list(visit: Visit) -> Answer {
    let fields = Fields::parse(&visit.query)?;
    let wanted = DeliveryState::from_word(fields.text("state")).unwrap_or(DeliveryState::Failed);
    let listed = visit.services().list_deliveries_in(wanted, cursor(&fields)?).await?;
    let choices = DeliveryState::ALL.iter().map(|(state, word)| Choice {
        value: (*word).to_owned(),
        label: t(&format!("{STATE}{word}")),
        is_chosen: *state == wanted,
    });
    let filters = Filters {
        action: LIST.to_owned(),
        fields: vec![Field::select("state", t("partners-state"), choices.collect())],
        all_href: String::new(),
    };
    let table = Table {
        caption: t("partners-deliveries"),
        columns: columns(&["partners-user-of", "partners-hook"]),
        rows: listed.rows.iter().map(row).collect(),
        first: visit.first_href(LIST),
        next: listed.next.map_or_else(String::new, |next| page_href(LIST, &visit.query, "after", &next)),
        empty: Some(Empty {
            text: t("partners-deliveries-empty"),
            command: "curl -H 'Authorization: Bearer faro_partner_…' …/partners/webhooks".to_owned(),
            link: None,
        }),
        ..Table::default()
    };
    let page = Page::new(t("partners-deliveries")).under(t("partners-title"), super::LIST);
    visit.show(page.with(filters).with(table)).await
}

fn row(found: &PartnerDelivery) -> Row {
    let (id, name) = &found.partner;
    let own = format!("{}/webhooks/{}", href(*id), found.webhook.id);
    let shown_url = found.webhook.shown_url();
    let hook = if found.is_removed { Cell::text(shown_url) } else { Cell::link(shown_url, own.clone()) };
    let mut shown = vec![Cell::link(name, href(*id)), hook];
    shown.extend(cells(&found.delivery));
    let place = if found.is_removed { String::new() } else { own };
    Row { tone: state(found.delivery.state).1, ..Row::new(place, shown) }
}

/// The delivery that a path names.
async fn find(
    visit: &Visit,
    (id, hook, delivery): (&str, &str, &str),
) -> Result<(PartnerProfile, Webhook, Delivery), Fault> {
    let partner = load(visit, id).await?;
    let hook: WebhookId = hook.parse().map_err(|_unreadable| Fault::NotFound)?;
    let delivery: DeliveryId = delivery.parse().map_err(|_unreadable| Fault::NotFound)?;
    let (hook, delivery) =
        visit.services().find_delivery(partner.id, (hook, delivery)).await?.ok_or(Fault::NotFound)?;
    Ok((partner, hook, delivery))
}

/// What a form was made for: the server, or somebody else, may have been at it in the meantime.
fn seen(delivery: &Delivery) -> String {
    format!("{} {} {}", delivery.state.as_str(), delivery.attempts, delivery.next_us)
}

fn replay_page(
    visit: &Visit,
    (partner, hook, delivery): (&PartnerProfile, &Webhook, &Delivery),
    (typed, problems): (&Fields, &Problems),
) -> Page {
    let own = hooks::hook_href(partner, hook.id);
    let [state, attempts, error, when, written] = cells(delivery);
    let facts = Facts::new()
        .fact(t("partners-hook-url"), Cell::Mono(hook.shown_url()))
        .fact(t("partners-delivery-event"), Cell::Mono(delivery.event.to_string()))
        .fact(t("partners-delivery-attempts"), attempts)
        .fact(t("partners-delivery-error"), error)
        .fact(t("partners-delivery-when"), when)
        .fact(t("partners-delivery-written"), written);
    let mut page = below(partner, t("partners-delivery-replay"))
        .under(t("partners-hooks"), hooks::list_href(partner))
        .under(t("partners-hook"), own.clone())
        .with(facts);
    page.subtitle = vec![state, Cell::id(delivery.id, "")];
    if delivery.state == DeliveryState::Queued {
        for (_, problem) in problems.all() {
            page = page.with(Notice::new(Tone::Bad, problem));
        }
        return page.with(Notice::new(Tone::Warn, t("partners-delivery-queued")));
    }
    let form = Form::new(replay_href(partner, hook.id, delivery.id), t("partners-delivery-replay"))
        .field(Field::line("reason", t("console-reason")).required())
        .step_up(visit, ConsoleAction::PartnerWebhook)
        .cancel(own)
        .filled(typed, problems)
        .field(Field::new("seen", "", Control::Hidden).value(seen(delivery)));
    page.with(Text::new(t("partners-delivery-replay-text"))).with(form)
}

pub(super) async fn ask_replay(visit: Visit, path: Path<(String, String, String)>) -> Answer {
    let (id, hook, delivery) = path.into_inner();
    let (partner, hook, delivery) = find(&visit, (&id, &hook, &delivery)).await?;
    let typed = Fields::parse(&visit.query)?;
    visit.show(replay_page(&visit, (&partner, &hook, &delivery), (&typed, &Problems::default()))).await
}

pub(super) async fn replay(mut visit: Visit, path: Path<(String, String, String)>, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let (id, hook, delivery) = path.into_inner();
    let (partner, hook, delivery) = find(&visit, (&id, &hook, &delivery)).await?;
    let mut problems = Problems::default();
    let reason = problems.required(&fields, "reason").to_owned();
    if fields.text("seen") != seen(&delivery) {
        problems.add("", t("partners-delivery-stale"));
    }
    visit.permit(ConsoleAction::PartnerWebhook, None, &fields, &mut problems).await?;
    if problems.is_empty() {
        let (by, named) = (visit.context()?, (hook.id, delivery.id));
        match visit.services().replay_delivery(&by, partner.id, named, Some(&reason)).await {
            Ok(_queued) => {
                let own = hooks::hook_href(&partner, hook.id);
                return visit.go(&own, &t("partners-delivery-replayed")).await;
            }
            Err(WebhookError::Store(error)) => return Err(error.into()),
            Err(WebhookError::NotFound) => return Err(Fault::NotFound),
            Err(error) => problems.add("", error.said()),
        }
    }
    visit.show_refused(replay_page(&visit, (&partner, &hook, &delivery), (&fields, &problems))).await
}
