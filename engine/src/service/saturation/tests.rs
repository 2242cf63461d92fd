use super::*;

const SECOND_US: i64 = 1_000_000;
const HOUR_US: i64 = 60 * MINUTE_US;
/// At the beginning of a minute.
const START_US: i64 = 1_800_000_000 * SECOND_US;

fn reading(at_us: i64, busy_us: i64) -> Reading {
    Reading { at_us, busy_us, queued: 0, readers: 0, calls: 0 }
}

/// Notes a second each, in which the writer is at work for `busy_us`; returns the next moment.
fn run(ring: &mut Ring, from_us: i64, seconds: i64, (done_us, busy_us): (i64, i64)) -> i64 {
    for second in 0..seconds {
        ring.note(reading(from_us + second * SECOND_US, done_us + second * busy_us));
    }
    from_us + seconds * SECOND_US
}

/// Which minutes after [`START_US`] are known.
fn known(ring: &Ring, now_us: i64) -> Vec<i64> {
    ring.until(now_us).iter().map(|minute| (minute.from_us - START_US) / MINUTE_US).collect()
}

#[test]
fn the_writers_share_is_of_the_time_that_was_watched() {
    let mut ring = Ring::default();
    ring.note(reading(START_US, 5 * SECOND_US));
    assert_eq!(ring.until(START_US)[0].writer, None, "one reading knows no time");
    let next_us = run(&mut ring, START_US, 120, (5 * SECOND_US, SECOND_US / 4));
    let minutes = ring.until(next_us);
    assert_eq!(minutes.iter().map(|minute| minute.writer).collect::<Vec<_>>(), [Some(250_000); 2]);
    // A turn that began in a second may be told at once.
    ring.note(reading(next_us, 500 * SECOND_US));
    assert_eq!(ring.until(next_us)[2].writer, Some(1_000_000), "never more than all of it");
    assert_eq!(ring.until(next_us - MINUTE_US).len(), 2, "what comes later is not of that time");
}

#[test]
fn the_most_of_a_minute_is_kept() {
    let mut ring = Ring::default();
    for (second, (queued, readers, calls)) in [(3, 1, 0), (1, 8, 2), (0, 0, 9)].into_iter().enumerate() {
        let at_us = START_US + i64::try_from(second).unwrap() * SECOND_US;
        ring.note(Reading { queued, readers, calls, ..reading(at_us, 0) });
    }
    ring.note(reading(START_US + MINUTE_US, 0));
    let minutes = ring.until(START_US + MINUTE_US);
    let told: Vec<_> = minutes.iter().map(|minute| (minute.queued, minute.readers, minute.calls)).collect();
    assert_eq!(told, [(3, 8, 9), (0, 0, 0)]);
}

#[test]
fn six_hours_are_kept_and_no_more() {
    let mut ring = Ring::default();
    for minute in 0..1_000 {
        ring.note(reading(START_US + minute * MINUTE_US, 0));
        assert!(ring.minutes.len() <= 360 && ring.minutes.capacity() <= 1_024);
    }
    let last_us = START_US + 999 * MINUTE_US;
    assert_eq!(known(&ring, last_us), (640..1_000).collect::<Vec<_>>());
    // Nobody has looked since.
    assert_eq!(known(&ring, last_us + 5 * HOUR_US), (940..1_000).collect::<Vec<_>>());
    assert!(ring.until(last_us + 7 * HOUR_US).is_empty());
}

#[test]
fn what_nobody_saw_is_a_gap() {
    let mut ring = Ring::default();
    let next_us = run(&mut ring, START_US, 60, (0, SECOND_US / 2));
    let resumed_us = next_us + 3 * MINUTE_US;
    let end_us = run(&mut ring, resumed_us, 60, (200 * SECOND_US, 0));
    assert_eq!(known(&ring, end_us), [0, 4]);
    assert_eq!(ring.until(end_us)[1].writer, Some(0), "the time at work in between is of no minute");
}

#[test]
fn a_clock_that_jumps_ahead_and_back_leaves_nothing_behind() {
    let mut ring = Ring::default();
    let next_us = run(&mut ring, START_US, 120, (0, SECOND_US / 2));
    assert_eq!(known(&ring, next_us), [0, 1]);

    // Three hours ahead: the two minutes are long ago, and the jump itself is no time.
    let ahead_us = next_us + 3 * HOUR_US;
    let ahead_end_us = run(&mut ring, ahead_us, 60, (60 * SECOND_US, SECOND_US / 10));
    assert_eq!(known(&ring, ahead_end_us), [0, 1, 182]);
    assert_eq!(ring.until(ahead_end_us)[2].writer, Some(100_000));

    // Back again: of the time ahead nothing is left, also when it comes.
    let back_us = run(&mut ring, next_us, 60, (66 * SECOND_US, 0));
    assert_eq!(known(&ring, back_us), [0, 1, 2]);
    assert_eq!(ring.until(back_us)[2].writer, Some(0), "the jump is no time");
    assert_eq!(known(&ring, ahead_end_us), [0, 1, 2]);

    // Into a minute that is known: it goes on.
    ring.note(Reading { calls: 7, ..reading(START_US + SECOND_US, 0) });
    assert_eq!((known(&ring, back_us), ring.until(back_us)[0].calls), (vec![0], 7));
    assert_eq!(ring.until(back_us)[0].writer, Some(500_000));

    // Ten hours ahead: all of it is too long ago.
    ring.note(reading(START_US + 10 * HOUR_US, 0));
    assert_eq!(known(&ring, START_US + 10 * HOUR_US), [600]);
    // And before everything.
    ring.note(reading(START_US - 10 * HOUR_US, 0));
    assert_eq!(known(&ring, START_US - 10 * HOUR_US), [-600]);
    for at_us in [i64::MAX, i64::MIN, i64::MAX] {
        ring.note(reading(at_us, i64::MAX));
        assert_eq!(ring.until(at_us).len(), 1, "no moment is too far");
    }
}
