//! The tool-policy chain: a decision from the texts of a request, cold, denied and remembered, and the compilation of a document.
#![expect(clippy::unwrap_used, reason = "a bench whose input is wrong has nothing to measure")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use engine::{
    catalog::Tier,
    dialect::Dialect,
    policy::{
        AccountFacts, CachedPolicies, Caller, DECISION_CACHE_ENTRIES_MAX, DecisionRequest, Policies, PolicySources,
        Surface, ToolFacts,
        chain::{CatalogTool, Chain, ChainPlace, PolicyDocument, SessionFacts},
    },
};
use serde_json::{Value, json};

const TOOLS: usize = 200;

/// Half of the tools are core tools; the others belong to ten namespaces.
fn catalog_names() -> Vec<(Option<String>, String)> {
    let tool = |n: usize| (n % 2 == 1).then(|| format!("plugin_{}", n / 2 % 10));
    (0..TOOLS).map(|n| (tool(n), format!("tool_{n}"))).collect()
}

/// Agents with lists, a model and a profile of their own, so that a subagent of one in a group meets all ten steps.
fn document(agents: usize) -> Value {
    let agent = |n: usize| {
        json!({
            "id": format!("agent-{n}"), "model": "orbit/lark-2",
            "tools": {
                "profile": "coding", "alsoAllow": ["tool_*"],
                "allow": ["tool_1*", "plugin_3", "group:web", format!("tool_{}", n % TOOLS)],
                "deny": [format!("*_{}", n % TOOLS + 1), "group:fs"],
                "byProvider": {"orbit": {"allow": ["*"], "deny": ["tool_7"], "profile": "coding", "alsoAllow": ["t*"]}},
            },
        })
    };
    json!({
        "tools": {
            "profile": "coding", "allow": ["*"], "deny": ["tool_9", "plugin_9"],
            "byProvider": {"orbit/lark-2": {"allow": ["tool_*"], "deny": ["tool_8"]}},
            "subagents": {"tools": {"allow": ["*"], "deny": ["tool_6"]}},
        },
        "agents": {"list": (0..agents).map(agent).collect::<Vec<_>>()},
        "channels": {"telegram": {"groups": {"-1": {"tools": {"allow": ["tool_*"], "deny": ["tool_5"]}}}}},
        "gateway": {"tools": {"deny": ["tool_4"]}},
    })
}

fn compile(dialect: &Dialect, document: &Value) -> Policies {
    let names = catalog_names();
    let catalog: Vec<_> =
        names.iter().map(|(namespace, name)| CatalogTool { name, namespace: namespace.as_deref() }).collect();
    let document = PolicyDocument::from_value(document, &dialect.chain).unwrap();
    let chain = Chain::compile(document, &dialect.chain, &catalog).unwrap();
    let sources = PolicySources { schema: policies::SCHEMA, policies: policies::BASE };
    Policies::load_with(sources, "", Some(chain)).unwrap()
}

fn request<'a>(chain: &Chain, session_key: &'a str, tool: &'a str) -> DecisionRequest<'a> {
    let session =
        SessionFacts { session_key, channel: Some("telegram"), account: Some("work"), ..SessionFacts::default() };
    DecisionRequest {
        surface: Surface::Http,
        token: "tok_0192f0c1",
        caller: Caller::Account(AccountFacts { id: "acc_0192f0c1", is_suspended: false, is_verified: true }),
        tool: ToolFacts {
            id: "tol_0192f0c1",
            name: tool,
            is_disabled: false,
            is_free: true,
            tier: Tier::Standard,
            namespace: None,
        },
        now_s: 1_795_262_400,
        place: Some(ChainPlace { scope: chain.scope(&session), tool: chain.find_tool(tool).unwrap() }),
    }
}

fn bench_decide(c: &mut Criterion) {
    let dialect = Dialect::from_text(policies::dialects::OPENCLAW).unwrap();
    let mut group = c.benchmark_group("chain");
    for agents in [2, 1_000] {
        let cold = compile(&dialect, &document(agents));
        let chain = cold.chain().unwrap();
        let keys: Vec<String> =
            (0..agents).map(|n| format!("agent:agent-{n}:subagent:telegram:group:-1:topic:7")).collect();
        let example = request(chain, keys.first().unwrap(), "tool_100");
        let decision = cold.decide(&example);
        assert!(decision.allowed, "the measured call must be one that goes through: {decision:?}");
        assert_eq!(chain.explain(&example.place.unwrap()).steps.len(), 10, "every step takes part");
        let mut turn = keys.iter().cycle();
        group.bench_function(BenchmarkId::new("decide_cold", agents), |b| {
            b.iter(|| cold.decide(&request(chain, black_box(turn.next().unwrap()), "tool_100")));
        });
        assert!(!cold.decide(&request(chain, keys.first().unwrap(), "tool_4")).allowed, "the chain denies it");
        group.bench_function(BenchmarkId::new("decide_denied", agents), |b| {
            b.iter(|| cold.decide(&request(chain, black_box(turn.next().unwrap()), "tool_4")));
        });
        // a new session of a known caller: of one entry, the memory of whole decisions forgets every one
        let forgetful = CachedPolicies::new(compile(&dialect, &document(agents)), 1);
        let chain = forgetful.policies().chain().unwrap();
        group.bench_function(BenchmarkId::new("decide_new_session", agents), |b| {
            b.iter(|| forgetful.decide(&request(chain, black_box(turn.next().unwrap()), "tool_100")));
        });
        let cached = CachedPolicies::new(compile(&dialect, &document(agents)), DECISION_CACHE_ENTRIES_MAX);
        let chain = cached.policies().chain().unwrap();
        group.bench_function(BenchmarkId::new("decide_cached", agents), |b| {
            b.iter(|| cached.decide(&request(chain, black_box(turn.next().unwrap()), "tool_100")));
        });
    }
    group.finish();
}

fn bench_compile(c: &mut Criterion) {
    let dialect = Dialect::from_text(policies::dialects::FASED).unwrap();
    let document = document(1_000);
    let mut group = c.benchmark_group("chain");
    group.sample_size(10);
    group.bench_function("compile_1000_agents_200_tools", |b| b.iter(|| compile(&dialect, black_box(&document))));
    group.finish();
}

criterion_group!(chain, bench_decide, bench_compile);
criterion_main!(chain);
