//! Grants that expire, as operators look at them: how one of them was used up, and what is left of those that expire next.
//!
//! A grant has an account of its own, so what is left of it is in the books to the credit and nobody has to work out which
//! credits a charge took. But no index leads from an account to its postings (ADR 0006): of a busy installation only a part
//! of a grant's life can be looked at, and what was not looked at is said to be unknown.

use std::collections::BTreeMap;

use super::Services;
use crate::{
    credits::Credits,
    id::EntryId,
    ledger::{LedgerAccountId, export::DAY_US},
    store::{
        StoreError,
        journal::{
            grant::{self, GivenRow, PieceRow, Pieces, ReturnRow, Totals},
            pages::{self, Window},
        },
        periods::{self, Head},
        wallets,
    },
};

mod curve;

use self::curve::{Curve, Known};
pub use self::curve::{GrantRun, LeftAt};

/// How many entries of all slots together are looked at for what became of one grant.
pub const GRANT_ENTRIES_LOOKED_AT: i64 = 100_000;
/// Into how many pieces the time is cut that was looked at: so many points a run of the curve has at most, and its ends.
const PIECES_MAX: i64 = 100;
/// How much earlier than the grant another slot's entry may have been recorded that spends of it: the time of a batch is
/// taken before what it touches is locked.
const EARLIER_MAX_US: i64 = 60_000_000;
/// How many days of expiries are shown, today among them.
pub const EXPIRY_DAYS: i64 = 30;
/// How many of the grants that expire next are looked at.
pub const EXPIRIES_LOOKED_AT: i64 = 5_000;

/// How a grant that expires was used. Amounts are micro-credits, moments microseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantUse {
    /// Where its credits are.
    pub account: LedgerAccountId,
    /// When it was given.
    pub given_us: i64,
    /// When it expires.
    pub expires_us: i64,
    /// What was given.
    pub given: Credits,
    /// What charges took.
    pub spent: Credits,
    /// What of that was given back to it.
    pub back: Credits,
    /// What went back to the platform at its expiry or later.
    pub lapsed: Credits,
    /// What an operator took back, with the whole grant.
    pub taken_back: Credits,
    /// What is left.
    pub left: Credits,
    /// What was left when, the earliest first. Between two runs it is not known: too much else was booked meanwhile.
    pub runs: Vec<GrantRun>,
}

/// A day on which grants expire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpiryDay {
    /// When it begins, in microseconds since the Unix epoch; days are those of UTC.
    pub from_us: i64,
    /// How many grants with something left.
    pub grants: i64,
    /// What is left of them, in micro-credits, reserved or not.
    pub left: Credits,
}

/// What is left of the grants that expire next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExpiryDays {
    /// [`EXPIRY_DAYS`] from today on, the earliest first; empty if no grant with something left expires on any of them.
    pub days: Vec<ExpiryDay>,
    /// There are more than [`EXPIRIES_LOOKED_AT`]: those that expire up to this moment (microseconds since the Unix epoch)
    /// were looked at, and no later ones.
    pub looked_up_to_us: Option<i64>,
}

/// What the books say of a grant at one moment.
struct Books {
    row: GivenRow,
    heads: Vec<Head>,
    lapses: Vec<ReturnRow>,
}

impl Books {
    /// Everything of the grant stands behind this entry of the slot of `head`.
    async fn begin(&self, services: &Services, head: &Head) -> Result<i64, StoreError> {
        let position = self.row.position;
        if head.last.slot == position.slot {
            return Ok(position.seq);
        }
        periods::last_entry_before(services.db.readers(), head, self.earliest_us()).await
    }

    /// Nothing of the grant was recorded before this moment.
    const fn earliest_us(&self) -> i64 {
        self.row.recorded_us.saturating_sub(EARLIER_MAX_US)
    }
}

