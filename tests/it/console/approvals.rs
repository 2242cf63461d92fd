//! The part `approvals` of the console: its use cases.

use std::sync::Arc;

use engine::{
    audit::{Action, AuditRow, Method, OpContext},
    credits::Credits,
    dialect::Dialect,
    id::{ApprovalId, EntryId, OperatorId, PriceVersionId, RequestId},
    operator::Role,
    policy::WrittenPolicy,
    service::{
        Services,
        accounts::GrantTerms,
        approvals::{
            APPROVAL_DAYS, ApprovalFilter, ApprovalState, DecideApprovalError, Decision, Deed, RESUMED_AFTER_S,
            RequestApprovalError, WithdrawApprovalError,
        },
        audit::AuditFilter,
        catalog::spec_to_json,
        movements::Note,
        operators::{NewOperator, OperatorProfile},
        policies::PolicyState,
        purchases::Provider,
    },
    snapshot::{Billing, GatewaySetup},
    store::{NotSaved, UnitOfWork},
    testing::push_statement,
};
use serde_json::{Value, json};

use super::movements::{Shop, credits, fixed};
use crate::ledger::desk::{Kind, SECOND_US, on_both};

on_both! {
    the_author_never_approves_not_even_by_sql,
    two_approvers_at_once_do_it_once,
    what_was_approved_is_carried_out_after_a_crash,
    what_was_done_before_a_crash_is_not_done_again,
    what_nobody_decides_expires_and_what_is_withdrawn_stays_undone,
    what_has_become_impossible_fails_and_says_why,
    every_deed_is_carried_out_once_and_told_once,
    what_makes_no_sense_is_never_asked,
}

const DAY_US: i64 = 86_400 * SECOND_US;

/// A shop with three operators: one who asks, and two who decide.
struct House {
    shop: Shop,
    ann: OperatorProfile,
    ben: OperatorProfile,
    cleo: OperatorProfile,
}

fn by(shop: &Shop, operator: &OperatorProfile) -> OpContext {
    operator.context(Method::Session, RequestId::new(&*shop.services.ids, shop.desk.now_us()))
}

impl House {
    async fn open(kind: Kind) -> Self {
        let shop = Shop::open(kind).await;
        let make = async |name: &str| {
            let email = format!("{name}@example.com");
            let new = NewOperator { email: &email, name, roles: &[Role::Owner] };
            shop.services.create_operator(&OpContext::system(), new).await.unwrap().operator
        };
        let (ann, ben, cleo) = (make("ann").await, make("ben").await, make("cleo").await);
        Self { ann, ben, cleo, shop }
    }

    fn services(&self) -> &Services {
        &self.shop.services
    }

    async fn ask(&self, deed: &Deed) -> ApprovalId {
        let by = by(&self.shop, &self.ann);
        self.services().request_deed(&by, self.ann.id, deed, "please", None).await.unwrap()
    }

    async fn state(&self, id: ApprovalId) -> (ApprovalState, Option<Value>) {
        let approval = self.services().find_approval(id).await.unwrap().unwrap();
        (approval.state, approval.outcome)
    }

    /// What the trail tells because of this approval.
    async fn told(&self, id: ApprovalId) -> Vec<AuditRow> {
        let (rows, _) = self.services().list_audit(&AuditFilter::default(), None, 1_000).await.unwrap();
        rows.into_iter().filter(|row| row.credential.as_deref() == Some(&*id.to_string())).collect()
    }

    fn literal(&self, id: impl Into<uuid::Uuid>) -> String {
        self.shop.desk.id_literal(EntryId::from(id.into()))
    }
}

fn refund(of: EntryId, amount: Option<Credits>) -> Deed {
    Deed::RefundCreate { of, credits: amount, reason: "wrong answer".to_owned() }
}

fn price(cost: &str, from_us: i64, over: Option<PriceVersionId>) -> Deed {
    Deed::PriceSchedule {
        tool: "acme/tool".to_owned(),
        spec: spec_to_json(&fixed(cost)),
        from_us,
        over,
        reason: "as agreed".to_owned(),
    }
}

