use super::*;

#[test]
fn a_place_among_deliveries_is_read_as_it_was_written() {
    let place = DeliveryCursor { next_us: 1_800_000_000_000_000, id: Uuid::from_u128(7) };
    assert_eq!(place.to_string().parse(), Ok(place));
    for text in ["", "1", "1.", ".7", "x.00000000000000000000000000000007", "1.7"] {
        assert_eq!(text.parse::<DeliveryCursor>(), Err(InvalidDeliveryCursor), "{text}");
    }
}
