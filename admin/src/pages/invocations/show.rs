//! One call: who and what, what the books say, how it was decided, what happened since.

use actix_web::web::Path;
use engine::{
    id::{EntryId, InvocationId},
    invocation::CallState,
    policy::console::ConsoleAction,
    service::invocations::{CallDetail, CallKey, CallMoney, CallTransaction, Place},
};

use super::{LIST, called, caller, outcome_text, price, state_cell, steps, took};
use crate::{
    console::{Answer, Fault, Visit},
    kit::{Cell, Column, Empty, Event, Facts, Heading, Link, Notice, Page, Row, Table, Text, Timeline, Tone},
    pages::{places, timeline as timeline_of},
    text::{t, t_with},
};

/// What the texts of endpoints, of settlements and of transactions begin with.
const SURFACE: &str = "invocations-surface-";
const SETTLED: &str = "invocations-settled-";
const KIND: &str = "invocations-kind-";

/// The call that an address names.
pub(super) fn id_of(text: &str) -> Result<InvocationId, Fault> {
    text.parse().map_err(|_no_call| Fault::NotFound)
}

/// The views of a call; the one called `here` is shown.
pub(super) fn tabs(visit: &Visit, id: InvocationId, here: &str) -> Vec<Link> {
    let call = super::href(id);
    let payload = visit.may(ConsoleAction::PayloadRead).then(|| ("invocations-tab-payload", format!("{call}/payload")));
    let why = ("invocations-tab-why", format!("{call}/why"));
    let all = [("invocations-tab-call", call), why].into_iter().chain(payload);
    all.map(|(key, href)| Link::new(t(key), if key == here { String::new() } else { href })).collect()
}

pub(super) async fn show(visit: Visit, id: Path<String>) -> Answer {
    let id = id_of(&id)?;
    let detail = visit.services().find_call(id).await?.ok_or(Fault::NotFound)?;
    let may_refund = visit.may(ConsoleAction::RefundCreate) && !detail.money.refundable.is_zero();
    let mut page = Page::new(t("invocations-one"))
        .under(t("invocations-title"), LIST)
        .tool(may_refund, t("invocations-refund"), format!("/admin/refunds/new?invocation={id}"))
        .with(facts(&detail))
        .with(Heading::new(t("invocations-money")))
        .with(sums(&detail))
        .with(money(&detail.money));
    page.subtitle = vec![state_cell(&detail.call), Cell::Mono(id.to_string())];
    page.tabs = tabs(&visit, id, "invocations-tab-call");
    page = page.with(Heading::new(t("invocations-price-story")));
    page = match price::table(&detail) {
        Some(table) => page.with(price_facts(&detail)).with(table),
        None => page.with(Text::new(t("invocations-price-none"))),
    };
    page = page.with(Heading::new(t("invocations-decision"))).with(decision(&detail, id));
    if let Some(picture) = steps::picture(&detail) {
        page = page.with(picture);
    }
    let timeline = timeline(&visit, &detail).await?;
    visit.show(page.with(Heading::new(t("console-timeline"))).with(timeline)).await
}

fn facts(detail: &CallDetail) -> Facts {
    let call = &detail.call;
    let surface = call.surface.map(|surface| t(&format!("{SURFACE}{}", surface.as_str())));
    let mut facts = Facts::new()
        .fact(t("invocations-accepted"), Cell::Time(call.created_us))
        .fact(t("invocations-ended"), Cell::time(call.ended_us))
        .fact(t("invocations-took"), took(call))
        .fact(t("invocations-surface"), Cell::maybe(surface))
        .fact(t("invocations-caller"), caller(call))
        .fact(t("invocations-tool"), called(call));
    if let Some((token, name)) = &detail.token {
        facts = facts
            .fact(t("invocations-token"), Cell::text(name))
            .fact(t("invocations-token-id"), Cell::id(token, places::href(&format!("/audit?object={token}"))));
    }
    for (key, text) in [
        ("invocations-requested", &call.requested),
        ("invocations-session", &detail.session_key),
        ("invocations-channel", &detail.channel),
        ("invocations-channel-account", &detail.channel_account),
        ("invocations-error", &call.error),
        ("invocations-warning", &detail.warning),
    ] {
        if let Some(text) = text {
            facts = facts.fact(t(key), Cell::Mono(text.clone()));
        }
    }
    if let Some(is_owner) = detail.is_owner {
        facts = facts
            .fact(t("invocations-owner"), Cell::text(t(if is_owner { "invocations-yes" } else { "invocations-no" })));
    }
    if let Some(key) = &detail.key {
        facts = key_facts(facts, key, call.id);
    }
    if call.state == CallState::Unknown {
        facts = facts.fact(t("invocations-resolves"), Cell::time(detail.resolves_us));
    }
    facts
}

