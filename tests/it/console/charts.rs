//! The numbers of pictures that are drawn from calls which went all the way.

use engine::{
    audit::OpContext,
    credits::Credits,
    id::{EntryId, InvocationId, OperatorId},
    operator::Role,
    service::{movements::Note, operators::NewOperator},
};

use super::shop::Shop;
use crate::ledger::desk::{Kind, SECOND_US, on_both};

on_both! {
    the_hours_of_the_overview_have_their_refunds_and_what_was_kept,
    how_often_calls_went_back_is_told_beside_its_band,
    denials_are_told_by_day_and_by_rule,
}

const HOUR_US: i64 = 3_600 * SECOND_US;

async fn operator(shop: &Shop) -> OperatorId {
    let new = NewOperator { email: "owner@example.com", name: "Somebody", roles: &[Role::Owner] };
    shop.services.create_operator(&OpContext::system(), new).await.unwrap().operator.id
}

/// Counts until there is nothing more to count, long after everything has ended.
async fn count_all(shop: &Shop) {
    shop.desk.clock.advance_us(600 * SECOND_US);
    while shop.services.count_further().await.unwrap() {}
}

async fn refund(shop: &Shop, call: InvocationId, micros: Option<i64>, reason: &str) {
    let note = Note { reason, key: None };
    let part = micros.map(Credits::from_micros);
    shop.services.refund(&OpContext::system(), EntryId::from(call), part, note).await.unwrap();
}

async fn the_hours_of_the_overview_have_their_refunds_and_what_was_kept(kind: Kind) {
    let shop = Shop::open(kind).await;
    let owner = operator(&shop).await;
    let dear = shop.paid_call("4").await;
    shop.paid_call("0").await;
    refund(&shop, dear, Some(1_000_000), "a test").await;
    let at = |parts: &[i64]| -> Vec<(usize, i64)> {
        parts.iter().copied().enumerate().filter(|(_, part)| *part != 0).collect()
    };
    let found = shop.services.load_dashboard(owner).await.unwrap();
    assert_eq!((found.hours_kept.len(), found.hours_refunds.len(), found.hours.len()), (24, 24, 24));
    assert_eq!((at(&found.hours_kept), at(&found.hours_refunds)), (vec![], vec![(23, 1)]), "nobody has counted");

    while shop.services.count_further().await.unwrap() {}
    shop.desk.clock.advance_us(2 * HOUR_US);
    refund(&shop, dear, Some(2_000_000), "a test").await;
    while shop.services.count_further().await.unwrap() {}
    let found = shop.services.load_dashboard(owner).await.unwrap();
    // A fifth of 8 and 2 credits, and of what went back.
    assert_eq!(at(&found.hours_kept), [(21, 1_800_000), (23, -400_000)]);
    assert_eq!(at(&found.hours_refunds), [(21, 1), (23, 1)]);
    shop.desk.clock.advance_us(22 * HOUR_US);
    let found = shop.services.load_dashboard(owner).await.unwrap();
    assert_eq!((at(&found.hours_kept), at(&found.hours_refunds)), (vec![(1, -400_000)], vec![(1, 1)]));
}

async fn how_often_calls_went_back_is_told_beside_its_band(kind: Kind) {
    let shop = Shop::open(kind).await;
    let mut calls = Vec::new();
    for _ in 0..20 {
        calls.push(shop.paid_call("2").await);
    }
    shop.free_call().await;
    assert_eq!(
        shop.services.load_refunds_by_tool().await.unwrap(),
        engine::service::movements::RefundsByTool::default()
    );
    refund(&shop, calls[0], Some(1_000_000), "wrong").await;
    refund(&shop, calls[0], Some(1_000_000), "wrong").await;
    refund(&shop, calls[1], None, "slow").await;
    assert_eq!(shop.services.load_refunds_by_tool().await.unwrap().rates, None, "nobody has counted");

    count_all(&shop).await;
    let found = shop.services.load_refunds_by_tool().await.unwrap();
    let reasons: Vec<(&str, i64, i64)> =
        found.reasons.iter().map(|row| (row.reason.as_str(), row.refunds, row.credits.micros())).collect();
    assert_eq!(reasons, [("wrong", 2, 2_000_000), ("slow", 1, 5_000_000)]);
    let rates = found.rates.unwrap();
    assert_eq!(rates.mean, 100_000, "two of twenty calls; a free one is none of them");
    let [rate] = &rates.tools[..] else { panic!("one tool: {rates:?}") };
    assert_eq!((rate.path.as_str(), rate.refunded, rate.paid_calls), ("acme/dear", 2, 20));
    assert_eq!((rate.rate, rate.low, rate.high), (100_000, 0, 301_246));
    shop.desk.clock.advance_us(31 * 24 * HOUR_US);
    let later = shop.services.load_refunds_by_tool().await.unwrap();
    assert_eq!((later.rates, later.reasons.len()), (None, 2), "rates are of thirty days");
    shop.desk.verify();
}

async fn denials_are_told_by_day_and_by_rule(kind: Kind) {
    let mut shop = Shop::open(kind).await;
    assert!(shop.services.load_decision_days().await.unwrap().is_empty(), "no call, no picture");
    assert!(shop.services.load_denials().await.unwrap().rules.is_empty());
    shop.paid_call("1").await;
    shop.free_call().await;
    shop.denied_call().await;
    let denials = shop.services.load_denials().await.unwrap();
    let denied_by = shop.desk.rows("SELECT denied_by FROM invocation WHERE denied_by IS NOT NULL");
    let expected: Vec<(String, i64)> = denied_by[0][0].split(',').map(|rule| (rule.to_owned(), 1)).collect();
    assert_eq!((denials.rules.len(), denials.since_us), (expected.len(), None));
    assert!(!expected.is_empty() && expected.iter().all(|rule| denials.rules.contains(rule)), "{denials:?}");

    count_all(&shop).await;
    let days = shop.services.load_decision_days().await.unwrap();
    assert_eq!(days.len(), 30);
    let last = days.last().unwrap();
    assert_eq!((last.calls, last.denied), (3, 1));
    assert!(days.iter().rev().skip(1).all(|day| day.calls == 0));
    assert_eq!(last.from_us, shop.desk.now_us() - shop.desk.now_us() % (24 * HOUR_US));
}
