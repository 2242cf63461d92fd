//! The policy's versions: kept, published, taken back, and followed by every server.

mod file;
mod hammered;
mod memory;
mod replay;

use std::path::Path;

use serde_json::{Value, json};
use tests::{
    home::{Home, Kind},
    on_both_databases,
    patience::wait_until,
    postgres::OWNER,
    program::{Answer, Server, configure},
    upstream::Upstream,
    wire,
};

use super::{Said, json_of, run};
use crate::rows;

on_both_databases!(
    versions_are_kept_published_and_taken_back_beside_a_server_and_without_one,
    what_makes_no_sense_is_refused_with_every_problem,
    a_text_never_changes_and_only_one_version_is_in_force,
    a_publication_is_followed_by_every_server,
    a_version_that_cannot_be_used_never_replaces_one_that_can,
);

/// The gateway's token.
const TOKEN: &str = "key-Maple-73";
/// The token of a customer.
const ALICE: &str = "faro_alice-00000000";
/// The tools of the namespace `acme`. Each of the two policies allows one and denies the other.
const TOOLS: [&str; 2] = ["left", "right"];

/// A policy for both endpoints that denies one of the [`TOOLS`]: a document, and its Cedar text in a file beside it.
fn policy_without(folder: &Path, denied: &str) -> Value {
    let cedar = format!(
        "@id(\"no.{denied}\") @reason(\"Not now.\")
         forbid (principal, action == Action::\"invokeMarketplace\", resource) when {{ resource.name == \"acme/{denied}\" }};"
    );
    let file = format!("without-{denied}.cedar");
    std::fs::write(folder.join(&file), cedar).unwrap();
    json!({"agents": {"list": [{"id": "a"}, {"id": "b"}]}, "tools": {"deny": [denied]}, "operator_policies": file})
}

/// The same, in a file for `policy draft`.
fn policy_file(folder: &Path, denied: &str) -> String {
    let file = format!("without-{denied}.json5");
    std::fs::write(folder.join(&file), policy_without(folder, denied).to_string()).unwrap();
    file
}

/// Writes a configuration with the [`TOOLS`] and this policy, and `gateway` beside its credential.
fn configure_with(folder: &Path, upstream: &Upstream, policy: &Value, gateway: &Value) {
    let tool = |name: &str| {
        json!({
            "name": name,
            "input_schema": {"type": "object"},
            "upstream": {"kind": "http", "url": upstream.url("/"), "timeout_ms": 20_000},
        })
    };
    let namespace = json!({"name": "acme", "description": "x", "tools": TOOLS.map(tool)});
    let account = json!({"email": "alice@example.com", "verified": true, "tokens": [{"name": "cli", "token": ALICE}]});
    let mut configuration = json!({
        "allow_fixture_secrets": true,
        "egress": {"allow_private": true},
        "gateway": gateway,
        "catalog": {
            "publishers": [{"id": "acme", "display_name": "Acme", "share_bps": 8000, "namespaces": [namespace]}],
            "accounts": [account],
        },
    });
    configuration["gateway"]["auth"] = json!({"mode": "token", "token": TOKEN});
    for (name, section) in policy.as_object().unwrap() {
        configuration[name] = section.clone();
    }
    configure(folder, &configuration);
}

fn send(server: &Server, path: &str, token: &str, body: &Value) -> Answer {
    let bearer = format!("Bearer {token}");
    let bytes = wire::request("POST", path, &[("authorization", &bearer)], &body.to_string());
    wire::send(server.address().parse().unwrap(), bytes.as_bytes()).unwrap()
}

/// Which of the [`TOOLS`] both endpoints deny; they must agree.
fn denied(server: &Server) -> &'static str {
    let statuses = TOOLS.map(|tool| {
        let on_gateway = send(server, "/tools/invoke", TOKEN, &json!({"tool": tool})).status;
        let on_marketplace = send(server, &format!("/invoke/acme/{tool}"), ALICE, &json!({})).status;
        (on_gateway, on_marketplace)
    });
    match statuses {
        [(404, 403), (200, 200)] => TOOLS[0],
        [(200, 200), (404, 403)] => TOOLS[1],
        other => panic!("no policy of these tests answers like this: {other:?}"),
    }
}

/// Waits where a change has to come from another process.
fn wait_until_denied(server: &Server, tool: &str) {
    wait_until("the new policy is in force", || {
        let status = send(server, "/tools/invoke", TOKEN, &json!({"tool": tool})).status;
        (status == 404).then_some(())
    });
    assert_eq!(denied(server), tool);
}

