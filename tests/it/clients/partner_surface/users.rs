//! End users: listed, blocked, exported, erased.

use std::{
    io::Write as _,
    sync::{Mutex, mpsc},
};

use serde_json::{Value, json};
use tests::{
    home::Kind,
    on_both_databases,
    patience::wait_until,
    server::tool,
    upstream::{Upstream, json_answer},
};

use super::{GLOBEX, House, assert_names};
use crate::rows;

on_both_databases!(
    an_end_user_is_noted_shown_and_blocked,
    everybody_comes_once_page_after_page,
    what_is_known_is_exported_and_then_erased,
    what_a_call_carries_that_outlives_its_end_user_is_not_kept,
    what_is_wrong_with_an_end_user_is_named,
);

fn an_end_user_is_noted_shown_and_blocked(kind: Kind) {
    let house = House::open(kind);
    let new = json!({"external_id": "u/1?x=%C3", "metadata": {"plan": "gold", "seats": 1.5}});
    let made = house.ask("POST", "/partners/users", &new);
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!((&made.json["state"], &made.json["metadata"]["plan"]), (&json!("active"), &json!("gold")));
    let again = house.ask("POST", "/partners/users", &json!({"external_id": new["external_id"]}));
    assert_eq!((again.status, &again.json), (200, &made.json), "one that is known is left as it is");
    // Whatever stands in a name, its path leads to it.
    assert_eq!(without_wallet(house.get("/partners/users/u%2F1%3Fx=%25C3")), made.json);

    house.paid(GLOBEX, "u-2");
    let blocked = house.ask("PATCH", "/partners/users/u-2", &json!({"state": "blocked", "metadata": {"why": "abuse"}}));
    assert_eq!((blocked.status, &blocked.json["state"]), (200, &json!("blocked")), "{}", blocked.body);
    let refused = house.call(GLOBEX, "u-2");
    assert_eq!((refused.status, refused.code()), (403, "policy_denied"), "{}", refused.body);
    let kept = house.ask("PATCH", "/partners/users/u-2", &json!({"state": "active"}));
    assert_eq!(
        (&kept.json["state"], &kept.json["metadata"]["why"]),
        (&json!("active"), &json!("abuse")),
        "{}",
        kept.body
    );
    house.paid(GLOBEX, "u-2");
    let emptied = house.ask("PATCH", "/partners/users/u-2", &json!({"metadata": null}));
    assert_eq!(emptied.json["metadata"], Value::Null, "{}", emptied.body);
    assert_eq!(without_wallet(house.get("/partners/users/u-2")), emptied.json);
}

/// An end user as it is shown alone: where its partner pays for all it has no wallet.
fn without_wallet(mut shown: Value) -> Value {
    assert_eq!(shown.as_object_mut().unwrap().remove("wallet"), Some(Value::Null));
    shown
}

fn everybody_comes_once_page_after_page(kind: Kind) {
    let house = House::open(kind);
    for number in 0..53 {
        let new = json!({"external_id": format!("u-{number:03}")});
        assert_eq!(house.ask("POST", "/partners/users", &new).status, 201);
    }
    for number in [3, 7] {
        let path = format!("/partners/users/u-{number:03}");
        assert_eq!(house.ask("PATCH", &path, &json!({"state": "blocked"})).status, 200);
    }
    let names = |page: &Value| -> Vec<String> {
        page["users"].as_array().unwrap().iter().map(|user| user["external_id"].as_str().unwrap().to_owned()).collect()
    };
    let first = house.get("/partners/users");
    let second = house.get(&format!("/partners/users?after={}", first["next"].as_str().unwrap()));
    assert_eq!((names(&first).len(), names(&second).len(), &second["next"]), (50, 3, &Value::Null));
    let all = [names(&first), names(&second)].concat();
    assert!(all.is_sorted() && all.len() == 53, "{all:?}");
    assert_eq!(names(&house.get("/partners/users?state=blocked")), ["u-003", "u-007"]);
    assert_eq!(names(&house.get("/partners/users?external_id=u-01&state=active")).len(), 10);
    for (query, field) in [("state=gone", "state"), ("sort=x", "query"), ("after=a&after=b", "after")] {
        assert_names(&house.send(GLOBEX, "GET", &format!("/partners/users?{query}"), ""), ["query", field]);
    }
}

