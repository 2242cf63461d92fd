//! Merges the tables of the books into one stream: every batch before its entries, entries by their number.

use super::{
    Sink, StoreError,
    rows::{self, Decoded},
    source::{Cursor, Row, Select, Source, Statement as _},
};
use crate::ledger::{
    chain::BatchHeader,
    leaf::{Digest, Entry, Position},
    verify::{Line, Problem, ProblemKind},
};

/// The postings in the order of their transactions. Every statement here follows its table's primary key: nothing is
/// sorted, nothing is joined.
pub(super) const POSTINGS: Select = Select {
    table: "posting",
    sql: "SELECT slot, seq, ord, debit, credit, amount FROM posting ORDER BY slot, seq, ord",
};
pub(super) const BATCHES: Select = Select {
    table: "batch",
    sql: "SELECT slot, batch_no, epoch, first_seq, n_entry, n_posting, total, recorded_us, client_batch_id,
                 merkle_root, prev_hash, hash
          FROM batch ORDER BY slot, batch_no",
};
const TRANSACTIONS: Select = Select {
    table: "txn",
    sql: "SELECT slot, seq, batch_no, id, kind, hold_id, reverses, effective_us, meta_hash
          FROM txn ORDER BY slot, seq",
};
const HOLDS: Select = Select {
    table: "hold",
    sql: "SELECT slot, seq, batch_no, id, wallet, payee, amount, ttl_us, publisher_bps, partner_bps, partner,
                 expiry_capture, counters, meta_hash
          FROM hold ORDER BY slot, seq",
};
const SETTLEMENTS: Select = Select {
    table: "hold_resolution",
    sql: "SELECT slot, seq, batch_no, hold_id, id, outcome, captured, meta_hash
          FROM hold_resolution ORDER BY slot, seq",
};
const REFUSALS: Select = Select {
    table: "refusal",
    sql: "SELECT slot, seq, batch_no, id, wallet, reason, needed FROM refusal ORDER BY slot, seq",
};
const SOURCES: Select = Select {
    table: "hold_source",
    sql: "SELECT slot, seq, ord, grant_id, account, amount FROM hold_source ORDER BY slot, seq, ord",
};
const GRANTS: Select = Select {
    table: "wallet_grant",
    sql: "SELECT slot, seq, batch_no, id, wallet, account, priority, expires_us FROM wallet_grant ORDER BY slot, seq",
};
const CLOSES: Select = Select {
    table: "period_close",
    sql: "SELECT slot, seq, batch_no, id, period, start_us, end_us, cut, digest FROM period_close ORDER BY slot, seq",
};

/// A table that is being read, at one of its rows.
struct Table<C> {
    name: &'static str,
    cursor: C,
    /// Of the present row; `None` after the last.
    at: Option<Position>,
}

impl<C: Cursor> Table<C> {
    fn open(Select { table, .. }: Select, cursor: C) -> Result<Self, StoreError> {
        let mut table = Self { name: table, cursor, at: None };
        table.advance()?;
        Ok(table)
    }

    fn advance(&mut self) -> Result<(), StoreError> {
        self.cursor.advance()?;
        self.at = match self.cursor.row() {
            Some(row) => Some(Position { slot: self.part_of_key(row, 0)?, seq: self.part_of_key(row, 1)? }),
            None => None,
        };
        Ok(())
    }

    /// Without its place a row cannot be put among the others, nor can those after it.
    fn part_of_key(&self, row: &C::Row, index: usize) -> Result<i64, StoreError> {
        let fault = || StoreError::Inconsistent { table: self.name, what: "the primary key".to_owned() };
        row.read(index).ok_or_else(fault)
    }
}

/// Where the entries of a batch end.
struct Extent {
    slot: i64,
    end_seq: i64,
}

/// The batches, one ahead.
struct Batches<C> {
    table: Table<C>,
    next: Option<(BatchHeader, Digest)>,
    current: Option<Extent>,
}

impl<C: Cursor> Batches<C> {
    fn open(table: Table<C>, sink: &mut Sink) -> Result<Self, StoreError> {
        let mut batches = Self { table, next: None, current: None };
        batches.look_ahead(sink)?;
        Ok(batches)
    }

    fn look_ahead(&mut self, sink: &mut Sink) -> Result<(), StoreError> {
        self.next = None;
        while let (None, Some(position), Some(row)) = (self.next, self.table.at, self.table.cursor.row()) {
            match rows::batch(row) {
                Ok(batch) => self.next = Some(batch),
                Err(column) => sink.send(Line::Problem(Sink::unreadable("batch", key_of(position), column))),
            }
            self.table.advance()?;
        }
        Ok(())
    }

