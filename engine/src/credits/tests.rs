use std::borrow::Cow;

use proptest::prelude::*;

use super::*;

fn micros(text: &str) -> Result<i64, CreditsError> {
    Credits::parse_exact(text).map(Credits::micros)
}

fn micros_up(text: &str) -> Result<i64, CreditsError> {
    Credits::parse_rounding_up(text).map(Credits::micros)
}

#[test]
fn plain_decimal_text_is_read_exactly() {
    for (text, expected) in [
        ("0", 0),
        ("-0", 0),
        ("50", 50_000_000),
        ("2.5", 2_500_000),
        ("2.50", 2_500_000),
        ("0.1", 100_000),
        ("0.000001", 1),
        ("-0.000001", -1),
        ("9223372036854.775807", i64::MAX),
        ("-9223372036854.775808", i64::MIN),
        ("9007199254.740993", 9_007_199_254_740_993), // 2^53 + 1, which no double can hold
    ] {
        assert_eq!(micros(text), Ok(expected), "{text}");
    }
}

#[test]
fn other_text_is_refused_with_its_reason() {
    use CreditsError::*;
    for (text, expected) in [
        ("", NotANumber),
        ("-", NotANumber),
        ("+5", NotANumber),
        (" 5", NotANumber),
        ("5 ", NotANumber),
        ("05", NotANumber),
        ("5.", NotANumber),
        (".5", NotANumber),
        ("1,000", NotANumber),
        ("1_000", NotANumber),
        ("--5", NotANumber),
        ("1.2.3", NotANumber),
        ("1e", NotANumber),
        ("1e+", NotANumber),
        ("e5", NotANumber),
        ("NaN", NotANumber),
        ("Infinity", NotANumber),
        ("0x10", NotANumber),
        ("١", NotANumber), // an Arabic-Indic digit
        ("1e3", Exponent),
        ("1E-3", Exponent),
        ("0.0000001", TooPrecise),
        ("1.0000000", TooPrecise),
        ("9223372036854.775808", OutOfRange),
        ("-9223372036854.775809", OutOfRange),
        ("99999999999999999999999999999999999999999999999999", OutOfRange),
    ] {
        assert_eq!(micros(text), Err(expected), "{text}");
    }
}

#[test]
fn an_upstreams_number_is_rounded_up_to_the_next_micro_credit() {
    for (text, expected) in [
        ("0.0000001", 1),
        ("0.0000010", 1),
        ("0.0000011", 2),
        ("1.9999999", 2_000_000),
        ("-0.0000001", 0),
        ("-0.0000019", -1),
        ("1e3", 1_000_000_000),
        ("1E+3", 1_000_000_000),
        ("1.5e-3", 1_500),
        ("1e-30", 1),
        ("0e30", 0),
        ("12345e-2", 123_450_000),
        ("9223372036854.7758069", i64::MAX),
        ("0.00000000000000000000000000000000000000000000000000000000001", 1),
        ("0.00000000000000000000000000000000000000000000000000000000000", 0),
    ] {
        assert_eq!(micros_up(text), Ok(expected), "{text}");
    }
}

#[test]
fn an_upstreams_number_out_of_bounds_is_refused() {
    use CreditsError::*;
    for (text, expected) in [
        ("1e31", Exponent),
        ("1e-31", Exponent),
        ("1e99999999999999999999", Exponent),
        ("1e30", OutOfRange),
        ("9223372036854.7758071", OutOfRange),
        ("ten", NotANumber),
    ] {
        assert_eq!(micros_up(text), Err(expected), "{text}");
    }
}

#[test]
fn amounts_are_shown_without_trailing_zeros() {
    for (micros, credits, usd) in [
        (0, "0", "0"),
        (50_000_000, "50", "0.05"),
        (2_500_000, "2.5", "0.0025"),
        (-1, "-0.000001", "-0.000000001"),
        (100_000_000, "100", "0.1"),
        (1_000_000_000, "1000", "1"),
        (1_234_567_890_123, "1234567.890123", "1234.567890123"),
        (i64::MAX, "9223372036854.775807", "9223372036.854775807"),
        (i64::MIN, "-9223372036854.775808", "-9223372036.854775808"),
    ] {
        let amount = Credits::from_micros(micros);
        assert_eq!(amount.to_string(), credits);
        assert_eq!(amount.to_json_number(), credits);
        assert_eq!(amount.usd(), usd);
    }
}

