use actix_web::http::header::{HeaderMap, HeaderValue, IF_NONE_MATCH};

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
        assert_eq!(is_known(&headers, tag), *expected, "{values:?}");
    }
}
