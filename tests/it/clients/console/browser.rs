//! Whether the browser of the tests sees what it is there to see: a page that is in order, and one that is not.

use std::{io::Write as _, net::TcpStream};

use tests::{
    browser::{Browser, Elsewhere, Scheme, Way},
    upstream::{Received, Upstream},
};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const GOOD: &str = r#"<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Good</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,"><link rel="stylesheet" href="/good.css"><script src="/good.js" defer></script></head>
<body><main><h1>Good page</h1><p id="scripts">Without scripts</p>
<form method="post" action="/form"><p><label for="email">E-mail</label> <input id="email" name="email"></p>
<p><label for="state">State</label> <select id="state" name="state"><option value="">any</option><option value="no">active</option></select></p>
<p><input type="checkbox" id="box" name="box" value="yes"> <label for="box">Box</label></p><button>Send</button></form>
<p><a href="/other">Other</a></p></main></body></html>"#;

const BAD: &str = r#"<!doctype html><html><head><meta charset="utf-8"><title>Bad</title></head><body>
<p style="color: #ccc">Styled in place</p><input name="nameless"><img src="http://tollgate.invalid/elsewhere.png">
<button onclick="f()">Press</button><svg width="900" height="9"></svg><script>f()</script><script src="/bad.js"></script>
</body></html>"#;

