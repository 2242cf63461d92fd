use super::*;

fn layers(of: &[(i64, i64)]) -> Layers {
    let layer = |(passed, ended): &(i64, i64)| Layer { name: format!("<{passed}>"), passed: *passed, ended: *ended };
    let [title, passed, ended] = ["Layers", "goes on", "ends"].map(str::to_owned);
    Layers { title, passed, ended, layers: of.iter().map(layer).collect() }
}

#[test]
fn lanes_lie_on_one_scale() {
    for (says, of, expected) in [
        ("less and less", &[(90, 10), (45, 45), (45, 0)][..], &[(648, 72), (324, 324), (324, 0)][..]),
        ("nothing goes on", &[(0, 7), (0, 0)], &[(0, 720), (0, 0)]),
        ("very little ends", &[(1_000_000, 1)], &[(718, 2)]),
        ("very little goes on", &[(1, 1_000_000)], &[(1, 719)]),
        ("nothing at all", &[(0, 0)], &[(0, 0)]),
        ("as much as there can be", &[(i64::MAX, i64::MAX)], &[(0, 720)]),
    ] {
        let drawn = layers(of);
        let found: Vec<(i64, i64)> = drawn.lanes().iter().map(|lane| (lane.passed, lane.ended)).collect();
        assert_eq!(found, expected, "{says}");
    }
}

#[test]
fn lanes_have_their_numbers_beside_them_and_in_the_table() {
    let html = layers(&[(12_345, 10), (12_345, 0)]).to_string();
    assert_eq!(html.matches("<rect").count(), 5, "two lanes, two that go on, one that ends: {html}");
    assert_eq!(html.matches("<td").count(), 4, "{html}");
    assert!(!html.contains("style=") && !html.contains("<text") && !html.contains("<12345>"), "{html}");
}
