//! Many at once: nobody gets what is not there, and nothing happens twice.

use std::sync::Arc;

use engine::{
    credits::Credits,
    id::InvocationId,
    invocation::CallState,
    ledger::{
        AccountKind, CaptureAmount, PlaceHold, Refusal, Settle, SettleAction,
        batch::{Begin, Begun, Done, Ended, Finish, KeyEnd, Outcome},
        key::{KeyClaim, KeyName, KeyVerdict},
        leaf::sha256,
    },
    store::writer::Command,
    testing::{Dice, call_end, running_call},
};
use tests::environment::extent;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::desk::{Desk, Kind, SECOND_US, capture_all, hold, payable_id, release, wallet_id};

const CALLERS: i64 = 64;

/// A call with the key `key` (or none) that wants `place`.
pub(super) fn begin(place: PlaceHold, key: Option<&str>, now_us: i64) -> Begin {
    let key = key.map(|key| KeyClaim {
        name: KeyName { scope: Uuid::from_u128(1), key: key.into() },
        fingerprint: sha256(b"the same request"),
    });
    let call = running_call(InvocationId::from(place.id.uuid()), Some(&place), key.as_ref(), now_us);
    Begin { call, key, hold: Some(place) }
}

/// Its end, with so much charged.
pub(super) fn finish(begin: &Begin, charge: i64) -> Finish {
    Finish {
        call: begin.call.id,
        wallet: begin.call.wallet,
        caps: Vec::new(),
        outcome: Outcome::Capture(Credits::from_micros(charge)),
        key: KeyEnd::Store { status: 200, render: Arc::new(|_ended: &Ended| "done".into()) },
        end: call_end(CallState::Succeeded),
    }
}

async fn of_64_callers_exactly_as_many_are_charged_as_the_balance_is_worth(kind: Kind) {
    let rounds = extent().pick(40, 1_000);
    let mut dice = Dice::new(64);
    let desk = Desk::open_on(kind).await;
    desk.open_account(payable_id(1), AccountKind::Payable, 0).await;
    let mut earned = 0;
    for round in 0..rounds {
        let wallet = wallet_id(round);
        let price = dice.between(1, 1_000_000);
        let worth = dice.between(0, CALLERS + 2);
        let rest = dice.between(0, price - 1);
        desk.open_account(wallet, AccountKind::Wallet, 0).await;
        if price * worth + rest > 0 {
            desk.fund(wallet, price * worth + rest).await;
        }
        let mut callers = JoinSet::new();
        for caller in 0..CALLERS {
            let ledger = desk.ledger().clone();
            let key = format!("{round}-{caller}");
            let begin = begin(hold(desk.fresh(), wallet, payable_id(1), price), Some(&key), desk.now_us());
            callers.spawn(async move {
                match ledger.begin(begin.clone()).await.unwrap() {
                    Begun::Go => {
                        let ended = ledger.finish(finish(&begin, price)).await.unwrap().unwrap();
                        assert_eq!((ended.charged.micros(), ended.is_too_late), (price, false));
                        true
                    }
                    Begun::Refused { refusal: Refusal::Insufficient { needed, available, .. }, .. } => {
                        assert!(needed.micros() == price && available.micros() < price, "{needed:?} {available:?}");
                        false
                    }
                    other => panic!("{other:?}"),
                }
            });
        }
        let served = callers.join_all().await.into_iter().filter(|is_served| *is_served).count();
        let expected = worth.min(CALLERS);
        assert_eq!(i64::try_from(served).unwrap(), expected, "round {round}: {worth} calls of {price} and {rest} over");
        let left = desk.wallet(wallet);
        assert_eq!((left.debits, left.held), (price * expected, 0), "round {round}");
        earned += price * expected;
    }
    assert_eq!(desk.hot_balance(payable_id(1)), earned);
    println!("{rounds} rounds of {CALLERS} callers");
    desk.verify();
}

