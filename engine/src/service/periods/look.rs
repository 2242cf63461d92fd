//! What operators look at before and after a period is closed: a list of them, their trial balances a page at a time, and
//! what closing the next one would do.

use super::{ClosePeriodError, CloseTerms, NamedLine, PeriodBalance, entries_of};
use crate::{
    ledger::{
        AccountKind,
        leaf::Digest,
        periods::{BalanceKey, BalanceRow, PeriodClose, digest},
    },
    service::{
        Services,
        paging::{Listed, PAGE_READ},
    },
    store::{StoreError, periods},
};

/// The period that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenPeriod {
    /// Its number.
    pub period: i64,
    /// The first moment that belongs to it, in microseconds since the Unix epoch.
    pub start_us: i64,
    /// When it ends of itself, in microseconds since the Unix epoch.
    pub end_us: i64,
    /// How many entries of the books have to be read to add it up.
    pub entries: i64,
}

/// What closing the next period would come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeriodRehearsal {
    /// Its trial balance.
    pub balance: PeriodBalance,
    /// The digest that the close would carry.
    pub digest: Digest,
    /// How many transactions belong to it.
    pub transactions: i64,
    /// How many entries of the books were read.
    pub entries: i64,
}

impl Services {
    /// The closed periods below the number `after`, the last one first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn list_periods(&self, after: Option<i64>) -> Result<Listed<PeriodClose>, StoreError> {
        let limit = i64::try_from(PAGE_READ).unwrap_or(i64::MAX);
        let closes = periods::closes_before(self.db.readers(), after.unwrap_or(i64::MAX), limit).await?;
        Ok(Listed::of(closes, |close| close.period.to_string()))
    }

    /// The closed period with this number.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_period(&self, period: i64) -> Result<Option<PeriodClose>, StoreError> {
        let found = periods::closes_before(self.db.readers(), period.saturating_add(1), 1).await?;
        Ok(found.into_iter().find(|close| close.period == period))
    }

    /// The period that is open; `None` before anything was recorded.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_open_period(&self) -> Result<Option<OpenPeriod>, StoreError> {
        let calendar = self.load_calendar().await?;
        let heads = periods::heads(self.db.readers()).await?;
        let Some((start_us, end_us)) = self.open_bounds(&calendar, &heads).await? else { return Ok(None) };
        let entries = entries_of(&self.stretches(&calendar, &heads, (start_us, end_us)).await?);
        Ok(Some(OpenPeriod { period: calendar.open(), start_us, end_us, entries }))
    }

    /// What closing the next period on these terms would come to. Changes nothing.
    ///
    /// # Errors
    /// As for [`Self::close_period_as`].
    pub async fn rehearse_close(&self, terms: &CloseTerms<'_>) -> Result<PeriodRehearsal, ClosePeriodError> {
        let next = self.next_close(terms).await?;
        let stretches = self.stretches(&next.calendar, &next.heads, next.bounds).await?;
        let mut transactions = 0_i64;
        for stretch in &stretches {
            transactions = transactions.saturating_add(periods::count_moved(self.db.readers(), *stretch).await?);
        }
        let rows = self.add_up(&next.calendar, &next.heads, next.bounds).await?;
        let period = next.calendar.open();
        let digest = digest(period, &rows);
        let balance = self.named(period, next.bounds, None, rows).await?;
        Ok(PeriodRehearsal { balance, digest, transactions, entries: entries_of(&stretches) })
    }

    /// The trial balance of a closed period, added up by kinds of accounts: the number of a line's account is 0.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn load_period_sums(&self, period: i64) -> Result<Vec<BalanceRow>, StoreError> {
        periods::sums_by_kind(self.db.readers(), period).await
    }

    /// The lines of the trial balance of a closed period behind the one of the key `after`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn list_period_lines(
        &self,
        period: i64,
        after: Option<BalanceKey>,
    ) -> Result<Listed<NamedLine>, StoreError> {
        let limit = i64::try_from(PAGE_READ).unwrap_or(i64::MAX);
        let after = after.unwrap_or((i16::MIN, i64::MIN));
        let rows = periods::lines_after(self.db.readers(), period, after, limit).await?;
        let named = self.named(period, (0, 0), None, rows).await?;
        Ok(Listed::of(named.lines, |line| format!("{}.{}", line.row.key.0, line.row.key.1)))
    }
}

/// The sums of `lines` by kinds of accounts, in the order of the kinds.
pub fn sums_of(lines: &[NamedLine]) -> Vec<BalanceRow> {
    let mut sums: Vec<BalanceRow> = Vec::new();
    for kind in AccountKind::all().map(AccountKind::raw) {
        let of_kind = lines.iter().map(|line| &line.row).filter(|row| row.key.0 == kind);
        let sum = of_kind.fold(None, |sum: Option<BalanceRow>, row| {
            let before = sum.unwrap_or(BalanceRow { key: (kind, 0), opening: 0, debits: 0, credits: 0, closing: 0 });
            Some(BalanceRow {
                key: (kind, 0),
                opening: before.opening.saturating_add(row.opening),
                debits: before.debits.saturating_add(row.debits),
                credits: before.credits.saturating_add(row.credits),
                closing: before.closing.saturating_add(row.closing),
            })
        });
        sums.extend(sum);
    }
    sums
}
