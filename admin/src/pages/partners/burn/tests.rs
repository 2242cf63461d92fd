use super::*;

const DAY_US: i64 = 86_400_000_000;

/// Four days, of which one and a half are over.
fn window(used: i64) -> Window {
    Window { from_us: 0, to_us: 4 * DAY_US, now_us: DAY_US + DAY_US / 2, limit: 100, used }
}

#[test]
fn what_is_used_goes_on_at_its_pace() {
    let starts_us = [0, 1, 2, 3].map(|day| day * DAY_US);
    let crosses = |days: i64, part: i64| Some(days * DAY_US + DAY_US / part);
    for (says, used, charged, expected) in [
        ("nothing", 0, &[][..], (vec![0, 0, 0, 0], vec![0, 0, 0, 0], None)),
        ("slowly", 30, &[(0, 10), (DAY_US, 20)], (vec![10, 30, 0, 0], vec![0, 10, 60, 80], None)),
        ("too fast", 60, &[(0, 20), (DAY_US, 30)], (vec![20, 60, 0, 0], vec![0, 20, 120, 160], crosses(2, 2))),
        ("just to the end", 37, &[(0, 37)], (vec![37, 37, 0, 0], vec![0, 12, 74, 98], None)),
        ("reached", 100, &[(0, 80)], (vec![80, 100, 0, 0], vec![0, 33, 200, 266], crosses(1, 2))),
        ("counted since it was set", 10, &[(0, 50)], (vec![10, 10, 0, 0], vec![0, 3, 20, 26], None)),
    ] {
        let found = burn(&window(used), &starts_us, charged);
        assert_eq!((found.used, found.expected, found.crosses_us), expected, "{says}");
    }
}

#[test]
fn the_limit_is_a_line_over_the_days() {
    let starts_us = [0, DAY_US];
    let window = Window { to_us: 2 * DAY_US, limit: 5_000_000, ..window(1_000_000) };
    let drawn = bars(&window, &starts_us, &burn(&window, &starts_us, &[]));
    assert_eq!((drawn.labels.len(), drawn.highest()), (2, 5_000_000));
    assert_eq!(drawn.points(), "179,0 539,0", "the limit is the highest");
}
