use uuid::Uuid;

use super::*;
use crate::{
    ledger::{LedgerAccountId, OnExpiry, leaf::HoldEntry},
    pricing::ShareTerms,
};

const WALLET: LedgerAccountId = LedgerAccountId::from_raw(1);
const PAYEE: LedgerAccountId = LedgerAccountId::from_raw(2);
const FEE: LedgerAccountId = LedgerAccountId::PLATFORM_FEE;

const fn account(number: i64) -> LedgerAccountId {
    LedgerAccountId::from_raw(100 + number)
}

fn id(number: u128) -> EntryId {
    EntryId::from(Uuid::from_u128(number))
}

fn micros(amount: i64) -> Credits {
    Credits::from_micros(amount)
}

fn grant(number: u128, priority: i64, expires_us: i64) -> OpenGrant {
    let account = account(i64::try_from(number).unwrap());
    OpenGrant(GrantEntry { id: id(number), wallet: WALLET, account, priority, expires_us })
}

fn hold(amount: i64, sources: &[(i64, i64)]) -> HoldEntry {
    let source = |(number, amount): &(i64, i64)| HoldSource {
        grant: id(u128::try_from(*number).unwrap()),
        account: account(*number),
        amount: micros(*amount),
    };
    HoldEntry {
        id: id(9),
        wallet: WALLET,
        payee: PAYEE,
        amount: micros(amount),
        ttl_us: 0,
        shares: ShareTerms::new(10_000, 0).unwrap(),
        partner: None,
        on_expiry: OnExpiry::Release,
        counters: Vec::new(),
        sources: sources.iter().map(source).collect(),
        meta: None,
    }
}

#[test]
fn grants_are_spent_by_priority_then_soonest_first_then_oldest_first() {
    let mut grants = Grants::default();
    for open in [grant(5, 2, 10), grant(4, 1, 30), grant(3, 1, 20), grant(2, 1, 20), grant(1, 3, 5)] {
        grants.insert(open);
    }
    let order: Vec<_> = grants.of(WALLET).iter().map(|open| open.0.id).collect();
    assert_eq!(order, [id(2), id(3), id(4), id(5), id(1)]);
    grants.insert(grant(4, 0, 30));
    assert_eq!(grants.of(WALLET).first().map(|open| open.0.id), Some(id(4)), "read again, not twice");
    assert_eq!(grants.of(WALLET).len(), 5);
    grants.remove(account(3));
    assert!(grants.find(account(3)).is_none() && grants.find(account(2)).is_some());
    assert_eq!(grants.forget(account(2)), WALLET);
    assert!(grants.of(WALLET).is_empty() && grants.find(account(5)).is_none());
    assert_eq!(grants.forget(WALLET), WALLET);
}

#[test]
fn a_hold_takes_what_is_left_of_live_grants_only() {
    let mut grants = Grants::default();
    let mut balances = HashMap::new();
    for (open, credits, held) in
        [(grant(1, 1, 10), 50, 0), (grant(2, 1, 20), 30, 30), (grant(3, 1, 30), 30, 10), (grant(4, 2, 40), 100, 0)]
    {
        grants.insert(open);
        balances.insert(open.0.account, Wallet { credits, held, ..Wallet::default() });
    }
    let taken = |amount, now_us| {
        let sources = grants.sources(WALLET, micros(amount), &balances, now_us);
        sources.iter().map(|source| (source.account, source.amount.micros())).collect::<Vec<_>>()
    };
    assert_eq!(taken(60, 9), [(account(1), 50), (account(3), 10)]);
    assert_eq!(taken(60, 10), [(account(3), 20), (account(4), 40)], "at the instant of its expiry it has expired");
    assert_eq!(taken(500, 9), [(account(1), 50), (account(3), 20), (account(4), 100)]);
    assert_eq!(taken(0, 9), []);
    for (now_us, available) in [(9, 170), (10, 120), (30, 100), (40, 0)] {
        assert_eq!(grants.available(WALLET, &balances, now_us), available, "at {now_us}");
    }
    assert_eq!(grants.available(PAYEE, &balances, 9), 0);
}

