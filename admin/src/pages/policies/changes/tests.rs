use super::*;

fn document() -> Value {
    json!({
        "tools": {"profile": "coding", "deny": ["exec", "a\"b"]},
        "agents": {"list": [{"id": "research", "tools": {"allow": (0..103).map(|n| format!("t{n}")).collect::<Vec<_>>()}}]},
    })
}

fn rules() -> ChainRules {
    let profiles = [("coding".to_owned(), None), ("full".to_owned(), None)];
    ChainRules { profiles: profiles.into(), http_deny: vec!["exec".to_owned()], ..ChainRules::default() }
}

/// Every button of the lanes.
fn buttons(lanes: &Lanes) -> Vec<Button> {
    let of_list = |list: &LaneList| {
        let entries: Vec<Button> = list.entries.iter().filter_map(|entry| entry.remove.clone()).collect();
        entries.into_iter().chain(list.add.clone()).collect::<Vec<_>>()
    };
    let of_lane = |lane: &Lane| {
        let lists: Vec<Button> = lane.lists.iter().flat_map(of_list).collect();
        lane.choices.iter().chain(&lane.buttons).cloned().chain(lists).collect::<Vec<_>>()
    };
    lanes.buttons.iter().cloned().chain(lanes.lanes.iter().flat_map(of_lane)).collect()
}

#[test]
fn every_button_says_what_it_does_and_is_understood() {
    let lanes = view(&document(), &rules(), "x");
    let deeds: Vec<Deed> =
        buttons(&lanes).iter().map(|button| Deed::read(&button.value, "x").expect(&button.value)).collect();
    let tools = DocumentPath::default().key("tools");
    let wanted = [
        LaneEdit::Agent("x".to_owned()),
        LaneEdit::Group("x".to_owned()),
        LaneEdit::Add { list: tools.key("allow"), entry: "x".to_owned() },
        LaneEdit::Remove { list: tools.key("deny"), index: 1, entry: "a\"b".to_owned() },
        LaneEdit::Profile { path: tools.key("profile"), name: "full".to_owned() },
        LaneEdit::Profile { path: tools.key("profile"), name: String::new() },
        LaneEdit::Provider { tools: tools.clone(), name: "x".to_owned() },
    ];
    for edit in wanted {
        assert!(deeds.contains(&Deed::Edit(edit.clone())), "{edit:?}");
    }
    let chosen: Vec<_> = lanes.lanes[0].choices.iter().map(|choice| (choice.text.as_str(), choice.is_chosen)).collect();
    assert_eq!(chosen[..2], [("coding", true), ("full", false)]);
}

#[test]
fn long_lists_are_cut_and_what_is_not_there_is_said() {
    let lanes = view(&document(), &rules(), "");
    let agent = lanes.lanes.iter().find(|lane| lane.key == "agents.list[0].tools" && !lane.lists.is_empty()).unwrap();
    let allow = &agent.lists[0];
    assert_eq!((allow.entries.len(), allow.note.as_str()), (100, "and 3 more"));
    assert_eq!(agent.lists[1].note, t("policies-list-absent"));
    let http = lanes.lanes.last().unwrap();
    assert!(http.note.contains("exec"), "{http:?}");
}

#[test]
fn what_no_button_says_is_not_done() {
    assert_eq!(Deed::read("", "x"), Some(Deed::Check));
    assert_eq!(Deed::read("save", "x"), Some(Deed::Save));
    for pressed in
        ["publish", "[]", "[\"drop\"]", "[\"add\"]", "[\"add\", [true]]", "[\"remove\", [\"a\"], \"b\"]", "{}"]
    {
        assert_eq!(Deed::read(pressed, "x"), None, "{pressed}");
    }
}
