//! Caps: limits on spending in a window, counted in the same batch as the money.

use jiff::{
    Timestamp, ToSpan as _,
    civil::{Date, Time},
    tz::Offset,
};

use super::export::DAY_US;
use crate::{credits::Credits, id::CapId};

/// How long a cap counts before it starts again. Windows are cut in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CapWindow {
    /// Every call by itself; nothing is counted.
    Call,
    /// A day from midnight UTC.
    Day,
    /// A calendar month.
    Month,
    /// For ever.
    Total,
}

impl CapWindow {
    const ALL: [(Self, i16, &'static str); 4] =
        [(Self::Call, 1, "call"), (Self::Day, 2, "day"), (Self::Month, 3, "month"), (Self::Total, 4, "total")];

    /// As the database stores it.
    pub fn raw(self) -> i16 {
        Self::ALL.iter().find(|(window, ..)| *window == self).map_or(0, |(_, raw, _)| *raw)
    }

    /// Reads what [`Self::raw`] wrote.
    pub fn from_raw(raw: i16) -> Option<Self> {
        Self::ALL.iter().find(|(_, stored, _)| *stored == raw).map(|(window, ..)| *window)
    }

    /// The word of the configuration and the wire.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(window, ..)| *window == self).map_or("", |(.., word)| *word)
    }

    /// Reads what [`Self::as_str`] gives.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(.., stored)| *stored == word).map(|(window, ..)| *window)
    }

    /// The window that contains `now_us`: its start, and its end where it has one (both microseconds, UTC).
    pub fn bounds(self, now_us: i64) -> (i64, Option<i64>) {
        match self {
            Self::Call | Self::Total => None,
            Self::Day => day_bounds(now_us),
            Self::Month => month_bounds(now_us),
        }
        .map_or((0, None), |(start, end)| (start, Some(end)))
    }
}

/// Every day of UTC has as many microseconds as any other: the clock counts no leap seconds.
fn day_bounds(now_us: i64) -> Option<(i64, i64)> {
    let start = now_us.checked_sub(now_us.rem_euclid(DAY_US))?;
    Some((start, start.checked_add(DAY_US)?))
}

fn month_bounds(now_us: i64) -> Option<(i64, i64)> {
    let first = Offset::UTC.to_datetime(Timestamp::from_microsecond(now_us).ok()?).date().first_of_month();
    let start_of = |day: Date| Offset::UTC.to_timestamp(day.to_datetime(Time::midnight())).ok();
    let next = first.checked_add(1.month()).ok()?;
    Some((start_of(first)?.as_microsecond(), start_of(next)?.as_microsecond()))
}

/// A limit in force, as an administrator set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cap {
    /// Which.
    pub id: CapId,
    /// How long it counts.
    pub window: CapWindow,
    /// The most that may be spent in one window, in micro-credits.
    pub limit: Credits,
}

/// One cap as it applies to one spending: the window has been chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CapUse {
    /// The cap.
    pub cap: Cap,
    /// When its current window began, in microseconds since the Unix epoch.
    pub start_us: i64,
    /// When it ends, if it does.
    pub resets_us: Option<i64>,
}

impl CapUse {
    /// The cap in the window that contains `now_us`.
    pub fn at(cap: Cap, now_us: i64) -> Self {
        let (start_us, resets_us) = cap.window.bounds(now_us);
        Self { cap, start_us, resets_us }
    }

    /// Under which the spending is counted; `None` for caps on single calls.
    pub fn counter(&self) -> Option<CounterKey> {
        (self.cap.window != CapWindow::Call).then_some(CounterKey { cap: self.cap.id, start_us: self.start_us })
    }
}

/// Names one counter: a cap in one of its windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CounterKey {
    /// Which cap.
    pub cap: CapId,
    /// Which window, by its start in microseconds since the Unix epoch.
    pub start_us: i64,
}

/// What was spent and is held under one cap in one window, in micro-credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counter {
    /// Captured.
    pub spent: i64,
    /// Reserved by open holds.
    pub held: i64,
}

impl Counter {
    /// What can still be reserved under `limit`, never below zero.
    pub fn remaining(&self, limit: Credits) -> Credits {
        Credits::from_micros(limit.micros().saturating_sub(self.spent).saturating_sub(self.held).max(0))
    }

    /// With `amount` more reserved; `None` on overflow.
    pub fn holding(self, amount: Credits) -> Option<Self> {
        Some(Self { held: self.held.checked_add(amount.micros())?, ..self })
    }

    /// With `held` less reserved and `captured` of it spent: the end of a hold, which nothing stops.
    #[must_use]
    pub fn settling(self, held: Credits, captured: Credits) -> Self {
        Self {
            spent: self.spent.saturating_add(captured.micros()),
            held: self.held.saturating_sub(held.micros()).max(0),
        }
    }
}

#[cfg(test)]
mod tests;
