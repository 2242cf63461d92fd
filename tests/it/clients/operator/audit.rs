//! The audit trail: whatever somebody changes from the command line or over HTTP is told there, with who, how and why.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::{
    home::{Home, Kind},
    on_both_databases,
    patience::wait_until,
    program::folder,
    server::{ALICE, Server, config, tool},
    upstream::Upstream,
};

use super::{json_of, run, verify};
use crate::rows;

on_both_databases!(
    a_change_is_told_with_who_how_why_and_what_was,
    the_trail_can_be_read_in_pages_and_by_every_filter,
    guessing_passwords_does_not_fill_the_trail,
    every_kind_of_damage_to_the_trail_is_found,
);

/// The whole trail, the oldest row first.
fn trail(home: &Home) -> Vec<Value> {
    let mut rows = json_of(home.path(), &["audit", "list", "--limit", "1000"])["audit"].as_array().unwrap().clone();
    rows.reverse();
    rows
}

/// Of a row: action, actor, method.
fn gist(row: &Value) -> (&str, &str, &str) {
    (row["action"].as_str().unwrap(), row["actor"]["kind"].as_str().unwrap(), row["method"].as_str().unwrap())
}

fn start(home: &Home, upstream: &Upstream) -> Server {
    let limits = "limits: {login_per_address_per_min: 1000, login_per_account_per_min: 1000},";
    Server::start(home.path(), &config(&tool("t", &upstream.url("/t"), 5, "success", 5_000), "", limits))
}

/// What [`act`] did.
struct Acts {
    /// Made by the operator.
    carol: Value,
    /// A grant to her.
    grant: Value,
    /// Signed up.
    dave: Value,
    /// His link, his session, a token that he made and revoked, and his purchase.
    link: String,
    session: String,
    token: String,
    purchase: String,
}