async fn the_author_never_approves_not_even_by_sql(kind: Kind) {
    let house = House::open(kind).await;
    let of = house.shop.charge(credits(150)).await;
    let id = house.ask(&refund(of, None)).await;
    let approval = house.services().find_approval(id).await.unwrap().unwrap();
    assert_eq!((&*approval.kind, approval.amount), ("refund.create", Some(150_000_000)));
    let ann = by(&house.shop, &house.ann);
    for decision in [Decision::Approve, Decision::Reject] {
        let decided = house.services().decide_approval(&ann, id, house.ann.id, decision, None).await;
        assert!(matches!(decided, Err(DecideApprovalError::OwnRequest)), "{decided:?}");
    }
    let own = house.services().approve_and_carry_out(&ann, id, house.ann.id, None).await;
    assert!(matches!(own, Err(DecideApprovalError::OwnRequest)), "{own:?}");
    for state in ["approved", "rejected"] {
        let sql = format!(
            "UPDATE approval SET state = '{state}', decided_by = author, decided_us = 1 WHERE id = {}",
            house.literal(id.uuid())
        );
        let mut unit = UnitOfWork::new();
        push_statement(&mut unit, &sql, Some(1));
        let saved = house.shop.desk.save(unit).await;
        assert!(matches!(saved, Err(NotSaved::Conflict { .. })), "{saved:?}");
    }
    assert_eq!(house.state(id).await, (ApprovalState::Waiting, None));
    assert_eq!(house.services().find_refundable(of).await.unwrap().unwrap().left(), credits(150));
    // Somebody else may.
    let ben = by(&house.shop, &house.ben);
    let approved = house.services().approve_and_carry_out(&ben, id, house.ben.id, Some("seen")).await.unwrap().0;
    assert_eq!((approved.state, approved.note.as_deref()), (ApprovalState::Approved, Some("seen")));
    assert!(approved.outcome.unwrap()["done"].as_str().unwrap().contains("150 credits went back"));
    assert_eq!(house.services().find_refundable(of).await.unwrap().unwrap().left(), Credits::ZERO);
    house.shop.desk.verify();
}

async fn two_approvers_at_once_do_it_once(kind: Kind) {
    for _ in 0..5 {
        let house = House::open(kind).await;
        let of = house.shop.charge(credits(200)).await;
        let id = house.ask(&refund(of, Some(credits(101)))).await;
        let (ben, cleo) = (by(&house.shop, &house.ben), by(&house.shop, &house.cleo));
        let (one, other) = tokio::join!(
            house.services().approve_and_carry_out(&ben, id, house.ben.id, None),
            house.services().approve_and_carry_out(&cleo, id, house.cleo.id, None),
        );
        let decided = [one.is_ok(), other.is_ok()];
        assert_eq!(decided.iter().filter(|decided| **decided).count(), 1, "{decided:?}");
        let lost = if one.is_err() { one } else { other };
        assert!(matches!(lost, Err(DecideApprovalError::NotWaiting { .. })), "{lost:?}");
        assert_eq!(house.services().find_refundable(of).await.unwrap().unwrap().refunded, credits(101));
        assert_eq!(house.told(id).await.len(), 1);
        house.shop.desk.verify();
    }
}

async fn what_was_approved_is_carried_out_after_a_crash(kind: Kind) {
    let house = House::open(kind).await;
    let of = house.shop.charge(credits(200)).await;
    let id = house.ask(&refund(of, Some(credits(150)))).await;
    let ben = by(&house.shop, &house.ben);
    // Whoever approves dies before doing it.
    house.services().decide_approval(&ben, id, house.ben.id, Decision::Approve, None).await.unwrap();
    assert_eq!(house.state(id).await, (ApprovalState::Approved, None));
    // Another server leaves the one that approved some seconds.
    house.services().resume_approvals().await.unwrap();
    assert_eq!(house.state(id).await, (ApprovalState::Approved, None));
    house.shop.desk.clock.advance_us(RESUMED_AFTER_S * SECOND_US);
    let there = house.shop.desk.services().await;
    let (here, other) = tokio::join!(house.services().resume_approvals(), there.resume_approvals());
    here.and(other).unwrap();
    let (state, outcome) = house.state(id).await;
    assert_eq!(state, ApprovalState::Approved);
    assert!(outcome.unwrap()["done"].as_str().unwrap().contains("150 credits"));
    for _ in 0..2 {
        house.services().resume_approvals().await.unwrap();
    }
    assert_eq!(house.services().find_refundable(of).await.unwrap().unwrap().refunded, credits(150));
    assert_eq!(house.told(id).await.len(), 1);
    house.shop.desk.verify();
}

