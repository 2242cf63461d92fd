//! Closing periods. A close takes the next one in its order, adds up what moved in it, and records where the chains ended
//! when it was closed: `ledger::periods` tells why nothing can get into it after that.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Services, outbox::unexpected};
use crate::{
    audit::{Action, OpContext},
    id::EntryId,
    ledger::{
        AccountKind, Refusal,
        leaf::{Digest, Position},
        periods::{BalanceRow, Calendar, PeriodClose, TooLarge, digest, end_of_month, start_of_month, trial_balance},
    },
    store::{
        NotSaved, StoreError, UnitOfWork,
        periods::{self, Stretch},
    },
};

mod look;

pub use look::{OpenPeriod, PeriodRehearsal, sums_of};

/// A period with its trial balance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeriodBalance {
    /// Its number.
    pub period: i64,
    /// The first moment that belongs to it, in microseconds since the Unix epoch.
    pub start_us: i64,
    /// The first moment after it; of the open period, when it would end of itself.
    pub end_us: i64,
    /// Its close, unless it is open.
    pub close: Option<PeriodClose>,
    /// Its lines, in micro-credits.
    pub lines: Vec<NamedLine>,
}

/// A line of a trial balance with its name in the chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedLine {
    /// The account's name; `liabilities:wallet` for all wallets together, `liabilities:wallet:*:grant` for all grants.
    pub code: String,
    /// The numbers.
    pub row: BalanceRow,
}

/// Why no period was closed. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ClosePeriodError {
    /// Nothing has been recorded, so there is no first period.
    #[error("nothing has been recorded yet: there is no period to close")]
    Empty,
    /// The period is not over.
    #[error("period {period} is not over")]
    NotOver {
        /// Which.
        period: i64,
        /// The first moment after it, in microseconds since the Unix epoch.
        end_us: i64,
        /// What time it is.
        now_us: i64,
    },
    /// It would end before it starts.
    #[error("period {period} would end before it starts")]
    EndsBeforeStart {
        /// Which.
        period: i64,
        /// The first moment that belongs to it, in microseconds since the Unix epoch.
        start_us: i64,
        /// Where it was to end.
        until_us: i64,
    },
    /// Somebody else has closed it.
    #[error("period {period} is closed already")]
    Closed {
        /// Which.
        period: i64,
        /// The first moment after it, in microseconds since the Unix epoch.
        end_us: i64,
    },
    /// Its trial balance is another one than somebody has looked at.
    #[error("period {period} has changed since its trial balance was looked at")]
    Changed {
        /// Which.
        period: i64,
    },
    /// More has to be added up than was allowed.
    #[error("period {period} has {entries} entries to add up, which is more than {entries_max}")]
    TooMany {
        /// Which.
        period: i64,
        /// How many entries would have to be read.
        entries: i64,
        /// How many were allowed.
        entries_max: i64,
    },
    /// A sum leaves 64 bits.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// The ledger said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How a period is to be closed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CloseTerms<'a> {
    /// Where it ends, in microseconds since the Unix epoch; `None`: with its month in UTC.
    pub until_us: Option<i64>,
    /// Only if it is this one that is open.
    pub period: Option<i64>,
    /// Only if this is the digest of its trial balance: what somebody has looked at.
    pub seen: Option<Digest>,
    /// Only if no more entries than this have to be added up.
    pub entries_max: Option<i64>,
    /// Why, for the audit trail.
    pub reason: Option<&'a str>,
}

/// The period that would be closed next.
struct Next {
    calendar: Calendar,
    heads: Vec<periods::Head>,
    bounds: (i64, i64),
}

