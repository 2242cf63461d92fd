//! Passwords do not travel in the clear.

use std::net::{IpAddr, UdpSocket};

use serde_json::json;
use tests::{
    home::{Home, Kind},
    html,
    operator_console::OperatorConsole,
    program::Answer,
};

const PLAIN: [(&str, &str); 1] = [("x-forwarded-proto", "http")];
const SECURE: [(&str, &str); 1] = [("x-forwarded-proto", "https")];

fn expect_refusal(answer: &Answer) {
    let said = html::text(&answer.body);
    assert_eq!(answer.status, 403, "{said}");
    for part in ["This connection is not private", "server.tls", "server.trusted_proxies"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(answer.header("set-cookie").is_none() && html::forms(&answer.body).is_empty(), "{}", answer.body);
}

/// An address of this machine that is not loopback's, if it has one. Nothing is sent.
fn other_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    // An address for documentation: it is only looked up through which interface it would be reached.
    socket.connect("198.51.100.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

#[test]
fn plain_http_from_elsewhere_is_refused_with_a_sentence() {
    // What a proxy says counts where it is trusted.
    let home = Home::on(Kind::Sqlite);
    let trusting = json!({"server": {"public_url": "https://console.example", "trusted_proxies": ["127.0.0.0/8"]}});
    let console = OperatorConsole::start_with(home.path(), &trusting);
    let nobody = console.visitor();
    expect_refusal(&nobody.send("GET", "/admin/sign-in", &PLAIN, None));
    expect_refusal(&nobody.post_with(
        "/admin/sign-in",
        &[("sec-fetch-site", "same-origin"), PLAIN[0]],
        &[("email", "a")],
    ));
    assert_eq!(nobody.send("GET", "/admin/sign-in", &SECURE, None).status, 200);
    drop(console);

    // It does not where nobody is, and then this machine is private.
    let console = OperatorConsole::start(home.path());
    assert_eq!(console.visitor().send("GET", "/admin/sign-in", &PLAIN, None).status, 200);
    drop(console);

    // Some machines have only themselves.
    let Some(address) = other_address() else { return };
    let open = json!({"server": {"insecure_http": true}});
    let console = OperatorConsole::start_at(home.path(), address, &open);
    let nobody = console.visitor();
    for headers in [&[][..], &SECURE] {
        expect_refusal(&nobody.send("GET", "/admin/sign-in", headers, None));
        expect_refusal(&nobody.send("GET", "/admin/accounts", headers, None));
    }
}
