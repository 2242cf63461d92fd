use super::*;

#[test]
fn public_form_round_trips() {
    let uuid = uuid_v7(1_700_000_000_123_456, [0xff; 10]);
    assert_eq!(uuid.get_version_num(), 7);
    let id = InvocationId::from(uuid);
    assert_eq!(id.to_string().parse::<InvocationId>(), Ok(id));
    assert_eq!(id.to_string().len(), "inv_".len() + 32);
}

#[test]
fn later_times_sort_later() {
    assert!(uuid_v7(1_000_000, [0xff; 10]) < uuid_v7(1_001_000, [0; 10]));
}

#[test]
fn other_spellings_are_refused() {
    for text in [
        "",
        "inv_",
        "acc_00000000000070008000000000000000",
        "inv_0000000000007000800000000000000",
        "inv_0000000000007000800000000000000G",
        "inv_00000000-0000-7000-8000-000000000000",
        "INV_00000000000070008000000000000000",
        "inv_0000000000007000800000000000000A",
    ] {
        assert!(text.parse::<InvocationId>().is_err(), "{text}");
    }
}

#[test]
fn a_time_divides_the_identifiers_made_before_it_from_those_made_since() {
    let at_us = 1_800_014_400_123_000;
    let before = uuid_v7(at_us - 1, [0xff; 10]);
    let since = uuid_v7(at_us, [0; 10]);
    assert!(before < first_at(at_us) && first_at(at_us) <= since && since < uuid_v7(at_us, [0xff; 10]));
    assert_eq!(first_at(at_us), first_at(at_us + 999), "exact to the millisecond");
    assert_eq!(
        [made_us(since), made_us(uuid_v7(at_us + 999, [7; 10])), made_us(before)],
        [at_us, at_us, at_us - 1_000]
    );
    assert_eq!(made_us(first_at(-5)), 0);
}
