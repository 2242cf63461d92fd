use super::*;

fn run(points: &[(i64, i64)], until_us: i64) -> Run {
    let points = points.iter().map(|(at_us, micros)| (*at_us, Credits::from_micros(*micros))).collect();
    Run { points, until_us }
}

/// Of something that ends at 1,000: the drawing is 1,050 microseconds wide.
fn curve(runs: Vec<Run>) -> Curve {
    Curve { title: "<Left>".to_owned(), value: "Left".to_owned(), end_us: 1_000, end: "Expires".to_owned(), runs }
}

#[test]
fn what_is_left_falls_in_steps_until_now() {
    let curve = curve(vec![run(&[(0, 100), (350, 50)], 525)]);
    assert_eq!(curve.lines(), ["0,20 240,20 240,100 360,100"]);
    assert_eq!((curve.even().as_str(), curve.end_x()), ("0,20 685,180", 685));
    assert!(curve.unknown().is_empty());
    let html = curve.to_string();
    assert!(html.contains("role=\"img\"") && !html.contains("<Left>") && !html.contains("style="), "{html}");
    assert!(!html.contains("<text") && html.matches("<polyline").count() == 2, "{html}");
    assert!(!html.contains("coming"), "nothing is unknown: {html}");
}

#[test]
fn what_is_not_known_is_drawn_apart() {
    let curve = curve(vec![run(&[(0, 100), (105, 80)], 210), run(&[(840, 40), (945, 0)], 1_000)]);
    assert_eq!(curve.lines(), ["0,20 72,20 72,52 144,52", "576,116 648,116 648,180 685,180"]);
    assert_eq!(curve.unknown(), ["144,52 576,116"]);
    let numbers: Vec<String> = curve.numbers().iter().map(|(_, left)| left.to_string()).collect();
    assert_eq!(numbers.len(), 5, "two and two, and one between them: {numbers:?}");
    assert_eq!(curve.numbers()[2].1, Cell::None);
    assert!(curve.to_string().matches("coming").count() >= 2, "in the picture and in the legend");
}

/// Other moments on a page are told in the zone of whoever reads it.
#[test]
fn a_curve_says_in_which_zone_its_moments_are() {
    let curve = curve(vec![run(&[(0, 100)], 1_000)]);
    assert_eq!(curve.begins(), "1970-01-01 00:00:00 UTC");
    assert_eq!(curve.end_says(), "Expires: 1970-01-01 00:00:00 UTC");
    let html = curve.to_string();
    assert!(html.contains("<th scope=\"col\">When (UTC)</th>"), "{html}");
}

#[test]
fn ends_of_all_kinds_are_drawn() {
    for (says, runs, expected) in [
        ("nothing is known", vec![], vec![]),
        ("just given", vec![run(&[(1_000, 5)], 1_000)], vec!["0,20"]),
        ("nothing was given", vec![run(&[(0, 0)], 1_050)], vec!["0,180 686,180"]),
        ("as much as there can be", vec![run(&[(0, i64::MAX), (525, i64::MAX)], 525)], vec!["0,20 360,20"]),
    ] {
        assert_eq!(curve(runs).lines(), expected, "{says}");
    }
}
