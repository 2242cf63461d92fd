//! Exact decimal numbers: reading them from text, and printing them without trailing zeros.

use std::fmt;

use super::{CreditsError, out_of_range};
use crate::limits::UPSTREAM_EXPONENT_MAX;

/// Decimals of a credit (micro-credits), and of every [`Decimal`].
pub(super) const DECIMALS: u32 = 6;
/// Decimals of a micro-credit expressed in US dollars: six, and three for 1,000 credits a dollar.
pub(super) const USD_DECIMALS: u32 = 9;

/// A number that is not an amount: a multiplier, a count of units, a price per unit. Six decimals, exact.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(i64);

impl Decimal {
    /// Zero.
    pub const ZERO: Self = Self(0);
    /// One.
    pub const ONE: Self = Self(1_000_000);

    /// A number given in millionths.
    pub const fn from_millionths(millionths: i64) -> Self {
        Self(millionths)
    }

    /// The number in millionths.
    pub const fn millionths(self) -> i64 {
        self.0
    }

    /// Is this exactly zero?
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The number itself, unless it is negative ([`CreditsError::Negative`]).
    pub const fn non_negative(self) -> Result<Self, CreditsError> {
        if self.0 < 0 { Err(CreditsError::Negative) } else { Ok(self) }
    }

    /// Reads a number as [`super::Credits::parse_exact`] does.
    pub fn parse_exact(text: &str) -> Result<Self, CreditsError> {
        parse_micros_exact(text).map(Self)
    }

    /// The number as a mantissa and a count of decimals, without trailing zeros: 3 has no decimals, 2.5 has one.
    pub(crate) fn scaled(self) -> Scaled {
        Scaled { mantissa: self.0.into(), scale: DECIMALS }.trimmed()
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format_scaled(self.0.into(), DECIMALS))
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// `mantissa / 10^scale`: an intermediate result that has not been rounded yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scaled {
    pub(crate) mantissa: i128,
    pub(crate) scale: u32,
}

impl Scaled {
    /// The same number with as few decimals as it needs.
    fn trimmed(mut self) -> Self {
        while self.scale > 0 && self.mantissa.checked_rem(10) == Some(0) {
            self.mantissa = self.mantissa.checked_div(10).unwrap_or(0);
            self.scale = self.scale.saturating_sub(1);
        }
        self
    }

    /// Reads a number that an upstream wrote, keeping `decimals` decimals and rounding up what lies beyond.
    pub(crate) fn parse_up(text: &str, decimals: u32) -> Result<Self, CreditsError> {
        let mantissa = parse_scaled_up(text, decimals)?;
        Ok(Self { mantissa, scale: decimals }.trimmed())
    }

    /// The exact product, or nothing when it does not fit.
    pub(crate) fn checked_mul(self, other: Self) -> Option<Self> {
        let mantissa = self.mantissa.checked_mul(other.mantissa)?;
        let scale = self.scale.checked_add(other.scale)?;
        Some(Self { mantissa, scale }.trimmed())
    }

    /// The number in millionths, rounded towards positive infinity; nothing when it does not fit.
    pub(crate) fn to_micros_up(self) -> Option<i128> {
        if let Some(up) = DECIMALS.checked_sub(self.scale) {
            return self.mantissa.checked_mul(10_i128.checked_pow(up)?);
        }
        let divisor = 10_i128.checked_pow(self.scale.checked_sub(DECIMALS)?)?;
        let floor = self.mantissa.checked_div_euclid(divisor)?;
        let has_rest = self.mantissa.checked_rem_euclid(divisor)? != 0;
        floor.checked_add(has_rest.into())
    }
}

/// The parts of a number's text, checked against the grammar of RFC 8259.
struct NumberParts<'a> {
    is_negative: bool,
    integer: &'a str,
    fraction: &'a str,
    /// The text after `e`, sign included.
    exponent: Option<&'a str>,
}

