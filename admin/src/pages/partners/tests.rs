use super::*;

#[test]
fn basis_points_are_written_as_per_cent_without_losing_any() {
    for (bps, text) in [(0, "0 %"), (1, "0.01 %"), (25, "0.25 %"), (50, "0.5 %"), (500, "5 %"), (10_000, "100 %")] {
        assert_eq!(percent_text(bps), text);
    }
}