impl Services {
    /// The closed periods.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn load_calendar(&self) -> Result<Calendar, StoreError> {
        Ok(Calendar::of(periods::closes(self.db.readers()).await?))
    }

    /// Closes the next period: the rest of the month in UTC in which it begins, or what is before `until_us`.
    ///
    /// # Errors
    /// There is nothing to close, the period is not over or would end before it starts, somebody else was faster, or the
    /// database failed.
    pub async fn close_period(&self, by: &OpContext, until_us: Option<i64>) -> Result<PeriodBalance, ClosePeriodError> {
        self.close_period_as(by, &CloseTerms { until_us, ..CloseTerms::default() }).await
    }

    /// Closes the next period on these terms.
    ///
    /// # Errors
    /// As for [`Self::close_period`]; or it is not what somebody has looked at, or has too many entries.
    pub async fn close_period_as(
        &self,
        by: &OpContext,
        terms: &CloseTerms<'_>,
    ) -> Result<PeriodBalance, ClosePeriodError> {
        let next = self.next_close(terms).await?;
        let (period, (start_us, end_us)) = (next.calendar.open(), next.bounds);
        let rows = self.add_up(&next.calendar, &next.heads, next.bounds).await?;
        let close = PeriodClose {
            id: EntryId::new(&*self.ids, self.clock.now_us()),
            period,
            start_us,
            end_us,
            cut: next.heads.iter().map(|head| head.last).collect(),
            digest: digest(period, &rows),
        };
        if terms.seen.is_some_and(|seen| seen != close.digest) {
            return Err(ClosePeriodError::Changed { period });
        }
        let mut unit = UnitOfWork::new();
        for (statement, count) in periods::write_lines(self.db.backend(), period, &rows) {
            unit.push(statement, Some(count));
        }
        unit.close_period(close.clone());
        let told = by.entry(Action::PeriodClose, "period", period);
        let mut told = told.after(json!({"start_us": start_us, "end_us": end_us}));
        if let Some(reason) = terms.reason {
            told = told.because(reason);
        }
        match self.ledger.save(unit.audited(told)).await {
            Ok(_) => self.named(period, (start_us, end_us), Some(close), rows).await.map_err(Into::into),
            Err(NotSaved::Refused(refusal)) => Err(refusal.into()),
            Err(not_saved) => match self.load_calendar().await?.closes().iter().find(|close| close.period == period) {
                Some(first) => Err(ClosePeriodError::Closed { period, end_us: first.end_us }),
                None => Err(unexpected("period_close", not_saved).into()),
            },
        }
    }

    /// What period could be closed on these terms, as far as that can be said without adding anything up.
    async fn next_close(&self, terms: &CloseTerms<'_>) -> Result<Next, ClosePeriodError> {
        let calendar = self.load_calendar().await?;
        let now_us = self.clock.now_us();
        let heads = periods::heads(self.db.readers()).await?;
        let (start_us, month_end_us) = self.open_bounds(&calendar, &heads).await?.ok_or(ClosePeriodError::Empty)?;
        let period = calendar.open();
        if let (Some(wanted), Some(last)) = (terms.period, calendar.last())
            && wanted != period
        {
            return Err(ClosePeriodError::Closed { period: last.period, end_us: last.end_us });
        }
        let end_us = terms.until_us.unwrap_or(month_end_us);
        if let Some(last) = calendar.last().filter(|last| end_us <= last.end_us) {
            return Err(ClosePeriodError::Closed { period: last.period, end_us: last.end_us });
        }
        if end_us <= start_us {
            return Err(ClosePeriodError::EndsBeforeStart { period, start_us, until_us: end_us });
        }
        if end_us > now_us {
            return Err(ClosePeriodError::NotOver { period, end_us, now_us });
        }
        // The heads were read before it was certain that the period is over; what came in since is behind them and late,
        // unless they are read again.
        let heads = periods::heads(self.db.readers()).await?;
        let next = Next { calendar, heads, bounds: (start_us, end_us) };
        if let Some(entries_max) = terms.entries_max {
            let entries = entries_of(&self.stretches(&next.calendar, &next.heads, next.bounds).await?);
            if entries > entries_max {
                return Err(ClosePeriodError::TooMany { period, entries, entries_max });
            }
        }
        Ok(next)
    }

    /// The trial balance of a closed period; `None` if there is no such one.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn load_trial_balance(&self, period: i64) -> Result<Option<PeriodBalance>, StoreError> {
        let calendar = self.load_calendar().await?;
        let Some(close) = calendar.closes().iter().find(|close| close.period == period).cloned() else {
            return Ok(None);
        };
        let rows = periods::lines(self.db.readers(), period).await?;
        self.named(period, (close.start_us, close.end_us), Some(close), rows).await.map(Some)
    }

    /// The trial balance of the open period as it stands now.
    ///
    /// # Errors
    /// As for [`Self::close_period`].
    pub async fn open_trial_balance(&self) -> Result<PeriodBalance, ClosePeriodError> {
        let calendar = self.load_calendar().await?;
        let heads = periods::heads(self.db.readers()).await?;
        let (start_us, end_us) = self.open_bounds(&calendar, &heads).await?.ok_or(ClosePeriodError::Empty)?;
        let rows = self.add_up(&calendar, &heads, (start_us, i64::MAX)).await?;
        Ok(self.named(calendar.open(), (start_us, end_us), None, rows).await?)
    }

    /// When the open period begins, and when it ends of itself; `None` if nothing was ever recorded.
    async fn open_bounds(
        &self,
        calendar: &Calendar,
        heads: &[periods::Head],
    ) -> Result<Option<(i64, i64)>, StoreError> {
        let start_us = match calendar.last() {
            Some(last) => Some(last.end_us),
            None => periods::first_recorded_us(self.db.readers(), heads).await?.map(start_of_month),
        };
        Ok(start_us.map(|start_us| (start_us, end_of_month(start_us).unwrap_or(i64::MAX))))
    }

    /// The lines of the open period if it begins and ends at `bounds` and its cut is at `heads`.
    async fn add_up(
        &self,
        calendar: &Calendar,
        heads: &[periods::Head],
        bounds: (i64, i64),
    ) -> Result<Vec<BalanceRow>, ClosePeriodError> {
        let readers = self.db.readers();
        let before = match calendar.last() {
            Some(last) => periods::lines(readers, last.period).await?,
            None => Vec::new(),
        };
        let mut moved = BTreeMap::new();
        for stretch in self.stretches(calendar, heads, bounds).await? {
            periods::add_moved(readers, stretch, &mut moved).await?;
        }
        Ok(trial_balance(&before, &moved)?)
    }

    /// What has to be read for the period between `start_us` and `end_us`.
    async fn stretches(
        &self,
        calendar: &Calendar,
        heads: &[periods::Head],
        (start_us, end_us): (i64, i64),
    ) -> Result<Vec<Stretch>, StoreError> {
        let mut stretches = Vec::with_capacity(heads.len());
        for head in heads {
            let Position { slot, seq } = head.last;
            let late_after = calendar.last().map_or(0, |last| last.cut_of(slot));
            // Nothing counts later than it is recorded. So what belongs to this period was recorded since it began, or
            // was late and stands behind the cut of the one before.
            let after = match calendar.last() {
                Some(_) => late_after.min(periods::last_entry_before(self.db.readers(), head, start_us).await?),
                None => 0,
            };
            stretches.push(Stretch { slot, after, until: seq, start_us, end_us, late_after });
        }
        Ok(stretches)
    }

    async fn named(
        &self,
        period: i64,
        (start_us, end_us): (i64, i64),
        close: Option<PeriodClose>,
        rows: Vec<BalanceRow>,
    ) -> Result<PeriodBalance, StoreError> {
        let codes = periods::codes(self.db.readers(), &rows).await?;
        let name = |row: &BalanceRow| {
            let (kind, account) = row.key;
            let class = AccountKind::from_raw(kind).map_or_else(String::new, |kind| kind.code(""));
            match codes.get(&account) {
                Some(code) => code.clone(),
                None if kind == AccountKind::Grant.raw() => format!("{class}:*:grant"),
                None => class,
            }
        };
        let lines = rows.into_iter().map(|row| NamedLine { code: name(&row), row }).collect();
        Ok(PeriodBalance { period, start_us, end_us, close, lines })
    }
}

fn entries_of(stretches: &[Stretch]) -> i64 {
    stretches.iter().fold(0, |sum: i64, stretch| sum.saturating_add(stretch.until.saturating_sub(stretch.after)))
}
