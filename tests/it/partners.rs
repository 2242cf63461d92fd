//! What partners do themselves, through the services, on both databases.

mod deliveries;
mod erased;
mod funding;
mod notices;
mod usage;
mod users;

use engine::{
    audit::OpContext,
    credits::Credits,
    ledger::AccountKind,
    service::{
        Services,
        movements::Note,
        partners::{NewPartner, PartnerProfile},
    },
};

use uuid::Uuid;

use crate::ledger::desk::{Desk, Kind, payable_id};

fn by() -> OpContext {
    OpContext::system()
}

const fn credits(micros: i64) -> Credits {
    Credits::from_micros(micros)
}

/// An identifier as the database's own language has it.
fn literal(kind: Kind, id: Uuid) -> String {
    match kind {
        Kind::Sqlite => format!("X'{}'", id.as_simple()),
        Kind::Postgres => format!("'{id}'"),
    }
}

/// A desk with somebody to be paid, as a server is when it has started.
async fn open(kind: Kind) -> (Desk, Services) {
    let desk = Desk::open_on(kind).await;
    desk.open_account(payable_id(1), AccountKind::Payable, 0).await;
    let services = desk.services().await;
    services.complete_facts().await.unwrap();
    (desk, services)
}

/// A partner with this name and 1,000 micro-credits.
async fn partner(services: &Services, name: &str) -> PartnerProfile {
    let new = NewPartner { name, margin_bps: 500, reason: "a contract", key: None };
    let made = services.create_partner(&by(), new).await.unwrap();
    let note = Note { reason: "a start", key: None };
    services.grant_to_partner(&by(), made.id, credits(1_000), note).await.unwrap();
    made
}
