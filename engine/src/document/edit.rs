//! Small changes of a JSON5 text that leave the rest as somebody wrote it, comments and blanks included.
//!
//! Whatever is spliced into the text is read again and compared with the same change of the value. Where the two differ,
//! the whole is written anew, and whoever asked is told that the comments are gone.

use serde_json::{Map, Value};

use super::{
    DocumentPath, Segment,
    print::{INDENT, to_text, write_member, write_value},
    written::{Element, Part, PartKind, TextProblem, Written},
};

/// What is changed at a path.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// The list at the path gets one more entry. The list, and objects on the way to it, are made where they are missing.
    Append(Value),
    /// The member at the path gets this value. It, and objects on the way to it, are made where they are missing.
    Put(Value),
    /// What is at the path is taken out.
    Remove,
}

/// A text after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// The text.
    pub text: String,
    /// What was not changed stands as it stood. Else the text was written anew, and has no comments.
    pub keeps_comments: bool,
}

/// Why a text was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditProblem {
    /// It cannot be read.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Unreadable(Vec<TextProblem>),
    /// What is to be taken out is not there.
    #[error("`{0}` is not there")]
    Missing(DocumentPath),
    /// Something on the way is no object, or what should be a list is none.
    #[error("`{0}` cannot be reached: something else stands in its way")]
    Misfit(DocumentPath),
}

/// Changes a text at one place.
///
/// # Errors
/// The text cannot be read, or there is no such place.
pub fn edit(text: &str, path: &DocumentPath, change: &Change) -> Result<Edited, EditProblem> {
    let written = Written::parse(text).map_err(EditProblem::Unreadable)?;
    let mut wanted = written.value().clone();
    apply(&mut wanted, path.segments(), change).map_err(|problem| problem.at(path))?;
    let spliced = splice(text, written.root(), path.segments(), change);
    let is_right = |text: &String| Written::parse(text).is_ok_and(|again| again.value() == &wanted);
    Ok(match spliced.filter(is_right) {
        Some(text) => Edited { text, keeps_comments: true },
        None => Edited { text: to_text(&wanted), keeps_comments: !written.has_comments() },
    })
}

/// What is wrong with the path of a change.
enum Obstacle {
    Missing,
    Misfit,
}

impl Obstacle {
    fn at(self, path: &DocumentPath) -> EditProblem {
        match self {
            Self::Missing => EditProblem::Missing(path.clone()),
            Self::Misfit => EditProblem::Misfit(path.clone()),
        }
    }
}

