//! Cedar policies of the operators' own: what they can express, on both endpoints, and how each is explained.

use std::{collections::BTreeSet, fs};

use engine::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};
use tests::{
    home::{Home, Kind},
    on_both_databases,
    program::{Answer, Server, configure},
    upstream::Upstream,
    wire,
};

use super::json_of;
use crate::rows;

on_both_databases!(
    a_partner_a_token_and_a_time_can_be_restricted_and_each_refusal_is_explained,
    a_hidden_tool_is_told_from_none_by_nothing,
    a_suspended_account_is_refused_on_both_endpoints
);

const ALICE: &str = "faro_alice-00000000";
const BOB: &str = "faro_bob-0000000000";
const GLOBEX: &str = "faro_partner_globex00";
const INITECH: &str = "faro_partner_initech0";
const GATEWAY: &str = "key-Maple-73";

/// Two namespaces of four tools each, one of them on the gateway with a core tool beside it, two accounts and two
/// partners; `gateway` pays with Alice's money.
fn settings(upstream: &Upstream) -> Value {
    let tool = |name: &str| json!({"name": name, "input_schema": {}, "upstream": {"kind": "http", "url": upstream.url(&format!("/{name}"))}});
    let tools: Vec<Value> = ["a", "b", "c", "d"].iter().map(|name| tool(name)).collect();
    let space = |name: &str| json!({"name": name, "description": "x", "tools": tools});
    let account = |email: &str, token: &str| json!({"email": email, "verified": true, "grant_credits": 100, "tokens": [{"name": "cli", "token": token}]});
    json!({
        "allow_fixture_secrets": true,
        "egress": {"allow_private": true},
        "operator_policies": "house.cedar",
        "gateway": {
            "auth": {"mode": "token", "token": GATEWAY}, "namespaces": ["open"],
            "billing": {"account": "alice@example.com"},
        },
        "catalog": {
            "core_tools": [tool("web_search")],
            "publishers": [{
                "id": "acme", "display_name": "Acme", "share_bps": 8000, "namespaces": [space("open"), space("inner")],
            }],
            "accounts": [account("alice@example.com", ALICE), account("bob@example.com", BOB)],
            "partners": [{"name": "Globex", "token": GLOBEX}, {"name": "Initech", "token": INITECH}],
        },
    })
}

struct House {
    home: Home,
    server: Server,
}

impl House {
    /// A first start makes those whom the policies name; `write` makes the policies from their identifiers.
    fn start(kind: Kind, upstream: &Upstream, write: impl Fn(&dyn Fn(&str) -> String) -> String) -> Self {
        let home = Home::on(kind);
        fs::write(home.path().join("house.cedar"), "").unwrap();
        configure(home.path(), &settings(upstream));
        assert_eq!(Server::start(home.path()).stop(), Some(0));
        let id = |sql: &str| rows::of_home(&home, sql).concat().concat();
        fs::write(home.path().join("house.cedar"), write(&id)).unwrap();
        let mut settings = settings(upstream);
        settings["gateway"]["policy_source"] = json!("file");
        configure(home.path(), &settings);
        let server = Server::start(home.path());
        Self { home, server }
    }

    fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let bytes = wire::request("POST", path, headers, body);
        wire::send(self.server.address().parse().unwrap(), bytes.as_bytes()).unwrap()
    }

    fn invoke(&self, token: &str, tool: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        let mut headers = vec![("authorization", bearer.as_str())];
        if token.starts_with("faro_partner_") {
            headers.push(("x-faro-user", "u-1"));
        }
        self.post(&format!("/invoke/{tool}"), &headers, "{}")
    }

    fn on_gateway(&self, tool: &str) -> Answer {
        let bearer = format!("Bearer {GATEWAY}");
        self.post("/tools/invoke", &[("authorization", &bearer)], &json!({"tool": tool}).to_string())
    }

    fn explain(&self, arguments: &[&str]) -> Value {
        json_of(self.home.path(), &[&["policy", "explain"], arguments].concat(), 0)
    }
}

