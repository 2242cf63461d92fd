//! Periods: stretches of the books that are closed one after the other and never change again.
//!
//! No transaction carries the number of its period. Which one it belongs to follows from two things that are hashed: when
//! it counts (`effective_us`), and where it stands in the chain. A close records, for every slot, the last entry that was
//! there (the *cut*). What stands behind a period's cut can no longer belong to it: a fact that arrives late belongs to the
//! first period that was open then, and keeps the time at which it counts. So there is no moment in which a transaction
//! could slip into a closed period or fall between two, and a close makes nobody wait.

use std::collections::BTreeMap;

use super::{
    accounts::{AccountKind, LedgerAccountId},
    caps::CapWindow,
    leaf::{Bytes, Digest, Position, sha256},
};
use crate::id::EntryId;

/// The close of a period: a line of the books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeriodClose {
    /// The close's own identifier.
    pub id: EntryId,
    /// Counts the periods from 1, without gaps.
    pub period: i64,
    /// The first moment that belongs to it, in microseconds since the Unix epoch. Of the first period it says what it is
    /// called after: what counts before it belongs to the first period, too.
    pub start_us: i64,
    /// The first moment after it.
    pub end_us: i64,
    /// For every slot with entries the last one that was there, in the order of the slots.
    pub cut: Vec<Position>,
    /// Of the trial balance: [`digest`].
    pub digest: Digest,
}

impl PeriodClose {
    /// The last entry of `slot` that was there; 0 if there was none.
    pub fn cut_of(&self, slot: i64) -> i64 {
        self.cut.iter().find(|last| last.slot == slot).map_or(0, |last| last.seq)
    }

    /// `2026-11` if it is that month, else nothing.
    pub fn month(&self) -> Option<String> {
        month_of(self.start_us, self.end_us)
    }
}

/// The month, as `2026-11`, that begins at `start_us` and ends at `end_us` (microseconds since the Unix epoch, UTC).
pub fn month_of(start_us: i64, end_us: i64) -> Option<String> {
    if CapWindow::Month.bounds(start_us) != (start_us, Some(end_us)) {
        return None;
    }
    let start = jiff::Timestamp::from_microsecond(start_us).ok()?;
    start.to_string().get(..7).map(str::to_owned)
}

/// When the period that begins at `start_us` ends of itself: with its month in UTC. In microseconds since the Unix epoch.
pub fn end_of_month(start_us: i64) -> Option<i64> {
    CapWindow::Month.bounds(start_us).1
}

/// The first moment of the month in UTC that `us` is in, in microseconds since the Unix epoch.
pub fn start_of_month(us: i64) -> i64 {
    CapWindow::Month.bounds(us).0
}

/// The cut as one column: 16 bytes for each slot (slot, last entry).
pub fn encode_cut(cut: &[Position]) -> Vec<u8> {
    cut.iter().flat_map(|last| [last.slot.to_be_bytes(), last.seq.to_be_bytes()]).flatten().collect()
}

/// Reads what [`encode_cut`] wrote; `None` when the bytes are damaged.
pub fn decode_cut(bytes: &[u8]) -> Option<Vec<Position>> {
    let (items, rest) = bytes.as_chunks::<16>();
    if !rest.is_empty() {
        return None;
    }
    items
        .iter()
        .map(|item| {
            let (slot, seq) = item.split_at_checked(8)?;
            Some(Position {
                slot: i64::from_be_bytes(slot.try_into().ok()?),
                seq: i64::from_be_bytes(seq.try_into().ok()?),
            })
        })
        .collect()
}

/// The closed periods, in their order.
#[derive(Debug, Clone, Default)]
pub struct Calendar {
    closes: Vec<PeriodClose>,
}

impl Calendar {
    /// Of `closes` in the order of their numbers.
    pub const fn of(closes: Vec<PeriodClose>) -> Self {
        Self { closes }
    }

    /// The closed periods.
    pub fn closes(&self) -> &[PeriodClose] {
        &self.closes
    }

