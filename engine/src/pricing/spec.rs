//! A price as a publisher writes it, and the checks that make a [`Price`] of it.

use super::{ChargeOn, CostPath, Price, PriceError, PriceFault, PricingMode, ToolReturned, UnitPricing, WorstCase};
use crate::{
    credits::{Credits, CreditsError, Decimal},
    id::PriceVersionId,
    limits,
};

/// A price as written in a request or a configuration. The fields are named as on the wire.
///
/// Amounts are the source text of the JSON number, or the content of the JSON string, so that no digit is lost on the
/// way here. `None` is an absent or `null` member.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PricingSpec {
    /// `fixed_per_request` or `tool_returned`. Required.
    pub pricing_mode: Option<String>,
    /// Credits per call.
    pub fixed_credit_cost: Option<String>,
    /// JSONPath (RFC 9535) into the result, as the upstream sent it.
    pub returned_credit_cost_path: Option<String>,
    /// Default `1`.
    pub returned_credit_multiplier: Option<String>,
    /// Credits, default `0`.
    pub base_credit_cost: Option<String>,
    /// Credits.
    pub estimated_max_credit_cost: Option<String>,
    /// `success` (default) or `attempt`.
    pub charge_on: Option<String>,
    /// Whether `pricing_rules` is there (and not `null`): it has no public meaning and is refused.
    pub pricing_rules: bool,
    /// Names of arguments. An empty list counts as absent.
    pub pricing_unit_fields: Option<Vec<String>>,
    /// Credits. Without unit fields, `0` counts as absent.
    pub pricing_credits_per_unit: Option<String>,
    /// Text for people.
    pub pricing_description: Option<String>,
}

impl Price {
    /// Checks a price. The error names the first field that is wrong.
    pub fn from_spec(id: PriceVersionId, effective_from_us: i64, spec: &PricingSpec) -> Result<Self, PriceError> {
        if spec.pricing_rules {
            return Err(PriceError::new("pricing_rules", PriceFault::Unsupported));
        }
        let charge_on = match spec.charge_on.as_deref() {
            None => ChargeOn::default(),
            Some(text) => {
                ChargeOn::from_wire(text).ok_or_else(|| PriceError::new("charge_on", PriceFault::ChargeOn))?
            }
        };
        let mode = match spec.pricing_mode.as_deref() {
            Some("fixed_per_request") => fixed_per_request(spec)?,
            Some("tool_returned") => PricingMode::ToolReturned(tool_returned(spec)?),
            Some(_) => return Err(PriceError::new("pricing_mode", PriceFault::Mode)),
            None => return Err(PriceError::new("pricing_mode", PriceFault::NoMode)),
        };
        let description = spec.pricing_description.clone();
        if description.as_ref().is_some_and(|text| text.chars().count() > limits::PRICING_DESCRIPTION_CHARS_MAX) {
            return Err(PriceError::new("pricing_description", PriceFault::DescriptionTooLong));
        }
        Ok(Self { id, mode, charge_on, effective_from_us, description })
    }

    /// The price as it would be written: [`Price::from_spec`] makes an equal price of it. For storage and display.
    pub fn to_spec(&self) -> PricingSpec {
        let common = PricingSpec {
            pricing_mode: Some(self.mode.as_str().to_owned()),
            charge_on: Some(self.charge_on.as_str().to_owned()),
            pricing_description: self.description.clone(),
            ..PricingSpec::default()
        };
        match &self.mode {
            PricingMode::FixedPerRequest { cost } => {
                PricingSpec { fixed_credit_cost: Some(cost.to_string()), ..common }
            }
            PricingMode::ToolReturned(returned) => {
                let units = returned.worst_case.units();
                PricingSpec {
                    returned_credit_cost_path: Some(returned.path.as_str().to_owned()),
                    returned_credit_multiplier: Some(returned.multiplier.to_string()),
                    base_credit_cost: Some(returned.base.to_string()),
                    estimated_max_credit_cost: returned.worst_case.declared_max().map(|max| max.to_string()),
                    pricing_unit_fields: units.map(|units| units.fields.clone()),
                    pricing_credits_per_unit: units.map(|units| units.credits_per_unit.to_string()),
                    ..common
                }
            }
        }
    }
}

fn fixed_per_request(spec: &PricingSpec) -> Result<PricingMode, PriceError> {
    let foreign = [
        ("returned_credit_cost_path", spec.returned_credit_cost_path.is_some()),
        ("returned_credit_multiplier", spec.returned_credit_multiplier.is_some()),
        ("base_credit_cost", spec.base_credit_cost.is_some()),
        ("estimated_max_credit_cost", spec.estimated_max_credit_cost.is_some()),
        ("pricing_unit_fields", spec.pricing_unit_fields.as_ref().is_some_and(|fields| !fields.is_empty())),
    ];
    refuse_foreign("fixed_per_request", &foreign)?;
    let cost = amount("fixed_credit_cost", spec.fixed_credit_cost.as_deref())?
        .ok_or_else(|| PriceError::new("fixed_credit_cost", PriceFault::Required("fixed_per_request")))?;
    let per_unit = decimal("pricing_credits_per_unit", spec.pricing_credits_per_unit.as_deref())?;
    if per_unit.is_some_and(|per_unit| !per_unit.is_zero()) {
        refuse_foreign("fixed_per_request", &[("pricing_credits_per_unit", true)])?;
    }
    Ok(PricingMode::FixedPerRequest { cost })
}

