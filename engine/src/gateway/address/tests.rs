use std::borrow::Cow;

use super::*;

fn proxies(networks: &[&str], allows_real_ip: bool) -> TrustedProxies {
    TrustedProxies { networks: networks.iter().map(|network| network.parse().unwrap()).collect(), allows_real_ip }
}

fn headers<'a>(pairs: &[(&'a str, &'a str)]) -> Headers<'a> {
    pairs.iter().map(|(name, value)| (*name, Cow::Borrowed(*value))).collect()
}

#[test]
fn the_client_is_the_rightmost_hop_that_no_trusted_proxy_is() {
    let trusted = proxies(&["127.0.0.1/32", "10.0.0.0/8"], false);
    for (peer, sent, client) in [
        ("127.0.0.1", &[("x-forwarded-for", "203.0.113.5")][..], "203.0.113.5"),
        ("127.0.0.1", &[("x-forwarded-for", "198.51.100.1, 203.0.113.5")], "203.0.113.5"),
        ("127.0.0.1", &[("x-forwarded-for", "203.0.113.5, 10.1.2.3")], "203.0.113.5"),
        ("127.0.0.1", &[("x-forwarded-for", "203.0.113.5"), ("x-forwarded-for", "10.1.2.3")], "203.0.113.5"),
        ("127.0.0.1", &[("x-forwarded-for", "10.9.9.9, 10.1.2.3")], "10.9.9.9"),
        ("127.0.0.1", &[("x-forwarded-for", "203.0.113.5, nobody")], "127.0.0.1"),
        ("127.0.0.1", &[("x-forwarded-for", "203.0.113.5:4711")], "203.0.113.5"),
        ("127.0.0.1", &[("x-forwarded-for", "[2001:db8::1]:80")], "2001:db8::1"),
        ("127.0.0.1", &[("x-forwarded-for", "::ffff:203.0.113.5")], "203.0.113.5"),
        ("::ffff:127.0.0.1", &[("x-forwarded-for", "203.0.113.5")], "203.0.113.5"),
        ("127.0.0.1", &[("x-forwarded-for", "")], "127.0.0.1"),
        ("127.0.0.1", &[("x-real-ip", "203.0.113.5")], "127.0.0.1"),
        ("192.0.2.1", &[("x-forwarded-for", "203.0.113.5")], "192.0.2.1"),
        ("192.0.2.1", &[], "192.0.2.1"),
    ] {
        let found = trusted.find_client(peer.parse().unwrap(), &headers(sent));
        assert_eq!(found.to_string(), client, "{peer} {sent:?}");
    }
}

#[test]
fn another_header_counts_only_where_it_is_asked_for_and_nothing_better_is_there() {
    let trusted = proxies(&["127.0.0.0/8"], true);
    for (sent, client) in [
        (&[("x-real-ip", " 203.0.113.5 ")][..], "203.0.113.5"),
        (&[("x-real-ip", "203.0.113.5"), ("x-forwarded-for", "203.0.113.6")], "203.0.113.6"),
        (&[("x-real-ip", "me")], "127.0.0.1"),
    ] {
        let found = trusted.find_client("127.0.0.1".parse().unwrap(), &headers(sent));
        assert_eq!(found.to_string(), client, "{sent:?}");
    }
}

#[test]
fn a_network_of_ipv6_is_one_caller() {
    for (address, key) in [
        ("203.0.113.5", "203.0.113.5"),
        ("::ffff:203.0.113.5", "203.0.113.5"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("::1", "::1"),
    ] {
        assert_eq!(limit_key(address.parse().unwrap()).to_string(), key);
    }
}

#[test]
fn forwarding_headers_are_known_by_their_names_even_empty() {
    for name in ["forwarded", "via", "x-real-ip", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-anything"] {
        assert!(headers(&[(name, "")]).are_forwarded(), "{name}");
    }
    assert!(!headers(&[("host", "x"), ("x-forward", "y")]).are_forwarded());
}
