//! Always on, and never open by accident.

use std::{fs, os::unix::fs::PermissionsExt as _};

use serde_json::json;
use tests::{
    patience::Ends as _,
    program::{configure, folder, tollgate},
};

use super::{Gateway, is_error};
use crate::gateway_cases::fixture;

#[test]
fn without_a_secret_one_is_made_at_the_first_start_and_kept_for_its_owner_alone() {
    let folder = folder();
    let gateway = Gateway::start_with(folder.path(), &json!({}), &[]);
    let ask = |gateway: &Gateway, credential: &str| {
        gateway.send("POST", "/tools/invoke", &[("authorization", credential)], r#"{"tool": "agents_list"}"#)
    };
    assert!(is_error(&gateway.send("POST", "/tools/invoke", &[], "{}"), 401, "unauthorized"));
    assert!(is_error(&ask(&gateway, "Bearer "), 401, "unauthorized"));
    let path = folder.path().join("data/gateway.token");
    let token = fs::read_to_string(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let bearer = format!("Bearer {}", token.trim());
    assert_eq!(ask(&gateway, &bearer).status, 200);
    drop(gateway);
    let gateway = Gateway::start_with(folder.path(), &json!({}), &[]);
    assert_eq!((ask(&gateway, &bearer).status, fs::read_to_string(&path).unwrap()), (200, token));
    drop(gateway);

    // A file that others can read is a reason not to start; the sentence says what to do.
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let refused = tollgate(folder.path(), &["serve"]).ended().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(refused.status.code() == Some(3) && said.contains("chmod 600"), "{said}");
}

#[test]
fn modes_that_could_let_anybody_in_and_broken_policies_are_refused_at_the_start() {
    let upstream = fixture::upstream();
    for (dialect, config, sentence) in [
        ("zero", json!({"gateway": {"auth": {"mode": "none"}}}), "must be `token` or `password`"),
        ("fased", json!({"gateway": {"auth": {"mode": "password"}}}), "FASED_GATEWAY_PASSWORD"),
        ("fased", json!({"gateway": {"auth": {"mode": "trusted-proxy"}}}), "gateway.trustedProxies"),
        ("fased", json!({"tools": {"profile": "nothing"}}), "tools.profile"),
        ("fased", json!({"agents": {"list": [{"id": "a", "tools": {"allow": 5}}]}}), "allow"),
    ] {
        let folder = folder();
        configure(folder.path(), &fixture::config(&config, dialect, &upstream));
        let refused = tollgate(folder.path(), &["serve"]).ended().unwrap();
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(refused.status.code() == Some(3) && said.contains(sentence), "{config}: {:?} {said}", refused.status);
    }
}
