//! Prices as JSON text, in the field names of the wire. Amounts are written as decimal strings, so that no reader can
//! round them.

use crate::{
    json::{self, Json, write_string},
    pricing::PricingSpec,
};

/// The text that the database keeps. Absent fields are left out.
pub fn spec_to_json(spec: &PricingSpec) -> String {
    let mut out = String::from("{");
    let texts = [
        ("pricing_mode", &spec.pricing_mode),
        ("fixed_credit_cost", &spec.fixed_credit_cost),
        ("returned_credit_cost_path", &spec.returned_credit_cost_path),
        ("returned_credit_multiplier", &spec.returned_credit_multiplier),
        ("base_credit_cost", &spec.base_credit_cost),
        ("estimated_max_credit_cost", &spec.estimated_max_credit_cost),
        ("charge_on", &spec.charge_on),
        ("pricing_credits_per_unit", &spec.pricing_credits_per_unit),
        ("pricing_description", &spec.pricing_description),
    ];
    for (name, value) in texts {
        if let Some(value) = value {
            member(&mut out, name);
            write_string(&mut out, value);
        }
    }
    if let Some(fields) = &spec.pricing_unit_fields {
        member(&mut out, "pricing_unit_fields");
        out.push('[');
        for (index, field) in fields.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            write_string(&mut out, field);
        }
        out.push(']');
    }
    out.push('}');
    out
}

fn member(out: &mut String, name: &str) {
    if out.len() > 1 {
        out.push(',');
    }
    write_string(out, name);
    out.push(':');
}

/// Reads what [`spec_to_json`] wrote.
///
/// # Errors
/// A sentence about what is wrong with the text.
pub fn spec_from_json(text: &str) -> Result<PricingSpec, String> {
    let spec = json::parse(text).map_err(|error| error.to_string())?;
    let field = |name: &str| match spec.get(name) {
        None => Ok(None),
        Some(Json::String(value)) => Ok(Some(value.to_string())),
        Some(_) => Err(format!("`{name}` is not a text")),
    };
    let fields = match spec.get("pricing_unit_fields") {
        None => None,
        Some(list) => Some(
            list.as_array()
                .ok_or("`pricing_unit_fields` is not a list")?
                .iter()
                .map(|item| {
                    item.as_str().map(str::to_owned).ok_or("`pricing_unit_fields` holds something else than texts")
                })
                .collect::<Result<Vec<_>, _>>()?,
        ),
    };
    Ok(PricingSpec {
        pricing_mode: field("pricing_mode")?,
        fixed_credit_cost: field("fixed_credit_cost")?,
        returned_credit_cost_path: field("returned_credit_cost_path")?,
        returned_credit_multiplier: field("returned_credit_multiplier")?,
        base_credit_cost: field("base_credit_cost")?,
        estimated_max_credit_cost: field("estimated_max_credit_cost")?,
        charge_on: field("charge_on")?,
        pricing_rules: false,
        pricing_unit_fields: fields,
        pricing_credits_per_unit: field("pricing_credits_per_unit")?,
        pricing_description: field("pricing_description")?,
    })
}