async fn of_64_callers_with_one_key_exactly_one_goes_on(kind: Kind) {
    let desk = Desk::open_on(kind).await;
    desk.open_account(payable_id(1), AccountKind::Payable, 0).await;
    desk.open_account(wallet_id(1), AccountKind::Wallet, 0).await;
    let rounds = extent().pick(20, 300);
    desk.fund(wallet_id(1), 100 * rounds).await;
    for round in 0..rounds {
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            let ledger = desk.ledger().clone();
            let key = format!("round {round}");
            let begin = begin(hold(desk.fresh(), wallet_id(1), payable_id(1), 100), Some(&key), desk.now_us());
            callers.spawn(async move {
                match ledger.begin(begin.clone()).await.unwrap() {
                    Begun::Go => {
                        ledger.finish(finish(&begin, 100)).await.unwrap().unwrap();
                        Some(begin.call.id)
                    }
                    Begun::Key(KeyVerdict::InFlight { .. } | KeyVerdict::Replay { .. }) => None,
                    other => panic!("{other:?}"),
                }
            });
        }
        let went_on = callers.join_all().await.into_iter().flatten().count();
        assert_eq!(went_on, 1, "round {round}");
        assert_eq!(desk.wallet(wallet_id(1)).debits, 100 * (round + 1), "round {round}");
    }
    assert_eq!(desk.number("SELECT count(*) FROM hold"), rounds, "nobody else reserved anything");
    desk.verify();
}

async fn capture_release_and_expiry_at_once_end_a_hold_once(kind: Kind) {
    let desk = Desk::open_on(kind).await;
    desk.open_account(payable_id(1), AccountKind::Payable, 0).await;
    desk.open_account(wallet_id(1), AccountKind::Wallet, 0).await;
    desk.fund(wallet_id(1), 1_000_000).await;
    let (mut charged, mut met) = (0, std::collections::BTreeSet::new());
    for round in 0..extent().pick(60, 600) {
        let id = desk.fresh();
        let place = PlaceHold { ttl_us: SECOND_US, ..hold(id, wallet_id(1), payable_id(1), 100) };
        assert_eq!(desk.ask(Command::Hold(place)).await, Ok(Done::Held));
        let mut racers = JoinSet::new();
        for racer in 0..8 {
            let (ledger, clock) = (desk.ledger().clone(), Arc::clone(&desk.clock));
            let settle = match racer % 2 {
                0 => capture_all(desk.fresh(), id),
                _ => release(desk.fresh(), id),
            };
            racers.spawn(async move {
                if racer == (round + 3) % 11 {
                    clock.advance_us(SECOND_US);
                    ledger.tick().await.unwrap();
                }
                ledger.command(Command::Settle(settle)).await.unwrap()
            });
        }
        let answers = racers.join_all().await;
        let ends: Vec<_> = answers.iter().filter_map(|answer| answer.ok()).collect();
        let sql = format!("SELECT outcome FROM hold_resolution WHERE hold_id = {}", desk.id_literal(id));
        let outcomes: Vec<i64> = desk.rows(&sql).iter().map(|row| row[0].parse().unwrap()).collect();
        assert_eq!(outcomes.len(), 1, "round {round}: {answers:?}");
        assert_eq!(ends.len(), usize::from(outcomes[0] != 3), "round {round}: {answers:?}");
        charged += if outcomes[0] == 1 { 100 } else { 0 };
        met.insert(outcomes[0]);
        let wallet = desk.wallet(wallet_id(1));
        assert_eq!((wallet.debits, wallet.held), (charged, 0), "round {round}");
    }
    assert!(met.len() > 1, "the race always went to the same: {met:?}");
    desk.verify();
}

async fn amounts_beyond_32_and_53_bits_stay_exact_in_the_file(kind: Kind) {
    let mut desk = Desk::open_on(kind).await;
    desk.open_account(payable_id(1), AccountKind::Payable, 0).await;
    let mut earned: i64 = 0;
    for (number, amount) in [(1, (1_i64 << 31) + 1), (2, (1 << 53) + 1), (3, 4_000_000_000_000_000_001)] {
        let wallet = wallet_id(number);
        desk.open_account(wallet, AccountKind::Wallet, 0).await;
        desk.fund(wallet, amount).await;
        let id = desk.fresh();
        assert_eq!(desk.ask(Command::Hold(hold(id, wallet, payable_id(1), amount))).await, Ok(Done::Held));
        desk.restart();
        let action = SettleAction::Capture(CaptureAmount::Exactly(Credits::from_micros(amount - 1)));
        let settle = Settle { action, ..capture_all(id, id) };
        assert!(matches!(desk.ask(Command::Settle(settle)).await, Ok(Done::Settled { .. })));
        earned += amount - 1;
        let left = desk.wallet(wallet);
        assert_eq!((left.credits, left.debits, left.held, left.available()), (amount, amount - 1, 0, 1));
        assert_eq!(desk.hot_balance(payable_id(1)), earned);
    }
    desk.verify();
}

super::desk::on_both! {
    of_64_callers_exactly_as_many_are_charged_as_the_balance_is_worth,
    of_64_callers_with_one_key_exactly_one_goes_on,
    capture_release_and_expiry_at_once_end_a_hold_once,
    amounts_beyond_32_and_53_bits_stay_exact_in_the_file,
}
