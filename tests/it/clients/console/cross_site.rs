//! Forms of other sites change nothing, whichever route they are sent to.

use tests::{
    browser::{Elsewhere, Way},
    home::{Home, Kind},
    html, on_both_databases,
    operator_console::OperatorConsole,
};

use super::routes::{forms, with_stand_ins};

on_both_databases!(
    a_form_that_does_not_say_that_it_is_ours_is_refused_everywhere,
    a_form_of_another_site_in_a_browser_is_refused_everywhere,
);

const REFUSED: &str = "This form came from somewhere else";

fn a_form_that_does_not_say_that_it_is_ours_is_refused_everywhere(kind: Kind) {
    let home = Home::on(kind);
    let console = OperatorConsole::start(home.path());
    let ada = console.operator("Ada", "ada@example.com", "owner");
    let own = console.url("");
    let mixed = [("sec-fetch-site", "cross-site"), ("origin", own.as_str())];
    let headers: [&[(&str, &str)]; 9] = [
        &[],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "none")],
        &[("sec-fetch-site", "")],
        &[("origin", "null")],
        &[("origin", "http://evil.example")],
        &[("origin", "http://127.0.0.1.evil.example")],
        &mixed,
    ];
    for path in forms() {
        let path = with_stand_ins(path);
        for headers in headers {
            let answer = ada.visitor.post_with(&path, headers, &[("reason", "x")]);
            assert_eq!(answer.status, 403, "{path} {headers:?}");
            assert!(html::text(&answer.body).contains(REFUSED), "{path} {headers:?}: {}", answer.body);
        }
        // Other kinds of bodies can be sent from anywhere without being asked for.
        for kind in ["text/plain", "multipart/form-data; boundary=b", "application/json", ""] {
            let headers = [("sec-fetch-site", "same-origin"), ("content-type", kind)];
            let answer = ada.visitor.send("POST", &path, &headers, Some("reason=x"));
            assert_eq!(answer.status, 403, "{path} {kind}");
        }
    }
    assert_eq!(ada.visitor.get("/admin/me").status, 200, "and the session is still there");
}

fn a_form_of_another_site_in_a_browser_is_refused_everywhere(kind: Kind) {
    let home = Home::on(kind);
    let console = OperatorConsole::start(home.path());
    let ada = console.operator("Ada", "ada@example.com", "owner");
    let browser = ada.browser();
    for path in forms() {
        let url = console.url(&with_stand_ins(path));
        for from in Elsewhere::ALL {
            let sent = browser.submit_cross_site(&url, &[("reason", "x")], Way::Form, from);
            assert_eq!(sent.status, Some(403), "{url} {from:?}: {sent:?}");
            // On another port the cookie goes along: then only the headers tell.
            assert_eq!(sent.has_cookie, from == Elsewhere::OtherPort, "{url} {from:?}: {sent:?}");
        }
    }
    let sign_out = console.url("/admin/sign-out");
    for way in Way::ALL {
        for from in Elsewhere::ALL {
            let sent = browser.submit_cross_site(&sign_out, &[], way, from);
            // What a script is not told, it did not do either: see below.
            assert!(sent.status == Some(403) || way == Way::Fetch, "{way:?} {from:?}: {sent:?}");
        }
    }
    assert_eq!(browser.open(&console.url("/admin/me")), 200);
    assert_eq!(browser.url(), console.url("/admin/me"), "still signed in");
    // The same form from a page of ours does what it says.
    browser.press("Sign out");
    browser.see("Signed out");
}
