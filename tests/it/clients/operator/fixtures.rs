//! Fixed passwords and the tier `paid` of the configuration's catalog.

use serde_json::{Value, json};
use tests::program::{Answer, Server, configure, curl, folder};

use super::{json_of, run};

fn configuration(password: &str) -> Value {
    let tool = json!({
        "name": "t",
        "tier": "paid",
        "upstream": {"kind": "http", "url": "http://127.0.0.1:9/"},
        "pricing": {"pricing_mode": "fixed_per_request", "fixed_credit_cost": 1},
    });
    json!({
        "allow_fixture_secrets": true,
        "catalog": {
            "accounts": [
                {"email": "ann@example.com", "verified": true, "password": password,
                 "tokens": [{"name": "cli", "token": "faro_ann-0123456789"}]},
                {"email": "bob@example.com", "password": "marble seventeen ocean fiddle",
                 "tokens": [{"name": "cli", "token": "faro_bob-0123456789"}]},
            ],
            "publishers": [{"id": "acme", "display_name": "Acme", "share_bps": 0, "namespaces": [
                {"name": "acme", "tools": [tool]}]}],
        },
    })
}

fn login(server: &Server, email: &str, password: &str) -> Answer {
    let body = json!({"email": email, "password": password}).to_string();
    let url = format!("{}/auth/login", server.base_url());
    curl(&url, &["-H", "Content-Type: application/json", "-d", &body])
}

#[test]
fn an_account_of_the_file_signs_in_with_its_password_and_with_a_new_one_once_it_is_applied() {
    let folder = folder();
    configure(folder.path(), &configuration("umbrella ninety quartz tuba"));
    let server = Server::start(folder.path());
    let signed_in = login(&server, "ann@example.com", "umbrella ninety quartz tuba");
    assert_eq!(signed_in.status, 200, "{}", signed_in.body);
    assert_eq!(login(&server, "ann@example.com", "umbrella ninety quartz").status, 401);
    let session = format!("Authorization: Bearer {}", signed_in.json["access_token"].as_str().unwrap());
    let me = || curl(&format!("{}/auth/me", server.base_url()), &["-H", &session]).status;
    assert_eq!(me(), 200);

    // Whatever else is written to the account, the same password ends no session.
    let mut changed = configuration("umbrella ninety quartz tuba");
    changed["catalog"]["accounts"][0]["caps"] = json!([{"per": "account", "window": "day", "credits": 5}]);
    configure(folder.path(), &changed);
    assert_eq!(json_of(folder.path(), &["apply", "tollgate.json5"])["changes"].as_array().unwrap().len(), 1);
    assert_eq!(me(), 200);

    configure(folder.path(), &configuration("lantern copper willow eleven"));
    json_of(folder.path(), &["apply", "tollgate.json5"]);
    assert_eq!(login(&server, "ann@example.com", "umbrella ninety quartz tuba").status, 401);
    assert_eq!(login(&server, "ann@example.com", "lantern copper willow eleven").status, 200);
    assert_eq!(me(), 401);
    assert_eq!(login(&server, "bob@example.com", "marble seventeen ocean fiddle").status, 200);
}

#[test]
fn a_tool_for_those_who_have_credits_wants_a_verified_account_with_credits() {
    let folder = folder();
    configure(folder.path(), &configuration("umbrella ninety quartz tuba"));
    let server = Server::start(folder.path());
    let call = |token: &str| {
        let url = format!("{}/invoke/acme/t", server.base_url());
        let answer = curl(&url, &["-H", &format!("Authorization: Bearer {token}"), "-d", "{}"]);
        (answer.status, answer.json["error"]["code"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(call("faro_bob-0123456789"), (403, "email_unverified".to_owned()));
    assert_eq!(call("faro_ann-0123456789"), (402, "insufficient_credits".to_owned()));
    json_of(folder.path(), &["account", "grant", "ann@example.com", "1", "--reason", "a start"]);
    // Nobody listens on the upstream's port: the call got through to it.
    assert_eq!(call("faro_ann-0123456789").0, 502);
}

#[test]
fn a_fixed_password_needs_the_permission_and_a_length() {
    let folder = folder();
    for (change, part) in [
        (json!({"allow_fixture_secrets": false}), "is a fixed secret"),
        (json!({"catalog": {"accounts": [{"email": "a@example.com", "password": "short"}]}}), "must have 12 to 128"),
    ] {
        let mut wrong = configuration("umbrella ninety quartz tuba");
        wrong.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        configure(folder.path(), &wrong);
        let said = run(folder.path(), &["apply", "tollgate.json5"]);
        assert!(said.exit == Some(3) && said.errors.contains(part), "{part}: {said:?}");
        assert!(!said.errors.contains("umbrella ninety quartz tuba"), "a secret is repeated: {said:?}");
    }
}
