use actix_web::test::TestRequest;

use super::*;

#[test]
fn a_count_is_digits_within_bounds() {
    for (text, expected) in [
        ("1", Some(1)),
        ("50", Some(50)),
        ("007", Some(7)),
        ("0", None),
        ("51", None),
        ("-1", None),
        ("+1", None),
        ("1.0", None),
        (" 1", None),
        ("", None),
        ("many", None),
        ("99999999999999999999999", None),
    ] {
        assert_eq!(parse_count(text, 50).ok(), expected, "{text:?}");
    }
}

#[test]
fn a_parameter_is_read_once() {
    let read = |query: &str| {
        let request = TestRequest::with_uri(&format!("/x?{query}")).to_http_request();
        query_parameters(&request, ["q", "limit"]).map_err(|problem| problem.body()["detail"].to_string())
    };
    let texts = |q: Option<&str>, limit: Option<&str>| Ok([q.map(str::to_owned), limit.map(str::to_owned)]);
    assert_eq!(read(""), texts(None, None));
    assert_eq!(read("q=a+b%20c&x=1"), texts(Some("a b c"), None));
    assert_eq!(read("limit=&q=%ff"), texts(Some("\u{fffd}"), Some("")));
    let error = read("q=a&q=b").unwrap_err();
    assert!(error.contains(r#"["query","q"]"#), "{error}");
}
