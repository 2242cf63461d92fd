//! The part `operators` of the console: its use cases. Who could approve something is let in by two.

use engine::{
    audit::{Action, AuditRow, Method, OpContext},
    id::{ApprovalId, OperatorId, RequestId},
    operator::Role,
    service::{
        Services,
        approvals::{
            APPROVER_APART_HOURS, Approval, ApprovalState, DecideApprovalError, Decision, Deed, NewApproval,
            RESUMED_AFTER_S,
        },
        audit::AuditFilter,
        operators::{CreateOperatorError, CreatedOperator, NewOperator, OperatorProfile},
    },
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::ledger::desk::{Desk, Kind, SECOND_US, on_both};

on_both! {
    nobody_lets_in_alone_whoever_could_approve,
    a_new_link_is_shown_to_whoever_approved_it,
    whoever_was_shut_out_comes_in_again_by_two,
    an_approver_who_is_gone_leaves_no_link_behind,
    whoever_was_given_a_link_by_the_author_does_not_approve_for_a_day,
    what_its_author_may_not_do_any_more_is_not_approved,
    roles_that_were_changed_meanwhile_make_a_request_stale,
}

const PASSWORD: &str = "quartz-lemur-9-umbrella-kiosk";
const HOUR_US: i64 = 3_600 * SECOND_US;

type Decided = Result<(Approval, Option<CreatedOperator>), DecideApprovalError>;

/// Two owners, whom the machine let in.
struct House {
    desk: Desk,
    services: Services,
    ann: OperatorProfile,
    ben: OperatorProfile,
}

impl House {
    async fn open(kind: Kind) -> Self {
        let desk = Desk::open_on(kind).await;
        let services = desk.services().await;
        let ann = let_in(&services, "ann", &[Role::Owner]).await;
        let ben = let_in(&services, "ben", &[Role::Owner]).await;
        Self { desk, services, ann, ben }
    }

    fn by(&self, operator: &OperatorProfile) -> OpContext {
        operator.context(Method::Session, RequestId::new(&*self.services.ids, self.desk.now_us()))
    }

    async fn ask(&self, author: &OperatorProfile, deed: &Deed) -> ApprovalId {
        self.services.request_deed(&self.by(author), author.id, deed, "please", None).await.unwrap()
    }

    /// Asks for something that moves this much.
    async fn ask_for_refund(&self, author: &OperatorProfile, micros: i64) -> ApprovalId {
        let new = NewApproval {
            kind: "refund.create",
            payload: json!({"call": "inv_1"}),
            amount: Some(micros),
            object: ("invocation", "inv_1".to_owned()),
            reason: "the answer was empty",
            key: None,
        };
        self.services.request_approval(&self.by(author), author.id, new).await.unwrap()
    }

    async fn approve(&self, id: ApprovalId, operator: &OperatorProfile) -> Decided {
        self.services.approve_and_carry_out(&self.by(operator), id, operator.id, None).await
    }

    async fn decide(
        &self,
        id: ApprovalId,
        operator: &OperatorProfile,
        decision: Decision,
    ) -> Result<Approval, DecideApprovalError> {
        self.services.decide_approval(&self.by(operator), id, operator.id, decision, None).await
    }

    async fn find(&self, id: OperatorId) -> OperatorProfile {
        self.services.find_operator(id).await.unwrap().unwrap()
    }

    async fn trail(&self) -> Vec<AuditRow> {
        self.services.list_audit(&AuditFilter::default(), None, 1_000).await.unwrap().0
    }

    async fn is_good(&self, made: &CreatedOperator) -> bool {
        self.services.find_operator_link(made.link.secret.expose_secret()).await.unwrap().is_some()
    }
}

/// Lets somebody in from the machine, with a password.
async fn let_in(services: &Services, name: &str, roles: &[Role]) -> OperatorProfile {
    let email = format!("{name}@example.com");
    let new = NewOperator { email: &email, name, roles };
    let made = services.create_operator(&OpContext::system(), new).await.unwrap();
    set_password(services, &made).await
}

async fn set_password(services: &Services, made: &CreatedOperator) -> OperatorProfile {
    let request = RequestId::new(&*services.ids, services.clock.now_us());
    let link = made.link.secret.expose_secret();
    services.use_operator_link(request, link, &SecretString::from(PASSWORD)).await.unwrap()
}

fn newcomer(name: &str, roles: &[Role]) -> Deed {
    Deed::OperatorCreate {
        email: format!("{name}@example.com"),
        name: name.to_owned(),
        roles: roles.to_vec(),
        reason: "more hands".to_owned(),
    }
}

fn reset(operator: OperatorId) -> Deed {
    Deed::OperatorReset { operator, reason: "the telephone is gone".to_owned() }
}

/// Why something that was approved was not done.
fn refusal((approval, link): &(Approval, Option<CreatedOperator>)) -> &str {
    assert!(approval.state == ApprovalState::Failed && link.is_none(), "{approval:?}");
    approval.outcome.as_ref().unwrap()["refused"].as_str().unwrap()
}

async fn nobody_lets_in_alone_whoever_could_approve(kind: Kind) {
    let house = House::open(kind).await;
    let links = || house.desk.number("SELECT count(*) FROM operator_link");
    let before = (links(), house.services.list_operators().await.unwrap().len());
    let id = house.ask(&house.ann, &newcomer("dora", &[Role::Finance])).await;
    assert!(matches!(house.approve(id, &house.ann).await, Err(DecideApprovalError::OwnRequest)));
    assert_eq!((links(), house.services.list_operators().await.unwrap().len()), before, "nothing is made by asking");

    let (approval, made) = house.approve(id, &house.ben).await.unwrap();
    let made = made.expect("whoever approves is shown the link");
    assert_eq!(approval.outcome, Some(json!({"done": "dora may come in as finance"})));
    assert_eq!((&*made.operator.email, &*made.operator.roles), ("dora@example.com", &[Role::Finance][..]));
    assert!(house.is_good(&made).await && !made.operator.has_password);
    // Nobody else ever sees it: it is neither in what is kept nor to be had again.
    assert!(house.services.carry_out_approval(&approval).await.unwrap().is_none());
    let kept = format!("{:?} {:?}", house.services.find_approval(id).await.unwrap(), house.trail().await);
    assert!(!kept.contains(made.link.secret.expose_secret()));
    assert_eq!((links(), house.services.list_operators().await.unwrap().len()), (before.0 + 1, before.1 + 1));
    let trail = house.trail().await;
    let told: Vec<_> = trail.iter().filter(|row| row.object_id == made.operator.id.to_string()).collect();
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!((&*told[0].action, &told[0].actor_id), (Action::OperatorCreate.as_str(), &house.ben.id.to_string()));
    assert_eq!(
        (told[0].credential.as_deref(), told[0].reason.as_deref()),
        (Some(&*id.to_string()), Some("more hands"))
    );
    assert!(told[0].after.as_deref().unwrap().contains(&house.ann.id.to_string()), "who asked is told, too");
    assert!(trail.iter().all(|row| !format!("{row:?}").contains('@')), "no address in the trail");

    // Somebody else has the address by now.
    let taken = house.ask(&house.ann, &newcomer("dora", &[Role::Owner])).await;
    let refused = house.approve(taken, &house.ben).await.unwrap();
    assert!(refusal(&refused).contains("exists"), "{refused:?}");
    let check = async |email: &str, roles: &[Role]| {
        house.services.check_new_operator(&NewOperator { email, name: "Dora", roles }).await
    };
    assert!(check("new@example.com", &[Role::Owner]).await.is_ok());
    assert!(matches!(check("DORA@example.com", &[Role::Owner]).await, Err(CreateOperatorError::EmailTaken)));
    assert!(matches!(check("new@example.com", &[]).await, Err(CreateOperatorError::NoRole)));
}

async fn a_new_link_is_shown_to_whoever_approved_it(kind: Kind) {
    let house = House::open(kind).await;
    let cleo = let_in(&house.services, "cleo", &[Role::Support]).await;
    let id = house.ask(&house.ann, &reset(cleo.id)).await;
    assert!(matches!(house.approve(id, &house.ann).await, Err(DecideApprovalError::OwnRequest)));
    assert!(house.find(cleo.id).await.has_password, "nothing happens by asking");
    let (_, made) = house.approve(id, &house.ben).await.unwrap();
    let made = made.unwrap();
    assert!(made.operator.id == cleo.id && !house.find(cleo.id).await.has_password);
    assert!(set_password(&house.services, &made).await.has_password);

    let id = house.ask(&house.ann, &reset(cleo.id)).await;
    house.services.set_operator_disabled(&OpContext::system(), cleo.id, true, None).await.unwrap();
    let refused = house.approve(id, &house.ben).await.unwrap();
    assert!(refusal(&refused).contains("disabled"), "{refused:?}");
}

async fn whoever_was_shut_out_comes_in_again_by_two(kind: Kind) {
    let house = House::open(kind).await;
    let cleo = let_in(&house.services, "cleo", &[Role::Finance]).await;
    house.services.set_operator_disabled(&house.by(&house.ann), cleo.id, true, Some("too long")).await.unwrap();
    let enable = Deed::OperatorEnable { operator: cleo.id, reason: "she is back".to_owned() };
    let (id, again) = (house.ask(&house.ann, &enable).await, house.ask(&house.ann, &enable).await);
    assert!(matches!(house.approve(id, &house.ann).await, Err(DecideApprovalError::OwnRequest)));
    assert!(house.find(cleo.id).await.is_disabled);
    let (approval, link) = house.approve(id, &house.ben).await.unwrap();
    assert!(approval.state == ApprovalState::Approved && link.is_none());
    let now = house.find(cleo.id).await;
    assert!(!now.is_disabled && now.has_password);
    let refused = house.approve(again, &house.ben).await.unwrap();
    assert!(refusal(&refused).contains("so already"), "{refused:?}");
}

async fn an_approver_who_is_gone_leaves_no_link_behind(kind: Kind) {
    let house = House::open(kind).await;
    let cleo = let_in(&house.services, "cleo", &[Role::Support]).await;
    for deed in [newcomer("dora", &[Role::Finance]), reset(cleo.id)] {
        let id = house.ask(&house.ann, &deed).await;
        house.decide(id, &house.ben, Decision::Approve).await.unwrap();
        // Here whoever approved it dies. A server does it: what was approved is done, and done once.
        house.desk.clock.advance_us(RESUMED_AFTER_S * SECOND_US);
        for _ in 0..2 {
            house.services.resume_approvals().await.unwrap();
        }
        let approval = house.services.find_approval(id).await.unwrap().unwrap();
        assert_eq!(approval.state, ApprovalState::Approved);
        assert!(approval.outcome.as_ref().unwrap().get("done").is_some());
        let by_it = house.trail().await.into_iter().filter(|row| row.credential.as_deref() == Some(&*id.to_string()));
        assert_eq!(by_it.count(), 1);
        assert!(house.services.carry_out_approval(&approval).await.unwrap().is_none());
    }
    let dora = house.services.find_operator_by_email("dora@example.com").await.unwrap().unwrap();
    assert!(!dora.has_password && !house.find(cleo.id).await.has_password);
    // They are asked for a link once more.
    let id = house.ask(&house.ann, &reset(dora.id)).await;
    let made = house.approve(id, &house.ben).await.unwrap().1.unwrap();
    assert!(set_password(&house.services, &made).await.has_password);
}

async fn whoever_was_given_a_link_by_the_author_does_not_approve_for_a_day(kind: Kind) {
    let house = House::open(kind).await;
    let before = house.ask_for_refund(&house.ben, 1).await;
    house.desk.clock.advance_us(HOUR_US);
    let id = house.ask(&house.ann, &newcomer("dora", &[Role::Finance])).await;
    let made = house.approve(id, &house.ben).await.unwrap().1.unwrap();
    // Ben has seen the link: this may be Ben.
    let dora = set_password(&house.services, &made).await;
    let refused = async |id| {
        let decided = house.decide(id, &dora, Decision::Approve).await;
        assert!(matches!(decided, Err(DecideApprovalError::LetInByAuthor)), "{decided:?}");
    };
    refused(before).await;
    let at_once = house.ask_for_refund(&house.ben, 1).await;
    refused(at_once).await;
    assert_eq!(house.decide(at_once, &house.ann, Decision::Approve).await.unwrap().state, ApprovalState::Approved);
    assert_eq!(house.decide(before, &dora, Decision::Reject).await.unwrap().state, ApprovalState::Rejected);
    let of_ann = house.ask_for_refund(&house.ann, 1).await;
    assert_eq!(house.decide(of_ann, &dora, Decision::Approve).await.unwrap().decided_by, Some(dora.id));

    house.desk.clock.advance_us(APPROVER_APART_HOURS * HOUR_US - SECOND_US);
    let early = house.ask_for_refund(&house.ben, 1).await;
    house.desk.clock.advance_us(2 * SECOND_US);
    refused(early).await;
    let late = house.ask_for_refund(&house.ben, 1).await;
    assert_eq!(house.decide(late, &dora, Decision::Approve).await.unwrap().state, ApprovalState::Approved);

    // The same where the author has given a new link, or let her in again.
    let system = OpContext::system();
    house.services.set_operator_disabled(&system, dora.id, true, None).await.unwrap();
    house.desk.clock.advance_us(APPROVER_APART_HOURS * HOUR_US);
    let open = house.ask_for_refund(&house.ben, 1).await;
    let enable = Deed::OperatorEnable { operator: dora.id, reason: "she is back".to_owned() };
    let id = house.ask(&house.ann, &enable).await;
    house.approve(id, &house.ben).await.unwrap();
    refused(open).await;
    house.desk.clock.advance_us(2 * APPROVER_APART_HOURS * HOUR_US);
    let open = house.ask_for_refund(&house.ben, 1).await;
    let id = house.ask(&house.ann, &reset(dora.id)).await;
    let made = house.approve(id, &house.ben).await.unwrap().1.unwrap();
    set_password(&house.services, &made).await;
    refused(open).await;
}

async fn what_its_author_may_not_do_any_more_is_not_approved(kind: Kind) {
    let house = House::open(kind).await;
    let system = OpContext::system();
    let cleo = let_in(&house.services, "cleo", &[Role::Finance]).await;
    let refused = async |id| {
        let decided = house.decide(id, &house.ben, Decision::Approve).await;
        assert!(matches!(decided, Err(DecideApprovalError::AuthorMayNot)), "{decided:?}");
        let approval = house.services.find_approval(id).await.unwrap().unwrap();
        assert_eq!(approval.state, ApprovalState::Waiting);
    };
    let (one, other) = (house.ask_for_refund(&cleo, 120_000_000).await, house.ask_for_refund(&cleo, 120_000_000).await);
    house.services.set_operator_roles(&system, cleo.id, &[Role::Auditor], None, None).await.unwrap();
    refused(one).await;
    // Of support it is no more than they may give back themselves.
    house.services.set_operator_roles(&system, cleo.id, &[Role::Support], None, None).await.unwrap();
    refused(one).await;
    house.services.set_operator_roles(&system, cleo.id, &[Role::Finance], None, None).await.unwrap();
    house.services.set_operator_disabled(&system, cleo.id, true, None).await.unwrap();
    refused(one).await;
    let rejected = house.decide(one, &house.ben, Decision::Reject).await.unwrap();
    assert_eq!(rejected.state, ApprovalState::Rejected);
    // Whoever is back may again, without having shown anything.
    house.services.set_operator_disabled(&system, cleo.id, false, None).await.unwrap();
    house.services.renew_operator_link(&system, cleo.id, None).await.unwrap();
    let approved = house.decide(other, &house.ben, Decision::Approve).await.unwrap();
    assert_eq!(approved.state, ApprovalState::Approved);
}

async fn roles_that_were_changed_meanwhile_make_a_request_stale(kind: Kind) {
    let house = House::open(kind).await;
    let system = OpContext::system();
    let cleo = let_in(&house.services, "cleo", &[Role::Finance, Role::Auditor]).await;
    let ask = async |over: Option<Vec<Role>>| {
        let deed =
            Deed::OperatorRoles { operator: cleo.id, roles: vec![Role::Owner], over, reason: "she runs it".to_owned() };
        house.ask(&house.ann, &deed).await
    };
    let seen = Some(vec![Role::Auditor, Role::Finance]);
    let stale = ask(seen.clone()).await;
    house.services.set_operator_roles(&system, cleo.id, &[Role::Support], None, None).await.unwrap();
    let refused = house.approve(stale, &house.ben).await.unwrap();
    assert!(refusal(&refused).contains("have changed"), "{refused:?}");
    assert_eq!(house.find(cleo.id).await.roles, [Role::Support]);
    // In whatever order they were seen; and a request of the time before it was kept knows nothing of it.
    house.services.set_operator_roles(&system, cleo.id, &[Role::Finance, Role::Auditor], None, None).await.unwrap();
    for over in [seen, None] {
        let id = ask(over).await;
        assert_eq!(house.approve(id, &house.ben).await.unwrap().0.state, ApprovalState::Approved);
        assert_eq!(house.find(cleo.id).await.roles, [Role::Owner]);
        house.services.set_operator_roles(&system, cleo.id, &[Role::Support], None, None).await.unwrap();
    }
}
