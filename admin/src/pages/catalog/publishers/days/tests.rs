use super::*;
use crate::kit::Cell;

const fn credits(micros: i64) -> Credits {
    Credits::from_micros(micros)
}

#[test]
fn what_was_charged_is_parted_and_what_went_back_stands_below() {
    // Two days of January 2027.
    let (first_us, second_us) = (1_799_971_200_000_000, 1_800_057_600_000_000);
    let day = |from_us, share, back| EarnedDay { from_us, share: credits(share), back: credits(back) };
    let sold = SalesDay { start_us: first_us, calls: 3, paid_calls: 2, charged: credits(101_000_000) };
    let bars = bars(&[day(first_us, 80_800_000, 0), day(second_us, 4_000_000, 32_000_000)], &[sold]);
    assert_eq!(bars.labels, ["2027-01-15", "2027-01-16"]);
    let says: Vec<String> = bars.rectangles().into_iter().map(|bar| bar.says).collect();
    assert_eq!(
        says,
        [
            "2027-01-15: The publisher's share 80.8 cr",
            "2027-01-15: The partners' and the platform's share 20.2 cr",
            "2027-01-16: The publisher's share 4 cr",
            "2027-01-16: Given back by the publisher −32 cr",
        ]
    );
    let money = |micros| Cell::Money(credits(micros));
    let cells = vec![money(80_800_000), money(20_200_000), money(0), money(101_000_000)];
    assert_eq!(bars.numbers().first(), Some(&("2027-01-15".to_owned(), cells)));
}
