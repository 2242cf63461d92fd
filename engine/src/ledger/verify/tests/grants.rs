//! Credits that expire: what holds took from them, and when they lapse.

use super::*;
use crate::ledger::grants::{GrantEntry, HoldSource};

const PURSE: LedgerAccountId = LedgerAccountId::from_raw(400);
const OTHER: LedgerAccountId = LedgerAccountId::from_raw(101);
const EXPIRES_US: i64 = NOW_US + 100;

fn grant() -> GrantEntry {
    GrantEntry { id: id(1), wallet: WALLET, account: PURSE, priority: 5, expires_us: EXPIRES_US }
}

fn funding() -> TransactionEntry {
    let kind = TransactionKind::Grant;
    TransactionEntry { kind, ..post(1, vec![leg(LedgerAccountId::PROMO, PURSE, 60)]) }
}

/// 60 of 100 held from the grant.
fn drawn(number: u128) -> HoldEntry {
    let sources = vec![HoldSource { grant: id(1), account: PURSE, amount: micros(60) }];
    HoldEntry { sources, counters: Vec::new(), ..hold(number, 100) }
}

fn lapse(number: u128, left: i64, effective_us: i64) -> TransactionEntry {
    let legs = if left > 0 { vec![leg(PURSE, LedgerAccountId::PROMO, left)] } else { Vec::new() };
    let kind = TransactionKind::Grant;
    TransactionEntry { kind, reverses: Some(id(1)), effective_us, ..post(number, legs) }
}

fn scribe() -> Scribe {
    let mut scribe = Scribe::new();
    for (id, kind, code) in [
        (PURSE, AccountKind::Grant, "liabilities:wallet:acc_1:grant:ent_1"),
        (OTHER, AccountKind::Wallet, "liabilities:wallet:acc_2"),
    ] {
        scribe.lines.push(Line::Account { id, kind, code: code.to_owned() });
    }
    scribe
}

fn check(what: &str, entries: Vec<Entry>, expected: &[(ProblemKind, &str, &str)]) {
    let mut scribe = scribe();
    scribe.batch(entries);
    let expected: Vec<_> = expected.iter().map(|(kind, table, key)| (*kind, *table, (*key).to_owned())).collect();
    assert_eq!(scribe.problems(), expected, "{what}");
}

fn given() -> Vec<Entry> {
    vec![Entry::Grant(grant()), transaction(funding())]
}

#[test]
fn a_grant_is_followed_by_what_funds_it() {
    const GRANT: ProblemKind = ProblemKind::GrantMismatch;
    check("as it should be", given(), &[]);
    check("nothing follows", vec![Entry::Grant(grant())], &[(GRANT, "wallet_grant", "0/1")]);
    let other = TransactionEntry { id: id(2), ..funding() };
    check("another follows", vec![Entry::Grant(grant()), transaction(other)], &[(GRANT, "wallet_grant", "0/1")]);
    let elsewhere = post(1, vec![leg(LedgerAccountId::PROMO, WALLET, 60)]);
    let entries = vec![Entry::Grant(grant()), transaction(elsewhere)];
    check("the money goes elsewhere", entries, &[(GRANT, "wallet_grant", "0/1")]);
    let of_a_grant = GrantEntry { wallet: PURSE, account: WALLET, ..grant() };
    let unknown = ProblemKind::UnknownAccount;
    let entries = vec![Entry::Grant(of_a_grant), transaction(post(1, vec![leg(LedgerAccountId::PROMO, WALLET, 1)]))];
    check(
        "wallet and grant are swapped",
        entries,
        &[(unknown, "wallet_grant", "0/1"), (unknown, "wallet_grant", "0/1")],
    );
    let second = GrantEntry { id: id(2), ..grant() };
    let mut entries = given();
    entries.extend([Entry::Grant(second), transaction(TransactionEntry { id: id(2), ..funding() })]);
    check("a second one in the account", entries, &[(GRANT, "wallet_grant", "0/3")]);
}

