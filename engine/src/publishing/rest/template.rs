//! Texts with arguments in braces.

use crate::limits;

/// A part of a text with arguments in braces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Goes there as it is.
    Literal(&'a str),
    /// The name of an argument.
    Argument(&'a str),
}

/// The parts of a text. Braces around anything but a name are part of the text.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut from = 0_usize;
        while let Some(open) = rest.get(from..).and_then(|tail| tail.find('{')).map(|at| at.saturating_add(from)) {
            let inner_at = open.saturating_add(1);
            if let Some((name, after)) = rest.get(inner_at..).and_then(|tail| tail.split_once('}'))
                && is_name(name)
            {
                if open > 0 {
                    let literal = rest.get(..open).unwrap_or_default();
                    rest = rest.get(open..).unwrap_or_default();
                    return Some(Piece::Literal(literal));
                }
                rest = after;
                return Some(Piece::Argument(name));
            }
            from = inner_at;
        }
        let literal = rest;
        rest = "";
        Some(Piece::Literal(literal))
    })
}

/// The argument that a text is, if it is nothing else.
pub(super) fn only_argument(text: &str) -> Option<&str> {
    let name = text.strip_prefix('{')?.strip_suffix('}')?;
    is_name(name).then_some(name)
}

/// Whether braces around this make an argument of it.
pub(super) fn is_name(text: &str) -> bool {
    (1..=limits::REST_NAME_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}
