use super::*;

#[test]
fn every_part_is_in_its_hour_and_others_are_in_none() {
    let first_us = 100 * HOUR_US;
    let at = |hour: i64, part: i64| (first_us + hour * HOUR_US, part);
    let parts = [at(0, 1), (first_us + HOUR_US - 1, 2), at(1, -5), at(23, 7), at(24, 100), (first_us - 1, 100)];
    let sums = by_hour(first_us, parts.into_iter());
    assert_eq!(sums.len(), 24);
    assert_eq!((sums[0], sums[1], sums[2], sums[23]), (3, -5, 0, 7));
    assert_eq!(by_hour(first_us, [at(0, i64::MAX), at(0, 1)].into_iter())[0], i64::MAX);
}
