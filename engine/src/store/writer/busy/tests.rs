use super::*;

#[test]
fn a_turn_counts_while_it_lasts_and_a_pause_does_not() {
    let mut state = 0;
    assert_eq!(total(state, 1_000), 0);
    state = begun(state, 1_000);
    assert_eq!((total(state, 1_000), total(state, 1_400)), (0, 400));
    state = begun(state, 1_200);
    assert_eq!(total(state, 1_400), 400, "it began once");
    state = ended(state, 1_500);
    assert_eq!((total(state, 1_500), total(state, 9_000)), (500, 500));
    assert_eq!(ended(state, 9_000), state, "it ended once");
    state = begun(state, 10_000);
    assert_eq!((total(state, 10_000), total(state, 10_001)), (500, 501));
    state = ended(state, 11_000);
    assert_eq!(total(state, u64::MAX), 1_500);
}

#[test]
fn a_turn_can_begin_at_once() {
    let state = begun(0, 0);
    assert_eq!((total(state, 0), total(state, 7)), (0, 7));
    assert_eq!(total(ended(state, 7), 8), 7);
    let busy = BusyTime::default();
    busy.begin();
    busy.end();
    assert_eq!(busy.total_us(), busy.total_us());
}
