use serde_json::json;

use super::*;
use crate::{connection::Caller, patience::wait_until};

fn react(received: &Received) -> Reaction {
    Reaction { after_ms: 100, status: 207, body: json!({ "asked": received.path }) }
}

#[test]
fn a_request_is_logged_as_it_came_and_marked_when_it_is_answered() {
    let upstream = Upstream::start(react);
    std::thread::scope(|scope| {
        let address = upstream.address().to_string();
        let answer = scope.spawn(move || {
            let headers = [("idempotency-key", "k"), ("x-tollgate-invocation-id", "inv")];
            Caller::new(&address, &headers).post("/tool", &json!({ "a": 1 })).unwrap()
        });
        let (first, _) = wait_until("the request", || upstream.log().first().cloned());
        assert_eq!((first.path.as_str(), first.key.as_str(), first.invocation.as_str()), ("/tool", "k", "inv"));
        assert_eq!(first.arguments, json!({ "a": 1 }));
        let answer = answer.join().unwrap();
        assert_eq!((answer.status, answer.json), (207, json!({ "asked": "/tool" })));
    });
    let log = upstream.log();
    assert_eq!((log.len(), log[0].answered), (1, Some(207)));
}
