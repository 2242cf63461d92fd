//! Periods are closed, also while calls come in: every transaction is in one period, and a closed one never changes.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use engine::{
    audit::OpContext,
    ledger::{
        AccountKind, Post,
        batch::{Begun, Done},
        leaf::Position,
    },
    service::periods::{ClosePeriodError, PeriodBalance},
    store::{Ledger, writer::Command},
};
use tests::environment::extent;
use tokio::task::JoinSet;

use super::{
    desk::{Desk, Kind, SECOND_US, START_US, grant, hold, on_both, payable_id, post, wallet_id},
    races::{begin, finish},
};

on_both! {
    a_close_takes_the_next_month_and_carries_its_balances_on,
    a_period_that_is_not_over_or_is_closed_is_not_closed,
    a_late_fact_goes_into_the_open_period_and_keeps_its_time,
    a_clock_that_was_set_back_closes_nothing_twice,
    closing_while_sixty_four_callers_pay_puts_every_transaction_into_one_period,
    a_changed_row_of_a_closed_period_is_found,
}

const DAY_US: i64 = 86_400 * SECOND_US;
/// The first of January 2027 in UTC: the desks begin on its fifteenth day.
const JANUARY_US: i64 = 1_798_761_600_000_000;
const FEBRUARY_US: i64 = JANUARY_US + 31 * DAY_US;
const MARCH_US: i64 = FEBRUARY_US + 28 * DAY_US;

async fn desk_with_money(kind: Kind) -> Desk {
    let desk = Desk::open_on(kind).await;
    desk.open_account(payable_id(1), AccountKind::Payable, 0).await;
    desk.open_account(wallet_id(1), AccountKind::Wallet, 0).await;
    desk.fund(wallet_id(1), 1_000).await;
    desk
}

fn go_to(desk: &Desk, us: i64) {
    desk.clock.advance_us(us - desk.now_us());
}

async fn pay(desk: &Desk, amount: i64, effective_us: Option<i64>) {
    let paid = Post { effective_us, ..post(desk.fresh(), &[(wallet_id(1), payable_id(1), amount)]) };
    assert_eq!(desk.ask(Command::Post(paid)).await, Ok(Done::Posted));
}

/// Opening, debits, credits and closing of a line.
fn line(balance: &PeriodBalance, code: &str) -> (i64, i64, i64, i64) {
    let named = balance.lines.iter().find(|line| line.code == code);
    let row = named.unwrap_or_else(|| panic!("no line `{code}` in {balance:?}")).row;
    (row.opening, row.debits, row.credits, row.closing)
}

fn payable() -> String {
    format!("liabilities:payable:{}", payable_id(1))
}

async fn a_close_takes_the_next_month_and_carries_its_balances_on(kind: Kind) {
    let desk = desk_with_money(kind).await;
    let services = desk.services().await;
    pay(&desk, 100, None).await;
    let give = grant(&desk, 1, wallet_id(1), 40, 60 * DAY_US);
    assert_eq!(desk.give(&give).await, Ok(Done::Posted));
    go_to(&desk, FEBRUARY_US);
    // On the first day of a month the one before is seldom closed yet.
    pay(&desk, 7, None).await;
    let january = services.close_period(&OpContext::system(), None).await.unwrap();
    assert_eq!((january.period, january.start_us, january.end_us), (1, JANUARY_US, FEBRUARY_US));
    assert_eq!(january.close.as_ref().unwrap().month().as_deref(), Some("2027-01"));
    assert_eq!(line(&january, "liabilities:wallet"), (0, 100, 1_000, 900));
    assert_eq!(line(&january, "liabilities:wallet:*:grant"), (0, 0, 40, 40));
    assert_eq!(line(&january, &payable()), (0, 0, 100, 100));
    assert_eq!(line(&january, "equity:opening"), (0, 1_000, 0, -1_000));
    assert_eq!(line(&january, "expenses:promo"), (0, 40, 0, -40));
    assert_eq!(line(&january, "revenue:platform:fee"), (0, 0, 0, 0), "lines that always stand there");
    pay(&desk, 5, None).await;
    go_to(&desk, MARCH_US + 20 * DAY_US);
    desk.ledger().tick().await.unwrap();
    let february = services.close_period(&OpContext::system(), None).await.unwrap();
    assert_eq!((february.period, february.start_us, february.end_us), (2, FEBRUARY_US, MARCH_US));
    assert_eq!(line(&february, "liabilities:wallet"), (900, 12, 0, 888));
    assert_eq!(line(&february, &payable()), (100, 0, 12, 112));
    assert_eq!(line(&february, "liabilities:wallet:*:grant"), (40, 0, 0, 40));
    for balance in [&january, &february] {
        let sum = |pick: fn((i64, i64, i64, i64)) -> i64| {
            balance.lines.iter().map(|named| pick(line(balance, &named.code))).sum::<i64>()
        };
        assert_eq!((sum(|row| row.0), sum(|row| row.2 - row.1), sum(|row| row.3)), (0, 0, 0), "{balance:?}");
    }
    assert_eq!(services.load_trial_balance(1).await.unwrap().as_ref(), Some(&january));
    assert_eq!(services.load_trial_balance(3).await.unwrap(), None);
    // The grant lapsed in March.
    let open = services.open_trial_balance().await.unwrap();
    assert_eq!((open.period, open.close.is_none()), (3, true));
    assert_eq!(line(&open, "liabilities:wallet:*:grant"), (40, 40, 0, 0));
    assert_eq!(line(&open, "expenses:promo"), (-40, 0, 40, 0));
    desk.verify();
}

