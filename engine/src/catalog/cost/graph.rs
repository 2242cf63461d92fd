//! A schema as a graph of what applies to what.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use super::{
    Steps,
    pattern::{size, states},
};
use crate::{catalog::SchemaError, limits};

/// To which part of a value a subschema applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Key {
    /// The member of this name; names are numbered.
    Member(usize),
    /// Any member.
    AnyMember,
    /// The element at this place.
    Element(usize),
    /// Any element.
    AnyElement,
}

/// How often which subschema applies to which parts.
type Parts = BTreeMap<(Key, usize), u64>;

#[derive(Debug, Default)]
struct Node {
    at: String,
    own: Steps,
    same: Vec<usize>,
    parts: Parts,
    /// Those of the parts that are looked at again to find out what was evaluated.
    marked_parts: Parts,
    /// It asks what the others have evaluated (`unevaluatedProperties`, `unevaluatedItems`).
    is_asking: bool,
    /// What it evaluates depends on the value: all that applies is checked again to find out.
    is_dependent: bool,
}

/// A subschema with all that apply to the same value because of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Applied {
    pub(super) own: Steps,
    pub(super) parts: Parts,
    /// How many subschemas these are.
    count: u64,
    /// What it takes to find out what of a value they have evaluated.
    marking: Option<Box<Applied>>,
    /// Whether that depends on the value.
    is_dependent: bool,
}

impl Applied {
    fn of(own: Steps, parts: &Parts) -> Self {
        Self { own, parts: parts.clone(), count: 1, marking: None, is_dependent: false }
    }

    fn add(&mut self, other: &Self) {
        self.own = self.own.and(other.own);
        self.count = self.count.saturating_add(other.count);
        for (edge, times) in &other.parts {
            let sum = self.parts.entry(*edge).or_default();
            *sum = sum.saturating_add(*times);
        }
    }
}

/// All subschemas. The first one is the schema itself.
#[derive(Debug, Default)]
pub(super) struct Graph<'s> {
    nodes: Vec<Node>,
    known: HashMap<String, usize>,
    names: HashMap<&'s str, usize>,
    waiting: Vec<(usize, &'s Value)>,
    patterns: usize,
    pattern_size: u64,
}

/// So many edges in all, with those that come together.
const EDGES_MAX: usize = 50_000;

impl<'s> Graph<'s> {
    pub(super) fn read(schema: &'s Value) -> Result<Self, SchemaError> {
        let mut graph = Self::default();
        graph.node(String::new(), schema)?;
        while let Some((number, value)) = graph.waiting.pop() {
            if let Value::Object(keywords) = value {
                for (keyword, value) in keywords {
                    graph.keyword(number, (keyword.as_str(), value), keywords, schema)?;
                }
            }
        }
        Ok(graph)
    }

    /// The number of the subschema at a place.
    fn node(&mut self, at: String, value: &'s Value) -> Result<usize, SchemaError> {
        if let Some(number) = self.known.get(&at) {
            return Ok(*number);
        }
        let number = self.nodes.len();
        if number >= limits::SCHEMA_SUBSCHEMAS_MAX {
            return Err(SchemaError::TooManySubschemas);
        }
        self.known.insert(at.clone(), number);
        self.nodes.push(Node { at, own: Steps { keywords: 1, ..Steps::default() }, ..Node::default() });
        self.waiting.push((number, value));
        Ok(number)
    }

    fn place(&self, number: usize, steps: &[&str]) -> String {
        let from = self.nodes.get(number).map(|node| node.at.clone()).unwrap_or_default();
        steps.iter().fold(from, |at, step| format!("{at}/{}", step.replace('~', "~0").replace('/', "~1")))
    }

    fn same(&mut self, of: usize, at: &[&str], value: &'s Value) -> Result<(), SchemaError> {
        let number = self.node(self.place(of, at), value)?;
        if let Some(node) = self.nodes.get_mut(of) {
            node.same.push(number);
        }
        Ok(())
    }

