use super::*;

#[test]
fn a_month_is_read_and_nothing_else() {
    // 2026-11-01 and 2026-12-01 in UTC.
    assert_eq!(month("2026-11"), Some((1_793_491_200_000_000, 1_796_083_200_000_000)));
    for text in ["", "2026", "2026-13", "2026-1", "26-11", "2026-11-01", "november", "+026-11", "2026/11"] {
        assert_eq!(month(text), None, "{text}");
    }
}

#[test]
fn a_month_is_complete_once_its_last_call_is_counted() {
    let word = |counted_until_us: i64| match state(100, counted_until_us) {
        Cell::State { tone, .. } => tone,
        other => panic!("{other:?}"),
    };
    assert_eq!((word(99), word(100)), (Tone::Warn, Tone::Good));
}
