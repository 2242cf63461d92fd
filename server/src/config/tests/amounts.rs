//! Amounts keep their text.

use serde_json::json;

use super::{accepted, refused};
use crate::config::Amount;

fn account_with(amount: &str) -> String {
    format!("{{ catalog: {{ accounts: [{{ email: 'a@b.c', grant_credits: {amount} }}] }} }}")
}

#[test]
fn amounts_are_kept_exactly_as_written() {
    let cases = [
        ("0.1", "0.1"),
        ("\"2.50\"", "2.50"),
        ("'10000'", "10000"),
        ("0", "0"),
        ("0.000001", "0.000001"),
        ("9223372036854.775807", "9223372036854.775807"),
        ("9007199254.740993", "9007199254.740993"),
        ("0.30000", "0.30000"),
        (".5", "0.5"),
        ("5.", "5"),
        ("+5", "5"),
    ];
    for (written, kept) in cases {
        let config = accepted(&account_with(written));
        let amount = config.catalog.accounts[0].grant_credits.as_ref().map(Amount::as_str);
        assert_eq!(amount, Some(kept), "for `{written}`");
    }
}

#[test]
fn amounts_that_are_not_plain_decimals_are_refused_with_their_place() {
    let cases = [
        ("1e3", "must be an amount in credits written with plain decimal digits, such as `2.50`, not `1e3`"),
        ("'1e3'", "must be an amount in credits written with plain decimal digits, such as `2.50`, not `1e3`"),
        ("0.0000001", "must be an amount in credits with at most 6 decimals, not `0.0000001`"),
        ("'0.1000000'", "must be an amount in credits with at most 6 decimals, not `0.1000000`"),
        ("-1", "must be an amount in credits written with plain decimal digits, such as `2.50`, not `-1`"),
        ("NaN", "must be an amount in credits written with plain decimal digits, such as `2.50`, not `NaN`"),
        ("Infinity", "must be an amount in credits written with plain decimal digits, such as `2.50`, not `Infinity`"),
        ("0x10", "must be an amount in credits written with plain decimal digits, such as `2.50`, not `0x10`"),
        ("''", "must be an amount in credits written with plain decimal digits, such as `2.50`, not ``"),
        ("' 1'", "must be an amount in credits written with plain decimal digits, such as `2.50`, not ` 1`"),
        ("'٣'", "must be an amount in credits written with plain decimal digits, such as `2.50`, not `٣`"),
        ("'1.2.3'", "must be an amount in credits written with plain decimal digits, such as `2.50`, not `1.2.3`"),
        ("'.5'", "must be an amount in credits written with plain decimal digits, such as `2.50`, not `.5`"),
        (
            "9223372036854.775808",
            "must be an amount of at most 9223372036854.775807 credits, not `9223372036854.775808`",
        ),
        ("true", "must be an amount in credits, not a boolean"),
        ("null", "must be an amount in credits, not null"),
    ];
    for (written, wanted) in cases {
        let wanted = format!("t:1:58: `catalog.accounts[0].grant_credits` {wanted}");
        assert_eq!(refused(&account_with(written)), wanted);
    }
}

#[test]
fn amounts_in_micro_credits_are_exact() {
    for (text, micro) in [("0.1", 100_000), ("2.50", 2_500_000), ("9223372036854.775807", i64::MAX), ("7", 7_000_000)] {
        assert_eq!(Amount::parse(text).map(|amount| amount.micro_credits()), Ok(micro));
    }
}

#[test]
fn numbers_in_schemas_and_policies_become_json_numbers() {
    let schema = "{ minimum: -5, maximum: 18446744073709551615, multipleOf: 0.5, a: 1e3, b: 0xff, c: .5, d: -0x10 }";
    let config = accepted(&format!(
        "{{ catalog: {{ core_tools: [{{ name: 'x', input_schema: {schema}, upstream: {{ kind: 'builtin', name: 'x' }} }}] }} }}"
    ));
    assert_eq!(
        config.catalog.core_tools[0].input_schema,
        json!({ "minimum": -5, "maximum": u64::MAX, "multipleOf": 0.5, "a": 1000.0, "b": 255, "c": 0.5, "d": -16 })
    );
}

#[test]
fn numbers_that_json_cannot_hold_are_refused() {
    for number in ["NaN", "Infinity", "-Infinity", "+Infinity", "-NaN", "1e999"] {
        assert_eq!(
            refused(&format!("{{ channels: {{ slack: {{ a: {number} }} }} }}")),
            format!("t:1:27: `channels.slack.a` must be a finite number, not `{number}`")
        );
    }
}