const GLOBEX_ID: &str = "SELECT id FROM partner WHERE name = 'Globex'";
const INNER_ID: &str = "SELECT id FROM namespace WHERE name = 'inner'";
const BOBS_TOKEN_ID: &str = "SELECT token.id FROM token JOIN account ON account.id = token.account_id
     WHERE account.email = 'bob@example.com'";

fn a_partner_a_token_and_a_time_can_be_restricted_and_each_refusal_is_explained(kind: Kind) {
    let upstream = Upstream::answering(r#"{"done": true}"#);
    let now_s = SystemClock::start().now_us() / 1_000_000;
    // An hour around now, and one that is neither now nor soon.
    let window = |from: i64, to: i64| {
        let (from, to) = ((now_s + from).rem_euclid(86_400), (now_s + to).rem_euclid(86_400));
        let word = if from < to { "&&" } else { "||" };
        format!("(context.second_of_day >= {from} {word} context.second_of_day < {to})")
    };
    let house = House::start(kind, &upstream, |id| {
        format!(
            r#"
@id("house.globex") @reason("Globex has no contract for this namespace.")
forbid (principal in Partner::"par_{}", action in Action::"invoke", resource in Namespace::"nsp_{}");

@id("house.three_tools") @reason("This token is for three tools.")
forbid (principal == Token::"tok_{}", action in Action::"invoke", resource)
unless {{ ["open/a", "open/b", "inner/a"].contains(resource.name) }};

@id("house.hours.c") @reason("Only in the hour around now.")
forbid (principal, action in Action::"invoke", resource)
when {{ resource.name == "open/c" }} unless {{ {} }};

@id("house.hours.d") @reason("Only in another hour.")
forbid (principal, action in Action::"invoke", resource)
when {{ resource.name == "open/d" }} unless {{ {} }};
"#,
            id(GLOBEX_ID),
            id(INNER_ID),
            id(BOBS_TOKEN_ID),
            window(-1800, 1800),
            window(7200, 10800),
        )
    });
    for (caller, tool, refused) in [
        (GLOBEX, "inner/a", Some("Globex has no contract for this namespace.")),
        (GLOBEX, "open/a", None),
        (INITECH, "inner/a", None),
        (BOB, "open/a", None),
        (BOB, "open/b", None),
        (BOB, "inner/a", None),
        (BOB, "inner/b", Some("This token is for three tools.")),
        (ALICE, "inner/b", None),
        (ALICE, "open/c", None),
        (ALICE, "open/d", Some("Only in another hour.")),
    ] {
        let answer = house.invoke(caller, tool);
        match refused {
            None => assert_eq!(answer.status, 200, "{caller} {tool}: {}", answer.body),
            Some(reason) => {
                assert_eq!((answer.status, answer.code()), (403, "policy_denied"), "{caller} {tool}: {}", answer.body);
                assert!(answer.body.contains(reason), "{}", answer.body);
            }
        }
    }
    // The same policies on the other endpoint, whose callers are told nothing.
    assert_eq!(house.on_gateway("open/c").status, 200);
    let denied = house.on_gateway("open/d");
    let unknown = house.on_gateway("open/x");
    assert_eq!((denied.status, unknown.status), (404, 404), "{}", denied.body);
    assert_eq!(denied.body.replace("open/d", "open/x"), unknown.body);
    // What operators are told, later and of the call itself.
    let id = denied.header("x-tollgate-invocation-id").unwrap();
    let recorded = tests::patience::wait_until("the record of the denial", || {
        let (exit, out, _) = super::run(house.home.path(), &["policy", "explain", "--invocation", id]);
        (exit == Some(0)).then(|| serde_json::from_str::<Value>(&out).unwrap())
    });
    assert_eq!(recorded.0["determining"], json!(["house.hours.d"]), "{}", recorded.0);
    assert!(!recorded.0["chain"]["steps"].as_array().unwrap().is_empty(), "every step is there: {}", recorded.0);
    let later = now_s + 7500;
    let at = jiff::Timestamp::from_second(later).unwrap().to_string();
    assert_eq!(house.explain(&["open/d"])["determining"], json!(["house.hours.d"]));
    assert_eq!(house.explain(&["open/d", "--at", &at])["decision"], json!("allow"));
    let token_id = format!("tok_{}", rows::of_home(&house.home, BOBS_TOKEN_ID).concat().concat());
    let bob = house.explain(&["inner/b", "--surface", "marketplace", "--token", &token_id]);
    assert_eq!((&bob["determining"], &bob["chain"]), (&json!(["house.three_tools"]), &Value::Null), "{bob}");
    assert_eq!(bob["entities"][0], json!(format!("Token::\"{token_id}\"")));
}

fn a_hidden_tool_is_told_from_none_by_nothing(kind: Kind) {
    let upstream = Upstream::answering("{}");
    let house = House::start(kind, &upstream, |_| {
        r#"@id("house.hidden") @code("not_found") @reason("Not for sale to everybody.")
forbid (principal, action in Action::"invoke", resource)
when { resource has namespace && resource.namespace.name == "inner" };
@id("house.free") @reason("Nothing is free here.")
forbid (principal, action in Action::"invoke", resource) when { resource.free };"#
            .to_owned()
    });
    let (hidden, none) = (house.invoke(ALICE, "inner/a"), house.invoke(ALICE, "inner/zzz"));
    assert_eq!((hidden.status, none.status), (404, 404), "{}", hidden.body);
    assert_eq!(hidden.body, none.body);
    let names = |answer: &Answer| answer.headers.iter().map(|(name, _)| name.clone()).collect::<BTreeSet<_>>();
    assert_eq!(names(&hidden), names(&none));
    // Nor afterwards, by the call's own record.
    let look = |answer: &Answer| {
        let path = format!("/invocations/{}", answer.header("x-tollgate-invocation-id").unwrap());
        let bearer = format!("Bearer {ALICE}");
        let bytes = wire::request("GET", &path, &[("authorization", &bearer)], "");
        wire::send(house.server.address().parse().unwrap(), bytes.as_bytes()).unwrap()
    };
    let denied = house.invoke(ALICE, "open/a");
    assert_eq!(denied.status, 403);
    tests::patience::wait_until("the record of a later call", || (look(&denied).status == 200).then_some(()));
    assert_eq!((look(&hidden).status, look(&hidden).body), (404, look(&none).body));
    let explained = house.explain(&["inner/a", "--surface", "marketplace", "--account", "alice@example.com"]);
    assert_eq!(explained["determining"], json!(["house.hidden", "house.free"]));
    assert_eq!(upstream.count("/a"), 0);
}

fn a_suspended_account_is_refused_on_both_endpoints(kind: Kind) {
    let upstream = Upstream::answering("{}");
    let house = House::start(kind, &upstream, |_| String::new());
    assert_eq!((house.invoke(ALICE, "open/a").status, house.on_gateway("open/a").status), (200, 200));
    assert_eq!(house.server.stop(), Some(0));
    let flag = if kind == Kind::Sqlite { "1" } else { "true" };
    rows::change_home(&house.home, &format!("UPDATE account SET is_suspended = {flag} WHERE email LIKE 'alice%'"));
    let house = House { server: Server::start(house.home.path()), home: house.home };
    let refused = house.invoke(ALICE, "open/a");
    assert_eq!((refused.status, refused.code()), (403, "policy_denied"), "{}", refused.body);
    assert!(refused.body.contains("This account is suspended."), "{}", refused.body);
    // Whoever pays for the agent is suspended: the agent calls nothing.
    assert_eq!(house.on_gateway("open/a").status, 404);
    assert_eq!(house.explain(&["open/a"])["determining"], json!(["account.suspended"]));
}
