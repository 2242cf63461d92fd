//! Bars over time, drawn here as SVG with classes only: no script, no inline style. Under each stands a table with its numbers.
//! No words stand inside a drawing: it is as wide as the page has room for, and words would shrink with it.

use askama::Template;
use engine::credits::Credits;

use super::{Cell, bands::percent, books::written, cell::grouped};
use crate::text::t_with;

/// The drawing's size, in its own units.
const WIDTH: i64 = 720;
const HEIGHT: i64 = 200;
/// How high the highest bar is. Below it there is room for ticks.
const TALL: i64 = 180;
/// Where a tick begins, and how high it is.
const TICK: (i64, i64) = (186, 12);

/// One of the values that are stacked.
#[derive(Debug, Clone)]
pub struct Series {
    /// What it counts.
    pub label: String,
    /// The class of the style sheet: `s1` to `s7`.
    pub class: &'static str,
    /// One number for every bar. What is below zero is drawn below the others.
    pub values: Vec<i64>,
}

/// What the values of bars are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Measure {
    /// Numbers: of things, of milliseconds.
    #[default]
    Number,
    /// Micro-credits.
    Money,
    /// Millionths of a whole.
    Share,
}

impl Measure {
    /// A value as the table has it.
    pub(super) fn cell(self, value: i64) -> Cell {
        match self {
            Self::Number => Cell::Number(value),
            Self::Money => Cell::Money(Credits::from_micros(value)),
            Self::Share => Cell::Text(percent(value)),
        }
    }

    /// A value in words.
    pub(crate) fn says(self, value: i64) -> String {
        match self {
            Self::Number => grouped(&value.to_string()),
            Self::Money => written(Credits::from_micros(value)),
            Self::Share => percent(value),
        }
    }
}

/// A line over the bars.
#[derive(Debug, Clone)]
pub struct Trend {
    /// What it shows.
    pub label: String,
    /// What its values are, if they have a scale of their own; without one they are what the bars are.
    pub own: Option<Measure>,
    /// One number for every bar.
    pub values: Vec<i64>,
}

/// Stacked bars.
#[derive(Debug, Default, Template)]
#[template(path = "kit/bars.html")]
pub struct Bars {
    /// What it shows.
    pub title: String,
    /// What the values are.
    pub measure: Measure,
    /// What stands under the bars.
    pub labels: Vec<String>,
    /// From the bottom up.
    pub series: Vec<Series>,
    /// A line over them.
    pub line: Option<Trend>,
    /// Numbers that are no part of the bars: below each bar of which there is one stands a tick.
    pub ticks: Option<Series>,
    /// Bars at which something happened, and what: told in the table, and by a line through the drawing.
    pub marks: Vec<(usize, String)>,
    /// What the marks are called.
    pub marked: String,
}

/// One rectangle of a drawing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rectangle {
    /// From the left.
    pub x: i64,
    /// From the top.
    pub y: i64,
    /// How wide.
    pub width: i64,
    /// How high.
    pub height: i64,
    /// The class of its series.
    pub class: &'static str,
    /// What it says when pointed at.
    pub says: String,
}

/// `value` of `whole` in units of which the whole has `units`.
fn scaled(value: i64, whole: i64, units: i64) -> i64 {
    let scaled = i128::from(value).saturating_mul(units.into()).checked_div(whole.max(1).into()).unwrap_or(0);
    i64::try_from(scaled).unwrap_or(0)
}

impl Bars {
    /// The drawing's size.
    pub const fn size(&self) -> (i64, i64) {
        (WIDTH, HEIGHT)
    }

    /// The highest stack, and the line where it has no scale of its own.
    pub fn highest(&self) -> i64 {
        let stacks = (0..self.labels.len()).map(|bar| self.sum(bar, |value| value.max(0)));
        let line = self.line.iter().filter(|line| line.own.is_none()).flat_map(|line| line.values.iter().copied());
        stacks.chain(line).max().unwrap_or(0).max(0)
    }

    /// How far the lowest stack goes below zero: not above zero.
    fn lowest(&self) -> i64 {
        (0..self.labels.len()).map(|bar| self.sum(bar, |value| value.min(0))).min().unwrap_or(0).min(0)
    }

    fn sum(&self, bar: usize, part: fn(i64) -> i64) -> i64 {
        let values = self.series.iter().filter_map(|series| series.values.get(bar));
        values.fold(0, |sum: i64, value| sum.saturating_add(part(*value)))
    }

    /// From the lowest to the highest.
    fn whole(&self) -> i64 {
        self.highest().saturating_sub(self.lowest()).max(1)
    }

    /// Where nothing is, from the top.
    pub fn base(&self) -> i64 {
        match self.highest().saturating_sub(self.lowest()) {
            0 => TALL,
            whole => scaled(self.highest(), whole, TALL),
        }
    }

    /// How far a bar is from the next one.
    fn step(&self) -> i64 {
        let count = i64::try_from(self.labels.len()).unwrap_or(1).max(1);
        WIDTH.checked_div(count).unwrap_or(WIDTH).max(1)
    }

    /// From the left to a bar, and how wide it is.
    fn place(&self, bar: usize) -> (i64, i64) {
        let step = self.step();
        (i64::try_from(bar).unwrap_or(0).saturating_mul(step), step.saturating_sub(2).max(1))
    }

