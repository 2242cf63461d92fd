//! `operator create|list|link|revoke|enable` for the console.

use serde_json::{Value, json};
use tests::{
    home::{Home, Kind},
    on_both_databases,
    program::{Server, configure},
};

use super::{json_of, run, verify};

on_both_databases!(an_operator_is_let_in_listed_given_a_new_link_and_shut_out,);

const CREATE: [&str; 8] = ["operator", "create", "--role", "finance", "--role", "owner", "--name", "Ada"];

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no `{name}` in {value}"))
}

/// The secret of a link under the configured origin.
fn secret_of(made: &Value) -> &str {
    let secret = text(made, "link").strip_prefix("https://tolls.example/admin/link/");
    let secret = secret.unwrap_or_else(|| panic!("another origin: {made}"));
    assert_eq!(secret.len(), 43, "{made}");
    secret
}

fn an_operator_is_let_in_listed_given_a_new_link_and_shut_out(kind: Kind) {
    let home = Home::on(kind);
    let path = home.path();
    configure(path, &json!({"server": {"public_url": "https://tolls.example"}}));
    let server = Server::start(path);
    let made = json_of(path, &[&CREATE[..], &["--email", "Ada@Example.com"]].concat());
    let ada = text(&made, "operator");
    assert!(ada.starts_with("opr_"), "{made}");
    assert_eq!((text(&made, "email"), text(&made, "name")), ("ada@example.com", "Ada"));
    assert_eq!((&made["roles"], &made["has_password"]), (&json!(["owner", "finance"]), &json!(false)));
    let seconds = |name: &str| text(&made, name).parse::<jiff::Timestamp>().unwrap().as_second();
    assert_eq!(seconds("link_expires_at") - seconds("created_at"), 30 * 60);
    let first = secret_of(&made);

    let renewed = json_of(path, &["operator", "link", "ADA@example.com", "--reason", "the mail was lost"]);
    let second = secret_of(&renewed);
    assert_ne!(first, second);
    assert_eq!(server.stop(), Some(0));

    // Without a server the command does it by itself.
    let by_id = json_of(path, &["operator", "link", ada]);
    let third = secret_of(&by_id);
    let last = run(path, &["operator", "revoke", ada]);
    assert!(last.exit == Some(1) && last.errors.contains("the last owner"), "{last:?}");
    let said = run(path, &["operator", "create", "--role", "owner", "--name", "Bob", "--email", "bob@example.com"]);
    assert!(said.exit == Some(0) && said.out.contains("`Bob` may use the console as owner"), "{said:?}");
    assert!(
        said.out.contains("good once and for 30 minutes (it is not shown again): https://tolls.example/admin/link/")
    );
    json_of(path, &["operator", "create", "--role", "auditor", "--name", "Ernst & Jung"]);
    json_of(path, &["operator", "create", "--role", "auditor", "--name", "Eve", "--email", "eve@example.com"]);

    let revoked = json_of(path, &["operator", "revoke", ada, "--reason", "left the house"]);
    assert_eq!(revoked["is_disabled"], json!(true));
    let listed = json_of(path, &["operator", "list"]);
    let entries = listed["operators"].as_array().unwrap();
    let names: Vec<_> = entries.iter().map(|entry| text(entry, "name")).collect();
    assert_eq!(names, ["Eve", "Bob", "Ada", "Ernst & Jung"], "operators, then auditors' tokens");
    assert_eq!((&entries[0]["roles"], &entries[3]["role"]), (&json!(["auditor"]), &json!("auditor")));
    for secret in [first, second, third] {
        assert!(!listed.to_string().contains(secret), "a link is shown once");
    }
    let said = run(path, &["operator", "list"]);
    for part in ["disabled  without a second factor  owner, finance  Ada <ada@example.com>", "active", "until 20"] {
        assert!(said.out.contains(part), "{part}: {said:?}");
    }

    let nobody = "opr_00000000000070008000000000000000";
    for (arguments, exit, part) in [
        (CREATE.to_vec(), 2, "`--email` is missing"),
        ([&CREATE[..], &["--email", "ada"]].concat(), 1, "not an email address"),
        ([&CREATE[..], &["--email", "ADA@example.com"]].concat(), 1, "with this email address exists"),
        ([&CREATE[..], &["--email", "x@example.com", "--days", "3"]].concat(), 2, "cannot be used with"),
        (
            vec!["operator", "create", "--role", "owner", "--name", " ", "--email", "x@example.com"],
            1,
            "one line of 1 to 100",
        ),
        (vec!["operator", "create", "--role", "king", "--name", "x", "--email", "x@example.com"], 2, "policy_editor"),
        (vec!["operator", "create", "--name", "x", "--email", "x@example.com"], 2, "--role"),
        (vec!["operator", "revoke", ada], 1, "disabled already"),
        (vec!["operator", "revoke", nobody], 1, "no such operator"),
        (vec!["operator", "revoke", "opr_1"], 1, "of the form `opr_`"),
        (vec!["operator", "link", ada], 1, "is disabled"),
        (vec!["operator", "link", nobody], 1, "no such operator"),
        (vec!["operator", "link", "nobody@example.com"], 1, "no operator `nobody@example.com`"),
        (vec!["operator", "link", "nobody"], 1, "nor an email address"),
    ] {
        let said = run(path, &arguments);
        assert!(said.exit == Some(exit) && said.errors.contains(part), "{arguments:?}: {said:?}");
    }

    let told = json_of(path, &["audit", "list", "--object", "operator"]);
    let actions: Vec<_> = told["audit"].as_array().unwrap().iter().map(|row| text(row, "action")).collect();
    assert_eq!(
        actions,
        [
            "operator.disable",
            "operator.create",
            "operator.create",
            "operator.renew_link",
            "operator.renew_link",
            "operator.create"
        ]
    );
    assert_eq!(told["audit"][0]["reason"], json!("left the house"));
    for text in [first, second, third, "example.com"] {
        assert!(!told.to_string().contains(text), "neither secret nor address in the trail: {told}");
    }

    let again = json_of(path, &["operator", "enable", "ada@example.com", "--reason", "came back"]);
    assert_eq!((text(&again, "operator"), &again["is_disabled"]), (ada, &json!(false)));
    let told = json_of(path, &["audit", "list", "--object", "operator"]);
    assert_eq!(
        (text(&told["audit"][0], "action"), text(&told["audit"][0], "reason")),
        ("operator.enable", "came back")
    );
    let said = run(path, &["operator", "enable", ada]);
    assert!(said.exit == Some(1) && said.errors.contains("is not disabled"), "{said:?}");
    verify(path);
}
