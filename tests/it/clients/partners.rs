//! Partner tokens: who pays, who shares, and which limit says no.

use serde_json::{Value, json};
use tests::{
    home::{Home, Kind},
    on_both_databases,
    program::Answer,
    server::{Server, config, tool},
    upstream::Upstream,
};

use crate::rows;

on_both_databases!(
    a_partner_pays_for_its_users_and_the_price_is_split_three_ways,
    caps_say_no_by_name_and_leave_the_wallet_alone
);

const GLOBEX: &str = "faro_partner_globex00";
const INITECH: &str = "faro_partner_initech0";

fn invoke_for(server: &Server, token: &str, user: &str, body: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    server.send("POST", "/invoke/acme/paid", &[("authorization", &bearer), ("x-faro-user", user)], body)
}

/// The balance of a ledger account in micro-credits, by what its code contains.
fn balance_of(server: &Server, part: &str) -> i64 {
    let report = server.ledger("trial-balance");
    let rows: Vec<&Value> = report["accounts"].as_array().unwrap().iter().collect();
    let found: Vec<&&Value> = rows.iter().filter(|row| row["code"].as_str().unwrap().contains(part)).collect();
    found.iter().map(|row| row["balance_micros"].as_str().unwrap().parse::<i64>().unwrap()).sum()
}

fn a_partner_pays_for_its_users_and_the_price_is_split_three_ways(kind: Kind) {
    let upstream = Upstream::answering(r#"{"done": true}"#);
    let home = Home::on(kind);
    let partner = format!("{{name: 'Globex', token: '{GLOBEX}', margin_bps: 500, grant_credits: 1000}}");
    let tools = tool("paid", &upstream.url("/"), 50, "success", 5_000);
    let server = Server::start(home.path(), &config(&tools, &partner, ""));
    let users = || rows::of_home(&home, "SELECT external_id FROM end_user ORDER BY external_id").concat();
    assert_eq!(users(), [""; 0]);

    let before: Vec<i64> = ["liabilities:payable", "liabilities:partner", "revenue:platform:fee"]
        .iter()
        .map(|part| balance_of(&server, part))
        .collect();
    for (user, remaining) in [("u-1", 950), ("u-1", 900), ("u-2", 850)] {
        let paid = invoke_for(&server, GLOBEX, user, "{}");
        assert_eq!((paid.status, &paid.json["credits_charged"]), (200, &json!(50)), "{}", paid.body);
        assert_eq!(paid.json["credits_remaining"], json!(remaining), "the partner's wallet");
    }
    assert_eq!(users(), ["u-1", "u-2"], "made on first use, once");
    assert_eq!(server.balance(GLOBEX)["balance"], json!(850));
    // 150 credits: 80 % to the publisher, 5 % to the partner, the rest to the platform.
    let after: Vec<i64> = ["liabilities:payable", "liabilities:partner", "revenue:platform:fee"]
        .iter()
        .map(|part| balance_of(&server, part))
        .collect();
    let moved: Vec<i64> = after.iter().zip(&before).map(|(after, before)| after - before).collect();
    assert_eq!(moved, [120_000_000, 7_500_000, 22_500_000], "{}", server.ledger("trial-balance"));

    // Keys belong to the user for whom the call is made.
    let keyed = r#"{"idempotency_key": "k"}"#;
    let first = invoke_for(&server, GLOBEX, "u-1", keyed);
    let again = invoke_for(&server, GLOBEX, "u-1", keyed);
    let others = invoke_for(&server, GLOBEX, "u-2", keyed);
    assert_eq!((again.header("idempotent-replayed"), &again.body), (Some("true"), &first.body));
    assert_eq!((others.status, others.header("idempotent-replayed")), (200, None));
    assert_eq!(upstream.count("/"), 5);

    for (headers, code, name) in [
        (vec![], "end_user_required", "X-Faro-User"),
        (vec![("x-faro-user", "")], "end_user_required", "X-Faro-User"),
        (vec![("x-faro-user", "a b")], "end_user_required", "X-Faro-User"),
        (vec![("x-faro-user", "é")], "end_user_required", "X-Faro-User"),
    ] {
        let bearer = format!("Bearer {GLOBEX}");
        let refused = server.send(
            "POST",
            "/invoke/acme/paid",
            &[vec![("authorization", &*bearer)], headers.clone()].concat(),
            "{}",
        );
        assert_eq!((refused.status, refused.code()), (422, code), "{headers:?}: {}", refused.body);
        assert_eq!(refused.json["detail"][0]["loc"], json!(["header", name]), "{}", refused.body);
        assert_eq!(refused.header("x-tollgate-credits-charged"), Some("0"));
        assert!(refused.header("x-tollgate-invocation-id").is_some_and(|id| id.starts_with("inv_")));
    }
    assert_eq!(invoke_for(&server, GLOBEX, &"u".repeat(256), "{}").status, 200);
    assert_eq!(invoke_for(&server, GLOBEX, &"u".repeat(257), "{}").status, 422);
    assert_eq!(server.balance(GLOBEX)["balance"], json!(700));
    assert_eq!(server.verified_postings(), 3 + 6 * 3, "three grants, and three legs of every charge");
}

fn caps_say_no_by_name_and_leave_the_wallet_alone(kind: Kind) {
    let upstream = Upstream::answering(r#"{"done": true}"#);
    let home = Home::on(kind);
    let partners = format!(
        "{{name: 'Globex', token: '{GLOBEX}', grant_credits: 1000, \
         caps: [{{per: 'end_user', window: 'day', credits: 120}}, {{per: 'partner', window: 'total', credits: 230}}]}}, \
         {{name: 'Initech', token: '{INITECH}', grant_credits: 1000, caps: [{{per: 'token', window: 'call', credits: 49}}]}}"
    );
    let tools = tool("paid", &upstream.url("/"), 50, "success", 5_000);
    let server = Server::start(home.path(), &config(&tools, &partners, ""));
    let refused = |token: &str, user: &str, per: &str, window: &str, available: u32| {
        let refused = invoke_for(&server, token, user, "{}");
        assert_eq!((refused.status, refused.code()), (402, "cap_reached"), "{}", refused.body);
        let error = &refused.json["error"];
        assert_eq!((&error["needed"], &error["available"]), (&json!(50), &json!(available)), "{error}");
        let limit = &error["limit"];
        assert_eq!((&limit["kind"], &limit["per"], &limit["window"]), (&json!("cap"), &json!(per), &json!(window)));
        assert_eq!(limit["resets_at"].is_string(), window == "day", "{limit}");
        let ways: Vec<&str> =
            error["ways_out"].as_array().unwrap().iter().map(|way| way["action"].as_str().unwrap()).collect();
        assert_eq!(ways, if window == "day" { vec!["wait", "raise_cap"] } else { vec!["raise_cap"] }, "{error}");
    };
    for user in ["u-1", "u-1", "u-2", "u-2"] {
        assert_eq!(invoke_for(&server, GLOBEX, user, "{}").status, 200);
        if user == "u-1" && upstream.count("/") == 2 {
            refused(GLOBEX, "u-1", "end_user", "day", 20);
        }
    }
    refused(GLOBEX, "u-3", "partner", "total", 30);
    refused(INITECH, "u-1", "token", "call", 49);
    assert_eq!(upstream.count("/"), 4, "what is refused is not dispatched");
    assert_eq!((&server.balance(GLOBEX)["balance"], &server.balance(INITECH)["balance"]), (&json!(800), &json!(1000)));
}
