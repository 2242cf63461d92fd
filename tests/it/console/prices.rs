//! The part `prices` of the console: what makes calls dearer is approved, what has been seen is what is done, and what a
//! price would have cost is worked out from what is kept.

use engine::{
    credits::Credits,
    id::{OperatorId, PriceVersionId},
    invocation::CallState,
    operator::Role,
    pricing::PricingSpec,
    service::{
        Services,
        approvals::{ApprovalState, Decision, Deed},
        catalog::spec_to_json,
        operators::NewOperator,
        prices::{CancelPriceError, PriceCancel, PriceOrder, PriceStart, SchedulePriceError},
    },
};

use super::catalog::{by, fixed, record_call, shop};
use crate::ledger::desk::{Kind, SECOND_US, on_both};

on_both! {
    a_price_that_is_not_dearer_is_scheduled_at_once,
    a_dearer_price_waits_for_somebody_else_and_is_then_carried_out_once,
    what_was_approved_late_begins_late_and_never_before,
    only_what_has_been_seen_is_done,
    a_trial_says_what_the_newest_calls_would_have_cost,
    every_version_is_listed_and_found,
    a_ladder_of_prices_needs_somebody_else,
    taking_a_price_back_that_is_cheaper_needs_somebody_else,
}

const fn order<'a>(spec: &'a PricingSpec, start: PriceStart, key: &'a str) -> PriceOrder<'a> {
    PriceOrder { path: "acme/add", spec, start, key: Some(key), reason: Some("a test"), may_raise: false, over: None }
}

const SOONEST: PriceStart = PriceStart::NotBefore(0);

/// What a call costs at a time, as this server knows it.
fn cost_at(services: &Services, at_us: i64) -> String {
    let snapshot = services.snapshot();
    let price = snapshot.find_offer("acme", "add").unwrap().tool.prices.in_force_at(at_us).unwrap().to_spec();
    price.fixed_credit_cost.unwrap()
}

async fn operators(services: &Services) -> (OperatorId, OperatorId) {
    let make = async |email: &str| {
        let new = NewOperator { email, name: "Somebody", roles: &[Role::Operator] };
        services.create_operator(&by(), new).await.unwrap().operator.id
    };
    (make("a@example.com").await, make("b@example.com").await)
}

async fn a_price_that_is_not_dearer_is_scheduled_at_once(kind: Kind) {
    let (desk, services, tool) = shop(kind).await;
    let now_us = desk.now_us();
    let cheaper = fixed("4");
    let planned = services.plan_price(&order(&cheaper, SOONEST, "k")).await.unwrap();
    assert!(!planned.is_raise && planned.tool == tool);
    assert_eq!(planned.effective_from_us, now_us + 2 * SECOND_US, "as soon as every server can know of it");
    let made = services.order_price(&by(), &order(&cheaper, SOONEST, "k")).await.unwrap();
    assert_eq!(made.effective_from_us, now_us + 2 * SECOND_US);
    assert_eq!((cost_at(&services, now_us).as_str(), cost_at(&services, made.effective_from_us).as_str()), ("5", "4"));
    // The same form a second later is the same price.
    desk.clock.advance_us(SECOND_US);
    let again = services.order_price(&by(), &order(&cheaper, SOONEST, "k")).await.unwrap();
    assert!(again.is_replay && again.id == made.id);
    let told = desk.rows("SELECT reason, object_id FROM audit WHERE action = 'price.schedule'");
    assert_eq!(told, [["a test".to_owned(), made.id.to_string()]]);
    let silent = PriceOrder { reason: Some("two\nlines"), ..order(&cheaper, SOONEST, "other") };
    assert!(matches!(services.order_price(&by(), &silent).await, Err(SchedulePriceError::Reason)));
    desk.verify();
}

fn asked(spec: &PricingSpec, from_us: i64, over: PriceVersionId) -> Deed {
    Deed::PriceSchedule {
        tool: "acme/add".to_owned(),
        spec: spec_to_json(spec),
        from_us,
        over: Some(over),
        reason: "a test".to_owned(),
    }
}

