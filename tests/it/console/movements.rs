//! The part `movements` of the console: its use cases.

use engine::{
    audit::{Action, OpContext},
    catalog::Topics,
    credits::Credits,
    id::{EntryId, InvocationId},
    ledger::{LedgerAccountId, PlaceHold, Refusal},
    pricing::{PricingSpec, ShareTerms},
    service::{
        Services,
        accounts::AccountProfile,
        audit::AuditFilter,
        catalog::{DeclaredCatalog, DeclaredNamespace, DeclaredPublisher, DeclaredTool},
        movements::{
            ChargebackState, DisputeFilter, Movement, MovementError, MovementFilter, MovementKind, Note, PayeeKind,
        },
        partners::NewPartner,
        purchases::{ConfirmError, Provider, PurchaseFilter, PurchaseStatus},
    },
    store::writer::Command,
};
use uuid::Uuid;

use crate::ledger::desk::{Desk, Kind, capture_all, hold, on_both};

on_both! {
    a_rehearsed_refund_says_what_the_refund_then_does,
    what_cannot_go_back_is_refused_with_its_numbers,
    movements_are_listed_by_kind_and_object_a_page_at_a_time,
    a_rehearsed_correction_changes_nothing_and_never_takes_more_than_there_is,
    a_rehearsed_payout_is_the_payout,
    purchases_are_listed_by_state_and_closed_once_with_a_reason,
    open_chargebacks_are_found_and_end_once,
}

/// A publisher with one tool, and a customer.
pub(super) struct Shop {
    pub(super) desk: Desk,
    pub(super) services: Services,
    pub(super) customer: AccountProfile,
    payable: LedgerAccountId,
}

pub(super) fn fixed(credits: &str) -> PricingSpec {
    PricingSpec {
        pricing_mode: Some("fixed_per_request".to_owned()),
        fixed_credit_cost: Some(credits.to_owned()),
        ..PricingSpec::default()
    }
}

pub(super) fn credits(whole: i64) -> Credits {
    Credits::from_micros(whole * 1_000_000)
}

fn catalog() -> DeclaredCatalog {
    let tool = DeclaredTool {
        name: "tool".to_owned(),
        short_description: String::new(),
        long_description: String::new(),
        topics: Topics::default(),
        input_schema: "{}".to_owned(),
        is_unverified_ok: false,
        method: "POST".to_owned(),
        url: "http://127.0.0.1:9/".to_owned(),
        mcp_tool: None,
        timeout_ms: 1_000,
        pricing: fixed("5"),
        fingerprint: "1".to_owned(),
    };
    let namespace = DeclaredNamespace {
        name: "acme".to_owned(),
        description: String::new(),
        listing_name: None,
        topics: Topics::default(),
        tools: vec![tool],
        fingerprint: "1".to_owned(),
    };
    DeclaredCatalog {
        publishers: vec![DeclaredPublisher {
            slug: "acme".to_owned(),
            display_name: "Acme".to_owned(),
            share_bps: 8_000,
            namespaces: vec![namespace],
            fingerprint: "1".to_owned(),
        }],
        ..DeclaredCatalog::default()
    }
}

impl Shop {
    pub(super) async fn open(kind: Kind) -> Self {
        let desk = Desk::open_on(kind).await;
        let services = desk.services().await;
        services.complete_facts().await.unwrap();
        let by = OpContext::system();
        services.import(&by, &catalog()).await.unwrap();
        let made = services.create_funded_account(&by, "ann@example.com", true, "first", credits(1_000)).await;
        let payable = services.snapshot().find_offer("acme", "tool").unwrap().payable;
        Self { customer: made.unwrap().profile, payable, services, desk }
    }

    /// A paid call: 80 of 100 for the publisher.
    pub(super) async fn charge(&self, amount: Credits) -> EntryId {
        let id = self.desk.fresh();
        let shares = ShareTerms::new(8_000, 0).unwrap();
        let place = PlaceHold { shares, ..hold(id, self.customer.wallet, self.payable, amount.micros()) };
        self.desk.ask(Command::Hold(place)).await.unwrap();
        self.desk.ask(Command::Settle(capture_all(id, id))).await.unwrap();
        id
    }

