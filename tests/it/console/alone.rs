//! What one operator moves alone, and when another one has to approve it.

use engine::{
    audit::{Action, Method, OpContext},
    credits::Credits,
    id::{EntryId, RequestId},
    operator::Role,
    service::{
        Services,
        accounts::{FundedAccountError, GrantError, NewFundedAccount},
        approvals::{ALONE_HOURS, ApprovalState, CountedWith, Deed},
        movements::{MovementError, Note},
        operators::{NewOperator, OperatorProfile},
        partners::NewPartner,
        purchases::{ConfirmError, Provider, PurchaseStatus},
    },
};

use super::movements::{Shop, credits};
use crate::ledger::desk::{Kind, SECOND_US, on_both};

on_both! {
    what_somebody_gives_within_a_day_counts_together,
    parts_of_a_charge_count_together_whoever_gives_them_back,
    payouts_and_payments_of_a_day_count_together,
    of_two_forms_at_once_one_is_added_up_again,
    what_was_asked_for_is_not_done_besides,
    what_was_approved_and_what_commands_do_is_not_counted,
}

const DAY_US: i64 = ALONE_HOURS * 3_600 * SECOND_US;

/// A shop with two operators.
struct House {
    shop: Shop,
    ann: OperatorProfile,
    ben: OperatorProfile,
}

impl House {
    async fn open(kind: Kind) -> Self {
        let shop = Shop::open(kind).await;
        let make = async |name: &str| {
            let email = format!("{name}@example.com");
            let new = NewOperator { email: &email, name, roles: &[Role::Owner] };
            shop.services.create_operator(&OpContext::system(), new).await.unwrap().operator
        };
        let (ann, ben) = (make("ann").await, make("ben").await);
        shop.desk.clock.advance_us(SECOND_US);
        Self { ann, ben, shop }
    }

    const fn services(&self) -> &Services {
        &self.shop.services
    }

    fn by(&self, operator: &OperatorProfile) -> OpContext {
        operator.context(Method::Session, RequestId::new(&*self.services().ids, self.shop.desk.now_us()))
    }

    async fn grant(&self, by: &OpContext, amount: Credits, key: Option<&str>) -> Result<EntryId, GrantError> {
        self.shop.desk.clock.advance_us(1_000);
        let note = Note { reason: "sorry", key };
        let given = self.services().grant_credits(by, self.shop.customer.id, amount, None, note).await;
        given.map(|given| given.id)
    }

    async fn refund(&self, by: &OpContext, of: EntryId, amount: Option<Credits>) -> Result<Credits, MovementError> {
        self.shop.desk.clock.advance_us(1_000);
        let back = self.services().refund(by, of, amount, Note { reason: "late", key: None }).await;
        back.map(|back| back.credits)
    }

    fn available(&self) -> i64 {
        self.shop.desk.wallet(self.shop.customer.wallet).available()
    }

    fn gift(&self, amount: Credits) -> Deed {
        Deed::GrantCreate { account: self.shop.customer.id, credits: amount, terms: None, reason: "sorry".to_owned() }
    }
}

/// Together with so much before.
#[track_caller]
fn expect_four_eyes<T: std::fmt::Debug>(result: Result<T, MovementError>, before: i64, total: i64) {
    let Err(MovementError::FourEyes(weight)) = result else { panic!("{result:?}") };
    assert_eq!((weight.before, weight.total(), weight.needs_second()), (credits(before), credits(total), true));
}

