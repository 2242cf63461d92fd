//! The part `audit` of the console: its use cases.

use engine::{
    audit::{Action, AuditRow, OpContext},
    id::RequestId,
    operator::Role,
    service::{
        Services,
        audit::{AUDIT_LOOKED_AT, AuditFilter},
        operators::NewOperator,
    },
    store::UnitOfWork,
};

use crate::ledger::desk::{Desk, Kind, SECOND_US, on_both};

on_both! {
    an_entry_is_found_by_its_slot_and_number,
    what_a_request_told_besides_is_found_within_a_second,
    what_no_index_finds_is_looked_for_so_far_and_no_further,
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

async fn what_no_index_finds_is_looked_for_so_far_and_no_further(kind: Kind) {
    let desk = Desk::open_on(kind).await;
    let services = desk.services().await;
    let made = let_in(&services, None, "ann@example.com").await;
    desk.clock.advance_us(SECOND_US);
    let by = OpContext::system();
    let told = |number: i64| by.entry(Action::ExportCreate, "report", format!("report {number}"));
    let unit = UnitOfWork::new().audited(told(0)).and((1..=AUDIT_LOOKED_AT).map(told));
    desk.ledger().save(unit).await.unwrap();

    let wanted = |actor: Option<&str>, action: Option<&str>, object: Option<&str>| {
        let [actor, action, object] = [actor, action, object].map(|text| text.map(str::to_owned));
        AuditFilter { actor, action, object, ..AuditFilter::default() }
    };
    // By its kind and by its action it stands too far back for the first page, and on the second one.
    for filter in [
        wanted(None, Some("operator.create"), None),
        wanted(None, Some("operator"), None),
        wanted(Some("system"), None, Some("operator")),
    ] {
        let (rows, next) = services.list_audit(&filter, None, 10).await.unwrap();
        assert_eq!(rows, [], "{filter:?}");
        let (rows, next) = services.list_audit(&filter, Some(next.expect("a page behind it")), 10).await.unwrap();
        assert_eq!((rows, next), (vec![made.clone()], None), "{filter:?}");
    }
    // By its identifier it is found at once, and so is what nobody has done.
    let filter = wanted(Some("system"), None, Some(&made.object_id));
    assert_eq!(services.list_audit(&filter, None, 10).await.unwrap(), (vec![made.clone()], None));
    let filter = wanted(Some("uid:1"), Some("operator"), None);
    assert_eq!(services.list_audit(&filter, None, 10).await.unwrap(), (Vec::new(), None));
    // A page that is full of what is wanted goes on behind its last row.
    let filter = wanted(None, Some("export"), None);
    let (rows, next) = services.list_audit(&filter, None, 10).await.unwrap();
    assert_eq!(rows.len(), 10);
    let (more, _) = services.list_audit(&filter, next, 10).await.unwrap();
    assert!(more.iter().all(|row| rows.iter().all(|known| (known.slot, known.seq) > (row.slot, row.seq))), "{more:?}");
}
