//! Numbers as they are written in JSON5, read without a detour over binary fractions where that matters.

use serde_json::{Number, Value};

/// Reads a whole number: decimal or hexadecimal digits with an optional `+`; nothing else.
pub(super) fn parse_unsigned(text: &str) -> Option<u64> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    if let Some(hexadecimal) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        return u64::from_str_radix(hexadecimal, 16).ok();
    }
    digits.parse().ok()
}

/// The JSON number nearest to a JSON5 number; `None` for `NaN`, the infinities and what is out of range.
pub(super) fn parse_json(text: &str) -> Option<Value> {
    if let Some(unsigned) = parse_unsigned(text) {
        return Some(Value::from(unsigned));
    }
    if let Some(negative) = text.strip_prefix('-')
        && let Some(unsigned) = parse_unsigned(negative)
        && let Some(signed) = 0_i64.checked_sub_unsigned(unsigned)
    {
        return Some(Value::from(signed));
    }
    if text.contains(['x', 'X', 'I', 'N']) {
        return None;
    }
    text.parse().ok().and_then(Number::from_f64).map(Value::Number)
}