    fn part(&mut self, of: usize, at: &[&str], value: &'s Value, key: Key) -> Result<(), SchemaError> {
        let number = self.node(self.place(of, at), value)?;
        if let Some(node) = self.nodes.get_mut(of) {
            let times = node.parts.entry((key, number)).or_default();
            *times = times.saturating_add(1);
            if at.first().is_some_and(|keyword| keyword.starts_with("unevaluated") || *keyword == "contains") {
                node.marked_parts.insert((key, number), 1);
            }
        }
        Ok(())
    }

    fn add(&mut self, of: usize, steps: Steps) {
        if let Some(node) = self.nodes.get_mut(of) {
            node.own = node.own.and(steps);
        }
    }

    fn keyword(
        &mut self,
        of: usize,
        (keyword, value): (&'s str, &'s Value),
        keywords: &'s Map<String, Value>,
        schema: &'s Value,
    ) -> Result<(), SchemaError> {
        self.add(of, Steps { keywords: weight(value, keyword), ..Steps::default() });
        self.evaluation(of, keyword);
        match (keyword, value) {
            ("allOf" | "anyOf" | "oneOf", Value::Array(list)) => {
                for (index, value) in list.iter().enumerate() {
                    self.same(of, &[keyword, &index.to_string()], value)?;
                }
            }
            ("not" | "if" | "then" | "else", value) => self.same(of, &[keyword], value)?,
            ("dependentSchemas" | "dependencies", Value::Object(map)) => {
                for (name, value) in map.iter().filter(|(_, value)| !value.is_array()) {
                    self.same(of, &[keyword, name], value)?;
                }
            }
            ("$defs" | "definitions", Value::Object(map)) => {
                for (name, value) in map {
                    self.node(self.place(of, &[keyword, name]), value)?;
                }
            }
            ("$ref", Value::String(reference)) => self.reference(of, reference, schema)?,
            ("$dynamicRef" | "$recursiveRef", _) => return Err(self.outside(of, keyword)),
            ("$id" | "id", Value::String(_)) if of != 0 && keywords_make_a_resource(keyword, keywords) => {
                return Err(self.outside(of, keyword));
            }
            ("pattern", Value::String(pattern)) => self.pattern(of, keyword, pattern)?,
            ("format", Value::String(_)) => self.add(of, Steps { keywords: 1, states: FORMAT_STATES, unique: 0 }),
            ("uniqueItems", Value::Bool(true)) => self.add(of, Steps { unique: 1, ..Steps::default() }),
            _ => self.parts(of, keyword, value)?,
        }
        Ok(())
    }

    /// Notes what a keyword has to do with what was evaluated. Of `allOf` and references that is known once and for all,
    /// of the others it depends on the value; of elements always.
    fn evaluation(&mut self, of: usize, keyword: &str) {
        let Some(node) = self.nodes.get_mut(of) else { return };
        match keyword {
            "unevaluatedProperties" => node.is_asking = true,
            "unevaluatedItems" => (node.is_asking, node.is_dependent) = (true, true),
            "anyOf" | "oneOf" | "if" | "then" | "else" | "dependentSchemas" | "dependencies" => {
                node.is_dependent = true;
            }
            _ => {}
        }
    }

