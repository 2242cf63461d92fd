//! Credits that expire, through the writers of both databases: also when a writer is replaced, and when several share the
//! books.

use engine::{
    audit::OpContext,
    credits::Credits,
    id::EntryId,
    ledger::{
        AccountKind, LedgerAccountId, Refund, Refusal, Revert,
        batch::{Begun, Done},
        grants::{GiveGrant, OPEN_GRANTS_MAX},
        leaf::Settled,
    },
    service::{
        accounts::{GrantError, GrantTerms},
        movements::Note,
    },
    store::{Ledger, writer::Command},
};
use tokio::task::JoinSet;

use super::{
    desk::{Desk, Kind, SECOND_US, capture_all, give_by, grant, hold, on_both, payable_id, post, release, wallet_id},
    races::{begin, finish},
};

const fn note(reason: &str) -> Note<'_> {
    Note { reason, key: None }
}

on_both! {
    what_is_held_of_a_grant_survives_the_writer,
    a_grant_lapses_by_itself_and_what_was_held_of_it_follows,
    a_reader_never_counts_what_has_expired,
    many_grants_lapse_together,
    a_wallet_has_at_most_a_hundred_grants_to_look_at,
}

async fn desk_with_wallet(kind: Kind, amount: i64) -> Desk {
    let desk = Desk::open_on(kind).await;
    desk.open_account(payable_id(1), AccountKind::Payable, 0).await;
    desk.open_account(wallet_id(1), AccountKind::Wallet, 0).await;
    if amount > 0 {
        desk.fund(wallet_id(1), amount).await;
    }
    desk
}

fn account(number: i64) -> LedgerAccountId {
    LedgerAccountId::from_raw(4_000 + number)
}

/// Balance and hold of the wallet and of its first two grants.
fn state(desk: &Desk) -> Vec<(i64, i64)> {
    let of = |id| {
        let row = desk.wallet(id);
        (row.credits - row.debits, row.held)
    };
    [wallet_id(1), account(1), account(2)].into_iter().map(of).collect()
}

async fn what_is_held_of_a_grant_survives_the_writer(kind: Kind) {
    let mut desk = desk_with_wallet(kind, 100).await;
    for (number, amount, lifetime_us) in [(1, 30, 40 * SECOND_US), (2, 20, 20 * SECOND_US)] {
        let give = grant(&desk, number, wallet_id(1), amount, lifetime_us);
        assert_eq!(desk.give(&give).await, Ok(Done::Posted));
    }
    let id = desk.fresh();
    assert_eq!(desk.ask(Command::Hold(hold(id, wallet_id(1), payable_id(1), 60))).await, Ok(Done::Held));
    assert_eq!(state(&desk), [(100, 10), (30, 30), (20, 20)]);
    let sources = "SELECT account, amount FROM hold_source ORDER BY ord";
    assert_eq!(desk.rows(sources), [["4002", "20"], ["4001", "30"]], "soonest first");
    desk.restart();
    let settle = capture_all(desk.fresh(), id);
    assert!(matches!(desk.ask(Command::Settle(settle)).await, Ok(Done::Settled { settled: Settled::Captured, .. })));
    assert_eq!(state(&desk), [(90, 0), (0, 0), (0, 0)]);
    assert_eq!(desk.hot_balance(payable_id(1)), 60);
    desk.restart();
    let more = hold(desk.fresh(), wallet_id(1), payable_id(1), 91);
    assert!(matches!(desk.ask(Command::Hold(more)).await, Err(Refusal::Insufficient { .. })));
    desk.verify();
}

