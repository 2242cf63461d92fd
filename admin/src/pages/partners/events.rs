//! What a partner was told: in its list, by mail, and at its webhooks.

use actix_web::web::Path;
use engine::{
    credits::Credits,
    ledger::caps::CapWindow,
    service::partners::{PartnerEvent, PartnerProfile},
};
use serde_json::Value;

use super::{href, load, view};
use crate::{
    console::{Answer, Fields, Visit},
    kit::{Cell, Column, Empty, Row, Table, page_href},
    pages::access::caps::window_name,
    text::t,
};

pub(super) async fn list(visit: Visit, id: Path<String>) -> Answer {
    let partner = load(&visit, &id).await?;
    let after = Fields::parse(&visit.query)?.cursor()?;
    let listed = visit.services().list_partner_events(partner.id, after).await?;
    let path = format!("{}/events", href(partner.id));
    let table = Table {
        caption: t("partners-events"),
        columns: vec![
            Column::new(t("partners-event-when")),
            Column::new(t("partners-event-kind")),
            Column::new(t("partners-cap-whom")),
            Column::new(t("partners-cap-window")),
            Column::new(t("partners-alert-percent")),
            Column::right(t("partners-cap-spent")),
            Column::right(t("partners-cap-limit")),
            Column::new(t("partners-delivery-event")),
        ],
        rows: listed.rows.iter().map(|event| row(&partner, event)).collect(),
        first: visit.first_href(&path),
        next: listed.next.map_or_else(String::new, |next| page_href(&path, &visit.query, "after", &next)),
        empty: Some(Empty {
            text: t("partners-events-empty"),
            command: "curl -H 'Authorization: Bearer faro_partner_…' …/partners/events".to_owned(),
            link: None,
        }),
        ..Table::default()
    };
    visit.show(view(&visit, &partner, "/events").with(table)).await
}

fn row(partner: &PartnerProfile, event: &PartnerEvent) -> Row {
    let text = |name: &str| event.data.get(name).and_then(Value::as_str);
    let money = |name: &str| {
        let amount = text(name).and_then(|amount| Credits::parse_exact(amount).ok());
        amount.map_or(Cell::None, Cell::Money)
    };
    let percent = event.data.get("percent").and_then(Value::as_i64);
    let cells = vec![
        Cell::Time(event.created_us),
        Cell::Mono(event.kind.clone()),
        whose(partner, &event.data),
        Cell::maybe(text("window").and_then(CapWindow::from_word).map(window_name)),
        Cell::maybe(percent.map(|percent| format!("{percent} %"))),
        money("spent"),
        money("limit"),
        Cell::id(event.id, ""),
    ];
    Row::new("", cells)
}

/// Whose limit it was: of an end user with the name that it has now.
fn whose(partner: &PartnerProfile, data: &Value) -> Cell {
    let text = |name: &str| data.get(name).and_then(Value::as_str);
    match (text("user_id"), text("external_id"), text("token_id")) {
        (Some(id), Some(name), _) => Cell::link(name, format!("{}/users/{id}", href(partner.id))),
        (Some(id), None, _) => Cell::id(id, format!("{}/users/{id}", href(partner.id))),
        (None, _, Some(id)) => Cell::id(id, format!("{}/tokens", href(partner.id))),
        (None, _, None) => Cell::text(t("partners-cap-of-partner")),
    }
}
