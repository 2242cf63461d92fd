use uuid::Uuid;

use super::*;

const UNKNOWN: Whose = Whose::Unknown(Door::Account);

fn account(number: u128) -> AccountId {
    AccountId::from(Uuid::from_u128(number))
}

fn counts(due: &[(Whose, Tally)]) -> Vec<(Whose, u64)> {
    due.iter().map(|(whose, tally)| (*whose, tally.count)).collect()
}

#[test]
fn the_first_failure_is_written_at_once_and_the_others_when_the_hour_is_over() {
    let (failed, start) = (FailedSignIns::default(), 7_000_000);
    failed.count(Whose::Account(account(1)), start + 1);
    assert_eq!(counts(&failed.take_due(start + 2, false)), [(Whose::Account(account(1)), 1)]);
    for at in 3..10 {
        failed.count(Whose::Account(account(1)), start + at);
        assert_eq!(failed.take_due(start + at, false), [], "no more rows within the hour");
    }
    let due = failed.take_due(start + 1 + WINDOW_US, false);
    assert_eq!(due, [(Whose::Account(account(1)), Tally { count: 7, first_us: start + 3, last_us: start + 9 })]);
    failed.count(Whose::Account(account(1)), start + WINDOW_US + 2);
    assert_eq!(counts(&failed.take_due(start + WINDOW_US + 3, false)), [(Whose::Account(account(1)), 1)]);
}

#[test]
fn a_hundred_thousand_guesses_at_a_thousand_accounts_make_a_hundred_rows_an_hour() {
    let (failed, start) = (FailedSignIns::default(), 7_000_000);
    let (mut rows, mut told) = (0, 0);
    for guess in 0..100_000_u64 {
        let at = start + i64::try_from(guess).unwrap();
        let known = Whose::Account(account(u128::from(guess % 1_000)));
        failed.count(if guess.is_multiple_of(3) { UNKNOWN } else { known }, at);
        let is_tick = guess.is_multiple_of(100);
        let due = if is_tick { failed.take_due(at, false) } else { Vec::new() };
        rows += due.len();
        told += due.iter().map(|(_, tally)| tally.count).sum::<u64>();
    }
    let rest = failed.take_due(start + WINDOW_US, false);
    rows += rest.len();
    told += rest.iter().map(|(_, tally)| tally.count).sum::<u64>();
    assert_eq!(told, 100_000, "every guess is counted");
    assert!(rows <= 2 * (NAMED_MAX + 2), "{rows} rows");
}

#[test]
fn what_could_not_be_written_is_written_later() {
    let (failed, start) = (FailedSignIns::default(), 7_000_000);
    failed.count(UNKNOWN, start + 1);
    let due = failed.take_due(start + 2, false);
    failed.give_back(due);
    failed.count(UNKNOWN, start + 3);
    let due = failed.take_due(start + 4, false);
    assert_eq!(due, [(UNKNOWN, Tally { count: 2, first_us: start + 1, last_us: start + 3 })]);
}

#[test]
fn at_the_end_of_the_program_all_is_written() {
    let (failed, start) = (FailedSignIns::default(), 7_000_000);
    for at in 1..4 {
        failed.count(UNKNOWN, start + at);
        drop(failed.take_due(start + at, false));
    }
    assert_eq!(counts(&failed.take_due(start + 5, true)), [(UNKNOWN, 2)]);
}

#[test]
fn guesses_at_customers_do_not_hide_those_at_an_operator() {
    let (failed, start) = (FailedSignIns::default(), 7_000_000);
    for number in 0..1_000_u32 {
        failed.count(Whose::Account(account(number.into())), start);
    }
    let operator = OperatorId::from(Uuid::from_u128(5));
    failed.count(Whose::Operator(operator), start);
    failed.count(Whose::Unknown(Door::Operator), start);
    let due = failed.take_due(start + 1, false);
    for (whose, object) in
        [(Whose::Operator(operator), operator.to_string()), (Whose::Unknown(Door::Operator), "unknown".into())]
    {
        let found = due.iter().find(|(found, _)| *found == whose).unwrap();
        let tally = found.1;
        let by = OpContext { actor: Actor::Stranger, method: Method::Password, request: None };
        let after = json!({"failures": tally.count, "first_us": start, "last_us": start});
        assert_eq!(told(found), by.entry(Action::OperatorSignInFailed, "operator", object).after(after));
    }
}
