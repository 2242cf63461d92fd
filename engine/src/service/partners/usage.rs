//! What a partner's calls came to, in days and months: altogether, by end user, by tool. Counted behind the calls
//! (`counts::partners`), so an answer says up to when it is complete. The books stay the truth: what went back later is in
//! them and not here, and a call whose outcome is unknown counts as not charged.

use std::{collections::HashMap, fmt, str::FromStr};

use uuid::Uuid;

use super::own::is_external_id;
use crate::{
    credits::Credits,
    id::{EndUserId, PartnerId, ToolId},
    ledger::caps::CapWindow,
    limits::{USAGE_ROWS_MAX, USAGE_SPAN_MAX},
    service::{Services, invocations::Wanted},
    store::{
        StoreError,
        usage::{self, Found, Kind},
    },
};

/// How many months a list of statements has at most, the latest ones.
const MONTHS_MAX: i64 = 120;

/// What usage is told by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageBy {
    /// All calls together.
    Total,
    /// Every end user.
    EndUser,
    /// One end user.
    OneEndUser(EndUserId),
    /// Every tool.
    Tool,
}

/// For how long calls are added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsagePeriod {
    /// A day in UTC.
    Day,
    /// A calendar month in UTC.
    Month,
}

impl UsagePeriod {
    const fn window(self) -> CapWindow {
        match self {
            Self::Day => CapWindow::Day,
            Self::Month => CapWindow::Month,
        }
    }

    /// When the period began that `at_us` is in; both in microseconds since the Unix epoch.
    pub fn start_us(self, at_us: i64) -> i64 {
        self.window().bounds(at_us).0
    }

    /// The beginnings of the first periods from the one on that `from_us` is in and before `to_us`, at most
    /// [`USAGE_SPAN_MAX`]; all in microseconds since the Unix epoch.
    pub fn starts_us(self, from_us: i64, to_us: i64) -> Vec<i64> {
        let next = |at_us: &i64| self.window().bounds(*at_us).1;
        std::iter::successors(Some(self.start_us(from_us)), next)
            .take_while(|start_us| *start_us < to_us)
            .take(USAGE_SPAN_MAX)
            .collect()
    }
}

/// Which usage is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageQuery {
    /// By what.
    pub by: UsageBy,
    /// In days or months.
    pub period: UsagePeriod,
    /// From the period on that this moment is in, in microseconds since the Unix epoch.
    pub from_us: i64,
    /// Only periods that begin before this moment.
    pub to_us: i64,
}

impl UsageQuery {
    const fn kind(&self) -> Kind {
        match (self.by, self.period) {
            (UsageBy::Total, UsagePeriod::Day) => Kind::Day,
            (UsageBy::Total, UsagePeriod::Month) => Kind::Month,
            (UsageBy::EndUser | UsageBy::OneEndUser(_), UsagePeriod::Day) => Kind::UserDay,
            (UsageBy::EndUser | UsageBy::OneEndUser(_), UsagePeriod::Month) => Kind::UserMonth,
            (UsageBy::Tool, UsagePeriod::Day) => Kind::ToolDay,
            (UsageBy::Tool, UsagePeriod::Month) => Kind::ToolMonth,
        }
    }
}

/// Where a page of usage ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageCursor {
    start_us: i64,
    subject: Uuid,
}

impl fmt::Display for UsageCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.start_us, self.subject.as_simple())
    }
}

/// The text is not where a page ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be `next` of the page before")]
pub struct InvalidUsageCursor;

impl FromStr for UsageCursor {
    type Err = InvalidUsageCursor;

    fn from_str(text: &str) -> Result<Self, InvalidUsageCursor> {
        let (start_us, subject) = text.split_once('.').ok_or(InvalidUsageCursor)?;
        let start_us = start_us.parse().map_err(|_no_number| InvalidUsageCursor)?;
        let subject = Uuid::try_parse(subject).map_err(|_no_identifier| InvalidUsageCursor)?;
        Ok(Self { start_us, subject })
    }
}

/// About whom or what a line of usage is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UsageSubject {
    /// All calls together.
    All,
    /// An end user, with the partner's own name for it; without one it was erased.
    EndUser(EndUserId, Option<String>),
    /// A tool, as `namespace/tool`.
    Tool(ToolId, Option<String>),
    /// Calls that named no end user, or no tool that there is.
    Unknown,
}

/// What calls of one period came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageLine {
    /// When the period began, in microseconds since the Unix epoch.
    pub start_us: i64,
    /// About whom or what.
    pub subject: UsageSubject,
    /// How many calls there were, whatever came of them.
    pub calls: i64,
    /// How many of them were charged.
    pub paid_calls: i64,
    /// What they were charged, in micro-credits.
    pub charged: Credits,
}

