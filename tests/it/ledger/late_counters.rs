//! Counters of limits whose rows follow the journal at a distance: what is decided by them is exact all the same, whatever
//! ends the writer and whenever.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use engine::{
    credits::Credits,
    id::{CapId, EntryId},
    ledger::{
        AccountKind, CaptureAmount, PlaceHold, Refusal, Settle, SettleAction,
        batch::Done,
        caps::{Cap, CapUse, CapWindow},
        leaf::decode_counters,
        refusal::Limit,
    },
    store::{Ledger, NotSaved, StoreError, UnitOfWork, WriterError, writer::Command},
    testing::Dice,
};
use tests::{environment::extent, patience::wait_until};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::desk::{Desk, Kind, capture_all, hold, on_both, payable_id, post, release, wallet_id};

const CALLERS: i64 = 64;
/// How often each of them tries in the life of a writer, and what it pays.
const TRIES: usize = 8;
const PRICE: i64 = 10;
/// More than are written at once.
const MANY: u128 = 12;
/// After so long rows are written whatever their number, in microseconds.
const LATE_US: i64 = 250_000;

on_both! {
    what_a_limit_allows_is_known_before_its_row_says_so,
    a_unit_that_is_refused_or_rehearsed_leaves_late_counters_as_they_were,
    of_64_callers_under_nested_limits_every_counter_is_the_sum_of_the_journal,
}

const fn credits(micros: i64) -> Credits {
    Credits::from_micros(micros)
}

async fn desk(kind: Kind) -> Desk {
    let desk = Desk::open_on(kind).await;
    desk.open_account(payable_id(1), AccountKind::Payable, 0).await;
    desk.open_account(wallet_id(1), AccountKind::Wallet, 0).await;
    desk.fund(wallet_id(1), 1_000_000_000).await;
    desk
}

/// Limit number `number`, of `limit` for ever.
fn cap(number: u128, limit: i64) -> CapUse {
    let id = CapId::from(Uuid::from_u128(number));
    CapUse::at(Cap { id, window: CapWindow::Total, limit: credits(limit) }, 0)
}

/// So many that their rows may be late, each of `limit`.
fn many(limit: i64) -> Vec<CapUse> {
    (1..=MANY).map(|number| cap(number, limit)).collect()
}

fn place(desk: &Desk, amount: i64, caps: &[CapUse]) -> PlaceHold {
    PlaceHold { caps: caps.to_vec(), ..hold(desk.fresh(), wallet_id(1), payable_id(1), amount) }
}

/// Holds so much under `caps`; the hold, or how much there was for it.
async fn try_hold(desk: &Desk, ledger: &Ledger, amount: i64, caps: &[CapUse]) -> Result<EntryId, i64> {
    let place = place(desk, amount, caps);
    let id = place.id;
    match ledger.command(Command::Hold(place)).await.unwrap() {
        Ok(Done::Held) => Ok(id),
        Err(Refusal::Insufficient { limit: Limit::Cap { .. }, available, .. }) => Err(available.micros()),
        other => panic!("{other:?}"),
    }
}

/// Fails unless exactly `left` can still be held under each of `caps`.
async fn check_left(desk: &Desk, ledger: &Ledger, caps: &[CapUse], left: i64) {
    for cap in caps {
        let asked = try_hold(desk, ledger, left + 1, &[*cap]).await;
        assert_eq!(asked, Err(left), "{cap:?}");
    }
}

type Counted = BTreeMap<(String, i64), (i64, i64)>;

/// What the journal makes of the counters: spent and held.
fn derived(desk: &Desk) -> Counted {
    let digits = if desk.url().starts_with("sqlite") { "hex(h.counters)" } else { "encode(h.counters, 'hex')" };
    let sql =
        format!("SELECT {digits}, h.amount, r.captured FROM hold h LEFT JOIN hold_resolution r ON r.hold_id = h.id");
    let mut sums = Counted::new();
    for row in desk.rows(&sql) {
        let byte = |at: usize| u8::from_str_radix(row[0].get(2 * at..2 * at + 2).unwrap(), 16).unwrap();
        let bytes: Vec<u8> = (0..row[0].len() / 2).map(byte).collect();
        for key in decode_counters(&bytes).unwrap() {
            let sum = sums.entry((key.cap.uuid().simple().to_string(), key.start_us)).or_default();
            match row[2].parse::<i64>() {
                Ok(captured) => sum.0 += captured,
                Err(_open) => sum.1 += row[1].parse::<i64>().unwrap(),
            }
        }
    }
    sums
}

/// What their rows say.
fn stored(desk: &Desk) -> Counted {
    let number = |text: &String| text.parse().unwrap();
    let rows = desk.rows("SELECT cap_id, start_us, spent, held FROM cap_window");
    rows.iter().map(|row| ((row[0].clone(), number(&row[1])), (number(&row[2]), number(&row[3])))).collect()
}

