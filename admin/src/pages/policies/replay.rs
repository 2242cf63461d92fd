//! Recorded calls decided again: which of them a version would turn over.

use std::sync::Arc;

use actix_web::web::Path;
use engine::{
    policy::{Policies, PolicyId},
    service::policies::{REPLAY_CALLS_MAX, Replayed, ReplayedCall},
};

use super::{href, load_from, review, version_page};
use crate::{
    console::{Answer, Fault, Fields, Visit},
    kit::{Block, Cell, Choice, Column, Empty, Field, Filters, Heading, Notice, Row, Table, Text, Tone, page_href},
    text::{t, t_with},
};

/// How many calls are decided again unless somebody wants more.
pub(super) const CALLS_USUAL: u64 = 1_000;
/// What can be chosen.
const COUNTS: [u64; 4] = [100, CALLS_USUAL, 5_000, REPLAY_CALLS_MAX];
/// How many calls of a cell are listed at once.
const CALLS_SHOWN: usize = 50;

/// The cells of the matrix: their names in addresses, how calls were decided, and how they would be.
const CELLS: [(&str, bool, bool); 4] = [
    ("allow-allow", true, true),
    ("allow-deny", true, false),
    ("deny-allow", false, true),
    ("deny-deny", false, false),
];

pub(super) async fn show(visit: Visit, path: Path<String>) -> Answer {
    let version = load_from(&visit, &path).await?;
    let fields = Fields::parse(&visit.query)?;
    let count = fields.text("n").parse().unwrap_or(CALLS_USUAL).clamp(1, REPLAY_CALLS_MAX);
    let own = format!("{}/replay", href(version.info.number));
    let mut page =
        version_page(&version.info, "replay").with(Text::new(t("policies-replay-text"))).with(filters(&own, count));
    let review = review::of(&visit, &version.text, &version.written).await?;
    let Some(policies) = review.policies else {
        page.blocks.extend(review.blocks);
        return visit.show(page).await;
    };
    let replayed = visit.services().replay_calls(policies.into(), count).await?;
    page.blocks.extend(matrix(&replayed, &|cell| format!("{own}?n={count}&cell={cell}")));
    let chosen = CELLS.iter().find(|(cell, ..)| *cell == fields.text("cell"));
    if let Some((cell, was_allowed, is_allowed)) = chosen {
        let calls: Vec<&ReplayedCall> = replayed.cell(*was_allowed, *is_allowed).collect();
        page.blocks.extend(calls_of(&visit, &own, cell, &calls, &fields)?);
    }
    visit.show(page).await
}

fn filters(own: &str, count: u64) -> Filters {
    let choice =
        |number: &u64| Choice { value: number.to_string(), label: number.to_string(), is_chosen: *number == count };
    let mut choices: Vec<Choice> = COUNTS.iter().map(choice).collect();
    if !COUNTS.contains(&count) {
        choices.push(choice(&count));
    }
    Filters {
        action: own.to_owned(),
        fields: vec![Field::select("n", t("policies-replay-count"), choices)],
        all_href: String::new(),
    }
}

/// The newest recorded calls against a policy, as a table of four cells.
///
/// # Errors
/// The database is away.
pub(super) async fn preview(visit: &Visit, number: i64, policies: Arc<Policies>) -> Result<Vec<Block>, Fault> {
    let replayed = visit.services().replay_calls(policies, CALLS_USUAL).await?;
    Ok(matrix(&replayed, &|cell| format!("{}/replay?n={CALLS_USUAL}&cell={cell}", href(number))))
}

