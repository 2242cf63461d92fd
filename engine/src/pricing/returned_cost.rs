//! After a call: what it really costs.

use std::borrow::Cow;

use super::{Price, PricingMode, ToolReturned, cost_path::Found};
use crate::{
    credits::{Credits, CreditsError, Scaled},
    json::{self, Json},
    limits::RETURNED_VALUE_BYTES_MAX,
};

/// How many decimals of a returned value are kept before it is multiplied.
const VALUE_DECIMALS: u32 = 18;

/// What a completed call costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActualCost {
    /// What the buyer pays: never more than the hold.
    pub charge: Credits,
    /// What the tool asked for beyond the hold. The publisher bears it. An amount too large to hold in 64 bits is cut
    /// off at [`Credits::MAX`].
    pub shortfall: Credits,
    /// What the publisher should know about the result.
    pub warning: Option<CostWarning>,
    /// What stood at the price's path; `None` where there was nothing, or more than one value, and of a fixed price.
    pub returned: Option<ReturnedValue>,
}

/// What stood at a price's path, as far as it is recorded: a number as the tool wrote it, also one in a string. Of everything
/// else only the type is, because what calls carry is not kept with their records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnedValue {
    /// What it was in JSON: `null`, `boolean`, `number`, `string`, `array` or `object`.
    pub type_name: &'static str,
    /// The number as it was written; `None` of what is none, or has more than [`RETURNED_VALUE_BYTES_MAX`] bytes.
    pub number: Option<String>,
}

impl ReturnedValue {
    fn of(json: &Json<'_>) -> Self {
        let is_number = |text: &&str| {
            text.len() <= RETURNED_VALUE_BYTES_MAX
                && matches!(json::parse(text), Ok(Json::Number(whole)) if whole == *text)
        };
        Self { type_name: json.type_name(), number: json.decimal_text().filter(is_number).map(str::to_owned) }
    }

    /// As it is recorded with a call.
    pub fn to_text(&self) -> String {
        match &self.number {
            Some(number) => format!("{} {number}", self.type_name),
            None => self.type_name.to_owned(),
        }
    }

    /// Reads what [`Self::to_text`] writes; `None` if it is something else.
    pub fn from_text(text: &str) -> Option<Self> {
        let (name, number) = text.split_once(' ').map_or((text, None), |(name, number)| (name, Some(number)));
        let mut known = ["null", "boolean", "number", "string", "array", "object"].into_iter();
        Some(Self { type_name: known.find(|known| *known == name)?, number: number.map(str::to_owned) })
    }
}

/// Something was wrong with the cost that a tool returned. For the publisher; the buyer's call succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CostWarning {
    /// There is nothing at the path: the base was charged.
    #[error("the result has no value at the price's path; the base was charged")]
    Missing,
    /// The path leads to several values: the base was charged.
    #[error("the result has {count} values at the price's path; the base was charged")]
    Several {
        /// How many.
        count: usize,
    },
    /// The value is neither a number nor a decimal string within bounds: the base was charged.
    #[error("the value at the price's path is not a usable number; the base was charged")]
    NotANumber,
    /// The value is negative: the base was charged.
    #[error("the value at the price's path is negative; the base was charged")]
    Negative,
    /// The cost is above the hold: the hold was charged.
    #[error("the returned cost is above the worst case; the worst case was charged")]
    AboveHold,
}

impl CostWarning {
    /// A stable name for storage and for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "cost_missing",
            Self::Several { .. } => "cost_ambiguous",
            Self::NotANumber => "cost_not_a_number",
            Self::Negative => "cost_negative",
            Self::AboveHold => "cost_above_hold",
        }
    }
}

