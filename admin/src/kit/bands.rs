//! Rates, each beside the band in which it is expected: what lies outside is worth a look.

use askama::Template;

use super::Cell;

/// A drawing's width, in its own units, and how wide the mark of a rate is.
const WIDTH: i64 = 720;
const MARK: i64 = 8;

/// Rates with their bands, on one scale from nothing on.
#[derive(Debug, Template)]
#[template(path = "kit/bands.html")]
pub struct Bands {
    /// What it shows.
    pub title: String,
    /// What the rates are called.
    pub rate: String,
    /// What the bands are called.
    pub band: String,
    /// What the numbers behind the rates are called.
    pub of: Vec<String>,
    /// From top to bottom.
    pub rows: Vec<Band>,
}

/// One rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Band {
    /// What it is of.
    pub name: String,
    /// Where the band begins, in millionths.
    pub low: i64,
    /// Where it ends, in millionths.
    pub high: i64,
    /// The rate, in millionths.
    pub rate: i64,
    /// What is said of one that lies outside; empty of the others.
    pub note: String,
    /// The numbers behind it.
    pub of: Vec<Cell>,
}

impl Band {
    /// The rate in words.
    pub fn says(&self) -> String {
        percent(self.rate)
    }

    /// The band in words.
    pub fn says_band(&self) -> String {
        format!("{} – {}", percent(self.low), percent(self.high))
    }
}

/// Millionths in hundredths, as people read them: `1.25 %`.
pub(crate) fn percent(millionths: i64) -> String {
    let hundredths = millionths.checked_div(100).unwrap_or(0);
    let (whole, rest) = (hundredths.checked_div(100).unwrap_or(0), hundredths.checked_rem(100).unwrap_or(0));
    format!("{whole}.{rest:02}\u{a0}%")
}

/// A band in the drawing's units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drawn<'a> {
    /// What it is of.
    pub band: &'a Band,
    /// From the left to the band.
    pub x: i64,
    /// How long that is.
    pub length: i64,
    /// From the left to the mark.
    pub mark: i64,
}

impl Bands {
    /// How wide a drawing and a mark are.
    pub const fn widths(&self) -> (i64, i64) {
        (WIDTH, MARK)
    }

    /// The bands.
    pub fn bands(&self) -> Vec<Drawn<'_>> {
        let highest = self.rows.iter().map(|row| row.high.max(row.rate)).max().unwrap_or(0).max(1);
        let room = WIDTH.saturating_sub(MARK);
        let at = |value: i64| {
            let scaled = i128::from(value.max(0)).saturating_mul(room.into()).checked_div(highest.into()).unwrap_or(0);
            i64::try_from(scaled).unwrap_or(room).min(room)
        };
        let drawn = |band: &'_ Band| {
            let (from, to) = (at(band.low), at(band.high));
            (from, to.saturating_sub(from).saturating_add(MARK), at(band.rate))
        };
        self.rows
            .iter()
            .map(|band| {
                let (x, length, mark) = drawn(band);
                Drawn { band, x, length, mark }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