#[test]
fn a_capture_drains_the_grants_in_order_and_every_share_goes_on_where_the_last_one_stopped() {
    let hold = hold(100, &[(1, 30), (2, 20)]);
    for (captured, expected) in [
        (0, [(30, 0), (20, 0), (50, 0)]),
        (10, [(30, 10), (20, 0), (50, 0)]),
        (30, [(30, 30), (20, 0), (50, 0)]),
        (45, [(30, 30), (20, 15), (50, 0)]),
        (100, [(30, 30), (20, 20), (50, 50)]),
    ] {
        let found = parts(&hold, micros(captured)).iter().map(|part| (part.held, part.captured)).collect::<Vec<_>>();
        assert_eq!(found, expected, "{captured}");
    }
    let leg = |debit, credit, amount| Leg { debit, credit, amount: micros(amount) };
    let paid = |captured, shares: &[(LedgerAccountId, i64)]| {
        let shares = shares.iter().map(|(account, amount)| (*account, micros(*amount)));
        pay(&parts(&hold, micros(captured)), shares)
    };
    assert_eq!(
        paid(60, &[(PAYEE, 40), (FEE, 20)]),
        [leg(account(1), PAYEE, 30), leg(account(2), PAYEE, 10), leg(account(2), FEE, 10), leg(WALLET, FEE, 10),]
    );
    assert_eq!(paid(30, &[(PAYEE, 0), (FEE, 30)]), [leg(account(1), FEE, 30)]);
    assert_eq!(paid(50, &[(PAYEE, 50), (FEE, 0)]), [leg(account(1), PAYEE, 30), leg(account(2), PAYEE, 20)]);
    assert_eq!(paid(0, &[(PAYEE, 0), (FEE, 0)]), []);
}

#[test]
fn a_refund_goes_where_it_came_from_until_that_has_expired() {
    let mut grants = Grants::default();
    grants.insert(grant(1, 1, 10));
    for (debited, now_us, expected) in
        [(WALLET, 0, WALLET), (account(1), 9, account(1)), (account(1), 10, WALLET), (account(2), 9, WALLET)]
    {
        assert_eq!(grants.refund_account(debited, WALLET, now_us), expected, "{debited} at {now_us}");
    }
}

#[test]
fn only_the_soonest_expiries_are_remembered_and_more_are_asked_for() {
    let mut expiries = Expiries::default();
    assert!(!expiries.wants_more());
    let many = i64::try_from(EXPIRIES_MAX).unwrap();
    for number in (1..=many + 5).rev() {
        expiries.insert(grant(u128::try_from(number).unwrap(), 0, number));
    }
    let due = expiries.due(i64::MAX, usize::MAX);
    assert_eq!((due.len(), due.last().unwrap().0), (EXPIRIES_MAX, many));
    assert_eq!(expiries.due(3, 2).iter().map(|(us, ..)| *us).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(expiries.due(0, 2), []);
    expiries.insert(grant(7_777, 0, many + 9));
    assert_eq!(expiries.due(i64::MAX, usize::MAX).len(), EXPIRIES_MAX, "it comes when the sooner ones are over");
    for expiry in due {
        assert!(!expiries.wants_more());
        expiries.remove(&expiry);
    }
    assert!(expiries.wants_more());
    let expiries = Expiries::of([grant(1, 0, 5)], false);
    assert!(!expiries.wants_more() && expiries.due(5, 9).len() == 1);
}

#[test]
fn every_step_of_a_lapse_has_a_name_of_its_own() {
    let names = [lapse_id(id(1), 1), lapse_id(id(1), 2), lapse_id(id(2), 1)];
    assert!(names.iter().enumerate().all(|(at, name)| !names.iter().skip(at + 1).any(|other| other == name)));
    assert_eq!(lapse_id(id(1), 1), names[0], "and always the same");
    assert_eq!(names[0].uuid().get_version_num(), 8);
}
