//! Definitions of a schema that nothing refers to: those of an argument that was taken out would tell of it.

use std::collections::HashSet;

use serde_json::{Map, Value};

/// Where a schema keeps its definitions.
const PLACES: [&str; 2] = ["$defs", "definitions"];

/// Takes the definitions out that nothing else in `schema` leads to. Where a reference is written in an odd way (with an anchor, or
/// a name with an escape) all of them stay.
pub(super) fn forget_unused(schema: &mut Map<String, Value>) {
    let mut waiting = Vec::new();
    let plain = schema.iter().filter(|(keyword, _)| !PLACES.contains(&keyword.as_str()));
    plain.for_each(|(keyword, value)| references(keyword, value, &mut waiting));
    let mut used = HashSet::new();
    while let Some(reference) = waiting.pop() {
        if reference == "#" {
            continue;
        }
        let Some(pointer) = reference.strip_prefix("#/") else { return };
        let mut steps = pointer.split('/');
        let Some(place) = steps.next().filter(|place| PLACES.contains(place)) else { continue };
        let Some(name) = steps.next().filter(|name| !name.contains(['~', '%'])) else { return };
        if used.insert((place.to_owned(), name.to_owned()))
            && let Some(definition) = schema.get(place).and_then(|definitions| definitions.get(name))
        {
            references("", definition, &mut waiting);
        }
    }
    for place in PLACES {
        let Some(Value::Object(definitions)) = schema.get_mut(place) else { continue };
        definitions.retain(|name, _| used.contains(&(place.to_owned(), name.clone())));
        if definitions.is_empty() {
            schema.shift_remove(place);
        }
    }
}

/// Every reference in what stands under `keyword`. One in a value that is no schema counts as well: then too much stays.
fn references(keyword: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(reference) if keyword == "$ref" => found.push(reference.clone()),
        Value::Object(members) => members.iter().for_each(|(name, value)| references(name, value, found)),
        Value::Array(items) => items.iter().for_each(|item| references("", item, found)),
        _ => {}
    }
}