    fn parts(&mut self, of: usize, keyword: &'s str, value: &'s Value) -> Result<(), SchemaError> {
        match (keyword, value) {
            ("properties", Value::Object(map)) => {
                for (name, value) in map {
                    let next = self.names.len();
                    let number = *self.names.entry(name.as_str()).or_insert(next);
                    self.part(of, &[keyword, name], value, Key::Member(number))?;
                }
            }
            ("patternProperties", Value::Object(map)) => {
                for (pattern, value) in map {
                    self.pattern(of, keyword, pattern)?;
                    self.part(of, &[keyword, pattern], value, Key::AnyMember)?;
                }
            }
            ("additionalProperties" | "unevaluatedProperties" | "propertyNames", value) => {
                self.part(of, &[keyword], value, Key::AnyMember)?;
            }
            ("prefixItems" | "items", Value::Array(list)) => {
                for (index, value) in list.iter().enumerate() {
                    self.part(of, &[keyword, &index.to_string()], value, Key::Element(index))?;
                }
            }
            ("items" | "additionalItems" | "unevaluatedItems" | "contains", value) => {
                self.part(of, &[keyword], value, Key::AnyElement)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn pattern(&mut self, of: usize, keyword: &str, pattern: &str) -> Result<(), SchemaError> {
        if pattern.len() > limits::SCHEMA_PATTERN_CHARS_MAX {
            return Err(SchemaError::Invalid {
                at: self.place(of, &[keyword]),
                message: format!("a pattern must have at most {} bytes", limits::SCHEMA_PATTERN_CHARS_MAX),
            });
        }
        self.patterns = self.patterns.saturating_add(1);
        self.pattern_size = self.pattern_size.saturating_add(size(pattern));
        if self.patterns > limits::SCHEMA_PATTERNS_MAX || self.pattern_size > limits::SCHEMA_PATTERNS_SIZE_MAX {
            return Err(SchemaError::TooManyPatterns { at: self.place(of, &[keyword]) });
        }
        self.add(of, Steps { keywords: 1, states: states(pattern), unique: 0 });
        Ok(())
    }

    fn outside(&self, of: usize, keyword: &str) -> SchemaError {
        let at = self.place(of, &[keyword]);
        SchemaError::Reference { message: format!("`{keyword}` at `{at}` is not accepted, only `$ref` to `#/…`") }
    }

    fn reference(&mut self, of: usize, reference: &str, schema: &'s Value) -> Result<(), SchemaError> {
        let at = self.place(of, &["$ref"]);
        let shown: String = reference.chars().take(limits::ECHO_CHARS_MAX).collect();
        let fault = |what: &str| SchemaError::Reference { message: format!("`{shown}` at `{at}` {what}") };
        let pointer = reference.strip_prefix('#').filter(|rest| rest.is_empty() || rest.starts_with('/'));
        let pointer = pointer.ok_or_else(|| fault("does not begin with `#/`"))?;
        let pointer = decoded(pointer).ok_or_else(|| fault("is not encoded as a fragment of a URL"))?;
        let target = schema.pointer(&pointer).ok_or_else(|| fault("leads nowhere"))?;
        if !target.is_object() && !target.is_boolean() {
            return Err(fault("leads to something that is no schema"));
        }
        let number = self.node(pointer, target)?;
        if let Some(node) = self.nodes.get_mut(of) {
            node.same.push(number);
        }
        Ok(())
    }

    /// For each subschema, everything that applies to the same value because of it.
    pub(super) fn flatten(&self) -> Result<Vec<Applied>, SchemaError> {
        let mut done: Vec<Option<Applied>> = vec![None; self.nodes.len()];
        let (mut edges, mut marked) = (0_usize, 0_u64);
        let is_asked = self.nodes.iter().any(|node| node.is_asking);
        for number in self.in_order()? {
            let Some(node) = self.nodes.get(number) else { continue };
            let applied = flat(node, &done, is_asked);
            let marking = applied.marking.as_ref().map_or(0, |marking| marking.parts.len());
            edges = edges.saturating_add(applied.parts.len()).saturating_add(marking);
            if node.is_asking {
                // What applies is put together anew for each that asks.
                marked = marked.saturating_add(applied.count);
            }
            if applied.count > limits::SCHEMA_APPLICATIONS_MAX || marked > MARKED_MAX || edges > EDGES_MAX {
                return Err(SchemaError::TooCostly { at: node.at.clone() });
            }
            if let Some(place) = done.get_mut(number) {
                *place = Some(applied);
            }
        }
        Ok(done.into_iter().map(Option::unwrap_or_default).collect())
    }

    /// Every subschema behind those that apply to the same value because of it.
    fn in_order(&self) -> Result<Vec<usize>, SchemaError> {
        const NEW: u8 = 0;
        const OPEN: u8 = 1;
        const DONE: u8 = 2;
        let mut state = vec![NEW; self.nodes.len()];
        let mut order = Vec::with_capacity(self.nodes.len());
        for start in 0..self.nodes.len() {
            // a subschema, and how many of those that it brings along have been seen to
            let mut path = vec![(start, 0_usize)];
            while let Some((number, seen)) = path.pop() {
                let Some(node) = self.nodes.get(number) else { continue };
                let Some(place) = state.get_mut(number) else { continue };
                if seen == 0 {
                    match *place {
                        DONE => continue,
                        OPEN => return Err(SchemaError::Endless { at: node.at.clone() }),
                        _ => *place = OPEN,
                    }
                }
                if let Some(next) = node.same.get(seen) {
                    path.push((number, seen.saturating_add(1)));
                    path.push((*next, 0));
                } else {
                    *place = DONE;
                    order.push(number);
                }
            }
        }
        Ok(order)
    }
}

/// How many subschemas are looked at in all to find out what was evaluated.
const MARKED_MAX: u64 = 50_000;

/// A subschema with those that apply to the same value because of it, which are in `done`.
///
/// Where it asks what they have evaluated, they are checked to be valid, and those that depend on the value once more, with
/// all that they ask in their turn, to find out.
fn flat(node: &Node, done: &[Option<Applied>], is_asked: bool) -> Applied {
    let others = || node.same.iter().filter_map(|same| done.get(*same).and_then(Option::as_ref));
    let mut applied = Applied::of(node.own, &node.parts);
    applied.is_dependent = node.is_dependent;
    for other in others() {
        applied.add(other);
        applied.is_dependent |= other.is_dependent;
    }
    if !is_asked {
        return applied;
    }
    let mut marking = Applied::of(node.own, &node.marked_parts);
    for other in others() {
        marking.add(other);
        if let Some(more) = &other.marking {
            marking.add(more);
        }
    }
    if node.is_asking {
        if applied.is_dependent {
            applied.add(&marking);
        } else {
            // Only names are looked at again: whether they are declared, or fit a pattern.
            applied.own = others().map(|other| other.own).fold(applied.own.and(node.own), Steps::and);
        }
        // Whoever asks further up asks this one as well.
        applied.is_dependent = true;
    }
    applied.marking = Some(Box::new(marking));
    applied
}

/// What a format costs at the text that it is for.
const FORMAT_STATES: u64 = 50;

/// What a keyword costs beside its subschemas.
fn weight(value: &Value, keyword: &str) -> u64 {
    match keyword {
        "enum" | "const" | "required" | "dependentRequired" | "type" => values_in(value),
        _ => 1,
    }
}

fn values_in(value: &Value) -> u64 {
    let inner = match value {
        Value::Array(list) => list.iter().map(values_in).fold(0, u64::saturating_add),
        Value::Object(map) => map.values().map(values_in).fold(0, u64::saturating_add),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    };
    inner.saturating_add(1)
}

/// Whether references below this are relative to something else. Before draft 6 the keyword was `id`, which may be the
/// name of anything nowadays.
fn keywords_make_a_resource(keyword: &str, keywords: &Map<String, Value>) -> bool {
    keyword == "$id" || keywords.contains_key("$schema")
}

/// A fragment of a URL as text.
pub(crate) fn decoded(fragment: &str) -> Option<String> {
    if !fragment.contains('%') {
        return Some(fragment.to_owned());
    }
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
            let (high, low) = (digit(rest.next())?, digit(rest.next())?);
            bytes.push(u8::try_from(high.saturating_mul(16).saturating_add(low)).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}
