//! The pages, one module for a part of the console. Each module lists its routes; handlers extract, call a use case and
//! say what is to be seen.

use engine::{audit::AuditRow, policy::console::ConsoleAction, service::audit::AuditFilter};

use crate::{
    console::{Fault, Route, Section, Visit},
    kit::{Cell, Event, Timeline},
};

mod access;
mod accounts;
mod approvals;
mod audit;
mod catalog;
mod dashboard;
mod health;
mod invocations;
mod ledger;
mod listings;
mod mail;
mod me;
mod movements;
mod operators;
mod partners;
mod places;
mod policies;
mod prices;
mod search;
mod sign_in;

/// The menu, from left to right.
pub(crate) const SECTIONS: [Section; 16] = [
    Section { key: "dashboard-title", path: "/", needs: ConsoleAction::DashboardRead },
    Section { key: "invocations-title", path: "/invocations", needs: ConsoleAction::InvocationsRead },
    Section { key: "accounts-title", path: "/accounts", needs: ConsoleAction::AccountsRead },
    Section { key: "partners-title", path: "/partners", needs: ConsoleAction::PartnersRead },
    Section { key: "catalog-publishers", path: "/publishers", needs: ConsoleAction::CatalogRead },
    Section { key: "catalog-tools", path: "/tools", needs: ConsoleAction::CatalogRead },
    Section { key: "listings-title", path: "/listings", needs: ConsoleAction::CatalogRead },
    Section { key: "movements-refunds", path: "/refunds", needs: ConsoleAction::MovementsRead },
    Section { key: "movements-payouts", path: "/payouts", needs: ConsoleAction::MovementsRead },
    Section { key: "approvals-title", path: "/approvals", needs: ConsoleAction::ApprovalsRead },
    Section { key: "ledger-title", path: "/ledger", needs: ConsoleAction::LedgerRead },
    Section { key: "mail-title", path: "/mail", needs: ConsoleAction::MailRead },
    Section { key: "health-title", path: "/health", needs: ConsoleAction::HealthRead },
    Section { key: "policies-title", path: "/policies", needs: ConsoleAction::PoliciesRead },
    Section { key: "audit-title", path: "/audit", needs: ConsoleAction::AuditRead },
    Section { key: "operators-title", path: "/operators", needs: ConsoleAction::OperatorsRead },
];

/// Everything that the console answers to, below its root.
pub fn routes() -> Vec<Route> {
    [
        sign_in::routes(),
        me::routes(),
        dashboard::routes(),
        catalog::routes(),
        listings::routes(),
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
    timeline_by(visit, &filter, format!("/admin/audit?object={id}")).await
}

/// As [`timeline`], of a thing that has only a number: what is told of it in this category of actions.
async fn timeline_in(visit: &Visit, id: &str, category: &str) -> Result<Timeline, Fault> {
    let filter =
        AuditFilter { object: Some(id.to_owned()), action: Some(category.to_owned()), ..AuditFilter::default() };
    timeline_by(visit, &filter, format!("/admin/audit?action={category}&object={id}")).await
}

/// What the audit trail tells that `filter` wants, the newest first; `all` is where the rest of it is.
async fn timeline_by(visit: &Visit, filter: &AuditFilter, all: String) -> Result<Timeline, Fault> {
    let (rows, next) = visit.services().list_audit(filter, None, EVENTS_SHOWN).await?;
    let more = next.map_or_else(String::new, |_more| all);
    Ok(Timeline { events: rows.into_iter().map(event).collect(), more })
}

/// As [`timeline`], of something that the trail knows by several names, each a kind and which one: an import knows tools by
/// their paths, and every price has a name of its own. More of it is found under the first one.
async fn timeline_of(visit: &Visit, objects: &[(&str, String)]) -> Result<Timeline, Fault> {
    let (rows, has_more) = visit.services().list_events(objects, EVENTS_SHOWN).await?;
    let first = objects.first().filter(|_| has_more);
    let more = first.map_or_else(String::new, |(_, id)| format!("/admin/audit?object={id}"));
    Ok(Timeline { events: rows.into_iter().map(event).collect(), more })
}

fn event(row: AuditRow) -> Event {
    let change = [row.before.map(|text| format!("− {text}")), row.after.map(|text| format!("+ {text}"))];
    Event {
        at_us: row.recorded_us,
        what: Cell::Mono(row.action),
        who: Cell::text(format!("{} {}", row.actor_kind, row.actor_id)),
        details: row.reason.into_iter().chain(change.into_iter().flatten()).collect(),
    }
}

#[cfg(test)]
mod tests;
