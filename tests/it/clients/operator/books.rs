//! `account grant --expires`, `ledger close` and `ledger trial-balance --period`: the program, with a server and without.

use engine::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};
use tests::{
    home::{Home, Kind},
    on_both_databases,
    patience::wait_until,
    program::{Demo, Server, curl},
};

use super::{Said, json_of, run, verify};

on_both_databases!(
    credits_that_expire_are_spent_first_and_go_back_by_themselves,
    a_grant_with_terms_that_make_no_sense_gives_nothing,
    a_period_is_closed_once_and_its_trial_balance_stays,
);

const SECOND_US: i64 = 1_000_000;
const DAY_US: i64 = 86_400 * SECOND_US;

/// A time so many microseconds from now, as the command line takes it.
fn from_now(us: i64) -> String {
    jiff::Timestamp::from_microsecond(SystemClock::start().now_us() + us).unwrap().to_string()
}

fn refused(said: &Said, parts: &[&str]) {
    assert!(said.exit == Some(1) && said.out.is_empty(), "{said:?}");
    for part in parts {
        assert!(said.errors.contains(part), "no `{part}`: {said:?}");
    }
}

fn credits_that_expire_are_spent_first_and_go_back_by_themselves(kind: Kind) {
    let folder = Home::on(kind);
    let demo = Demo::start(folder.path());
    let made = json_of(folder.path(), &["account", "create", "--email", "ann@example.com", "--credits", "5"]);
    let bearer = format!("Authorization: Bearer {}", made["token"].as_str().unwrap());
    let available = || {
        let balance = curl(&format!("{}/credits/balance", demo.base_url()), &["-H", &bearer]);
        balance.json["available"].clone()
    };
    let expires = from_now(3_600 * SECOND_US);
    let grant = |key: &'static str, arguments: &[&str]| {
        let all =
            [&["account", "grant", "ann@example.com"][..], arguments, &["--reason", "trial", "--key", key]].concat();
        json_of(folder.path(), &all)
    };
    let later = grant("later", &["4", "--expires", "2999-01-01"]);
    assert_eq!((&later["expires"], &later["priority"]), (&json!("2999-01-01T00:00:00Z"), &json!(100)));
    assert_eq!((&later["available"], available()), (&json!(9), json!(9)));
    let sooner = ["2", "--expires", &expires, "--priority", "7"];
    assert_eq!(grant("sooner", &sooner)["available"], json!(11));
    let again = grant("sooner", &sooner);
    assert_eq!((&again["replayed"], &again["available"]), (&json!(true), &json!(11)), "the same key gives once");

    // A call of 2.5 takes 2 of what expires first and 0.5 of what expires later.
    let call = || {
        let url = format!("{}/invoke/demo/text_stats", demo.base_url());
        curl(&url, &["-H", &bearer, "-d", r#"{"arguments": {"text": "one"}}"#])
    };
    let paid = call();
    assert_eq!((paid.status, &paid.json["credits_remaining"]), (200, &json!(8.5)), "{}", paid.body);
    let spent = |code: &str| {
        let balance = json_of(folder.path(), &["ledger", "trial-balance"]);
        let rows = balance["accounts"].as_array().unwrap().clone();
        let row = rows.iter().find(|row| row["code"].as_str().unwrap().contains(code)).unwrap().clone();
        row["debits_micros"].clone()
    };
    let grant_of = |granted: &Value| format!(":grant:{}", granted["grant"].as_str().unwrap());
    assert_eq!(spent(&grant_of(&again)), json!("2000000"));
    assert_eq!(spent(&grant_of(&later)), json!("500000"));

    // One that nobody spends: it goes back without anybody asking.
    let unspent = grant("unspent", &["1.25", "--expires", &from_now(20 * SECOND_US)]);
    wait_until("the grant has expired", || (available() == json!(8.5)).then_some(()));
    wait_until("it has gone back", || (spent(&grant_of(&unspent)) == json!("1250000")).then_some(()));
    verify(folder.path());
}

fn a_grant_with_terms_that_make_no_sense_gives_nothing(kind: Kind) {
    let folder = Home::on(kind);
    json_of(folder.path(), &["account", "create", "--email", "ann@example.com", "--credits", "5"]);
    let grant = |arguments: &[&str]| {
        run(folder.path(), &[&["account", "grant", "ann@example.com", "1", "--reason", "r"][..], arguments].concat())
    };
    refused(&grant(&["--expires", "2020-01-01"]), &["must be later than now: 2020-01-01T00:00:00Z is not after 20"]);
    refused(&grant(&["--expires", "tomorrow"]), &["`expires`", "`2026-11-30`", "`tomorrow`"]);
    refused(&grant(&["--expires", "2027-02-30"]), &["`expires`", "`2027-02-30`"]);
    refused(&grant(&["--expires", "2999-01-01", "--priority", "1001"]), &["from 0 to 1000, not 1001"]);
    refused(&grant(&["--expires", "2999-01-01", "--priority", "-1"]), &["from 0 to 1000, not -1"]);
    assert_eq!(grant(&["--priority", "5"]).exit, Some(2), "a priority without an expiry");
    let key = |arguments: &[&str]| grant(&[arguments, &["--key", "k"]].concat());
    assert_eq!(key(&["--expires", "2999-01-01"]).exit, Some(0));
    for other in [&["--expires", "2999-01-02"][..], &[], &["--expires", "2999-01-01", "--priority", "3"]] {
        refused(&key(other), &["this key was used for another grant"]);
    }
    let balance = json_of(folder.path(), &["ledger", "trial-balance", "--period", "open"]);
    assert_eq!(closing(&balance, "liabilities:wallet:*:grant"), json!("1000000"));
    verify(folder.path());
}

/// The closing balance of a line.
fn closing(balance: &Value, code: &str) -> Value {
    let rows = balance["accounts"].as_array().unwrap();
    rows.iter().find(|row| row["code"] == code).unwrap_or_else(|| panic!("no `{code}`: {balance}"))["closing_micros"]
        .clone()
}

fn a_period_is_closed_once_and_its_trial_balance_stays(kind: Kind) {
    let folder = Home::on(kind);
    json_of(folder.path(), &["account", "create", "--email", "ann@example.com", "--credits", "5"]);
    refused(&run(folder.path(), &["ledger", "close"]), &["period 1 is not over: it ends at 20", "now it is 20"]);
    refused(&run(folder.path(), &["ledger", "close", "--until", "soon"]), &["`until`", "`soon`"]);
    refused(
        &run(folder.path(), &["ledger", "close", "--until", "2020-01-01"]),
        &["period 1 would end before it starts"],
    );
    let future = from_now(DAY_US);
    refused(&run(folder.path(), &["ledger", "close", "--until", &future]), &["period 1 is not over", &future]);

    let until = from_now(0);
    let closed = json_of(folder.path(), &["ledger", "close", "--until", &until]);
    assert_eq!((&closed["period"], &closed["end"], &closed["state"]), (&json!(1), &json!(until), &json!("closed")));
    assert_eq!(closing(&closed, "liabilities:wallet"), json!("5000000"));
    assert_eq!(closing(&closed, "expenses:promo"), json!("-5000000"));
    refused(&run(folder.path(), &["ledger", "close", "--until", &until]), &["period 1 is closed already", &until]);
    refused(&run(folder.path(), &["ledger", "close", "--until", "2020-01-01"]), &["period 1 is closed already"]);
    json_of(folder.path(), &["account", "grant", "ann@example.com", "2", "--reason", "r"]);
    let kept = json_of(folder.path(), &["ledger", "trial-balance", "--period", "1"]);
    assert_eq!(kept, closed, "what came later changes nothing");
    let open = json_of(folder.path(), &["ledger", "trial-balance", "--period", "open"]);
    assert_eq!((&open["period"], &open["state"]), (&json!(2), &json!("open")));
    assert_eq!(closing(&open, "liabilities:wallet"), json!("7000000"));
    for nothing in ["2", "0", "1999-01", "x"] {
        let said = run(folder.path(), &["ledger", "trial-balance", "--period", nothing]);
        refused(&said, &[&format!("no period `{nothing}` is closed")]);
    }
    let people = run(folder.path(), &["ledger", "close", "--until", &from_now(0)]);
    assert!(people.exit == Some(0) && people.out.starts_with("closed period 2, from "), "{people:?}");
    assert!(people.out.lines().any(|line| line.contains("7000000") && line.ends_with("  liabilities:wallet")));
    verify(folder.path());

    // Beside a running server, which carries the command out on SQLite.
    let server = Server::start(folder.path());
    let third = json_of(folder.path(), &["ledger", "close", "--until", &from_now(0)]);
    assert_eq!(third["period"], json!(3));
    let shown = json_of(folder.path(), &["ledger", "trial-balance", "--period", "3"]);
    assert_eq!(shown, third);
    assert_eq!(server.stop(), Some(0));
    verify(folder.path());
}
