//! What a publisher's tools have earned, and what became of their calls.

use engine::{
    credits::Credits,
    id::{InvocationId, ToolId},
    invocation::{CallRecord, CallState},
    service::publishing::PublishingError,
    testing::{call_end, running_call},
};

use super::{BOB, Shop, by, publisher};
use crate::{
    console::invocations::add_calls,
    ledger::desk::{Kind, SECOND_US, on_both},
};

on_both! {
    sales_are_counted_by_days_and_namespaces,
    a_warning_is_seen_by_its_publisher,
    a_warning_is_found_however_busy_others_are,
}

const DAY_US: i64 = 86_400 * SECOND_US;

impl Shop {
    async fn call(&self, tool: ToolId, charged: i64, warning: Option<&str>) -> InvocationId {
        let id = InvocationId::from(self.desk.fresh().uuid());
        let mut end = call_end(CallState::Succeeded);
        end.charged = Credits::from_micros(charged);
        end.warning = warning.map(Into::into);
        let call = CallRecord {
            tool: Some(tool),
            state: CallState::Succeeded,
            end: Some(end),
            ..(*running_call(id, None, None, self.desk.now_us())).clone()
        };
        self.desk.ledger().record(call.into()).await.unwrap();
        self.desk.ledger().tick().await.unwrap();
        id
    }
}

async fn sales_are_counted_by_days_and_namespaces(kind: Kind) {
    let shop = Shop::open(kind).await;
    let globex = publisher(&shop.services, BOB, "Globex").await;
    let first_us = shop.desk.now_us();
    for charged in [5, 0, 7] {
        shop.call(shop.tool.id, charged, None).await;
    }
    shop.desk.clock.advance_us(DAY_US);
    shop.call(shop.tool.id, 3, None).await;
    shop.desk.clock.advance_us(DAY_US);
    while shop.services.count_further().await.unwrap() {}
    let (from_us, to_us) = (first_us - first_us.rem_euclid(DAY_US), first_us + 10 * DAY_US);
    let sales = shop.services.load_sales(shop.acme, from_us, to_us).await.unwrap();
    let days: Vec<_> = sales.days.iter().map(|day| (day.calls, day.paid_calls, day.charged.micros())).collect();
    assert_eq!(days, [(3, 2, 12), (1, 1, 3)]);
    let of: Vec<_> = sales.namespaces.iter().map(|of| (of.name.as_str(), of.calls, of.charged.micros())).collect();
    assert_eq!(of, [("acme", 4, 15)]);
    assert!(sales.counted_until_us > first_us + DAY_US, "{sales:?}");
    let nothing = shop.services.load_sales(globex, from_us, to_us).await.unwrap();
    assert!(nothing.days.is_empty() && nothing.namespaces.is_empty(), "{nothing:?}");
    let earlier = shop.services.load_sales(shop.acme, from_us - DAY_US, from_us).await.unwrap();
    assert!(earlier.days.is_empty(), "{earlier:?}");
}

async fn a_warning_is_seen_by_its_publisher(kind: Kind) {
    let shop = Shop::open(kind).await;
    let globex = publisher(&shop.services, BOB, "Globex").await;
    let quiet = shop.call(shop.tool.id, 5, None).await;
    shop.desk.clock.advance_us(SECOND_US);
    let loud = shop.call(shop.tool.id, 0, Some("no cost at `$.cost`")).await;
    let calls = shop.services.list_own_calls(shop.acme).await.unwrap();
    let found: Vec<_> = calls.rows.iter().map(|call| (call.id, call.is_acknowledged, call.tool.1.as_str())).collect();
    assert_eq!(found, [(loud, false, "acme/add"), (quiet, false, "acme/add")]);
    assert_eq!(calls.looked_back_to_us, None);
    assert!(shop.services.list_own_calls(globex).await.unwrap().rows.is_empty());
    let foreign = shop.services.acknowledge_call(&by(), globex, loud).await;
    assert!(matches!(foreign, Err(PublishingError::NotFound("call"))), "{foreign:?}");
    let nothing = shop.services.acknowledge_call(&by(), shop.acme, quiet).await;
    assert!(matches!(nothing, Err(PublishingError::Conflict(_))), "{nothing:?}");
    for _ in 0..2 {
        assert!(shop.services.acknowledge_call(&by(), shop.acme, loud).await.unwrap().is_acknowledged);
    }
    let seen = shop.services.list_own_calls(shop.acme).await.unwrap();
    assert_eq!(seen.rows.iter().map(|call| call.is_acknowledged).collect::<Vec<_>>(), [true, false]);
    assert_eq!(shop.audit("call.acknowledge"), 1);
}

/// One more than is looked at for the latest calls.
const MORE_THAN_LOOKED_AT: i64 = 100_001;

async fn a_warning_is_found_however_busy_others_are(kind: Kind) {
    let shop = Shop::open(kind).await;
    let globex = publisher(&shop.services, BOB, "Globex").await;
    let second = super::tool(&shop.services, shop.acme, shop.namespace, "sub").await;
    let loud = shop.call(shop.tool.id, 0, Some("no cost at `$.cost`")).await;
    shop.desk.clock.advance_us(SECOND_US);
    shop.call(shop.tool.id, 5, None).await;
    shop.desk.clock.advance_us(SECOND_US);
    let louder = shop.call(second.id, 0, Some("negative")).await;
    shop.desk.clock.advance_us(SECOND_US);
    let from_us = shop.desk.now_us();
    add_calls(&shop.desk, kind, MORE_THAN_LOOKED_AT, from_us, "not_found").await;
    shop.desk.clock.advance_us(MORE_THAN_LOOKED_AT * 1_000);

    let found = shop.services.list_own_calls(shop.acme).await.unwrap();
    assert_eq!((found.rows.len(), found.looked_back_to_us.is_some()), (0, true), "nobody looks further back");
    let warnings: Vec<_> = found.warnings.iter().map(|call| (call.id, call.tool.1.as_str())).collect();
    assert_eq!(warnings, [(louder, "acme/sub"), (loud, "acme/add")]);
    assert!(found.warnings.iter().all(|call| !call.is_acknowledged));
    assert!(shop.services.list_own_calls(globex).await.unwrap().warnings.is_empty());
    shop.services.acknowledge_call(&by(), shop.acme, louder).await.unwrap();
    let left = shop.services.list_own_calls(shop.acme).await.unwrap().warnings;
    assert_eq!(left.iter().map(|call| call.id).collect::<Vec<_>>(), [loud]);

    // As many as are shown come first, and the others when those were acknowledged.
    for _ in 0..100 {
        shop.call(second.id, 0, Some("negative")).await;
    }
    let left = shop.services.list_own_calls(shop.acme).await.unwrap().warnings;
    assert_eq!(left.len(), 100);
    assert!(left.iter().all(|call| call.tool.1 == "acme/sub"));
    shop.services.acknowledge_call(&by(), shop.acme, left[0].id).await.unwrap();
    let left = shop.services.list_own_calls(shop.acme).await.unwrap().warnings;
    assert_eq!((left.len(), left.last().map(|call| call.id)), (100, Some(loud)));
}