async fn a_period_that_is_not_over_or_is_closed_is_not_closed(kind: Kind) {
    let empty = Desk::open_on(kind).await;
    let nothing = empty.services().await.close_period(&OpContext::system(), None).await;
    assert!(matches!(nothing, Err(ClosePeriodError::Empty)), "{nothing:?}");

    let desk = desk_with_money(kind).await;
    let services = desk.services().await;
    let books = || desk.rows("SELECT count(*), max(seq) FROM txn").concat();
    let before = books();
    match services.close_period(&OpContext::system(), None).await {
        Err(ClosePeriodError::NotOver { period, end_us, now_us }) => {
            assert_eq!((period, end_us, now_us), (1, FEBRUARY_US, desk.now_us()));
        }
        other => panic!("{other:?}"),
    }
    let until = services.close_period(&OpContext::system(), Some(desk.now_us() + 1)).await;
    assert!(matches!(until, Err(ClosePeriodError::NotOver { .. })), "{until:?}");
    for until_us in [JANUARY_US, JANUARY_US - 1] {
        let backwards = services.close_period(&OpContext::system(), Some(until_us)).await;
        let Err(ClosePeriodError::EndsBeforeStart { period: 1, start_us: JANUARY_US, until_us: told }) = backwards
        else {
            panic!("{backwards:?}")
        };
        assert_eq!(told, until_us);
    }
    // A period may be shorter than a month, and the next one ends with the month.
    let middle_us = desk.now_us();
    assert_eq!(services.close_period(&OpContext::system(), Some(middle_us)).await.unwrap().end_us, middle_us);
    for until_us in [middle_us, middle_us - 5] {
        let twice = services.close_period(&OpContext::system(), Some(until_us)).await;
        let is_refused = matches!(twice, Err(ClosePeriodError::Closed { period: 1, end_us }) if end_us == middle_us);
        assert!(is_refused, "{twice:?}");
    }
    assert_eq!((books(), desk.number("SELECT count(*) FROM period_close")), (before, 1));
    go_to(&desk, FEBRUARY_US + 1);
    let rest = services.close_period(&OpContext::system(), None).await.unwrap();
    assert_eq!((rest.period, rest.start_us, rest.end_us), (2, middle_us, FEBRUARY_US));
    assert_eq!(rest.close.unwrap().month(), None);
    desk.verify();
}

