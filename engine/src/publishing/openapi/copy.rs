//! Schemas of a document as one schema of their own.
//!
//! What is referred to becomes a definition, copied once whatever refers to it. Of 3.0, what JSON Schema says otherwise is
//! said so; words that only documents use are left out.

use std::collections::{HashMap, HashSet, VecDeque};

use serde_json::{Map, Value, json};

use super::{Document, FieldFault, fault, fitting, local, token};
use crate::limits;

/// How many values are copied for one operation. What is larger does not fit into an input schema anyway.
const VALUES_MAX: usize = 20_000;
/// How many values are copied for all operations together.
const ALL_VALUES_MAX: usize = 1_000_000;

const LEFT_OUT: [&str; 10] = [
    "nullable",
    "discriminator",
    "xml",
    "externalDocs",
    "example",
    "$schema",
    "$id",
    "$anchor",
    "$dynamicAnchor",
    "$comment",
];

/// Copies schemas for one operation.
pub(super) struct Copier<'d, 'c> {
    document: Document<'d>,
    /// For all operations.
    all: &'c mut usize,
    values: usize,
    names: HashMap<String, String>,
    taken: HashSet<String>,
    waiting: VecDeque<String>,
}

impl<'d, 'c> Copier<'d, 'c> {
    pub(super) fn new(document: Document<'d>, all: &'c mut usize) -> Self {
        Self { document, all, values: 0, names: HashMap::new(), taken: HashSet::new(), waiting: VecDeque::new() }
    }

    /// The definitions that what was copied refers to.
    pub(super) fn definitions(&mut self) -> Result<Map<String, Value>, FieldFault> {
        let mut definitions = Map::new();
        while let Some(pointer) = self.waiting.pop_front() {
            let target = self.document.find(&pointer, &pointer)?;
            let copied = self.schema(target, &pointer)?;
            definitions.insert(self.names.get(&pointer).cloned().unwrap_or_default(), copied);
        }
        Ok(definitions)
    }

    fn count(&mut self, at: &str) -> Result<(), FieldFault> {
        self.values = self.values.saturating_add(1);
        *self.all = self.all.saturating_add(1);
        if self.values > VALUES_MAX || *self.all > ALL_VALUES_MAX {
            return Err(fault(at, "makes the schemas of the operations too large"));
        }
        Ok(())
    }

    /// A schema of the document.
    pub(super) fn schema(&mut self, schema: &Value, at: &str) -> Result<Value, FieldFault> {
        self.count(at)?;
        let keywords = match schema {
            Value::Bool(value) => return Ok(Value::Bool(*value)),
            Value::Object(keywords) => keywords,
            _ => return Err(fault(at, "must be a schema")),
        };
        let mut copied = Map::new();
        for (keyword, value) in keywords {
            // in 3.0, a reference is alone
            let is_beside = self.document.is_3_0 && keyword != "$ref" && keywords.contains_key("$ref");
            if is_beside || LEFT_OUT.contains(&keyword.as_str()) || keyword.starts_with("x-") {
                continue;
            }
            let value = self.keyword(keyword, value, &format!("{at}/{}", token(keyword)), at)?;
            copied.insert(keyword.clone(), value);
        }
        if self.document.is_3_0 {
            modernize(&mut copied, keywords);
        }
        Ok(Value::Object(copied))
    }

    fn keyword(&mut self, keyword: &str, value: &Value, at: &str, schema_at: &str) -> Result<Value, FieldFault> {
        match (keyword, value) {
            ("$ref", reference) => self.reference(reference, schema_at),
            ("properties" | "patternProperties" | "dependentSchemas" | "$defs" | "definitions", Value::Object(map)) => {
                let mut copied = Map::new();
                for (name, value) in map {
                    copied.insert(name.clone(), self.schema(value, &format!("{at}/{}", token(name)))?);
                }
                Ok(Value::Object(copied))
            }
            ("allOf" | "anyOf" | "oneOf" | "prefixItems" | "items", Value::Array(list)) => {
                let copied = list.iter().enumerate();
                copied.map(|(index, value)| self.schema(value, &format!("{at}/{index}"))).collect()
            }
            (
                "items"
                | "not"
                | "if"
                | "then"
                | "else"
                | "contains"
                | "additionalProperties"
                | "propertyNames"
                | "unevaluatedItems"
                | "unevaluatedProperties"
                | "additionalItems",
                value,
            ) => self.schema(value, at),
            (_, value) => self.plain(value, at),
        }
    }

    /// What is no schema.
    fn plain(&mut self, value: &Value, at: &str) -> Result<Value, FieldFault> {
        self.count(at)?;
        match value {
            Value::Array(list) => list.iter().map(|value| self.plain(value, at)).collect(),
            Value::Object(map) => {
                let copied = map.iter().map(|(name, value)| Ok((name.clone(), self.plain(value, at)?)));
                Ok(Value::Object(copied.collect::<Result<_, FieldFault>>()?))
            }
            value => Ok(value.clone()),
        }
    }

    fn reference(&mut self, reference: &Value, at: &str) -> Result<Value, FieldFault> {
        let pointer = local(reference, at)?;
        self.document.find(&pointer, at)?;
        if !self.names.contains_key(&pointer) {
            if self.names.len() >= limits::OPENAPI_COPIES_MAX {
                return Err(fault(at, "makes the schemas of the operations too large"));
            }
            let wanted = fitting(pointer.rsplit('/').next().unwrap_or_default(), limits::ECHO_CHARS_MAX);
            let numbered = (2_usize..).map(|number| format!("{wanted}_{number}"));
            let name = std::iter::once(wanted.clone()).chain(numbered).find(|name| !self.taken.contains(name));
            let name = name.unwrap_or_default();
            self.taken.insert(name.clone());
            self.names.insert(pointer.clone(), name);
            self.waiting.push_back(pointer.clone());
        }
        let name = self.names.get(&pointer).cloned().unwrap_or_default();
        Ok(Value::String(format!("#/$defs/{name}")))
    }
}

/// Says in JSON Schema what 3.0 says in its own words.
fn modernize(copied: &mut Map<String, Value>, keywords: &Map<String, Value>) {
    for (bound, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
        match copied.get(exclusive) {
            Some(Value::Bool(true)) => {
                copied.shift_remove(exclusive);
                if let Some(value) = copied.shift_remove(bound) {
                    copied.insert(exclusive.to_owned(), value);
                }
            }
            Some(Value::Bool(false)) => {
                copied.shift_remove(exclusive);
            }
            _ => {}
        }
    }
    if keywords.get("nullable") == Some(&Value::Bool(true)) {
        if let Some(Value::String(kind)) = copied.get("type") {
            let kinds = json!([kind, "null"]);
            copied.insert("type".to_owned(), kinds);
        }
        if let Some(Value::Array(values)) = copied.get_mut("enum")
            && !values.contains(&Value::Null)
        {
            values.push(Value::Null);
        }
    }
}
