//! What an operator has limited stays limited: erasing an end user is no way out, and neither is another token.

use engine::{
    credits::Credits,
    id::EndUserId,
    ledger::{
        PlaceHold, Refusal,
        batch::Done,
        caps::{CapUse, CapWindow},
        refusal::Limit,
    },
    service::{
        Services,
        access::OwnedCap,
        caps::{CapError, CapHolder, PartnerHolder},
        partners::PartnerProfile,
        tokens::TokenNote,
    },
    store::{Ledger, writer::Command},
};
use secrecy::ExposeSecret as _;

use super::{by, credits, open, partner};
use crate::ledger::desk::{Desk, Kind, capture_all, hold, on_both, payable_id};

on_both! {
    an_operators_limit_stays_with_the_name,
    nothing_is_kept_of_a_name_without_an_operators_limit,
    an_operators_limit_on_the_partner_binds_every_token,
    without_the_key_nobody_gets_out_of_a_limit,
    an_erased_end_user_is_limited_only_while_limits_wait,
    limits_that_change_while_they_go_to_somebody_else_do_not_get_lost,
}

const NAME: &str = "ann.secret@example.com";
const KEY: [u8; 32] = [7; 32];

/// What the partner's end user is refused, or that it has spent so much.
async fn spend(desk: &Desk, services: &Services, partner: &PartnerProfile, amount: i64) -> Result<(), Refusal> {
    let user = services.load_end_user(partner.id, NAME).await.unwrap();
    spend_within(desk, partner, &user.caps, amount).await
}

async fn spend_within(desk: &Desk, partner: &PartnerProfile, caps: &[OwnedCap], amount: i64) -> Result<(), Refusal> {
    let caps = caps.iter().map(|owned| CapUse::at(owned.cap, desk.now_us())).collect();
    let place = PlaceHold { caps, ..hold(desk.fresh(), partner.wallet, payable_id(1), amount) };
    let id = place.id;
    assert_eq!(desk.ask(Command::Hold(place)).await?, Done::Held);
    desk.ask(Command::Settle(capture_all(desk.fresh(), id))).await.map(drop)
}

fn left(refused: Result<(), Refusal>) -> Credits {
    let Err(Refusal::Insufficient { limit: Limit::Cap { .. }, available, .. }) = refused else { panic!("{refused:?}") };
    available
}

async fn impose(services: &Services, user: EndUserId, window: CapWindow, limit: i64) {
    let at = (CapHolder::EndUser(user), window);
    services.set_cap(&by(), at, (None, credits(limit)), "abuse").await.unwrap();
}

/// The server has been given another master key, and what was sealed has not followed yet.
async fn without_the_key_nobody_gets_out_of_a_limit(kind: Kind) {
    let (desk, services) = open(kind).await;
    let (globex, initech) = (partner(&services, "Globex").await, partner(&services, "Initech").await);
    let user = services.load_end_user(globex.id, NAME).await.unwrap();
    impose(&services, user.id, CapWindow::Day, 50).await;
    services.set_up_erased_names(None);
    assert!(services.erase_own_end_user(&by(), globex.id, NAME).await.is_err(), "its limit would be lost");
    assert_eq!(services.load_end_user(globex.id, NAME).await.unwrap().id, user.id, "nothing has happened");
    services.load_end_user(globex.id, "bob").await.unwrap();
    services.erase_own_end_user(&by(), globex.id, "bob").await.unwrap();
    services.set_up_erased_names(Some(&KEY));
    services.erase_own_end_user(&by(), globex.id, NAME).await.unwrap();
    services.set_up_erased_names(None);
    services.forget_access();
    assert!(services.load_end_user(globex.id, NAME).await.is_err(), "it would be without its limit");
    assert!(services.create_own_end_user(&by(), globex.id, NAME, None).await.is_err());
    services.load_end_user(initech.id, NAME).await.unwrap();
    services.set_up_erased_names(Some(&KEY));
    assert_eq!(services.load_end_user(globex.id, NAME).await.unwrap().caps.len(), 1);
    desk.verify();
}

