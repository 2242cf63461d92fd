use super::*;

const HOUR_US: i64 = 3_600_000_000;

#[test]
fn a_wall_clock_that_jumps_an_hour_moves_the_clock_by_a_hundredth() {
    for jump in [HOUR_US, -HOUR_US] {
        let mut clock = SteadyClock::starting_at(10 * HOUR_US, 0);
        let after_a_second = clock.read(10 * HOUR_US + 1_000_000 + jump, 1_000_000);
        assert_eq!(after_a_second, 10 * HOUR_US + 1_000_000 + jump.signum() * 10_000);
    }
}

#[test]
fn a_small_drift_is_followed_until_it_is_gone() {
    let mut clock = SteadyClock::starting_at(0, 0);
    for second in 1..=10_i64 {
        clock.read(second * 1_000_000 + 40_000, second * 1_000_000);
    }
    assert_eq!(clock.skew_us(10_040_000), 0);
}

#[test]
fn time_never_goes_backwards() {
    let mut clock = SteadyClock::starting_at(HOUR_US, 0);
    let mut last = HOUR_US;
    for (wall, monotonic) in [(0, 10), (i64::MIN, 20), (5, 20), (HOUR_US, 19), (i64::MAX, 1_000)] {
        let now = clock.read(wall, monotonic);
        assert!(now >= last, "{wall} {monotonic}");
        last = now;
    }
}
