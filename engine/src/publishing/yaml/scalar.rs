//! What a scalar is by the rules of the core schema (YAML 1.2.2, 10.3).

use saphyr_parser::ScalarStyle;
use serde_json::{Number, Value};

/// A number of more characters is none that anybody means.
const NUMBER_CHARS_MAX: usize = 400;

/// The value of a scalar; `tag` is the name of a tag of the core schema.
pub(super) fn resolve(text: &str, style: ScalarStyle, tag: Option<&str>) -> Result<Value, String> {
    if tag == Some("str") || tag.is_none() && style != ScalarStyle::Plain {
        return Ok(Value::String(text.to_owned()));
    }
    let value = plain(text)?;
    let is_meant = match (tag, &value) {
        (None, _)
        | (Some("null"), Value::Null)
        | (Some("bool"), Value::Bool(_))
        | (Some("float"), Value::Number(_)) => true,
        (Some("int"), Value::Number(number)) => !number.is_f64(),
        _ => false,
    };
    if is_meant { Ok(value) } else { Err("a tag that does not fit its value".to_owned()) }
}

fn plain(text: &str) -> Result<Value, String> {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => match number(text)? {
            Some(number) => Value::Number(number),
            None => Value::String(text.to_owned()),
        },
    })
}

/// The number that a text is, if it is one.
fn number(text: &str) -> Result<Option<Number>, String> {
    let unusable = || "a number that is too large, or that JSON has no place for".to_owned();
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        let digits = text.strip_prefix(prefix).filter(|digits| !digits.is_empty());
        if let Some(digits) = digits.filter(|digits| digits.chars().all(|digit| digit.is_digit(radix))) {
            let value = u64::from_str_radix(digits, radix).map_err(|_too_large| unusable())?;
            return Ok(Some(value.into()));
        }
    }
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    if matches!(rest, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Err(unusable());
    }
    let Some(written) = decimal(sign, rest) else { return Ok(None) };
    if written.len() > NUMBER_CHARS_MAX {
        return Err(unusable());
    }
    serde_json::from_str(&written).map(Some).map_err(|_out_of_range| unusable())
}

/// `12`, `012`, `1.`, `.5` and `1e3` as JSON writes them.
fn decimal(sign: &str, text: &str) -> Option<String> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let has_digits = !whole.is_empty() || fraction.is_some_and(|fraction| !fraction.is_empty());
    if !has_digits || !is_digits(whole) || !fraction.is_none_or(is_digits) {
        return None;
    }
    let mut written = sign.to_owned();
    let significant = whole.trim_start_matches('0');
    written.push_str(if significant.is_empty() { "0" } else { significant });
    if let Some(fraction) = fraction {
        written.push('.');
        written.push_str(if fraction.is_empty() { "0" } else { fraction });
    }
    if let Some(exponent) = exponent {
        let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        if digits.is_empty() || !is_digits(digits) {
            return None;
        }
        written.push('e');
        written.push_str(exponent);
    }
    Some(written)
}
