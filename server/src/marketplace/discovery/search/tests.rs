use serde_json::Value;

use super::*;

/// Where the faults of a body are, and what is wrong there.
fn faults(body: &str) -> Vec<(String, String)> {
    let problem = parse_body(body).expect_err("a fault").body();
    let texts = |fault: &Value| {
        let loc: Vec<&str> = fault["loc"].as_array().unwrap().iter().map(|part| part.as_str().unwrap()).collect();
        (loc.join("."), fault["msg"].as_str().unwrap().to_owned())
    };
    problem["detail"].as_array().map(|faults| faults.iter().map(texts).collect()).unwrap_or_default()
}

#[test]
fn what_is_wanted_is_read() {
    let wanted = |text: &str, limit, category: Option<&str>| Wanted {
        text: text.to_owned(),
        category: category.map(str::to_owned),
        limit,
    };
    for (body, expected) in [
        (r#"{"q": "rain"}"#, wanted("rain", SEARCH_RESULTS_DEFAULT, None)),
        (r#"{"q": "rain", "limit": 1}"#, wanted("rain", 1, None)),
        (r#"{"q": "rain", "limit": 50, "category": "data"}"#, wanted("rain", 50, Some("data"))),
        (r#"{"q": "rain", "limit": "3", "category": null}"#, wanted("rain", 3, None)),
        (r#"{"q": "rain", "limit": null, "category": ""}"#, wanted("rain", SEARCH_RESULTS_DEFAULT, None)),
        (r#"{"q": "NEAR(\"a\" -b*)"}"#, wanted("NEAR(\"a\" -b*)", SEARCH_RESULTS_DEFAULT, None)),
    ] {
        assert_eq!(parse_body(body).expect("a search"), expected, "{body}");
    }
}

#[test]
fn a_wrong_field_is_named() {
    let long = format!(r#"{{"q": "{}"}}"#, "é".repeat(SEARCH_TEXT_CHARS_MAX + 1));
    let bounds = "must be a whole number from 1 to 50";
    for (body, name, msg) in [
        ("{}", "body.q", "is missing"),
        (r#"{"q": null}"#, "body.q", "is missing"),
        (r#"{"q": 5}"#, "body.q", "must be a text"),
        (r#"{"q": "  "}"#, "body.q", "is empty"),
        (&long, "body.q", "must have at most 500 characters"),
        (r#"{"q": "a", "limit": 0}"#, "body.limit", bounds),
        (r#"{"q": "a", "limit": 51}"#, "body.limit", bounds),
        (r#"{"q": "a", "limit": -1}"#, "body.limit", bounds),
        (r#"{"q": "a", "limit": 1.5}"#, "body.limit", bounds),
        (r#"{"q": "a", "limit": 1e1}"#, "body.limit", bounds),
        (r#"{"q": "a", "limit": "many"}"#, "body.limit", bounds),
        (r#"{"q": "a", "limit": true}"#, "body.limit", "must be a number"),
        (r#"{"q": "a", "category": 1}"#, "body.category", "must be a text"),
        (r#"{"q": "a", "category": "\u0000"}"#, "body.category", "holds a control character"),
        (r#"{"q": "a", "page": 1}"#, "body.page", "is not a member of this request"),
    ] {
        assert_eq!(faults(body), [(name.to_owned(), msg.to_owned())], "{body}");
    }
}