impl Services {
    /// How the grant `id` was used, as far as its postings are among `entries_max` entries: the first ones since it was
    /// given, and, while it has not lapsed, the newest ones. `None` if there is no grant of this name that expires. For
    /// pages, `entries_max` is [`GRANT_ENTRIES_LOOKED_AT`].
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn load_grant_use(&self, id: EntryId, entries_max: i64) -> Result<Option<GrantUse>, StoreError> {
        let readers = self.db.readers();
        let Some(row) = grant::find(readers, id).await? else { return Ok(None) };
        let (heads, totals) = grant::heads_with_totals(readers, row.account).await?;
        let mut returns = grant::returns(readers, id, row.account).await?;
        // What went back meanwhile is behind the moment that is told of.
        let is_before =
            |back: &ReturnRow, head: &Head| head.last.slot == back.position.slot && head.last.seq >= back.position.seq;
        returns.retain(|back| heads.iter().any(|head| is_before(back, head)));
        let (reversals, lapses): (Vec<ReturnRow>, Vec<ReturnRow>) =
            returns.into_iter().partition(|back| back.is_reversal);
        let books = Books { row, heads, lapses };
        let known = self.look_at(&books, entries_max).await?;
        let sum_of = |rows: &[ReturnRow]| rows.iter().fold(0, |sum: i64, back| sum.saturating_add(back.amount));
        let (lapsed, taken_back) = (sum_of(&books.lapses), sum_of(&reversals));
        let curve = Curve {
            given: (row.recorded_us, row.given),
            expires_us: row.expires_us,
            totals,
            lapses: books.lapses.iter().map(|lapse| (lapse.recorded_us, lapse.amount)).collect(),
            known,
        };
        Ok(Some(GrantUse {
            account: row.account,
            given_us: row.recorded_us,
            expires_us: row.expires_us,
            given: Credits::from_micros(row.given),
            spent: Credits::from_micros(totals.debits.saturating_sub(lapsed).saturating_sub(taken_back)),
            back: Credits::from_micros(totals.credits.saturating_sub(row.given)),
            lapsed: Credits::from_micros(lapsed),
            taken_back: Credits::from_micros(taken_back),
            left: Credits::from_micros(totals.credits.saturating_sub(totals.debits)),
            runs: curve.runs(),
        }))
    }

    /// Looks at no more than `count_max` entries for what moved on a grant's account.
    async fn look_at(&self, books: &Books, count_max: i64) -> Result<Known, StoreError> {
        let mut all = Vec::with_capacity(books.heads.len());
        for head in &books.heads {
            let from = books.begin(self, head).await?.saturating_add(1);
            let window = Window { slot: head.last.slot, from, before: head.last.seq.saturating_add(1) };
            if window.from < window.before {
                all.push(window);
            }
        }
        let entries =
            all.iter().fold(0, |sum: i64, window| sum.saturating_add(window.before.saturating_sub(window.from)));
        if entries <= count_max {
            return Ok(Known::All(self.moved(books, &all, (books.earliest_us(), i64::MAX)).await?));
        }
        // Of a grant that has lapsed the end is known: nothing is left.
        let parts = if books.lapses.is_empty() { 2 } else { 1 };
        let slots = i64::try_from(all.len()).unwrap_or(i64::MAX).max(1);
        let length = count_max.checked_div(slots.saturating_mul(parts)).unwrap_or(1).max(1);
        let first = self.first_moves(books, &all, length).await?;
        let last = if parts > 1 { Some(self.last_moves(books, &all, length).await?) } else { None };
        Ok(Known::Ends { first, last })
    }

    /// What the first `length` entries of each window did, up to the first moment at which something was not looked at.
    async fn first_moves(
        &self,
        books: &Books,
        all: &[Window],
        length: i64,
    ) -> Result<(Vec<(i64, Totals)>, i64), StoreError> {
        let (mut windows, mut until_us) = (Vec::with_capacity(all.len()), i64::MAX);
        for window in all {
            let before = window.from.saturating_add(length).min(window.before);
            windows.push(Window { before, ..*window });
            if before < window.before {
                let unread_us = grant::first_from(self.db.readers(), window.slot, before).await?;
                until_us = until_us.min(unread_us.unwrap_or(i64::MAX));
            }
        }
        Ok((self.moved(books, &windows, (books.earliest_us(), until_us)).await?, until_us))
    }