async fn a_dearer_price_waits_for_somebody_else_and_is_then_carried_out_once(kind: Kind) {
    let (desk, services, tool) = shop(kind).await;
    let (author, other) = operators(&services).await;
    let dearer = fixed("6");
    let from_us = desk.now_us() + 3_600 * SECOND_US;
    let wanted = order(&dearer, PriceStart::At(from_us), "form");
    assert!(services.plan_price(&wanted).await.unwrap().is_raise);
    assert!(matches!(services.order_price(&by(), &wanted).await, Err(SchedulePriceError::Raises)));
    let standing = services.plan_price(&wanted).await.unwrap().standing.unwrap();
    let deed = asked(&dearer, from_us, standing.id);
    let id = services.request_deed(&by(), author, &deed, "a test", Some("form")).await.unwrap();
    let again = services.request_deed(&by(), author, &deed, "a test", Some("form")).await.unwrap();
    assert_eq!(again, id, "the same form asks once");
    assert_eq!(desk.number("SELECT count(*) FROM price_version"), 1, "nothing is scheduled before");
    let kept = services.find_approval(id).await.unwrap().unwrap();
    assert_eq!((kept.kind.as_str(), kept.object_id.clone()), ("price.schedule", tool.to_string()));
    assert_eq!(Deed::from_payload(&kept.payload), Ok(deed));
    let own = services.decide_approval(&by(), id, author, Decision::Approve, None).await;
    assert!(own.is_err(), "the author never approves");
    let approved = services.decide_approval(&by(), id, other, Decision::Approve, None).await.unwrap();
    assert_eq!(approved.state, ApprovalState::Approved);
    services.carry_out_approval(&approved).await.unwrap();
    services.carry_out_approval(&approved).await.unwrap();
    assert_eq!(desk.number("SELECT count(*) FROM price_version"), 2, "carried out once");
    let made = services.find_price_at(tool, from_us).await.unwrap().unwrap();
    assert_eq!(made.effective_from_us, from_us);
    assert_eq!(cost_at(&services, from_us), "6");
    let told = desk.rows("SELECT reason FROM audit WHERE action = 'price.schedule'");
    assert_eq!(told, [["a test"]]);
    desk.verify();
}

async fn what_was_approved_late_begins_late_and_never_before(kind: Kind) {
    let (desk, services, tool) = shop(kind).await;
    let (author, other) = operators(&services).await;
    let dearer = fixed("6");
    let from_us = desk.now_us() + 60 * SECOND_US;
    let standing = services.find_price_at(tool, from_us).await.unwrap().unwrap();
    let deed = asked(&dearer, from_us, standing.id);
    let id = services.request_deed(&by(), author, &deed, "a test", Some("form")).await.unwrap();
    desk.clock.advance_us(3_600 * SECOND_US);
    let approved = services.decide_approval(&by(), id, other, Decision::Approve, None).await.unwrap();
    services.carry_out_approval(&approved).await.unwrap();
    let made = services.find_price_at(tool, desk.now_us() + 3_600 * SECOND_US).await.unwrap().unwrap();
    assert_eq!(made.effective_from_us, desk.now_us() + 2 * SECOND_US);
    assert_eq!(cost_at(&services, desk.now_us()), "5", "the past and the present stay");
    desk.clock.advance_us(10 * SECOND_US);
    services.carry_out_approval(&approved).await.unwrap();
    assert_eq!(desk.number("SELECT count(*) FROM price_version"), 2);
    desk.verify();
}

async fn only_what_has_been_seen_is_done(kind: Kind) {
    let (desk, services, _tool) = shop(kind).await;
    let from_us = desk.now_us() + 3_600 * SECOND_US;
    let (three, four) = (fixed("3"), fixed("4"));
    let start = PriceStart::At(from_us);
    let seen = services.plan_price(&order(&four, start, "a")).await.unwrap().standing.unwrap().id;
    // Somebody else is quicker: from 5 to 4 would have been cheaper, from 3 to 4 it is not.
    let between = PriceStart::At(from_us - 60 * SECOND_US);
    services.order_price(&by(), &order(&three, between, "b")).await.unwrap();
    let late = PriceOrder { over: Some(seen), ..order(&four, start, "a") };
    let refused = services.order_price(&by(), &late).await;
    assert!(matches!(refused, Err(SchedulePriceError::Stale)), "{refused:?}");
    let planned = services.plan_price(&late).await.unwrap();
    assert!(planned.is_raise);
    let again = PriceOrder { over: planned.standing.map(|standing| standing.id), ..late };
    assert!(matches!(services.order_price(&by(), &again).await, Err(SchedulePriceError::Raises)));
    assert_eq!(desk.number("SELECT count(*) FROM price_version"), 2);
    desk.verify();
}

