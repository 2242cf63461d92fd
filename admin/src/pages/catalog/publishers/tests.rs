use super::*;

#[test]
fn days_are_called_by_their_date_and_drawn_as_money() {
    let day = |from_us, share, back| EarnedDay {
        from_us,
        share: Credits::from_micros(share),
        back: Credits::from_micros(back),
    };
    // Two days of January 2027.
    let bars = day_bars(&[day(1_799_971_200_000_000, 80_800_000, 0), day(1_800_057_600_000_000, 0, 32_000_000)]);
    assert_eq!(bars.labels, ["2027-01-15", "2027-01-16"]);
    let says: Vec<String> = bars.rectangles().into_iter().map(|bar| bar.says).collect();
    assert_eq!(says, ["2027-01-15: The publisher's share 80.8 cr", "2027-01-16: Given back 32 cr"]);
}