    /// Everything that moves money or tells of it.
    pub(super) fn state(&self) -> Vec<Vec<Vec<String>>> {
        let tables = ["txn", "posting", "movement", "refund_total", "payout", "hot_balance", "wallet_balance", "audit"];
        tables.map(|table| self.desk.rows(&format!("SELECT * FROM {table} ORDER BY 1, 2"))).into()
    }

    /// How often the trail tells this of the object.
    pub(super) async fn told(&self, action: Action, object: &str) -> usize {
        let filter = AuditFilter {
            action: Some(action.as_str().to_owned()),
            object: Some(object.to_owned()),
            ..AuditFilter::default()
        };
        self.services.list_audit(&filter, None, 100).await.unwrap().0.len()
    }
}

const fn note<'a>(reason: &'a str, key: &'a str) -> Note<'a> {
    Note { reason, key: Some(key) }
}

async fn a_rehearsed_refund_says_what_the_refund_then_does(kind: Kind) {
    let shop = Shop::open(kind).await;
    let of = shop.charge(credits(100)).await;
    let before = shop.state();
    let rehearsed = shop.services.rehearse_refund(of, Some(credits(40))).await.unwrap();
    assert_eq!(shop.state(), before, "a rehearsal changes nothing");
    assert_eq!((rehearsed.credits, rehearsed.left), (credits(40), credits(60)));
    let parties = rehearsed.parties;
    assert_eq!((parties.publisher, parties.platform), (credits(32), credits(8)));
    assert_eq!((parties.owed, parties.partner, parties.to_grants), (Credits::ZERO, Credits::ZERO, Credits::ZERO));
    assert_eq!(rehearsed.charge.call, Some(InvocationId::from(of.uuid())), "it is called as its call is");
    let by = OpContext::system();
    let done = shop.services.refund(&by, of, Some(credits(40)), note("late", "k1")).await.unwrap();
    let found = shop.services.find_movement(done.id).await.unwrap().unwrap();
    assert_eq!(found.postings, rehearsed.postings);
    assert_eq!(found.movement.kind, MovementKind::Refund);
    assert_eq!((found.movement.subject.clone(), found.movement.credits), (of.to_string(), Some(credits(40))));
    assert_eq!(found.transaction.unwrap().reverses, Some(of));
    let left = found.charge.unwrap();
    assert_eq!((left.charged, left.refunded, left.left()), (credits(100), credits(40), credits(60)));
    assert_eq!(shop.services.find_movement_by_key("k1").await.unwrap(), Some(done.id));
    assert_eq!(shop.told(Action::RefundCreate, &of.to_string()).await, 1);
    // All of the rest: how much that was, the books know.
    let rest = shop.services.refund(&by, of, None, note("all of it", "k2")).await.unwrap();
    let found = shop.services.find_movement(rest.id).await.unwrap().unwrap();
    assert_eq!(found.movement.credits, Some(credits(60)));
    assert_eq!(shop.services.find_refundable(of).await.unwrap().unwrap().left(), Credits::ZERO);
    shop.desk.verify();
}

async fn what_cannot_go_back_is_refused_with_its_numbers(kind: Kind) {
    let shop = Shop::open(kind).await;
    let of = shop.charge(credits(100)).await;
    let before = shop.state();
    let too_much = shop.services.rehearse_refund(of, Some(Credits::from_micros(100_000_001))).await;
    let Err(MovementError::Refused(Refusal::ExceedsRefundable { needed, captured, refunded })) = too_much else {
        panic!("{too_much:?}");
    };
    assert_eq!((needed.micros(), captured, refunded), (100_000_001, credits(100), Credits::ZERO));
    assert!(matches!(shop.services.rehearse_refund(of, Some(Credits::ZERO)).await, Err(MovementError::NotPositive)));
    let nothing = shop.desk.fresh();
    assert!(matches!(shop.services.rehearse_refund(nothing, None).await, Err(MovementError::NotFound("charge"))));
    assert_eq!(shop.services.find_refundable(nothing).await.unwrap(), None);
    assert!(shop.services.find_movement(nothing).await.unwrap().is_none());
    assert_eq!(shop.state(), before, "a rehearsal leaves no refusal either");
    let whole = shop.services.rehearse_reversal(of).await.unwrap();
    assert_eq!(Credits::checked_sum(whole.iter().map(|posting| posting.amount)), Some(credits(100)));
    assert_eq!(shop.state(), before);
    shop.desk.verify();
}

