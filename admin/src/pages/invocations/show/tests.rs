use super::percent;

#[test]
fn basis_points_are_written_as_percentages() {
    for (bps, written) in [(0, "0"), (1, "0.01"), (50, "0.5"), (1_250, "12.5"), (8_000, "80"), (10_000, "100")] {
        assert_eq!(percent(bps), written);
    }
}
