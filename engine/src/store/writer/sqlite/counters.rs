//! The counters of limits, whose rows follow the journal at a distance.
//!
//! Of all that a paid call writes, only the rows of `cap_window` lie anywhere in their table: written with every batch, each of
//! them takes a page of the log. But they follow from the journal: a hold names its counters and its amount, its end what was
//! captured. So the rows may be late. `chain_head.counted_seq` says up to which entry they are true;
//! what the entries behind it made of counters is known here, and is counted again from the journal after a crash. Whether a
//! call fits into its limits is decided with what is known here: never with a row that is late. `docs/adr/0021-late-counters.md`.

use std::collections::{BTreeMap, btree_map};

use rusqlite::{Connection, OptionalExtension as _};

use super::books::SLOT;
use crate::{
    credits::Credits,
    ledger::{
        caps::{Counter, CounterKey},
        chain::ChainHead,
        facts::Facts,
        leaf::decode_counters,
        plan::Plan,
    },
    store::StoreError,
};

/// So few counters are written with the batch that changes them: with few callers the rows are true at once.
const FEW: usize = 8;
/// More are written together when they were last written so long ago, in microseconds.
const LATE_US: i64 = 250_000;
/// More counters than these are never late.
const PENDING_MAX: usize = 20_000;

/// The holds behind an entry and the ends of holds, in the order in which they were decided. By the keys of both tables: what
/// was counted is not looked at. Of an end without its hold the counters are `NULL`.
const TAIL: &str = "SELECT seq, counters, amount, NULL AS captured FROM hold WHERE slot = ?1 AND seq > ?2
    UNION ALL SELECT r.seq, h.counters, h.amount, r.captured
    FROM hold_resolution r LEFT JOIN hold h ON h.id = r.hold_id WHERE r.slot = ?1 AND r.seq > ?2 ORDER BY seq";

/// When a batch writes the rows of counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    /// When they are few, or the last time was long enough ago.
    InTime,
    /// With this batch.
    AtOnce,
}

/// What is known of counters beyond their rows.
#[derive(Debug, Default)]
pub(super) struct Counters {
    /// Up to and including which entry of the journal the rows are true.
    counted_seq: i64,
    /// The counters that entries behind it have changed, as they are now. Only a commit changes this.
    pending: BTreeMap<CounterKey, Counter>,
    /// When rows were last written, in microseconds since the Unix epoch; `None`: not since the database was read.
    written_us: Option<i64>,
    /// What the open transaction makes of this.
    open: Option<Open>,
}

/// What a transaction has written of counters.
#[derive(Debug)]
struct Open {
    turn: Turn,
    counted_seq: i64,
}

/// What a batch does to counters.
#[derive(Debug)]
pub(super) struct Turn {
    /// What it makes of them.
    changed: BTreeMap<CounterKey, Counter>,
    /// It writes the rows of all that are not true.
    is_written: bool,
    /// After it all rows are true.
    is_level: bool,
    now_us: i64,
}

/// The counters that `plan` changes, as the facts have them.
pub(super) fn changed_by(plan: &Plan, facts: &Facts) -> rusqlite::Result<BTreeMap<CounterKey, Counter>> {
    let changed = |key: &CounterKey| {
        // Left out, it would count as true.
        let unknown = || rusqlite::Error::ToSqlConversionFailure("a counter was changed and is not known".into());
        Ok((*key, *facts.counters.get(key).ok_or_else(unknown)?))
    };
    plan.counters.iter().map(changed).collect()
}

