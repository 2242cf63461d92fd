//! Thresholds, webhooks and deliveries as operators look after them.

use engine::{
    id::{CapAlertId, DeliveryId, PartnerId, RequestId, WebhookId},
    ledger::caps::CapWindow,
    service::{
        Services,
        caps::PartnerHolder,
        dashboard::AtLeast,
        paging::PAGE_ROWS,
        partners::{DeliveryCursor, DeliveryState, NewCapAlert, PartnerDelivery, Webhook, WebhookNote, WebhookQueue},
    },
    store::UnitOfWork,
    testing::push_statement,
};

use super::{by, globex, literal, new, shop, told};
use crate::ledger::desk::{Desk, Kind, SECOND_US, on_both};

on_both! {
    what_operators_make_and_remove_is_told_with_their_reason,
    deliveries_of_all_partners_are_listed_by_their_state,
    what_was_given_up_counts_as_long_as_its_webhook_is_there,
}

/// Something that a partner was told, on its way to a webhook.
async fn add_delivery(
    desk: &Desk,
    kind: Kind,
    (partner, hook): (PartnerId, &Webhook),
    (state, next_us): (DeliveryState, i64),
) -> DeliveryId {
    let (event, id, now_us) = (desk.fresh().uuid(), desk.fresh().uuid(), desk.now_us());
    let of = |id| literal(kind, id);
    let mut unit = UnitOfWork::new();
    let sql = format!(
        "INSERT INTO partner_event (id, partner_id, kind, key, data, created_us)
         VALUES ({}, {}, 'cap.threshold', '{event}', '{{}}', {now_us})",
        of(event),
        of(partner.uuid()),
    );
    push_statement(&mut unit, &sql, Some(1));
    let sql = format!(
        "INSERT INTO webhook_delivery (id, webhook_id, event_id, state, attempts, next_us, last_error, created_us)
         VALUES ({}, {}, {}, '{}', 3, {next_us}, 'answered with 500', {now_us})",
        of(id),
        of(hook.id.uuid()),
        of(event),
        state.as_str(),
    );
    push_statement(&mut unit, &sql, Some(1));
    desk.save(unit).await.unwrap();
    DeliveryId::from(id)
}

async fn hook(services: &Services, partner: PartnerId, url: &str) -> Webhook {
    services.create_webhook(&by(), partner, url, WebhookNote::default()).await.unwrap().0
}

async fn what_operators_make_and_remove_is_told_with_their_reason(kind: Kind) {
    let (desk, services) = shop(kind).await;
    let (partner, other) = (globex(&services).await, services.create_partner(&by(), new("Initech")).await.unwrap());
    let alert = NewCapAlert {
        whom: PartnerHolder::Itself,
        window: CapWindow::Month,
        percent: 80,
        email: Some("ops@globex.example.com"),
        reason: Some("they asked"),
        key: None,
    };
    let (alert, _) = services.create_cap_alert(&by(), partner.id, alert).await.unwrap();
    assert_eq!(services.find_cap_alert(partner.id, alert.id).await.unwrap().as_ref(), Some(&alert));
    let unknown = CapAlertId::new(&*desk.ids, desk.now_us());
    for (partner, id) in [(other.id, alert.id), (partner.id, unknown)] {
        assert_eq!(services.find_cap_alert(partner, id).await.unwrap(), None);
    }
    services.remove_cap_alert(&by(), partner.id, alert.id, Some("no more")).await.unwrap();
    let told_of = told(&desk, &alert.id.to_string());
    let reasons: Vec<_> = told_of.iter().map(|row| (&*row[0], &*row[3])).collect();
    assert_eq!(reasons, [("cap_alert.create", "they asked"), ("cap_alert.remove", "no more")]);
    assert!(told_of.iter().flatten().all(|text| !text.contains("ops@")), "an address is told");

    let note = WebhookNote { reason: Some("they asked"), key: Some(RequestId::new(&*desk.ids, desk.now_us())) };
    let url = "https://hooks.example.com/told?key=secret";
    let (made, is_new) = services.create_webhook(&by(), partner.id, url, note).await.unwrap();
    assert!(is_new && made.shown_url() == "https://hooks.example.com/told", "{made:?}");
    let again = services.create_webhook(&by(), partner.id, url, note).await.unwrap();
    assert_eq!(again, (made.clone(), false));
    assert_eq!(services.find_webhook(partner.id, made.id).await.unwrap().as_ref(), Some(&made));
    let unknown = WebhookId::new(&*desk.ids, desk.now_us());
    for (partner, id) in [(other.id, made.id), (partner.id, unknown)] {
        assert_eq!(services.find_webhook(partner, id).await.unwrap(), None);
    }
    let given_up = add_delivery(&desk, kind, (partner.id, &made), (DeliveryState::Failed, desk.now_us())).await;
    assert_eq!(services.find_delivery(other.id, (made.id, given_up)).await.unwrap(), None);
    let (_, found) = services.find_delivery(partner.id, (made.id, given_up)).await.unwrap().unwrap();
    assert_eq!((found.state, found.last_error.as_deref()), (DeliveryState::Failed, Some("answered with 500")));
    let named = (made.id, given_up);
    services.replay_delivery(&by(), partner.id, named, Some("it is up again")).await.unwrap();
    services.remove_webhook(&by(), partner.id, made.id, Some("no more")).await.unwrap();
    assert_eq!(services.find_webhook(partner.id, made.id).await.unwrap(), None);
    assert_eq!(services.find_delivery(partner.id, named).await.unwrap(), None);
    let replayed = told(&desk, &given_up.to_string());
    assert_eq!((replayed.len(), &*replayed[0][0], &*replayed[0][3]), (1, "webhook.replay", "it is up again"));
    let told_of = told(&desk, &made.id.to_string());
    let reasons: Vec<_> = told_of.iter().map(|row| (&*row[0], &*row[3])).collect();
    assert_eq!(reasons, [("webhook.create", "they asked"), ("webhook.remove", "no more")]);
    assert!(told_of.iter().flatten().all(|text| !text.contains("hooks.example.com")), "an address is told");
    desk.verify();
}