/// Every page of a list of movements.
async fn pages(services: &Services, filter: &MovementFilter) -> Vec<Vec<Movement>> {
    let (mut pages, mut after) = (Vec::new(), None);
    loop {
        let listed = services.list_movements(filter, after).await.unwrap();
        pages.push(listed.rows);
        match listed.next {
            Some(next) => after = Some(next.parse::<Uuid>().unwrap()),
            None => return pages,
        }
    }
}

async fn movements_are_listed_by_kind_and_object_a_page_at_a_time(kind: Kind) {
    let shop = Shop::open(kind).await;
    let by = OpContext::system();
    let (first, second) = (shop.charge(credits(100)).await, shop.charge(credits(1)).await);
    for number in 0..53 {
        shop.desk.clock.advance_us(1_000);
        let key = format!("k{number}");
        shop.services.refund(&by, first, Some(credits(1)), note("a part", &key)).await.unwrap();
        if number % 10 == 0 {
            shop.desk.clock.advance_us(1_000);
            let given = shop.services.grant_credits(&by, shop.customer.id, credits(2), None, note("kind", &key)).await;
            given.unwrap();
        }
    }
    shop.desk.clock.advance_us(1_000);
    shop.services.refund(&by, second, None, note("whole", "second")).await.unwrap();
    shop.desk.clock.advance_us(1_000);
    let globex = NewPartner { name: "Globex", margin_bps: 0, reason: "a contract", key: None };
    let partner = shop.services.create_partner(&by, globex).await.unwrap().id;
    let gift = shop.services.grant_to_partner(&by, partner, credits(70), note("a start", "gift")).await.unwrap();
    let all = pages(&shop.services, &MovementFilter::default()).await;
    assert_eq!(all.iter().map(Vec::len).collect::<Vec<_>>(), [50, 11]);
    let all: Vec<Movement> = all.into_iter().flatten().collect();
    assert!(all.windows(2).all(|pair| pair[0].id > pair[1].id), "the newest first, each once");
    assert_eq!(all.iter().filter(|movement| movement.kind == MovementKind::Grant).count(), 6);
    let grants = MovementFilter { kinds: vec![MovementKind::Grant], subject: None };
    let grants = pages(&shop.services, &grants).await;
    assert_eq!(grants.iter().map(Vec::len).collect::<Vec<_>>(), [6]);
    let of_second = MovementFilter { kinds: vec![MovementKind::Refund], subject: Some(second.to_string()) };
    let found = pages(&shop.services, &of_second).await.concat();
    assert_eq!(found.iter().map(|row| (&*row.reason, row.credits)).collect::<Vec<_>>(), [("whole", Some(credits(1)))]);
    let of_customer = MovementFilter { kinds: Vec::new(), subject: Some(shop.customer.id.to_string()) };
    assert_eq!(pages(&shop.services, &of_customer).await.concat().len(), 6);
    let payouts = MovementFilter { kinds: vec![MovementKind::Payout], subject: None };
    assert_eq!(pages(&shop.services, &payouts).await, [Vec::new()]);
    for filter in [
        MovementFilter { kinds: vec![MovementKind::PartnerGrant], subject: None },
        MovementFilter { kinds: Vec::new(), subject: Some(partner.to_string()) },
    ] {
        let found = pages(&shop.services, &filter).await.concat();
        let [given] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((given.id, given.kind, given.credits), (gift.id, MovementKind::PartnerGrant, Some(credits(70))));
    }
    assert_eq!(shop.services.find_movement(gift.id).await.unwrap().unwrap().movement.subject, partner.to_string());
}