impl<'a> NumberParts<'a> {
    fn split(text: &'a str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent)),
            None => (text, None),
        };
        let (is_negative, magnitude) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa),
        };
        let (integer, fraction) = match magnitude.split_once('.') {
            Some((integer, fraction)) if is_digits(fraction) => (integer, fraction),
            Some(_) => return None,
            None => (magnitude, ""),
        };
        let exponent_digits = exponent.map(|text| text.strip_prefix(['+', '-']).unwrap_or(text));
        let is_number = is_digits(integer)
            && (integer == "0" || !integer.starts_with('0'))
            && exponent_digits.is_none_or(is_digits);
        is_number.then_some(Self { is_negative, integer, fraction, exponent })
    }

    fn digits(&self) -> impl Iterator<Item = u8> {
        self.integer.bytes().chain(self.fraction.bytes()).map(|byte| byte.saturating_sub(b'0'))
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Reads millionths from plain decimal text; see [`super::Credits::parse_exact`].
pub(super) fn parse_micros_exact(text: &str) -> Result<i64, CreditsError> {
    let parts = NumberParts::split(text).ok_or(CreditsError::NotANumber)?;
    if parts.exponent.is_some() {
        return Err(CreditsError::Exponent);
    }
    if parts.fraction.len() > 6 {
        return Err(CreditsError::TooPrecise);
    }
    let micros = scale_up(&parts, DECIMALS, 0)?;
    i64::try_from(micros).map_err(out_of_range)
}

/// Reads `text × 10^decimals`, rounded towards positive infinity, from a number that an upstream wrote.
///
/// Exponents of at most [`UPSTREAM_EXPONENT_MAX`] are accepted.
pub(super) fn parse_scaled_up(text: &str, decimals: u32) -> Result<i128, CreditsError> {
    let parts = NumberParts::split(text).ok_or(CreditsError::NotANumber)?;
    let exponent = match parts.exponent {
        None => 0,
        Some(text) => text
            .parse::<i64>()
            .ok()
            .filter(|exponent| exponent.unsigned_abs() <= UPSTREAM_EXPONENT_MAX.into())
            .ok_or(CreditsError::Exponent)?,
    };
    scale_up(&parts, decimals, exponent)
}

/// The number times `10^(decimals + exponent)`, what does not fit into whole units rounded towards positive infinity.
///
/// Works digit by digit, so that a number of any length is read exactly.
fn scale_up(parts: &NumberParts<'_>, decimals: u32, exponent: i64) -> Result<i128, CreditsError> {
    let integer_len = i64::try_from(parts.integer.len()).map_err(out_of_range)?;
    // how many of the digits (or more, then zeros follow) stand before the scaled decimal point
    let kept = integer_len
        .checked_add(exponent)
        .and_then(|kept| kept.checked_add(decimals.into()))
        .ok_or(CreditsError::OutOfRange)?;

    let mut whole: i128 = 0;
    let mut has_rest = false;
    let mut position: i64 = 0;
    for digit in parts.digits() {
        if position < kept {
            whole = push_digit(whole, digit).ok_or(CreditsError::OutOfRange)?;
        } else {
            has_rest |= digit != 0;
        }
        position = position.saturating_add(1);
    }
    while position < kept && whole != 0 {
        whole = push_digit(whole, 0).ok_or(CreditsError::OutOfRange)?;
        position = position.saturating_add(1);
    }

    if parts.is_negative {
        // dropping the rest of a negative number rounds it up
        whole.checked_neg().ok_or(CreditsError::OutOfRange)
    } else {
        whole.checked_add(has_rest.into()).ok_or(CreditsError::OutOfRange)
    }
}

fn push_digit(whole: i128, digit: u8) -> Option<i128> {
    whole.checked_mul(10)?.checked_add(digit.into())
}

/// Prints `value / 10^decimals` without trailing zeros.
pub(super) fn format_scaled(value: i128, decimals: u32) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let magnitude = value.unsigned_abs();
    // ten to the ninth at most
    let unit = 10_u64.saturating_pow(decimals);
    // Every amount fits into 64 bits; divisions of 128 bits are many times slower, and an answer prints four amounts.
    let (whole, fraction) = match u64::try_from(magnitude) {
        Ok(magnitude) => (u128::from(magnitude / unit), magnitude % unit),
        Err(_wider) => (magnitude / u128::from(unit), u64::try_from(magnitude % u128::from(unit)).unwrap_or(0)),
    };
    if fraction == 0 {
        return format!("{sign}{whole}");
    }
    let mut text = format!("{sign}{whole}.{fraction:0width$}", width = usize::try_from(decimals).unwrap_or(usize::MAX));
    text.truncate(text.trim_end_matches('0').len());
    text
}
