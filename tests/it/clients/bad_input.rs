//! Requests that are wrong: each gets an answer that names what is, nothing is charged, nothing is called.

use serde_json::{Value, json};
use tests::{
    home::{Home, Kind},
    on_both_databases,
    program::Answer,
    server::{ALICE, BOB, Server, config, tool},
    upstream::Upstream,
    wire::{self, Wire},
};

on_both_databases!(what_is_wrong_is_named_and_costs_nothing, a_revoked_token_pays_for_nothing_more);

const PARTNER: &str = "faro_partner_globex00";
const INVOKE_BYTES_MAX: usize = 2 * 1024 * 1024;
const BYTES_MAX: usize = 256 * 1024;

fn bearer(token: &str) -> (&'static str, String) {
    ("authorization", format!("Bearer {token}"))
}

fn units(url: &str) -> String {
    format!(
        "{{name: 'units', upstream: {{kind: 'http', url: '{url}'}}, pricing: {{pricing_mode: 'tool_returned', \
         returned_credit_cost_path: '$.cost', pricing_unit_fields: ['count'], pricing_credits_per_unit: 2}}}},"
    )
}

/// Body, status, code, and where the first fault is (a JSON text; empty where the answer has a sentence instead).
type BodyCase = (String, u16, &'static str, &'static str);

