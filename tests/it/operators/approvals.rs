//! Four eyes: asked by one, decided by another one, carried out once.

use engine::{
    id::{ApprovalId, EntryId, OperatorId},
    operator::Role,
    service::{
        Services,
        approvals::{
            APPROVAL_DAYS, Approval, ApprovalFilter, ApprovalState, DecideApprovalError, Decision, NewApproval,
            RequestApprovalError, WithdrawApprovalError,
        },
    },
    store::{NotSaved, UnitOfWork},
    testing::push_statement,
};
use serde_json::json;

use super::{newest, open, operator, system, trail};
use crate::ledger::desk::{Desk, Kind, SECOND_US, on_both};

on_both! {
    what_one_asks_another_one_decides,
    a_form_that_is_sent_twice_asks_once,
    what_nobody_decides_expires,
    two_who_decide_at_once_do_not_both_decide,
    what_was_approved_is_found_until_it_has_an_outcome,
    the_database_wants_four_eyes_too,
    what_the_trail_does_not_vouch_for_is_not_done,
    a_list_goes_on_where_its_page_ended,
}

/// Two who may decide: of the first one, the requests are.
async fn two(services: &Services) -> (OperatorId, OperatorId) {
    let ada = operator(services, "ada@example.com", &[Role::Owner]).await;
    let bob = operator(services, "bob@example.com", &[Role::Finance]).await;
    (ada.id, bob.id)
}

fn refund(key: Option<&str>) -> NewApproval<'_> {
    NewApproval {
        kind: "refund.create",
        payload: json!({"call": "inv_1", "credits": "120"}),
        amount: Some(120_000_000),
        object: ("invocation", "inv_1".to_owned()),
        reason: "the answer was empty",
        key,
    }
}

async fn ask(services: &Services, author: OperatorId) -> ApprovalId {
    services.request_approval(&system(), author, refund(None)).await.unwrap()
}

async fn approve(services: &Services, id: ApprovalId, by: OperatorId) -> Result<Approval, DecideApprovalError> {
    services.decide_approval(&system(), id, by, Decision::Approve, None).await
}

