//! Decisions are remembered, and never more of them than there is room for.

use std::sync::atomic::{AtomicU64, Ordering};

use engine::{
    catalog::Tier,
    dialect::Dialect,
    policy::{
        AccountFacts, CachedPolicies, Caller, DECISION_CACHE_ENTRIES_MAX, DecisionRequest, PolicySources, Surface,
        ToolFacts, WrittenPolicy,
        chain::{CatalogTool, ChainPlace, SessionFacts},
    },
};
use serde_json::json;

const DECISIONS: u64 = 1_000_000;
const THREADS: u64 = 4;

/// The pages that this process has in memory, as Linux counts them.
fn resident_kib() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()).and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[test]
fn a_million_decisions_take_no_more_room_than_the_first_thousands() {
    let rules = Dialect::from_text(policies::dialects::FASED).unwrap().chain;
    let tools = ["left", "right"].map(|name| CatalogTool { name, namespace: None });
    // A policy that reads the time makes every second another decision.
    let operator = r#"@id("never") @reason("r") forbid (principal, action, resource) when { context.now_s < 0 };"#;
    let written = WrittenPolicy { chain: json!({"tools": {"deny": ["left"]}}), operator: operator.to_owned() };
    let sources = PolicySources { schema: policies::SCHEMA, policies: policies::BASE };
    let cached = CachedPolicies::new(written.compile(&rules, sources, &tools).unwrap(), DECISION_CACHE_ENTRIES_MAX);
    let chain = cached.policies().chain().unwrap();
    let scope = chain.scope(&SessionFacts { session_key: "agent:main:main", ..SessionFacts::default() });
    let places = tools.map(|tool| ChainPlace { scope, tool: chain.find_tool(tool.name).unwrap() });
    let (next, allowed) = (AtomicU64::new(0), AtomicU64::new(0));
    let before = resident_kib();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= DECISIONS {
                        break;
                    }
                    let facts = AccountFacts { id: "acc_1", is_suspended: false, is_verified: true };
                    let is_left = number % 2 == 0;
                    let decision = cached.decide(&DecisionRequest {
                        surface: Surface::Http,
                        token: "tok_1",
                        caller: Caller::Account(facts),
                        tool: ToolFacts {
                            id: "tol_1",
                            name: if is_left { "left" } else { "right" },
                            is_disabled: false,
                            is_free: true,
                            tier: Tier::Standard,
                            namespace: None,
                        },
                        // Nobody has asked this before, and nobody asks it again.
                        now_s: i64::try_from(number).unwrap(),
                        place: Some(places[usize::from(!is_left)]),
                    });
                    allowed.fetch_add(u64::from(decision.allowed), Ordering::Relaxed);
                    if number % (DECISIONS / 10) == 0 {
                        let entries = cached.len();
                        assert!(entries <= DECISION_CACHE_ENTRIES_MAX, "{entries} after {number}");
                        eprintln!("{number} decisions: {entries} entries, {} KiB resident", resident_kib());
                    }
                }
            });
        }
    });
    let (entries, after) = (cached.len(), resident_kib());
    eprintln!("{DECISIONS} decisions: {entries} entries, {before} KiB resident before, {after} KiB after");
    assert!(entries > DECISION_CACHE_ENTRIES_MAX / 2 && entries <= DECISION_CACHE_ENTRIES_MAX, "{entries}");
    assert_eq!(allowed.into_inner(), DECISIONS / 2);
}
