use super::*;

fn call(surface: Surface, state: CallState, denied_by: Option<&str>) -> Decided {
    Decided { surface: surface.raw(), state: state.raw(), denied_by: denied_by.map(str::to_owned), was_asked: true }
}

#[test]
fn the_first_layer_that_denies_is_the_one_that_did() {
    use PolicyLayer::{Beside, Step};
    for (denied_by, layer) in [
        ("", Beside),
        ("base.suspended", Beside),
        ("base.suspended,gateway.tools.deny", Beside),
        ("tools.deny,gateway.tools.deny", Step(StepKind::Global)),
        ("gateway.tools.deny,tools.profile", Step(StepKind::Profile)),
        ("agents.rhea.tools.byProvider.p.allow", Step(StepKind::AgentProvider)),
        (r#"channels.x.groups["a,b"].tools.deny,gateway.tools.deny"#, Step(StepKind::Group)),
    ] {
        assert_eq!(PolicyLayer::of_denial(Surface::Gateway, denied_by), layer, "{denied_by}");
        assert_eq!(PolicyLayer::of_denial(Surface::Marketplace, denied_by), Beside, "{denied_by}");
    }
}

#[test]
fn each_layer_has_what_the_one_before_let_through() {
    use CallState::{Denied, Failed, Refused, Succeeded};
    let mut calls = vec![
        call(Surface::Gateway, Succeeded, None),
        call(Surface::Gateway, Refused, None),
        call(Surface::Gateway, Denied, Some("gateway.tools.deny")),
        call(Surface::Gateway, Denied, Some("tools.deny,gateway.tools.deny")),
        call(Surface::Gateway, Denied, Some("tools.allow")),
        call(Surface::Gateway, Denied, Some("house.night")),
        call(Surface::Marketplace, Denied, Some("tools.deny")),
        call(Surface::Marketplace, Failed, None),
        call(Surface::Marketplace, Succeeded, None),
    ];
    calls.push(Decided { was_asked: false, ..call(Surface::Gateway, CallState::Invalid, None) });
    calls.push(Decided { surface: 99, ..call(Surface::Gateway, Succeeded, None) });
    let counts = counts_of(calls.into_iter());
    assert_eq!(counts.gateway.len(), 11);
    let denying: Vec<(PolicyLayer, i64, i64)> = counts
        .gateway
        .iter()
        .filter(|count| count.denied > 0)
        .map(|count| (count.layer, count.denied, count.passed))
        .collect();
    let step = PolicyLayer::Step;
    assert_eq!(denying, [(PolicyLayer::Beside, 1, 5), (step(StepKind::Global), 2, 3), (step(StepKind::Http), 1, 2)]);
    assert_eq!(counts.gateway[1].passed, 5, "who denies nothing lets all through");
    assert_eq!(counts.marketplace, Some(LayerCount { layer: PolicyLayer::Beside, denied: 1, passed: 2 }));
    assert_eq!(counts_of(std::iter::empty()), LayerCounts::default(), "no call, no picture");
}
