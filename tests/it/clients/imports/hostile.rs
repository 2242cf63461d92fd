//! MCP servers that hang, lie or never end: a clear refusal, in time, and nothing is left of the attempt.

use std::{
    io::Write as _,
    net::TcpStream,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use tests::{
    on_both_databases,
    patience::{pause, wait_until},
    upstream::{Upstream, hang, json_answer},
};

use super::*;

on_both_databases!(
    nothing_is_left_of_a_server_that_cannot_be_used,
    a_name_that_is_taken_leaves_nothing_behind,
    for_whom_nothing_is_made_nobody_is_asked,
    a_connection_that_fails_tells_no_address,
    a_document_that_does_not_come_or_does_not_end_leaves_nothing_behind,
    who_has_enough_servers_asked_waits,
);

/// A server that opens sessions, and lists what `tools` says.
pub(super) fn listing(tools: impl Fn(usize) -> String + Send + Sync + 'static) -> Upstream {
    let pages = AtomicUsize::new(0);
    Upstream::start(move |received, stream| {
        let asked: Value = serde_json::from_str(&received.body).unwrap_or_default();
        let answer = match asked["method"].as_str() {
            Some("initialize") => {
                let server = json!({"name": "x", "version": "1"});
                let known =
                    json!({"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": server});
                json_answer("200 OK", &json!({"jsonrpc": "2.0", "id": asked["id"], "result": known}).to_string())
            }
            Some("tools/list") => {
                let page = pages.fetch_add(1, Ordering::SeqCst);
                let body = format!(r#"{{"jsonrpc":"2.0","id":{},"result":{}}}"#, asked["id"], tools(page));
                json_answer("200 OK", &body)
            }
            _ => "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n".to_owned(),
        };
        stream.write_all(answer.as_bytes()).is_ok()
    })
}

fn nothing_is_left_of_a_server_that_cannot_be_used(kind: Kind) {
    let house = House::open(kind);
    let tool = |schema: &str| {
        format!(r#"{{"tools":[{{"name":"fine","inputSchema":{{}}}},{{"name":"bad","inputSchema":{schema}}}]}}"#)
    };
    let remote = tool(r#"{"properties":{"a":{"$ref":"https://example.com/a.json"}}}"#);
    let pattern = tool(r#"{"properties":{"a":{"pattern":"(?=a)"}}}"#);
    let endless = tool(r##"{"allOf":[{"$ref":"#"}]}"##);
    let cases: Vec<(&str, Upstream, &str)> = vec![
        ("garbage", Upstream::answering("hello"), "mcp_url"),
        (
            "silence",
            Upstream::start(|_, stream| {
                hang(stream);
                false
            }),
            "mcp_url",
        ),
        ("no list", listing(|_| "[]".to_owned()), "mcp_url"),
        ("endless pages", listing(|page| json!({"tools": [], "nextCursor": format!("{page}")}).to_string()), "mcp_url"),
        ("a remote reference", listing(move |_| remote.clone()), "tools.bad.input_schema"),
        ("a pattern that backtracks", listing(move |_| pattern.clone()), "tools.bad.input_schema"),
        ("a schema without end", listing(move |_| endless.clone()), "tools.bad.input_schema"),
    ];
    for (name, upstream, field) in &cases {
        let started = Instant::now();
        let wanted = json!({"namespace": "desk", "mcp_url": upstream.url("/mcp")});
        let answer = house.ask("POST", "/namespaces/quick-setup", &wanted);
        assert_names(&answer, field);
        assert!(started.elapsed().as_secs() < 28, "{name}: {:?}", started.elapsed());
        assert_eq!(house.ask("GET", "/publishers/me", &Value::Null).status, 403, "{name}");
        house.assert_nothing_was_made();
    }
    // addresses that nobody is ever asked at, whatever the rules
    for url in ["http://169.254.169.254/mcp", "ftp://example.com/", "http://user:pw@example.com/", "nowhere"] {
        let answer = house.ask("POST", "/namespaces/quick-setup", &json!({"namespace": "desk", "mcp_url": url}));
        assert_names(&answer, "mcp_url");
    }
    house.assert_nothing_was_made();
}

fn a_name_that_is_taken_leaves_nothing_behind(kind: Kind) {
    let house = House::open(kind);
    let upstream = listing(|_| r#"{"tools":[{"name":"a","inputSchema":{}}]}"#.to_owned());
    // the configuration's
    let answer =
        house.ask("POST", "/namespaces/quick-setup", &json!({"namespace": "acme", "mcp_url": upstream.url("/mcp")}));
    assert!((400..500).contains(&answer.status), "{}", answer.body);
    house.assert_nothing_was_made();
    let bad =
        house.ask("POST", "/namespaces/quick-setup", &json!({"namespace": "-a", "mcp_url": upstream.url("/mcp")}));
    assert_names(&bad, "namespace");
}

fn for_whom_nothing_is_made_nobody_is_asked(kind: Kind) {
    let house = House::open(kind);
    let made = house.server.send("POST", "/auth/agent-signup", &[], r#"{"email": "ann@example.com"}"#);
    let key = made.json["token"].as_str().unwrap();
    let upstream = listing(|_| r#"{"tools":[{"name":"a","inputSchema":{}}]}"#.to_owned());
    let wanted = json!({"namespace": "anns", "mcp_url": upstream.url("/mcp")});
    for (path, wanted) in
        [("/namespaces/quick-setup", wanted), ("/publishers/register", json!({"display_name": "Ann"}))]
    {
        let refused = house.send(key, "POST", path, &wanted);
        assert_eq!((refused.status, refused.code()), (403, "email_unverified"), "{path}: {}", refused.body);
    }
    assert_eq!(upstream.count("/mcp"), 0, "the server was asked");
    assert_eq!(house.send(key, "GET", "/publishers/me", &Value::Null).status, 403);
}

fn a_connection_that_fails_tells_no_address(kind: Kind) {
    let house = House::open(kind);
    house.register(ALICE, "Alice");
    // nobody listens there
    let nobody = "http://localhost:9";
    house.namespace("notes", &house.connection("rest", nobody));
    let server = house.connection("mcp", &format!("{nobody}/mcp"));
    let spec = json!({"namespace": "spec", "spec_url": format!("{nobody}/spec.json")});
    for (path, wanted, field) in [
        ("/namespaces/notes/fetch-readme".to_owned(), json!({"url": format!("{nobody}/README.md")}), "url"),
        ("/connections/import-openapi".to_owned(), spec, "spec_url"),
        ("/namespaces/quick-setup".to_owned(), json!({"namespace": "desk", "mcp_url": nobody}), "mcp_url"),
        (format!("/connections/{server}/scan"), Value::Null, "connection_id"),
    ] {
        let answer = house.ask("POST", &path, &wanted);
        assert_names(&answer, field);
        let told = answer.json["detail"][0]["msg"].as_str().unwrap();
        assert!(told.ends_with("there is no connection, none is allowed, or it broke"), "{path}: {}", answer.body);
        let request = answer.json["error"]["request_id"].as_str();
        assert!(request.is_some_and(|id| id.starts_with("req_")), "{path}: {}", answer.body);
        for detail in ["127.0.0.1", "::1", "refused", "os error", "tcp"] {
            assert!(!answer.body.contains(detail), "{path}: {}", answer.body);
        }
    }
}

/// The head of an answer that comes in pieces, and one of them.
const IN_PIECES: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
const PIECE: &str = "10\r\n{\"openapi\":\"3.0.\r\n";

/// Writes pieces until nobody reads them any more, with so much time between them.
fn write_on(stream: &mut TcpStream, between: Option<Duration>) -> bool {
    let piece = PIECE.repeat(if between.is_some() { 1 } else { 4_096 });
    let mut is_read = stream.write_all(IN_PIECES.as_bytes()).is_ok();
    while is_read {
        is_read = stream.write_all(piece.as_bytes()).is_ok();
        pause(between.unwrap_or_default());
    }
    is_read
}

/// A place where documents are asked for, and does what its path says.
fn library() -> Upstream {
    let announced = |length: usize, body: &str| format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}");
    Upstream::start(move |received, stream| {
        let is_well = match received.path.as_str() {
            "/half" => stream.write_all(announced(1_000, "{\"openapi\"").as_bytes()).is_ok(),
            "/cut" => stream.write_all(announced(1_000, "{").as_bytes()).is_ok(),
            "/long" => stream.write_all(announced(3 << 20, &" ".repeat(3 << 20)).as_bytes()).is_ok(),
            "/drops" => write_on(stream, Some(Duration::from_millis(200))),
            "/endless" => write_on(stream, None),
            _ => true,
        };
        if is_well && ["/silent", "/half"].contains(&received.path.as_str()) {
            hang(stream);
        }
        false
    })
}

fn a_document_that_does_not_come_or_does_not_end_leaves_nothing_behind(kind: Kind) {
    let (house, library) = (House::open(kind), library());
    house.register(ALICE, "Alice");
    let bearer = format!("Bearer {ALICE}");
    let headers = [("authorization", bearer.as_str())];
    let (late, long, broken) = ("did not come within 15 seconds", "is longer than", "there is no connection");
    let cases =
        [("/silent", late), ("/half", late), ("/drops", late), ("/long", long), ("/endless", long), ("/cut", broken)];
    // An account has two asked at a time. Those who wait do not wait for each other.
    let ask = |(path, _): &(&str, &str)| {
        let body = json!({"namespace": "spec", "spec_url": library.url(path)}).to_string();
        house.server.send("POST", "/connections/import-openapi", &headers, &body)
    };
    let answers: Vec<_> = cases
        .chunks(2)
        .flat_map(|pair| {
            let started = Instant::now();
            let answers: Vec<_> = thread::scope(|scope| {
                let asked: Vec<_> = pair.iter().map(|case| scope.spawn(|| ask(case))).collect();
                asked.into_iter().map(|asked| asked.join().unwrap()).collect()
            });
            // The published client waits for 30 seconds.
            assert!(started.elapsed().as_secs() < 28, "{:?}", started.elapsed());
            answers
        })
        .collect();
    house.assert_nothing_was_made();
    for ((path, why), answer) in cases.iter().zip(&answers) {
        assert_names(answer, "spec_url");
        assert!(answer.body.contains(why), "{path}: {}", answer.body);
    }
    house.assert_nothing_was_made();
    let nothing = house.ask("GET", "/namespaces/spec", &Value::Null);
    assert_eq!((nothing.status, nothing.code()), (404, "not_found"), "{}", nothing.body);
    // A text that does not come is the same.
    house.namespace("notes", &house.connection("rest", "http://127.0.0.1:9/"));
    let fetched = house.ask("POST", "/namespaces/notes/fetch-readme", &json!({"url": library.url("/silent")}));
    assert_names(&fetched, "url");
    assert!(fetched.body.contains(late), "{}", fetched.body);
    assert_eq!(house.get("/namespaces/notes")["readme_source_url"], Value::Null);
}

fn who_has_enough_servers_asked_waits(kind: Kind) {
    let house = House::open(kind);
    house.register(ALICE, "Alice");
    let (go, gone) = mpsc::channel::<()>();
    let gone = Mutex::new(gone);
    let asked = Arc::new(AtomicUsize::new(0));
    let slow = {
        let asked = Arc::clone(&asked);
        listing(move |_| {
            asked.fetch_add(1, Ordering::SeqCst);
            gone.lock().unwrap().recv().ok();
            "{}".to_owned()
        })
    };
    let quick = listing(|_| r#"{"tools":[{"name":"a","inputSchema":{}}]}"#.to_owned());
    let waiting = house.connection("mcp", &slow.url("/mcp"));
    let ready = house.connection("mcp", &quick.url("/mcp"));
    let scan = |connection: &str| house.ask("POST", &format!("/connections/{connection}/scan"), &Value::Null);
    house.namespace("desk", &ready);
    thread::scope(|scope| {
        let scans: Vec<_> = (0..2).map(|_| scope.spawn(|| scan(&waiting))).collect();
        wait_until("both scans ask the server", || (asked.load(Ordering::SeqCst) == 2).then_some(()));
        let (mcp, text) = (quick.url("/mcp"), quick.url("/text"));
        let document = json!({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {}});
        for (path, wanted) in [
            (format!("/connections/{ready}/scan"), Value::Null),
            ("/namespaces/desk/scan".to_owned(), Value::Null),
            ("/namespaces/desk/import-tools".to_owned(), json!({"connection_id": ready})),
            ("/namespaces/quick-setup".to_owned(), json!({"namespace": "more", "mcp_url": mcp})),
            ("/connections/import-openapi".to_owned(), json!({"namespace": "more", "spec_url": text})),
            ("/connections/import-openapi".to_owned(), json!({"namespace": "more", "spec": document})),
            ("/namespaces/desk/fetch-readme".to_owned(), json!({"url": text})),
        ] {
            let refused = house.ask("POST", &path, &wanted);
            assert_eq!((refused.status, refused.code()), (429, "rate_limited"), "{path}: {}", refused.body);
            let wait_s = refused.header("retry-after").and_then(|seconds| seconds.parse::<u64>().ok());
            assert!(wait_s.is_some_and(|seconds| seconds > 0), "{path}: {wait_s:?}");
        }
        assert_eq!(quick.received().len(), 0, "nobody was asked");
        assert_eq!(house.tools("desk"), [""; 0]);
        assert_eq!(house.get("/namespaces/").as_array().unwrap().len(), 1);
        // Somebody else's are asked meanwhile.
        let wanted = json!({"namespace": "bobs", "mcp_url": quick.url("/mcp")});
        let made = house.send(BOB, "POST", "/namespaces/quick-setup", &wanted);
        assert_eq!(made.status, 201, "{}", made.body);
        drop(go);
        for scan in scans {
            assert_names(&scan.join().unwrap(), "connection_id");
        }
    });
    assert_eq!(scan(&ready).status, 200, "those that were under way are over");
}