/// Number, state and note of every version, newest first.
fn listed(folder: &Path) -> Vec<(i64, String, String)> {
    let list = json_of(folder, &["policy", "list"]);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let versions = list["policies"].as_array().unwrap().iter();
    versions.map(|one| (one["number"].as_i64().unwrap(), text(&one["state"]), text(&one["note"]))).collect()
}

fn states(folder: &Path) -> Vec<(i64, String)> {
    listed(folder).into_iter().map(|(number, state, _)| (number, state)).collect()
}

fn are(found: &[(i64, String)], wanted: &[(i64, &str)]) -> bool {
    found.iter().map(|(number, state)| (*number, state.as_str())).eq(wanted.iter().copied())
}

fn versions_are_kept_published_and_taken_back_beside_a_server_and_without_one(kind: Kind) {
    let (home, upstream) = (Home::on(kind), Upstream::answering("{}"));
    let folder = home.path();
    configure_with(folder, &upstream, &policy_without(folder, "left"), &json!({}));
    let server = Server::start(folder);
    assert_eq!(denied(&server), "left");
    let first = json_of(folder, &["policy", "list"]);
    let first = &first["policies"][0];
    assert_eq!((&first["number"], &first["state"], &first["author"]), (&json!(1), &json!("published"), &json!("file")));

    let file = policy_file(folder, "right");
    let kept = json_of(folder, &["policy", "draft", &file, "--note", "other way round", "--author", "Ann"]);
    assert_eq!((&kept["number"], &kept["state"], &kept["author"]), (&json!(2), &json!("draft"), &json!("Ann")));
    assert_eq!((&kept["note"], &kept["published_at"]), (&json!("other way round"), &Value::Null));
    assert_eq!(denied(&server), "left", "a draft changes nothing");
    let published = json_of(folder, &["policy", "publish", "2"]);
    assert_eq!((&published["state"], &published["replaces"]), (&json!("published"), &json!(1)));
    wait_until_denied(&server, "right");
    let back = json_of(folder, &["policy", "rollback"]);
    assert_eq!((&back["number"], &back["note"]), (&json!(3), &json!("rollback to version 1")));
    wait_until_denied(&server, "left");
    assert_eq!((&back["sha256"], &back["replaces"]), (&first["sha256"], &json!(2)), "the same text again");

    // The call knows by which version it was decided.
    let call = send(&server, "/invoke/acme/right", ALICE, &json!({}));
    let id = call.header("x-tollgate-invocation-id").unwrap();
    let recorded = wait_until("the call is recorded", || {
        let found = tests::program::curl(
            &format!("{}/invocations/{id}", server.base_url()),
            &["-H", &format!("Authorization: Bearer {ALICE}")],
        );
        found.json["policy_version"].as_str().map(str::to_owned)
    });
    let (number, digits) = recorded.0.split_once('-').unwrap();
    assert!(number == "3" && digits.len() == 16, "{recorded:?}");
    assert_eq!(server.stop(), Some(0));

    // Without a server the commands say and do the same.
    assert_eq!(json_of(folder, &["policy", "rollback"])["note"], json!("rollback to version 2"));
    assert_eq!(json_of(folder, &["policy", "draft", &file])["number"], json!(5));
    assert_eq!(json_of(folder, &["policy", "publish", "5"])["replaces"], json!(4));
    assert_eq!(json_of(folder, &["policy", "rollback", "3", "--author", "Bob"])["author"], json!("Bob"));
    let wanted = [(6, "published"), (5, "retired"), (4, "retired"), (3, "retired"), (2, "retired"), (1, "retired")];
    assert!(are(&states(folder), &wanted), "{:?}", listed(folder));
    assert_eq!(
        json_of(folder, &["policy", "list", "--limit", "2", "--before", "4"])["policies"][1]["number"],
        json!(2)
    );
    let text = run(folder, &["policy", "list"]);
    assert!(text.out.contains("rollback to version 3") && text.out.lines().count() == 6, "{text:?}");
    assert_eq!(denied(&Server::start(folder)), "left", "the database leads");
}

fn refused(said: &Said, exit: i32, parts: &[&str]) {
    assert_eq!(said.exit, Some(exit), "{said:?}");
    for part in parts {
        assert!(said.errors.contains(part), "`{part}`: {said:?}");
    }
}

