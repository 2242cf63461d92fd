//! What goes back, is collected and is paid out: every rule, and the limits' edges.

use super::*;
use crate::ledger::{
    Collect, Payout, Refund, Revert, Secure,
    movement::{Statement, Turnover},
};

const DEBTOR: LedgerAccountId = PUBLISHER.receivable();
const BANK: LedgerAccountId = LedgerAccountId::CLEARING_MANUAL;

fn refund(id: u128, of: u128, amount: Option<i64>) -> Refund {
    Refund { id: name(id), of: name(of), amount: amount.map(micros), meta: None }
}

fn revert(id: u128, of: u128) -> Revert {
    Revert { id: name(id), of: name(of), meta: None }
}

fn payout(id: u128, amount: Option<i64>) -> Payout {
    Payout { id: name(id), from: PUBLISHER, to: BANK, amount: amount.map(micros), meta: None }
}

fn collect(id: u128, sources: &[LedgerAccountId], amount: i64) -> Collect {
    Collect {
        id: name(id),
        kind: TransactionKind::Adjustment,
        sources: sources.to_vec(),
        to: BANK,
        amount: micros(amount),
        is_at_most: false,
        reverses: None,
        meta: None,
    }
}

/// 1,000 in the wallet (transaction 1), and charge 10 of 100: 70 for the publisher, 20 for the partner, 10 for the
/// platform; the wallet's purchase is transaction 2, of 500.
fn scene() -> Facts {
    let mut facts = facts_with(1_000);
    let mut batch = Batch::new(&mut facts, NOW_US, 1);
    let shares = ShareTerms::new(7_000, 2_000).unwrap();
    assert_eq!(batch.hold(&PlaceHold { shares, partner: Some(PARTNER), ..hold(name(10), 100) }), Ok(Done::Held));
    assert_eq!(batch.settle(&capture(name(10), name(10), 100)), captured(100));
    let bought = Post { kind: TransactionKind::Purchase, ..post(name(2), &[leg(BANK, WALLET, 500)]) };
    assert_eq!(batch.post(&bought), Ok(Done::Posted));
    // As the store reads them before the next batch.
    for (id, credits) in [(PUBLISHER, 70), (PARTNER, 20)] {
        facts.turnovers.insert(id, Turnover { credits, debits: 0 });
    }
    facts
}

/// The postings of the last transaction of a batch.
fn last_legs(batch: Batch<'_>) -> Vec<Leg> {
    match batch.into_plan().entries.pop() {
        Some(Entry::Transaction(entry)) => entry.legs,
        other => panic!("no transaction: {other:?}"),
    }
}

#[test]
fn every_party_gives_its_share_and_the_rest_goes_back_with_the_last_unit() {
    let mut facts = scene();
    let mut batch = Batch::new(&mut facts, NOW_US, 1);
    let mut given = BTreeMap::new();
    for (id, amount) in [(20, 1), (21, 33), (22, 33), (23, 32)] {
        assert_eq!(batch.refund(&refund(id, 10, Some(amount))), Ok(Done::Posted));
    }
    let captured = micros(100);
    let refusal = Refusal::ExceedsRefundable { needed: micros(2), captured, refunded: micros(99) };
    assert_eq!(batch.refund(&refund(24, 10, Some(2))), Err(refusal));
    assert_eq!(batch.refund(&refund(25, 10, None)), Ok(Done::Posted));
    let refusal = Refusal::ExceedsRefundable { needed: micros(0), captured, refunded: captured };
    assert_eq!(batch.refund(&refund(26, 10, None)), Err(refusal));
    let mut first = Vec::new();
    for entry in batch.into_plan().entries {
        let Entry::Transaction(entry) = entry else { continue };
        assert_eq!((entry.kind, entry.reverses), (TransactionKind::Refund, Some(name(10))));
        for leg in &entry.legs {
            assert_eq!(leg.credit, WALLET);
            *given.entry(leg.debit).or_insert(0) += leg.amount.micros();
        }
        if first.is_empty() {
            first = entry.legs;
        }
    }
    assert_eq!(first, [leg(PUBLISHER, WALLET, 1)], "the first unit is the publisher's");
    let expected = [(LedgerAccountId::PLATFORM_FEE, 10), (PUBLISHER, 70), (PARTNER, 20)];
    assert_eq!(given, BTreeMap::from(expected), "a full refund reverses exactly what was posted");
    assert_eq!(facts.wallets[&WALLET].available(), 1_500);
}

