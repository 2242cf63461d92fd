use super::*;

#[test]
fn every_kind_has_its_place() {
    for (place, caller) in Caller::of_all_kinds().enumerate() {
        assert_eq!(caller.kind().usize(), place);
    }
    let mut places: Vec<usize> = ToolFacts::of_all_kinds().map(|tool| tool.kind().usize()).collect();
    for (place, tool) in ToolFacts::of_all_kinds().enumerate().filter(|(_, tool)| tool.namespace.is_some()) {
        assert_eq!(tool.kind().usize(), place);
    }
    places.sort_unstable();
    places.dedup();
    assert_eq!(places.len(), 40, "three flags, and no namespace or one of four");
}
