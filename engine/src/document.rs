//! Reads typed values out of JSON that people write (policy documents, dialects) and collects everything that is wrong.
//!
//! A section asks for its keys one by one; what nobody asked for is an unknown key. Every problem has the path of the
//! value, so that whoever holds the text can say in which line and column that is.

pub mod edit;
mod print;
mod scan;
pub mod written;

use std::{cell::RefCell, fmt, rc::Rc};

use serde_json::{Map, Value};

pub use crate::json::Segment;
use crate::limits;

/// The way from the whole document to one of its values.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentPath(Vec<Segment<'static>>);

impl DocumentPath {
    /// The keys and indexes on the way.
    pub fn segments(&self) -> &[Segment<'static>] {
        &self.0
    }

    /// What it leads to, if that is there.
    pub fn find_in<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        self.0.iter().try_fold(value, |value, segment| match segment {
            Segment::Key(key) => value.get(key.as_ref()),
            Segment::Index(index) => value.get(index),
        })
    }

    /// As a JSON list of keys and indexes.
    pub fn to_value(&self) -> Value {
        let value = |segment: &Segment<'static>| match segment {
            Segment::Key(key) => Value::from(key.as_ref()),
            Segment::Index(index) => Value::from(*index),
        };
        Value::Array(self.0.iter().map(value).collect())
    }

    /// Reads what [`DocumentPath::to_value`] wrote.
    pub fn from_value(value: &Value) -> Option<Self> {
        value.as_array()?.iter().try_fold(Self::default(), |path, segment| match segment {
            Value::String(key) => Some(path.key(key)),
            Value::Number(index) => Some(path.index(usize::try_from(index.as_u64()?).ok()?)),
            _ => None,
        })
    }

    /// The way to a member.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.then(Segment::Key(key.to_owned().into()))
    }

    /// The way to an element.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.then(Segment::Index(index))
    }

    /// The way to what this segment names.
    #[must_use]
    pub fn join(&self, segment: &Segment<'static>) -> Self {
        self.then(segment.clone())
    }

    /// The same for messages: every key is shortened.
    fn to_bounded(&self) -> Self {
        Self(self.0.iter().map(Segment::to_bounded).collect())
    }

    fn then(&self, segment: Segment<'static>) -> Self {
        Self(self.0.iter().cloned().chain([segment]).collect())
    }
}

impl fmt::Display for DocumentPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(key) if is_plain(key) => write!(f, "{}{key}", if place == 0 { "" } else { "." })?,
                Segment::Key(key) => write!(f, "[{}]", Value::from(key.as_ref()))?,
            }
        }
        Ok(())
    }
}

/// Whether a key can stand in a path without quotes and be read back.
fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '*' | '#' | '@' | '+' | '/'))
}

/// Something wrong or odd in a document, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub struct DocumentProblem {
    /// The value that it is about.
    pub path: DocumentPath,
    /// What is wrong, as the rest of a sentence about the value.
    pub message: String,
}

impl fmt::Display for DocumentProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.0.is_empty() {
            return write!(f, "the document {}", self.message);
        }
        write!(f, "`{}` {}", self.path.to_bounded(), self.message)
    }
}

/// What all parts of one reading share.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    problems: RefCell<Vec<DocumentProblem>>,
    /// Keys that are known, and mean nothing here.
    unused: RefCell<Vec<DocumentPath>>,
}

impl Reader {
    /// What was found: everything that is wrong, or the keys without a meaning here.
    pub(crate) fn finish(self) -> Result<Vec<DocumentPath>, Vec<DocumentProblem>> {
        let problems = self.problems.into_inner();
        if problems.is_empty() { Ok(self.unused.into_inner()) } else { Err(problems) }
    }

    pub(crate) fn root<'a>(&'a self, value: &'a Value) -> Node<'a> {
        Node { reader: self, value, path: Rc::default() }
    }
}

/// One value and its path.
#[derive(Debug, Clone)]
pub(crate) struct Node<'a> {
    reader: &'a Reader,
    pub(crate) value: &'a Value,
    pub(crate) path: Rc<DocumentPath>,
}

impl<'a> Node<'a> {
    /// Notes that this value is wrong. Only so many problems are kept: nobody reads ten thousand.
    pub(crate) fn wrong(&self, message: impl Into<String>) {
        let mut problems = self.reader.problems.borrow_mut();
        if problems.len() < limits::DOCUMENT_PROBLEMS_MAX {
            problems.push(DocumentProblem { path: (*self.path).clone(), message: message.into() });
        }
    }

