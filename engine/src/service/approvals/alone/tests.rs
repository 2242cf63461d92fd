use super::*;

const fn micros(micros: i64) -> Credits {
    Credits::from_micros(micros)
}

#[test]
fn what_belongs_together_is_counted_together() {
    let limit = APPROVAL_FROM.micros();
    for (before, amount, needs_second) in [
        (0, limit, false),
        (0, limit + 1, true),
        (1, limit - 1, false),
        (1, limit, true),
        (limit, 0, false),
        (limit, 1, true),
        (80_000_000, 40_000_000, true),
        // More than there can be is much.
        (i64::MAX, 1, true),
    ] {
        let weight = Weight { amount: micros(amount), before: micros(before), with: CountedWith::Gifts };
        assert_eq!(weight.needs_second(), needs_second, "{weight:?}");
    }
    let weight = Weight { amount: micros(40_000_000), before: micros(80_000_000), with: CountedWith::Gifts };
    let said = weight.to_string();
    assert!(said.contains("120 credits") && said.contains("80 of them"), "{said}");
}

#[test]
fn a_refund_is_counted_with_what_went_back_of_the_charge() {
    let charge = Refundable {
        id: Uuid::from_u128(1).into(),
        call: None,
        recorded_us: 0,
        charged: micros(300),
        refunded: micros(100),
    };
    let part = Weight::of_refund(&charge, Some(micros(50)));
    assert_eq!((part.amount, part.before, part.total()), (micros(50), micros(100), micros(150)));
    assert_eq!(Weight::of_refund(&charge, None).total(), micros(300), "all that is left makes it whole");
}

#[test]
fn the_trail_is_read_as_it_is_written() {
    let id = EntryId::from(Uuid::from_u128(7));
    for (facts, expected) in [
        (r#"{"account":"acc_1","credits":"2.5"}"#.to_owned(), Told::Amount(micros(2_500_000))),
        (format!(r#"{{"movement":"{id}","credits":"-3"}}"#), Told::Amount(micros(-3_000_000))),
        (format!(r#"{{"movement":"{id}","credits":null}}"#), Told::AllThereWas(id.uuid())),
    ] {
        assert_eq!(read_told(&facts).unwrap(), expected, "{facts}");
    }
    for facts in ["", "{}", r#"{"credits":"many"}"#, r#"{"movement":"x","credits":null}"#] {
        assert!(read_told(facts).is_err(), "{facts}");
    }
}
