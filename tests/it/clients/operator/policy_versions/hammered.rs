//! Policies change under load: every request is decided by one of them, whole, and none fails.

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::{Value, json};
use tests::{
    connection::Caller,
    home::{Home, Kind},
    on_both_databases,
    patience::SetOnDrop,
    program::Server,
    upstream::Upstream,
};

use super::{ALICE, TOKEN, TOOLS, configure_with, json_of, policy_file, policy_without};
use crate::rows;

on_both_databases!(sixty_four_callers_never_see_a_mixture_of_two_policies);

const CALLERS: usize = 64;
const CHANGES: usize = 12;

/// As `invocation.state` has them.
const SUCCEEDED: &str = "3";
const DENIED: &str = "8";

/// The tools of `acme` that the answer of `agents_list` gives to each agent.
fn offered(answer: &Value) -> Vec<Vec<&str>> {
    let agents = answer["result"]["agents"].as_array();
    let of = |agent: &Value| {
        let tools = agent["tools"].as_array().unwrap();
        TOOLS.into_iter().filter(|tool| tools.contains(&json!(format!("acme/{tool}")))).collect()
    };
    agents.unwrap_or_else(|| panic!("{answer}")).iter().map(of).collect()
}

/// One caller, until it is told to stop. What both policies answer is right; anything else is said.
fn hammer(server: &Server, caller: usize, is_over: &AtomicBool, wrong: &Mutex<Vec<String>>) {
    let connect = |token: &str| Caller::new(server.address(), &[("authorization", &format!("Bearer {token}"))]);
    let (mut gateway, mut marketplace) = (connect(TOKEN), connect(ALICE));
    let mut round = caller;
    while !is_over.load(Ordering::SeqCst) {
        round += 1;
        let tool = TOOLS[round % 2];
        let (answer, denial) = match round / 2 % 3 {
            0 => (gateway.post("/tools/invoke", &json!({"tool": tool})), 404),
            1 => (marketplace.post(&format!("/invoke/acme/{tool}"), &json!({})), 403),
            _ => (gateway.post("/tools/invoke", &json!({"tool": "agents_list"})), 200),
        };
        let is_right = match &answer {
            Ok(answer) if answer.status == 200 && round / 2 % 3 == 2 => {
                let offered = offered(&answer.json);
                TOOLS.iter().any(|tool| offered == [[*tool], [*tool]])
            }
            Ok(answer) => answer.status == 200 || answer.status == denial,
            Err(_) => false,
        };
        if !is_right {
            wrong.lock().unwrap().push(format!("{tool}: {answer:?}"));
            return;
        }
    }
}

fn sixty_four_callers_never_see_a_mixture_of_two_policies(kind: Kind) {
    let (home, upstream) = (Home::on(kind), Upstream::answering("{}"));
    let folder = home.path();
    let mut policy = policy_without(folder, "left");
    policy["limits"] = json!({"invoke_per_token_per_s": 1_000_000, "invoke_burst": 1_000_000});
    configure_with(folder, &upstream, &policy, &json!({}));
    let servers: Vec<Server> = (0..if kind == Kind::Postgres { 2 } else { 1 }).map(|_| Server::start(folder)).collect();
    let (is_over, wrong) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        let over = SetOnDrop(&is_over);
        for caller in 0..CALLERS {
            let server = &servers[caller % servers.len()];
            let (is_over, wrong) = (&is_over, &wrong);
            scope.spawn(move || hammer(server, caller, is_over, wrong));
        }
        json_of(folder, &["policy", "draft", &policy_file(folder, "right")]);
        json_of(folder, &["policy", "publish", "2"]);
        for _ in 0..CHANGES {
            json_of(folder, &["policy", "rollback"]);
        }
        drop(over);
    });
    assert_eq!(*wrong.lock().unwrap(), Vec::<String>::new());
    for server in servers {
        assert_eq!(server.stop(), Some(0), "everything is recorded");
    }

    // What a version says of a tool was never said otherwise in its name.
    let list = json_of(folder, &["policy", "list", "--limit", "1000"]);
    let versions = list["policies"].as_array().unwrap();
    assert_eq!(versions.len(), 2 + CHANGES);
    let of_first = |version: &&Value| version["sha256"] == versions.last().unwrap()["sha256"];
    let first: Vec<i64> = versions.iter().filter(of_first).map(|version| version["number"].as_i64().unwrap()).collect();
    let calls = rows::of_home(
        &home,
        "SELECT i.policy_version, i.surface, t.name, i.state, count(*) FROM invocation i JOIN tool t ON t.id = i.tool_id
         GROUP BY 1, 2, 3, 4",
    );
    let mut seen: HashMap<(bool, &str, &str, &str), u64> = HashMap::new();
    for call in &calls {
        let [version, surface, tool, state, count] = &call[..] else { panic!("{call:?}") };
        let number: i64 = version.split_once('-').unwrap().0.parse().unwrap();
        let is_first = first.contains(&number);
        let denied = if is_first { "left" } else { "right" };
        assert_eq!(state, if tool == denied { DENIED } else { SUCCEEDED }, "{call:?}");
        *seen.entry((is_first, surface, tool, state)).or_default() += count.parse::<u64>().unwrap();
    }
    // Both policies, both endpoints, both tools.
    assert_eq!(seen.len(), 8, "{seen:?}");
}
