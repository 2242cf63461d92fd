//! The part `audit` of the console: its use cases.

use engine::{
    audit::{Action, Actor, AuditRow, Method, OpContext},
    id::RequestId,
    operator::Role,
    service::{Services, audit::AuditFilter, operators::NewOperator},
    store::UnitOfWork,
};

use crate::ledger::desk::{Desk, Kind, SECOND_US, on_both};

on_both! {
    an_entry_is_found_by_its_slot_and_number,
    what_a_request_told_besides_is_found_within_a_second,
    kinds_and_single_ones_are_found_by_one_word_a_page_at_a_time,
    neither_half_of_a_word_reads_the_whole_trail,
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

/// Tells of something that `actor` did to an object.
async fn tell(desk: &Desk, actor: &str, (kind, id): (&'static str, &str)) {
    let by = OpContext { actor: Actor::Operator(actor.to_owned()), method: Method::Session, request: None };
    let told = by.entry(Action::ExportCreate, kind, id);
    desk.ledger().save(UnitOfWork::new().audited(told)).await.unwrap();
    desk.clock.advance_us(SECOND_US);
}

async fn kinds_and_single_ones_are_found_by_one_word_a_page_at_a_time(kind: Kind) {
    let desk = Desk::open_on(kind).await;
    let services = desk.services().await;
    for round in 0..3 {
        tell(&desk, "opr_a", ("report", "journal")).await;
        tell(&desk, "opr_b", ("report", "report")).await;
        tell(&desk, "operator", ("file", &format!("report{round}"))).await;
        tell(&desk, "opr_a", ("file", "report")).await;
    }
    let list = async |actor: Option<&str>, object: Option<&str>| {
        let (actor, object) = (actor.map(str::to_owned), object.map(str::to_owned));
        let filter = AuditFilter { actor, object, ..AuditFilter::default() };
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let (rows, next) = services.list_audit(&filter, after, 2).await.unwrap();
            assert!(rows.len() == 2 || next.is_none());
            found.extend(rows);
            match next {
                Some(next) => after = Some(next),
                None => return found,
            }
        }
    };
    for (actor, object, count) in [
        (None, None, 12),
        (Some("operator"), None, 12),
        (Some("opr_a"), None, 6),
        (Some("opr_c"), None, 0),
        // A kind and a name alike; what is both stands there once.
        (None, Some("report"), 9),
        (None, Some("file"), 6),
        (None, Some("journal"), 3),
        (Some("opr_a"), Some("report"), 6),
        (Some("operator"), Some("report1"), 1),
        (Some("opr_b"), Some("file"), 0),
    ] {
        let rows = list(actor, object).await;
        assert_eq!(rows.len(), count, "{actor:?} {object:?}");
        let place = |row: &AuditRow| (row.recorded_us, row.slot, row.seq);
        assert!(rows.windows(2).all(|pair| place(&pair[0]) > place(&pair[1])), "the newest first, each once");
    }
    desk.verify();
}

/// How the database finds rows of which a word is a kind, or which one.
async fn neither_half_of_a_word_reads_the_whole_trail(kind: Kind) {
    let desk = Desk::open_on(kind).await;
    for (column, index) in [
        ("actor_kind", "audit_actor_kind"),
        ("actor_id", "audit_actor"),
        ("object_kind", "audit_object_kind"),
        ("object_id", "audit_object"),
    ] {
        let order = "ORDER BY recorded_us DESC, slot DESC, seq DESC LIMIT 51";
        let query = format!("SELECT * FROM audit WHERE {column} = 'x' {order}");
        // An empty table is not worth an index to PostgreSQL: there it is enough that there is one.
        let plan = match kind {
            Kind::Sqlite => desk.rows(&format!("EXPLAIN QUERY PLAN {query}")),
            Kind::Postgres => desk.rows(&format!("SELECT indexdef FROM pg_indexes WHERE indexname = '{index}'")),
        };
        let plan = plan.concat().join(" ");
        assert!(plan.contains(index) && plan.contains(column), "{column}: {plan}");
    }
}
