//! The JSONPath at which a tool returns its cost.

use std::borrow::Cow;

use serde_json::Value;
use serde_json_path::JsonPath;

use crate::{
    json::{Json, Segment},
    limits::COST_PATH_BYTES_MAX,
};

/// How many pairs of parentheses a path may have.
const PARENTHESES_MAX: usize = 8;

/// A JSONPath (RFC 9535) whose cost is bounded by the size of the result that it is asked about.
///
/// A publisher writes both the path and the result, so a path that selects the same values again and again could keep
/// us busy for ever. Refused are therefore lists of selectors (`[0,1]`), more than one `..`, more than one filter, and
/// `$` inside a filter: what is left visits every value at most once per level of nesting. Functions that
/// take two arguments, the regular expressions `match()` and `search()`, are refused with the lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CostPath {
    text: String,
    finder: Finder,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Finder {
    /// Names and indexes only, such as `$.usage.credits`: followed directly.
    Plain(Vec<Segment<'static>>),
    /// Everything else.
    Query(JsonPath),
}

/// A text is not a path that is accepted here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CostPathError {
    /// Longer than [`COST_PATH_BYTES_MAX`].
    #[error("must have at most {COST_PATH_BYTES_MAX} bytes")]
    TooLong,
    /// Valid or not, asking it could take too long.
    #[error("is too costly: {0}")]
    TooCostly(&'static str),
    /// Not a JSONPath.
    #[error("is not a JSONPath (RFC 9535): {0}")]
    Syntax(String),
}

/// What a path found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found<'j, 'a> {
    Nothing,
    One(&'j Json<'a>),
    Several(usize),
}

impl CostPath {
    /// Checks and compiles a path.
    pub fn parse(text: &str) -> Result<Self, CostPathError> {
        if text.len() > COST_PATH_BYTES_MAX {
            return Err(CostPathError::TooLong);
        }
        refuse_costly(text)?;
        let query = JsonPath::parse(text).map_err(|error| CostPathError::Syntax(error.to_string()))?;
        let finder = plain_segments(text).map_or(Finder::Query(query), Finder::Plain);
        Ok(Self { text: text.to_owned(), finder })
    }

    /// The path as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Asks the path about a result. What is found is a part of `result` itself, so that numbers keep their text.
    pub(super) fn find<'j, 'a>(&self, result: &'j Json<'a>) -> Found<'j, 'a> {
        match &self.finder {
            Finder::Plain(segments) => result.get_path(segments).map_or(Found::Nothing, Found::One),
            Finder::Query(query) => {
                let value = result.to_value();
                let nodes = query.query(&value).all();
                match nodes.as_slice() {
                    [] => Found::Nothing,
                    [node] => counterpart(&value, result, node).map_or(Found::Nothing, Found::One),
                    [_, _, ..] => Found::Several(nodes.len()),
                }
            }
        }
    }
}

/// Finds the part of `json` that stands where `wanted` (the same object, not an equal one) stands in `value`.
fn counterpart<'j, 'a>(value: &Value, json: &'j Json<'a>, wanted: &Value) -> Option<&'j Json<'a>> {
    if std::ptr::eq(value, wanted) {
        return Some(json);
    }
    match (value, json) {
        (Value::Array(values), Json::Array(elements)) => {
            values.iter().zip(elements).find_map(|(value, element)| counterpart(value, element, wanted))
        }
        (Value::Object(values), Json::Object(members)) => {
            members.iter().find_map(|(name, member)| counterpart(values.get(name.as_ref())?, member, wanted))
        }
        _ => None,
    }
}

/// The segments of a path that has nothing but short names and indexes: `$.a.b[0].c`.
fn plain_segments(text: &str) -> Option<Vec<Segment<'static>>> {
    let mut rest = text.strip_prefix('$')?;
    let mut segments = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (name, tail) = after.split_at_checked(end)?;
            let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                && name.bytes().next().is_some_and(|first| !first.is_ascii_digit());
            segments.push(Segment::Key(Cow::Owned(is_plain.then_some(name)?.to_owned())));
            rest = tail;
        } else {
            let (index, tail) = rest.strip_prefix('[')?.split_once(']')?;
            let is_plain = !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit());
            segments.push(Segment::Index(is_plain.then_some(index)?.parse().ok()?));
            rest = tail;
        }
    }
    Some(segments)
}

/// Refuses what [`CostPath`] says. Looks at the text outside of quoted names.
fn refuse_costly(text: &str) -> Result<(), CostPathError> {
    let outside = without_quoted(text);
    let count = |what: char| outside.chars().filter(|character| *character == what).count();
    for (is_costly, why) in [
        (outside.matches("..").count() > 1, "`..` may stand only once"),
        (count('?') > 1, "only one filter is accepted"),
        (count('$') > 1, "`$` may stand only at the beginning"),
        (count(',') > 0, "lists of selectors are not accepted"),
        (count('(') > PARENTHESES_MAX, "it has too many parentheses"),
    ] {
        if is_costly {
            return Err(CostPathError::TooCostly(why));
        }
    }
    Ok(())
}

/// The text with quoted parts left out, quotes included.
fn without_quoted(text: &str) -> String {
    let mut outside = String::with_capacity(text.len());
    let mut quote = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (None, '\'' | '"') => quote = Some(character),
            (None, _) => outside.push(character),
            (Some(_), '\\') => {
                let _escaped = characters.next();
            }
            (Some(open), _) if character == open => quote = None,
            (Some(_), _) => {}
        }
    }
    outside
}