async fn what_somebody_gives_within_a_day_counts_together(kind: Kind) {
    let house = House::open(kind).await;
    let (ann, ben) = (house.by(&house.ann), house.by(&house.ben));
    let account = house.shop.customer.id;
    let at_first = house.available();
    house.grant(&ann, credits(60), Some("k1")).await.unwrap();
    let weight = house.services().weigh(house.ann.id, &house.gift(credits(41))).await.unwrap().unwrap();
    assert_eq!((weight.before, weight.total(), weight.with), (credits(60), credits(101), CountedWith::Gifts));
    let too_much = house.grant(&ann, credits(41), None).await;
    assert!(matches!(too_much, Err(GrantError::FourEyes(found)) if found == weight), "{too_much:?}");
    // The same form again gives nothing more, and is not counted again.
    house.grant(&ann, credits(60), Some("k1")).await.unwrap();
    house.grant(&ann, credits(40), None).await.unwrap();
    assert_eq!(house.services().load_given(house.ann.id).await.unwrap(), credits(100));
    assert_eq!(house.available() - at_first, credits(100).micros());

    // Now she gives nothing more, in whichever way, and takes nothing.
    let micro = Credits::from_micros(1);
    let note = Note { reason: "a slip", key: None };
    for amount in [micro, Credits::from_micros(-1)] {
        let corrected = house.services().adjust(&ann, account, amount, note).await;
        assert!(matches!(corrected, Err(MovementError::FourEyes(_))), "{corrected:?}");
    }
    let globex = NewPartner { name: "Globex", margin_bps: 500, reason: "a pilot", key: None };
    let partner = house.services().create_partner(&OpContext::system(), globex).await.unwrap().id;
    let given = house.services().grant_to_partner(&ann, partner, micro, note).await;
    assert!(matches!(given, Err(MovementError::FourEyes(_))), "{given:?}");
    let new = NewFundedAccount {
        email: "new@example.com",
        is_verified: true,
        token_name: "first",
        credits: micro,
        reason: Some("a pilot"),
        key: None,
    };
    let opened = house.services().open_account(&ann, new).await;
    assert!(matches!(opened, Err(FundedAccountError::FourEyes(_))), "{opened:?}");
    assert_eq!(house.services().find_account_called("new@example.com").await.unwrap(), None);
    // An account without credits is no gift.
    house.services().open_account(&ann, NewFundedAccount { credits: Credits::ZERO, ..new }).await.unwrap();
    assert_eq!(house.available() - at_first, credits(100).micros());
    // Somebody else has a day of their own, of everything together.
    house.services().grant_to_partner(&ben, partner, credits(50), note).await.unwrap();
    house.services().adjust(&ben, account, credits(-30), note).await.unwrap();
    let other = NewFundedAccount { email: "other@example.com", credits: credits(20), ..new };
    house.services().open_account(&ben, other).await.unwrap();
    assert!(house.grant(&ben, micro, None).await.is_err());

    house.shop.desk.clock.advance_us(DAY_US - 10 * SECOND_US);
    assert!(house.grant(&ann, micro, None).await.is_err());
    house.shop.desk.clock.advance_us(20 * SECOND_US);
    house.grant(&ann, credits(100), None).await.unwrap();
    house.shop.desk.verify();
}

async fn parts_of_a_charge_count_together_whoever_gives_them_back(kind: Kind) {
    let house = House::open(kind).await;
    let (ann, ben) = (house.by(&house.ann), house.by(&house.ben));
    let (of, other) = (house.shop.charge(credits(200)).await, house.shop.charge(credits(100)).await);
    house.refund(&ann, of, Some(credits(60))).await.unwrap();
    let deed = Deed::RefundCreate { of, credits: Some(credits(41)), reason: "late".to_owned() };
    for (operator, by) in [(&house.ann, &ann), (&house.ben, &ben)] {
        expect_four_eyes(house.refund(by, of, Some(credits(41))).await, 60, 101);
        expect_four_eyes(house.refund(by, of, None).await, 60, 200);
        let weight = house.services().weigh(operator.id, &deed).await.unwrap().unwrap();
        assert_eq!((weight.with, weight.total()), (CountedWith::Charge, credits(101)));
    }
    house.refund(&ben, of, Some(credits(40))).await.unwrap();
    expect_four_eyes(house.refund(&ann, of, Some(credits(1))).await, 100, 101);
    assert_eq!(house.services().find_refundable(of).await.unwrap().unwrap().refunded, credits(100));
    // Another charge is another one; and what goes back is no gift.
    assert_eq!(house.refund(&ann, other, None).await.unwrap(), credits(100));
    house.grant(&ann, credits(100), None).await.unwrap();
    // Whole transactions are what they are.
    let (small, large) = (house.shop.charge(credits(100)).await, house.shop.charge(credits(101)).await);
    let note = Note { reason: "twice", key: None };
    let whole = house.services().revert(&ann, large, note, false).await;
    expect_four_eyes(whole, 0, 101);
    house.services().revert(&ann, small, note, false).await.unwrap();
    house.shop.desk.verify();
}

