//! The part `invocations` of the console: its use cases.

use engine::{
    audit::OpContext,
    credits::Credits,
    id::{AccountId, EntryId, InvocationId, first_at},
    invocation::{CallOutcome, CallState, Surface},
    ledger::{AccountKind, TransactionKind, leaf::Settled},
    service::{
        invocations::{CALLS_LOOKED_AT, CallFilter, CallReason},
        movements::Note,
    },
    store::UnitOfWork,
    testing::push_statement,
    upstream::UpstreamAnswer,
};

use super::shop::{ALICE, MOST, Shop};
use crate::ledger::desk::{Desk, Kind, SECOND_US, on_both};

on_both! {
    a_paid_call_is_shown_with_everything_that_the_books_say,
    what_a_tool_wanted_beyond_the_hold_is_told,
    calls_without_money_and_calls_that_are_not_there_are_told_apart,
    calls_are_listed_newest_first_and_by_what_came_of_them,
    a_list_that_no_index_serves_stops_at_its_bound_and_goes_on_there,
    a_denied_call_is_explained_as_recorded_and_another_one_is_decided_again,
}

const fn credits(micros: i64) -> Credits {
    Credits::from_micros(micros)
}

async fn a_paid_call_is_shown_with_everything_that_the_books_say(kind: Kind) {
    let shop = Shop::open(kind).await;
    let result = Some("{\"cost\": 3}".to_owned());
    let id = shop.call("dear", Some("k-1"), UpstreamAnswer::Completed { result, meta: None }).await.id;
    let found = shop.services.find_call(id).await.unwrap().unwrap();
    assert_eq!((found.call.state, found.call.outcome), (CallState::Succeeded, CallOutcome::Charged));
    assert_eq!((found.call.held, found.call.charged), (credits(MOST), credits(6_500_000)), "2 + 1.5 × 3");
    assert_eq!(found.call.tool.as_ref().unwrap().1, "acme/dear");
    assert_eq!(found.call.account.as_ref().unwrap().1, ALICE);
    assert_eq!(found.call.surface, Some(Surface::Marketplace));
    assert_eq!(found.price.as_ref().unwrap().price.mode.as_str(), "tool_returned");
    let key = found.key.as_ref().unwrap();
    assert_eq!((key.key.as_str(), key.holder, key.status), ("k-1", Some(id), Some(200)));

    let hold = found.money.hold.as_ref().unwrap();
    assert_eq!((hold.amount, hold.publisher_bps, hold.partner_bps), (credits(MOST), 8_000, 0));
    assert_eq!((hold.is_open, hold.on_expiry), (false, None));
    let settlement = found.money.settlement.as_ref().unwrap();
    assert_eq!((settlement.settled, settlement.captured), (Settled::Captured, credits(6_500_000)));
    let charge = found.money.charge.as_ref().unwrap();
    assert_eq!(
        (charge.id, charge.kind, charge.total()),
        (EntryId::from(id), TransactionKind::Charge, credits(6_500_000))
    );
    let shares: Vec<_> = charge.postings.iter().map(|posting| (posting.to_kind.unwrap(), posting.amount)).collect();
    assert_eq!(
        shares,
        [(AccountKind::Payable, credits(5_200_000)), (AccountKind::PlatformFee, credits(1_300_000))],
        "{charge:?}"
    );
    assert_eq!((found.money.refunded, found.money.refundable), (Credits::ZERO, credits(6_500_000)));

    let note = Note { reason: "a test", key: None };
    let by = OpContext::system();
    let refunded = shop.services.refund(&by, EntryId::from(id), Some(credits(2_000_000)), note).await.unwrap();
    let found = shop.services.find_call(id).await.unwrap().unwrap();
    assert_eq!(found.money.refunds.len(), 1);
    assert_eq!((found.money.refunds[0].id, found.money.refunds[0].total()), (refunded.id, credits(2_000_000)));
    assert_eq!(found.money.refunds[0].kind, TransactionKind::Refund);
    assert_eq!((found.money.refunded, found.money.refundable), (credits(2_000_000), credits(4_500_000)));
    shop.desk.verify();
}

async fn what_a_tool_wanted_beyond_the_hold_is_told(kind: Kind) {
    let shop = Shop::open(kind).await;
    let id = shop.paid_call("100").await;
    let found = shop.services.find_call(id).await.unwrap().unwrap();
    assert_eq!((found.call.charged, found.shortfall), (credits(MOST), credits(142_000_000)));
    assert!(found.warning.is_some());
    let id = shop.call("dear", None, UpstreamAnswer::Completed { result: None, meta: None }).await.id;
    let found = shop.services.find_call(id).await.unwrap().unwrap();
    assert_eq!((found.call.charged, found.shortfall), (credits(2_000_000), Credits::ZERO), "the base");
    assert!(found.warning.is_some_and(|warning| warning.contains("base")));
}

