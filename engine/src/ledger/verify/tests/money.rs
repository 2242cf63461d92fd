//! Money that does not follow its hold is found though all hashes are right.

use ProblemKind::{DoubleSettlement, DuplicateId, SettlementMismatch, UnknownAccount};
use Settled::{Captured, CapturedAtExpiry, Expired, Released};

use super::*;

const NOBODY: LedgerAccountId = LedgerAccountId::from_raw(77);

/// What is found in a batch of these entries: kind, table and key.
fn check(name: &str, entries: Vec<Entry>, expected: &[(ProblemKind, &str, &str)]) {
    let found = Scribe::new().batch(entries).problems();
    let found: Vec<_> = found.iter().map(|(kind, table, key)| (*kind, *table, &**key)).collect();
    assert_eq!(found, expected, "{name}");
}

fn at_expiry(amount: i64) -> HoldEntry {
    HoldEntry { on_expiry: OnExpiry::Capture(micros(amount)), ..hold(1, 100) }
}

/// A hold and how it ends, with the charge where something is taken.
fn ended(hold: HoldEntry, settled: Settled, captured: i64, charge: Option<TransactionEntry>) -> Vec<Entry> {
    let settlement = Entry::Settlement(settle(1, settled, captured));
    [Entry::Hold(hold), settlement].into_iter().chain(charge.map(transaction)).collect()
}

/// Half of a hold of 100, shared as agreed.
fn half() -> TransactionEntry {
    charge(1, [35, 5, 10])
}

#[test]
fn a_hold_may_end_as_it_agreed_to() {
    for (name, entries) in [
        ("a capture", ended(hold(1, 100), Captured, 50, Some(half()))),
        ("a capture of all", ended(hold(1, 50), Captured, 50, Some(half()))),
        ("a capture of nothing", ended(hold(1, 100), Captured, 0, None)),
        ("a capture of one unit", ended(hold(1, 100), Captured, 1, Some(charge(1, [0, 0, 1])))),
        ("a release", ended(hold(1, 100), Released, 0, None)),
        ("an expiry", ended(hold(1, 100), Expired, 0, None)),
        ("a charge at expiry", ended(at_expiry(50), CapturedAtExpiry, 50, Some(half()))),
        ("at most the hold", ended(at_expiry(500), CapturedAtExpiry, 100, Some(charge(1, [70, 10, 20])))),
    ] {
        check(name, entries, &[]);
    }
}

#[test]
fn a_hold_may_not_end_otherwise() {
    for (name, entries) in [
        ("more than the hold", ended(hold(1, 49), Captured, 50, Some(half()))),
        ("less than nothing", ended(hold(1, 49), Captured, -1, None)),
        ("a release that charges", ended(hold(1, 100), Released, 50, Some(half()))),
        ("an expiry that charges", ended(hold(1, 100), Expired, 50, Some(half()))),
        ("an expiry where a charge was agreed", ended(at_expiry(50), Expired, 0, None)),
        ("a charge at expiry that was not agreed", ended(hold(1, 100), CapturedAtExpiry, 50, Some(half()))),
        ("another charge at expiry", ended(at_expiry(49), CapturedAtExpiry, 50, Some(half()))),
        ("no charge", ended(hold(1, 100), Captured, 50, None)),
    ] {
        check(name, entries, &[(SettlementMismatch, "hold_resolution", "0/2")]);
    }
}

#[test]
fn a_charge_is_what_was_captured() {
    let swapped = half().legs.into_iter().rev().collect();
    let platform = leg(WALLET, LedgerAccountId::PLATFORM_FEE, 10);
    let to_partner = vec![leg(WALLET, PARTNER, 35), leg(WALLET, PARTNER, 5), platform];
    for (name, charge) in [
        ("other shares", charge(1, [34, 6, 10])),
        ("more than captured", charge(1, [35, 5, 11])),
        ("less than captured", charge(1, [35, 5, 0])),
        ("another order", TransactionEntry { legs: swapped, ..half() }),
        ("another payee", TransactionEntry { legs: to_partner, ..half() }),
        ("another identifier", TransactionEntry { id: id(5), ..half() }),
        ("another kind", TransactionEntry { kind: TransactionKind::Refund, ..half() }),
        ("other metadata", TransactionEntry { meta: Some(sha256(b"x")), ..half() }),
    ] {
        check(name, ended(hold(1, 100), Captured, 50, Some(charge)), &[(SettlementMismatch, "txn", "0/3")]);
    }
}