/// How many entries the rows are behind the journal.
fn behind(desk: &Desk) -> i64 {
    desk.number("SELECT seq - counted_seq FROM chain_head WHERE slot = 0")
}

/// Fails unless the rows are the journal's sums.
fn check_level(desk: &Desk, kind: Kind, at: &str) {
    assert_eq!(stored(desk), derived(desk), "{at}");
    assert!(kind == Kind::Postgres || behind(desk) == 0, "{at}");
    desk.verify();
}

/// A writer whose predecessor was there a moment ago, as if that had been killed: nothing of it comes into the file any more.
fn succeed(desk: &Desk) -> (Ledger, JoinHandle<()>) {
    let mut lock = desk.path().as_os_str().to_owned();
    lock.push(".lock");
    std::fs::remove_file(lock).unwrap();
    desk.another_writer().unwrap()
}

/// 10 and 20 held under many limits of 100: on SQLite the rows know of the first hold alone.
async fn with_late_rows(desk: &Desk, kind: Kind) -> (Vec<CapUse>, [EntryId; 2]) {
    let caps = many(100);
    let first = try_hold(desk, desk.ledger(), 10, &caps).await.unwrap();
    check_level(desk, kind, "the first time they are written");
    let second = try_hold(desk, desk.ledger(), 20, &caps).await.unwrap();
    if kind == Kind::Sqlite {
        assert!(behind(desk) == 1 && stored(desk) != derived(desk), "{:?}", stored(desk));
    }
    desk.verify();
    (caps, [first, second])
}

async fn what_a_limit_allows_is_known_before_its_row_says_so(kind: Kind) {
    let desk = desk(kind).await;
    let (caps, [first, second]) = with_late_rows(&desk, kind).await;
    let ledger = desk.ledger();
    check_left(&desk, ledger, &caps, 70).await;
    let third = try_hold(&desk, ledger, 70, &caps).await.unwrap();
    check_left(&desk, ledger, &caps, 0).await;
    let part = SettleAction::Capture(CaptureAmount::Exactly(credits(5)));
    for settle in [release(first, first), Settle { action: part, ..capture_all(second, second) }] {
        assert!(matches!(desk.ask(Command::Settle(settle)).await, Ok(Done::Settled { .. })));
        desk.verify();
    }
    check_left(&desk, ledger, &caps, 25).await;
    assert!(kind == Kind::Postgres || behind(&desk) > 0);
    desk.ledger().tick().await.unwrap();
    check_level(&desk, kind, "after a tick");
    assert!(matches!(desk.ask(Command::Settle(capture_all(third, third))).await, Ok(Done::Settled { .. })));
    check_left(&desk, ledger, &caps, 25).await;
    // A batch with few of them writes all that are late once it is time.
    desk.clock.advance_us(LATE_US);
    try_hold(&desk, ledger, 1, &caps[..1]).await.unwrap();
    check_level(&desk, kind, "after a while");
    // What touches no counter moves with the journal.
    desk.fund(wallet_id(1), 1).await;
    check_level(&desk, kind, "after a posting");
}

async fn a_unit_that_is_refused_or_rehearsed_leaves_late_counters_as_they_were(kind: Kind) {
    let desk = desk(kind).await;
    let (caps, [first, _]) = with_late_rows(&desk, kind).await;
    let unit = || {
        let mut unit = UnitOfWork::new();
        unit.command(Command::Hold(place(&desk, 30, &caps)));
        unit.command(Command::Settle(release(first, first)));
        unit
    };
    let mut refused = unit();
    refused.post(post(desk.fresh(), &[(wallet_id(1), payable_id(1), 2_000_000_000)]));
    let told = desk.save(refused).await;
    assert!(matches!(told, Err(NotSaved::Refused(Refusal::Insufficient { .. }))), "{told:?}");
    check_left(&desk, desk.ledger(), &caps, 70).await;
    let mut rehearsed = unit();
    rehearsed.rehearse();
    assert_eq!(desk.save(rehearsed).await.map(|done| done.len()), Ok(2));
    check_left(&desk, desk.ledger(), &caps, 70).await;
    desk.verify();
    assert_eq!(desk.save(unit()).await.map(|done| done.len()), Ok(2));
    check_left(&desk, desk.ledger(), &caps, 50).await;
    desk.ledger().tick().await.unwrap();
    check_level(&desk, kind, "after a tick");
}

