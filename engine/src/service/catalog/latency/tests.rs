use super::*;

#[test]
fn ranks_are_of_calls_that_were_measured() {
    let hundred: Vec<i64> = (1..=100).collect();
    for (says, of, expected) in [
        ("none", &[][..], [0, 0, 0]),
        ("one", &[7][..], [7, 7, 7]),
        ("two", &[1, 9][..], [1, 9, 9]),
        ("a hundred", &hundred, [50, 95, 99]),
    ] {
        assert_eq!([50, 95, 99].map(|percent| at_most(of, percent)), expected, "{says}");
    }
}

#[test]
fn every_call_is_in_one_part_and_parts_without_calls_are_there() {
    let ran = |(began_us, took_us): (i64, i64)| Ran { began_us, took_us, has_failed: took_us > 7 };
    let parts = latencies(&[(1_000, 5), (1_099, 6), (1_100, 7), (3_399, 8), (9_999, 9)].map(ran), 1_000, 3_400);
    assert_eq!(parts.len(), 24);
    let filled: Vec<(i64, usize, i64)> =
        parts.iter().filter(|part| part.calls > 0).map(|part| (part.from_us, part.calls, part.p99_us)).collect();
    assert_eq!(filled, [(1_000, 2, 6), (1_100, 1, 7), (3_300, 2, 9)]);
    let failed: Vec<usize> = parts.iter().filter(|part| part.calls > 0).map(|part| part.failed).collect();
    assert_eq!(failed, [0, 0, 2]);
    assert!(latencies(&[], 0, 100).is_empty(), "no calls, no picture");
    assert_eq!(
        latencies(&[ran((5, 1))], 5, 5).iter().map(|part| part.calls).sum::<usize>(),
        1,
        "a time without length"
    );
}