    /// Sends every batch that begins at or before `entry`; all that are left if there is no entry any more.
    fn send_until(&mut self, entry: Option<Position>, sink: &mut Sink) -> Result<(), StoreError> {
        while let Some((header, hash)) = self.next.filter(|(header, _)| self.is_due(header, entry)) {
            self.look_ahead(sink)?;
            let following = self.next.as_ref().filter(|(next, _)| next.slot == header.slot);
            self.current = Some(Extent { slot: header.slot, end_seq: end_of(&header, &hash, following) });
            sink.send(Line::Batch(header, hash));
        }
        Ok(())
    }

    fn is_due(&self, header: &BatchHeader, entry: Option<Position>) -> bool {
        entry.is_none_or(|entry| {
            let is_over = |current: &Extent| current.slot != entry.slot || entry.seq >= current.end_seq;
            header.slot < entry.slot || (header.slot == entry.slot && self.current.as_ref().is_none_or(is_over))
        })
    }
}

/// Headers that follow each other agree on where the first one ends. If they do not, the one that carries its own hash
/// is believed, so that one damaged header does not make all rows after it look wrong.
fn end_of(header: &BatchHeader, hash: &Digest, following: Option<&(BatchHeader, Digest)>) -> i64 {
    let end_seq = header.first_seq.saturating_add(header.entries);
    match following {
        Some((next, next_hash)) if next.first_seq != end_seq && header.hash() != *hash && next.hash() == *next_hash => {
            next.first_seq
        }
        _ => end_seq,
    }
}

/// Sends the books.
pub(super) fn read(source: &impl Source, sink: &mut Sink) -> Result<(), StoreError> {
    read_rows(source, sink, Source::prepare)
}

/// Sends a batch and its entries.
pub(super) fn read_batch(source: &impl Source, header: &BatchHeader, sink: &mut Sink) -> Result<(), StoreError> {
    let BatchHeader { slot, batch_no, first_seq, entries, .. } = *header;
    let last_seq = first_seq.saturating_add(entries).saturating_sub(1);
    read_rows(source, sink, |source, select| {
        let rows = match select.table {
            "batch" => format!("batch_no = {batch_no}"),
            _ => format!("seq BETWEEN {first_seq} AND {last_seq}"),
        };
        source.prepare_text(select.table, &select.only(&format!("slot = {slot} AND {rows}")))
    })
}

fn read_rows<'s, S: Source>(
    source: &'s S,
    sink: &mut Sink,
    prepare: impl Fn(&'s S, Select) -> Result<S::Statement<'s>, StoreError>,
) -> Result<(), StoreError> {
    let [mut batches, mut postings, mut transactions] =
        [prepare(source, BATCHES)?, prepare(source, POSTINGS)?, prepare(source, TRANSACTIONS)?];
    let [mut holds, mut sources, mut settlements] =
        [prepare(source, HOLDS)?, prepare(source, SOURCES)?, prepare(source, SETTLEMENTS)?];
    let [mut refusals, mut grants, mut closes] =
        [prepare(source, REFUSALS)?, prepare(source, GRANTS)?, prepare(source, CLOSES)?];
    let batches = Batches::open(Table::open(BATCHES, batches.open()?)?, sink)?;
    let mut compound = Compound {
        transactions: Table::open(TRANSACTIONS, transactions.open()?)?,
        postings: Table::open(POSTINGS, postings.open()?)?,
        holds: Table::open(HOLDS, holds.open()?)?,
        sources: Table::open(SOURCES, sources.open()?)?,
    };
    let others: Others<_> = [
        (Table::open(SETTLEMENTS, settlements.open()?)?, |row| rows::settlement(row).map(Entry::Settlement)),
        (Table::open(REFUSALS, refusals.open()?)?, |row| rows::refusal(row).map(Entry::Refusal)),
        (Table::open(GRANTS, grants.open()?)?, |row| rows::grant(row).map(Entry::Grant)),
        (Table::open(CLOSES, closes.open()?)?, |row| rows::close(row).map(Entry::Close)),
    ];
    merge(batches, &mut compound, others, sink)
}

/// The tables whose entries stand in one row, and what such a row says.
type Others<C> = [(Table<C>, fn(&<C as Cursor>::Row) -> Decoded<Entry>); 4];

/// The tables whose entries have parts in another table.
struct Compound<C> {
    transactions: Table<C>,
    postings: Table<C>,
    holds: Table<C>,
    sources: Table<C>,
}