async fn a_rehearsed_correction_changes_nothing_and_never_takes_more_than_there_is(kind: Kind) {
    let shop = Shop::open(kind).await;
    let (by, account) = (OpContext::system(), shop.customer.id);
    let before = shop.state();
    let postings = shop.services.rehearse_adjustment(account, credits(-3)).await.unwrap();
    assert_eq!(postings.len(), 1);
    assert_eq!((postings[0].debit.account, postings[0].amount), (shop.customer.wallet, credits(3)));
    let too_much = shop.services.rehearse_adjustment(account, credits(-1_001)).await;
    assert!(matches!(too_much, Err(MovementError::Refused(Refusal::Insufficient { .. }))), "{too_much:?}");
    let nothing = shop.services.rehearse_adjustment(account, Credits::ZERO).await;
    assert!(matches!(nothing, Err(MovementError::Nothing)));
    assert_eq!(shop.state(), before);
    let done = shop.services.adjust(&by, account, credits(-3), note("twice", "k")).await.unwrap();
    assert_eq!(shop.services.find_movement(done.id).await.unwrap().unwrap().postings, postings);
    assert_eq!(shop.desk.wallet(shop.customer.wallet).available(), credits(997).micros());
    shop.desk.verify();
}

async fn a_rehearsed_payout_is_the_payout(kind: Kind) {
    let shop = Shop::open(kind).await;
    let by = OpContext::system();
    let of = shop.charge(credits(100)).await;
    shop.services.refund(&by, of, Some(credits(50)), note("half", "r")).await.unwrap();
    let payees = shop.services.list_payees(PayeeKind::Publishers, None).await.unwrap().rows;
    assert_eq!(payees.len(), 1);
    let acme = &payees[0];
    assert_eq!(
        (&*acme.payee.name, acme.payable, acme.owed, acme.due()),
        ("acme", credits(40), Credits::ZERO, credits(40))
    );
    assert_eq!(shop.services.list_payees(PayeeKind::Partners, None).await.unwrap().rows, []);
    let before = shop.state();
    let rehearsed = shop.services.rehearse_payout(&acme.payee, Some(credits(30))).await.unwrap();
    assert_eq!(shop.state(), before);
    let statement = &rehearsed.statement;
    assert_eq!((statement.opening, statement.earned, statement.taken_back), (Credits::ZERO, credits(80), credits(40)));
    assert_eq!((statement.netted, statement.paid, statement.closing), (Credits::ZERO, credits(30), credits(10)));
    let paid = shop.services.pay_out(&by, &acme.payee, Some(credits(30)), note("bank 1", "p")).await.unwrap();
    let (movement, payee, found) = shop.services.find_payout(paid.id).await.unwrap().unwrap();
    assert_eq!((found.paid, found.closing, found.earned), (statement.paid, statement.closing, statement.earned));
    assert_eq!((payee.name, movement.reason), ("acme".to_owned(), "bank 1".to_owned()));
    let (_, postings) = shop.services.find_transaction(paid.id).await.unwrap().unwrap();
    assert_eq!(postings, rehearsed.postings);
    let listed = shop.services.list_payouts(Some(&acme.payee), None).await.unwrap().rows;
    assert_eq!(listed.iter().map(|row| (row.movement.id, row.paid)).collect::<Vec<_>>(), [(paid.id, credits(30))]);
    // What goes back now is more than there is to take it from: the rest is owed.
    shop.services.refund(&by, of, None, note("the rest", "r2")).await.unwrap();
    let left = shop.services.load_payee_balance(&acme.payee).await.unwrap();
    assert_eq!((left.payable, left.owed, left.due()), (Credits::ZERO, credits(30), Credits::ZERO));
    let refused = shop.services.rehearse_payout(&acme.payee, None).await;
    assert!(matches!(refused, Err(MovementError::Refused(Refusal::ExceedsPayable { .. }))), "{refused:?}");
    shop.desk.verify();
}

