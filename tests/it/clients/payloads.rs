//! What calls carried, kept where the configuration asks for it and no longer than it says.

use std::fmt::Display;

use engine::id::InvocationId;
use serde_json::{Value, json};
use tests::{
    connection::Caller,
    home::{Home, Kind},
    html, on_both_databases,
    operator_console::OperatorConsole,
    patience::Ends as _,
    patience::wait_until,
    program::{Server, configure, tollgate},
    publisher::{Reaction, Received, Upstream},
};

use crate::rows;

on_both_databases!(
    what_a_call_carried_is_kept_where_it_is_asked_for_and_its_readers_are_told_of,
    what_a_call_carried_is_gone_when_its_time_is_over,
);

const TOKEN: &str = "faro_payloads_alice_0123456789";
/// Longer than what is kept of it.
const LONG: usize = 5_000;
const BYTES_MAX: i64 = 400;

fn react(received: &Received) -> Reaction {
    let status = received.arguments["status"].as_u64().and_then(|status| status.try_into().ok()).unwrap_or(200);
    let body = if status == 200 { json!({"said": "pomegranate"}) } else { json!({"message": "no quince today"}) };
    Reaction { after_ms: 0, status, body }
}

/// One namespace with three tools; `payloads` as it is in the configuration.
fn configuration(upstream: &Upstream, payloads: &Value) -> Value {
    let tool = |name: &str| {
        let url = format!("http://{}/{name}", upstream.address());
        let pricing = json!({"pricing_mode": "fixed_per_request", "fixed_credit_cost": 1});
        json!({"name": name, "upstream": {"kind": "http", "url": url}, "pricing": pricing})
    };
    let mut configuration = json!({
        "allow_fixture_secrets": true,
        "egress": {"allow_hosts": [upstream.address().to_string()]},
        "catalog": {
            "publishers": [{
                "id": "acme", "display_name": "Acme", "share_bps": 8000,
                "namespaces": [{"name": "acme", "tools": [tool("kept"), tool("other")]}],
            }],
            "accounts": [{
                "email": "alice@example.com", "verified": true, "grant_credits": 1000,
                "tokens": [{"name": "t", "token": TOKEN}],
            }],
        },
    });
    if !payloads.is_null() {
        configuration["payloads"] = payloads.clone();
    }
    configuration
}

/// Calls a tool; the call's identifier.
fn call(address: impl Display, tool: &str, arguments: &Value, status: u16) -> String {
    let mut caller = Caller::new(&address.to_string(), &[("authorization", &format!("Bearer {TOKEN}"))]);
    let answer = caller.post(&format!("/invoke/acme/{tool}"), &json!({ "arguments": arguments })).unwrap();
    assert_eq!(answer.status, status, "{}", answer.body);
    answer.header("x-tollgate-invocation-id").unwrap().to_owned()
}

fn count(home: &Home) -> i64 {
    rows::of_home(home, "SELECT count(*) FROM payload")[0][0].parse().unwrap()
}

