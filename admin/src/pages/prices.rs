//! Prices: of now, of the past and to come. A price is never changed: another one takes its place at its time.

use engine::{
    id::ToolId,
    policy::console::ConsoleAction,
    pricing::PricingSpec,
    service::{catalog::spec_from_json, prices::PriceVersion},
};

use crate::{
    console::{Access, Fault, Fields, Route, Visit, get, post},
    kit::{Block, Cell, Column, Heading, Notice, Row, Steps, Table, Tone, page_href},
    text::{t, t_with},
};

mod cancel;
mod fields;
mod schedule;
mod words;

pub(super) use fields::{price_fields, spec_of};
use words::{highest, price_cell, price_facts, price_text};
pub(super) use words::{may_rise, stored_cell, stored_text};

pub(super) fn routes() -> Vec<Route> {
    let needs = Access::Needs;
    vec![
        get("/tools/{id}/price", needs(ConsoleAction::PriceSchedule), schedule::ask),
        post("/tools/{id}/price", needs(ConsoleAction::PriceSchedule), schedule::schedule),
        get("/prices/{id}/cancel", needs(ConsoleAction::PriceCancel), cancel::ask),
        post("/prices/{id}/cancel", needs(ConsoleAction::PriceCancel), cancel::cancel),
    ]
}

/// What stands in a form for a price where there is none.
const NO_PRICE: &str = "none";
/// Of how many prices a tool's timeline tells.
const TOLD: usize = 10;

/// The price of a tool by its path, as this server has it in force now.
fn find_spec_now(visit: &Visit, path: &str) -> Option<PricingSpec> {
    let snapshot = visit.services().snapshot();
    let offer = match path.split_once('/') {
        Some((namespace, tool)) => snapshot.find_offer(namespace, tool),
        None => snapshot.find_core_tool(path),
    };
    offer?.tool.prices.in_force_at(visit.now_us).map(|price| price.to_spec())
}

/// The same for a list.
pub(super) fn price_now(visit: &Visit, path: &str) -> Cell {
    find_spec_now(visit, path).map_or(Cell::None, |spec| price_cell(&spec))
}

/// The same in words.
pub(super) fn spec_now(visit: &Visit, path: &str) -> String {
    find_spec_now(visit, path).map_or_else(String::new, |spec| price_text(&spec))
}

/// A stored price as its publisher wrote it.
///
/// # Errors
/// The database holds what is no price.
fn read_spec(price: &PriceVersion) -> Result<PricingSpec, Fault> {
    spec_from_json(&price.spec).map_err(|what| Fault::Broken(format!("{}: {what}", price.id)))
}

/// What of a tool's page is about its prices, and the identifiers of those that are shown, for the timeline.
pub(super) async fn of_tool(visit: &Visit, tool: ToolId) -> Result<(Vec<Block>, Vec<String>), Fault> {
    if !visit.may(ConsoleAction::PricesRead) {
        return Ok((Vec::new(), Vec::new()));
    }
    let before_us = match Fields::parse(&visit.query)?.text("after") {
        "" => None,
        text => Some(text.parse().map_err(|_unreadable| Fault::Address)?),
    };
    let now = visit.services().find_price_at(tool, visit.now_us).await?;
    let listed = visit.services().list_prices(tool, before_us).await?;
    let mut blocks: Vec<Block> = vec![Heading::new(t("prices-now")).into()];
    match &now {
        Some(price) => blocks.push(price_facts(&read_spec(price)?).into()),
        None => blocks.push(Notice::new(Tone::Warn, t("prices-none")).into()),
    }
    blocks.push(Heading::new(t("prices-title")).into());
    if let Some(steps) = chart(&listed.rows, visit.now_us)? {
        blocks.push(steps.into());
    }
    let mut rows = Vec::with_capacity(listed.rows.len());
    for price in &listed.rows {
        rows.push(row(visit, price, now.as_ref())?);
    }
    let own = super::catalog::tool_href(tool);
    blocks.push(
        Table {
            caption: t("prices-title"),
            columns: vec![
                Column::new(t("prices-from")),
                Column::new(t("prices-state")),
                Column::right(t("prices-price")),
                Column::new(t("prices-words")),
                Column::new(t("prices-made")),
                Column::new(t("prices-id")),
                Column::new(t("prices-take-back")),
            ],
            rows,
            first: visit.first_href(&own),
            next: listed.next.map_or_else(String::new, |next| page_href(&own, &visit.query, "after", &next)),
            ..Table::default()
        }
        .into(),
    );
    let ids = listed.rows.iter().take(TOLD).map(|price| price.id.to_string()).collect();
    Ok((blocks, ids))
}

fn row(visit: &Visit, price: &PriceVersion, now: Option<&PriceVersion>) -> Result<Row, Fault> {
    let is_to_come = price.cancelled_us.is_none() && price.effective_from_us > visit.now_us;
    let is_now = now.is_some_and(|now| now.id == price.id);
    let state = match (price.cancelled_us, is_to_come, is_now) {
        (Some(_), ..) => Cell::state(t("prices-cancelled"), Tone::Bad),
        (None, true, _) => Cell::state(t("prices-scheduled"), Tone::Warn),
        (None, false, true) => Cell::state(t("prices-in-force"), Tone::Good),
        (None, false, false) => Cell::state(t("prices-past"), Tone::Plain),
    };
    let cancel = if is_to_come && visit.may(ConsoleAction::PriceCancel) {
        Cell::link(t("prices-cancel"), cancel::href(price))
    } else {
        Cell::None
    };
    let spec = read_spec(price)?;
    let cells = vec![
        Cell::Time(price.effective_from_us),
        state,
        price_cell(&spec),
        Cell::text(price_text(&spec)),
        Cell::Time(price.created_us),
        Cell::id(price.id, ""),
        cancel,
    ];
    Ok(Row::new("", cells))
}

/// The most that a call can cost, over time: of the versions that are shown and not taken back. One step is no chart.
fn chart(versions: &[PriceVersion], now_us: i64) -> Result<Option<Steps>, Fault> {
    let mut known = Vec::new();
    for price in versions.iter().rev().filter(|price| price.cancelled_us.is_none()) {
        if let Some(most) = highest(&read_spec(price)?) {
            let written = t_with("prices-credits", &[("credits", most.to_string().into())]);
            known.push((price.effective_from_us, most.micros(), written));
        }
    }
    Ok(Steps::over_time(t("prices-chart"), known, now_us))
}

#[cfg(test)]
mod tests;
