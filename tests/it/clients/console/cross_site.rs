//! Forms of other sites change nothing, whichever route they are sent to.

use tests::{
    browser::{Browser, Elsewhere, Way},
    home::{Home, Kind},
    html, on_both_databases,
    operator_console::OperatorConsole,
};

use super::{
    routes::{forms, with_stand_ins},
    samples::{World, forms::SENDINGS},
    sending::{Senders, post, trail},
};

on_both_databases!(
    a_form_that_does_not_say_that_it_is_ours_is_refused_everywhere,
    a_form_that_would_be_done_does_nothing_from_elsewhere,
);

/// Every way in which the cookie goes along, and one in which it does not.
const WAYS: [(Way, Elsewhere); 5] = [
    (Way::Form, Elsewhere::OtherPort),
    (Way::Frame, Elsewhere::OtherPort),
    (Way::Fetch, Elsewhere::OtherPort),
    (Way::Redirect, Elsewhere::OtherPort),
    (Way::Form, Elsewhere::OtherSite),
];
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

/// Every form that can be sent, filled in and shown what it would do, is first sent from elsewhere: nothing comes of it. Then
/// the same is sent from a page of ours, and done.
fn a_form_that_would_be_done_does_nothing_from_elsewhere(kind: Kind) {
    let home = Home::on(kind);
    let world = World::start(&home);
    let senders = Senders::of(&world);
    let browser = Browser::start();
    let mut found = Vec::new();
    for sending in SENDINGS {
        let visitor = senders.visitor(sending.by);
        let opened = senders.open(sending);
        let Ok((action, filled)) = senders.fill(sending, &opened) else { panic!("{} is not asked", sending.route) };
        visitor.go_on_in(&browser);
        let before = trail(&home);
        for (way, from) in WAYS {
            let fields: Vec<(&str, &str)> =
                filled.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let sent = browser.submit_cross_site(&world.console.url(&action), &fields, way, from);
            // A script is not told what was answered.
            let is_refused = sent.status == Some(403) || way == Way::Fetch;
            // To another port the cookie goes along: then only the headers tell. A frame without an origin is another site.
            let has_cookie = from == Elsewhere::OtherPort;
            let is_told = matches!(way, Way::Form | Way::Redirect);
            if !is_refused || (is_told && sent.has_cookie != has_cookie) {
                found.push(format!("{action} {way:?} {from:?}: {sent:?}"));
            }
        }
        found.extend((trail(&home) != before).then(|| format!("{action} was done from elsewhere")));
        let done = post(visitor, &action, &filled);
        let is_done = matches!(done.status, 200 | 303) && (sending.told.is_empty() || trail(&home) != before);
        found.extend((!is_done).then(|| format!("{action}: {}: {}", done.status, html::text(&done.body))));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
