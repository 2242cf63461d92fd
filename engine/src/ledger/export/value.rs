//! Values of reports as text.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use uuid::Uuid;

use super::DAY_US;
use crate::ledger::leaf::Digest;

/// A value of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// None.
    Nothing,
    /// A count or a number of order.
    Number(i64),
    /// Micro-credits. In JSON a string: sums are wider than what many readers take as exact.
    Micros(i128),
    /// A word of this program: letters, digits, `-`, `_`.
    Word(&'a str),
    /// Text from outside.
    Text(&'a str),
    /// An identifier.
    Id(Uuid),
    /// Microseconds since the Unix epoch.
    Time(i64),
    /// A hash.
    Hash(&'a Digest),
}

/// Appends a whole number in decimal.
pub fn push_integer(out: &mut Vec<u8>, value: i128) {
    let mut digits = [0_u8; 40];
    let mut at = digits.len();
    // Most are far below this and need no wide division.
    let mut wide = value.unsigned_abs();
    loop {
        let digit = match u64::try_from(wide) {
            Ok(mut narrow) => {
                while narrow >= 10 {
                    at = put(&mut digits, at, narrow.rem_euclid(10));
                    narrow = narrow.div_euclid(10);
                }
                wide = 0;
                narrow
            }
            Err(_wide) => {
                let digit = u64::try_from(wide.rem_euclid(10)).unwrap_or(0);
                wide = wide.div_euclid(10);
                digit
            }
        };
        at = put(&mut digits, at, digit);
        if wide == 0 {
            break;
        }
    }
    if value < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(digits.get(at..).unwrap_or_default());
}

fn put(digits: &mut [u8; 40], at: usize, digit: u64) -> usize {
    let at = at.saturating_sub(1);
    if let Some(place) = digits.get_mut(at) {
        *place = b'0'.saturating_add(u8::try_from(digit).unwrap_or(0));
    }
    at
}

/// A time as people write it, in UTC to the microsecond: `2027-01-15T12:00:00.000000Z`. Beyond the years that have such
/// a form: the number.
pub fn time_text(us: i64) -> String {
    match Timestamp::from_microsecond(us) {
        Ok(time) => format!("{time:.6}"),
        Err(_beyond) => us.to_string(),
    }
}

/// The date of a day since the Unix epoch; of a day beyond the calendar the last one there is.
pub fn date_of(day: i64) -> Date {
    let midnight = Timestamp::from_microsecond(day.saturating_mul(DAY_US));
    midnight.map_or(Date::MAX, |time| time.to_zoned(TimeZone::UTC).date())
}

/// Keeps the last two times that were asked for as text: neighbours have the same.
#[derive(Debug, Clone, Default)]
pub struct TimeTexts {
    known: [Option<(i64, String)>; 2],
    next: bool,
}

impl TimeTexts {
    /// The text of `us`.
    pub fn text(&mut self, us: i64) -> &str {
        let at = match &self.known {
            [Some((known, _)), _] if *known == us => 0,
            [_, Some((known, _))] if *known == us => 1,
            _ => {
                self.next = !self.next;
                let at = usize::from(self.next);
                if let Some(place) = self.known.get_mut(at) {
                    *place = Some((us, time_text(us)));
                }
                at
            }
        };
        self.known.get(at).and_then(Option::as_ref).map_or("", |(_, text)| text)
    }
}