fn tool_returned(spec: &PricingSpec) -> Result<ToolReturned, PriceError> {
    refuse_foreign("tool_returned", &[("fixed_credit_cost", spec.fixed_credit_cost.is_some())])?;
    let path = spec
        .returned_credit_cost_path
        .as_deref()
        .ok_or_else(|| PriceError::new("returned_credit_cost_path", PriceFault::Required("tool_returned")))?;
    let path = CostPath::parse(path).map_err(|error| PriceError::new("returned_credit_cost_path", error))?;
    let multiplier =
        decimal("returned_credit_multiplier", spec.returned_credit_multiplier.as_deref())?.unwrap_or(Decimal::ONE);
    if multiplier > Decimal::from_millionths(limits::COST_MULTIPLIER_MAX.saturating_mul(Decimal::ONE.millionths())) {
        return Err(PriceError::new("returned_credit_multiplier", PriceFault::Multiplier));
    }
    let base = amount("base_credit_cost", spec.base_credit_cost.as_deref())?.unwrap_or(Credits::ZERO);
    let declared_max = amount("estimated_max_credit_cost", spec.estimated_max_credit_cost.as_deref())?;
    if declared_max.is_some_and(|max| max < base) {
        return Err(PriceError::new("estimated_max_credit_cost", PriceFault::BelowBase(base)));
    }
    let worst_case = match (unit_pricing(spec)?, declared_max) {
        (Some(units), at_most) => WorstCase::Units { units, at_most },
        (None, Some(max)) => WorstCase::Declared(max),
        (None, None) => return Err(PriceError::new("estimated_max_credit_cost", PriceFault::NoBound)),
    };
    Ok(ToolReturned { path, multiplier, base, worst_case })
}

fn unit_pricing(spec: &PricingSpec) -> Result<Option<UnitPricing>, PriceError> {
    const FIELDS: &str = "pricing_unit_fields";
    const PER_UNIT: &str = "pricing_credits_per_unit";
    let fields = spec.pricing_unit_fields.clone().unwrap_or_default();
    let per_unit = decimal(PER_UNIT, spec.pricing_credits_per_unit.as_deref())?.filter(|price| !price.is_zero());
    let credits_per_unit = match (fields.is_empty(), per_unit) {
        (true, None) => return Ok(None),
        (true, Some(_)) => return Err(PriceError::new(FIELDS, PriceFault::Required(PER_UNIT))),
        (false, None) => return Err(PriceError::new(PER_UNIT, PriceFault::AboveZero(FIELDS))),
        (false, Some(per_unit)) => per_unit,
    };
    if fields.len() > limits::UNIT_FIELDS_MAX {
        return Err(PriceError::new(FIELDS, PriceFault::TooManyUnits));
    }
    for (index, field) in fields.iter().enumerate() {
        if field.is_empty() || field.chars().count() > limits::UNIT_FIELD_CHARS_MAX {
            return Err(PriceError::new(FIELDS, PriceFault::UnitName));
        }
        if fields.iter().take(index).any(|earlier| earlier == field) {
            return Err(PriceError::new(FIELDS, PriceFault::Twice(field.clone())));
        }
    }
    Ok(Some(UnitPricing { fields, credits_per_unit }))
}

/// Refuses fields that mean something only in another mode: whoever set them expects an effect that they do not have.
fn refuse_foreign(mode: &'static str, fields: &[(&'static str, bool)]) -> Result<(), PriceError> {
    match fields.iter().find(|(_, is_there)| *is_there) {
        Some((field, _)) => Err(PriceError::new(field, PriceFault::Foreign(mode))),
        None => Ok(()),
    }
}

fn amount(field: &'static str, text: Option<&str>) -> Result<Option<Credits>, PriceError> {
    read(field, text, |text| Credits::parse_exact(text).and_then(Credits::non_negative))
}

fn decimal(field: &'static str, text: Option<&str>) -> Result<Option<Decimal>, PriceError> {
    read(field, text, |text| Decimal::parse_exact(text).and_then(Decimal::non_negative))
}

fn read<T>(
    field: &'static str,
    text: Option<&str>,
    parse: impl Fn(&str) -> Result<T, CreditsError>,
) -> Result<Option<T>, PriceError> {
    text.map(parse).transpose().map_err(|error| PriceError::new(field, error))
}
