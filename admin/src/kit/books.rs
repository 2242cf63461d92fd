//! Pictures of double entry: balances to both sides of nothing, and the T of an account. Drawn with classes only; under the
//! bars stands a table with their numbers.

use askama::Template;
use engine::credits::Credits;

use super::{Cell, cell::grouped};

/// The drawing's width, in its own units, and how high a row is.
const WIDTH: i64 = 720;
const ROW: i64 = 26;
/// Where nothing is, and how long a bar is at most.
const MIDDLE: i64 = 360;
const LONGEST: i64 = 340;
/// From a bar to the name on the other side.
const GAP: i64 = 8;

/// Amounts to both sides of nothing: to the left what is below it.
#[derive(Debug, Template)]
#[template(path = "kit/diverging.html")]
pub struct Diverging {
    /// What it shows.
    pub title: String,
    /// What the amounts are called in the table.
    pub amounts: String,
    /// Names and amounts, from top to bottom.
    pub rows: Vec<(String, Credits)>,
}

/// One bar of a [`Diverging`], in the drawing's units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// What it is of.
    pub name: String,
    /// How much, in words.
    pub says: String,
    /// From the left.
    pub x: i64,
    /// From the top.
    pub y: i64,
    /// How long.
    pub length: i64,
    /// It stands to the left.
    pub is_below: bool,
    /// Where its name begins or ends.
    pub name_x: i64,
    /// The line on which its name stands.
    pub name_y: i64,
}

impl Diverging {
    /// The drawing's size.
    pub fn size(&self) -> (i64, i64) {
        (WIDTH, i64::try_from(self.rows.len()).unwrap_or(0).saturating_mul(ROW).max(ROW))
    }

    /// Where nothing is.
    pub const fn middle(&self) -> i64 {
        MIDDLE
    }

    /// The bars.
    pub fn bars(&self) -> Vec<Bar> {
        let longest = self.rows.iter().map(|(_, amount)| amount.micros().unsigned_abs()).max().unwrap_or(0).max(1);
        let bar = |(row, (name, amount)): (usize, &(String, Credits))| {
            let micros = amount.micros();
            let scaled = i128::from(micros.unsigned_abs()).saturating_mul(i128::from(LONGEST));
            let length = scaled.checked_div(i128::from(longest)).and_then(|length| i64::try_from(length).ok());
            // What is there is seen, however little it is.
            let length = if micros == 0 { 0 } else { length.unwrap_or(LONGEST).clamp(1, LONGEST) };
            let is_below = micros < 0;
            let top = i64::try_from(row).unwrap_or(0).saturating_mul(ROW);
            Bar {
                name: name.clone(),
                says: written(*amount),
                x: if is_below { MIDDLE.saturating_sub(length) } else { MIDDLE },
                y: top.saturating_add(4),
                length,
                is_below,
                name_x: if is_below { MIDDLE.saturating_add(GAP) } else { MIDDLE.saturating_sub(GAP) },
                name_y: top.saturating_add(18),
            }
        };
        self.rows.iter().enumerate().map(bar).collect()
    }

    /// Names and amounts, for the table.
    pub fn numbers(&self) -> Vec<(String, Cell)> {
        self.rows.iter().map(|(name, amount)| (name.clone(), Cell::Money(*amount))).collect()
    }
}

/// An amount as people read it.
pub(super) fn written(amount: Credits) -> String {
    format!("{} cr", grouped(&amount.to_string()))
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