#[test]
fn a_hold_takes_from_grants_of_its_wallet_before_they_expire() {
    const SOURCE: (ProblemKind, &str, &str) = (ProblemKind::GrantMismatch, "hold_source", "0/3");
    let with = |hold: HoldEntry| {
        let mut entries = given();
        entries.push(Entry::Hold(hold));
        entries
    };
    let source = |grant, account, amount| HoldSource { grant: id(grant), account, amount: micros(amount) };
    check("as it should be", with(drawn(9)), &[]);
    let of_other = HoldEntry { wallet: OTHER, ..drawn(9) };
    check("of another wallet", with(of_other), &[SOURCE]);
    check("more than all", with(HoldEntry { amount: micros(59), ..drawn(9) }), &[SOURCE]);
    check("nothing", with(HoldEntry { sources: vec![source(1, PURSE, 0)], ..drawn(9) }), &[SOURCE]);
    check("of no grant", with(HoldEntry { sources: vec![source(8, PURSE, 60)], ..drawn(9) }), &[SOURCE]);
    check("elsewhere", with(HoldEntry { sources: vec![source(1, OTHER, 60)], ..drawn(9) }), &[SOURCE]);

    let mut late = scribe();
    late.batch(given());
    late.recorded_us = EXPIRES_US;
    late.batch(vec![Entry::Hold(drawn(9))]);
    assert_eq!(late.problems(), [(SOURCE.0, SOURCE.1, SOURCE.2.to_owned())], "at the instant of its expiry");
}

#[test]
fn a_charge_drains_the_grants_first() {
    const SHARES: (ProblemKind, &str, &str) = (ProblemKind::SettlementMismatch, "txn", "0/5");
    let shares = [
        leg(PURSE, PAYEE, 60),
        leg(WALLET, PAYEE, 3),
        leg(WALLET, PARTNER, 9),
        leg(WALLET, LedgerAccountId::PLATFORM_FEE, 18),
    ];
    let with = |legs: &[Leg]| {
        let mut entries = given();
        let charge = TransactionEntry { kind: TransactionKind::Charge, hold: Some(id(9)), ..post(9, legs.to_vec()) };
        let settlement = Entry::Settlement(settle(9, Settled::Captured, 90));
        entries.extend([Entry::Hold(drawn(9)), settlement, transaction(charge)]);
        entries
    };
    check("as it should be", with(&shares), &[]);
    let wallet_first = [
        leg(WALLET, PAYEE, 40),
        leg(PURSE, PAYEE, 23),
        leg(PURSE, PARTNER, 9),
        leg(PURSE, LedgerAccountId::PLATFORM_FEE, 18),
    ];
    check("the wallet first", with(&wallet_first), &[SHARES]);
    check("all from the wallet", with(&[leg(WALLET, PAYEE, 63), shares[2], shares[3]]), &[SHARES]);
}

#[test]
fn working_state_is_compared_with_grants_that_have_not_lapsed() {
    const STATE: ProblemKind = ProblemKind::ProjectionMismatch;
    let beside = |scribe: &Scribe, stored: &[GrantEntry]| {
        let lines = stored.iter().map(|grant| Line::OpenGrant(*grant)).collect();
        let problems = scribe.findings(lines).problems.into_iter();
        problems.filter(|it| it.table == "open_grant").map(|it| (it.kind, it.key)).collect::<Vec<_>>()
    };
    let key = || PURSE.to_string();
    let mut scribe = scribe();
    scribe.batch(given());
    assert_eq!(beside(&scribe, &[grant()]), []);
    assert_eq!(beside(&scribe, &[]), [(STATE, key())]);
    for other in [
        GrantEntry { priority: 6, ..grant() },
        GrantEntry { expires_us: EXPIRES_US + 1, ..grant() },
        GrantEntry { wallet: OTHER, ..grant() },
    ] {
        assert_eq!(beside(&scribe, &[other]), [(STATE, key())], "{other:?}");
    }
    assert_eq!(beside(&scribe, &[grant(), GrantEntry { id: id(7), ..grant() }]), [(STATE, key())]);
    scribe.batch(vec![transaction(lapse(20, 60, EXPIRES_US))]);
    assert_eq!(beside(&scribe, &[]), []);
    assert_eq!(beside(&scribe, &[grant()]), [(STATE, key())], "it has lapsed");
    assert_eq!(scribe.problems(), []);
}

#[test]
fn a_grant_does_not_lapse_before_it_expires() {
    let mut entries = given();
    entries.push(transaction(lapse(20, 60, EXPIRES_US - 1)));
    check("too early", entries, &[(ProblemKind::GrantMismatch, "wallet_grant", "0/1")]);
    let mut entries = given();
    entries.extend([transaction(lapse(20, 0, EXPIRES_US)), transaction(lapse(21, 60, EXPIRES_US + 7))]);
    check("in two steps", entries, &[]);
}

#[test]
fn a_grants_account_says_that_it_is_one() {
    for (kind, code, is_right) in [
        (AccountKind::Grant, "liabilities:wallet:acc_1:grant:ent_1", true),
        (AccountKind::Grant, "liabilities:wallet:acc_1", false),
        (AccountKind::Wallet, "liabilities:wallet:acc_1:grant:ent_1", false),
        (AccountKind::Grant, "liabilities:payable:acc_1:grant:ent_1", false),
    ] {
        assert_eq!(kind.has_code(code), is_right, "{kind:?} {code}");
    }
}