async fn calls_without_money_and_calls_that_are_not_there_are_told_apart(kind: Kind) {
    let shop = Shop::open(kind).await;
    let nobody = InvocationId::new(&*shop.services.ids, shop.desk.now_us());
    assert_eq!(shop.services.find_call(nobody).await.unwrap(), None);
    assert_eq!(shop.services.explain_invocation(nobody).await.unwrap(), None);
    let free = shop.free_call().await;
    let found = shop.services.find_call(free).await.unwrap().unwrap();
    assert_eq!((found.call.outcome, found.money.hold.is_none()), (CallOutcome::Free, true));
    let failed = shop.failed_call().await;
    let found = shop.services.find_call(failed).await.unwrap().unwrap();
    assert_eq!((found.call.outcome, found.call.charged), (CallOutcome::Failed, Credits::ZERO));
    let settlement = found.money.settlement.unwrap();
    assert_eq!((settlement.settled, found.money.charge), (Settled::Released, None));
    let unknown = shop.unknown_call().await;
    let found = shop.services.find_call(unknown).await.unwrap().unwrap();
    let hold = found.money.hold.unwrap();
    assert!(hold.is_open && hold.expires_us.is_some() && hold.expires_us == found.resolves_us, "{hold:?}");
    assert_eq!(found.money.settlement, None);
}

/// The identifiers of the calls that `filter` wants, page by page of two.
async fn listed(shop: &Shop, filter: &CallFilter) -> Vec<InvocationId> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = shop.services.list_calls(filter, after, 2).await.unwrap();
        assert!(page.rows.len() <= 2 && page.looked_at.is_none());
        found.extend(page.rows.iter().map(|call| call.id));
        match page.next {
            Some(next) => after = Some(next.parse().unwrap()),
            None => return found,
        }
    }
}

async fn calls_are_listed_newest_first_and_by_what_came_of_them(kind: Kind) {
    let mut shop = Shop::open(kind).await;
    let paid = [shop.paid_call("1").await, shop.paid_call("2").await];
    shop.desk.clock.advance_us(60 * SECOND_US);
    let later_us = shop.desk.now_us();
    let (free, failed, unknown) = (shop.free_call().await, shop.failed_call().await, shop.unknown_call().await);
    let denied = shop.denied_call().await;
    let all = CallFilter::default();
    assert_eq!(listed(&shop, &all).await, [denied, unknown, failed, free, paid[1], paid[0]]);
    let since = CallFilter { from_us: Some(later_us), ..all.clone() };
    assert_eq!(listed(&shop, &since).await, [denied, unknown, failed, free]);
    let before = CallFilter { to_us: Some(later_us), ..all.clone() };
    assert_eq!(listed(&shop, &before).await, [paid[1], paid[0]]);
    for (outcome, expected) in [
        (CallOutcome::Charged, vec![paid[1], paid[0]]),
        (CallOutcome::Free, vec![free]),
        (CallOutcome::Failed, vec![failed]),
        (CallOutcome::Unknown, vec![unknown]),
        (CallOutcome::Denied, vec![denied]),
        (CallOutcome::Refused, vec![]),
        (CallOutcome::Open, vec![]),
    ] {
        let filter = CallFilter { outcome: Some(outcome), ..all.clone() };
        assert_eq!(listed(&shop, &filter).await, expected, "{outcome:?}");
    }
    let account = shop.services.find_account_called(ALICE).await.unwrap();
    let tool = shop.services.find_tool_called("acme/free");
    assert!(account.is_some() && tool.is_some());
    let of_alice = CallFilter { account, tool, ..all.clone() };
    assert_eq!(listed(&shop, &of_alice).await, [free]);
    let nobody = Some(AccountId::new(&*shop.services.ids, 0));
    assert_eq!(listed(&shop, &CallFilter { account: nobody, ..all.clone() }).await, []);
    let error = Some("policy_denied".to_owned());
    assert_eq!(listed(&shop, &CallFilter { error, ..all.clone() }).await, [denied]);
    let surface = Some(Surface::Gateway);
    assert_eq!(listed(&shop, &CallFilter { surface, ..all }).await, []);
}

/// SQL for so many rows: a first table of the numbers `n` from 0 on, and an identifier of the `n`th millisecond.
pub(super) fn numbered(kind: Kind, count: i64, first_ms: i64) -> (String, String) {
    match kind {
        Kind::Sqlite => (
            format!(
                "WITH RECURSIVE number(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n < {})",
                count - 1
            ),
            format!("unhex(printf('%012x', {first_ms} + n) || '70008000' || printf('%012x', n))"),
        ),
        Kind::Postgres => (
            format!("WITH number AS (SELECT generate_series(0, {}) AS n)", count - 1),
            format!("(lpad(to_hex({first_ms} + n), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid"),
        ),
    }
}