fn verify(home: &Home) {
    let output = tollgate(home.path(), &["ledger", "verify"]).ended().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

fn what_a_call_carried_is_kept_where_it_is_asked_for_and_its_readers_are_told_of(kind: Kind) {
    let (home, upstream) = (Home::on(kind), Upstream::start(react));
    let payloads = json!({"tools": ["acme/kept"], "keep_s": 3600, "bytes_max": BYTES_MAX});
    let console = OperatorConsole::start_with(home.path(), &configuration(&upstream, &payloads));
    let paid = call(console.address(), "kept", &json!({"fruit": "mangosteen"}), 200);
    let failed = call(console.address(), "kept", &json!({"fruit": "medlar", "status": 422}), 502);
    let long = call(console.address(), "kept", &json!({"fruit": "x".repeat(LONG)}), 200);
    let other = call(console.address(), "other", &json!({"fruit": "mangosteen"}), 200);
    wait_until("what was called is kept", || (count(&home) == 3).then_some(()));
    let stored = rows::of_home(&home, "SELECT arguments_bytes, answer_bytes FROM payload ORDER BY call");
    let all = |text: &Value| text.to_string().len().to_string();
    let answer = all(&json!({"said": "pomegranate"}));
    let expected = [
        [all(&json!({"fruit": "mangosteen"})), answer.clone()],
        [all(&json!({"fruit": "medlar", "status": 422})), "no quince today".len().to_string()],
        [all(&json!({"fruit": "x".repeat(LONG)})), answer],
    ];
    assert_eq!(stored, expected);
    let texts = rows::of_home(&home, "SELECT arguments, answer FROM payload").concat().concat();
    for word in ["mangosteen", "pomegranate", "quince", "fruit"] {
        let digits: String = word.bytes().map(|byte| format!("{byte:02x}")).collect();
        assert!(!texts.contains(word) && !texts.contains(&digits), "{word} stands in the database");
    }

    let sue = console.operator("Sue", "sue@example.com", "support");
    let shown = |id: &str| html::text(&sue.visitor.get(&format!("/admin/invocations/{id}/payload")).body);
    for (id, there, not_there) in [
        (&paid, &["mangosteen", "pomegranate", "told in the audit trail"][..], &["medlar", "are kept."][..]),
        (&failed, &["medlar", "no quince today"], &["mangosteen"]),
        (&long, &["Of 5,012 bytes the first 400 are kept", "pomegranate"], &["mangosteen"]),
        (&other, &["Nothing is kept of", "payloads:"], &["mangosteen", "pomegranate"]),
    ] {
        let text = shown(id);
        assert!(there.iter().all(|word| text.contains(word)), "{there:?}: {text}");
        assert!(!not_there.iter().any(|word| text.contains(word)), "{not_there:?}: {text}");
    }
    let read = "SELECT actor_kind, object_kind, object_id FROM audit WHERE action = 'payload.read' ORDER BY seq";
    let told: Vec<Vec<String>> =
        [&paid, &failed, &long].map(|id| vec!["operator".to_owned(), "invocation".to_owned(), id.clone()]).into();
    assert_eq!(rows::of_home(&home, read), told, "who has read something is told, and nobody else");

    // Whoever may not see it is not led there either.
    let eve = console.operator("Eve", "eve@example.com", "policy_editor");
    let page = eve.visitor.get(&format!("/admin/invocations/{paid}"));
    assert!(page.status == 200 && !page.body.contains("/payload"), "{}", page.body);
    assert_eq!(eve.visitor.get(&format!("/admin/invocations/{paid}/payload")).status, 403);

    // Without the section nothing more is kept, and what was can be read until its time is over.
    drop(console);
    let console = OperatorConsole::start_with(home.path(), &configuration(&upstream, &Value::Null));
    let tom = console.operator("Tom", "tom@example.com", "auditor");
    let later = call(console.address(), "kept", &json!({"fruit": "mangosteen"}), 200);
    let shown = |id: &str| html::text(&tom.visitor.get(&format!("/admin/invocations/{id}/payload")).body);
    assert!(shown(&paid).contains("mangosteen"), "{}", shown(&paid));
    assert!(shown(&later).contains("Nothing is kept of"), "{}", shown(&later));
    assert_eq!(count(&home), 3);
    // Nor is what somebody has changed, or put in the place of another.
    rows::change_home(
        &home,
        "UPDATE payload SET arguments = (SELECT arguments FROM payload ORDER BY call DESC LIMIT 1)",
    );
    let changed = shown(&paid);
    assert!(changed.contains("the secret cannot be read") && !changed.contains("xxx"), "{changed}");
    verify(&home);
}

fn what_a_call_carried_is_gone_when_its_time_is_over(kind: Kind) {
    let (home, upstream) = (Home::on(kind), Upstream::start(react));
    let start = |keep_s: u64| {
        configure(home.path(), &configuration(&upstream, &json!({"tools": ["*"], "keep_s": keep_s})));
        Server::start(home.path())
    };
    let server = start(3_600);
    for tool in ["kept", "other", "kept"] {
        call(server.address(), tool, &json!({"fruit": "mangosteen"}), 200);
    }
    // The last thing that a server does is to write what waits.
    assert_eq!(server.stop(), Some(0));
    assert_eq!(count(&home), 3);

    let server = start(1);
    let kept_before = rows::of_home(&home, "SELECT call, until_us FROM payload ORDER BY call");
    let short = call(server.address(), "kept", &json!({"fruit": "mangosteen"}), 200);
    assert_eq!(server.stop(), Some(0));
    let is_short_there = || {
        let id: InvocationId = short.parse().unwrap();
        let rows = rows::of_home(&home, "SELECT call FROM payload").concat();
        rows.contains(&id.uuid().simple().to_string())
    };
    assert!(is_short_there(), "it was written, with an end of its own");
    let server = start(1);
    wait_until("its time is over", || (!is_short_there()).then_some(()));
    let left = rows::of_home(&home, "SELECT call, until_us FROM payload ORDER BY call");
    assert_eq!(left, kept_before, "what was kept for longer stays for longer");
    assert_eq!(server.stop(), Some(0));
    verify(&home);
}
