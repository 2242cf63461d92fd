//! Where else a schema names an argument.
//!
//! What a publisher sets is taken out of the outermost `properties` and `required` of the schema that callers see. A schema
//! that names it elsewhere would tell callers of it, or ask them for what they cannot give. Looked at is every subschema that
//! describes the arguments themselves; what members of them contain may be called the same, and is something else.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::catalog::fragment;

/// Keywords whose values say nothing of what the arguments are called, or are looked at as subschemas.
const SILENT: [&str; 37] = [
    "$anchor",
    "$comment",
    "$id",
    "$ref",
    "$schema",
    "$vocabulary",
    "additionalItems",
    "additionalProperties",
    "allOf",
    "anyOf",
    "contains",
    "deprecated",
    "description",
    "else",
    "format",
    "id",
    "if",
    "items",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "minContains",
    "minItems",
    "minLength",
    "minProperties",
    "not",
    "oneOf",
    "pattern",
    "prefixItems",
    "readOnly",
    "then",
    "title",
    "type",
    "unevaluatedItems",
    "unevaluatedProperties",
    "writeOnly",
];

/// A name that is hidden, and the place (a JSON pointer into the schema) that names it all the same; `None` if none does.
pub(super) fn find(schema: &Value, is_hidden: &dyn Fn(&str) -> bool) -> Option<(String, String)> {
    let mut known = HashSet::from([String::new()]);
    let mut waiting = vec![(String::new(), schema)];
    while let Some((at, subschema)) = waiting.pop() {
        let Value::Object(keywords) = subschema else { continue };
        for (keyword, value) in keywords {
            let place = below(&at, keyword);
            // These two are made anew for callers.
            let is_rewritten = at.is_empty() && matches!(keyword.as_str(), "properties" | "required");
            let found = if is_rewritten { None } else { named(keyword, value, &place, is_hidden) };
            if found.is_some() {
                return found;
            }
            for (at, next) in of_the_same(keyword, value, &place, schema) {
                if known.insert(at.clone()) {
                    waiting.push((at, next));
                }
            }
        }
    }
    None
}

fn below(at: &str, step: &str) -> String {
    format!("{at}/{}", step.replace('~', "~0").replace('/', "~1"))
}

/// What this keyword itself names.
fn named(keyword: &str, value: &Value, place: &str, is_hidden: &dyn Fn(&str) -> bool) -> Option<(String, String)> {
    let key_of = |map: &Map<String, Value>| map.keys().find(|name| is_hidden(name)).cloned();
    let member_of = |value: &Value| value.as_object().and_then(key_of);
    let name = match (keyword, value) {
        ("properties" | "dependentSchemas" | "$defs" | "definitions", Value::Object(map)) => key_of(map),
        ("dependentRequired" | "dependencies", Value::Object(map)) => {
            let mut lists = map.values().filter(|value| value.is_array());
            key_of(map).or_else(|| lists.find_map(|list| anywhere(list, is_hidden)))
        }
        ("patternProperties", Value::Object(map)) => {
            map.keys().map(|pattern| literal(pattern)).find(|name| is_hidden(name)).map(str::to_owned)
        }
        ("default" | "const" | "example", value) => member_of(value),
        ("examples" | "enum", Value::Array(list)) => list.iter().find_map(member_of),
        (silent, _) if SILENT.contains(&silent) => None,
        // `required`, `propertyNames`, and what only forms, generators and the like understand: orders, hints, groups.
        (_, value) => anywhere(value, is_hidden),
    };
    name.map(|name| (name, place.to_owned()))
}

/// A hidden name anywhere in a value.
fn anywhere(value: &Value, is_hidden: &dyn Fn(&str) -> bool) -> Option<String> {
    match value {
        Value::String(text) => Some(literal(text)).filter(|text| is_hidden(text)).map(str::to_owned),
        Value::Array(list) => list.iter().find_map(|element| anywhere(element, is_hidden)),
        Value::Object(map) => {
            let name = map.keys().find(|name| is_hidden(name)).cloned();
            name.or_else(|| map.values().find_map(|value| anywhere(value, is_hidden)))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// The one text that a pattern such as `^key$` stands for.
fn literal(pattern: &str) -> &str {
    let text = pattern.strip_prefix('^').unwrap_or(pattern);
    text.strip_suffix('$').unwrap_or(text)
}

/// The subschemas of a keyword that describe the same value, each with its place.
fn of_the_same<'s>(keyword: &str, value: &'s Value, place: &str, schema: &'s Value) -> Vec<(String, &'s Value)> {
    match (keyword, value) {
        ("allOf" | "anyOf" | "oneOf", Value::Array(list)) => {
            list.iter().enumerate().map(|(index, next)| (below(place, &index.to_string()), next)).collect()
        }
        ("not" | "if" | "then" | "else", next) => vec![(place.to_owned(), next)],
        ("dependentSchemas" | "dependencies", Value::Object(map)) => {
            map.iter().map(|(name, next)| (below(place, name), next)).collect()
        }
        ("$ref", Value::String(reference)) => {
            let pointer = reference.strip_prefix('#').and_then(fragment);
            let target = pointer.and_then(|pointer| schema.pointer(&pointer).map(|target| (pointer, target)));
            target.into_iter().collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
