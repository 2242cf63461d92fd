//! The journal as operators look at it: transactions, the newest first, over the chains of all slots; what one account
//! received and spent; everything that bears one name.
//!
//! The tables have an index for identifiers and for places, and for nothing else (ADR 0006, 0008). What a filter asks for
//! is looked for in the newest [`ENTRIES_LOOKED_AT`] entries before the place where a page begins, and the page says so.

use std::collections::BTreeMap;

use super::{Services, paging::PAGE_ROWS};
use crate::{
    ledger::{
        LedgerAccountId, TransactionKind,
        leaf::{Position, TransactionEntry},
    },
    store::{
        StoreError,
        journal::pages::{self, MovedRow, Place, TransactionRow, Window},
        periods::{self, Head},
    },
};

mod cursor;
mod earned;
mod entry;
mod merge;
mod wallet;

use self::merge::{Merged, Part, merge};
pub use self::{
    cursor::{InvalidJournalCursor, JournalCursor},
    earned::{EARNED_DAYS, EarnedDay, EarnedDays},
    entry::{Cause, HashedPlace, Named, TAKEN_BACK_LISTED_MAX},
    wallet::{
        WALLET_ENTRIES_LOOKED_AT, WALLET_PAGE_ROWS, WALLET_PAGE_ROWS_MAX, WalletFilter, WalletMove, WalletMoveKind,
    },
};
pub use crate::store::journal::entries::{EndedHold, HeldEntry};

/// How many entries of all slots together are looked at for one page of a list that no index answers.
pub const ENTRIES_LOOKED_AT: i64 = 100_000;
/// Running balances are worked out from what the books have now: for entries that are no further back than so many.
pub const RUNNING_ENTRIES_MAX: i64 = 200_000;

/// A transaction of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalRow {
    /// Where it stands.
    pub position: Position,
    /// Its batch.
    pub batch_no: i64,
    /// When it was recorded, in microseconds since the Unix epoch.
    pub recorded_us: i64,
    /// What it says.
    pub entry: TransactionEntry,
}

impl JournalRow {
    fn of(row: TransactionRow) -> Self {
        let TransactionRow { place, batch_no, entry } = row;
        Self { position: place.position, batch_no, recorded_us: place.recorded_us, entry }
    }

    /// What its postings move together, in micro-credits.
    pub fn total(&self) -> i64 {
        self.entry.legs.iter().fold(0, |sum: i64, leg| sum.saturating_add(leg.amount.micros()))
    }
}

/// What a transaction did to one account, in micro-credits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountMove {
    /// The transaction, without its postings.
    pub transaction: JournalRow,
    /// What left the account.
    pub debits: i64,
    /// What came in.
    pub credits: i64,
    /// The balance after it; `None` where it is too far back to be worked out ([`RUNNING_ENTRIES_MAX`]).
    pub balance: Option<i64>,
}

/// A page of a list of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalPage<T> {
    /// The newest first.
    pub rows: Vec<T>,
    /// Where it goes on; `None`: this is the end.
    pub next: Option<JournalCursor>,
    /// The page ends because enough was looked at, not because it is full: everything since this moment (microseconds since
    /// the Unix epoch) has been seen.
    pub looked_back_to_us: Option<i64>,
}

impl<T> JournalPage<T> {
    fn map<U>(self, change: impl FnMut(T) -> U) -> JournalPage<U> {
        let Self { rows, next, looked_back_to_us } = self;
        JournalPage { rows: rows.into_iter().map(change).collect(), next, looked_back_to_us }
    }
}

/// What an account had where a page of its entries ends, for whoever goes on reading behind it; nothing where that is too far
/// back to be worked out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunningBalance(Option<i64>);

/// Where a list begins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum JournalStart {
    /// With the newest entry.
    #[default]
    Newest,
    /// With what was recorded before this moment, in microseconds since the Unix epoch.
    Before(i64),
    /// Where another page ended.
    After(JournalCursor),
}