async fn a_trial_says_what_the_newest_calls_would_have_cost(kind: Kind) {
    let (desk, services, tool) = shop(kind).await;
    let credits = |credits: i64| Credits::from_micros(credits * 1_000_000);
    let none = services.try_price(tool, &fixed("6")).await.unwrap();
    assert_eq!((none.looked_at, none.calls, none.since_us), (0, 0, None));
    let first_us = desk.now_us();
    for (state, charged) in [
        (CallState::Succeeded, 5_000_000),
        (CallState::Succeeded, 5_000_000),
        (CallState::Failed, 0),
        (CallState::Denied, 0),
    ] {
        record_call(&desk, tool, state, charged).await;
    }
    record_call(&desk, engine::id::ToolId::from(desk.fresh().uuid()), CallState::Succeeded, 1).await;
    let dearer = services.try_price(tool, &fixed("6")).await.unwrap();
    assert_eq!((dearer.looked_at, dearer.calls, dearer.since_us), (5, 3, Some(first_us)));
    assert_eq!((dearer.charged, dearer.least, dearer.most), (credits(10), credits(12), Some(credits(12))));
    let attempted = PricingSpec { charge_on: Some("attempt".to_owned()), ..fixed("6") };
    let attempted = services.try_price(tool, &attempted).await.unwrap();
    assert_eq!((attempted.least, attempted.most), (credits(12), Some(credits(18))), "whether it was sent is not kept");
    let wrong = services.try_price(tool, &fixed("-1")).await;
    assert!(matches!(wrong, Err(SchedulePriceError::Price(_))), "{wrong:?}");
}

async fn every_version_is_listed_and_found(kind: Kind) {
    let (desk, services, tool) = shop(kind).await;
    let now_us = desk.now_us();
    let first = services.find_price_at(tool, now_us).await.unwrap().unwrap();
    let mut made = Vec::new();
    for (hours, credits, key) in [(1, "4", "a"), (2, "3", "b")] {
        let spec = fixed(credits);
        let start = PriceStart::At(now_us + hours * 3_600 * SECOND_US);
        made.push(services.order_price(&by(), &order(&spec, start, key)).await.unwrap());
    }
    services.cancel_price(&by(), made[1].id, Some("a slip")).await.unwrap();
    let listed = services.list_prices(tool, None).await.unwrap();
    let ids: Vec<_> = listed.rows.iter().map(|price| (price.id, price.cancelled_us.is_some())).collect();
    assert_eq!(ids, [(made[1].id, true), (made[0].id, false), (first.id, false)], "the last to begin first");
    let older = services.list_prices(tool, Some(made[0].effective_from_us)).await.unwrap();
    assert_eq!((older.rows.len(), older.next), (1, None));
    let found = services.find_price(made[1].id).await.unwrap().unwrap();
    assert_eq!((found.path.as_str(), found.cancelled_us), ("acme/add", Some(desk.now_us())));
    let at = services.find_price_at(tool, made[1].effective_from_us).await.unwrap().unwrap();
    assert_eq!(at.id, made[0].id, "what was taken back is never in force");
}

const HOUR_US: i64 = 3_600 * SECOND_US;

