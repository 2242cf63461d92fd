use std::time::Duration;

use serde_json::json;
use tests::{patience::wait_until, program::Server};

use super::market::{ATTEMPT_MICROS, Buyer, Market, micros};

/// What a restart promises on SQLite; printed beside what was seen, because a busy machine proves nothing.
const PROMISED: Duration = Duration::from_secs(5);

#[test]
fn calls_that_a_killed_server_left_open_are_settled_with_nobody_asking() {
    let market = Market::open();
    let server = Server::start(market.folder());
    let calls = [("fixed", "a"), ("fixed", "b"), ("attempt", "c"), ("attempt", "d"), ("metered", "e")];
    std::thread::scope(|scope| {
        for (tool, key) in calls {
            let mut caller = Buyer::Account.call(server.address());
            let body = json!({ "arguments": { "key": key, "work_ms": 2_000 }, "idempotency_key": key });
            // Broken off by the kill.
            scope.spawn(move || caller.post(&format!("/invoke/acme/{tool}"), &body).unwrap_err());
        }
        wait_until("the upstream is at work", || (market.upstream.log().len() == calls.len()).then_some(()));
        server.kill();
    });
    let left_open: Vec<(String, String)> = {
        let log = market.upstream.log();
        log.iter().map(|received| (received.path.clone(), received.invocation.clone())).collect()
    };

    let server = Server::start(market.folder());
    let mut caller = Buyer::Account.call(server.address());
    let (_, longest) = wait_until("everything is settled", || {
        let is_settled = |id: &String| {
            let call = caller.get(&format!("/invocations/{id}")).unwrap();
            assert_eq!(call.status, 200, "{}", call.body);
            call.json["is_settled"] == json!(true)
        };
        left_open.iter().map(|(_, id)| id).all(is_settled).then_some(())
    });
    println!("settled {longest:?} after the restart; {PROMISED:?} are promised");
    for (path, id) in &left_open {
        let call = caller.get(&format!("/invocations/{id}")).unwrap().json;
        let expected = if path == "/attempt" { ("unknown_captured", ATTEMPT_MICROS) } else { ("unknown_released", 0) };
        assert_eq!((call["state"].as_str().unwrap(), micros(&call["credits_charged"])), expected, "{path} {call}");
        assert_eq!(call["error"], json!("outcome_unknown"));
    }
    let retried = caller
        .post("/invoke/acme/fixed", &json!({ "arguments": { "key": "a", "work_ms": 2_000 }, "idempotency_key": "a" }));
    assert_eq!(retried.unwrap().status, 504);
    assert_eq!(market.upstream.log().len(), calls.len(), "nothing was dispatched twice");
    assert_eq!(server.stop(), Some(0));
    market.verify();
    assert_eq!(market.totals("liabilities:wallet").0, 2 * ATTEMPT_MICROS);
}