async fn a_grant_lapses_by_itself_and_what_was_held_of_it_follows(kind: Kind) {
    let mut desk = desk_with_wallet(kind, 100).await;
    let give = grant(&desk, 1, wallet_id(1), 50, 10 * SECOND_US);
    assert_eq!(desk.give(&give).await, Ok(Done::Posted));
    let [kept, freed] = [desk.fresh(), desk.fresh()];
    for (id, amount) in [(kept, 15), (freed, 25)] {
        assert_eq!(desk.ask(Command::Hold(hold(id, wallet_id(1), payable_id(1), amount))).await, Ok(Done::Held));
    }
    desk.clock.advance_us(10 * SECOND_US);
    desk.restart();
    desk.ledger().tick().await.unwrap();
    assert_eq!(desk.hot_balance(LedgerAccountId::PROMO), -40, "what was left went back");
    assert_eq!(desk.number("SELECT count(*) FROM open_grant"), 0);
    assert_eq!(desk.number("SELECT effective_us FROM txn WHERE reverses IS NOT NULL"), give.expires_us);
    let told = "SELECT actor_kind, method, object_kind, object_id, after_json FROM audit WHERE action = 'grant.expire'";
    let lapse = ["system", "system", "transaction", &give.post.id.to_string(), r#"{"credits":"0.00001"}"#];
    assert_eq!(desk.rows(told), [lapse]);
    // What is given back to a grant that has lapsed goes on at once.
    assert!(desk.ask(Command::Settle(release(desk.fresh(), freed))).await.is_ok());
    assert_eq!(desk.hot_balance(LedgerAccountId::PROMO), -15);
    desk.restart();
    assert!(desk.ask(Command::Settle(capture_all(desk.fresh(), kept))).await.is_ok());
    let row = desk.wallet(account(1));
    assert_eq!((row.credits, row.debits, row.held), (50, 50, 0));
    assert_eq!((desk.hot_balance(payable_id(1)), desk.hot_balance(LedgerAccountId::PROMO)), (15, -15));
    desk.clock.advance_us(10 * SECOND_US);
    desk.ledger().tick().await.unwrap();
    assert_eq!(desk.number("SELECT count(*) FROM txn WHERE reverses IS NOT NULL"), 2, "nothing lapses twice");
    assert_eq!(desk.rows(told), [lapse], "nor is it told of twice");
    desk.verify();
}

async fn a_reader_never_counts_what_has_expired(kind: Kind) {
    let desk = desk_with_wallet(kind, 100).await;
    let services = desk.services().await;
    let give = grant(&desk, 1, wallet_id(1), 50, 10 * SECOND_US);
    assert_eq!(desk.give(&give).await, Ok(Done::Posted));
    desk.open_account(wallet_id(2), AccountKind::Wallet, 7).await;
    let balance = async |now_us| {
        let balance = services.load_balance(wallet_id(1), now_us).await.unwrap();
        let wallets = [wallet_id(2), wallet_id(1)];
        let many = services.load_balances(&wallets, now_us).await.unwrap();
        let each = wallets.map(|wallet| many[&wallet]);
        assert_eq!(each, [services.load_balance(wallet_id(2), now_us).await.unwrap(), balance]);
        let spendable = services.spendable(wallet_id(1), &[], now_us).await.unwrap();
        assert_eq!(balance.available(), spendable);
        (balance.balance.micros(), balance.reserved.micros(), spendable.micros())
    };
    let now_us = desk.now_us();
    assert_eq!(balance(now_us).await, (150, 0, 150));
    let mut place = hold(desk.fresh(), wallet_id(1), payable_id(1), 70);
    place.ttl_us = 20 * SECOND_US;
    assert_eq!(desk.ask(Command::Hold(place)).await, Ok(Done::Held));
    let refund = async |now_us| services.find_refund_account(account(1), wallet_id(1), now_us).await.unwrap();
    for (after_s, expected) in [(0, (150, 70, 80)), (9, (150, 70, 80)), (10, (150, 70, 80)), (20, (100, 0, 100))] {
        assert_eq!(
            balance(now_us + after_s * SECOND_US).await,
            expected,
            "after {after_s} s, before anybody has swept"
        );
        let is_live = after_s < 10;
        let expected = if is_live { account(1) } else { wallet_id(1) };
        assert_eq!(refund(now_us + after_s * SECOND_US).await, expected, "after {after_s} s");
        let listed = services.list_expiring_grants(wallet_id(1), now_us + after_s * SECOND_US).await.unwrap();
        assert_eq!(listed.len(), usize::from(is_live), "after {after_s} s");
    }
    desk.clock.advance_us(20 * SECOND_US);
    desk.ledger().tick().await.unwrap();
    assert_eq!(balance(desk.now_us()).await, (100, 0, 100), "after the sweep");
    desk.verify();
}

async fn many_grants_lapse_together(kind: Kind) {
    let desk = desk_with_wallet(kind, 0).await;
    for number in 1..=40 {
        desk.open_account(wallet_id(10 + number), AccountKind::Wallet, 0).await;
        let give = grant(&desk, number, wallet_id(10 + number), number, 10 * SECOND_US);
        assert_eq!(desk.give(&give).await, Ok(Done::Posted));
    }
    let batches = desk.number("SELECT max(batch_no) FROM batch");
    desk.clock.advance_us(11 * SECOND_US);
    desk.ledger().tick().await.unwrap();
    assert_eq!(desk.hot_balance(LedgerAccountId::PROMO), 0);
    assert_eq!(desk.number("SELECT max(batch_no) FROM batch"), batches + 1, "in one batch");
    assert_eq!(desk.number("SELECT count(*) FROM audit WHERE action = 'grant.expire'"), 40, "each is told of");
    desk.verify();
}

async fn a_wallet_has_at_most_a_hundred_grants_to_look_at(kind: Kind) {
    let desk = desk_with_wallet(kind, 0).await;
    let (services, by) = (desk.services().await, OpContext::system());
    services.complete_facts().await.unwrap();
    let amount = Credits::from_micros(3);
    let made = services.create_funded_account(&by, "ann@example.com", true, "first", amount).await.unwrap().profile;
    let terms = |lifetime_us| Some(GrantTerms { expires_us: desk.now_us() + lifetime_us, priority: 100 });
    for number in 0..OPEN_GRANTS_MAX {
        // Accounts that are opened in one millisecond are told apart by chance.
        desk.clock.advance_us(1_000);
        let lifetime_us = if number == 0 { SECOND_US } else { 60 * SECOND_US };
        services.grant_credits(&by, made.id, amount, terms(lifetime_us), note("one of many")).await.unwrap();
    }
    desk.clock.advance_us(1_000);
    let more = services.grant_credits(&by, made.id, amount, terms(60 * SECOND_US), note("one more")).await;
    assert!(matches!(more, Err(GrantError::TooMany)), "{more:?}");
    // All of them pay for one call, the wallet's own credits last.
    let place = hold(desk.fresh(), made.wallet, payable_id(1), 3 * 100 + 3);
    assert_eq!(desk.ask(Command::Hold(place)).await, Ok(Done::Held));
    assert_eq!(desk.number("SELECT count(*) FROM hold_source"), 100);
    desk.clock.advance_us(SECOND_US);
    services.grant_credits(&by, made.id, amount, terms(60 * SECOND_US), note("there is room again")).await.unwrap();
    desk.verify();
}

fn stop(writers: Vec<(Ledger, std::thread::JoinHandle<()>)>) {
    for (ledger, thread) in writers {
        drop(ledger);
        thread.join().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_grant_given_at_one_server_is_spent_first_at_the_other() {
    let desk = desk_with_wallet(Kind::Postgres, 1_000).await;
    let other = desk.another_writer().unwrap();
    let spend = async |ledger: &Ledger, amount: i64| {
        let begin = begin(hold(desk.fresh(), wallet_id(1), payable_id(1), amount), None, desk.now_us());
        assert_eq!(ledger.begin(begin.clone()).await.unwrap(), Begun::Go);
        let ended = ledger.finish(finish(&begin, amount)).await.unwrap().unwrap();
        ended.spendable.micros()
    };
    // Both know the wallet, so both decide without locks.
    assert_eq!(spend(desk.ledger(), 10).await, 990);
    assert_eq!(spend(&other.0, 10).await, 980);
    assert_eq!(spend(&other.0, 10).await, 970);
    let later = grant(&desk, 1, wallet_id(1), 100, 60 * SECOND_US);
    assert_eq!(desk.give(&later).await, Ok(Done::Posted));
    assert_eq!(spend(&other.0, 30).await, 1_040, "the other server sees the grant");
    assert_eq!(state_of(&desk, 1), (30, 0));
    let sooner = GiveGrant { priority: 5, ..grant(&desk, 2, wallet_id(1), 100, 90 * SECOND_US) };
    assert_eq!(give_by(&other.0, &sooner).await, Ok(Done::Posted));
    assert_eq!(spend(desk.ledger(), 30).await, 1_110);
    assert_eq!((state_of(&desk, 1), state_of(&desk, 2)), ((30, 0), (30, 0)), "the one with priority pays");
    assert_eq!(desk.wallet(wallet_id(1)).debits, 30, "the wallet's own credits are the last");
    stop(vec![other]);
    desk.verify();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_goes_back_to_a_grant_at_one_server_is_spent_first_at_the_other() {
    let desk = desk_with_wallet(Kind::Postgres, 1_000).await;
    let other = desk.another_writer().unwrap();
    let give = grant(&desk, 1, wallet_id(1), 100, 60 * SECOND_US);
    assert_eq!(desk.give(&give).await, Ok(Done::Posted));
    // The other server carries the calls, and remembers that the grant is spent.
    let spend = async |amount: i64| {
        let begin = begin(hold(desk.fresh(), wallet_id(1), payable_id(1), amount), None, desk.now_us());
        assert_eq!(other.0.begin(begin.clone()).await.unwrap(), Begun::Go);
        assert!(other.0.finish(finish(&begin, amount)).await.unwrap().is_ok());
        EntryId::from(begin.call.id.uuid())
    };
    let (first, second) = (spend(70).await, spend(30).await);
    let own = || desk.wallet(wallet_id(1)).debits;
    assert_eq!((state_of(&desk, 1), own()), ((100, 0), 0));
    let refund = Refund { id: desk.fresh(), of: first, amount: Some(Credits::from_micros(25)), meta: None };
    assert_eq!(desk.ask(Command::Refund(refund)).await, Ok(Done::Posted));
    spend(20).await;
    assert_eq!((state_of(&desk, 1), own()), ((120, 0), 0), "the refund went to the grant, and is spent from there");
    let revert = Revert { id: desk.fresh(), of: second, meta: None };
    assert_eq!(desk.ask(Command::Revert(revert)).await, Ok(Done::Posted));
    spend(40).await;
    assert_eq!((state_of(&desk, 1), own()), ((155, 0), 5));
    stop(vec![other]);
    desk.verify();
}

/// What was spent and is held of grant `number`.
fn state_of(desk: &Desk, number: i64) -> (i64, i64) {
    let row = desk.wallet(account(number));
    (row.debits, row.held)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn another_server_lets_the_grants_of_a_dead_one_lapse() {
    let mut desk = desk_with_wallet(Kind::Postgres, 0).await;
    let other = desk.another_writer().unwrap();
    let give = grant(&desk, 1, wallet_id(1), 100, 10 * SECOND_US);
    assert_eq!(give_by(&other.0, &give).await, Ok(Done::Posted));
    stop(vec![other]);
    desk.clock.advance_us(10 * SECOND_US);
    desk.ledger().tick().await.unwrap();
    assert_eq!(desk.number("SELECT count(*) FROM open_grant"), 1, "for two seconds that is its own business");
    desk.clock.advance_us(2 * SECOND_US);
    desk.ledger().tick().await.unwrap();
    assert_eq!(desk.number("SELECT count(*) FROM open_grant"), 0);
    assert_eq!(desk.hot_balance(LedgerAccountId::PROMO), 0);
    desk.stop();
    desk.verify();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn grants_of_one_wallet_are_never_overspent_by_four_servers_while_they_expire() {
    let desk = desk_with_wallet(Kind::Postgres, 0).await;
    let writers: Vec<_> = (0..4).map(|_| desk.another_writer().unwrap()).collect();
    let mut worth = 0;
    for round in 0..6_i64 {
        // Half of them expire before the round is over, and nobody knows which hold will have been first.
        for number in 1..=4 {
            let lifetime_us = if number % 2 == 0 { 60 * SECOND_US } else { 5 * SECOND_US };
            let give = grant(&desk, round * 10 + number, wallet_id(1), 70, lifetime_us);
            assert_eq!(give_by(&writers[usize::try_from(number - 1).unwrap()].0, &give).await, Ok(Done::Posted));
            worth += 70;
        }
        let mut callers = JoinSet::new();
        for caller in 0..48_usize {
            let (ledger, other) = (writers[caller % 4].0.clone(), writers[(caller + 1) % 4].0.clone());
            let clock = std::sync::Arc::clone(&desk.clock);
            let (id, end) = (desk.fresh(), desk.fresh());
            let place = hold(id, wallet_id(1), payable_id(1), 9);
            callers.spawn(async move {
                match ledger.command(Command::Hold(place)).await.unwrap() {
                    Ok(Done::Held) => {
                        clock.advance_us(SECOND_US / 4);
                        let settle = if caller % 3 == 0 { release(end, id) } else { capture_all(end, id) };
                        assert!(matches!(other.command(Command::Settle(settle)).await, Ok(Ok(Done::Settled { .. }))));
                    }
                    Err(Refusal::Insufficient { .. }) => {}
                    other => panic!("{other:?}"),
                }
            });
        }
        callers.join_all().await;
    }
    desk.clock.advance_us(100 * SECOND_US);
    for (ledger, _) in &writers {
        ledger.tick().await.unwrap();
    }
    let (paid, returned) = (desk.hot_balance(payable_id(1)), worth + desk.hot_balance(LedgerAccountId::PROMO));
    assert!(paid > 0 && returned > 0, "{paid} paid, {returned} returned");
    assert_eq!(paid + returned, worth, "every credit was paid or went back");
    assert_eq!(desk.number("SELECT count(*) FROM open_grant"), 0);
    stop(writers);
    desk.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_posting_does_not_reach_a_grant_that_has_expired() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let desk = desk_with_wallet(kind, 0).await;
        let give = grant(&desk, 1, wallet_id(1), 10, 10 * SECOND_US);
        assert_eq!(desk.give(&give).await, Ok(Done::Posted));
        let refund = || Command::Post(post(desk.fresh(), &[(payable_id(1), account(1), 5)]));
        assert_eq!(desk.ask(refund()).await, Ok(Done::Posted));
        desk.clock.advance_us(10 * SECOND_US);
        assert_eq!(desk.ask(refund()).await, Err(Refusal::AccountClosed(account(1))));
        assert_eq!(desk.hot_balance(LedgerAccountId::PROMO), 5, "what was refunded goes back with the rest");
        desk.verify();
    }
}
