//! Limits of partners, of their tokens and of their end users.

use engine::{
    id::PartnerId,
    ledger::{
        PlaceHold,
        batch::Done,
        caps::{CapUse, CapWindow},
    },
    service::{
        Services,
        access::OwnedCap,
        caps::{CapError, CapHolder, CapState},
        movements::Note,
        partners::PartnerProfile,
        tokens::TokenNote,
    },
    store::{Ledger, writer::Command},
};
use secrecy::ExposeSecret as _;

use super::{by, credits, globex, shop, told};
use crate::ledger::desk::{Desk, Kind, SECOND_US, capture_all, hold, on_both, payable_id};

on_both! {
    a_limit_is_set_changed_and_lifted_by_who_has_seen_it,
    what_is_spent_and_held_counts_against_every_limit_that_it_concerns,
}

async fn a_limit_is_set_changed_and_lifted_by_who_has_seen_it(kind: Kind) {
    let (desk, here) = shop(kind).await;
    let there = desk.services_of(Ledger::without_writer()).await;
    let partner = globex(&here).await;
    let token = here.create_owned_token(&by(), partner.id.into(), "cli", TokenNote::default()).await.unwrap();
    let limits_at = async |server: &Services| {
        let principal = server.find_principal(token.secret.expose_secret()).await.unwrap().unwrap();
        let mut limits: Vec<_> = principal.caps.iter().map(|owned| (owned.cap.window, owned.cap.limit)).collect();
        limits.sort_unstable_by_key(|(window, _)| window.raw());
        limits
    };
    let (whole, own) = (CapHolder::Partner(partner.id), CapHolder::Token(token.view.id));
    let set = async |holder, window, was: Option<i64>, limit: i64| {
        here.set_cap(&by(), (holder, window), (was.map(credits), credits(limit)), "agreed").await
    };
    assert!(set(whole, CapWindow::Month, None, 900).await.unwrap());
    assert!(!set(whole, CapWindow::Month, None, 900).await.unwrap(), "the same form again");
    assert!(set(own, CapWindow::Call, None, 5).await.unwrap());
    let stale = set(whole, CapWindow::Month, None, 1_000).await;
    assert!(matches!(stale, Err(CapError::Changed { now: Some(now) }) if now == credits(900)), "{stale:?}");
    let stale = set(whole, CapWindow::Day, Some(900), 1_000).await;
    assert!(matches!(stale, Err(CapError::Changed { now: None })), "{stale:?}");
    assert!(set(whole, CapWindow::Month, Some(900), 1_000).await.unwrap());
    assert!(matches!(set(whole, CapWindow::Day, None, -1).await, Err(CapError::Negative)));
    let nobody = CapHolder::Partner(PartnerId::new(&*desk.ids, 0));
    assert!(matches!(set(nobody, CapWindow::Day, None, 1).await, Err(CapError::NoHolder)));
    let silent = here.set_cap(&by(), (whole, CapWindow::Day), (None, credits(1)), "").await;
    assert!(matches!(silent, Err(CapError::Reason)));
    there.follow_changes().await.unwrap();
    for server in [&here, &there] {
        let expected = [(CapWindow::Call, credits(5)), (CapWindow::Month, credits(1_000))];
        assert_eq!(limits_at(server).await, expected);
    }
    desk.verify();

    let lift = async |holder, window, was: i64| here.remove_cap(&by(), (holder, window), credits(was), "over").await;
    assert!(matches!(lift(whole, CapWindow::Day, 1).await, Err(CapError::NotFound)));
    let stale = lift(whole, CapWindow::Month, 900).await;
    assert!(matches!(stale, Err(CapError::Changed { now: Some(now) }) if now == credits(1_000)), "{stale:?}");
    lift(whole, CapWindow::Month, 1_000).await.unwrap();
    there.follow_changes().await.unwrap();
    for server in [&here, &there] {
        assert_eq!(limits_at(server).await, [(CapWindow::Call, credits(5))]);
    }
    desk.verify();
    assert!(set(whole, CapWindow::Month, None, 7).await.unwrap(), "it may be set anew");
    here.revoke_owned_token(&by(), partner.id.into(), token.view.id, None).await.unwrap();
    assert!(
        matches!(set(own, CapWindow::Day, None, 1).await, Err(CapError::NoHolder)),
        "a revoked token spends nothing"
    );
    let told_of = told(&desk, &partner.id.to_string());
    let told_of: Vec<_> = told_of.iter().filter(|row| row[0] == "cap.set").collect();
    assert_eq!(told_of.len(), 4, "{told_of:?}");
    assert_eq!(told_of[2][1], r#"{"per":"partner","window":"month","credits":"0.001"}"#);
    assert_eq!(told_of[2][2..], [r#"{"per":"partner","window":"month","credits":null}"#, "over"]);
    desk.verify();
}

/// A hold of the partner's money that counts against these limits.
fn spending(desk: &Desk, partner: &PartnerProfile, amount: i64, caps: &[OwnedCap]) -> PlaceHold {
    let caps = caps.iter().map(|owned| CapUse::at(owned.cap, desk.now_us())).collect();
    PlaceHold { caps, ..hold(desk.fresh(), partner.wallet, payable_id(1), amount) }
}

async fn what_is_spent_and_held_counts_against_every_limit_that_it_concerns(kind: Kind) {
    let (desk, services) = shop(kind).await;
    let partner = globex(&services).await;
    let note = Note { reason: "a start", key: None };
    services.grant_to_partner(&by(), partner.id, credits(1_000), note).await.unwrap();
    let set = async |holder, window, limit: i64| {
        services.set_cap(&by(), (holder, window), (None, credits(limit)), "agreed").await.unwrap()
    };
    let each = CapHolder::EachEndUser(partner.id);
    let user = services.load_end_user(partner.id, "u-1").await.unwrap();
    for (holder, window, limit) in [
        (CapHolder::Partner(partner.id), CapWindow::Day, 100),
        (each, CapWindow::Total, 90),
        (CapHolder::EndUser(user.id), CapWindow::Month, 60),
        (CapHolder::EndUser(user.id), CapWindow::Call, 70),
    ] {
        set(holder, window, limit).await;
    }
    let token = services.create_owned_token(&by(), partner.id.into(), "cli", TokenNote::default()).await.unwrap();
    let principal = services.find_principal(token.secret.expose_secret()).await.unwrap().unwrap();
    let user = services.load_end_user(partner.id, "u-1").await.unwrap();
    assert_eq!((principal.caps.len(), user.caps.len()), (1, 3));
    let caps: Vec<OwnedCap> = principal.caps.iter().chain(&user.caps).copied().collect();
    let first = spending(&desk, &partner, 40, &caps);
    assert_eq!(desk.ask(Command::Hold(first.clone())).await, Ok(Done::Held));
    assert!(desk.ask(Command::Settle(capture_all(desk.fresh(), first.id))).await.is_ok());
    assert_eq!(desk.ask(Command::Hold(spending(&desk, &partner, 15, &caps))).await, Ok(Done::Held));

    let used = async |holder: CapHolder| {
        let caps = services.list_caps_of(&[holder], desk.now_us()).await.unwrap();
        let used = |used: engine::service::caps::CapUsed| (used.spent.micros(), used.held.micros());
        caps.iter().map(|cap| (cap.window, cap.used.map(used), cap.state())).collect::<Vec<_>>()
    };
    let whole = used(CapHolder::Partner(partner.id)).await;
    assert_eq!(whole, [(CapWindow::Day, Some((40, 15)), Some(CapState::Room))]);
    assert_eq!(used(each).await, [(CapWindow::Total, None, None)], "there is no one count of many users");
    let own = used(CapHolder::EndUser(user.id)).await;
    assert_eq!(own, [(CapWindow::Call, None, None), (CapWindow::Month, Some((40, 15)), Some(CapState::Near))]);
    let on_user = services.list_caps_on_end_user(partner.id, user.id, desk.now_us()).await.unwrap();
    assert_eq!(on_user.len(), 3);
    let of_each = on_user.iter().find(|cap| cap.holder == each).unwrap();
    assert_eq!((of_each.used_percent(), of_each.state()), (Some(61), Some(CapState::Room)));
    let other = services.load_end_user(partner.id, "u-2").await.unwrap();
    let on_other = services.list_caps_on_end_user(partner.id, other.id, desk.now_us()).await.unwrap();
    assert_eq!(on_other.iter().map(|cap| cap.used_percent()).collect::<Vec<_>>(), [Some(0)]);
    // A day later the day's count begins anew.
    desk.clock.advance_us(86_400 * SECOND_US);
    let whole = used(CapHolder::Partner(partner.id)).await;
    assert_eq!(whole, [(CapWindow::Day, Some((0, 0)), Some(CapState::Room))]);
    desk.verify();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_limit_that_one_server_sets_another_one_lifts() {
    let (desk, here) = shop(Kind::Postgres).await;
    let (ledger, thread) = desk.another_writer().unwrap();
    let there = desk.services_of(ledger.clone()).await;
    let partner = globex(&here).await;
    let cap = (CapHolder::Partner(partner.id), CapWindow::Day);
    here.set_cap(&by(), cap, (None, credits(5)), "agreed").await.unwrap();
    desk.clock.advance_us(60 * SECOND_US);
    there.remove_cap(&by(), cap, credits(5), "over").await.unwrap();
    here.follow_changes().await.unwrap();
    assert_eq!(here.list_caps_of(&[cap.0], desk.now_us()).await.unwrap(), []);
    desk.verify();
    drop((there, ledger));
    thread.join().unwrap();
}
