//! YAML 1.2 as the values of JSON, by the rules of its core schema: `no` is a text, `0o17` a number, `3.1.0` a text. The only
//! place that knows the `saphyr-parser` crate, which reads the signs; what they come to is bounded and decided here.
//!
//! What JSON has no place for is refused with its line: keys that are no texts, the same key twice, infinities, tags of
//! somebody's own, several documents, and `<<`, which YAML 1.2 does not have. An alias is a copy, and counts as one: depth, values
//! and bytes are bounded as those of JSON are.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Tag};
use serde_json::{Map, Value};

use crate::limits::{JSON_DEPTH_MAX, JSON_NODES_MAX, OPENAPI_BYTES_MAX};

mod scalar;

/// How many bytes of texts and names there may be with all copies.
const COPIED_BYTES_MAX: usize = 4 * OPENAPI_BYTES_MAX;
/// How many signs of collections in one line's notation there may be: the scanner keeps what stands in one until it ends.
const FLOW_SIGNS_MAX: usize = 3 * JSON_NODES_MAX;

/// A text is not YAML that is accepted here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} at line {line} column {column}")]
pub(super) struct YamlError {
    what: String,
    /// Counted from one.
    line: usize,
    /// In characters, counted from one.
    column: usize,
}

impl YamlError {
    fn at(mark: Marker, what: impl Into<String>) -> Self {
        Self { what: what.into(), line: mark.line().max(1), column: mark.col().saturating_add(1) }
    }
}

impl From<ScanError> for YamlError {
    fn from(error: ScanError) -> Self {
        Self::at(*error.marker(), format!("not YAML: {}", error.info()))
    }
}

/// Reads one document.
///
/// # Errors
///
/// [`YamlError`] with the place.
pub(super) fn parse(text: &str) -> Result<Value, YamlError> {
    let signs = text.bytes().filter(|byte| matches!(byte, b'[' | b'{' | b',')).count();
    if signs > FLOW_SIGNS_MAX {
        return Err(YamlError { what: too_many(), line: 1, column: 1 });
    }
    let mut reading = Reading::default();
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event?;
        reading.event(event, span.start)?;
    }
    let nothing = || YamlError { what: "there is no document in it".to_owned(), line: 1, column: 1 };
    reading.root.ok_or_else(nothing)
}

fn too_many() -> String {
    format!("more than {JSON_NODES_MAX} values")
}

/// How large a value is, with all that is in it.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    nodes: usize,
    bytes: usize,
    /// How many collections lie in each other.
    height: usize,
}

impl Size {
    fn of_text(bytes: usize) -> Self {
        Self { nodes: 1, bytes, height: 0 }
    }

    fn and(self, other: Self) -> Self {
        Self {
            nodes: self.nodes.saturating_add(other.nodes),
            bytes: self.bytes.saturating_add(other.bytes),
            height: self.height.max(other.height),
        }
    }
}

/// What a collection has so far.
enum Items {
    Sequence(Vec<Value>),
    /// The key stands for the value that comes next.
    Mapping(Map<String, Value>, Option<String>),
}

/// A collection whose end has not come yet.
struct Open {
    anchor: usize,
    items: Items,
    size: Size,
}

#[derive(Default)]
struct Reading {
    open: Vec<Open>,
    /// What an alias can stand for, by the parser's numbers; those of collections that are not complete are not there.
    anchors: HashMap<usize, (Value, Size)>,
    root: Option<Value>,
    /// Everything so far, with copies.
    all: Size,
    is_over: bool,
}

impl Reading {
    fn event(&mut self, event: Event<'_>, mark: Marker) -> Result<(), YamlError> {
        match event {
            Event::DocumentEnd => {
                self.is_over = true;
                Ok(())
            }
            Event::DocumentStart(_) if self.is_over => Err(YamlError::at(mark, "a second document begins")),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) => Ok(()),
            Event::Scalar(text, style, anchor, tag) => {
                let size = Size::of_text(text.len());
                if self.awaits_key() {
                    // A key is what is written, whatever it would be as a value.
                    self.count(size, mark)?;
                    self.anchor(anchor, &Value::String(text.clone().into_owned()), size, mark)?;
                    return self.key(text.into_owned(), style, mark);
                }
                let tag = tag.as_deref().map(|tag| core_tag(tag, mark)).transpose()?;
                let value = scalar::resolve(&text, style, tag).map_err(|what| YamlError::at(mark, what))?;
                self.count(size, mark)?;
                self.anchor(anchor, &value, size, mark)?;
                self.put(value, size);
                Ok(())
            }
            Event::Alias(anchor) => self.alias(anchor, mark),
            Event::SequenceStart(anchor, tag) => self.begin(anchor, tag.as_deref(), Items::Sequence(Vec::new()), mark),
            Event::MappingStart(anchor, tag) => {
                self.begin(anchor, tag.as_deref(), Items::Mapping(Map::new(), None), mark)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(mark),
        }
    }

