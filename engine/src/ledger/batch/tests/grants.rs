//! Credits that expire, command by command.

use super::*;
use crate::ledger::{
    leaf::{HoldEntry, TransactionEntry},
    plan::Lapse,
};

const FIRST: LedgerAccountId = LedgerAccountId::from_raw(4_001);
const SECOND: LedgerAccountId = LedgerAccountId::from_raw(4_002);
const FIRST_US: i64 = NOW_US + 10 * SECOND_US;
const SECOND_EXPIRES_US: i64 = NOW_US + 20 * SECOND_US;

fn give(number: u128, account: LedgerAccountId, amount: i64, expires_us: i64) -> GiveGrant {
    let kind = TransactionKind::Grant;
    let post = Post { kind, ..post(name(number), &[leg(LedgerAccountId::PROMO, account, amount)]) };
    GiveGrant { post, wallet: WALLET, account, priority: 1, expires_us }
}

/// 100 micro-credits in [`WALLET`] and accounts for two grants.
fn facts_with_accounts() -> Facts {
    let mut facts = facts_with(100);
    for account in [FIRST, SECOND] {
        facts.accounts.insert(account, AccountFacts { kind: AccountKind::Grant, is_closed: false });
        facts.wallets.insert(account, Wallet::default());
    }
    facts
}

/// As [`facts_with_accounts`], with 30 micro-credits that expire first and 20 that expire later.
fn facts_with_grants() -> Facts {
    let mut facts = facts_with_accounts();
    let mut batch = Batch::new(&mut facts, NOW_US, 1);
    assert_eq!(batch.give(&give(2, SECOND, 20, SECOND_EXPIRES_US)), Ok(Done::Posted));
    assert_eq!(batch.give(&give(3, FIRST, 30, FIRST_US)), Ok(Done::Posted));
    facts
}

fn balance(facts: &Facts, id: LedgerAccountId) -> (i64, i64) {
    let wallet = facts.wallets[&id];
    (wallet.credits - wallet.debits, wallet.held)
}

fn transactions(plan: &Plan) -> Vec<&TransactionEntry> {
    let mut found = Vec::new();
    for entry in &plan.entries {
        if let Entry::Transaction(transaction) = entry {
            found.push(transaction);
        }
    }
    found
}

