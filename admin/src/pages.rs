//! The pages, one module for a part of the console. Each module lists its routes; handlers extract, call a use case and
//! say what is to be seen.

use engine::{policy::console::ConsoleAction, service::audit::AuditFilter};

use crate::{
    console::{Fault, Route, Section, Visit},
    kit::{Cell, Event, Timeline},
};

mod accounts;
mod approvals;
mod audit;
mod catalog;
mod dashboard;
mod health;
mod invocations;
mod ledger;
mod mail;
mod me;
mod movements;
mod operators;
mod partners;
mod policies;
mod prices;
mod search;
mod sign_in;

/// The menu, from left to right.
pub(crate) const SECTIONS: [Section; 1] =
    [Section { key: "accounts-title", path: "/accounts", needs: ConsoleAction::AccountsRead }];

/// Everything that the console answers to, below its root.
pub fn routes() -> Vec<Route> {
    [
        sign_in::routes(),
        me::routes(),
        dashboard::routes(),
        catalog::routes(),
        prices::routes(),
        partners::routes(),
        accounts::routes(),
        invocations::routes(),
        movements::routes(),
        approvals::routes(),
        ledger::routes(),
        policies::routes(),
        audit::routes(),
        operators::routes(),
        mail::routes(),
        health::routes(),
        search::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// How many of a thing's events its page shows.
const EVENTS_SHOWN: u64 = 20;

/// What the audit trail tells of the thing with this identifier, the newest first.
async fn timeline(visit: &Visit, id: &str) -> Result<Timeline, Fault> {
    let filter = AuditFilter { object: Some(id.to_owned()), ..AuditFilter::default() };
    let (rows, next) = visit.services().list_audit(&filter, None, EVENTS_SHOWN).await?;
    let events = rows.into_iter().map(|row| {
        let change = [row.before.map(|text| format!("− {text}")), row.after.map(|text| format!("+ {text}"))];
        Event {
            at_us: row.recorded_us,
            what: Cell::Mono(row.action),
            who: Cell::text(format!("{} {}", row.actor_kind, row.actor_id)),
            details: row.reason.into_iter().chain(change.into_iter().flatten()).collect(),
        }
    });
    let more = next.map_or_else(String::new, |_more| format!("/admin/audit?object={id}"));
    Ok(Timeline { events: events.collect(), more })
}
