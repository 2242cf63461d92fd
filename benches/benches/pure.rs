//! The pure parts of a paid call, one by one: what they cost without a database, a network or a clock.
#![expect(clippy::unwrap_used, reason = "a bench whose input is wrong has nothing to measure")]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use engine::{
    catalog::{ArgumentSchema, Tier},
    credits::Credits,
    id::{EntryId, PriceVersionId},
    json,
    ledger::{
        AccountKind, CaptureAmount, LedgerAccountId, OnExpiry, PlaceHold, Settle, SettleAction,
        batch::Batch,
        facts::{AccountFacts as LedgerAccountFacts, Facts, Wallet},
        leaf::{Digest, Position, leaf_hash, sha256},
        merkle,
    },
    policy::{
        CachedPolicies, Caller, DECISION_CACHE_ENTRIES_MAX, DecisionRequest, EndUserFacts, NamespaceFacts,
        PartnerFacts, Policies, PolicySources, PublisherFacts, Surface, ToolFacts,
    },
    pricing::{Price, PricingSpec, ShareTerms, actual_cost, split, worst_case},
};
use uuid::Uuid;

const BODY: &str = r#"{"arguments":{"times":3,"text":"hello","tags":["a","b"],"deep":{"z":1.50,"a":null}}}"#;

/// Requests of one batch in the ledger's benches.
const REQUESTS: u32 = 64;

/// 2026-11-21 12:00:00 UTC.
const NOON_S: i64 = 1_795_262_400;

fn bench_credits(c: &mut Criterion) {
    let mut group = c.benchmark_group("credits");
    group.bench_function("parse_exact", |b| b.iter(|| Credits::parse_exact(black_box("1234.567891")).unwrap()));
    let amount = Credits::from_micros(1_234_567_891);
    group.bench_function("to_json_number", |b| b.iter(|| black_box(amount).to_json_number()));
    group.finish();
}

fn bench_json(c: &mut Criterion) {
    let mut group = c.benchmark_group("json");
    group.throughput(Throughput::Bytes(u64::try_from(BODY.len()).unwrap()));
    group.bench_function("parse", |b| b.iter(|| json::parse(black_box(BODY)).unwrap()));
    let parsed = json::parse(BODY).unwrap();
    group.bench_function("canonical", |b| b.iter(|| black_box(&parsed).canonical()));
    group.finish();
}

fn bench_schema(c: &mut Criterion) {
    let schema = ArgumentSchema::compile(
        r#"{"type":"object","properties":{"text":{"type":"string","minLength":1,"maxLength":200},
            "times":{"type":"integer","minimum":1,"maximum":100}},"required":["text"],"additionalProperties":false}"#,
    )
    .unwrap();
    let arguments = json::parse(r#"{"text":"hello","times":3}"#).unwrap();
    c.bench_function("schema/validate", |b| b.iter(|| schema.validate(black_box(&arguments)).unwrap()));
}

