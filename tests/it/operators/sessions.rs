//! Who is signed in, for how long, and what is never said about who is not.

use engine::{
    operator::Role,
    service::operators::{
        ABSOLUTE_HOURS, ChangeOperatorPasswordError, ECHO_S, FLASH_BYTES_MAX, FRESH_MINUTES, IDLE_MINUTES,
        OperatorSignInError,
    },
};
use secrecy::ExposeSecret as _;

use super::{
    OTHER_PASSWORD, PASSWORD, create, find, is_refused, newest, open, operator, request, secret, sign_in, system,
    trail, try_sign_in,
};
use crate::ledger::desk::{Kind, SECOND_US, on_both};

on_both! {
    nobody_is_told_what_was_wrong,
    a_session_that_nobody_uses_ends,
    a_session_that_is_used_ends_too,
    whoever_is_shut_out_is_out_at_once,
    showing_the_password_again_gives_a_session_another_secret,
    the_old_secret_lets_in_the_same_form_for_a_minute,
    two_copies_of_a_form_that_shows_the_password_both_go_on,
    another_password_ends_the_other_sessions,
    signing_out_ends_one_session_or_all,
    a_page_says_something_once,
    what_is_over_is_deleted,
}

const MINUTE_US: i64 = 60 * SECOND_US;

async fn nobody_is_told_what_was_wrong(kind: Kind) {
    let (_desk, services) = open(kind).await;
    let ada = operator(&services, "ada@example.com", &[Role::Owner]).await;
    let bob = operator(&services, "bob@example.com", &[Role::Support]).await;
    let eve = create(&services, "eve@example.com", &[Role::Support]).await.operator;
    services.set_operator_disabled(&system(), bob.id, true, None).await.unwrap();
    for (email, password) in [
        ("ada@example.com", OTHER_PASSWORD),
        ("ada@example.com", ""),
        ("ada@example.com", &*"x".repeat(10_000)),
        ("nobody@example.com", PASSWORD),
        ("no address", PASSWORD),
        ("bob@example.com", PASSWORD),
        ("eve@example.com", PASSWORD),
        ("eve@example.com", ""),
    ] {
        assert!(is_refused(&try_sign_in(&services, email, password, None).await), "{email}");
    }
    services.write_failed_sign_ins(true).await.unwrap();
    let rows = trail(&services).await;
    let mut failed: Vec<(String, String)> = rows
        .iter()
        .filter(|row| row.action == "operator.sign_in_failed")
        .map(|row| (row.object_id.clone(), row.after.clone().unwrap()))
        .collect();
    failed.sort();
    let mut expected =
        [(ada.id.to_string(), 3), (bob.id.to_string(), 1), (eve.id.to_string(), 2), ("unknown".into(), 2)];
    expected.sort();
    assert_eq!(failed.len(), expected.len(), "{failed:?}");
    for ((object, after), (whose, count)) in failed.iter().zip(&expected) {
        assert!(object == whose && after.contains(&format!("\"failures\":{count},")), "{object}: {after}");
    }
    assert!(rows.iter().all(|row| !format!("{row:?}").contains('@')), "no address in the trail");

    let (_, session) = sign_in(&services, "ada@example.com").await;
    assert_eq!((session.operator.id, session.operator.signed_in_us), (ada.id, Some(services.clock.now_us())));
    for text in ["", "x", &"A".repeat(43), &"A".repeat(10_000)] {
        assert!(services.find_operator_session(text).await.unwrap().is_none());
    }
}

async fn a_session_that_nobody_uses_ends(kind: Kind) {
    let (desk, services) = open(kind).await;
    operator(&services, "ada@example.com", &[Role::Owner]).await;
    let (new, session) = sign_in(&services, "ada@example.com").await;
    let seen = async || find(&services, &new).await.map(|session| session.seen_us);
    // A page looked at within a minute is not worth a row.
    desk.clock.advance_us(MINUTE_US - 1);
    services.touch_operator_session(&session.key).await.unwrap();
    assert_eq!(seen().await, Some(session.seen_us));
    desk.clock.advance_us(1);
    services.touch_operator_session(&session.key).await.unwrap();
    assert_eq!(seen().await, Some(session.seen_us + MINUTE_US));

    desk.clock.advance_us(IDLE_MINUTES * MINUTE_US - 1);
    assert!(seen().await.is_some());
    assert_eq!(services.list_operator_sessions(session.operator.id).await.unwrap().len(), 1);
    desk.clock.advance_us(1);
    assert!(seen().await.is_none());
    assert_eq!(services.list_operator_sessions(session.operator.id).await.unwrap(), []);
}