fn held(plan: &Plan) -> &HoldEntry {
    match plan.entries.as_slice() {
        [Entry::Hold(hold)] => hold,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_grant_is_recorded_funded_and_seen_by_every_server() {
    let mut facts = facts_with_accounts();
    let version = facts.wallets[&WALLET].version;
    let mut batch = Batch::new(&mut facts, NOW_US, 1);
    let given = give(2, FIRST, 30, FIRST_US);
    assert_eq!(batch.give(&given), Ok(Done::Posted));
    assert_eq!(batch.give(&given), Ok(Done::Exists));
    let plan = batch.into_plan();
    let [Entry::Grant(grant), Entry::Transaction(funding)] = plan.entries.as_slice() else { panic!("{plan:?}") };
    assert_eq!((grant.id, grant.wallet, grant.account, grant.expires_us), (name(2), WALLET, FIRST, FIRST_US));
    assert_eq!((funding.id, &funding.legs), (name(2), &given.post.legs));
    assert_eq!(plan.granted, [OpenGrant(*grant)]);
    assert_eq!(facts.wallets[&WALLET].version, version + 1, "others read the wallet again");
    assert_eq!((facts.available(WALLET, NOW_US), balance(&facts, WALLET)), (130, (100, 0)));
}

#[test]
fn a_grant_that_makes_no_sense_is_refused() {
    let good = give(2, FIRST, 30, FIRST_US);
    let with = |change: fn(&mut GiveGrant)| {
        let mut give = good.clone();
        change(&mut give);
        give
    };
    for (give, refusal) in [
        (with(|give| give.expires_us = NOW_US), Refusal::OutOfRange),
        (with(|give| give.priority = -1), Refusal::OutOfRange),
        (with(|give| give.post.legs.clear()), Refusal::OutOfRange),
        (with(|give| give.post.legs[0].amount = Credits::ZERO), Refusal::OutOfRange),
        (with(|give| give.post.legs[0].credit = WALLET), Refusal::OutOfRange),
        (with(|give| give.post.effective_us = Some(NOW_US + 1)), Refusal::OutOfRange),
        (with(|give| give.wallet = PUBLISHER), Refusal::UnknownAccount(PUBLISHER)),
        (with(|give| give.wallet = FIRST), Refusal::UnknownAccount(FIRST)),
        (with(|give| give.wallet = STRANGER), Refusal::UnknownAccount(STRANGER)),
        (with(|give| give.post.id = name(1)), Refusal::Exists(Difference::Operation)),
    ] {
        let mut facts = facts_with_accounts();
        // What a wallet is named by is what it was: the refusal changes nothing.
        let before = facts.wallets.clone();
        let mut batch = Batch::new(&mut facts, NOW_US, 1);
        let decided = batch.give(&give);
        let is_other = matches!(decided, Err(Refusal::Exists(_))) && matches!(refusal, Refusal::Exists(_));
        assert!(decided == Err(refusal) || is_other, "{give:?}: {decided:?}");
        assert!(matches!(batch.into_plan().entries.as_slice(), [Entry::Refusal(_)]), "{give:?}");
        assert_eq!(facts.wallets, before, "{give:?}");
    }
    let mut facts = facts_with_grants();
    let mut batch = Batch::new(&mut facts, NOW_US, 1);
    assert_eq!(batch.give(&give(9, FIRST, 1, FIRST_US)), Err(Refusal::UnknownAccount(FIRST)), "one grant, one account");
    close(&mut facts, WALLET);
    let mut batch = Batch::new(&mut facts, NOW_US, 1);
    facts_closed(&mut batch);
}

fn facts_closed(batch: &mut Batch<'_>) {
    let third = give(9, LedgerAccountId::from_raw(4_003), 1, FIRST_US);
    batch.facts.accounts.insert(third.account, AccountFacts { kind: AccountKind::Grant, is_closed: false });
    batch.facts.wallets.insert(third.account, Wallet::default());
    assert_eq!(batch.give(&third), Err(Refusal::AccountClosed(WALLET)));
}

#[test]
fn a_hold_reserves_from_what_expires_first_and_then_from_the_wallet() {
    let mut facts = facts_with_grants();
    let mut batch = Batch::new(&mut facts, NOW_US, 1);
    assert_eq!(batch.hold(&hold(name(9), 70)), Ok(Done::Held));
    let plan = batch.into_plan();
    let sources: Vec<_> = held(&plan).sources.iter().map(|source| (source.account, source.amount.micros())).collect();
    assert_eq!(sources, [(FIRST, 30), (SECOND, 20)]);
    assert_eq!([FIRST, SECOND, WALLET].map(|id| balance(&facts, id)), [(30, 30), (20, 20), (100, 20)]);
    assert_eq!(facts.available(WALLET, NOW_US), 80);

    let mut batch = Batch::new(&mut facts, NOW_US, 1);
    let (limit, needed) = (Limit::Wallet(WALLET), micros(81));
    assert_eq!(batch.hold(&hold(name(10), 81)), Err(Refusal::Insufficient { limit, needed, available: micros(80) }));
    assert_eq!(batch.settle(&capture(name(11), name(9), 40)), captured(40));
    let plan = batch.into_plan();
    let charge = transactions(&plan)[0];
    assert_eq!(charge.legs, [leg(FIRST, PUBLISHER, 30), leg(SECOND, PUBLISHER, 10)]);
    assert_eq!([FIRST, SECOND, WALLET].map(|id| balance(&facts, id)), [(0, 0), (10, 0), (100, 0)]);
}

#[test]
fn a_wallet_whose_grants_pay_everything_changes_all_the_same() {
    let mut facts = facts_with_grants();
    let version = facts.wallets[&WALLET].version;
    let mut batch = Batch::new(&mut facts, NOW_US, 1);
    assert_eq!(batch.hold(&hold(name(9), 10)), Ok(Done::Held));
    assert_eq!(facts.wallets[&WALLET].version, version + 1);
    assert_eq!(balance(&facts, WALLET), (100, 0));
}

#[test]
fn what_is_left_at_the_expiry_goes_back_once() {
    let mut facts = facts_with_grants();
    let mut batch = Batch::new(&mut facts, FIRST_US - 1, 1);
    batch.sweep(10).unwrap();
    assert!(batch.into_plan().is_empty());
    assert_eq!(facts.available(WALLET, FIRST_US), 120, "before anybody has swept");
    let mut batch = Batch::new(&mut facts, FIRST_US + 5, 1);
    batch.sweep(10).unwrap();
    let plan = batch.into_plan();
    let lapse = transactions(&plan)[0];
    assert_eq!(lapse.legs, [leg(FIRST, LedgerAccountId::PROMO, 30)]);
    assert_eq!((lapse.kind, lapse.reverses), (TransactionKind::Grant, Some(name(3))));
    assert_eq!(lapse.effective_us, FIRST_US, "it counts when it expired");
    let told = Lapse { grant: name(3), account: FIRST, left: Credits::from_micros(30) };
    assert_eq!((plan.lapsed.as_slice(), balance(&facts, FIRST)), (&[told][..], (0, 0)));
    let mut batch = Batch::new(&mut facts, FIRST_US + 9, 1);
    batch.sweep(10).unwrap();
    assert!(batch.into_plan().is_empty());
}

#[test]
fn what_is_held_at_the_expiry_follows_its_hold() {
    for (asked, back) in [(70, 0), (20, 10), (0, 30)] {
        let mut facts = facts_with_grants();
        let mut batch = Batch::new(&mut facts, NOW_US, 1);
        assert_eq!(batch.hold(&hold(name(9), 70)), Ok(Done::Held));
        let mut batch = Batch::new(&mut facts, FIRST_US, 1);
        batch.sweep(10).unwrap();
        let plan = batch.into_plan();
        assert_eq!(transactions(&plan)[0].legs, [], "the lapse is recorded, nothing was left");
        assert_eq!(balance(&facts, FIRST), (30, 30));
        let mut batch = Batch::new(&mut facts, FIRST_US + 1, 1);
        assert_eq!(batch.settle(&capture(name(11), name(9), asked)), captured(asked));
        let plan = batch.into_plan();
        let returned: i64 = transactions(&plan)
            .iter()
            .flat_map(|transaction| &transaction.legs)
            .filter(|leg| leg.credit == LedgerAccountId::PROMO)
            .map(|leg| leg.amount.micros())
            .sum();
        assert_eq!(returned, back, "{asked} captured");
        assert_eq!(balance(&facts, FIRST), (0, 0), "{asked} captured");
        assert_eq!(facts.available(WALLET, FIRST_US + 1), 120 - (asked - 30).max(0), "{asked} captured");
    }
}

#[test]
fn the_account_of_a_grant_takes_part_in_nothing_by_itself() {
    let mut facts = facts_with_grants();
    let mut batch = Batch::new(&mut facts, NOW_US, 1);
    let wallet = PlaceHold { wallet: FIRST, ..hold(name(9), 1) };
    let payee = PlaceHold { payee: FIRST, ..hold(name(10), 1) };
    let partner = PlaceHold { partner: Some(FIRST), ..hold(name(11), 1) };
    for hold in [wallet, payee, partner] {
        assert_eq!(batch.hold(&hold), Err(Refusal::UnknownAccount(FIRST)), "{hold:?}");
    }
    // A refund may bring something back while the grant can be spent, and not after that.
    let refund = |number| post(name(number), &[leg(PUBLISHER, FIRST, 5)]);
    assert_eq!(batch.post(&refund(12)), Ok(Done::Posted));
    let mut batch = Batch::new(&mut facts, FIRST_US, 1);
    assert_eq!(batch.post(&refund(13)), Err(Refusal::AccountClosed(FIRST)));
    batch.sweep(10).unwrap();
    assert_eq!(batch.post(&refund(14)), Err(Refusal::AccountClosed(FIRST)));
}

#[test]
fn nothing_counts_later_than_it_is_recorded() {
    let mut facts = facts_with(100);
    let mut batch = Batch::new(&mut facts, NOW_US, 1);
    let at = |number, effective_us| Post {
        effective_us: Some(effective_us),
        ..post(name(number), &[leg(WALLET, PUBLISHER, 1)])
    };
    assert_eq!(batch.post(&at(5, NOW_US + 1)), Err(Refusal::OutOfRange));
    assert_eq!(batch.post(&at(6, NOW_US)), Ok(Done::Posted));
    assert_eq!(batch.post(&at(7, 0)), Ok(Done::Posted));
}
