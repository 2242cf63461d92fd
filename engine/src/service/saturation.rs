//! How near this process has been to what it can do at most, minute by minute for six hours: kept in memory, so every server
//! knows its own alone, and none what was before it began.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use super::Services;

/// For how many minutes it is known.
pub const SATURATION_MINUTES: i64 = 360;
/// A minute, in microseconds.
const MINUTE_US: i64 = 60_000_000;

/// One minute: of what was seen in it, the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SaturationMinute {
    /// When it began, in microseconds since the Unix epoch.
    pub from_us: i64,
    /// For how much of the time the ledger's writer was at work and took nothing else up, in millionths; `None` where the
    /// time is not known, because the clock jumped or the process had just begun.
    pub writer: Option<i64>,
    /// How many requests waited for the writer.
    pub queued: i64,
    /// How many connections were reading.
    pub readers: i64,
    /// How many calls were under way.
    pub calls: i64,
}

/// What is seen at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reading {
    at_us: i64,
    /// For how long the writer has been at work since it began.
    busy_us: i64,
    queued: i64,
    readers: i64,
    calls: i64,
}

/// What is kept of a minute.
#[derive(Debug, Clone, Copy)]
struct Kept {
    from_us: i64,
    /// How much of the minute lies between two readings.
    watched_us: i64,
    /// How much of that the writer was at work.
    busy_us: i64,
    queued: i64,
    readers: i64,
    calls: i64,
}

/// The last minutes. However often something is noted, it is as large.
#[derive(Debug, Default)]
struct Ring {
    last: Option<Reading>,
    /// Rising; a minute without a reading is not there.
    minutes: VecDeque<Kept>,
}

/// The ring of a process.
#[derive(Debug, Default)]
pub(super) struct Saturation(Mutex<Ring>);

const fn minute_of(at_us: i64) -> i64 {
    at_us.saturating_sub(at_us.rem_euclid(MINUTE_US))
}

/// The first minute that belongs to the last six hours.
const fn first_of(at_us: i64) -> i64 {
    minute_of(at_us).saturating_sub(MINUTE_US.saturating_mul(SATURATION_MINUTES.saturating_sub(1)))
}

impl Ring {
    fn note(&mut self, reading: Reading) {
        let from_us = minute_of(reading.at_us);
        // The clock was ahead and has been set right: what was noted there is of no time that has come.
        while self.minutes.back().is_some_and(|kept| kept.from_us > from_us) {
            self.minutes.pop_back();
        }
        while self.minutes.front().is_some_and(|kept| kept.from_us < first_of(reading.at_us)) {
            self.minutes.pop_front();
        }
        let (watched_us, busy_us) = self.last.map_or((0, 0), |last| since(&last, &reading));
        self.last = Some(reading);
        if let Some(kept) = self.minutes.back_mut().filter(|kept| kept.from_us == from_us) {
            kept.watched_us = kept.watched_us.saturating_add(watched_us);
            kept.busy_us = kept.busy_us.saturating_add(busy_us);
            kept.queued = kept.queued.max(reading.queued);
            kept.readers = kept.readers.max(reading.readers);
            kept.calls = kept.calls.max(reading.calls);
        } else {
            let Reading { queued, readers, calls, .. } = reading;
            self.minutes.push_back(Kept { from_us, watched_us, busy_us, queued, readers, calls });
        }
    }

    /// What is known of the six hours up to `now_us`.
    fn until(&self, now_us: i64) -> Vec<SaturationMinute> {
        let within = first_of(now_us)..=now_us;
        let known = self.minutes.iter().filter(|kept| within.contains(&kept.from_us));
        known.map(Kept::told).collect()
    }
}

/// How much time lies between two readings, and for how much of it the writer was at work. None where a clock jumped, or where
/// nobody looked for more than a minute: what the writer did in which of the minutes is not known then.
fn since(last: &Reading, now: &Reading) -> (i64, i64) {
    let watched_us = now.at_us.saturating_sub(last.at_us);
    if !(0..=MINUTE_US).contains(&watched_us) {
        return (0, 0);
    }
    (watched_us, now.busy_us.saturating_sub(last.busy_us).max(0))
}

impl Kept {
    fn told(&self) -> SaturationMinute {
        let Self { from_us, watched_us, busy_us, queued, readers, calls } = *self;
        let share = busy_us.saturating_mul(1_000_000).checked_div(watched_us);
        SaturationMinute { from_us, writer: share.map(|share| share.clamp(0, 1_000_000)), queued, readers, calls }
    }
}

impl Services {
    /// Notes how near this process is to what it can do; `calls` are under way. To be called about once a second.
    pub fn note_saturation(&self, calls: usize) {
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let (open, idle) = self.db.readers().usage();
        let reading = Reading {
            at_us: self.clock.now_us(),
            busy_us: i64::try_from(self.ledger.counters().busy.total_us()).unwrap_or(i64::MAX),
            queued: number(self.ledger.queue_length()),
            readers: i64::from(open).saturating_sub(number(idle)).max(0),
            calls: number(calls),
        };
        self.saturation.0.lock().unwrap_or_else(PoisonError::into_inner).note(reading);
    }

    /// How near this process was to what it can do: the minutes of the last six hours in which it was noted, the earliest
    /// first.
    pub fn recent_saturation(&self) -> Vec<SaturationMinute> {
        let now_us = self.clock.now_us();
        self.saturation.0.lock().unwrap_or_else(PoisonError::into_inner).until(now_us)
    }
}

#[cfg(test)]
mod tests;