async fn a_session_that_is_used_ends_too(kind: Kind) {
    let (desk, services) = open(kind).await;
    operator(&services, "ada@example.com", &[Role::Owner]).await;
    let (mut new, mut session) = sign_in(&services, "ada@example.com").await;
    let end_us = session.created_us + ABSOLUTE_HOURS * 60 * MINUTE_US;
    while desk.now_us() + 25 * MINUTE_US < end_us {
        desk.clock.advance_us(25 * MINUTE_US);
        services.touch_operator_session(&session.key).await.unwrap();
        session = find(&services, &new).await.unwrap();
    }
    // Another secret is not another session.
    let password = secret(PASSWORD);
    new = services.refresh_operator_session(request(&services), &session, Some(&password), None, None).await.unwrap();
    desk.clock.advance_us(end_us - desk.now_us() - 1);
    assert!(find(&services, &new).await.is_some());
    desk.clock.advance_us(1);
    assert!(find(&services, &new).await.is_none());
}

async fn whoever_is_shut_out_is_out_at_once(kind: Kind) {
    let (desk, services) = open(kind).await;
    operator(&services, "ada@example.com", &[Role::Owner]).await;
    let bob = operator(&services, "bob@example.com", &[Role::Operator]).await;
    let (new, _) = sign_in(&services, "bob@example.com").await;
    let elsewhere = desk.services().await;
    assert!(find(&elsewhere, &new).await.is_some());
    let by = system();
    let shut_out = services.set_operator_disabled(&by, bob.id, true, Some("left the house")).await.unwrap();
    assert!(shut_out.is_disabled);
    for server in [&services, &elsewhere] {
        assert!(find(server, &new).await.is_none());
        assert!(is_refused(&try_sign_in(server, "bob@example.com", PASSWORD, None).await));
    }
    assert_eq!(desk.number("SELECT count(*) FROM operator_session"), 0, "the session is gone, not only not good");
    services.set_operator_disabled(&by, bob.id, false, None).await.unwrap();
    assert!(find(&services, &new).await.is_none(), "a session does not come back");
    sign_in(&services, "bob@example.com").await;
    let (new, _) = sign_in(&services, "bob@example.com").await;
    services.set_operator_roles(&by, bob.id, &[Role::Support], None, None).await.unwrap();
    assert!(find(&services, &new).await.is_none(), "other roles, other session");
    let told = newest(&services, 5).await;
    assert_eq!(
        told,
        ["operator.set_roles", "operator.sign_in", "operator.sign_in", "operator.enable", "operator.disable"]
    );
}

async fn showing_the_password_again_gives_a_session_another_secret(kind: Kind) {
    let (desk, services) = open(kind).await;
    operator(&services, "ada@example.com", &[Role::Owner]).await;
    let (old, session) = sign_in(&services, "ada@example.com").await;
    services.put_flash(&session.key, "{}").await.unwrap();
    assert!(session.is_fresh(desk.now_us() + FRESH_MINUTES * MINUTE_US - 1));
    desk.clock.advance_us(FRESH_MINUTES * MINUTE_US);
    assert!(!session.is_fresh(desk.now_us()));
    for password in [None, Some(secret("")), Some(secret(OTHER_PASSWORD))] {
        let refused =
            services.refresh_operator_session(request(&services), &session, password.as_ref(), None, None).await;
        assert!(is_refused(&refused));
    }
    let password = secret(PASSWORD);
    let new =
        services.refresh_operator_session(request(&services), &session, Some(&password), None, None).await.unwrap();
    assert!(find(&services, &old).await.is_none(), "the old secret is worth nothing");
    let now = find(&services, &new).await.unwrap();
    assert!(now.is_fresh(desk.now_us()) && now.key != session.key);
    assert_eq!((now.created_us, now.flash.as_deref()), (session.created_us, Some("{}")));
    assert_eq!(newest(&services, 1).await, ["operator.step_up"]);
    services.write_failed_sign_ins(true).await.unwrap();
    let told = trail(&services).await.len();
    let again = services.refresh_operator_session(request(&services), &session, Some(&password), None, None).await;
    assert!(matches!(again, Err(OperatorSignInError::Elsewhere)), "a session that is over is not refreshed");
    services.write_failed_sign_ins(true).await.unwrap();
    assert_eq!(trail(&services).await.len(), told, "nobody has guessed wrong");
}

