//! Calls of tools of MCP servers that behave badly and keep a record of what was called.

use std::{
    sync::{Mutex, PoisonError, atomic::AtomicUsize},
    time::Instant,
};

use serde_json::{Value, json};

use super::{
    hostile::{Connection, Hostile, answer},
    *,
};
use crate::upstream::breaker::CONSECUTIVE_FAILURES_MAX;

mod scan;
mod sessions;

/// A server of the protocol, except for what its script does with calls.
struct McpServer {
    hostile: Hostile,
    record: Arc<Record>,
}

/// What it was asked.
#[derive(Default)]
struct Record {
    opened: AtomicUsize,
    left: AtomicUsize,
    pinged: AtomicUsize,
    calls: Mutex<Vec<(String, Value)>>,
}

impl Record {
    fn calls(&self) -> Vec<(String, Value)> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl McpServer {
    /// `on_call` gets the message of a call and writes the answer; the connection goes on unless it says false.
    fn start(on_call: impl Fn(&mut Connection, &Value) -> bool + Send + Sync + 'static) -> Self {
        Self::speaking(|_| None, on_call)
    }

    /// As [`Self::start`], with answers to the other requests where `otherwise` has some: it gets the request's method, or that of
    /// the message.
    fn speaking(
        otherwise: impl Fn(&str) -> Option<Vec<u8>> + Send + Sync + 'static,
        on_call: impl Fn(&mut Connection, &Value) -> bool + Send + Sync + 'static,
    ) -> Self {
        let record = Arc::new(Record::default());
        let shared = Arc::clone(&record);
        let hostile = Hostile::start(move |connection| {
            while let Some((head, body)) = connection.read_request() {
                let message: Value = serde_json::from_str(&body).unwrap_or_default();
                let verb = head.split(' ').next().unwrap_or_default();
                let method = message["method"].as_str().unwrap_or(verb).to_owned();
                if method == "tools/call" {
                    shared.calls.lock().unwrap().push((head, message.clone()));
                    if on_call(connection, &message) {
                        continue;
                    }
                    return connection.close();
                }
                let bytes = otherwise(&method).unwrap_or_else(|| polite(&shared, &method, &message));
                connection.write(&bytes);
            }
        });
        Self { hostile, record }
    }

    /// A server whose tools all reply with this result.
    fn replying(result: &'static str) -> Self {
        Self::start(move |connection, message| connection.write(reply(message, result).as_bytes()))
    }

    fn url(&self) -> String {
        self.hostile.url("/mcp")
    }

    fn calls(&self) -> usize {
        self.record.calls().len()
    }

    fn opened(&self) -> usize {
        self.record.opened.load(Ordering::SeqCst)
    }
}

/// What a server answers that is well.
fn polite(record: &Record, method: &str, message: &Value) -> Vec<u8> {
    match method {
        "initialize" => {
            let number = record.opened.fetch_add(1, Ordering::SeqCst);
            let body = json!({"jsonrpc": "2.0", "id": message["id"], "result": {
                "protocolVersion": "2025-06-18", "capabilities": {"tools": {}},
                "serverInfo": {"name": "fake", "version": "1"},
            }});
            let text = answer("200 OK", "application/json", &body.to_string());
            text.replacen("\r\n", &format!("\r\nmcp-session-id: s-{number}\r\n"), 1).into()
        }
        "ping" => {
            record.pinged.fetch_add(1, Ordering::SeqCst);
            reply(message, "{}").into()
        }
        "GET" => answer("405 Method Not Allowed", "text/plain", "").into(),
        "DELETE" => {
            record.left.fetch_add(1, Ordering::SeqCst);
            answer("200 OK", "text/plain", "").into()
        }
        _ => answer("202 Accepted", "text/plain", "").into(),
    }
}

fn message_with(message: &Value, result: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{},"result":{result}}}"#, message["id"])
}

fn reply(message: &Value, result: &str) -> String {
    answer("200 OK", "application/json", &message_with(message, result))
}