    /// The last one.
    pub fn last(&self) -> Option<&PeriodClose> {
        self.closes.last()
    }

    /// The number of the period that is open.
    pub fn open(&self) -> i64 {
        self.last().map_or(1, |last| last.period.saturating_add(1))
    }

    /// The number of the period to which the transaction at `position` belongs that counts at `effective_us`: the first one
    /// that was not over by then, and was still open when the transaction was recorded.
    pub fn period_of(&self, position: Position, effective_us: i64) -> i64 {
        // Ends rise, and no cut lies before the one of the period before it.
        let by_time = self.closes.partition_point(|close| close.end_us <= effective_us);
        let by_place = self.closes.partition_point(|close| close.cut_of(position.slot) < position.seq);
        self.closes.get(by_time.max(by_place)).map_or(self.open(), |close| close.period)
    }
}

/// What a line of a trial balance is about: the kind of the accounts, and the account, 0 for all of the kind together.
pub type BalanceKey = (i16, i64);

/// Accounts of customers are as many as there are customers, so they stand in one line for each kind.
pub fn balance_key(kind: AccountKind, account: LedgerAccountId) -> BalanceKey {
    (kind.raw(), if kind.is_limited() { 0 } else { account.raw() })
}

/// The lines that every trial balance has, moved or not.
pub fn lasting_keys() -> impl Iterator<Item = BalanceKey> {
    let known = LedgerAccountId::WELL_KNOWN.into_iter().map(|(id, kind)| balance_key(kind, id));
    known.chain([(AccountKind::Wallet.raw(), 0), (AccountKind::Grant.raw(), 0)])
}

/// A line of a period's trial balance, in micro-credits. A balance is credits less debits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BalanceRow {
    /// Of what.
    pub key: BalanceKey,
    /// The balance at the beginning: that at the end of the period before.
    pub opening: i64,
    /// What went out.
    pub debits: i64,
    /// What came in.
    pub credits: i64,
    /// The balance at the end.
    pub closing: i64,
}

/// A balance left 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sum of the trial balance does not fit into 64 bits")]
pub struct TooLarge;

/// The trial balance of the period after one that ended with `before` (nothing before the first one), in which every line
/// moved by `moved` (debits, credits). Lines are in the order of their keys; one that was there once stays.
///
/// # Errors
/// A balance does not fit.
pub fn trial_balance(
    before: &[BalanceRow],
    moved: &BTreeMap<BalanceKey, (i128, i128)>,
) -> Result<Vec<BalanceRow>, TooLarge> {
    let openings: BTreeMap<BalanceKey, i64> = before.iter().map(|row| (row.key, row.closing)).collect();
    let mut keys: Vec<BalanceKey> =
        lasting_keys().chain(openings.keys().copied()).chain(moved.keys().copied()).collect();
    keys.sort_unstable();
    keys.dedup();
    let fit = |sum: i128| i64::try_from(sum).map_err(|_wide| TooLarge);
    keys.into_iter()
        .map(|key| {
            let opening = openings.get(&key).copied().unwrap_or(0);
            let (debits, credits) = moved.get(&key).copied().unwrap_or_default();
            let closing = i128::from(opening).saturating_add(credits).saturating_sub(debits);
            Ok(BalanceRow { key, opening, debits: fit(debits)?, credits: fit(credits)?, closing: fit(closing)? })
        })
        .collect()
}

/// `SHA-256(0x03 || period || lines)`, the lines as a list of their six numbers: kind, account, opening, debits, credits,
/// closing.
pub fn digest(period: i64, rows: &[BalanceRow]) -> Digest {
    let mut out = vec![0x03];
    let mut bytes = Bytes(&mut out);
    bytes.int(period);
    bytes.raw(&u32::try_from(rows.len()).unwrap_or(u32::MAX).to_be_bytes());
    for row in rows {
        let (kind, account) = row.key;
        for number in [kind.into(), account, row.opening, row.debits, row.credits, row.closing] {
            bytes.int(number);
        }
    }
    sha256(&out)
}

#[cfg(test)]
mod tests;
