//! Upstreams that behave badly, through the whole program: what the caller is told, what it costs, what is recorded.
//! Every row runs twice, for a price that is charged on success and for one that is charged on every attempt.

use std::{io::Write as _, net::TcpStream, thread};

use serde_json::{Value, json};
use tests::{
    home::{Home, Kind},
    on_both_databases,
    program::Answer,
    server::{ALICE, Server, config, tool},
    upstream::{Received, Upstream, hang, json_answer},
};

/// What every call costs, in credits.
const PRICE: u32 = 50;
/// What silent upstreams are given.
const SHORT_MS: u32 = 500;
/// Enough for an upstream that answers at once, also on a busy machine.
const LONG_MS: u32 = 20_000;

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// 200, charged.
    Done,
    /// 502 `upstream_failed`; the attempt is charged where attempts are.
    Failed,
    /// 502 `upstream_rejected` with the upstream's words; charged as above.
    Rejected,
    /// 502 `upstream_failed`; nothing was sent, so nothing is charged anywhere.
    NotSent,
    /// 504 `outcome_unknown`; settled later, by rule.
    Unknown,
}

use Fate::{Done, Failed, NotSent, Rejected, Unknown};

on_both_databases!(whatever_an_upstream_does_the_caller_is_told_and_charged_by_the_rules);

/// What the upstream does at a path, and what becomes of the call. Half a second is only given where silence decides.
const ROWS: [(&str, u32, Fate); 24] = [
    ("fine", LONG_MS, Done),
    ("empty", LONG_MS, Done),
    ("text", LONG_MS, Done),
    ("fails", LONG_MS, Failed),
    ("forbids", LONG_MS, Failed),
    ("rejects", LONG_MS, Rejected),
    ("redirects", LONG_MS, Failed),
    ("broken-json", LONG_MS, Failed),
    ("deep-json", LONG_MS, Failed),
    ("encodes", LONG_MS, Failed),
    ("says-less-than-it-sends", LONG_MS, Failed),
    ("says-terabytes", LONG_MS, Failed),
    ("streams-for-ever", LONG_MS, Failed),
    ("long-header", LONG_MS, Failed),
    ("huge-header", LONG_MS, Unknown),
    ("another-protocol", LONG_MS, Unknown),
    ("closes-at-once", LONG_MS, Unknown),
    ("closes-in-the-head", LONG_MS, Unknown),
    ("closes-in-the-body", LONG_MS, Unknown),
    ("resets", LONG_MS, Unknown),
    ("hangs", SHORT_MS, Unknown),
    ("hangs-in-the-body", SHORT_MS, Unknown),
    ("drips-for-ever", SHORT_MS, Unknown),
    ("not-there", LONG_MS, NotSent),
];

