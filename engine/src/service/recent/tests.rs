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
        let users: i64 = classes.iter().map(|class| class.users).sum();
        assert_eq!(usize::try_from(users).unwrap(), spent.len(), "{says}");
    }
}
