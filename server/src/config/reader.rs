//! Reads typed values out of the tree and collects everything that is wrong on the way.
//!
//! A section asks for its keys one by one; what was asked for is what exists, so the list of known keys (for unknown
//! keys, suggestions, overrides and the documentation's test) cannot drift away from what is really read.

mod fields;
mod suggest;

use std::{cell::RefCell, collections::BTreeSet, ops::RangeInclusive};

use serde_json::{Map, Value as Json};

pub(super) use self::fields::Fields;
use super::{
    environment::Environment,
    error::{Place, Problem},
    number,
    tree::{Kind, Node},
};

/// What all parts of one reading share.
#[derive(Debug)]
pub(super) struct Reader<'e> {
    pub(super) environment: &'e Environment,
    problems: RefCell<Vec<Problem>>,
    warnings: RefCell<Vec<String>>,
    unused: RefCell<Vec<String>>,
    /// When the keys are listed instead of a file read: every key that exists.
    listed: Option<RefCell<BTreeSet<String>>>,
}

/// What a reading found beside the values.
#[derive(Debug)]
pub(super) struct Findings {
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<String>,
    pub(super) unused: Vec<String>,
    pub(super) listed: BTreeSet<String>,
}

impl<'e> Reader<'e> {
    pub(super) fn new(environment: &'e Environment) -> Self {
        Self {
            environment,
            problems: RefCell::default(),
            warnings: RefCell::default(),
            unused: RefCell::default(),
            listed: None,
        }
    }

    /// A reader that visits every section and one element of every list, to list the keys that exist.
    pub(super) fn listing(environment: &'e Environment) -> Self {
        Self { listed: Some(RefCell::default()), ..Self::new(environment) }
    }

    fn is_listing(&self) -> bool {
        self.listed.is_some()
    }

    pub(super) fn problem(&self, place: &Place, text: impl Into<String>) {
        self.problems.borrow_mut().push(Problem::new(place.clone(), text));
    }

    pub(super) fn warn(&self, text: impl Into<String>) {
        self.warnings.borrow_mut().push(text.into());
    }

    pub(super) fn finish(self) -> Findings {
        Findings {
            problems: self.problems.into_inner(),
            warnings: self.warnings.into_inner(),
            unused: self.unused.into_inner(),
            listed: self.listed.map(RefCell::into_inner).unwrap_or_default(),
        }
    }

    /// Reads the whole file; `node` must be an object.
    pub(super) fn read_root<T>(&'e self, node: &'e Node, read: impl FnOnce(&mut Fields<'e>) -> T) -> Option<T> {
        Value { reader: self, node, path: String::new() }.object(read)
    }
}

/// One value of the tree and its path.
#[derive(Debug, Clone)]
pub(super) struct Value<'a> {
    pub(super) reader: &'a Reader<'a>,
    pub(super) node: &'a Node,
    pub(super) path: String,
}

