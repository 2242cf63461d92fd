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
    let [mut holds, mut settlements, mut refusals] =
        [prepare(source, HOLDS)?, prepare(source, SETTLEMENTS)?, prepare(source, REFUSALS)?];
    let batches = Batches::open(Table::open(BATCHES, batches.open()?)?, sink)?;
    let postings = Table::open(POSTINGS, postings.open()?)?;
    let transactions = Table::open(TRANSACTIONS, transactions.open()?)?;
    let others: Others<_> = [
        (Table::open(HOLDS, holds.open()?)?, |row| rows::hold(row).map(Entry::Hold)),
        (Table::open(SETTLEMENTS, settlements.open()?)?, |row| rows::settlement(row).map(Entry::Settlement)),
        (Table::open(REFUSALS, refusals.open()?)?, |row| rows::refusal(row).map(Entry::Refusal)),
    ];
    merge(batches, postings, transactions, others, sink)
}

/// The tables whose entries stand in one row, and what such a row says.
type Others<C> = [(Table<C>, fn(&<C as Cursor>::Row) -> Decoded<Entry>); 3];

fn merge<C: Cursor>(
    mut batches: Batches<C>,
    mut postings: Table<C>,
    mut transactions: Table<C>,
    mut others: Others<C>,
    sink: &mut Sink,
) -> Result<(), StoreError> {
    while !sink.is_abandoned() {
        let other = others.iter_mut().filter(|(table, _)| table.at.is_some()).min_by_key(|(table, _)| table.at);
        let other_at = other.as_ref().and_then(|(table, _)| table.at);
        if let Some(position) = transactions.at.filter(|position| other_at.is_none_or(|other| *position <= other)) {
            batches.send_until(Some(position), sink)?;
            send_transaction(position, &mut transactions, &mut postings, sink)?;
        } else if let (Some((table, decode)), Some(position)) = (other, other_at) {
            batches.send_until(Some(position), sink)?;
            if let Some(row) = table.cursor.row() {
                sink.send(entry_line(table.name, position, row, decode(row)));
            }
            table.advance()?;
        } else {
            break;
        }
    }
    batches.send_until(None, sink)?;
    send_orphans(&mut postings, None, sink)
}

fn entry_line(table: &'static str, position: Position, row: &impl Row, decoded: Decoded<Entry>) -> Line {
    match decoded.and_then(|entry| Ok((row.read(2).ok_or("batch_no")?, entry))) {
        Ok((batch_no, entry)) => Line::Entry(position, batch_no, entry),
        Err(column) => Line::UnreadableEntry(position, Sink::unreadable(table, key_of(position), column)),
    }
}

fn send_transaction<C: Cursor>(
    position: Position,
    transactions: &mut Table<C>,
    postings: &mut Table<C>,
    sink: &mut Sink,
) -> Result<(), StoreError> {
    send_orphans(postings, Some(position), sink)?;
    let mut legs = Vec::with_capacity(3);
    let mut unreadable = None;
    for expected in 0_i64.. {
        let Some(row) = postings.cursor.row().filter(|_| postings.at == Some(position)) else { break };
        let ord = postings.part_of_key(row, 2)?;
        if ord != expected {
            let text = format!("the posting should have the number {expected}");
            sink.send(Line::Problem(posting_problem(ProblemKind::LeafMismatch, position, ord, text)));
        }
        match rows::leg(row) {
            Ok(leg) => legs.push(leg),
            Err(column) => {
                let key = format!("{}/{ord}", key_of(position));
                unreadable = unreadable.or(Some(Sink::unreadable("posting", key, column)));
            }
        }
        postings.advance()?;
    }
    if let Some(row) = transactions.cursor.row() {
        let decoded = rows::transaction(row, legs).map(Entry::Transaction);
        sink.send(match unreadable {
            Some(problem) => Line::UnreadableEntry(position, problem),
            None => entry_line(transactions.name, position, row, decoded),
        });
    }
    transactions.advance()?;
    Ok(())
}

/// Reports the postings before `end` (all that are left if there is none): no transaction has their number.
fn send_orphans(postings: &mut Table<impl Cursor>, end: Option<Position>, sink: &mut Sink) -> Result<(), StoreError> {
    while let Some(position) = postings.at.filter(|position| end.is_none_or(|end| *position < end)) {
        if let Some(row) = postings.cursor.row() {
            let ord = postings.part_of_key(row, 2)?;
            let text = "there is no transaction with this number".to_owned();
            sink.send(Line::Problem(posting_problem(ProblemKind::LeafMismatch, position, ord, text)));
        }
        postings.advance()?;
    }
    Ok(())
}

fn posting_problem(kind: ProblemKind, position: Position, ord: i64, text: String) -> Problem {
    Problem { kind, table: "posting", key: format!("{}/{ord}", key_of(position)), text }
}

fn key_of(position: Position) -> String {
    format!("{}/{}", position.slot, position.seq)
}
