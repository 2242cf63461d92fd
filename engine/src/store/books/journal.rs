//! Merges the tables of the books into one stream: every batch before its entries, entries by their number.

use rusqlite::{Connection, Row, Rows, Statement, fallible_streaming_iterator::FallibleStreamingIterator as _};

use super::{
    Sink, StoreError,
    rows::{self, Decoded},
};
use crate::ledger::{
    chain::BatchHeader,
    leaf::{Digest, Entry, Position},
    verify::{Line, Problem, ProblemKind},
};

/// The postings in the order of their transactions. Every statement here follows its table's primary key: nothing is
/// sorted, nothing is joined.
pub(super) const POSTINGS: &str = "SELECT slot, seq, ord, debit, credit, amount FROM posting ORDER BY slot, seq, ord";
const BATCHES: &str =
    "SELECT slot, batch_no, epoch, first_seq, n_entry, n_posting, total, recorded_us, client_batch_id,
                              merkle_root, prev_hash, hash
                       FROM batch ORDER BY slot, batch_no";
const TRANSACTIONS: &str = "SELECT slot, seq, batch_no, id, kind, hold_id, reverses, effective_us, meta_hash
                            FROM txn ORDER BY slot, seq";
const HOLDS: &str =
    "SELECT slot, seq, batch_no, id, wallet, payee, amount, ttl_us, publisher_bps, partner_bps, partner,
                            expiry_capture, counters, meta_hash
                     FROM hold ORDER BY slot, seq";
const SETTLEMENTS: &str = "SELECT slot, seq, batch_no, hold_id, id, outcome, captured, meta_hash
                           FROM hold_resolution ORDER BY slot, seq";
const REFUSALS: &str = "SELECT slot, seq, batch_no, id, wallet, reason, needed FROM refusal ORDER BY slot, seq";

/// A table that is being read, at one of its rows.
struct Cursor<'s> {
    rows: Rows<'s>,
    /// Of the present row; `None` after the last.
    at: Option<Position>,
}

impl<'s> Cursor<'s> {
    fn open(statement: &'s mut Statement<'_>) -> rusqlite::Result<Self> {
        let mut cursor = Self { rows: statement.query([])?, at: None };
        cursor.advance()?;
        Ok(cursor)
    }

    fn advance(&mut self) -> rusqlite::Result<()> {
        self.rows.advance()?;
        self.at = match self.rows.get() {
            Some(row) => Some(Position { slot: row.get(0)?, seq: row.get(1)? }),
            None => None,
        };
        Ok(())
    }
}

/// Where the entries of a batch end.
struct Extent {
    slot: i64,
    end_seq: i64,
}

/// The batches, one ahead.
struct Batches<'s> {
    cursor: Cursor<'s>,
    next: Option<(BatchHeader, Digest)>,
    current: Option<Extent>,
}

impl<'s> Batches<'s> {
    fn open(statement: &'s mut Statement<'_>, sink: &mut Sink) -> rusqlite::Result<Self> {
        let mut batches = Self { cursor: Cursor::open(statement)?, next: None, current: None };
        batches.look_ahead(sink)?;
        Ok(batches)
    }

    fn look_ahead(&mut self, sink: &mut Sink) -> rusqlite::Result<()> {
        self.next = None;
        while let (None, Some(Position { slot, seq }), Some(row)) = (self.next, self.cursor.at, self.cursor.rows.get())
        {
            match rows::batch(row) {
                Ok(batch) => self.next = Some(batch),
                Err(column) => sink.send(Line::Problem(Sink::unreadable("batch", format!("{slot}/{seq}"), column))),
            }
            self.cursor.advance()?;
        }
        Ok(())
    }

