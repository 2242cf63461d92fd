use std::{net::TcpListener, sync::mpsc};

use super::{
    hostile::{Hostile, answer, fine},
    *,
};
use crate::upstream::breaker::{CONSECUTIVE_FAILURES_MAX, OPEN_US_FIRST};

#[tokio::test]
async fn a_request_carries_the_arguments_as_written_and_its_context() {
    let (heard, requests) = mpsc::channel();
    let upstream = Hostile::start(move |connection| {
        while let Some(request) = connection.read_request() {
            heard.send(request).unwrap();
            connection.write(fine().as_bytes());
        }
    });
    let upstreams = upstreams(allow_private());
    let mut outgoing = request(&upstream.url("/a/b?c=d#fragment"));
    outgoing.headers =
        vec![("x-tollgate-session-key", "agent:main".to_owned()), ("x-tollgate-channel", "süd".to_owned())];
    let answer = upstreams.call(outgoing).await;
    assert_eq!(answer, UpstreamAnswer::Completed { result: Some(r#"{"fine":true}"#.to_owned()), meta: None });
    let (head, body) = requests.recv().unwrap();
    assert_eq!(body, r#"{"a": 1.0, "b":"é"}"#);
    assert!(head.starts_with("POST /a/b?c=d HTTP/1.1\r\n"), "{head}");
    let lines: Vec<&str> = head.lines().collect();
    let expected = [
        "content-type: application/json",
        "accept-encoding: identity",
        "x-tollgate-invocation-id: inv_00000000000000000000000000000007",
        "idempotency-key: key-1",
        "x-tollgate-session-key: agent:main",
        "x-tollgate-channel: süd",
        "content-length: 20",
    ];
    for line in expected {
        assert!(lines.contains(&line), "`{line}` is missing from {head}");
    }
    assert!(lines.contains(&format!("host: {}", upstream.address).as_str()), "{head}");
    for absent in ["expect:", "cookie:", "authorization:", "referer:", "connection:", "transfer-encoding:"] {
        assert!(!head.to_ascii_lowercase().contains(absent), "`{absent}` in {head}");
    }
}

#[tokio::test]
async fn five_methods_are_sent_and_others_refused() {
    let (heard, requests) = mpsc::channel();
    let upstream = Hostile::start(move |connection| {
        while let Some((head, body)) = connection.read_request() {
            heard.send((head, body)).unwrap();
            connection.write(fine().as_bytes());
        }
    });
    let upstreams = upstreams(allow_private());
    let with_method = |method: &str| {
        let target =
            UpstreamTarget::Http { method: method.to_owned(), url: upstream.url("/"), timeout: Duration::from_secs(5) };
        UpstreamRequest { target: Arc::new(target), ..request("") }
    };
    for method in super::super::METHODS {
        assert_eq!(kind(&upstreams.call(with_method(method)).await), "completed", "{method}");
        let (head, body) = requests.recv().unwrap();
        let (target, expected_body) =
            if method == "GET" { ("/?a=1.0&b=%C3%A9", "") } else { ("/", r#"{"a": 1.0, "b":"é"}"#) };
        assert!(head.starts_with(&format!("{method} {target} ")), "{head}");
        assert_eq!(body, expected_body);
        assert_eq!(head.contains("content-type: application/json"), method != "GET", "{head}");
    }
    for method in ["OPTIONS", "HEAD", "CONNECT", "post", "", "PO ST", "POST / HTTP/1.1\r\n"] {
        assert_eq!(kind(&upstreams.call(with_method(method)).await), "not dispatched", "{method}");
    }
    assert_eq!(upstream.executed(), 5);
}

#[tokio::test]
async fn a_get_carries_the_arguments_in_its_query() {
    let (heard, requests) = mpsc::channel();
    let upstream = Hostile::start(move |connection| {
        while let Some((head, _)) = connection.read_request() {
            heard.send(head).unwrap();
            connection.write(fine().as_bytes());
        }
    });
    let upstreams = upstreams(allow_private());
    let get = |path: &str, arguments: &str| {
        let (method, timeout) = ("GET".to_owned(), Duration::from_secs(5));
        let target = UpstreamTarget::Http { method, url: upstream.url(path), timeout };
        UpstreamRequest { target: Arc::new(target), arguments: Arc::from(arguments), ..request("") }
    };
    let cases = [
        ("/s", "{}", "/s"),
        ("/s?k=v", "{}", "/s?k=v"),
        ("/s?k=v", r#"{"a":"x y&z=#/?"}"#, "/s?k=v&a=x+y%26z%3D%23%2F%3F"),
        (
            "/s",
            r#"{"n":1.50,"big":12345678901234567890,"t":true,"no":null}"#,
            "/s?n=1.50&big=12345678901234567890&t=true",
        ),
        ("/s", r#"{"list":[1, "a"],"o":{}}"#, "/s?list=%5B1%2C+%22a%22%5D&o=%7B%7D"),
        ("/s", r#"{"\r\nhost: evil":"\r\n"}"#, "/s?%0D%0Ahost%3A+evil=%0D%0A"),
        ("/s", r#"{"no":null}"#, "/s"),
    ];
    for (path, arguments, target) in cases {
        assert_eq!(kind(&upstreams.call(get(path, arguments)).await), "completed", "{arguments}");
        let head = requests.recv().unwrap();
        assert!(head.starts_with(&format!("GET {target} HTTP/1.1\r\n")), "{head}");
    }
    let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(9_000));
    for arguments in [long.as_str(), "[]", "{", r#"{"a":1,"a":2}"#] {
        assert_eq!(kind(&upstreams.call(get("/s", arguments)).await), "not dispatched");
    }
    assert_eq!(upstream.executed(), cases.len());
}

#[tokio::test]
async fn a_header_that_would_smuggle_lines_is_never_sent() {
    let upstream = Hostile::answering(fine());
    let upstreams = upstreams(allow_private());
    for value in ["a\r\nx-evil: 1", "a\nb", "a\0b", "\u{7f}"] {
        let headers = vec![("x-tollgate-session-key", value.to_owned())];
        let answer = upstreams.call(UpstreamRequest { headers, ..request(&upstream.url("/")) }).await;
        assert_eq!(kind(&answer), "not dispatched", "{value:?}");
        let idempotency_key = value.to_owned();
        let answer = upstreams.call(UpstreamRequest { idempotency_key, ..request(&upstream.url("/")) }).await;
        assert_eq!(kind(&answer), "not dispatched", "{value:?}");
    }
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let upstream = Hostile::answering(fine());
    let upstreams = upstreams(allow_private());
    for _ in 0..20 {
        assert_eq!(kind(&call(&upstreams, &upstream.url("/tool")).await), "completed");
    }
    assert_eq!((upstream.executed(), upstream.connections()), (20, 1));
}

#[tokio::test]
async fn a_connection_that_the_upstream_closed_while_idle_is_replaced_without_a_second_execution() {
    let (closed, mut wait) = tokio::sync::mpsc::unbounded_channel();
    let upstream = Hostile::start(move |connection| {
        connection.read_request();
        connection.write(fine().as_bytes());
        connection.close();
        closed.send(()).ok();
    });
    let upstreams = upstreams(allow_private());
    for _ in 0..50 {
        assert_eq!(kind(&call(&upstreams, &upstream.url("/tool")).await), "completed");
        wait.recv().await.unwrap();
        // the runtime looks at its sockets when nothing else is ready
        tokio::task::yield_now().await;
    }
    assert_eq!((upstream.executed(), upstream.connections()), (50, 50));
}

#[tokio::test]
async fn a_connection_that_the_upstream_closes_while_the_next_call_begins_executes_nothing_twice() {
    let upstream = Hostile::start(|connection| {
        connection.read_request();
        connection.write(fine().as_bytes());
        connection.close();
    });
    let upstreams = HttpUpstreams::new(allow_private(), Arc::new(HandClock::default())).unwrap();
    let mut completed = 0;
    for call_number in 0..200 {
        // one endpoint per call keeps the breaker out of it
        match kind(&call(&upstreams, &upstream.url(&format!("/{call_number}"))).await) {
            "completed" => completed += 1,
            other => assert_eq!(other, "unknown"),
        }
    }
    // what ended as unknown died in a closed connection: it was not executed, and not sent again
    assert_eq!(upstream.executed(), completed);
    assert!(completed >= 100, "{completed}");
}

#[tokio::test]
async fn a_pooled_connection_that_dies_with_a_request_in_it_is_unknown_and_never_tried_again() {
    let upstream = Hostile::start(|connection| {
        connection.read_request();
        connection.write(fine().as_bytes());
        connection.read_request();
        connection.close();
    });
    let upstreams = upstreams(allow_private());
    assert_eq!(kind(&call(&upstreams, &upstream.url("/tool")).await), "completed");
    assert_eq!(kind(&call(&upstreams, &upstream.url("/tool")).await), "unknown");
    assert_eq!((upstream.executed(), upstream.connections()), (2, 1));
}

#[tokio::test]
async fn a_connection_that_is_not_established_dispatches_nothing() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let answer = call(&upstreams(allow_private()), &format!("http://{free}/tool")).await;
    assert_eq!(kind(&answer), "not dispatched", "{answer:?}");
    let (upstreams, _) = upstreams_with_names(allow_private(), |_, _| Vec::new());
    let answer = call(&upstreams, "http://unknown.test/tool").await;
    assert_eq!(kind(&answer), "not dispatched", "{answer:?}");
}

#[tokio::test]
async fn an_endpoint_that_keeps_failing_is_left_alone_and_its_neighbour_is_not() {
    let upstream = Hostile::start(|connection| {
        while let Some((head, _)) = connection.read_request() {
            let is_broken = head.starts_with("POST /broken");
            let bytes = if is_broken { answer("500 Oops", "text/plain", "no") } else { fine() };
            connection.write(bytes.as_bytes());
        }
    });
    let hand = Arc::new(HandClock::default());
    let clock: Arc<dyn Clock> = Arc::<HandClock>::clone(&hand);
    let upstreams = HttpUpstreams::new(allow_private(), clock).unwrap();
    for query in 0..CONSECUTIVE_FAILURES_MAX {
        assert_eq!(kind(&call(&upstreams, &upstream.url(&format!("/broken?{query}"))).await), "failed");
    }
    let executed = upstream.executed();
    let answer = call(&upstreams, &upstream.url("/broken")).await;
    assert_eq!(answer, UpstreamAnswer::NotDispatched { detail: "the circuit breaker is open".to_owned() });
    assert_eq!(upstream.executed(), executed);
    assert_eq!(kind(&call(&upstreams, &upstream.url("/fine")).await), "completed");
    hand.advance(Duration::from_micros(OPEN_US_FIRST.unsigned_abs()));
    assert_eq!(kind(&call(&upstreams, &upstream.url("/broken")).await), "failed");
    assert_eq!(kind(&call(&upstreams, &upstream.url("/broken")).await), "not dispatched");
    assert_eq!(upstream.executed(), executed + 2);
}

#[tokio::test]
async fn answers_about_the_caller_do_not_open_the_breaker() {
    for status in ["400 Bad", "401 No", "403 No", "404 No", "409 No", "422 No", "302 Found"] {
        let upstream = Hostile::answering(answer(status, "text/plain", "no"));
        let upstreams = upstreams(allow_private());
        for _ in 0..=CONSECUTIVE_FAILURES_MAX {
            call(&upstreams, &upstream.url("/tool")).await;
        }
        assert_eq!(upstream.executed(), 6, "{status}");
    }
}

#[tokio::test]
async fn new_rules_hold_for_the_next_call_even_on_an_open_connection() {
    let upstream = Hostile::answering(fine());
    let upstreams = upstreams(allow_private());
    let other_handle = upstreams.clone();
    assert_eq!(kind(&call(&upstreams, &upstream.url("/tool")).await), "completed");
    other_handle.replace_rules(EgressRules::default());
    assert_eq!(kind(&call(&upstreams, &upstream.url("/tool")).await), "not dispatched");
    other_handle.replace_rules(EgressRules { exempt_addresses: vec![upstream.address], ..EgressRules::default() });
    assert_eq!(kind(&call(&upstreams, &upstream.url("/tool")).await), "completed");
    assert_eq!((upstream.executed(), upstream.connections()), (2, 2));
}

#[test]
fn a_second_runtime_on_the_same_thread_starts_with_connections_of_its_own() {
    let upstream = Hostile::answering(fine());
    let upstreams = upstreams(allow_private());
    for round in 1..=3 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        assert_eq!(kind(&runtime.block_on(call(&upstreams, &upstream.url("/tool")))), "completed");
        assert_eq!(upstream.connections(), round);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_callers_are_each_executed_once() {
    let upstream = Hostile::answering(fine());
    let upstreams = upstreams(allow_private());
    let url = upstream.url("/tool");
    let tasks: Vec<_> = (0..256)
        .map(|_| {
            let (upstreams, url) = (upstreams.clone(), url.clone());
            tokio::spawn(async move {
                for _ in 0..4 {
                    assert_eq!(kind(&call(&upstreams, &url).await), "completed");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(upstream.executed(), 1024);
}