impl Services {
    /// Up to where the books stand: the last entry of every slot that has any, in the order of the slots.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn load_books_position(&self) -> Result<Vec<Position>, StoreError> {
        let heads = periods::heads(self.db.readers()).await?;
        Ok(heads.into_iter().map(|head| head.last).collect())
    }

    /// The transactions from `start` on, the newest first; only those of `kind` if there is one.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn list_journal(
        &self,
        kind: Option<TransactionKind>,
        start: &JournalStart,
    ) -> Result<JournalPage<JournalRow>, StoreError> {
        let readers = self.db.readers();
        let heads = periods::heads(readers).await?;
        let starts = self.begin(&heads, start).await?;
        let mut parts = Vec::with_capacity(starts.len());
        for window in windows(&starts, kind.is_some()) {
            let rows = pages::transactions(readers, window, kind, PAGE_ROWS.saturating_add(1)).await?;
            let rows = rows.into_iter().map(|row| (row.place, row)).collect();
            parts.push(self.part(window, rows).await?);
        }
        Ok(page(merge(parts, PAGE_ROWS)).map(JournalRow::of))
    }

    /// What the transactions from `start` on did to `account`, the newest first, with the balance after each.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn list_account_moves(
        &self,
        account: LedgerAccountId,
        start: &JournalStart,
    ) -> Result<JournalPage<AccountMove>, StoreError> {
        let (page, _running) = self.read_account_moves(account, start, None).await?;
        Ok(page)
    }

    /// The same for whoever reads a page after the other: with what the account had where the page ends. Whoever gives that
    /// back for the page behind it spares adding up, once more, all that has moved since.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn read_account_moves(
        &self,
        account: LedgerAccountId,
        start: &JournalStart,
        running: Option<RunningBalance>,
    ) -> Result<(JournalPage<AccountMove>, RunningBalance), StoreError> {
        let readers = self.db.readers();
        let (heads, balance) = pages::heads_with_balance(readers, account).await?;
        let starts = self.begin(&heads, start).await?;
        let mut balance = match running {
            // What came in since the page before stands behind it, and changes nothing there.
            Some(RunningBalance(known)) => known,
            None => self.balance_at(&heads, &starts, account, balance).await?,
        };
        let mut parts = Vec::with_capacity(starts.len());
        for window in windows(&starts, true) {
            let rows = pages::moves(readers, window, account, PAGE_ROWS.saturating_add(1)).await?;
            let rows = rows.into_iter().map(|row| (row.transaction.place, row)).collect();
            parts.push(self.part(window, rows).await?);
        }
        let run = |row: MovedRow| {
            let MovedRow { transaction, debits, credits } = row;
            let after = balance;
            balance = balance.map(|balance| balance.saturating_sub(credits).saturating_add(debits));
            AccountMove { transaction: JournalRow::of(transaction), debits, credits, balance: after }
        };
        let moves = page(merge(parts, PAGE_ROWS)).map(run);
        Ok((moves, RunningBalance(balance)))
    }

    /// Of every slot the first entry that is not wanted any more.
    async fn begin(&self, heads: &[Head], start: &JournalStart) -> Result<BTreeMap<i64, i64>, StoreError> {
        let mut starts = BTreeMap::new();
        for head in heads {
            let Position { slot, seq } = head.last;
            let before = match start {
                JournalStart::Newest => seq.saturating_add(1),
                JournalStart::Before(us) => {
                    periods::last_entry_before(self.db.readers(), head, *us).await?.saturating_add(1)
                }
                // A slot that the page before did not know has had nothing then, or has come to its end.
                JournalStart::After(cursor) => cursor.before(slot).min(seq.saturating_add(1)),
            };
            if before > 1 {
                starts.insert(slot, before);
            }
        }
        Ok(starts)
    }

    /// What `account` had before the entries of `starts`, if that is near enough to now.
    async fn balance_at(
        &self,
        heads: &[Head],
        starts: &BTreeMap<i64, i64>,
        account: LedgerAccountId,
        balance: i64,
    ) -> Result<Option<i64>, StoreError> {
        let since = |head: &Head| Window {
            slot: head.last.slot,
            from: starts.get(&head.last.slot).copied().unwrap_or(1),
            before: head.last.seq.saturating_add(1),
        };
        let length = |window: Window| window.before.saturating_sub(window.from);
        let far = heads.iter().map(since).fold(0, |sum: i64, window| sum.saturating_add(length(window)));
        if far > RUNNING_ENTRIES_MAX {
            return Ok(None);
        }
        let mut balance = balance;
        for window in heads.iter().map(since).filter(|window| length(*window) > 0) {
            balance = balance.saturating_sub(pages::sum_of_moves(self.db.readers(), window, account).await?);
        }
        Ok(Some(balance))
    }

    /// What was found in a window, and what was not looked at before it.
    async fn part<T>(&self, window: Window, rows: Vec<(Place, T)>) -> Result<Part<T>, StoreError> {
        let is_full = u64::try_from(rows.len()).is_ok_and(|count| count > PAGE_ROWS);
        let unread = if is_full || window.from <= 1 {
            None
        } else {
            pages::last_before(self.db.readers(), window.slot, window.from).await?
        };
        Ok(Part::new(rows, PAGE_ROWS, unread))
    }
}

/// The entries that are looked at: of a list that an index answers all that are left, else so many that all slots together
/// do not exceed [`ENTRIES_LOOKED_AT`].
fn windows(starts: &BTreeMap<i64, i64>, is_bounded: bool) -> Vec<Window> {
    let slots = i64::try_from(starts.len()).unwrap_or(i64::MAX).max(1);
    let length = ENTRIES_LOOKED_AT.checked_div(slots).unwrap_or(1).max(1);
    let from = |before: i64| if is_bounded { before.saturating_sub(length).max(1) } else { 1 };
    starts.iter().map(|(slot, before)| Window { slot: *slot, from: from(*before), before: *before }).collect()
}

fn page<T>(merged: Merged<T>) -> JournalPage<T> {
    let Merged { rows, left, looked_back_to_us } = merged;
    let next = (!left.is_empty()).then(|| JournalCursor::of(left));
    JournalPage { rows, next, looked_back_to_us }
}