fn answer(received: &Received, stream: &mut TcpStream) -> bool {
    let html = "text/html; charset=utf-8";
    let refused = GOOD.replace("Good page", "Refused");
    let other = GOOD.replace("Good page", "Other page");
    let is_ours = received.header("sec-fetch-site") == Some("same-origin");
    let is_form = received.head.starts_with("POST");
    let (status, kind, more, body) = match received.path.as_str() {
        "/form" if is_form && !is_ours => ("403 Forbidden", html, "", "<!doctype html><title>No</title>no"),
        "/form" if received.body.contains("email=&") => ("422 Unprocessable Content", html, "", refused.as_str()),
        "/form" => ("303 See Other", html, "location: /other\r\n", ""),
        "/good" => ("200 OK", html, "set-cookie: session=1; Path=/; HttpOnly; SameSite=Lax\r\n", GOOD),
        "/other" => ("200 OK", html, "", other.as_str()),
        "/bad" => ("200 OK", html, "", BAD),
        "/good.css" => ("200 OK", "text/css", "", ":root { color-scheme: light dark; }"),
        "/good.js" => {
            ("200 OK", "text/javascript", "", "document.getElementById('scripts').textContent = 'With scripts';")
        }
        "/bad.js" => ("200 OK", "text/javascript", "", "console.log('left over'); nothing.there();"),
        _ => ("404 Not Found", html, "", "nothing"),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-security-policy: {POLICY}\r\ncache-control: no-store\r\n\
         cross-origin-resource-policy: same-origin\r\n\
         {more}content-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all([head.as_bytes(), body.as_bytes()].concat().as_slice()).is_ok()
}

#[test]
fn a_visitor_does_with_a_page_what_people_do() {
    let site = Upstream::start(answer);
    let browser = Browser::start();
    assert_eq!(browser.open(&site.url("/good")), 200);
    browser.see("With scripts");
    browser.press("Send");
    browser.see("Refused");
    browser.fill("E-mail", "a@example.com");
    browser.choose("State", "active");
    browser.tick("box", true);
    browser.press("Send");
    assert_eq!(browser.url(), site.url("/other"));
    let sent = site.received().into_iter().rfind(|received| received.path == "/form").unwrap();
    assert_eq!(sent.body, "email=a%40example.com&state=no&box=yes");
    assert_eq!(browser.open(&site.url("/good")), 200);
    browser.press("Other");
    assert_eq!(browser.back(), 200);
    browser.see("Good page");
    assert_eq!(browser.complaints(), []);
    assert_eq!(browser.barriers(), Vec::<String>::new());
    assert_eq!(browser.sticking_out(), None);
    assert!(browser.traffic().iter().any(|fetched| fetched.url == site.url("/good.css") && fetched.bytes > 0));

    // Without scripts it is still the same visitor; another one is not.
    browser.javascript(false);
    browser.open(&site.url("/good"));
    browser.see("Without scripts");
    browser.fill("E-mail", "b@example.com");
    browser.press("Send");
    assert_eq!(browser.url(), site.url("/other"));
    assert_eq!(browser.cookies(), [("session".to_owned(), "1".to_owned())]);
    assert_eq!(Browser::start().cookies(), []);
    let given = Browser::start_without_javascript();
    given.give_cookie(&site.url("/"), "session", "2");
    given.open(&site.url("/other"));
    let received = site.received();
    let last = received.iter().rfind(|received| received.path == "/other").unwrap();
    assert_eq!(last.header("cookie"), Some("session=2"));
}

#[test]
fn what_is_wrong_with_a_page_is_found() {
    let site = Upstream::start(answer);
    let browser = Browser::start();
    browser.look(320, Scheme::Light);
    browser.open(&site.url("/bad"));
    let complaints = browser.complaints();
    for (kind, part) in [
        ("policy", "style-src"),
        ("policy", "script-src"),
        ("policy", "img-src"),
        ("error", "Content Security Policy"),
        ("page error", "nothing is not defined"),
        ("log", "left over"),
        ("elsewhere", "tollgate.invalid"),
    ] {
        let is_it = |complaint: &tests::browser::Complaint| complaint.kind == kind && complaint.text.contains(part);
        assert!(complaints.iter().any(is_it), "{kind} {part}: {complaints:#?}");
    }
    let barriers = browser.barriers().join("\n");
    for rule in ["html-has-lang (serious)", "label (critical)", "image-alt (critical)"] {
        assert!(barriers.contains(rule), "{rule}: {barriers}");
    }
    let wide = browser.sticking_out().unwrap();
    assert!(wide.contains("<svg width=\"900\""), "{wide}");
}

#[test]
fn a_picture_has_the_width_and_the_colours_that_were_asked_for() {
    let site = Upstream::start(answer);
    let folder = tests::program::folder();
    let browser = Browser::start();
    browser.open(&site.url("/good"));
    let mut pictures = Vec::new();
    for scheme in Scheme::ALL {
        browser.look(390, scheme);
        let path = folder.path().join(format!("{}.png", scheme.name()));
        browser.screenshot(&path);
        let bytes = std::fs::read(&path).unwrap();
        // The width stands behind the signature and the name of the first chunk.
        assert_eq!((&bytes[1..4], &bytes[16..20]), (&b"PNG"[..], &390_u32.to_be_bytes()[..]));
        pictures.push(bytes);
    }
    assert_ne!(pictures[0], pictures[1]);
    assert_eq!(browser.complaints(), []);
}

#[test]
fn forms_of_other_sites_are_sent_as_browsers_send_them() {
    let site = Upstream::start(answer);
    let browser = Browser::start();
    browser.open(&site.url("/good"));
    let url = site.url("/form");
    for from in Elsewhere::ALL {
        for way in Way::ALL {
            let before = site.count("/form");
            let sent = browser.submit_cross_site(&url, &[("note", "\"<&>")], way, from);
            let status = (way != Way::Fetch).then_some(403);
            assert_eq!((sent.status, site.count("/form")), (status, before + 1), "{way:?} {from:?}: {sent:?}");
            let received = site.received().into_iter().rfind(|received| received.path == "/form").unwrap();
            assert_eq!(received.body, "note=%22%3C%26%3E", "{way:?} {from:?}");
            // The cookie is kept from other sites, not from other ports; a frame without an origin is another site.
            let is_same_site = from == Elsewhere::OtherPort && way != Way::Frame;
            let expected = if is_same_site { ("same-site", Some("session=1")) } else { ("cross-site", None) };
            let found = (received.header("sec-fetch-site").unwrap(), received.header("cookie"));
            assert_eq!(found, expected, "{way:?} {from:?}");
            if way != Way::Fetch {
                assert_eq!(
                    (sent.site.as_deref(), sent.has_cookie),
                    (Some(expected.0), is_same_site),
                    "{way:?} {from:?}"
                );
            }
        }
    }
    assert_eq!(browser.complaints(), []);
}
