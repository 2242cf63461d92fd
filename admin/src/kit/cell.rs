//! One value: how amounts, times, identifiers and states look everywhere.

use std::fmt;

use askama::Template;
use engine::credits::Credits;

/// How something stands: never told by colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// As it is.
    #[default]
    Plain,
    /// Well.
    Good,
    /// To be looked at.
    Warn,
    /// Wrong, or gone.
    Bad,
}

impl Tone {
    /// The class of the style sheet.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }
}

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    None,
    /// Words.
    Text(String),
    /// Words that lead somewhere.
    Link {
        /// The words.
        text: String,
        /// Where to.
        href: String,
    },
    /// An identifier: shown short, whole when pointed at, copied whole.
    Id {
        /// Whole.
        id: String,
        /// Where it leads; empty if nowhere.
        href: String,
    },
    /// An amount in credits.
    Money(Credits),
    /// A moment, in microseconds since the Unix epoch.
    Time(i64),
    /// A number.
    Number(i64),
    /// A part of a whole, in hundredths: from 80 on there is something to look at, 100 is all of it.
    Share(i64),
    /// A state.
    State {
        /// The word.
        text: String,
        /// How it stands.
        tone: Tone,
    },
    /// Something from a program: a key, a hash, a header.
    Mono(String),
    /// Numbers over time.
    Spark(super::Spark),
}

/// A value on its way into a page.
#[derive(Template)]
#[template(path = "kit/cell.html")]
struct Drawn<'a> {
    cell: &'a Cell,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Drawn { cell: self }.render_into(f).map_err(|error| {
            tracing::error!(%error, "a value could not be written");
            fmt::Error
        })
    }
}

/// What the template has written is markup.
impl askama::filters::HtmlSafe for Cell {}

impl Cell {
    /// Words.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Words, or nothing where there are none.
    pub fn maybe(text: Option<impl Into<String>>) -> Self {
        text.map_or(Self::None, |text| Self::Text(text.into()))
    }

    /// Words that lead somewhere.
    pub fn link(text: impl Into<String>, href: impl Into<String>) -> Self {
        Self::Link { text: text.into(), href: href.into() }
    }

    /// An identifier that leads to its page.
    pub fn id(id: impl ToString, href: impl Into<String>) -> Self {
        Self::Id { id: id.to_string(), href: href.into() }
    }

    /// A state.
    pub fn state(text: impl Into<String>, tone: Tone) -> Self {
        Self::State { text: text.into(), tone }
    }

    /// A moment, or nothing.
    pub fn time(us: Option<i64>) -> Self {
        us.map_or(Self::None, Self::Time)
    }

    /// Of an amount or a number: its digits in groups.
    fn written(&self) -> String {
        match self {
            Self::Money(credits) => grouped(&credits.to_string()),
            Self::Number(number) => grouped(&number.to_string()),
            _ => String::new(),
        }
    }

    /// Of a moment: as programs read it.
    fn iso(&self) -> String {
        if let Self::Time(us) = self { iso_text(*us) } else { String::new() }
    }

    /// Of a moment: as people read it.
    fn instant(&self) -> String {
        if let Self::Time(us) = self { instant_text(*us) } else { String::new() }
    }

    /// Of an identifier: its ends.
    fn short(&self) -> String {
        if let Self::Id { id, .. } = self { short_id(id) } else { String::new() }
    }

    /// Numbers stand at the right.
    pub const fn is_right(&self) -> bool {
        matches!(self, Self::Money(_) | Self::Number(_) | Self::Share(_))
    }
}

/// An amount with groups of three digits, as people read it: `1,234.5`.
pub(crate) fn grouped(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |rest| ("−", rest));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, fraction)| (whole, Some(fraction)));
    let mut out = String::from(sign);
    let count = whole.chars().count();
    for (position, digit) in whole.chars().enumerate() {
        if position > 0 && count.saturating_sub(position) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// The first and the last characters of an identifier: enough to tell a few apart.
pub fn short_id(id: &str) -> String {
    let (prefix, rest) = id.split_once('_').map_or(("", id), |(prefix, rest)| (prefix, rest));
    let count = rest.chars().count();
    if count <= 12 {
        return id.to_owned();
    }
    let head: String = rest.chars().take(4).collect();
    let tail: String = rest.chars().skip(count.saturating_sub(6)).collect();
    if prefix.is_empty() { format!("{head}…{tail}") } else { format!("{prefix}_{head}…{tail}") }
}

/// A moment as `2026-11-22 05:30:12` in UTC; `us` in microseconds since the Unix epoch.
pub fn instant_text(us: i64) -> String {
    timestamp(us).map_or_else(|| us.to_string(), |time| time.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// A moment as RFC 3339; `us` in microseconds since the Unix epoch.
pub(crate) fn iso_text(us: i64) -> String {
    timestamp(us).map_or_else(|| us.to_string(), |time| time.to_string())
}

fn timestamp(us: i64) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_microsecond(us).ok()
}

/// A day (`2026-11-22`), a minute (`2026-11-22T05:30`, as browsers send it) or an RFC 3339 moment, in UTC unless it says
/// otherwise, in microseconds since the Unix epoch.
pub fn parse_time(text: &str) -> Option<i64> {
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Some(moment.as_microsecond());
    }
    let moment = text
        .parse::<jiff::civil::DateTime>()
        .or_else(|_not_a_minute| text.parse::<jiff::civil::Date>().map(|day| day.at(0, 0, 0, 0)));
    let zoned = moment.ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(zoned.timestamp().as_microsecond())
}

/// The moment `hours` hours before `now_us`, both in microseconds since the Unix epoch.
pub fn hours_ago(now_us: i64, hours: i64) -> i64 {
    now_us.saturating_sub(hours.saturating_mul(3_600_000_000))
}
