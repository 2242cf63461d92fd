//! Thresholds of limits: told once in every window, by mail and to webhooks, and what is on its way is not lost.

use engine::{
    id::{CapAlertId, EntryId, PartnerId},
    ledger::{
        PlaceHold,
        batch::Done,
        caps::{CapUse, CapWindow},
    },
    service::{
        Services,
        access::OwnedCap,
        caps::{CapHolder, PartnerHolder},
        partners::{
            CapAlert, CapAlertError, DELIVERY_ATTEMPTS_MAX, DELIVERY_CLAIM_US, DeliveryState, NewCapAlert, NoticeRound,
            PartnerProfile, WebhookError, WebhookNote, named_by_key,
        },
        tokens::TokenNote,
    },
    store::{Ledger, writer::Command},
};
use secrecy::ExposeSecret as _;

use super::{by, credits, open, partner};
use crate::ledger::desk::{Desk, Kind, SECOND_US, capture_all, hold, on_both, payable_id};

on_both! {
    every_threshold_is_told_once_in_its_window,
    thresholds_of_each_end_user_are_told_of_each,
    what_is_reached_at_the_end_of_a_window_is_told_behind_it,
    what_is_spent_when_its_window_is_over_is_told,
    a_process_that_begins_looks_back_a_little,
    what_is_no_threshold_is_refused_and_named,
    a_delivery_is_claimed_tried_again_and_replayed,
}

const DAY_US: i64 = 86_400 * SECOND_US;

/// Lets the partner spend so much, against all limits that hold for its token and this end user.
async fn spend(desk: &Desk, services: &Services, partner: &PartnerProfile, who: (&str, &str), amount: i64) {
    let call = begin(desk, services, partner, who, amount).await;
    end(desk, call).await;
}

/// The same call as long as it is under way.
async fn begin(
    desk: &Desk,
    services: &Services,
    partner: &PartnerProfile,
    (token, user): (&str, &str),
    amount: i64,
) -> EntryId {
    let principal = services.find_principal(token).await.unwrap().unwrap();
    let user = services.load_end_user(partner.id, user).await.unwrap();
    let caps: Vec<OwnedCap> = principal.caps.iter().chain(&user.caps).copied().collect();
    let caps = caps.iter().map(|owned| CapUse::at(owned.cap, desk.now_us())).collect();
    let place = PlaceHold { caps, ..hold(desk.fresh(), partner.wallet, payable_id(1), amount) };
    assert_eq!(desk.ask(Command::Hold(place.clone())).await, Ok(Done::Held));
    place.id
}

async fn end(desk: &Desk, call: EntryId) {
    assert!(desk.ask(Command::Settle(capture_all(desk.fresh(), call))).await.is_ok());
}

/// One round over all thresholds, of a process that knows of none before it.
async fn round(services: &Services) {
    round_after(services, NoticeRound::default()).await;
}

/// The next round over all thresholds; where the one behind it begins.
async fn round_after(services: &Services, mut round: NoticeRound) -> NoticeRound {
    loop {
        round = services.tell_of_thresholds(round).await.unwrap();
        if round.is_new() {
            return round;
        }
    }
}

async fn alert(services: &Services, partner: PartnerId, whom: PartnerHolder<'_>, percent: i16) -> CapAlert {
    alert_in(services, partner, (whom, CapWindow::Day), percent).await
}

