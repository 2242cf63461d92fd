//! What is left of an amount that has an end: a line that falls as it is used, and where its end is. Drawn with classes only;
//! under it stands a table with its numbers. No words stand inside the drawing, which is as wide as the page has room for.

use askama::Template;
use engine::credits::Credits;

use super::{Cell, books::written, instant_text};
use crate::text::{t, t_with};

/// The drawing's size, in its own units.
const WIDTH: i64 = 720;
const HEIGHT: i64 = 200;
const BASE: i64 = 180;
/// How high the greatest amount stands.
const TALL: i64 = 160;

/// Moments (in microseconds since the Unix epoch) and what was left from then on, the earliest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its points; at least one.
    pub points: Vec<(i64, Credits)>,
    /// Up to when the last of them holds.
    pub until_us: i64,
}

/// What is left of something until it ends.
#[derive(Debug, Template)]
#[template(path = "kit/curve.html")]
pub struct Curve {
    /// What it shows.
    pub title: String,
    /// What the amounts are called.
    pub value: String,
    /// When it ends, in microseconds since the Unix epoch.
    pub end_us: i64,
    /// What its end is called.
    pub end: String,
    /// Stretches of time of which it is known what was left, the earliest first.
    pub runs: Vec<Run>,
}

impl Curve {
    /// The drawing's size, and where nothing is, from the top.
    pub const fn size(&self) -> (i64, i64, i64) {
        (WIDTH, HEIGHT, BASE)
    }

    fn all(&self) -> impl Iterator<Item = &(i64, Credits)> {
        self.runs.iter().flat_map(|run| &run.points)
    }

    /// The moments at the left and the right edge.
    fn edges(&self) -> (i64, i64) {
        let from_us = self.all().map(|(at_us, _)| *at_us).min().unwrap_or(self.end_us);
        let last_us = self.runs.iter().map(|run| run.until_us).max().unwrap_or(from_us).max(self.end_us);
        // A little room behind the last of them.
        let room = last_us.saturating_sub(from_us).checked_div(20).unwrap_or(0).max(1);
        (from_us, last_us.saturating_add(room))
    }

    fn x(&self, at_us: i64) -> i64 {
        let (from_us, to_us) = self.edges();
        let whole = i128::from(to_us).saturating_sub(from_us.into()).max(1);
        let passed = i128::from(at_us).saturating_sub(from_us.into()).saturating_mul(WIDTH.into());
        i64::try_from(passed.checked_div(whole).unwrap_or(0)).unwrap_or(WIDTH).clamp(0, WIDTH)
    }

    fn highest(&self) -> Credits {
        self.all().map(|(_, left)| *left).max().unwrap_or(Credits::ZERO)
    }

    fn y(&self, left: Credits) -> i64 {
        let height = i128::from(left.micros().max(0)).saturating_mul(TALL.into());
        let height = height.checked_div(self.highest().micros().max(1).into()).unwrap_or(0);
        BASE.saturating_sub(i64::try_from(height).unwrap_or(TALL))
    }

    /// The known stretches, each as the attribute `points` of a polyline.
    pub fn lines(&self) -> Vec<String> {
        let line = |run: &Run| {
            let mut corners: Vec<(i64, i64)> = Vec::new();
            for (at_us, left) in &run.points {
                let x = self.x(*at_us);
                corners.extend(corners.last().map(|(_, before)| (x, *before)));
                corners.push((x, self.y(*left)));
            }
            corners.extend(corners.last().map(|(_, last)| (self.x(run.until_us), *last)));
            // What is no longer than the drawing can tell adds nothing.
            corners.dedup();
            written_points(&corners)
        };
        self.runs.iter().map(line).collect()
    }

    /// Straight lines over what lies between two of them, of which it is not known how it went.
    pub fn unknown(&self) -> Vec<String> {
        let pairs = self.runs.iter().zip(self.runs.iter().skip(1));
        let line = |(before, after): (&Run, &Run)| {
            let ((_, last), (at_us, first)) = (before.points.last()?, after.points.first()?);
            let from = (self.x(before.until_us), self.y(*last));
            Some(written_points(&[from, (self.x(*at_us), self.y(*first))]))
        };
        pairs.filter_map(line).collect()
    }

    /// As it would be if what there was at first were used evenly until the end.
    pub fn even(&self) -> String {
        let Some((at_us, first)) = self.all().next() else { return String::new() };
        written_points(&[(self.x(*at_us), self.y(*first)), (self.end_x(), BASE)])
    }

    /// Where the end is, from the left.
    pub fn end_x(&self) -> i64 {
        self.x(self.end_us)
    }

    /// The end in words.
    pub fn end_says(&self) -> String {
        format!("{}: {}", self.end, zoned(self.end_us))
    }

    /// How high the drawing reaches, in words.
    pub fn reach(&self) -> String {
        t_with("console-chart-reach", &[("value", written(self.highest()).into())])
    }

    /// When it begins.
    pub fn begins(&self) -> String {
        self.all().next().map_or_else(String::new, |(at_us, _)| zoned(*at_us))
    }

    /// When (in UTC, as the head of its column says) and how much, for the table. Where nothing is known, it says so.
    pub fn numbers(&self) -> Vec<(String, Cell)> {
        let mut out = Vec::new();
        for (number, run) in self.runs.iter().enumerate() {
            if number > 0 {
                out.push((t("console-curve-unknown"), Cell::None));
            }
            out.extend(run.points.iter().map(|(at_us, left)| (instant_text(*at_us), Cell::Money(*left))));
        }
        out
    }
}

/// A moment in words. Other moments on the page are told in the zone of whoever reads it: these are not, and say so.
fn zoned(at_us: i64) -> String {
    t_with("console-chart-utc", &[("when", instant_text(at_us).into())])
}

fn written_points(corners: &[(i64, i64)]) -> String {
    corners.iter().map(|(x, y)| format!("{x},{y}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
