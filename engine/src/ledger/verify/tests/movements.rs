//! What goes back or out is found if it is not what it may be, though all hashes are right.

use ProblemKind::{ProjectionMismatch, ReversalMismatch};

use super::*;
use crate::ledger::movement::{RefundTotal, Statement};

const DEBTOR: LedgerAccountId = PAYEE.receivable();
const FEE: LedgerAccountId = LedgerAccountId::PLATFORM_FEE;
const BANK: LedgerAccountId = LedgerAccountId::CLEARING_MANUAL;

fn total(captured: i64, refunded: i64) -> Line {
    Line::RefundTotal(id(1), RefundTotal { captured, refunded })
}

/// A charge of 100 that went 70, 10, 20, and then `backs` of it.
fn books(stored: Option<Line>, backs: Vec<TransactionEntry>) -> Vec<(ProblemKind, &'static str, String)> {
    let mut scribe = Scribe::new();
    scribe.lines.push(Line::Account {
        id: DEBTOR,
        kind: AccountKind::Receivable,
        code: AccountKind::Receivable.code(""),
    });
    scribe.lines.extend(stored);
    let mut entries = vec![Entry::Hold(hold(1, 100)), Entry::Settlement(settle(1, Settled::Captured, 100))];
    entries.push(transaction(charge(1, [70, 10, 20])));
    entries.extend(backs.into_iter().map(transaction));
    let problems = scribe.batch(entries).findings(Vec::new()).problems.into_iter();
    let is_ours =
        |problem: &Problem| problem.kind == ReversalMismatch || matches!(problem.table, "refund_total" | "payout");
    problems.filter(is_ours).map(|it| (it.kind, it.table, it.key)).collect()
}

fn back(number: u128, legs: Vec<Leg>) -> TransactionEntry {
    TransactionEntry { kind: TransactionKind::Refund, reverses: Some(id(1)), ..post(number, legs) }
}

fn shares(publisher: i64, partner: i64, platform: i64) -> Vec<Leg> {
    let all = [leg(PAYEE, WALLET, publisher), leg(PARTNER, WALLET, partner), leg(FEE, WALLET, platform)];
    all.into_iter().filter(|leg| leg.amount > Credits::ZERO).collect()
}

#[test]
fn what_went_back_in_shares_is_sound_in_any_order() {
    let owed = vec![leg(PAYEE, WALLET, 3), leg(DEBTOR, WALLET, 32), leg(PARTNER, WALLET, 5), leg(FEE, WALLET, 10)];
    for (name, stored, backs) in [
        ("nothing", None, vec![]),
        ("one unit", Some(total(100, 1)), vec![back(2, shares(1, 0, 0))]),
        ("a half, some of it owed", Some(total(100, 50)), vec![back(2, owed)]),
        ("two parts", Some(total(100, 100)), vec![back(2, shares(36, 5, 10)), back(3, shares(34, 5, 10))]),
        ("the second part first", Some(total(100, 100)), vec![back(3, shares(34, 5, 10)), back(2, shares(36, 5, 10))]),
    ] {
        assert_eq!(books(stored, backs), [], "{name}");
    }
}

#[test]
fn what_went_back_otherwise_is_found() {
    let half = || vec![back(2, shares(35, 5, 10))];
    let row = |kind| (kind, "refund_total", id(1).to_string());
    let txn = |seq: i64| (ReversalMismatch, "txn", format!("0/{seq}"));
    for (name, stored, backs, expected) in [
        ("no row", None, half(), vec![row(ProjectionMismatch)]),
        ("a row too many", Some(total(100, 50)), vec![], vec![row(ProjectionMismatch)]),
        ("another sum", Some(total(100, 49)), half(), vec![row(ProjectionMismatch)]),
        ("another charge", Some(total(101, 50)), half(), vec![row(ProjectionMismatch)]),
        ("other shares", Some(total(100, 50)), vec![back(2, shares(34, 6, 10))], vec![txn(4)]),
        ("from somebody else", Some(total(100, 5)), vec![back(2, vec![leg(BANK, WALLET, 5)])], vec![txn(4)]),
        ("to somebody else", Some(total(100, 1)), vec![back(2, vec![leg(PAYEE, BANK, 1)])], vec![txn(4)]),
        (
            "more than was charged",
            Some(total(100, 150)),
            vec![back(2, shares(70, 10, 20)), back(3, shares(35, 5, 10))],
            vec![txn(5)],
        ),
        ("of nothing", None, vec![TransactionEntry { reverses: None, ..back(2, vec![]) }], vec![txn(4)]),
    ] {
        assert_eq!(books(stored, backs), expected, "{name}");
    }
}

#[test]
fn a_payout_is_what_its_statement_says() {
    let statement = Statement { account: PAYEE, credits: 70, debits: 0, netted: 5, paid: 60, note: None };
    let payout =
        |legs| TransactionEntry { kind: TransactionKind::Payout, meta: Some(statement.digest()), ..post(2, legs) };
    let sound = || payout(vec![leg(PAYEE, DEBTOR, 5), leg(PAYEE, BANK, 60)]);
    let row = |kind| (kind, "payout", id(2).to_string());
    let line = |statement| Some(Line::Statement(id(2), statement));
    assert_eq!(books(line(statement), vec![sound()]), []);
    for (name, stored, entry, expected) in [
        ("no row", None, sound(), row(ProjectionMismatch)),
        ("another sum", line(Statement { credits: 71, ..statement }), sound(), row(ProjectionMismatch)),
        ("another reason", line(Statement { note: Some([7; 32]), ..statement }), sound(), row(ProjectionMismatch)),
        (
            "other postings",
            line(statement),
            payout(vec![leg(PAYEE, BANK, 65)]),
            (ReversalMismatch, "txn", "0/4".to_owned()),
        ),
    ] {
        assert_eq!(books(stored, vec![entry]), [expected], "{name}");
    }
    assert_eq!(books(line(statement), vec![]), [row(ProjectionMismatch)], "a row without a payout");
}