    /// From the left to the middle of a bar.
    fn middle(&self, bar: usize) -> i64 {
        let (x, width) = self.place(bar);
        x.saturating_add(width.checked_div(2).unwrap_or(0))
    }

    /// The rectangles.
    pub fn rectangles(&self) -> Vec<Rectangle> {
        let (whole, base) = (self.whole(), self.base());
        let mut out = Vec::new();
        for (bar, label) in self.labels.iter().enumerate() {
            let (x, width) = self.place(bar);
            let (mut top, mut bottom) = (base, base);
            for series in &self.series {
                let value = series.values.get(bar).copied().unwrap_or(0);
                if value == 0 {
                    continue;
                }
                // What is there is seen, however little it is.
                let height = scaled(value.saturating_abs(), whole, TALL).max(1);
                let y = if value > 0 {
                    top = top.saturating_sub(height);
                    top.max(0)
                } else {
                    bottom.min(TALL.saturating_sub(height))
                };
                bottom = if value > 0 { bottom } else { bottom.saturating_add(height) };
                let says = format!("{label}: {} {}", series.label, self.measure.says(value));
                out.push(Rectangle { x, y, width, height, class: series.class, says });
            }
        }
        out
    }

    /// The line over the bars, as the attribute `points` of a polyline; empty if there is none.
    pub fn points(&self) -> String {
        let Some(line) = &self.line else { return String::new() };
        let (low, high, tall) = if line.own.is_none() {
            (self.lowest(), self.highest(), TALL)
        } else {
            let values = || line.values.iter().copied();
            (values().min().unwrap_or(0).min(0), values().max().unwrap_or(0).max(0), TALL.saturating_sub(2))
        };
        let whole = high.saturating_sub(low);
        let y = |value: i64| TALL.saturating_sub(scaled(value.saturating_sub(low), whole, tall));
        let values = line.values.iter().take(self.labels.len()).enumerate();
        values.map(|(bar, value)| format!("{},{}", self.middle(bar), y(*value))).collect::<Vec<_>>().join(" ")
    }

    /// The ticks.
    pub fn tick_marks(&self) -> Vec<Rectangle> {
        let Some(ticks) = &self.ticks else { return Vec::new() };
        let (y, height) = TICK;
        let known = self.labels.iter().zip(&ticks.values).enumerate().filter(|(_, (_, count))| **count > 0);
        let tick = |(bar, (label, count)): (usize, (&String, &i64))| {
            let (x, width) = self.place(bar);
            let says = format!("{label}: {} {}", ticks.label, grouped(&count.to_string()));
            Rectangle { x, y, width, height, class: ticks.class, says }
        };
        known.map(tick).collect()
    }

    /// Where the lines of the marks stand, from the left, and what they say.
    pub fn mark_lines(&self) -> Vec<(i64, String)> {
        let known = self.marks.iter().filter_map(|(bar, what)| Some((*bar, self.labels.get(*bar)?, what)));
        known.map(|(bar, label, what)| (self.middle(bar), format!("{label}: {what}"))).collect()
    }

    /// How high the drawing reaches, in words.
    pub fn reach(&self) -> String {
        t_with("console-chart-reach", &[("value", self.measure.says(self.highest()).into())])
    }

    /// What the line is called, and how high it reaches where it has a scale of its own.
    pub fn line_label(&self) -> Option<String> {
        let line = self.line.as_ref()?;
        let Some(measure) = line.own else { return Some(line.label.clone()) };
        let highest = line.values.iter().copied().max().unwrap_or(0);
        let values = [("name", line.label.clone().into()), ("value", measure.says(highest).into())];
        Some(t_with("console-chart-own", &values))
    }

    /// The first and the last label; the second one is empty where there is but one.
    pub fn ends(&self) -> (String, String) {
        let first = self.labels.first().cloned().unwrap_or_default();
        let last = self.labels.last().filter(|_| self.labels.len() > 1).cloned();
        (first, last.unwrap_or_default())
    }

    /// What the columns of the table are called, behind the first one.
    pub fn columns(&self) -> Vec<String> {
        let series = self.series.iter().map(|series| series.label.clone());
        let line = self.line.iter().map(|line| line.label.clone());
        let ticks = self.ticks.iter().map(|ticks| ticks.label.clone());
        let marked = (!self.marks.is_empty()).then(|| self.marked.clone());
        series.chain(line).chain(ticks).chain(marked).collect()
    }

    /// The numbers, bar by bar, for the table.
    pub fn numbers(&self) -> Vec<(String, Vec<Cell>)> {
        let at = |values: &[i64], bar: usize| values.get(bar).copied().unwrap_or(0);
        let row = |bar: usize| {
            let series = self.series.iter().map(|series| self.measure.cell(at(&series.values, bar)));
            let line = self.line.iter().map(|line| line.own.unwrap_or(self.measure).cell(at(&line.values, bar)));
            let ticks = self.ticks.iter().map(|ticks| Cell::Number(at(&ticks.values, bar)));
            let here = || self.marks.iter().filter(|(at, _)| *at == bar).map(|(_, what)| what.as_str());
            let marked = (!self.marks.is_empty()).then(|| Cell::Text(here().collect::<Vec<_>>().join(", ")));
            series.chain(line).chain(ticks).chain(marked).collect()
        };
        self.labels.iter().enumerate().map(|(bar, label)| (label.clone(), row(bar))).collect()
    }
}

#[cfg(test)]
mod tests;
