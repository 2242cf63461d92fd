//! Faro's page "Tool invocation", line by line: every row names the section and quotes what it says. Rows run in this
//! order on one server, with curl, so the amounts are those of the page.
//!
//! Left out: `GET https://api.askfaro.com/docs/` and the page's other links to things that are not here yet.
//! Different by decision: keys are freed by a failure that cost nothing; a key in flight, or used for something else, is
//! the 409 of the page's table, while an identical retry is replayed as its text says.

mod page;

use serde_json::Value;
use tests::{
    home::{Home, Kind},
    mailbox::wait_for_link,
    on_both_databases,
    program::{Answer, Demo, curl},
    server::tool,
    upstream::{Upstream, json_answer},
};

use self::page::{endpoint_and_auth, errors, pricing_and_see_also, tokens};

on_both_databases!(every_line_of_the_page_holds);

const PARTNER: &str = "faro_partner_globex00";

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