/// As many calls as `count`, of the milliseconds from `from_us` on, that were like the one call there is.
pub(super) async fn copy_call(desk: &Desk, kind: Kind, count: i64, from_us: i64) {
    let first_ms = from_us / 1_000;
    let (numbers, id) = numbered(kind, count, first_ms);
    let sql = format!(
        "{numbers} INSERT INTO invocation (id, surface, account_id, tool_id, price_id, held, snapshot_version,
                                           policy_version, epoch, created_us, state, charged, shortfall, ended_us)
         SELECT {id}, c.surface, c.account_id, c.tool_id, c.price_id, c.held, c.snapshot_version, c.policy_version,
                c.epoch, ({first_ms} + n) * 1000, c.state, c.charged, c.shortfall, ({first_ms} + n) * 1000
         FROM number CROSS JOIN (SELECT * FROM invocation LIMIT 1) c"
    );
    let mut unit = UnitOfWork::new();
    push_statement(&mut unit, &sql, Some(u64::try_from(count).unwrap()));
    desk.save(unit).await.unwrap();
}

/// Adds `count` calls a millisecond apart, the first at `from_us`, all with the error `error`.
pub(crate) async fn add_calls(desk: &Desk, kind: Kind, count: i64, from_us: i64, error: &str) {
    let first_ms = from_us / 1_000;
    let (numbers, id) = numbered(kind, count, first_ms);
    let sql = format!(
        "{numbers} INSERT INTO invocation (id, surface, held, snapshot_version, policy_version, epoch, created_us, state,
                                           charged, shortfall, error, ended_us)
         SELECT {id}, 1, 0, 1, 'test', 1, ({first_ms} + n) * 1000, 9, 0, 0, '{error}', ({first_ms} + n) * 1000
         FROM number"
    );
    let mut unit = UnitOfWork::new();
    push_statement(&mut unit, &sql, Some(u64::try_from(count).unwrap()));
    desk.save(unit).await.unwrap();
}

async fn a_list_that_no_index_serves_stops_at_its_bound_and_goes_on_there(kind: Kind) {
    let shop = Shop::open(kind).await;
    let first_us = shop.desk.now_us();
    add_calls(&shop.desk, kind, 3, first_us, "not_found").await;
    add_calls(&shop.desk, kind, CALLS_LOOKED_AT, first_us + SECOND_US, "invalid_arguments").await;
    let rare = CallFilter { error: Some("not_found".to_owned()), ..CallFilter::default() };
    let page = shop.services.list_calls(&rare, None, 50).await.unwrap();
    assert_eq!((page.rows.len(), page.looked_at), (0, Some(CALLS_LOOKED_AT)));
    let after = page.next.unwrap().parse().unwrap();
    let page = shop.services.list_calls(&rare, Some(after), 50).await.unwrap();
    assert_eq!((page.rows.len(), page.looked_at, page.next), (3, None, None));

    // A full page ends where it is full, and time alone needs no bound.
    let common = CallFilter { error: Some("invalid_arguments".to_owned()), ..CallFilter::default() };
    let page = shop.services.list_calls(&common, None, 50).await.unwrap();
    assert_eq!((page.rows.len(), page.looked_at), (50, None));
    let oldest = CallFilter { to_us: Some(first_us + SECOND_US), ..CallFilter::default() };
    let page = shop.services.list_calls(&oldest, None, 50).await.unwrap();
    assert_eq!((page.rows.len(), page.looked_at, page.next), (3, None, None));
    // Within so many calls there is no bound to be told of.
    let narrow = CallFilter { from_us: Some(first_us + SECOND_US), ..rare };
    let page = shop.services.list_calls(&narrow, None, 50).await.unwrap();
    assert_eq!((page.rows.len(), page.looked_at, page.next), (0, None, None));
    let beyond = shop.services.list_calls(&CallFilter::default(), Some(first_at(0)), 50).await.unwrap();
    assert_eq!((beyond.rows.len(), beyond.next), (0, None));
}

async fn a_denied_call_is_explained_as_recorded_and_another_one_is_decided_again(kind: Kind) {
    let mut shop = Shop::open(kind).await;
    let allowed = shop.paid_call("1").await;
    let reason = shop.services.explain_invocation(allowed).await.unwrap().unwrap();
    let CallReason::Again { explanation, is_same: true } = reason else { panic!("{reason:?}") };
    assert_eq!(explanation["decision"], "allow");

    let denied = shop.denied_call().await;
    let reason = shop.services.explain_invocation(denied).await.unwrap().unwrap();
    let CallReason::Recorded(explanation) = reason else { panic!("{reason:?}") };
    assert_eq!(
        (&explanation["decision"], &explanation["determining"][0]),
        (&"deny".into(), &"account.suspended".into())
    );
    let detail = shop.services.find_call(denied).await.unwrap().unwrap();
    assert_eq!(detail.denied_by, ["account.suspended"]);

    // Decided again, the call of that time meets the account as it is now.
    let reason = shop.services.explain_invocation(allowed).await.unwrap().unwrap();
    let CallReason::Again { explanation, .. } = reason else { panic!("{reason:?}") };
    assert_eq!(explanation["decision"], "deny");

    let unasked = first_at(shop.desk.now_us());
    add_calls(&shop.desk, kind, 1, shop.desk.now_us(), "not_found").await;
    let id = InvocationId::from(unasked);
    let found = shop.services.explain_invocation(id).await.unwrap();
    assert!(matches!(found, Some(CallReason::None(_))), "{found:?}");
}
