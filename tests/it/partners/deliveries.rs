//! What is due for webhooks: a little of everybody's, whoever has much.

use std::collections::HashMap;

use engine::{
    id::{PartnerId, WebhookId},
    service::{
        Services,
        partners::{
            DELIVERIES_EACH_MAX, DELIVERY_AGE_US, DELIVERY_BATCH_MAX, DELIVERY_CLAIM_US, OutgoingDelivery, WebhookNote,
        },
    },
    store::UnitOfWork,
    testing::push_statement,
};

use super::{by, literal, open, partner};
use crate::ledger::desk::{Desk, Kind, SECOND_US, on_both};

on_both! {
    who_has_much_due_keeps_nobody_waiting,
    at_most_so_many_are_listed_and_everybodys_first_before_anybodys_second,
    what_is_not_taken_for_a_day_is_given_up_however_seldom_it_was_tried,
}

async fn hook(services: &Services, partner: PartnerId, url: &str) -> WebhookId {
    services.create_webhook(&by(), partner, url, WebhookNote::default()).await.unwrap().0.id
}

/// So many deliveries that are due since `due_us`, and one second apart from there.
async fn add(desk: &Desk, kind: Kind, (partner, hook): (PartnerId, WebhookId), count: i64, due_us: i64) {
    let (mut unit, now_us) = (UnitOfWork::new(), desk.now_us());
    for number in 0..count {
        let event = desk.fresh().uuid();
        let sql = format!(
            "INSERT INTO partner_event (id, partner_id, kind, key, data, created_us)
             VALUES ({}, {}, 'cap.threshold', '{event}', '{{}}', {now_us})",
            literal(kind, event),
            literal(kind, partner.uuid()),
        );
        push_statement(&mut unit, &sql, Some(1));
        let sql = format!(
            "INSERT INTO webhook_delivery (id, webhook_id, event_id, state, attempts, next_us, created_us)
             VALUES ({}, {}, {}, 'queued', 0, {}, {now_us})",
            literal(kind, desk.fresh().uuid()),
            literal(kind, hook.uuid()),
            literal(kind, event),
            due_us + number * SECOND_US,
        );
        push_statement(&mut unit, &sql, Some(1));
    }
    desk.save(unit).await.unwrap();
}

async fn due(desk: &Desk, services: &Services, without: &[WebhookId]) -> Vec<OutgoingDelivery> {
    services.list_due_deliveries(desk.now_us(), without).await.unwrap()
}

/// Which webhooks these are for, in their order.
fn hooks(due: &[OutgoingDelivery]) -> Vec<WebhookId> {
    due.iter().map(|delivery| delivery.webhook.id).collect()
}

async fn who_has_much_due_keeps_nobody_waiting(kind: Kind) {
    let (desk, services) = open(kind).await;
    let (globex, initech) = (partner(&services, "Globex").await.id, partner(&services, "Initech").await.id);
    let dead = hook(&services, globex, "https://dead.example.com/").await;
    let well = hook(&services, initech, "https://well.example.com/").await;
    let now_us = desk.now_us();
    add(&desk, kind, (globex, dead), 200, now_us - 1_000 * SECOND_US).await;
    add(&desk, kind, (initech, well), 1, now_us - SECOND_US).await;
    // This one is not due yet.
    add(&desk, kind, (initech, well), 1, now_us + 10 * SECOND_US).await;

    let listed = due(&desk, &services, &[]).await;
    assert_eq!(hooks(&listed), [dead, well, dead], "the oldest of each, then the second of each");
    assert!(listed[0].due_us < listed[2].due_us, "{listed:?}");
    assert_eq!(hooks(&due(&desk, &services, &[dead]).await), [well], "who rests is left out");
    assert_eq!(hooks(&due(&desk, &services, &[dead, well]).await), [] as [WebhookId; 0]);
    // What is claimed or was not taken is not in the way of what comes next.
    for delivery in [&listed[0], &listed[2]] {
        assert!(services.claim_delivery(delivery).await.unwrap());
        services.mark_undelivered(delivery, "no answer in time", now_us).await.unwrap();
    }
    let again = due(&desk, &services, &[]).await;
    assert_eq!(hooks(&again), [dead, well, dead]);
    assert!(again.iter().all(|delivery| delivery.id != listed[0].id && delivery.id != listed[2].id), "{again:?}");
    desk.verify();
}