    fn wrong_type(&self, wanted: &str) {
        let found = match self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        self.wrong(format!("must be {wanted}, not {found}"));
    }

    /// A member of this object.
    pub(crate) fn member(&self, key: &str, value: &'a Value) -> Self {
        Self { reader: self.reader, value, path: Rc::new(self.path.key(key)) }
    }

    pub(crate) fn text(&self) -> Option<&'a str> {
        let text = self.value.as_str();
        if text.is_none() {
            self.wrong_type("a string");
        }
        text
    }

    pub(crate) fn flag(&self) -> Option<bool> {
        let flag = self.value.as_bool();
        if flag.is_none() {
            self.wrong_type("true or false");
        }
        flag
    }

    /// A whole number that is not negative.
    pub(crate) fn whole_number(&self) -> Option<u64> {
        let number = self.value.as_u64();
        if number.is_none() {
            self.wrong_type("a whole number from 0 on");
        }
        number
    }

    pub(crate) fn items(&self) -> Vec<Self> {
        let Value::Array(items) = self.value else {
            self.wrong_type("a list");
            return Vec::new();
        };
        let item = |(index, value)| Self { reader: self.reader, value, path: Rc::new(self.path.index(index)) };
        items.iter().enumerate().map(item).collect()
    }

    pub(crate) fn texts(&self) -> Vec<&'a str> {
        self.items().iter().filter_map(Node::text).collect()
    }

    /// The members of an object whose keys are names that somebody chose.
    pub(crate) fn entries(&self) -> Vec<(&'a str, Self)> {
        let Value::Object(members) = self.value else {
            self.wrong_type("an object");
            return Vec::new();
        };
        members.iter().map(|(key, value)| (key.as_str(), self.member(key, value))).collect()
    }

    /// An object with known keys: whatever `read` does not ask for is unknown.
    pub(crate) fn object<T>(&self, read: impl FnOnce(&mut Fields<'a>) -> T) -> Option<T> {
        let Value::Object(members) = self.value else {
            self.wrong_type("an object");
            return None;
        };
        let mut fields = Fields { node: self.clone(), members, asked: Vec::new(), tolerated: &[] };
        let value = read(&mut fields);
        fields.finish();
        Some(value)
    }
}

/// The members of one object, asked for by key.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    pub(crate) node: Node<'a>,
    members: &'a Map<String, Value>,
    asked: Vec<&'static str>,
    tolerated: &'static [&'static str],
}

impl<'a> Fields<'a> {
    /// Keys that are known, and mean nothing here.
    pub(crate) fn tolerate(&mut self, keys: &'static [&'static str]) {
        self.tolerated = keys;
    }

    /// The value of a key, if it is there.
    pub(crate) fn take(&mut self, key: &'static str) -> Option<Node<'a>> {
        self.asked.push(key);
        self.members.get(key).map(|value| self.node.member(key, value))
    }

    /// Like [`Fields::take`], for a key that must be there.
    pub(crate) fn require(&mut self, key: &'static str) -> Option<Node<'a>> {
        let value = self.take(key);
        if value.is_none() {
            self.node.wrong(format!("needs the key `{key}`"));
        }
        value
    }

    pub(crate) fn text(&mut self, key: &'static str) -> Option<&'a str> {
        self.take(key)?.text()
    }

    pub(crate) fn flag(&mut self, key: &'static str, default: bool) -> bool {
        self.take(key).and_then(|node| node.flag()).unwrap_or(default)
    }

    pub(crate) fn texts(&mut self, key: &'static str) -> Vec<&'a str> {
        self.take(key).map(|node| node.texts()).unwrap_or_default()
    }

    pub(crate) fn entries(&mut self, key: &'static str) -> Vec<(&'a str, Node<'a>)> {
        self.take(key).map(|node| node.entries()).unwrap_or_default()
    }

    /// One of a few words.
    pub(crate) fn choice<T: Copy>(&mut self, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
        let node = self.take(key)?;
        let text = node.text()?;
        let found = choices.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
        if found.is_none() {
            let names: Vec<String> = choices.iter().map(|(name, _)| format!("`{name}`")).collect();
            node.wrong(format!("must be one of {}", names.join(", ")));
        }
        found
    }

    fn finish(self) {
        for (key, value) in self.members {
            if self.asked.contains(&key.as_str()) {
                continue;
            }
            let child = self.node.member(key, value);
            if self.tolerated.contains(&key.as_str()) {
                self.node.reader.unused.borrow_mut().push((*child.path).clone());
            } else {
                child.wrong("is not a known key");
            }
        }
    }
}

#[cfg(test)]
mod tests;
