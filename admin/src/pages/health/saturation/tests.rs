use super::*;

const MINUTE_US: i64 = 60_000_000;
/// At the beginning of five minutes.
const NOW_US: i64 = 1_800_000_000_000_000;

fn minute(from_us: i64, writer: Option<i64>, calls: i64) -> SaturationMinute {
    SaturationMinute { from_us, writer, queued: 0, readers: 0, calls }
}

/// The steps of which something is known.
fn known(values: &[Option<i64>]) -> Vec<(usize, i64)> {
    values.iter().enumerate().filter_map(|(step, value)| Some((step, (*value)?))).collect()
}

#[test]
fn now_is_always_in_the_last_step() {
    for (now_us, says) in [(NOW_US, "at its beginning"), (NOW_US + 5 * MINUTE_US - 1, "at its end")] {
        assert_eq!(first_of(now_us), NOW_US - 71 * 5 * MINUTE_US, "{says}");
    }
    assert_eq!(first_of(NOW_US - 1), NOW_US - 72 * 5 * MINUTE_US);
}

#[test]
fn each_step_has_its_most_and_what_is_not_known_is_left_out() {
    let first_us = first_of(NOW_US);
    let minutes = [
        minute(first_us - MINUTE_US, Some(9), 9),
        minute(first_us, Some(3), 1),
        minute(first_us + 4 * MINUTE_US, Some(7), 0),
        minute(first_us + 5 * MINUTE_US, None, 4),
        minute(NOW_US, Some(0), 2),
        minute(NOW_US + 5 * MINUTE_US, Some(9), 9),
    ];
    let writer = most_of_steps(first_us, &minutes, |minute| minute.writer);
    let calls = most_of_steps(first_us, &minutes, |minute| Some(minute.calls));
    assert_eq!((writer.len(), known(&writer)), (72, vec![(0, 7), (71, 0)]));
    assert_eq!(known(&calls), [(0, 1), (1, 4), (71, 2)]);
}
