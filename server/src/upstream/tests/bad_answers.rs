use std::time::Instant;

use super::{
    hostile::{Connection, Hostile, answer},
    *,
};

/// What happens after the bytes of a case were written.
#[derive(Clone, Copy)]
enum Then {
    Close,
    Hang,
}

/// Writes `bytes` in answer to each request, then does what the case says.
fn upstream_writing(bytes: Vec<u8>, then: Then) -> Hostile {
    Hostile::start(move |connection: &mut Connection| {
        while connection.read_request().is_some() {
            connection.write(&bytes);
            match then {
                Then::Close => return connection.close(),
                Then::Hang => connection.hang(),
            }
        }
    })
}

#[tokio::test]
async fn every_way_of_answering_has_its_meaning_and_is_executed_once() {
    let header_lines = |count: usize, bytes: usize| {
        let lines = (0..count).map(|n| format!("x-{n}: {}\r\n", "v".repeat(bytes))).collect::<Vec<_>>().concat();
        format!("HTTP/1.1 200 OK\r\n{lines}content-length: 2\r\n\r\n{{}}")
    };
    let declared = |length: &str, body: &str| {
        format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")
    };
    let chunked = |chunks: &str| format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{chunks}");
    let not_utf8 = [b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n".as_slice(), &[0x1f, 0x8b, 0x08, 0xff]].concat();
    let ok = answer("200 OK", "application/json", "{}");
    let cases: Vec<(&str, Vec<u8>, Then, &str)> = vec![
        ("json", ok.clone().into(), Then::Hang, "completed"),
        ("json, then closed", ok.clone().into(), Then::Close, "completed"),
        ("no content", "HTTP/1.1 204 No Content\r\n\r\n".into(), Then::Hang, "completed"),
        ("text", answer("200 OK", "text/plain", "hello").into(), Then::Hang, "completed"),
        ("chunks", chunked("1\r\n{\r\n1;x=y\r\n}\r\n0\r\n\r\n").into(), Then::Hang, "completed"),
        ("until close", "HTTP/1.0 200 OK\r\n\r\n{}".into(), Then::Close, "completed"),
        ("100 before", format!("HTTP/1.1 100 Continue\r\n\r\n{ok}").into(), Then::Hang, "completed"),
        ("103 before", format!("HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n{ok}").into(), Then::Hang, "completed"),
        ("400", answer("400 Bad Request", "application/json", "{}").into(), Then::Hang, "rejected"),
        ("422, body cut", "HTTP/1.1 422 No\r\ncontent-length: 9\r\n\r\n{".into(), Then::Close, "rejected"),
        ("401", answer("401 Unauthorized", "text/html", "no").into(), Then::Hang, "forbidden"),
        ("403", answer("403 Forbidden", "text/html", "no").into(), Then::Hang, "forbidden"),
        ("500", answer("500 Oops", "text/html", "no").into(), Then::Hang, "failed"),
        ("404", answer("404 Not Found", "text/html", "no").into(), Then::Hang, "failed"),
        (
            "101",
            "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n".into(),
            Then::Hang,
            "failed",
        ),
        ("broken json", answer("200 OK", "application/json", "{\"a\":").into(), Then::Hang, "failed"),
        ("length too short", declared("5", r#"{"a":1}"#).into(), Then::Hang, "failed"),
        ("length too long", declared("500", "{}").into(), Then::Close, "unknown"),
        ("length too long, silence", declared("500", "{}").into(), Then::Hang, "unknown"),
        ("length of terabytes", declared("9999999999999", "{}").into(), Then::Hang, "failed"),
        ("length over 64 bits", declared("99999999999999999999999", "{}").into(), Then::Hang, "unknown"),
        ("negative length", declared("-1", "{}").into(), Then::Hang, "unknown"),
        ("two lengths", declared("2\r\ncontent-length: 7", "{}").into(), Then::Hang, "unknown"),
        ("gzip", declared("2\r\ncontent-encoding: gzip", "{}").into(), Then::Hang, "failed"),
        ("gzip undeclared", not_utf8, Then::Hang, "failed"),
        ("chunks cut off", chunked("5\r\n{").into(), Then::Close, "unknown"),
        ("chunks without end", chunked("2\r\n{}\r\n").into(), Then::Close, "unknown"),
        ("chunk of nonsense", chunked("zz\r\n{}\r\n").into(), Then::Hang, "unknown"),
        ("huge chunk size", chunked("fffffffffffffffff\r\n{}").into(), Then::Hang, "unknown"),
        ("closed at once", Vec::new(), Then::Close, "unknown"),
        ("silence", Vec::new(), Then::Hang, "unknown"),
        ("half a head", "HTTP/1.1 200 OK\r\ncontent-".into(), Then::Close, "unknown"),
        ("half a head, silence", "HTTP/1.1 200 OK\r\ncontent-".into(), Then::Hang, "unknown"),
        ("another protocol", "SSH-2.0-OpenSSH_9.6\r\n\r\n".into(), Then::Hang, "unknown"),
        ("100 and silence", "HTTP/1.1 100 Continue\r\n\r\n".into(), Then::Hang, "unknown"),
        ("long header", header_lines(9, 8_000).into(), Then::Hang, "failed"),
        ("many headers", header_lines(5_000, 1).into(), Then::Hang, "unknown"),
        ("megabytes of header", header_lines(90, 20_000).into(), Then::Hang, "unknown"),
    ];
    for (name, bytes, then, expected) in cases {
        let upstream = upstream_writing(bytes, then);
        let upstreams = upstreams(allow_private());
        // only silence needs a short deadline; elsewhere a slow machine shall not decide
        let within = Duration::from_millis(if expected == "unknown" { 400 } else { 10_000 });
        let got = upstreams.call(request_within(&upstream.url("/tool"), within)).await;
        assert_eq!(kind(&got), expected, "{name}: {got:?}");
        assert_eq!((upstream.executed(), upstream.connections()), (1, 1), "{name}");
    }
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_its_target_is_never_called() {
    let target = Hostile::answering(answer("200 OK", "application/json", "{}"));
    let upstreams = upstreams(allow_private());
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let location = target.url("/elsewhere");
        let redirect = format!("HTTP/1.1 {status}\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
        let upstream = Hostile::answering(redirect);
        let answer = call(&upstreams, &upstream.url("/tool")).await;
        assert_eq!(kind(&answer), "failed", "{status}: {answer:?}");
        assert_eq!(upstream.executed(), 1, "{status}");
    }
    assert_eq!(target.connections(), 0);
}

#[tokio::test]
async fn a_body_without_end_is_cut_at_the_limit() {
    let block = vec![b' '; 64 * 1024];
    let chunk = [format!("{:x}\r\n", block.len()).into_bytes(), block.clone(), b"\r\n".to_vec()].concat();
    for (head, part) in
        [("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", chunk), ("HTTP/1.0 200 OK\r\n\r\n", block)]
    {
        let upstream = Hostile::start(move |connection| {
            connection.read_request();
            connection.write(head.as_bytes());
            while connection.write(&part) {}
        });
        let answer = call(&upstreams(allow_private()), &upstream.url("/tool")).await;
        assert_eq!(kind(&answer), "failed", "{head}: {answer:?}");
        assert_eq!(upstream.executed(), 1);
    }
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_a_result() {
    let body = format!("\"{}\"", "x".repeat(super::super::answer::BODY_BYTES_MAX - 2));
    let upstream = Hostile::answering(answer("200 OK", "application/json", &body));
    let answer = call(&upstreams(allow_private()), &upstream.url("/tool")).await;
    assert_eq!(answer, UpstreamAnswer::Completed { result: Some(body), meta: None });
}

#[tokio::test]
async fn the_deadline_is_for_the_whole_call_however_busy_the_upstream_looks() {
    let drip = |head: &'static str| {
        Hostile::start(move |connection| {
            connection.read_request();
            connection.write(head.as_bytes());
            let (_keep, never) = std::sync::mpsc::channel::<()>();
            while connection.write(b"1") {
                never.recv_timeout(Duration::from_millis(20)).ok();
            }
        })
    };
    for head in ["HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n", "HTTP/1.1 200 OK\r\nx-slow: "] {
        let upstream = drip(head);
        let start = Instant::now();
        let within = Duration::from_millis(300);
        let answer = upstreams(allow_private()).call(request_within(&upstream.url("/tool"), within)).await;
        assert_eq!(kind(&answer), "unknown", "{answer:?}");
        assert!(start.elapsed() >= within, "gave up early");
        assert_eq!(upstream.executed(), 1);
    }
}

#[tokio::test]
async fn an_error_answer_is_known_before_its_body_ends() {
    let upstream = upstream_writing("HTTP/1.1 422 No\r\ncontent-length: 9000\r\n\r\n{".into(), Then::Hang);
    let answer = call(&upstreams(allow_private()), &upstream.url("/tool")).await;
    assert_eq!(answer, UpstreamAnswer::Rejected { status: 422, message: None });
}
