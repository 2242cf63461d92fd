//! What the pictures of grants that expire are drawn from.

use engine::{
    audit::OpContext,
    credits::Credits,
    id::EntryId,
    ledger::{AccountKind, LedgerAccountId},
    service::{
        Services,
        accounts::GrantTerms,
        grants::{EXPIRY_DAYS, ExpiryDays, GRANT_ENTRIES_LOOKED_AT, GrantRun, GrantUse},
        movements::Note,
    },
    store::{Ledger, writer::Command},
};

use super::{
    ledger::writers,
    movements::{Shop, credits},
};
use crate::ledger::desk::{Desk, Kind, SECOND_US, capture_all, grant, hold, on_both, payable_id, release, wallet_id};

on_both! {
    how_a_grant_was_used_is_told_to_the_credit,
    a_grant_that_was_taken_back_was_not_used,
    of_a_busy_grant_both_ends_are_known_and_nothing_is_made_up_between,
    a_grant_that_was_used_up_early_is_known_to_its_end,
    of_a_busy_grant_that_has_lapsed_it_is_known_what_was_left,
    what_is_left_is_told_by_the_day_on_which_it_expires,
}

const DAY_US: i64 = 86_400 * SECOND_US;
const NOTE: Note<'static> = Note { reason: "a test", key: None };

/// When and how much was left, in micro-credits.
fn points(run: &GrantRun) -> Vec<(i64, i64)> {
    run.points.iter().map(|point| (point.at_us, point.left.micros())).collect()
}

async fn used(services: &Services, id: EntryId, entries_max: i64) -> GrantUse {
    services.load_grant_use(id, entries_max).await.unwrap().expect("a grant that expires")
}

async fn how_a_grant_was_used_is_told_to_the_credit(kind: Kind) {
    let shop = Shop::open(kind).await;
    let (by, services, desk) = (OpContext::system(), &shop.services, &shop.desk);
    let given_us = desk.now_us();
    let terms = Some(GrantTerms { expires_us: given_us + 10 * DAY_US, priority: 100 });
    let account = shop.customer.id;
    let given = services.grant_credits(&by, account, credits(50), terms, NOTE).await.unwrap().id;
    let lasting = services.grant_credits(&by, account, credits(1), None, NOTE).await.unwrap().id;
    assert_eq!(services.load_grant_use(lasting, GRANT_ENTRIES_LOOKED_AT).await.unwrap(), None, "it does not expire");
    let fresh = used(services, given, GRANT_ENTRIES_LOOKED_AT).await;
    assert_eq!(fresh.runs.iter().map(points).collect::<Vec<_>>(), [[(given_us, 50_000_000)]]);

    desk.clock.advance_us(DAY_US);
    let dear = shop.charge(credits(20)).await;
    desk.clock.advance_us(DAY_US);
    services.refund(&by, dear, Some(credits(5)), NOTE).await.unwrap();
    desk.clock.advance_us(9 * DAY_US);
    desk.ledger().tick().await.unwrap();
    // Of the wallet's own: nothing of it is of the grant.
    shop.charge(credits(30)).await;

    let found = used(services, given, GRANT_ENTRIES_LOOKED_AT).await;
    let micros = |amount: Credits| amount.micros() / 1_000_000;
    assert_eq!((found.given_us, found.expires_us), (given_us, given_us + 10 * DAY_US));
    assert_eq!((micros(found.given), micros(found.spent), micros(found.back)), (50, 20, 5));
    assert_eq!((micros(found.lapsed), micros(found.left)), (35, 0));
    let [run] = &found.runs[..] else { panic!("one run: {found:?}") };
    let at = |days: i64, left: i64| (given_us + days * DAY_US, left * 1_000_000);
    assert_eq!((points(run), run.until_us), (vec![at(0, 50), at(1, 30), at(2, 35), at(11, 0)], None));
    desk.verify();
}