#[test]
fn a_charge_follows_its_settlement_at_once() {
    let unasked = vec![transaction(half())];
    check("a charge of nothing captured", unasked, &[(SettlementMismatch, "txn", "0/1")]);
    let mut late = ended(hold(1, 100), Captured, 50, Some(post(7, Vec::new())));
    late.push(transaction(half()));
    let expected = [(SettlementMismatch, "hold_resolution", "0/2"), (SettlementMismatch, "txn", "0/4")];
    check("something between", late, &expected);
}

#[test]
fn a_hold_ends_once_and_only_after_it_began() {
    let mut twice = ended(hold(1, 100), Captured, 50, Some(half()));
    twice.push(Entry::Settlement(settle(1, Released, 0)));
    check("two settlements", twice, &[(DoubleSettlement, "hold_resolution", "0/4")]);
    let unheld = vec![Entry::Settlement(settle(1, Captured, 50)), transaction(half())];
    check("no hold", unheld, &[(DoubleSettlement, "hold_resolution", "0/1")]);
    let doubled = vec![Entry::Hold(hold(1, 100)), Entry::Hold(hold(1, 100))];
    check("a hold twice", doubled, &[(DuplicateId, "hold", "0/2")]);
}

#[test]
fn accounts_exist_before_money_moves() {
    for (name, hold) in [
        ("wallet", HoldEntry { wallet: NOBODY, ..hold(1, 1) }),
        ("payee", HoldEntry { payee: NOBODY, ..hold(1, 1) }),
        ("partner", HoldEntry { partner: Some(NOBODY), ..hold(1, 1) }),
    ] {
        check(name, vec![Entry::Hold(hold)], &[(UnknownAccount, "hold", "0/1")]);
    }
    for (debit, credit) in [(NOBODY, WALLET), (WALLET, NOBODY)] {
        let legs = vec![leg(WALLET, PAYEE, 1), leg(debit, credit, 1)];
        check("posting", vec![transaction(post(1, legs))], &[(UnknownAccount, "posting", "0/1/1")]);
    }
    let reason = "unknown_account";
    let refusal = RefusalEntry { id: id(1), wallet: Some(NOBODY), reason, needed: Credits::ZERO };
    check("a refusal may name nobody", vec![Entry::Refusal(refusal)], &[]);
}

/// A hold and its capture of half, in a batch each, and the counter that they name.
#[test]
fn counters_are_added_up_as_far_as_they_are_said_to_be_true() {
    let problems = |counted: Option<i64>, counter: Option<(i64, i64)>| {
        let mut scribe = Scribe::new();
        scribe.lines.extend(counted.map(|seq| Line::CountedTo(Position { slot: 0, seq })));
        scribe.batch(vec![Entry::Hold(hold(1, 100))]);
        scribe.batch(vec![Entry::Settlement(settle(1, Captured, 50)), transaction(half())]);
        let hot = |id, credits| Line::Hot { id, slot: 0, credits, debits: 0 };
        let key = CounterKey { cap: CapId::from(Uuid::from_u128(9)), start_us: 0 };
        let beside = [
            Line::Wallet { id: WALLET, credits: 0, debits: 50, held: 0 },
            hot(LedgerAccountId::PLATFORM_FEE, 10),
            hot(PAYEE, 35),
            hot(PARTNER, 5),
        ];
        let counter = counter.map(|(spent, held)| Line::Counter(key, Counter { spent, held }));
        let lines = beside.into_iter().chain(counter).chain([scribe.head()]).collect();
        let found = scribe.findings(lines).problems;
        found.into_iter().map(|problem| problem.table).collect::<Vec<_>>()
    };
    let (nothing, held, spent) = (None, Some((0, 100)), Some((50, 0)));
    for (counted, counter) in [(None, spent), (Some(3), spent), (Some(2), spent), (Some(1), held), (Some(0), nothing)] {
        assert_eq!(problems(counted, counter), [""; 0], "{counted:?}");
    }
    for (counted, counter) in [(None, held), (Some(3), held), (Some(2), held), (Some(1), spent), (Some(0), held)] {
        assert!(problems(counted, counter).contains(&"cap_window"), "{counted:?} {counter:?}");
    }
    assert_eq!(problems(Some(2), nothing), ["cap_window"]);
    assert_eq!(problems(Some(4), spent), ["chain_head"], "beyond the end");
    assert_eq!(problems(Some(i64::MAX), spent), ["chain_head"]);
    assert!(problems(Some(-1), nothing).contains(&"chain_head"));
}
