use serde_json::{Value, json};
use tests::{
    home::{Home, Kind},
    on_both_databases,
    patience::Ends as _,
    program::{Demo, curl, folder, paste, tollgate},
};

on_both_databases!(
    the_printed_calls_work_as_pasted_and_the_books_agree,
    a_finished_key_is_replayed_with_the_same_bytes_also_after_a_kill,
    wrong_requests_are_refused_by_name_and_cost_nothing
);

fn verify(folder: &std::path::Path) -> Value {
    let output = tollgate(folder, &["ledger", "verify", "--json"]).ended().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &report["ok"]), (Some(0), &json!(true)), "{report}");
    report
}

fn the_printed_calls_work_as_pasted_and_the_books_agree(kind: Kind) {
    let home = Home::on(kind);
    let demo = Demo::start(home.path());

    let paid = paste(&demo.commands()[0]);
    assert_eq!(
        (paid.status, &paid.json["credits_charged"], &paid.json["credits_remaining"]),
        (200, &json!(2.5), &json!(9997.5))
    );
    assert!(paid.json["result"].is_object(), "{}", paid.body);
    assert_eq!(paid.header("x-tollgate-invocation-id"), paid.json["invocation_id"].as_str());
    assert_eq!(paid.header("x-tollgate-credits-charged"), Some("2.5"));
    assert_eq!(paid.header("x-tollgate-credits-remaining"), Some("9997.5"));

    let returned = paste(&demo.commands()[1]);
    assert_eq!(returned.status, 200, "{}", returned.body);
    assert!(returned.json["credits_charged"].as_f64().unwrap() > 0.0);

    let refused = paste(&demo.commands()[2]);
    assert_eq!((refused.status, &refused.json["error"]["code"]), (402, &json!("insufficient_credits")));
    assert_eq!((&refused.json["error"]["needed"], &refused.json["error"]["available"]), (&json!(2.5), &json!(0)));
    assert_eq!(refused.json["error"]["limit"]["kind"], json!("wallet"));
    assert_eq!(refused.json["error"]["ways_out"][0]["path"], json!("/credits/purchase"));
    assert!(refused.json["detail"].as_str().unwrap().contains("POST /credits/purchase"));

    // Two charges, each to the publisher and the platform, and the grant.
    assert_eq!(verify(home.path())["postings"], json!(5));

    let bearer = format!("Authorization: Bearer {}", demo.token());
    let id = paid.json["invocation_id"].as_str().unwrap();
    let seen = curl(&format!("{}/invocations/{id}", demo.base_url()), &["-H", &bearer]);
    assert_eq!(
        (seen.status, &seen.json["state"], &seen.json["credits_charged"]),
        (200, &json!("succeeded"), &json!(2.5))
    );
    assert_eq!(demo.stop(), Some(0));
    verify(home.path());
}

fn a_finished_key_is_replayed_with_the_same_bytes_also_after_a_kill(kind: Kind) {
    let home = Home::on(kind);
    let demo = Demo::start(home.path());
    let body = r#"{"arguments": {"text": "one two"}, "idempotency_key": "k-1"}"#;
    let call = |demo: &Demo, body: &str| {
        let bearer = format!("Authorization: Bearer {}", demo.token());
        curl(&format!("{}/invoke/demo/text_stats", demo.base_url()), &["-H", &bearer, "-d", body])
    };
    let first = call(&demo, body);
    assert_eq!((first.status, first.header("idempotent-replayed")), (200, None), "{}", first.body);
    let again = call(&demo, body);
    assert_eq!((again.status, again.header("idempotent-replayed")), (200, Some("true")));
    assert_eq!((&again.body, again.header("x-tollgate-credits-charged")), (&first.body, Some("0")));
    let other = call(&demo, r#"{"arguments": {"text": "three"}, "idempotency_key": "k-1"}"#);
    assert_eq!((other.status, &other.json["error"]["code"]), (409, &json!("idempotency_key_reused")));
    demo.kill();

    let demo = Demo::start(home.path());
    let later = call(&demo, body);
    assert_eq!((later.status, &later.body), (200, &first.body));
    drop(demo);
    verify(home.path());
}

fn wrong_requests_are_refused_by_name_and_cost_nothing(kind: Kind) {
    let home = Home::on(kind);
    let demo = Demo::start(home.path());
    let url = format!("{}/invoke/demo/text_stats", demo.base_url());
    let bearer = format!("Authorization: Bearer {}", demo.token());
    let deep = format!(r#"{{"arguments": {{"text": {}1{}}}}}"#, "[".repeat(70), "]".repeat(70));
    for (body, status, code) in [
        ("{", 400, "invalid_json"),
        (deep.as_str(), 400, "too_deep"),
        ("[]", 422, "invalid_request"),
        (r#"{"arguments": {"text": 5}}"#, 422, "invalid_arguments"),
        (r#"{"arguments": {}}"#, 422, "invalid_arguments"),
        (r#"{"arguments": {"text": "a", "text": "b"}}"#, 422, "invalid_request"),
        (r#"{"argument": {}}"#, 422, "invalid_request"),
    ] {
        let answer = curl(&url, &["-H", &bearer, "-d", body]);
        assert_eq!(
            (answer.status, answer.json["error"]["code"].as_str()),
            (status, Some(code)),
            "{body}: {}",
            answer.body
        );
        assert_eq!(answer.header("x-tollgate-credits-charged"), Some("0"), "{body}");
    }
    let unknown = curl(&format!("{}/invoke/demo/nothing", demo.base_url()), &["-H", &bearer, "-d", "{}"]);
    assert_eq!((unknown.status, &unknown.json["error"]["code"]), (404, &json!("not_found")));
    for (header, code) in [("X-Nothing: 1", "missing_token"), ("Authorization: Bearer faro_nobody", "invalid_token")] {
        let answer = curl(&url, &["-H", header, "-d", "{}"]);
        assert_eq!((answer.status, answer.json["error"]["code"].as_str()), (401, Some(code)));
    }
    let foreign = curl(&url, &["-H", &bearer, "-H", "X-Faro-User: u1", "-d", "{}"]);
    assert_eq!((foreign.status, &foreign.json["error"]["code"]), (403, &json!("end_user_not_allowed")));
    assert_eq!(curl(&url, &["-H", &bearer]).status, 405);
    assert_eq!(verify(home.path())["postings"], json!(1));
}

#[test]
fn a_second_server_on_the_same_file_is_refused_with_what_to_do() {
    let folder = folder();
    let demo = Demo::start(folder.path());
    let second = tollgate(folder.path(), &["serve"]).ended().unwrap();
    assert_eq!(second.status.code(), Some(4));
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(said.contains("another process is the writer") && said.contains("stop it"), "{said}");
    assert_eq!(paste(&demo.commands()[0]).status, 200);
}

#[test]
fn purchases_that_confirm_themselves_are_for_the_demo_alone() {
    let folder = folder();
    let refused = tollgate(folder.path(), &["serve"]).env("TOLLGATE_PAYMENTS__PROVIDER", "demo").ended().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(refused.status.code() == Some(3) && said.contains("payments.provider"), "{:?} {said}", refused.status);
}
