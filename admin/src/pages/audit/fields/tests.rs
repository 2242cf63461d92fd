use super::*;

fn told(before: Option<&str>, after: Option<&str>) -> Vec<(String, Change)> {
    changes(before, after).into_iter().map(|field| (field.name.clone(), field.change())).collect()
}

#[test]
fn every_field_is_added_removed_changed_or_as_it_was() {
    let before = r#"{"name": "Ann", "caps": {"daily": 5, "hourly": 1}, "old": null}"#;
    let after = r#"{"name": "Ann", "caps": {"daily": 7, "hourly": 1}, "new": true}"#;
    let wanted = [
        ("caps.daily", Change::Changed),
        ("caps.hourly", Change::Same),
        ("name", Change::Same),
        ("new", Change::Added),
        ("old", Change::Removed),
    ];
    assert_eq!(told(Some(before), Some(after)), wanted.map(|(name, change)| (name.to_owned(), change)));
    let daily = changes(Some(before), Some(after)).swap_remove(0);
    assert_eq!((daily.before.as_deref(), daily.after.as_deref()), (Some("5"), Some("7")));
}

#[test]
fn lists_are_compared_by_place_and_empty_ones_are_values() {
    let found = changes(Some(r#"{"roles": ["a", "b"], "tags": []}"#), Some(r#"{"roles": ["a"], "tags": {}}"#));
    let names: Vec<&str> = found.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["roles[0]", "roles[1]", "tags"]);
    let kinds: Vec<Change> = found.iter().map(FieldChange::change).collect();
    assert_eq!(kinds, [Change::Same, Change::Removed, Change::Changed]);
}

#[test]
fn what_is_no_json_is_one_value_and_nothing_is_nothing() {
    assert_eq!(told(None, None), []);
    assert_eq!(told(None, Some("not JSON")), [(String::new(), Change::Added)]);
    assert_eq!(told(Some("1"), Some("2")), [(String::new(), Change::Changed)]);
}
