//! Operators are made with a link that sets their password, once and soon.

use engine::{
    operator::Role,
    service::{
        accounts::PasswordError,
        operators::{CreateOperatorError, NewOperator, OPERATOR_LINK_MINUTES, OperatorLinkError},
    },
};
use secrecy::ExposeSecret as _;

use super::{
    OTHER_PASSWORD, PASSWORD, create, enrol, find, is_refused, newest, open, operator, request, secret, sign_in,
    system, trail, try_sign_in,
};
use crate::ledger::desk::{Kind, SECOND_US, on_both};

on_both! {
    a_link_sets_a_password_once,
    a_link_is_good_for_half_an_hour,
    a_new_link_takes_password_and_factor_away,
    an_operator_has_an_address_a_name_and_a_role,
    the_demos_owner_is_made_once,
}

async fn a_link_sets_a_password_once(kind: Kind) {
    let (_desk, services) = open(kind).await;
    assert!(!services.has_operators().await.unwrap());
    let made = create(&services, "ada@example.com", &[Role::Owner]).await;
    assert!(services.has_operators().await.unwrap());
    assert!(!made.operator.has_password);
    let link = made.link.secret.expose_secret();
    let found = services.find_operator_link(link).await.unwrap().unwrap();
    assert_eq!((&found.operator, found.expires_us), (&made.operator, made.link.expires_us));
    for other in ["", "x", &link.to_uppercase()] {
        assert!(services.find_operator_link(other).await.unwrap().is_none());
    }

    for (password, problem) in [
        ("too short", PasswordError::Length),
        (&*"x".repeat(129), PasswordError::Length),
        ("ada@example.com", PasswordError::Guessable),
        ("password1234", PasswordError::Guessable),
    ] {
        let error = services.use_operator_link(request(&services), link, &secret(password)).await.unwrap_err();
        assert!(matches!(error, OperatorLinkError::Password(found) if found == problem), "{password}: {error}");
    }
    let used = services.use_operator_link(request(&services), link, &secret(PASSWORD)).await.unwrap();
    assert!(used.has_password && used.id == made.operator.id);
    assert!(services.find_operator_link(link).await.unwrap().is_none());
    let again = services.use_operator_link(request(&services), link, &secret(OTHER_PASSWORD)).await;
    assert!(matches!(again, Err(OperatorLinkError::LinkGone)));
    sign_in(&services, "Ada@Example.com").await;

    assert_eq!(newest(&services, 3).await, ["operator.sign_in", "operator.set_password", "operator.create"]);
    for row in trail(&services).await {
        let texts = format!("{row:?}");
        assert!(!texts.contains('@') && !texts.contains(link), "no address and no secret: {texts}");
    }
}

async fn a_link_is_good_for_half_an_hour(kind: Kind) {
    let (desk, services) = open(kind).await;
    let made = create(&services, "ada@example.com", &[Role::Owner]).await;
    let link = made.link.secret.expose_secret();
    desk.clock.advance_us(OPERATOR_LINK_MINUTES * 60 * SECOND_US - 1);
    assert!(services.find_operator_link(link).await.unwrap().is_some());
    desk.clock.advance_us(1);
    assert!(services.find_operator_link(link).await.unwrap().is_none());
    let used = services.use_operator_link(request(&services), link, &secret(PASSWORD)).await;
    assert!(matches!(used, Err(OperatorLinkError::LinkGone)));

    let renewed = services.renew_operator_link(&system(), made.operator.id, None).await.unwrap();
    let renewed_again = services.renew_operator_link(&system(), made.operator.id, Some("lost it")).await.unwrap();
    let (old, new) = (renewed.link.secret.expose_secret(), renewed_again.link.secret.expose_secret());
    assert!(services.find_operator_link(old).await.unwrap().is_none(), "the newest one alone is good");
    assert!(services.find_operator_link(new).await.unwrap().is_some());
    services.set_operator_roles(&system(), made.operator.id, &[Role::Owner, Role::Auditor], None, None).await.unwrap();
    assert!(services.find_operator_link(new).await.unwrap().is_none(), "made for somebody of other roles");
}