    /// Sends every batch that begins at or before `entry`; all that are left if there is no entry any more.
    fn send_until(&mut self, entry: Option<Position>, sink: &mut Sink) -> rusqlite::Result<()> {
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
pub(super) fn read(connection: &Connection, sink: &mut Sink) -> Result<(), StoreError> {
    let mut statements = [BATCHES, POSTINGS, TRANSACTIONS, HOLDS, SETTLEMENTS, REFUSALS]
        .map(|sql| connection.prepare(sql))
        .into_iter()
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let [batches, postings, transactions, holds, settlements, refusals] = statements.as_mut_slice() else {
        return Ok(());
    };
    let mut batches = Batches::open(batches, sink)?;
    let mut postings = Cursor::open(postings)?;
    let mut transactions = Cursor::open(transactions)?;
    let mut others: [(&str, Cursor<'_>, Decode); 3] = [
        ("hold", Cursor::open(holds)?, decode_hold),
        ("hold_resolution", Cursor::open(settlements)?, decode_settlement),
        ("refusal", Cursor::open(refusals)?, decode_refusal),
    ];
    loop {
        let others = others.iter_mut().filter(|(_, cursor, _)| cursor.at.is_some());
        let other = others.min_by_key(|(_, cursor, _)| cursor.at);
        let other_at = other.as_ref().and_then(|(_, cursor, _)| cursor.at);
        if let Some(position) = transactions.at.filter(|position| other_at.is_none_or(|other| *position <= other)) {
            batches.send_until(Some(position), sink)?;
            send_transaction(position, &mut transactions, &mut postings, sink)?;
        } else if let (Some((table, cursor, decode)), Some(position)) = (other, other_at) {
            batches.send_until(Some(position), sink)?;
            if let Some(row) = cursor.rows.get() {
                sink.send(entry_line(table, position, row, decode(row)));
            }
            cursor.advance()?;
        } else {
            break;
        }
    }
    batches.send_until(None, sink)?;
    send_orphans(&mut postings, None, sink)
}

type Decode = fn(&Row<'_>) -> Decoded<Entry>;

fn decode_hold(row: &Row<'_>) -> Decoded<Entry> {
    rows::hold(row).map(Entry::Hold)
}

fn decode_settlement(row: &Row<'_>) -> Decoded<Entry> {
    rows::settlement(row).map(Entry::Settlement)
}

fn decode_refusal(row: &Row<'_>) -> Decoded<Entry> {
    rows::refusal(row).map(Entry::Refusal)
}

fn entry_line(table: &'static str, position: Position, row: &Row<'_>, decoded: Decoded<Entry>) -> Line {
    let with_batch = decoded.and_then(|entry| Ok((row.get(2).map_err(|_nonsense| "batch_no")?, entry)));
    match with_batch {
        Ok((batch_no, entry)) => Line::Entry(position, batch_no, entry),
        Err(column) => Line::UnreadableEntry(position, Sink::unreadable(table, key_of(position), column)),
    }
}

fn send_transaction(
    position: Position,
    transactions: &mut Cursor<'_>,
    postings: &mut Cursor<'_>,
    sink: &mut Sink,
) -> Result<(), StoreError> {
    send_orphans(postings, Some(position), sink)?;
    let mut legs = Vec::with_capacity(3);
    let mut unreadable = None;
    for expected in 0_i64.. {
        let Some(row) = postings.rows.get().filter(|_| postings.at == Some(position)) else { break };
        let ord: i64 = row.get(2)?;
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
    if let Some(row) = transactions.rows.get() {
        let decoded = rows::transaction(row, legs).map(Entry::Transaction);
        sink.send(match unreadable {
            Some(problem) => Line::UnreadableEntry(position, problem),
            None => entry_line("txn", position, row, decoded),
        });
    }
    transactions.advance()?;
    Ok(())
}

/// Reports the postings before `end` (all that are left if there is none): no transaction has their number.
fn send_orphans(postings: &mut Cursor<'_>, end: Option<Position>, sink: &mut Sink) -> Result<(), StoreError> {
    while let Some(position) = postings.at.filter(|position| end.is_none_or(|end| *position < end)) {
        if let Some(row) = postings.rows.get() {
            let text = "there is no transaction with this number".to_owned();
            sink.send(Line::Problem(posting_problem(ProblemKind::LeafMismatch, position, row.get(2)?, text)));
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