async fn alert_in(
    services: &Services,
    partner: PartnerId,
    (whom, window): (PartnerHolder<'_>, CapWindow),
    percent: i16,
) -> CapAlert {
    let email = (whom != PartnerHolder::EachEndUser).then_some("ops@globex.example.com");
    let new = NewCapAlert { whom, window, percent, email, reason: None, key: None };
    services.create_cap_alert(&by(), partner, new).await.unwrap().0
}

async fn token(services: &Services, partner: &PartnerProfile) -> String {
    let made = services.create_owned_token(&by(), partner.id.into(), "cli", TokenNote::default()).await.unwrap();
    made.secret.expose_secret().to_owned()
}

/// The percentages that a partner was told of, the newest first.
async fn told(services: &Services, partner: PartnerId) -> Vec<i64> {
    let events = services.list_partner_events(partner, None).await.unwrap();
    events.rows.iter().map(|event| event.data["percent"].as_i64().unwrap()).collect()
}

async fn every_threshold_is_told_once_in_its_window(kind: Kind) {
    let (desk, here) = open(kind).await;
    let (globex, initech) = (partner(&here, "Globex").await, partner(&here, "Initech").await);
    let token = token(&here, &globex).await;
    for percent in [50, 80, 100] {
        alert(&here, globex.id, PartnerHolder::Itself, percent).await;
    }
    spend(&desk, &here, &globex, (&token, "u-1"), 10).await;
    round(&here).await;
    assert_eq!(told(&here, globex.id).await, [0; 0], "there is no limit yet");
    let cap = (PartnerHolder::Itself, CapWindow::Day);
    here.set_partner_cap(&by(), globex.id, cap, credits(100)).await.unwrap();
    spend(&desk, &here, &globex, (&token, "u-1"), 49).await;
    round(&here).await;
    assert_eq!(told(&here, globex.id).await, [0; 0], "a limit that is set anew counts from zero");
    spend(&desk, &here, &globex, (&token, "u-2"), 1).await;
    for _ in 0..2 {
        round(&here).await;
        assert_eq!(told(&here, globex.id).await, [50]);
    }
    spend(&desk, &here, &globex, (&token, "u-2"), 50).await;
    // Another server sees the same at the same time.
    let there = desk.services_of(desk.ledger().clone()).await;
    tokio::join!(round(&here), round(&there));
    let mut all = told(&here, globex.id).await;
    all.sort_unstable();
    assert_eq!(all, [50, 80, 100]);
    assert_eq!(desk.number("SELECT count(*) FROM mail WHERE template = 'cap_alert'"), 3);
    assert_eq!(told(&here, initech.id).await, [0; 0], "nobody else is told");

    desk.clock.advance_us(DAY_US);
    round(&here).await;
    assert_eq!(told(&here, globex.id).await.len(), 3, "a new window, in which nothing was spent");
    spend(&desk, &here, &globex, (&token, "u-1"), 60).await;
    round(&here).await;
    let all = told(&here, globex.id).await;
    assert_eq!((all.len(), all[0]), (4, 50), "and again in the next window");
    let mail = here.list_due_mail(desk.now_us()).await.unwrap().pop().unwrap();
    let mail = here.complete_mail(mail).await.unwrap();
    assert_eq!(
        (mail.recipient.as_str(), &mail.data["whose"]),
        ("ops@globex.example.com", &"all end users together".into())
    );
    desk.verify();
}

async fn thresholds_of_each_end_user_are_told_of_each(kind: Kind) {
    let (desk, services) = open(kind).await;
    let globex = partner(&services, "Globex").await;
    let token = token(&services, &globex).await;
    let each = PartnerHolder::EachEndUser;
    services.set_partner_cap(&by(), globex.id, (each, CapWindow::Day), credits(20)).await.unwrap();
    alert(&services, globex.id, each, 50).await;
    for (user, amount) in [("ann", 10), ("ben", 9), ("cleo", 15)] {
        spend(&desk, &services, &globex, (&token, user), amount).await;
    }
    let names = async || {
        let events = services.list_partner_events(globex.id, None).await.unwrap().rows;
        let mut names: Vec<String> =
            events.iter().map(|event| event.data["external_id"].as_str().unwrap_or("-").to_owned()).collect();
        names.sort();
        names
    };
    for _ in 0..2 {
        round(&services).await;
        assert_eq!(names().await, ["ann", "cleo"]);
    }
    spend(&desk, &services, &globex, (&token, "ben"), 1).await;
    round(&services).await;
    assert_eq!(names().await, ["ann", "ben", "cleo"]);
    // A name that was erased is in nothing that was told.
    services.erase_own_end_user(&by(), globex.id, "cleo").await.unwrap();
    round(&services).await;
    assert_eq!(names().await, ["-", "ann", "ben"]);
    desk.verify();
}

/// Windows, percentages and ends of windows that a partner was told of, the oldest first.
async fn told_of(services: &Services, partner: PartnerId) -> Vec<(String, i64, i64)> {
    let events = services.list_partner_events(partner, None).await.unwrap().rows;
    let gist = |data: &serde_json::Value| {
        let window = data["window"].as_str().unwrap().to_owned();
        (window, data["percent"].as_i64().unwrap(), data["resets_us"].as_i64().unwrap())
    };
    events.iter().rev().map(|event| gist(&event.data)).collect()
}

/// The end of the window that it is now.
fn end_of(desk: &Desk, window: CapWindow) -> i64 {
    window.bounds(desk.now_us()).1.unwrap()
}

/// It is now `at_us`.
fn wait_for(desk: &Desk, at_us: i64) {
    desk.clock.advance_us(at_us - desk.now_us());
}

async fn what_is_reached_at_the_end_of_a_window_is_told_behind_it(kind: Kind) {
    let (desk, services) = open(kind).await;
    let globex = partner(&services, "Globex").await;
    let token = token(&services, &globex).await;
    let (itself, each) = (PartnerHolder::Itself, PartnerHolder::EachEndUser);
    for (whom, window, limit) in
        [(itself, CapWindow::Day, 100), (itself, CapWindow::Month, 300), (each, CapWindow::Day, 100)]
    {
        services.set_partner_cap(&by(), globex.id, (whom, window), credits(limit)).await.unwrap();
    }
    for (whom, window, percent) in [
        (itself, CapWindow::Day, 50),
        (itself, CapWindow::Day, 80),
        (itself, CapWindow::Month, 30),
        (each, CapWindow::Day, 50),
    ] {
        alert_in(&services, globex.id, (whom, window), percent).await;
    }
    let mut next = round_after(&services, NoticeRound::default()).await;
    let midnight_us = end_of(&desk, CapWindow::Day);
    wait_for(&desk, midnight_us - 2 * SECOND_US);
    spend(&desk, &services, &globex, (&token, "ann"), 60).await;
    wait_for(&desk, midnight_us + 3 * SECOND_US);
    // This threshold was not there yesterday.
    alert(&services, globex.id, itself, 10).await;
    let day = |percent: i64, end_us: i64| ("day".to_owned(), percent, end_us);
    let yesterday = [day(50, midnight_us), day(50, midnight_us)];
    for _ in 0..3 {
        next = round_after(&services, next).await;
        assert_eq!(told_of(&services, globex.id).await, yesterday, "of the partner and of ann, once");
        desk.clock.advance_us(5 * SECOND_US);
    }
    assert_eq!(services.list_due_deliveries(desk.now_us(), &[]).await.unwrap(), [], "there is no webhook");
    assert_eq!(desk.number("SELECT count(*) FROM mail WHERE template = 'cap_alert'"), 1);

    // Yesterday is over when nothing of it can be under way any more: a limit that is changed then is today's.
    desk.clock.advance_us(600 * SECOND_US);
    next = round_after(&services, next).await;
    services.set_partner_cap(&by(), globex.id, (itself, CapWindow::Day), credits(60)).await.unwrap();
    next = round_after(&services, next).await;
    assert_eq!(told_of(&services, globex.id).await, yesterday);

    // The end of a month is that of a day as well. The partner and its day, then its month.
    let month_us = end_of(&desk, CapWindow::Month);
    wait_for(&desk, month_us - SECOND_US);
    spend(&desk, &services, &globex, (&token, "ben"), 40).await;
    wait_for(&desk, month_us + SECOND_US);
    next = round_after(&services, next).await;
    round_after(&services, next).await;
    let mut all = told_of(&services, globex.id).await.split_off(2);
    all.sort();
    assert_eq!(all, [day(10, month_us), day(50, month_us), ("month".to_owned(), 30, month_us)]);
    desk.verify();
}

/// A partner with a token that may spend 100 credits a day, and is told when half of them are spent.
async fn watched(kind: Kind) -> (Desk, Services, PartnerProfile, String) {
    let (desk, services) = open(kind).await;
    let globex = partner(&services, "Globex").await;
    let token = token(&services, &globex).await;
    let cap = (PartnerHolder::Itself, CapWindow::Day);
    services.set_partner_cap(&by(), globex.id, cap, credits(100)).await.unwrap();
    alert(&services, globex.id, PartnerHolder::Itself, 50).await;
    (desk, services, globex, token)
}

async fn what_is_spent_when_its_window_is_over_is_told(kind: Kind) {
    let (desk, services, globex, token) = watched(kind).await;
    let midnight_us = end_of(&desk, CapWindow::Day);
    wait_for(&desk, midnight_us - SECOND_US);
    let mut next = round_after(&services, NoticeRound::default()).await;
    let call = begin(&desk, &services, &globex, (&token, "ann"), 60).await;
    for _ in 0..3 {
        desk.clock.advance_us(5 * SECOND_US);
        next = round_after(&services, next).await;
    }
    assert!(told_of(&services, globex.id).await.is_empty(), "it is reserved and not spent");
    end(&desk, call).await;
    round_after(&services, next).await;
    assert_eq!(told_of(&services, globex.id).await, [("day".to_owned(), 50, midnight_us)]);
    desk.verify();
}

async fn a_process_that_begins_looks_back_a_little(kind: Kind) {
    let (desk, services, globex, token) = watched(kind).await;
    let first_us = end_of(&desk, CapWindow::Day);
    spend(&desk, &services, &globex, (&token, "ann"), 60).await;
    wait_for(&desk, first_us + 7_200 * SECOND_US);
    round(&services).await;
    assert!(told_of(&services, globex.id).await.is_empty(), "that is long over");
    let second_us = end_of(&desk, CapWindow::Day);
    spend(&desk, &services, &globex, (&token, "ann"), 60).await;
    wait_for(&desk, second_us + 600 * SECOND_US);
    round(&services).await;
    assert_eq!(told_of(&services, globex.id).await, [("day".to_owned(), 50, second_us)]);
    desk.verify();
}

async fn what_is_no_threshold_is_refused_and_named(kind: Kind) {
    let (desk, services) = open(kind).await;
    let (globex, initech) = (partner(&services, "Globex").await, partner(&services, "Initech").await);
    services.load_end_user(globex.id, "u-1").await.unwrap();
    let fine = NewCapAlert {
        whom: PartnerHolder::EndUser("u-1"),
        window: CapWindow::Month,
        percent: 80,
        email: None,
        reason: None,
        key: Some(named_by_key(globex.id, "threshold", "k")),
    };
    let make =
        async |partner: PartnerId, new: NewCapAlert<'static>| services.create_cap_alert(&by(), partner, new).await;
    assert!(matches!(
        make(globex.id, NewCapAlert { window: CapWindow::Call, ..fine }).await,
        Err(CapAlertError::Window)
    ));
    for percent in [0, 101, -1] {
        assert!(matches!(make(globex.id, NewCapAlert { percent, ..fine }).await, Err(CapAlertError::Percent)));
    }
    let broken = NewCapAlert { email: Some("a@example.com\r\nBcc: b@example.com"), ..fine };
    assert!(matches!(make(globex.id, broken).await, Err(CapAlertError::Email)));
    let each = NewCapAlert { whom: PartnerHolder::EachEndUser, email: Some("a@example.com"), ..fine };
    assert!(matches!(make(globex.id, each).await, Err(CapAlertError::TooManyMails)));
    assert!(matches!(make(initech.id, fine).await, Err(CapAlertError::NoHolder)), "it is another partner's");

    let (made, is_new) = make(globex.id, fine).await.unwrap();
    assert!(is_new && matches!(made.holder, CapHolder::EndUser(_)), "{made:?}");
    assert_eq!(make(globex.id, fine).await.unwrap(), (made.clone(), false));
    let other = make(globex.id, NewCapAlert { percent: 81, ..fine }).await;
    assert!(matches!(other, Err(CapAlertError::MadeBefore(id)) if id == made.id), "{other:?}");
    assert_eq!(services.list_cap_alerts(globex.id, None).await.unwrap().rows, std::slice::from_ref(&made));
    assert_eq!(services.list_cap_alerts(initech.id, None).await.unwrap().rows, []);
    for (partner, id) in [(initech.id, made.id), (globex.id, CapAlertId::new(&*desk.ids, desk.now_us()))] {
        let removed = services.remove_cap_alert(&by(), partner, id, None).await;
        assert!(matches!(removed, Err(CapAlertError::NotFound)), "{removed:?}");
    }
    services.remove_cap_alert(&by(), globex.id, made.id, None).await.unwrap();
    let told =
        desk.rows(&format!("SELECT action FROM audit WHERE object_id = '{}' ORDER BY slot, seq", made.id)).concat();
    assert_eq!(told, ["cap_alert.create", "cap_alert.remove"]);
    desk.verify();
}

async fn a_delivery_is_claimed_tried_again_and_replayed(kind: Kind) {
    let (desk, here) = open(kind).await;
    let there = desk.services_of(Ledger::without_writer()).await;
    let (globex, initech) = (partner(&here, "Globex").await, partner(&here, "Initech").await);
    let token = token(&here, &globex).await;
    let (hook, is_new) =
        here.create_webhook(&by(), globex.id, "https://hooks.example.com/", WebhookNote::default()).await.unwrap();
    assert!(is_new);
    here.create_webhook(&by(), initech.id, "https://hooks.example.com/", WebhookNote::default()).await.unwrap();
    let cap = (PartnerHolder::Itself, CapWindow::Day);
    here.set_partner_cap(&by(), globex.id, cap, credits(100)).await.unwrap();
    alert(&here, globex.id, PartnerHolder::Itself, 50).await;
    spend(&desk, &here, &globex, (&token, "u-1"), 60).await;
    round(&here).await;

    let due = there.list_due_deliveries(desk.now_us(), &[]).await.unwrap();
    assert_eq!((due.len(), &due[0].webhook), (1, &hook), "only the partner's own webhook is told");
    let (first, second) = tokio::join!(here.claim_delivery(&due[0]), here.claim_delivery(&due[0]));
    assert_eq!([first.unwrap(), second.unwrap()].iter().filter(|has| **has).count(), 1, "one server has it");
    assert_eq!(here.list_due_deliveries(desk.now_us(), &[]).await.unwrap(), []);
    // A server that dies over it leaves it to another one.
    desk.clock.advance_us(DELIVERY_CLAIM_US);
    let mut pauses = Vec::new();
    for attempt in 1..=DELIVERY_ATTEMPTS_MAX {
        let due = here.list_due_deliveries(desk.now_us(), &[]).await.unwrap().pop().expect("it is due again");
        assert!(here.claim_delivery(&due).await.unwrap());
        let is_given_up = here.mark_undelivered(&due, "answered with 500", desk.now_us()).await.unwrap();
        assert_eq!(is_given_up, attempt == DELIVERY_ATTEMPTS_MAX);
        let shown = here.list_deliveries(globex.id, hook.id, None).await.unwrap().rows;
        assert_eq!((shown[0].attempts, shown[0].last_error.as_deref()), (attempt, Some("answered with 500")));
        pauses.push(shown[0].next_us - desk.now_us());
        desk.clock.advance_us(shown[0].next_us - desk.now_us());
    }
    assert!(pauses[4] > 4 * pauses[0], "pauses grow: {pauses:?}");
    assert_eq!(here.list_due_deliveries(desk.now_us(), &[]).await.unwrap(), [], "it was given up");
    let given_up = here.list_deliveries(globex.id, hook.id, None).await.unwrap().rows.pop().unwrap();
    assert_eq!(given_up.state, DeliveryState::Failed);

    let foreign = here.replay_delivery(&by(), initech.id, (hook.id, given_up.id), None).await;
    assert!(matches!(foreign, Err(WebhookError::NotFound)), "{foreign:?}");
    let replayed = here.replay_delivery(&by(), globex.id, (hook.id, given_up.id), None).await.unwrap();
    assert_eq!((replayed.state, replayed.attempts), (DeliveryState::Queued, 0));
    let again = here.replay_delivery(&by(), globex.id, (hook.id, given_up.id), None).await.unwrap();
    assert_eq!(again, replayed, "what is still to be sent is left as it is");
    assert_eq!(desk.number("SELECT count(*) FROM audit WHERE action = 'webhook.replay'"), 1);
    let due = here.list_due_deliveries(desk.now_us(), &[]).await.unwrap().pop().unwrap();
    assert_eq!(due.event.id, given_up.event, "the same event as before");
    assert!(here.claim_delivery(&due).await.unwrap());
    here.mark_delivered(&due, desk.now_us()).await.unwrap();
    assert_eq!(here.list_deliveries(globex.id, hook.id, None).await.unwrap().rows[0].state, DeliveryState::Sent);

    here.replay_delivery(&by(), globex.id, (hook.id, given_up.id), None).await.unwrap();
    here.remove_webhook(&by(), globex.id, hook.id, None).await.unwrap();
    assert_eq!(here.list_due_deliveries(desk.now_us(), &[]).await.unwrap(), [], "what was on its way is not sent");
    let gone = here.remove_webhook(&by(), globex.id, hook.id, None).await;
    assert!(matches!(gone, Err(WebhookError::NotFound)), "{gone:?}");
    assert_eq!(here.list_webhooks(globex.id).await.unwrap(), []);
    desk.verify();
}