    /// What the last `length` entries of each window did, from the last moment on at which something was not looked at.
    async fn last_moves(
        &self,
        books: &Books,
        all: &[Window],
        length: i64,
    ) -> Result<(Vec<(i64, Totals)>, i64), StoreError> {
        let (mut windows, mut since_us) = (Vec::with_capacity(all.len()), books.earliest_us());
        for window in all {
            let from = window.before.saturating_sub(length).max(window.from);
            windows.push(Window { from, ..*window });
            if from > window.from {
                let unread = pages::last_before(self.db.readers(), window.slot, from).await?;
                since_us = since_us.max(unread.map_or(since_us, |place| place.recorded_us.saturating_add(1)));
            }
        }
        Ok((self.moved(books, &windows, (since_us, i64::MAX)).await?, since_us))
    }

    /// What moved on the grant's account in `windows` from one moment to before another one, the earliest first.
    async fn moved(
        &self,
        books: &Books,
        windows: &[Window],
        (from_us, before_us): (i64, i64),
    ) -> Result<Vec<(i64, Totals)>, StoreError> {
        let now_us = self.clock.now_us().max(books.row.recorded_us);
        let long = before_us.min(now_us.saturating_add(1)).saturating_sub(from_us);
        let piece_us = long.checked_div(PIECES_MAX).unwrap_or(0).saturating_add(1).max(1);
        let pieces = Pieces { from_us, before_us, length: piece_us };
        // Pieces begin at the same moments in all slots, so that of each of them all is known.
        let mut found: BTreeMap<i64, PieceRow> = BTreeMap::new();
        for window in windows {
            for row in grant::pieces(self.db.readers(), *window, books.row.account, pieces).await? {
                let number = row.last_us.saturating_sub(from_us).checked_div(piece_us).unwrap_or(0);
                let piece = found.entry(number).or_insert(PieceRow { moved: Totals::default(), ..row });
                piece.last_us = piece.last_us.max(row.last_us);
                piece.moved = piece.moved.with(row.moved);
            }
        }
        Ok(found.into_values().map(|piece| (piece.last_us, piece.moved)).collect())
    }

    /// What is left of the grants that expire within the next [`EXPIRY_DAYS`], day by day, of at most
    /// [`EXPIRIES_LOOKED_AT`] grants, by the index of expiries.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn load_expiry_days(&self) -> Result<ExpiryDays, StoreError> {
        let now_us = self.clock.now_us();
        let today_us = now_us.saturating_sub(now_us.rem_euclid(DAY_US));
        let before_us = today_us.saturating_add(DAY_US.saturating_mul(EXPIRY_DAYS));
        let rows = wallets::expiring(self.db.readers(), (now_us, before_us), EXPIRIES_LOOKED_AT).await?;
        let is_full = i64::try_from(rows.len()).is_ok_and(|count| count >= EXPIRIES_LOOKED_AT);
        let looked_up_to_us = rows.last().filter(|_last| is_full).map(|(expires_us, _)| *expires_us);
        Ok(ExpiryDays { days: expiry_days(&rows, today_us), looked_up_to_us })
    }
}

/// The days from the one that begins at `today_us` on: of each, how many of `rows` (when a grant expires, what is left of
/// it) expire on it with something left.
fn expiry_days(rows: &[(i64, i64)], today_us: i64) -> Vec<ExpiryDay> {
    let day = |number: i64| {
        let from_us = today_us.saturating_add(DAY_US.saturating_mul(number));
        let until_us = from_us.saturating_add(DAY_US);
        let of_day = rows.iter().filter(|(expires_us, left)| (from_us..until_us).contains(expires_us) && *left > 0);
        let (grants, left) = of_day
            .fold((0, 0), |(grants, sum): (i64, i64), (_, left)| (grants.saturating_add(1), sum.saturating_add(*left)));
        ExpiryDay { from_us, grants, left: Credits::from_micros(left) }
    };
    let days: Vec<ExpiryDay> = (0..EXPIRY_DAYS).map(day).collect();
    if days.iter().all(|day| day.grants == 0) { Vec::new() } else { days }
}

#[cfg(test)]
mod tests;
