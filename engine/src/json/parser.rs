//! The parser: one pass over the bytes of a text that is known to be UTF-8.

use std::{
    borrow::Cow,
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
};

use super::{Json, JsonError, JsonErrorKind, Member, Segment, pointer};
use crate::limits::{JSON_DEPTH_MAX, JSON_NODES_MAX};

/// Up to how many members an object's keys are compared one by one.
const LINEAR_KEYS_MAX: usize = 16;

/// How long a number may be before its range is checked: a shorter one without exponent is below 10^300.
const SURELY_FINITE_BYTES_MAX: usize = 300;

/// Reads one JSON text.
pub fn parse(text: &str) -> Result<Json<'_>, JsonError> {
    let mut parser = Parser::new(text);
    parser.document(|parser| parser.value(0)).map_err(|fault| fault.locate(text))
}

/// Reads one JSON text that must be an object, and keeps the source text of each member's value.
///
/// For bodies of which a part is handed on exactly as it came.
pub fn parse_members(text: &str) -> Result<Vec<Member<'_>>, JsonError> {
    Parser::new(text).members().map_err(|fault| fault.locate(text))
}

/// Reads one JSON text that must be an object as JavaScript does: of two equal keys the last one counts, at any depth.
/// Says as well whether there were any, because then the source texts still have both.
///
/// For a protocol whose clients rely on it (`POST /tools/invoke`).
pub fn parse_members_last_wins(text: &str) -> Result<(Vec<Member<'_>>, bool), JsonError> {
    let mut parser = Parser { last_wins: true, ..Parser::new(text) };
    let members = parser.members().map_err(|fault| fault.locate(text))?;
    Ok((members, parser.has_repeats))
}

/// A fault on its way up: boxed, because it is rare and the way is long.
struct Fault(Box<FaultParts>);

struct FaultParts {
    kind: FaultKind,
    /// Byte offset.
    at: usize,
}

enum FaultKind {
    /// The segments from the innermost outwards.
    DuplicateKey(Vec<Segment<'static>>),
    Other(JsonErrorKind),
}

impl Fault {
    fn new(kind: JsonErrorKind, at: usize) -> Self {
        Self(Box::new(FaultParts { kind: FaultKind::Other(kind), at }))
    }

    fn duplicate(key: &str, at: usize) -> Self {
        let kind = FaultKind::DuplicateKey(vec![Segment::Key(key.into()).to_bounded()]);
        Self(Box::new(FaultParts { kind, at }))
    }

    /// Notes that the fault lies inside `segment`.
    fn inside(mut self, segment: impl FnOnce() -> Segment<'static>) -> Self {
        if let FaultKind::DuplicateKey(path) = &mut self.0.kind {
            path.push(segment());
        }
        self
    }

    fn locate(self, text: &str) -> JsonError {
        let before = text.get(..self.0.at).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline.saturating_add(1));
        let in_line = before.get(line_start..).unwrap_or_default();
        let kind = match self.0.kind {
            FaultKind::Other(kind) => kind,
            FaultKind::DuplicateKey(segments) => JsonErrorKind::DuplicateKey { path: pointer(segments.iter().rev()) },
        };
        JsonError {
            kind,
            line: before.matches('\n').count().saturating_add(1),
            column: in_line.chars().count().saturating_add(1),
        }
    }
}

type Parsed<T> = Result<T, Fault>;