/// Lets an operator, a stranger and a customer change all that they can.
fn act(home: &Home, server: &Server) -> Acts {
    let path = home.path();
    let carol = json_of(path, &["account", "create", "--email", "carol@example.com", "--credits", "5"]);
    let order = ["account", "grant", "carol@example.com", "1.5", "--reason", "a \"good\" one", "--key", "g"];
    let grant = json_of(path, &order);
    assert_eq!(json_of(path, &order)["replayed"], json!(true), "a replay changes nothing, so nothing is told");
    assert_eq!(run(path, &["account", "grant", "x@example.com", "1", "--reason", "r"]).exit, Some(1), "nor here");

    let signed = server.send("POST", "/auth/agent-signup", &[], r#"{"email": "dave@example.com"}"#);
    assert_eq!(signed.status, 201, "{}", signed.body);
    let link = signed.json["login_url"].as_str().unwrap().rsplit_once('/').unwrap().1.to_owned();
    let form = "password=correct+horse+battery+staple+9&again=correct+horse+battery+staple+9";
    let set = server.send("POST", &format!("/auth/link/{link}"), &[], form);
    assert_eq!(set.status, 200, "{}", set.body);
    let login = r#"{"email": "dave@example.com", "password": "correct horse battery staple 9"}"#;
    let session = server.send("POST", "/auth/login", &[], login).json["access_token"].as_str().unwrap().to_owned();

    let as_dave = format!("Bearer {session}");
    let made = server.send("POST", "/tokens/", &[("authorization", &as_dave)], r#"{"name": "n"}"#).json;
    let token = made["id"].as_str().unwrap().to_owned();
    let gone = server.send("DELETE", &format!("/tokens/{token}"), &[("authorization", &as_dave)], "");
    assert_eq!(gone.status, 204, "{}", gone.body);
    let by_token = format!("Bearer {}", signed.json["token"].as_str().unwrap());
    let bought = server.send("POST", "/credits/purchase", &[("authorization", &by_token)], r#"{"credits": 3}"#);
    let purchase = bought.json["purchase_id"].as_str().unwrap().to_owned();
    json_of(path, &["purchase", "confirm", &purchase]);
    let mailed = server.send("POST", "/auth/resend-verification", &[("authorization", &by_token)], "");
    assert_eq!(mailed.status, 200, "{}", mailed.body);
    Acts { carol, grant, dave: signed.json, link, session, token, purchase }
}

fn a_change_is_told_with_who_how_why_and_what_was(kind: Kind) {
    let (home, upstream) = (Home::on(kind), Upstream::answering("{}"));
    let server = start(&home, &upstream);
    let imported = trail(&home);
    let first: BTreeSet<_> = imported.iter().map(gist).collect();
    let actions = ["catalog.import", "grant.create", "policy.publish", "price.set", "token.create"];
    assert_eq!(first, actions.map(|action| (action, "system", "system")).into());

    // A paid call leaves its trace in the books.
    assert_eq!(server.invoke(ALICE, "t", r#"{"arguments": {}, "idempotency_key": "k"}"#).status, 200);
    assert_eq!(trail(&home).len(), imported.len());

    let acts = act(&home, &server);
    let rows = trail(&home);
    let told: Vec<_> = rows[imported.len()..].iter().map(gist).collect();
    // Beside a file the running server carries commands out; beside a server of a database the command does.
    let how = if kind == Kind::Sqlite { "socket" } else { "command_line" };
    let expected = [
        ("account.create", "operator", how),
        ("token.create", "operator", how),
        ("grant.create", "operator", how),
        ("grant.create", "operator", how),
        ("account.sign_up", "stranger", "none"),
        ("token.create", "stranger", "none"),
        ("account.set_password", "account", "login_link"),
        ("account.sign_in", "account", "password"),
        ("token.create", "account", "session"),
        ("token.revoke", "account", "session"),
        ("purchase.create", "account", "token"),
        ("purchase.confirm", "operator", how),
        ("account.resend_verification", "account", "token"),
    ];
    let in_order = |mut told: Vec<(&'static str, &'static str, &'static str)>| {
        told.sort_unstable();
        told
    };
    // The chains of several slots are one list only by their times.
    let told: Vec<_> = expected.iter().copied().filter(|wanted| told.contains(wanted)).collect();
    assert_eq!(in_order(told), in_order(expected.to_vec()));
    assert_eq!(rows.len() - imported.len(), expected.len(), "{rows:#?}");
    check_details(&rows, &acts);
    verify(home.path());
}

fn check_details(rows: &[Value], acts: &Acts) {
    let find = |action: &str, object: &Value| {
        let found = rows.iter().find(|row| row["action"] == action && row["object"]["id"] == *object);
        found.unwrap_or_else(|| panic!("{action} {object} is not told: {rows:#?}"))
    };
    let grant = find("grant.create", &acts.grant["grant"]);
    assert_eq!(grant["reason"], json!("a \"good\" one"));
    assert_eq!(grant["after"], json!({"account": acts.carol["account"], "credits": "1.5"}));
    assert!(grant["actor"]["id"].as_str().unwrap().starts_with("uid:"), "{grant}");
    let dave = &acts.dave["account_id"];
    let set = find("account.set_password", dave);
    assert_eq!((&set["before"]["has_password"], &set["after"]["has_password"]), (&json!(false), &json!(true)));
    assert_eq!((&set["after"]["verified"], &set["actor"]["id"]), (&json!(false), dave), "a shown link");
    let revoked = find("token.revoke", &json!(acts.token));
    assert_eq!((&revoked["before"]["active"], &revoked["after"]["active"]), (&json!(true), &json!(false)));
    assert_eq!(find("purchase.create", &json!(acts.purchase))["credential"], acts.dave["token_id"]);
    let paid = find("purchase.confirm", &json!(acts.purchase));
    assert_eq!((&paid["before"]["status"], &paid["after"]["status"]), (&json!("pending"), &json!("confirmed")));
    // What one request does is told as one request.
    let requests: BTreeSet<&str> = rows.iter().filter_map(|row| row["request"].as_str()).collect();
    assert_eq!(requests.len(), 10, "{requests:?}");
    let signed_up = find("account.sign_up", dave)["request"].as_str().unwrap();
    assert!(signed_up.starts_with("req_"), "{signed_up}");

    // No secret, and nobody's address.
    let all = json!(rows).to_string();
    let tokens = [&acts.carol["token"], &acts.dave["token"]].map(|token| token.as_str().unwrap());
    for secret in [ALICE, tokens[0], tokens[1], &acts.session, &acts.link, "battery", "@example.com"] {
        assert!(!all.contains(secret), "the trail tells `{secret}`");
    }
}

fn the_trail_can_be_read_in_pages_and_by_every_filter(kind: Kind) {
    let home = Home::on(kind);
    let path = home.path();
    for number in 0..7 {
        let email = format!("a{number}@example.com");
        json_of(path, &["account", "create", "--email", &email, "--credits", "1"]);
    }
    let all = json_of(path, &["audit", "list"]);
    let rows = all["audit"].as_array().unwrap();
    assert!(all["next"].is_null() && rows.len() == 21, "{all}");

    let (mut pages, mut after): (Vec<Value>, Option<String>) = (Vec::new(), None);
    loop {
        let mut arguments = vec!["audit", "list", "--limit", "4"];
        if let Some(after) = &after {
            arguments.extend(["--after", after]);
        }
        let page = json_of(path, &arguments);
        assert!(page["audit"].as_array().unwrap().len() <= 4);
        pages.extend(page["audit"].as_array().unwrap().iter().cloned());
        after = page["next"].as_str().map(str::to_owned);
        if after.is_none() {
            break;
        }
    }
    assert_eq!(&pages, rows, "page by page the same rows in the same order");

    let count = |arguments: &[&str]| {
        json_of(path, &[&["audit", "list"], arguments].concat())["audit"].as_array().unwrap().len()
    };
    let account = rows.iter().find(|row| row["object"]["kind"] == "account").unwrap()["object"]["id"].as_str().unwrap();
    let middle = rows[10]["at"].as_str().unwrap();
    for (arguments, wanted) in [
        (vec!["--action", "account.create"], 7),
        (vec!["--action", "account"], 7),
        (vec!["--action", "acc"], 0),
        (vec!["--actor", "operator"], 21),
        (vec!["--actor", "system"], 0),
        (vec!["--object", "token"], 7),
        (vec!["--object", account], 1),
        (vec!["--from", "2000-01-01T00:00:00Z", "--to", "2001-01-01T00:00:00Z"], 0),
    ] {
        assert_eq!(count(&arguments), wanted, "{arguments:?}");
    }
    assert_eq!(count(&["--from", middle]) + count(&["--to", middle]), 21, "from is in, to is out");
    for (arguments, part) in [
        (vec!["--from", "2026-01-02T00:00:00Z", "--to", "2026-01-01T00:00:00Z"], "ends before it begins"),
        (vec!["--from", "yesterday"], "yesterday"),
        (vec!["--after", "1.2"], "no place in the audit trail"),
        (vec!["--limit", "0"], "0"),
    ] {
        let said = run(path, &[&["audit", "list"], &*arguments].concat());
        assert!(said.exit == Some(2) && said.errors.contains(part), "{said:?}");
    }
    let text = run(path, &["audit", "list", "--limit", "1"]);
    assert!(text.out.contains("grant.create") && text.out.contains("older rows: --after "), "{text:?}");
}

fn guessing_passwords_does_not_fill_the_trail(kind: Kind) {
    const GUESSES: usize = 20;
    let (home, upstream) = (Home::on(kind), Upstream::answering("{}"));
    let server = start(&home, &upstream);
    let before = trail(&home).len();
    // Nobody's address, so that every guess is looked at.
    for number in 0..GUESSES {
        let body = json!({"email": format!("x{number}@example.com"), "password": "a guess"}).to_string();
        assert_eq!(server.send("POST", "/auth/login", &[], &body).status, 401);
    }
    let wrong = r#"{"email": "alice@example.com", "password": "a guess"}"#;
    assert_eq!(server.send("POST", "/auth/login", &[], wrong).status, 401);
    let failures = || -> Vec<Value> {
        trail(&home).into_iter().skip(before).filter(|row| row["action"] == "account.sign_in_failed").collect()
    };
    // They are told behind the answers.
    let (seen, _) = wait_until("both kinds of failures are told", || Some(failures()).filter(|rows| rows.len() == 2));
    assert!(seen.iter().all(|row| gist(row) == ("account.sign_in_failed", "stranger", "password")), "{seen:?}");
    assert_eq!(server.stop(), Some(0));
    let told = failures();
    let sum: u64 = told.iter().map(|row| row["after"]["failures"].as_u64().unwrap()).sum();
    assert_eq!(sum, u64::try_from(GUESSES).unwrap() + 1, "every guess is counted: {told:#?}");
    assert!(told.len() <= 4, "{} rows", told.len());
    assert!(!json!(told).to_string().contains("example.com"), "what strangers type is not kept");
    verify(home.path());
}

/// Changes rows that nothing may change.
fn tamper(home: &Home, sql: &str) {
    let unlocked = match home.database() {
        Some(_) => format!("SET session_replication_role = replica; {sql}"),
        None => format!("DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete; {sql}"),
    };
    match home.database() {
        Some(database) => drop(database.query_as_superuser(&unlocked).unwrap()),
        None => rows::change_home(home, &unlocked),
    }
}

fn every_kind_of_damage_to_the_trail_is_found(kind: Kind) {
    for (sql, found) in [
        ("UPDATE audit SET after_json = '{}' WHERE seq = 2", "leaf_mismatch"),
        ("UPDATE audit SET reason = 'another' WHERE seq = 2", "leaf_mismatch"),
        ("UPDATE audit SET actor_id = 'uid:0x' WHERE seq = 2", "leaf_mismatch"),
        ("DELETE FROM audit WHERE seq = 2", "gap"),
        ("DELETE FROM audit WHERE seq = 1", "gap"),
        ("DELETE FROM audit WHERE seq >= 3", "head_mismatch"),
        ("DELETE FROM audit", "head_mismatch"),
        ("UPDATE audit_head SET seq = 1 WHERE seq > 0", "head_mismatch"),
    ] {
        let home = Home::on(kind);
        json_of(home.path(), &["account", "create", "--email", "a@example.com", "--credits", "1"]);
        json_of(home.path(), &["account", "grant", "a@example.com", "1", "--reason", "r"]);
        verify(home.path());
        tamper(&home, sql);
        let said = run(home.path(), &["ledger", "verify", "--json"]);
        let report = said.json();
        assert_eq!((said.exit, &report["ok"]), (Some(5), &json!(false)), "{sql}: {report}");
        let kinds: Vec<&str> =
            report["problems"].as_array().unwrap().iter().map(|p| p["kind"].as_str().unwrap()).collect();
        assert!(kinds.contains(&found), "{sql}: {report}");
    }
}

#[test]
fn the_trail_is_appended_to_and_never_changed() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let home = Home::on(kind);
        json_of(home.path(), &["account", "create", "--email", "a@example.com"]);
        for sql in ["UPDATE audit SET reason = 'x'", "DELETE FROM audit", "DELETE FROM audit_head"] {
            let refused = match home.database() {
                Some(database) => database.query_as_superuser(sql).unwrap_err(),
                None => rows::connect(&home.file()).execute_batch(sql).unwrap_err().to_string(),
            };
            assert!(refused.contains("append-only") || refused.contains("stays"), "{kind:?}: {sql}: {refused}");
        }
        verify(home.path());
    }
}

#[test]
fn without_a_database_nothing_is_read_and_none_is_made() {
    let folder = folder();
    for arguments in [
        &["ledger", "verify"][..],
        &["ledger", "trial-balance", "--period", "open"],
        &["ledger", "export", "--format", "csv", "--out", "books.csv"],
        &["ledger", "books", "--out", "books.jsonl"],
        &["ledger", "receipt", "inv_00000000000000000000000000000000"],
        &["operator", "list"],
        &["audit", "list"],
    ] {
        let said = run(folder.path(), arguments);
        assert_eq!(said.exit, Some(4), "{arguments:?}: {said:?}");
        let made = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(made, 0, "{arguments:?}");
    }
}
