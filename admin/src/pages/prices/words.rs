//! Prices in words.

use engine::{
    credits::Credits,
    id::PriceVersionId,
    pricing::{ChargeOn, Price, PricingMode, PricingSpec, ToolReturned, may_cost_more},
    service::catalog::spec_from_json,
};

use crate::{
    kit::{Cell, Facts},
    text::{t, t_with},
};

fn checked(spec: &PricingSpec) -> Option<Price> {
    Price::from_spec(PriceVersionId::from(uuid::Uuid::nil()), 0, spec).ok()
}

/// The most that a call can cost, where that is known before it.
pub(super) fn highest(spec: &PricingSpec) -> Option<Credits> {
    match checked(spec)?.mode {
        PricingMode::FixedPerRequest { cost } => Some(cost),
        PricingMode::ToolReturned(returned) => returned.worst_case.declared_max(),
    }
}

/// A price for a list: its amount, or the most that it can come to.
pub(in crate::pages) fn price_cell(spec: &PricingSpec) -> Cell {
    let Some(price) = checked(spec) else { return Cell::None };
    match &price.mode {
        PricingMode::FixedPerRequest { cost } => Cell::Money(*cost),
        PricingMode::ToolReturned(returned) => Cell::text(match returned.worst_case.declared_max() {
            Some(max) => t_with("prices-at-most", &[("credits", max.to_string().into())]),
            None => t("prices-by-units"),
        }),
    }
}

/// A price in one sentence.
pub(in crate::pages) fn price_text(spec: &PricingSpec) -> String {
    let Some(price) = checked(spec) else { return String::new() };
    let charged = match price.charge_on {
        ChargeOn::Success => t("prices-on-success"),
        ChargeOn::Attempt => t("prices-on-attempt"),
    };
    let sum = match &price.mode {
        PricingMode::FixedPerRequest { cost } if cost.is_zero() => return t("prices-free"),
        PricingMode::FixedPerRequest { cost } => t_with("prices-fixed-text", &[("credits", cost.to_string().into())]),
        PricingMode::ToolReturned(returned) => returned_text(returned),
    };
    format!("{sum}, {charged}")
}

fn returned_text(returned: &ToolReturned) -> String {
    let mut text = t_with(
        "prices-returned-text",
        &[
            ("base", returned.base.to_string().into()),
            ("multiplier", returned.multiplier.to_string().into()),
            ("path", returned.path.as_str().to_owned().into()),
        ],
    );
    if let Some(units) = returned.worst_case.units() {
        let fields = units.fields.join(" × ");
        let per_unit = units.credits_per_unit.to_string();
        text.push_str(&t_with("prices-units-text", &[("fields", fields.into()), ("credits", per_unit.into())]));
    }
    if let Some(max) = returned.worst_case.declared_max() {
        text.push_str(&t_with("prices-max-text", &[("credits", max.to_string().into())]));
    }
    text
}

/// A stored price in one sentence; as it is stored where it makes no sense by itself: a group's may lack what its tools add.
pub(in crate::pages) fn stored_text(stored: &str) -> String {
    let text = spec_from_json(stored).map(|spec| price_text(&spec)).unwrap_or_default();
    if text.is_empty() { stored.to_owned() } else { text }
}

/// A stored price for a list.
pub(in crate::pages) fn stored_cell(stored: &str) -> Cell {
    spec_from_json(stored).map_or(Cell::None, |spec| price_cell(&spec))
}

/// Whether some call may cost more at the stored price `next` than at `now`. What cannot be compared may.
pub(in crate::pages) fn may_rise(now: &str, next: &str) -> bool {
    let read = |stored: &str| spec_from_json(stored).ok().and_then(|spec| checked(&spec));
    match (read(now), read(next)) {
        (Some(now), Some(next)) => may_cost_more(&now, &next),
        _ => true,
    }
}

/// A price with everything that its publisher wrote.
pub(super) fn price_facts(spec: &PricingSpec) -> Facts {
    let mut facts =
        Facts::new().fact(t("prices-price"), price_cell(spec)).fact(t("prices-words"), Cell::text(price_text(spec)));
    let written = [
        ("prices-mode", &spec.pricing_mode),
        ("prices-fixed", &spec.fixed_credit_cost),
        ("prices-path", &spec.returned_credit_cost_path),
        ("prices-multiplier", &spec.returned_credit_multiplier),
        ("prices-base", &spec.base_credit_cost),
        ("prices-max", &spec.estimated_max_credit_cost),
        ("prices-per-unit", &spec.pricing_credits_per_unit),
        ("prices-charge-on", &spec.charge_on),
        ("prices-description", &spec.pricing_description),
    ];
    for (key, value) in written {
        if let Some(value) = value {
            facts = facts.fact(t(key), Cell::text(value));
        }
    }
    match &spec.pricing_unit_fields {
        Some(fields) => facts.fact(t("prices-unit-fields"), Cell::text(fields.join(", "))),
        None => facts,
    }
}
