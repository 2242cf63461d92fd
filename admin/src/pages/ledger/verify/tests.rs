use super::*;

#[test]
fn progress_stays_within_its_bounds() {
    for (done, total, shown) in [(0, 0, 0), (0, 10, 0), (5, 10, 50), (12, 10, 100), (u64::MAX, u64::MAX, 1)] {
        assert_eq!(percent(done, total), shown, "{done} of {total}");
    }
}
