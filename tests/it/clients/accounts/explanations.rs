//! Why a call cost what it cost, as its caller reads it in `GET /invocations/{id}`.

use serde_json::{Value, json};
use tests::{
    home::{Home, Kind},
    on_both_databases,
    patience::wait_until,
    program::Answer,
    server::{ALICE, BOB, Server, tool},
    upstream::{Upstream, json_answer},
};

use super::config;
use crate::{clients::operator::json_of, rows};

on_both_databases!(
    a_charge_is_explained_to_whoever_paid_it,
    what_the_price_looked_at_is_told_as_it_was,
    three_who_share_are_told_apart_and_nobody_else_is_told,
    a_call_that_cost_nothing_says_why,
);

const PARTNER: &str = "faro_partner_globex00";

/// By what a tool's worst case is computed: from the rows that are asked for, at 4 each.
const BY_ROWS: &str = "pricing_unit_fields: ['rows'], pricing_credits_per_unit: 4, ";

/// A tool that says in its answer what the call cost: 2 and 1.5 times the value, at most 10.
fn returning(name: &str, url: &str, units: &str) -> String {
    format!(
        "{{name: '{name}', tier: 'verified', input_schema: {{type: 'object', properties: {{rows: {{type: 'integer'}}}}}}, \
         upstream: {{kind: 'http', url: '{url}'}}, pricing: {{pricing_mode: 'tool_returned', base_credit_cost: 2, \
         returned_credit_cost_path: '$.cost', returned_credit_multiplier: 1.5, estimated_max_credit_cost: 10, \
         {units}pricing_description: 'by rows'}}}},"
    )
}

fn start(home: &Home, upstream: &Upstream) -> Server {
    let tools = tool("paid", &upstream.url("/paid"), 50, "success", 5_000)
        + &tool("tried", &upstream.url("/failing"), 20, "attempt", 5_000)
        + &tool("free_to_fail", &upstream.url("/failing"), 20, "success", 5_000)
        + &returning("rows", &upstream.url("/rows"), BY_ROWS)
        + &returning("rows_dear", &upstream.url("/dear"), BY_ROWS)
        + &returning("within", &upstream.url("/rows"), "")
        + &returning("dear", &upstream.url("/dear"), "")
        + &returning("silent", &upstream.url("/silent"), "")
        + &returning("odd", &upstream.url("/odd"), "");
    let partner = format!("{{name: 'Globex', token: '{PARTNER}', margin_bps: 500, grant_credits: 1000}}");
    Server::start(home.path(), &config(&tools, &partner, ""))
}

