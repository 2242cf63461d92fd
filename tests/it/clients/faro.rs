use std::process::Command;

use serde_json::{Value, json};
use tests::{
    program::{Demo, folder},
    tools::tool,
};

/// The published client, unmodified (`askfaro-cli` 0.3.0).
fn faro(demo: &Demo, token: &str, arguments: &[&str]) -> (Option<i32>, Value, String) {
    let home = folder();
    let output = Command::new(tool("faro"))
        .env("HOME", home.path())
        .env("NO_PROXY", "127.0.0.1")
        .env("FARO_API_URL", demo.base_url())
        .env("FARO_API_KEY", token)
        .args(arguments)
        .output()
        .unwrap();
    let printed = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output.status.code(), printed, String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn the_published_client_pays_for_a_tool_and_understands_the_refusals() {
    let folder = folder();
    let demo = Demo::start(folder.path());
    let params = r#"{"text": "one two three"}"#;

    let (code, paid, errors) = faro(&demo, demo.token(), &["invoke", "demo/text_stats", "--params", params]);
    assert_eq!((code, &paid["credits_charged"]), (Some(0), &json!(2.5)), "{paid} {errors}");
    assert!(paid["result"].is_object(), "{paid}");

    // The client's own exit codes: 2 for 401, 3 for 404, 4 for 422.
    for (token, tool, params, expected) in [
        ("faro_nobody", "demo/text_stats", params, 2),
        (demo.token(), "demo/nothing", params, 3),
        (demo.token(), "demo/text_stats", r#"{"text": 5}"#, 4),
    ] {
        let (code, _, errors) = faro(&demo, token, &["invoke", tool, "--params", params]);
        assert_eq!(code, Some(expected), "{tool} {params}: {errors}");
    }
}

#[test]
fn the_published_client_finds_a_tool_and_checks_arguments_against_what_is_shown() {
    let folder = folder();
    let demo = Demo::start(folder.path());
    let (code, found, errors) = faro(&demo, demo.token(), &["search", "text", "--top", "3"]);
    assert_eq!(code, Some(0), "{found} {errors}");
    assert!(found.to_string().contains("text_stats"), "{found}");
    let (code, shown, errors) = faro(&demo, demo.token(), &["describe", "demo/text_stats"]);
    assert_eq!((code, &shown["name"]), (Some(0), &json!("text_stats")), "{shown} {errors}");
    for (params, expected) in [(r#"{"text": "one"}"#, 0), (r#"{"text": 5}"#, 4)] {
        let arguments = ["invoke", "demo/text_stats", "--params", params, "--dry-run"];
        let (code, answer, errors) = faro(&demo, demo.token(), &arguments);
        assert_eq!(code, Some(expected), "{params}: {answer} {errors}");
    }
    let (code, _, errors) = faro(&demo, demo.token(), &["describe", "demo/nothing"]);
    assert_eq!(code, Some(3), "{errors}");
}
