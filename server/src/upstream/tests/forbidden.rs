use std::net::{IpAddr, Ipv4Addr};

use reqwest::dns::Resolve as _;

use super::{
    hostile::{Hostile, fine},
    *,
};
use crate::{
    config::AllowedHost,
    upstream::{egress::Reach, lookup::VettedLookup},
};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const METADATA: IpAddr = IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254));

/// Rules that close nothing but the addresses: the canary's port and plain `http` are open.
fn addresses_only(port: u16) -> EgressRules {
    EgressRules { allow_http: true, ports: vec![port], ..EgressRules::default() }
}

#[tokio::test]
async fn no_notation_of_loopback_reaches_the_canary() {
    let canary = Hostile::answering(fine());
    let upstreams = upstreams(addresses_only(canary.address.port()));
    let hosts = [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "017700000001",
        "0177.0.0.1",
        "127.0.0.1.",
        "%31%32%37.0.0.1",
        "127。0。0。1",
        "①②⑦.⓪.⓪.①",
        "0",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[2002:7f00:1::]",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "user@127.0.0.1",
    ];
    for host in hosts {
        let answer = call(&upstreams, &format!("http://{host}:{}/tool", canary.address.port())).await;
        assert_eq!(kind(&answer), "not dispatched", "`{host}`: {answer:?}");
    }
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn what_is_no_url_is_not_dispatched() {
    let upstreams = upstreams(allow_private());
    for url in
        ["", "/tool", "tool.test", "http://", "http://[::1", "http://a b/", "http://127.0.0.1:99999/", "https://%00/"]
    {
        assert_eq!(kind(&call(&upstreams, url).await), "not dispatched", "`{url}`");
    }
}

#[tokio::test]
async fn a_name_with_forbidden_addresses_reaches_nothing() {
    let canary = Hostile::answering(fine());
    let port = canary.address.port();
    let (upstreams, asked) = upstreams_with_names(addresses_only(port), |_, _| vec![LOOPBACK, "::1".parse().unwrap()]);
    let answer = call(&upstreams, &format!("http://tool.test:{port}/")).await;
    let UpstreamAnswer::NotDispatched { detail } = &answer else { panic!("{answer:?}") };
    assert!(detail.contains("no address of `tool.test` may be called: address `::1` is loopback"), "{detail}");
    assert_eq!((canary.connections(), asked.load(Ordering::Relaxed)), (0, 1));
}

#[tokio::test]
async fn forbidden_addresses_are_left_out_of_a_mixed_answer() {
    let upstream = Hostile::answering(fine());
    let (upstreams, _) =
        upstreams_with_names(allow_private(), |_, _| vec![METADATA, LOOPBACK, Ipv4Addr::UNSPECIFIED.into()]);
    let answer = call(&upstreams, &format!("http://tool.test:{}/", upstream.address.port())).await;
    assert_eq!(kind(&answer), "completed", "{answer:?}");
}

#[tokio::test]
async fn each_connection_goes_to_the_address_that_was_judged() {
    let upstream = Hostile::start(|connection| {
        connection.read_request();
        let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";
        connection.write(head.as_bytes());
    });
    // the name changes its mind after the first question
    let (upstreams, asked) =
        upstreams_with_names(allow_private(), |_, question| vec![if question == 0 { LOOPBACK } else { METADATA }]);
    let url = format!("http://tool.test:{}/", upstream.address.port());
    assert_eq!(kind(&call(&upstreams, &url).await), "completed");
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    assert_eq!(kind(&call(&upstreams, &url).await), "not dispatched");
    assert_eq!((upstream.executed(), upstream.connections(), asked.load(Ordering::Relaxed)), (1, 1, 2));
}

#[tokio::test]
async fn a_name_that_turns_from_public_to_loopback_is_refused() {
    let answer = |_: &str, question: i64| vec![if question == 0 { "8.8.8.8".parse().unwrap() } else { LOOPBACK }];
    let lookup = VettedLookup::new(Arc::new(Names { asked: Arc::default(), answer }), Reach::Public);
    let first: Vec<_> = lookup.resolve("rebind.test".parse().unwrap()).await.unwrap().collect();
    assert_eq!(first, ["8.8.8.8:0".parse().unwrap()]);
    assert!(lookup.resolve("rebind.test".parse().unwrap()).await.is_err());
}

#[tokio::test]
async fn allow_private_opens_plain_http_for_private_answers_only() {
    let upstream = Hostile::answering(fine());
    let (upstreams, _) = upstreams_with_names(allow_private(), |name, _| {
        vec![if name == "private.test" { LOOPBACK } else { "8.8.8.8".parse().unwrap() }]
    });
    let port = upstream.address.port();
    assert_eq!(kind(&call(&upstreams, &format!("http://private.test:{port}/")).await), "completed");
    let answer = call(&upstreams, &format!("http://public.test:{port}/")).await;
    let UpstreamAnswer::NotDispatched { detail } = &answer else { panic!("{answer:?}") };
    assert!(detail.contains("address `8.8.8.8` is public"), "{detail}");
}

#[tokio::test]
async fn an_allowed_host_is_called_whatever_private_address_it_has() {
    let upstream = Hostile::answering(fine());
    let port = upstream.address.port();
    let allow_hosts = vec![AllowedHost { host: "tool.test".to_owned(), port: Some(port) }];
    let rules = EgressRules { allow_hosts, ..EgressRules::default() };
    let (upstreams, _) = upstreams_with_names(rules, |_, _| vec![LOOPBACK]);
    assert_eq!(kind(&call(&upstreams, &format!("http://tool.test:{port}/")).await), "completed");
    assert_eq!(kind(&call(&upstreams, &format!("http://other.test:{port}/")).await), "not dispatched");
    assert_eq!(kind(&call(&upstreams, &upstream.url("/")).await), "not dispatched");
    assert_eq!(upstream.connections(), 1);
}
