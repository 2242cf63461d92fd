//! Several servers over one outbox: each mail is one server's to send.

use engine::{
    audit::OpContext,
    service::{
        Services,
        accounts::NewAccount,
        outbox::{MAIL_CLAIM_US, OutgoingMail},
    },
};

use super::desk::{Desk, Kind, on_both};

on_both! {
    a_due_mail_is_claimed_by_one_server_alone,
    a_failed_mail_is_due_again_after_its_pause_and_not_before,
}

/// Two servers over one database, and a mail that is due.
async fn two_servers(kind: Kind) -> (Desk, Services, Services) {
    let desk = Desk::open_on(kind).await;
    let (here, there) = (desk.services().await, desk.services().await);
    let by = OpContext::system();
    let new = NewAccount { email: "a@example.com", is_verified: false, password: None };
    let account = here.create_account(&by, new).await.unwrap();
    here.resend_verification(&by, account).await.unwrap();
    (desk, here, there)
}

/// The mails that a server finds due now.
async fn due(desk: &Desk, services: &Services) -> Vec<OutgoingMail> {
    services.list_due_mail(desk.now_us()).await.unwrap()
}

async fn a_due_mail_is_claimed_by_one_server_alone(kind: Kind) {
    let (desk, here, there) = two_servers(kind).await;
    let (mine, theirs) = (due(&desk, &here).await, due(&desk, &there).await);
    assert_eq!((mine.len(), theirs.len()), (1, 1));
    assert_eq!(mine[0].id, theirs[0].id);
    let (one, other) = tokio::join!(here.claim_mail(&mine[0]), there.claim_mail(&theirs[0]));
    assert_ne!(one.unwrap(), other.unwrap(), "one of them has it");
    for server in [&here, &there] {
        assert!(due(&desk, server).await.is_empty());
    }

    // Whoever had it is gone: it is due again, and what was read before the claim is worth nothing.
    desk.clock.advance_us(MAIL_CLAIM_US - 1);
    assert!(due(&desk, &there).await.is_empty());
    desk.clock.advance_us(1);
    let again = due(&desk, &there).await;
    assert_eq!((again.len(), again[0].id, again[0].attempts), (1, mine[0].id, 0));
    assert!(!here.claim_mail(&mine[0]).await.unwrap());
    assert!(there.claim_mail(&again[0]).await.unwrap());
    there.mark_mail_sent(again[0].id, desk.now_us()).await.unwrap();
    desk.clock.advance_us(MAIL_CLAIM_US);
    assert!(due(&desk, &here).await.is_empty());
    assert!(!here.claim_mail(&again[0]).await.unwrap(), "it has been sent");
}

async fn a_failed_mail_is_due_again_after_its_pause_and_not_before(kind: Kind) {
    let (desk, here, there) = two_servers(kind).await;
    let mine = due(&desk, &here).await;
    assert!(here.claim_mail(&mine[0]).await.unwrap());
    assert!(!here.mark_mail_failed(&mine[0], "no answer", desk.now_us()).await.unwrap(), "it is tried again");
    // The pause after the first attempt is shorter than a claim, which is over with the attempt.
    desk.clock.advance_us(MAIL_CLAIM_US / 2 - 1);
    assert!(due(&desk, &there).await.is_empty());
    desk.clock.advance_us(1);
    let again = due(&desk, &there).await;
    assert_eq!((again.len(), again[0].attempts), (1, 1));
    assert!(there.claim_mail(&again[0]).await.unwrap());
}