fn upstream() -> Upstream {
    use std::io::Write as _;
    Upstream::start(|received, stream| {
        let answer = match received.path.as_str() {
            "/failing" => json_answer("500 Internal Server Error", "{}"),
            "/rows" => json_answer("200 OK", r#"{"cost": 3}"#),
            "/dear" => json_answer("200 OK", r#"{"cost": "7.250"}"#),
            "/odd" => json_answer("200 OK", r#"{"cost": {"who": "a secret"}}"#),
            _ => json_answer("200 OK", r#"{"done": true}"#),
        };
        stream.write_all(answer.as_bytes()).is_ok()
    })
}

fn id_of(answer: &Answer) -> String {
    answer.header("x-tollgate-invocation-id").unwrap_or_else(|| panic!("{}", answer.body)).to_owned()
}

/// What is told of a call, once it is recorded: of one that moved no money that is behind its answer.
fn explained(server: &Server, token: &str, id: &str) -> Value {
    let look = || {
        let answer = server.get(token, &format!("/invocations/{id}"));
        (answer.status == 200).then(|| answer.json["explanation"].clone())
    };
    wait_until(&format!("the record of {id}"), look).0
}

fn assert_time(value: &Value) {
    assert!(value.as_str().is_some_and(|time| time.len() >= 20 && time.ends_with('Z')), "{value}");
}

fn a_charge_is_explained_to_whoever_paid_it(kind: Kind) {
    let (home, upstream) = (Home::on(kind), upstream());
    let server = start(&home, &upstream);
    let paid = server.invoke(ALICE, "rows", r#"{"arguments": {"rows": 2}}"#);
    assert_eq!((paid.status, &paid.json["credits_charged"]), (200, &json!(6.5)), "{}", paid.body);
    let id = id_of(&paid);
    let seen = server.get(ALICE, &format!("/invocations/{id}")).json;
    let told = &seen["explanation"];

    let price = &told["price"];
    assert_time(&price["effective_from"]);
    assert_eq!(price["price_version_id"], seen["price_version_id"]);
    for (member, expected) in [
        ("pricing_mode", json!("tool_returned")),
        ("charge_on", json!("success")),
        ("pricing_description", json!("by rows")),
        ("fixed_credit_cost", Value::Null),
        ("base_credit_cost", json!(2)),
        ("returned_credit_multiplier", json!(1.5)),
        ("returned_credit_cost_path", json!("$.cost")),
        ("estimated_max_credit_cost", json!(10)),
    ] {
        assert_eq!(price[member], expected, "{member}: {price}");
    }
    assert_eq!(
        told["inputs"],
        json!({"pricing_unit_fields": ["rows"], "pricing_credits_per_unit": 4, "values": {"rows": 2}})
    );
    assert_eq!(
        told["returned"],
        json!({"path": "$.cost", "value": 3, "value_type": "number", "credits_wanted": 6.5, "warning": null})
    );
    assert_eq!(told["rule"]["code"], "returned");
    let hold = &told["hold"];
    assert_time(&hold["at"]);
    assert_eq!((&hold["credits"], &hold["from_grants"]), (&json!(10), &json!([])), "2 + 2 × 4, and no more than 10");
    assert_eq!(
        (&hold["credits_on_expiry"], &hold["is_open"], &hold["expires_at"]),
        (&Value::Null, &json!(false), &Value::Null)
    );
    let capture = &told["capture"];
    assert_time(&capture["at"]);
    assert_eq!((&capture["how"], &capture["credits"]), (&json!("captured"), &json!(6.5)), "{capture}");
    assert_eq!(capture["credits_released"], json!(3.5));
    assert_eq!(
        told["split"],
        json!({
            "publisher": {"bps": 8000, "credits": 5.2},
            "partner": {"bps": 0, "credits": 0},
            "platform": {"bps": 2000, "credits": 1.3},
        })
    );
    let decision = &told["decision"];
    assert_eq!((&decision["is_allowed"], &decision["policy_version"]), (&json!(true), &seen["policy_version"]));
    assert_eq!((&decision["code"], &decision["reason"]), (&Value::Null, &Value::Null));
    assert!(decision["catalog_version"].is_i64(), "{decision}");
    assert_eq!((&told["refunds"], &told["credits_refunded"]), (&json!([]), &json!(0)));

    let back = json_of(home.path(), &["refund", &id, "--credits", "1.25", "--reason", "a secret reason"]);
    let told = explained(&server, ALICE, &id);
    assert_eq!((&told["refunds"][0]["transaction_id"], &told["credits_refunded"]), (&back["refund"], &json!(1.25)));
    assert_eq!(told["refunds"][0]["credits"], json!(1.25));
    assert_time(&told["refunds"][0]["at"]);
    // Nobody is named, and why an operator did it is the operator's to know.
    for word in ["acme", "Acme", "alice", "liabilities", "secret"] {
        assert!(!told.to_string().contains(word), "{word}: {told}");
    }
}

fn what_the_price_looked_at_is_told_as_it_was(kind: Kind) {
    let (home, upstream) = (Home::on(kind), upstream());
    let server = start(&home, &upstream);
    let rows = r#"{"arguments": {"rows": 1}}"#;
    let by_rows = json!({"pricing_unit_fields": ["rows"], "pricing_credits_per_unit": 4, "values": {"rows": 1}});
    for (tool, body, charged, rule, inputs, (value, value_type, wanted)) in [
        ("within", "{}", 6.5, "returned", Value::Null, (json!(3), json!("number"), 6.5)),
        ("dear", "{}", 10.0, "capped_at_hold", Value::Null, (json!("7.250"), json!("string"), 12.875)),
        ("silent", "{}", 2.0, "base", Value::Null, (Value::Null, Value::Null, 2.0)),
        ("odd", "{}", 2.0, "base", Value::Null, (Value::Null, json!("object"), 2.0)),
        ("rows_dear", rows, 6.0, "capped_at_hold", by_rows, (json!("7.250"), json!("string"), 12.875)),
    ] {
        let called = server.invoke(ALICE, tool, body);
        assert_eq!((called.status, called.json["credits_charged"].as_f64()), (200, Some(charged)), "{}", called.body);
        let told = explained(&server, ALICE, &id_of(&called));
        assert_eq!((&told["rule"]["code"], &told["inputs"]), (&json!(rule), &inputs), "{tool}: {told}");
        let returned = &told["returned"];
        assert_eq!((&returned["value"], &returned["value_type"]), (&value, &value_type), "{tool}: {told}");
        assert_eq!(returned["credits_wanted"].as_f64(), Some(wanted), "{tool}: {told}");
        assert_eq!(returned["warning"].is_null(), rule == "returned", "{tool}: {told}");
        assert!(!told.to_string().contains("secret"), "{tool}: {told}");
    }
    // A call that cannot be priced has no inputs, and of a fixed price nothing is recorded.
    let refused = server.invoke(ALICE, "rows", "{}");
    assert_eq!((refused.status, refused.code()), (422, "invalid_arguments"), "{}", refused.body);
    let told = explained(&server, ALICE, &id_of(&refused));
    assert_eq!((&told["inputs"]["values"], &told["returned"]), (&Value::Null, &Value::Null), "{told}");
    explained(&server, ALICE, &id_of(&server.invoke(ALICE, "paid", "{}")));
    assert_eq!(
        rows::of_home(
            &home,
            "SELECT count(*) FROM invocation i JOIN tool t ON t.id = i.tool_id
             WHERE t.name = 'paid' AND i.priced_units IS NULL AND i.returned_value IS NULL"
        ),
        [["1"]]
    );
    assert_eq!(rows::of_home(&home, "SELECT priced_units FROM invocation WHERE priced_units IS NOT NULL"), [["1"]]);
}

fn three_who_share_are_told_apart_and_nobody_else_is_told(kind: Kind) {
    let (home, upstream) = (Home::on(kind), upstream());
    let server = start(&home, &upstream);
    let own = id_of(&server.invoke(ALICE, "paid", "{}"));
    let bearer = format!("Bearer {PARTNER}");
    let for_user = [("authorization", &*bearer), ("x-faro-user", "u-1")];
    let shared = id_of(&server.send("POST", "/invoke/acme/paid", &for_user, "{}"));
    assert_eq!(
        explained(&server, PARTNER, &shared)["split"],
        json!({
            "publisher": {"bps": 8000, "credits": 40},
            "partner": {"bps": 500, "credits": 2.5},
            "platform": {"bps": 1500, "credits": 7.5},
        })
    );
    let unknown = server.get(BOB, "/invocations/inv_00000000000070008000000000000000");
    for (token, foreign) in [(BOB, &own), (BOB, &shared), (ALICE, &shared), (PARTNER, &own)] {
        let answer = server.get(token, &format!("/invocations/{foreign}"));
        assert_eq!((answer.status, &answer.body), (404, &unknown.body));
    }
}

fn a_call_that_cost_nothing_says_why(kind: Kind) {
    let (home, upstream) = (Home::on(kind), upstream());
    let server = start(&home, &upstream);
    for (tool, body, rule, held, charged) in [
        ("free_to_fail", "{}", "failure_is_free", json!(20), json!(0)),
        ("tried", "{}", "attempt", json!(20), json!(20)),
        ("rows", r#"{"arguments": {"rows": "two"}}"#, "never_called", Value::Null, Value::Null),
    ] {
        let id = id_of(&server.invoke(ALICE, tool, body));
        let told = explained(&server, ALICE, &id);
        assert_eq!(told["rule"]["code"], rule, "{tool}: {told}");
        assert_eq!((&told["hold"]["credits"], &told["capture"]["credits"]), (&held, &charged), "{tool}: {told}");
        assert_eq!(
            (&told["returned"], &told["decision"]["is_allowed"]),
            (&Value::Null, &json!(true)),
            "{tool}: {told}"
        );
        assert_eq!(told["split"].is_object(), charged == json!(20), "{tool}: {told}");
    }
    // Too dear: the price and the rule are told, and that nothing was held.
    assert_eq!(server.invoke(BOB, "paid", "{}").status, 200);
    assert_eq!(server.invoke(BOB, "paid", "{}").status, 200);
    let refused = server.invoke(BOB, "paid", "{}");
    assert_eq!((refused.status, refused.code()), (402, "insufficient_credits"), "{}", refused.body);
    let told = explained(&server, BOB, &id_of(&refused));
    assert_eq!((&told["rule"]["code"], &told["hold"]), (&json!("never_called"), &Value::Null), "{told}");
    assert_eq!(told["price"]["fixed_credit_cost"], json!(50));

    // Denied: with the reason that the caller was told.
    let made = server.send("POST", "/auth/agent-signup", &[], r#"{"email": "ann@example.com"}"#).json;
    let key = made["token"].as_str().unwrap();
    let denied = server.invoke(key, "paid", "{}");
    assert_eq!((denied.status, denied.code()), (403, "email_unverified"), "{}", denied.body);
    let told = explained(&server, key, &id_of(&denied));
    let decision = &told["decision"];
    assert_eq!((&decision["is_allowed"], &decision["code"]), (&json!(false), &json!("email_unverified")), "{told}");
    assert_eq!(decision["reason"], denied.json["detail"], "{told}");
    assert_eq!((&told["hold"], &told["capture"], &told["split"]), (&Value::Null, &Value::Null, &Value::Null));
    assert!(!told.to_string().contains("account.unverified"), "which policy spoke is not told: {told}");
    assert_eq!(rows::of_home(&home, "SELECT count(*) FROM open_hold"), [["0"]]);
}
