//! A partner's tokens: which of them may do what.

use serde_json::{Value, json};
use tests::{home::Kind, on_both_databases, server::ALICE};

use super::{GLOBEX, House, INITECH, NOWHERE, assert_names};

on_both_databases!(
    a_partner_makes_and_revokes_its_tokens,
    a_token_with_a_limit_changes_nothing,
    what_is_no_token_is_named,
    the_partner_sees_itself,
);

fn a_partner_makes_and_revokes_its_tokens(kind: Kind) {
    let house = House::open(kind);
    let new = json!({"name": "production", "idempotency_key": "k-1"});
    let made = house.ask("POST", "/partners/tokens", &new);
    assert_eq!((made.status, made.header("cache-control")), (201, Some("no-store")), "{}", made.body);
    let (id, secret) = (made.json["id"].as_str().unwrap(), made.json["token"].as_str().unwrap());
    assert!(secret.starts_with("faro_partner_") && secret.ends_with(made.json["hint"].as_str().unwrap()));
    let again = house.ask("POST", "/partners/tokens", &new);
    assert_eq!((again.status, again.code()), (409, "idempotency_key_reused"), "{}", again.body);
    assert_eq!(again.json["error"]["token_id"], json!(id));
    assert!(!again.body.contains(secret));
    // The same key is another partner's own.
    assert_eq!(house.send(INITECH, "POST", "/partners/tokens", &new.to_string()).status, 201);

    let listed = house.get("/partners/tokens");
    assert_eq!(listed.as_array().unwrap().len(), 2, "{listed}");
    assert_eq!((&listed[0]["id"], &listed[0]["is_active"], listed[0].get("token")), (&json!(id), &json!(true), None));
    house.paid(secret, "u-1");
    let path = format!("/partners/tokens/{id}");
    for _ in 0..2 {
        assert_eq!(house.ask("DELETE", &path, &Value::Null).status, 204, "revoking it again changes nothing");
    }
    assert_eq!(house.call(secret, "u-1").code(), "invalid_token");
    assert_eq!(house.get("/partners/tokens")[0]["is_active"], json!(false));
    let told = crate::rows::of_home(
        &house.home,
        &format!("SELECT action, actor_kind, method FROM audit WHERE object_id = '{id}' ORDER BY slot, seq"),
    );
    assert_eq!(told, [["token.create", "partner", "token"], ["token.revoke", "partner", "token"]]);
}

fn a_token_with_a_limit_changes_nothing(kind: Kind) {
    let house = House::open(kind);
    let (id, secret) = house.token();
    let caps = format!("/partners/tokens/{id}/caps");
    assert_eq!(house.ask("PUT", &format!("{caps}/day"), &json!({"credits": 60})).status, 200);
    house.paid(&secret, "u-1");
    let refused = house.call(&secret, "u-1");
    assert_eq!((refused.status, refused.code()), (402, "cap_reached"), "{}", refused.body);
    assert_eq!(refused.json["error"]["limit"]["per"], json!("token"), "{}", refused.body);

    let one = json!({"credits": 1}).to_string();
    for (method, path, body) in [
        ("POST", "/partners/tokens".to_owned(), r#"{"name": "more"}"#),
        ("DELETE", format!("/partners/tokens/{id}"), ""),
        ("POST", "/partners/users".to_owned(), r#"{"external_id": "u-9"}"#),
        ("PATCH", "/partners/users/u-1".to_owned(), r#"{"state": "blocked"}"#),
        ("DELETE", "/partners/users/u-1".to_owned(), ""),
        ("POST", "/partners/users/u-1/fund".to_owned(), "{}"),
        ("POST", "/partners/users/u-1/withdraw".to_owned(), "{}"),
        ("PUT", "/partners/caps/partner/day".to_owned(), &one),
        ("DELETE", "/partners/caps/partner/day".to_owned(), ""),
        ("PUT", "/partners/users/u-1/caps/day".to_owned(), &one),
        ("DELETE", "/partners/users/u-1/caps/day".to_owned(), ""),
        ("PUT", format!("{caps}/day"), &one),
        ("DELETE", format!("{caps}/day"), ""),
        ("POST", "/partners/alerts".to_owned(), "{}"),
        ("DELETE", format!("/partners/alerts/alt_{NOWHERE}"), ""),
        ("POST", "/partners/webhooks".to_owned(), "{}"),
        ("DELETE", format!("/partners/webhooks/whk_{NOWHERE}"), ""),
        ("POST", format!("/partners/webhooks/whk_{NOWHERE}/deliveries/dlv_{NOWHERE}/replay"), ""),
    ] {
        let refused = house.send(&secret, method, &path, body);
        assert_eq!((refused.status, refused.code()), (403, "token_limited"), "{method} {path}: {}", refused.body);
    }
    // It looks at what there is, as every token does.
    assert_eq!(house.send(&secret, "GET", "/partners/users", "").status, 200);
    // No token limits itself: whoever holds the only one would shut itself out.
    let own = house.get("/partners/tokens").as_array().unwrap().last().unwrap()["id"].as_str().unwrap().to_owned();
    let itself = house.ask("PUT", &format!("/partners/tokens/{own}/caps/day"), &json!({"credits": 1}));
    assert_eq!((itself.status, itself.code()), (403, "token_limited"), "{}", itself.body);
    assert_eq!(house.ask("DELETE", &format!("{caps}/day"), &Value::Null).status, 204);
    house.paid(&secret, "u-1");
}

fn what_is_no_token_is_named(kind: Kind) {
    let house = House::open(kind);
    for (body, field) in [
        (json!({}), "name"),
        (json!({"name": ""}), "name"),
        (json!({"name": "a\nb"}), "name"),
        (json!({"name": "x".repeat(101)}), "name"),
        (json!({"name": "x", "idempotency_key": ""}), "idempotency_key"),
        (json!({"name": "x", "idempotency_key": "x".repeat(256)}), "idempotency_key"),
        (json!({"name": "x", "scope": "all"}), "scope"),
    ] {
        assert_names(&house.ask("POST", "/partners/tokens", &body), ["body", field]);
    }
    assert_eq!(house.send(GLOBEX, "POST", "/partners/tokens", "{").code(), "invalid_json");
    assert_eq!(house.get("/partners/tokens").as_array().unwrap().len(), 1);
}

fn the_partner_sees_itself(kind: Kind) {
    let house = House::open(kind);
    house.paid(GLOBEX, "u-1");
    let me = house.get("/partners/me");
    assert!(me["id"].as_str().unwrap().starts_with("par_"), "{me}");
    assert_eq!((&me["name"], &me["funding"], &me["suspended"]), (&json!("Globex"), &json!("partner"), &json!(false)));
    assert_eq!(me["wallet"], json!({"balance": 950, "reserved": 0, "available": 950}));
    assert_eq!(
        me["margin"],
        json!({"basis_points": 500, "earned": 2.5, "taken_back_or_paid": 0, "left": 2.5}),
        "5 % of 50 credits"
    );
    let account = house.send(ALICE, "GET", "/partners/me", "");
    assert_eq!((account.status, account.code()), (403, "partner_required"), "{}", account.body);
    let nobody = house.server.send("GET", "/partners/me", &[], "");
    assert_eq!((nobody.status, nobody.code()), (401, "missing_token"), "{}", nobody.body);
}
