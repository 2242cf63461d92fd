//! JSON5 as somebody wrote it: a tree that knows where everything stands.
//!
//! The crate `json5` decides what is valid JSON5 and decodes every string and key, while this module keeps the structure:
//! numbers as they were written, keys in order, and the place of each. There is no second definition of the grammar to
//! keep in step: a text that `json5` refuses never reaches the builder.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    iter::Peekable,
    vec::IntoIter,
};

use serde_json::Value;

use super::{
    DocumentPath,
    scan::{Lexeme, Token, TooDeep, scan},
};
pub use super::{
    print::to_text,
    scan::{DEPTH_MAX, Position},
};

/// Something wrong with a text, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct TextProblem {
    /// Where.
    pub at: Position,
    /// What, as one line without a full stop.
    pub message: String,
}

impl fmt::Display for TextProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.message)
    }
}

/// A text that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    value: Value,
    has_comments: bool,
    root: Part,
}

/// One value of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Where it begins.
    pub at: Position,
    /// What it is.
    pub kind: PartKind,
    /// Its first byte.
    pub(super) start: usize,
    /// The byte behind its last.
    pub(super) end: usize,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub enum PartKind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number as it was written: `0.1`, `1e3`, `0xff`, `Infinity` …
    Number(String),
    /// A string, escapes resolved.
    Text(String),
    /// A list.
    List(Vec<Element>),
    /// An object, its members in the order of the text.
    Object(Vec<Element>),
}

/// What a list or an object holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Element {
    /// In an object.
    pub key: String,
    /// Where it begins: at its key, if it has one.
    pub at: Position,
    /// The value.
    pub value: Part,
    /// Its first byte.
    pub(super) start: usize,
    /// The byte of the comma behind it, if there is one.
    pub(super) comma: Option<usize>,
}

impl Written {
    /// Reads one JSON5 value.
    ///
    /// # Errors
    /// The first syntax error, or every duplicate key.
    pub fn parse(text: &str) -> Result<Self, Vec<TextProblem>> {
        let one = |at, message: String| vec![TextProblem { at, message }];
        let scanned = scan(text)
            .map_err(|TooDeep(at)| one(at, format!("objects and lists are nested deeper than {DEPTH_MAX}")))?;
        let (end, has_comments) = (scanned.end, scanned.has_comments);
        let value = json5::from_str(text).map_err(|error| vec![syntax_problem(&error, end)])?;
        let mut builder = Builder { lexemes: scanned.lexemes.into_iter().peekable(), problems: Vec::new() };
        match builder.value() {
            Some(root) if builder.problems.is_empty() => Ok(Self { value, has_comments, root }),
            Some(_) => Err(builder.problems),
            None => Err(one(end, "the text could not be split into JSON5 tokens".to_owned())),
        }
    }

    /// What it says, as far as numbers fit into a double or 64 bits.
    pub const fn value(&self) -> &Value {
        &self.value
    }

    /// Something in it is for people alone.
    pub const fn has_comments(&self) -> bool {
        self.has_comments
    }

    /// The whole.
    pub const fn root(&self) -> &Part {
        &self.root
    }

    /// The whole, taken.
    pub fn into_root(self) -> Part {
        self.root
    }

    /// Where every value stands, by its path as messages write it: at its key, if it has one.
    pub fn places(&self) -> BTreeMap<String, Position> {
        let mut places = BTreeMap::new();
        note_places(&self.root, &DocumentPath::default(), &mut places);
        places
    }
}

fn note_places(part: &Part, path: &DocumentPath, places: &mut BTreeMap<String, Position>) {
    places.entry(path.to_string()).or_insert(part.at);
    let mut note = |element: &Element, path: &DocumentPath| {
        places.insert(path.to_string(), element.at);
        note_places(&element.value, path, places);
    };
    match &part.kind {
        PartKind::List(items) => items.iter().enumerate().for_each(|(index, item)| note(item, &path.index(index))),
        PartKind::Object(members) => members.iter().for_each(|member| note(member, &path.key(&member.key))),
        PartKind::Null | PartKind::Bool(_) | PartKind::Number(_) | PartKind::Text(_) => {}
    }
}

fn syntax_problem(error: &json5::Error, end: Position) -> TextProblem {
    let position = error.position();
    let mut text = error.to_string();
    if let Some(position) = position
        && let Some(bare) = text.strip_suffix(&format!(" at {position}"))
    {
        text = bare.to_owned();
    }
    if let Some(what) = text.strip_prefix("EOF parsing ") {
        // the parser names the place where some enclosing value began, if any
        return TextProblem { at: end, message: format!("not valid JSON5: unexpected end of the text inside {what}") };
    }
    let at = position.map_or(end, |position| Position {
        line: position.line.saturating_add(1),
        column: position.column.saturating_add(1),
    });
    TextProblem { at, message: format!("not valid JSON5: {text}") }
}

struct Builder<'t> {
    lexemes: Peekable<IntoIter<Lexeme<'t>>>,
    problems: Vec<TextProblem>,
}

impl Builder<'_> {
    fn value(&mut self) -> Option<Part> {
        let Lexeme { token, at, span } = self.lexemes.next()?;
        let (kind, end) = match token {
            Token::OpenObject => {
                let (members, end) = self.members()?;
                (PartKind::Object(members), end)
            }
            Token::OpenList => {
                let (items, end) = self.items()?;
                (PartKind::List(items), end)
            }
            Token::Quoted(raw) => (PartKind::Text(json5::from_str(raw).ok()?), span.end),
            Token::Word("null") => (PartKind::Null, span.end),
            Token::Word("true") => (PartKind::Bool(true), span.end),
            Token::Word("false") => (PartKind::Bool(false), span.end),
            Token::Word(number) => (PartKind::Number(number.to_owned()), span.end),
            Token::CloseObject | Token::CloseList | Token::Colon | Token::Comma => return None,
        };
        Some(Part { at, kind, start: span.start, end })
    }

    /// The byte behind the next token, if it is this one.
    fn pass(&mut self, token: Token<'_>) -> Option<usize> {
        self.lexemes.next_if(|lexeme| lexeme.token == token).map(|lexeme| lexeme.span.end)
    }

    fn comma(&mut self) -> Option<usize> {
        self.pass(Token::Comma).map(|end| end.saturating_sub(1))
    }

    fn items(&mut self) -> Option<(Vec<Element>, usize)> {
        let mut items = Vec::new();
        loop {
            if let Some(end) = self.pass(Token::CloseList) {
                return Some((items, end));
            }
            let value = self.value()?;
            let (at, start) = (value.at, value.start);
            items.push(Element { key: String::new(), at, value, start, comma: self.comma() });
        }
    }

    fn members(&mut self) -> Option<(Vec<Element>, usize)> {
        let mut members = Vec::new();
        let mut seen: HashMap<String, Position> = HashMap::new();
        loop {
            if let Some(end) = self.pass(Token::CloseObject) {
                return Some((members, end));
            }
            let Lexeme { token, at, span } = self.lexemes.next()?;
            let key = decode_key(token)?;
            if let Some(first) = seen.get(&key) {
                self.problems
                    .push(TextProblem { at, message: format!("duplicate key `{key}`, first written at {first}") });
            } else {
                seen.insert(key.clone(), at);
            }
            self.pass(Token::Colon)?;
            let value = self.value()?;
            members.push(Element { key, at, value, start: span.start, comma: self.comma() });
        }
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