async fn what_one_asks_another_one_decides(kind: Kind) {
    let (desk, services) = open(kind).await;
    let (ada, bob) = two(&services).await;
    let id = ask(&services, ada).await;
    let asked = services.find_approval(id).await.unwrap().unwrap();
    assert_eq!((asked.state, asked.author, asked.amount), (ApprovalState::Waiting, ada, Some(120_000_000)));
    assert_eq!((&*asked.kind, &asked.payload), ("refund.create", &json!({"call": "inv_1", "credits": "120"})));
    assert_eq!(asked.expires_us, desk.now_us() + APPROVAL_DAYS * 86_400 * SECOND_US);

    for decision in [Decision::Approve, Decision::Reject] {
        let own = services.decide_approval(&system(), id, ada, decision, None).await;
        assert!(matches!(own, Err(DecideApprovalError::OwnRequest)));
    }
    desk.clock.advance_us(SECOND_US);
    let decided = services.decide_approval(&system(), id, bob, Decision::Approve, Some(" seen it ")).await.unwrap();
    assert_eq!(services.find_approval(id).await.unwrap(), Some(decided.clone()));
    assert_eq!((decided.state, decided.decided_by), (ApprovalState::Approved, Some(bob)));
    assert_eq!((decided.decided_us, decided.note.as_deref()), (Some(desk.now_us()), Some("seen it")));
    let again = approve(&services, id, bob).await;
    assert!(matches!(again, Err(DecideApprovalError::NotWaiting { state: ApprovalState::Approved })));

    let other = ask(&services, ada).await;
    let rejected = services.decide_approval(&system(), other, bob, Decision::Reject, Some("too much")).await.unwrap();
    assert_eq!(rejected.state, ApprovalState::Rejected);
    let third = ask(&services, ada).await;
    let not_own = services.withdraw_approval(&system(), third, bob, None).await;
    assert!(matches!(not_own, Err(WithdrawApprovalError::NotOwn)));
    let withdrawn = services.withdraw_approval(&system(), third, ada, None).await.unwrap();
    assert_eq!((withdrawn.state, withdrawn.decided_by), (ApprovalState::Withdrawn, Some(ada)));
    let late = approve(&services, third, bob).await;
    assert!(matches!(late, Err(DecideApprovalError::NotWaiting { state: ApprovalState::Withdrawn })));
    let nothing = "apr_00000000000070008000000000000000".parse().unwrap();
    assert!(matches!(approve(&services, nothing, bob).await, Err(DecideApprovalError::NotFound)));

    assert_eq!(
        newest(&services, 6).await,
        [
            "approval.withdraw",
            "approval.request",
            "approval.reject",
            "approval.request",
            "approval.approve",
            "approval.request"
        ]
    );
    let row = trail(&services).await.swap_remove(2);
    assert_eq!((row.object_id, row.reason.as_deref()), (other.to_string(), Some("too much")));

    for reason in ["", " ", "two\nlines"] {
        let refused = services.request_approval(&system(), ada, NewApproval { reason, ..refund(None) }).await;
        assert!(matches!(refused, Err(RequestApprovalError::Reason)), "{reason:?}");
    }
    let asked = ask(&services, ada).await;
    for note in ["two\nlines", &"x".repeat(501)] {
        let refused = services.decide_approval(&system(), asked, bob, Decision::Approve, Some(note)).await;
        assert!(matches!(refused, Err(DecideApprovalError::Note)), "{note:?}");
        let refused = services.withdraw_approval(&system(), asked, ada, Some(note)).await;
        assert!(matches!(refused, Err(WithdrawApprovalError::Note)), "{note:?}");
    }
    assert_eq!(services.find_approval(asked).await.unwrap().unwrap().state, ApprovalState::Waiting);
    let long = NewApproval { payload: json!("x".repeat(70_000)), ..refund(None) };
    let refused = services.request_approval(&system(), ada, long).await;
    assert!(matches!(refused, Err(RequestApprovalError::TooLong(70_002))));
}

async fn a_form_that_is_sent_twice_asks_once(kind: Kind) {
    let (_desk, services) = open(kind).await;
    let (ada, bob) = two(&services).await;
    let by = system();
    let (one, other) = tokio::join!(
        services.request_approval(&by, ada, refund(Some("form-1"))),
        services.request_approval(&by, ada, refund(Some("form-1"))),
    );
    let id = one.unwrap();
    assert_eq!(id, other.unwrap());
    assert_eq!(services.request_approval(&by, ada, refund(Some("form-1"))).await.unwrap(), id);
    assert_ne!(services.request_approval(&by, ada, refund(Some("form-2"))).await.unwrap(), id);
    assert_ne!(services.request_approval(&by, bob, refund(Some("form-1"))).await.unwrap(), id, "somebody else's form");
    let refused = services.request_approval(&by, ada, refund(Some(""))).await;
    assert!(matches!(refused, Err(RequestApprovalError::Key)));
    // The same form with something else in it is not what was asked for.
    let more = NewApproval { payload: json!({"call": "inv_1", "credits": "990"}), ..refund(Some("form-1")) };
    let other = NewApproval { kind: "reversal.create", ..refund(Some("form-1")) };
    for something_else in [more, other] {
        let refused = services.request_approval(&by, ada, something_else).await;
        assert!(matches!(refused, Err(RequestApprovalError::KeyReused(known)) if known == id), "{refused:?}");
    }
    let again = NewApproval { reason: "said better", ..refund(Some("form-1")) };
    assert_eq!(services.request_approval(&by, ada, again).await.unwrap(), id);
}