/// All deliveries in a state, page by page.
async fn all(services: &Services, state: DeliveryState) -> Vec<PartnerDelivery> {
    let (mut found, mut after) = (Vec::new(), None::<DeliveryCursor>);
    loop {
        let page = services.list_deliveries_in(state, after).await.unwrap();
        assert!(u64::try_from(page.rows.len()).unwrap() <= PAGE_ROWS);
        found.extend(page.rows);
        match page.next {
            Some(next) => after = Some(next.parse().unwrap()),
            None => return found,
        }
    }
}

async fn deliveries_of_all_partners_are_listed_by_their_state(kind: Kind) {
    let (desk, services) = shop(kind).await;
    let (globex, initech) = (globex(&services).await, services.create_partner(&by(), new("Initech")).await.unwrap());
    let hooks = [
        (globex.id, hook(&services, globex.id, "https://globex.example.com/").await),
        (initech.id, hook(&services, initech.id, "https://initech.example.com/").await),
    ];
    let first_us = desk.now_us();
    assert_eq!(all(&services, DeliveryState::Queued).await, []);
    // More than two pages, many of them due at the same moment, also where a page ends.
    for number in 0..i64::try_from(PAGE_ROWS).unwrap() * 2 + 5 {
        let (partner, hook) = &hooks[usize::from(number % 2 == 1)];
        for state in [DeliveryState::Queued, DeliveryState::Failed] {
            add_delivery(&desk, kind, (*partner, hook), (state, first_us + number / 7)).await;
        }
    }
    for (state, is_rising) in [(DeliveryState::Queued, true), (DeliveryState::Failed, false)] {
        let found = all(&services, state).await;
        assert_eq!(found.len(), usize::try_from(PAGE_ROWS).unwrap() * 2 + 5, "{state:?}");
        let mut ids: Vec<_> = found.iter().map(|found| found.delivery.id).collect();
        ids.sort_unstable_by_key(|id| id.uuid());
        ids.dedup();
        assert_eq!(ids.len(), found.len(), "{state:?}: each once");
        let times: Vec<i64> = found.iter().map(|found| found.delivery.next_us).collect();
        assert!(times.is_sorted_by(|one, next| if is_rising { one <= next } else { one >= next }), "{times:?}");
        for found in &found {
            let is_globex = found.webhook == hooks[0].1;
            let expected = if is_globex { (globex.id, "Globex") } else { (initech.id, "Initech") };
            assert_eq!((found.partner.0, found.partner.1.as_str(), found.is_removed), (expected.0, expected.1, false));
            assert_eq!(found.delivery.state, state);
        }
    }
    assert_eq!(all(&services, DeliveryState::Sent).await, []);
}

async fn what_was_given_up_counts_as_long_as_its_webhook_is_there(kind: Kind) {
    let (desk, services) = shop(kind).await;
    let partner = globex(&services).await;
    assert_eq!(services.load_webhook_queue().await.unwrap(), WebhookQueue::default());
    let (one, two) = (
        hook(&services, partner.id, "https://one.example.com/").await,
        hook(&services, partner.id, "https://two.example.com/").await,
    );
    let first_us = desk.now_us();
    for (hook, state) in [
        (&one, DeliveryState::Queued),
        (&one, DeliveryState::Failed),
        (&two, DeliveryState::Failed),
        (&two, DeliveryState::Queued),
        (&two, DeliveryState::Sent),
    ] {
        add_delivery(&desk, kind, (partner.id, hook), (state, desk.now_us())).await;
        desk.clock.advance_us(SECOND_US);
    }
    let counted = |count: i64| AtLeast { count, is_more: false };
    let queue = services.load_webhook_queue().await.unwrap();
    assert_eq!(queue, WebhookQueue { queued: counted(2), oldest_us: Some(first_us), failed: counted(2) });
    assert_eq!(services.load_health().await.unwrap().webhooks, queue);
    services.remove_webhook(&by(), partner.id, one.id, None).await.unwrap();
    let queue = services.load_webhook_queue().await.unwrap();
    let oldest_us = Some(first_us + 3 * SECOND_US);
    assert_eq!(queue, WebhookQueue { queued: counted(1), oldest_us, failed: counted(1) });
    let given_up = all(&services, DeliveryState::Failed).await;
    let removed: Vec<_> = given_up.iter().map(|found| (found.webhook.id, found.is_removed)).collect();
    assert_eq!(removed, [(two.id, false), (one.id, true)], "the one that was tried last comes first");
    assert_eq!(all(&services, DeliveryState::Cancelled).await.len(), 1);
}
