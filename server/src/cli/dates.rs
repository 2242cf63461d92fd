//! Dates and times as people write them: `2026-11-30`, which is the midnight that begins this day in UTC, or a time as in
//! RFC 3339, such as `2026-11-30T18:00:00+01:00`. Ranges are half-open: they begin with their first moment and end before
//! their last one, so that ranges that follow each other neither overlap nor leave a gap.

use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};

/// Why a date or a range cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DateError {
    /// Neither form.
    #[error("`{name}` must be a date such as `2026-11-30` or a time such as `2026-11-30T18:00:00Z`: `{text}`")]
    Form {
        /// The argument.
        name: &'static str,
        /// What was given.
        text: String,
    },
    /// No month.
    #[error("`{name}` must be a month such as `2026-11`: `{text}`")]
    Month {
        /// The argument.
        name: &'static str,
        /// What was given.
        text: String,
    },
    /// The range has no moment in it.
    #[error("`{until_name}` ({until}) must be after `{from_name}` ({from})")]
    Empty {
        /// The argument for the beginning.
        from_name: &'static str,
        /// The beginning.
        from: String,
        /// The argument for the end.
        until_name: &'static str,
        /// The end.
        until: String,
    },
}

/// A stretch of time, open where an end is missing. In microseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DateRange {
    /// The first moment that belongs to it.
    pub from_us: Option<i64>,
    /// The first moment after it.
    pub until_us: Option<i64>,
}

impl DateRange {
    /// Reads both ends, each with the name of its argument.
    ///
    /// # Errors
    /// An end is neither a date nor a time, or there is nothing between them.
    pub fn parse(
        (from_name, from): (&'static str, Option<&str>),
        (until_name, until): (&'static str, Option<&str>),
    ) -> Result<Self, DateError> {
        let from_us = from.map(|text| parse(from_name, text)).transpose()?;
        let until_us = until.map(|text| parse(until_name, text)).transpose()?;
        match (from_us, until_us) {
            (Some(from), Some(until)) if until <= from => {
                Err(DateError::Empty { from_name, from: render(from), until_name, until: render(until) })
            }
            _ => Ok(Self { from_us, until_us }),
        }
    }

    /// Reads a month such as `2026-11`, the argument `name`.
    ///
    /// # Errors
    /// It is none.
    pub fn month(name: &'static str, text: &str) -> Result<Self, DateError> {
        let wrong = || DateError::Month { name, text: text.chars().take(64).collect() };
        let first: Date = format!("{text}-01").parse().ok().filter(|_| text.len() == 7).ok_or_else(wrong)?;
        let next = first.checked_add(1.month()).map_err(|_outside| wrong())?;
        let midnight = |day: Date| day.to_zoned(TimeZone::UTC).map(|day| day.timestamp().as_microsecond());
        let (from, until) = (midnight(first), midnight(next));
        Ok(Self {
            from_us: Some(from.map_err(|_outside| wrong())?),
            until_us: Some(until.map_err(|_outside| wrong())?),
        })
    }
}

/// Reads a date or a time, the argument `name`, as microseconds since the Unix epoch.
///
/// # Errors
/// It is neither.
pub fn parse(name: &'static str, text: &str) -> Result<i64, DateError> {
    let time = if text.len() == 10 { parse_day(text) } else { text.parse::<Timestamp>().ok() };
    let has_date = text.get(..10).is_some_and(is_day);
    let time = time.filter(|_| has_date).ok_or_else(|| DateError::Form { name, text: text.chars().take(64).collect() });
    time.map(Timestamp::as_microsecond)
}

/// Writes a time as RFC 3339 has it, in UTC, for people and for JSON.
pub fn render(us: i64) -> String {
    Timestamp::from_microsecond(us).map_or_else(|_outside| us.to_string(), |time| time.to_string())
}

/// `YYYY-MM-DD`: four digits, two, two. Other calendars' and shorter forms are not read.
fn is_day(text: &str) -> bool {
    text.bytes().enumerate().all(|(at, byte)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() })
}

fn parse_day(text: &str) -> Option<Timestamp> {
    let day: Date = text.parse().ok()?;
    day.to_zoned(TimeZone::UTC).ok().map(|midnight| midnight.timestamp())
}

#[cfg(test)]
mod tests;