async fn a_late_fact_goes_into_the_open_period_and_keeps_its_time(kind: Kind) {
    let desk = desk_with_money(kind).await;
    let services = desk.services().await;
    go_to(&desk, FEBRUARY_US + DAY_US);
    // In time: the period is over, but not closed.
    pay(&desk, 10, Some(FEBRUARY_US - 1)).await;
    let january = services.close_period(&OpContext::system(), None).await.unwrap();
    assert_eq!(line(&january, &payable()), (0, 0, 10, 10));
    // Too late for the closed one.
    pay(&desk, 20, Some(FEBRUARY_US - 1)).await;
    pay(&desk, 40, Some(START_US - 400 * DAY_US)).await;
    assert_eq!(services.load_trial_balance(1).await.unwrap(), Some(january));
    go_to(&desk, MARCH_US);
    let february = services.close_period(&OpContext::system(), None).await.unwrap();
    assert_eq!(line(&february, &payable()), (10, 0, 60, 70));
    let kept = desk.rows("SELECT effective_us FROM txn ORDER BY slot, seq").concat();
    let expected = [START_US, FEBRUARY_US - 1, FEBRUARY_US - 1, START_US - 400 * DAY_US].map(|us| us.to_string());
    assert_eq!(kept, expected);
    // What counts later than it is recorded is refused, so nothing can be put into a period that has not begun.
    let early = post(desk.fresh(), &[(wallet_id(1), payable_id(1), 1)]);
    let early = Post { effective_us: Some(desk.now_us() + 1), ..early };
    assert_eq!(desk.ask(Command::Post(early)).await, Err(engine::ledger::Refusal::OutOfRange));
    desk.verify();
}

async fn a_clock_that_was_set_back_closes_nothing_twice(kind: Kind) {
    let mut desk = desk_with_money(kind).await;
    // The clock jumps by a year, and back.
    go_to(&desk, START_US + 365 * DAY_US);
    let services = desk.services().await;
    assert_eq!(services.close_period(&OpContext::system(), None).await.unwrap().end_us, FEBRUARY_US);
    drop(services);
    desk.restart();
    go_to(&desk, START_US + DAY_US);
    let services = desk.services().await;
    let again = services.close_period(&OpContext::system(), None).await;
    assert!(matches!(again, Err(ClosePeriodError::NotOver { period: 2, .. })), "{again:?}");
    // The books' own time does not go back, and what is recorded now is not in the closed period.
    pay(&desk, 3, None).await;
    assert_eq!(line(&services.open_trial_balance().await.unwrap(), &payable()), (0, 0, 3, 3));
    desk.verify();
}

/// Pays again and again until it is told to stop; returns what was paid.
async fn hammer(ledger: Ledger, desk: Arc<Desk>, caller: i64, is_over: Arc<AtomicBool>) -> i64 {
    let mut paid = 0;
    while !is_over.load(Ordering::SeqCst) {
        let begin = begin(hold(desk.fresh(), wallet_id(100 + caller), payable_id(1), 3), None, desk.now_us());
        assert_eq!(ledger.begin(begin.clone()).await.unwrap(), Begun::Go);
        let ended = ledger.finish(finish(&begin, 2)).await.unwrap().unwrap();
        paid += ended.charged.micros();
        // Facts that count earlier come in all the time.
        let late = post(desk.fresh(), &[(wallet_id(100 + caller), payable_id(1), 1)]);
        let late = Post { effective_us: Some(desk.now_us() - DAY_US), ..late };
        assert_eq!(ledger.command(Command::Post(late)).await.unwrap(), Ok(Done::Posted));
        paid += 1;
    }
    paid
}

