use super::*;

/// From, below, how many: in micro-credits.
type Class = (i64, Option<i64>, i64);

#[test]
fn everybody_is_in_one_class_and_classes_between_are_there() {
    const MOST: i64 = 1_000_000_000_000_000_000;
    for (says, spent, expected) in [
        ("nobody", &[][..], &[][..] as &[Class]),
        ("nothing", &[0, 0], &[(0, None, 2)]),
        ("the least", &[1], &[(1, Some(10), 1)]),
        ("both ends of a class", &[10, 99], &[(10, Some(100), 2)]),
        ("where one class ends", &[99, 100], &[(10, Some(100), 1), (100, Some(1_000), 1)]),
        (
            "classes between",
            &[0, 5, 5, 7_000],
            &[(0, None, 1), (1, Some(10), 2), (10, Some(100), 0), (100, Some(1_000), 0), (1_000, Some(10_000), 1)],
        ),
        ("the most", &[i64::MAX, MOST], &[(MOST, None, 2)]),
        ("what cannot be", &[-5], &[(0, None, 1)]),
    ] {
        let classes = spending_classes(spent.iter().map(|micros| Credits::from_micros(*micros)));
        let found: Vec<Class> =
            classes.iter().map(|class| (class.from.micros(), class.below.map(Credits::micros), class.users)).collect();
        assert_eq!(found, expected, "{says}");
        for micros in spent {
            let own = classes.iter().filter(|class| class.has(Credits::from_micros(*micros))).count();
            assert_eq!(own, 1, "{says}: whoever spent {micros} is in one class");
        }
        let users: i64 = classes.iter().map(|class| class.users).sum();
        assert_eq!(usize::try_from(users).unwrap(), spent.len(), "{says}");
    }
}

#[test]
fn calls_of_a_token_are_in_the_parts_of_the_time_of_all_calls() {
    let (one, two, other) = (Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3));
    let call = |token: Uuid, state: CallState, at_us: i64| (Some(token), state.raw(), at_us);
    let calls = [
        call(one, CallState::Succeeded, 2_400),
        call(one, CallState::Denied, 2_399),
        call(two, CallState::Refused, 1_250),
        (None, CallState::Succeeded.raw(), 1_200),
        call(one, CallState::Failed, 1_100),
        call(other, CallState::Succeeded, 0),
    ];
    let found = uses(&calls, &HashSet::from([one, two]), 2_400);
    assert_eq!(found.len(), 2);
    let filled = |parts: &[i64]| -> Vec<(usize, i64)> {
        parts.iter().copied().enumerate().filter(|(_, calls)| *calls > 0).collect()
    };
    let first = &found[&one];
    assert_eq!((first.recent.calls, first.recent.last_us, first.turned_away), (3, 2_400, 1));
    assert_eq!((filled(&first.calls), filled(&first.turned_away_calls)), (vec![(10, 1), (23, 2)], vec![(23, 1)]));
    let second = &found[&two];
    assert_eq!((filled(&second.calls), filled(&second.turned_away_calls)), (vec![(12, 1)], vec![(12, 1)]));
    assert!(uses(&[], &HashSet::from([one]), 0).is_empty());
}
