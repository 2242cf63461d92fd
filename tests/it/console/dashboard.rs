//! The part `dashboard` of the console: its use cases.

use engine::{
    audit::OpContext,
    credits::Credits,
    id::{EntryId, OperatorId},
    invocation::CallOutcome,
    operator::Role,
    policy::console::ConsoleAction,
    service::{
        approvals::NewApproval, counts::Takings, dashboard::CapSubject, movements::Note, operators::NewOperator,
    },
};
use serde_json::json;

use super::{
    invocations::add_calls,
    shop::{ALICE, MOST, Shop},
};
use crate::ledger::desk::{Kind, SECOND_US, on_both};

on_both! {
    calls_are_shown_at_once_and_counted_once,
    money_is_counted_from_the_books,
    of_damaged_books_what_is_left_is_counted,
    two_servers_count_everything_once,
    what_is_written_down_late_is_counted,
    what_came_in_after_a_clock_was_set_right_is_counted_and_shown,
    a_week_ago_is_compared_with,
    what_was_not_counted_yet_is_looked_at_up_to_a_bound,
    what_needs_somebody_is_told,
}

const HOUR_US: i64 = 3_600 * SECOND_US;
const WEEK_US: i64 = 7 * 24 * HOUR_US;

async fn operator(shop: &Shop, email: &str) -> OperatorId {
    let new = NewOperator { email, name: "Somebody", roles: &[Role::Owner] };
    shop.services.create_operator(&OpContext::system(), new).await.unwrap().operator.id
}

/// Counts until there is nothing more to count.
async fn count_all(shop: &Shop) {
    while shop.services.count_further().await.unwrap() {}
}

fn counted(shop: &Shop) -> i64 {
    shop.desk.number("SELECT coalesce(sum(calls), 0) FROM call_count")
}

async fn calls_are_shown_at_once_and_counted_once(kind: Kind) {
    let mut shop = Shop::open(kind).await;
    let owner = operator(&shop, "owner@example.com").await;
    shop.paid_call("1").await;
    shop.paid_call("2").await;
    shop.free_call().await;
    shop.failed_call().await;
    shop.unknown_call().await;
    shop.denied_call().await;
    let expected = [
        (CallOutcome::Charged, 2),
        (CallOutcome::Free, 1),
        (CallOutcome::Failed, 1),
        (CallOutcome::Unknown, 1),
        (CallOutcome::Denied, 1),
    ];
    let check = async |when: &str| {
        let found = shop.services.load_dashboard(owner).await.unwrap();
        for (outcome, count) in expected {
            assert_eq!(found.calls.of(outcome), count, "{when}: {outcome:?}");
        }
        assert_eq!(found.calls.total(), 6, "{when}");
        assert_eq!(found.hours.len(), 24);
        assert_eq!(found.hours.iter().map(|(_, calls)| calls.total()).sum::<i64>(), 6, "{when}");
        assert_eq!(found.calls_until_us, found.now_us, "{when}");
        assert_eq!((found.open_holds.count, found.held, found.unknown.count), (1, Credits::from_micros(MOST), 1));
    };
    check("before anything is counted").await;
    count_all(&shop).await;
    assert_eq!(counted(&shop), 0, "a call is not counted as long as it may change");
    check("after the first round").await;
    // Longer than the slowest tool and its settlement take.
    shop.desk.clock.advance_us(600 * SECOND_US);
    count_all(&shop).await;
    assert_eq!(counted(&shop), 6);
    check("after everything is counted").await;
    count_all(&shop).await;
    assert_eq!(counted(&shop), 6);
}

async fn money_is_counted_from_the_books(kind: Kind) {
    let shop = Shop::open(kind).await;
    let owner = operator(&shop, "owner@example.com").await;
    let id = shop.paid_call("4").await;
    shop.paid_call("0").await;
    let note = Note { reason: "a test", key: None };
    let part = Some(Credits::from_micros(1_000_000));
    shop.services.refund(&OpContext::system(), EntryId::from(id), part, note).await.unwrap();
    let before = shop.services.load_dashboard(owner).await.unwrap().takings;
    assert_eq!(before, Takings::default(), "nobody has counted");
    count_all(&shop).await;
    let takings = shop.services.load_dashboard(owner).await.unwrap().takings;
    let expected =
        Takings { charged: 10_000_000, publishers: 8_000_000, partners: 0, platform: 2_000_000, refunded: 1_000_000 };
    assert_eq!(takings, expected, "8 and 2 credits, four fifths of them the publisher's");
    count_all(&shop).await;
    assert_eq!(shop.services.load_dashboard(owner).await.unwrap().takings, expected);
    let head = shop.desk.number("SELECT max(seq) FROM chain_head");
    assert_eq!(shop.desk.number("SELECT max(reached) FROM count_head WHERE name LIKE 'slot %'"), head);
    // Counting is no part of the books.
    shop.desk.verify();
}

