//! Holds that end in another slot than they began in. Slots are read one after the other, whatever came first.

use ProblemKind::{DoubleSettlement, SettlementMismatch};
use Settled::{Captured, Released};

use super::*;

/// Books with these entries in slot 0, 1, 2…, a batch in each.
fn books(slots: Vec<Vec<Entry>>) -> Scribe {
    let mut scribe = Scribe::new();
    for (slot, entries) in (0..).zip(slots) {
        (scribe.slot, scribe.batch_no, scribe.seq, scribe.hash) = (slot, 0, 0, GENESIS);
        scribe.batch(entries);
    }
    scribe
}

fn check(name: &str, slots: Vec<Vec<Entry>>, expected: &[(ProblemKind, &str, &str)]) {
    let found = books(slots).problems();
    let found: Vec<_> = found.iter().map(|(kind, table, key)| (*kind, *table, &**key)).collect();
    assert_eq!(found, expected, "{name}");
}

fn placed() -> Vec<Entry> {
    vec![Entry::Hold(hold(1, 100))]
}

/// The end of that hold, with its charge where something is taken.
fn ended(settled: Settled, captured: i64, charge: Option<TransactionEntry>) -> Vec<Entry> {
    [Entry::Settlement(settle(1, settled, captured))].into_iter().chain(charge.map(transaction)).collect()
}

/// Half of the hold, shared as agreed.
fn half() -> TransactionEntry {
    charge(1, [35, 5, 10])
}

#[test]
fn a_hold_may_end_in_an_earlier_or_a_later_slot() {
    for (name, end) in [
        ("a capture", ended(Captured, 50, Some(half()))),
        ("a capture of nothing", ended(Captured, 0, None)),
        ("a release", ended(Released, 0, None)),
    ] {
        check(name, vec![placed(), end.clone()], &[]);
        check(name, vec![end, placed()], &[]);
    }
}

#[test]
fn what_is_kept_beside_the_books_knows_no_order_of_slots() {
    let scribe = books(vec![ended(Captured, 50, Some(half())), placed()]);
    let hot = |id, credits| Line::Hot { id, slot: 0, credits, debits: 0 };
    let key = CounterKey { cap: CapId::from(Uuid::from_u128(9)), start_us: 0 };
    let heads = scribe.findings(Vec::new()).heads.into_iter().map(Line::Head);
    let beside = [
        Line::Wallet { id: WALLET, credits: 0, debits: 50, held: 0 },
        hot(LedgerAccountId::PLATFORM_FEE, 10),
        hot(PAYEE, 35),
        hot(PARTNER, 5),
        Line::Counter(key, Counter { spent: 50, held: 0 }),
    ];
    assert_eq!(scribe.findings(beside.into_iter().chain(heads).collect()).problems, []);
}

#[test]
fn heads_of_slots_that_were_never_used_are_no_problem() {
    let scribe = books(vec![placed()]);
    let head = |slot, epoch, batch_no, hash| {
        let unused = ChainHead { slot, epoch, batch_no, seq: 0, last_us: 0, hash };
        let findings = scribe.findings(vec![scribe.head(), Line::Head(unused)]);
        findings.problems.into_iter().filter(|problem| problem.kind == ProblemKind::HeadMismatch).count()
    };
    // A server may have owned one and written nothing.
    assert_eq!((head(1, 0, 0, GENESIS), head(15, 3, 0, GENESIS)), (0, 0));
    assert_eq!((head(1, 0, 1, GENESIS), head(1, 0, 0, [1; 32])), (1, 1));
}

#[test]
fn an_end_that_the_hold_does_not_allow_is_found_wherever_it_stands() {
    for (name, end, expected) in [
        ("more than the hold", ended(Captured, 200, Some(charge(1, [140, 20, 40]))), "hold_resolution"),
        ("a release that charges", ended(Released, 50, Some(half())), "hold_resolution"),
        ("no charge", ended(Captured, 50, None), "hold_resolution"),
        ("other shares", ended(Captured, 50, Some(charge(1, [34, 6, 10]))), "txn"),
        ("another identifier", ended(Captured, 50, Some(TransactionEntry { id: id(5), ..half() })), "txn"),
    ] {
        let seq = if expected == "txn" { 2 } else { 1 };
        check(name, vec![placed(), end.clone()], &[(SettlementMismatch, expected, &format!("1/{seq}"))]);
        check(name, vec![end, placed()], &[(SettlementMismatch, expected, &format!("0/{seq}"))]);
    }
}

#[test]
fn a_hold_ends_in_one_slot_only() {
    let end = || ended(Released, 0, None);
    let found = |key: &'static str| [(DoubleSettlement, "hold_resolution", key)];
    check("both before", vec![end(), end(), placed()], &found("1/1"));
    check("one before, one after", vec![end(), placed(), end()], &found("2/1"));
    check("both after", vec![placed(), end(), end()], &found("2/1"));
    check("no hold anywhere", vec![end(), vec![transaction(post(7, Vec::new()))]], &found("0/1"));
}

#[test]
fn within_a_slot_a_hold_is_placed_first() {
    let backwards: Vec<_> = ended(Captured, 50, Some(half())).into_iter().chain(placed()).collect();
    check("an end before its hold", vec![backwards], &[(DoubleSettlement, "hold_resolution", "0/1")]);
}
