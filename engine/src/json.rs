//! JSON as it was written.
//!
//! `serde_json::Value` loses two things that money and idempotency need, so texts from outside are read by a parser of
//! our own:
//! - **numbers as written.** `Value` turns `0.1` into a double; an amount is read from its source text, and the
//!   fingerprint of a call covers the digits that the caller sent;
//! - **duplicate keys.** `Value` keeps the last of two equal keys without a word. Another reader keeps the first, and
//!   then the two disagree about an amount. Here they are an error that names the place.
//!
//! The grammar is RFC 8259 without exceptions: no comments, no trailing commas, no byte order mark, no lone surrogates,
//! no numbers beyond the range of a double. Depth and number of values are bounded ([`crate::limits`]), and the parser
//! recurses once per level at most, so no text can exhaust the stack. [`Json::to_value`] leads over to `serde_json` for
//! schema validation and JSONPath, which never decide about digits.

mod canonical;
mod parser;

use std::{borrow::Cow, fmt};

pub use canonical::write_string;
pub use parser::{parse, parse_members, parse_members_last_wins};

use crate::{code::Code, limits};

/// A JSON value that borrows from the text that it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, exactly as written: a valid number of RFC 8259 within the range of a double.
    Number(&'a str),
    /// A string, escapes resolved.
    String(Cow<'a, str>),
    /// An array.
    Array(Vec<Json<'a>>),
    /// An object: its members in the order in which they were written, each key once.
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

/// One member of an object, with the text of its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member<'a> {
    /// The key, escapes resolved.
    pub name: Cow<'a, str>,
    /// The value.
    pub value: Json<'a>,
    /// The value exactly as it was written, without the spaces around it.
    pub source: &'a str,
}

/// One step from a value to a part of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment<'a> {
    /// A member of an object.
    Key(Cow<'a, str>),
    /// An element of an array, counted from zero.
    Index(usize),
}

/// A text is not JSON that is accepted here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at line {line} column {column}")]
pub struct JsonError {
    kind: JsonErrorKind,
    line: usize,
    column: usize,
}

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JsonErrorKind {
    /// It is not JSON. The text says what was expected or found.
    Syntax(&'static str),
    /// It nests deeper than [`limits::JSON_DEPTH_MAX`].
    TooDeep,
    /// It holds more than [`limits::JSON_NODES_MAX`] values.
    TooManyNodes,
    /// An object holds a key twice. The path is a JSON pointer (RFC 6901) to the member, long keys shortened.
    DuplicateKey {
        /// For example `/arguments/0/name`.
        path: String,
    },
    /// It is JSON, but not an object, and an object is needed.
    NotAnObject,
}

impl JsonError {
    /// What is wrong.
    pub const fn kind(&self) -> &JsonErrorKind {
        &self.kind
    }

    /// The line of the fault, counted from one.
    pub const fn line(&self) -> usize {
        self.line
    }

    /// The column of the fault in characters, counted from one.
    pub const fn column(&self) -> usize {
        self.column
    }

    /// The public code for a request whose body is at fault.
    pub const fn code(&self) -> Code {
        match self.kind {
            JsonErrorKind::Syntax(_) => Code::InvalidJson,
            JsonErrorKind::TooDeep => Code::TooDeep,
            JsonErrorKind::TooManyNodes => Code::BodyTooLarge,
            JsonErrorKind::DuplicateKey { .. } | JsonErrorKind::NotAnObject => Code::InvalidRequest,
        }
    }
}

impl fmt::Display for JsonErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(what) => f.write_str(what),
            Self::TooDeep => write!(f, "nested deeper than {} levels", limits::JSON_DEPTH_MAX),
            Self::TooManyNodes => write!(f, "more than {} values", limits::JSON_NODES_MAX),
            Self::DuplicateKey { path } => write!(f, "duplicate key `{path}`"),
            Self::NotAnObject => f.write_str("not an object"),
        }
    }
}

