//! Faro's page "Tool invocation", line by line: every row names the section and quotes what it says. Rows run in this
//! order on one server, with curl, so the amounts are those of the page.
//!
//! Left out: `GET https://api.askfaro.com/docs/` and the page's other links to things that are not here yet.
//! Different by decision: keys are freed by a failure that cost nothing; a key in flight, or used for something else, is
//! the 409 of the page's table, while an identical retry is replayed as its text says.

use serde_json::{Value, json};
use tests::{
    home::{Home, Kind},
    mailbox::wait_for_link,
    on_both_databases,
    program::{Answer, Demo, curl},
    server::tool,
    upstream::{Upstream, json_answer},
};

on_both_databases!(every_line_of_the_page_holds);

const PARTNER: &str = "faro_partner_globex00";
const JSON: &str = "Content-Type: application/json";

/// A sentence of the page, a request, and what it has to be answered with.
struct Row {
    section: &'static str,
    says: &'static str,
    request: &'static str,
    headers: Vec<String>,
    body: Option<&'static str>,
    status: u16,
    /// Members of the answer, by JSON pointer.
    holds: Vec<(&'static str, Value)>,
}

/// What the rows talk about.
struct World {
    key: String,
    jwt: String,
    poor: String,
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}")
}

fn endpoint_and_auth(world: &World) -> Vec<Row> {
    let call = |says, section, headers: Vec<String>, body, status, holds| Row {
        section,
        says,
        request: "POST /invoke/acme/paid",
        headers,
        body: Some(body),
        status,
        holds,
    };
    let json = || JSON.to_owned();
    let key = || vec![bearer(&world.key), json()];
    let shape = |charged: Value, remaining: Value| {
        vec![
            ("/result", json!({"found": ["a"], "score": 1.5})),
            ("/credits_charged", charged),
            ("/credits_remaining", remaining),
        ]
    };
    let keyed = r#"{"arguments": {"q": "a"}, "idempotency_key": "doc-1"}"#;
    vec![
        call(
            "the request, and \"credits_charged\": 50, \"credits_remaining\": 9950",
            "Endpoint, Response",
            key(),
            keyed,
            200,
            shape(json!(50), json!(9950)),
        ),
        call(
            "stores the first response keyed on that string and replays it on retries",
            "Idempotency",
            key(),
            keyed,
            200,
            shape(json!(50), json!(9950)),
        ),
        call(
            "\"idempotency_key\": \"...\" // optional",
            "Endpoint",
            key(),
            r#"{"arguments": {"q": "a"}}"#,
            200,
            shape(json!(50), json!(9900)),
        ),
        call(
            "`<JWT>` | Logged-in session",
            "Auth",
            vec![bearer(&world.jwt), json()],
            "{}",
            200,
            shape(json!(50), json!(9850)),
        ),
        call(
            "`faro_partner_` | Partner platform invoking for an end user | `X-Faro-User: <external_id>`",
            "Auth",
            vec![bearer(PARTNER), json(), "X-Faro-User: user-7".to_owned()],
            "{}",
            200,
            shape(json!(50), json!(950)),
        ),
        call(
            "`faro_partner_` | … | `X-Faro-User: <external_id>` (left out)",
            "Auth",
            vec![bearer(PARTNER), json()],
            "{}",
            422,
            vec![("/error/code", json!("end_user_required")), ("/detail/0/loc", json!(["header", "X-Faro-User"]))],
        ),
        call(
            "`faro_` | Personal / agent API key | — (with the partner's header)",
            "Auth",
            [key(), vec!["X-Faro-User: user-7".to_owned()]].concat(),
            "{}",
            403,
            vec![("/error/code", json!("end_user_not_allowed"))],
        ),
    ]
}

fn tokens(world: &World) -> Vec<Row> {
    let row = |says, request, headers: Vec<String>, body, status, holds| Row {
        section: "Auth",
        says,
        request,
        headers,
        body: Some(body),
        status,
        holds,
    };
    vec![
        row(
            "requires JWT from `POST https://api.askfaro.com/auth/login`",
            "POST /auth/login",
            vec![JSON.to_owned()],
            r#"{"email": "ann@example.com", "password": "correct horse battery"}"#,
            200,
            vec![("/token_type", json!("bearer"))],
        ),
        row(
            "Create a personal key: `POST https://api.askfaro.com/tokens/` (requires JWT)",
            "POST /tokens/",
            vec![bearer(&world.jwt), JSON.to_owned()],
            r#"{"name": "from the page"}"#,
            201,
            vec![("/name", json!("from the page")), ("/is_active", json!(true))],
        ),
        row(
            "`POST /tokens/` (requires JWT …): a key is not one",
            "POST /tokens/",
            vec![bearer(&world.key), JSON.to_owned()],
            r#"{"name": "another"}"#,
            403,
            vec![("/error/code", json!("session_required"))],
        ),
    ]
}

