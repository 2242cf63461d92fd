//! Why a call was allowed or not: every step of the chain that applied, with the keys of the document that it came from.

use actix_web::web::Path;
use engine::service::invocations::CallReason;
use serde_json::Value;

use super::{LIST, show};
use crate::{
    console::{Answer, Fault, Visit},
    kit::{Cell, Code, Column, Facts, Heading, Notice, Page, Row, Table, Text, Tone},
    text::t,
};

/// What the texts of verdicts begin with.
const VERDICT: &str = "invocations-verdict-";

pub(super) async fn show(visit: Visit, id: Path<String>) -> Answer {
    let id = show::id_of(&id)?;
    let reason = visit.services().explain_invocation(id).await?.ok_or(Fault::NotFound)?;
    let mut page = Page::new(t("invocations-why-title"))
        .under(t("invocations-title"), LIST)
        .under(t("invocations-one"), super::href(id));
    page.subtitle = vec![Cell::Mono(id.to_string())];
    page.tabs = show::tabs(&visit, id, "invocations-tab-why");
    let page = match reason {
        CallReason::Recorded(explanation) => explained(page.with(Text::new(t("invocations-recorded"))), &explanation),
        CallReason::Again { explanation, is_same } => {
            let mut page = page.with(Text::new(t("invocations-again")));
            if !is_same {
                page = page.with(Notice::new(Tone::Warn, t("invocations-again-other")));
            }
            explained(page, &explanation)
        }
        CallReason::None(why) => page.with(Notice::new(Tone::Plain, format!("{} {why}.", t("invocations-no-reason")))),
    };
    visit.show(page).await
}

/// A text of an explanation; `None` where it has none.
fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name).and_then(Value::as_str).map(str::to_owned)
}

/// The texts of a list of an explanation, one after the other.
fn texts(value: &Value, name: &str) -> String {
    let items = value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
}

fn mono(text: Option<String>) -> Cell {
    text.filter(|text| !text.is_empty()).map_or(Cell::None, Cell::Mono)
}

fn explained(page: Page, explanation: &Value) -> Page {
    let is_allowed = text(explanation, "decision").as_deref() == Some("allow");
    let (key, tone) = if is_allowed { ("invocations-allowed", Tone::Good) } else { ("invocations-denied", Tone::Bad) };
    let facts = Facts::new()
        .fact(t("invocations-decision"), Cell::state(t(key), tone))
        .fact(t("invocations-determining"), mono(Some(texts(explanation, "determining"))))
        .fact(t("invocations-reason"), Cell::maybe(text(explanation, "reason")))
        .fact(t("invocations-error"), mono(text(explanation, "code")))
        .fact(t("invocations-policy-digits"), mono(text(explanation, "policy_version")))
        .fact(t("invocations-faults"), mono(Some(texts(explanation, "faults"))));
    let mut page = page.with(facts).with(Heading::new(t("invocations-chain")));
    page = match explanation.get("chain").filter(|chain| !chain.is_null()) {
        Some(chain) => page.with(chain_facts(chain)).with(chain_table(chain)),
        None => page.with(Text::new(t("invocations-no-chain"))),
    };
    let whole = serde_json::to_string_pretty(explanation).unwrap_or_default();
    page.with(Heading::new(t("invocations-whole"))).with(Code {
        caption: t("invocations-whole-text"),
        text: whole,
        is_copied: true,
    })
}

fn chain_facts(chain: &Value) -> Facts {
    Facts::new()
        .fact(t("invocations-agent"), Cell::maybe(text(chain, "agent")))
        .fact(t("invocations-chain-tool"), mono(text(chain, "tool")))
}

fn chain_table(chain: &Value) -> Table {
    let steps = chain.get("steps").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let keys = [
        "invocations-step",
        "invocations-verdict",
        "invocations-step-key",
        "invocations-step-entry",
        "invocations-step-policies",
        "invocations-step-left",
    ];
    let last = keys.len().saturating_sub(1);
    let columns = keys.iter().enumerate();
    let columns = columns.map(|(place, key)| if place == last { Column::right(t(key)) } else { Column::new(t(key)) });
    Table {
        caption: t("invocations-chain"),
        columns: columns.collect(),
        rows: steps.iter().map(step_row).collect(),
        ..Table::default()
    }
}

fn step_row(step: &Value) -> Row {
    let verdict = text(step, "verdict").unwrap_or_default();
    let tone = match verdict.as_str() {
        "allowed" => Tone::Good,
        "denied" | "not_allowed" => Tone::Bad,
        _ => Tone::Plain,
    };
    let said = match verdict.as_str() {
        known @ ("unrestricted" | "allowed" | "denied" | "not_allowed") => t(&format!("{VERDICT}{known}")),
        other => other.to_owned(),
    };
    // The key that decided, or all lists that do not name the tool.
    let key = text(step, "key").or_else(|| Some(texts(step, "allow_lists")));
    let dropped = text(step, "dropped").map(|key| format!("{} {key}", t("invocations-dropped")));
    let entry = text(step, "entry").into_iter().chain(dropped).collect::<Vec<_>>().join("; ");
    let left = step.get("tools_left").and_then(Value::as_i64).map_or(Cell::None, Cell::Number);
    let cells = vec![
        mono(text(step, "step")),
        Cell::state(said, tone),
        mono(key),
        mono(Some(entry)),
        mono(Some(texts(step, "policies"))),
        left,
    ];
    let row_tone = if tone == Tone::Bad { Tone::Bad } else { Tone::Plain };
    Row { tone: row_tone, ..Row::new("", cells) }
}

#[cfg(test)]
mod tests;
