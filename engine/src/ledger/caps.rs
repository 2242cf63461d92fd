//! Caps: limits on spending in a window, counted in the same batch as the money.

use jiff::{Timestamp, ToSpan as _, Unit, tz::TimeZone};

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
        let unit = match self {
            Self::Call | Self::Total => return (0, None),
            Self::Day => Unit::Day,
            Self::Month => Unit::Month,
        };
        Self::calendar_bounds(unit, now_us).unwrap_or((0, None))
    }

    fn calendar_bounds(unit: Unit, now_us: i64) -> Option<(i64, Option<i64>)> {
        let now = Timestamp::from_microsecond(now_us).ok()?.to_zoned(TimeZone::UTC);
        let (start, length) = if unit == Unit::Month {
            (now.first_of_month().ok()?.start_of_day().ok()?, 1.month())
        } else {
            (now.start_of_day().ok()?, 1.day())
        };
        let end = start.checked_add(length).ok()?;
        Some((start.timestamp().as_microsecond(), Some(end.timestamp().as_microsecond())))
    }
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
}

#[cfg(test)]
mod tests;
