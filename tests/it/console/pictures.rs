//! What the pictures of the console are drawn from.

use engine::{
    audit::OpContext,
    credits::Credits,
    id::{EndUserId, EntryId, InvocationId, PartnerId, TokenId, ToolId},
    invocation::{CallParties, CallRecord, CallState},
    service::{
        journal::{EARNED_DAYS, EarnedDays},
        movements::{Note, ORDERS_LOOKED_AT},
        partners::NewPartner,
        recent::RECENT_CALLS,
    },
    store::UnitOfWork,
    testing::{call_end, push_statement, running_call},
};

use super::{
    catalog::add_tool,
    invocations::{add_calls, numbered},
    movements::{Shop, credits},
};
use crate::ledger::desk::{Desk, Kind, SECOND_US, on_both};

on_both! {
    what_a_publisher_earned_and_gave_back_is_told_day_by_day,
    what_end_users_spent_is_known_from_the_newest_calls,
    what_tokens_did_is_known_from_the_newest_calls,
    what_went_back_is_told_by_tool,
}

const DAY_US: i64 = 86_400 * SECOND_US;

const fn why() -> Note<'static> {
    Note { reason: "a test", key: None }
}

/// How many days ago, what was earned and what went back, in micro-credits: of the days on which something was.
fn filled(found: &EarnedDays, now_us: i64) -> Vec<(i64, i64, i64)> {
    let days = found.days.iter().filter(|day| !day.share.is_zero() || !day.back.is_zero());
    days.map(|day| ((now_us - day.from_us) / DAY_US, day.share.micros(), day.back.micros())).collect()
}

async fn what_a_publisher_earned_and_gave_back_is_told_day_by_day(kind: Kind) {
    let shop = Shop::open(kind).await;
    let (by, services, desk) = (OpContext::system(), &shop.services, &shop.desk);
    let acme = services.find_publisher("acme").await.unwrap().unwrap();
    assert_eq!(services.load_earned_days(&acme).await.unwrap(), EarnedDays::default(), "nothing is no picture");

    let dear = shop.charge(credits(100)).await;
    desk.clock.advance_us(DAY_US);
    shop.charge(credits(10)).await;
    services.refund(&by, dear, Some(credits(40)), why()).await.unwrap();
    desk.clock.advance_us(2 * DAY_US);
    let payee = services.find_payee("acme").await.unwrap();
    services.pay_out(&by, &payee, Some(credits(30)), why()).await.unwrap();
    // Of 48 there are 26 left: the rest is owed from now on, and goes back all the same.
    services.refund(&by, dear, None, why()).await.unwrap();
    desk.clock.advance_us(DAY_US);
    let wrong = shop.charge(credits(1)).await;
    services.revert(&by, wrong, why(), false).await.unwrap();
    shop.charge(credits(100)).await;
    // What is kept of it for the debt was told when it went back.
    services.pay_out(&by, &payee, None, why()).await.unwrap();

    let found = services.load_earned_days(&acme).await.unwrap();
    assert_eq!((i64::try_from(found.days.len()).unwrap(), found.looked_back_to_us), (EARNED_DAYS, None));
    let expected = [(4, 80_000_000, 0), (3, 8_000_000, 32_000_000), (1, 0, 48_000_000), (0, 80_800_000, 800_000)];
    assert_eq!(filled(&found, desk.now_us()), expected);
    desk.clock.advance_us(26 * DAY_US);
    let found = services.load_earned_days(&acme).await.unwrap();
    let expected = [(29, 8_000_000, 32_000_000), (27, 0, 48_000_000), (26, 80_800_000, 800_000)];
    assert_eq!(filled(&found, desk.now_us()), expected, "the first day is too long ago");
    desk.clock.advance_us(4 * DAY_US);
    assert_eq!(services.load_earned_days(&acme).await.unwrap(), EarnedDays::default());
    desk.verify();
}

/// Adds a call that has ended.
async fn record(desk: &Desk, id: InvocationId, parties: CallParties, (tool, charged): (Option<ToolId>, i64)) {
    let mut end = call_end(CallState::Succeeded);
    end.charged = Credits::from_micros(charged);
    let running = running_call(id, None, None, desk.now_us());
    let call = CallRecord { parties, tool, state: CallState::Succeeded, end: Some(end), ..(*running).clone() };
    desk.ledger().record(call.into()).await.unwrap();
    desk.ledger().tick().await.unwrap();
}

