//! Tokens of auditors, as the console makes them.

use engine::{
    audit::{Actor, Method, OpContext},
    id::RequestId,
    service::{
        audit::AuditFilter,
        auditors::CreateAuditorError,
        paging::{Listed, PAGE_ROWS},
        partners::NewPartner,
        tokens::{TokenNote, TokenOwner},
    },
};
use uuid::Uuid;

use crate::ledger::desk::{Desk, Kind, on_both};

on_both! {
    an_auditors_form_that_is_sent_twice_makes_one_token,
    auditors_and_tokens_are_read_page_by_page,
}

fn somebody() -> OpContext {
    OpContext { actor: Actor::Operator("opr_somebody".to_owned()), method: Method::Session, request: None }
}

async fn an_auditors_form_that_is_sent_twice_makes_one_token(kind: Kind) {
    let desk = Desk::open_on(kind).await;
    let services = desk.services().await;
    let elsewhere = desk.services().await;
    let (by, now_us) = (somebody(), desk.now_us());
    let [key, other] = [(); 2].map(|()| Some(RequestId::new(&*services.ids, now_us)));
    let (here, there) = tokio::join!(
        services.create_auditor(&by, "Ernst & Jung", 30, key),
        elsewhere.create_auditor(&by, "Ernst & Jung", 30, key),
    );
    let (made, refused) = match (here, there) {
        (Ok(made), Err(refused)) | (Err(refused), Ok(made)) => (made.auditor, refused),
        both => panic!("one of both: {both:?}"),
    };
    assert!(matches!(refused, CreateAuditorError::MadeBefore(id) if id == made.id), "{refused}");
    let again = services.create_auditor(&by, "Ernst & Jung", 30, key).await;
    assert!(matches!(again, Err(CreateAuditorError::MadeBefore(id)) if id == made.id), "{again:?}");
    assert_eq!(services.list_auditors().await.unwrap(), [made]);
    let told = AuditFilter { action: Some("operator.create".to_owned()), ..AuditFilter::default() };
    assert_eq!(services.list_audit(&told, None, 10).await.unwrap().0.len(), 1);

    for key in [other, None, None] {
        services.create_auditor(&by, "Ernst & Jung", 30, key).await.unwrap();
    }
    assert_eq!(
        services.list_auditors().await.unwrap().len(),
        4,
        "another form, and the command line, make another one"
    );
}

/// Where a list goes on.
fn next_of<T>(listed: &Listed<T>) -> Option<Uuid> {
    listed.next.as_ref().map(|next| next.parse().unwrap())
}

async fn auditors_and_tokens_are_read_page_by_page(kind: Kind) {
    let desk = Desk::open_on(kind).await;
    let services = desk.services().await;
    let (by, full) = (somebody(), usize::try_from(PAGE_ROWS).unwrap());
    let new = NewPartner { name: "Globex", margin_bps: 0, reason: "a contract", key: None };
    let partner = services.create_partner(&by, new).await.unwrap();
    let owner = TokenOwner::Partner(partner.id);
    let note = TokenNote { reason: None, key: None };
    for number in 0..=full {
        // Of several that were made in one moment the identifier says which comes first.
        services.create_auditor(&by, &format!("Auditor {number}"), 30, None).await.unwrap();
        services.create_owned_token(&by, owner, &format!("Token {number}"), note).await.unwrap();
    }
    let first = services.list_auditors_page(None).await.unwrap();
    let second = services.list_auditors_page(next_of(&first)).await.unwrap();
    assert_eq!((first.rows.len(), second.rows.len(), second.next), (full, 1, None));
    assert_eq!([first.rows, second.rows].concat(), services.list_auditors().await.unwrap(), "in the same order");

    let first = services.list_owned_tokens_page(owner, None).await.unwrap();
    let second = services.list_owned_tokens_page(owner, next_of(&first)).await.unwrap();
    assert_eq!((first.rows.len(), second.rows.len(), second.next), (full, 1, None));
    let all = services.list_owned_tokens(owner).await.unwrap();
    assert_eq!([first.rows, second.rows].concat(), all, "in the same order");

    let newest = all.first().unwrap();
    services.revoke_owned_token(&by, owner, newest.id, None).await.unwrap();
    let active = services.list_active_tokens(owner).await.unwrap();
    assert_eq!(active.len(), full, "the revoked one is not among them");
    assert!(active.iter().all(|token| token.id != newest.id));
    let other = services.create_partner(&by, NewPartner { name: "Initech", ..new }).await.unwrap();
    let behind = services.list_owned_tokens_page(TokenOwner::Partner(other.id), Some(newest.id.uuid())).await.unwrap();
    assert_eq!((behind.rows.len(), behind.next), (0, None), "nothing is behind a token of somebody else");
    assert!(!services.load_books_position().await.unwrap().is_empty(), "the books know of both partners");
}
