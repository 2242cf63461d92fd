use serde_json::{Value, json};
use tests::{
    home::{Home, Kind},
    on_both_databases,
    server::{ALICE, BOB, Server, config, tool},
    upstream::{Upstream, hang},
};

on_both_databases!(
    a_call_is_shown_to_its_caller_and_to_nobody_else,
    after_an_unknown_outcome_it_says_when_it_will_be_settled
);

const PARTNER: &str = "faro_partner_globex00";

fn a_call_is_shown_to_its_caller_and_to_nobody_else(kind: Kind) {
    let upstream = Upstream::answering(r#"{"done": true}"#);
    let home = Home::on(kind);
    let partner = format!("{{name: 'Globex', token: '{PARTNER}', margin_bps: 500, grant_credits: 1000}}");
    let server =
        Server::start(home.path(), &config(&tool("paid", &upstream.url("/"), 50, "success", 5_000), &partner, ""));
    let paid = server.invoke(ALICE, "paid", "{}");
    assert_eq!(paid.status, 200, "{}", paid.body);
    let id = paid.json["invocation_id"].as_str().unwrap();
    assert_eq!(paid.header("x-tollgate-invocation-id"), Some(id));
    let path = format!("/invocations/{id}");
    let own = server.get(ALICE, &path);
    assert_eq!(own.status, 200);
    for (member, expected) in [
        ("invocation_id", json!(id)),
        ("state", json!("succeeded")),
        ("is_settled", json!(true)),
        ("credits_held", json!(50)),
        ("credits_charged", json!(50)),
        ("error", Value::Null),
        ("resolves_at", Value::Null),
    ] {
        assert_eq!(own.json[member], expected, "{member}: {}", own.body);
    }

    let unknown = server.get(BOB, "/invocations/inv_00000000-0000-7000-8000-000000000000");
    let malformed = server.get(BOB, "/invocations/nothing");
    let foreign = server.get(BOB, &path);
    let partners = server.get(PARTNER, &path);
    for answer in [&malformed, &foreign, &partners] {
        assert_eq!((answer.status, &answer.body), (404, &unknown.body));
    }
    assert_eq!(server.send("GET", &path, &[], "").status, 401);

    // A partner's users do not see each other's calls; the partner sees all of them.
    let bearer = ("authorization", &*format!("Bearer {PARTNER}"));
    let for_user =
        |method: &str, path: &str, user: &str| server.send(method, path, &[bearer, ("x-faro-user", user)], "{}");
    let call = for_user("POST", "/invoke/acme/paid", "u-1");
    let path = format!("/invocations/{}", call.json["invocation_id"].as_str().unwrap());
    assert_eq!(for_user("GET", &path, "u-1").status, 200);
    assert_eq!(server.get(PARTNER, &path).status, 200);
    let other = for_user("GET", &path, "u-2");
    assert_eq!((other.status, &other.body), (404, &unknown.body));
}

fn after_an_unknown_outcome_it_says_when_it_will_be_settled(kind: Kind) {
    let upstream = Upstream::start(|_, stream| {
        hang(stream);
        false
    });
    let tools = tool("late", &upstream.url("/late"), 50, "success", 300);
    let home = Home::on(kind);
    let server = Server::start(home.path(), &config(&tools, "", "limits: {unknown_resolve_after_s: 2},"));
    let late = server.invoke(ALICE, "late", r#"{"idempotency_key": "k"}"#);
    assert_eq!((late.status, late.code()), (504, "outcome_unknown"), "{}", late.body);
    let id = late.json["error"]["invocation_id"].as_str().unwrap();
    assert!(late.json["detail"].as_str().unwrap().contains(&format!("GET /invocations/{id}")), "{}", late.body);

    let open = server.get(ALICE, &format!("/invocations/{id}")).json;
    assert_eq!((&open["state"], &open["is_settled"]), (&json!("unknown"), &json!(false)), "{open}");
    assert_eq!((&open["credits_held"], &open["credits_charged"]), (&json!(50), &json!(0)), "{open}");
    let time = |member: &str| -> f64 { seconds_of_the_day(open[member].as_str().unwrap_or_else(|| panic!("{open}"))) };
    let ahead = (time("resolves_at") - time("ended_at")).rem_euclid(86_400.0);
    assert!((1.9..2.1).contains(&ahead), "{open}");
    assert_eq!(server.balance(ALICE)["reserved"], json!(50));
    // The caller was told: a retry is told the same, before and after.
    let retry = server.invoke(ALICE, "late", r#"{"idempotency_key": "k"}"#);
    assert_eq!((retry.status, &retry.body), (504, &late.body));

    let settled = server.wait_until_settled(ALICE, id);
    assert_eq!((&settled["state"], &settled["credits_charged"]), (&json!("unknown_released"), &json!(0)), "{settled}");
    assert_eq!((&server.balance(ALICE)["balance"], &server.balance(ALICE)["reserved"]), (&json!(10_000), &json!(0)));
    let retry = server.invoke(ALICE, "late", r#"{"idempotency_key": "k"}"#);
    assert_eq!((retry.status, &retry.body), (504, &late.body));
    assert_eq!(upstream.count("/late"), 1, "never a second dispatch");
}

/// Of an RFC 3339 time such as `2026-01-02T03:04:05.678Z`.
fn seconds_of_the_day(text: &str) -> f64 {
    let (_, clock) = text.trim_end_matches('Z').split_once('T').unwrap();
    clock.split(':').fold(0.0, |seconds, part| seconds * 60.0 + part.parse::<f64>().unwrap())
}
