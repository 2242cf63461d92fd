use super::*;

fn spans(of: &[(i64, i64)]) -> Spans {
    let span = |(from, to): &(i64, i64)| Span {
        name: format!("{from} to {to}"),
        from: *from,
        to: *to,
        value: Cell::Number(to.saturating_sub(*from)),
        says: String::new(),
        class: "s1",
        note: String::new(),
    };
    Spans { title: "Steps".to_owned(), values: "How many".to_owned(), spans: of.iter().map(span).collect() }
}

#[test]
fn spans_lie_on_one_scale() {
    for (says, of, expected) in [
        ("one after the other", &[(0, 50), (50, 100)][..], &[(0, 360), (360, 360)][..]),
        ("down again", &[(0, 100), (100, 50)], &[(0, 720), (360, 360)]),
        ("below nothing", &[(0, -100), (-100, 100)], &[(0, 360), (0, 720)]),
        ("nothing at all", &[(0, 0)], &[(0, 0)]),
        ("very little at the end", &[(0, 1_000_000), (999_999, 1_000_000)], &[(0, 720), (719, 1)]),
        ("the whole range", &[(i64::MIN, i64::MAX)], &[(0, 720)]),
    ] {
        let drawn = spans(of);
        let found: Vec<(i64, i64)> = drawn.bars().iter().map(|bar| (bar.x, bar.length)).collect();
        assert_eq!(found, expected, "{says}");
    }
}

#[test]
fn spans_are_drawn_and_written() {
    let html = spans(&[(0, 50), (50, 100)]).to_string();
    assert!(html.matches("<rect").count() == 2 && html.matches("<td").count() == 2, "{html}");
    assert!(!html.contains("style=") && html.contains("0 to 50"), "{html}");
}

#[test]
fn names_stand_whole_and_outside_the_drawings_and_one_is_told_from_the_others() {
    let long = "é".repeat(200);
    let mut spans = spans(&[(0, 1), (0, 2)]);
    spans.spans[0].name.clone_from(&long);
    spans.spans[1].note = "<here>".to_owned();
    let html = spans.to_string();
    assert_eq!(html.matches(&long).count(), 3, "in the picture, when pointed at, and in the table: {html}");
    assert!(!html.contains("<text") && !html.contains("<here>"), "{html}");
    assert_eq!(html.matches("here").count(), 2, "in the picture and in the table: {html}");
}
