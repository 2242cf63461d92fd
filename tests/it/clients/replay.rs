use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::{io::Write as _, thread};

use serde_json::json;
use tests::{
    home::{Home, Kind},
    on_both_databases,
    patience::wait_until,
    server::{ALICE, BOB, Server, config, tool},
    upstream::{Upstream, json_answer},
};

on_both_databases!(a_finished_key_is_replayed_byte_for_byte_and_never_carried_out_again);

/// Opens once.
#[derive(Debug, Default)]
struct Gate(Mutex<bool>, Condvar);

impl Gate {
    fn open(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.1.notify_all();
    }

    fn pass(&self) {
        let shut = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.1.wait_while(shut, |is_open| !*is_open).unwrap_or_else(PoisonError::into_inner));
    }
}

const KEYED: &str = r#"{"arguments": {"q": "a", "n": 1}, "idempotency_key": "k-1"}"#;
/// The same members in another order and with other spaces.
const SAME: &str = r#"{ "idempotency_key":"k-1","arguments":{"n":1,   "q":"a"} }"#;

fn a_finished_key_is_replayed_byte_for_byte_and_never_carried_out_again(kind: Kind) {
    let gate = Arc::new(Gate::default());
    let shut = Arc::clone(&gate);
    let upstream = Upstream::start(move |received, stream| {
        if received.path == "/gated" {
            shut.pass();
        }
        let answer = match &*received.path {
            "/failing" => json_answer("500 Internal Server Error", "{}"),
            _ => json_answer("200 OK", r#"{"number": 1.50, "text": "é"}"#),
        };
        stream.write_all(answer.as_bytes()).is_ok()
    });
    let tools = [
        tool("paid", &upstream.url("/paid"), 50, "success", 5_000),
        tool("gated", &upstream.url("/gated"), 50, "success", 20_000),
        tool("failing", &upstream.url("/failing"), 50, "success", 5_000),
        tool("tried", &upstream.url("/failing"), 50, "attempt", 5_000),
    ]
    .concat();
    let home = Home::on(kind);
    let settings = config(&tools, "", "");
    let server = Server::start(home.path(), &settings);

    let first = server.invoke(ALICE, "paid", KEYED);
    assert_eq!((first.status, first.header("idempotent-replayed")), (200, None), "{}", first.body);
    assert!(first.body.contains(r#""number": 1.50, "text": "é""#), "{}", first.body);
    for body in [KEYED, SAME] {
        let again = server.invoke(ALICE, "paid", body);
        assert_eq!((again.status, again.header("idempotent-replayed")), (200, Some("true")), "{}", again.body);
        assert_eq!((&again.body, again.header("x-tollgate-credits-charged")), (&first.body, Some("0")));
        assert_eq!(again.header("x-tollgate-invocation-id"), first.header("x-tollgate-invocation-id"));
    }
    // Other arguments, numbers written in another way, another tool.
    for (tool, body) in [
        ("paid", r#"{"arguments": {"q": "b", "n": 1}, "idempotency_key": "k-1"}"#),
        ("paid", r#"{"arguments": {"q": "a", "n": 1.0}, "idempotency_key": "k-1"}"#),
        ("gated", KEYED),
    ] {
        let reused = server.invoke(ALICE, tool, body);
        assert_eq!((reused.status, reused.code()), (409, "idempotency_key_reused"), "{tool} {body}: {}", reused.body);
    }
    // Somebody else's key is another key.
    let others = server.invoke(BOB, "paid", KEYED);
    assert_eq!((others.status, others.header("idempotent-replayed")), (200, None), "{}", others.body);
    assert_eq!(upstream.count("/paid"), 2);

    in_flight(&server, &upstream, &gate);

    // A failure that cost nothing frees the key; one that was charged is the answer from now on.
    for (tool, charged, executed) in [("failing", "0", 2), ("tried", "50", 3)] {
        let body = format!(r#"{{"idempotency_key": "k-{tool}"}}"#);
        let failed = server.invoke(ALICE, tool, &body);
        assert_eq!((failed.status, failed.header("x-tollgate-credits-charged")), (502, Some(charged)));
        let retried = server.invoke(ALICE, tool, &body);
        assert_eq!((retried.status, retried.header("idempotent-replayed").is_some()), (502, charged == "50"));
        assert_eq!(upstream.count("/failing"), executed, "{tool}");
    }
    // A refusal before the call frees the key as well.
    let spent = r#"{"arguments": {"q": 5}, "idempotency_key": "k-2"}"#;
    assert_eq!(server.invoke(BOB, "paid", spent).status, 422);
    let fine = server.invoke(BOB, "paid", r#"{"arguments": {"q": "5"}, "idempotency_key": "k-2"}"#);
    assert_eq!((fine.status, fine.header("idempotent-replayed")), (200, None), "{}", fine.body);

    let balance = server.balance(ALICE);
    assert_eq!((&balance["balance"], &balance["reserved"]), (&json!(10_000 - 3 * 50), &json!(0)));
    server.kill();
    let server = Server::start(home.path(), &settings);
    let later = server.invoke(ALICE, "paid", KEYED);
    assert_eq!((later.status, later.header("idempotent-replayed")), (200, Some("true")), "after a restart");
    assert_eq!(later.body, first.body);
    assert_eq!(upstream.count("/paid"), 3, "two of Bob's and one of Alice's");
    assert_eq!(server.balance(ALICE), balance);
    // Two grants, and five charges that go to publisher and platform.
    assert_eq!(server.verified_postings(), 2 + 5 * 2);
}

fn in_flight(server: &Server, upstream: &Upstream, gate: &Gate) {
    let body = r#"{"idempotency_key": "k-gated"}"#;
    thread::scope(|scope| {
        let first = scope.spawn(|| server.invoke(ALICE, "gated", body));
        wait_until("the first call's dispatch", || (upstream.count("/gated") == 1).then_some(()));
        let second = server.invoke(ALICE, "gated", body);
        // Before any assertion, so that the first call ends whatever is found.
        gate.open();
        let first = first.join().unwrap();
        assert_eq!((second.status, second.code()), (409, "idempotency_in_flight"), "{}", second.body);
        assert_eq!(second.header("retry-after"), Some("1"));
        assert_eq!((first.status, first.header("idempotent-replayed")), (200, None), "{}", first.body);
        let third = server.invoke(ALICE, "gated", body);
        assert_eq!((third.status, &third.body), (200, &first.body));
    });
    assert_eq!(upstream.count("/gated"), 1);
}
