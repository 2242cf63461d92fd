//! Calls: keys, holds and records stand or fall together.

use super::*;
use crate::{
    code::Code,
    testing::{call_end, running_call},
};

fn call(number: u128) -> InvocationId {
    InvocationId::from(uuid::Uuid::from_u128(number))
}

fn claim(key: &str, request: &str) -> KeyClaim {
    let name = KeyName { scope: uuid::Uuid::from_u128(7), key: key.into() };
    KeyClaim { name, fingerprint: sha256(request.as_bytes()) }
}

/// A call that holds `amount` (nothing: a free call), under the key `k` for the request `r`.
fn begin(number: u128, amount: Option<i64>) -> Begin {
    let place = amount.map(|amount| PlaceHold { ttl_us: 60 * SECOND_US, ..hold(name(number), amount) });
    let key = Some(claim("k", "r"));
    Begin { call: running_call(call(number), place.as_ref(), key.as_ref(), NOW_US), key, hold: place }
}

fn stored() -> KeyEnd {
    let render = |ended: &Ended| format!("{}/{}", ended.charged.micros(), ended.spendable.micros()).into();
    KeyEnd::Store { status: 200, render: Arc::new(render) }
}

fn finish(number: u128, outcome: Outcome, key: KeyEnd) -> Finish {
    let end = call_end(CallState::Succeeded);
    Finish { call: call(number), wallet: Some(WALLET), caps: Vec::new(), outcome, key, end }
}

fn ended(charged: i64, spendable: i64) -> Result<Ended, Refusal> {
    Ok(Ended { charged: micros(charged), spendable: micros(spendable), is_too_late: false })
}

fn too_late(spendable: i64) -> Result<Ended, Refusal> {
    Ok(Ended { charged: Credits::ZERO, spendable: micros(spendable), is_too_late: true })
}

/// What a second call with the same key and request is told in `facts` at `now_us`.
fn retried(facts: &mut Facts, now_us: i64) -> Begun {
    Batch::new(facts, now_us, 1).begin(&begin(99, Some(1)))
}

fn states(plan: &Plan) -> Vec<(InvocationId, CallState, i64)> {
    plan.calls
        .iter()
        .filter_map(|write| match write {
            CallWrite::Insert(_) => None,
            CallWrite::End(id, end) => Some((*id, end.state, end.charged.micros())),
        })
        .collect()
}

#[test]
fn a_finished_call_is_replayed_with_the_balance_after_its_charge() {
    let mut facts = facts_with(100);
    let mut batch = Batch::new(&mut facts, NOW_US, 1);
    assert_eq!(batch.begin(&begin(2, Some(60))), Begun::Go);
    assert_eq!(
        batch.begin(&begin(3, Some(60))),
        Begun::Key(KeyVerdict::InFlight { call: call(2) }),
        "one batch, one key"
    );
    assert_eq!(batch.finish(&finish(2, Outcome::Capture(micros(25)), stored())), ended(25, 75));
    let replay = Begun::Key(KeyVerdict::Replay { call: call(2), status: 200, body: "25/75".into() });
    assert_eq!(batch.begin(&begin(4, Some(60))), replay);
    let plan = batch.into_plan();
    assert_eq!(states(&plan), [(call(2), CallState::Succeeded, 25)]);
    let charge = plan.entries.iter().find_map(|entry| match entry {
        Entry::Transaction(charge) => Some((charge.id, charge.kind, charge.hold)),
        _ => None,
    });
    assert_eq!(
        charge,
        Some((name(2), TransactionKind::Charge, Some(name(2)))),
        "hold and charge carry the call's name"
    );
    assert_eq!(retried(&mut facts, NOW_US + 23 * 3_600 * SECOND_US), replay);
    assert_eq!(retried(&mut facts, NOW_US + 24 * 3_600 * SECOND_US), Begun::Go, "a key is remembered for a day");
}

