//! Layers that one thing after another passes through, each a lane: how much goes on, and how much ends there. Each lane is a
//! drawing of its own between its name and its numbers, so that words stay words however narrow the page is.

use askama::Template;

use super::{Cell, grouped};

/// A drawing's width, in its own units.
const WIDTH: i64 = 720;

/// Layers, on one scale.
#[derive(Debug, Template)]
#[template(path = "kit/layers.html")]
pub struct Layers {
    /// What it shows.
    pub title: String,
    /// What that is called which goes on.
    pub passed: String,
    /// What that is called which ends there.
    pub ended: String,
    /// From the first to the last.
    pub layers: Vec<Layer>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// What it is.
    pub name: String,
    /// How much goes on to the next one.
    pub passed: i64,
    /// How much ends here.
    pub ended: i64,
}

/// A lane in the drawing's units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drawn<'a> {
    /// Which.
    pub layer: &'a Layer,
    /// How long the part is that goes on; it begins at the left.
    pub passed: i64,
    /// How long the part behind it is that ends.
    pub ended: i64,
}

impl Layer {
    /// How much goes on and how much ends, in words.
    pub fn says(&self) -> (String, String) {
        let written = |count: i64| grouped(&count.to_string());
        (written(self.passed), written(self.ended))
    }

    /// The same for the table.
    pub const fn cells(&self) -> [Cell; 2] {
        [Cell::Number(self.passed), Cell::Number(self.ended)]
    }
}

impl Layers {
    /// How wide a drawing is.
    pub const fn width(&self) -> i64 {
        WIDTH
    }

    /// The lanes. The longest is as long as the drawing is wide.
    pub fn lanes(&self) -> Vec<Drawn<'_>> {
        let whole = |layer: &Layer| layer.passed.max(0).saturating_add(layer.ended.max(0));
        let longest = self.layers.iter().map(whole).max().unwrap_or(0).max(1);
        let length = |value: i64| {
            let scaled = i128::from(value.max(0)).saturating_mul(WIDTH.into()).checked_div(longest.into()).unwrap_or(0);
            let scaled = i64::try_from(scaled).unwrap_or(WIDTH);
            // What is there is seen, however little it is.
            if value > 0 { scaled.max(2) } else { 0 }
        };
        let lanes = self.layers.iter().map(|layer| {
            let ended = length(layer.ended);
            Drawn { layer, passed: length(layer.passed).min(WIDTH.saturating_sub(ended)), ended }
        });
        lanes.collect()
    }
}

#[cfg(test)]
mod tests;
