//! A value that changes at moments: a price, a balance.

use askama::Template;

use super::instant_text;

/// The drawing's size, in its own units.
const WIDTH: i64 = 720;
const HEIGHT: i64 = 200;
const BASE: i64 = 180;
/// How high the highest value stands.
const TALL: i64 = 160;

/// Places in the drawing: from the left and from the top.
type Corners = Vec<(i64, i64)>;

/// Steps.
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

    /// The corners of the line, from the left.
    fn corners(&self) -> Corners {
        let highest = self.points.iter().map(|(_, _, value)| *value).max().unwrap_or(0).max(1);
        let y = |value: i64| {
            let height = i128::from(value.max(0)).saturating_mul(TALL.into()).checked_div(i128::from(highest));
            BASE.saturating_sub(height.and_then(|height| i64::try_from(height).ok()).unwrap_or(0))
        };
        let mut out = Corners::new();
        for (_, at, value) in &self.points {
            let x = Self::x(*at);
            out.extend(out.last().map(|(_, before)| (x, *before)));
            out.push((x, y(*value)));
        }
        out.extend(out.last().map(|(_, last)| (WIDTH, *last)));
        out
    }

    /// The line up to now and from now on, each as the attribute `points` of a polyline.
    pub fn lines(&self) -> (String, String) {
        let now_x = self.now_x();
        let (mut before, mut after): (Corners, Corners) = self.corners().into_iter().partition(|(x, _)| *x <= now_x);
        if let Some((_, height)) = before.last().copied() {
            before.push((now_x, height));
            after.insert(0, (now_x, height));
        }
        let text = |corners: Corners| corners.iter().map(|(x, y)| format!("{x},{y}")).collect::<Vec<_>>().join(" ");
        (text(before), text(after))
    }

    /// Where now is, in the drawing's units.
    pub fn now_x(&self) -> i64 {
        Self::x(self.now)
    }

    fn x(at: i64) -> i64 {
        at.clamp(0, 1_000).saturating_mul(WIDTH).checked_div(1_000).unwrap_or(0)
    }

    /// When it begins, and when the last step is.
    pub fn ends(&self) -> (&str, &str) {
        let first = self.points.first().map_or("", |(when, ..)| when.as_str());
        (first, self.points.last().map_or("", |(when, ..)| when.as_str()))
    }

    /// When and how much, for the table.
    pub fn numbers(&self) -> Vec<(String, String)> {
        self.points.iter().map(|(when, _, _)| when.clone()).zip(self.written.iter().cloned()).collect()
    }
}

#[cfg(test)]
mod tests;