/// A posting whose transaction is gone is nothing to count, and no reason to stop.
async fn of_damaged_books_what_is_left_is_counted(kind: Kind) {
    let shop = Shop::open(kind).await;
    let publisher = shop.services.find_publisher("acme").await.unwrap().unwrap();
    shop.paid_call("4").await;
    let earned = async || {
        let found = shop.services.load_earned_days(&publisher).await.unwrap();
        found.days.iter().map(|day| day.share.micros()).sum::<i64>()
    };
    let whole = earned().await;
    assert!(whole > 0);
    shop.paid_call("4").await;
    assert_eq!(earned().await, 2 * whole);
    assert_eq!(shop.desk.force("DELETE FROM txn WHERE seq = (SELECT max(seq) FROM txn)"), 1);
    assert_eq!(earned().await, whole);
    count_all(&shop).await;
    let charged = shop.services.load_takings(0, i64::MAX).await.unwrap().charged;
    assert_eq!(charged, 8_000_000, "of the call that is whole");
}

async fn two_servers_count_everything_once(kind: Kind) {
    let shop = Shop::open(kind).await;
    let other = shop.desk.services().await;
    for _ in 0..5 {
        shop.paid_call("2").await;
        shop.desk.clock.advance_us(600 * SECOND_US);
        let (here, there) = tokio::join!(shop.services.count_further(), other.count_further());
        assert!(here.is_ok() && there.is_ok(), "{here:?} {there:?}");
    }
    count_all(&shop).await;
    assert_eq!(counted(&shop), 5);
    let charged = shop.services.load_takings(0, i64::MAX).await.unwrap().charged;
    assert_eq!(charged, 5 * 5_000_000);
}

async fn what_is_written_down_late_is_counted(kind: Kind) {
    let shop = Shop::open(kind).await;
    let first_us = shop.desk.now_us();
    shop.paid_call("1").await;
    shop.desk.clock.advance_us(900 * SECOND_US);
    count_all(&shop).await;
    assert_eq!(counted(&shop), 1);
    // The database was away; what a server has kept meanwhile is older than anything that could still change.
    add_calls(&shop.desk, kind, 3, first_us + 60 * SECOND_US, "invalid_arguments").await;
    count_all(&shop).await;
    assert_eq!(counted(&shop), 4);
    count_all(&shop).await;
    assert_eq!(counted(&shop), 4);
}

async fn what_came_in_after_a_clock_was_set_right_is_counted_and_shown(kind: Kind) {
    let shop = Shop::open(kind).await;
    let owner = operator(&shop, "owner@example.com").await;
    shop.paid_call("1").await;
    shop.desk.clock.advance_us(24 * HOUR_US);
    shop.paid_call("1").await;
    shop.desk.clock.advance_us(600 * SECOND_US);
    count_all(&shop).await;
    assert_eq!(counted(&shop), 2);
    shop.desk.clock.advance_us(-24 * HOUR_US);
    shop.paid_call("1").await;
    shop.free_call().await;
    let found = shop.services.load_dashboard(owner).await.unwrap();
    assert_eq!(
        (found.calls.total(), found.calls_until_us),
        (3, found.now_us),
        "nothing is called complete that is not"
    );
    count_all(&shop).await;
    assert_eq!(counted(&shop), 1, "tomorrow's call is counted tomorrow");
    shop.desk.clock.advance_us(600 * SECOND_US);
    count_all(&shop).await;
    assert_eq!(counted(&shop), 3);
    let found = shop.services.load_dashboard(owner).await.unwrap();
    assert_eq!((found.calls.total(), found.calls_until_us), (3, found.now_us));
    shop.desk.clock.advance_us(24 * HOUR_US);
    count_all(&shop).await;
    assert_eq!(counted(&shop), 4, "each once");
}