async fn purchases_are_listed_by_state_and_closed_once_with_a_reason(kind: Kind) {
    let shop = Shop::open(kind).await;
    let (by, account) = (OpContext::system(), shop.customer.id);
    let mut made = Vec::new();
    for number in 1..=3 {
        shop.desk.clock.advance_us(1_000);
        made.push(shop.services.purchase(&by, account, credits(number), Provider::Manual, None).await.unwrap().id);
    }
    let list = async |status, account| {
        let filter = PurchaseFilter { status, account };
        let rows = shop.services.list_purchases_of_all(&filter, None).await.unwrap().rows;
        rows.into_iter().map(|purchase| purchase.id).collect::<Vec<_>>()
    };
    assert_eq!(list(Some(PurchaseStatus::Pending), None).await, [made[2], made[1], made[0]]);
    let blank = shop.services.confirm_purchase(&by, made[0], Some(" ")).await;
    assert!(matches!(blank, Err(ConfirmError::Reason)));
    shop.services.confirm_purchase(&by, made[0], Some("bank 17")).await.unwrap();
    let again = shop.services.confirm_purchase(&by, made[0], Some("bank 17")).await;
    assert!(matches!(again, Err(ConfirmError::AlreadyConfirmed(amount)) if amount == credits(1)));
    shop.services.fail_purchase(&by, made[1], "never came").await.unwrap();
    assert_eq!(list(Some(PurchaseStatus::Pending), Some(account)).await, [made[2]]);
    assert_eq!(list(Some(PurchaseStatus::Confirmed), None).await, [made[0]]);
    let failed = shop.services.find_purchase(made[1]).await.unwrap().unwrap();
    assert_eq!((failed.failure.as_deref(), failed.failed_us), (Some("never came"), Some(shop.desk.now_us())));
    assert_eq!(shop.told(Action::PurchaseConfirm, &made[0].to_string()).await, 1);
    assert_eq!(shop.told(Action::PurchaseFail, &made[1].to_string()).await, 1);
    let filter = AuditFilter { object: Some(made[0].to_string()), ..AuditFilter::default() };
    let (rows, _) = shop.services.list_audit(&filter, None, 1).await.unwrap();
    assert_eq!(rows[0].reason.as_deref(), Some("bank 17"));
    shop.desk.verify();
}

async fn open_chargebacks_are_found_and_end_once(kind: Kind) {
    let shop = Shop::open(kind).await;
    let by = OpContext::system();
    let bought = shop.services.purchase(&by, shop.customer.id, credits(10), Provider::Manual, None).await.unwrap().id;
    assert_eq!(shop.services.find_disputable(bought).await.unwrap(), None, "it was never paid");
    shop.services.confirm_purchase(&by, bought, None).await.unwrap();
    assert_eq!(shop.services.find_disputable(bought).await.unwrap(), Some(credits(10)));
    let opened = shop.services.open_chargeback(&by, bought, None, note("case 1", "o")).await.unwrap();
    let list = async |state| {
        let rows = shop.services.list_chargebacks(&DisputeFilter { state, purchase: None }, None).await.unwrap().rows;
        rows.into_iter().map(|dispute| (dispute.id, dispute.state)).collect::<Vec<_>>()
    };
    assert_eq!(list(Some(ChargebackState::Open)).await, [(opened.id, ChargebackState::Open)]);
    // What is held without a transaction still is an order with an amount.
    let order = shop.services.find_movement(opened.id).await.unwrap().unwrap();
    assert_eq!((order.movement.credits, order.transaction), (Some(credits(10)), None));
    shop.services.lose_chargeback(&by, bought, note("the bank said so", "l")).await.unwrap();
    assert_eq!(list(Some(ChargebackState::Open)).await, []);
    let (dispute, chargeback) = shop.services.find_dispute(opened.id).await.unwrap().unwrap();
    assert_eq!((dispute.state, dispute.closed_us), (ChargebackState::Lost, Some(shop.desk.now_us())));
    assert_eq!((chargeback.taken, chargeback.loss), (credits(10), Credits::ZERO));
    assert_eq!(shop.services.find_disputable(bought).await.unwrap(), Some(Credits::ZERO));
    shop.desk.verify();
}
