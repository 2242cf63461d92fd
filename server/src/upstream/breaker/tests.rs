use super::*;

const SECOND: i64 = 1_000_000;

/// Makes one call at `now_us` that ends at once.
fn call(breaker: &mut Breaker, outcome: Outcome, now_us: i64) -> Result<Change, Open> {
    let ticket = breaker.admit(now_us)?;
    Ok(breaker.record(ticket, outcome, now_us))
}

fn opened(after_us: i64) -> Breaker {
    let mut breaker = Breaker::default();
    for _ in 1..CONSECUTIVE_FAILURES_MAX {
        assert_eq!(call(&mut breaker, Outcome::Failure, after_us), Ok(Change::None));
    }
    let change = call(&mut breaker, Outcome::Failure, after_us);
    assert_eq!(change, Ok(Change::Opened { open_us: OPEN_US_FIRST }));
    breaker
}

#[test]
fn histories_open_the_breaker_or_leave_it_closed() {
    // each letter is one call: S succeeds, F fails, A is abandoned; the number is the time between calls
    let cases = [
        ("FFFF", 0, false),
        ("FFFFF", 0, true),
        ("FFFFF", 60 * SECOND, true),
        ("FFFFSFFFF", 0, false),
        ("FFFFAF", 0, true),
        ("AAAAAAAAAAAAAAAAAAAAAAAA", 0, false),
        // half of 18, then half of 20
        ("SFSFSFSFSFSFSFSFSF", 0, false),
        ("SFSFSFSFSFSFSFSFSFSF", 0, true),
        // a third of 30
        ("SSFSSFSSFSSFSSFSSFSSFSSFSSFSSF", 0, false),
        // half, but never 20 within ten seconds
        ("SFSFSFSFSFSFSFSFSFSFSFSFSFSF", SECOND, false),
        ("SFSFSFSFSFSFSFSFSFSFSFSFSFSF", SECOND / 4, true),
    ];
    for (history, step_us, is_open) in cases {
        let mut breaker = Breaker::default();
        let mut now_us = 1_700_000_000 * SECOND;
        let mut has_opened = false;
        for letter in history.chars() {
            let outcome = match letter {
                'S' => Outcome::Success,
                'F' => Outcome::Failure,
                _ => Outcome::Abandoned,
            };
            has_opened |= matches!(call(&mut breaker, outcome, now_us), Ok(Change::Opened { .. }));
            now_us += step_us;
        }
        assert_eq!(has_opened, is_open, "{history} every {step_us} µs");
    }
}

#[test]
fn an_open_breaker_refuses_until_its_time_is_up_and_then_lets_one_probe_through() {
    let mut breaker = opened(0);
    assert_eq!(breaker.admit(0), Err(Open));
    assert_eq!(breaker.admit(OPEN_US_FIRST - 1), Err(Open));
    let probe = breaker.admit(OPEN_US_FIRST).unwrap();
    assert_eq!(breaker.admit(OPEN_US_FIRST), Err(Open));
    assert_eq!(breaker.admit(OPEN_US_FIRST + 100 * SECOND), Err(Open));
    assert_eq!(breaker.record(probe, Outcome::Success, OPEN_US_FIRST), Change::Closed);
    assert!(breaker.admit(OPEN_US_FIRST).is_ok());
    assert!(breaker.admit(OPEN_US_FIRST).is_ok());
}

#[test]
fn a_failing_probe_doubles_the_time_up_to_a_minute() {
    let mut breaker = opened(0);
    let mut now_us = OPEN_US_FIRST;
    for seconds in [10, 20, 40, 60, 60] {
        let open_us = seconds * SECOND;
        assert_eq!(call(&mut breaker, Outcome::Failure, now_us), Ok(Change::Opened { open_us }));
        assert_eq!(breaker.admit(now_us + open_us - 1), Err(Open));
        now_us += open_us;
    }
    assert_eq!(call(&mut breaker, Outcome::Success, now_us), Ok(Change::Closed));
    // after a recovery the patience is fresh
    for _ in 1..CONSECUTIVE_FAILURES_MAX {
        assert_eq!(call(&mut breaker, Outcome::Failure, now_us), Ok(Change::None));
    }
    assert_eq!(call(&mut breaker, Outcome::Failure, now_us), Ok(Change::Opened { open_us: OPEN_US_FIRST }));
}

#[test]
fn an_abandoned_probe_makes_room_for_the_next_one() {
    let mut breaker = opened(0);
    assert_eq!(call(&mut breaker, Outcome::Abandoned, OPEN_US_FIRST), Ok(Change::None));
    assert_eq!(call(&mut breaker, Outcome::Success, OPEN_US_FIRST), Ok(Change::Closed));
}

#[test]
fn calls_from_before_the_opening_change_nothing() {
    let mut breaker = Breaker::default();
    let early: Vec<Ticket> = (0..20).map(|_| breaker.admit(0).unwrap()).collect();
    let (first, late) = early.split_at(5);
    let changes: Vec<Change> = first.iter().map(|ticket| breaker.record(*ticket, Outcome::Failure, 0)).collect();
    assert_eq!(changes.last(), Some(&Change::Opened { open_us: OPEN_US_FIRST }));
    for ticket in &late[..5] {
        assert_eq!(breaker.record(*ticket, Outcome::Success, SECOND), Change::None);
    }
    assert_eq!(breaker.admit(SECOND), Err(Open));
    let probe = breaker.admit(OPEN_US_FIRST).unwrap();
    for ticket in &late[5..] {
        assert_eq!(breaker.record(*ticket, Outcome::Failure, OPEN_US_FIRST), Change::None);
    }
    assert_eq!(breaker.record(probe, Outcome::Success, OPEN_US_FIRST), Change::Closed);
}
