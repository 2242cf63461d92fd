use super::*;

#[test]
fn pauses_double_up_to_their_limit_and_differ_between_batches() {
    for (attempt, whole_ms) in [(1, 5), (2, 10), (3, 20), (6, 160), (7, 200), (40, 200), (u32::MAX, 200)] {
        let pauses: std::collections::BTreeSet<_> =
            (0..64_u128).map(|name| pause(attempt, Uuid::from_u128(name * 0x9e37_79b9_7f4a_7c15))).collect();
        let whole = Duration::from_millis(whole_ms);
        assert!(pauses.iter().all(|pause| *pause >= whole / 2 && *pause < whole), "{attempt}: {pauses:?}");
        assert!(pauses.len() > 16, "{attempt}: {pauses:?}");
    }
}

#[test]
fn after_lost_races_locks_are_taken_ever_longer_and_shorter_again_after_won_ones() {
    let locked = |calm: &mut Calm| (0..).find(|_| calm.may_compare()).unwrap();
    let mut calm = Calm::default();
    assert!(calm.may_compare());
    for expected in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 1_024] {
        calm.lost();
        assert_eq!(locked(&mut calm), expected);
    }
    for _ in 0..5 {
        calm.won();
    }
    calm.lost();
    assert_eq!(locked(&mut calm), 64);
}