impl<'a> Value<'a> {
    pub(super) fn place(&self) -> &'a Place {
        &self.node.place
    }

    /// Records that this value is wrong: `` `path` `` and the text.
    pub(super) fn wrong(&self, text: impl AsRef<str>) {
        let text = text.as_ref();
        if self.path.is_empty() {
            self.reader.problem(self.place(), format!("the file {text}"));
        } else {
            self.reader.problem(self.place(), format!("`{}` {text}", self.path));
        }
    }

    fn wrong_type(&self, wanted: &str) {
        self.wrong(format!("must be {wanted}, not {}", self.node.type_name()));
    }

    /// The text for a message, unless it came from the environment and may be secret.
    pub(super) fn shown(&self, text: &str) -> String {
        const SHOWN_MAX: usize = 80;
        if self.node.is_substituted || matches!(self.node.place, Place::Variable(_)) {
            return "this value".to_owned();
        }
        if text.chars().count() > SHOWN_MAX {
            return format!("`{}…`", text.chars().take(SHOWN_MAX).collect::<String>());
        }
        format!("`{text}`")
    }

    pub(super) fn text(&self) -> Option<&'a str> {
        match (&self.node.kind, &self.node.raw) {
            (Kind::Text(text), _) => Some(text),
            (_, Some(raw)) => Some(raw),
            _ => {
                self.wrong_type("a string");
                None
            }
        }
    }

    pub(super) fn flag(&self) -> Option<bool> {
        if let Kind::Bool(value) = self.node.kind {
            return Some(value);
        }
        self.wrong_type("true or false");
        None
    }

    pub(super) fn whole_number(&self, range: RangeInclusive<u64>) -> Option<u64> {
        let Kind::Number(text) = &self.node.kind else {
            self.wrong_type("a whole number");
            return None;
        };
        match number::parse_unsigned(text) {
            Some(value) if range.contains(&value) => Some(value),
            _ => {
                let (least, most) = range.into_inner();
                self.wrong(format!("must be a whole number from {least} to {most}, not {}", self.shown(text)));
                None
            }
        }
    }

    pub(super) fn items(&self) -> Vec<Value<'a>> {
        let Kind::List(nodes) = &self.node.kind else {
            self.wrong_type("a list");
            return Vec::new();
        };
        let item = |(index, node)| Value { reader: self.reader, node, path: format!("{}[{index}]", self.path) };
        nodes.iter().enumerate().map(item).collect()
    }

    pub(super) fn object<T>(&self, read: impl FnOnce(&mut Fields<'a>) -> T) -> Option<T> {
        let Kind::Object(members) = &self.node.kind else {
            self.wrong_type("an object");
            return None;
        };
        let mut fields = Fields::new(self.reader, self.path.clone(), self.place().clone(), members);
        let value = read(&mut fields);
        fields.finish();
        Some(value)
    }

    /// The members of an object whose keys are names that the user chose.
    pub(super) fn entries(&self) -> Vec<(&'a str, Value<'a>)> {
        let Kind::Object(members) = &self.node.kind else {
            self.wrong_type("an object");
            return Vec::new();
        };
        let mut entries = Vec::new();
        for member in members {
            let path = format!("{}.{}", self.path, member.key);
            if member.is_added {
                self.reader.problem(&member.key_place, format!("matches no key of `{}` in the file", self.path));
            } else {
                entries.push((member.key.as_str(), Value { reader: self.reader, node: &member.value, path }));
            }
        }
        entries
    }

    /// The value as it stands, as JSON.
    pub(super) fn json(&self) -> Option<Json> {
        Some(match &self.node.kind {
            Kind::Null => Json::Null,
            Kind::Bool(value) => Json::Bool(*value),
            Kind::Text(text) => Json::String(text.clone()),
            Kind::Number(text) => {
                let value = number::parse_json(text);
                if value.is_none() {
                    self.wrong(format!("must be a finite number, not {}", self.shown(text)));
                }
                value?
            }
            Kind::List(_) => {
                let items: Vec<Option<Json>> = self.items().iter().map(Value::json).collect();
                Json::Array(items.into_iter().collect::<Option<_>>()?)
            }
            Kind::Object(_) => {
                let pairs: Vec<Option<(String, Json)>> =
                    self.entries().iter().map(|(key, value)| Some(((*key).to_owned(), value.json()?))).collect();
                Json::Object(pairs.into_iter().collect::<Option<Map<_, _>>>()?)
            }
        })
    }

    /// Text that `parse` accepts; its error says what the value must be, for example "must be an address".
    pub(super) fn parsed<T>(&self, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let text = self.text()?;
        match parse(text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.wrong(format!("{error}, not {}", self.shown(text)));
                None
            }
        }
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Option<T> {
        self.parsed(|text| {
            let chosen = choices.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
            let words: Vec<String> = choices.iter().map(|(word, _)| format!("`{word}`")).collect();
            chosen.ok_or_else(|| format!("must be one of {}", words.join(", ")))
        })
    }
}