/// The idempotency key, and what a repetition with it is told now.
fn key_facts(facts: Facts, key: &CallKey, id: InvocationId) -> Facts {
    let repeated = match (key.holder, key.status) {
        (None, _) => Cell::text(t("invocations-key-free")),
        (Some(holder), _) if holder != id => Cell::id(holder, super::href(holder)),
        (Some(_), Some(status)) => Cell::text(t_with("invocations-key-answered", &[("status", status.into())])),
        (Some(_), None) => Cell::text(t("invocations-key-held")),
    };
    facts
        .fact(t("invocations-key"), Cell::Mono(key.key.clone()))
        .fact(t("invocations-key-repeated"), repeated)
        .fact(t("invocations-key-until"), Cell::time(key.until_us))
}

/// What it came to.
fn sums(detail: &CallDetail) -> Facts {
    let mut facts = Facts::new()
        .fact(t("invocations-held"), Cell::Money(detail.call.held))
        .fact(t("invocations-charged"), Cell::Money(detail.call.charged));
    if !detail.money.refunded.is_zero() {
        facts = facts.fact(t("invocations-refunded"), Cell::Money(detail.money.refunded));
    }
    if !detail.money.refundable.is_zero() {
        facts = facts.fact(t("invocations-refundable"), Cell::Money(detail.money.refundable));
    }
    if !detail.shortfall.is_zero() {
        facts = facts.fact(t("invocations-shortfall"), Cell::Money(detail.shortfall));
    }
    facts
}

fn place_text(place: Place) -> Cell {
    Cell::Mono(format!("{}/{}", place.slot, place.seq))
}

/// What the books say, entry by entry.
fn money(money: &CallMoney) -> Table {
    let mut rows = Vec::new();
    if let Some(hold) = &money.hold {
        let kept = t("invocations-book-reserved");
        rows.push(entry_row(hold.recorded_us, t("invocations-book-hold"), kept, Cell::Money(hold.amount), hold.place));
        for (grant, amount) in &hold.grants {
            let of = t_with("invocations-book-grant", &[("grant", grant.to_string().into())]);
            rows.push(entry_row(hold.recorded_us, String::new(), of, Cell::Money(*amount), hold.place));
        }
    }
    if let Some(settlement) = &money.settlement {
        let how = t(&format!("{SETTLED}{}", settlement.settled.as_str()));
        let amount = Cell::Money(settlement.captured);
        let what = t("invocations-book-settlement");
        rows.push(entry_row(settlement.recorded_us, what, how, amount, settlement.place));
    }
    for transaction in money.charge.iter().chain(&money.refunds) {
        rows.extend(transaction_rows(transaction));
    }
    let columns = ["invocations-when", "invocations-book-entry", "invocations-book-what"];
    let columns = columns.map(|key| Column::new(t(key)));
    Table {
        caption: t("invocations-books"),
        columns: columns
            .into_iter()
            .chain([Column::right(t("invocations-amount")), Column::new(t("invocations-book-place"))])
            .collect(),
        rows,
        empty: Some(Empty { text: t("invocations-book-none"), command: String::new(), link: None }),
        ..Table::default()
    }
}

fn entry_row(at_us: i64, entry: String, what: String, amount: Cell, place: Place) -> Row {
    Row::new("", vec![Cell::Time(at_us), Cell::text(entry), Cell::text(what), amount, place_text(place)])
}

fn transaction_rows(transaction: &CallTransaction) -> Vec<Row> {
    let kind = t(&format!("{KIND}{}", transaction.kind.as_str()));
    let name = |first: bool| if first { kind.clone() } else { String::new() };
    let rows = transaction.postings.iter().enumerate().map(|(number, posting)| {
        let what = format!("{} → {}", posting.from, posting.to);
        let amount = Cell::Money(posting.amount);
        entry_row(transaction.recorded_us, name(number == 0), what, amount, transaction.place)
    });
    rows.collect()
}