    fn awaits_key(&self) -> bool {
        self.open.last().is_some_and(|open| matches!(open.items, Items::Mapping(_, None)))
    }

    fn key(&mut self, name: String, style: ScalarStyle, mark: Marker) -> Result<(), YamlError> {
        let Some(Open { items: Items::Mapping(members, key), .. }) = self.open.last_mut() else { return Ok(()) };
        if name == "<<" && style == ScalarStyle::Plain {
            return Err(YamlError::at(mark, "`<<` is not read: YAML 1.2 has no merge keys"));
        }
        if members.contains_key(&name) {
            return Err(YamlError::at(mark, format!("duplicate key `{}`", super::beginning(&name))));
        }
        *key = Some(name);
        Ok(())
    }

    fn alias(&mut self, anchor: usize, mark: Marker) -> Result<(), YamlError> {
        let endless = || YamlError::at(mark, "an alias stands for something that it is a part of");
        let (value, size) = self.anchors.get(&anchor).ok_or_else(endless)?;
        let size = *size;
        if self.open.len().saturating_add(size.height) > JSON_DEPTH_MAX {
            return Err(too_deep(mark));
        }
        // Before anything is copied.
        let value = if self.all.and(size).is_bounded() { value.clone() } else { return Err(too_large(mark)) };
        self.count(size, mark)?;
        if !self.awaits_key() {
            self.put(value, size);
            return Ok(());
        }
        match value {
            Value::String(name) => self.key(name, ScalarStyle::DoubleQuoted, mark),
            _ => Err(YamlError::at(mark, "a key must be a text")),
        }
    }

    fn begin(&mut self, anchor: usize, tag: Option<&Tag>, items: Items, mark: Marker) -> Result<(), YamlError> {
        if self.awaits_key() {
            return Err(YamlError::at(mark, "a key must be a text"));
        }
        if self.open.len() >= JSON_DEPTH_MAX {
            return Err(too_deep(mark));
        }
        let meant = if matches!(items, Items::Sequence(_)) { "seq" } else { "map" };
        if let Some(tag) = tag
            && !(tag.is_yaml_core_schema() && tag.suffix == meant)
        {
            return Err(foreign_tag(mark));
        }
        let size = Size { nodes: 1, bytes: 0, height: 1 };
        self.count(size, mark)?;
        self.open.push(Open { anchor, items, size });
        Ok(())
    }

    fn end(&mut self, mark: Marker) -> Result<(), YamlError> {
        let Some(Open { anchor, items, size }) = self.open.pop() else { return Ok(()) };
        let value = match items {
            Items::Sequence(elements) => Value::Array(elements),
            Items::Mapping(members, _) => Value::Object(members),
        };
        self.anchor(anchor, &value, size, mark)?;
        self.put(value, size);
        Ok(())
    }

    /// Keeps what an alias may stand for: a copy, which counts like one.
    fn anchor(&mut self, anchor: usize, value: &Value, size: Size, mark: Marker) -> Result<(), YamlError> {
        if anchor > 0 {
            self.count(size, mark)?;
            self.anchors.insert(anchor, (value.clone(), size));
        }
        Ok(())
    }

    fn count(&mut self, size: Size, mark: Marker) -> Result<(), YamlError> {
        self.all = self.all.and(size);
        if self.all.is_bounded() { Ok(()) } else { Err(too_large(mark)) }
    }

    /// Puts a value to where it belongs.
    fn put(&mut self, value: Value, size: Size) {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(value);
            return;
        };
        let inner = Size { height: size.height.saturating_add(1), ..size };
        open.size = open.size.and(inner);
        match &mut open.items {
            Items::Sequence(elements) => elements.push(value),
            Items::Mapping(members, key) => {
                if let Some(key) = key.take() {
                    open.size.bytes = open.size.bytes.saturating_add(key.len());
                    members.insert(key, value);
                }
            }
        }
    }
}

impl Size {
    const fn is_bounded(self) -> bool {
        self.nodes <= JSON_NODES_MAX && self.bytes <= COPIED_BYTES_MAX
    }
}

fn too_deep(mark: Marker) -> YamlError {
    YamlError::at(mark, format!("nested deeper than {JSON_DEPTH_MAX} levels"))
}

fn too_large(mark: Marker) -> YamlError {
    YamlError::at(mark, format!("{}, or {COPIED_BYTES_MAX} bytes, with all copies", too_many()))
}

fn foreign_tag(mark: Marker) -> YamlError {
    YamlError::at(mark, "a tag that is not of the core schema, or not of this kind of value")
}

/// The core schema's name of a tag.
fn core_tag(tag: &Tag, mark: Marker) -> Result<&str, YamlError> {
    match (tag.is_yaml_core_schema(), tag.handle.as_str(), tag.suffix.as_str()) {
        (true, _, suffix @ ("str" | "int" | "float" | "bool" | "null")) => Ok(suffix),
        // `!` alone: a text.
        (false, "" | "!", "" | "!") => Ok("str"),
        _ => Err(foreign_tag(mark)),
    }
}

#[cfg(test)]
mod tests;
