use engine::{credits::Credits, ledger::LedgerAccountId, service::grants::ExpiryDay};

use super::*;

fn run(points: &[(i64, i64)], until_us: Option<i64>) -> GrantRun {
    let point = |(at_us, micros): &(i64, i64)| LeftAt { at_us: *at_us, left: Credits::from_micros(*micros) };
    GrantRun { points: points.iter().map(point).collect(), until_us }
}

#[test]
fn a_run_is_drawn_as_far_as_it_is_known_and_matters() {
    for (says, of, now_us, expected) in [
        ("until now", run(&[(10, 5)], None), 50, 50),
        ("until it expires", run(&[(10, 5)], None), 500, 100),
        ("until what lapsed later", run(&[(10, 5), (120, 0)], None), 500, 120),
        ("as far as was looked", run(&[(10, 5)], Some(30)), 50, 30),
        ("just recorded by a clock that is ahead", run(&[(60, 5)], None), 50, 60),
    ] {
        let found = drawn(&of, 100, now_us);
        assert_eq!((found.until_us, found.points.len()), (expected, of.points.len()), "{says}");
    }
}

#[test]
fn what_was_taken_back_of_a_grant_was_not_used() {
    let amount = |whole: i64| Credits::from_micros(whole * 1_000_000);
    let found = |spent: i64, taken_back: i64| GrantUse {
        account: LedgerAccountId::from_raw(1_024),
        given_us: 0,
        expires_us: 100,
        given: amount(50),
        spent: amount(spent),
        back: amount(0),
        lapsed: amount(0),
        taken_back: amount(taken_back),
        left: amount(50 - spent - taken_back),
        runs: Vec::new(),
    };
    assert!(facts(&found(0, 50)).to_string().contains("Taken back"));
    assert!(!facts(&found(50, 0)).to_string().contains("Taken back"), "nothing was");
}

#[test]
fn days_on_which_grants_expire_are_named() {
    let day = |number: i64, grants, micros| ExpiryDay {
        from_us: number * 86_400_000_000,
        grants,
        left: Credits::from_micros(micros),
    };
    let found = bars(&ExpiryDays { days: vec![day(0, 1, 5), day(1, 0, 0)], looked_up_to_us: None });
    assert_eq!(found.labels, ["1970-01-01", "1970-01-02"]);
    assert_eq!(found.series[0].values, [5, 0]);
}