/// The change of the value.
fn apply(value: &mut Value, path: &[Segment<'_>], change: &Change) -> Result<(), Obstacle> {
    let Some((first, rest)) = path.split_first() else {
        return match (change, value) {
            (Change::Append(entry), Value::Array(items)) => {
                items.push(entry.clone());
                Ok(())
            }
            _ => Err(Obstacle::Misfit),
        };
    };
    match (first, value) {
        (Segment::Key(key), Value::Object(members)) => {
            let is_last = rest.is_empty();
            match change {
                Change::Remove if is_last => members.shift_remove(key.as_ref()).map(drop).ok_or(Obstacle::Missing),
                Change::Put(new) if is_last => {
                    members.insert(key.clone().into_owned(), new.clone());
                    Ok(())
                }
                _ => {
                    if let Some(inner) = members.get_mut(key.as_ref()) {
                        return apply(inner, rest, change);
                    }
                    let made = made(rest, change)?;
                    members.insert(key.clone().into_owned(), made);
                    Ok(())
                }
            }
        }
        (Segment::Index(index), Value::Array(items)) => match change {
            Change::Remove if rest.is_empty() && *index < items.len() => {
                items.remove(*index);
                Ok(())
            }
            _ => apply(items.get_mut(*index).ok_or(Obstacle::Missing)?, rest, change),
        },
        _ => Err(Obstacle::Misfit),
    }
}

/// What is put where nothing was: `path` leads on from there.
fn made(path: &[Segment<'_>], change: &Change) -> Result<Value, Obstacle> {
    match (path.split_first(), change) {
        (_, Change::Remove) | (Some((Segment::Index(_), _)), _) => Err(Obstacle::Missing),
        (None, Change::Append(entry)) => Ok(Value::Array(vec![entry.clone()])),
        (None, Change::Put(value)) => Ok(value.clone()),
        (Some((Segment::Key(key), rest)), _) => {
            let mut members = Map::new();
            members.insert(key.clone().into_owned(), made(rest, change)?);
            Ok(Value::Object(members))
        }
    }
}

/// The same change of the text; `None` where it cannot be made by splicing.
fn splice(text: &str, part: &Part, path: &[Segment<'_>], change: &Change) -> Option<String> {
    let Some((first, rest)) = path.split_first() else {
        let (PartKind::List(items), Change::Append(entry)) = (&part.kind, change) else { return None };
        let write = |indent: &str| {
            let mut out = String::new();
            write_value(&mut out, entry, indent);
            out
        };
        return Some(insert(text, part, items, &write));
    };
    let (elements, index) = match (first, &part.kind) {
        (Segment::Key(key), PartKind::Object(members)) => {
            (members, members.iter().position(|member| member.key == key.as_ref()))
        }
        (Segment::Index(index), PartKind::List(items)) => (items, Some(*index)),
        _ => return None,
    };
    match (index, change) {
        (Some(index), Change::Remove) if rest.is_empty() => remove(text, elements, index),
        (Some(index), Change::Put(value)) if rest.is_empty() => {
            let element = elements.get(index)?;
            let mut out = cut(text, 0, element.value.start).to_owned();
            write_value(&mut out, value, indent_at(text, element.start));
            out.push_str(cut(text, element.value.end, text.len()));
            Some(out)
        }
        (Some(index), _) => splice(text, &elements.get(index)?.value, rest, change),
        (None, _) => {
            let Segment::Key(key) = first else { return None };
            let value = made(rest, change).ok()?;
            let write = |indent: &str| {
                let mut out = String::new();
                write_member(&mut out, key, &value, indent);
                out
            };
            Some(insert(text, part, elements, &write))
        }
    }
}

/// Puts one more element behind the last one of a list or an object. `write` is told the indentation of its line.
fn insert(text: &str, part: &Part, elements: &[Element], write: &dyn Fn(&str) -> String) -> String {
    let outer = indent_at(text, part.start);
    let Some(last) = elements.last() else {
        let indent = format!("{outer}{INDENT}");
        let element = write(&indent);
        let (open, close) = (part.start.saturating_add(1), part.end.saturating_sub(1));
        let inner = cut(text, open, close);
        let (before, after) = (cut(text, 0, open), cut(text, close, text.len()));
        return if !inner.trim().is_empty() {
            // A comment alone: it stays.
            format!("{before}\n{indent}{element},{inner}{after}")
        } else if matches!(part.kind, PartKind::Object(_)) || element.contains('\n') {
            format!("{before}\n{indent}{element},\n{outer}{after}")
        } else {
            format!("{before}{element}{after}")
        };
    };
    let earlier = elements.len().checked_sub(2).and_then(|index| elements.get(index));
    let begin = earlier.map_or(part.start, |element| element.value.end);
    let has_own_line = cut(text, begin, last.start).contains('\n');
    let indent = if has_own_line { indent_at(text, last.start).to_owned() } else { format!("{outer}{INDENT}") };
    let element = write(&indent);
    let behind = last.comma.map_or(last.value.end, |comma| comma.saturating_add(1));
    let (place, ends_line) = behind_comments(text, behind);
    let mut out = cut(text, 0, last.value.end).to_owned();
    if last.comma.is_none() {
        out.push(',');
    }
    out.push_str(cut(text, last.value.end, place));
    if has_own_line || ends_line || element.contains('\n') {
        out.push('\n');
        out.push_str(&indent);
    } else {
        out.push(' ');
    }
    out.push_str(&element);
    if last.comma.is_some() {
        out.push(',');
    }
    out.push_str(cut(text, place, text.len()));
    out
}

/// Takes one element out, with the comment behind it in its line if it has the line to itself.
fn remove(text: &str, elements: &[Element], index: usize) -> Option<String> {
    let element = elements.get(index)?;
    let behind = element.comma.map_or(element.value.end, |comma| comma.saturating_add(1));
    let (place, _) = behind_comments(text, behind);
    let before = before_in_line(text, element.start);
    let after = cut(text, place, text.len());
    let rest = after.trim_start_matches([' ', '\t', '\r']);
    let (from, to) = if before.trim().is_empty() && rest.starts_with('\n') {
        let skipped = after.len().saturating_sub(rest.len()).saturating_add(1);
        (element.start.saturating_sub(before.len()), place.saturating_add(skipped))
    } else if element.comma.is_some() {
        let blanks = cut(text, behind, text.len());
        let skipped = blanks.len().saturating_sub(blanks.trim_start_matches([' ', '\t']).len());
        (element.start, behind.saturating_add(skipped))
    } else {
        let earlier = index.checked_sub(1).and_then(|index| elements.get(index)).and_then(|element| element.comma);
        let comma = earlier.filter(|comma| cut(text, comma.saturating_add(1), element.start).trim().is_empty());
        (comma.unwrap_or(element.start), element.value.end)
    };
    Some(format!("{}{}", cut(text, 0, from), cut(text, to, text.len())))
}

/// Behind the comments that follow in the same line, and whether the last of them ends the line.
fn behind_comments(text: &str, from: usize) -> (usize, bool) {
    let mut place = from;
    loop {
        let rest = cut(text, place, text.len());
        let comment = rest.trim_start_matches([' ', '\t']);
        let blanks = rest.len().saturating_sub(comment.len());
        if comment.starts_with("//") {
            let length = comment.find(['\n', '\r', '\u{2028}', '\u{2029}']).unwrap_or(comment.len());
            return (place.saturating_add(blanks).saturating_add(length), true);
        }
        let inner = comment.strip_prefix("/*").and_then(|inner| inner.split_once("*/"));
        match inner {
            Some((inner, _)) if !inner.contains('\n') => {
                // with its four marks
                place = place.saturating_add(blanks).saturating_add(inner.len()).saturating_add(4);
            }
            _ => return (place, false),
        }
    }
}

/// What stands before a byte in its line.
fn before_in_line(text: &str, at: usize) -> &str {
    let before = cut(text, 0, at);
    before.rsplit_once('\n').map_or(before, |(_, line)| line)
}

/// The blanks that the line of a byte begins with.
fn indent_at(text: &str, at: usize) -> &str {
    let line = before_in_line(text, at);
    let blanks = line.len().saturating_sub(line.trim_start_matches([' ', '\t']).len());
    cut(line, 0, blanks)
}

fn cut(text: &str, from: usize, to: usize) -> &str {
    text.get(from..to).unwrap_or_default()
}

#[cfg(test)]
mod tests;
