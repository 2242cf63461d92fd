//! Tokens of auditors, as the console makes them.

use engine::{
    audit::{Actor, Method, OpContext},
    id::RequestId,
    service::{audit::AuditFilter, auditors::CreateAuditorError},
};

use crate::ledger::desk::{Desk, Kind, on_both};

on_both! {
    an_auditors_form_that_is_sent_twice_makes_one_token,
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
