//! End users who pay for themselves, over HTTP.

use serde_json::{Value, json};
use tests::{home::Kind, on_both_databases, program::Answer};

use super::{GLOBEX, House, INITECH, assert_names};

on_both_databases!(
    an_end_user_pays_with_what_its_partner_gave_it,
    what_cannot_be_moved_is_refused_with_its_numbers,
    what_is_left_of_an_erased_end_user_is_the_partners,
);

/// Globex's end users pay for themselves, Initech pays for its own.
fn open(kind: Kind) -> House {
    House::open_with(kind, |config| config.replacen("name: 'Globex'", "name: 'Globex', funding: 'per_user'", 1))
}

fn fund(house: &House, user: &str, credits: &Value, key: &str) -> Answer {
    let body = json!({"credits": credits, "idempotency_key": key});
    house.ask("POST", &format!("/partners/users/{user}/fund"), &body)
}

/// What Globex has, for itself or for one of its end users.
fn balance(house: &House, user: Option<&str>) -> Value {
    let bearer = format!("Bearer {GLOBEX}");
    let mut headers = vec![("authorization", bearer.as_str())];
    headers.extend(user.map(|user| ("x-faro-user", user)));
    house.server.send("GET", "/credits/balance", &headers, "").json["credits_remaining"].clone()
}

fn an_end_user_pays_with_what_its_partner_gave_it(kind: Kind) {
    let house = open(kind);
    assert_eq!(house.get("/partners/me")["funding"], "per_user");
    let refused = house.call(GLOBEX, "u-1");
    assert_eq!((refused.status, refused.code()), (402, "insufficient_credits"), "{}", refused.body);
    let error = &refused.json["error"];
    assert_eq!((&error["needed"], &error["available"]), (&json!(50), &json!(0)), "{error}");
    assert_eq!((&error["limit"]["kind"], &error["limit"]["per"]), (&json!("wallet"), &json!("end_user")), "{error}");
    let way = &error["ways_out"][0];
    assert_eq!((&way["action"], &way["path"]), (&json!("fund"), &json!("/partners/users/{external_id}/fund")));

    let first = fund(&house, "u-1", &json!("120"), "k-1");
    assert_eq!(first.status, 201, "{}", first.body);
    assert_eq!(first.json["wallet"], json!({"balance": 120, "reserved": 0, "available": 120}), "{}", first.body);
    assert_eq!(first.json["partner_wallet"]["available"], json!(880), "{}", first.body);
    let again = fund(&house, "u-1", &json!(120), "k-1");
    assert_eq!((again.status, &again.json), (200, &first.json), "{}", again.body);
    let paid = house.call(GLOBEX, "u-1");
    assert_eq!((paid.status, &paid.json["credits_remaining"]), (200, &json!(70)), "{}", paid.body);
    assert_eq!(house.call(GLOBEX, "u-2").code(), "insufficient_credits", "what one has, nobody else spends");

    // The smallest of the wallet and every limit is what is left.
    assert_eq!(house.ask("PUT", "/partners/users/u-1/caps/total", &json!({"credits": 60})).status, 200);
    let paid = house.call(GLOBEX, "u-1");
    assert_eq!((paid.status, &paid.json["credits_remaining"]), (200, &json!(10)), "{}", paid.body);
    assert_eq!(house.call(GLOBEX, "u-1").json["error"]["limit"]["kind"], "wallet", "the wallet is asked first");
    assert_eq!(fund(&house, "u-1", &json!(100), "k-2").status, 201);
    let capped = house.call(GLOBEX, "u-1");
    assert_eq!((capped.code(), &capped.json["error"]["available"]), ("cap_reached", &json!(10)), "{}", capped.body);

    let shown = house.get("/partners/users/u-1");
    assert_eq!(shown["wallet"]["balance"], json!(120), "{shown}");
    assert_eq!(house.get("/partners/users/u-1/export")["user"]["wallet"], shown["wallet"]);
    assert_eq!((balance(&house, Some("u-1")), balance(&house, None)), (json!(120), json!(780)));
    let kinds = |user: &str| -> Vec<(String, Value)> {
        let headers = [("authorization", &*format!("Bearer {GLOBEX}")), ("x-faro-user", user)];
        let found = house.server.send("GET", "/credits/transactions", &headers, "").json;
        let rows = found["transactions"].as_array().unwrap().iter();
        rows.map(|row| (row["kind"].as_str().unwrap().to_owned(), row["credits"].clone())).collect()
    };
    let moved = |kind: &str, credits: i64| (kind.to_owned(), json!(credits));
    assert_eq!(
        kinds("u-1"),
        [moved("transfer", 100), moved("charge", -50), moved("charge", -50), moved("transfer", 120)]
    );
    let own = house.get("/credits/transactions?kind=transfer");
    assert_eq!(own["transactions"].as_array().unwrap().len(), 2, "{own}");
    let margin = &house.get("/partners/me")["margin"]["earned"];
    assert_eq!(margin, &json!(5), "its share is the partner's, whoever pays");
    // Two grants of accounts and two of partners, two transfers, three legs of either charge.
    assert_eq!(house.server.verified_postings(), 4 + 2 + 6);
}