impl<'a> Json<'a> {
    /// The value of a member, if this is an object that has it.
    pub fn get(&self, key: &str) -> Option<&Json<'a>> {
        self.as_object()?.iter().find_map(|(name, value)| (name == key).then_some(value))
    }

    /// The part that the segments lead to, if it is there. No segments lead to the value itself.
    pub fn get_path<'s>(&self, segments: impl IntoIterator<Item = &'s Segment<'s>>) -> Option<&Json<'a>> {
        segments.into_iter().try_fold(self, |json, segment| match segment {
            Segment::Key(key) => json.get(key),
            Segment::Index(index) => json.as_array()?.get(*index),
        })
    }

    /// Is this `null`?
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The truth value, if this is one.
    pub const fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// The number's text, if this is a number.
    pub const fn as_number(&self) -> Option<&'a str> {
        if let Self::Number(text) = self { Some(text) } else { None }
    }

    /// The string, if this is one.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// The elements, if this is an array.
    pub fn as_array(&self) -> Option<&[Json<'a>]> {
        if let Self::Array(elements) = self { Some(elements) } else { None }
    }

    /// The members in the order in which they were written, if this is an object.
    pub fn as_object(&self) -> Option<&[(Cow<'a, str>, Json<'a>)]> {
        if let Self::Object(members) = self { Some(members) } else { None }
    }

    /// What may be read as a decimal number: a number's text, or the content of a string.
    pub fn decimal_text(&self) -> Option<&str> {
        match self {
            Self::Number(text) => Some(text),
            Self::String(text) => Some(text),
            Self::Null | Self::Bool(_) | Self::Array(_) | Self::Object(_) => None,
        }
    }

    /// The kind of value in a word: `null`, `boolean`, `number`, `string`, `array`, `object`.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(_) => "number",
            Self::String(_) => "string",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
        }
    }

    /// How many values this is: itself and everything in it.
    pub fn node_count(&self) -> usize {
        let inner: usize = match self {
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) => 0,
            Self::Array(elements) => elements.iter().map(Json::node_count).sum(),
            Self::Object(members) => members.iter().map(|(_, value)| value.node_count()).sum(),
        };
        inner.saturating_add(1)
    }

    /// The canonical text: keys sorted by code point, numbers as written, no spaces, only the escapes that JSON demands.
    ///
    /// Two texts that differ in nothing but spaces, escapes and the order of keys have the same canonical text. `1` and
    /// `1.0` do not: whether they mean the same is not ours to say.
    pub fn canonical(&self) -> String {
        let mut out = String::new();
        canonical::write(&mut out, self);
        out
    }

    /// The same value for libraries that work on `serde_json`. Numbers become what `serde_json` makes of them: 64-bit
    /// integers where they fit, else doubles.
    pub fn to_value(&self) -> serde_json::Value {
        use serde_json::Value;
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            // the parser has refused every number that serde_json would refuse
            Self::Number(text) => serde_json::from_str(text).map_or(Value::Null, Value::Number),
            Self::String(text) => Value::String(text.clone().into_owned()),
            Self::Array(elements) => Value::Array(elements.iter().map(Json::to_value).collect()),
            Self::Object(members) => Value::Object(
                members.iter().map(|(name, value)| (name.clone().into_owned(), value.to_value())).collect(),
            ),
        }
    }
}

impl Segment<'_> {
    /// The same segment without the borrow, a key shortened to [`limits::ECHO_CHARS_MAX`] characters.
    pub fn to_bounded(&self) -> Segment<'static> {
        match self {
            Self::Key(key) => Segment::Key(Cow::Owned(key.chars().take(limits::ECHO_CHARS_MAX).collect())),
            Self::Index(index) => Segment::Index(*index),
        }
    }
}

/// The JSON pointer (RFC 6901) for the segments: `/a/0/b`, and the empty text for the value itself.
pub fn pointer<'s>(segments: impl IntoIterator<Item = &'s Segment<'s>>) -> String {
    segments.into_iter().fold(String::new(), |path, segment| path + "/" + &segment.to_string())
}

impl fmt::Display for Segment<'_> {
    /// As a token of a JSON pointer (RFC 6901), without the slash.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => f.write_str(&key.replace('~', "~0").replace('/', "~1")),
            Self::Index(index) => write!(f, "{index}"),
        }
    }
}

#[cfg(test)]
mod tests;
