//! `operator create|list|revoke`.

use serde_json::json;
use tests::{
    home::{Home, Kind},
    on_both_databases,
};

use super::{json_of, run, verify};

on_both_databases!(an_auditor_is_made_shown_once_listed_and_revoked,);

fn an_auditor_is_made_shown_once_listed_and_revoked(kind: Kind) {
    let home = Home::on(kind);
    let path = home.path();
    let create = ["operator", "create", "--role", "auditor", "--name", "Ernst & Jung"];
    let made = json_of(path, &create);
    let (id, token) = (made["operator"].as_str().unwrap(), made["token"].as_str().unwrap());
    assert!(token.starts_with("faro_audit_") && id.starts_with("aud_"), "{made}");
    let days = |from: &str, to: &str| {
        let time = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_second();
        (time(to) - time(from)) / 86_400
    };
    assert_eq!(days(made["created_at"].as_str().unwrap(), made["expires_at"].as_str().unwrap()), 30);
    let short = json_of(path, &[&create[..], &["--days", "1"]].concat());
    assert_eq!(days(short["created_at"].as_str().unwrap(), short["expires_at"].as_str().unwrap()), 1);

    let listed = json_of(path, &["operator", "list"]);
    assert_eq!(listed["operators"].as_array().unwrap().len(), 2);
    assert_eq!((&listed["operators"][1]["operator"], &listed["operators"][1]["role"]), (&json!(id), &json!("auditor")));
    assert!(!listed.to_string().contains(token.trim_start_matches("faro_audit_")), "the secret is shown once");

    let revoked = json_of(path, &["operator", "revoke", id, "--reason", "the audit is over"]);
    assert!(revoked["revoked_at"].is_string());
    let said = run(path, &["operator", "list"]);
    assert!(said.out.contains("revoked") && said.out.contains("active"), "{said:?}");
    for (arguments, exit, part) in [
        (vec!["operator", "revoke", id], 1, "revoked already"),
        (vec!["operator", "revoke", "aud_00000000000000000000000000000000"], 1, "no such auditor"),
        (vec!["operator", "revoke", "acc_00000000000000000000000000000000"], 1, "of the form `aud_`"),
        (vec!["operator", "create", "--role", "auditor", "--name", "x", "--days", "0"], 1, "1 to 366"),
        (vec!["operator", "create", "--role", "auditor", "--name", "x", "--days", "367"], 1, "1 to 366"),
        (vec!["operator", "create", "--role", "auditor", "--name", ""], 1, "one line of 1 to 100"),
        (vec!["operator", "create", "--role", "king", "--name", "x"], 2, "auditor"),
    ] {
        let said = run(path, &arguments);
        assert!(said.exit == Some(exit) && said.errors.contains(part), "{arguments:?}: {said:?}");
    }
    let told = json_of(path, &["audit", "list", "--object", "auditor"]);
    let actions: Vec<_> = told["audit"].as_array().unwrap().iter().map(|row| &row["action"]).collect();
    assert_eq!(actions, [&json!("operator.revoke"), &json!("operator.create"), &json!("operator.create")]);
    assert_eq!(told["audit"][0]["reason"], json!("the audit is over"));
    assert!(!told.to_string().contains(token.trim_start_matches("faro_audit_")), "no secret in the trail");
    verify(path);
}
