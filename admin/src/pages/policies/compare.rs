//! Two versions side by side: their texts, and what one changes for whom in the place of the other.

use actix_web::web::Path;
use engine::{
    policy::{
        PolicyComparison, PolicyText,
        chain::{ChainDiff, SessionKind},
    },
    service::policies::{PolicyState, PolicyVersionError},
};

use super::{Version, href, in_force, load, load_from, name, number_field, version_page};
use crate::{
    console::{Answer, Fault, Fields, Visit},
    kit::{Block, Cell, Column, Diff, Facts, Field, Filters, Heading, Notice, Row, Table, Text, Tone, lines},
    text::{said::Said as _, t, t_with},
};

/// Most sessions that are listed.
const SESSIONS_SHOWN: usize = 500;
/// Most tools of one session that are named.
const TOOLS_SHOWN: usize = 40;

pub(super) async fn show(visit: Visit, path: Path<String>) -> Answer {
    let version = load_from(&visit, &path).await?;
    let fields = Fields::parse(&visit.query)?;
    let own = format!("{}/diff", href(version.info.number));
    let against = match number_field(&fields, "against") {
        Some(number) => Some(number),
        None => usual(&visit, &version).await?,
    };
    let filters = Filters {
        action: own.clone(),
        fields: vec![
            Field::line("against", t("policies-against"))
                .value(against.map(|number| number.to_string()).unwrap_or_default()),
        ],
        all_href: if visit.query.is_empty() { String::new() } else { own },
    };
    let mut page = version_page(&version.info, "diff").with(filters);
    let Some(against) = against else {
        return visit.show(page.with(Text::new(t("policies-diff-nothing")))).await;
    };
    let old = load(&visit, against).await?;
    let names = [("old", name(old.info.number).into()), ("new", name(version.info.number).into())];
    page = page.with(Text::new(t_with("policies-diff-what", &names)));
    page.blocks.extend(changes(&visit, &old, &version).await?);
    page.blocks.extend(texts(&old.text, &version.text));
    visit.show(page).await
}

/// What a version is usually compared with: a draft with what is in force, any other one with what it replaced.
async fn usual(visit: &Visit, version: &Version) -> Result<Option<i64>, Fault> {
    match version.info.state {
        PolicyState::Draft => in_force(visit).await,
        PolicyState::Published | PolicyState::Retired => Ok(version.info.replaces),
    }
}

/// What changes for whom when `new` takes the place of `old`, or why that cannot be said.
pub(super) async fn changes(visit: &Visit, old: &Version, new: &Version) -> Result<Vec<Block>, Fault> {
    match visit.services().compare_policies(&old.written, &new.written).await {
        Ok(compared) => Ok(blocks(&compared)),
        Err(PolicyVersionError::Store(error)) => Err(error.into()),
        Err(error) => {
            let said = t_with("policies-diff-broken", &[("problem", error.said().into())]);
            Ok(vec![Notice::new(Tone::Warn, said).into()])
        }
    }
}

/// The lines that differ.
pub(super) fn texts(old: &PolicyText, new: &PolicyText) -> Vec<Block> {
    let mut out = vec![Heading::new(t("policies-diff-texts")).into()];
    if old == new {
        out.push(Text::new(t("policies-diff-same")).into());
    }
    let pairs = [("policies-text", &old.chain, &new.chain), ("policies-operator", &old.operator, &new.operator)];
    for (key, old, new) in pairs.into_iter().filter(|(_, old, new)| old != new) {
        out.push(Diff { caption: t(key), lines: lines::compare(old, new) }.into());
    }
    out
}

/// A comparison as it is shown everywhere: the numbers, then who, then the operators' Cedar policies.
pub(super) fn blocks(compared: &PolicyComparison) -> Vec<Block> {
    let mut out: Vec<Block> = vec![Heading::new(t("policies-changes")).into()];
    if compared.is_empty() {
        out.push(Notice::new(Tone::Good, t("policies-changes-none")).into());
        return out;
    }
    let (allowed, denied) = compared.counts();
    let number = |count: usize| Cell::Number(i64::try_from(count).unwrap_or(i64::MAX));
    out.push(
        Facts::new()
            .fact(t("policies-newly-allowed"), number(allowed))
            .fact(t("policies-newly-denied"), number(denied))
            .fact(t("policies-sessions-changed"), number(compared.sessions.len()))
            .into(),
    );
    if !compared.sessions.is_empty() {
        let columns = ["policies-agent", "policies-session-kind", "policies-newly-allowed", "policies-newly-denied"];
        let left = compared.sessions.len().saturating_sub(SESSIONS_SHOWN);
        let table = Table {
            caption: t("policies-changes"),
            columns: columns.map(|key| Column::new(t(key))).into(),
            rows: compared.sessions.iter().take(SESSIONS_SHOWN).map(session_row).collect(),
            count: if left == 0 { String::new() } else { more(left) },
            ..Table::default()
        };
        out.push(table.into());
    }
    if !compared.operator.is_empty() {
        let row = |(id, change): &(String, engine::policy::PolicyChange)| {
            Row::new("", vec![Cell::Mono(id.clone()), Cell::text(t(&["policies-change-", change.as_str()].concat()))])
        };
        let table = Table {
            caption: t("policies-operator"),
            columns: ["policies-cedar-id", "policies-change"].map(|key| Column::new(t(key))).into(),
            rows: compared.operator.iter().map(row).collect(),
            ..Table::default()
        };
        out.push(table.into());
    }
    out
}

fn session_row(change: &ChainDiff) -> Row {
    let agent = change.agent.clone().map_or_else(|| Cell::text(t("policies-agent-other")), Cell::Mono);
    let mut row = Row::new("", vec![agent, session(&change.session), tools(&change.allowed), tools(&change.denied)]);
    // What is opened up deserves a second look.
    row.tone = if change.allowed.is_empty() { Tone::Plain } else { Tone::Warn };
    row
}

fn session(kind: &SessionKind) -> Cell {
    match kind {
        SessionKind::Main => Cell::text(t("policies-session-main")),
        SessionKind::Subagent => Cell::text(t("policies-session-subagent")),
        SessionKind::Group(key) => Cell::Mono(key.clone()),
    }
}

/// Names of tools; the first ones of very many.
fn tools(names: &[String]) -> Cell {
    if names.is_empty() {
        return Cell::None;
    }
    let left = names.len().saturating_sub(TOOLS_SHOWN);
    let shown: Vec<&str> = names.iter().take(TOOLS_SHOWN).map(String::as_str).collect();
    let shown = shown.join(", ");
    Cell::text(if left == 0 { shown } else { format!("{shown}, {}", more(left)) })
}

/// That there is more than what is shown.
pub(super) fn more(count: usize) -> String {
    t_with("policies-more", &[("count", i64::try_from(count).unwrap_or(i64::MAX).into())])
}

#[cfg(test)]
mod tests;
