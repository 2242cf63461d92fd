//! Before a call: the most that it can cost.

use super::{Price, PricingMode, ToolReturned, UnitPricing, WorstCase};
use crate::{
    credits::{Credits, CreditsError, Decimal, Scaled},
    json::Json,
};

/// The worst case of a call cannot be found from its arguments.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuoteRefusal {
    /// An argument by which the tool is priced is not usable.
    #[error("argument `{argument}` {fault}: the tool is priced by it")]
    Unit {
        /// The name of the argument.
        argument: String,
        /// What is wrong with it.
        fault: UnitFault,
    },
    /// The units come to more credits than there can be.
    #[error("the price of the units is out of range")]
    OutOfRange,
}

/// What is wrong with an argument by which a tool is priced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnitFault {
    /// It is not there.
    #[error("is missing")]
    Missing,
    /// It is there, but not a JSON number. A number in a string is not counted: how many units it means would depend
    /// on how the upstream reads it.
    #[error("must be a number")]
    NotANumber,
    /// It is a number that is not accepted in a request.
    #[error("{0}")]
    Number(CreditsError),
}

/// The most that a call with these arguments can cost: the amount to hold.
///
/// With units it is `base + the product of the unit arguments × credits per unit`, rounded up to the next
/// micro-credit, and never above a declared maximum.
pub fn worst_case(price: &Price, arguments: &Json<'_>) -> Result<Credits, QuoteRefusal> {
    match &price.mode {
        PricingMode::FixedPerRequest { cost } => Ok(*cost),
        PricingMode::ToolReturned(ToolReturned { base, worst_case, .. }) => match worst_case {
            WorstCase::Declared(max) => Ok(*max),
            WorstCase::Units { units, at_most } => {
                let counts = unit_counts(units, arguments)?;
                let computed = price_of_units(units, &counts).and_then(|amount| amount.checked_add(*base));
                match (computed, *at_most) {
                    (Some(computed), Some(max)) => Ok(computed.min(max)),
                    (Some(amount), None) | (None, Some(amount)) => Ok(amount),
                    (None, None) => Err(QuoteRefusal::OutOfRange),
                }
            }
        },
    }
}

fn unit_counts(units: &UnitPricing, arguments: &Json<'_>) -> Result<Vec<Scaled>, QuoteRefusal> {
    units
        .fields
        .iter()
        .map(|field| {
            unit_count(arguments.get(field)).map_err(|fault| QuoteRefusal::Unit { argument: field.clone(), fault })
        })
        .collect()
}

fn unit_count(argument: Option<&Json<'_>>) -> Result<Scaled, UnitFault> {
    let text = argument.ok_or(UnitFault::Missing)?.as_number().ok_or(UnitFault::NotANumber)?;
    let count = Decimal::parse_exact(text).and_then(Decimal::non_negative).map_err(UnitFault::Number)?;
    Ok(count.scaled())
}

/// The price of all units, or nothing when it is out of range.
fn price_of_units(units: &UnitPricing, counts: &[Scaled]) -> Option<Credits> {
    if counts.iter().any(|count| count.mantissa == 0) {
        return Some(Credits::ZERO);
    }
    let product =
        counts.iter().try_fold(units.credits_per_unit.scaled(), |product, count| product.checked_mul(*count))?;
    i64::try_from(product.to_micros_up()?).ok().map(Credits::from_micros)
}