fn errors(world: &World) -> Vec<Row> {
    let row = |says, request, token: Option<&str>, body, status, holds| Row {
        section: "Errors",
        says,
        request,
        headers: token.map(bearer).into_iter().chain([JSON.to_owned()]).collect(),
        body: Some(body),
        status,
        holds,
    };
    let key = Some(&*world.key);
    let code = |code: &str| vec![("/error/code", json!(code))];
    let failed = |note: &str, charged: u32| {
        vec![
            ("/error/code", json!("upstream_failed")),
            ("/detail", json!(format!("the tool's upstream failed; {note}"))),
            ("/error/credits_charged", json!(charged)),
        ]
    };
    let paid = "POST /invoke/acme/paid";
    vec![
        row("401 | Missing … token", paid, None, "{}", 401, code("missing_token")),
        row("401 | … invalid token", paid, Some("faro_not-a-token"), "{}", 401, code("invalid_token")),
        row(
            "401 | … invalid token (a session)",
            paid,
            Some("eyJhbGciOiJub25lIn0.e30."),
            "{}",
            401,
            code("invalid_token"),
        ),
        row(
            "402 | Insufficient credits — call `POST /credits/purchase`",
            paid,
            Some(&world.poor),
            "{}",
            402,
            vec![
                ("/error/code", json!("insufficient_credits")),
                ("/error/needed", json!(50)),
                ("/error/available", json!(0)),
                ("/error/ways_out/0/method", json!("POST")),
                ("/error/ways_out/0/path", json!("/credits/purchase")),
                (
                    "/detail",
                    json!(
                        "insufficient credits: this call may cost 50, 0 can be spent. Buy more with POST /credits/purchase"
                    ),
                ),
            ],
        ),
        row("404 | Namespace … not found", "POST /invoke/nothing/paid", key, "{}", 404, code("not_found")),
        row("404 | … tool not found", "POST /invoke/acme/nothing", key, "{}", 404, code("not_found")),
        row(
            "409 | Duplicate `idempotency_key`",
            paid,
            key,
            r#"{"arguments": {"q": "b"}, "idempotency_key": "doc-1"}"#,
            409,
            code("idempotency_key_reused"),
        ),
        row(
            "502 | Upstream tool failed — auto-refunded when pricing is `charge_on: success`",
            "POST /invoke/acme/failing",
            key,
            "{}",
            502,
            failed("nothing was charged", 0),
        ),
        Row {
            section: "Errors",
            says: "502 | … auto-refunded (the balance after it)",
            request: "GET /credits/balance",
            headers: vec![bearer(&world.key)],
            body: None,
            status: 200,
            holds: vec![("/balance", json!(9850)), ("/reserved", json!(0))],
        },
        row(
            "502 | … when pricing is `charge_on: success` (it is `attempt`)",
            "POST /invoke/acme/tried",
            key,
            "{}",
            502,
            failed("the attempt was charged", 50),
        ),
    ]
}

