//! Limits that a partner sets: what they say, and what they stop.

use serde_json::{Value, json};
use tests::{home::Kind, on_both_databases};

use super::{GLOBEX, House, NOWHERE, assert_names};

on_both_databases!(
    every_kind_of_limit_refuses_by_its_name,
    what_is_wrong_with_a_limit_is_named,
    a_limit_holds_for_many_at_once,
    what_the_operator_limits_the_operator_alone_changes,
);

fn every_kind_of_limit_refuses_by_its_name(kind: Kind) {
    let house = House::open(kind);
    let (id, secret) = house.token();
    house.paid(&secret, "u-1");
    let token = format!("/partners/tokens/{id}/caps");
    for (base, applies_to, per) in [
        ("/partners/caps/partner", "partner", "partner"),
        ("/partners/caps/end_user", "each_end_user", "end_user"),
        ("/partners/users/u-1/caps", "end_user", "end_user"),
        (&*token, "token", "token"),
    ] {
        for window in ["call", "day", "month", "total"] {
            let path = format!("{base}/{window}");
            let set = house.ask("PUT", &path, &json!({"credits": "49.999999"}));
            assert_eq!(set.status, 200, "{path}: {}", set.body);
            assert_eq!((&set.json["applies_to"], &set.json["credits"]), (&json!(applies_to), &json!(49.999_999)));
            let refused = house.call(&secret, "u-1");
            assert_eq!((refused.status, refused.code()), (402, "cap_reached"), "{path}: {}", refused.body);
            let limit = &refused.json["error"]["limit"];
            assert_eq!((&limit["per"], &limit["window"]), (&json!(per), &json!(window)), "{path}: {limit}");
            assert_eq!(house.ask("PUT", &path, &json!({"credits": 50})).json["credits"], json!(50));
            house.paid(&secret, "u-1");
            assert_eq!(house.ask("DELETE", &path, &Value::Null).status, 204, "{path}");
            let gone = house.ask("DELETE", &path, &Value::Null);
            assert_eq!((gone.status, gone.code()), (404, "not_found"), "{path}: {}", gone.body);
        }
    }
    // All of them at once are listed where they belong, with what counts.
    for path in ["/partners/caps/partner/day", "/partners/caps/end_user/day", "/partners/users/u-1/caps/day"] {
        assert_eq!(house.ask("PUT", path, &json!({"credits": 100})).status, 200, "{path}");
    }
    house.paid(&secret, "u-1");
    let kinds = |path: &str| -> Vec<String> {
        let caps = house.get(path);
        caps.as_array().unwrap().iter().map(|cap| cap["applies_to"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(kinds("/partners/caps"), ["partner", "each_end_user"]);
    assert_eq!(kinds("/partners/users/u-1/caps"), ["end_user", "each_end_user"]);
    assert_eq!(kinds(&token), [""; 0]);
    let of_user = house.get("/partners/users/u-1/caps");
    assert!(
        of_user.as_array().unwrap().iter().all(|cap| cap["spent"] == json!(50) && cap["left"] == json!(50)),
        "{of_user}"
    );
    house.server.verified_postings();
}

fn what_is_wrong_with_a_limit_is_named(kind: Kind) {
    let house = House::open(kind);
    house.paid(GLOBEX, "u-1");
    let fine = json!({"credits": 1});
    assert_names(&house.ask("PUT", "/partners/caps/account/day", &fine), ["path", "per"]);
    assert_names(&house.ask("PUT", "/partners/caps/partner/week", &fine), ["path", "window"]);
    assert_names(&house.ask("DELETE", "/partners/users/u-1/caps/DAY", &Value::Null), ["path", "window"]);
    for (body, field) in [
        (json!({}), "credits"),
        (json!({"credits": -1}), "credits"),
        (json!({"credits": "1e3"}), "credits"),
        (json!({"credits": "0.0000001"}), "credits"),
        (json!({"credits": 1, "per": "partner"}), "per"),
    ] {
        for path in ["/partners/caps/partner/day", "/partners/users/u-1/caps/day"] {
            assert_names(&house.ask("PUT", path, &body), ["body", field]);
        }
    }
    for path in [
        "/partners/users/u-2/caps/day",
        &format!("/partners/tokens/tok_{NOWHERE}/caps/day"),
        "/partners/tokens/x/caps/day",
    ] {
        let missing = house.ask("PUT", path, &fine);
        assert_eq!((missing.status, missing.code()), (404, "not_found"), "{path}: {}", missing.body);
    }
    assert_eq!(house.get("/partners/caps"), json!([]));
}

/// 64 callers at once, against the limit of every holder: as many as fit, and not one more.
fn a_limit_holds_for_many_at_once(kind: Kind) {
    let house = House::open(kind);
    let (id, secret) = house.token();
    house.paid(&secret, "u-1");
    let token = format!("/partners/tokens/{id}/caps/month");
    for (path, per, window) in [
        ("/partners/caps/partner/day", "partner", "day"),
        ("/partners/caps/end_user/total", "end_user", "total"),
        ("/partners/users/u-1/caps/month", "end_user", "month"),
        (&*token, "token", "month"),
    ] {
        assert_eq!(house.ask("PUT", path, &json!({"credits": 149})).status, 200, "{path}");
        let answers: Vec<_> = std::thread::scope(|scope| {
            let calls: Vec<_> = (0..64).map(|_| scope.spawn(|| house.call(&secret, "u-1"))).collect();
            calls.into_iter().map(|call| call.join().unwrap()).collect()
        });
        let (paid, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
        assert_eq!(paid.len(), 2, "{path}");
        for answer in refused {
            assert_eq!((answer.status, answer.code()), (402, "cap_reached"), "{path}: {}", answer.body);
            let limit = &answer.json["error"]["limit"];
            assert_eq!((&limit["per"], &limit["window"]), (&json!(per), &json!(window)), "{path}: {limit}");
        }
        assert_eq!(house.ask("DELETE", path, &Value::Null).status, 204, "{path}");
    }
    house.paid(GLOBEX, "u-2");
    assert_eq!(house.get("/partners/me")["wallet"]["available"], json!(1_000 - 50 * (4 * 2 + 2)));
}

fn what_the_operator_limits_the_operator_alone_changes(kind: Kind) {
    let caps = "caps: [{per: 'partner', window: 'day', credits: 120}], margin_bps";
    let house = House::open_with(kind, |config| config.replacen("margin_bps", caps, 1));
    let path = "/partners/caps/partner/day";
    for body in [json!({"credits": 100_000}), json!({"credits": 1}), Value::Null] {
        let method = if body.is_null() { "DELETE" } else { "PUT" };
        let refused = house.ask(method, path, &body);
        assert_eq!((refused.status, refused.code()), (403, "limit_imposed"), "{method}: {}", refused.body);
    }
    assert_eq!(house.get("/partners/caps")[0]["credits"], json!(120), "it stands as it was set");
    // A limit of the partner's own beside it is its own matter.
    assert_eq!(house.ask("PUT", "/partners/caps/partner/month", &json!({"credits": 70})).status, 200);
    house.paid(GLOBEX, "u-1");
    let refused = house.call(GLOBEX, "u-1");
    assert_eq!(refused.json["error"]["limit"]["window"], json!("month"), "{}", refused.body);
    assert_eq!(house.ask("DELETE", "/partners/caps/partner/month", &Value::Null).status, 204);
    house.paid(GLOBEX, "u-1");
    let refused = house.call(GLOBEX, "u-1");
    assert_eq!((refused.status, refused.code()), (402, "cap_reached"), "{}", refused.body);
    assert_eq!(refused.json["error"]["limit"]["window"], json!("day"), "{}", refused.body);
    house.server.verified_postings();
}
