use super::*;

#[test]
fn grants_are_told_by_the_day_on_which_they_expire() {
    let rows = [(DAY_US, 5), (DAY_US + 1, 0), (2 * DAY_US - 1, 7), (2 * DAY_US, 1), (40 * DAY_US, 9)];
    let days = expiry_days(&rows, DAY_US);
    assert_eq!(days.len(), 30);
    let found: Vec<(i64, i64, i64)> = days
        .iter()
        .filter(|day| day.grants > 0)
        .map(|day| (day.from_us / DAY_US, day.grants, day.left.micros()))
        .collect();
    assert_eq!(found, [(1, 2, 12), (2, 1, 1)], "what is used up is not counted, nor what expires much later");
    assert!(expiry_days(&rows, 41 * DAY_US).is_empty());
    assert!(expiry_days(&[(DAY_US, 0)], DAY_US).is_empty(), "nothing is left that could expire");
}
