use super::*;

fn spans(of: &[(i64, i64)]) -> Spans {
    let span = |(from, to): &(i64, i64)| Span {
        name: format!("{from} to {to}"),
        from: *from,
        to: *to,
        value: Cell::Number(to.saturating_sub(*from)),
        says: String::new(),
        class: "s1",
    };
    Spans { title: "Steps".to_owned(), values: "How many".to_owned(), spans: of.iter().map(span).collect() }
}

#[test]
fn spans_lie_on_one_scale() {
    for (says, of, expected) in [
        ("one after the other", &[(0, 50), (50, 100)][..], &[(220, 250), (470, 250)][..]),
        ("down again", &[(0, 100), (100, 50)], &[(220, 500), (470, 250)]),
        ("below nothing", &[(0, -100), (-100, 100)], &[(220, 250), (220, 500)]),
        ("nothing at all", &[(0, 0)], &[(220, 0)]),
        ("very little at the end", &[(0, 1_000_000), (999_999, 1_000_000)], &[(220, 500), (719, 1)]),
        ("the whole range", &[(i64::MIN, i64::MAX)], &[(220, 500)]),
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
fn a_long_name_ends_before_the_bars_and_stands_whole_in_the_table() {
    for (name, drawn) in [
        ("acme/add".to_owned(), "acme/add".to_owned()),
        ("é".repeat(31), "é".repeat(31)),
        ("é".repeat(32), "é".repeat(30) + "…"),
    ] {
        let mut spans = spans(&[(0, 1)]);
        spans.spans[0].name.clone_from(&name);
        assert_eq!(spans.bars()[0].name(), drawn);
        let html = spans.to_string();
        assert!(html.contains(&format!(">{drawn}</text>")) && html.contains(&format!("{name}</th>")), "{html}");
    }
}