async fn closing_while_sixty_four_callers_pay_puts_every_transaction_into_one_period(kind: Kind) {
    let desk = desk_with_money(kind).await;
    for caller in 0..64 {
        desk.open_account(wallet_id(100 + caller), AccountKind::Wallet, 0).await;
        desk.fund(wallet_id(100 + caller), 1_000_000_000).await;
    }
    // Two servers where the database can have them.
    let other = (kind == Kind::Postgres).then(|| desk.another_writer().unwrap());
    let second = other.as_ref().map_or_else(|| desk.ledger().clone(), |(ledger, _)| ledger.clone());
    let services = [desk.services().await, desk.services_of(second.clone()).await];
    let desk = Arc::new(desk);
    let is_over = Arc::new(AtomicBool::new(false));
    let mut callers = JoinSet::new();
    for caller in 0..64 {
        let ledger = if caller % 2 == 0 { desk.ledger().clone() } else { second.clone() };
        callers.spawn(hammer(ledger, Arc::clone(&desk), caller, Arc::clone(&is_over)));
    }
    let closes = extent().pick(5, 40);
    for number in 1..=closes {
        desk.clock.advance_us(DAY_US / 2);
        // Two close at once: one does it, the other is told, or closes what is left.
        let until_us = desk.now_us();
        let by = OpContext::system();
        let (left, right) =
            tokio::join!(services[0].close_period(&by, Some(until_us)), services[1].close_period(&by, Some(until_us)));
        let done = [&left, &right].into_iter().filter(|closed| closed.is_ok()).count();
        assert_eq!(done, 1, "{number}: {left:?} {right:?}");
        for refused in [left, right].into_iter().filter_map(Result::err) {
            assert!(matches!(refused, ClosePeriodError::Closed { .. }), "{refused}");
        }
    }
    is_over.store(true, Ordering::SeqCst);
    let paid: i64 = callers.join_all().await.into_iter().sum();
    desk.clock.advance_us(DAY_US);
    services[0].close_period(&OpContext::system(), Some(desk.now_us())).await.unwrap();

    let calendar = services[0].load_calendar().await.unwrap();
    assert_eq!(calendar.closes().len(), usize::try_from(closes).unwrap() + 1);
    // By another way than the closes took: every transaction by itself.
    let mut by_period: BTreeMap<i64, i64> = BTreeMap::new();
    let sql = format!(
        "SELECT t.slot, t.seq, t.effective_us, p.amount FROM txn t JOIN posting p ON p.slot = t.slot AND p.seq = t.seq
         WHERE p.credit = {}",
        payable_id(1).raw()
    );
    for row in desk.rows(&sql) {
        let number = |at: usize| row[at].parse::<i64>().unwrap();
        let period = calendar.period_of(Position { slot: number(0), seq: number(1) }, number(2));
        *by_period.entry(period).or_default() += number(3);
    }
    assert_eq!(by_period.values().sum::<i64>(), paid);
    let mut closing = 0;
    for close in calendar.closes() {
        let balance = services[0].load_trial_balance(close.period).await.unwrap().unwrap();
        let moved = by_period.get(&close.period).copied().unwrap_or(0);
        let found = balance.lines.iter().find(|line| line.code == payable()).map(|line| line.row);
        let found = found.map_or((closing, 0, 0, closing), |row| (row.opening, row.debits, row.credits, row.closing));
        assert_eq!(found, (closing, 0, moved, closing + moved), "period {}", close.period);
        closing += moved;
    }
    assert_eq!(closing, desk.hot_balance(payable_id(1)), "nothing is left out");
    let busy = by_period.values().filter(|moved| **moved > 0).count();
    println!("{paid} micro-credits paid in {} periods, {busy} of them with payments", calendar.closes().len());
    assert!(busy > 1, "{by_period:?}");
    drop((services, second));
    if let Some((ledger, thread)) = other {
        drop(ledger);
        thread.join().unwrap();
    }
    desk.verify();
}

async fn a_changed_row_of_a_closed_period_is_found(kind: Kind) {
    for (damage, table) in [
        ("UPDATE trial_balance SET opening = opening + 1, closing = closing + 1 WHERE kind = 9", "trial_balance"),
        ("DELETE FROM trial_balance WHERE kind = 2", "trial_balance"),
        ("UPDATE period_close SET end_us = end_us + 1", "period_close"),
        ("DELETE FROM period_close WHERE period = 1", "batch"),
    ] {
        let mut desk = desk_with_money(kind).await;
        pay(&desk, 5, None).await;
        desk.clock.advance_us(1);
        desk.services().await.close_period(&OpContext::system(), Some(desk.now_us())).await.unwrap();
        pay(&desk, 5, None).await;
        desk.verify();
        desk.stop();
        assert!(desk.force(damage) > 0, "{damage}");
        let report = desk.report();
        assert!(!report.ok, "{damage}");
        assert!(report.problems.iter().any(|problem| problem.table == table), "{damage}: {:#?}", report.problems);
    }
}

#[test]
fn the_months_of_these_tests_are_what_they_say() {
    assert_eq!(engine::ledger::periods::start_of_month(START_US), JANUARY_US);
    assert_eq!(engine::ledger::periods::end_of_month(JANUARY_US), Some(FEBRUARY_US));
    assert_eq!(engine::ledger::periods::end_of_month(FEBRUARY_US), Some(MARCH_US));
}
