//! Texts that operators do not type: they come from customers, agents and whoever signs in.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::{
    html,
    operator_console::{PASSWORD, visitor::OWN_FORM},
    program::{Answer, curl},
};

use super::{super::samples::World, TEXTS, text};

/// Sends each text wherever one is taken, and says on which pages that is shown beside those that are known. What is refused is
/// refused.
pub(super) fn send(world: &World) -> BTreeSet<String> {
    let mut places = BTreeSet::new();
    let partner = world.partner_token("texts");
    for typed in TEXTS.map(text) {
        as_publisher(world, &typed);
        places.extend(call(world, &typed).into_iter().flat_map(|call| [call.clone() + "/payload", call]));
        as_partner(world, &partner, &typed);
        for body in [json!({"email": typed}), json!({"email": "texts@example.com", "token_name": typed})] {
            ask(world, None, "/auth/agent-signup", &body);
        }
    }
    assert!(places.len() > TEXTS.len(), "hardly anything was carried: {places:?}");
    places.insert(sign_in_as_programs(world));
    places
}

fn ask(world: &World, token: Option<&str>, path: &str, body: &Value) -> Answer {
    ask_as(world, &["-X", "POST"], token, path, body)
}

fn ask_as(world: &World, how: &[&str], token: Option<&str>, path: &str, body: &Value) -> Answer {
    let bearer = token.map(|token| format!("Authorization: Bearer {token}"));
    let body = body.to_string();
    let mut arguments = [how, &["-H", "Content-Type: application/json", "-d", &body]].concat();
    arguments.extend(bearer.iter().flat_map(|bearer| ["-H", bearer.as_str()]));
    let answer = curl(&world.console.url(path), &arguments);
    assert!(answer.status < 500, "{path} {body:.200}: {}", answer.body);
    answer
}

fn customer(world: &World) -> Option<&str> {
    Some(world.console.demo().expect("the demo").token())
}

/// What can stand in a line of a header.
fn is_line(typed: &str) -> bool {
    typed.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

fn as_publisher(world: &World, typed: &str) {
    let namespace = format!("/namespaces/{}", world.listing().rsplit('/').next().unwrap_or_default());
    let (listing, tools) = (format!("{namespace}/listing"), format!("{namespace}/tools/rest"));
    let tool = |name: &str, said: &str| {
        json!({
            "name": name, "rest_method": "POST", "rest_path": "/x", "short_description": said,
            "input_schema": {"type": "object", "properties": {said: {"type": "string", "description": said}}},
        })
    };
    for (method, path, body) in [
        ("POST", "/tokens/", json!({"name": typed})),
        ("PUT", "/publishers/me", json!({"display_name": typed})),
        ("PUT", "/publishers/me", json!({"bio": typed})),
        ("PUT", "/publishers/me", json!({"website_url": typed})),
        ("PUT", "/publishers/me", json!({"support_email": typed})),
        ("PUT", "/publishers/me", json!({"legal_name": typed})),
        ("POST", "/connections/", json!({"label": typed, "connection_type": "rest", "base_url": "https://a.example/"})),
        ("POST", "/connections/", json!({"label": "x", "connection_type": "rest", "base_url": typed})),
        ("PUT", &*listing, json!({"listing_name": typed})),
        ("PUT", &*listing, json!({"description": typed})),
        ("PUT", &*listing, json!({"tags": [typed]})),
        ("POST", &*tools, tool(typed, "x")),
        ("POST", &*tools, tool("said", typed)),
        ("POST", "/credits/purchase", json!({"credits": 1, "idempotency_key": typed})),
    ] {
        ask_as(world, &["-X", method], customer(world), path, &body);
    }
}

/// Calls with the text in what is carried, in the key and in the names; the pages of those that were carried out.
fn call(world: &World, typed: &str) -> Vec<String> {
    let bodies = [
        ("/invoke/demo/text_stats", json!({"arguments": {"text": typed}})),
        ("/invoke/demo/text_stats", json!({"arguments": {"text": "x"}, "idempotency_key": typed})),
        ("/tools/invoke", json!({"tool": typed, "args": {"x": typed}, "sessionKey": typed})),
    ];
    let calls = bodies.iter().filter_map(|(path, body)| {
        let answer = ask(world, customer(world), path, body);
        let id = answer.json["invocation_id"].as_str().filter(|_| answer.status == 200)?.to_owned();
        Some(format!("/admin/invocations/{id}"))
    });
    calls.collect()
}

fn as_partner(world: &World, token: &str, typed: &str) {
    // Names of end users have no spaces.
    let name: String = typed.chars().map(|c| if c == ' ' { '/' } else { c }).take(200).collect();
    if is_line(&name) {
        let user = format!("X-Faro-User: {name}");
        let body = json!({"arguments": {"text": "x"}});
        ask_as(world, &["-X", "POST", "-H", &user], Some(token), "/invoke/demo/text_stats", &body);
    }
    for (path, body) in [
        ("/partners/tokens", json!({"name": typed})),
        ("/partners/webhooks", json!({"url": typed})),
        ("/partners/alerts", json!({"applies_to": "partner", "window": "day", "percent": 1, "email": typed})),
    ] {
        ask(world, Some(token), path, &body);
    }
}

/// Somebody signs in with programs of odd names; the page that lists these sessions.
fn sign_in_as_programs(world: &World) -> String {
    let vito = world.console.operator("Vito", "vito@example.com", "auditor");
    for typed in TEXTS.into_iter().filter(|typed| is_line(typed) && !typed.is_empty()) {
        let headers = [OWN_FORM[0], ("user-agent", typed)];
        let fields = [("email", vito.email.as_str()), ("password", PASSWORD)];
        let answer = world.console.visitor().post_with("/admin/sign-in", &headers, &fields);
        assert_eq!(answer.status, 303, "{}", html::text(&answer.body));
    }
    let links = html::links(&world.owner.visitor.get("/admin/operators").body);
    let shows_programs = |link: &&String| {
        link.starts_with("/admin/operators/") && world.owner.visitor.get(link).body.contains("{{7*7}}")
    };
    links.iter().find(shows_programs).expect("the page of who signed in").clone()
}