async fn what_was_done_before_a_crash_is_not_done_again(kind: Kind) {
    let house = House::open(kind).await;
    let of = house.shop.charge(credits(500)).await;
    let roles = |roles: &[Role]| Deed::OperatorRoles {
        operator: house.cleo.id,
        roles: roles.to_vec(),
        over: Some(vec![Role::Owner]),
        reason: "new work".to_owned(),
    };
    for deed in [refund(of, Some(credits(150))), roles(&[Role::Finance])] {
        let id = house.ask(&deed).await;
        let ben = by(&house.shop, &house.ben);
        let approved = house.services().decide_approval(&ben, id, house.ben.id, Decision::Approve, None).await.unwrap();
        let method = Method::Approval { id, author: house.ann.id };
        deed.execute(house.services(), &OpContext { method, ..ben }, &approved.key()).await.unwrap();
        // Here it dies: what came of it was never kept. Meanwhile somebody gives her other roles again.
        let system = OpContext::system();
        if matches!(deed, Deed::OperatorRoles { .. }) {
            house.services().set_operator_roles(&system, house.cleo.id, &[Role::Support], None, None).await.unwrap();
        }
        house.shop.desk.clock.advance_us(RESUMED_AFTER_S * SECOND_US);
        house.services().resume_approvals().await.unwrap();
        let (state, outcome) = house.state(id).await;
        assert_eq!(state, ApprovalState::Approved, "{outcome:?}");
        assert!(outcome.unwrap().get("done").is_some());
        assert_eq!(house.told(id).await.len(), 1);
    }
    assert_eq!(house.services().find_refundable(of).await.unwrap().unwrap().refunded, credits(150));
    assert_eq!(house.services().find_operator(house.cleo.id).await.unwrap().unwrap().roles, [Role::Support]);
    house.shop.desk.verify();
}

async fn what_nobody_decides_expires_and_what_is_withdrawn_stays_undone(kind: Kind) {
    let house = House::open(kind).await;
    let of = house.shop.charge(credits(300)).await;
    let forgotten = house.ask(&refund(of, Some(credits(101)))).await;
    let (ann, ben) = (by(&house.shop, &house.ann), by(&house.shop, &house.ben));
    let withdrawn = house.ask(&refund(of, Some(credits(102)))).await;
    let foreign = house.services().withdraw_approval(&ben, withdrawn, house.ben.id, None).await;
    assert!(matches!(foreign, Err(WithdrawApprovalError::NotOwn)), "{foreign:?}");
    house.services().withdraw_approval(&ann, withdrawn, house.ann.id, Some("not needed")).await.unwrap();
    house.shop.desk.clock.advance_us(APPROVAL_DAYS * DAY_US - 1);
    assert_eq!(house.state(forgotten).await.0, ApprovalState::Waiting);
    house.services().expire_approvals().await.unwrap();
    assert_eq!(house.state(forgotten).await.0, ApprovalState::Waiting, "not a microsecond early");
    house.shop.desk.clock.advance_us(1);
    assert_eq!(house.state(forgotten).await.0, ApprovalState::Expired, "also before a round has marked it");
    let late = house.services().approve_and_carry_out(&ben, forgotten, house.ben.id, None).await;
    assert!(matches!(late, Err(DecideApprovalError::Expired)), "{late:?}");
    house.services().expire_approvals().await.unwrap();
    let stored = format!("SELECT state FROM approval WHERE id = {}", house.literal(forgotten.uuid()));
    assert_eq!(house.shop.desk.rows(&stored), [["expired"]]);
    assert_eq!(house.shop.told(Action::ApprovalExpire, &forgotten.to_string()).await, 1);
    let decided = house.services().approve_and_carry_out(&ben, withdrawn, house.ben.id, None).await;
    assert!(matches!(decided, Err(DecideApprovalError::NotWaiting { state: ApprovalState::Withdrawn })), "{decided:?}");
    house.services().resume_approvals().await.unwrap();
    assert_eq!(house.services().find_refundable(of).await.unwrap().unwrap().refunded, Credits::ZERO);
    let waiting = ApprovalFilter { state: Some(ApprovalState::Waiting), ..ApprovalFilter::default() };
    assert_eq!(house.services().list_approvals(&waiting, None, 10).await.unwrap(), (Vec::new(), None));
}