async fn at_most_so_many_are_listed_and_everybodys_first_before_anybodys_second(kind: Kind) {
    let (desk, services) = open(kind).await;
    let now_us = desk.now_us();
    let mut made = Vec::new();
    // A partner has at most ten.
    for owner in 0..4 {
        let partner = partner(&services, &format!("Partner {owner}")).await.id;
        for number in 0..10 {
            let hook = hook(&services, partner, &format!("https://{number}.example.com/{owner}")).await;
            add(&desk, kind, (partner, hook), 3, now_us - 100 * SECOND_US).await;
            made.push(hook);
        }
    }
    let listed = hooks(&due(&desk, &services, &[]).await);
    assert_eq!(listed.len(), DELIVERY_BATCH_MAX);
    let mut first = listed[..made.len()].to_vec();
    first.sort_by_key(|hook| hook.uuid());
    made.sort_by_key(|hook| hook.uuid());
    assert_eq!(first, made, "everybody's first");
    let mut counts = HashMap::<WebhookId, usize>::new();
    listed.iter().for_each(|hook| *counts.entry(*hook).or_default() += 1);
    assert!(counts.values().all(|count| *count <= DELIVERIES_EACH_MAX), "{counts:?}");
    // Nothing is left out in the end.
    let mut sent = 0;
    loop {
        let due = due(&desk, &services, &[]).await;
        if due.is_empty() {
            break;
        }
        for delivery in &due {
            assert!(services.claim_delivery(delivery).await.unwrap());
            services.mark_delivered(delivery, desk.now_us()).await.unwrap();
            sent += 1;
        }
    }
    assert_eq!(sent, 3 * made.len());
    desk.clock.advance_us(DELIVERY_CLAIM_US);
    assert_eq!(due(&desk, &services, &[]).await, []);
    desk.verify();
}

async fn what_is_not_taken_for_a_day_is_given_up_however_seldom_it_was_tried(kind: Kind) {
    let (desk, services) = open(kind).await;
    let globex = partner(&services, "Globex").await.id;
    let dead = hook(&services, globex, "https://dead.example.com/").await;
    let other = hook(&services, globex, "https://other.example.com/").await;
    for hook in [dead, other] {
        add(&desk, kind, (globex, hook), 5, desk.now_us() - 100 * SECOND_US).await;
    }
    desk.clock.advance_us(DELIVERY_AGE_US - 10 * SECOND_US);
    add(&desk, kind, (globex, dead), 1, desk.now_us() - 1_000 * SECOND_US).await;
    let first = due(&desk, &services, &[other]).await.remove(0);
    assert!(!services.mark_undelivered(&first, "no", desk.now_us()).await.unwrap(), "a little is left of its day");
    desk.clock.advance_us(10 * SECOND_US);
    let next = due(&desk, &services, &[other]).await.remove(0);
    assert_ne!(next.id, first.id);
    assert!(services.mark_undelivered(&next, "no", desk.now_us()).await.unwrap());
    // Neither what is young, nor what waits for its next attempt, nor what is somebody else's.
    assert_eq!(desk.number("SELECT count(*) FROM webhook_delivery WHERE state = 'failed' AND last_error = 'no'"), 4);
    assert_eq!(desk.number("SELECT count(*) FROM webhook_delivery WHERE state = 'queued'"), 7);
    // What is sent once more has a day of its own.
    services.replay_delivery(&by(), globex, (dead, next.id), None).await.unwrap();
    for _ in 0..2 {
        let due = due(&desk, &services, &[other]).await.pop().unwrap();
        assert!(!services.mark_undelivered(&due, "no", desk.now_us()).await.unwrap(), "{due:?}");
    }
    desk.verify();
}