const fn nobody() -> CallParties {
    CallParties { account: None, token: None, partner: None, end_user: None }
}

async fn what_end_users_spent_is_known_from_the_newest_calls(kind: Kind) {
    let shop = Shop::open(kind).await;
    let (by, services, desk) = (OpContext::system(), &shop.services, &shop.desk);
    let make = async |name| {
        let new = NewPartner { name, margin_bps: 500, reason: "a contract", key: None };
        services.create_partner(&by, new).await.unwrap().id
    };
    let (globex, initech) = (make("Globex").await, make("Initech").await);
    let user = async |of: PartnerId, name: &str| services.load_end_user(of, name).await.unwrap().id;
    let (one, two, three) = (user(globex, "u-1").await, user(globex, "u-2").await, user(globex, "u-3").await);
    user(globex, "who never called").await;
    let other = user(initech, "u-1").await;
    let call = async |partner: PartnerId, user: EndUserId, charged: i64| {
        desk.clock.advance_us(SECOND_US);
        let parties = CallParties { partner: Some(partner), end_user: Some(user), ..nobody() };
        record(desk, InvocationId::from(desk.fresh().uuid()), parties, (None, charged)).await;
        desk.now_us()
    };
    let nothing_yet = services.recent_users(globex).await.unwrap();
    assert_eq!((nothing_yet.users.len(), nothing_yet.spending()), (0, Vec::new()));

    call(globex, one, 5_000_000).await;
    let two_us = call(globex, two, 0).await;
    call(initech, other, 9_000_000).await;
    let one_us = call(globex, one, 7_500_000).await;
    let three_us = call(globex, three, 20_000).await;
    let found = services.recent_users(globex).await.unwrap();
    let mut seen: Vec<(EndUserId, i64, i64, i64)> = found
        .users
        .iter()
        .map(|(user, (recent, charged))| (EndUserId::from(*user), recent.calls, recent.last_us, charged.micros()))
        .collect();
    seen.sort_unstable();
    let mut expected = [(one, 2, one_us, 12_500_000), (two, 1, two_us, 0), (three, 1, three_us, 20_000)];
    expected.sort_unstable();
    assert_eq!((seen.as_slice(), found.since_us), (&expected[..], None));
    assert_eq!(found.spent_by(one).map(Credits::micros), Some(12_500_000));
    let classes: Vec<(i64, Option<i64>, i64)> = found
        .spending()
        .iter()
        .map(|class| (class.from.micros(), class.below.map(Credits::micros), class.users))
        .collect();
    let expected = [
        (0, None, 1),
        (10_000, Some(100_000), 1),
        (100_000, Some(1_000_000), 0),
        (1_000_000, Some(10_000_000), 0),
        (10_000_000, Some(100_000_000), 1),
    ];
    assert_eq!(classes, expected);

    // So many newer calls of others that none of these is among them.
    desk.clock.advance_us(SECOND_US);
    let from_us = desk.now_us();
    add_calls(desk, kind, i64::try_from(RECENT_CALLS).unwrap(), from_us, "invalid_arguments").await;
    let found = services.recent_users(globex).await.unwrap();
    assert_eq!((found.users.len(), found.since_us), (0, Some(from_us - from_us % 1_000)));
    assert_eq!(found.spent_by(one), None);
}

