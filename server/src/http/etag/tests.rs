use actix_web::{
    http::header::{HeaderValue, IF_NONE_MATCH},
    test::TestRequest,
};

use super::*;

#[test]
fn a_tag_names_its_content() {
    let tag = tag_of("a");
    assert_eq!(tag.len(), 2 * TAG_BYTES + 2);
    assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag}");
    assert_eq!(tag, tag_of("a"));
    assert_ne!(tag, tag_of("b"));
}

#[test]
fn who_has_the_content_is_recognised() {
    let tag = "\"abc\"";
    let cases: &[(&[&str], bool)] = &[
        (&[], false),
        (&["\"abc\""], true),
        (&["W/\"abc\""], true),
        (&["*"], true),
        (&["\"x\", W/\"abc\" , \"y\""], true),
        (&["\"x\"", "\"abc\""], true),
        (&["abc"], false),
        (&["\"abcd\""], false),
        (&[""], false),
    ];
    for (values, expected) in cases {
        let mut headers = HeaderMap::new();
        for value in *values {
            headers.append(IF_NONE_MATCH, HeaderValue::from_str(value).unwrap());
        }
        assert_eq!(is_named(&headers, tag), *expected, "{values:?}");
    }
}

#[test]
fn only_what_is_read_is_known() {
    for (method, expected) in [
        (Method::GET, true),
        (Method::HEAD, true),
        (Method::POST, false),
        (Method::PUT, false),
        (Method::DELETE, false),
    ] {
        let request =
            TestRequest::default().method(method.clone()).insert_header((IF_NONE_MATCH, "*")).to_http_request();
        assert_eq!(is_known(&request, "\"abc\""), expected, "{method}");
    }
}