fn bodies_of_invoke() -> Vec<BodyCase> {
    let case = |body: &str, status, code, place| (body.to_owned(), status, code, place);
    let nested = |depth: usize| format!(r#"{{"arguments": {{"q": {}1{}}}}}"#, "[".repeat(depth), "]".repeat(depth));
    let keyed = |bytes: usize| format!(r#"{{"idempotency_key": "{}"}}"#, "é".repeat(bytes / 2));
    vec![
        case("", 400, "invalid_json", ""),
        case("{", 400, "invalid_json", ""),
        case("{} {}", 400, "invalid_json", ""),
        case("{'arguments': {}}", 400, "invalid_json", ""),
        case(r#"{"arguments": {"n": NaN}}"#, 400, "invalid_json", ""),
        case(r#"{"arguments": {"n": 01}}"#, 400, "invalid_json", ""),
        case(r#"{"arguments": {"n": 1e400}}"#, 400, "invalid_json", ""),
        case(r#"{"arguments": {"q": "\ud800"}}"#, 400, "invalid_json", ""),
        case("\u{feff}{}", 400, "invalid_json", ""),
        case("arguments=1", 400, "invalid_json", ""),
        (nested(63), 400, "too_deep", ""),
        ("[".repeat(500_000), 400, "too_deep", ""),
        (format!(r#"{{"arguments": {{"q": [{}0]}}}}"#, "0,".repeat(300_000)), 413, "body_too_large", ""),
        case("[]", 422, "invalid_request", ""),
        case("null", 422, "invalid_request", ""),
        case(r#""text""#, 422, "invalid_request", ""),
        case(r#"{"arguments": []}"#, 422, "invalid_request", r#"["body","arguments"]"#),
        case(r#"{"arguments": null}"#, 422, "invalid_request", r#"["body","arguments"]"#),
        case(r#"{"idempotency_key": 5}"#, 422, "invalid_request", r#"["body","idempotency_key"]"#),
        case(r#"{"idempotency_key": ""}"#, 422, "invalid_request", r#"["body","idempotency_key"]"#),
        (keyed(256), 422, "invalid_request", r#"["body","idempotency_key"]"#),
        case(r#"{"argument": {}}"#, 422, "invalid_request", r#"["body","argument"]"#),
        case(r#"{"arguments": {"q": 5}}"#, 422, "invalid_arguments", r#"["body","arguments","q"]"#),
        case(r#"{"arguments": {}, "arguments": {"q": "a"}}"#, 422, "invalid_request", ""),
        case(r#"{"idempotency_key": "a", "idempotency_key": "b"}"#, 422, "invalid_request", ""),
        case(r#"{"arguments": {"q": "a", "q": "b"}}"#, 422, "invalid_request", ""),
        case(r#"{"arguments": {"q": "a", "\u0071": "b"}}"#, 422, "invalid_request", ""),
    ]
}

/// Path, body, status, code, and a part of the sentence.
fn bodies_of_other_routes() -> Vec<(&'static str, String, u16, &'static str, &'static str)> {
    let purchase = "/credits/purchase";
    let case = |path, body: &str, part| (path, body.to_owned(), 422, "invalid_request", part);
    vec![
        case(purchase, "{}", "body.credits: give either `credits` or `usd`"),
        case(purchase, r#"{"credits": 1, "credits": 2}"#, "`/credits`"),
        case(purchase, r#"{"usd": "1", "usd": "1"}"#, "`/usd`"),
        case(purchase, r#"{"credits": true}"#, "body.credits"),
        case(purchase, r#"{"credits": [1]}"#, "body.credits"),
        case(purchase, r#"{"credits": "1e3"}"#, "body.credits"),
        case(purchase, r#"{"credits": 0.0000001}"#, "body.credits: must have at most six decimals"),
        case(purchase, r#"{"credits": -5}"#, "body.credits: must not be negative"),
        case(purchase, r#"{"credits": 0}"#, "body.credits"),
        case(purchase, r#"{"credits": 99999999999999999999}"#, "body.credits"),
        case(purchase, r#"{"credits": 1, "usd": 1}"#, "body.usd"),
        case(purchase, r#"{"credits": 1, "discount": 1}"#, "body.discount: is not a member of this request"),
        case("/auth/agent-signup", r#"{"email": "a b@example.com"}"#, "body.email"),
        case("/auth/agent-signup", r#"{"email": ["a@example.com"]}"#, "body.email: must be a text"),
        case("/auth/agent-signup", r#"{"token_name": "x"}"#, "body.email: is missing"),
        case("/auth/login", r#"{"email": "a@example.com"}"#, "body.password: is missing"),
        ("/auth/login", "{".to_owned(), 400, "invalid_json", "line 1"),
        ("/auth/login", "[".repeat(1_000), 400, "too_deep", ""),
        ("/auth/login", " ".repeat(BYTES_MAX + 1), 413, "body_too_large", "262144"),
        ("/auth/agent-signup", " ".repeat(BYTES_MAX + 1), 413, "body_too_large", "262144"),
        (purchase, " ".repeat(BYTES_MAX + 1), 413, "body_too_large", "262144"),
    ]
}

/// Everything that may not change: both balances, and how many postings the books have.
fn money(server: &Server) -> Vec<Value> {
    let mut money: Vec<Value> = [ALICE, BOB, PARTNER].iter().map(|token| server.balance(token)).collect();
    money.push(json!(server.verified_postings()));
    money
}

fn check(answer: &Answer, status: u16, code: &str, what: &str) {
    assert_eq!((answer.status, answer.code()), (status, code), "{what:.100}: {}", answer.body);
    assert!(!answer.json["error"]["message"].as_str().unwrap_or_default().is_empty(), "{what:.100}: {}", answer.body);
    assert!(answer.json["detail"].is_string() || answer.json["detail"].is_array(), "{what:.100}: {}", answer.body);
}

fn what_is_wrong_is_named_and_costs_nothing(kind: Kind) {
    let upstream = Upstream::answering(r#"{"cost": 1}"#);
    let tools = tool("paid", &upstream.url("/"), 50, "success", 5_000) + &units(&upstream.url("/"));
    let partner = format!("{{name: 'Globex', token: '{PARTNER}', grant_credits: 1000}}");
    let home = Home::on(kind);
    let server = Server::start(home.path(), &config(&tools, &partner, "limits: {body_wait_s: 1},"));
    let before = money(&server);

    for (body, status, code, place) in bodies_of_invoke() {
        let answer = server.invoke(ALICE, "paid", &body);
        check(&answer, status, code, &body);
        assert_eq!(answer.header("x-tollgate-credits-charged"), Some("0"), "{body:.100}");
        if !place.is_empty() {
            assert_eq!(answer.json["detail"][0]["loc"].to_string(), place, "{}", answer.body);
        }
    }
    for count in ["-1", "null", "\"5\"", "true"] {
        let body = format!(r#"{{"arguments": {{"count": {count}}}}}"#);
        let answer = server.invoke(ALICE, "units", &body);
        check(&answer, 422, "invalid_arguments", &body);
        assert!(answer.body.contains("count"), "{}", answer.body);
    }
    check(&server.invoke(ALICE, "units", "{}"), 422, "invalid_arguments", "no count");
    let (name, value) = bearer(ALICE);
    for (path, body, status, code, part) in bodies_of_other_routes() {
        let answer = server.send("POST", path, &[(name, &value)], &body);
        check(&answer, status, code, &body);
        assert!(answer.body.contains(part), "{path} {body:.100}: {}", answer.body);
    }
    wrong_tokens(&server);
    wrong_frames(&server);

    assert_eq!(money(&server), before);
    assert_eq!(upstream.received().len(), 0, "nothing was called");
    // And all that time a right one would have worked, also one of exactly the largest size.
    let body = r#"{"arguments": {"q": "a"}}"#;
    let answer = server.invoke(ALICE, "paid", &format!("{body}{}", " ".repeat(INVOKE_BYTES_MAX - body.len())));
    assert_eq!((answer.status, &answer.json["credits_charged"]), (200, &json!(50)), "{}", answer.body);
}

fn wrong_tokens(server: &Server) {
    let path = "/invoke/acme/paid";
    let unknown_tool = server.invoke(ALICE, "nothing", "{}");
    check(&unknown_tool, 404, "not_found", "an unknown tool");
    let (name, alice) = bearer(ALICE);
    let unknown_namespace = server.send("POST", "/invoke/nothing/paid", &[(name, &alice)], "{}");
    assert_eq!((unknown_namespace.status, &unknown_namespace.body), (404, &unknown_tool.body));

    for (value, code) in [
        ("", "missing_token"),
        ("Bearer", "missing_token"),
        ("Bearer ", "missing_token"),
        ("Basic YTpi", "missing_token"),
        (ALICE, "missing_token"),
        ("Bearer faro_nobody-00000", "invalid_token"),
        ("Bearer faro_partner_nobody0", "invalid_token"),
        ("Bearer eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzdWIiOiJhIn0.", "invalid_token"),
        ("Bearer \u{fc}ber", "missing_token"),
    ] {
        let answer = server.send("POST", path, &[(name, value)], "{}");
        check(&answer, 401, code, value);
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{value}");
    }
    let user = "x-faro-user";
    let answer = server.send("POST", path, &[(name, &alice), (user, "u")], "{}");
    check(&answer, 403, "end_user_not_allowed", "an account with a user");
    let (_, partner) = bearer(PARTNER);
    let answer = server.send("POST", path, &[(name, &partner)], "{}");
    check(&answer, 422, "end_user_required", "a partner without a user");
    assert_eq!(answer.json["detail"][0]["loc"], json!(["header", "X-Faro-User"]));

    // A revoked token is one that nobody has.
    let listed = server.get(BOB, "/tokens/");
    let id = listed.json[0]["id"].as_str().unwrap_or_else(|| panic!("{}", listed.body));
    let foreign = server.send("DELETE", &format!("/tokens/{id}"), &[(name, &alice)], "");
    check(&foreign, 404, "not_found", "another account's token");
    assert_eq!(server.get(BOB, "/auth/me").status, 200);
}

/// What is wrong with the request as a message, not with what it says.
fn wrong_frames(server: &Server) {
    let (_, alice) = bearer(ALICE);
    let head = format!("POST /invoke/acme/paid HTTP/1.1\r\nhost: x\r\nauthorization: {alice}\r\n");
    let send = |rest: &[u8]| wire::send(server.address(), &[head.as_bytes(), rest].concat());
    let body = r#"{"arguments": {"q": "a"}}"#;

    // More than it may have: refused while it is still coming.
    let huge = format!("content-length: {}\r\n\r\n{}", INVOKE_BYTES_MAX + 1, " ".repeat(INVOKE_BYTES_MAX + 1));
    check(&send(huge.as_bytes()).unwrap(), 413, "body_too_large", "2 MiB and a byte");
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x1_0000));
    let chunks = format!("transfer-encoding: chunked\r\n\r\n{}", chunk.repeat(33));
    check(&send(chunks.as_bytes()).unwrap(), 413, "body_too_large", "2 MiB and more, in chunks");

    // It says 500 bytes, sends fewer, and closes, or waits.
    let lie = format!("content-length: 500\r\n\r\n{body}");
    let mut closes = Wire::open(server.address());
    closes.write([head.as_bytes(), lie.as_bytes()].concat().as_slice());
    closes.end();
    if let Some(answer) = closes.read_answer() {
        check(&answer, 400, "invalid_json", "fewer bytes than said");
    }
    check(&send(lie.as_bytes()).unwrap(), 408, "request_timeout", "fewer bytes than said, then silence");
    // It says 5 bytes and sends more: those five are no JSON, and the rest is no request.
    check(&send(format!("content-length: 5\r\n\r\n{body}").as_bytes()).unwrap(), 400, "invalid_json", "more than said");
    for wrong in [
        "content-length: -1\r\n\r\n",
        "content-length: 25x\r\n\r\n",
        "content-length: 25\r\ncontent-length: 26\r\n\r\n",
        "content-length: 25\r\ntransfer-encoding: chunked\r\n\r\n",
        "transfer-encoding: chunked\r\n\r\nzz\r\n",
        "x-null: \0\r\n\r\n",
        &format!("x-long: {}\r\n\r\n", "v".repeat(300_000)),
    ] {
        let answer = send(format!("{wrong}{body}").as_bytes());
        let status = answer.map(|answer| answer.status);
        assert!(status.is_none_or(|status| (400..500).contains(&status)), "{wrong:.60}: {status:?}");
    }
    let not_utf8 = [b"content-length: 4\r\n\r\n".as_slice(), &[b'"', 0xff, 0xfe, b'"']].concat();
    check(&send(&not_utf8).unwrap(), 400, "invalid_json", "not UTF-8");

    // What a body is called does not matter, what it is does: these are not JSON.
    let form = "--b\r\ncontent-disposition: form-data; name=\"arguments\"\r\n\r\n{}\r\n--b--\r\n";
    for (kind, body) in [
        ("content-type: multipart/form-data; boundary=b", form),
        ("content-type: application/x-www-form-urlencoded", "arguments=%7B%7D"),
        ("content-type: application/xml", "<arguments/>"),
        ("content-type: application/json\r\ncontent-encoding: gzip", "\u{1f}\u{8b}"),
    ] {
        let answer = send(format!("{kind}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).as_bytes()).unwrap();
        check(&answer, 400, "invalid_json", kind);
    }
}

fn a_revoked_token_pays_for_nothing_more(kind: Kind) {
    let upstream = Upstream::answering("{}");
    let home = Home::on(kind);
    let server = Server::start(home.path(), &config(&tool("paid", &upstream.url("/"), 50, "success", 5_000), "", ""));
    assert_eq!(server.invoke(BOB, "paid", "{}").status, 200);
    let id = server.get(BOB, "/tokens/").json[0]["id"].as_str().unwrap().to_owned();
    let (name, bob) = bearer(BOB);
    assert_eq!(server.send("DELETE", &format!("/tokens/{id}"), &[(name, &bob)], "").status, 204);
    for _ in 0..2 {
        check(&server.invoke(BOB, "paid", "{}"), 401, "invalid_token", "revoked");
    }
    check(&server.get(BOB, "/credits/balance"), 401, "invalid_token", "revoked");
    assert_eq!(upstream.count("/"), 1);
    assert_eq!(server.verified_postings(), 2 + 2);
}

#[test]
fn a_body_that_drips_is_not_waited_for() {
    let home = Home::on(Kind::Sqlite);
    let server = Server::start(home.path(), &config("", "", "limits: {body_wait_s: 1},"));
    let (_, alice) = bearer(ALICE);
    for path in ["/invoke/acme/x", "/auth/login", "/auth/agent-signup", "/credits/purchase"] {
        let head =
            format!("POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: {alice}\r\ncontent-length: 100000\r\n\r\n");
        let mut wire = Wire::open(server.address());
        wire.write(head.as_bytes());
        // Far fewer than 16 KiB a second: the allowance for what has arrived never grows.
        let mut dripped = 0;
        let answer = loop {
            dripped += 1;
            wire.write(b" ");
            if let Some(answer) = wire.answer_within(std::time::Duration::from_millis(50)) {
                break answer;
            }
            assert!(dripped < 1_000, "{path}: it is still waiting");
        };
        check(&answer, 408, "request_timeout", path);
    }
}
