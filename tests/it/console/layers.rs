//! What the layers of the policy did with the calls of the last day.

use std::sync::Arc;

use engine::{
    gateway::{context::Hints, session_key::Session},
    id::InvocationId,
    invocation::{Asked, Surface},
    policy::chain::{ChainPlace, StepKind},
    service::{
        Services,
        invoke::{Answer, AnswerTemplate, AnswerWriter, Call, Completion, GatewayCall},
        policies::{LayerCount, LayerCounts, PolicyLayer},
        recent::RECENT_CALLS,
    },
    upstream::{Upstream, UpstreamAnswer, UpstreamRequest},
};

use super::{
    invocations::add_calls,
    policies::{BY, house, text},
    shop::Shop,
};
use crate::ledger::desk::{Desk, Kind, SECOND_US, on_both};

on_both! {
    every_layer_has_what_it_let_through_and_what_it_denied,
    calls_of_the_marketplace_have_one_layer,
    no_more_than_the_newest_calls_are_counted,
}

const HOUR_US: i64 = 3_600 * SECOND_US;

/// A tool that says nothing, and whoever writes that down.
struct Silent;

impl Upstream for Silent {
    async fn call(&self, _: UpstreamRequest) -> UpstreamAnswer {
        UpstreamAnswer::Completed { result: None, meta: None }
    }
}

impl AnswerWriter for Silent {
    fn template(&self, _: &Completion) -> AnswerTemplate {
        AnswerTemplate { status: 200, fill: Box::new(|_| "{}".into()) }
    }
}

/// Calls a tool through the gateway, in the main session of `agent`. Says whether it was denied.
async fn call(desk: &Desk, services: &Arc<Services>, agent: &str, tool: &str) -> bool {
    let snapshot = services.snapshot();
    let gateway = Arc::clone(snapshot.gateway().unwrap());
    let session = Session::new(format!("agent:{agent}:main"), agent.to_owned());
    let hints = Hints::default();
    let (index, offer) = gateway.find_offer(tool).unwrap();
    let offer = Arc::clone(offer);
    let place = ChainPlace { scope: gateway.scope(&session, &hints, false).unwrap(), tool: index };
    let asked = Asked {
        tool: tool.to_owned(),
        session_key: session.given.clone(),
        channel: None,
        account: None,
        is_owner: false,
    };
    let call = Call {
        id: InvocationId::new(&*services.ids, desk.now_us()),
        surface: Surface::Gateway,
        principal: None,
        end_user: None,
        gateway: Some(GatewayCall { snapshot: gateway, session, hints, place, asked: Arc::new(asked) }),
        offer,
        snapshot,
        arguments: "{}".into(),
        key: None,
        unknown_resolves_after_us: HOUR_US,
    };
    let answered = services.invoke(&Arc::new(Silent), Arc::new(Silent), call).await.unwrap();
    services.ledger.tick().await.unwrap();
    desk.clock.advance_us(1_000);
    matches!(answered.answer, Answer::Denied { .. })
}

async fn publish(services: &Services, chain: &str, operator: &str) {
    let draft = services.draft_policy_text(&BY, &text(chain, operator), "Ann", "a test").await.unwrap();
    services.publish_policy(&BY, draft.number, None).await.unwrap();
}

/// The layers that denied something, with what they denied and let through.
fn denying(counts: &LayerCounts) -> Vec<(PolicyLayer, i64, i64)> {
    let denying = counts.gateway.iter().filter(|count| count.denied > 0);
    denying.map(|count| (count.layer, count.denied, count.passed)).collect()
}

async fn every_layer_has_what_it_let_through_and_what_it_denied(kind: Kind) {
    let (desk, services) = house(kind).await;
    let services = Arc::new(services);
    assert_eq!(services.load_layer_counts().await.unwrap(), LayerCounts::default(), "nobody has called");

    let call = async |agent: &str, tool: &str| call(&desk, &services, agent, tool).await;
    assert!(call("main", "left").await && !call("main", "right").await && !call("rhea", "acme/right").await);
    let chain =
        "{agents: {list: [{id: 'rhea', tools: {deny: ['left']}}]}, gateway: {tools: {deny: ['left', 'right']}}}";
    publish(&services, chain, "").await;
    // Two layers would deny this one: the first of them does.
    assert!(call("rhea", "left").await && call("rhea", "right").await);
    let shut = "@id(\"house.shut\") @reason(\"Not now.\") forbid (principal, action, resource);";
    publish(&services, chain, shut).await;
    assert!(call("rhea", "left").await);

    let counts = services.load_layer_counts().await.unwrap();
    let step = PolicyLayer::Step;
    let expected = [
        (PolicyLayer::Beside, 1, 5),
        (step(StepKind::Global), 1, 4),
        (step(StepKind::Agent), 1, 3),
        (step(StepKind::Http), 1, 2),
    ];
    assert_eq!(denying(&counts), expected);
    let kinds = StepKind::ALL.into_iter().filter(|kind| *kind != StepKind::Owner);
    let layers: Vec<PolicyLayer> = std::iter::once(PolicyLayer::Beside).chain(kinds.map(step)).collect();
    assert_eq!(
        counts.gateway.iter().map(|count| count.layer).collect::<Vec<_>>(),
        layers,
        "this dialect has no owners"
    );
    assert_eq!((counts.marketplace, counts.since_us), (None, None));

    desk.clock.advance_us(24 * HOUR_US - SECOND_US);
    assert_eq!(services.load_layer_counts().await.unwrap(), counts, "it was less than a day ago");
    call("main", "left").await;
    desk.clock.advance_us(SECOND_US);
    let counts = services.load_layer_counts().await.unwrap();
    assert_eq!((denying(&counts), counts.gateway.len()), (vec![(PolicyLayer::Beside, 1, 0)], 10), "that was a day ago");
    desk.clock.advance_us(24 * HOUR_US);
    assert_eq!(services.load_layer_counts().await.unwrap(), LayerCounts::default());
}

async fn calls_of_the_marketplace_have_one_layer(kind: Kind) {
    let mut shop = Shop::open(kind).await;
    shop.paid_call("1").await;
    shop.free_call().await;
    shop.failed_call().await;
    shop.denied_call().await;
    let counts = shop.services.load_layer_counts().await.unwrap();
    let only = LayerCount { layer: PolicyLayer::Beside, denied: 1, passed: 3 };
    assert_eq!(counts, LayerCounts { gateway: Vec::new(), marketplace: Some(only), since_us: None });
}

async fn no_more_than_the_newest_calls_are_counted(kind: Kind) {
    let shop = Shop::open(kind).await;
    shop.free_call().await;
    shop.desk.clock.advance_us(SECOND_US);
    let from_us = shop.desk.now_us();
    // Calls that no policy was asked about are looked at as well, or nobody could say how many rows that takes.
    let count = i64::try_from(RECENT_CALLS).unwrap();
    add_calls(&shop.desk, kind, count - 1, from_us, "not_found").await;
    let counts = shop.services.load_layer_counts().await.unwrap();
    let oldest = shop.desk.number("SELECT min(created_us) FROM invocation");
    assert_eq!((counts.marketplace.map(|only| only.passed), counts.since_us), (Some(1), Some(oldest)));
    add_calls(&shop.desk, kind, 1, from_us + count * 1_000, "not_found").await;
    let counts = shop.services.load_layer_counts().await.unwrap();
    let since_us = Some(from_us - from_us % 1_000);
    assert_eq!(counts, LayerCounts { gateway: Vec::new(), marketplace: None, since_us });
}