fn what_makes_no_sense_is_refused_with_every_problem(kind: Kind) {
    let (home, upstream) = (Home::on(kind), Upstream::answering("{}"));
    let folder = home.path();
    configure_with(folder, &upstream, &policy_without(folder, "left"), &json!({}));
    let server = Server::start(folder);
    std::fs::write(folder.join("bad.cedar"), "forbid (principal, action, resource);").unwrap();
    let bad = json!({
        "tools": {"profile": "nothing"},
        "agents": {"list": [{"id": "a", "tools": {"allow": 5}}]},
        "operator_policies": "bad.cedar",
    });
    std::fs::write(folder.join("bad.json5"), bad.to_string()).unwrap();
    std::fs::write(folder.join("broken.json5"), "{tools: ").unwrap();
    let file = policy_file(folder, "right");
    let beside = |server: Option<&Server>| {
        let problems = ["tools.profile", "agents.list[0].tools.allow", "`@id`", "`@reason`"];
        refused(&run(folder, &["policy", "draft", "bad.json5"]), 1, &problems);
        refused(&run(folder, &["policy", "draft", "broken.json5"]), 3, &["broken.json5"]);
        refused(&run(folder, &["policy", "draft", "nowhere.json5"]), 3, &["there is no such file"]);
        refused(&run(folder, &["policy", "draft", &file, "--author", ""]), 1, &["`author` is one line"]);
        refused(&run(folder, &["policy", "draft", &file, "--note", "a\nb"]), 1, &["`note` is one line"]);
        refused(&run(folder, &["policy", "publish", "99"]), 1, &["there is no version 99"]);
        refused(&run(folder, &["policy", "publish", "1"]), 1, &["version 1 is in force"]);
        refused(&run(folder, &["policy", "publish", "one"]), 2, &["one"]);
        refused(&run(folder, &["policy", "rollback"]), 1, &["there is no version to go back to"]);
        refused(&run(folder, &["policy", "rollback", "1"]), 1, &["version 1 is in force"]);
        if let Some(server) = server {
            assert_eq!(denied(server), "left");
        }
        assert!(are(&states(folder), &[(1, "published")]), "nothing was kept: {:?}", listed(folder));
    };
    beside(Some(&server));
    assert_eq!(server.stop(), Some(0));
    beside(None);

    json_of(folder, &["policy", "draft", &file]);
    refused(&run(folder, &["policy", "rollback", "2"]), 1, &["version 2 was never in force"]);
    json_of(folder, &["policy", "publish", "2"]);
    refused(&run(folder, &["policy", "publish", "1"]), 1, &["`policy rollback 1`"]);
}

