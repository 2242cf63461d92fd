//! What a server leaves behind when it dies, and what the next one makes of it.

use std::sync::Arc;

use engine::{
    credits::Credits,
    id::{EntryId, InvocationId},
    invocation::CallState,
    ledger::{
        AccountKind, OnExpiry, PlaceHold,
        batch::{Begin, Begun, Ended, Finish, KeyEnd, Outcome},
        key::{KeyClaim, KeyName, KeyVerdict},
        leaf::sha256,
    },
    testing::{call_end, running_call},
};
use uuid::Uuid;

use super::desk::{Desk, Kind, SECOND_US, Waited, hold, payable_id, together, wallet_id};

const DAY_US: i64 = 86_400 * SECOND_US;

async fn desk(kind: Kind) -> Desk {
    let desk = Desk::open_on(kind).await;
    desk.open_account(payable_id(1), AccountKind::Payable, 0).await;
    desk.open_account(wallet_id(1), AccountKind::Wallet, 0).await;
    desk.fund(wallet_id(1), 1_000).await;
    desk
}

/// A call under `key` that holds `amount` (nothing: a free call) and follows `on_expiry` if it is lost.
fn begin(desk: &Desk, key: &str, amount: Option<i64>, on_expiry: OnExpiry) -> Begin {
    let id = desk.fresh();
    let place = amount.map(|amount| {
        let place = hold(id, wallet_id(1), payable_id(1), amount);
        PlaceHold { ttl_us: 60 * SECOND_US, on_expiry, ..place }
    });
    let name = KeyName { scope: Uuid::from_u128(1), key: key.into() };
    let key = Some(KeyClaim { name, fingerprint: sha256(b"the request") });
    let call = running_call(InvocationId::from(id.uuid()), place.as_ref(), key.as_ref(), desk.now_us());
    Begin { call, key, hold: place }
}

fn finish(begin: &Begin, outcome: Outcome, key: KeyEnd) -> Finish {
    let end = call_end(CallState::Succeeded);
    Finish { call: begin.call.id, wallet: Some(wallet_id(1)), caps: Vec::new(), outcome, key, end }
}

fn stored() -> KeyEnd {
    let render = |ended: &Ended| format!("charged {}", ended.charged.micros()).into();
    KeyEnd::Store { status: 200, render: Arc::new(render) }
}

/// What a retry under `key` is told.
async fn retry(desk: &Desk, key: &str) -> Begun {
    desk.ledger().begin(begin(desk, key, Some(1), OnExpiry::Release)).await.unwrap()
}

fn state(desk: &Desk, call: InvocationId) -> (i64, i64) {
    let id = desk.id_literal(EntryId::from(call.uuid()));
    let row = desk.rows(&format!("SELECT state, charged FROM invocation WHERE id = {id}")).remove(0);
    (row[0].parse().unwrap(), row[1].parse().unwrap())
}

async fn an_answered_call_is_replayed_after_a_restart_for_a_day(kind: Kind) {
    let mut desk = desk(kind).await;
    let call = begin(&desk, "k", Some(100), OnExpiry::Release);
    assert_eq!(desk.ledger().begin(call.clone()).await.unwrap(), Begun::Go);
    let ended = desk.ledger().finish(finish(&call, Outcome::Capture(Credits::from_micros(30)), stored())).await;
    assert_eq!(ended.unwrap().unwrap().charged.micros(), 30);
    desk.restart();
    let replay = KeyVerdict::Replay { call: call.call.id, status: 200, body: "charged 30".into() };
    assert_eq!(retry(&desk, "k").await, Begun::Key(replay.clone()));
    desk.clock.advance_us(DAY_US - 1);
    desk.restart();
    assert_eq!(retry(&desk, "k").await, Begun::Key(replay));
    desk.clock.advance_us(1);
    assert_eq!(retry(&desk, "k").await, Begun::Go);
    assert_eq!(desk.number("SELECT count(*) FROM idem_answer"), 0, "the old answer went with its claim");
    assert_eq!(desk.wallet(wallet_id(1)).debits, 30);
    desk.verify();
}