async fn what_has_become_impossible_fails_and_says_why(kind: Kind) {
    let house = House::open(kind).await;
    let of = house.shop.charge(credits(200)).await;
    let id = house.ask(&refund(of, Some(credits(150)))).await;
    let system = OpContext::system();
    let meanwhile = Note { reason: "meanwhile", key: None };
    house.services().refund(&system, of, Some(credits(60)), meanwhile).await.unwrap();
    let ben = by(&house.shop, &house.ben);
    let approved = house.services().approve_and_carry_out(&ben, id, house.ben.id, None).await.unwrap().0;
    assert_eq!(approved.state, ApprovalState::Failed);
    let why = approved.outcome.unwrap()["refused"].as_str().unwrap().to_owned();
    assert!(why.contains("200") && why.contains("60"), "{why}");
    assert_eq!(house.services().find_refundable(of).await.unwrap().unwrap().refunded, credits(60));
    assert_eq!(house.told(id).await.len(), 0, "nothing was done: told are the decision and that it came to nothing");
    for action in [Action::ApprovalApprove, Action::ApprovalFail] {
        assert_eq!(house.shop.told(action, &id.to_string()).await, 1, "{action:?}");
    }
    // Another price than the one that was seen is in force before it by now.
    let from_us = house.shop.desk.now_us() + 600 * SECOND_US;
    let standing = house.services().find_standing_price("acme/tool", from_us).await.unwrap().unwrap();
    let id = house.ask(&price("9", from_us, Some(standing.id))).await;
    let soon_us = house.shop.desk.now_us() + 60 * SECOND_US;
    house.services().schedule_price(&system, "acme/tool", &fixed("8"), soon_us, None).await.unwrap();
    let stale = house.services().approve_and_carry_out(&ben, id, house.ben.id, None).await.unwrap().0;
    assert_eq!(stale.state, ApprovalState::Failed, "{:?}", stale.outcome);
    let why = stale.outcome.unwrap()["refused"].as_str().unwrap().to_owned();
    assert!(why.contains("has changed"), "{why}");
    let then = house.services().find_standing_price("acme/tool", from_us).await.unwrap().unwrap();
    assert_eq!(then.spec, spec_to_json(&fixed("8")));
    house.shop.desk.verify();
}

