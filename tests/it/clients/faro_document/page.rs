//! The page's rows, section by section.

use serde_json::{Value, json};

use super::{PARTNER, Row, World, bearer};

const JSON: &str = "Content-Type: application/json";

pub(super) fn endpoint_and_auth(world: &World) -> Vec<Row> {
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

pub(super) fn tokens(world: &World) -> Vec<Row> {
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

pub(super) fn errors(world: &World) -> Vec<Row> {
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

pub(super) fn pricing_and_see_also(world: &World) -> Vec<Row> {
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
