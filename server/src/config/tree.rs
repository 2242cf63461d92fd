//! The configuration as a tree that knows where everything was written.
//!
//! `serde` over the crate `json5` would turn `0.1` into a binary fraction before we see it, would keep the last of
//! two equal keys, and would lose the positions of values that are well formed but wrong. So `json5` decides what is
//! valid JSON5 and decodes every string and key, while this module keeps the structure: numbers as they were
//! written, keys in order, and the position of each. There is no second definition of the grammar to keep in step:
//! a text that `json5` refuses never reaches the builder.

use std::{
    collections::{BTreeMap, HashMap},
    iter::Peekable,
    vec::IntoIter,
};

use serde::de::IgnoredAny;

use super::{
    error::{Place, Position, Problem},
    overlay::normalised,
    scan::{DEPTH_MAX, Lexeme, Token, TooDeep, scan},
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
    let scanned = scan(text).map_err(|TooDeep(at)| {
        vec![Problem::new(Place::File(at), format!("objects and lists are nested deeper than {DEPTH_MAX}"))]
    })?;
    if let Err(error) = json5::from_str::<IgnoredAny>(text) {
        return Err(vec![syntax_problem(&error, scanned.end)]);
    }
    let mut builder = Builder { lexemes: scanned.lexemes.into_iter().peekable(), problems: Vec::new() };
    let node = builder.value();
    match node {
        Some(node) if builder.problems.is_empty() => Ok(node),
        Some(_) => Err(builder.problems),
        None => Err(vec![Problem::new(Place::File(scanned.end), "the text could not be split into JSON5 tokens")]),
    }
}

fn syntax_problem(error: &json5::Error, end: Position) -> Problem {
    let position = error.position();
    let mut text = error.to_string();
    if let Some(position) = position
        && let Some(bare) = text.strip_suffix(&format!(" at {position}"))
    {
        text = bare.to_owned();
    }
    if let Some(what) = text.strip_prefix("EOF parsing ") {
        // the parser names the place where some enclosing value began, if any
        return Problem::new(Place::File(end), format!("not valid JSON5: unexpected end of the text inside {what}"));
    }
    let at = position.map_or(end, |position| Position {
        line: position.line.saturating_add(1),
        column: position.column.saturating_add(1),
    });
    Problem::new(Place::File(at), format!("not valid JSON5: {text}"))
}

struct Builder<'t> {
    lexemes: Peekable<IntoIter<Lexeme<'t>>>,
    problems: Vec<Problem>,
}

impl Builder<'_> {
    fn value(&mut self) -> Option<Node> {
        let Lexeme { token, at } = self.lexemes.next()?;
        let kind = match token {
            Token::OpenObject => Kind::Object(self.members()?),
            Token::OpenList => Kind::List(self.items()?),
            Token::Quoted(raw) => Kind::Text(json5::from_str(raw).ok()?),
            Token::Word("null") => Kind::Null,
            Token::Word("true") => Kind::Bool(true),
            Token::Word("false") => Kind::Bool(false),
            Token::Word(number) => Kind::Number(number.to_owned()),
            Token::CloseObject | Token::CloseList | Token::Colon | Token::Comma => return None,
        };
        Some(Node::new(Place::File(at), kind))
    }

    fn next_is(&mut self, token: Token<'_>) -> bool {
        self.lexemes.next_if(|lexeme| lexeme.token == token).is_some()
    }

    fn items(&mut self) -> Option<Vec<Node>> {
        let mut items = Vec::new();
        while !self.next_is(Token::CloseList) {
            items.push(self.value()?);
            self.next_is(Token::Comma);
        }
        Some(items)
    }

    fn members(&mut self) -> Option<Vec<Member>> {
        let mut members = Vec::new();
        let mut seen: HashMap<String, Position> = HashMap::new();
        while !self.next_is(Token::CloseObject) {
            let Lexeme { token, at } = self.lexemes.next()?;
            let key = decode_key(token)?;
            if let Some(first) = seen.get(&key) {
                self.problems
                    .push(Problem::new(Place::File(at), format!("duplicate key `{key}`, first written at {first}")));
            } else {
                seen.insert(key.clone(), at);
            }
            if !self.next_is(Token::Colon) {
                return None;
            }
            let value = self.value()?;
            members.push(Member { key, key_place: Place::File(at), is_added: false, value });
            self.next_is(Token::Comma);
        }
        Some(members)
    }
}

fn decode_key(token: Token<'_>) -> Option<String> {
    match token {
        Token::Quoted(raw) => json5::from_str(raw).ok(),
        Token::Word(word) if !word.contains('\\') => Some(word.to_owned()),
        // an identifier with escapes: only an object's key is decoded as one
        Token::Word(word) => {
            let object: BTreeMap<String, u8> = json5::from_str(&format!("{{{word}:0}}")).ok()?;
            object.into_keys().next()
        }
        Token::OpenObject | Token::CloseObject | Token::OpenList | Token::CloseList | Token::Colon | Token::Comma => {
            None
        }
    }
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