async fn what_tokens_did_is_known_from_the_newest_calls(kind: Kind) {
    let shop = Shop::open(kind).await;
    let (services, desk) = (&shop.services, &shop.desk);
    let [one, two, other] = [1, 2, 3].map(|number| TokenId::from(uuid::Uuid::from_u128(number)));
    assert!(services.recent_tokens(&[one, two]).await.unwrap().is_empty());
    let call = async |token: TokenId, state: CallState| {
        let parties = CallParties { token: Some(token), ..nobody() };
        let id = InvocationId::from(desk.fresh().uuid());
        let running = running_call(id, None, None, desk.now_us());
        let call = CallRecord { parties, state, end: Some(call_end(state)), ..(*running).clone() };
        desk.ledger().record(call.into()).await.unwrap();
        desk.ledger().tick().await.unwrap();
        desk.clock.advance_us(SECOND_US);
    };
    call(one, CallState::Succeeded).await;
    call(two, CallState::Denied).await;
    desk.clock.advance_us(200 * SECOND_US);
    call(one, CallState::Refused).await;
    call(one, CallState::Failed).await;
    call(other, CallState::Succeeded).await;

    let found = services.recent_tokens(&[one, two]).await.unwrap();
    assert_eq!(found.len(), 2, "nobody asked for the other one");
    let filled = |parts: &[i64]| -> Vec<(usize, i64)> {
        parts.iter().copied().enumerate().filter(|(_, calls)| *calls > 0).collect()
    };
    let first = &found[&one.uuid()];
    assert_eq!((first.recent.calls, first.turned_away), (3, 1));
    assert_eq!((filled(&first.calls), filled(&first.turned_away_calls)), (vec![(0, 1), (23, 2)], vec![(23, 1)]));
    let second = &found[&two.uuid()];
    assert_eq!((second.recent.calls, second.turned_away, filled(&second.calls)), (1, 1, vec![(0, 1)]));
}

/// Adds as many orders as are looked at, which are no refunds.
async fn add_orders(desk: &Desk, kind: Kind) {
    let first_ms = desk.now_us() / 1_000;
    let (numbers, id) = numbered(kind, i64::try_from(ORDERS_LOOKED_AT).unwrap(), first_ms);
    let sql = format!(
        "{numbers} INSERT INTO movement (id, kind, subject, credits, reason, created_us)
         SELECT {id}, 'adjustment', 'acc_1', 1, 'a test', ({first_ms} + n) * 1000 FROM number"
    );
    let mut unit = UnitOfWork::new();
    push_statement(&mut unit, &sql, Some(ORDERS_LOOKED_AT));
    desk.save(unit).await.unwrap();
}

async fn what_went_back_is_told_by_tool(kind: Kind) {
    let shop = Shop::open(kind).await;
    let (by, services, desk) = (OpContext::system(), &shop.services, &shop.desk);
    let tool = services.find_tool_called("acme/tool").unwrap();
    let namespace = services.find_namespace("acme").await.unwrap().unwrap().id;
    let look = add_tool(services, namespace, "look", "5").await;
    let paid = async |tool: Option<ToolId>, whole: i64| {
        let charge: EntryId = shop.charge(credits(whole)).await;
        if tool.is_some() {
            record(desk, InvocationId::from(charge.uuid()), nobody(), (tool, credits(whole).micros())).await;
        }
        charge
    };
    let (dear, cheap) = (paid(Some(tool), 100).await, paid(Some(tool), 10).await);
    let (other, of_none) = (paid(Some(look), 300).await, paid(None, 5).await);
    paid(Some(look), 1).await;
    let found = services.load_refunds_by_tool().await.unwrap();
    assert_eq!((found.tools.len(), found.since_us), (0, None));

    services.refund(&by, dear, Some(credits(40)), why()).await.unwrap();
    services.refund(&by, dear, None, why()).await.unwrap();
    services.revert(&by, cheap, why(), false).await.unwrap();
    services.refund(&by, other, Some(credits(200)), why()).await.unwrap();
    services.refund(&by, of_none, None, why()).await.unwrap();
    services.adjust(&by, shop.customer.id, credits(-3), why()).await.unwrap();
    let found = services.load_refunds_by_tool().await.unwrap();
    let told: Vec<(ToolId, &str, i64, Credits)> =
        found.tools.iter().map(|row| (row.tool, row.path.as_str(), row.refunds, row.credits)).collect();
    assert_eq!(told, [(look, "acme/look", 1, credits(200)), (tool, "acme/tool", 3, credits(110))]);
    assert_eq!(found.since_us, None);
    desk.verify();

    desk.clock.advance_us(SECOND_US);
    let first_us = desk.now_us() - desk.now_us() % 1_000;
    add_orders(desk, kind).await;
    let found = services.load_refunds_by_tool().await.unwrap();
    assert_eq!((found.tools.len(), found.since_us), (0, Some(first_us)), "the newest orders are none of these");
}