impl Counters {
    /// Counts what the journal has behind `counted_seq`, up to which the rows are true.
    ///
    /// # Errors
    /// The journal ends before it, or holds what makes no sense.
    pub(super) fn read(connection: &Connection, head: &ChainHead, counted_seq: i64) -> Result<Self, StoreError> {
        if !(0..=head.seq).contains(&counted_seq) {
            let what = format!("counted_seq {counted_seq} where the journal ends with {}", head.seq);
            return Err(StoreError::Inconsistent { table: "chain_head", what });
        }
        let mut counters = Self { counted_seq, ..Self::default() };
        let mut statement = connection.prepare_cached(TAIL)?;
        let mut rows = statement.query((SLOT, counted_seq))?;
        while let Some(row) = rows.next()? {
            let seq: i64 = row.get(0)?;
            let nonsense = |what: &str| {
                let what = format!("{what} of the entry {seq}");
                StoreError::Inconsistent { table: "hold", what }
            };
            let keys = row.get::<_, Option<Vec<u8>>>(1)?.ok_or_else(|| nonsense("the missing hold"))?;
            let keys = decode_counters(&keys).ok_or_else(|| nonsense("the counters"))?;
            let (amount, captured) = (row.get(2)?, row.get::<_, Option<i64>>(3)?);
            for key in keys {
                let counter = match counters.pending.entry(key) {
                    btree_map::Entry::Occupied(known) => known.into_mut(),
                    btree_map::Entry::Vacant(place) => place.insert(read_row(connection, key)?),
                };
                let held = Credits::from_micros(amount);
                *counter = match captured {
                    Some(captured) => counter.settling(held, Credits::from_micros(captured)),
                    None => counter.holding(held).ok_or_else(|| nonsense("the amount"))?,
                };
            }
        }
        Ok(counters)
    }

    /// Up to and including which entry the rows are true.
    pub(super) const fn counted_seq(&self) -> i64 {
        self.counted_seq
    }

    /// A counter as it is now. One that nobody has used is zero.
    pub(super) fn find(&self, connection: &Connection, key: CounterKey) -> rusqlite::Result<Counter> {
        match self.pending.get(&key) {
            Some(counter) => Ok(*counter),
            None => read_row(connection, key),
        }
    }

    /// What a batch that makes `changed` of counters at `now_us` has to do.
    pub(super) fn turn(&self, changed: BTreeMap<CounterKey, Counter>, now_us: i64, rows: Rows) -> Turn {
        let new = changed.keys().filter(|key| !self.pending.contains_key(key)).count();
        let late = self.pending.len().saturating_add(new);
        // A clock that was set back tells nothing.
        let is_due = |written_us: i64| now_us < written_us || now_us.saturating_sub(written_us) >= LATE_US;
        let is_time = rows == Rows::AtOnce || late <= FEW || late > PENDING_MAX || self.written_us.is_none_or(is_due);
        Turn { changed, is_written: late > 0 && is_time, is_level: late == 0 || is_time, now_us }
    }

    /// Up to which entry the rows are true after `turn`, with which the journal ends at `seq`.
    pub(super) const fn counted_after(&self, turn: &Turn, seq: i64) -> i64 {
        if turn.is_level { seq } else { self.counted_seq }
    }

    /// Writes the rows, if it is time, into the open transaction, with which the journal ends at `seq`.
    pub(super) fn write(&mut self, connection: &Connection, turn: Turn, seq: i64) -> rusqlite::Result<()> {
        if turn.is_written {
            let mut upsert = connection.prepare_cached(
                "INSERT INTO cap_window (cap_id, start_us, spent, held) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (cap_id, start_us) DO UPDATE SET spent = excluded.spent, held = excluded.held",
            )?;
            // In the order of their keys: neighbours are on one page.
            let mut rows = self.pending.clone();
            rows.extend(&turn.changed);
            for (key, counter) in &rows {
                upsert.execute((key.cap.uuid().as_bytes(), key.start_us, counter.spent, counter.held))?;
            }
        }
        self.open = Some(Open { counted_seq: self.counted_after(&turn, seq), turn });
        Ok(())
    }

    /// The open transaction is on the disk.
    pub(super) fn committed(&mut self) {
        let Some(Open { turn, counted_seq }) = self.open.take() else { return };
        self.counted_seq = counted_seq;
        if turn.is_written {
            self.written_us = Some(turn.now_us);
        }
        if turn.is_level {
            self.pending.clear();
        } else {
            self.pending.extend(turn.changed);
        }
    }

    /// The open transaction has not happened.
    pub(super) fn taken_back(&mut self) {
        self.open = None;
    }
}

/// A counter as its row has it.
fn read_row(connection: &Connection, key: CounterKey) -> rusqlite::Result<Counter> {
    let found = connection
        .prepare_cached("SELECT spent, held FROM cap_window WHERE cap_id = ?1 AND start_us = ?2")?
        .query_row((key.cap.uuid().as_bytes(), key.start_us), |row| {
            Ok(Counter { spent: row.get(0)?, held: row.get(1)? })
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}

#[cfg(test)]
mod tests;