/// What is odd about a policy is said, and does not stop it.
#[test]
fn warnings_are_printed_with_the_number() {
    let (home, upstream) = (Home::on(Kind::Sqlite), Upstream::answering("{}"));
    let folder = home.path();
    configure_with(folder, &upstream, &json!({}), &json!({}));
    std::fs::write(folder.join("odd.json5"), r#"{"tools": {"deny": ["nobody_has_this"]}}"#).unwrap();
    let said = run(folder, &["policy", "draft", "odd.json5"]);
    assert!(
        said.exit == Some(0) && said.out.contains("warning: `tools.deny`") && said.out.contains("draft 1"),
        "{said:?}"
    );
    let kept = json_of(folder, &["policy", "draft", "odd.json5"]);
    assert_eq!(kept["warnings"], json!(["`tools.deny`: nothing is called `nobody_has_this`"]));
    // A draft of nobody's is no reason not to begin with the file's policy.
    assert_eq!(Server::start(folder).stop(), Some(0));
    assert!(are(&states(folder), &[(3, "published"), (2, "draft"), (1, "draft")]), "{:?}", listed(folder));
}

/// Tries a statement past the program, with every right that there is.
fn tamper(home: &Home, sql: &str) -> String {
    match home.database() {
        Some(database) => database.query_as(OWNER, sql).unwrap_err(),
        None => {
            let connection = rows::connect(&home.file());
            connection.execute_batch("PRAGMA recursive_triggers = ON").unwrap();
            connection.execute_batch(sql).unwrap_err().to_string()
        }
    }
}

fn a_text_never_changes_and_only_one_version_is_in_force(kind: Kind) {
    let (home, upstream) = (Home::on(kind), Upstream::answering("{}"));
    let folder = home.path();
    configure_with(folder, &upstream, &policy_without(folder, "left"), &json!({}));
    assert_eq!(Server::start(folder).stop(), Some(0));
    json_of(folder, &["policy", "draft", &policy_file(folder, "right")]);
    json_of(folder, &["policy", "publish", "2"]);
    json_of(folder, &["policy", "draft", &policy_file(folder, "left")]);
    let all = "SELECT * FROM policy_version ORDER BY number";
    let before = rows::of_home(&home, all);
    assert_eq!(before.len(), 3);
    let changes = [
        "UPDATE policy_version SET text = '{}' WHERE number = 3",
        "UPDATE policy_version SET author = 'me', state = 'published', published_us = 1 WHERE number = 3",
        "UPDATE policy_version SET note = 'x'",
        "UPDATE policy_version SET created_us = created_us + 1",
        "UPDATE policy_version SET number = 9 WHERE number = 3",
        "UPDATE policy_version SET state = 'draft', published_us = NULL, retired_us = NULL WHERE number = 1",
        "UPDATE policy_version SET state = 'published', retired_us = NULL WHERE number = 1",
        "UPDATE policy_version SET published_us = 1 WHERE number = 2",
        "UPDATE policy_version SET retired_us = 1 WHERE number = 2",
        "UPDATE policy_version SET state = 'retired', retired_us = 1, published_us = 2 WHERE number = 2",
        "DELETE FROM policy_version WHERE number = 3",
    ];
    for sql in changes {
        let error = tamper(&home, sql);
        assert!(error.contains("append-only"), "{sql}: {error}");
    }
    let replace = match kind {
        Kind::Sqlite => "REPLACE INTO policy_version SELECT * FROM policy_version WHERE number = 3",
        Kind::Postgres => "TRUNCATE policy_version CASCADE",
    };
    assert!(tamper(&home, replace).contains("append-only"));
    let second = "UPDATE policy_version SET state = 'published', published_us = 1 WHERE number = 3";
    let error = tamper(&home, second).to_lowercase();
    assert!(error.contains("unique") || error.contains("duplicate"), "{error}");
    assert_eq!(rows::of_home(&home, all), before);
}

fn a_publication_is_followed_by_every_server(kind: Kind) {
    let (home, upstream) = (Home::on(kind), Upstream::answering("{}"));
    let folder = home.path();
    configure_with(folder, &upstream, &policy_without(folder, "left"), &json!({}));
    let servers: Vec<Server> = (0..if kind == Kind::Postgres { 2 } else { 1 }).map(|_| Server::start(folder)).collect();
    json_of(folder, &["policy", "draft", &policy_file(folder, "right")]);
    json_of(folder, &["policy", "publish", "2"]);
    servers.iter().for_each(|server| wait_until_denied(server, "right"));
    json_of(folder, &["policy", "rollback"]);
    servers.iter().for_each(|server| wait_until_denied(server, "left"));
}

/// Nobody can publish such a version through the program; a newer or older program may have found it right.
fn publish_by_hand(home: &Home, text: &str) {
    let (digest, now) = match home.database() {
        Some(_) => ("decode(repeat('00', 32), 'hex')", "1"),
        None => ("zeroblob(32)", "1"),
    };
    let sql = format!(
        "UPDATE policy_version SET state = 'retired', retired_us = {now} WHERE state = 'published';
         INSERT INTO policy_version (number, text, sha256, author, note, state, replaces, created_us, published_us)
         VALUES (2, '{text}', {digest}, 'newer', '', 'published', 1, {now}, {now});
         UPDATE version SET value = value + 1 WHERE name IN ('policy', 'catalog')"
    );
    match home.database() {
        Some(database) => drop(database.query(&sql)),
        None => rows::connect(&home.file()).execute_batch(&sql).unwrap(),
    }
}

fn a_version_that_cannot_be_used_never_replaces_one_that_can(kind: Kind) {
    let (home, upstream) = (Home::on(kind), Upstream::answering("{}"));
    let folder = home.path();
    configure_with(folder, &upstream, &policy_without(folder, "left"), &json!({}));
    let server = Server::start(folder);
    publish_by_hand(&home, r#"{"tools": {"profile": "nothing"}}"#);
    // A change of the catalog makes every server look again, also the only one.
    let more = json!({"catalog": {"core_tools": [{"name": "more", "input_schema": {"type": "object"},
        "upstream": {"kind": "http", "url": upstream.url("/"), "timeout_ms": 20_000}}]}});
    std::fs::write(folder.join("more.json5"), more.to_string()).unwrap();
    json_of(folder, &["apply", "more.json5"]);
    let why = "the published policy cannot be used; an older one stays in force";
    wait_until("the server has looked", || server.log().contains(why).then_some(()));
    assert_eq!(denied(&server), "left");
    assert_eq!(server.stop(), Some(0));

    // Nothing good is in force in a new process: it does not start, and says all about it.
    let said = run(folder, &["serve"]);
    refused(&said, 3, &["version 2 of the policy, which is in force, cannot be used", "tools.profile"]);
    let examined = run(folder, &["doctor"]);
    assert!(
        examined.exit == Some(3) && examined.out.contains("wrong policy: version 2 cannot be used"),
        "{examined:?}"
    );
    assert_eq!(json_of(folder, &["policy", "rollback"])["note"], json!("rollback to version 1"));
    assert_eq!(denied(&Server::start(folder)), "left");
}
