//! Amounts that are made of others, as a tree: each branch with its bar to one side of nothing, on one scale for all. Each bar
//! is a drawing of its own between its name and its amount, so that words stay words however narrow the page is.

use askama::Template;
use engine::credits::Credits;

use super::{
    Cell,
    books::{MIDDLE, ROW, WIDTH, length_of, written},
};

/// What stands between the names of branches that lead to one.
const BELOW: &str = " / ";

/// A tree of amounts.
#[derive(Debug, Template)]
#[template(path = "kit/tree.html")]
pub struct Tree {
    /// What it shows.
    pub title: String,
    /// What the amounts are called.
    pub called: String,
    /// What the numbers of things in a branch are called.
    pub counted: String,
    /// From top to bottom, each behind what it belongs to.
    pub branches: Vec<Branch>,
}

/// A branch with its amount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// How many branches lead to it: up to 2.
    pub depth: usize,
    /// What it is.
    pub name: String,
    /// Its page; empty if it has none.
    pub href: String,
    /// Of how many things; `None` of a single one.
    pub count: Option<i64>,
    /// How much: to the left what is below zero.
    pub amount: Credits,
}

/// A branch in the drawing's units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drawn<'a> {
    /// Which.
    pub branch: &'a Branch,
    /// From the left.
    pub x: i64,
    /// How long.
    pub length: i64,
}

impl Branch {
    /// The amount in words.
    pub fn says(&self) -> String {
        written(self.amount)
    }
}

impl Tree {
    /// How wide and how high a drawing is, and where nothing is.
    pub const fn size(&self) -> (i64, i64, i64) {
        (WIDTH, ROW, MIDDLE)
    }

    /// The bars, on one scale.
    pub fn bars(&self) -> Vec<Drawn<'_>> {
        let amounts = self.branches.iter().map(|branch| branch.amount.micros().unsigned_abs());
        let longest = amounts.max().unwrap_or(0);
        self.branches
            .iter()
            .map(|branch| {
                let length = length_of(branch.amount, longest);
                let x = if branch.amount.micros() < 0 { MIDDLE.saturating_sub(length) } else { MIDDLE };
                Drawn { branch, x, length }
            })
            .collect()
    }

    /// For the table: the names that lead to a branch and its own, of how many things, and how much.
    pub fn numbers(&self) -> Vec<(String, [Cell; 2])> {
        let (mut path, mut out): (Vec<&str>, _) = (Vec::new(), Vec::with_capacity(self.branches.len()));
        for branch in &self.branches {
            path.truncate(branch.depth);
            path.push(&branch.name);
            let count = branch.count.map_or(Cell::None, Cell::Number);
            out.push((path.join(BELOW), [count, Cell::Money(branch.amount)]));
        }
        out
    }
}

#[cfg(test)]
mod tests;
