use super::*;

const SECOND_US: i64 = 1_000_000;

#[test]
fn a_lowered_deadline_still_holds_for_calls_that_began_before() {
    let mut lag = Lag::default();
    for (now_s, present_s, expected_s) in [
        (0, 600, 600),
        (10, 600, 600),
        // Lowered: calls of the tenth second may run until the six hundred and tenth.
        (15, 100, 600),
        (400, 100, 600),
        (500, 5, 600),
        (610, 5, 600),
        // Those of the four hundredth, until the five hundredth: both are over.
        (611, 5, 5),
        (700, 200, 200),
        (701, 5, 200),
        (900, 5, 200),
        (901, 5, 5),
    ] {
        let longest_us = lag.longest_us(present_s * SECOND_US, now_s * SECOND_US);
        assert_eq!(longest_us, expected_s * SECOND_US, "at {now_s}");
        assert!(lag.longest.len() <= 3);
    }
}

#[test]
fn a_deadline_in_between_holds_as_long_as_its_own_calls() {
    let mut lag = Lag::default();
    lag.longest_us(100 * SECOND_US, 0);
    lag.longest_us(50 * SECOND_US, 90 * SECOND_US);
    assert_eq!(lag.longest_us(5 * SECOND_US, 101 * SECOND_US), 50 * SECOND_US);
    assert_eq!(lag.longest_us(5 * SECOND_US, 141 * SECOND_US), 5 * SECOND_US);
}

#[test]
fn nothing_is_counted_right_after_the_database_was_away() {
    let mut lag = Lag::default();
    assert!(!lag.is_resting(0));
    lag.failed(5 * SECOND_US);
    assert!(lag.is_resting(5 * SECOND_US) && lag.is_resting(5 * SECOND_US + SETTLING_US - 1));
    assert!(!lag.is_resting(5 * SECOND_US + SETTLING_US));
    // The clock was set back.
    assert!(!lag.is_resting(0));
}
