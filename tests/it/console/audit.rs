//! The part `audit` of the console: its use cases.

use engine::{
    audit::{AuditRow, OpContext},
    id::RequestId,
    operator::Role,
    service::{Services, audit::AuditFilter, operators::NewOperator},
};

use crate::ledger::desk::{Desk, Kind, SECOND_US, on_both};

on_both! {
    an_entry_is_found_by_its_slot_and_number,
    what_a_request_told_besides_is_found_within_a_second,
}

/// Lets somebody in, and gives what the trail tells of it.
async fn let_in(services: &Services, request: Option<RequestId>, email: &str) -> AuditRow {
    let by = OpContext { request, ..OpContext::system() };
    let new = NewOperator { email, name: "Ann", roles: &[Role::Support] };
    let made = services.create_operator(&by, new).await.unwrap();
    let filter = AuditFilter { object: Some(made.operator.id.to_string()), ..AuditFilter::default() };
    let (mut rows, _) = services.list_audit(&filter, None, 10).await.unwrap();
    assert_eq!(rows.len(), 1);
    rows.remove(0)
}

async fn an_entry_is_found_by_its_slot_and_number(kind: Kind) {
    let desk = Desk::open_on(kind).await;
    let services = desk.services().await;
    let row = let_in(&services, None, "ann@example.com").await;
    assert_eq!(services.find_audit(row.slot, row.seq).await.unwrap().as_ref(), Some(&row));
    assert_eq!(services.find_audit(row.slot, row.seq + 1).await.unwrap(), None);
    assert_eq!(services.find_audit(row.slot + 1_000, row.seq).await.unwrap(), None);
    assert_eq!(services.list_audit_beside(&row).await.unwrap(), []);
}

async fn what_a_request_told_besides_is_found_within_a_second(kind: Kind) {
    let desk = Desk::open_on(kind).await;
    let services = desk.services().await;
    let request = || RequestId::new(&*services.ids, services.clock.now_us());
    let (one, other) = (request(), request());
    let first = let_in(&services, Some(one), "a@example.com").await;
    desk.clock.advance_us(SECOND_US / 2);
    let between = let_in(&services, Some(other), "b@example.com").await;
    let second = let_in(&services, Some(one), "c@example.com").await;
    desk.clock.advance_us(SECOND_US * 2);
    let late = let_in(&services, Some(one), "d@example.com").await;

    assert_eq!(services.list_audit_beside(&first).await.unwrap(), [second.clone()]);
    assert_eq!(services.list_audit_beside(&second).await.unwrap(), [first]);
    assert_eq!(services.list_audit_beside(&between).await.unwrap(), []);
    assert_eq!(services.list_audit_beside(&late).await.unwrap(), []);
}