async fn an_operators_limit_stays_with_the_name(kind: Kind) {
    let (desk, here) = open(kind).await;
    let there = desk.services_of(Ledger::without_writer()).await;
    for server in [&here, &there] {
        server.set_up_erased_names(Some(&KEY));
    }
    let (globex, initech) = (partner(&here, "Globex").await, partner(&here, "Initech").await);
    let user = here.load_end_user(globex.id, NAME).await.unwrap();
    impose(&here, user.id, CapWindow::Day, 50).await;
    let whom = PartnerHolder::EndUser(NAME);
    here.set_partner_cap(&by(), globex.id, (whom, CapWindow::Total), credits(900)).await.unwrap();
    spend(&desk, &here, &globex, 30).await.unwrap();

    let mut before = user.id;
    for by_call in [true, false] {
        here.erase_own_end_user(&by(), globex.id, NAME).await.unwrap();
        let waiting = here.list_caps_of(&[CapHolder::EndUser(before)], desk.now_us()).await.unwrap();
        assert_eq!(waiting.len(), 1, "the partner's own limit has gone: {waiting:?}");
        assert_eq!(desk.number("SELECT count(*) FROM erased_name"), 1);
        // Another partner's end user of the same name has nothing to do with it.
        assert!(here.load_end_user(initech.id, NAME).await.unwrap().caps.is_empty());
        let id = if by_call {
            here.load_end_user(globex.id, NAME).await.unwrap().id
        } else {
            here.create_own_end_user(&by(), globex.id, NAME, None).await.unwrap().0.id
        };
        assert_ne!(id, before, "it is somebody new");
        assert_eq!(desk.number("SELECT count(*) FROM erased_name"), 0);
        let caps = here.list_partner_caps(globex.id, whom).await.unwrap().unwrap();
        let [cap] = caps.as_slice() else { panic!("{caps:?}") };
        assert_eq!((cap.limit, cap.used.unwrap().spent), (credits(50), credits(30)), "and what was spent counts");
        assert_eq!(left(spend(&desk, &here, &globex, 21).await), credits(20));
        let changed = here.set_partner_cap(&by(), globex.id, (whom, CapWindow::Day), credits(900)).await;
        assert!(matches!(changed, Err(CapError::Imposed)), "{changed:?}");
        let told = desk.rows(&format!(
            "SELECT action, coalesce(before_json, ''), reason FROM audit WHERE object_id = '{id}' AND action = 'cap.set'"
        ));
        let before_it = r#"{"per":"end_user","window":"day","credits":null}"#;
        assert_eq!(told, [["cap.set", before_it, "the operator's limit stays with the name"]]);
        before = id;
    }
    there.follow_changes().await.unwrap();
    assert_eq!(there.load_end_user(globex.id, NAME).await.unwrap().caps.len(), 1);
    for (table, columns) in [
        ("audit", "coalesce(before_json, '') || coalesce(after_json, '') || coalesce(reason, '') || object_id"),
        ("cap", "cast(limit_credits AS text)"),
    ] {
        let all = desk.rows(&format!("SELECT {columns} FROM {table}")).concat().concat();
        assert!(!all.contains("secret"), "{table}: {all}");
    }
    desk.verify();
}

async fn nothing_is_kept_of_a_name_without_an_operators_limit(kind: Kind) {
    let (desk, services) = open(kind).await;
    let globex = partner(&services, "Globex").await;
    let marks = || desk.number("SELECT count(*) FROM erased_name");
    services.load_end_user(globex.id, NAME).await.unwrap();
    let whom = PartnerHolder::EndUser(NAME);
    services.set_partner_cap(&by(), globex.id, (whom, CapWindow::Day), credits(50)).await.unwrap();
    services.erase_own_end_user(&by(), globex.id, NAME).await.unwrap();
    assert_eq!(marks(), 0);

    let user = services.load_end_user(globex.id, NAME).await.unwrap().id;
    assert!(services.load_end_user(globex.id, NAME).await.unwrap().caps.is_empty());
    impose(&services, user, CapWindow::Day, 50).await;
    impose(&services, user, CapWindow::Total, 90).await;
    services.erase_own_end_user(&by(), globex.id, NAME).await.unwrap();
    assert_eq!(marks(), 1);
    // An operator lifts them where they are: with the last one the digest goes.
    for (window, limit, left) in [(CapWindow::Day, 50, 1), (CapWindow::Total, 90, 0)] {
        let at = (CapHolder::EndUser(user), window);
        services.remove_cap(&by(), at, credits(limit), "it is over").await.unwrap();
        assert_eq!(marks(), left);
    }
    assert!(services.load_end_user(globex.id, NAME).await.unwrap().caps.is_empty());
    // Under another key nobody knows what waits.
    let user = services.load_end_user(globex.id, NAME).await.unwrap().id;
    impose(&services, user, CapWindow::Day, 50).await;
    services.erase_own_end_user(&by(), globex.id, NAME).await.unwrap();
    services.set_up_erased_names(Some(&KEY));
    assert!(services.load_end_user(globex.id, NAME).await.unwrap().caps.is_empty());
    assert_eq!(marks(), 1);
    desk.verify();
}

