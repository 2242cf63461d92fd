use engine::{credits::Credits, service::balance::Balance};

use super::{balance_body, parse_purchase};

#[test]
fn a_purchase_names_one_exact_amount() {
    let cases: [(&str, Result<i64, &str>); 13] = [
        (r#"{"credits": 50}"#, Ok(50_000_000)),
        (r#"{"credits": "2.50"}"#, Ok(2_500_000)),
        (r#"{"usd": "10"}"#, Ok(10_000_000_000)),
        (r#"{"usd": 0.000001, "idempotency_key": "k"}"#, Ok(1_000)),
        (r#"{"credits": 5, "usd": null}"#, Ok(5_000_000)),
        ("{}", Err("body.credits: give either `credits` or `usd`")),
        (r#"{"credits": 5, "usd": 5}"#, Err("body.usd: give either `credits` or `usd`")),
        (r#"{"credits": 1, "credits": 2}"#, Err("duplicate key `/credits` at line 1 column 16")),
        (r#"{"credits": -1}"#, Err("body.credits: must not be negative")),
        (r#"{"credits": 1e3}"#, Err("body.credits: must not have an exponent")),
        (r#"{"credits": 0.0000001}"#, Err("body.credits: must have at most six decimals")),
        (r#"{"usd": 9223372036854}"#, Err("body.usd: is out of range")),
        (r#"{"credits": 1, "idempotency_key": ""}"#, Err("body.idempotency_key: must have 1 to 255 bytes")),
    ];
    for (body, expected) in cases {
        match (parse_purchase(body), expected) {
            (Ok((credits, _)), Ok(micros)) => assert_eq!(credits.micros(), micros, "{body}"),
            (Err(problem), Err(message)) => {
                let shown = problem.body()["error"]["message"].clone();
                assert_eq!(shown, message, "{body}");
            }
            (got, _) => panic!("{body}: {got:?}"),
        }
    }
}

#[test]
fn a_large_balance_keeps_its_digits() {
    let balance = Balance { balance: Credits::MAX, reserved: Credits::from_micros(1) };
    assert_eq!(
        balance_body(&balance),
        "{\"balance\":9223372036854.775807,\"reserved\":0.000001,\"available\":9223372036854.775806,\
         \"credits_remaining\":9223372036854.775806,\"currency\":\"credits\",\"usd\":9223372036.854775807}"
    );
}