async fn payouts_and_payments_of_a_day_count_together(kind: Kind) {
    let house = House::open(kind).await;
    let (ann, ben) = (house.by(&house.ann), house.by(&house.ben));
    let payee = house.services().find_payee("acme").await.unwrap();
    let pay = async |by: &OpContext, amount: Option<Credits>| {
        house.shop.desk.clock.advance_us(1_000);
        house.services().pay_out(by, &payee, amount, Note { reason: "bank 1", key: None }).await
    };
    house.shop.charge(credits(100)).await;
    assert_eq!(pay(&ann, None).await.unwrap().paid, credits(80));
    house.shop.charge(credits(200)).await;
    expect_four_eyes(pay(&ann, Some(credits(21))).await, 80, 101);
    expect_four_eyes(pay(&ann, None).await, 80, 240);
    expect_four_eyes(pay(&ben, None).await, 0, 160);
    pay(&ann, Some(credits(20))).await.unwrap();
    pay(&ben, Some(credits(100))).await.unwrap();
    assert_eq!(house.services().load_payee_balance(&payee).await.unwrap().due(), credits(40));

    let account = house.shop.customer.id;
    let buy = async |whole: i64| {
        house.shop.desk.clock.advance_us(1_000);
        let by = OpContext::system();
        house.services().purchase(&by, account, credits(whole), Provider::Manual, None).await.unwrap().id
    };
    let (first, second, third) = (buy(60).await, buy(41).await, buy(40).await);
    house.services().confirm_purchase(&ann, first, Some("bank 2")).await.unwrap();
    let too_much = house.services().confirm_purchase(&ann, second, Some("bank 3")).await;
    assert!(matches!(too_much, Err(ConfirmError::FourEyes(weight)) if weight.total() == credits(101)), "{too_much:?}");
    house.services().confirm_purchase(&ann, third, Some("bank 4")).await.unwrap();
    let status = house.services().find_purchase(second).await.unwrap().unwrap().status;
    assert_eq!(status, PurchaseStatus::Pending);
    // What the bank decides is only carried out, however much it is.
    let large = buy(500).await;
    house.services().confirm_purchase(&OpContext::system(), large, None).await.unwrap();
    let note = |key| Note { reason: "case 1", key: Some(key) };
    house.services().open_chargeback(&ann, large, None, note("open")).await.unwrap();
    house.services().lose_chargeback(&ann, large, note("lost")).await.unwrap();
    house.shop.desk.verify();
}

async fn of_two_forms_at_once_one_is_added_up_again(kind: Kind) {
    let house = House::open(kind).await;
    let (ann, ben) = (house.by(&house.ann), house.by(&house.ben));
    for round in 0..5 {
        let (one, other) = (format!("one {round}"), format!("other {round}"));
        let at_first = house.available();
        let (one, other) =
            tokio::join!(house.grant(&ann, credits(60), Some(&one)), house.grant(&ann, credits(60), Some(&other)),);
        let results = [one, other];
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
        let lost = results.iter().find_map(|result| result.as_ref().err());
        assert!(matches!(lost, Some(GrantError::FourEyes(_) | GrantError::Changed)), "{lost:?}");
        assert_eq!(house.available() - at_first, credits(60).micros());

        let of = house.shop.charge(credits(120)).await;
        let part = Some(credits(60));
        let (one, other) = tokio::join!(house.refund(&ann, of, part), house.refund(&ben, of, part));
        let results = [one, other];
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
        let lost = results.iter().find_map(|result| result.as_ref().err());
        assert!(matches!(lost, Some(MovementError::FourEyes(_) | MovementError::Changed)), "{lost:?}");
        assert_eq!(house.services().find_refundable(of).await.unwrap().unwrap().refunded, credits(60));
        house.shop.desk.clock.advance_us(DAY_US + SECOND_US);
    }
    house.shop.desk.verify();
}