/// How many calls were decided how, and would be. `to` is where the calls of a cell are listed.
fn matrix(replayed: &Replayed, to: &dyn Fn(&str) -> String) -> Vec<Block> {
    let total = i64::try_from(replayed.calls.len()).unwrap_or(i64::MAX);
    let heading = Heading::new(t_with("policies-replay-title", &[("count", total.into())]));
    let cell = |name: &str| {
        let (.., was, is) = CELLS.iter().find(|(cell, ..)| *cell == name).copied().unwrap_or_default();
        Cell::link(replayed.cell(was, is).count().to_string(), to(name))
    };
    let row = |key: &str, cells: [&str; 2]| {
        Row::new("", std::iter::once(Cell::text(t(key))).chain(cells.map(cell)).collect())
    };
    let table = Table {
        caption: t("policies-replay-matrix"),
        columns: vec![
            Column::new(t("policies-replay-then")),
            Column::new(t("policies-replay-now-allowed")),
            Column::new(t("policies-replay-now-denied")),
        ],
        rows: vec![
            row("policies-replay-was-allowed", ["allow-allow", "allow-deny"]),
            row("policies-replay-was-denied", ["deny-allow", "deny-deny"]),
        ],
        ..Table::default()
    };
    let (newly_allowed, newly_denied) = (replayed.cell(false, true).count(), replayed.cell(true, false).count());
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX).into();
    let notice = if newly_allowed == 0 && newly_denied == 0 {
        Notice::new(Tone::Good, t("policies-replay-none"))
    } else {
        let values = [("allowed", count(newly_allowed)), ("denied", count(newly_denied))];
        Notice::new(Tone::Warn, t_with("policies-replay-flips", &values))
    };
    vec![heading.into(), notice.into(), table.into()]
}

/// The calls of one cell, a page of them.
fn calls_of(
    visit: &Visit,
    own: &str,
    cell: &str,
    calls: &[&ReplayedCall],
    fields: &Fields,
) -> Result<Vec<Block>, Fault> {
    let after = fields.cursor()?;
    let behind = calls.iter().skip_while(|call| after.is_some_and(|after| call.call.uuid() >= after));
    let shown: Vec<&&ReplayedCall> = behind.take(CALLS_SHOWN.saturating_add(1)).collect();
    let has_more = shown.len() > CALLS_SHOWN;
    let shown: Vec<&&ReplayedCall> = shown.into_iter().take(CALLS_SHOWN).collect();
    let next = shown.last().filter(|_| has_more).map(|call| call.call.uuid().as_simple().to_string());
    let columns = [
        "policies-replay-when",
        "policies-replay-call",
        "policies-tool",
        "policies-session-key",
        "policies-replay-denied-by",
        "policies-replay-decided-by",
    ];
    let origin = visit.console().door.origin();
    let title = t(&["policies-cell-", cell].concat());
    let table = Table {
        caption: title.clone(),
        columns: columns.map(|key| Column::new(t(key))).into(),
        rows: shown.into_iter().map(|call| call_row(call)).collect(),
        first: visit.first_href(own),
        next: next.map_or_else(String::new, |next| page_href(own, &visit.query, "after", &next)),
        empty: Some(Empty {
            text: t("policies-replay-empty"),
            command: format!("curl -H 'authorization: Bearer faro_…' -d '{{}}' {origin}/invoke/NAMESPACE/TOOL"),
            link: None,
        }),
        ..Table::default()
    };
    Ok(vec![Heading::new(title).into(), table.into()])
}

fn call_row(call: &ReplayedCall) -> Row {
    let ids = |ids: &[PolicyId]| {
        let ids: Vec<&str> = ids.iter().map(PolicyId::as_str).collect();
        if ids.is_empty() { Cell::None } else { Cell::Mono(ids.join(", ")) }
    };
    let now = match &call.decision {
        Some(decision) => ids(&decision.determining),
        None => Cell::text(t("policies-replay-gone")),
    };
    Row::new(
        format!("/admin/invocations/{}", call.call),
        vec![
            Cell::Time(call.created_us),
            Cell::id(call.call, format!("/admin/invocations/{}", call.call)),
            Cell::Mono(call.tool.clone()),
            call.session_key.clone().map_or(Cell::None, Cell::Mono),
            ids(&call.was_denied_by),
            now,
        ],
    )
}

#[cfg(test)]
mod tests;