async fn the_old_secret_lets_in_the_same_form_for_a_minute(kind: Kind) {
    let (desk, services) = open(kind).await;
    let ada = operator(&services, "ada@example.com", &[Role::Owner]).await;
    let (old, session) = sign_in(&services, "ada@example.com").await;
    desk.clock.advance_us(FRESH_MINUTES * MINUTE_US);
    assert!(services.find_echo(session.key).await.unwrap().is_none(), "it is a session");
    let password = secret(PASSWORD);
    let refresh =
        services.refresh_operator_session(request(&services), &session, Some(&password), None, Some("form-1"));
    let new = refresh.await.unwrap();
    assert!(find(&services, &old).await.is_none(), "the old secret opens no page");
    assert_eq!(services.list_operator_sessions(ada.id).await.unwrap().len(), 1, "and is no session");

    desk.clock.advance_us(ECHO_S * SECOND_US - 1);
    let echo = services.find_echo(session.key).await.unwrap().unwrap();
    for other in ["", "form-2"] {
        assert!(services.enter_by_echo(&echo, other).await.unwrap().is_none(), "{other}");
    }
    let beside = services.enter_by_echo(&echo, "form-1").await.unwrap().unwrap();
    let [one, other] = [find(&services, &new).await.unwrap(), find(&services, &beside).await.unwrap()];
    assert_ne!(one.key, other.key);
    assert_eq!((one.created_us, one.fresh_us), (other.created_us, other.fresh_us), "as old and as fresh");
    assert_eq!(newest(&services, 2).await, ["operator.step_up", "operator.sign_in"], "told once");
    desk.clock.advance_us(1);
    assert!(services.find_echo(session.key).await.unwrap().is_none(), "a minute is over");

    // Signing out takes it along, and being shut out, too.
    for is_shut_out in [false, true] {
        let (_, session) = sign_in(&services, "ada@example.com").await;
        let refresh =
            services.refresh_operator_session(request(&services), &session, Some(&password), None, Some("form-3"));
        let now = find(&services, &refresh.await.unwrap()).await.unwrap();
        let echo = services.find_echo(session.key).await.unwrap().unwrap();
        let by = now.context(request(&services));
        if is_shut_out {
            services.end_operator_sessions(&by, ada.id).await.unwrap();
        } else {
            services.end_operator_session(&by, &now.key).await.unwrap();
        }
        assert!(services.find_echo(session.key).await.unwrap().is_none());
        assert!(services.enter_by_echo(&echo, "form-3").await.is_err(), "looked up a moment too early");
    }
}

async fn two_copies_of_a_form_that_shows_the_password_both_go_on(kind: Kind) {
    let (desk, services) = open(kind).await;
    operator(&services, "ada@example.com", &[Role::Owner]).await;
    let elsewhere = desk.services().await;
    let (_, session) = sign_in(&services, "ada@example.com").await;
    desk.clock.advance_us(FRESH_MINUTES * MINUTE_US);
    let password = secret(PASSWORD);
    let (here, there) = tokio::join!(
        services.refresh_operator_session(request(&services), &session, Some(&password), None, Some("form-1")),
        elsewhere.refresh_operator_session(request(&elsewhere), &session, Some(&password), None, Some("form-1")),
    );
    for new in [here.unwrap(), there.unwrap()] {
        assert!(find(&services, &new).await.unwrap().is_fresh(desk.now_us()));
    }
    assert_eq!(newest(&services, 2).await, ["operator.step_up", "operator.sign_in"], "shown once, told once");
    services.write_failed_sign_ins(true).await.unwrap();
    assert_eq!(newest(&services, 1).await, ["operator.step_up"], "nothing has failed");
}