async fn what_nobody_decides_expires(kind: Kind) {
    let (desk, services) = open(kind).await;
    let (ada, bob) = two(&services).await;
    let (early, id) = (ask(&services, ada).await, ask(&services, ada).await);
    let day_us = 86_400 * SECOND_US;
    desk.clock.advance_us(APPROVAL_DAYS * day_us - 1);
    assert_eq!(approve(&services, early, bob).await.unwrap().state, ApprovalState::Approved, "in the last moment");
    services.expire_approvals().await.unwrap();
    desk.clock.advance_us(1);
    let state = async || services.find_approval(id).await.unwrap().unwrap().state;
    assert_eq!(state().await, ApprovalState::Expired, "also before anybody has marked it");
    let of = |state| ApprovalFilter { state: Some(state), ..ApprovalFilter::default() };
    for is_marked in [false, true] {
        assert!(matches!(approve(&services, id, bob).await, Err(DecideApprovalError::Expired)));
        let withdrawn = services.withdraw_approval(&system(), id, ada, None).await;
        assert!(matches!(withdrawn, Err(WithdrawApprovalError::NotWaiting { state: ApprovalState::Expired })));
        let listed = async |state| services.list_approvals(&of(state), None, 10).await.unwrap().0.len();
        assert_eq!((listed(ApprovalState::Waiting).await, listed(ApprovalState::Expired).await), (0, 1));
        let marked = desk.number("SELECT count(*) FROM approval WHERE state = 'expired'");
        assert_eq!(marked, i64::from(is_marked));
        services.expire_approvals().await.unwrap();
    }
    let row = trail(&services).await.swap_remove(0);
    assert_eq!((&*row.action, &*row.actor_kind, row.object_id), ("approval.expire", "system", id.to_string()));
    assert_eq!(newest(&services, 2).await[1], "approval.approve", "told once");
}

async fn two_who_decide_at_once_do_not_both_decide(kind: Kind) {
    let (desk, services) = open(kind).await;
    let (ada, bob) = two(&services).await;
    let eve = operator(&services, "eve@example.com", &[Role::Finance]).await.id;
    let elsewhere = desk.services().await;
    for _ in 0..5 {
        let id = ask(&services, ada).await;
        let by = system();
        let (here, there) = tokio::join!(
            services.decide_approval(&by, id, bob, Decision::Approve, None),
            elsewhere.decide_approval(&by, id, eve, Decision::Reject, None),
        );
        assert_ne!(here.is_ok(), there.is_ok());
        let (decided, refused) = match (here, there) {
            (Ok(decided), Err(refused)) | (Err(refused), Ok(decided)) => (decided, refused),
            both => panic!("{both:?}"),
        };
        assert!(matches!(refused, DecideApprovalError::NotWaiting { state } if state == decided.state), "{refused}");
    }
}

async fn what_was_approved_is_found_until_it_has_an_outcome(kind: Kind) {
    let (desk, services) = open(kind).await;
    let (ada, bob) = two(&services).await;
    let ask_later = async || {
        desk.clock.advance_us(SECOND_US);
        ask(&services, ada).await
    };
    let (first, second, waiting) = (ask_later().await, ask_later().await, ask_later().await);
    for id in [second, first] {
        approve(&services, id, bob).await.unwrap();
    }
    let unfinished = async || {
        let found = services.list_unfinished_approvals().await.unwrap();
        found.into_iter().map(|approval| approval.id).collect::<Vec<_>>()
    };
    assert_eq!(unfinished().await, [first, second]);
    services.finish_approval(first, Ok("ref_1")).await.unwrap();
    services.finish_approval(second, Err("there is nothing left to give back")).await.unwrap();
    // Once it is said it stays, and what waits has none.
    services.finish_approval(first, Err("again")).await.unwrap();
    services.finish_approval(second, Ok("again")).await.unwrap();
    services.finish_approval(waiting, Ok("early")).await.unwrap();
    assert_eq!(unfinished().await, []);
    let of = async |id| services.find_approval(id).await.unwrap().unwrap();
    let (done, failed, waiting) = (of(first).await, of(second).await, of(waiting).await);
    assert_eq!((done.state, &done.outcome), (ApprovalState::Approved, &Some(json!({"done": "ref_1"}))));
    let outcome = json!({"refused": "there is nothing left to give back"});
    assert_eq!((failed.state, failed.outcome), (ApprovalState::Failed, Some(outcome)));
    assert_eq!((waiting.state, waiting.outcome), (ApprovalState::Waiting, None));
    assert_eq!(done.key(), format!("approval:{first}"));
    // What was done is told where it is done; what could not be done is told once.
    let failures: Vec<_> = trail(&services).await.into_iter().filter(|row| row.action == "approval.fail").collect();
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert_eq!((&*failures[0].actor_kind, &failures[0].object_id), ("system", &second.to_string()));
    let after = failures[0].after.as_deref().unwrap();
    let expected = json!({
        "kind": "refund.create",
        "amount_microcredits": 120_000_000,
        "object": "inv_1",
        "author": ada.to_string(),
        "approved_by": bob.to_string(),
        "refused": "there is nothing left to give back",
    });
    assert_eq!(serde_json::from_str::<serde_json::Value>(after).unwrap(), expected);
}

