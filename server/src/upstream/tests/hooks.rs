//! What is sent to partners' webhooks, and what of it counts as taken.

use std::{
    net::{IpAddr, Ipv4Addr, TcpListener},
    sync::mpsc,
};

use super::{
    hostile::{Hostile, fine},
    *,
};
use crate::upstream::hook::{HookFault, HookRefusal};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Longer than any answer of this machine takes.
const PATIENT: Duration = Duration::from_secs(30);

async fn post(upstreams: &HttpUpstreams, url: &str, wait: Duration) -> Result<(), HookFault> {
    let headers = [("x-tollgate-timestamp", "1800000000".to_owned()), ("x-tollgate-event", "evt_1".to_owned())];
    upstreams.post_hook(url, &headers, r#"{"a":"é"}"#.to_owned(), wait).await
}

#[tokio::test]
async fn what_is_sent_arrives_with_its_headers_and_its_body() {
    let (heard, requests) = mpsc::channel();
    let receiver = Hostile::start(move |connection| {
        while let Some(request) = connection.read_request() {
            heard.send(request).unwrap();
            connection.write(fine().as_bytes());
        }
    });
    assert_eq!(post(&upstreams(allow_private()), &receiver.url("/told?key=k#part"), PATIENT).await, Ok(()));
    let (head, body) = requests.recv().unwrap();
    assert_eq!(body, r#"{"a":"é"}"#);
    assert!(head.starts_with("POST /told?key=k HTTP/1.1\r\n"), "{head}");
    let lines: Vec<&str> = head.lines().collect();
    for line in ["content-type: application/json", "x-tollgate-timestamp: 1800000000", "x-tollgate-event: evt_1"] {
        assert!(lines.contains(&line), "`{line}` is missing from {head}");
    }
    let absent = ["authorization:", "cookie:", "referer:"];
    assert!(!absent.iter().any(|name| head.to_ascii_lowercase().contains(name)), "{head}");
}

#[tokio::test]
async fn nothing_but_a_2xx_is_taken() {
    let upstreams = upstreams(allow_private());
    for (status, expected) in [
        ("200 OK", Ok(())),
        ("201 Created", Ok(())),
        ("202 Accepted", Ok(())),
        ("299 Odd", Ok(())),
        ("300 Multiple Choices", Err(300)),
        ("304 Not Modified", Err(304)),
        ("400 Bad Request", Err(400)),
        ("401 Unauthorized", Err(401)),
        ("404 Not Found", Err(404)),
        ("410 Gone", Err(410)),
        ("429 Too Many Requests", Err(429)),
        ("500 Internal Server Error", Err(500)),
        ("503 Service Unavailable", Err(503)),
    ] {
        let receiver = Hostile::answering(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n"));
        let posted = post(&upstreams, &receiver.url("/"), PATIENT).await;
        assert_eq!(posted, expected.map_err(HookFault::Refused), "{status}");
        assert_eq!(receiver.executed(), 1, "{status}: it is sent once");
    }
}

#[tokio::test]
async fn nobody_is_sent_elsewhere() {
    let elsewhere = Hostile::answering(fine());
    for status in [301, 302, 303, 307, 308] {
        let there = elsewhere.url("/");
        let head = format!("HTTP/1.1 {status} Elsewhere\r\nlocation: {there}\r\ncontent-length: 0\r\n\r\n");
        let receiver = Hostile::answering(head);
        let posted = post(&upstreams(allow_private()), &receiver.url("/"), PATIENT).await;
        assert_eq!((posted, receiver.executed()), (Err(HookFault::Refused(status)), 1));
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn who_says_nothing_is_waited_for_until_the_deadline() {
    let silent = Hostile::start(|connection| {
        connection.read_request();
        connection.hang();
    });
    // The deadline is over before an answer could come: what counts is that it is kept.
    let posted = post(&upstreams(allow_private()), &silent.url("/"), Duration::from_millis(200)).await;
    assert_eq!(posted, Err(HookFault::Late));
    // Half a head is no answer either.
    let halting = Hostile::start(|connection| {
        connection.read_request();
        connection.write(b"HTTP/1.1 200 OK\r\ncontent-le");
        connection.hang();
    });
    let posted = post(&upstreams(allow_private()), &halting.url("/"), Duration::from_millis(200)).await;
    assert_eq!(posted, Err(HookFault::Late));
}

#[tokio::test]
async fn who_hangs_up_has_taken_nothing() {
    let rude = Hostile::start(|connection| drop(connection.read_request()));
    assert_eq!(post(&upstreams(allow_private()), &rude.url("/"), PATIENT).await, Err(HookFault::NoAnswer));
    let garbage = Hostile::answering("220 smtp.example.com ESMTP\r\n");
    assert_eq!(post(&upstreams(allow_private()), &garbage.url("/"), PATIENT).await, Err(HookFault::NoAnswer));
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let posted = post(&upstreams(allow_private()), &format!("http://{nobody}/"), PATIENT).await;
    assert!(matches!(posted, Err(HookFault::NotSent(_))), "{posted:?}");
}

#[tokio::test]
async fn a_body_that_never_ends_is_not_waited_for() {
    let receiver = Hostile::answering("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n{");
    assert_eq!(post(&upstreams(allow_private()), &receiver.url("/"), PATIENT).await, Ok(()));
}

/// Rules that close nothing but the addresses: the canary's port and plain `http` are open.
fn addresses_only(port: u16) -> EgressRules {
    EgressRules { allow_http: true, ports: vec![port], ..EgressRules::default() }
}

#[tokio::test]
async fn a_name_that_has_become_private_since_it_was_set_is_sent_nothing() {
    let canary = Hostile::answering(fine());
    let port = canary.address.port();
    let (upstreams, asked) = upstreams_with_names(addresses_only(port), |_, question| {
        vec![if question == 0 { "8.8.8.8".parse().unwrap() } else { LOOPBACK }]
    });
    let url = format!("http://hooks.test:{port}/told");
    assert_eq!(upstreams.check_hook(&url).await, Ok(()), "it is public when it is set");
    for sending in 2..4 {
        let posted = post(&upstreams, &url, PATIENT).await;
        assert!(matches!(posted, Err(HookFault::NotSent(_))), "{posted:?}");
        assert_eq!(asked.load(Ordering::Relaxed), sending, "its address is asked for at every sending");
    }
    assert!(matches!(upstreams.check_hook(&url).await, Err(HookRefusal::NoAddress(_))));
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn rules_that_were_tightened_hold_for_webhooks_that_are_there() {
    let receiver = Hostile::answering(fine());
    let port = receiver.address.port();
    let (upstreams, _) = upstreams_with_names(allow_private(), |_, _| vec![LOOPBACK]);
    let urls = [receiver.url("/literal"), format!("http://hooks.test:{port}/named")];
    for url in &urls {
        assert_eq!((upstreams.check_hook(url).await, post(&upstreams, url, PATIENT).await), (Ok(()), Ok(())));
    }
    let before = (receiver.connections(), receiver.executed());
    assert_eq!(before.1, 2);
    // The connections that were open then are not used any more either.
    upstreams.replace_rules(addresses_only(port));
    for url in &urls {
        let posted = post(&upstreams, url, PATIENT).await;
        assert!(matches!(posted, Err(HookFault::NotSent(_))), "{url}: {posted:?}");
    }
    assert_eq!((receiver.connections(), receiver.executed()), before);
}

#[tokio::test]
async fn a_header_that_would_smuggle_lines_is_never_sent() {
    let receiver = Hostile::answering(fine());
    let headers = [("x-tollgate-event", "evt_1\r\nx-evil: 1".to_owned())];
    let posted = upstreams(allow_private()).post_hook(&receiver.url("/"), &headers, "{}".to_owned(), PATIENT).await;
    assert!(matches!(posted, Err(HookFault::NotSent(_))), "{posted:?}");
    assert_eq!(receiver.connections(), 0);
}