/// A limit on one token is about that credential: another one does not have it. What is to bind all of a partner is set on the
/// partner, and holds for a token that is made afterwards.
async fn an_operators_limit_on_the_partner_binds_every_token(kind: Kind) {
    let (desk, services) = open(kind).await;
    let globex = partner(&services, "Globex").await;
    let token = async || {
        let made = services.create_owned_token(&by(), globex.id.into(), "cli", TokenNote::default()).await.unwrap();
        (made.view.id, made.secret.expose_secret().to_owned())
    };
    let caps_of = async |secret: &str| services.find_principal(secret).await.unwrap().unwrap().caps.clone();
    let (id, first) = token().await;
    let limit = |holder| (holder, CapWindow::Total);
    services.set_cap(&by(), limit(CapHolder::Token(id)), (None, credits(10)), "abuse").await.unwrap();
    let (_, second) = token().await;
    assert_eq!((caps_of(&first).await.len(), caps_of(&second).await.len()), (1, 0));
    services.set_cap(&by(), limit(CapHolder::Partner(globex.id)), (None, credits(25)), "abuse").await.unwrap();
    let (_, third) = token().await;
    for (secret, amount) in [(&first, 10), (&second, 10)] {
        spend_within(&desk, &globex, &caps_of(secret).await, amount).await.unwrap();
    }
    for secret in [&second, &third] {
        assert_eq!(left(spend_within(&desk, &globex, &caps_of(secret).await, 6).await), credits(5));
    }
    desk.verify();
}

async fn an_erased_end_user_is_limited_only_while_limits_wait(kind: Kind) {
    let (desk, services) = open(kind).await;
    let globex = partner(&services, "Globex").await;
    let set = async |user, window, was: Option<i64>, limit| {
        let at = (CapHolder::EndUser(user), window);
        services.set_cap(&by(), at, (was.map(credits), credits(limit)), "abuse").await
    };
    let bare = services.load_end_user(globex.id, NAME).await.unwrap().id;
    services.erase_own_end_user(&by(), globex.id, NAME).await.unwrap();
    let refused = set(bare, CapWindow::Day, None, 50).await;
    assert!(matches!(refused, Err(CapError::NoHolder)), "{refused:?}");
    let user = services.load_end_user(globex.id, NAME).await.unwrap();
    assert!(user.caps.is_empty(), "{user:?}");

    // While one waits an operator changes it, and adds others.
    impose(&services, user.id, CapWindow::Day, 50).await;
    services.erase_own_end_user(&by(), globex.id, NAME).await.unwrap();
    assert!(set(user.id, CapWindow::Day, Some(50), 40).await.unwrap());
    assert!(set(user.id, CapWindow::Total, None, 90).await.unwrap());
    let anew = services.load_end_user(globex.id, NAME).await.unwrap();
    let mut limits: Vec<_> = anew.caps.iter().map(|owned| owned.cap.limit).collect();
    limits.sort_unstable();
    assert_eq!(limits, [credits(40), credits(90)]);
    // They have gone: where they were there is nothing to change any more.
    let refused = set(user.id, CapWindow::Day, Some(40), 900).await;
    assert!(matches!(refused, Err(CapError::NoHolder)), "{refused:?}");
    let at = (CapHolder::EndUser(user.id), CapWindow::Day);
    let refused = services.remove_cap(&by(), at, credits(40), "it is over").await;
    assert!(matches!(refused, Err(CapError::NotFound)), "{refused:?}");
    desk.verify();
}

async fn limits_that_change_while_they_go_to_somebody_else_do_not_get_lost(kind: Kind) {
    let (desk, services) = open(kind).await;
    let globex = partner(&services, "Globex").await;
    let set = async |user, window, was: Option<i64>, limit| {
        let at = (CapHolder::EndUser(user), window);
        match services.set_cap(&by(), at, (was.map(credits), credits(limit)), "abuse").await {
            Ok(is_changed) => is_changed,
            Err(CapError::NoHolder | CapError::Changed { now: None }) => false,
            Err(error) => panic!("{error}"),
        }
    };
    for round in 0..12 {
        let name = format!("u-{round}");
        let user = services.load_end_user(globex.id, &name).await.unwrap().id;
        let who = by();
        let erase = services.erase_own_end_user(&who, globex.id, &name);
        let (erased, _is_set) = tokio::join!(erase, set(user, CapWindow::Day, None, 50));
        erased.unwrap();
        let user = services.load_end_user(globex.id, &name).await.unwrap().id;
        set(user, CapWindow::Month, None, 70).await;
        services.erase_own_end_user(&by(), globex.id, &name).await.unwrap();
        let (anew, is_changed, is_added) = tokio::join!(
            services.load_end_user(globex.id, &name),
            set(user, CapWindow::Month, Some(70), 60),
            set(user, CapWindow::Total, None, 90),
        );
        let whom = PartnerHolder::EndUser(&name);
        anew.unwrap();
        let caps = services.list_partner_caps(globex.id, whom).await.unwrap().unwrap();
        let limit = |window| caps.iter().find(|cap| cap.window == window).map(|cap| cap.limit);
        assert_eq!(limit(CapWindow::Month), Some(credits(if is_changed { 60 } else { 70 })));
        assert_eq!(limit(CapWindow::Total), is_added.then(|| credits(90)));
    }
    let lost = "SELECT count(*) FROM cap c JOIN end_user u ON u.id = c.owner_id WHERE u.erased_us IS NOT NULL";
    assert_eq!(desk.number(lost), 0, "nobody has these limits any more");
    // The books name who has each of them.
    desk.verify();
}
