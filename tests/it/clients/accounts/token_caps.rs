//! Limits that an account's owner sets on its tokens: who may, what they say, and what they stop.

use serde_json::{Value, json};
use tests::{
    home::{Home, Kind},
    on_both_databases,
    program::Answer,
    server::{ALICE, BOB, Server, tool},
    upstream::Upstream,
};

use super::{assert_names, config, send_as, session};

on_both_databases!(
    an_owner_limits_a_token_and_lifts_the_limit,
    a_refusal_says_how_its_limit_is_raised,
    nobody_else_sees_or_changes_a_limit,
    what_is_wrong_with_a_limit_is_named,
    a_limit_holds_for_many_at_once,
);

const PARTNER: &str = "faro_partner_globex00";

/// A server with a tool for 50 credits, and the tokens of its two accounts.
struct House {
    server: Server,
    home: Home,
    upstream: Upstream,
    /// Alice, signed in.
    alice: String,
    /// `/tokens/{id}` of her token.
    token: String,
}

impl House {
    fn open(kind: Kind) -> Self {
        let upstream = Upstream::answering(r#"{"done": true}"#);
        let home = Home::on(kind);
        let tools = tool("paid", &upstream.url("/"), 50, "success", 5_000);
        let partner = format!("{{name: 'Globex', token: '{PARTNER}', grant_credits: 1000}}");
        let server = Server::start(home.path(), &config(&tools, &partner, ""));
        let alice = session(&server, "alice@example.com");
        let token = token_path(&server, ALICE);
        Self { server, home, upstream, alice, token }
    }

    fn send(&self, bearer: &str, method: &str, path: &str, body: &str) -> Answer {
        send_as(&self.server, bearer, method, path, body)
    }

    fn set(&self, window: &str, body: &str) -> Answer {
        self.send(&self.alice, "PUT", &format!("{}/caps/{window}", self.token), body)
    }

    fn lift(&self, window: &str) -> Answer {
        self.send(&self.alice, "DELETE", &format!("{}/caps/{window}", self.token), "")
    }

    fn caps(&self) -> Value {
        let answer = self.server.get(ALICE, &format!("{}/caps", self.token));
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json
    }
}

/// `/tokens/{id}` of the token that an account has.
fn token_path(server: &Server, token: &str) -> String {
    format!("/tokens/{}", server.get(token, "/tokens/").json[0]["id"].as_str().unwrap())
}

fn an_owner_limits_a_token_and_lifts_the_limit(kind: Kind) {
    let house = House::open(kind);
    assert_eq!(house.caps(), json!([]));
    let total = house.set("total", r#"{"credits": "120.5"}"#);
    assert_eq!(total.status, 200, "{}", total.body);
    let unused = json!({
        "window": "total", "credits": 120.5, "spent": 0, "reserved": 0, "left": 120.5, "resets_at": null,
    });
    assert_eq!(total.json, unused);
    let call = house.set("call", r#"{"credits": 50}"#);
    let of_a_call = json!({
        "window": "call", "credits": 50, "spent": null, "reserved": null, "left": 50, "resets_at": null,
    });
    assert_eq!((call.status, &call.json), (200, &of_a_call), "{}", call.body);
    let month = house.set("month", r#"{"credits": 1000}"#).json;
    assert!(month["resets_at"].as_str().is_some_and(|at| at.ends_with("-01T00:00:00Z")), "{month}");

    // The smallest limit says what can be spent: a single call's, then the one of all calls.
    for remaining in [json!(50), json!(20.5)] {
        let paid = house.server.invoke(ALICE, "paid", "{}");
        assert_eq!((paid.status, &paid.json["credits_remaining"]), (200, &remaining), "{}", paid.body);
    }
    let caps = house.caps();
    assert_eq!(caps.as_array().unwrap().len(), 3, "{caps}");
    assert_eq!((&caps[0], &caps[1]["spent"], &caps[1]["left"]), (&of_a_call, &json!(100), &json!(900)), "{caps}");
    assert_eq!((&caps[2]["spent"], &caps[2]["left"]), (&json!(100), &json!(20.5)), "{caps}");
    assert_eq!(house.server.invoke(ALICE, "paid", "{}").code(), "cap_reached");

    // A changed limit keeps its count; the same again is no change.
    let raised = house.set("total", r#"{"credits": 150}"#);
    assert_eq!((&raised.json["spent"], &raised.json["left"]), (&json!(100), &json!(50)), "{}", raised.body);
    assert_eq!(house.set("total", r#"{"credits": 150}"#).json, raised.json);
    assert_eq!(house.server.invoke(ALICE, "paid", "{}").status, 200);
    let lowered = house.set("total", r#"{"credits": 0}"#);
    assert_eq!((&lowered.json["credits"], &lowered.json["left"]), (&json!(0), &json!(0)), "{}", lowered.body);
    assert_eq!(house.server.invoke(ALICE, "paid", "{}").code(), "cap_reached");

    let lifted = house.lift("total");
    assert_eq!((lifted.status, lifted.body.as_str()), (204, ""));
    assert_eq!(house.lift("total").status, 404, "there is none any more");
    assert_eq!(house.server.invoke(ALICE, "paid", "{}").status, 200);
    // One that is set anew counts from zero. Sessions were never limited by it.
    assert_eq!(house.set("total", r#"{"credits": 10}"#).json["spent"], json!(0));
    assert_eq!(house.server.invoke(&house.alice, "paid", "{}").status, 200);

    let told = crate::rows::of_home(
        &house.home,
        "SELECT count(*), min(actor_kind), max(method), min(object_kind) FROM audit WHERE action = 'cap.set'",
    );
    assert_eq!(told, [["7", "account", "session", "token"]]);
    house.server.verified_postings();
}

fn a_refusal_says_how_its_limit_is_raised(kind: Kind) {
    let house = House::open(kind);
    for (window, limit, raised) in
        [("call", "49.5", json!(50)), ("day", "0.000001", json!(50)), ("total", "20", json!(50))]
    {
        assert_eq!(house.set(window, &json!({"credits": limit}).to_string()).status, 200);
        let refused = house.server.invoke(ALICE, "paid", "{}");
        assert_eq!((refused.status, refused.code()), (402, "cap_reached"), "{}", refused.body);
        let error = &refused.json["error"];
        let left: f64 = limit.parse().unwrap();
        assert_eq!((&error["needed"], error["available"].as_f64()), (&json!(50), Some(left)), "{error}");
        let limit_of = &error["limit"];
        assert_eq!((&limit_of["kind"], &limit_of["per"]), (&json!("cap"), &json!("token")), "{error}");
        assert_eq!((&limit_of["window"], limit_of["resets_at"].is_string()), (&json!(window), window == "day"));
        let ways = error["ways_out"].as_array().unwrap();
        let way = ways.last().unwrap();
        assert_eq!((ways.len(), &way["action"]), (if window == "day" { 2 } else { 1 }, &json!("raise_cap")), "{error}");
        assert_eq!((&way["method"], &way["path"]), (&json!("PUT"), &json!(format!("{}/caps/{window}", house.token))));
        assert_eq!(way["body"], json!({"credits": raised}), "{way}");

        // What the refusal says can be sent as it is, by whoever is signed in.
        let (path, body) = (way["path"].as_str().unwrap(), way["body"].to_string());
        let by_key = house.send(ALICE, "PUT", path, &body);
        assert_eq!((by_key.status, by_key.code()), (403, "session_required"), "{}", by_key.body);
        assert_eq!(house.send(&house.alice, "PUT", path, &body).status, 200);
        assert_eq!(house.server.invoke(ALICE, "paid", "{}").status, 200, "{window}");
        assert_eq!(house.lift(window).status, 204);
    }
    assert_eq!(house.upstream.count("/"), 3, "what is refused is not dispatched");
}

fn nobody_else_sees_or_changes_a_limit(kind: Kind) {
    let house = House::open(kind);
    assert_eq!(house.set("day", r#"{"credits": 77}"#).status, 200);
    let bob = session(&house.server, "bob@example.com");
    let bobs = token_path(&house.server, BOB);
    let before = house.caps();
    let nowhere = "/tokens/tok_00000000000070008000000000000000";
    for (method, rest) in [("GET", "/caps"), ("PUT", "/caps/day"), ("DELETE", "/caps/day")] {
        let unknown = house.send(&bob, method, &format!("{nowhere}{rest}"), r#"{"credits": 1}"#);
        assert_eq!((unknown.status, unknown.code()), (404, "not_found"), "{}", unknown.body);
        for token in [&house.token, "/tokens/tok_x"] {
            let foreign = house.send(&bob, method, &format!("{token}{rest}"), r#"{"credits": 1}"#);
            assert_eq!((foreign.status, &foreign.body), (404, &unknown.body), "{method} {token}{rest}");
        }
        let stranger = house.server.send(method, &format!("{}{rest}", house.token), &[], r#"{"credits": 1}"#);
        assert_eq!((stranger.status, stranger.code()), (401, "missing_token"), "{}", stranger.body);
        let partner = house.send(PARTNER, method, &format!("{}{rest}", house.token), r#"{"credits": 1}"#);
        assert_eq!((partner.status, partner.code()), (403, "session_required"), "{}", partner.body);
    }
    for method in ["PUT", "DELETE"] {
        let by_key = house.send(BOB, method, &format!("{bobs}/caps/day"), r#"{"credits": 1}"#);
        assert_eq!((by_key.status, by_key.code()), (403, "session_required"), "{}", by_key.body);
    }
    assert_eq!((house.caps(), house.send(&bob, "GET", &format!("{bobs}/caps"), "").json), (before, json!([])));

    // A revoked token is shown, and limited no more.
    assert_eq!(house.send(&bob, "DELETE", &bobs, "").status, 204);
    assert_eq!(house.send(&bob, "GET", &format!("{bobs}/caps"), "").status, 200);
    assert_eq!(house.send(&bob, "PUT", &format!("{bobs}/caps/day"), r#"{"credits": 1}"#).status, 404);
}

fn what_is_wrong_with_a_limit_is_named(kind: Kind) {
    let house = House::open(kind);
    for window in ["week", "DAY", "1", "day%20"] {
        assert_names(&house.set(window, r#"{"credits": 1}"#), ["path", "window"]);
        assert_names(&house.lift(window), ["path", "window"]);
    }
    for (body, place) in [
        ("{}", "credits"),
        (r#"{"credits": null}"#, "credits"),
        (r#"{"credits": -1}"#, "credits"),
        (r#"{"credits": "1e3"}"#, "credits"),
        (r#"{"credits": 0.0000001}"#, "credits"),
        (r#"{"credits": 99999999999999999999}"#, "credits"),
        (r#"{"credits": [1]}"#, "credits"),
        (r#"{"credits": 1, "per": "account"}"#, "per"),
    ] {
        assert_names(&house.set("day", body), ["body", place]);
    }
    let broken = house.set("day", "{");
    assert_eq!((broken.status, broken.code()), (400, "invalid_json"), "{}", broken.body);
    assert_eq!(house.caps(), json!([]));
}

fn a_limit_holds_for_many_at_once(kind: Kind) {
    let house = House::open(kind);
    assert_eq!(house.set("total", r#"{"credits": 149}"#).status, 200);
    let paid = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..16).map(|_| scope.spawn(|| house.server.invoke(ALICE, "paid", "{}").status)).collect();
        calls.into_iter().map(|call| call.join().unwrap()).filter(|status| *status == 200).count()
    });
    assert_eq!((paid, house.upstream.count("/")), (2, 2), "as many as fit, and not one more");
    let cap = &house.caps()[0];
    assert_eq!((&cap["spent"], &cap["reserved"], &cap["left"]), (&json!(100), &json!(0), &json!(49)), "{cap}");
}
