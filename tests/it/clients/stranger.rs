use serde_json::json;
use tests::program::{Demo, curl, folder};

#[test]
fn a_stranger_signs_up_and_is_told_to_verify_before_paying() {
    let folder = folder();
    let demo = Demo::start(folder.path());
    let url = |path: &str| format!("{}{path}", demo.base_url());
    let json_type = ["-H", "Content-Type: application/json"];

    let signed_up =
        curl(&url("/auth/agent-signup"), &[&json_type[..], &["-d", r#"{"email": "agent@example.com"}"#]].concat());
    assert_eq!(signed_up.status, 201, "{}", signed_up.body);
    let token = signed_up.json["token"].as_str().unwrap();
    assert_eq!(signed_up.json["api_key"], signed_up.json["token"]);
    let bearer = format!("Authorization: Bearer {token}");

    let me = curl(&url("/auth/me"), &["-H", &bearer]);
    assert_eq!((me.status, &me.json["email"]), (200, &json!("agent@example.com")), "{}", me.body);
    let balance = curl(&url("/credits/balance"), &["-H", &bearer]);
    assert_eq!((balance.status, &balance.json["available"]), (200, &json!(0)), "{}", balance.body);

    let refused = curl(&url("/invoke/demo/text_stats"), &["-H", &bearer, "-d", r#"{"arguments": {"text": "a"}}"#]);
    assert_eq!((refused.status, &refused.json["error"]["code"]), (403, &json!("email_unverified")), "{}", refused.body);

    // A leaked key must not make its own successors.
    let minted = curl(&url("/tokens/"), &["-H", &bearer, "-d", r#"{"name": "more"}"#]);
    assert_eq!((minted.status, &minted.json["error"]["code"]), (403, &json!("session_required")), "{}", minted.body);
}