async fn a_new_link_takes_password_and_factor_away(kind: Kind) {
    let (_desk, services) = open(kind).await;
    let ada = operator(&services, "ada@example.com", &[Role::Owner]).await;
    let (new, session) = sign_in(&services, "ada@example.com").await;
    enrol(&services, &session).await;
    assert!(services.find_operator(ada.id).await.unwrap().unwrap().has_factor);

    let renewed = services.renew_operator_link(&system(), ada.id, Some("the telephone is gone")).await.unwrap();
    let now = services.find_operator(ada.id).await.unwrap().unwrap();
    assert_eq!(now, renewed.operator);
    assert!(!now.has_password && !now.has_factor);
    assert!(find(&services, &new).await.is_none(), "signed out everywhere");
    assert!(is_refused(&try_sign_in(&services, "ada@example.com", PASSWORD, None).await));
    let row = trail(&services).await.swap_remove(0);
    assert_eq!((&*row.action, row.reason.as_deref()), ("operator.renew_link", Some("the telephone is gone")));
    let link = renewed.link.secret.expose_secret();
    services.use_operator_link(request(&services), link, &secret(OTHER_PASSWORD)).await.unwrap();
    assert!(try_sign_in(&services, "ada@example.com", OTHER_PASSWORD, None).await.is_ok());
}

async fn an_operator_has_an_address_a_name_and_a_role(kind: Kind) {
    let (_desk, services) = open(kind).await;
    let by = system();
    let good = NewOperator { email: "Ada@Example.com", name: " Ada ", roles: &[Role::Support, Role::Finance] };
    let made = services.create_operator(&by, good).await.unwrap().operator;
    assert_eq!((&*made.email, &*made.name), ("ada@example.com", "Ada"));
    assert_eq!(made.roles, [Role::Finance, Role::Support]);
    assert_eq!(services.find_operator_by_email("ADA@example.com").await.unwrap(), Some(made.clone()));
    assert_eq!(services.list_operators().await.unwrap(), [made]);
    let other = NewOperator { email: "bob@example.com", ..good };
    for (new, is_expected) in [
        (good, (|error| matches!(error, CreateOperatorError::EmailTaken)) as fn(&CreateOperatorError) -> bool),
        (NewOperator { email: "bob", ..other }, |error| matches!(error, CreateOperatorError::EmailInvalid)),
        (NewOperator { name: " ", ..other }, |error| matches!(error, CreateOperatorError::Name)),
        (NewOperator { name: "a\nb", ..other }, |error| matches!(error, CreateOperatorError::Name)),
        (NewOperator { roles: &[], ..other }, |error| matches!(error, CreateOperatorError::NoRole)),
    ] {
        let error = services.create_operator(&by, new).await.unwrap_err();
        assert!(is_expected(&error), "{new:?}: {error}");
    }
    assert_eq!(services.list_operators().await.unwrap().len(), 1, "nothing was made");
}

async fn the_demos_owner_is_made_once(kind: Kind) {
    let (_desk, services) = open(kind).await;
    let offer = async || services.offer_demo_owner(&system(), "demo@example.com", "Demo").await.unwrap();
    let first = offer().await.unwrap();
    let second = offer().await.unwrap();
    assert!(
        services.find_operator_link(first.secret.expose_secret()).await.unwrap().is_none(),
        "only the newest is good"
    );
    let made =
        services.use_operator_link(request(&services), second.secret.expose_secret(), &secret(PASSWORD)).await.unwrap();
    assert!(made.is_demo && made.has_password && made.roles == [Role::Owner]);
    assert!(offer().await.is_none());
    sign_in(&services, "demo@example.com").await;
}
