use super::*;

fn strip(measure: Measure, whole: i64, values: &[Option<i64>]) -> Strip {
    let (name, says) = ("<name>".to_owned(), "at most 7".to_owned());
    Strip { name, says, class: "s1", measure, whole, values: values.to_vec() }
}

fn strips(of: Vec<Strip>) -> Strips {
    let labels = ["12:00", "12:05", "12:10", "12:15"].map(str::to_owned).into();
    Strips { title: "Strips".to_owned(), labels, missing: "not measured".to_owned(), strips: of }
}

#[test]
fn a_strip_is_filled_by_its_whole_and_a_gap_is_not_nothing() {
    let bar = |x: i64, height: i64| (x, 179_i64, height, "s1");
    for (says, whole, values, expected) in [
        (
            "half, nothing, all, more",
            10,
            [Some(5), Some(0), Some(10), Some(99)],
            &[bar(0, 24), bar(360, 48), bar(540, 48)][..],
        ),
        ("a gap in the middle", 10, [Some(10), None, None, Some(0)], &[bar(0, 48), (180, 360, 48, "gap")]),
        ("two gaps", 10, [None, Some(0), None, None], &[(0, 180, 48, "gap"), (360, 360, 48, "gap")]),
        ("very little", i64::MAX, [Some(1), Some(-1), Some(i64::MAX), Some(0)], &[bar(0, 1), bar(360, 48)]),
        ("no whole", 0, [Some(1), Some(0), Some(0), Some(0)], &[bar(0, 48)]),
    ] {
        let drawn = strips(vec![strip(Measure::Number, whole, &values)]);
        let found = drawn.rectangles(&drawn.strips[0]);
        assert!(found.iter().all(|bar| bar.y + bar.height == HEIGHT), "{says}: {found:?}");
        let found: Vec<_> = found.iter().map(|bar| (bar.x, bar.width, bar.height, bar.class)).collect();
        assert_eq!(found, expected, "{says}");
    }
    let short = strips(vec![strip(Measure::Number, 10, &[])]);
    assert_eq!(short.rectangles(&short.strips[0]).len(), 1, "what is missing at the end is missing");
}

#[test]
fn strips_of_one_step_have_one_end() {
    let alone = Strips { labels: vec!["12:00".to_owned()], ..strips(Vec::new()) };
    assert_eq!(alone.ends(), ("12:00 UTC".to_owned(), String::new()));
    assert_eq!(Strips { labels: Vec::new(), ..strips(Vec::new()) }.ends(), (String::new(), String::new()));
}

#[test]
fn strips_have_one_time_and_their_numbers_below() {
    let values = [Some(250_000), None, Some(1), Some(0)];
    let two = vec![strip(Measure::Share, 1_000_000, &values), strip(Measure::Number, 9, &[Some(1_234); 4])];
    let html = strips(two).to_string();
    assert_eq!((html.matches("<svg").count(), html.matches("<td").count()), (2, 8), "{html}");
    assert!(html.contains("12:00: 25.00\u{a0}%") && html.contains("12:00: 1,234"), "{html}");
    assert!(html.contains("12:05: not measured") && html.contains("class=\"none\""), "{html}");
    assert!(!html.contains("style=") && !html.contains("<text") && !html.contains("<name>"), "{html}");
    assert!(html.contains("<span>12:00 UTC</span><span>12:15 UTC</span>"), "{html}");
    assert!(html.contains("<th scope=\"col\">When (UTC)</th>"), "{html}");
    let whole = strips(vec![strip(Measure::Number, 9, &[Some(1); 4])]).to_string();
    assert!(!whole.contains("not measured"), "{whole}");
}