async fn a_week_ago_is_compared_with(kind: Kind) {
    let shop = Shop::open(kind).await;
    let owner = operator(&shop, "owner@example.com").await;
    shop.paid_call("4").await;
    // Later on the same day: not to be compared with the morning.
    shop.desk.clock.advance_us(3 * HOUR_US);
    shop.paid_call("0").await;
    shop.desk.clock.advance_us(600 * SECOND_US);
    count_all(&shop).await;
    shop.desk.clock.advance_us(WEEK_US - 2 * HOUR_US);
    let found = shop.services.load_dashboard(owner).await.unwrap();
    assert_eq!((found.calls.total(), found.takings), (0, Takings::default()));
    assert_eq!(found.calls_before.of(CallOutcome::Charged), 1);
    assert_eq!((found.takings_before.charged, found.takings_before.publishers), (8_000_000, 6_400_000));
    assert!(
        found.before_until_us <= found.now_us - WEEK_US && found.now_us - WEEK_US - found.before_until_us < HOUR_US
    );
}

async fn what_was_not_counted_yet_is_looked_at_up_to_a_bound(kind: Kind) {
    let shop = Shop::open(kind).await;
    let owner = operator(&shop, "owner@example.com").await;
    add_calls(&shop.desk, kind, 25_000, shop.desk.now_us(), "invalid_arguments").await;
    shop.desk.clock.advance_us(30 * SECOND_US);
    let found = shop.services.load_dashboard(owner).await.unwrap();
    let seen = found.calls.of(CallOutcome::Invalid);
    assert!((9_990..=10_000).contains(&seen), "{seen}");
    assert!(found.calls_until_us < found.now_us, "whoever asks is told how far it is");
    shop.desk.clock.advance_us(600 * SECOND_US);
    assert!(shop.services.count_further().await.unwrap(), "more than one step");
    assert!(counted(&shop) <= 20_000);
    count_all(&shop).await;
    assert_eq!(counted(&shop), 25_000);
    let found = shop.services.load_dashboard(owner).await.unwrap();
    assert_eq!((found.calls.of(CallOutcome::Invalid), found.calls_until_us), (25_000, found.now_us));
}

async fn what_needs_somebody_is_told(kind: Kind) {
    let shop = Shop::open_with_cap(kind, Some(20_000_000)).await;
    let (author, other) = (operator(&shop, "author@example.com").await, operator(&shop, "other@example.com").await);
    let calm = shop.services.load_dashboard(author).await.unwrap();
    assert!(calm.waiting.is_empty() && calm.near_caps.is_empty() && calm.checkpoint.is_none(), "{calm:?}");
    assert_eq!((calm.pending_purchases.count, calm.open_chargebacks.count), (0, 0));

    let new = NewApproval {
        kind: ConsoleAction::RefundCreate.as_str(),
        payload: json!({}),
        amount: Some(1),
        object: ("transaction", "ent_1".to_owned()),
        reason: "a test",
        key: None,
    };
    shop.services.request_approval(&OpContext::system(), author, new).await.unwrap();
    // 9.5 of 20 credits are less than four fifths; twice as much is more.
    shop.paid_call("5").await;
    assert!(shop.services.load_dashboard(author).await.unwrap().near_caps.is_empty());
    shop.paid_call("5").await;
    let (own, others) =
        (shop.services.load_dashboard(author).await.unwrap(), shop.services.load_dashboard(other).await.unwrap());
    let waiting = |found: &engine::service::dashboard::Dashboard| {
        found.waiting.iter().map(|waiting| (waiting.kind.clone(), waiting.count, waiting.of_others)).collect::<Vec<_>>()
    };
    assert_eq!(waiting(&own), [("refund.create".to_owned(), 1, 0)], "nobody decides their own");
    assert_eq!(waiting(&others), [("refund.create".to_owned(), 1, 1)]);
    let [cap] = own.near_caps.as_slice() else { panic!("{:?}", own.near_caps) };
    assert!(matches!(&cap.subject, Some(CapSubject::Account(_, email)) if email == ALICE), "{cap:?}");
    assert_eq!((cap.limit, cap.used), (Credits::from_micros(20_000_000), Credits::from_micros(19_000_000)));
    assert_eq!(cap.percent(), 95);
    assert!(!own.has_more_near_caps);
}
