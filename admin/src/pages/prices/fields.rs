//! The fields of a price in forms, named as on the wire.

use engine::pricing::PricingSpec;

use crate::{
    console::Fields,
    kit::{Choice, Control, Field, Form},
    text::t,
};

/// Adds the fields of a price, filled in with `now` if there is one.
pub(in crate::pages) fn price_fields(form: Form, now: Option<&PricingSpec>) -> Form {
    let value = |of: fn(&PricingSpec) -> &Option<String>| now.and_then(|spec| of(spec).clone()).unwrap_or_default();
    let choice = |value: &str, key: &str, chosen: &str| Choice {
        value: value.to_owned(),
        label: t(key),
        is_chosen: value == chosen,
    };
    let mode = now.and_then(|spec| spec.pricing_mode.as_deref()).unwrap_or("fixed_per_request");
    let modes = vec![
        choice("fixed_per_request", "prices-mode-fixed", mode),
        choice("tool_returned", "prices-mode-returned", mode),
    ];
    let charge_on = now.and_then(|spec| spec.charge_on.as_deref()).unwrap_or("success");
    let charges =
        vec![choice("success", "prices-on-success", charge_on), choice("attempt", "prices-on-attempt", charge_on)];
    let unit_fields = now.and_then(|spec| spec.pricing_unit_fields.clone()).unwrap_or_default().join(", ");
    form.field(Field::select("pricing_mode", t("prices-mode"), modes).hint(t("prices-mode-hint")))
        .field(Field::amount("fixed_credit_cost", t("prices-fixed")).value(value(|spec| &spec.fixed_credit_cost)))
        .field(
            Field::line("returned_credit_cost_path", t("prices-path"))
                .hint(t("prices-path-hint"))
                .value(value(|spec| &spec.returned_credit_cost_path)),
        )
        .field(
            Field::line("returned_credit_multiplier", t("prices-multiplier"))
                .hint(t("prices-multiplier-hint"))
                .value(value(|spec| &spec.returned_credit_multiplier)),
        )
        .field(
            Field::line("base_credit_cost", t("prices-base"))
                .hint(t("prices-base-hint"))
                .value(value(|spec| &spec.base_credit_cost)),
        )
        .field(
            Field::line("estimated_max_credit_cost", t("prices-max"))
                .hint(t("prices-max-hint"))
                .value(value(|spec| &spec.estimated_max_credit_cost)),
        )
        .field(
            Field::line("pricing_unit_fields", t("prices-unit-fields"))
                .hint(t("prices-unit-fields-hint"))
                .value(unit_fields),
        )
        .field(
            Field::line("pricing_credits_per_unit", t("prices-per-unit"))
                .value(value(|spec| &spec.pricing_credits_per_unit)),
        )
        .field(Field::select("charge_on", t("prices-charge-on"), charges))
        .field(
            Field::new("pricing_description", t("prices-description"), Control::Lines { rows: 2, is_code: false })
                .hint(t("prices-description-hint"))
                .value(value(|spec| &spec.pricing_description)),
        )
}

/// The price that was typed; whether it makes sense is the engine's to say.
pub(in crate::pages) fn spec_of(fields: &Fields) -> PricingSpec {
    let text = |name: &str| Some(fields.text(name).to_owned()).filter(|text| !text.is_empty());
    let names = fields.text("pricing_unit_fields").split(',').map(str::trim).filter(|name| !name.is_empty());
    let names: Vec<String> = names.map(str::to_owned).collect();
    PricingSpec {
        pricing_mode: text("pricing_mode"),
        fixed_credit_cost: text("fixed_credit_cost"),
        returned_credit_cost_path: text("returned_credit_cost_path"),
        returned_credit_multiplier: text("returned_credit_multiplier"),
        base_credit_cost: text("base_credit_cost"),
        estimated_max_credit_cost: text("estimated_max_credit_cost"),
        charge_on: text("charge_on"),
        pricing_rules: false,
        pricing_unit_fields: (!names.is_empty()).then_some(names),
        pricing_credits_per_unit: text("pricing_credits_per_unit"),
        pricing_description: text("pricing_description"),
    }
}
