//! Bars that begin and end anywhere on one scale, one below the other: the steps of a call, how one amount became another.

use askama::Template;
use engine::credits::Credits;

use super::{Cell, books::written};

/// The drawing's width, in its own units, and how high a row is.
const WIDTH: i64 = 720;
const ROW: i64 = 26;
/// Where the scale begins: left of it stand the names.
const LEFT: i64 = 220;
/// How many letters of a name fit there; the table has all of them.
const NAME_CHARS_MAX: usize = 31;

/// Bars on one scale.
#[derive(Debug, Template)]
#[template(path = "kit/spans.html")]
pub struct Spans {
    /// What it shows.
    pub title: String,
    /// What the values are called in the table.
    pub values: String,
    /// From top to bottom.
    pub spans: Vec<Span>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// What it is of.
    pub name: String,
    /// Where it begins, in any unit that all of them have.
    pub from: i64,
    /// Where it ends. It may lie before its beginning: then something became less.
    pub to: i64,
    /// How much it is, for the table and when pointed at.
    pub value: Cell,
    /// The same in words.
    pub says: String,
    /// The class of the style sheet: `s1` to `s6`.
    pub class: &'static str,
}

/// A bar in the drawing's units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drawn<'a> {
    /// What it is of.
    pub span: &'a Span,
    /// From the left.
    pub x: i64,
    /// From the top.
    pub y: i64,
    /// How long.
    pub length: i64,
    /// The line on which its name stands.
    pub name_y: i64,
}

impl Drawn<'_> {
    /// Its name, as far as there is room.
    pub fn name(&self) -> String {
        let name = &self.span.name;
        if name.chars().count() <= NAME_CHARS_MAX {
            return name.clone();
        }
        name.chars().take(NAME_CHARS_MAX.saturating_sub(1)).chain(['…']).collect()
    }
}

impl Span {
    /// How one amount became another. In the table stands what came to it or went from it.
    pub fn amount(name: impl Into<String>, from: Credits, to: Credits, class: &'static str) -> Self {
        let change = Credits::from_micros(to.micros().saturating_sub(from.micros()));
        let (from, to) = (from.micros(), to.micros());
        Self { name: name.into(), from, to, value: Cell::Money(change), says: written(change), class }
    }
}

impl Spans {
    /// The drawing's size.
    pub fn size(&self) -> (i64, i64) {
        (WIDTH, i64::try_from(self.spans.len()).unwrap_or(0).saturating_mul(ROW).max(ROW))
    }

    /// Where the scale begins.
    pub const fn left(&self) -> i64 {
        LEFT
    }

    /// The bars. The scale reaches from the lowest end, or nothing if that is higher, to the highest.
    pub fn bars(&self) -> Vec<Drawn<'_>> {
        let ends = || self.spans.iter().flat_map(|span| [span.from, span.to]);
        let lowest = ends().min().unwrap_or(0).min(0);
        let highest = ends().max().unwrap_or(0).max(0);
        let whole = i128::from(highest).saturating_sub(lowest.into()).max(1);
        let at = |value: i64| {
            let above = i128::from(value).saturating_sub(lowest.into());
            let scaled = above.saturating_mul(WIDTH.saturating_sub(LEFT).into()).checked_div(whole).unwrap_or(0);
            LEFT.saturating_add(i64::try_from(scaled).unwrap_or(0))
        };
        let bar = |(row, span): (usize, &'_ Span)| {
            let (from, to) = (at(span.from.min(span.to)), at(span.from.max(span.to)));
            let top = i64::try_from(row).unwrap_or(0).saturating_mul(ROW);
            // What is there is seen, however little it is, and inside the drawing.
            let length = if span.from == span.to { 0 } else { to.saturating_sub(from).max(1) };
            (from.min(WIDTH.saturating_sub(length)), top.saturating_add(4), length, top.saturating_add(18))
        };
        let drawn = self.spans.iter().enumerate().map(|(row, span)| {
            let (x, y, length, name_y) = bar((row, span));
            Drawn { span, x, y, length, name_y }
        });
        drawn.collect()
    }
}

#[cfg(test)]
mod tests;