async fn another_password_ends_the_other_sessions(kind: Kind) {
    let (_desk, services) = open(kind).await;
    operator(&services, "ada@example.com", &[Role::Owner]).await;
    let (other, _) = sign_in(&services, "ada@example.com").await;
    let (own, session) = sign_in(&services, "ada@example.com").await;
    let change = async |old: &str, new: &str| {
        services.change_operator_password(request(&services), &session, &secret(old), &secret(new)).await
    };
    let refused = change(OTHER_PASSWORD, PASSWORD).await;
    assert!(matches!(refused, Err(ChangeOperatorPasswordError::WrongPassword)));
    let refused = change(PASSWORD, "short").await;
    assert!(matches!(refused, Err(ChangeOperatorPasswordError::Password(_))));
    assert!(find(&services, &other).await.is_some());
    change(PASSWORD, OTHER_PASSWORD).await.unwrap();
    assert!(find(&services, &other).await.is_none());
    assert!(find(&services, &own).await.is_some());
    assert!(is_refused(&try_sign_in(&services, "ada@example.com", PASSWORD, None).await));
    assert!(try_sign_in(&services, "ada@example.com", OTHER_PASSWORD, None).await.is_ok());
}

async fn signing_out_ends_one_session_or_all(kind: Kind) {
    let (_desk, services) = open(kind).await;
    let ada = operator(&services, "ada@example.com", &[Role::Owner]).await;
    let (one, session) = sign_in(&services, "ada@example.com").await;
    let (other, _) = sign_in(&services, "ada@example.com").await;
    let listed = services.list_operator_sessions(ada.id).await.unwrap();
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().all(|view| view.address == "192.0.2.7" && view.user_agent == "a browser"));
    let by = session.context(request(&services));
    services.end_operator_session(&by, &session.key).await.unwrap();
    services.end_operator_session(&by, &session.key).await.unwrap();
    assert!(find(&services, &one).await.is_none() && find(&services, &other).await.is_some());
    assert_eq!(newest(&services, 2).await, ["operator.sign_out", "operator.sign_in"], "told once");
    assert_eq!(trail(&services).await[0].actor_id, ada.id.to_string());
    services.end_operator_sessions(&by, ada.id).await.unwrap();
    assert!(find(&services, &other).await.is_none());
}

async fn a_page_says_something_once(kind: Kind) {
    let (_desk, services) = open(kind).await;
    operator(&services, "ada@example.com", &[Role::Owner]).await;
    let (new, session) = sign_in(&services, "ada@example.com").await;
    assert_eq!(services.take_flash(&session.key).await.unwrap(), None);
    services.put_flash(&session.key, r#"{"said":"one"}"#).await.unwrap();
    services.put_flash(&session.key, r#"{"said":"two"}"#).await.unwrap();
    assert_eq!(find(&services, &new).await.unwrap().flash.as_deref(), Some(r#"{"said":"two"}"#));
    services.put_flash(&session.key, &"x".repeat(FLASH_BYTES_MAX + 1)).await.unwrap();
    assert_eq!(services.take_flash(&session.key).await.unwrap().as_deref(), Some(r#"{"said":"two"}"#));
    assert_eq!(services.take_flash(&session.key).await.unwrap(), None);
}

async fn what_is_over_is_deleted(kind: Kind) {
    let (desk, services) = open(kind).await;
    operator(&services, "ada@example.com", &[Role::Owner]).await;
    create(&services, "bob@example.com", &[Role::Support]).await;
    sign_in(&services, "ada@example.com").await;
    desk.clock.advance_us(IDLE_MINUTES * MINUTE_US - 1);
    let (fresh, _) = sign_in(&services, "ada@example.com").await;
    let count = |table: &str| desk.number(&format!("SELECT count(*) FROM {table}"));
    services.forget_ended_sessions().await.unwrap();
    assert_eq!((count("operator_session"), count("operator_link")), (2, 1), "a used link goes");
    desk.clock.advance_us(1);
    services.forget_ended_sessions().await.unwrap();
    assert_eq!((count("operator_session"), count("operator_link")), (1, 0));
    assert!(find(&services, &fresh).await.is_some());
    let kept = fresh.secret.expose_secret();
    let rows = desk.rows("SELECT user_agent, address FROM operator_session");
    assert!(!format!("{rows:?}").contains(kept), "the secret is not in the database");
    let before = trail(&services).await.len();
    services.forget_ended_sessions().await.unwrap();
    assert_eq!(trail(&services).await.len(), before, "nothing is told of what was over");
}
