//! Closed periods: the closes in the chain, and the trial balances beside them.

use super::*;
use crate::ledger::periods::{BalanceRow, PeriodClose, balance_key, digest, trial_balance};
use std::collections::BTreeMap;

const START_US: i64 = NOW_US - 1_000;
const END_US: i64 = NOW_US - 10;

/// What `legs` make of the trial balance that ended with `before`.
fn lines(before: &[BalanceRow], legs: &[Leg]) -> Vec<BalanceRow> {
    let kind = |account: LedgerAccountId| match account {
        WALLET => AccountKind::Wallet,
        PAYEE => AccountKind::Payable,
        LedgerAccountId::OPENING => AccountKind::Opening,
        other => panic!("{other}"),
    };
    let mut moved: BTreeMap<_, (i128, i128)> = BTreeMap::new();
    for leg in legs {
        let amount = i128::from(leg.amount.micros());
        moved.entry(balance_key(kind(leg.debit), leg.debit)).or_default().0 += amount;
        moved.entry(balance_key(kind(leg.credit), leg.credit)).or_default().1 += amount;
    }
    trial_balance(before, &moved).unwrap()
}

fn close(period: i64, (start_us, end_us): (i64, i64), seq: i64, rows: &[BalanceRow]) -> PeriodClose {
    let cut = vec![Position { slot: 0, seq }];
    let id = id(1_000 + u128::try_from(period).unwrap());
    PeriodClose { id, period, start_us, end_us, cut, digest: digest(period, rows) }
}

fn at(number: u128, effective_us: i64, legs: &[Leg]) -> Entry {
    transaction(TransactionEntry { effective_us, ..post(number, legs.to_vec()) })
}

/// Two closed periods: one transaction in the first, one in time and one late in the second, one in the open one.
struct Books {
    closes: [PeriodClose; 2],
    lines: Vec<(i64, BalanceRow)>,
    entries: Vec<Entry>,
}

fn books() -> Books {
    let funding = leg(LedgerAccountId::OPENING, WALLET, 100);
    let paid = leg(WALLET, PAYEE, 30);
    let first = lines(&[], &[funding]);
    let second = lines(&first, &[paid, paid]);
    let closes = [close(1, (START_US, END_US), 1, &first), close(2, (END_US, NOW_US), 4, &second)];
    let entries = vec![
        at(1, START_US - 5, &[funding]),
        Entry::Close(closes[0].clone()),
        at(2, END_US, &[paid]),
        at(3, START_US, &[paid]),
        Entry::Close(closes[1].clone()),
        at(4, START_US, &[paid]),
    ];
    let stored = first.iter().map(|row| (1, *row)).chain(second.iter().map(|row| (2, *row)));
    Books { lines: stored.collect(), closes, entries }
}

fn problems(books: &Books) -> Vec<(ProblemKind, &'static str, String)> {
    let mut scribe = Scribe::new();
    scribe.lines.extend(books.closes.iter().cloned().map(Line::Close));
    scribe.batch(books.entries.clone());
    let beside = books.lines.iter().map(|(period, row)| Line::TrialBalance(*period, *row)).collect();
    let problems = scribe.findings(beside).problems.into_iter();
    problems.filter(|it| it.kind == ProblemKind::PeriodMismatch).map(|it| (it.kind, it.table, it.key)).collect()
}

fn check(what: &str, books: &Books, expected: &[(&'static str, &str)]) {
    let kind = ProblemKind::PeriodMismatch;
    let expected: Vec<_> = expected.iter().map(|(table, key)| (kind, *table, (*key).to_owned())).collect();
    assert_eq!(problems(books), expected, "{what}");
}

#[test]
fn periods_add_up_and_late_facts_are_in_the_one_that_was_open() {
    check("as it should be", &books(), &[]);
}

#[test]
fn a_changed_line_and_one_that_is_not_there_are_found() {
    const WALLETS: usize = 0;
    for change in [
        |row: &mut BalanceRow| row.opening += 1,
        |row: &mut BalanceRow| row.debits += 1,
        |row: &mut BalanceRow| row.credits += 1,
        |row: &mut BalanceRow| row.closing += 1,
    ] {
        let mut books = books();
        assert_eq!(books.lines[WALLETS].1.key, (1, 0));
        change(&mut books.lines[WALLETS].1);
        check("a changed line", &books, &[("trial_balance", "1/1/0"), ("period_close", "1")]);
    }
    let mut missing = books();
    missing.lines.remove(WALLETS);
    check("a missing line", &missing, &[("trial_balance", "1/1/0"), ("period_close", "1")]);
    let mut more = books();
    let row = BalanceRow { key: (7, 77), ..more.lines[WALLETS].1 };
    more.lines.insert(1, (1, row));
    check("a line more", &more, &[("trial_balance", "1/7/77"), ("period_close", "1")]);
    let mut nowhere = books();
    nowhere.lines.push((9, row));
    check("a line of no period", &nowhere, &[("trial_balance", "9")]);
}

#[test]
fn what_is_posted_into_a_closed_period_is_found() {
    let mut books = books();
    // The cut of the first period is moved behind the late transaction, as if that had been there.
    for close in &mut books.closes {
        if close.period == 1 {
            close.cut[0].seq = 4;
        }
    }
    books.entries[1] = Entry::Close(books.closes[0].clone());
    let found = problems(&books);
    assert!(found.contains(&(ProblemKind::PeriodMismatch, "period_close", "0/2".to_owned())), "{found:?}");
    assert!(found.iter().any(|(_, table, key)| *table == "trial_balance" && key == "1/1/0"), "{found:?}");
}

#[test]
fn closes_that_do_not_continue_each_other_are_found() {
    let with = |change: fn(&mut PeriodClose)| {
        let mut books = books();
        change(&mut books.closes[1]);
        books.entries[4] = Entry::Close(books.closes[1].clone());
        problems(&books).into_iter().map(|(_, table, key)| (table, key)).collect::<Vec<_>>()
    };
    let second = ("period_close", "2".to_owned());
    assert!(with(|close| close.start_us += 1).contains(&second));
    assert!(with(|close| close.start_us = close.end_us).contains(&second));
    assert!(with(|close| close.cut[0].seq = 0).contains(&second));
    assert!(with(|close| close.cut[0].slot = 3).contains(&second));
    assert!(with(|close| close.digest = [0; 32]).contains(&second));
    assert!(with(|close| close.period = 3).contains(&("period_close", "3".to_owned())));
    assert!(with(|close| close.end_us = NOW_US + 1).contains(&("period_close", "0/5".to_owned())));
    assert!(with(|close| close.cut[0].seq = 5).contains(&("period_close", "0/5".to_owned())));
}

#[test]
fn a_close_is_in_the_chain_and_in_its_table() {
    let mut books = books();
    books.entries[4] = at(9, NOW_US, &[]);
    check("not in the chain", &books, &[("period_close", "2")]);
    let mut books = self::books();
    books.closes[1].id = id(5);
    check("another in the table", &books, &[("period_close", "0/5"), ("period_close", "2")]);
}
