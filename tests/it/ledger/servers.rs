//! Many writers on one PostgreSQL database: what one has decided holds for all.

use std::{sync::Arc, time::Duration};

use engine::{
    credits::Credits,
    id::InvocationId,
    invocation::{CallRecord, CallState},
    ledger::{
        AccountKind, PlaceHold, Refusal, Settle,
        batch::{Begin, Begun, Done},
        leaf::Settled,
    },
    store::{Database, Ledger, Presence, UnitOfWork, WriterError, news, writer::Command},
    testing::Dice,
};
use tests::{environment::extent, patience::wait_until};
use tokio::{sync::watch, task::JoinSet};

use super::{
    desk::{Desk, Kind, SECOND_US, capture_all, hold, payable_id, post, release, wallet_id},
    races::{begin, finish},
};

/// The desk's own writer and `count - 1` more.
fn writers(desk: &Desk, count: usize) -> Vec<(Ledger, Option<std::thread::JoinHandle<()>>)> {
    let others = (1..count).map(|_| desk.another_writer().unwrap()).map(|(ledger, thread)| (ledger, Some(thread)));
    std::iter::once((desk.ledger().clone(), None)).chain(others).collect()
}

fn stop(writers: Vec<(Ledger, Option<std::thread::JoinHandle<()>>)>) {
    for (ledger, thread) in writers {
        drop(ledger);
        thread.map_or(Ok(()), std::thread::JoinHandle::join).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_wallet_from_four_writers_is_never_overspent() {
    let mut dice = Dice::new(4);
    let mut desk = Desk::open_on(Kind::Postgres).await;
    desk.open_account(payable_id(1), AccountKind::Payable, 0).await;
    let mut earned = 0;
    let writers = writers(&desk, 4);
    for round in 0..extent().pick(10, 200) {
        let (wallet, price, worth) = (wallet_id(round), dice.between(1, 1_000), dice.between(0, 70));
        desk.open_account(wallet, AccountKind::Wallet, 0).await;
        if worth > 0 {
            desk.fund(wallet, price * worth).await;
        }
        let mut callers = JoinSet::new();
        for caller in 0..64_usize {
            let ledger = writers[caller % writers.len()].0.clone();
            // A capture is asked of another writer than the hold.
            let other = writers[(caller + 1) % writers.len()].0.clone();
            let (id, end) = (desk.fresh(), desk.fresh());
            let place = hold(id, wallet, payable_id(1), price);
            callers.spawn(async move {
                match ledger.command(Command::Hold(place)).await.unwrap() {
                    Ok(Done::Held) => {
                        let done = other.command(Command::Settle(capture_all(end, id))).await.unwrap();
                        let captured = Credits::from_micros(price);
                        assert_eq!(done, Ok(Done::Settled { settled: Settled::Captured, captured }));
                        true
                    }
                    Err(Refusal::Insufficient { .. }) => false,
                    other => panic!("{other:?}"),
                }
            });
        }
        let served = callers.join_all().await.into_iter().filter(|is_served| *is_served).count();
        assert_eq!(i64::try_from(served).unwrap(), worth.min(64), "round {round}");
        let left = desk.wallet(wallet);
        assert_eq!((left.debits, left.held), (price * worth.min(64), 0), "round {round}");
        earned += price * worth.min(64);
    }
    assert_eq!(desk.hot_balance(payable_id(1)), earned, "the sum over the slots");
    assert_eq!(desk.number("SELECT count(DISTINCT slot) FROM batch"), 4, "every writer has a chain of its own");
    stop(writers);
    desk.stop();
    desk.verify();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_wallet_of_calls_from_four_writers_is_never_overspent() {
    let mut dice = Dice::new(5);
    let mut desk = Desk::open_on(Kind::Postgres).await;
    let (wallet, mut spent) = (wallet_id(1), 0);
    desk.open_account(payable_id(1), AccountKind::Payable, 0).await;
    desk.open_account(wallet, AccountKind::Wallet, 0).await;
    let writers = writers(&desk, 4);
    // The same wallet in every round: every writer remembers what it was when it last looked.
    for round in 0..extent().pick(20, 400) {
        let (price, worth) = (dice.between(1, 1_000), dice.between(1, 40));
        desk.fund(wallet, price * worth).await;
        let mut callers = JoinSet::new();
        for caller in 0..32_usize {
            let ledger = writers[caller % writers.len()].0.clone();
            let begin = begin(hold(desk.fresh(), wallet, payable_id(1), price), None, desk.now_us());
            callers.spawn(async move {
                match ledger.begin(begin.clone()).await.unwrap() {
                    Begun::Go => {
                        let ended = ledger.finish(finish(&begin, price)).await.unwrap().unwrap();
                        assert_eq!((ended.charged.micros(), ended.is_too_late), (price, false));
                        true
                    }
                    Begun::Refused { refusal: Refusal::Insufficient { .. }, .. } => false,
                    other => panic!("{other:?}"),
                }
            });
        }
        let served = callers.join_all().await.into_iter().filter(|is_served| *is_served).count();
        assert_eq!(i64::try_from(served).unwrap(), worth.min(32), "round {round}");
        spent += price * worth.min(32);
        let left = desk.wallet(wallet);
        assert_eq!((left.debits, left.held), (spent, 0), "round {round}");
        // What is left would pay for the next round.
        let rest = price * (worth - worth.min(32));
        if rest > 0 {
            let empty = post(desk.fresh(), &[(wallet, payable_id(1), rest)]);
            assert_eq!(desk.ask(Command::Post(empty)).await, Ok(Done::Posted));
            spent += rest;
        }
    }
    assert_eq!(desk.hot_balance(payable_id(1)), spent, "the sum over the slots");
    stop(writers);
    desk.stop();
    desk.verify();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_wallet_that_somebody_has_locked_does_not_hold_up_the_others() {
    const WALLETS: i64 = 32;
    const LOCKED: i64 = WALLETS - 1;
    let mut desk = Desk::open_on(Kind::Postgres).await;
    desk.open_account(payable_id(1), AccountKind::Payable, 0).await;
    for number in 0..WALLETS {
        desk.open_account(wallet_id(number), AccountKind::Wallet, 0).await;
        desk.fund(wallet_id(number), 1_000).await;
    }
    // A transaction of somebody else's that does not end by itself.
    let locks =
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%the wallet is mine%' AND wait_event = 'PgSleep'";
    let account = wallet_id(LOCKED).raw();
    let holder = desk.alter_behind(format!(
        "BEGIN; SELECT 'the wallet is mine' FROM wallet_balance WHERE account_id = {account} FOR UPDATE; SELECT pg_sleep(600)"
    ));
    let count = || desk.alter_behind(locks.to_owned()).join().unwrap().unwrap();
    wait_until("somebody has the wallet", || (count().trim() == "1").then_some(()));
    let mut asked = JoinSet::new();
    for number in 0..WALLETS {
        let (ledger, place) = (desk.ledger().clone(), hold(desk.fresh(), wallet_id(number), payable_id(1), 10));
        asked.spawn(async move { (number, ledger.command(Command::Hold(place)).await.unwrap()) });
    }
    for _ in 0..LOCKED {
        let (number, done) = asked.join_next().await.unwrap().unwrap();
        assert!(number != LOCKED && done == Ok(Done::Held), "{number}: {done:?}");
    }
    assert_eq!((desk.wallet(wallet_id(LOCKED)).held, holder.is_finished()), (0, false), "it is not decided yet");
    desk.alter("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
    assert_eq!(asked.join_next().await.unwrap().unwrap(), (LOCKED, Ok(Done::Held)));
    assert!(holder.join().unwrap().is_err(), "the other transaction was ended");
    desk.stop();
    desk.verify();
}

/// The database takes no call with this policy.
const POISON: &str = "
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'not this one' USING ERRCODE = 'data_exception'; END $$;
    CREATE TRIGGER poison BEFORE INSERT ON invocation FOR EACH ROW WHEN (NEW.policy_version = 'poison')
        EXECUTE FUNCTION refuse()";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_row_that_the_database_refuses_costs_the_others_nothing() {
    const CALLS: i64 = 16;
    let mut desk = Desk::open_on(Kind::Postgres).await;
    desk.open_account(payable_id(1), AccountKind::Payable, 0).await;
    desk.open_account(wallet_id(1), AccountKind::Wallet, 0).await;
    desk.fund(wallet_id(1), 1_000).await;
    desk.alter(POISON);
    let poisoned = |call: &CallRecord, is_poison: bool| {
        let policy_version = if is_poison { "poison" } else { "test" }.into();
        Arc::new(CallRecord { policy_version, ..call.clone() })
    };
    let mut asked = JoinSet::new();
    for number in 0..CALLS {
        let begin = begin(hold(desk.fresh(), wallet_id(1), payable_id(1), 1), None, desk.now_us());
        let (ledger, call) = (desk.ledger().clone(), poisoned(&begin.call, number == 5));
        // Of calls that move no money one record is refused, too.
        let id = InvocationId::from(desk.fresh().uuid());
        let denied =
            CallRecord { id, wallet: None, held: Credits::ZERO, state: CallState::Denied, ..(*begin.call).clone() };
        desk.ledger().record(poisoned(&denied, number == 3)).await.unwrap();
        asked.spawn(async move { (number, ledger.begin(Begin { call, ..begin }).await) });
    }
    while let Some(answer) = asked.join_next().await {
        let (number, begun) = answer.unwrap();
        assert_eq!(matches!(begun, Ok(Begun::Go)), number != 5, "{number}: {begun:?}");
    }
    desk.ledger().tick().await.unwrap();
    let count =
        |state: CallState| desk.number(&format!("SELECT count(*) FROM invocation WHERE state = {}", state.raw()));
    assert_eq!((count(CallState::Running), count(CallState::Denied)), (CALLS - 1, CALLS - 1));
    assert_eq!(desk.wallet(wallet_id(1)).held, CALLS - 1);
    desk.stop();
    desk.verify();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_command_given_to_two_writers_at_once_is_carried_out_once() {
    let desk = Desk::open_on(Kind::Postgres).await;
    desk.open_account(payable_id(1), AccountKind::Payable, 0).await;
    desk.open_account(wallet_id(1), AccountKind::Wallet, 0).await;
    desk.fund(wallet_id(1), 1_000_000).await;
    let writers = writers(&desk, 2);
    for round in 0..extent().pick(30, 500) {
        let (pay, place) = (desk.fresh(), desk.fresh());
        let end = desk.fresh();
        let steps: [(&str, Vec<Command>); 3] = [
            ("post", vec![Command::Post(post(pay, &[(wallet_id(1), payable_id(1), 1)])); 2]),
            ("hold", vec![Command::Hold(hold(place, wallet_id(1), payable_id(1), 10)); 2]),
            (
                "capture and release",
                vec![Command::Settle(capture_all(end, place)), Command::Settle(release(desk.fresh(), place))],
            ),
        ];
        for (what, commands) in steps {
            let mut asked = JoinSet::new();
            for (command, (ledger, _)) in commands.into_iter().zip(&writers) {
                let ledger = ledger.clone();
                asked.spawn(async move { ledger.command(command).await.unwrap() });
            }
            let answers = asked.join_all().await;
            let done = answers.iter().filter(|answer| matches!(answer, Ok(done) if *done != Done::Exists)).count();
            assert_eq!(done, 1, "round {round}, {what}: {answers:?}");
        }
    }
    stop(writers);
    desk.verify();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hold_that_nobody_settles_is_swept_by_any_writer() {
    let mut desk = Desk::open_on(Kind::Postgres).await;
    desk.open_account(payable_id(1), AccountKind::Payable, 0).await;
    desk.open_account(wallet_id(1), AccountKind::Wallet, 0).await;
    desk.fund(wallet_id(1), 100).await;
    let (other, thread) = desk.another_writer().unwrap();
    let place = PlaceHold { ttl_us: SECOND_US, ..hold(desk.fresh(), wallet_id(1), payable_id(1), 40) };
    let id = place.id;
    assert_eq!(desk.ask(Command::Hold(place)).await, Ok(Done::Held));
    // Its own writer goes; the other one sees to it.
    desk.stop();
    desk.clock.advance_us(4 * SECOND_US);
    other.tick().await.unwrap();
    assert_eq!(desk.wallet(wallet_id(1)).held, 0);
    let late = Settle { wallet: None, ..capture_all(desk.fresh(), id) };
    assert_eq!(other.command(Command::Settle(late)).await.unwrap(), Err(Refusal::HoldExpired));
    drop(other);
    thread.join().unwrap();
    desk.verify();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn clocks_that_are_two_hours_apart_change_nothing() {
    const HOUR_US: i64 = 3_600 * SECOND_US;
    const FAR_US: i64 = 60 * SECOND_US;
    let desk = Desk::open_on(Kind::Postgres).await;
    desk.open_account(payable_id(1), AccountKind::Payable, 0).await;
    desk.open_account(wallet_id(1), AccountKind::Wallet, 0).await;
    desk.fund(wallet_id(1), 1_000).await;
    // The desk's own clock stands in another year: its slot stays its own.
    desk.alter("UPDATE chain_head SET lease_until_us = 9000000000000000 WHERE slot = 0");
    let (ahead, behind) = (desk.writer_with_a_wrong_clock(HOUR_US), desk.writer_with_a_wrong_clock(-HOUR_US));
    let ledgers = [&ahead.0, &behind.0];
    for (placing, other) in [(ledgers[0], ledgers[1]), (ledgers[1], ledgers[0])] {
        let place = |ttl_us| PlaceHold { ttl_us, ..hold(desk.fresh(), wallet_id(1), payable_id(1), 60) };
        let (kept, lost) = (place(FAR_US), place(SECOND_US));
        let (kept_id, lost_id) = (kept.id, lost.id);
        for hold in [kept, lost] {
            assert_eq!(placing.command(Command::Hold(hold)).await.unwrap(), Ok(Done::Held));
        }
        // What is over is over for both, what is not is not.
        // A second for both, and some for the other one, which leaves it to the first for a while.
        let mut looks = 0;
        while desk.wallet(wallet_id(1)).held > 60 {
            other.tick().await.unwrap();
            tokio::time::sleep(Duration::from_millis(10)).await;
            looks += 1;
            assert!(looks < 2_000, "the hold does not expire");
        }
        let late = placing.command(Command::Settle(capture_all(desk.fresh(), lost_id))).await.unwrap();
        assert_eq!(late, Err(Refusal::HoldExpired));
        other.tick().await.unwrap();
        assert!(other.command(Command::Settle(capture_all(desk.fresh(), kept_id))).await.unwrap().is_ok());
    }
    let wrong = format!(
        "SELECT count(*) FROM batch WHERE slot > 0
         AND abs(recorded_us - (extract(epoch FROM clock_timestamp()) * 1000000)::bigint) > {FAR_US}"
    );
    assert_eq!(desk.number(&wrong), 0, "the books have the database's time");
    stop([ahead, behind].map(|(ledger, thread)| (ledger, Some(thread))).into());
    desk.verify();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_writer_that_lost_its_slot_goes_on_in_another_one() {
    let desk = Desk::open_on(Kind::Postgres).await;
    desk.open_account(wallet_id(1), AccountKind::Wallet, 0).await;
    desk.fund(wallet_id(1), 100).await;
    desk.alter("UPDATE chain_head SET epoch = epoch + 1 WHERE slot = 0");
    desk.fund(wallet_id(1), 100).await;
    assert_eq!(desk.wallet(wallet_id(1)).credits, 200);
    let slots = desk.rows("SELECT slot, count(*) FROM batch GROUP BY slot ORDER BY slot");
    assert_eq!(slots.iter().map(|row| row[0].as_str()).collect::<Vec<_>>(), ["0", "1"]);
    desk.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn more_writers_than_slots_are_told_so() {
    let desk = Desk::open_on(Kind::Postgres).await;
    desk.alter("UPDATE chain_head SET lease_until_us = 9000000000000000");
    let refused = desk.another_writer().err().map(|error| error.to_string()).unwrap_or_default();
    assert!(refused.contains("every writer's slot is taken"), "{refused}");
    assert_ne!(desk.ledger().tick().await, Err(WriterError::Stopped));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_change_is_heard_of_by_all_who_listen_also_after_a_lost_connection() {
    let desk = Desk::open_on(Kind::Postgres).await;
    let backend = Database::open(&desk.url()).await.unwrap().backend();
    let mut heard = Vec::new();
    for _ in 0..2 {
        let (tell, told) = watch::channel(0_u64);
        let url = desk.url();
        heard.push((told, tokio::spawn(async move { news::listen(&url, &Presence::default(), &tell).await })));
    }
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tollgate listener'
               AND datname = current_database()";
    for round in 0..3 {
        for (told, _) in &mut heard {
            // Whoever begins to listen takes it that there is something to look at.
            told.changed().await.unwrap();
        }
        let mut unit = UnitOfWork::new();
        unit.announce(backend);
        desk.save(unit).await.unwrap();
        for (told, _) in &mut heard {
            told.changed().await.unwrap();
        }
        if round < 2 {
            desk.alter(cut);
        }
    }
    for (_, listening) in heard {
        listening.abort();
    }
}
