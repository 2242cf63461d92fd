//! Calls: who called what, what came of it, what it cost and why.

use engine::{
    invocation::{CallOutcome, CallState},
    policy::console::ConsoleAction,
    service::{
        invocations::{CallPage, ListedCall},
        paging::PAGE_ROWS,
    },
};

use super::{accounts, places};
use crate::{
    console::{Access, Answer, Fields, ListFile, Route, Visit, get},
    kit::{Cell, Column, Empty, Link, Notice, Page, Row, Table, Tone, page_href},
    text::{t, t_with},
};

mod export;
mod filter;
mod payload;
mod price;
mod show;
mod steps;
mod why;

/// Where the list is.
pub(super) const LIST: &str = "/admin/invocations";

/// What the texts of outcomes and states begin with.
const OUTCOME: &str = "invocations-outcome-";
const STATE: &str = "invocations-state-";

pub(super) fn routes() -> Vec<Route> {
    let needs = Access::Needs;
    vec![
        get("/invocations", needs(ConsoleAction::InvocationsRead), list).lists(ListFile::At("/invocations/export")),
        get("/invocations/export", needs(ConsoleAction::ListsExport), export::download),
        get("/invocations/{id}", needs(ConsoleAction::InvocationsRead), show::show),
        get("/invocations/{id}/why", needs(ConsoleAction::InvocationsRead), why::show),
        get("/invocations/{id}/payload", needs(ConsoleAction::PayloadRead), payload::show),
    ]
}

/// The page of a call.
pub(super) fn href(id: impl std::fmt::Display) -> String {
    format!("{LIST}/{id}")
}

/// The word for what came of calls.
pub(super) fn outcome_text(outcome: CallOutcome) -> String {
    t(&format!("{OUTCOME}{}", outcome.as_str()))
}

const fn tone(outcome: CallOutcome) -> Tone {
    match outcome {
        CallOutcome::Charged | CallOutcome::Free => Tone::Good,
        CallOutcome::Open | CallOutcome::Invalid => Tone::Plain,
        CallOutcome::Unknown | CallOutcome::Refused | CallOutcome::Denied => Tone::Warn,
        CallOutcome::Failed => Tone::Bad,
    }
}

/// Where a call stands: its state where that says more than what came of it.
fn state_cell(call: &ListedCall) -> Cell {
    let text = match call.state {
        CallState::UnknownReleased | CallState::UnknownCaptured => t(&format!("{STATE}{}", call.state.as_str())),
        _ => outcome_text(call.outcome),
    };
    Cell::state(text, tone(call.outcome))
}

/// How long a call took, in words.
fn took(call: &ListedCall) -> Cell {
    let Some(ended_us) = call.ended_us else { return Cell::None };
    let ms = ended_us.saturating_sub(call.created_us).max(0).checked_div(1_000).unwrap_or(0);
    Cell::text(t_with("invocations-ms", &[("ms", ms.into())]))
}

/// Who called: the account, or the partner for its end user.
fn caller(call: &ListedCall) -> Cell {
    match (&call.account, &call.partner, &call.end_user) {
        (Some((id, email)), ..) => Cell::link(email, accounts::href(*id)),
        (None, Some((_, partner)), Some((user, name))) => {
            Cell::link(format!("{partner} · {name}"), format!("{LIST}?end_user={user}"))
        }
        (None, Some((partner, name)), None) => places::link(name, &format!("/partners/{partner}")),
        (None, None, _) => Cell::None,
    }
}

/// What was called, as the caller wrote it or as it is called here.
fn called(call: &ListedCall) -> Cell {
    match (&call.tool, &call.requested) {
        (Some((id, name)), _) => places::link(name, &format!("/tools/{id}")),
        (None, Some(requested)) => Cell::text(requested),
        (None, None) => Cell::None,
    }
}

async fn list(visit: Visit) -> Answer {
    let fields = Fields::parse(&visit.query)?;
    let asked = filter::read(&visit, &fields).await?;
    let found = if asked.problems.is_empty() {
        visit.services().list_calls(&asked.filter, fields.cursor()?, PAGE_ROWS).await?
    } else {
        CallPage { rows: Vec::new(), next: None, looked_at: None }
    };
    let next = found.next.as_ref().map(|next| page_href(LIST, &visit.query, "after", next)).unwrap_or_default();
    let mut page = Page::new(t("invocations-title")).with(filter::form(&visit, &fields));
    for problem in asked.problems {
        page = page.with(Notice::new(Tone::Warn, problem));
    }
    if let Some(looked_at) = found.looked_at {
        let said = t_with("invocations-looked-at", &[("count", looked_at.into())]);
        page = page.with(Notice::new(Tone::Plain, said).link(t("invocations-go-on"), next.clone()));
    }
    let is_cut = found.looked_at.is_some();
    let export = Link::new(t("invocations-export"), page_href(&format!("{LIST}/export"), &visit.query, "after", ""));
    let is_exported = visit.may(ConsoleAction::ListsExport) && !found.rows.is_empty();
    let origin = visit.console().door.origin();
    let empty = Empty {
        text: t("invocations-empty"),
        command: format!("curl -H 'authorization: Bearer faro_…' -d '{{}}' {origin}/invoke/NAMESPACE/TOOL"),
        link: None,
    };
    let table = Table {
        caption: t("invocations-title"),
        columns: vec![
            Column::new(t("invocations-when")),
            Column::new(t("invocations-id")),
            Column::new(t("invocations-caller")),
            Column::new(t("invocations-tool")),
            Column::new(t("invocations-outcome")),
            Column::new(t("invocations-error")),
            Column::right(t("invocations-charged")),
            Column::new(t("invocations-took")),
        ],
        rows: found.rows.iter().map(row).collect(),
        first: visit.first_href(LIST),
        next,
        exports: is_exported.then_some(export).into_iter().collect(),
        empty: (!is_cut).then_some(empty),
        ..Table::default()
    };
    visit.show(page.with(table)).await
}

fn row(call: &ListedCall) -> Row {
    let cells = vec![
        Cell::Time(call.created_us),
        Cell::id(call.id, href(call.id)),
        caller(call),
        called(call),
        state_cell(call),
        call.error.as_ref().map_or(Cell::None, |error| Cell::Mono(error.clone())),
        Cell::Money(call.charged),
        took(call),
    ];
    let tone = match call.outcome {
        CallOutcome::Failed => Tone::Bad,
        CallOutcome::Unknown => Tone::Warn,
        _ => Tone::Plain,
    };
    Row { tone, ..Row::new(href(call.id), cells) }
}