async fn a_grant_that_was_taken_back_was_not_used(kind: Kind) {
    let shop = Shop::open(kind).await;
    let (by, services, desk) = (OpContext::system(), &shop.services, &shop.desk);
    let given_us = desk.now_us();
    let terms = Some(GrantTerms { expires_us: given_us + 10 * DAY_US, priority: 100 });
    let given = services.grant_credits(&by, shop.customer.id, credits(50), terms, NOTE).await.unwrap().id;
    desk.clock.advance_us(DAY_US);
    services.revert(&by, given, NOTE, false).await.unwrap();

    let told = |found: &GrantUse| {
        let amounts = [found.given, found.spent, found.back, found.taken_back, found.lapsed, found.left];
        amounts.map(|amount| amount.micros() / 1_000_000)
    };
    let found = used(services, given, GRANT_ENTRIES_LOOKED_AT).await;
    assert_eq!(told(&found), [50, 0, 0, 50, 0, 0]);
    let [run] = &found.runs[..] else { panic!("one run: {found:?}") };
    assert_eq!(points(run), [(given_us, 50_000_000), (given_us + DAY_US, 0)]);
    // At its expiry nothing is left that could lapse.
    desk.clock.advance_us(10 * DAY_US);
    desk.ledger().tick().await.unwrap();
    assert_eq!(told(&used(services, given, GRANT_ENTRIES_LOOKED_AT).await), [50, 0, 0, 50, 0, 0]);
    desk.verify();
}

/// A wallet with a grant of 100 micro-credits, number 1, that expires after a day.
async fn granted(kind: Kind) -> (Desk, EntryId) {
    let desk = Desk::open_on(kind).await;
    desk.open_account(payable_id(1), AccountKind::Payable, 0).await;
    for number in 1..=2 {
        desk.open_account(wallet_id(number), AccountKind::Wallet, 0).await;
        desk.fund(wallet_id(number), 1_000).await;
    }
    desk.clock.advance_us(SECOND_US);
    let give = grant(&desk, 1, wallet_id(1), 100, DAY_US);
    desk.give(&give).await.unwrap();
    desk.clock.advance_us(SECOND_US);
    (desk, give.post.id)
}

/// A charge, by a writer of one's choice. When it was written.
async fn charge(desk: &Desk, ledger: &Ledger, wallet: LedgerAccountId, amount: i64) -> i64 {
    let id = desk.fresh();
    ledger.command(Command::Hold(hold(id, wallet, payable_id(1), amount))).await.unwrap().unwrap();
    ledger.command(Command::Settle(capture_all(id, id))).await.unwrap().unwrap();
    let at_us = desk.now_us();
    desk.clock.advance_us(SECOND_US);
    at_us
}

/// Charges of one micro-credit each, in turns by all writers there are, and beside each one of somebody else. When they were
/// written.
async fn charges(desk: &Desk, count: usize) -> Vec<i64> {
    let (ledgers, thread) = writers(desk);
    let mut written = Vec::new();
    for number in 0..count {
        let ledger = &ledgers[number % ledgers.len()];
        written.push(charge(desk, ledger, wallet_id(1), 1).await);
        charge(desk, ledger, wallet_id(2), 1).await;
    }
    drop(ledgers);
    if let Some(thread) = thread {
        thread.join().unwrap();
    }
    written
}

async fn of_a_busy_grant_both_ends_are_known_and_nothing_is_made_up_between(kind: Kind) {
    let (desk, id) = granted(kind).await;
    let services = desk.services().await;
    let written = charges(&desk, 30).await;
    let left_at = |at_us: i64| 100 - i64::try_from(written.iter().filter(|known| **known <= at_us).count()).unwrap();

    let all = used(&services, id, GRANT_ENTRIES_LOOKED_AT).await;
    let [whole] = &all.runs[..] else { panic!("one run: {all:?}") };
    assert_eq!((whole.points.len(), whole.until_us), (1 + written.len(), None));
    let ends = used(&services, id, 60).await;
    let [first, last] = &ends.runs[..] else { panic!("two runs: {ends:?}") };
    let (until_us, since_us) = (first.until_us.unwrap(), last.points[0].at_us);
    assert!(until_us < since_us && last.until_us.is_none(), "{ends:?}");
    for (at_us, left) in [whole, first, last].into_iter().flat_map(points) {
        assert_eq!(left, left_at(at_us), "at {at_us}");
    }
    // Whatever was known is told: the last point of the first run held until it was not looked any further.
    assert_eq!(first.points.last().unwrap().left.micros(), left_at(until_us - 1));
    assert_eq!(last.points.last().unwrap().left.micros(), 70);
    assert!(first.points.len() > 1 && last.points.len() > 1, "{ends:?}");
    assert!(first.points.len() + last.points.len() < whole.points.len(), "so few entries do not tell of all: {ends:?}");
    assert_eq!((ends.given, ends.spent, ends.left), (all.given, all.spent, all.left), "these are always known");
    assert_eq!((all.given.micros(), all.spent.micros(), all.back.micros(), all.left.micros()), (100, 30, 0, 70));
    assert_eq!(services.load_grant_use(desk.fresh(), 60).await.unwrap(), None, "there is no such grant");
}