fn pricing_and_see_also(world: &World) -> Vec<Row> {
    let row = |section, says, request, body, status, holds| Row {
        section,
        says,
        request,
        headers: vec![bearer(&world.key), JSON.to_owned()],
        body,
        status,
        holds,
    };
    vec![
        row(
            "Pricing modes",
            "`fixed_per_request` — Tool charges `fixed_credit_cost` per call",
            "POST /invoke/acme/paid",
            Some("{}"),
            200,
            vec![("/credits_charged", json!(50)), ("/credits_remaining", json!(9750))],
        ),
        row(
            "Pricing modes",
            "`tool_returned` — Tool returns its cost in the response",
            "POST /invoke/acme/returned",
            Some("{}"),
            200,
            vec![
                ("/result/usage/credits", json!(7.25)),
                ("/credits_charged", json!(7.25)),
                ("/credits_remaining", json!(9742.75)),
            ],
        ),
        row(
            "Pricing modes",
            "1,000 credits = $1.00 USD",
            "POST /credits/purchase",
            Some(r#"{"usd": "1.00"}"#),
            201,
            vec![("/credits", json!(1000)), ("/amount_usd", json!(1)), ("/status", json!("confirmed"))],
        ),
        row(
            "Pricing modes",
            "1,000 credits = $1.00 USD (in the balance)",
            "GET /credits/balance",
            None,
            200,
            vec![("/credits_remaining", json!(10_742.75)), ("/usd", json!(10.742_75)), ("/currency", json!("credits"))],
        ),
        row(
            "See also",
            "OpenAPI spec: https://api.askfaro.com/openapi.json",
            "GET /openapi.json",
            None,
            200,
            vec![("/paths/~1invoke~1{namespace}~1{tool_name}/post/parameters/0/name", json!("namespace"))],
        ),
    ]
}

impl Row {
    fn check(&self, base_url: &str) -> Answer {
        let (method, path) = self.request.split_once(' ').unwrap();
        let mut arguments = vec!["-X", method];
        for header in &self.headers {
            arguments.extend(["-H", header]);
        }
        arguments.extend(self.body.iter().flat_map(|body| ["-d", body]));
        let answer = curl(&format!("{base_url}{path}"), &arguments);
        let what = format!("{}: {}\n{}", self.section, self.says, answer.body);
        assert_eq!(answer.status, self.status, "{what}");
        assert_eq!(answer.header("content-type"), Some("application/json"), "{what}");
        for (pointer, expected) in &self.holds {
            assert_eq!(answer.json.pointer(pointer), Some(expected), "{pointer}: {what}");
        }
        if path.starts_with("/invoke/") && answer.status != 401 {
            let id = answer.header("x-tollgate-invocation-id").unwrap();
            assert!(id.starts_with("inv_"), "{what}");
            assert!(answer.header("ratelimit").is_some() && answer.header("ratelimit-policy").is_some(), "{what}");
            if answer.status == 200 {
                assert_eq!(answer.json["invocation_id"], id, "\"invocation_id\": \"inv_...\": {what}");
                let charged = if answer.header("idempotent-replayed").is_some() {
                    "0".to_owned()
                } else {
                    answer.json["credits_charged"].to_string()
                };
                assert_eq!(answer.header("x-tollgate-credits-charged"), Some(&*charged), "{what}");
            }
        }
        answer
    }
}

fn every_line_of_the_page_holds(kind: Kind) {
    let upstream = Upstream::start(|received, stream| {
        let answer = match &*received.path {
            "/failing" => json_answer("500 Internal Server Error", r#"{"message": "secret"}"#),
            "/returned" => json_answer("200 OK", r#"{"usage": {"credits": 7.25}}"#),
            _ => json_answer("200 OK", r#"{"found": ["a"], "score": 1.5}"#),
        };
        std::io::Write::write_all(stream, answer.as_bytes()).is_ok()
    });
    let tools = [
        tool("paid", &upstream.url("/paid"), 50, "success", 5_000),
        tool("failing", &upstream.url("/failing"), 50, "success", 5_000),
        tool("tried", &upstream.url("/failing"), 50, "attempt", 5_000),
        format!(
            "{{name: 'returned', upstream: {{kind: 'http', url: '{}'}}, pricing: {{pricing_mode: 'tool_returned', \
             returned_credit_cost_path: '$.usage.credits', estimated_max_credit_cost: 100}}}}",
            upstream.url("/returned")
        ),
    ]
    .concat();
    let home = Home::on(kind);
    // The demo, since only there a purchase confirms itself.
    let config = format!(
        "{{allow_fixture_secrets: true, egress: {{allow_private: true}}, catalog: {{publishers: [{{id: 'acme', \
         display_name: 'Acme', share_bps: 8000, namespaces: [{{name: 'acme', tools: [{tools}]}}]}}], \
         partners: [{{name: 'Globex', token: '{PARTNER}', margin_bps: 500, grant_credits: 1000}}]}}}}"
    );
    std::fs::write(home.path().join("tollgate.json5"), config).unwrap();
    let demo = Demo::start(home.path());
    let world = World::of(&demo, home.path());
    let [first, replayed, ..] = &*endpoint_and_auth(&world) else { panic!("two rows") };
    let first = first.check(demo.base_url());
    let again = replayed.check(demo.base_url());
    assert_eq!((&again.body, again.header("idempotent-replayed")), (&first.body, Some("true")), "the same bytes");
    let rows = endpoint_and_auth(&world).into_iter().skip(2);
    for row in rows.chain(tokens(&world)).chain(errors(&world)).chain(pricing_and_see_also(&world)) {
        row.check(demo.base_url());
    }
    assert_eq!(upstream.count("/paid"), 5, "once for every charge of 50, never for a replay");
}

impl World {
    /// Ann signs up, confirms her address, sets a password, signs in, and buys 10,000 credits.
    fn of(demo: &Demo, folder: &std::path::Path) -> Self {
        let url = |path: &str| format!("{}{path}", demo.base_url());
        let signed_up = curl(&url("/auth/agent-signup"), &["-d", r#"{"email": "ann@example.com"}"#]);
        let key = signed_up.json["token"].as_str().unwrap().to_owned();
        let link = wait_for_link(&folder.join("data/mail"), "ann@example.com");
        let form = "password=correct+horse+battery&again=correct+horse+battery";
        assert_eq!(curl(&url(&link), &["-d", form]).status, 200);
        let login = r#"{"email": "ann@example.com", "password": "correct horse battery"}"#;
        let session = curl(&url("/auth/login"), &["-d", login]);
        let jwt = session.json["access_token"].as_str().unwrap().to_owned();
        let bought = curl(&url("/credits/purchase"), &["-H", &bearer(&key), "-d", r#"{"credits": 10000}"#]);
        assert_eq!(bought.status, 201, "{}", bought.body);
        let refused = demo.commands().get(2).unwrap();
        let poor = refused.split_once("Bearer ").unwrap().1.split_once('\'').unwrap().0.to_owned();
        Self { key, jwt, poor }
    }
}
