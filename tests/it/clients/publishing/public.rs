//! What is private, or not approved, is unknown to everybody but its publisher.

use serde_json::{Value, json};
use tests::{
    home::Kind,
    on_both_databases,
    server::{ALICE, BOB},
};

use super::House;

on_both_databases!(what_is_not_public_is_not_there, what_a_listing_shows_is_what_is_charged);

/// Everything that tells of a tool, for Bob and for strangers: the same bytes as of a tool that is not there.
fn assert_unknown(house: &House, tool: &str) {
    for (method, of) in [("POST", "/invoke/"), ("GET", "/tools/"), ("GET", "/docs/namespaces/")] {
        let content = if method == "POST" { json!({}) } else { Value::Null };
        let there = house.send(BOB, method, &format!("{of}{tool}"), &content);
        let nowhere = house.send(BOB, method, &format!("{of}nobody/nothing"), &content);
        assert_eq!((there.status, there.body), (404, nowhere.body), "{of}{tool}");
    }
    let found = house.server.send("GET", "/tools/search?q=sums+add", &[], "").json;
    let items = found["items"].as_array().unwrap();
    assert!(items.iter().all(|item| item["display_name"] != json!(tool)), "{found}");
}

fn what_is_not_public_is_not_there(kind: Kind) {
    let house = House::open(kind);
    let (namespace, tool) = house.publish();
    assert_unknown(&house, "sums/add");
    assert_eq!(house.send(BOB, "GET", "/namespaces/public/sums", &Value::Null).status, 404);
    // Its publisher tries it.
    assert_eq!(house.call(ALICE, "sums/add").status, 200);
    assert_eq!(house.get("/tools/sums/add")["name"], json!("add"));
    assert_eq!(house.get("/namespaces/public/sums")["status"], json!("draft"));
    house.hand_in();
    assert_unknown(&house, "sums/add");
    house.approve();
    assert_eq!(house.call(BOB, "sums/add").status, 200);
    let found = house.server.send("GET", "/tools/search?q=add", &[], "").json;
    assert_eq!(found["items"][0]["display_name"], json!("sums/add"), "{found}");
    let visibility = format!("/namespaces/{namespace}/tools/{tool}/visibility");
    house.ask("PUT", &visibility, &json!({"visibility": "private"}));
    assert_unknown(&house, "sums/add");
    assert_eq!(house.call(ALICE, "sums/add").status, 200);
    house.ask("PUT", &visibility, &json!({"visibility": "public"}));
    house.ask("PUT", &format!("/namespaces/{namespace}/tools/{tool}/name"), &json!({"name": "plus"}));
    assert_unknown(&house, "sums/add");
    house.ask("PUT", "/namespaces/sums", &json!({"namespace": "totals"}));
    assert_unknown(&house, "sums/plus");
    assert_eq!(house.call(BOB, "totals/plus").status, 200);
    house.ask("PUT", "/namespaces/totals/status", &json!({"status": "suspended"}));
    let suspended = house.call(BOB, "totals/plus");
    assert_eq!((suspended.status, suspended.code()), (403, "policy_denied"), "{}", suspended.body);
    assert_eq!(house.call(ALICE, "totals/plus").status, 403);
    house.ask("PUT", "/namespaces/totals/status", &json!({"status": "draft"}));
    assert_unknown(&house, "totals/plus");
}

fn what_a_listing_shows_is_what_is_charged(kind: Kind) {
    let house = House::open(kind);
    let (namespace, _) = house.publish();
    let group = house.get(&format!("/namespaces/{namespace}/groups"))[0]["id"].as_str().unwrap().to_owned();
    let pricing = format!("/namespaces/{namespace}/groups/{group}/pricing");
    let fixed = |credits: &str| json!({"pricing_mode": "fixed_per_request", "charge_on": "success", "fixed_credit_cost": credits});
    assert_eq!(house.ask("PUT", &pricing, &fixed("12.5"))["target"], json!("namespace"));
    house.hand_in();
    house.approve();
    let charged = |expected: f64| {
        let shown = house.send(BOB, "GET", "/tools/sums/add", &Value::Null).json;
        assert_eq!(shown["pricing"]["fixed_credit_cost"], json!(expected), "{shown}");
        let called = house.call(BOB, "sums/add");
        assert_eq!((called.status, &called.json["credits_charged"]), (200, &json!(expected)), "{}", called.body);
    };
    charged(12.5);
    let staged = house.ask("PUT", &pricing, &fixed("7.25"));
    assert_eq!((&staged["target"], &staged["staged_pricing"]["fixed_credit_cost"]), (&json!("draft"), &json!(7.25)));
    charged(12.5);
    house.ask("PUT", "/namespaces/sums/publish", &json!({"action": "review"}));
    charged(12.5);
    house.approve();
    charged(7.25);
    // 80 % of three calls at 12.5 and one at 7.25.
    let earnings = house.get("/publishers/earnings");
    assert_eq!(earnings["to_be_paid_out"], json!(35.8), "{earnings}");
    let calls = house.get("/publishers/invocations");
    assert_eq!(calls["invocations"][0]["credits_charged"], json!(7.25), "{calls}");
    assert!(!calls.to_string().contains("bob@"), "nobody is told who called: {calls}");
}
