//! The configuration as a tree that knows where everything was written.
//!
//! `serde` over the crate `json5` would turn `0.1` into a binary fraction before we see it, would keep the last of
//! two equal keys, and would lose the positions of values that are well formed but wrong. The engine's reader of written
//! JSON5 keeps all three; here places of other kinds are added, for what variables of the environment say instead.

use engine::document::written::{Element, Part, PartKind, TextProblem, Written};

use super::{
    error::{Place, Problem},
    overlay::normalised,
};

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) kind: Kind,
    /// The text of an override's value, which a key that wants text takes as it stands.
    pub(super) raw: Option<String>,
    /// Whether a variable's value went into this string, so that it must not be repeated in a message.
    pub(super) is_substituted: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    /// As written: `0.1`, `1e3`, `0xff`, `Infinity` …
    Number(String),
    Text(String),
    List(Vec<Node>),
    Object(Vec<Member>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Member {
    pub(super) key: String,
    pub(super) key_place: Place,
    /// Whether the name of an override put this key here, in the spelling of the environment.
    pub(super) is_added: bool,
    pub(super) value: Node,
}

impl Node {
    pub(super) fn new(place: Place, kind: Kind) -> Self {
        Self { place, kind, raw: None, is_substituted: false }
    }

    pub(super) fn empty_object() -> Self {
        Self::new(Place::Whole, Kind::Object(Vec::new()))
    }

    /// The JSON type in words, for messages.
    pub(super) fn type_name(&self) -> &'static str {
        match &self.kind {
            Kind::Null => "null",
            Kind::Bool(_) => "a boolean",
            Kind::Number(_) => "a number",
            Kind::Text(_) => "a string",
            Kind::List(_) => "a list",
            Kind::Object(_) => "an object",
        }
    }

    /// Gives every part of this value the same place: an override's value is written in its variable.
    pub(super) fn set_place(&mut self, place: &Place) {
        self.place = place.clone();
        match &mut self.kind {
            Kind::List(items) => items.iter_mut().for_each(|item| item.set_place(place)),
            Kind::Object(members) => members.iter_mut().for_each(|member| {
                member.key_place = place.clone();
                member.value.set_place(place);
            }),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) => {}
        }
    }
}

/// Reads one JSON5 value.
///
/// # Errors
/// The first syntax error, or every duplicate key.
pub(super) fn parse(text: &str) -> Result<Node, Vec<Problem>> {
    let place = |problem: TextProblem| Problem::new(Place::File(problem.at), problem.message);
    let written = Written::parse(text).map_err(|problems| problems.into_iter().map(place).collect::<Vec<_>>())?;
    Ok(node_of(written.into_root()))
}

fn node_of(part: Part) -> Node {
    let member = |element: Element| Member {
        key: element.key,
        key_place: Place::File(element.at),
        is_added: false,
        value: node_of(element.value),
    };
    let kind = match part.kind {
        PartKind::Null => Kind::Null,
        PartKind::Bool(value) => Kind::Bool(value),
        PartKind::Number(text) => Kind::Number(text),
        PartKind::Text(text) => Kind::Text(text),
        PartKind::List(items) => Kind::List(items.into_iter().map(|item| node_of(item.value)).collect()),
        PartKind::Object(members) => Kind::Object(members.into_iter().map(member).collect()),
    };
    Node::new(Place::File(part.at), kind)
}

/// What the catalog's text is made of; overrides may have added these keys under other spellings.
const CATALOG_KEYS: [&str; 6] =
    ["allow_fixture_secrets", "catalog", "core_tools", "publishers", "accounts", "partners"];

/// Writes the catalog of a whole configuration as a JSON5 text of its own that reads as the same values. Numbers stay
/// as they were written, and `${` is escaped, so that nothing is filled in again.
pub(super) fn catalog_text(root: &Node) -> String {
    let mut out = String::new();
    let is_wanted = |member: &&Member| matches!(key_of(member), "allow_fixture_secrets" | "catalog");
    if let Kind::Object(members) = &root.kind {
        write_members(&mut out, members.iter().filter(is_wanted));
    }
    out
}

fn key_of(member: &Member) -> &str {
    let is_meant = |key: &&&str| member.is_added && normalised(key) == normalised(&member.key);
    CATALOG_KEYS.iter().find(is_meant).copied().unwrap_or(&member.key)
}

fn write_members<'a>(out: &mut String, members: impl Iterator<Item = &'a Member>) {
    out.push('{');
    for member in members {
        write_text(out, key_of(member));
        out.push(':');
        write_node(out, &member.value);
        out.push(',');
    }
    out.push('}');
}

fn write_node(out: &mut String, node: &Node) {
    match &node.kind {
        Kind::Null => out.push_str("null"),
        Kind::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Kind::Number(text) => out.push_str(text),
        Kind::Text(text) => write_text(out, &text.replace("${", "$${")),
        Kind::List(items) => {
            out.push('[');
            for item in items {
                write_node(out, item);
                out.push(',');
            }
            out.push(']');
        }
        Kind::Object(members) => write_members(out, members.iter()),
    }
}

/// A JSON string, which JSON5 reads as well.
fn write_text(out: &mut String, text: &str) {
    out.push_str(&serde_json::Value::from(text).to_string());
}
