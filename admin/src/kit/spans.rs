//! Bars that begin and end anywhere on one scale, one below the other: the steps of a call, how one amount became another.
//! Each bar is a drawing of its own between its name and its amount, so that words stay words however narrow the page is.

use askama::Template;
use engine::credits::Credits;

use super::{Cell, books::written};

/// A drawing's width, in its own units.
const WIDTH: i64 = 720;

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
    /// How much it is, for the table.
    pub value: Cell,
    /// The same in words, beside the bar.
    pub says: String,
    /// The class of the style sheet: `s1` to `s7`.
    pub class: &'static str,
    /// What is special about it, beside its name; empty of the others.
    pub note: String,
}

/// A bar in the drawing's units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drawn<'a> {
    /// What it is of.
    pub span: &'a Span,
    /// From the left.
    pub x: i64,
    /// How long.
    pub length: i64,
}

impl Span {
    /// How one amount became another. In the table stands what came to it or went from it.
    pub fn amount(name: impl Into<String>, from: Credits, to: Credits, class: &'static str) -> Self {
        let change = Credits::from_micros(to.micros().saturating_sub(from.micros()));
        let (from, to) = (from.micros(), to.micros());
        let (name, note) = (name.into(), String::new());
        Self { name, from, to, value: Cell::Money(change), says: written(change), class, note }
    }
}

impl Spans {
    /// How wide a drawing is.
    pub const fn width(&self) -> i64 {
        WIDTH
    }

    /// The bars. The scale reaches from the lowest end, or nothing if that is higher, to the highest.
    pub fn bars(&self) -> Vec<Drawn<'_>> {
        let ends = || self.spans.iter().flat_map(|span| [span.from, span.to]);
        let lowest = ends().min().unwrap_or(0).min(0);
        let highest = ends().max().unwrap_or(0).max(0);
        let whole = i128::from(highest).saturating_sub(lowest.into()).max(1);
        let at = |value: i64| {
            let above = i128::from(value).saturating_sub(lowest.into());
            let scaled = above.saturating_mul(WIDTH.into()).checked_div(whole).unwrap_or(0);
            i64::try_from(scaled).unwrap_or(0)
        };
        let drawn = self.spans.iter().map(|span| {
            let (from, to) = (at(span.from.min(span.to)), at(span.from.max(span.to)));
            // What is there is seen, however little it is, and inside the drawing.
            let length = if span.from == span.to { 0 } else { to.saturating_sub(from).max(1) };
            Drawn { span, x: from.min(WIDTH.saturating_sub(length)), length }
        });
        drawn.collect()
    }
}

#[cfg(test)]
mod tests;
