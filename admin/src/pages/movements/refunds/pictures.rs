//! What went back lately, as pictures: of which tools' charges, for which reasons, and of which tools more often than of others.

use engine::{
    credits::Credits,
    service::movements::{
        ORDERS_LOOKED_AT, RATE_DAYS, ReasonRefunds, RefundRates, RefundsByTool, ToolRate, ToolRefunds,
    },
};

use crate::{
    console::{Fault, Visit},
    kit::{Band, Bands, Block, Cell, Heading, Span, Spans, Text, grouped, instant_text, percent},
    text::{t, t_with},
};

/// How many tools or reasons a picture has; the others are drawn as one.
const BARS_SHOWN: usize = 12;

/// The pictures, and of how many orders they are known. Nothing if nothing went back.
pub(super) async fn of(visit: &Visit) -> Result<Vec<Block>, Fault> {
    let found = visit.services().load_refunds_by_tool().await?;
    if found.tools.is_empty() && found.reasons.is_empty() {
        return Ok(Vec::new());
    }
    let mut blocks: Vec<Block> = Vec::new();
    blocks.extend(found.rates.as_ref().map(rates).unwrap_or_default());
    blocks.extend(amounts(&found));
    let bound = Text::looked_back("movements-by-tool-some", ORDERS_LOOKED_AT, found.since_us);
    blocks.extend(bound.map(Block::from));
    Ok(blocks)
}

/// How often calls went back.
fn rates(found: &RefundRates) -> Vec<Block> {
    let values = [
        ("days", RATE_DAYS.into()),
        ("since", instant_text(found.from_us).into()),
        ("mean", percent(found.mean).into()),
    ];
    vec![rate_bands(found).into(), Text::new(t_with("movements-rates-text", &values)).into()]
}

fn rate_bands(found: &RefundRates) -> Bands {
    let row = |tool: &ToolRate| {
        let note = match tool.rate {
            rate if rate > tool.high => t("movements-rates-above"),
            rate if rate < tool.low => t("movements-rates-below"),
            _ => String::new(),
        };
        let of = vec![Cell::Number(tool.refunded), Cell::Number(tool.paid_calls)];
        Band { name: tool.path.clone(), low: tool.low, high: tool.high, rate: tool.rate, note, of }
    };
    Bands {
        title: t("movements-rates"),
        rate: t("movements-rates-rate"),
        band: t("movements-rates-band"),
        of: ["movements-rates-refunded", "movements-rates-paid"].map(t).into(),
        rows: found.tools.iter().map(row).collect(),
    }
}

/// How much went back, by tool and by reason.
fn amounts(found: &RefundsByTool) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    if !found.tools.is_empty() {
        let (title, values) = (t("movements-by-tool"), t("movements-refunded"));
        blocks.push(Spans { title, values, spans: tool_spans(&found.tools) }.into());
    }
    if !found.reasons.is_empty() {
        let (title, values) = (t("movements-by-reason"), t("movements-by-reason-count"));
        blocks.push(Heading::new(t("movements-reasons")).into());
        blocks.push(Spans { title, values, spans: reason_spans(&found.reasons) }.into());
    }
    blocks
}

fn says(refunds: i64, credits: Credits) -> String {
    let values = [("credits", grouped(&credits.to_string()).into()), ("count", refunds.into())];
    t_with("movements-by-tool-says", &values)
}

/// What some parts come to together: how many refunds, and how much.
fn together(parts: impl Iterator<Item = (i64, Credits)> + Clone) -> (i64, Credits) {
    let refunds = parts.clone().map(|(refunds, _)| refunds).fold(0, i64::saturating_add);
    (refunds, Credits::checked_sum(parts.map(|(_, credits)| credits)).unwrap_or(Credits::MAX))
}

fn others(key: &str, count: usize) -> String {
    t_with(key, &[("count", i64::try_from(count).unwrap_or(i64::MAX).into())])
}

/// One bar for each tool, the longest first; those behind [`BARS_SHOWN`] have one together.
fn tool_spans(tools: &[ToolRefunds]) -> Vec<Span> {
    let span = |name: String, (refunds, credits): (i64, Credits)| {
        let says = says(refunds, credits);
        Span { says, ..Span::amount(name, Credits::ZERO, credits, "s4") }
    };
    let (shown, rest) = tools.split_at(tools.len().min(BARS_SHOWN));
    let mut spans: Vec<Span> = shown.iter().map(|tool| span(tool.path.clone(), (tool.refunds, tool.credits))).collect();
    if !rest.is_empty() {
        let name = others("movements-by-tool-others", rest.len());
        spans.push(span(name, together(rest.iter().map(|tool| (tool.refunds, tool.credits)))));
    }
    spans
}

/// One bar for each reason, as long as it was often given, the longest first; those behind [`BARS_SHOWN`] have one together.
fn reason_spans(reasons: &[ReasonRefunds]) -> Vec<Span> {
    let span = |name: String, (refunds, credits): (i64, Credits)| Span {
        name,
        from: 0,
        to: refunds,
        value: Cell::Number(refunds),
        says: says(refunds, credits),
        class: "s5",
        note: String::new(),
    };
    let (shown, rest) = reasons.split_at(reasons.len().min(BARS_SHOWN));
    let own = |reason: &ReasonRefunds| span(reason.reason.clone(), (reason.refunds, reason.credits));
    let mut spans: Vec<Span> = shown.iter().map(own).collect();
    if !rest.is_empty() {
        let name = others("movements-by-reason-others", rest.len());
        spans.push(span(name, together(rest.iter().map(|reason| (reason.refunds, reason.credits)))));
    }
    spans
}

#[cfg(test)]
mod tests;
