use super::*;

/// A grant of 100 that was given at 10 and expires at 1,000.
fn curve(totals: (i64, i64), lapses: &[(i64, i64)], known: Known) -> Curve {
    let totals = Totals { credits: totals.0, debits: totals.1 };
    Curve { given: (10, 100), expires_us: 1_000, totals, lapses: lapses.to_vec(), known }
}

/// When, what came in, what left.
fn moves(of: &[(i64, i64, i64)]) -> Moves {
    of.iter().map(|(at_us, credits, debits)| (*at_us, Totals { credits: *credits, debits: *debits })).collect()
}

/// The points of a run, and until when it is known.
type Found = (Vec<(i64, i64)>, Option<i64>);

/// What is known of each run.
fn found(curve: &Curve) -> Vec<Found> {
    let points = |run: &GrantRun| run.points.iter().map(|point| (point.at_us, point.left.micros())).collect();
    curve.runs().iter().map(|run| (points(run), run.until_us)).collect()
}

#[test]
fn where_everything_was_looked_at_there_is_one_run() {
    for (says, of, expected) in [
        ("nothing moved", &[(10, 100, 0)][..], &[(10, 100)][..]),
        ("spent and given back", &[(10, 100, 0), (20, 0, 30), (30, 10, 0)], &[(10, 100), (20, 70), (30, 80)]),
        ("the first piece has a charge in it", &[(15, 100, 40)], &[(10, 100), (15, 60)]),
        ("a charge in the batch that gave it", &[(10, 100, 40)], &[(10, 60)]),
        ("another slot was earlier", &[(9, 0, 5), (10, 100, 0)], &[(10, 95)]),
    ] {
        let curve = curve((110, 70), &[], Known::All(moves(of)));
        assert_eq!(found(&curve), [(expected.to_vec(), None)], "{says}");
    }
}

#[test]
fn what_was_not_looked_at_lies_between_two_runs() {
    let first = || (moves(&[(10, 100, 0), (20, 0, 10)]), 50);
    for (says, totals, last, expected) in [
        (
            "both ends",
            (100, 75),
            moves(&[(700, 0, 5), (800, 0, 20)]),
            vec![(vec![(10, 100), (20, 90)], Some(50)), (vec![(600, 50), (700, 45), (800, 25)], None)],
        ),
        (
            "nothing moved lately",
            (100, 75),
            moves(&[]),
            vec![(vec![(10, 100), (20, 90)], Some(50)), (vec![(600, 25)], None)],
        ),
        ("nothing is missing", (100, 10), moves(&[]), vec![(vec![(10, 100), (20, 90)], None)]),
        (
            "as much came back as was spent: that the balance is the same does not say that nothing moved",
            (130, 40),
            moves(&[]),
            vec![(vec![(10, 100), (20, 90)], Some(50)), (vec![(600, 90)], None)],
        ),
    ] {
        let curve = curve(totals, &[], Known::Ends { first: first(), last: Some((last, 600)) });
        assert_eq!(found(&curve), expected, "{says}");
    }
}

#[test]
fn of_a_grant_that_has_lapsed_the_end_is_known() {
    let first = (moves(&[(10, 100, 0), (20, 0, 10)]), 50);
    for (says, totals, lapses, expected) in [
        (
            "at once",
            (100, 100),
            &[(1_001, 40)][..],
            vec![(vec![(10, 100), (20, 90)], Some(50)), (vec![(1_000, 40), (1_001, 0)], None)],
        ),
        (
            "in steps, as holds ended",
            (100, 100),
            &[(1_001, 40), (1_100, 5)],
            vec![(vec![(10, 100), (20, 90)], Some(50)), (vec![(1_000, 45), (1_001, 5), (1_100, 0)], None)],
        ),
        ("nothing else happened", (100, 100), &[(1_001, 90)], vec![(vec![(10, 100), (20, 90), (1_001, 0)], None)]),
        (
            "nothing was left",
            (100, 100),
            &[(1_001, 0)],
            vec![(vec![(10, 100), (20, 90)], Some(50)), (vec![(1_000, 0), (1_001, 0)], None)],
        ),
        ("before what was not looked at", (100, 100), &[(30, 0)], vec![(vec![(10, 100), (20, 90)], Some(50))]),
    ] {
        let curve = curve(totals, lapses, Known::Ends { first: first.clone(), last: None });
        assert_eq!(found(&curve), expected, "{says}");
    }
}
