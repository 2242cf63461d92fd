use super::*;

#[test]
fn sizes_are_written_in_their_largest_unit() {
    let kib = 1_u64 << 10;
    for (count, written) in [
        (0, "0 B"),
        (1_023, "1023 B"),
        (kib, "1.0 KiB"),
        (kib * 3 / 2, "1.5 KiB"),
        (kib * kib * 10, "10.0 MiB"),
        (kib * kib * kib * 2_047 / 1_024, "1.9 GiB"),
        (u64::MAX, "17179869183.9 GiB"),
    ] {
        assert_eq!(bytes(count), written);
    }
}
