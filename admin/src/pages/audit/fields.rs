//! What was and what is, field by field: two texts of JSON as one list.

use std::collections::BTreeMap;

use serde_json::Value;

/// What became of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// It was not there.
    Added,
    /// It is no longer there.
    Removed,
    /// It has another value.
    Changed,
    /// It is as it was.
    Same,
}

/// A field with its values as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FieldChange {
    /// Its path, `caps.daily` or `roles[0]`; empty where the whole is one value.
    pub(super) name: String,
    /// What was.
    pub(super) before: Option<String>,
    /// What is.
    pub(super) after: Option<String>,
}

impl FieldChange {
    /// What became of it.
    pub(super) fn change(&self) -> Change {
        match (&self.before, &self.after) {
            (None, _) => Change::Added,
            (Some(_), None) => Change::Removed,
            (Some(before), Some(after)) if before == after => Change::Same,
            (Some(_), Some(_)) => Change::Changed,
        }
    }
}

/// Every field of either text, by name. What is no JSON is one value.
pub(super) fn changes(before: Option<&str>, after: Option<&str>) -> Vec<FieldChange> {
    let mut fields: BTreeMap<String, (Option<String>, Option<String>)> = BTreeMap::new();
    for (name, value) in leaves(before) {
        fields.entry(name).or_default().0 = Some(value);
    }
    for (name, value) in leaves(after) {
        fields.entry(name).or_default().1 = Some(value);
    }
    fields.into_iter().map(|(name, (before, after))| FieldChange { name, before, after }).collect()
}

/// The values of a text that have no values inside, each with its path.
fn leaves(text: Option<&str>) -> Vec<(String, String)> {
    let Some(text) = text else { return Vec::new() };
    let mut found = Vec::new();
    match serde_json::from_str(text) {
        Ok(value) => collect(String::new(), &value, &mut found),
        Err(_no_json) => found.push((String::new(), text.to_owned())),
    }
    found
}

/// JSON is read to a depth of 128 at most, so this ends.
fn collect(path: String, value: &Value, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                collect(path, value, found);
            }
        }
        Value::Array(values) if !values.is_empty() => {
            for (place, value) in values.iter().enumerate() {
                collect(format!("{path}[{place}]"), value, found);
            }
        }
        Value::String(text) => found.push((path, text.clone())),
        other => found.push((path, other.to_string())),
    }
}

#[cfg(test)]
mod tests;
