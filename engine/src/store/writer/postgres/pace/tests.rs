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