struct Parser<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    nodes: usize,
    hasher: Option<RandomState>,
    /// Of two equal keys the last one counts; else they are a fault.
    last_wins: bool,
    has_repeats: bool,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, bytes: text.as_bytes(), at: 0, nodes: 0, hasher: None, last_wins: false, has_repeats: false }
    }

    fn document<T>(&mut self, content: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.skip_spaces();
        let parsed = content(self)?;
        self.skip_spaces();
        if self.at == self.bytes.len() { Ok(parsed) } else { Err(self.syntax("unexpected text after the JSON value")) }
    }

    /// The members of a text that must be an object.
    fn members(&mut self) -> Parsed<Vec<Member<'a>>> {
        self.document(|parser| {
            let start = parser.at;
            if parser.peek() != Some(b'{') {
                // a text that is not JSON at all is that first
                parser.value(0)?;
                return Err(Fault::new(JsonErrorKind::NotAnObject, start));
            }
            let mut members = Vec::new();
            parser.count_node()?;
            let make = |name, value, source| Member { name, value, source };
            parser.object(0, &mut members, make, |member| &member.name)?;
            Ok(members)
        })
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn advance(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    /// Steps over `byte` if it is next.
    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        if is_next {
            self.advance();
        }
        is_next
    }

    fn skip_spaces(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.advance();
        }
    }

    fn slice(&self, start: usize, end: usize) -> &'a str {
        // both ends stand beside an ASCII byte, so this is always a character boundary
        self.text.get(start..end).unwrap_or_default()
    }

    fn syntax(&self, what: &'static str) -> Fault {
        let what = if self.at >= self.bytes.len() { "unexpected end of the JSON text" } else { what };
        Fault::new(JsonErrorKind::Syntax(what), self.at)
    }

    fn count_node(&mut self) -> Parsed<()> {
        self.nodes = self.nodes.saturating_add(1);
        if self.nodes > JSON_NODES_MAX { Err(Fault::new(JsonErrorKind::TooManyNodes, self.at)) } else { Ok(()) }
    }

    /// Reads the value that starts here; `depth` containers are open around it.
    fn value(&mut self, depth: usize) -> Parsed<Json<'a>> {
        self.count_node()?;
        match self.peek() {
            Some(b'{') => {
                let mut members = Vec::new();
                self.object(depth, &mut members, |name, value, _| (name, value), |(name, _)| name)?;
                Ok(Json::Object(members))
            }
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Json::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            _ => Err(self.syntax("expected a JSON value")),
        }
    }

    fn word(&mut self, word: &'static str, json: Json<'a>) -> Parsed<Json<'a>> {
        for byte in word.bytes() {
            if !self.take(byte) {
                return Err(self.syntax("expected `true`, `false` or `null`"));
            }
        }
        Ok(json)
    }

    /// Steps over the opening bracket of a container around which `depth` others are open.
    fn open(&mut self, depth: usize) -> Parsed<usize> {
        if depth >= JSON_DEPTH_MAX {
            return Err(Fault::new(JsonErrorKind::TooDeep, self.at));
        }
        self.advance();
        self.skip_spaces();
        Ok(depth.saturating_add(1))
    }

    fn array(&mut self, depth: usize) -> Parsed<Json<'a>> {
        let depth = self.open(depth)?;
        let mut elements = Vec::new();
        if self.take(b']') {
            return Ok(Json::Array(elements));
        }
        loop {
            self.skip_spaces();
            let element = self.value(depth).map_err(|fault| fault.inside(|| Segment::Index(elements.len())))?;
            elements.push(element);
            self.skip_spaces();
            if self.take(b']') {
                return Ok(Json::Array(elements));
            }
            if !self.take(b',') {
                return Err(self.syntax("expected `,` or `]`"));
            }
        }
    }

    /// Reads the members of the object that starts here into `members`.
    fn object<M>(
        &mut self,
        depth: usize,
        members: &mut Vec<M>,
        make: impl Fn(Cow<'a, str>, Json<'a>, &'a str) -> M,
        name_of: impl Fn(&M) -> &Cow<'a, str>,
    ) -> Parsed<()> {
        let depth = self.open(depth)?;
        let mut places = HashMap::new();
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            self.skip_spaces();
            let key_at = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.syntax("expected a key in double quotes"));
            }
            let name = self.string()?;
            let earlier = self.find_repeated(&name, members, &name_of, &mut places);
            if earlier.is_some() && !self.last_wins {
                return Err(Fault::duplicate(&name, key_at));
            }
            self.skip_spaces();
            if !self.take(b':') {
                return Err(self.syntax("expected `:`"));
            }
            self.skip_spaces();
            let value_at = self.at;
            let value =
                self.value(depth).map_err(|fault| fault.inside(|| Segment::Key(name.as_ref().into()).to_bounded()))?;
            let member = make(name, value, self.slice(value_at, self.at));
            self.has_repeats |= earlier.is_some();
            match earlier.and_then(|at| members.get_mut(at)) {
                Some(earlier) => *earlier = member,
                None => members.push(member),
            }
            self.skip_spaces();
            if self.take(b'}') {
                return Ok(());
            }
            if !self.take(b',') {
                return Err(self.syntax("expected `,` or `}`"));
            }
        }
    }

    /// Where the key is already, if it is. Small objects are searched; of larger ones, hashes with a random key are kept,
    /// so that neither many members nor chosen ones make this slow.
    fn find_repeated<M>(
        &mut self,
        name: &str,
        members: &[M],
        name_of: &impl Fn(&M) -> &Cow<'a, str>,
        places: &mut HashMap<u64, usize>,
    ) -> Option<usize> {
        let search = || members.iter().position(|member| name_of(member).as_ref() == name);
        if members.len() < LINEAR_KEYS_MAX {
            return search();
        }
        let hasher = self.hasher.get_or_insert_with(RandomState::new);
        if places.is_empty() {
            let place = |(at, member): (usize, &M)| (hasher.hash_one(name_of(member).as_ref()), at);
            places.extend(members.iter().enumerate().map(place));
        }
        let known = *places.entry(hasher.hash_one(name)).or_insert(members.len());
        match members.get(known) {
            None => None,
            Some(member) if name_of(member).as_ref() == name => Some(known),
            // two keys with one hash
            Some(_) => search(),
        }
    }

    fn number(&mut self) -> Parsed<Json<'a>> {
        let start = self.at;
        let mut has_exponent = false;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            has_exponent = true;
            self.advance();
            if !self.take(b'+') {
                self.take(b'-');
            }
            self.digits()?;
        }
        let text = self.slice(start, self.at);
        if (has_exponent || text.len() > SURELY_FINITE_BYTES_MAX)
            && serde_json::from_str::<serde_json::Number>(text).is_err()
        {
            return Err(Fault::new(JsonErrorKind::Syntax("number out of range"), start));
        }
        Ok(Json::Number(text))
    }

    /// Steps over one digit or more.
    fn digits(&mut self) -> Parsed<()> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.syntax("expected a digit"));
        }
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.advance();
        }
        Ok(())
    }

    /// Reads the string whose opening quote is next. Borrows it if it has no escapes.
    fn string(&mut self) -> Parsed<Cow<'a, str>> {
        self.advance();
        let mut unescaped: Option<String> = None;
        loop {
            let start = self.at;
            while !matches!(self.peek(), None | Some(b'"' | b'\\' | 0..=0x1f)) {
                self.advance();
            }
            let plain = self.slice(start, self.at);
            match self.peek() {
                Some(b'"') => {
                    self.advance();
                    return Ok(match unescaped {
                        None => Cow::Borrowed(plain),
                        Some(text) => Cow::Owned(text + plain),
                    });
                }
                Some(b'\\') => {
                    let text = unescaped.get_or_insert_default();
                    text.push_str(plain);
                    let character = self.escape()?;
                    text.push(character);
                }
                _ => return Err(self.syntax("control character in a string")),
            }
        }
    }

    /// Reads the escape whose backslash is next.
    fn escape(&mut self) -> Parsed<char> {
        let start = self.at;
        self.advance();
        let character = match self.peek() {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.advance();
                return self.unicode_escape(start);
            }
            _ => return Err(self.syntax("unknown escape in a string")),
        };
        self.advance();
        Ok(character)
    }

    /// Reads the four digits after `\u`, and the second half of a surrogate pair.
    fn unicode_escape(&mut self, start: usize) -> Parsed<char> {
        let lone = || Fault::new(JsonErrorKind::Syntax("lone surrogate in a string"), start);
        let first = self.hex4()?;
        let second = match first {
            0xd800..=0xdbff if self.take(b'\\') && self.take(b'u') => Some(self.hex4()?),
            0xd800..=0xdfff => return Err(lone()),
            _ => None,
        };
        let units = [first, second.unwrap_or(0)];
        let used = units.iter().copied().take(if second.is_some() { 2 } else { 1 });
        char::decode_utf16(used).next().and_then(Result::ok).ok_or_else(lone)
    }

    fn hex4(&mut self) -> Parsed<u16> {
        let mut unit: u16 = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit.and_then(|digit| u16::try_from(digit).ok()) else {
                return Err(self.syntax("expected four hexadecimal digits"));
            };
            unit = (unit << 4) | digit;
            self.advance();
        }
        Ok(unit)
    }
}
