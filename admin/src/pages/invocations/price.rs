//! How the price of a call came about, step by step: what the price says, what was reserved, what the tool asked for, and
//! what was charged.

use engine::{
    credits::{Credits, Decimal},
    invocation::CallState,
    pricing::{ChargeOn, Price, PricingMode, ReturnedValue, ToolReturned, WorstCase},
    service::invocations::CallDetail,
};

use crate::{
    kit::{Cell, Column, Row, Table},
    text::{t, t_with},
};

/// One step: what, how much, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    /// What it is.
    pub(super) what: String,
    /// How much.
    pub(super) amount: Cell,
    /// How it comes to that.
    pub(super) why: String,
}

fn step(what: &str, amount: Cell, why: String) -> Step {
    Step { what: t(what), amount, why }
}

/// The steps as a table; `None` where no price was looked at.
pub(super) fn table(detail: &CallDetail) -> Option<Table> {
    let price = &detail.price.as_ref()?.price;
    let rows = steps(price, detail)
        .into_iter()
        .map(|step| Row::new("", vec![Cell::text(step.what), step.amount, Cell::text(step.why)]));
    Some(Table {
        caption: t("invocations-price-story"),
        columns: vec![
            Column::new(t("invocations-step")),
            Column::right(t("invocations-amount")),
            Column::new(t("invocations-why")),
        ],
        rows: rows.collect(),
        ..Table::default()
    })
}

/// How the price of this call came about.
pub(super) fn steps(price: &Price, detail: &CallDetail) -> Vec<Step> {
    let mut steps = Vec::new();
    match &price.mode {
        PricingMode::FixedPerRequest { cost } => {
            steps.push(step("invocations-price-terms", Cell::Money(*cost), t("invocations-price-fixed")));
        }
        PricingMode::ToolReturned(returned) => terms(returned, &detail.units, &mut steps),
    }
    let is_held = !detail.call.held.is_zero();
    let held = if is_held { "invocations-price-held-why" } else { "invocations-price-not-held" };
    steps.push(step("invocations-price-held", Cell::Money(detail.call.held), t(held)));
    if detail.call.state == CallState::Succeeded
        && let PricingMode::ToolReturned(returned) = &price.mode
    {
        steps.push(returned_value(returned, detail));
    }
    steps.push(step("invocations-price-charged", Cell::Money(detail.call.charged), t(charged_why(price, detail))));
    steps
}

/// What the price says of a tool that says itself what a call costs.
fn terms(returned: &ToolReturned, counted: &[Decimal], steps: &mut Vec<Step>) {
    let path = returned.path.as_str().to_owned();
    let formula = t_with(
        "invocations-price-returned",
        &[
            ("base", returned.base.to_string().into()),
            ("multiplier", returned.multiplier.to_string().into()),
            ("path", path.into()),
        ],
    );
    steps.push(step("invocations-price-terms", Cell::Money(returned.base), formula));
    if let WorstCase::Units { units, .. } = &returned.worst_case {
        // Of a call that was not priced, or recorded without them, only the names are known.
        let mut counted = counted.iter();
        let named = units.fields.iter().map(|field| match counted.next() {
            Some(count) => format!("{field} ({count})"),
            None => field.clone(),
        });
        let fields = named.collect::<Vec<_>>().join(" × ");
        let each = units.credits_per_unit.to_string();
        let by = t_with("invocations-price-units", &[("fields", fields.into()), ("each", each.into())]);
        steps.push(step("invocations-price-worst", Cell::None, by));
    }
    if let Some(max) = returned.worst_case.declared_max() {
        steps.push(step("invocations-price-worst", Cell::Money(max), t("invocations-price-declared")));
    }
}

/// What stood at the price's path, in words; empty where that is not recorded.
fn value_told(detail: &CallDetail) -> String {
    match &detail.returned {
        Some(ReturnedValue { number: Some(number), .. }) => {
            t_with("invocations-price-value", &[("value", number.clone().into())])
        }
        Some(ReturnedValue { type_name, number: None }) => {
            t_with("invocations-price-value-type", &[("type", (*type_name).into())])
        }
        None => String::new(),
    }
}

/// What the tool asked for, and by which value. Of calls that were recorded without the value, it follows from what was charged.
fn returned_value(returned: &ToolReturned, detail: &CallDetail) -> Step {
    let charged = detail.call.charged;
    let with_value = |why: String| format!("{why} {}", value_told(detail)).trim_end().to_owned();
    if !detail.shortfall.is_zero() {
        let wanted = charged.checked_add(detail.shortfall).unwrap_or(Credits::MAX);
        let by = [("shortfall", detail.shortfall.to_string().into())];
        let why = t_with("invocations-price-capped", &by);
        return step("invocations-price-wanted", Cell::Money(wanted), with_value(why));
    }
    if let Some(warning) = &detail.warning {
        return step("invocations-price-wanted", Cell::Money(returned.base), with_value(format!("{warning}.")));
    }
    let why = match returned.implied_value(charged) {
        _ if detail.returned.is_some() => value_told(detail),
        Some(value) => t_with("invocations-price-implied", &[("value", value.to_string().into())]),
        None => t("invocations-price-no-value"),
    };
    step("invocations-price-wanted", Cell::Money(charged), why)
}

/// Why it came to what was charged.
fn charged_why(price: &Price, detail: &CallDetail) -> &'static str {
    match (detail.call.state, price.charge_on) {
        (CallState::Running | CallState::Unknown, _) => "invocations-charged-open",
        (CallState::Succeeded, _) => "invocations-charged-done",
        (CallState::Failed, ChargeOn::Success) => "invocations-charged-not-failed",
        (CallState::Failed, ChargeOn::Attempt) => "invocations-charged-attempt",
        (CallState::UnknownReleased, _) => "invocations-charged-not-unknown",
        (CallState::UnknownCaptured, _) => "invocations-charged-unknown",
        (CallState::Refused | CallState::Denied | CallState::Invalid, _) => "invocations-charged-never",
    }
}

#[cfg(test)]
mod tests;