/// The price that was in force, and how a charge is shared.
fn price_facts(detail: &CallDetail) -> Facts {
    let mut facts = Facts::new();
    if let Some(known) = &detail.price {
        let href = places::href(&format!("/prices/{}", known.id));
        let charge_on = format!("{}{}", "invocations-charge-on-", known.price.charge_on.as_str());
        facts = facts
            .fact(t("invocations-price-version"), Cell::id(known.id, href))
            .fact(t("invocations-price-since"), Cell::Time(known.price.effective_from_us))
            .fact(t("invocations-price-mode"), Cell::Mono(known.price.mode.as_str().to_owned()))
            .fact(t("invocations-charge-on"), Cell::text(t(&charge_on)));
        if let Some(description) = &known.price.description {
            facts = facts.fact(t("invocations-price-description"), Cell::text(description));
        }
    }
    if let Some(hold) = &detail.money.hold {
        let platform = 10_000_i64.saturating_sub(hold.publisher_bps).saturating_sub(hold.partner_bps);
        let shares = [("publisher", hold.publisher_bps), ("partner", hold.partner_bps), ("platform", platform)];
        let shares = shares.map(|(name, bps)| (name, percent(bps).into()));
        facts = facts.fact(t("invocations-shares"), Cell::text(t_with("invocations-shares-of", &shares)));
    }
    facts
}

/// Basis points as a percentage: `12.5`.
fn percent(bps: i64) -> String {
    let (whole, rest) = (bps.div_euclid(100), bps.rem_euclid(100));
    match (rest, rest.rem_euclid(10)) {
        (0, _) => whole.to_string(),
        (_, 0) => format!("{whole}.{}", rest.div_euclid(10)),
        _ => format!("{whole}.{rest:02}"),
    }
}

/// In one sentence how it was decided; the whole chain is a click away.
fn decision(detail: &CallDetail, id: InvocationId) -> Notice {
    let by = [("by", detail.denied_by.join(", ").into()), ("policy", detail.policy_version.clone().into())];
    let (tone, key) = match (detail.call.state, detail.denied_by.is_empty()) {
        (CallState::Denied, true) => (Tone::Warn, "invocations-denied-by-none"),
        (CallState::Denied, false) => (Tone::Warn, "invocations-denied-by"),
        (CallState::Invalid, _) => (Tone::Plain, "invocations-invalid-before"),
        _ => (Tone::Good, "invocations-allowed-by"),
    };
    Notice::new(tone, t_with(key, &by)).link(t("invocations-explain"), format!("{}/why", super::href(id)))
}

/// What the audit trail tells of the call and of its charge, among what the books say of them.
async fn timeline(visit: &Visit, detail: &CallDetail) -> Result<Timeline, Fault> {
    let id = detail.call.id;
    let of_call = timeline_of(visit, &id.to_string()).await?;
    let of_charge = timeline_of(visit, &EntryId::from(id).to_string()).await?;
    let mut events = own_events(detail);
    events.extend(of_call.events);
    events.extend(of_charge.events);
    events.sort_by_key(|event| std::cmp::Reverse(event.at_us));
    let more = [of_call.more, of_charge.more].into_iter().find(|more| !more.is_empty()).unwrap_or_default();
    Ok(Timeline { events, more })
}

fn event(at_us: i64, what: String, details: Vec<String>) -> Event {
    Event { at_us, what: Cell::text(what), who: Cell::text(t("invocations-by-program")), details }
}

fn own_events(detail: &CallDetail) -> Vec<Event> {
    let call = &detail.call;
    let mut events = vec![event(call.created_us, t("invocations-event-accepted"), Vec::new())];
    let money = &detail.money;
    if let Some(hold) = &money.hold {
        let amount = [("credits", hold.amount.to_string().into())];
        events.push(event(hold.recorded_us, t_with("invocations-event-held", &amount), Vec::new()));
    }
    if let Some(settlement) = &money.settlement {
        let how = t(&format!("{SETTLED}{}", settlement.settled.as_str()));
        let amount = [("credits", settlement.captured.to_string().into())];
        events.push(event(settlement.recorded_us, t_with("invocations-event-settled", &amount), vec![how]));
    }
    if let Some(ended_us) = call.ended_us {
        let error: Vec<String> = call.error.iter().cloned().collect();
        events.push(event(ended_us, outcome_text(call.outcome), error));
    }
    for refund in &money.refunds {
        let amount = [("credits", refund.total().to_string().into())];
        let said = t_with("invocations-event-refunded", &amount);
        events.push(event(refund.recorded_us, said, vec![refund.id.to_string()]));
    }
    events
}

#[cfg(test)]
mod tests;
