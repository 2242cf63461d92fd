//! Searches that are wrong, and searches that try to be more than words.

use serde_json::json;
use tests::{
    home::Kind,
    on_both_databases,
    server::{ALICE, BOB},
};

use super::{Market, PARTNER};

on_both_databases!(
    what_is_wrong_with_a_search_is_named,
    signs_mean_nothing_whatever_they_are,
    a_token_is_accepted_and_a_wrong_one_is_not,
    who_asks_too_fast_is_told_to_wait,
);

fn what_is_wrong_with_a_search_is_named(kind: Kind) {
    let market = Market::open(kind);
    let long = "a".repeat(501);
    for (query, field) in [
        ("", "q"),
        ("q=", "q"),
        ("q=%20%09", "q"),
        ("limit=5", "q"),
        ("q=a&limit=0", "limit"),
        ("q=a&limit=51", "limit"),
        ("q=a&limit=-1", "limit"),
        ("q=a&limit=ten", "limit"),
        ("q=a&limit=1e1", "limit"),
        ("q=a&limit=", "limit"),
        ("q=a&limit=99999999999999999999", "limit"),
        ("q=a&q=b", "q"),
        (&format!("q={long}"), "q"),
        (&format!("q=a&category={long}"), "category"),
        ("q=a&category=%00", "category"),
    ] {
        let answer = market.look(&format!("/tools/search?{query}"));
        assert_eq!((answer.status, answer.code()), (422, "invalid_request"), "{query:.60}: {}", answer.body);
        assert_eq!(answer.json["detail"][0]["loc"], json!(["query", field]), "{query:.60}: {}", answer.body);
    }
    for (body, status, field) in [
        ("", 400, ""),
        ("[]", 422, ""),
        ("{}", 422, "q"),
        (r#"{"q": 5}"#, 422, "q"),
        (r#"{"q": "a", "limit": 0}"#, 422, "limit"),
        (r#"{"q": "a", "limit": 51}"#, 422, "limit"),
        (r#"{"q": "a", "limit": []}"#, 422, "limit"),
        (r#"{"q": "a", "category": {}}"#, 422, "category"),
        (r#"{"q": "a", "offset": 1}"#, 422, "offset"),
        (r#"{"q": "a", "q": "b"}"#, 422, ""),
    ] {
        let answer = market.server.send("POST", "/tools/search", &[], body);
        assert_eq!(answer.status, status, "{body}: {}", answer.body);
        if !field.is_empty() {
            assert_eq!(answer.json["detail"][0]["loc"], json!(["body", field]), "{body}: {}", answer.body);
        }
    }
    for query in ["limit=0", "limit=1001", "limit=x"] {
        let answer = market.look(&format!("/namespaces/public?{query}"));
        assert_eq!((answer.status, &answer.json["detail"][0]["loc"]), (422, &json!(["query", "limit"])), "{query}");
    }
}

fn signs_mean_nothing_whatever_they_are(kind: Kind) {
    let market = Market::open(kind);
    // Each has the one word that a tool has, or none at all.
    for text in [
        "\"forecast",
        "forecast\"",
        "forecast*",
        "*forecast",
        "-forecast",
        "^forecast",
        "forecast:*",
        "(forecast",
        "forecast)",
        "forecast <-> forecast",
        "forecast & ! | forecast",
        "{forecast} : forecast",
        "forecast;--",
        "'forecast'",
        "forecast\\",
        "forecast%",
        "\0forecast\0",
        "forecast\u{202e}",
    ] {
        let body = json!({"q": text}).to_string();
        let answer = market.server.send("POST", "/tools/search", &[], &body);
        assert_eq!(
            (answer.status, super::names(&answer)),
            (200, vec!["acme/forecast".to_owned()]),
            "{text:?}: {}",
            answer.body
        );
        assert_eq!(answer.json["query"], json!(text));
    }
    for text in ["*", "\"\"", "-", "()", "& | !", ":*", "the of", "\u{1f600}", "%", "'; --", "½", "\0"] {
        let answer = market.server.send("POST", "/tools/search", &[], &json!({"q": text}).to_string());
        assert_eq!((answer.status, &answer.json["items"]), (200, &json!([])), "{text:?}: {}", answer.body);
    }
    // Words of the databases' languages are words; a word that no tool has takes nothing away from the others.
    for text in [
        "NEAR(forecast weather, 2)",
        "forecast AND",
        "forecast NOT weather",
        "OR forecast",
        "name : forecast",
        "forecast' OR '1'='1",
        "forecast\"; DROP TABLE tool; --",
        "SELECT forecast FROM tool_index",
        "tool_index MATCH forecast",
    ] {
        let answer = market.server.send("POST", "/tools/search", &[], &json!({"q": text}).to_string());
        assert_eq!(answer.status, 200, "{text:?}: {}", answer.body);
        assert_eq!(super::names(&answer)[0], "acme/forecast", "{text:?}");
    }
    for category in ["\"", "data\" OR \"x", "*", "data*", "'", "; --", "NEAR(data)", "\\"] {
        let body = json!({"q": "forecast", "category": category}).to_string();
        let answer = market.server.send("POST", "/tools/search", &[], &body);
        assert_eq!((answer.status, &answer.json["items"]), (200, &json!([])), "{category:?}: {}", answer.body);
    }
    let many: Vec<String> = (0..60).map(|number| format!("w{number}")).collect();
    let answer = market.server.send("POST", "/tools/search", &[], &json!({"q": many.join(" ")}).to_string());
    assert_eq!(answer.status, 200, "{}", answer.body);
    let log = market.server.log();
    assert!(!log.contains("the database failed a request"), "{log}");
}

fn a_token_is_accepted_and_a_wrong_one_is_not(kind: Kind) {
    let market = Market::open(kind);
    for path in ["/tools/search?q=weather", "/tools/acme/forecast", "/docs/", "/llms.txt", "/namespaces/public"] {
        assert_eq!(market.server.get(ALICE, path).status, 200, "{path}");
        assert_eq!(market.server.get(PARTNER, path).status, 200, "a partner without an end user: {path}");
        let wrong = market.server.get(BOB, path);
        assert_eq!((wrong.status, wrong.code()), (401, "invalid_token"), "{path}: {}", wrong.body);
    }
    let with_user = |token: &str, user: &str| {
        let headers = [("authorization", &*format!("Bearer {token}")), ("x-faro-user", user)];
        market.server.send("GET", "/tools/acme/forecast", &headers, "").status
    };
    assert_eq!((with_user(PARTNER, "u-1"), with_user(PARTNER, "a b"), with_user(ALICE, "u-1")), (200, 422, 403));
    let noted = crate::rows::of_home(&market.home, "SELECT count(*) FROM end_user");
    assert_eq!(noted, [["0"]], "looking around makes nobody known");
}

fn who_asks_too_fast_is_told_to_wait(kind: Kind) {
    let market = Market::open_with(kind, 3);
    let looks: Vec<_> = (0..20).map(|_| market.look("/tools/search?q=weather")).collect();
    assert_eq!(looks[0].status, 200, "{}", looks[0].body);
    assert_eq!(looks[0].header("ratelimit-policy"), Some("\"discovery\";q=3;w=1"));
    let refused = looks.iter().find(|answer| answer.status != 200).expect("a refusal");
    assert_eq!((refused.status, refused.code()), (429, "rate_limited"), "{}", refused.body);
    assert!(refused.header("retry-after").is_some());
    // Strangers and holders of tokens are counted apart.
    assert_eq!(market.server.get(ALICE, "/tools/search?q=weather").status, 200);
}