/// What a completed call costs, given what was held for it, the upstream's result as it came (`null` for none), and what
/// an MCP server said beside it (`_meta`; `null` for nothing).
///
/// The path is asked about the result first. Where it finds nothing it is asked about `_meta`, and then about an object
/// with `_meta` in it, so that `$._meta.cost` means what it says.
///
/// `base + multiplier × value`, rounded up to the next micro-credit once, at the end. The value is read from its source
/// text with eighteen decimals; what lies beyond is rounded up, which with the largest multiplier that is accepted
/// moves the cost by no more than one micro-credit.
pub fn actual_cost(price: &Price, hold: Credits, result: &Json<'_>, meta: &Json<'_>) -> ActualCost {
    match &price.mode {
        PricingMode::FixedPerRequest { cost } => within(hold, Some(*cost)),
        PricingMode::ToolReturned(returned) => {
            let (value, recorded) = returned_value(returned, result, meta);
            let cost = match value {
                Ok(value) => within(hold, value.and_then(|value| cost_of(returned, value))),
                Err(warning) => ActualCost { warning: Some(warning), ..within(hold, Some(returned.base)) },
            };
            ActualCost { returned: recorded, ..cost }
        }
    }
}

/// What a call costs that was dispatched and then failed, or of which nobody knows how it ended, when it is charged per
/// attempt: the fixed cost, or the base.
pub const fn cost_of_failed_attempt(price: &Price) -> Credits {
    match &price.mode {
        PricingMode::FixedPerRequest { cost } => *cost,
        PricingMode::ToolReturned(returned) => returned.base,
    }
}

impl ToolReturned {
    /// The value at the path that makes this charge, with six decimals; `None` where any value does, or none. A charge is
    /// rounded up, so the value may have been a little smaller.
    pub fn implied_value(&self, charge: Credits) -> Option<Credits> {
        let above = charge.checked_sub(self.base)?.non_negative().ok()?.micros();
        let millionths =
            i128::from(above).checked_mul(1_000_000)?.checked_div(i128::from(self.multiplier.millionths()))?;
        i64::try_from(millionths).ok().map(Credits::from_micros)
    }
}

/// What is calculated with, where there is something: `Ok(None)` is what is too large for that.
type Usable = Result<Option<Scaled>, CostWarning>;

/// The value at the path, and what is recorded of it.
fn returned_value(returned: &ToolReturned, result: &Json<'_>, meta: &Json<'_>) -> (Usable, Option<ReturnedValue>) {
    match returned.path.find(result) {
        Found::Nothing if *meta != Json::Null => {}
        found => return value_of(found),
    }
    match returned.path.find(meta) {
        Found::Nothing => {
            let whole = Json::Object(vec![(Cow::Borrowed("_meta"), meta.clone())]);
            value_of(returned.path.find(&whole))
        }
        found => value_of(found),
    }
}

/// The value of what was found, and what is recorded of it.
fn value_of(found: Found<'_, '_>) -> (Usable, Option<ReturnedValue>) {
    match found {
        Found::One(json) => (number_of(json), Some(ReturnedValue::of(json))),
        Found::Nothing => (Err(CostWarning::Missing), None),
        Found::Several(count) => (Err(CostWarning::Several { count }), None),
    }
}

fn number_of(json: &Json<'_>) -> Usable {
    let text = json.decimal_text().ok_or(CostWarning::NotANumber)?;
    match Scaled::parse_up(text, VALUE_DECIMALS) {
        Ok(value) if value.mantissa < 0 => Err(CostWarning::Negative),
        Ok(value) => Ok(Some(value)),
        Err(CreditsError::OutOfRange) if text.starts_with('-') => Err(CostWarning::Negative),
        Err(CreditsError::OutOfRange) => Ok(None),
        Err(CreditsError::NotANumber | CreditsError::TooPrecise | CreditsError::Exponent | CreditsError::Negative) => {
            Err(CostWarning::NotANumber)
        }
    }
}

/// The cost for a value, or nothing when it is more than an amount can be.
fn cost_of(returned: &ToolReturned, value: Scaled) -> Option<Credits> {
    let micros = value.checked_mul(returned.multiplier.scaled())?.to_micros_up()?;
    Credits::from_micros(i64::try_from(micros).ok()?).checked_add(returned.base)
}

/// Cuts a cost off at the hold. No cost stands for one beyond all amounts.
fn within(hold: Credits, cost: Option<Credits>) -> ActualCost {
    match cost {
        Some(cost) if cost <= hold => {
            ActualCost { charge: cost, shortfall: Credits::ZERO, warning: None, returned: None }
        }
        _ => ActualCost {
            charge: hold,
            shortfall: cost.unwrap_or(Credits::MAX).checked_sub(hold).unwrap_or(Credits::MAX),
            warning: Some(CostWarning::AboveHold),
            returned: None,
        },
    }
}
