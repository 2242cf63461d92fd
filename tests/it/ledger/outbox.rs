//! Several servers over one outbox: each mail is one server's to send.

use engine::{
    audit::OpContext,
    service::{
        Services,
        accounts::NewAccount,
        outbox::{MAIL_ATTEMPTS_MAX, MAIL_CLAIM_US, MailFault, MailTemplate, OutgoingMail},
    },
};

use super::desk::{Desk, Kind, on_both};

on_both! {
    a_due_mail_is_claimed_by_one_server_alone,
    a_failed_mail_is_due_again_after_its_pause_and_not_before,
    a_mail_is_given_up_when_it_is_refused_for_good_tried_too_often_or_too_late,
    a_mail_of_a_newer_program_is_left_to_it,
}

const NO_ANSWER: MailFault<'_> = MailFault { text: "no answer", is_permanent: false };

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
    there.mark_mail_sent(&again[0], desk.now_us()).await.unwrap();
    desk.clock.advance_us(MAIL_CLAIM_US);
    assert!(due(&desk, &here).await.is_empty());
    assert!(!here.claim_mail(&again[0]).await.unwrap(), "it has been sent");
}

async fn a_failed_mail_is_due_again_after_its_pause_and_not_before(kind: Kind) {
    let (desk, mut here, there) = two_servers(kind).await;
    // No chance in it: the whole pause.
    here.random = |out| out.fill(0);
    let mine = due(&desk, &here).await;
    assert!(here.claim_mail(&mine[0]).await.unwrap());
    assert!(!here.mark_mail_failed(&mine[0], NO_ANSWER, desk.now_us()).await.unwrap(), "it is tried again");
    // The pause after the first attempt is shorter than a claim, which is over with the attempt.
    desk.clock.advance_us(MAIL_CLAIM_US / 2 - 1);
    assert!(due(&desk, &there).await.is_empty());
    desk.clock.advance_us(1);
    let again = due(&desk, &there).await;
    assert_eq!((again.len(), again[0].attempts), (1, 1));
    assert!(there.claim_mail(&again[0]).await.unwrap());
}

/// State, attempts, last answer and data of the only mail.
fn standing(desk: &Desk) -> Vec<String> {
    desk.rows("SELECT state, attempts, coalesce(last_error, ''), data FROM mail").remove(0)
}

async fn a_mail_is_given_up_when_it_is_refused_for_good_tried_too_often_or_too_late(kind: Kind) {
    let refused = MailFault { text: "nobody of that name", is_permanent: true };
    let (desk, here, _there) = two_servers(kind).await;
    let mail = due(&desk, &here).await.remove(0);
    assert!(here.mark_mail_failed(&mail, refused, desk.now_us()).await.unwrap(), "refused for good");
    assert_eq!(standing(&desk), ["failed", "1", "nobody of that name", "{}"], "its link is forgotten");

    // The next attempt would be the last one but for the number of those before it, or for the link that ends before it.
    for (template, attempts, created_ago_us) in [
        (MailTemplate::Receipt, MAIL_ATTEMPTS_MAX - 1, 0),
        (MailTemplate::Verification, 0, 30 * 60_000_000 - 1_000_000),
    ] {
        let (desk, here, _there) = two_servers(kind).await;
        let mail = due(&desk, &here).await.remove(0);
        let created_us = mail.created_us - created_ago_us;
        let given_up = OutgoingMail { template, attempts, created_us, ..mail.clone() };
        let spared = OutgoingMail { template, attempts: attempts.saturating_sub(1), ..mail };
        assert!(!here.mark_mail_failed(&spared, NO_ANSWER, desk.now_us()).await.unwrap(), "{attempts}");
        assert_eq!(standing(&desk)[0], "queued");
        assert!(here.mark_mail_failed(&given_up, NO_ANSWER, desk.now_us()).await.unwrap(), "{attempts}");
        assert_eq!(standing(&desk)[0], "failed");
    }
}

async fn a_mail_of_a_newer_program_is_left_to_it(kind: Kind) {
    let (desk, here, _there) = two_servers(kind).await;
    desk.change("UPDATE mail SET template = 'of the future'").await;
    assert!(due(&desk, &here).await.is_empty(), "and nobody else waits for it");
}
