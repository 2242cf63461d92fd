//! What checking arguments against a schema may cost, worked out from the schema before anything is checked.
//!
//! A schema is a graph: subschemas that apply to the same value (`allOf`, `$ref`, …), and subschemas that apply to parts of
//! it (`properties`, `items`, …). Two things make a small schema slow: many subschemas for one value, where references
//! double what applies, level by level; and parts to which more and more subschemas apply the deeper they lie. The first
//! is counted and bounded when the schema is declared. The second is worked out for every depth, and a call whose
//! arguments would take more than [`limits::ARGUMENT_CHECK_STEPS_MAX`] steps is refused before they are checked.
//!
//! `unevaluatedProperties` and `unevaluatedItems` check once more what applies, to find out what it has evaluated, and what
//! applies may ask the same: that is counted as often as it is done. `uniqueItems` compares.
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
    /// How often elements are told from each other.
    pub(super) unique: u64,
}

impl Steps {
    const fn and(self, other: Self) -> Self {
        Self {
            keywords: self.keywords.saturating_add(other.keywords),
            states: self.states.saturating_add(other.states),
            unique: self.unique.saturating_add(other.unique),
        }
    }

    const fn times(self, factor: u64) -> Self {
        Self {
            keywords: self.keywords.saturating_mul(factor),
            states: self.states.saturating_mul(factor),
            unique: self.unique.saturating_mul(factor),
        }
    }

    fn max(self, other: Self) -> Self {
        Self {
            keywords: self.keywords.max(other.keywords),
            states: self.states.max(other.states),
            unique: self.unique.max(other.unique),
        }
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

    /// How many steps checking these arguments takes at most.
    pub(super) fn work(&self, arguments: &Json<'_>) -> Work {
        let size = Size::of(arguments, 0);
        let steps = self.0.get(size.depth).or(self.0.last()).copied().unwrap_or_default();
        let states = steps.states.saturating_mul(size.text_bytes / BYTES_PER_STEP + u64::from(size.text_bytes > 0));
        let told_apart = size.values.saturating_mul(COMPARED).saturating_add(size.wide.saturating_mul(WIDE_COMPARED));
        let unique = steps.unique.saturating_mul(told_apart);
        let checking = steps.keywords.saturating_mul(size.values).saturating_add(states).saturating_add(unique);
        let levels = u64::try_from(size.depth).unwrap_or(u64::MAX).saturating_add(1);
        Work { checking, naming: checking.saturating_mul(levels) }
    }
}

/// How many steps something takes at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Work {
    /// To find out whether arguments fit.
    checking: u64,
    /// To find out what does not: on every level all below is checked again.
    naming: u64,
}

impl Work {
    /// Whether checking takes a bounded time.
    pub(super) const fn is_bounded(self) -> bool {
        self.checking <= limits::ARGUMENT_CHECK_STEPS_MAX
    }

    /// Whether saying what is wrong does.
    pub(super) const fn names_faults(self) -> bool {
        self.naming <= limits::ARGUMENT_CHECK_STEPS_MAX
    }
}

/// With how many others a value is compared at most where elements are told from each other: up to fifteen elements all are
/// compared with all, more are told by their digests.
const COMPARED: u64 = 16;
/// The same for a number of so many digits that it shares its digest with others: as many as a double does not tell apart.
const WIDE_COMPARED: u64 = 2_048;
/// Numbers of more characters are rounded as doubles.
const EXACT_DIGITS: usize = 15;

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
    /// Of these, numbers of many digits.
    wide: u64,
    text_bytes: u64,
}

impl Size {
    fn of(json: &Json<'_>, depth: usize) -> Self {
        let bytes = |text: &str| u64::try_from(text.len()).unwrap_or(u64::MAX);
        let own = Self { depth, values: 1, ..Self::default() };
        let below = depth.saturating_add(1);
        match json {
            Json::Null | Json::Bool(_) => own,
            Json::Number(digits) => Self { wide: u64::from(digits.len() > EXACT_DIGITS), ..own },
            Json::String(text) => Self { text_bytes: bytes(text), ..own },
            Json::Array(elements) => elements.iter().fold(own, |size, element| size.and(Self::of(element, below))),
            Json::Object(members) => members.iter().fold(own, |size, (name, value)| {
                let name = Self { depth: below, values: 1, wide: 0, text_bytes: bytes(name) };
                size.and(name).and(Self::of(value, below))
            }),
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            depth: self.depth.max(other.depth),
            values: self.values.saturating_add(other.values),
            wide: self.wide.saturating_add(other.wide),
            text_bytes: self.text_bytes.saturating_add(other.text_bytes),
        }
    }
}

#[cfg(test)]
mod tests;
