//! Before a call: the most that it can cost.

use super::{Price, PricingMode, ToolReturned, UnitPricing, WorstCase};
use crate::{
    credits::{Credits, CreditsError, Decimal},
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

/// The most that a call can cost, and what that was found from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// The amount to hold.
    pub worst_case: Credits,
    /// What the arguments counted that the price names, in its order; none where it looks at no arguments.
    pub units: Vec<Decimal>,
}

/// The most that a call with these arguments can cost: see [`quote`].
pub fn worst_case(price: &Price, arguments: &Json<'_>) -> Result<Credits, QuoteRefusal> {
    quote(price, arguments).map(|quote| quote.worst_case)
}

/// The most that a call with these arguments can cost.
///
/// With units it is `base + the product of the unit arguments × credits per unit`, rounded up to the next
/// micro-credit, and never above a declared maximum.
pub fn quote(price: &Price, arguments: &Json<'_>) -> Result<Quote, QuoteRefusal> {
    let always = |worst_case: Credits| Ok(Quote { worst_case, units: Vec::new() });
    match &price.mode {
        PricingMode::FixedPerRequest { cost } => always(*cost),
        PricingMode::ToolReturned(ToolReturned { base, worst_case, .. }) => match worst_case {
            WorstCase::Declared(max) => always(*max),
            WorstCase::Units { units, at_most } => {
                let counts = unit_counts(units, arguments)?;
                let computed = price_of_units(units, &counts).and_then(|amount| amount.checked_add(*base));
                let worst_case = match (computed, *at_most) {
                    (Some(computed), Some(max)) => computed.min(max),
                    (Some(amount), None) | (None, Some(amount)) => amount,
                    (None, None) => return Err(QuoteRefusal::OutOfRange),
                };
                Ok(Quote { worst_case, units: counts })
            }
        },
    }
}

/// What units are recorded as with a call: decimal numbers with a space between them; `None` where there are none.
pub fn units_text(units: &[Decimal]) -> Option<String> {
    let texts: Vec<String> = units.iter().map(Decimal::to_string).collect();
    (!texts.is_empty()).then(|| texts.join(" "))
}

/// Reads what [`units_text`] writes; `None` if it is something else.
pub fn read_units(text: &str) -> Option<Vec<Decimal>> {
    text.split(' ').map(|unit| Decimal::parse_exact(unit).ok()).collect()
}

fn unit_counts(units: &UnitPricing, arguments: &Json<'_>) -> Result<Vec<Decimal>, QuoteRefusal> {
    units
        .fields
        .iter()
        .map(|field| {
            unit_count(arguments.get(field)).map_err(|fault| QuoteRefusal::Unit { argument: field.clone(), fault })
        })
        .collect()
}

fn unit_count(argument: Option<&Json<'_>>) -> Result<Decimal, UnitFault> {
    let text = argument.ok_or(UnitFault::Missing)?.as_number().ok_or(UnitFault::NotANumber)?;
    Decimal::parse_exact(text).and_then(Decimal::non_negative).map_err(UnitFault::Number)
}

/// The price of all units, or nothing when it is out of range.
fn price_of_units(units: &UnitPricing, counts: &[Decimal]) -> Option<Credits> {
    if counts.iter().any(|count| count.is_zero()) {
        return Some(Credits::ZERO);
    }
    let product = counts
        .iter()
        .try_fold(units.credits_per_unit.scaled(), |product, count| product.checked_mul(count.scaled()))?;
    i64::try_from(product.to_micros_up()?).ok().map(Credits::from_micros)
}
