//! Splits JSON5 text into tokens with their positions.
//!
//! The scanner does not judge: whether the text is JSON5 is decided by the crate `json5`. It runs first because it
//! does not recurse, so that it can refuse a text nested too deeply before the recursive parser sees it.

use std::{fmt, iter::Peekable, ops::Range, str::CharIndices};

use json5::char::{is_json5_line_terminator, is_json5_whitespace};

/// The deepest nesting of objects and lists that is read; the same bound as for request bodies.
pub const DEPTH_MAX: usize = 64;

/// A line and a column of a text, both counted from 1; columns are counted in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line; a carriage return followed by a line feed ends one line, not two.
    pub line: usize,
    /// The column in characters (Unicode scalar values), not bytes.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'t> {
    OpenObject,
    CloseObject,
    OpenList,
    CloseList,
    Colon,
    Comma,
    /// A quoted string with its quotes and escapes, as written.
    Quoted(&'t str),
    /// A run of anything else: a number, an identifier, `true`, `null` …
    Word(&'t str),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lexeme<'t> {
    pub(super) token: Token<'t>,
    pub(super) at: Position,
    /// Where it stands, in bytes.
    pub(super) span: Range<usize>,
}

/// The tokens of a text and the position just after its last character.
#[derive(Debug)]
pub(super) struct Scanned<'t> {
    pub(super) lexemes: Vec<Lexeme<'t>>,
    pub(super) end: Position,
    pub(super) has_comments: bool,
}

/// Where the nesting became deeper than [`DEPTH_MAX`].
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooDeep(pub(super) Position);

pub(super) fn scan(text: &str) -> Result<Scanned<'_>, TooDeep> {
    let mut scanner = Scanner { text, rest: text.char_indices().peekable(), at: Position { line: 1, column: 1 } };
    let mut lexemes = Vec::new();
    let mut has_comments = false;
    let mut depth: usize = 0;
    while let Some((offset, c)) = scanner.peek() {
        let at = scanner.at;
        let token = match c {
            '{' | '[' => {
                depth = depth.saturating_add(1);
                if depth > DEPTH_MAX {
                    return Err(TooDeep(at));
                }
                scanner.single(if c == '{' { Token::OpenObject } else { Token::OpenList })
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                scanner.single(if c == '}' { Token::CloseObject } else { Token::CloseList })
            }
            ':' => scanner.single(Token::Colon),
            ',' => scanner.single(Token::Comma),
            '"' | '\'' => scanner.quoted(offset, c),
            '/' => {
                scanner.skip_comment();
                has_comments = true;
                continue;
            }
            _ if is_json5_whitespace(c) => {
                scanner.bump();
                continue;
            }
            _ => scanner.word(offset),
        };
        lexemes.push(Lexeme { token, at, span: offset..scanner.offset() });
    }
    Ok(Scanned { lexemes, end: scanner.at, has_comments })
}

struct Scanner<'t> {
    text: &'t str,
    rest: Peekable<CharIndices<'t>>,
    at: Position,
}

impl<'t> Scanner<'t> {
    fn peek(&mut self) -> Option<(usize, char)> {
        self.rest.peek().copied()
    }

    fn peek_char(&mut self) -> Option<char> {
        self.peek().map(|(_, c)| c)
    }

    fn bump(&mut self) -> Option<char> {
        let (_, c) = self.rest.next()?;
        let is_first_half_of_crlf = c == '\r' && self.peek_char() == Some('\n');
        if is_json5_line_terminator(c) && !is_first_half_of_crlf {
            self.at = Position { line: self.at.line.saturating_add(1), column: 1 };
        } else {
            self.at.column = self.at.column.saturating_add(1);
        }
        Some(c)
    }

    fn single(&mut self, token: Token<'t>) -> Token<'t> {
        self.bump();
        token
    }

    /// How far it has read, in bytes.
    fn offset(&mut self) -> usize {
        self.peek().map_or(self.text.len(), |(offset, _)| offset)
    }

    fn slice_from(&mut self, start: usize) -> &'t str {
        let end = self.offset();
        self.text.get(start..end).unwrap_or_default()
    }

    fn quoted(&mut self, start: usize, quote: char) -> Token<'t> {
        self.bump();
        while let Some(c) = self.bump() {
            match c {
                '\\' => {
                    self.bump();
                }
                _ if c == quote => break,
                _ => {}
            }
        }
        Token::Quoted(self.slice_from(start))
    }

    fn word(&mut self, start: usize) -> Token<'t> {
        while let Some(c) = self.peek_char() {
            let ends = matches!(c, '{' | '}' | '[' | ']' | ':' | ',' | '"' | '\'' | '/') || is_json5_whitespace(c);
            if ends {
                break;
            }
            self.bump();
        }
        Token::Word(self.slice_from(start))
    }

    fn skip_comment(&mut self) {
        self.bump();
        match self.bump() {
            Some('/') => while self.bump().is_some_and(|c| !is_json5_line_terminator(c)) {},
            Some('*') => {
                while let Some(c) = self.bump() {
                    if c == '*' && self.peek_char() == Some('/') {
                        self.bump();
                        break;
                    }
                }
            }
            // not a comment: the parser refuses it with this position
            _ => {}
        }
    }
}
