//! Why a price is refused.

use super::cost_path::CostPathError;
use crate::{
    credits::{Credits, CreditsError},
    limits,
};

/// A price was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` {fault}")]
pub struct PriceError {
    field: &'static str,
    fault: PriceFault,
}

/// What is wrong with a field of a price; reads on from the field's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceFault {
    /// `pricing_rules` has no public meaning.
    #[error("is not supported: use `returned_credit_cost_path`")]
    Unsupported,
    /// Neither of the two ways to be charged.
    #[error("must be `success` or `attempt`")]
    ChargeOn,
    /// Neither of the two modes.
    #[error("must be `fixed_per_request` or `tool_returned`")]
    Mode,
    /// No mode.
    #[error("is required: `fixed_per_request` or `tool_returned`")]
    NoMode,
    /// The description is too long.
    #[error("must have at most {} characters", limits::PRICING_DESCRIPTION_CHARS_MAX)]
    DescriptionTooLong,
    /// It is missing beside this mode or field.
    #[error("is required with `{0}`")]
    Required(&'static str),
    /// It is missing, or nothing, beside this field.
    #[error("above zero is required with `{0}`")]
    AboveZero(&'static str),
    /// There is no bound, neither declared nor by units.
    #[error("is required with `tool_returned` (or `pricing_unit_fields` and `pricing_credits_per_unit`)")]
    NoBound,
    /// It means something in another mode only than this.
    #[error("does not belong to `{0}`")]
    Foreign(&'static str),
    /// The path cannot be used.
    #[error(transparent)]
    Path(#[from] CostPathError),
    /// The number cannot be used.
    #[error(transparent)]
    Number(#[from] CreditsError),
    /// The multiplier is too high.
    #[error("must be at most {}", limits::COST_MULTIPLIER_MAX)]
    Multiplier,
    /// The bound is below what is always charged.
    #[error("must not be below `base_credit_cost` ({0})")]
    BelowBase(Credits),
    /// Too many arguments are counted.
    #[error("must name at most {} arguments", limits::UNIT_FIELDS_MAX)]
    TooManyUnits,
    /// That is no name of an argument.
    #[error("must hold names of 1 to {} characters", limits::UNIT_FIELD_CHARS_MAX)]
    UnitName,
    /// An argument is counted twice.
    #[error("names `{0}` twice")]
    Twice(String),
}

impl PriceError {
    pub(super) fn new(field: &'static str, fault: impl Into<PriceFault>) -> Self {
        Self { field, fault: fault.into() }
    }

    /// The name of the field that is at fault, as on the wire.
    pub const fn field(&self) -> &'static str {
        self.field
    }

    /// What is wrong with it.
    pub const fn fault(&self) -> &PriceFault {
        &self.fault
    }
}
