use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

use super::{find_client, limit_key};

fn headers(lines: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(HeaderName::from_static("x-forwarded-for"), HeaderValue::from_str(line).unwrap());
    }
    headers
}

#[test]
fn only_hops_of_trusted_proxies_are_believed() {
    let cases: [(&str, &[&str], &str); 9] = [
        ("203.0.113.9", &["198.51.100.1"], "203.0.113.9"),
        ("10.0.0.1", &[], "10.0.0.1"),
        ("10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", &["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", &["1.1.1.1, 198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", &["1.1.1.1", "198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", &["198.51.100.1, nonsense"], "10.0.0.1"),
        ("10.0.0.1", &["198.51.100.1, nonsense, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", &["::ffff:198.51.100.1"], "198.51.100.1"),
    ];
    let trusted = ["10.0.0.0/8".parse().unwrap()];
    for (peer, lines, expected) in cases {
        let found = find_client(peer.parse().unwrap(), &headers(lines), &trusted);
        assert_eq!(found.to_string(), expected, "{peer} {lines:?}");
    }
}

#[test]
fn an_ipv6_customer_is_its_network() {
    assert_eq!(limit_key("2001:db8:1:2:3:4:5:6".parse().unwrap()), "2001:db8:1:2::");
    assert_eq!(limit_key("203.0.113.9".parse().unwrap()), "203.0.113.9");
}