async fn a_retry_beside_the_end_of_its_call_leaves_no_key_behind(kind: Kind) {
    let desk = desk(kind).await;
    for round in 0..10 {
        let key = format!("k{round}");
        let [first, second] = [(); 2].map(|()| begin(&desk, &key, Some(1), OnExpiry::Release));
        assert_eq!(desk.ledger().begin(first.clone()).await.unwrap(), Begun::Go);
        let retry_of: Waited<'_, Option<Begun>> =
            Box::pin(async { Some(desk.ledger().begin(second.clone()).await.unwrap()) });
        let end: Waited<'_, Option<Begun>> = Box::pin(async {
            assert!(desk.ledger().finish(finish(&first, Outcome::Release, KeyEnd::Free)).await.unwrap().is_ok());
            None
        });
        let is_fresh = together(vec![retry_of, end]).await[0] == Some(Begun::Go);
        let owner = desk.rows(&format!("SELECT call FROM idem WHERE key = '{key}'")).concat();
        let expected = if is_fresh { vec![second.call.id.uuid().simple().to_string()] } else { Vec::new() };
        assert_eq!(owner, expected, "round {round}");
        if is_fresh {
            let ended =
                desk.ledger().finish(finish(&second, Outcome::Capture(Credits::from_micros(1)), stored())).await;
            assert!(ended.unwrap().is_ok());
            assert!(matches!(retry(&desk, &key).await, Begun::Key(KeyVerdict::Replay { .. })), "round {round}");
        }
    }
    desk.verify();
}

async fn keys_are_forgotten_when_their_day_is_over_unless_their_call_is_running(kind: Kind) {
    let desk = desk(kind).await;
    let kept =
        |desk: &Desk| (desk.number("SELECT count(*) FROM idem"), desk.number("SELECT count(*) FROM idem_answer"));
    let answered = begin(&desk, "answered", Some(10), OnExpiry::Release);
    let running = begin(&desk, "running", None, OnExpiry::Release);
    for call in [&answered, &running] {
        assert_eq!(desk.ledger().begin(call.clone()).await.unwrap(), Begun::Go);
    }
    let charge = Outcome::Capture(Credits::from_micros(5));
    assert!(desk.ledger().finish(finish(&answered, charge, stored())).await.unwrap().is_ok());
    desk.clock.advance_us(DAY_US - 1);
    desk.ledger().tick().await.unwrap();
    assert_eq!(kept(&desk), (2, 1), "an instant before the day is over");
    desk.clock.advance_us(SECOND_US);
    desk.ledger().tick().await.unwrap();
    assert_eq!(kept(&desk), (1, 0));
    assert_eq!(desk.number("SELECT count(*) FROM idem WHERE key = 'running'"), 1);
    desk.verify();
}

