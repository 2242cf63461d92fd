use super::*;

const PAGE: &str = r#"<!doctype html>
<html lang="en"><head><title>A &amp; B</title><script src="/a.js" defer></script></head>
<body><!-- <b style="x"> --><h1>Give &lt;credits&gt;</h1>
<form action="/search"><input name="q" type="search"></form>
<form method="POST" action="/give?a=1&amp;b=2" novalidate>
<input type="hidden" name="op" value="&#x27;7&#39;"><input name="empty">
<input type="checkbox" name="off" value="yes"><input type="checkbox" name="on" value="yes" checked>
<select name="state"><option value="a">A</option><option value="b" selected>B</option></select>
<select name="first"><option value="c">C</option></select>
<textarea name="text" rows="3">
one <two> &amp; three</textarea>
<button name="step" value="preview">Look</button><button>Give</button></form>
<pre><code>tollgate operator</code></pre><p>1&nbsp;cr <a href="/x">A <b>link</b></a></p></body></html>"#;

#[test]
fn a_form_sends_what_a_browser_would_send() {
    let found = forms(PAGE);
    assert_eq!((found[0].method.as_str(), found[0].action.as_str()), ("get", "/search"));
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!((found[1].method.as_str(), found[1].action.as_str()), ("post", "/give?a=1&b=2"));
    assert_eq!(
        found[1].fields,
        [
            pair("op", "'7'"),
            pair("empty", ""),
            pair("on", "yes"),
            pair("state", "b"),
            pair("first", "c"),
            pair("text", "one <two> & three"),
        ]
    );
    assert_eq!(found[1].boxes, [pair("off", "yes")]);
    assert_eq!(found[1].buttons, [pair("step", "preview")]);
}

#[test]
fn what_is_read_is_what_is_shown() {
    let seen = text(PAGE);
    assert!(
        seen.starts_with("Give <credits> A B C one <two> & three Look Give tollgate operator 1 cr A link"),
        "{seen}"
    );
    assert_eq!(texts_of(PAGE, "code"), ["tollgate operator"]);
    assert_eq!(texts_of(PAGE, "title"), ["A & B"]);
    assert_eq!(links(PAGE), ["/x"]);
}

#[test]
fn code_inside_a_page_is_found() {
    assert_eq!(inline_code(PAGE), Vec::<String>::new());
    for wrong in [
        r#"<p style="color: red">"#,
        r#"<button onclick="f()">"#,
        r#"<svg onload="f()"></svg>"#,
        r#"<div hx-on:click="f()">"#,
        r#"<div hx-vals="js:f()">"#,
        r#"<a href=" JavaScript:f()">"#,
        r#"<iframe srcdoc="x">"#,
        "<style>p {}</style>",
        "<script>f()</script>",
        r#"<script src="/a.js">f()</script>"#,
    ] {
        assert!(!inline_code(wrong).is_empty(), "{wrong}");
    }
}

#[test]
#[should_panic(expected = "a value without quotes")]
fn what_our_templates_do_not_write_is_not_read() {
    elements("<p class=x>");
}

#[test]
fn a_bare_ampersand_stands_for_itself() {
    assert_eq!(decode("a & b &unknown; &#65;&#x42;"), "a & b &unknown; AB");
}