async fn what_was_asked_for_is_not_done_besides(kind: Kind) {
    let house = House::open(kind).await;
    let ann = house.by(&house.ann);
    house.grant(&ann, credits(60), None).await.unwrap();
    let form = Some("form");
    assert!(matches!(house.grant(&ann, credits(50), form).await, Err(GrantError::FourEyes(_))));
    let deed = house.gift(credits(50));
    let ask = async || house.services().request_deed(&ann, house.ann.id, &deed, "please", form).await.unwrap();
    let id = ask().await;
    // Two days later it would not be too much any more; but somebody has been asked.
    house.shop.desk.clock.advance_us(2 * DAY_US);
    let again = house.grant(&ann, credits(50), form).await;
    assert!(matches!(again, Err(GrantError::FourEyes(weight)) if !weight.needs_second()), "{again:?}");
    assert_eq!(ask().await, id);
    house.grant(&ann, credits(50), Some("another form")).await.unwrap();
    house.shop.desk.verify();
}

async fn what_was_approved_and_what_commands_do_is_not_counted(kind: Kind) {
    let house = House::open(kind).await;
    let (ann, ben) = (house.by(&house.ann), house.by(&house.ben));
    let of = house.shop.charge(credits(500)).await;
    let payee = house.services().find_payee("acme").await.unwrap();
    let account = house.shop.customer.id;
    let system = OpContext::system();
    let purchase = house.services().purchase(&system, account, credits(150), Provider::Manual, None).await.unwrap().id;
    let reason = || "as agreed".to_owned();
    let deeds = [
        (house.gift(credits(200)), Action::GrantCreate),
        (Deed::RefundCreate { of, credits: Some(credits(150)), reason: reason() }, Action::RefundCreate),
        (
            Deed::PayoutCreate { payee: payee.id, credits: Some(credits(150)), tell: None, reason: reason() },
            Action::PayoutCreate,
        ),
        (Deed::PurchaseConfirm { purchase, reason: reason() }, Action::PurchaseConfirm),
    ];
    for (deed, action) in deeds {
        house.shop.desk.clock.advance_us(1_000);
        let alone = deed.execute(house.services(), &ann, "form").await;
        assert!(alone.is_err(), "{deed:?}: {alone:?}");
        let id = house.services().request_deed(&ann, house.ann.id, &deed, "please", None).await.unwrap();
        let (approved, _) = house.services().approve_and_carry_out(&ben, id, house.ben.id, None).await.unwrap();
        assert_eq!(approved.state, ApprovalState::Approved, "{deed:?}: {:?}", approved.outcome);
        house.services().carry_out_approval(&approved).await.unwrap();
        let told = format!("SELECT count(*) FROM audit WHERE action = '{}' AND credential = '{id}'", action.as_str());
        assert_eq!(house.shop.desk.number(&told), 1, "once");
    }
    assert_eq!(house.services().find_refundable(of).await.unwrap().unwrap().refunded, credits(150));
    let status = house.services().find_purchase(purchase).await.unwrap().unwrap().status;
    assert_eq!(status, PurchaseStatus::Confirmed);
    // Neither who asked nor who approved has given anything alone.
    for operator in [&house.ann, &house.ben] {
        assert_eq!(house.services().load_given(operator.id).await.unwrap(), Credits::ZERO);
    }
    house.grant(&ben, credits(100), None).await.unwrap();
    // Who runs commands on the machine may do anything there.
    house.grant(&system, credits(10_000), None).await.unwrap();
    house.grant(&ann, credits(100), None).await.unwrap();
    // A request that moves no money needs somebody else whatever it is.
    let publish = Deed::PolicyPublish { number: 1, over: None };
    assert_eq!(house.services().weigh(house.ann.id, &publish).await.unwrap(), None);
    house.shop.desk.verify();
}
