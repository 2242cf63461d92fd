//! How much is denied, as pictures: by days, beside what was published on them, and by rules.

use engine::service::{
    policies::{DecisionDay, Denials, LayerCount, PolicyLayer},
    recent::RECENT_CALLS,
};

use super::name;
use crate::{
    console::{Fault, Visit},
    kit::{Bars, Block, Cell, Layer, Layers, Series, Span, Spans, Text, grouped, instant_text},
    text::{t, t_with},
};

/// How many rules the picture has; the others are drawn as one.
const RULES_SHOWN: usize = 12;

/// Both pictures; what there is nothing of is left out.
pub(super) async fn of(visit: &Visit) -> Result<Vec<Block>, Fault> {
    let days = visit.services().load_decision_days().await?;
    let denials = visit.services().load_denials().await?;
    let mut blocks: Vec<Block> = Vec::new();
    if !days.is_empty() {
        blocks.push(bars(&days).into());
    }
    if !denials.rules.is_empty() {
        let (title, values) = (t("policies-denials"), t("policies-denials-count"));
        blocks.push(Spans { title, values, spans: spans(&denials) }.into());
        let bound = Text::looked_back("policies-denials-some", RECENT_CALLS, denials.since_us);
        blocks.extend(bound.map(Block::from));
    }
    Ok(blocks)
}

/// What each layer of the chain, and beside it the policies of `/invoke`, did with the calls of the last day; nothing if there
/// were none.
pub(super) async fn of_layers(visit: &Visit) -> Result<Vec<Block>, Fault> {
    let counts = visit.services().load_layer_counts().await?;
    let mut blocks: Vec<Block> = Vec::new();
    if !counts.gateway.is_empty() {
        blocks.push(layers("policies-layers", counts.gateway.iter().map(layer)).into());
    }
    let marketplace = counts.marketplace.map(|count| Layer { name: t("policies-layer-marketplace"), ..layer(&count) });
    blocks.extend(marketplace.map(|only| layers("policies-layers-marketplace", [only]).into()));
    if !blocks.is_empty() {
        let bound = Text::looked_back("policies-layers-some", RECENT_CALLS, counts.since_us);
        blocks.extend(bound.map(Block::from));
    }
    Ok(blocks)
}

fn layers(title: &str, layers: impl IntoIterator<Item = Layer>) -> Layers {
    let [title, passed, ended] = [title, "policies-layers-passed", "policies-layers-denied"].map(t);
    Layers { title, passed, ended, layers: layers.into_iter().collect() }
}

fn layer(count: &LayerCount) -> Layer {
    let name = match count.layer {
        PolicyLayer::Beside => t("policies-layer-beside"),
        PolicyLayer::Step(kind) => t(&["policies-step-", kind.as_str()].concat()),
    };
    Layer { name, passed: count.passed, ended: count.denied }
}

fn bars(days: &[DecisionDay]) -> Bars {
    let series = |key: &str, class, count: fn(&DecisionDay) -> i64| Series {
        label: t(key),
        class,
        values: days.iter().map(count).collect(),
    };
    let mark = |(at, day): (usize, &DecisionDay)| {
        let names: Vec<String> = day.published.iter().map(|number| name(*number)).collect();
        (!names.is_empty()).then(|| (at, names.join(", ")))
    };
    Bars {
        title: t("policies-days"),
        labels: days.iter().map(|day| instant_text(day.from_us).chars().take(10).collect()).collect(),
        series: vec![
            series("policies-days-denied", "s5", |day| day.denied),
            series("policies-days-others", "s2", |day| day.calls.saturating_sub(day.denied)),
        ],
        marks: days.iter().enumerate().filter_map(mark).collect(),
        marked: t("policies-days-published"),
        ..Bars::default()
    }
}

/// One bar for each rule, the longest first; those behind [`RULES_SHOWN`] have one together.
fn spans(denials: &Denials) -> Vec<Span> {
    let span = |name: String, count: i64| Span {
        name,
        from: 0,
        to: count,
        value: Cell::Number(count),
        says: grouped(&count.to_string()),
        class: "s5",
        note: String::new(),
    };
    let (shown, rest) = denials.rules.split_at(denials.rules.len().min(RULES_SHOWN));
    let mut spans: Vec<Span> = shown.iter().map(|(rule, count)| span(rule.clone(), *count)).collect();
    if !rest.is_empty() {
        let others = [("count", i64::try_from(rest.len()).unwrap_or(i64::MAX).into())];
        let count = rest.iter().map(|(_, count)| *count).fold(0, i64::saturating_add);
        spans.push(span(t_with("policies-denials-others", &others), count));
    }
    spans
}

#[cfg(test)]
mod tests;
