//! A checked price.

use super::CostPath;
use crate::{
    credits::{Credits, Decimal},
    id::PriceVersionId,
};

/// One immutable version of a tool's price. Made by [`Price::from_spec`], which checks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// The version's name.
    pub id: PriceVersionId,
    /// How the cost of a call is found.
    pub mode: PricingMode,
    /// Which calls cost something.
    pub charge_on: ChargeOn,
    /// From when on it is in force, in microseconds since the Unix epoch.
    pub effective_from_us: i64,
    /// What the publisher says about it.
    pub description: Option<String>,
}

/// How the cost of a call is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PricingMode {
    /// Every call costs the same.
    FixedPerRequest {
        /// What it costs; nothing for a free tool.
        cost: Credits,
    },
    /// The tool says in its result what the call cost.
    ToolReturned(ToolReturned),
}

/// A price that the tool returns: `base + multiplier × the value at path`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolReturned {
    /// Where the value stands in the result.
    pub path: CostPath,
    /// What the value is multiplied by.
    pub multiplier: Decimal,
    /// What every charged call costs at least, and all that a call costs whose result names no usable value.
    pub base: Credits,
    /// The most that a call can cost.
    pub worst_case: WorstCase,
}

/// The most that a call of a [`ToolReturned`] tool can cost: what is held for it, and never exceeded by its charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorstCase {
    /// The same for every call (`estimated_max_credit_cost`).
    Declared(Credits),
    /// Computed from the arguments of the call.
    Units {
        /// From which arguments, and how.
        units: UnitPricing,
        /// A declared `estimated_max_credit_cost`: a promise to the buyer that holds for every call, so a computed
        /// figure above it is lowered to it.
        at_most: Option<Credits>,
    },
}

/// Units counted by arguments: the product of their values times a price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitPricing {
    /// The names of the arguments, at least one.
    pub fields: Vec<String>,
    /// The price of one unit in credits.
    pub credits_per_unit: Decimal,
}

/// Which calls cost something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum ChargeOn {
    /// Only calls that the upstream completed.
    #[default]
    Success,
    /// Every call that was dispatched.
    Attempt,
}

impl ChargeOn {
    /// As on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Attempt => "attempt",
        }
    }

    /// Reads what [`ChargeOn::as_str`] writes.
    pub fn from_wire(text: &str) -> Option<Self> {
        match text {
            "success" => Some(Self::Success),
            "attempt" => Some(Self::Attempt),
            _ => None,
        }
    }
}

impl PricingMode {
    /// As on the wire.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::FixedPerRequest { .. } => "fixed_per_request",
            Self::ToolReturned(_) => "tool_returned",
        }
    }
}

impl Price {
    /// Can no call ever cost anything?
    pub fn is_free(&self) -> bool {
        match &self.mode {
            PricingMode::FixedPerRequest { cost } => cost.is_zero(),
            PricingMode::ToolReturned(returned) => returned.worst_case.declared_max() == Some(Credits::ZERO),
        }
    }
}

impl WorstCase {
    /// The declared `estimated_max_credit_cost`, if there is one.
    pub const fn declared_max(&self) -> Option<Credits> {
        match self {
            Self::Declared(max) => Some(*max),
            Self::Units { at_most, .. } => *at_most,
        }
    }

    /// The units by which it is computed, if it is.
    pub const fn units(&self) -> Option<&UnitPricing> {
        match self {
            Self::Declared(_) => None,
            Self::Units { units, .. } => Some(units),
        }
    }
}
