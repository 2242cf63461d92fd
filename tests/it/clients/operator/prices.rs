//! `price schedule|cancel`, beside a running server that charges.

use engine::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};
use tests::{
    home::{Home, Kind},
    on_both_databases,
    patience::wait_until,
    server::{ALICE, Server, config, tool},
    upstream::Upstream,
};

use super::{json_of, run, verify};

on_both_databases!(
    calls_are_charged_the_old_price_before_and_the_new_one_after_its_time,
    what_makes_no_sense_as_a_price_is_refused_and_changes_nothing,
);

fn start(home: &Home, upstream: &Upstream) -> Server {
    Server::start(home.path(), &config(&tool("t", &upstream.url("/t"), 5, "success", 5_000), "", ""))
}

/// This many seconds from now.
fn in_seconds(seconds: i64) -> String {
    let at_us = SystemClock::start().now_us() + seconds * 1_000_000;
    jiff::Timestamp::from_microsecond(at_us).unwrap().to_string()
}

/// What a call is charged.
fn charged(server: &Server, body: &str) -> (Value, bool) {
    let answer = server.invoke(ALICE, "t", body);
    assert_eq!(answer.status, 200, "{}", answer.body);
    (answer.json["credits_charged"].clone(), answer.header("idempotent-replayed").is_some())
}

fn calls_are_charged_the_old_price_before_and_the_new_one_after_its_time(kind: Kind) {
    let (home, upstream) = (Home::on(kind), Upstream::answering("{}"));
    let server = start(&home, &upstream);
    let path = home.path();
    let keyed = r#"{"arguments": {}, "idempotency_key": "before"}"#;
    assert_eq!(charged(&server, keyed), (json!(5), false));
    // Far enough ahead for a machine that is busy; the one that stands comes after the one that does not.
    let never = json_of(path, &["price", "schedule", "acme/t", "1", "--from", &in_seconds(11)]);
    let cancel = ["price", "cancel", never["price"].as_str().unwrap(), "--reason", "a slip"];
    assert!(json_of(path, &cancel)["cancelled_at"].is_string());
    let from = in_seconds(12);
    let spec = "{pricing_mode: 'fixed_per_request', fixed_credit_cost: 7.25}";
    let made = json_of(path, &["price", "schedule", "acme/t", spec, "--from", &from, "--key", "k"]);
    assert_eq!((&made["tool"], &made["spec"]["fixed_credit_cost"]), (&json!("acme/t"), &json!("7.25")));
    let again = json_of(path, &["price", "schedule", "acme/t", spec, "--from", &from, "--key", "k"]);
    assert_eq!((&again["price"], &again["replayed"]), (&made["price"], &json!(true)));

    let mut seen = Vec::new();
    wait_until("the price changes by itself", || {
        let (price, _) = charged(&server, r#"{"arguments": {}}"#);
        seen.push(price.clone());
        (price == json!(7.25)).then_some(())
    });
    seen.dedup();
    assert_eq!(seen, [json!(5), json!(7.25)], "never the cancelled one, and no way back");
    assert_eq!(charged(&server, keyed), (json!(5), true), "a replay keeps the price of its call");
    let late = run(path, &["price", "cancel", made["price"].as_str().unwrap()]);
    assert!(late.exit == Some(1) && late.errors.contains("took effect"), "{late:?}");

    let told = json_of(path, &["audit", "list", "--action", "price", "--actor", "operator"]);
    let rows = told["audit"].as_array().unwrap();
    let actions: Vec<_> = rows.iter().map(|row| &row["action"]).collect();
    assert_eq!(actions, [&json!("price.schedule"), &json!("price.cancel"), &json!("price.schedule")]);
    assert_eq!((&rows[1]["object"]["id"], &rows[1]["reason"]), (&never["price"], &json!("a slip")));
    assert_eq!(rows[0]["after"]["spec"]["fixed_credit_cost"], json!("7.25"));
    verify(path);
}

fn what_makes_no_sense_as_a_price_is_refused_and_changes_nothing(kind: Kind) {
    let (home, upstream) = (Home::on(kind), Upstream::answering("{}"));
    let server = start(&home, &upstream);
    let path = home.path();
    let before = json_of(path, &["audit", "list", "--limit", "1000"]);
    let from = in_seconds(3_600);
    for (arguments, exit, part) in [
        (["acme/t", "1", "--from", "2020-01-01T00:00:00Z"], 1, "at least 2 seconds from now"),
        (["acme/t", "1", "--from", "tomorrow"], 2, "tomorrow"),
        (["acme/x", "1", "--from", &from], 1, "there is no tool `acme/x`"),
        (["t", "1", "--from", &from], 1, "there is no tool `t`"),
        (["acme/t", "5", "--from", &from], 1, "has this price"),
        (["acme/t", "dear", "--from", &from], 1, "fixed_credit_cost"),
        (["acme/t", "{}", "--from", &from], 1, "pricing_mode"),
        (["acme/t", "1.0000001", "--from", &from], 1, "fixed_credit_cost"),
        (["acme/t", "{pricing_mode: 'fixed_per_request', fixed_credit_cost: 1, x: 2}", "--from", &from], 1, "`x`"),
        (["acme/t", "{pricing_mode: 'tool_returned', fixed_credit_cost: 1}", "--from", &from], 1, "no meaning"),
    ] {
        let said = run(path, &[&["price", "schedule"], &arguments[..]].concat());
        assert!(said.exit == Some(exit) && said.errors.contains(part), "{arguments:?}: {said:?}");
    }
    for (price, part) in [("prc_00000000000000000000000000000000", "no such price"), ("t", "of the form `prc_`")] {
        let said = run(path, &["price", "cancel", price]);
        assert!(said.exit == Some(1) && said.errors.contains(part), "{said:?}");
    }
    assert_eq!(json_of(path, &["audit", "list", "--limit", "1000"]), before);
    assert_eq!(charged(&server, r#"{"arguments": {}}"#).0, json!(5));
}