#[test]
fn another_request_under_the_same_key_is_told_so_and_shown_nothing() {
    let mut facts = facts_with(100);
    let other = Begin { key: Some(claim("k", "another")), ..begin(3, Some(1)) };
    let mut batch = Batch::new(&mut facts, NOW_US, 1);
    assert_eq!(batch.begin(&begin(2, None)), Begun::Go);
    assert_eq!(batch.begin(&other), Begun::Key(KeyVerdict::Reused { call: call(2) }));
    assert_eq!(batch.finish(&finish(2, Outcome::Release, stored())), ended(0, 100));
    assert_eq!(batch.begin(&other), Begun::Key(KeyVerdict::Reused { call: call(2) }));
}

#[test]
fn a_call_without_money_claims_no_key_and_is_recorded_as_refused() {
    let mut facts = facts_with(59);
    let mut batch = Batch::new(&mut facts, NOW_US, 1);
    let refusal = Refusal::Insufficient { limit: Limit::Wallet(WALLET), needed: micros(60), available: micros(59) };
    assert_eq!(batch.begin(&begin(2, Some(60))), Begun::Refused { refusal, spendable: micros(59) });
    let plan = batch.into_plan();
    assert!(plan.keys.is_empty(), "{:?}", plan.keys);
    let [CallWrite::Insert(record)] = plan.calls.as_slice() else { panic!("{:?}", plan.calls) };
    assert_eq!((record.state, record.held, &record.key), (CallState::Refused, Credits::ZERO, &None));
    assert_eq!(record.end.as_ref().unwrap().error, Some(Code::InsufficientCredits));
    assert!(facts.calls.is_empty() && facts.holds.is_empty() && facts.keys.is_empty());
}

#[test]
fn a_failed_call_gives_the_money_back_and_frees_its_key() {
    let mut facts = facts_with(100);
    let mut batch = Batch::new(&mut facts, NOW_US, 1);
    assert_eq!(batch.begin(&begin(2, Some(60))), Begun::Go);
    assert_eq!(batch.finish(&finish(2, Outcome::Release, KeyEnd::Free)), ended(0, 100));
    assert_eq!(batch.finish(&finish(2, Outcome::Capture(micros(60)), stored())), too_late(100), "a call ends once");
    let plan = batch.into_plan();
    assert!(matches!(plan.keys.as_slice(), [KeyWrite::Claim(..), KeyWrite::Free(..)]), "{:?}", plan.keys);
    assert_eq!(retried(&mut facts, NOW_US), Begun::Go);
}

#[test]
fn an_unknown_outcome_keeps_key_and_hold_until_its_rule_is_followed() {
    for (on_expiry, state, left) in [
        (OnExpiry::Release, CallState::UnknownReleased, 100),
        (OnExpiry::Capture(micros(20)), CallState::UnknownCaptured, 80),
    ] {
        let mut facts = facts_with(100);
        let mut first = begin(2, Some(60));
        first.hold.as_mut().unwrap().on_expiry = on_expiry;
        let resolves_us = NOW_US + 300 * SECOND_US;
        let mut batch = Batch::new(&mut facts, NOW_US, 1);
        assert_eq!(batch.begin(&first), Begun::Go);
        assert_eq!(batch.finish(&finish(2, Outcome::Unknown { resolves_us }, KeyEnd::Unknown)), ended(0, 40));
        assert_eq!(batch.recover(10), Ok(0), "its server has said what it knows");
        let plan = batch.into_plan();
        assert_eq!(plan.postponed, [(name(2), resolves_us)]);
        assert_eq!(states(&plan), [(call(2), CallState::Unknown, 0)]);
        let unknown = Begun::Key(KeyVerdict::OutcomeUnknown { call: call(2) });
        assert_eq!(retried(&mut facts, NOW_US), unknown);
        assert_eq!(Batch::new(&mut facts, resolves_us - 1, 2).sweep(10), Ok(0));
        let mut batch = Batch::new(&mut facts, resolves_us, 2);
        assert_eq!(batch.sweep(10), Ok(1));
        assert_eq!(batch.finish(&finish(2, Outcome::Capture(micros(60)), stored())), too_late(left));
        assert_eq!(states(&batch.into_plan()), [(call(2), state, 100 - left)]);
        assert_eq!(retried(&mut facts, resolves_us), unknown, "never dispatched again");
    }
}