/// A page of usage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsagePage {
    /// The earliest first.
    pub rows: Vec<UsageLine>,
    /// What the next page begins behind; `None` if there is nothing more.
    pub next: Option<UsageCursor>,
    /// Calls that came in before this moment are all in it, in microseconds since the Unix epoch.
    pub counted_until_us: i64,
}

impl Services {
    /// What a partner's calls came to, from behind `after`: at most `count_max` lines, and never more than
    /// [`USAGE_ROWS_MAX`]. A page reads as many rows as it has.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn list_partner_usage(
        &self,
        partner: PartnerId,
        query: UsageQuery,
        after: Option<UsageCursor>,
        count_max: u64,
    ) -> Result<UsagePage, StoreError> {
        // Before the sums: what is counted meanwhile is in them, and not promised.
        let counted_until_us = self.counted_partner_calls_until().await?;
        let readers = self.db.readers();
        let count = count_max.clamp(1, USAGE_ROWS_MAX);
        let (of, from_us) = ((partner.uuid(), query.kind()), query.period.start_us(query.from_us));
        let mut found = if let UsageBy::OneEndUser(user) = query.by {
            let from_us = after.map_or(from_us, |after| after.start_us.saturating_add(1).max(from_us));
            let starts_us = query.period.starts_us(from_us, query.to_us);
            let starts_us: Vec<i64> = starts_us.into_iter().filter(|start_us| *start_us >= from_us).collect();
            usage::of_subject(readers, (of.0, of.1, user.uuid()), &starts_us).await?
        } else {
            // Nothing is about less than nil, and nothing begins at the very first moment.
            let after = after.map_or((i64::MIN, Uuid::nil()), |after| (after.start_us, after.subject));
            let rows_max = i64::try_from(count.saturating_add(1)).unwrap_or(i64::MAX);
            usage::page(readers, of, (from_us, query.to_us), after, rows_max).await?
        };
        let shown = usize::try_from(count).unwrap_or(usize::MAX);
        let has_more = found.len() > shown;
        found.truncate(shown);
        let next = found
            .last()
            .filter(|_| has_more)
            .map(|(start_us, subject, _)| UsageCursor { start_us: *start_us, subject: *subject });
        let rows = self.usage_lines(query.by, found).await?;
        Ok(UsagePage { rows, next, counted_until_us })
    }

    /// The latest months in which a partner's calls were counted, at most 120, the latest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn list_partner_months(&self, partner: PartnerId) -> Result<UsagePage, StoreError> {
        let counted_until_us = self.counted_partner_calls_until().await?;
        let found = usage::months(self.db.readers(), partner.uuid(), MONTHS_MAX).await?;
        Ok(UsagePage { rows: self.usage_lines(UsageBy::Total, found).await?, next: None, counted_until_us })
    }

    async fn usage_lines(&self, by: UsageBy, found: Vec<Found>) -> Result<Vec<UsageLine>, StoreError> {
        let subjects = found.iter().map(|(_, subject, _)| *subject).filter(|subject| !subject.is_nil()).collect();
        let mut wanted = Wanted::default();
        match by {
            UsageBy::Total => {}
            UsageBy::EndUser | UsageBy::OneEndUser(_) => wanted.end_users = subjects,
            UsageBy::Tool => wanted.tools = subjects,
        }
        let mut names = self.load_names(wanted).await?;
        // Of an erased end user something else stands in the name's place.
        names.end_users.retain(|_, name| is_external_id(name));
        let line = |(start_us, subject, sum): Found| UsageLine {
            start_us,
            subject: subject_of(by, subject, &names.end_users, &names.tools),
            calls: sum.calls,
            paid_calls: sum.paid_calls,
            charged: Credits::from_micros(sum.charged),
        };
        Ok(found.into_iter().map(line).collect())
    }
}

fn subject_of(by: UsageBy, id: Uuid, end_users: &HashMap<Uuid, String>, tools: &HashMap<Uuid, String>) -> UsageSubject {
    match by {
        UsageBy::Total => UsageSubject::All,
        _ if id.is_nil() => UsageSubject::Unknown,
        UsageBy::EndUser | UsageBy::OneEndUser(_) => {
            UsageSubject::EndUser(EndUserId::from(id), end_users.get(&id).cloned())
        }
        UsageBy::Tool => UsageSubject::Tool(ToolId::from(id), tools.get(&id).cloned()),
    }
}

#[cfg(test)]
mod tests;
