//! Money: amounts of credits, exact to the micro-credit.
//!
//! One credit is 1,000,000 micro-credits (µcr), and 1,000 credits are one US dollar. Amounts are whole micro-credits in
//! 64 bits and are read from their decimal text, never through a floating-point number: `0.1` is 100,000 µcr, not the
//! double nearest to it. All arithmetic is checked.

mod decimal;

use std::fmt;

pub use decimal::Decimal;
pub(crate) use decimal::Scaled;

use crate::json::Json;

/// How many micro-credits one credit has.
pub const MICROS_PER_CREDIT: i64 = 1_000_000;

/// An amount of credits, in whole micro-credits. May be negative (an adjustment, a difference).
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Credits(i64);

/// A text is not an amount that is accepted here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CreditsError {
    /// Not a plain decimal number: no digits, a sign other than `-`, spaces, separators, a leading zero.
    #[error("must be a plain decimal number, such as `12.5`")]
    NotANumber,
    /// More than six decimals.
    #[error("must have at most six decimals")]
    TooPrecise,
    /// Written with an exponent where none is accepted, or with one that is out of bounds.
    #[error("must not have an exponent")]
    Exponent,
    /// Beyond what 64 bits of micro-credits can hold (some 9.2 thousand billion credits).
    #[error("is out of range")]
    OutOfRange,
    /// Below zero, where only zero and more make sense.
    #[error("must not be negative")]
    Negative,
}

impl Credits {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest amount there is.
    pub const MAX: Self = Self(i64::MAX);

    /// An amount given in micro-credits.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// The amount in micro-credits.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Is this exactly nothing?
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Is this below zero?
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// The sum, or nothing when it is out of range.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, or nothing when it is out of range.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The product with a whole number, or nothing when it is out of range.
    pub fn checked_mul(self, factor: i64) -> Option<Self> {
        self.0.checked_mul(factor).map(Self)
    }

    /// The amount with the sign turned, or nothing for the one value that has no counterpart.
    pub fn checked_neg(self) -> Option<Self> {
        self.0.checked_neg().map(Self)
    }

    /// The amount without its sign; of the one value that has no counterpart, the largest there is.
    #[must_use]
    pub fn size(self) -> Self {
        self.0.checked_abs().map_or(Self::MAX, Self)
    }

    /// The sum of many amounts, or nothing when it is out of range.
    pub fn checked_sum(amounts: impl IntoIterator<Item = Self>) -> Option<Self> {
        amounts.into_iter().try_fold(Self::ZERO, Self::checked_add)
    }

    /// The amount itself, unless it is negative ([`CreditsError::Negative`]).
    pub const fn non_negative(self) -> Result<Self, CreditsError> {
        if self.is_negative() { Err(CreditsError::Negative) } else { Ok(self) }
    }

    /// Reads an amount from a request or a configuration.
    ///
    /// Accepts an optional `-`, digits without a leading zero, and up to six decimals: the number of RFC 8259 without
    /// its exponent. Never rounds.
    pub fn parse_exact(text: &str) -> Result<Self, CreditsError> {
        decimal::parse_micros_exact(text).map(Self)
    }

    /// Reads an amount from an upstream's answer.
    ///
    /// As [`Credits::parse_exact`], but exponents of at most [`crate::limits::UPSTREAM_EXPONENT_MAX`] are accepted, and
    /// what lies beyond six decimals is rounded up, towards positive infinity. Negative amounts are returned as such.
    pub fn parse_rounding_up(text: &str) -> Result<Self, CreditsError> {
        let micros = decimal::parse_scaled_up(text, decimal::DECIMALS)?;
        i64::try_from(micros).map(Self).map_err(out_of_range)
    }

    /// Reads an amount from a JSON number or a JSON string, as [`Credits::parse_exact`].
    pub fn from_json(json: &Json<'_>) -> Result<Self, CreditsError> {
        Self::parse_exact(json.decimal_text().ok_or(CreditsError::NotANumber)?)
    }

    /// The amount in US dollars, as exact decimal text without trailing zeros: 50 credits are `0.05`.
    pub fn usd(self) -> String {
        decimal::format_scaled(self.0.into(), decimal::USD_DECIMALS)
    }

    /// The amount in credits as the text of a JSON number, without trailing zeros: `50`, `2.5`, `-0.000001`.
    ///
    /// Write it raw into a document: a reader that goes through a double may lose digits, this text does not.
    pub fn to_json_number(self) -> String {
        self.to_string()
    }
}

/// A narrowing failed: the only thing to say about it is that the amount is out of range.
fn out_of_range(_: std::num::TryFromIntError) -> CreditsError {
    CreditsError::OutOfRange
}

impl fmt::Display for Credits {
    /// Credits without trailing zeros, as on the wire.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&decimal::format_scaled(self.0.into(), decimal::DECIMALS))
    }
}

impl fmt::Debug for Credits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} cr")
    }
}

#[cfg(test)]
mod tests;