fn merge<C: Cursor>(
    mut batches: Batches<C>,
    compound: &mut Compound<C>,
    mut others: Others<C>,
    sink: &mut Sink,
) -> Result<(), StoreError> {
    while !sink.is_abandoned() {
        let other = others.iter_mut().filter(|(table, _)| table.at.is_some()).min_by_key(|(table, _)| table.at);
        let other_at = other.as_ref().and_then(|(table, _)| table.at);
        let (transaction_at, hold_at) = (compound.transactions.at, compound.holds.at);
        let Some(position) = [transaction_at, hold_at, other_at].into_iter().flatten().min() else { break };
        batches.send_until(Some(position), sink)?;
        if transaction_at == Some(position) {
            let Compound { transactions, postings, .. } = &mut *compound;
            send_with_parts(position, transactions, postings, rows::leg, sink, |row, legs| {
                rows::transaction(row, legs).map(Entry::Transaction)
            })?;
        } else if hold_at == Some(position) {
            let Compound { holds, sources, .. } = &mut *compound;
            send_with_parts(position, holds, sources, rows::source, sink, |row, sources| {
                rows::hold(row, sources).map(Entry::Hold)
            })?;
        } else if let Some((table, decode)) = other {
            if let Some(row) = table.cursor.row() {
                sink.send(entry_line(table.name, position, row, decode(row)));
            }
            table.advance()?;
        }
    }
    batches.send_until(None, sink)?;
    send_orphans(&mut compound.postings, None, sink)?;
    send_orphans(&mut compound.sources, None, sink)
}

fn entry_line(table: &'static str, position: Position, row: &impl Row, decoded: Decoded<Entry>) -> Line {
    match decoded.and_then(|entry| Ok((row.read(2).ok_or("batch_no")?, entry))) {
        Ok((batch_no, entry)) => Line::Entry(position, batch_no, entry),
        Err(column) => Line::UnreadableEntry(position, Sink::unreadable(table, key_of(position), column)),
    }
}

/// Sends an entry with its parts, which stand in `parts` under the entry's number.
fn send_with_parts<C: Cursor, P>(
    position: Position,
    entries: &mut Table<C>,
    parts: &mut Table<C>,
    decode_part: impl Fn(&C::Row) -> Decoded<P>,
    sink: &mut Sink,
    decode: impl Fn(&C::Row, Vec<P>) -> Decoded<Entry>,
) -> Result<(), StoreError> {
    send_orphans(parts, Some(position), sink)?;
    let mut decoded_parts = Vec::with_capacity(3);
    let mut unreadable = None;
    for expected in 0_i64.. {
        let Some(row) = parts.cursor.row().filter(|_| parts.at == Some(position)) else { break };
        let ord = parts.part_of_key(row, 2)?;
        if ord != expected {
            let text = format!("the row should have the number {expected}");
            sink.send(Line::Problem(part_problem(parts.name, position, ord, text)));
        }
        match decode_part(row) {
            Ok(part) => decoded_parts.push(part),
            Err(column) => {
                let key = format!("{}/{ord}", key_of(position));
                unreadable = unreadable.or(Some(Sink::unreadable(parts.name, key, column)));
            }
        }
        parts.advance()?;
    }
    if let Some(row) = entries.cursor.row() {
        let decoded = decode(row, decoded_parts);
        sink.send(match unreadable {
            Some(problem) => Line::UnreadableEntry(position, problem),
            None => entry_line(entries.name, position, row, decoded),
        });
    }
    entries.advance()?;
    Ok(())
}

/// Reports the parts before `end` (all that are left if there is none): no entry has their number.
fn send_orphans(parts: &mut Table<impl Cursor>, end: Option<Position>, sink: &mut Sink) -> Result<(), StoreError> {
    while let Some(position) = parts.at.filter(|position| end.is_none_or(|end| *position < end)) {
        if let Some(row) = parts.cursor.row() {
            let ord = parts.part_of_key(row, 2)?;
            let text = match parts.name {
                "posting" => "there is no transaction with this number",
                _ => "there is no hold with this number",
            };
            sink.send(Line::Problem(part_problem(parts.name, position, ord, text.to_owned())));
        }
        parts.advance()?;
    }
    Ok(())
}

fn part_problem(table: &'static str, position: Position, ord: i64, text: String) -> Problem {
    Problem { kind: ProblemKind::LeafMismatch, table, key: format!("{}/{ord}", key_of(position)), text }
}

fn key_of(position: Position) -> String {
    format!("{}/{}", position.slot, position.seq)
}
