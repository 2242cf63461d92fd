//! `account create`, `account grant`, `purchase confirm` and `apply`.

use std::path::Path;

use serde_json::{Value, json};
use tests::{
    home::{Home, Kind},
    on_both_databases,
    patience::Ends as _,
    program::{Demo, Server, configure, curl, folder},
};

use super::{json_of, run, verify};

on_both_databases!(
    a_new_account_pays_at_once_and_a_grant_is_given_once_per_key,
    a_bought_amount_is_credited_when_an_operator_confirms_it_and_only_then,
    a_command_says_and_does_the_same_with_and_without_a_server,
    commands_that_race_for_the_writer_s_place_all_get_their_turn,
    a_catalog_of_thousands_of_partners_is_applied_at_once,
);

fn bearer(token: &Value) -> String {
    format!("Authorization: Bearer {}", token.as_str().unwrap())
}

fn a_new_account_pays_at_once_and_a_grant_is_given_once_per_key(kind: Kind) {
    let folder = Home::on(kind);
    let demo = Demo::start(folder.path());
    let made = json_of(folder.path(), &["account", "create", "--email", "Ann@Example.com", "--credits", "5"]);
    assert_eq!((&made["email"], &made["credits"]), (&json!("ann@example.com"), &json!(5)));

    let url = format!("{}/invoke/demo/text_stats", demo.base_url());
    let paid = curl(&url, &["-H", &bearer(&made["token"]), "-d", r#"{"arguments": {"text": "one"}}"#]);
    assert_eq!((paid.status, &paid.json["credits_remaining"]), (200, &json!(2.5)), "{}", paid.body);

    let grant = ["account", "grant", "ann@example.com", "0.000001", "--reason", "sorry", "--key", "g1"];
    let first = json_of(folder.path(), &grant);
    assert_eq!((&first["replayed"], &first["available"]), (&json!(false), &json!(2.500_001)));
    let id = made["account"].as_str().unwrap();
    let again = json_of(folder.path(), &["account", "grant", id, "0.000001", "--reason", "sorry", "--key", "g1"]);
    assert_eq!((&again["replayed"], &again["grant"]), (&json!(true), &first["grant"]));
    assert_eq!(again["available"], json!(2.500_001));
    let without_key = ["account", "grant", id, "1", "--reason", "more"];
    assert_ne!(json_of(folder.path(), &without_key)["grant"], json_of(folder.path(), &without_key)["grant"]);
    let balance = curl(&format!("{}/credits/balance", demo.base_url()), &["-H", &bearer(&made["token"])]);
    assert_eq!(balance.json["available"], json!(4.500_001));
    verify(folder.path());
}

fn a_bought_amount_is_credited_when_an_operator_confirms_it_and_only_then(kind: Kind) {
    let folder = Home::on(kind);
    configure(folder.path(), &json!({}));
    let server = Server::start(folder.path());
    let made = json_of(folder.path(), &["account", "create", "--email", "buyer@example.com"]);
    let header = bearer(&made["token"]);
    let get = |path: &str| curl(&format!("{}{path}", server.base_url()), &["-H", &header]);
    let bought =
        curl(&format!("{}/credits/purchase", server.base_url()), &["-H", &header, "-d", r#"{"credits": 12.5}"#]);
    assert_eq!((bought.status, &bought.json["status"]), (201, &json!("pending")), "{}", bought.body);
    assert_eq!(get("/credits/balance").json["available"], json!(0));

    let id = bought.json["purchase_id"].as_str().unwrap();
    let confirmed = json_of(folder.path(), &["purchase", "confirm", id]);
    assert_eq!((&confirmed["status"], &confirmed["available"]), (&json!("confirmed"), &json!(12.5)));
    assert_eq!(get("/credits/balance").json["available"], json!(12.5));
    let again = run(folder.path(), &["purchase", "confirm", id]);
    assert!(again.exit == Some(1) && again.errors.contains("confirmed already"), "{again:?}");
    assert_eq!(get("/credits/balance").json["available"], json!(12.5));
    verify(folder.path());
}

/// The same commands, one after the other, each with what it ends with and a part of what it says.
const STORY: [(&[&str], i32, &str); 19] = [
    (&["account", "create", "--email", "a@example.com", "--credits", "12.5"], 0, "with 12.5 credits"),
    (&["account", "create", "--email", "A@example.com"], 1, "an account with this email address exists"),
    (&["account", "create", "--email", "nobody"], 1, "`email` is not an email address"),
    (
        &["account", "create", "--email", "b@example.com", "--credits", "1.0000001"],
        1,
        "`credits` must have at most six",
    ),
    (&["account", "create", "--email", "b@example.com", "--credits", "-1"], 1, "`credits` must not be negative"),
    (&["account", "create", "--email", "b@example.com", "--credits", "1e3"], 1, "`credits` must not have an exponent"),
    (&["account", "create", "--email", "b@example.com", "--token-name", ""], 1, "a token's name is one line"),
    (&["account", "create"], 2, "--email"),
    (&["account", "grant", "a@example.com", "7", "--reason", "r", "--key", "k"], 0, "who has 19.5"),
    (&["account", "grant", "a@example.com", "7", "--reason", "r", "--key", "k"], 0, "nothing was changed"),
    (
        &["account", "grant", "a@example.com", "8", "--reason", "r", "--key", "k"],
        1,
        "this key was used for another grant",
    ),
    (&["account", "grant", "a@example.com", "0", "--reason", "r"], 1, "`credits` must be more than 0"),
    (&["account", "grant", "a@example.com", "ten", "--reason", "r"], 1, "must be a plain decimal number"),
    (&["account", "grant", "a@example.com", "9999999999999", "--reason", "r"], 1, "`credits` is out of range"),
    (&["account", "grant", "a@example.com", "1", "--reason", " "], 1, "`reason` is one line of 1 to 200"),
    (&["account", "grant", "c@example.com", "1", "--reason", "r"], 1, "there is no account `c@example.com`"),
    (&["account", "grant", "acc_1", "1", "--reason", "r"], 1, "`acc_1` is not an identifier"),
    (&["purchase", "confirm", "pur_00000000000000000000000000000000"], 1, "there is no such purchase"),
    (&["purchase", "confirm", "acc_00000000000000000000000000000000"], 1, "of the form `pur_`"),
];

/// Runs the story; what is said, without what differs from run to run.
fn tell(folder: &Path) -> Vec<(String, String)> {
    let mut told = Vec::new();
    for (arguments, exit, part) in STORY {
        let said = run(folder, arguments);
        let all = format!("{}{}", said.out, said.errors);
        assert!(said.exit == Some(exit) && all.contains(part), "{arguments:?}: {said:?}");
        let hide = |text: &str| {
            let words = text.split_whitespace();
            let hidden =
                words.map(|word| if word.starts_with("faro_") || word.starts_with("acc_") { "…" } else { word });
            hidden.collect::<Vec<_>>().join(" ")
        };
        told.push((hide(&said.out), hide(&said.errors)));
    }
    told
}

fn a_command_says_and_does_the_same_with_and_without_a_server(kind: Kind) {
    let (with, without) = (Home::on(kind), Home::on(kind));
    configure(with.path(), &json!({}));
    let server = Server::start(with.path());
    let beside = tell(with.path());
    assert_eq!(server.stop(), Some(0));
    let alone = tell(without.path());
    assert_eq!(beside, alone);
    for folder in [with.path(), without.path()] {
        verify(folder);
        let balance = json_of(folder, &["account", "grant", "a@example.com", "1", "--reason", "r"]);
        assert_eq!(balance["available"], json!(20.5));
    }
}

fn commands_that_race_for_the_writer_s_place_all_get_their_turn(kind: Kind) {
    let folder = Home::on(kind);
    json_of(folder.path(), &["account", "create", "--email", "a@example.com"]);
    let path = folder.path();
    std::thread::scope(|scope| {
        for number in 0..6 {
            let key = format!("k{}", number / 2);
            let grant = move || run(path, &["account", "grant", "a@example.com", "1", "--reason", "r", "--key", &key]);
            scope.spawn(move || assert_eq!(grant().exit, Some(0)));
        }
    });
    // Six commands, three keys, and this one.
    let last = json_of(folder.path(), &["account", "grant", "a@example.com", "1", "--reason", "r"]);
    assert_eq!(last["available"], json!(4));
    verify(folder.path());
}

fn catalog(tool: &str) -> Value {
    json!({"catalog": {"publishers": [{"id": "acme", "display_name": "Acme", "share_bps": 8000, "namespaces": [
        {"name": "acme", "description": "costs $${5} and ${WORD}", "tools": [
            {"name": tool, "upstream": {"kind": "http", "url": "http://127.0.0.1:9/"},
             "pricing": {"pricing_mode": "fixed_per_request", "fixed_credit_cost": 0.5}}]}]}]}})
}

#[test]
fn an_applied_catalog_is_in_force_at_once_in_the_running_server() {
    let folder = folder();
    configure(folder.path(), &json!({}));
    let server = Server::start(folder.path());
    let token = json_of(folder.path(), &["account", "create", "--email", "a@example.com"])["token"].clone();
    let call = || {
        let url = format!("{}/invoke/acme/note_add", server.base_url());
        curl(&url, &["-H", &bearer(&token), "-d", "{}"])
    };
    assert_eq!(call().status, 404);
    let path = folder.path();
    std::fs::write(path.join("new.json5"), catalog("note_add").to_string()).unwrap();
    let apply = |more: &[&str]| {
        let mut command = tests::program::tollgate(path, &[&["apply", "new.json5"], more].concat());
        super::Said::from(command.env("WORD", "more").ended().unwrap())
    };
    let everything = "create publisher:acme\ncreate namespace:acme\ncreate tool:acme/note_add\n";
    assert_eq!(apply(&["--plan"]).out, everything);
    assert_eq!(call().status, 404, "a plan changes nothing");
    assert_eq!(apply(&[]).out, everything);
    let refused = call();
    assert_eq!((refused.status, &refused.json["error"]["needed"]), (402, &json!(0.5)), "{}", refused.body);
    assert_eq!(apply(&[]).out, "nothing to change\n");
    assert_eq!(apply(&["--json"]).json(), json!({"applied": true, "changes": [], "policy": null}));
    assert_eq!(apply(&["--plan", "--json"]).json(), json!({"applied": false, "changes": [], "policy": null}));

    std::fs::write(path.join("new.json5"), catalog("bad name").to_string()).unwrap();
    let wrong = apply(&[]);
    assert!(wrong.exit == Some(3) && wrong.errors.contains("new.json5:1:"), "{wrong:?}");
}

fn a_catalog_of_thousands_of_partners_is_applied_at_once(kind: Kind) {
    let folder = Home::on(kind);
    let partners: Vec<_> = (0..3_000).map(|n| json!({"name": format!("Partner {n}"), "grant_credits": 1})).collect();
    configure(folder.path(), &json!({"catalog": {"partners": partners}}));
    let applied = json_of(folder.path(), &["apply", "tollgate.json5"]);
    assert_eq!(applied["changes"].as_array().unwrap().len(), 3_000);
    verify(folder.path());
}
