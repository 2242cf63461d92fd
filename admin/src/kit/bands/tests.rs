use super::*;
use crate::kit::Block;

fn band(name: &str, (low, high): (i64, i64), rate: i64, note: &str) -> Band {
    let note = note.to_owned();
    Band { name: name.to_owned(), low, high, rate, note, of: vec![Cell::Number(7)] }
}

#[test]
fn bands_and_rates_lie_on_one_scale_inside_the_drawing() {
    let rows = vec![
        band("within", (0, 20_000), 10_000, ""),
        band("above", (5_000, 15_000), 40_000, "above the band"),
        band("none", (0, 0), 0, ""),
    ];
    let title = String::new;
    let bands = Bands { title: title(), rate: title(), band: title(), of: vec![title()], rows };
    let found: Vec<(i64, i64, i64)> = bands.bands().iter().map(|drawn| (drawn.x, drawn.length, drawn.mark)).collect();
    assert_eq!(found, [(0, 364, 178), (89, 186, 712), (0, 8, 0)]);
    let html = Block::from(bands).to_string();
    assert!(html.contains("above the band") && html.contains("4.00\u{a0}%") && html.contains("<details>"), "{html}");
    assert!(!html.contains("<text") && !html.contains("style="), "{html}");
}

#[test]
fn millionths_are_written_in_hundredths() {
    for (millionths, written) in [(0, "0.00"), (12_345, "1.23"), (1_000_000, "100.00"), (500, "0.05")] {
        assert_eq!(percent(millionths), format!("{written}\u{a0}%"));
    }
}