fn what_cannot_be_moved_is_refused_with_its_numbers(kind: Kind) {
    let house = open(kind);
    assert_eq!(house.ask("POST", "/partners/users", &json!({"external_id": "u-1"})).status, 201);
    assert_eq!(house.get("/partners/users/u-1")["wallet"], Value::Null);
    let body = json!({"credits": 1, "idempotency_key": "k-0"});
    let empty = house.ask("POST", "/partners/users/u-1/withdraw", &body);
    assert_eq!((empty.status, empty.code()), (402, "insufficient_credits"), "{}", empty.body);
    let error = &empty.json["error"];
    assert_eq!((&error["needed"], &error["available"]), (&json!(1), &json!(0)), "{error}");
    let limit = &error["limit"];
    assert_eq!((&limit["kind"], &limit["id"], &limit["per"]), (&json!("wallet"), &Value::Null, &json!("end_user")));
    let too_much = fund(&house, "u-1", &json!("1000.000001"), "k-1");
    assert_eq!((too_much.status, too_much.code()), (402, "insufficient_credits"), "{}", too_much.body);
    let error = &too_much.json["error"];
    assert_eq!((error["needed"].to_string(), &error["available"]), ("1000.000001".to_owned(), &json!(1000)));
    assert_eq!((&error["limit"]["kind"], &error["limit"]["per"]), (&json!("wallet"), &json!("partner")), "{error}");
    // What was refused has not used its key up.
    let moved = fund(&house, "u-1", &json!(400), "k-1");
    assert_eq!(moved.status, 201, "{}", moved.body);
    let other = fund(&house, "u-1", &json!(401), "k-1");
    assert_eq!((other.status, other.code()), (409, "idempotency_key_reused"), "{}", other.body);
    assert_eq!(other.json["error"]["transaction_id"], moved.json["transaction_id"]);

    let take = |credits: i64, key: &str| {
        let body = json!({"credits": credits, "idempotency_key": key});
        house.ask("POST", "/partners/users/u-1/withdraw", &body)
    };
    let above = take(401, "k-2");
    assert_eq!((above.status, &above.json["error"]["available"]), (402, &json!(400)), "{}", above.body);
    assert_eq!(above.json["error"]["limit"]["per"], "end_user", "{}", above.body);
    let back = take(150, "k-2");
    assert_eq!((back.status, &back.json["credits"]), (201, &json!(-150)), "{}", back.body);
    assert_eq!((&back.json["wallet"]["balance"], &back.json["partner_wallet"]["balance"]), (&json!(250), &json!(750)));

    let fine = json!({"credits": 1, "idempotency_key": "k-9"});
    for (path, status, code) in
        [("/partners/users/nobody/fund", 404, "not_found"), ("/partners/users/nobody/withdraw", 404, "not_found")]
    {
        let refused = house.ask("POST", path, &fine);
        assert_eq!((refused.status, refused.code()), (status, code), "{path}: {}", refused.body);
    }
    // Initech pays for its end users itself: their wallets would pay for nothing.
    let made = house.send(INITECH, "POST", "/partners/users", r#"{"external_id": "u-1"}"#);
    assert_eq!(made.status, 201, "{}", made.body);
    let refused = house.send(INITECH, "POST", "/partners/users/u-1/fund", &fine.to_string());
    assert_eq!((refused.status, refused.code()), (409, "conflict"), "{}", refused.body);
    for (body, field) in [
        (json!({"idempotency_key": "k"}), "credits"),
        (json!({"credits": 1}), "idempotency_key"),
        (json!({"credits": "much", "idempotency_key": "k"}), "credits"),
        (json!({"credits": 0, "idempotency_key": "k"}), "credits"),
        (json!({"credits": -1, "idempotency_key": "k"}), "credits"),
        (json!({"credits": 1, "idempotency_key": ""}), "idempotency_key"),
        (json!({"credits": 1, "idempotency_key": "k", "from": "u-2"}), "from"),
    ] {
        assert_names(&house.ask("POST", "/partners/users/u-1/fund", &body), ["body", field]);
    }
    let (_, limited) = limited_token(&house);
    for path in ["/partners/users/u-1/fund", "/partners/users/u-1/withdraw"] {
        let refused = house.send(&limited, "POST", path, &fine.to_string());
        assert_eq!((refused.status, refused.code()), (403, "token_limited"), "{path}: {}", refused.body);
    }
    assert_eq!(house.get("/partners/users/u-1")["wallet"]["balance"], json!(250));
}

/// A token with a spending limit of its own.
fn limited_token(house: &House) -> (String, String) {
    let (id, secret) = house.token();
    let set = house.ask("PUT", &format!("/partners/tokens/{id}/caps/day"), &json!({"credits": 60}));
    assert_eq!(set.status, 200, "{}", set.body);
    (id, secret)
}

fn what_is_left_of_an_erased_end_user_is_the_partners(kind: Kind) {
    let house = open(kind);
    assert_eq!(house.ask("POST", "/partners/users", &json!({"external_id": "u-1"})).status, 201);
    assert_eq!(fund(&house, "u-1", &json!(120), "k-1").status, 201);
    house.paid(GLOBEX, "u-1");
    assert_eq!(house.ask("DELETE", "/partners/users/u-1", &Value::Null).status, 200);
    assert_eq!(balance(&house, None), json!(950), "nothing but what was charged is gone");
    assert_eq!(balance(&house, Some("u-1")), json!(0), "whoever has the name next begins with nothing");
    assert_eq!(house.call(GLOBEX, "u-1").code(), "insufficient_credits");
    assert_eq!(house.server.verified_postings(), 4 + 2 + 3);
}