#[test]
fn what_was_paid_out_is_owed_and_kept_from_the_next_payout() {
    let mut facts = scene();
    let mut batch = Batch::new(&mut facts, NOW_US, 1);
    assert_eq!(batch.pay_out(&payout(30, Some(50))), Ok(Done::Posted));
    assert_eq!(batch.refund(&refund(20, 10, None)), Ok(Done::Posted));
    let legs = last_legs(batch);
    let platform = LedgerAccountId::PLATFORM_FEE;
    let expected =
        [leg(PUBLISHER, WALLET, 20), leg(DEBTOR, WALLET, 50), leg(PARTNER, WALLET, 20), leg(platform, WALLET, 10)];
    assert_eq!(legs, expected);

    // 70 earned, 50 paid, 20 gone; 50 owed. The next 60 pay the debt first.
    facts.turnovers.insert(PUBLISHER, Turnover { credits: 130, debits: 70 });
    facts.turnovers.insert(DEBTOR, Turnover { credits: 0, debits: 50 });
    let mut batch = Batch::new(&mut facts, NOW_US, 1);
    let refusal = Refusal::ExceedsPayable { needed: micros(11), payable: micros(60), owed: micros(50) };
    assert_eq!(batch.pay_out(&payout(31, Some(11))), Err(refusal));
    assert_eq!(batch.pay_out(&payout(32, None)), Ok(Done::Posted));
    let plan = batch.into_plan();
    let Some(Entry::Transaction(entry)) = plan.entries.last() else { panic!("{plan:?}") };
    assert_eq!(entry.legs, [leg(PUBLISHER, DEBTOR, 50), leg(PUBLISHER, BANK, 10)]);
    let statement = Statement { account: PUBLISHER, credits: 130, debits: 70, netted: 50, paid: 10, note: None };
    assert_eq!((plan.statements, entry.meta), (vec![(name(32), statement)], Some(statement.digest())));
}

#[test]
fn a_payout_takes_what_is_there_and_not_a_unit_more() {
    for (amount, expected) in [
        (Some(70), Ok(Done::Posted)),
        (Some(71), Err(Refusal::ExceedsPayable { needed: micros(71), payable: micros(70), owed: micros(0) })),
        (Some(0), Err(Refusal::OutOfRange)),
        (Some(-1), Err(Refusal::OutOfRange)),
        (None, Ok(Done::Posted)),
    ] {
        let mut facts = scene();
        assert_eq!(Batch::new(&mut facts, NOW_US, 1).pay_out(&payout(30, amount)), expected, "{amount:?}");
    }
    let mut facts = scene();
    let mut batch = Batch::new(&mut facts, NOW_US, 1);
    assert_eq!(batch.pay_out(&payout(30, None)), Ok(Done::Posted));
    let nothing = Refusal::ExceedsPayable { needed: micros(0), payable: micros(0), owed: micros(0) };
    assert_eq!(batch.pay_out(&payout(31, None)), Err(nothing), "nothing is left, in the same batch");
    let of = |from| Payout { from, ..payout(32, Some(1)) };
    assert_eq!(batch.pay_out(&of(WALLET)), Err(Refusal::WrongKind(TransactionKind::Payout)));
    assert_eq!(batch.pay_out(&of(BANK)), Err(Refusal::SameAccount));
    assert_eq!(batch.pay_out(&of(STRANGER)), Err(Refusal::UnknownAccount(STRANGER)));
    assert_eq!(batch.pay_out(&Payout { from: PARTNER, ..payout(33, None) }), Ok(Done::Posted), "a partner's margin");
    assert_eq!(batch.pay_out(&payout(30, None)), Ok(Done::Exists));
    assert_eq!(batch.pay_out(&payout(30, Some(69))), Err(Refusal::Exists(Difference::Amount)));
}

#[test]
fn only_charges_are_refunded_and_nothing_twice() {
    let mut facts = scene();
    let mut batch = Batch::new(&mut facts, NOW_US, 1);
    assert_eq!(batch.hold(&hold(name(11), 5)), Ok(Done::Held));
    assert_eq!(batch.hold(&hold(name(12), 5)), Ok(Done::Held));
    assert_eq!(batch.settle(&release(name(12), name(12))), released());
    assert_eq!(batch.refund(&refund(20, 10, Some(40))), Ok(Done::Posted));
    let not = |kind| Err(Refusal::NotReversible(kind));
    for (of, expected) in [
        (99, Err(Refusal::TransactionNotFound)),
        (20, not(Some(TransactionKind::Refund))),
        (1, not(Some(TransactionKind::Adjustment))),
        (2, not(Some(TransactionKind::Purchase))),
        (11, not(None)),
        (12, not(None)),
    ] {
        assert_eq!(batch.refund(&refund(21, of, Some(1))), expected, "{of}");
    }
    for amount in [0, -1] {
        assert_eq!(batch.refund(&refund(21, 10, Some(amount))), Err(Refusal::OutOfRange));
    }
    // The same again is told so, something else under its name in which respect.
    assert_eq!(batch.refund(&refund(20, 10, Some(40))), Ok(Done::Exists));
    assert_eq!(batch.refund(&refund(20, 10, None)), Ok(Done::Exists));
    assert_eq!(batch.refund(&refund(20, 10, Some(41))), Err(Refusal::Exists(Difference::Amount)));
    assert_eq!(batch.refund(&refund(20, 2, Some(40))), Err(Refusal::Exists(Difference::Operation)));
    let other = Refund { meta: Some(sha256(b"x")), ..refund(20, 10, Some(40)) };
    assert_eq!(batch.refund(&other), Err(Refusal::Exists(Difference::Metadata)));
    assert_eq!(batch.refund(&refund(1, 10, Some(1))), Err(Refusal::Exists(Difference::Operation)));
    let (captured, refunded) = (micros(100), micros(40));
    assert_eq!(batch.revert(&revert(22, 10)), Err(Refusal::AlreadyReversed { captured, refunded }));
}

