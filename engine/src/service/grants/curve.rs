//! What was left of a grant when, worked out from what was looked at of its account's postings.

use crate::{credits::Credits, store::journal::grant::Totals};

/// What was left of a grant at a moment, and until the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeftAt {
    /// The moment, in microseconds since the Unix epoch.
    pub at_us: i64,
    /// What was left, in micro-credits, reserved or not.
    pub left: Credits,
}

/// A stretch of time of which it is known what was left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantRun {
    /// The earliest first; at least one.
    pub points: Vec<LeftAt>,
    /// Up to when it is known, in microseconds since the Unix epoch; `None`: up to now.
    pub until_us: Option<i64>,
}

/// What moved, and when the last of it was recorded; the earliest first.
type Moves = Vec<(i64, Totals)>;

/// What is known of a grant's postings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Known {
    /// All of them.
    All(Moves),
    /// Those at both ends.
    Ends {
        /// All before a moment, and that moment.
        first: (Moves, i64),
        /// All from a moment on, and that moment. `None` of a grant that has lapsed.
        last: Option<(Moves, i64)>,
    },
}

/// What is known of a grant. Amounts are micro-credits, moments microseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Curve {
    /// When it was given, and how much.
    pub(super) given: (i64, i64),
    /// When it expires.
    pub(super) expires_us: i64,
    /// What its account received and spent.
    pub(super) totals: Totals,
    /// What lapsed of it, and when; the earliest first.
    pub(super) lapses: Vec<(i64, i64)>,
    /// Its postings.
    pub(super) known: Known,
}

impl Totals {
    /// Both together.
    pub(super) const fn with(self, other: Self) -> Self {
        Self { credits: self.credits.saturating_add(other.credits), debits: self.debits.saturating_add(other.debits) }
    }

    const fn balance(self) -> i64 {
        self.credits.saturating_sub(self.debits)
    }
}

fn sum(moves: &[(i64, Totals)]) -> Totals {
    moves.iter().fold(Totals::default(), |sum, (_, moved)| sum.with(*moved))
}

const fn left_at(at_us: i64, micros: i64) -> LeftAt {
    LeftAt { at_us, left: Credits::from_micros(micros) }
}

/// Adds what was left after each of `moves` if before them there were `left` micro-credits. Of one moment the last one counts.
fn follow(points: &mut Vec<LeftAt>, mut left: i64, moves: &[(i64, Totals)]) {
    for (at_us, moved) in moves {
        left = left.saturating_add(moved.balance());
        match points.last_mut().filter(|last| last.at_us >= *at_us) {
            Some(last) => last.left = Credits::from_micros(left),
            None => points.push(left_at(*at_us, left)),
        }
    }
}

impl Curve {
    /// What was left when, the earliest run first.
    pub(super) fn runs(&self) -> Vec<GrantRun> {
        match &self.known {
            Known::All(moves) => vec![GrantRun { points: self.since_given(moves), until_us: None }],
            Known::Ends { first: (moves, until_us), last } => self.ends(moves, *until_us, last.as_ref()),
        }
    }

    /// From when it was given on: its first posting is the one that funds it.
    fn since_given(&self, moves: &[(i64, Totals)]) -> Vec<LeftAt> {
        let (given_us, given) = self.given;
        let mut points = vec![left_at(given_us, given)];
        follow(&mut points, 0, moves);
        points
    }

    fn ends(&self, first: &[(i64, Totals)], until_us: i64, last: Option<&(Moves, i64)>) -> Vec<GrantRun> {
        let lapses: Moves =
            self.lapses.iter().filter(|(at_us, _)| *at_us >= until_us).map(|lapse| taken(*lapse)).collect();
        let mut points = self.since_given(first);
        // Every posting makes one of the two totals greater: where both are reached, none is missing.
        if sum(first).with(sum(&lapses)) == self.totals {
            follow(&mut points, sum(first).balance(), &lapses);
            return vec![GrantRun { points, until_us: None }];
        }
        let mut runs = vec![GrantRun { points, until_us: Some(until_us) }];
        let end = match last {
            Some((moves, since_us)) => Some((*since_us, moves)),
            // What lapses is what was left at the expiry. What was held then is not: it went where its hold led.
            None => (!lapses.is_empty()).then(|| (self.expires_us.max(until_us), &lapses)),
        };
        if let Some((since_us, moves)) = end {
            let before = self.totals.balance().saturating_sub(sum(moves).balance());
            let mut points = vec![left_at(since_us, before)];
            follow(&mut points, before, moves);
            runs.push(GrantRun { points, until_us: None });
        }
        runs
    }
}

const fn taken((at_us, amount): (i64, i64)) -> (i64, Totals) {
    (at_us, Totals { credits: 0, debits: amount })
}

#[cfg(test)]
mod tests;