/// What the writer's own connection says to a statement.
async fn refused(desk: &Desk, sql: &str) {
    let mut unit = UnitOfWork::new();
    push_statement(&mut unit, sql, None);
    assert_eq!(desk.save(unit).await, Err(NotSaved::Conflict { statement: 0 }), "{sql}");
}

async fn the_database_wants_four_eyes_too(kind: Kind) {
    let (desk, services) = open(kind).await;
    let (ada, bob) = two(&services).await;
    let id = ask(&services, ada).await;
    let literal = |id: uuid::Uuid| desk.id_literal(EntryId::from(id));
    let (author, other) = (literal(ada.uuid()), literal(bob.uuid()));
    let place = format!("WHERE id = {}", literal(id.uuid()));
    for sql in [
        format!("UPDATE approval SET state = 'approved', decided_by = {author}, decided_us = 1 {place}"),
        format!("UPDATE approval SET state = 'rejected', decided_by = {author}, decided_us = 1 {place}"),
        format!("UPDATE approval SET state = 'approved', decided_by = NULL, decided_us = 1 {place}"),
        format!("UPDATE approval SET state = 'withdrawn', decided_by = {other}, decided_us = 1 {place}"),
        format!(
            "UPDATE approval SET author = {other}, state = 'approved', decided_by = {author}, decided_us = 1 {place}"
        ),
        format!("UPDATE approval SET author = {other} {place}"),
        format!("UPDATE approval SET amount = 1 {place}"),
        format!("UPDATE approval SET amount = NULL {place}"),
        format!("UPDATE approval SET payload = '{{}}' {place}"),
        format!("UPDATE approval SET expires_us = expires_us + 1 {place}"),
        format!("UPDATE approval SET state = 'failed', decided_by = {other}, decided_us = 1, outcome = 'x' {place}"),
        format!("UPDATE approval SET state = 'done' {place}"),
        format!("DELETE FROM approval {place}"),
        format!(
            "INSERT INTO approval SELECT {}, kind, payload, amount, object_kind, object_id, reason, key, author,
             created_us, expires_us, 'approved', {other}, 1, NULL, NULL FROM approval",
            literal(uuid::Uuid::from_u128(9))
        ),
    ] {
        refused(&desk, &sql).await;
    }
    let before = services.find_approval(id).await.unwrap().unwrap();
    assert_eq!(before.state, ApprovalState::Waiting);
    approve(&services, id, bob).await.unwrap();
    for sql in [
        format!("UPDATE approval SET state = 'waiting', decided_by = NULL, decided_us = NULL {place}"),
        format!("UPDATE approval SET state = 'rejected' {place}"),
        format!("UPDATE approval SET decided_us = 2 {place}"),
        format!("UPDATE approval SET note = 'x' {place}"),
        format!("UPDATE approval SET amount = 1, outcome = 'x' {place}"),
    ] {
        refused(&desk, &sql).await;
    }
}