#[test]
fn a_reversal_is_the_exact_opposite_and_happens_once() {
    let mut facts = scene();
    let mut batch = Batch::new(&mut facts, NOW_US, 1);
    let chain = [leg(WALLET, PUBLISHER, 7), leg(PUBLISHER, OTHER_WALLET, 7)];
    assert_eq!(batch.post(&post(name(3), &chain)), Ok(Done::Posted));
    assert_eq!(batch.revert(&revert(40, 3)), Ok(Done::Posted));
    let twice = Refusal::AlreadyReversed { captured: micros(14), refunded: micros(14) };
    assert_eq!(batch.revert(&revert(41, 3)), Err(twice));
    assert_eq!(batch.revert(&revert(40, 3)), Ok(Done::Exists));
    assert_eq!(batch.revert(&revert(42, 40)), Err(Refusal::NotReversible(Some(TransactionKind::Reversal))));
    assert_eq!(batch.revert(&revert(42, 98)), Err(Refusal::TransactionNotFound));
    let reversal = batch.into_plan().entries.into_iter().find_map(|entry| match entry {
        Entry::Transaction(entry) if entry.kind == TransactionKind::Reversal => Some(entry.legs),
        _ => None,
    });
    assert_eq!(reversal, Some(vec![leg(OTHER_WALLET, PUBLISHER, 7), leg(PUBLISHER, WALLET, 7)]), "the last one first");
    assert_eq!(facts.wallets[&OTHER_WALLET].available(), 0);

    // What was spent cannot be taken back.
    let mut batch = Batch::new(&mut facts, NOW_US, 1);
    assert_eq!(batch.post(&post(name(4), &[leg(LedgerAccountId::OPENING, OTHER_WALLET, 9)])), Ok(Done::Posted));
    assert_eq!(batch.post(&post(name(5), &[leg(OTHER_WALLET, WALLET, 1)])), Ok(Done::Posted));
    let refusal = insufficient(Limit::Wallet(OTHER_WALLET), micros(9), micros(8));
    assert_eq!(batch.revert(&revert(43, 4)), Err(refusal));
}

#[test]
fn a_collection_asks_one_after_the_other_and_takes_all_or_nothing() {
    let mut facts = scene();
    let mut batch = Batch::new(&mut facts, NOW_US, 1);
    assert_eq!(batch.post(&post(name(3), &[leg(LedgerAccountId::OPENING, OTHER_WALLET, 30)])), Ok(Done::Posted));
    let both = [OTHER_WALLET, WALLET];
    let short = insufficient(Limit::Wallet(OTHER_WALLET), micros(1_431), micros(1_430));
    assert_eq!(batch.collect(&collect(50, &both, 1_431)), Err(short));
    assert_eq!(batch.collect(&collect(50, &both, 40)), Ok(Done::Posted));
    assert_eq!(last_legs(batch), [leg(OTHER_WALLET, BANK, 30), leg(WALLET, BANK, 10)]);

    let mut batch = Batch::new(&mut facts, NOW_US, 1);
    let most = |id, amount| Collect { is_at_most: true, ..collect(id, &[WALLET], amount) };
    assert_eq!(batch.collect(&most(51, 2_000)), Ok(Done::Posted));
    assert_eq!(batch.collect(&most(51, 1_390)), Ok(Done::Exists), "as much as was taken is the same request");
    assert_eq!(batch.collect(&most(51, 1_389)), Err(Refusal::Exists(Difference::Amount)));
    assert_eq!(batch.collect(&most(52, 5)), Ok(Done::Posted), "nothing is there: nothing is taken");
    assert_eq!(batch.collect(&collect(53, &[BANK], 5)), Err(Refusal::SameAccount));
    assert_eq!(batch.collect(&collect(53, &[WALLET], 0)), Err(Refusal::OutOfRange));
    let free = Collect { kind: TransactionKind::Refund, ..collect(53, &[WALLET], 1) };
    assert_eq!(batch.collect(&free), Err(Refusal::WrongKind(TransactionKind::Refund)));
    let loose = Collect { kind: TransactionKind::Chargeback, ..collect(53, &[WALLET], 1) };
    assert_eq!(batch.collect(&loose), Err(Refusal::WrongKind(TransactionKind::Chargeback)), "of which purchase?");
}

