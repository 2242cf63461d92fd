//! Rows that are stated in the books.

use ProblemKind::FactMismatch;

use super::*;
use crate::ledger::fact::{CAP, Cell};

const THING: Cell<'static> = Cell::Int(7);

fn digest(limit: i64) -> Digest {
    CAP.digest(THING, &[Cell::Null, Cell::Int(1), Cell::Int(2), Cell::Int(limit), Cell::Int(0)])
}

fn stated(number: u128, limit: Option<i64>) -> Entry {
    let reverses = Some(CAP.thing(THING));
    let kind = TransactionKind::Fact;
    transaction(TransactionEntry { kind, reverses, meta: limit.map(digest), ..post(number, Vec::new()) })
}

fn row(limit: i64) -> Line {
    Line::FactRow { table: "cap", key: "7".to_owned(), thing: CAP.thing(THING), digest: digest(limit) }
}

fn check(name: &str, scribe: &Scribe, rows: Vec<Line>, expected: &[(&str, &str)]) {
    let problems = scribe.findings(rows).problems.into_iter();
    let found: Vec<_> = problems.filter(|it| it.kind == FactMismatch).map(|it| (it.table, it.key)).collect();
    let found: Vec<_> = found.iter().map(|(table, key)| (*table, &**key)).collect();
    assert_eq!(found, expected, "{name}");
}

#[test]
fn a_row_is_what_was_stated_last() {
    let mut scribe = Scribe::new();
    scribe.batch(vec![stated(1, Some(5))]).batch(vec![stated(2, Some(9))]);
    let complete = || Line::FactsComplete(true);
    check("the last", &scribe, vec![complete(), row(9)], &[]);
    check("one before", &scribe, vec![complete(), row(5)], &[("cap", "7")]);
    check("another", &scribe, vec![complete(), row(10)], &[("cap", "7")]);
    check("none", &scribe, vec![complete()], &[("cap", "0/2")]);
    check("two", &scribe, vec![complete(), row(9), row(9)], &[("cap", "7")]);
    check("no facts at all", &scribe, vec![Line::FactsComplete(false), row(9)], &[("version", "facts")]);
    scribe.batch(vec![stated(3, None)]);
    check("gone as was stated", &scribe, vec![complete()], &[]);
    check("there though gone", &scribe, vec![complete(), row(9)], &[("cap", "7")]);
}

#[test]
fn rows_from_before_there_were_facts_are_nobodys_business() {
    let scribe = Scribe::new();
    check("before", &scribe, vec![Line::FactsComplete(false), row(9)], &[]);
    check("after", &scribe, vec![Line::FactsComplete(true), row(9)], &[("cap", "7")]);
}

#[test]
fn a_fact_moves_no_money_and_names_its_thing() {
    let mut scribe = Scribe::new();
    let kind = TransactionKind::Fact;
    let legs = vec![leg(LedgerAccountId::PROMO, WALLET, 5)];
    let thing = Some(CAP.thing(THING));
    scribe.batch(vec![transaction(TransactionEntry { kind, reverses: thing, ..post(1, legs) })]);
    scribe.batch(vec![transaction(TransactionEntry { kind, ..post(2, Vec::new()) })]);
    check("wrong facts", &scribe, vec![Line::FactsComplete(true)], &[("txn", "0/1"), ("txn", "0/2")]);
}

#[test]
fn between_slots_the_last_statement_counts_unless_both_were_made_at_once() {
    let apart = |later_us: i64| {
        let mut scribe = Scribe::new();
        scribe.batch(vec![stated(1, Some(5))]);
        (scribe.slot, scribe.batch_no, scribe.seq, scribe.hash) = (1, 0, 0, GENESIS);
        scribe.recorded_us += later_us;
        scribe.batch(vec![stated(2, Some(9))]);
        scribe
    };
    let complete = || Line::FactsComplete(true);
    check("at once", &apart(10_000_000), vec![complete(), row(5)], &[]);
    check("later", &apart(10_000_001), vec![complete(), row(5)], &[("cap", "7")]);
    check("earlier", &apart(-10_000_001), vec![complete(), row(9)], &[("cap", "7")]);
    check("the last", &apart(10_000_001), vec![complete(), row(9)], &[]);
}

#[test]
fn what_one_slot_states_another_one_may_retract() {
    let apart = |first: Option<i64>, second: Option<i64>, later_us: i64| {
        let mut scribe = Scribe::new();
        scribe.batch(vec![stated(1, first)]);
        (scribe.slot, scribe.batch_no, scribe.seq, scribe.hash) = (1, 0, 0, GENESIS);
        scribe.recorded_us += later_us;
        scribe.batch(vec![stated(2, second)]);
        scribe
    };
    let complete = || Line::FactsComplete(true);
    check("gone since", &apart(Some(5), None, 10_000_001), vec![complete()], &[]);
    check("gone before", &apart(None, Some(5), 10_000_001), vec![complete()], &[("cap", "0/1,1/1")]);
    check("gone at once", &apart(Some(5), None, 10_000_000), vec![complete()], &[]);
    check("there all the same", &apart(Some(5), None, 10_000_001), vec![complete(), row(5)], &[("cap", "7")]);
}
