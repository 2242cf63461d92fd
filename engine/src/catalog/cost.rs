//! What checking arguments against a schema may cost, worked out from the schema before anything is checked.
//!
//! A schema is a graph: subschemas that apply to the same value (`allOf`, `$ref`, …), and subschemas that apply to parts of
//! it (`properties`, `items`, …). Two things make a small schema slow: many subschemas for one value, where references
//! double what applies, level by level; and parts to which more and more subschemas apply the deeper they lie. The first
//! is counted and bounded when the schema is declared. The second is worked out for every depth, and a call whose
//! arguments would take more than [`limits::ARGUMENT_CHECK_STEPS_MAX`] steps is refused before they are checked.
//!
//! What is counted is an upper bound: as if every alternative applied, and the most expensive parts were all there.

mod graph;
mod pattern;

use serde_json::Value;

pub(crate) use self::graph::decoded as fragment;
use self::graph::{Graph, Key};
use super::SchemaError;
use crate::{
    json::Json,
    limits::{self, JSON_DEPTH_MAX},
};

/// What one keyword after the other costs at a value, and the states of all patterns at its text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Steps {
    pub(super) keywords: u64,
    pub(super) states: u64,
}

impl Steps {
    const fn and(self, other: Self) -> Self {
        Self {
            keywords: self.keywords.saturating_add(other.keywords),
            states: self.states.saturating_add(other.states),
        }
    }

    const fn times(self, factor: u64) -> Self {
        Self { keywords: self.keywords.saturating_mul(factor), states: self.states.saturating_mul(factor) }
    }

    fn max(self, other: Self) -> Self {
        Self { keywords: self.keywords.max(other.keywords), states: self.states.max(other.states) }
    }
}

/// How many steps it takes at most at one value, with all that it lies in, for each depth of the arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cost(Vec<Steps>);

impl Cost {
    /// Works it out.
    ///
    /// # Errors
    ///
    /// [`SchemaError`] with the place that is not bounded, or that refers to anything but a part of the schema.
    pub(super) fn of(schema: &Value) -> Result<Self, SchemaError> {
        let graph = Graph::read(schema)?;
        let applied = graph.flatten()?;
        let mut now = vec![Steps::default(); applied.len()];
        let mut by_depth = Vec::new();
        for depth in 0..=JSON_DEPTH_MAX {
            let next: Vec<_> = applied
                .iter()
                .map(|node| node.own.and(if depth == 0 { Steps::default() } else { worst(node, &now) }))
                .collect();
            let is_same = depth > 0 && next == now;
            if is_same {
                break;
            }
            by_depth.push(next.first().copied().unwrap_or_default());
            now = next;
        }
        Ok(Self(by_depth))
    }

    /// Whether checking these arguments takes a bounded time.
    pub(super) fn allows(&self, arguments: &Json<'_>) -> bool {
        let size = Size::of(arguments, 0);
        let steps = self.0.get(size.depth).or(self.0.last()).copied().unwrap_or_default();
        let states = steps.states.saturating_mul(size.text_bytes / BYTES_PER_STEP + u64::from(size.text_bytes > 0));
        steps.keywords.saturating_mul(size.values).saturating_add(states) <= limits::ARGUMENT_CHECK_STEPS_MAX
    }
}

/// So many bytes at one state of a pattern cost as much as a keyword.
const BYTES_PER_STEP: u64 = 16;

/// The most expensive part: of all that apply to members or elements of one name or place.
fn worst(node: &graph::Applied, parts: &[Steps]) -> Steps {
    let (mut members, mut elements) = (Steps::default(), Steps::default());
    let (mut named, mut placed) = (Steps::default(), Steps::default());
    let mut same: Option<(Key, Steps)> = None;
    let mut take = |key: Key, sum: Steps| match key {
        Key::AnyMember => members = members.and(sum),
        Key::AnyElement => elements = elements.and(sum),
        Key::Member(_) => named = named.max(sum),
        Key::Element(_) => placed = placed.max(sum),
    };
    // in the order of their keys
    for ((key, part), times) in &node.parts {
        let steps = parts.get(*part).copied().unwrap_or_default().times(*times);
        same = match same {
            Some((known, sum)) if known == *key => Some((known, sum.and(steps))),
            Some((known, sum)) => {
                take(known, sum);
                Some((*key, steps))
            }
            None => Some((*key, steps)),
        };
    }
    if let Some((key, sum)) = same {
        take(key, sum);
    }
    members.and(named).max(elements.and(placed))
}

/// How large arguments are.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    depth: usize,
    values: u64,
    text_bytes: u64,
}

impl Size {
    fn of(json: &Json<'_>, depth: usize) -> Self {
        let bytes = |text: &str| u64::try_from(text.len()).unwrap_or(u64::MAX);
        let own = Self { depth, values: 1, text_bytes: 0 };
        let below = depth.saturating_add(1);
        match json {
            Json::Null | Json::Bool(_) | Json::Number(_) => own,
            Json::String(text) => Self { text_bytes: bytes(text), ..own },
            Json::Array(elements) => elements.iter().fold(own, |size, element| size.and(Self::of(element, below))),
            Json::Object(members) => members.iter().fold(own, |size, (name, value)| {
                let name = Self { depth: below, values: 1, text_bytes: bytes(name) };
                size.and(name).and(Self::of(value, below))
            }),
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            depth: self.depth.max(other.depth),
            values: self.values.saturating_add(other.values),
            text_bytes: self.text_bytes.saturating_add(other.text_bytes),
        }
    }
}

#[cfg(test)]
mod tests;
