//! There is always an owner, whoever leaves on whichever server.

use engine::{operator::Role, service::operators::ChangeOperatorError};

use secrecy::ExposeSecret as _;

use super::{PASSWORD, create, open, operator, request, secret, set_up, system};
use crate::ledger::desk::{Kind, on_both};

on_both! {
    the_last_owner_stays,
    an_owner_without_a_password_takes_nobodys_place,
    two_owners_who_leave_at_once_do_not_both_leave,
}

async fn the_last_owner_stays(kind: Kind) {
    let (_desk, services) = open(kind).await;
    let by = system();
    let ada = operator(&services, "ada@example.com", &[Role::Owner, Role::Finance]).await;
    let bob = operator(&services, "bob@example.com", &[Role::Operator]).await;
    let is_last = |error: ChangeOperatorError| matches!(error, ChangeOperatorError::LastOwner);
    let demote = async |id| services.set_operator_roles(&by, id, &[Role::Auditor], None, None).await;
    assert!(is_last(demote(ada.id).await.unwrap_err()));
    assert!(is_last(services.set_operator_disabled(&by, ada.id, true, None).await.unwrap_err()));
    let stays = services.set_operator_roles(&by, ada.id, &[Role::Owner], None, None).await.unwrap();
    assert_eq!(stays.roles, [Role::Owner], "other roles come and go");

    // An owner who is shut out is none.
    services.set_operator_roles(&by, bob.id, &[Role::Owner], None, None).await.unwrap();
    services.set_operator_disabled(&by, bob.id, true, None).await.unwrap();
    assert!(is_last(demote(ada.id).await.unwrap_err()));
    services.set_operator_disabled(&by, bob.id, false, None).await.unwrap();
    assert_eq!(demote(ada.id).await.unwrap().roles, [Role::Auditor]);
    assert!(is_last(demote(bob.id).await.unwrap_err()));

    for (error, is_expected) in [
        (
            demote(ada.id).await.unwrap_err(),
            (|error| matches!(error, ChangeOperatorError::Unchanged)) as fn(&_) -> bool,
        ),
        (services.set_operator_disabled(&by, bob.id, false, None).await.unwrap_err(), |error| {
            matches!(error, ChangeOperatorError::Unchanged)
        }),
        (services.set_operator_roles(&by, bob.id, &[], None, None).await.unwrap_err(), |error| {
            matches!(error, ChangeOperatorError::NoRole)
        }),
        (demote("opr_00000000000070008000000000000000".parse().unwrap()).await.unwrap_err(), |error| {
            matches!(error, ChangeOperatorError::NotFound)
        }),
    ] {
        assert!(is_expected(&error), "{error}");
    }
    services.set_operator_disabled(&by, ada.id, true, None).await.unwrap();
    let renewed = services.renew_operator_link(&by, ada.id, None).await;
    assert!(matches!(renewed, Err(ChangeOperatorError::Disabled)));
}

async fn an_owner_without_a_password_takes_nobodys_place(kind: Kind) {
    let (_desk, services) = open(kind).await;
    let by = system();
    let invited = create(&services, "bob@example.com", &[Role::Owner]).await.operator;
    let is_last = |error: ChangeOperatorError| matches!(error, ChangeOperatorError::LastOwner);
    assert!(is_last(services.set_operator_disabled(&by, invited.id, true, None).await.unwrap_err()), "the only one");
    let ada = operator(&services, "ada@example.com", &[Role::Owner]).await;
    let demote = async || services.set_operator_roles(&by, ada.id, &[Role::Auditor], None, None).await;
    assert!(is_last(demote().await.unwrap_err()), "nobody could sign in any more");
    assert!(is_last(services.set_operator_disabled(&by, ada.id, true, None).await.unwrap_err()));
    // Whoever never came may be shut out, and let in again.
    for is_disabled in [true, false] {
        services.set_operator_disabled(&by, invited.id, is_disabled, None).await.unwrap();
    }
    let link = services.renew_operator_link(&by, invited.id, None).await.unwrap().link;
    assert!(is_last(demote().await.unwrap_err()), "a link is no password");
    services.use_operator_link(request(&services), link.secret.expose_secret(), &secret(PASSWORD)).await.unwrap();
    assert_eq!(demote().await.unwrap().roles, [Role::Auditor]);
    // Whose password was taken away can take nobody's place either, and is still the last one.
    services.renew_operator_link(&by, invited.id, None).await.unwrap();
    assert!(is_last(services.set_operator_disabled(&by, invited.id, true, None).await.unwrap_err()));
}

async fn two_owners_who_leave_at_once_do_not_both_leave(kind: Kind) {
    let (desk, services) = open(kind).await;
    let ada = operator(&services, "ada@example.com", &[Role::Owner]).await;
    let bob = operator(&services, "bob@example.com", &[Role::Owner]).await;
    // A file has one writer; a server as many as there are programs.
    let another = (kind == Kind::Postgres).then(|| desk.another_writer().unwrap());
    let ledger = another.as_ref().map_or_else(|| desk.ledger().clone(), |(ledger, _)| ledger.clone());
    let elsewhere = desk.services_of(ledger).await;
    set_up(&elsewhere);
    for _ in 0..10 {
        let by = system();
        let (here, there) = tokio::join!(
            services.set_operator_disabled(&by, ada.id, true, None),
            elsewhere.set_operator_disabled(&by, bob.id, true, None),
        );
        assert_ne!(here.is_ok(), there.is_ok(), "{here:?} {there:?}");
        let refused = if here.is_ok() { there } else { here }.unwrap_err();
        assert!(matches!(refused, ChangeOperatorError::LastOwner), "{refused}");
        let owners = "SELECT count(*) FROM operator WHERE roles = 'owner' AND NOT is_disabled";
        assert_eq!(desk.number(owners), 1);
        for id in [ada.id, bob.id] {
            drop(services.set_operator_disabled(&by, id, false, None).await);
        }
    }
    drop(elsewhere);
    if let Some((ledger, thread)) = another {
        drop(ledger);
        thread.join().unwrap();
    }
}