/// The head of an answer in events, which ends when the connection does.
const EVENTS: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";

fn mcp_request(url: &str, tool: &str, timeout: Duration) -> UpstreamRequest {
    let target = UpstreamTarget::Mcp { url: url.to_owned(), tool: tool.to_owned(), timeout };
    UpstreamRequest { target: Arc::new(target), ..request("") }
}

async fn call_tool(upstreams: &HttpUpstreams, url: &str, tool: &str) -> UpstreamAnswer {
    upstreams.call(mcp_request(url, tool, Duration::from_secs(10))).await
}

fn completed(result: &str) -> UpstreamAnswer {
    UpstreamAnswer::Completed { result: Some(result.to_owned()), meta: None }
}

#[tokio::test]
async fn a_call_carries_the_arguments_as_written_and_its_context_in_a_session() {
    let server = McpServer::replying(r#"{"structuredContent":{"sum": 3.0},"_meta":{"cost": 0.50}}"#);
    let mut outgoing = mcp_request(&server.url(), "add", Duration::from_secs(10));
    outgoing.headers = vec![("x-tollgate-session-key", "agent:main".to_owned())];
    let answer = upstreams(allow_private()).call(outgoing).await;
    let meta = Some(r#"{"cost": 0.50}"#.to_owned());
    assert_eq!(answer, UpstreamAnswer::Completed { result: Some(r#"{"sum": 3.0}"#.to_owned()), meta });
    let [(head, message)] = server.record.calls().try_into().unwrap();
    assert_eq!(message["params"]["name"], "add");
    assert_eq!(message["params"]["arguments"], json!({"a": 1.0, "b": "é"}));
    let invocation = "inv_00000000000000000000000000000007";
    assert_eq!(
        message["params"]["_meta"],
        json!({"tollgate/invocation-id": invocation, "tollgate/idempotency-key": "key-1"})
    );
    let lines: Vec<&str> = head.lines().collect();
    for line in [
        "POST /mcp HTTP/1.1",
        "content-type: application/json",
        "accept: application/json, text/event-stream",
        "mcp-session-id: s-0",
        "mcp-protocol-version: 2025-06-18",
        "x-tollgate-invocation-id: inv_00000000000000000000000000000007",
        "idempotency-key: key-1",
        "x-tollgate-session-key: agent:main",
    ] {
        assert!(lines.contains(&line), "`{line}` is missing from {head}");
    }
}

/// Writes what `bytes` makes of the message, then hangs or closes.
fn writing(bytes: impl Fn(&Value) -> Vec<u8> + Send + Sync + 'static, hangs: bool) -> McpServer {
    McpServer::start(move |connection, message| {
        connection.write(&bytes(message));
        if hangs {
            connection.hang();
        }
        false
    })
}

type Bytes = fn(&Value) -> Vec<u8>;

#[tokio::test]
async fn every_way_of_answering_has_its_meaning_and_is_called_once() {
    let fine = |message: &Value| message_with(message, r#"{"structuredContent":{}}"#);
    let event = |data: &str| format!("{EVENTS}data: {data}\n\n");
    let http = |status: &str| answer(status, "text/html", "no").into_bytes();
    let cases: Vec<(&str, Box<dyn Fn(&Value) -> Vec<u8> + Send + Sync>, bool, &str)> = vec![
        ("json", Box::new(|message| reply(message, r#"{"structuredContent":{}}"#).into()), true, "completed"),
        ("an event", Box::new(move |message| event(&fine(message)).into()), true, "completed"),
        (
            "a ping and progress first",
            Box::new(move |message| {
                let progress =
                    r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}"#;
                let ping = r#"{"jsonrpc":"2.0","id":"p","method":"ping"}"#;
                format!("{EVENTS}data: {progress}\n\ndata: {ping}\n\ndata: {}\n\n", fine(message)).into()
            }),
            true,
            "completed",
        ),
        ("says no", Box::new(|message| reply(message, r#"{"content":[],"isError":true}"#).into()), true, "rejected"),
        ("400", Box::new(move |_| http("400 Bad Request")), true, "rejected"),
        ("401", Box::new(move |_| http("401 Unauthorized")), true, "forbidden"),
        ("403", Box::new(move |_| http("403 Forbidden")), true, "forbidden"),
        ("404", Box::new(move |_| http("404 Not Found")), true, "not dispatched"),
        ("500", Box::new(move |_| http("500 Oops")), true, "failed"),
        ("307", Box::new(move |_| http("307 Temporary Redirect")), true, "failed"),
        ("accepted", Box::new(|_| answer("202 Accepted", "text/plain", "").into()), true, "failed"),
        ("no json", Box::new(|_| answer("200 OK", "application/json", "{\"id\":").into()), true, "failed"),
        ("a page", Box::new(|_| answer("200 OK", "text/html", "<p>hello").into()), true, "failed"),
        ("no utf-8", Box::new(|_| b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n\xff".to_vec()), true, "failed"),
        ("another number", Box::new(|_| reply(&json!({"id": 999}), "{}").into()), true, "failed"),
        ("no result", Box::new(|message| reply(message, "null").into()), true, "failed"),
        ("an event of nonsense", Box::new(move |_| event("hello").into()), true, "failed"),
        ("another's event", Box::new(move |_| event(&message_with(&json!({"id": 999}), "{}")).into()), true, "failed"),
        (
            "terabytes",
            Box::new(|_| b"HTTP/1.1 200 OK\r\ncontent-length: 9999999999999\r\n\r\n{".to_vec()),
            true,
            "failed",
        ),
        (
            "questions without end",
            Box::new(move |_| {
                let ping = "data: {\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"ping\"}\n\n";
                format!("{EVENTS}{}", ping.repeat(1_000)).into()
            }),
            true,
            "failed",
        ),
        ("events that end", Box::new(|_| EVENTS.into()), false, "unknown"),
        ("events that never come", Box::new(|_| EVENTS.into()), true, "unknown"),
        ("half an event", Box::new(move |message| format!("{EVENTS}data: {}", fine(message)).into()), false, "unknown"),
        ("closed at once", Box::new(|_| Vec::new()), false, "unknown"),
        ("silence", Box::new(|_| Vec::new()), true, "unknown"),
        ("half a body", Box::new(|_| b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_vec()), false, "unknown"),
    ];
    for (name, bytes, hangs, expected) in cases {
        let server = writing(bytes, hangs);
        let within = Duration::from_millis(if expected == "unknown" { 700 } else { 10_000 });
        let upstreams = upstreams(allow_private());
        let got = upstreams.call(mcp_request(&server.url(), "add", within)).await;
        assert_eq!(kind(&got), expected, "{name}: {got:?}");
        assert_eq!((server.calls(), server.opened()), (1, 1), "{name}");
    }
}

#[tokio::test]
async fn what_never_ends_is_cut_off() {
    let noise: Bytes = |_| b"data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\"}\n\n".to_vec();
    let one_event: Bytes = |_| vec![b'x'; 64 * 1024];
    for part in [noise, one_event] {
        let server = McpServer::start(move |connection, message| {
            connection.write(EVENTS.as_bytes());
            let part = part(message);
            while connection.write(&part) {}
            false
        });
        let answer = call_tool(&upstreams(allow_private()), &server.url(), "add").await;
        assert_eq!(kind(&answer), "failed", "{answer:?}");
        assert_eq!(server.calls(), 1);
    }
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_taken_up_where_the_server_says_how() {
    let told: Arc<Mutex<Value>> = Arc::default();
    let known = Arc::clone(&told);
    let rest = move |method: &str| {
        let message = known.lock().unwrap().clone();
        let is_called = method == "GET" && !message.is_null();
        is_called.then(|| {
            let reply = message_with(&message, r#"{"structuredContent":{"late": 1.50}}"#);
            format!("{EVENTS}id: e2\ndata: {reply}\n\n").into_bytes()
        })
    };
    let server = McpServer::speaking(rest, move |connection, message| {
        *told.lock().unwrap() = message.clone();
        connection.write(format!("{EVENTS}id: e1\nretry: 1\ndata:\n\n").as_bytes());
        false
    });
    assert_eq!(call_tool(&upstreams(allow_private()), &server.url(), "add").await, completed(r#"{"late": 1.50}"#));
    assert_eq!(server.calls(), 1, "asked for again, not called again");
}

#[tokio::test]
async fn a_server_that_lets_a_stream_break_off_again_and_again_is_asked_with_pauses() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let nothing = "id: e1\nretry: 0\ndata:\n\n";
    let rest = move |method: &str| {
        (method == "GET").then(|| {
            count.fetch_add(1, Ordering::SeqCst);
            answer("200 OK", "text/event-stream", nothing).into_bytes()
        })
    };
    let server = McpServer::speaking(rest, move |connection, _| {
        connection.write(answer("200 OK", "text/event-stream", nothing).as_bytes())
    });
    let upstreams = upstreams(allow_private());
    let answer = upstreams.call(mcp_request(&server.url(), "add", Duration::from_millis(2_200))).await;
    assert_eq!(kind(&answer), "unknown", "{answer:?}");
    let asked = asked.load(Ordering::SeqCst);
    assert!((1..=5).contains(&asked), "{asked}");
    assert_eq!(server.calls(), 1);
}

#[tokio::test]
async fn no_server_is_reached_that_the_rules_close() {
    let server = McpServer::replying("{}");
    let answer = call_tool(&upstreams(EgressRules::default()), &server.url(), "add").await;
    assert_eq!(kind(&answer), "not dispatched", "{answer:?}");
    let upstreams = upstreams(allow_private());
    assert_eq!(kind(&call_tool(&upstreams, &server.url(), "add").await), "completed");
    // an open session is no way around new rules
    upstreams.replace_rules(EgressRules::default());
    assert_eq!(kind(&call_tool(&upstreams, &server.url(), "add").await), "not dispatched");
    assert_eq!(server.calls(), 1);
}

#[tokio::test]
async fn a_redirect_is_never_followed() {
    let target = McpServer::replying("{}");
    let location = target.url();
    let redirect = move || {
        format!("HTTP/1.1 307 Temporary Redirect\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n").into_bytes()
    };
    let (of_calls, upstreams) = (redirect.clone(), upstreams(allow_private()));
    let server = McpServer::start(move |connection, _| connection.write(&of_calls()));
    assert_eq!(kind(&call_tool(&upstreams, &server.url(), "add").await), "failed");
    let server = McpServer::speaking(move |_| Some(redirect()), |_, _| true);
    assert_eq!(kind(&call_tool(&upstreams, &server.url(), "add").await), "not dispatched");
    assert_eq!((server.calls(), target.hostile.connections()), (0, 0));
}

#[tokio::test]
async fn a_tool_that_keeps_failing_is_left_alone_and_its_neighbours_are_not() {
    let server = McpServer::start(|connection, message| {
        let is_broken = message["params"]["name"] == "broken";
        let text = if is_broken { answer("500 Oops", "text/plain", "no") } else { reply(message, "{}") };
        connection.write(text.as_bytes())
    });
    let upstreams = upstreams(allow_private());
    for _ in 0..CONSECUTIVE_FAILURES_MAX {
        assert_eq!(kind(&call_tool(&upstreams, &server.url(), "broken").await), "failed");
    }
    let calls = server.calls();
    assert_eq!(kind(&call_tool(&upstreams, &server.url(), "broken").await), "not dispatched");
    assert_eq!(server.calls(), calls);
    assert_eq!(kind(&call_tool(&upstreams, &server.url(), "fine").await), "completed");
    assert_eq!(server.opened(), 1);
}