#[test]
fn a_free_call_with_an_unknown_outcome_has_nothing_to_wait_for() {
    let mut facts = facts_with(100);
    let mut batch = Batch::new(&mut facts, NOW_US, 1);
    assert_eq!(batch.begin(&begin(2, None)), Begun::Go);
    let outcome = Outcome::Unknown { resolves_us: NOW_US + SECOND_US };
    assert_eq!(batch.finish(&finish(2, outcome, KeyEnd::Unknown)), ended(0, 100));
    assert_eq!(states(&batch.into_plan()), [(call(2), CallState::UnknownReleased, 0)]);
    assert!(facts.calls.is_empty());
    assert_eq!(retried(&mut facts, NOW_US), Begun::Key(KeyVerdict::OutcomeUnknown { call: call(2) }));
}

#[test]
fn calls_of_an_earlier_term_are_settled_by_their_rule() {
    let mut facts = facts_with(100);
    let keyed = |number, amount, on_expiry| {
        let mut begin = begin(number, amount);
        begin.key.as_mut().unwrap().name.key = format!("k{number}").into();
        if let Some(hold) = &mut begin.hold {
            hold.on_expiry = on_expiry;
        }
        begin
    };
    let mut batch = Batch::new(&mut facts, NOW_US, 1);
    for (number, amount, rule) in
        [(2, Some(30), OnExpiry::Release), (3, Some(30), OnExpiry::Capture(micros(10))), (4, None, OnExpiry::Release)]
    {
        assert_eq!(batch.begin(&keyed(number, amount, rule)), Begun::Go);
    }
    assert_eq!(Batch::new(&mut facts, NOW_US, 1).recover(10), Ok(0), "its own calls are at work");
    assert_eq!(Batch::new(&mut facts, NOW_US, 2).begin(&keyed(5, Some(40), OnExpiry::Release)), Begun::Go);
    let mut batch = Batch::new(&mut facts, NOW_US, 2);
    assert_eq!(batch.recover(10), Ok(3));
    assert_eq!(batch.recover(10), Ok(0));
    let mut ends = states(&batch.into_plan());
    ends.sort_by_key(|(id, ..)| *id);
    let expected = [
        (call(2), CallState::UnknownReleased, 0),
        (call(3), CallState::UnknownCaptured, 10),
        (call(4), CallState::UnknownReleased, 0),
    ];
    assert_eq!(ends, expected);
    assert_eq!(facts.wallets[&WALLET].available(), 50, "10 charged, 40 held by the living call");
    assert_eq!(facts.calls.keys().copied().collect::<Vec<_>>(), [call(5)]);
    for (number, state) in
        [(2, KeyState::Unknown), (3, KeyState::Unknown), (4, KeyState::Unknown), (5, KeyState::Running)]
    {
        let name = KeyName { scope: uuid::Uuid::from_u128(7), key: format!("k{number}").into() };
        assert_eq!(facts.keys[&name].state, state, "k{number}");
    }
}

#[test]
fn charging_more_than_was_held_is_refused_and_the_call_stays_open() {
    let mut facts = facts_with(100);
    let mut batch = Batch::new(&mut facts, NOW_US, 1);
    assert_eq!(batch.begin(&begin(2, Some(60))), Begun::Go);
    let answer = batch.finish(&finish(2, Outcome::Capture(micros(61)), stored()));
    assert_eq!(answer, Err(Refusal::ExceedsHold { held: micros(60) }));
    assert_eq!(batch.finish(&finish(2, Outcome::Capture(micros(60)), stored())), ended(60, 40));
}