/// Does what the path says; whether the connection is kept.
fn misbehave(received: &Received, stream: &mut TcpStream) -> bool {
    let json = |declared: usize, body: &str| {
        format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {declared}\r\n\r\n{body}")
    };
    let header = |count: usize| {
        let lines: String = (0..count).map(|n| format!("x-{n}: {}\r\n", "v".repeat(8_000))).collect();
        format!("HTTP/1.1 200 OK\r\n{lines}content-length: 2\r\n\r\n{{}}")
    };
    let answer = match received.path.trim_start_matches('/') {
        "fine" => json_answer("200 OK", r#"{"fine": true}"#),
        "empty" => "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
        "text" => "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nhello".to_owned(),
        "fails" => json_answer("500 Oops", r#"{"message": "db password is hunter2"}"#),
        "forbids" => json_answer("403 Forbidden", r#"{"message": "db password is hunter2"}"#),
        "rejects" => json_answer("422 No", r#"{"error": {"message": "no such city"}}"#),
        "redirects" => "HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n".to_owned(),
        "broken-json" => json(5, r#"{"a":"#),
        "deep-json" => json_answer("200 OK", &format!("{}{}", "[".repeat(100), "]".repeat(100))),
        "encodes" => "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}".to_owned(),
        "says-less-than-it-sends" => json(5, r#"{"a": 1}"#),
        "says-terabytes" => json(9_999_999_999_999, "{}"),
        "long-header" => header(9),
        "huge-header" => header(150),
        "another-protocol" => "SSH-2.0-OpenSSH_9.6\r\n\r\n".to_owned(),
        "closes-in-the-head" => "HTTP/1.1 200 OK\r\ncontent-".to_owned(),
        "closes-in-the-body" | "hangs-in-the-body" => json(500, "{}"),
        "drips-for-ever" => json(1_000_000, "{"),
        "streams-for-ever" => "HTTP/1.1 200 OK\r\n\r\n".to_owned(),
        _ => String::new(),
    };
    // The other side may have had enough of it.
    let is_written = stream.write_all(answer.as_bytes()).is_ok();
    match received.path.trim_start_matches('/') {
        "streams-for-ever" => while stream.write_all(&[b' '; 65_536]).is_ok() {},
        "drips-for-ever" => drip(stream),
        "hangs" | "hangs-in-the-body" | "says-terabytes" => hang(stream),
        "resets" => {
            let socket = tokio::net::TcpSocket::from_std_stream(stream.try_clone().unwrap());
            socket.set_zero_linger().unwrap();
        }
        path if path.contains("closes") || path == "another-protocol" => {}
        _ => return is_written,
    }
    false
}

/// A space now and then, until the other side goes away.
fn drip(stream: &mut TcpStream) {
    stream.set_read_timeout(Some(std::time::Duration::from_millis(20))).unwrap();
    let mut buffer = [0; 1];
    while stream.write_all(b" ").is_ok() {
        if std::io::Read::read(stream, &mut buffer).is_ok() {
            return;
        }
    }
}

/// One call's row.
struct Case<'a> {
    name: &'a str,
    fate: Fate,
    is_attempt: bool,
}

impl Case<'_> {
    fn expected_charge(&self) -> u32 {
        match (self.fate, self.is_attempt) {
            (Done, _) | (Failed | Rejected | Unknown, true) => PRICE,
            (Failed | Rejected | Unknown, false) | (NotSent, _) => 0,
        }
    }

    fn run(&self, server: &Server) {
        let tool = format!("{}.{}", self.name, if self.is_attempt { "attempt" } else { "success" });
        let answer = server.invoke(ALICE, &tool, &format!(r#"{{"idempotency_key": "{tool}"}}"#));
        let (status, code) = match self.fate {
            Done => (200, ""),
            Failed | NotSent => (502, "upstream_failed"),
            Rejected => (502, "upstream_rejected"),
            Unknown => (504, "outcome_unknown"),
        };
        assert_eq!((answer.status, answer.code()), (status, code), "{tool}: {}", answer.body);
        let now = if self.fate == Unknown { 0 } else { self.expected_charge() };
        assert_eq!(answer.header("x-tollgate-credits-charged"), Some(&*now.to_string()), "{tool}");
        self.check_words(&tool, &answer);
        let id = answer.header("x-tollgate-invocation-id").unwrap();
        let call = server.wait_until_settled(ALICE, id);
        let state = match (self.fate, self.is_attempt) {
            (Done, _) => "succeeded",
            (Failed | Rejected | NotSent, _) => "failed",
            (Unknown, true) => "unknown_captured",
            (Unknown, false) => "unknown_released",
        };
        assert_eq!((&call["state"], &call["credits_held"]), (&json!(state), &json!(PRICE)), "{tool}: {call}");
        assert_eq!(call["credits_charged"], json!(self.expected_charge()), "{tool}: {call}");
        assert_eq!(call["error"].as_str().unwrap_or_default(), code, "{tool}: {call}");
        assert_eq!(call["resolves_at"], Value::Null, "it is settled: {tool}: {call}");
        if self.fate == Unknown {
            let retry = server.invoke(ALICE, &tool, &format!(r#"{{"idempotency_key": "{tool}"}}"#));
            assert_eq!((retry.status, retry.code()), (504, "outcome_unknown"), "{tool}: {}", retry.body);
        }
    }

    fn check_words(&self, tool: &str, answer: &Answer) {
        assert!(!answer.body.contains("hunter2"), "{tool}: {}", answer.body);
        let detail = answer.json["detail"].as_str().unwrap_or_default();
        match (self.name, self.fate) {
            ("empty", _) => assert_eq!(answer.json["result"], json!({}), "{tool}"),
            ("text", _) => assert_eq!(answer.json["result"], json!({"text": "hello"}), "{tool}"),
            (_, Rejected) => {
                assert!(detail.starts_with("no such city; "), "{tool}: {detail}");
                assert_eq!(answer.json["error"]["upstream_status"], json!(422), "{tool}");
            }
            (_, NotSent) => assert!(detail.contains("nothing was charged and nothing was done"), "{tool}: {detail}"),
            (_, Failed) => {
                let note = if self.is_attempt { "the attempt was charged" } else { "nothing was charged" };
                assert!(detail.ends_with(note), "{tool}: {detail}");
            }
            _ => {}
        }
    }
}

fn whatever_an_upstream_does_the_caller_is_told_and_charged_by_the_rules(kind: Kind) {
    let upstream = Upstream::start(misbehave);
    // Nobody listens there any more.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let tools: String = ROWS
        .iter()
        .flat_map(|(name, timeout_ms, fate)| {
            let url = match fate {
                NotSent => format!("http://{closed}/"),
                _ => upstream.url(&format!("/{name}")),
            };
            ["success", "attempt"]
                .map(|charge_on| tool(&format!("{name}.{charge_on}"), &url, PRICE, charge_on, *timeout_ms))
        })
        .collect();
    let home = Home::on(kind);
    let server = Server::start(home.path(), &config(&tools, "", "limits: {unknown_resolve_after_s: 1},"));
    let cases: Vec<Case<'_>> = ROWS
        .iter()
        .flat_map(|(name, _, fate)| [false, true].map(|is_attempt| Case { name, fate: *fate, is_attempt }))
        .collect();
    thread::scope(|scope| {
        for case in &cases {
            scope.spawn(|| case.run(&server));
        }
    });
    for (name, _, fate) in ROWS {
        let expected = if fate == NotSent { 0 } else { 2 };
        assert_eq!(upstream.count(&format!("/{name}")), expected, "{name}: dispatched once for each price");
    }
    assert_eq!(upstream.count("/elsewhere"), 0, "a redirect is not followed");
    let charges = cases.iter().filter(|case| case.expected_charge() > 0).count();
    let spent = u32::try_from(charges).unwrap() * PRICE;
    let balance: Value = server.balance(ALICE);
    assert_eq!((&balance["balance"], &balance["reserved"]), (&json!(10_000 - spent), &json!(0)), "{balance}");
    assert_eq!(server.verified_postings(), 2 + 2 * u64::try_from(charges).unwrap(), "two grants, then two legs each");
    assert!(server.log().contains("hunter2"), "what the upstream said stands in our log only");
}