#[test]
fn a_lost_chargeback_takes_what_is_held_and_the_rest_is_a_loss() {
    let mut facts = scene();
    let mut batch = Batch::new(&mut facts, NOW_US, 1);
    assert_eq!(batch.post(&post(name(3), &[leg(WALLET, OTHER_WALLET, 1_200)])), Ok(Done::Posted));
    let secure = |at_most| Secure { id: name(60), wallet: WALLET, payee: BANK, at_most: micros(at_most), meta: None };
    assert_eq!(batch.secure(&secure(500)), Ok(Done::Held));
    assert_eq!(batch.secure(&secure(500)), Ok(Done::Exists));
    assert_eq!(batch.secure(&secure(199)), Err(Refusal::Exists(Difference::Amount)), "less than what was reserved");
    assert_eq!(batch.facts().wallets[&WALLET].held, 200, "what was there");
    assert_eq!(batch.facts().wallets[&WALLET].available(), 0);

    let lost = Collect {
        kind: TransactionKind::Chargeback,
        reverses: Some(name(2)),
        ..collect(61, &[WALLET, LedgerAccountId::LOSS_CHARGEBACK], 500)
    };
    let above = Refusal::ExceedsRefundable { needed: micros(501), captured: micros(500), refunded: micros(0) };
    assert_eq!(batch.collect(&Collect { amount: micros(501), ..lost.clone() }), Err(above));
    let grant = Collect { reverses: Some(name(1)), ..lost.clone() };
    assert_eq!(batch.collect(&grant), Err(Refusal::NotReversible(Some(TransactionKind::Adjustment))));
    assert_eq!(batch.settle(&release(name(60), name(60))), released());
    assert_eq!(batch.collect(&lost), Ok(Done::Posted));
    let (captured, refunded) = (micros(500), micros(500));
    assert_eq!(batch.revert(&revert(62, 2)), Err(Refusal::AlreadyReversed { captured, refunded }));
    let again = Collect { id: name(63), amount: micros(1), ..lost };
    let twice = Refusal::ExceedsRefundable { needed: micros(1), captured, refunded };
    assert_eq!(batch.collect(&again), Err(twice), "a purchase is taken back once");
    let chargeback = batch.into_plan().entries.into_iter().find_map(|entry| match entry {
        Entry::Transaction(entry) if entry.kind == TransactionKind::Chargeback => Some(entry.legs),
        _ => None,
    });
    let loss = leg(LedgerAccountId::LOSS_CHARGEBACK, BANK, 300);
    assert_eq!(chargeback, Some(vec![leg(WALLET, BANK, 200), loss]));
}

#[test]
fn what_has_rules_of_its_own_cannot_be_posted() {
    let mut facts = scene();
    let mut batch = Batch::new(&mut facts, NOW_US, 1);
    use TransactionKind::{Charge, Chargeback, Payout, Refund, Reversal};
    for kind in [Charge, Refund, Payout, Chargeback, Reversal] {
        let free = Post { kind, ..post(name(70), &[leg(PUBLISHER, WALLET, 1)]) };
        assert_eq!(batch.post(&free), Err(Refusal::WrongKind(kind)));
    }
}

#[test]
fn nothing_goes_back_to_a_closed_wallet_or_on_the_account_of_a_publisher_without_one_for_debts() {
    let mut facts = scene();
    facts.accounts.remove(&DEBTOR);
    facts.turnovers.insert(PUBLISHER, Turnover { credits: 70, debits: 69 });
    let mut batch = Batch::new(&mut facts, NOW_US, 1);
    assert_eq!(batch.refund(&refund(20, 10, None)), Err(Refusal::UnknownAccount(DEBTOR)));
    assert_eq!(batch.refund(&refund(21, 10, Some(1))), Ok(Done::Posted), "one is covered");
    close(&mut facts, WALLET);
    facts.turnovers.insert(PUBLISHER, Turnover { credits: 80, debits: 0 });
    let mut batch = Batch::new(&mut facts, NOW_US, 1);
    assert_eq!(batch.refund(&refund(22, 10, Some(1))), Err(Refusal::AccountClosed(WALLET)));
}