fn bench_pricing(c: &mut Criterion) {
    let mut group = c.benchmark_group("pricing");
    let text = |text: &str| Some(text.to_owned());
    let spec = PricingSpec {
        pricing_mode: text("tool_returned"),
        returned_credit_cost_path: text("$.usage.words"),
        returned_credit_multiplier: text("0.125"),
        base_credit_cost: text("1"),
        pricing_unit_fields: Some(vec!["words".to_owned(), "copies".to_owned()]),
        pricing_credits_per_unit: text("0.25"),
        ..PricingSpec::default()
    };
    let price = Price::from_spec(PriceVersionId::from(Uuid::nil()), 0, &spec).unwrap();
    let arguments = json::parse(r#"{"words":120,"copies":3}"#).unwrap();
    let result = json::parse(r#"{"text":"hello","usage":{"words":360}}"#).unwrap();
    let hold = worst_case(&price, &arguments).unwrap();
    group.bench_function("worst_case_of_units", |b| b.iter(|| worst_case(&price, black_box(&arguments)).unwrap()));
    group
        .bench_function("actual_cost", |b| b.iter(|| actual_cost(&price, hold, black_box(&result), &json::Json::Null)));
    let terms = ShareTerms::new(8_000, 500).unwrap();
    group.bench_function("split", |b| b.iter(|| split(black_box(Credits::from_micros(250_001)), terms).unwrap()));
    group.finish();
}

fn bench_policy(c: &mut Criterion) {
    let load = || Policies::load(PolicySources { schema: policies::SCHEMA, policies: policies::BASE }).unwrap();
    let publisher = PublisherFacts { id: "pub_0192f0c1", is_suspended: false };
    let request = DecisionRequest {
        surface: Surface::Marketplace,
        token: "tok_0192f0c1",
        caller: Caller::Partner {
            partner: PartnerFacts { id: "par_0192f0c1", is_suspended: false },
            end_user: EndUserFacts { id: "usr_0192f0c1", is_blocked: false },
        },
        tool: ToolFacts {
            id: "tol_0192f0c1",
            name: "bench/echo",
            is_disabled: false,
            is_free: false,
            tier: Tier::Standard,
            namespace: Some(NamespaceFacts { id: "nsp_0192f0c1", name: "bench", is_suspended: false, publisher }),
        },
        now_s: NOON_S,
        place: None,
    };
    let cold = load();
    assert!(cold.decide(&request).allowed, "the measured call must be one that goes through");
    let cached = CachedPolicies::new(load(), DECISION_CACHE_ENTRIES_MAX);
    let mut group = c.benchmark_group("policy");
    group.bench_function("decide_cold", |b| b.iter(|| cold.decide(black_box(&request))));
    group.bench_function("decide_cached", |b| b.iter(|| cached.decide(black_box(&request))));
    group.bench_function("load", |b| b.iter(load));
    group.finish();
}

fn entry_id(number: u32) -> EntryId {
    EntryId::from(Uuid::from_u128(u128::from(number)))
}

fn wallet_id(number: u32) -> LedgerAccountId {
    LedgerAccountId::from_raw(1_000 + i64::from(number))
}

const PAYEE: LedgerAccountId = LedgerAccountId::from_raw(999);

/// Wallets with money, a publisher and the platform.
fn facts() -> Facts {
    let mut facts = Facts::default();
    let account = |kind| LedgerAccountFacts { kind, is_closed: false };
    facts.accounts.insert(PAYEE, account(AccountKind::Payable));
    for (id, kind) in LedgerAccountId::WELL_KNOWN {
        facts.accounts.insert(id, account(kind));
    }
    for number in 0..REQUESTS {
        facts.accounts.insert(wallet_id(number), account(AccountKind::Wallet));
        facts.wallets.insert(wallet_id(number), Wallet { credits: 1_000_000_000, ..Wallet::default() });
    }
    facts
}

fn hold(number: u32) -> PlaceHold {
    PlaceHold {
        id: entry_id(number),
        wallet: wallet_id(number),
        payee: PAYEE,
        amount: Credits::from_micros(250_000),
        ttl_us: 60_000_000,
        shares: ShareTerms::new(8_000, 0).unwrap(),
        partner: None,
        on_expiry: OnExpiry::Release,
        caps: Vec::new(),
        meta: None,
    }
}

fn capture(number: u32) -> Settle {
    Settle {
        id: entry_id(number),
        hold: entry_id(number),
        action: SettleAction::Capture(CaptureAmount::All),
        wallet: Some(wallet_id(number)),
        payee: Some(PAYEE),
        meta: None,
    }
}

fn bench_ledger(c: &mut Criterion) {
    let (holds, captures): (Vec<_>, Vec<_>) = (0..REQUESTS).map(|number| (hold(number), capture(number))).unzip();
    let decide = |facts: &mut Facts| {
        let mut batch = Batch::new(facts, NOON_S * 1_000_000, 1);
        for hold in &holds {
            batch.hold(hold).unwrap();
        }
        for capture in &captures {
            batch.settle(capture).unwrap();
        }
        batch.into_plan()
    };
    let mut group = c.benchmark_group("ledger");
    group.throughput(Throughput::Elements(u64::from(REQUESTS)));
    group.bench_function("decide_hold_and_capture", |b| {
        b.iter_batched_ref(facts, |facts| decide(facts), BatchSize::SmallInput);
    });
    let plan = decide(&mut facts());
    group.throughput(Throughput::Elements(u64::try_from(plan.entries.len()).unwrap()));
    group.bench_function("leaf_hash", |b| {
        let mut scratch = Vec::new();
        let position = Position { slot: 0, seq: 1 };
        b.iter(|| plan.entries.iter().map(|entry| leaf_hash(position, entry, &mut scratch)).collect::<Vec<_>>());
    });
    let leaves: Vec<Digest> = (0..1_024_u32).map(|number| sha256(&number.to_be_bytes())).collect();
    group.throughput(Throughput::Elements(1_024));
    group.bench_function("merkle_root", |b| b.iter(|| merkle::root(black_box(&leaves))));
    group.finish();
}

criterion_group!(pure, bench_credits, bench_json, bench_schema, bench_pricing, bench_policy, bench_ledger);
criterion_main!(pure);