/// Somebody who writes into the database, and knows what its triggers let through.
async fn what_the_trail_does_not_vouch_for_is_not_done(kind: Kind) {
    let (desk, services) = open(kind).await;
    let (ada, bob) = two(&services).await;
    let write = async |sql: String| {
        let mut unit = UnitOfWork::new();
        push_statement(&mut unit, &sql, None);
        desk.save(unit).await.unwrap();
    };
    let literal = |id: uuid::Uuid| desk.id_literal(EntryId::from(id));
    let asked = ask(&services, ada).await;
    let others = [uuid::Uuid::from_u128(7), uuid::Uuid::from_u128(8)];
    for (other, changed) in others.into_iter().zip(["replace(payload, '120', '100')", "payload"]) {
        write(format!(
            "INSERT INTO approval SELECT {}, kind, {changed}, amount, object_kind, object_id, reason, key, author,
             created_us, expires_us, state, decided_by, decided_us, note, outcome FROM approval WHERE id = {}",
            literal(other),
            literal(asked.uuid()),
        ))
        .await;
        let planted = ApprovalId::from(other);
        let refused = approve(&services, planted, bob).await;
        assert!(matches!(refused, Err(DecideApprovalError::NotVouchedFor)), "{refused:?}");
    }
    let rejected = services.decide_approval(&system(), ApprovalId::from(others[0]), bob, Decision::Reject, None).await;
    assert_eq!(rejected.unwrap().state, ApprovalState::Rejected);

    for id in [others[1], asked.uuid()] {
        write(format!(
            "UPDATE approval SET state = 'approved', decided_by = {}, decided_us = 1 WHERE id = {}",
            literal(bob.uuid()),
            literal(id)
        ))
        .await;
    }
    services.resume_approvals().await.unwrap();
    for id in [ApprovalId::from(others[1]), asked] {
        let approval = services.find_approval(id).await.unwrap().unwrap();
        let outcome = approval.outcome.unwrap();
        assert_eq!(approval.state, ApprovalState::Failed, "{outcome}");
        assert!(
            outcome["refused"].as_str().unwrap().starts_with("the audit trail tells of no such approval"),
            "{outcome}"
        );
    }
    assert_eq!(newest(&services, 2).await, ["approval.fail", "approval.fail"]);
}

async fn a_list_goes_on_where_its_page_ended(kind: Kind) {
    let (desk, services) = open(kind).await;
    let (ada, bob) = two(&services).await;
    let mut ids = Vec::new();
    for author in [ada, bob, ada, ada, bob] {
        desk.clock.advance_us(SECOND_US);
        ids.insert(0, ask(&services, author).await);
    }
    let page = async |filter: &ApprovalFilter, after| {
        let (page, next) = services.list_approvals(filter, after, 2).await.unwrap();
        (page.into_iter().map(|approval| approval.id).collect::<Vec<_>>(), next)
    };
    let all = ApprovalFilter::default();
    let (first, next) = page(&all, None).await;
    let (second, next) = page(&all, next).await;
    let (third, end) = page(&all, next).await;
    assert_eq!([first, second, third].concat(), ids);
    assert_eq!(end, None);
    let for_ada = ApprovalFilter { not_author: Some(ada), state: Some(ApprovalState::Waiting), ..all.clone() };
    assert_eq!(page(&for_ada, None).await, (vec![ids[0], ids[3]], None));
    let of_ada = ApprovalFilter { author: Some(ada), ..all.clone() };
    assert_eq!(page(&of_ada, None).await, (vec![ids[1], ids[2]], Some(ids[2])));
    for (filter, count) in [
        (ApprovalFilter { kind: Some("refund.create".into()), object: Some("inv_1".into()), ..all.clone() }, 2),
        (ApprovalFilter { kind: Some("grant.create".into()), ..all.clone() }, 0),
        (ApprovalFilter { object: Some("inv_2".into()), ..all }, 0),
    ] {
        assert_eq!(page(&filter, None).await.0.len(), count, "{filter:?}");
    }
}
