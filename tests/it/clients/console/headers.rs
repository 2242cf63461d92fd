//! What every answer of the console says to the browser beside its page, and what no page has in it.

use serde_json::json;
use tests::{
    home::{Home, Kind},
    html,
    operator_console::{OperatorConsole, PASSWORD},
    program::Answer,
};

/// With every answer, whatever its status: these headers with these values, once.
const HEADERS: [(&str, &str); 10] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
         connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'",
    ),
    ("cache-control", "no-store"),
    ("content-type", "text/html; charset=utf-8"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ("referrer-policy", "same-origin"),
    ("strict-transport-security", "max-age=31536000; includeSubDomains"),
    ("vary", "hx-request"),
    ("x-content-type-options", "nosniff"),
];

/// Those that may stand beside them.
const OTHERS: [&str; 8] =
    ["allow", "clear-site-data", "connection", "content-length", "date", "location", "retry-after", "set-cookie"];

/// What is wrong with an answer's headers and page, a sentence for each.
pub(super) fn faults(answer: &Answer) -> Vec<String> {
    let mut found = html::inline_code(&answer.body);
    for (name, value) in HEADERS {
        // What has no page has no type either.
        if name == "content-type" && answer.body.is_empty() {
            continue;
        }
        let values: Vec<&str> =
            answer.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect();
        if values != [value] {
            found.push(format!("`{name}` is {values:?}"));
        }
    }
    let is_known = |name: &str| HEADERS.iter().any(|(known, _)| *known == name) || OTHERS.contains(&name);
    found.extend(
        answer.headers.iter().filter(|(name, _)| !is_known(name)).map(|(name, value)| format!("`{name}: {value}`")),
    );
    found
}

#[test]
fn every_answer_has_the_same_headers_and_nothing_inline() {
    let home = Home::on(Kind::Sqlite);
    let console = OperatorConsole::start(home.path());
    let ada = console.operator("Ada", "ada@example.com", "owner");
    let nobody = console.visitor();
    let wrong = [("email", "ada@example.com"), ("password", "wrong"), ("code", ""), ("next", "/admin/")];
    let unknown = "/admin/accounts/acc_00000000-0000-7000-8000-000000000000";
    let cases = [
        ("the sign-in", 200, nobody.get("/admin/sign-in")),
        ("a page", 200, ada.visitor.get("/admin/accounts")),
        ("a part of a page", 200, ada.visitor.send("GET", "/admin/accounts", &[("hx-request", "true")], None)),
        ("somebody unknown", 303, nobody.get("/admin/accounts")),
        ("a form of another site", 403, nobody.post_with("/admin/sign-in", &[], &wrong)),
        // An owner without a second factor.
        ("a page that the operator may not see", 403, ada.visitor.get(&format!("{unknown}/grant"))),
        ("no such page", 404, nobody.get("/admin/nothing")),
        ("no such page, signed in", 404, ada.visitor.get("/admin/nothing/at/all")),
        ("no such account", 404, ada.visitor.get(unknown)),
        ("no account at all", 404, ada.visitor.get("/admin/accounts/%3Cscript%3E")),
        ("no such file", 404, nobody.get("/admin/static/app.js")),
        ("a method that is not taken", 405, nobody.send("DELETE", "/admin/sign-in", &[], None)),
        ("a wrong password", 422, nobody.post("/admin/sign-in", &wrong)),
        ("a link that is gone", 422, nobody.get("/admin/link/nothing")),
        ("signed out", 200, ada.visitor.post("/admin/sign-out", &[])),
    ];
    let mut found = Vec::new();
    for (what, status, answer) in &cases {
        assert_eq!(answer.status, *status, "{what}: {}", answer.body);
        found.extend(faults(answer).into_iter().map(|fault| format!("{what} ({status}): {fault}")));
        // Who signs out leaves nothing of it in the browser.
        let is_cleared = answer.header("clear-site-data") == Some("\"cache\", \"storage\"");
        assert_eq!(is_cleared, *what == "signed out", "{what}");
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn static_files_are_kept_for_ever_and_packed() {
    let home = Home::on(Kind::Sqlite);
    let console = OperatorConsole::start(home.path());
    let nobody = console.visitor();
    let page = nobody.get("/admin/sign-in").body;
    let named = html::elements(&page).into_iter().filter_map(|element| match element.name.as_str() {
        "script" => element.get("src").map(str::to_owned),
        "link" => element.get("href").map(str::to_owned),
        _ => None,
    });
    let files: Vec<String> = named.filter(|href| !href.starts_with("data:")).collect();
    assert_eq!(files.len(), 3, "{files:?}");
    for file in files {
        let [plain, packed] = [&[][..], &[("accept-encoding", "br;q=1, gzip;q=0.8")]]
            .map(|headers| nobody.send("GET", &file, headers, None));
        for answer in [&plain, &packed] {
            assert_eq!(answer.status, 200, "{file}");
            assert_eq!(answer.header("cache-control"), Some("public, max-age=31536000, immutable"), "{file}");
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{file}");
            assert_eq!(answer.header("vary"), Some("accept-encoding"), "{file}");
        }
        let bytes = |answer: &Answer| answer.header("content-length").unwrap().parse::<u64>().unwrap();
        assert_eq!(
            (plain.header("content-encoding"), packed.header("content-encoding")),
            (None, Some("gzip")),
            "{file}"
        );
        assert!(bytes(&packed) < bytes(&plain), "{file}");
    }
}

#[test]
fn the_session_is_a_cookie_that_scripts_and_other_sites_do_not_get() {
    let home = Home::on(Kind::Sqlite);
    let console = OperatorConsole::start(home.path());
    console.operator("Ada", "ada@example.com", "owner");
    let fields = [("email", "ada@example.com"), ("password", PASSWORD)];
    let cookie_of = |console: &OperatorConsole, headers: &[(&str, &str)]| {
        let answer = console.visitor().post_with("/admin/sign-in", headers, &fields);
        let cookie =
            answer.header("set-cookie").unwrap_or_else(|| panic!("{} {}", answer.status, answer.body)).to_owned();
        let (pair, attributes) = cookie.split_once(';').unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        assert!(value.len() >= 43, "256 bits: {cookie}");
        (name.to_owned(), attributes.to_owned())
    };
    let (name, attributes) = cookie_of(&console, &[("sec-fetch-site", "same-origin")]);
    assert_eq!(
        (name.as_str(), attributes.as_str()),
        ("tollgate-session", " Path=/; Max-Age=43200; HttpOnly; SameSite=Lax")
    );
    drop(console);

    // Behind a proxy with TLS it is bound to the host; old browsers name the origin only.
    let server = json!({"server": {"public_url": "https://console.example", "trusted_proxies": ["127.0.0.0/8"]}});
    let console = OperatorConsole::start_with(home.path(), &server);
    let proxied = [("origin", "https://console.example"), ("x-forwarded-proto", "https")];
    let (name, attributes) = cookie_of(&console, &proxied);
    let expected = ("__Host-tollgate-session", " Path=/; Max-Age=43200; HttpOnly; SameSite=Lax; Secure");
    assert_eq!((name.as_str(), attributes.as_str()), expected);
    for origin in ["https://console.example.evil", "http://console.example", "https://console.example:444", "null"] {
        let headers = [("origin", origin), ("x-forwarded-proto", "https")];
        assert_eq!(console.visitor().post_with("/admin/sign-in", &headers, &fields).status, 403, "{origin}");
    }
}