async fn calls_that_a_dead_server_left_open_are_settled_on_the_first_tick(kind: Kind) {
    let mut desk = desk(kind).await;
    let by_success = begin(&desk, "by success", Some(100), OnExpiry::Release);
    let by_attempt = begin(&desk, "by attempt", Some(100), OnExpiry::Capture(Credits::from_micros(40)));
    let free = begin(&desk, "free", None, OnExpiry::Release);
    let answered = begin(&desk, "answered", Some(100), OnExpiry::Release);
    let failed = begin(&desk, "failed", Some(100), OnExpiry::Release);
    for call in [&by_success, &by_attempt, &free, &answered, &failed] {
        assert_eq!(desk.ledger().begin(call.clone()).await.unwrap(), Begun::Go);
    }
    let charge = Outcome::Capture(Credits::from_micros(25));
    assert!(desk.ledger().finish(finish(&answered, charge, stored())).await.unwrap().is_ok());
    assert!(desk.ledger().finish(finish(&failed, Outcome::Release, KeyEnd::Free)).await.unwrap().is_ok());
    desk.ledger().tick().await.unwrap();
    assert_eq!(desk.wallet(wallet_id(1)).held, 200, "a living server's calls are left alone");

    desk.restart();
    assert_eq!(desk.wallet(wallet_id(1)).held, 200, "nothing is done before the first tick");
    desk.ledger().tick().await.unwrap();
    let wallet = desk.wallet(wallet_id(1));
    assert_eq!((wallet.held, wallet.debits), (0, 65));
    assert_eq!(desk.hot_balance(payable_id(1)), 65);
    assert_eq!(state(&desk, by_success.call.id), (CallState::UnknownReleased.raw().into(), 0));
    assert_eq!(state(&desk, by_attempt.call.id), (CallState::UnknownCaptured.raw().into(), 40));
    assert_eq!(state(&desk, free.call.id), (CallState::UnknownReleased.raw().into(), 0));
    assert_eq!(state(&desk, answered.call.id), (CallState::Succeeded.raw().into(), 25));
    for (key, call) in [("by success", &by_success), ("by attempt", &by_attempt), ("free", &free)] {
        let unknown = Begun::Key(KeyVerdict::OutcomeUnknown { call: call.call.id });
        assert_eq!(retry(&desk, key).await, unknown, "`{key}` is never dispatched again");
    }
    assert_eq!(retry(&desk, "failed").await, Begun::Go);
    let late = desk.ledger().finish(finish(&by_success, charge, stored())).await.unwrap().unwrap();
    assert!(late.is_too_late && late.charged.is_zero(), "{late:?}");
    desk.verify();
}

async fn an_unknown_outcome_outlives_restarts_until_its_rule_is_followed(kind: Kind) {
    let mut desk = desk(kind).await;
    let call = begin(&desk, "k", Some(100), OnExpiry::Capture(Credits::from_micros(40)));
    assert_eq!(desk.ledger().begin(call.clone()).await.unwrap(), Begun::Go);
    let resolves_us = desk.now_us() + 300 * SECOND_US;
    let ended = desk.ledger().finish(finish(&call, Outcome::Unknown { resolves_us }, KeyEnd::Unknown)).await;
    assert!(!ended.unwrap().unwrap().is_too_late);
    desk.restart();
    desk.clock.advance_us(300 * SECOND_US - 1);
    desk.ledger().tick().await.unwrap();
    assert_eq!(desk.wallet(wallet_id(1)).held, 100, "longer than the hold's own lifetime");
    assert_eq!(state(&desk, call.call.id).0, i64::from(CallState::Unknown.raw()));
    desk.clock.advance_us(1);
    desk.restart();
    desk.ledger().tick().await.unwrap();
    let wallet = desk.wallet(wallet_id(1));
    assert_eq!((wallet.held, wallet.debits), (0, 40));
    assert_eq!(state(&desk, call.call.id), (CallState::UnknownCaptured.raw().into(), 40));
    assert_eq!(retry(&desk, "k").await, Begun::Key(KeyVerdict::OutcomeUnknown { call: call.call.id }));
    desk.verify();
}

async fn recorded_time_never_goes_backwards(kind: Kind) {
    let mut desk = desk(kind).await;
    desk.clock.advance_us(-3_600 * SECOND_US);
    desk.fund(wallet_id(1), 1).await;
    desk.restart();
    desk.fund(wallet_id(1), 1).await;
    let sql =
        "SELECT count(*) FROM batch a JOIN batch b ON b.batch_no = a.batch_no + 1 WHERE b.recorded_us < a.recorded_us";
    assert_eq!(desk.number(sql), 0);
    assert_eq!(desk.number("SELECT count(DISTINCT epoch) FROM batch"), 2);
    desk.verify();
}

super::desk::on_both! {
    an_answered_call_is_replayed_after_a_restart_for_a_day,
    a_retry_beside_the_end_of_its_call_leaves_no_key_behind,
    keys_are_forgotten_when_their_day_is_over_unless_their_call_is_running,
    calls_that_a_dead_server_left_open_are_settled_on_the_first_tick,
    an_unknown_outcome_outlives_restarts_until_its_rule_is_followed,
    recorded_time_never_goes_backwards,
}
