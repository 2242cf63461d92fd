use super::*;
use crate::{json, limits};

fn read(text: &str) -> Result<RestShape, FieldFault> {
    RestShape::read(&json::parse(text).unwrap())
}

fn shape(text: &str) -> RestShape {
    read(text).unwrap_or_else(|fault| panic!("{text}: {fault}"))
}

fn request(shape: &RestShape, base: &str, arguments: &str) -> Result<ShapedRequest, ArgumentFault> {
    shape.shape(&Url::parse(base).unwrap(), arguments)
}

fn sent(shape: &RestShape, arguments: &str) -> ShapedRequest {
    request(shape, "https://api.example.com/v1/", arguments).unwrap_or_else(|fault| panic!("{arguments}: {fault:?}"))
}

#[test]
fn arguments_go_where_they_belong() {
    let map =
        r#""rest_param_map":{"page":{"in":"header","name":"X-Page"},"lang":"query","who":{"in":"path","name":"user"}}"#;
    let shape = shape(&format!(
        r#"{{"rest_method":"post","rest_path":"/users/{{user}}/notes",{map},"rest_static_headers":{{"X-App":"tollgate"}},"rest_static_query":{{"v":2}}}}"#
    ));
    let sent = sent(&shape, r#"{"who":"a/b é","page":2,"lang":["de","en"],"text":"x","price":1.50,"none":null}"#);
    assert_eq!(sent.method, "POST");
    assert_eq!(sent.url.as_str(), "https://api.example.com/v1/users/a%2Fb%20%C3%A9/notes?v=2&lang=de&lang=en");
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(sent.headers, [header("X-App", "tollgate"), header("X-Page", "2")]);
    assert_eq!(sent.body.as_deref(), Some(r#"{"text":"x","price":1.50,"none":null}"#));
}

#[test]
fn what_is_not_mapped_goes_where_the_method_says() {
    for (method, url, body) in [
        ("GET", "https://api.example.com/v1/s?q=a+b&n=1&o=%7B%22a%22%3A1%7D", None),
        ("DELETE", "https://api.example.com/v1/s?q=a+b&n=1&o=%7B%22a%22%3A1%7D", None),
        ("PUT", "https://api.example.com/v1/s", Some(r#"{"q":"a b","n":1,"o":{"a":1}}"#)),
    ] {
        let shape = shape(&format!(r#"{{"rest_method":"{method}","rest_path":"/s"}}"#));
        let sent = sent(&shape, r#"{"q":"a b","n":1,"o":{"a":1}}"#);
        assert_eq!((sent.url.as_str(), sent.body.as_deref()), (url, body), "{method}");
    }
}

#[test]
fn no_caller_sets_what_the_publisher_sets() {
    let set = r#""rest_static_query":{"tenant":"public"},"rest_param_map":{"who":{"in":"query","name":"user"},"what":{"in":"body","name":"kind"}}"#;
    for (method, arguments, url, body) in [
        ("GET", r#"{"tenant":"admin","q":1}"#, "?key=k&tenant=public&q=1", None),
        ("DELETE", r#"{"tenant":["admin"],"q":1}"#, "?key=k&tenant=public&q=1", None),
        // that of the address
        ("GET", r#"{"key":"mine","Key":1}"#, "?key=k&tenant=public&Key=1", None),
        // that of another argument, whether it is given or not
        ("GET", r#"{"user":"root","who":"me"}"#, "?key=k&tenant=public&user=me", None),
        ("GET", r#"{"user":"root"}"#, "?key=k&tenant=public", None),
        ("POST", r#"{"kind":1,"what":2,"tenant":3}"#, "?key=k&tenant=public", Some(r#"{"kind":2,"tenant":3}"#)),
    ] {
        let map = set.replace(
            r#","what":{"in":"body","name":"kind"}"#,
            if method == "GET" { "" } else { r#","what":{"in":"body","name":"kind"}"# },
        );
        let shape = shape(&format!(r#"{{"rest_method":"{method}","rest_path":"/s",{map}}}"#));
        let sent = request(&shape, "https://api.example.com/?key=k", arguments).unwrap();
        let expected = format!("https://api.example.com/s{url}");
        assert_eq!((sent.url.as_str(), sent.body.as_deref()), (expected.as_str(), body), "{method} {arguments}");
    }
}

#[test]
fn a_template_makes_the_body() {
    let made = shape(
        r#"{"rest_method":"POST","rest_path":"/s","rest_body_template":{"query":{"text":"{text}","top":"{top}"},"note":"of {text}!","all":["{top}"],"fixed":1.0}}"#,
    );
    for (arguments, body) in [
        (
            r#"{"text":"a\"b","top":2.0,"more":true}"#,
            r#"{"all":[2.0],"fixed":1.0,"note":"of a\"b!","query":{"text":"a\"b","top":2.0},"more":true}"#,
        ),
        (r#"{"text":"{top}"}"#, r#"{"all":[null],"fixed":1.0,"note":"of {top}!","query":{"text":"{top}"}}"#),
        // what the template has already is not overridden
        (r#"{"fixed":2}"#, r#"{"all":[null],"fixed":1.0,"note":"of !","query":{}}"#),
    ] {
        assert_eq!(sent(&made, arguments).body.as_deref(), Some(body), "{arguments}");
    }
    let whole = shape(r#"{"rest_method":"POST","rest_path":"/s","rest_body_template":"{body}"}"#);
    assert_eq!(sent(&whole, r#"{"body":[1,2]}"#).body.as_deref(), Some("[1,2]"));
    assert_eq!(sent(&whole, "{}").body, None);
}

#[test]
fn a_template_does_not_grow_without_bounds() {
    let parts = vec!["\"{a}\""; 1_000].join(",");
    let shape = shape(&format!(r#"{{"rest_method":"POST","rest_path":"/s","rest_body_template":[{parts}]}}"#));
    let arguments = format!(r#"{{"a":"{}"}}"#, "x".repeat(10_000));
    assert!(request(&shape, "https://example.com", &arguments).is_err());
}

#[test]
fn nothing_leads_away_from_the_base() {
    let two = shape(r#"{"rest_method":"GET","rest_path":"/a/{x}{y}/b"}"#);
    for (x, y) in [("..", ""), (".", "."), ("", ""), (".", "")] {
        let arguments = format!(r#"{{"x":"{x}","y":"{y}"}}"#);
        assert!(request(&two, "https://example.com/v1", &arguments).is_err(), "{arguments}");
    }
    for (x, path) in [
        ("../../etc", "/v1/a/..%2F..%2Fetcz/b"),
        ("%2e%2e", "/v1/a/%252e%252ez/b"),
        (r"..\\..", r"/v1/a/..%5C..z/b"),
        ("//evil.example", "/v1/a/%2F%2Fevil.examplez/b"),
        ("?a=1#b", "/v1/a/%3Fa%3D1%23bz/b"),
        ("@evil.example:80", "/v1/a/%40evil.example%3A80z/b"),
        (r"a\r\nHost: b", "/v1/a/a%0D%0AHost%3A%20bz/b"),
    ] {
        let arguments = format!(r#"{{"x":"{x}","y":"z"}}"#);
        let sent = request(&two, "https://example.com/v1", &arguments).unwrap();
        assert_eq!((sent.url.path(), sent.url.host_str(), sent.url.query()), (path, Some("example.com"), None), "{x}");
    }
    for arguments in ["{}", r#"{"x":null,"y":"a"}"#, r#"{"x":[1],"y":"a"}"#, r#"{"x":{},"y":"a"}"#] {
        let fault = request(&two, "https://example.com/v1", arguments).unwrap_err();
        assert_eq!(fault.pointer(), "/x", "{arguments}");
    }
}

#[test]
fn a_header_holds_no_line_break() {
    let shape = shape(r#"{"rest_method":"GET","rest_path":"/","rest_param_map":{"h":"header"}}"#);
    for value in [r#""a\r\nb""#, r#""é""#, "[1]", r#"{"a":1}"#] {
        let fault = request(&shape, "https://example.com", &format!("{{\"h\":{value}}}")).unwrap_err();
        assert_eq!(fault.pointer(), "/h", "{value}");
    }
    assert_eq!(sent(&shape, r#"{"h":null}"#).headers, []);
}

#[test]
fn what_a_publisher_may_not_say_is_refused_by_its_field() {
    let long = "/a".repeat(limits::REST_PATH_BYTES_MAX);
    let many: Vec<_> = (0..=limits::REST_ENTRIES_MAX).map(|n| format!("\"a{n}\":\"query\"")).collect();
    let many = format!("{{{}}}", many.join(","));
    let with = |rest: &str| format!(r#"{{"rest_method":"POST","rest_path":"/s",{rest}}}"#);
    for (text, field) in [
        (r#"{"rest_path":"/s"}"#.to_owned(), "rest_method"),
        (r#"{"rest_method":"GET"}"#.to_owned(), "rest_path"),
        (r#"{"rest_method":"TRACE","rest_path":"/s"}"#.to_owned(), "rest_method"),
        (r#"{"rest_method":1,"rest_path":"/s"}"#.to_owned(), "rest_method"),
        (r#"{"rest_method":"GET","rest_path":"s"}"#.to_owned(), "rest_path"),
        (r#"{"rest_method":"GET","rest_path":"//evil.example/s"}"#.to_owned(), "rest_path"),
        (r#"{"rest_method":"GET","rest_path":"/a/../b"}"#.to_owned(), "rest_path"),
        (r#"{"rest_method":"GET","rest_path":"/a/%2E%2e/b"}"#.to_owned(), "rest_path"),
        (r#"{"rest_method":"GET","rest_path":"/a?b=1"}"#.to_owned(), "rest_path"),
        (r#"{"rest_method":"GET","rest_path":"/a b"}"#.to_owned(), "rest_path"),
        (r#"{"rest_method":"GET","rest_path":"/a\\b"}"#.to_owned(), "rest_path"),
        (r#"{"rest_method":"GET","rest_path":"/a%2"}"#.to_owned(), "rest_path"),
        (r#"{"rest_method":"GET","rest_path":"/%{a}"}"#.to_owned(), "rest_path"),
        (r#"{"rest_method":"GET","rest_path":"/{a b}"}"#.to_owned(), "rest_path"),
        (format!(r#"{{"rest_method":"GET","rest_path":"{long}"}}"#), "rest_path"),
        (with(r#""rest_param_map":[]"#), "rest_param_map"),
        (with(&format!("\"rest_param_map\":{many}")), "rest_param_map"),
        (with(r#""rest_param_map":{"a":"cookie"}"#), "rest_param_map.a"),
        (with(r#""rest_param_map":{"a":{"name":"b"}}"#), "rest_param_map.a"),
        (with(r#""rest_param_map":{"a":{"in":"query","style":"form"}}"#), "rest_param_map.a"),
        (with(r#""rest_param_map":{"a":"path"}"#), "rest_param_map.a"),
        (with(r#""rest_param_map":{"a":{"in":"header","name":"Host"}}"#), "rest_param_map.a"),
        (with(r#""rest_param_map":{"a":{"in":"query","name":"x"},"b":{"in":"query","name":"x"}}"#), "rest_param_map.b"),
        (with(r#""rest_static_headers":{"Host":"evil"}"#), "rest_static_headers.Host"),
        (with(r#""rest_static_headers":{"authorization":"Bearer x"}"#), "rest_static_headers.authorization"),
        (with(r#""rest_static_headers":{"Content-Length":"0"}"#), "rest_static_headers.Content-Length"),
        (with(r#""rest_static_headers":{"Transfer-Encoding":"chunked"}"#), "rest_static_headers.Transfer-Encoding"),
        (with(r#""rest_static_headers":{"Proxy-Authorization":"x"}"#), "rest_static_headers.Proxy-Authorization"),
        (
            with(r#""rest_static_headers":{"X-Tollgate-Invocation-Id":"x"}"#),
            "rest_static_headers.X-Tollgate-Invocation-Id",
        ),
        (with(r#""rest_static_headers":{"A":"a\r\nB: c"}"#), "rest_static_headers.A"),
        (with(r#""rest_static_headers":{"A b":"c"}"#), "rest_static_headers.A b"),
        (with(r#""rest_static_headers":{"A":["c"]}"#), "rest_static_headers.A"),
        (with(r#""rest_static_query":{"a":"b\n"}"#), "rest_static_query.a"),
        (with(r#""rest_static_query":{"":"b"}"#), "rest_static_query."),
        (r#"{"rest_method":"GET","rest_path":"/s","rest_body_template":{}}"#.to_owned(), "rest_body_template"),
        (with(r#""rest_body_template":[],"rest_param_map":{"a":"body"}"#), "rest_body_template"),
    ] {
        assert_eq!(read(&text).unwrap_err().field, field, "{text}");
    }
}

#[test]
fn what_was_read_is_read_again() {
    let text = r#"{"rest_method":"POST","rest_path":"/a/{id}","rest_param_map":{"k":{"in":"header","name":"X-K"}},"rest_body_template":{"b":"{b}"},"rest_static_headers":{"X-A":"1"},"rest_static_query":{"v":"2"}}"#;
    let shape = shape(text);
    assert_eq!(shape.to_text(), text);
    assert_eq!(RestShape::from_text(&shape.to_text()).unwrap(), shape);
}

#[test]
fn a_change_leaves_alone_what_it_does_not_name() {
    let old =
        shape(r#"{"rest_method":"POST","rest_path":"/a","rest_body_template":{"b":1},"rest_static_query":{"v":"2"}}"#);
    let changed = old.changed(&json::parse(r#"{"rest_path":"/q","rest_body_template":null}"#).unwrap()).unwrap();
    assert_eq!(
        changed.to_text(),
        r#"{"rest_method":"POST","rest_path":"/q","rest_param_map":{},"rest_static_headers":{},"rest_static_query":{"v":"2"}}"#
    );
    // what stays is checked with what changes
    let fault = old.changed(&json::parse(r#"{"rest_method":"GET"}"#).unwrap()).unwrap_err();
    assert_eq!(fault.field, "rest_body_template");
}
