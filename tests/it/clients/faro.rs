use std::{fs, io::Write as _, process::Command};

use serde_json::{Value, json};
use tests::{
    askfaro::{Askfaro, Release, Said},
    home::{Home, Kind},
    on_both_databases,
    patience::Ends as _,
    program::{Demo, folder},
    server::{self, ALICE, BOB, Server, config},
    tools::tool,
    upstream::{Upstream, hang, json_answer},
};

on_both_databases!(every_refusal_has_the_exit_code_that_the_client_gives_its_status);

/// The published client, unmodified (`askfaro-cli` 0.3.0).
fn faro(demo: &Demo, token: &str, arguments: &[&str]) -> (Option<i32>, Value, String) {
    let home = folder();
    let output = Command::new(tool("faro"))
        .env("HOME", home.path())
        .env("NO_PROXY", "127.0.0.1")
        .env("FARO_API_URL", demo.base_url())
        .env("FARO_API_KEY", token)
        .args(arguments)
        .ended()
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

/// Closes one tool to everybody.
const CLOSED: &str = r#"
@id("house.closed") @reason("Closed for the season.")
forbid (principal, action in Action::"invoke", resource) when { resource.name == "acme/closed" };
"#;

/// What the client tells whoever called it: its exit code, its word for what went wrong, and whether trying again may help.
fn told(said: &Said) -> (Option<i32>, String, Option<bool>) {
    let envelope: Value = serde_json::from_str(said.errors.trim()).unwrap_or_default();
    (said.exit, said.code(), envelope.pointer("/error/retriable").and_then(Value::as_bool))
}

fn every_refusal_has_the_exit_code_that_the_client_gives_its_status(kind: Kind) {
    let upstream = Upstream::start(|received, stream| {
        let answer = match received.path.as_str() {
            "/silent" => {
                hang(stream);
                return false;
            }
            "/failing" => json_answer("500 Internal Server Error", r#"{"message": "oops"}"#),
            "/choosy" => json_answer("422 No", r#"{"message": "there is no such city"}"#),
            _ => json_answer("200 OK", r#"{"done": true}"#),
        };
        stream.write_all(answer.as_bytes()).is_ok()
    });
    let of = |name: &str, credits: u32, timeout_ms: u32| {
        server::tool(name, &upstream.url(&format!("/{name}")), credits, "success", timeout_ms)
    };
    let tools = [("paid", 5), ("dear", 500), ("failing", 5), ("choosy", 5), ("closed", 5)];
    let tools: String = tools.iter().map(|(name, credits)| of(name, *credits, 20_000)).collect();
    let home = Home::on(kind);
    fs::write(home.path().join("closed.cedar"), CLOSED).unwrap();
    let configuration = config(&(tools + &of("silent", 5, 1_000)), "", "operator_policies: 'closed.cedar',");
    let server = Server::start(home.path(), &configuration);
    let client = |token: &str| Askfaro::of(server.base_url()).with_release(Release::Older).with_token(token);
    let call = |token: &str, tool: &str, params: &str| {
        client(token).run(&["invoke", &format!("acme/{tool}"), "--params", params])
    };

    let paid = call(ALICE, "paid", "{}");
    assert_eq!((paid.exit, &paid.json["credits_charged"]), (Some(0), &json!(5)), "{paid:?}");
    for (token, tool, params, expected, says) in [
        // 402: 500 of the 100 credits that Bob has.
        (BOB, "dear", "{}", (5, "insufficient_credits", false), "500"),
        // 502, whether the tool failed or refused, and 504.
        (ALICE, "failing", "{}", (6, "upstream_error", true), ""),
        (ALICE, "choosy", "{}", (6, "upstream_error", true), "there is no such city"),
        (ALICE, "silent", "{}", (6, "upstream_error", true), ""),
        // 403.
        (ALICE, "closed", "{}", (2, "forbidden", false), "Closed for the season."),
        // 401, 404, 422.
        ("faro_nobody-00000", "paid", "{}", (2, "auth_required", false), ""),
        (ALICE, "nothing", "{}", (3, "not_found", false), ""),
        (ALICE, "paid", r#"{"q": 5}"#, (4, "validation_error", false), ""),
    ] {
        let said = call(token, tool, params);
        let (exit, code, retriable) = expected;
        assert_eq!(told(&said), (Some(exit), code.to_owned(), Some(retriable)), "{tool} {params}: {said:?}");
        assert!(said.errors.contains(says) && said.out.trim().is_empty(), "{tool} {params}: {said:?}");
    }
    let left = [ALICE, BOB].map(|token| server.balance(token)["balance"].clone());
    assert_eq!(left, [json!(9_995), json!(100)], "what is refused costs nothing");

    // 409. The client sends no key with a call, so that none of its calls is ever answered so; other subcommands are.
    let register = ["publisher", "register", "--display-name", "Quetzal"];
    assert_eq!(client(ALICE).run(&register).exit, Some(0));
    let again = client(ALICE).run(&register);
    assert_eq!(told(&again), (Some(1), "request_failed".to_owned(), Some(false)), "{again:?}");
}
