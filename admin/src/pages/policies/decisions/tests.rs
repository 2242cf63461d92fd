use super::*;

#[test]
fn days_are_marked_where_something_was_published() {
    let day = |from_us, published: &[i64]| DecisionDay { from_us, calls: 7, denied: 2, published: published.to_vec() };
    // Two days of January 2027.
    let bars = bars(&[day(1_799_971_200_000_000, &[]), day(1_800_057_600_000_000, &[3, 4])]);
    assert_eq!(bars.marks, [(1, "Version 3, Version 4".to_owned())]);
    let says: Vec<String> = bars.rectangles().into_iter().map(|bar| bar.says).take(2).collect();
    assert_eq!(says, ["2027-01-15: Denied 2", "2027-01-15: Let through, or turned away for other reasons 5"]);
}

#[test]
fn rules_have_a_bar_each_and_the_many_others_one_together() {
    for (count, bars, last) in [(1, 1, ("rule 0", 2)), (12, 12, ("rule 11", 2)), (40, 13, ("other rules: 28", 56))] {
        let rules = (0..count).map(|number| (format!("rule {number}"), 2)).collect();
        let spans = spans(&Denials { rules, since_us: None });
        assert_eq!(spans.len(), bars);
        assert_eq!(spans.last().map(|span| (span.name.as_str(), span.to)), Some(last));
    }
}

#[test]
fn layers_stand_in_the_order_in_which_they_are_asked() {
    use engine::policy::chain::StepKind;
    let count = |layer, denied, passed| LayerCount { layer, denied, passed };
    let counts = [count(PolicyLayer::Beside, 1, 9), count(PolicyLayer::Step(StepKind::GlobalProvider), 2, 7)];
    let drawn = layers("policies-layers", counts.iter().map(layer));
    let found: Vec<_> = drawn.layers.iter().map(|layer| (layer.name.as_str(), layer.passed, layer.ended)).collect();
    assert_eq!(found, [("Policies beside the chain", 9, 1), ("Everybody, by provider", 7, 2)]);
    for kind in StepKind::ALL {
        let name = layer(&count(PolicyLayer::Step(kind), 0, 0)).name;
        assert!(!name.is_empty() && !name.contains("policies-step"), "{kind:?}: {name}");
    }
}
