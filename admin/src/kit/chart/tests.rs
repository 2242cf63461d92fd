use super::*;
use crate::kit::Block;

fn bars(series: &[&[i64]]) -> Bars {
    let count = series.iter().map(|values| values.len()).max().unwrap_or(0);
    Bars {
        title: "calls".to_owned(),
        labels: (0..count).map(|bar| format!("d{bar}")).collect(),
        series: series
            .iter()
            .map(|values| Series { label: "a".to_owned(), class: "s1", values: values.to_vec() })
            .collect(),
        ..Bars::default()
    }
}

/// From the top and how high, rectangle by rectangle.
fn drawn(bars: &Bars) -> Vec<(i64, i64)> {
    bars.rectangles().iter().map(|found| (found.y, found.height)).collect()
}

#[test]
fn what_is_below_zero_stands_below_the_others() {
    for (says, series, base, expected) in [
        ("above alone", &[&[2, 1][..]][..], 180, &[(0, 180), (90, 90)][..]),
        ("both sides", &[&[3][..], &[-1][..]], 135, &[(0, 135), (135, 45)]),
        ("below alone", &[&[-2][..], &[-2][..]], 0, &[(0, 90), (90, 90)]),
        ("nothing", &[&[0][..]], 180, &[]),
        ("very little below", &[&[1_000_000][..], &[-1][..]], 179, &[(0, 179), (179, 1)]),
    ] {
        let found = bars(series);
        assert_eq!(found.base(), base, "{says}");
        assert_eq!(drawn(&found), expected, "{says}");
        assert!(drawn(&found).iter().all(|(y, height)| *y >= 0 && y + height <= 180), "{says}");
    }
    let most = bars(&[&[i64::MAX, 0], &[0, i64::MIN], &[i64::MAX, i64::MIN]]);
    assert!(drawn(&most).iter().all(|(y, height)| *y >= 0 && *height > 0 && y + height <= 180));
}

#[test]
fn a_line_has_the_scale_of_the_bars_or_its_own() {
    let line = |own, values: &[i64]| Some(Trend { label: "kept".to_owned(), own, values: values.to_vec() });
    let mut both = bars(&[&[1, 1, 1]]);
    both.line = line(None, &[2, 2, 2]);
    assert_eq!((both.highest(), both.points().as_str()), (2, "119,0 359,0 599,0"));
    assert_eq!(drawn(&both).first(), Some(&(90, 90)), "the line is the highest");
    both.line = line(Some(Measure::Money), &[-1_000_000, 0, 1_000_000]);
    assert_eq!((both.highest(), both.points().as_str()), (1, "119,180 359,91 599,2"));
    assert_eq!(both.line_label().as_deref(), Some("kept (up to 1 cr)"));
    both.line = line(Some(Measure::Number), &[0, 0, 0]);
    assert_eq!(both.points(), "119,180 359,180 599,180");
    both.line = None;
    assert_eq!((both.points().as_str(), both.line_label()), ("", None));
}

#[test]
fn ticks_and_marks_stand_at_their_bars_and_in_the_table() {
    let mut found = bars(&[&[5, 5]]);
    found.ticks = Some(Series { label: "failed".to_owned(), class: "s4", values: vec![0, 3] });
    found.marks = vec![(0, "version 7".to_owned()), (9, "nowhere".to_owned())];
    found.marked = "published".to_owned();
    let ticks = found.tick_marks();
    assert_eq!(ticks.iter().map(|tick| (tick.x, tick.says.as_str())).collect::<Vec<_>>(), [(360, "d1: failed 3")]);
    assert!(ticks.iter().all(|tick| tick.y >= 180 && tick.y + tick.height <= 200));
    assert_eq!(found.mark_lines(), [(179, "d0: version 7".to_owned())]);
    assert_eq!(found.columns(), ["a", "failed", "published"]);
    let number = Cell::Number;
    assert_eq!(
        found.numbers(),
        [
            ("d0".to_owned(), vec![number(5), number(0), Cell::text("version 7")]),
            ("d1".to_owned(), vec![number(5), number(3), Cell::text("")]),
        ]
    );
}

#[test]
fn words_stand_beside_the_drawing_and_never_in_it() {
    let mut found = bars(&[&[1_200, 1], &[-3, 0]]);
    found.line = Some(Trend { label: "<b>".to_owned(), own: None, values: vec![1, 2] });
    let html = Block::from(found).to_string();
    assert!(html.contains("up to 1,200") && html.contains(">d0<") && html.contains(">d1<"), "{html}");
    assert!(!html.contains("<text") && !html.contains("style=") && !html.contains("<b>"), "{html}");
    assert!(html.contains("<polyline") && html.contains("<details>"), "{html}");
}