#[test]
fn json_numbers_and_strings_are_accepted_and_nothing_else() {
    assert_eq!(Credits::from_json(&Json::Number("2.5")), Ok(Credits::from_micros(2_500_000)));
    assert_eq!(Credits::from_json(&Json::String(Cow::Borrowed("2.50"))), Ok(Credits::from_micros(2_500_000)));
    for json in [Json::Null, Json::Bool(true), Json::Array(vec![]), Json::Object(vec![])] {
        assert_eq!(Credits::from_json(&json), Err(CreditsError::NotANumber));
    }
}

#[test]
fn arithmetic_out_of_range_gives_nothing() {
    let one = Credits::from_micros(1);
    assert_eq!(Credits::MAX.checked_add(one), None);
    assert_eq!(Credits::from_micros(i64::MIN).checked_sub(one), None);
    assert_eq!(Credits::MAX.checked_mul(2), None);
    assert_eq!(Credits::from_micros(i64::MIN).checked_neg(), None);
    assert_eq!(Credits::checked_sum([Credits::MAX, one, Credits::from_micros(-1)]), None);
    assert_eq!(Credits::checked_sum([one, one]), Some(Credits::from_micros(2)));
}

#[test]
fn non_negative_lets_zero_pass() {
    assert_eq!(Credits::ZERO.non_negative(), Ok(Credits::ZERO));
    assert_eq!(Credits::from_micros(-1).non_negative(), Err(CreditsError::Negative));
    assert_eq!(Decimal::ZERO.non_negative(), Ok(Decimal::ZERO));
    assert_eq!(Decimal::from_millionths(-1).non_negative(), Err(CreditsError::Negative));
}

#[test]
fn scaled_numbers_multiply_exactly_and_round_up_at_the_end() {
    let third = Decimal::parse_exact("0.333333").unwrap().scaled();
    assert_eq!(third.checked_mul(third), Some(Scaled { mantissa: 111_110_888_889, scale: 12 }));
    assert_eq!(third.checked_mul(third).and_then(Scaled::to_micros_up), Some(111_111));
    assert_eq!(Decimal::parse_exact("3").unwrap().scaled(), Scaled { mantissa: 3, scale: 0 });
    let huge = Scaled { mantissa: i128::MAX, scale: 0 };
    assert_eq!(huge.checked_mul(huge), None);
    assert_eq!(huge.to_micros_up(), None);
}

proptest! {
    #[test]
    fn what_is_shown_is_read_back(micros in any::<i64>()) {
        let amount = Credits::from_micros(micros);
        prop_assert_eq!(Credits::parse_exact(&amount.to_string()), Ok(amount));
        prop_assert_eq!(Credits::parse_rounding_up(&amount.to_string()), Ok(amount));
        let decimal = Decimal::from_millionths(micros);
        prop_assert_eq!(Decimal::parse_exact(&decimal.to_string()), Ok(decimal));
    }

    #[test]
    fn rounding_up_is_the_smallest_amount_not_below(numerator in -1_000_000_000_000_i64..1_000_000_000_000, decimals in 0_usize..12) {
        let unit = 10_i128.pow(u32::try_from(decimals).unwrap());
        let sign = if numerator < 0 { "-" } else { "" };
        let magnitude = i128::from(numerator.abs());
        let plain = match decimals {
            0 => format!("{sign}{magnitude}"),
            _ => format!("{sign}{}.{:0decimals$}", magnitude / unit, magnitude % unit),
        };
        let with_exponent = format!("{numerator}e-{decimals}");
        let rounded = i128::from(Credits::parse_rounding_up(&plain).unwrap().micros());
        prop_assert_eq!(Credits::parse_rounding_up(&with_exponent).unwrap().micros(), i64::try_from(rounded).unwrap());
        // rounded - 1 < numerator / unit * 10^6 <= rounded
        let exact = i128::from(numerator) * 1_000_000;
        prop_assert!(rounded * unit >= exact && (rounded - 1) * unit < exact);
    }

    #[test]
    fn no_text_makes_the_readers_panic(text in "[-+0-9eE. ]{0,40}") {
        let exact = Credits::parse_exact(&text);
        let rounded = Credits::parse_rounding_up(&text);
        // whatever is exact is also what rounding up gives
        if let Ok(amount) = exact {
            prop_assert_eq!(rounded, Ok(amount));
        }
    }
}
