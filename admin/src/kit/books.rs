//! Pictures of double entry: balances to both sides of nothing, and the T of an account. Drawn with classes only; under the
//! bars stands a table with their numbers.

use askama::Template;
use engine::credits::Credits;

use super::{Cell, cell::grouped};
use crate::text::t;

/// A drawing's width, in its own units.
pub(super) const WIDTH: i64 = 720;
/// Where nothing is, and how long a bar is at most.
pub(super) const MIDDLE: i64 = 360;
const LONGEST: i64 = 340;
/// How high a line of bars is.
pub(super) const ROW: i64 = 18;

/// Amounts to both sides of nothing.
#[derive(Debug, Template)]
#[template(path = "kit/diverging.html")]
pub struct Diverging {
    /// What it shows.
    pub title: String,
    /// What the amounts are called, and on which side those above zero stand. Those below it stand on the other one.
    pub columns: Vec<(String, Side)>,
    /// Names, each with an amount for every column, from top to bottom.
    pub rows: Vec<(String, Vec<Credits>)>,
}

/// A side of nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Where debits stand.
    Left,
    /// Where credits stand.
    Right,
}

/// One bar of a [`Diverging`], in the drawing's units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// How much, in words, with what it is called where there are several.
    pub says: String,
    /// From the left.
    pub x: i64,
    /// How long.
    pub length: i64,
    /// It stands to the left.
    pub is_left: bool,
}

impl Diverging {
    /// One amount for each name: to the left what is below zero.
    pub fn balances(title: String, called: String, rows: Vec<(String, Credits)>) -> Self {
        let rows = rows.into_iter().map(|(name, amount)| (name, vec![amount])).collect();
        Self { title, columns: vec![(called, Side::Right)], rows }
    }

    /// The size of a drawing.
    pub const fn size(&self) -> (i64, i64) {
        (WIDTH, ROW)
    }

    /// Where nothing is.
    pub const fn middle(&self) -> i64 {
        MIDDLE
    }

    /// The bars, line by line. All have one scale.
    pub fn bars(&self) -> Vec<(&str, Vec<Bar>)> {
        let amounts = self.rows.iter().flat_map(|(_, amounts)| amounts);
        let longest = amounts.map(|amount| amount.micros().unsigned_abs()).max().unwrap_or(0);
        let bar = |((called, side), amount): (&(String, Side), &Credits)| {
            let length = length_of(*amount, longest);
            let is_left = (amount.micros() < 0) != (*side == Side::Left);
            let x = if is_left { MIDDLE.saturating_sub(length) } else { MIDDLE };
            let says = if self.columns.len() > 1 { format!("{called} {}", written(*amount)) } else { written(*amount) };
            Bar { says, x, length, is_left }
        };
        let line = |amounts: &[Credits]| self.columns.iter().zip(amounts).map(bar).collect();
        self.rows.iter().map(|row| (row.0.as_str(), line(&row.1))).collect()
    }

    /// Names and amounts, for the table.
    pub fn numbers(&self) -> Vec<(String, Vec<Cell>)> {
        let cells = |amounts: &[Credits]| amounts.iter().map(|amount| Cell::Money(*amount)).collect();
        self.rows.iter().map(|(name, amounts)| (name.clone(), cells(amounts))).collect()
    }
}

/// How long the bar of an amount is where the longest stands for `longest` micro-credits.
pub(super) fn length_of(amount: Credits, longest: u64) -> i64 {
    let scaled = i128::from(amount.micros().unsigned_abs()).saturating_mul(LONGEST.into());
    let length = scaled.checked_div(longest.max(1).into()).and_then(|length| i64::try_from(length).ok());
    // What is there is seen, however little it is.
    if amount.is_zero() { 0 } else { length.unwrap_or(LONGEST).clamp(1, LONGEST) }
}

/// An amount as people read it.
pub(super) fn written(amount: Credits) -> String {
    format!("{} {}", grouped(&amount.to_string()), t("console-unit"))
}

/// Accounts as a bookkeeper draws them: debits left, credits right.
#[derive(Debug, Template)]
#[template(path = "kit/taccounts.html")]
pub struct TAccounts {
    /// What the left side is called.
    pub debit: String,
    /// What the right side is called.
    pub credit: String,
    /// One for each account.
    pub accounts: Vec<TAccount>,
}

/// One account with what was posted to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TAccount {
    /// Its name.
    pub name: Cell,
    /// Left.
    pub debits: Vec<Credits>,
    /// Right.
    pub credits: Vec<Credits>,
}

impl TAccount {
    /// The lines of the T: what stands left and right.
    pub fn lines(&self) -> Vec<(Cell, Cell)> {
        let side = |side: &[Credits], line: usize| side.get(line).map_or(Cell::None, |amount| Cell::Money(*amount));
        let count = self.debits.len().max(self.credits.len());
        (0..count).map(|line| (side(&self.debits, line), side(&self.credits, line))).collect()
    }
}

#[cfg(test)]
mod tests;