fn what_is_known_is_exported_and_then_erased(kind: Kind) {
    let payloads = "{payloads: {tools: ['*'], keep_s: 3600, bytes_max: 400}, ";
    let house = House::open_with(kind, |config| config.replacen('{', payloads, 1));
    let path = "/partners/users/ann@example.com";
    house.paid(GLOBEX, "ann@example.com");
    house.paid(GLOBEX, "ben@example.com");
    let carried = || rows::of_home(&house.home, "SELECT call FROM payload").concat();
    wait_until("what both calls carried is kept", || (carried().len() == 2).then_some(()));
    assert_eq!(house.ask("PATCH", path, &json!({"metadata": {"name": "Ann"}})).status, 200);
    assert_eq!(house.ask("PUT", &format!("{path}/caps/month"), &json!({"credits": 70})).status, 200);
    let known = house.get(&format!("{path}/export"));
    assert_eq!(
        (&known["user"]["external_id"], &known["user"]["metadata"]["name"]),
        (&json!("ann@example.com"), &json!("Ann"))
    );
    assert_eq!((&known["caps"][0]["window"], &known["caps"][0]["credits"]), (&json!("month"), &json!(70)));
    let calls = known["calls"].as_array().unwrap();
    assert_eq!((calls.len(), &calls[0]["credits_charged"], &calls[0]["tool"]), (1, &json!(50), &json!("acme/paid")));
    assert_names(&house.send(GLOBEX, "GET", &format!("{path}/export?after=x"), ""), ["query", "after"]);

    let erased = house.ask("DELETE", path, &Value::Null);
    assert_eq!(erased.json, json!({"id": known["user"]["id"], "state": "erased"}), "{}", erased.body);
    assert_eq!(carried().len(), 1, "what the other's call carried stays, and nothing else");
    for (method, path) in [
        ("GET", path.to_owned()),
        ("DELETE", path.to_owned()),
        ("GET", format!("{path}/export")),
        ("GET", format!("{path}/caps")),
    ] {
        let gone = house.ask(method, &path, &Value::Null);
        assert_eq!((gone.status, gone.code()), (404, "not_found"), "{method} {path}: {}", gone.body);
    }
    let listed = house.get("/partners/users");
    assert!(!listed.to_string().contains("ann@example.com") && !listed.to_string().contains("Ann"), "{listed}");
    let standing = listed["users"].as_array().unwrap().iter().find(|user| user["id"] == known["user"]["id"]).unwrap();
    assert_eq!((&standing["state"], &standing["external_id"]), (&json!("erased"), &Value::Null));
    // No request names what stands in the name's place.
    let place = format!("/partners/users/erased%20{}", known["user"]["id"].as_str().unwrap());
    assert_eq!(house.ask("GET", &place, &Value::Null).status, 404);
    assert_eq!(house.ask("PATCH", &place, &json!({"state": "active"})).status, 404);

    // The next call is somebody new's, and the books are as they were.
    house.paid(GLOBEX, "ann@example.com");
    assert_ne!(house.get(path)["id"], known["user"]["id"]);
    assert_eq!(house.get(path)["metadata"], Value::Null);
    house.server.verified_postings();
}

fn what_a_call_carries_that_outlives_its_end_user_is_not_kept(kind: Kind) {
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    let slow = Upstream::start(move |_, stream| {
        // Until the other end is gone.
        released.lock().unwrap().recv().unwrap_err();
        stream.write_all(json_answer("200 OK", r#"{"said": "pomegranate"}"#).as_bytes()).is_ok()
    });
    let tool = tool("slow", &slow.url("/slow"), 50, "success", 60_000);
    let house = House::open_with_tool(kind, "payloads: {tools: ['*'], keep_s: 3600, bytes_max: 400}, ", &tool);
    let answer = std::thread::scope(|scope| {
        let calling = scope.spawn(|| house.call_of("slow", GLOBEX, "ann"));
        wait_until("the tool is called", || (slow.count("/slow") == 1).then_some(()));
        let erased = house.ask("DELETE", "/partners/users/ann", &Value::Null);
        drop(release);
        assert_eq!(erased.status, 200, "{}", erased.body);
        calling.join().unwrap()
    });
    assert_eq!((answer.status, &answer.json["result"]["said"]), (200, &json!("pomegranate")), "{}", answer.body);
    // What calls carried is written in their order: when the second one's is there, the first one's would be.
    house.paid(GLOBEX, "ben");
    let carried = || rows::of_home(&house.home, "SELECT end_user_id FROM payload").concat();
    let (kept, _) = wait_until("what ben's call carried is kept", || Some(carried()).filter(|rows| !rows.is_empty()));
    assert_eq!(kept, [house.get("/partners/users/ben")["id"].as_str().unwrap().trim_start_matches("usr_")]);
    house.server.verified_postings();
}

fn what_is_wrong_with_an_end_user_is_named(kind: Kind) {
    let house = House::open(kind);
    for (body, field) in [
        (json!({}), "external_id"),
        (json!({"external_id": ""}), "external_id"),
        (json!({"external_id": "a b"}), "external_id"),
        (json!({"external_id": "é"}), "external_id"),
        (json!({"external_id": "u".repeat(257)}), "external_id"),
        (json!({"external_id": "u", "metadata": "text"}), "metadata"),
        (json!({"external_id": "u", "metadata": {"x": "y".repeat(4_096)}}), "metadata"),
        (json!({"external_id": "u", "state": "blocked"}), "state"),
    ] {
        assert_names(&house.ask("POST", "/partners/users", &body), ["body", field]);
    }
    let missing = house.ask("PATCH", "/partners/users/u", &json!({"state": "blocked"}));
    assert_eq!((missing.status, missing.code()), (404, "not_found"), "nothing was made");
    house.paid(GLOBEX, "u");
    for (body, field) in
        [(json!({"state": "erased"}), "state"), (json!({"id": "usr_1"}), "id"), (json!({"metadata": 7}), "metadata")]
    {
        assert_names(&house.ask("PATCH", "/partners/users/u", &body), ["body", field]);
    }
    assert_eq!(house.get("/partners/users/u")["state"], "active");
}
