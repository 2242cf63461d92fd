//! Charts, drawn here as SVG with classes only: no script, no inline style. Under each stands a table with its numbers.

use askama::Template;
use engine::credits::Credits;

use super::{Cell, books::written, instant_text};

/// The drawing's size, in its own units.
const WIDTH: i64 = 720;
const HEIGHT: i64 = 200;
const BASE: i64 = 180;

/// One of the values that are stacked.
#[derive(Debug, Clone)]
pub struct Series {
    /// What it counts.
    pub label: String,
    /// The class of the style sheet: `s1` to `s6`.
    pub class: &'static str,
    /// One number for every bar.
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
}

impl Measure {
    /// A value as the table has it.
    const fn cell(self, value: i64) -> Cell {
        match self {
            Self::Number => Cell::Number(value),
            Self::Money => Cell::Money(Credits::from_micros(value)),
        }
    }

    /// A value in words.
    fn says(self, value: i64) -> String {
        match self {
            Self::Number => value.to_string(),
            Self::Money => written(Credits::from_micros(value)),
        }
    }
}

/// Stacked bars.
#[derive(Debug, Template)]
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

impl Bars {
    /// The drawing's size.
    pub const fn size(&self) -> (i64, i64) {
        (WIDTH, HEIGHT)
    }

    /// The highest stack.
    pub fn highest(&self) -> i64 {
        (0..self.labels.len()).map(|bar| self.sum(bar)).max().unwrap_or(0)
    }

    fn sum(&self, bar: usize) -> i64 {
        self.series
            .iter()
            .filter_map(|series| series.values.get(bar))
            .fold(0, |sum: i64, value| sum.saturating_add(*value))
    }

    /// The rectangles.
    pub fn rectangles(&self) -> Vec<Rectangle> {
        let count = i64::try_from(self.labels.len()).unwrap_or(1).max(1);
        let highest = self.highest().max(1);
        let step = WIDTH.checked_div(count).unwrap_or(WIDTH);
        let width = step.saturating_sub(2).max(1);
        let mut out = Vec::new();
        for (bar, label) in self.labels.iter().enumerate() {
            let x = i64::try_from(bar).unwrap_or(0).saturating_mul(step);
            let mut top = BASE;
            for series in &self.series {
                let value = series.values.get(bar).copied().unwrap_or(0).max(0);
                let height = i128::from(value).saturating_mul(i128::from(BASE)).checked_div(i128::from(highest));
                let height = height.and_then(|height| i64::try_from(height).ok()).unwrap_or(0);
                // What is there is seen, however little it is.
                let height = if value > 0 { height.max(1) } else { 0 };
                if height > 0 {
                    top = top.saturating_sub(height);
                    out.push(Rectangle {
                        x,
                        y: top.max(0),
                        width,
                        height,
                        class: series.class,
                        says: format!("{label}: {} {}", series.label, self.measure.says(value)),
                    });
                }
            }
        }
        out
    }

    /// The numbers, bar by bar, for the table.
    pub fn numbers(&self) -> Vec<(String, Vec<Cell>)> {
        let value = |series: &Series, bar: usize| self.measure.cell(series.values.get(bar).copied().unwrap_or(0));
        let row = |bar: usize| self.series.iter().map(|series| value(series, bar)).collect();
        self.labels.iter().enumerate().map(|(bar, label)| (label.clone(), row(bar))).collect()
    }
}

/// A value that changes at moments: a price, a balance.
#[derive(Debug, Template)]
#[template(path = "kit/steps.html")]
pub struct Steps {
    /// What it shows.
    pub title: String,
    /// When (as text), where from the left (0 to 1,000), and how much, the earliest first.
    pub points: Vec<(String, i64, i64)>,
    /// How an amount is written.
    pub written: Vec<String>,
    /// Where now is, from the left (0 to 1,000).
    pub now: i64,
}

impl Steps {
    /// Amounts that hold from moments on: each with its moment (in microseconds since the Unix epoch, rising), its value and
    /// how that is written. One step is no chart.
    pub fn over_time(title: String, moments: Vec<(i64, i64, String)>, now_us: i64) -> Option<Self> {
        let ((first_us, ..), (last_us, ..)) = (moments.first()?, moments.last()?);
        if moments.len() < 2 {
            return None;
        }
        let (first_us, last_us) = (*first_us, *last_us);
        let whole = i128::from(last_us.max(now_us)).saturating_sub(first_us.into());
        // A little room behind the last step.
        let whole = whole.saturating_add(whole / 10).max(1);
        let place = |at_us: i64| {
            let from_left = i128::from(at_us).saturating_sub(first_us.into()).saturating_mul(1_000) / whole;
            i64::try_from(from_left).unwrap_or(0)
        };
        let points = moments.iter().map(|(at_us, value, _)| (instant_text(*at_us), place(*at_us), *value)).collect();
        Some(Self { title, points, now: place(now_us), written: moments.into_iter().map(|(.., text)| text).collect() })
    }

    /// The drawing's size.
    pub const fn size(&self) -> (i64, i64) {
        (WIDTH, HEIGHT)
    }

    /// The line, as the attribute `points` of a polyline.
    pub fn line(&self) -> String {
        let highest = self.points.iter().map(|(_, _, value)| *value).max().unwrap_or(0).max(1);
        let y = |value: i64| {
            let height = i128::from(value.max(0)).saturating_mul(160).checked_div(i128::from(highest)).unwrap_or(0);
            BASE.saturating_sub(i64::try_from(height).unwrap_or(0))
        };
        let mut out: Vec<String> = Vec::new();
        let mut last = None;
        for (_, at, value) in &self.points {
            let x = Self::x(*at);
            if let Some(before) = last {
                out.push(format!("{x},{}", y(before)));
            }
            out.push(format!("{x},{}", y(*value)));
            last = Some(*value);
        }
        if let Some(value) = last {
            out.push(format!("{WIDTH},{}", y(value)));
        }
        out.join(" ")
    }

    /// Where now is, in the drawing's units.
    pub fn now_x(&self) -> i64 {
        Self::x(self.now)
    }

    fn x(at: i64) -> i64 {
        at.clamp(0, 1_000).saturating_mul(WIDTH).checked_div(1_000).unwrap_or(0)
    }

    /// When and how much, for the table.
    pub fn numbers(&self) -> Vec<(String, String)> {
        self.points.iter().map(|(when, _, _)| when.clone()).zip(self.written.iter().cloned()).collect()
    }
}
