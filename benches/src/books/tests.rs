use serde_json::{Value, json};

use super::{Split, check};

const SPLIT: Split = Split { publisher: 200_000, partner: 12_500, platform: 37_500 };

/// Three calls by two partners, after a grant to each.
fn balance() -> Value {
    let line = |code: &str, debits: i64, credits: i64| json!({ "account": 7, "code": code, "debits_micros": debits.to_string(), "credits_micros": credits.to_string() });
    json!({ "accounts": [
        line("expenses:promo", 2_000_000, 0),
        line("liabilities:wallet:prt_1", 500_000, 1_000_000),
        line("liabilities:wallet:prt_2", 250_000, 1_000_000),
        line("liabilities:payable:bench", 0, 600_000),
        line("liabilities:partner:prt_1", 0, 25_000),
        line("liabilities:partner:prt_2", 0, 12_500),
        line("revenue:platform:fee", 0, 112_500),
    ] })
}

#[test]
fn books_that_equal_the_upstreams_count_pass() {
    let books = check(&balance(), SPLIT, 3, 3).unwrap();
    assert_eq!((books.charged, books.received, books.answered), (3, 3, 3));
}

#[test]
fn a_call_too_many_or_too_few_anywhere_fails() {
    for (at_upstream, answered) in [(2, 2), (4, 4), (3, 2), (3, 4), (0, 0)] {
        assert!(check(&balance(), SPLIT, at_upstream, answered).is_err(), "{at_upstream} {answered}");
    }
}

#[test]
fn every_party_is_checked() {
    // a micro-credit moved from one party to another keeps the balance, and is found
    for (from, to) in [(3, 4), (4, 6), (6, 3)] {
        let mut moved = balance();
        for (index, change) in [(from, -1), (to, 1)] {
            let amount: i64 = moved["accounts"][index]["credits_micros"].as_str().unwrap().parse().unwrap();
            moved["accounts"][index]["credits_micros"] = json!((amount + change).to_string());
        }
        assert!(check(&moved, SPLIT, 3, 3).is_err(), "{from} to {to}");
    }
}

#[test]
fn books_that_do_not_balance_or_cannot_be_read_fail() {
    let mut unbalanced = balance();
    unbalanced["accounts"][0]["debits_micros"] = json!("1999999");
    let mut unreadable = balance();
    unreadable["accounts"][0]["debits_micros"] = json!("2e6");
    for broken in [unbalanced, unreadable, json!({}), json!([])] {
        assert!(check(&broken, SPLIT, 3, 3).is_err(), "{broken}");
    }
}