async fn a_grant_that_was_used_up_early_is_known_to_its_end(kind: Kind) {
    let (desk, id) = granted(kind).await;
    let services = desk.services().await;
    let given_us = used(&services, id, GRANT_ENTRIES_LOOKED_AT).await.given_us;
    let spent_us = charge(&desk, desk.ledger(), wallet_id(1), 100).await;
    for _ in 0..20 {
        charge(&desk, desk.ledger(), wallet_id(2), 1).await;
    }
    // Of sixty entries behind it none was looked at: that it has nothing left says that none is about it.
    let found = used(&services, id, 16).await;
    let [run] = &found.runs[..] else { panic!("one run: {found:?}") };
    assert_eq!((points(run), run.until_us), (vec![(given_us, 100), (spent_us, 0)], None));
}

async fn of_a_busy_grant_that_has_lapsed_it_is_known_what_was_left(kind: Kind) {
    let (desk, id) = granted(kind).await;
    let services = desk.services().await;
    charges(&desk, 20).await;
    let kept = desk.fresh();
    desk.ask(Command::Hold(hold(kept, wallet_id(1), payable_id(1), 15))).await.unwrap();
    desk.clock.advance_us(DAY_US);
    desk.ledger().tick().await.unwrap();
    let lapsed_us = desk.now_us();
    desk.clock.advance_us(SECOND_US);
    desk.ask(Command::Settle(release(desk.fresh(), kept))).await.unwrap();
    let released_us = desk.now_us();

    let all = used(&services, id, GRANT_ENTRIES_LOOKED_AT).await;
    assert_eq!(all.runs.len(), 1, "{all:?}");
    let found = used(&services, id, 30).await;
    let [first, last] = &found.runs[..] else { panic!("two runs: {found:?}") };
    assert!(first.until_us.is_some_and(|until_us| until_us < found.expires_us) && last.until_us.is_none());
    // What was held at the expiry lapsed when it was given back.
    assert_eq!(points(last), [(found.expires_us, 80), (lapsed_us, 15), (released_us, 0)]);
    for of in [&all, &found] {
        assert_eq!((of.spent.micros(), of.lapsed.micros(), of.left.micros()), (20, 80, 0));
    }
    desk.verify();
}

async fn what_is_left_is_told_by_the_day_on_which_it_expires(kind: Kind) {
    let desk = Desk::open_on(kind).await;
    let services = desk.services().await;
    desk.open_account(payable_id(1), AccountKind::Payable, 0).await;
    desk.open_account(wallet_id(1), AccountKind::Wallet, 0).await;
    assert_eq!(services.load_expiry_days().await.unwrap(), ExpiryDays::default(), "nothing expires");
    let today_us = desk.now_us() - desk.now_us() % DAY_US;
    let until_midnight = today_us + DAY_US - desk.now_us();
    for (number, amount, lifetime_us) in [
        (1, 5, until_midnight - 1),
        (2, 30, until_midnight),
        (3, 40, until_midnight + SECOND_US),
        (4, 7, until_midnight + DAY_US * (EXPIRY_DAYS - 1) - 1),
        (5, 9, until_midnight + DAY_US * (EXPIRY_DAYS - 1)),
    ] {
        desk.give(&grant(&desk, number, wallet_id(1), amount, lifetime_us)).await.unwrap();
    }
    // It takes what expires first: all of the first one, and a part of the next one.
    charge(&desk, desk.ledger(), wallet_id(1), 15).await;
    let found = services.load_expiry_days().await.unwrap();
    let told: Vec<(i64, i64, i64)> = found
        .days
        .iter()
        .filter(|day| day.grants > 0)
        .map(|day| ((day.from_us - today_us) / DAY_US, day.grants, day.left.micros()))
        .collect();
    assert_eq!(told, [(1, 2, 20 + 40), (EXPIRY_DAYS - 1, 1, 7)], "what expires later is not among them");
    assert_eq!((i64::try_from(found.days.len()).unwrap(), found.looked_up_to_us), (EXPIRY_DAYS, None));
    assert_eq!(found.days[0].from_us, today_us);
    desk.verify();
}