async fn every_deed_is_carried_out_once_and_told_once(kind: Kind) {
    let house = House::open(kind).await;
    house.services().set_up_gateway(Arc::new(GatewaySetup {
        dialect: Dialect::from_text(policies::dialects::FASED).unwrap(),
        schema: policies::SCHEMA,
        base: policies::BASE,
        namespaces: vec!["acme".to_owned()],
        billing: Billing::default(),
    }));
    let policy = WrittenPolicy { chain: json!({"tools": {"deny": ["left"]}}), operator: String::new() };
    let (draft, _) = house.services().draft_policy(&OpContext::system(), &policy, "ann", "").await.unwrap();
    let (whole, part) = (house.shop.charge(credits(120)).await, house.shop.charge(credits(120)).await);
    let account = house.shop.customer.id;
    let (system, services) = (OpContext::system(), house.services());
    let purchase = services.purchase(&system, account, credits(150), Provider::Manual, None).await.unwrap().id;
    let later_us = house.shop.desk.now_us() + 6_000 * SECOND_US;
    let mistaken = services.schedule_price(&system, "acme/tool", &fixed("4"), later_us, None).await.unwrap().id;
    let payee = services.find_payee("acme").await.unwrap().id;
    let from_us = house.shop.desk.now_us() + 600 * SECOND_US;
    let reason = || "as agreed".to_owned();
    let terms = Some(GrantTerms { expires_us: from_us, priority: 7 });
    let dan = NewOperator { email: "dan@example.com", name: "dan", roles: &[Role::Support] };
    let dan = house.services().create_operator(&OpContext::system(), dan).await.unwrap().operator.id;
    house.services().set_operator_disabled(&OpContext::system(), dan, true, None).await.unwrap();
    let deeds = [
        (refund(part, Some(credits(110))), Action::RefundCreate),
        (Deed::ReversalCreate { of: whole, reason: reason() }, Action::ReversalCreate),
        (Deed::AccountAdjust { account, credits: credits(-101), reason: reason() }, Action::AccountAdjust),
        (Deed::GrantCreate { account, credits: credits(500), terms, reason: reason() }, Action::GrantCreate),
        (Deed::PayoutCreate { payee, credits: None, tell: None, reason: reason() }, Action::PayoutCreate),
        (Deed::PurchaseConfirm { purchase, reason: reason() }, Action::PurchaseConfirm),
        (price("9", from_us, None), Action::PriceSchedule),
        (Deed::PriceCancel { price: mistaken, instead: None, reason: reason() }, Action::PriceCancel),
        (Deed::PolicyPublish { number: draft.number, over: None }, Action::PolicyPublish),
        (
            Deed::OperatorRoles {
                operator: house.cleo.id,
                roles: vec![Role::Auditor],
                over: Some(vec![Role::Owner]),
                reason: reason(),
            },
            Action::OperatorSetRoles,
        ),
        (
            Deed::OperatorCreate {
                email: "eve@example.com".to_owned(),
                name: "eve".to_owned(),
                roles: vec![Role::Finance],
                reason: reason(),
            },
            Action::OperatorCreate,
        ),
        (Deed::OperatorReset { operator: house.cleo.id, reason: reason() }, Action::OperatorRenewLink),
        (Deed::OperatorEnable { operator: dan, reason: reason() }, Action::OperatorEnable),
    ];
    for (deed, action) in deeds {
        let id = house.ask(&deed).await;
        let ben = by(&house.shop, &house.ben);
        let approved = house.services().approve_and_carry_out(&ben, id, house.ben.id, None).await.unwrap().0;
        assert_eq!(approved.state, ApprovalState::Approved, "{deed:?}: {:?}", approved.outcome);
        assert!(!approved.outcome.clone().unwrap()["done"].as_str().unwrap().is_empty());
        // Again, as a server would that does not know better.
        house.services().carry_out_approval(&approved).await.unwrap();
        let told = house.told(id).await;
        assert_eq!(told.len(), 1, "{deed:?}: {told:#?}");
        let row = &told[0];
        assert_eq!((&*row.action, &*row.method), (action.as_str(), "approval"));
        assert_eq!((&*row.actor_kind, &row.actor_id), ("operator", &house.ben.id.to_string()));
        let after: Value = serde_json::from_str(row.after.as_deref().unwrap()).unwrap();
        assert_eq!((after["approval"].clone(), after["requested_by"].clone()), ids(id, house.ann.id));
        assert_eq!(house.services().find_approval(id).await.unwrap().unwrap().outcome, approved.outcome);
    }
    let (published, _) = house.services().find_published_policy().await.unwrap().unwrap();
    assert_eq!((published.number, published.state), (draft.number, PolicyState::Published));
    assert_eq!(house.services().find_operator(house.cleo.id).await.unwrap().unwrap().roles, [Role::Auditor]);
    let scheduled = house.services().find_standing_price("acme/tool", from_us).await.unwrap();
    assert_eq!(scheduled.map(|price| price.spec), Some(spec_to_json(&fixed("9"))));
    assert_eq!(house.services().find_refundable(part).await.unwrap().unwrap().refunded, credits(110));
    house.shop.desk.verify();
}

fn ids(id: ApprovalId, author: OperatorId) -> (Value, Value) {
    (json!(id.to_string()), json!(author.to_string()))
}

async fn what_makes_no_sense_is_never_asked(kind: Kind) {
    let house = House::open(kind).await;
    let of = house.shop.charge(credits(10)).await;
    let ann = by(&house.shop, &house.ann);
    let nothing = house.shop.desk.fresh();
    for deed in [refund(of, Some(Credits::ZERO)), refund(nothing, None)] {
        let asked = house.services().request_deed(&ann, house.ann.id, &deed, "please", None).await;
        assert!(matches!(asked, Err(RequestApprovalError::Senseless(_))), "{asked:?}");
    }
    let deed = refund(of, None);
    for reason in ["", "two\nlines"] {
        let asked = house.services().request_deed(&ann, house.ann.id, &deed, reason, None).await;
        assert!(matches!(asked, Err(RequestApprovalError::Reason)), "{asked:?}");
    }
    let (all, _) = house.services().list_approvals(&ApprovalFilter::default(), None, 10).await.unwrap();
    assert_eq!(all, []);
    // The same form twice asks once; of somebody else it is another one.
    let ask = async |operator: &OperatorProfile| {
        let by = by(&house.shop, operator);
        house.services().request_deed(&by, operator.id, &deed, "please", Some("form")).await.unwrap()
    };
    let first = ask(&house.ann).await;
    assert_eq!(ask(&house.ann).await, first);
    assert_ne!(ask(&house.ben).await, first);
    assert_eq!(house.shop.told(Action::ApprovalRequest, &first.to_string()).await, 1);
}