/// What only the end of a transaction brings to light.
const NO_COMMIT: &str = "
    CREATE TABLE one (id INTEGER PRIMARY KEY);
    CREATE TABLE other (one INTEGER REFERENCES one (id) DEFERRABLE INITIALLY DEFERRED);
    CREATE TRIGGER no_commit AFTER INSERT ON batch BEGIN INSERT INTO other VALUES (7); END;";

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_fails_leaves_late_counters_as_they_were() {
    let desk = desk(Kind::Sqlite).await;
    let (caps, [first, _]) = with_late_rows(&desk, Kind::Sqlite).await;
    let refuse = "CREATE TRIGGER no_row BEFORE INSERT ON batch BEGIN SELECT RAISE(ABORT, 'no'); END;";
    for (guard, name) in [(NO_COMMIT, "no_commit"), (refuse, "no_row")] {
        desk.connection().execute_batch(guard).unwrap();
        for late_us in [0, LATE_US] {
            desk.clock.advance_us(late_us);
            for command in [Command::Hold(place(&desk, 30, &caps)), Command::Settle(release(first, first))] {
                let told = desk.try_ask(command).await;
                assert!(matches!(told, Err(WriterError::Unavailable(_))), "{name}: {told:?}");
                desk.verify();
            }
        }
        assert!(behind(&desk) > 0);
        desk.connection().execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
        check_left(&desk, desk.ledger(), &caps, 70).await;
        check_level(&desk, Kind::Sqlite, "what was read again is written with the next batch");
        // Late again for the next round.
        let [one, other] = [1, 2].map(|amount| place(&desk, amount, &caps));
        for place in [one, other] {
            let id = place.id;
            assert_eq!(desk.ask(Command::Hold(place)).await, Ok(Done::Held));
            assert!(matches!(desk.ask(Command::Settle(release(id, id))).await, Ok(Done::Settled { .. })));
        }
        assert!(behind(&desk) > 0);
    }
    desk.ledger().tick().await.unwrap();
    check_level(&desk, Kind::Sqlite, "after a tick");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_crash_late_counters_are_counted_from_the_journal() {
    let mut desk = desk(Kind::Sqlite).await;
    let (caps, [first, second]) = with_late_rows(&desk, Kind::Sqlite).await;
    assert!(matches!(desk.ask(Command::Settle(release(first, first))).await, Ok(Done::Settled { .. })));
    assert!(behind(&desk) > 1);
    let (next, thread) = succeed(&desk);
    assert_eq!(desk.try_ask(Command::Settle(release(second, second))).await, Err(WriterError::Fenced));
    desk.verify();
    check_left(&desk, &next, &caps, 80).await;
    desk.verify();
    assert_eq!(try_hold(&desk, &next, 80, &caps).await.map(drop), Ok(()));
    check_left(&desk, &next, &caps, 0).await;
    // It ends in order: so do its rows, whatever it still had to write.
    assert_eq!(try_hold(&desk, &next, 0, &caps).await.map(drop), Ok(()));
    assert!(behind(&desk) > 0);
    drop(next);
    thread.join().unwrap();
    check_level(&desk, Kind::Sqlite, "after a stop");
    // The one that was thought dead writes nothing of what it remembers.
    desk.stop();
    check_level(&desk, Kind::Sqlite, "after the other one's stop");
    desk.start();
    check_left(&desk, desk.ledger(), &caps, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_and_a_stop_write_what_a_crash_has_left() {
    let mut desk = desk(Kind::Sqlite).await;
    with_late_rows(&desk, Kind::Sqlite).await;
    let (next, thread) = succeed(&desk);
    drop(next);
    thread.join().unwrap();
    check_level(&desk, Kind::Sqlite, "nothing was asked of it");
    desk.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_the_journal_does_not_have_keeps_the_writer_away() {
    let mut desk = desk(Kind::Sqlite).await;
    desk.stop();
    for place in ["seq + 1", "-1"] {
        let connection = desk.connection();
        connection.execute_batch("PRAGMA ignore_check_constraints = ON").unwrap();
        connection.execute_batch(&format!("UPDATE chain_head SET counted_seq = {place}")).unwrap();
        // A child that another test starts has our open files until it runs its program, and with them the lock.
        let (error, _) = wait_until("the writer's lock is free", || match desk.another_writer() {
            Err(StoreError::Locked { .. }) => None,
            started => Some(started.unwrap_err().to_string()),
        });
        assert!(error.contains("chain_head") && error.contains("counted_seq"), "{place}: {error}");
    }
}

/// The limits of caller `number`: everybody's, that of its team, its own.
fn nested(number: i64, limits: [i64; 3]) -> Vec<CapUse> {
    let caps = [(0, 0), (100, number % 8), (1_000, number)];
    caps.into_iter().zip(limits).map(|((first, at), limit)| cap(first + u128::try_from(at).unwrap(), limit)).collect()
}

async fn of_64_callers_under_nested_limits_every_counter_is_the_sum_of_the_journal(kind: Kind) {
    let rounds = extent().pick(6, 60);
    let desk = Arc::new(desk(kind).await);
    let plenty = [i64::MAX; 3];
    let mut callers = JoinSet::new();
    for number in 0..CALLERS {
        let desk = Arc::clone(&desk);
        callers.spawn(async move {
            let mut dice = Dice::new(u64::try_from(number).unwrap());
            for _ in 0..rounds {
                let amount = dice.between(1, 1_000);
                let held = try_hold(&desk, desk.ledger(), amount, &nested(number, plenty)).await.unwrap();
                let action = match dice.below(3) {
                    0 => SettleAction::Release(None),
                    1 => SettleAction::Capture(CaptureAmount::All),
                    _ => SettleAction::Capture(CaptureAmount::Exactly(credits(dice.between(0, amount)))),
                };
                if dice.chance(90) {
                    let settle = Settle { action, ..release(held, held) };
                    assert!(matches!(desk.ask(Command::Settle(settle)).await, Ok(Done::Settled { .. })));
                }
                if dice.chance(10) {
                    desk.clock.advance_us(LATE_US / 2);
                }
            }
        });
    }
    let mut looks = 0;
    while !callers.is_empty() {
        desk.verify();
        looks += 1;
        while let Some(ended) = callers.try_join_next() {
            ended.unwrap();
        }
    }
    println!("{rounds} rounds of {CALLERS} callers, looked at {looks} times");
    desk.verify();
    desk.ledger().tick().await.unwrap();
    check_level(&desk, kind, "after a tick");
    assert!(stored(&desk).len() > 64);
    let mut desk = Arc::into_inner(desk).unwrap();
    desk.stop();
    check_level(&desk, kind, "after a stop");
}

/// Everybody holds and captures under its limits until it may not, or the writer is gone; how many holds passed.
fn spend(desk: &Desk, ledger: &Ledger, limits: [i64; 3], passed: &Arc<AtomicI64>) -> JoinSet<()> {
    let mut callers = JoinSet::new();
    for number in 0..CALLERS {
        let (ledger, passed, clock) = (ledger.clone(), Arc::clone(passed), Arc::clone(&desk.clock));
        let holds: Vec<PlaceHold> = (0..TRIES).map(|_| place(desk, PRICE, &nested(number, limits))).collect();
        callers.spawn(async move {
            for hold in holds {
                let id = hold.id;
                match ledger.command(Command::Hold(hold)).await {
                    Ok(Ok(Done::Held)) => {
                        passed.fetch_add(1, Ordering::SeqCst);
                    }
                    Ok(Err(Refusal::Insufficient { .. })) => continue,
                    Err(WriterError::Fenced) => return,
                    other => panic!("{other:?}"),
                }
                clock.advance_us(LATE_US / 8);
                match ledger.command(Command::Settle(capture_all(id, id))).await {
                    Ok(Ok(Done::Settled { .. })) => {}
                    Err(WriterError::Fenced) => return,
                    other => panic!("{other:?}"),
                }
            }
        });
    }
    callers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn over_the_lives_of_several_writers_exactly_as_many_pass_as_a_limit_allows() {
    let seed = 22;
    let rounds = extent().pick(6, 60);
    println!("seed {seed}, {rounds} rounds");
    let mut dice = Dice::new(seed);
    // Everybody's limit, each team's or each caller's is the one that says no.
    let tightest = [
        ([400 * PRICE + 9, i64::MAX, i64::MAX], 400),
        ([i64::MAX, 50 * PRICE, i64::MAX], 8 * 50),
        ([i64::MAX, i64::MAX, 6 * PRICE + 1], CALLERS * 6),
    ];
    for (limits, worth) in tightest.into_iter().cycle().take(rounds) {
        let mut desk = desk(Kind::Sqlite).await;
        let passed = Arc::new(AtomicI64::new(0));
        let mut dead = Vec::new();
        let mut writer = (desk.ledger().clone(), None);
        for _life in 0..3 {
            let callers = spend(&desk, &writer.0, limits, &passed);
            tokio::time::sleep(Duration::from_micros(dice.below(20_000))).await;
            let (ledger, thread) = succeed(&desk);
            desk.verify();
            callers.join_all().await;
            desk.verify();
            dead.push(std::mem::replace(&mut writer, (ledger, Some(thread))));
        }
        spend(&desk, &writer.0, limits, &passed).join_all().await;
        assert_eq!(passed.load(Ordering::SeqCst), worth, "{limits:?}");
        desk.verify();
        // The dead ones last: they write nothing.
        for (ledger, thread) in std::iter::once(writer).chain(dead) {
            drop(ledger);
            if let Some(thread) = thread {
                thread.join().unwrap();
            }
        }
        desk.stop();
        check_level(&desk, Kind::Sqlite, "after the end");
    }
}
