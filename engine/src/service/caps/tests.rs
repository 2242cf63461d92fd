use super::*;

fn standing(limit: i64, used: Option<(i64, i64)>) -> CapStanding {
    let used = used.map(|(spent, held)| CapUsed {
        spent: Credits::from_micros(spent),
        held: Credits::from_micros(held),
        resets_us: None,
    });
    let holder = CapHolder::Partner(PartnerId::from(Uuid::nil()));
    CapStanding { holder, window: CapWindow::Day, limit: Credits::from_micros(limit), used }
}

#[test]
fn a_cap_is_near_above_four_fifths_and_reached_at_its_limit() {
    for (limit, spent, held, state, percent) in [
        (100, 0, 0, CapState::Room, 0),
        (100, 80, 0, CapState::Room, 80),
        (100, 80, 1, CapState::Near, 81),
        (100, 99, 0, CapState::Near, 99),
        (1_000, 999, 0, CapState::Near, 99),
        (100, 60, 40, CapState::Reached, 100),
        (100, 500, 0, CapState::Reached, 100),
        (0, 0, 0, CapState::Reached, 100),
        (i64::MAX, i64::MAX, i64::MAX, CapState::Reached, 100),
    ] {
        let cap = standing(limit, Some((spent, held)));
        assert_eq!((cap.state(), cap.used_percent()), (Some(state), Some(percent)), "{spent} + {held} of {limit}");
    }
}

#[test]
fn what_counts_nothing_has_no_state() {
    let cap = standing(100, None);
    assert_eq!((cap.state(), cap.used_percent()), (None, None));
}
