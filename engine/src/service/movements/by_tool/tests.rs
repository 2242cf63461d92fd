use super::*;

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// A refund of the charge `charge`.
fn refund(charge: u128, micros: Option<i64>) -> Movement {
    Movement {
        id: EntryId::from(id(99)),
        kind: MovementKind::Refund,
        subject: EntryId::from(id(charge)).to_string(),
        credits: micros.map(Credits::from_micros),
        reason: "a test".to_owned(),
        created_us: 0,
    }
}

#[test]
fn refunds_are_added_up_by_tool_the_most_first() {
    // Charges 1 and 2 are of one tool, 3 of another, 4 of none.
    let tools = HashMap::from([(id(1), id(10)), (id(2), id(10)), (id(3), id(30))]);
    let names = HashMap::from([(id(10), "acme/add".to_owned()), (id(30), "acme/look".to_owned())]);
    for (says, refunds, expected) in [
        ("nothing", &[][..], &[][..]),
        ("one charge in parts", &[refund(1, Some(5)), refund(1, Some(7))], &[("acme/add", 2, 12)]),
        (
            "two charges of one tool, and more of another",
            &[refund(1, Some(5)), refund(2, Some(7)), refund(3, Some(13))],
            &[("acme/look", 1, 13), ("acme/add", 2, 12)],
        ),
        ("as much of both", &[refund(3, Some(5)), refund(1, Some(5))], &[("acme/add", 1, 5), ("acme/look", 1, 5)]),
        ("what is of no tool", &[refund(4, Some(5)), refund(3, Some(1))], &[("acme/look", 1, 1)]),
        ("what moved nothing", &[refund(3, None)], &[("acme/look", 1, 0)]),
        ("more than there can be", &[refund(3, Some(i64::MAX)), refund(3, Some(1))], &[("acme/look", 2, i64::MAX)]),
    ] {
        let found = by_tool(refunds, &tools, &names);
        let found: Vec<(&str, i64, i64)> =
            found.iter().map(|row| (row.path.as_str(), row.refunds, row.credits.micros())).collect();
        assert_eq!(found, expected, "{says}");
    }
    let about_somebody = Movement { subject: "acc_1".to_owned(), ..refund(1, Some(5)) };
    assert_eq!(by_tool(&[about_somebody], &tools, &names), []);
}

#[test]
fn refunds_are_added_up_by_reason_the_most_frequent_first() {
    let because = |reason: &str, micros| Movement { reason: reason.to_owned(), ..refund(1, micros) };
    for (says, refunds, expected) in [
        ("nothing", &[][..], &[][..]),
        (
            "the most frequent, not the dearest",
            &[because("dear", Some(90)), because("wrong", Some(1)), because(" wrong ", Some(2))],
            &[("wrong", 2, 3), ("dear", 1, 90)],
        ),
        ("as often: the dearer", &[because("a", Some(1)), because("b", Some(2))], &[("b", 1, 2), ("a", 1, 1)]),
        ("what moved nothing", &[because("a", None)], &[("a", 1, 0)]),
    ] {
        let found = by_reason(refunds);
        let found: Vec<(&str, i64, i64)> =
            found.iter().map(|row| (row.reason.as_str(), row.refunds, row.credits.micros())).collect();
        assert_eq!(found, expected, "{says}");
    }
}