async fn a_ladder_of_prices_needs_somebody_else(kind: Kind) {
    let (desk, services, _tool) = shop(kind).await;
    let at = |hours: i64| PriceStart::At(desk.now_us() + hours * HOUR_US);
    let [three, four, half, five] = ["3", "4", "4.5", "5"].map(fixed);
    let last = services.order_price(&by(), &order(&four, at(2), "a")).await.unwrap();
    // A fall from 5, and then 4 would be a raise that nobody has seen.
    let planned = services.plan_price(&order(&three, at(1), "b")).await.unwrap();
    assert!(planned.is_raise && planned.follows.map(|follows| follows.id) == Some(last.id));
    let refused = services.order_price(&by(), &order(&three, at(1), "b")).await;
    assert!(matches!(refused, Err(SchedulePriceError::Raises)), "{refused:?}");
    services.order_price(&by(), &order(&half, at(1), "c")).await.unwrap();
    let behind = services.order_price(&by(), &order(&five, at(3), "d")).await;
    assert!(matches!(behind, Err(SchedulePriceError::Raises)), "{behind:?}");
    services.order_price(&by(), &order(&three, at(3), "e")).await.unwrap();
    // What was taken back is nobody's neighbour.
    services.cancel_price(&by(), last.id, None).await.unwrap();
    let planned = services.plan_price(&order(&four, at(2), "f")).await.unwrap();
    assert!(!planned.is_raise, "{planned:?}");
    desk.verify();
}

async fn taking_a_price_back_that_is_cheaper_needs_somebody_else(kind: Kind) {
    let (desk, services, tool) = shop(kind).await;
    let (author, other) = operators(&services).await;
    let from_us = desk.now_us() + HOUR_US;
    let first = services.find_price_at(tool, from_us).await.unwrap().unwrap();
    let take_back = async |id, instead| {
        let cancel = PriceCancel { id, reason: Some("a slip"), may_raise: false, instead };
        services.take_price_back(&by(), &cancel).await
    };
    // A fall that was promised.
    let four = fixed("4");
    let fall = services.order_price(&by(), &order(&four, PriceStart::At(from_us), "a")).await.unwrap();
    let planned = services.plan_price_cancel(fall.id).await.unwrap();
    assert!(planned.is_raise && planned.follows.is_none());
    assert_eq!(planned.instead.map(|instead| instead.id), Some(first.id));
    let refused = take_back(fall.id, None).await;
    assert!(matches!(refused, Err(CancelPriceError::Raises)), "{refused:?}");
    let stale = take_back(fall.id, Some(fall.id)).await;
    assert!(matches!(stale, Err(CancelPriceError::Stale)), "{stale:?}");
    let deed = Deed::PriceCancel { price: fall.id, instead: Some(first.id), reason: "a slip".to_owned() };
    let id = services.request_deed(&by(), author, &deed, "a slip", Some("form")).await.unwrap();
    assert_eq!(cost_at(&services, from_us), "4", "nothing is taken back before");
    let approved = services.decide_approval(&by(), id, other, Decision::Approve, None).await.unwrap();
    for _ in 0..2 {
        services.carry_out_approval(&approved).await.unwrap();
    }
    assert_eq!(services.find_approval(id).await.unwrap().unwrap().state, ApprovalState::Approved);
    assert_eq!(cost_at(&services, from_us), "5");
    assert_eq!(desk.number("SELECT count(*) FROM audit WHERE action = 'price.cancel'"), 1);
    let again = take_back(fall.id, None).await;
    assert!(matches!(again, Err(CancelPriceError::AlreadyCancelled)), "{again:?}");

    // A raise that somebody agreed to, and a fall from it: without the raise the fall is one.
    let (twenty, fifteen) = (fixed("20"), fixed("15"));
    let agreed = |spec, start, key| PriceOrder { may_raise: true, ..order(spec, start, key) };
    let raise = agreed(&twenty, PriceStart::At(from_us + HOUR_US), "b");
    let raise = services.order_price(&by(), &raise).await.unwrap();
    let fall = order(&fifteen, PriceStart::At(from_us + 2 * HOUR_US), "c");
    let fall = services.order_price(&by(), &fall).await.unwrap();
    let refused = take_back(raise.id, None).await;
    assert!(matches!(refused, Err(CancelPriceError::Raises)), "{refused:?}");
    services.cancel_price(&by(), fall.id, None).await.unwrap();
    // A raise alone may go.
    take_back(raise.id, Some(first.id)).await.unwrap();
    assert_eq!(cost_at(&services, from_us + 3 * HOUR_US), "5");
    desk.verify();
}
