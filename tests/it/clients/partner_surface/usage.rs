//! Usage and statements over HTTP: what they look like, and what is refused. What is counted is in `partners::usage`.

use serde_json::{Value, json};
use tests::{home::Kind, on_both_databases};

use super::{GLOBEX, House, assert_names};

on_both_databases!(usage_is_asked_for_in_days_and_months, what_is_wrong_with_a_question_is_named);

fn usage_is_asked_for_in_days_and_months(kind: Kind) {
    let house = House::open(kind);
    house.paid(GLOBEX, "u-1");
    for query in
        ["", "?group_by=month", "?group_by=user&per=month", "?group_by=tool", "?group_by=user&user=u-1", "?limit=1"]
    {
        let usage = house.get(&format!("/partners/usage{query}"));
        // A call is counted when it cannot change any more: minutes later.
        assert_eq!((&usage["usage"], &usage["next"]), (&json!([]), &Value::Null), "{query}: {usage}");
        assert!(usage["counted_until"].as_str().is_some_and(|at| at.ends_with('Z')), "{query}: {usage}");
    }
    assert_eq!(house.get("/partners/statements")["statements"], json!([]));
    let month = house.get("/partners/statements/2099-11");
    assert_eq!((&month["from"], &month["to"]), (&json!("2099-11-01T00:00:00Z"), &json!("2099-12-01T00:00:00Z")));
    assert_eq!(month["total"], json!({"calls": 0, "paid_calls": 0, "credits_charged": 0}));
    assert_eq!(house.get("/partners/statements/2020-02")["is_complete"], json!(true), "nobody called then");
    assert_eq!((&month["is_complete"], &month["users"], &month["next"]), (&json!(false), &json!([]), &Value::Null));
}

fn what_is_wrong_with_a_question_is_named(kind: Kind) {
    let house = House::open(kind);
    for (query, field) in [
        ("from=yesterday", "from"),
        ("from=2026-11-02&to=2026-11-01", "to"),
        ("group_by=account", "group_by"),
        ("group_by=user&per=week", "per"),
        ("per=day", "per"),
        ("user=u-1", "user"),
        ("limit=501", "limit"),
        ("after=1", "after"),
        ("until=2026-11-01", "query"),
        ("limit=1&limit=2", "limit"),
    ] {
        assert_names(&house.send(GLOBEX, "GET", &format!("/partners/usage?{query}"), ""), ["query", field]);
    }
    let nobody = house.send(GLOBEX, "GET", "/partners/usage?group_by=user&user=u-2", "");
    assert_eq!((nobody.status, nobody.code()), (404, "not_found"), "{}", nobody.body);
    for month in ["2026-13", "2026-1", "2026", "november", "2026-11-01"] {
        let missing = house.send(GLOBEX, "GET", &format!("/partners/statements/{month}"), "");
        assert_eq!((missing.status, missing.code()), (404, "not_found"), "{month}: {}", missing.body);
    }
    assert_names(&house.send(GLOBEX, "GET", "/partners/statements/2026-11?limit=0", ""), ["query", "limit"]);
}
