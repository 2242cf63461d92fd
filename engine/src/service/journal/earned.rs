//! What a publisher earned on each of the last days, and what of its earnings went back.

use super::{JournalStart, windows};
use crate::{
    credits::Credits,
    ledger::{TransactionKind, export::DAY_US},
    service::{Services, catalog::PublisherProfile},
    store::{
        StoreError,
        journal::pages::{self, DayRow},
        periods,
    },
};

/// How many days are told of, today among them.
pub const EARNED_DAYS: i64 = 30;

/// One day of a publisher. Amounts are micro-credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EarnedDay {
    /// When it began, in microseconds since the Unix epoch; days are those of UTC.
    pub from_us: i64,
    /// The publisher's share of what was charged.
    pub share: Credits,
    /// What it gave back on this day of shares of this or of earlier days, also where it owes that from then on.
    pub back: Credits,
}

/// The last days of a publisher.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EarnedDays {
    /// The earliest first, also those on which nothing came or went; empty if nothing did on any of them.
    pub days: Vec<EarnedDay>,
    /// Not all of [`EARNED_DAYS`] were looked at: everything since this moment (microseconds since the Unix epoch) was.
    pub looked_back_to_us: Option<i64>,
}

impl Services {
    /// What a publisher earned and gave back on each of the last [`EARNED_DAYS`], from the postings of its account, as far
    /// as they are among the newest [`super::ENTRIES_LOOKED_AT`] entries of the books.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn load_earned_days(&self, publisher: &PublisherProfile) -> Result<EarnedDays, StoreError> {
        let (readers, now_us) = (self.db.readers(), self.clock.now_us());
        let since_us = first_day(now_us);
        let starts = self.begin(&periods::heads(readers).await?, &JournalStart::Newest).await?;
        // What goes back of a share that was paid out is owed: it stands on another account.
        let accounts = [publisher.payable, publisher.payable.receivable()];
        let (mut moved, mut looked_back_to_us) = (Vec::new(), None);
        for window in windows(&starts, true) {
            moved.extend(pages::days(readers, window, accounts, since_us).await?);
            if window.from > 1 {
                let unread = pages::last_before(readers, window.slot, window.from).await?;
                let unread_us = unread.map(|place| place.recorded_us).filter(|at_us| *at_us >= since_us);
                looked_back_to_us = looked_back_to_us.max(unread_us);
            }
        }
        Ok(EarnedDays { days: days_of(&moved, looked_back_to_us.unwrap_or(since_us), now_us), looked_back_to_us })
    }
}

fn day_of(at_us: i64) -> i64 {
    at_us.saturating_sub(at_us.rem_euclid(DAY_US))
}

/// When the first of the last days began, if it is now `now_us`.
fn first_day(now_us: i64) -> i64 {
    day_of(now_us).saturating_sub(DAY_US.saturating_mul(EARNED_DAYS.saturating_sub(1)))
}

/// The days from the one of `since_us` to the one of `now_us`, at most [`EARNED_DAYS`]; none if nothing of `moved` was
/// earned or went back. Payouts and what else an operator does with the account are neither.
fn days_of(moved: &[DayRow], since_us: i64, now_us: i64) -> Vec<EarnedDay> {
    let first_us = day_of(since_us).max(first_day(now_us));
    let day = |number: i64| {
        let from_us = first_us.saturating_add(DAY_US.saturating_mul(number));
        let within = || moved.iter().filter(|row| row.day_us == from_us);
        let share = sum(within().filter(|row| row.kind == TransactionKind::Charge).map(|row| row.credits));
        let back = sum(within().filter(|row| row.kind.takes_back()).map(|row| row.debits));
        EarnedDay { from_us, share, back }
    };
    let count = day_of(now_us).saturating_sub(first_us).div_euclid(DAY_US).saturating_add(1);
    let days: Vec<EarnedDay> = (0..count).map(day).collect();
    if days.iter().all(|day| day.share.is_zero() && day.back.is_zero()) { Vec::new() } else { days }
}

fn sum(amounts: impl Iterator<Item = i64>) -> Credits {
    Credits::from_micros(amounts.fold(0, i64::saturating_add))
}

#[cfg(test)]
mod tests;
