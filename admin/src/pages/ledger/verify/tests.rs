use super::*;

#[test]
fn progress_stays_within_its_bounds() {
    for (done, total, shown) in [(0, 0, 0), (0, 10, 0), (5, 10, 50), (12, 10, 100), (u64::MAX, u64::MAX, 1)] {
        assert_eq!(percent(done, total), shown, "{done} of {total}");
    }
}

#[test]
fn what_was_believed_is_told_from_what_was_hashed() {
    for (says, heads, believed, is_whole, expected) in [
        ("everything", &[(0, 10)][..], &[][..], true, &[(0, 10, "s2")][..]),
        ("from a checkpoint on", &[(0, 10), (1, 4)], &[(0, 7)], true, &[(0, 7, "s6"), (7, 10, "s2"), (0, 4, "s2")]),
        ("with problems", &[(0, 10), (1, 0)], &[(0, 10)], false, &[(0, 10, "s6"), (10, 10, "s4")]),
    ] {
        let found = ranges(heads, believed, is_whole);
        let found: Vec<(i64, i64, &str)> = found.iter().map(|span| (span.from, span.to, span.class)).collect();
        assert_eq!(found, expected, "{says}");
    }
}
