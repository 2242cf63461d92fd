//! Several values over the same time, each in a strip of its own, one below the other: what happens together stands one above
//! the other. What nobody measured is told from what was nothing. Words stand beside the strips, so that they stay words
//! however narrow the page is.

use askama::Template;

use super::{
    Cell,
    chart::{Measure, Rectangle},
};
use crate::text::t_with;

/// A strip's size, in its own units.
const WIDTH: i64 = 720;
const HEIGHT: i64 = 48;

/// Strips over the same time.
#[derive(Debug, Template)]
#[template(path = "kit/strips.html")]
pub struct Strips {
    /// What they show.
    pub title: String,
    /// When each step begins, in UTC, the earliest first.
    pub labels: Vec<String>,
    /// What a step is called of which nothing is known.
    pub missing: String,
    /// From top to bottom.
    pub strips: Vec<Strip>,
}

/// One of them.
#[derive(Debug, Clone)]
pub struct Strip {
    /// What it is of.
    pub name: String,
    /// How much it was, in words, beside it.
    pub says: String,
    /// The class of the style sheet: `s1` to `s7`.
    pub class: &'static str,
    /// What the values are.
    pub measure: Measure,
    /// What fills the strip from bottom to top.
    pub whole: i64,
    /// One for every step; `None` where nothing is known.
    pub values: Vec<Option<i64>>,
}

impl Strips {
    /// How large a strip is.
    pub const fn size(&self) -> (i64, i64) {
        (WIDTH, HEIGHT)
    }

    /// From the left to where a step begins.
    fn x(&self, step: usize) -> i64 {
        let number = |count: usize| i64::try_from(count).unwrap_or(0);
        number(step).saturating_mul(WIDTH).checked_div(number(self.labels.len())).unwrap_or(0)
    }

    fn value(strip: &Strip, step: usize) -> Option<i64> {
        strip.values.get(step).copied().flatten()
    }

    /// What is drawn of a strip. Neighbours of which nothing is known are one gap.
    pub fn rectangles(&self, strip: &Strip) -> Vec<Rectangle> {
        let mut out: Vec<Rectangle> = Vec::new();
        let mut is_gap = false;
        for (step, label) in self.labels.iter().enumerate() {
            let x = self.x(step);
            let width = self.x(step.saturating_add(1)).saturating_sub(x);
            let Some(value) = Self::value(strip, step) else {
                if let Some(gap) = out.last_mut().filter(|_| is_gap) {
                    gap.width = gap.width.saturating_add(width);
                } else {
                    let says = format!("{label}: {}", self.missing);
                    out.push(Rectangle { x, y: 0, width, height: HEIGHT, class: "gap", says });
                }
                is_gap = true;
                continue;
            };
            is_gap = false;
            if value <= 0 {
                continue;
            }
            let height = i128::from(value).saturating_mul(HEIGHT.into()).checked_div(strip.whole.max(1).into());
            // What is there is seen, however little it is, and inside the strip.
            let height = height.and_then(|height| i64::try_from(height).ok()).unwrap_or(HEIGHT).clamp(1, HEIGHT);
            let (y, width) = (HEIGHT.saturating_sub(height), width.saturating_sub(1).max(1));
            let says = format!("{label}: {}", strip.measure.says(value));
            out.push(Rectangle { x, y, width, height, class: strip.class, says });
        }
        out
    }

    /// Whether there is a gap anywhere.
    pub fn has_gaps(&self) -> bool {
        let is_missing = |step| self.strips.iter().any(|strip| Self::value(strip, step).is_none());
        (0..self.labels.len()).any(is_missing)
    }

    /// The first and the last label, with their zone: other moments on the page are told in that of whoever reads it. The
    /// second one is empty where there is but one.
    pub fn ends(&self) -> (String, String) {
        let zoned = |label: &String| t_with("console-chart-utc", &[("when", label.clone().into())]);
        let last = self.labels.last().filter(|_| self.labels.len() > 1);
        (self.labels.first().map(zoned).unwrap_or_default(), last.map(zoned).unwrap_or_default())
    }

    /// The numbers, step by step, for the table.
    pub fn numbers(&self) -> Vec<(&str, Vec<Cell>)> {
        let cell = |strip: &Strip, step| Self::value(strip, step).map_or(Cell::None, |value| strip.measure.cell(value));
        let row = |step| self.strips.iter().map(|strip| cell(strip, step)).collect();
        self.labels.iter().enumerate().map(|(step, label)| (label.as_str(), row(step))).collect()
    }
}

#[cfg(test)]
mod tests;
