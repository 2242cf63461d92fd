//! In which order the batches of all slots are read, and up to where.

use std::collections::{BTreeMap, VecDeque};

use super::{Books, ReportError, span_of};
use crate::{
    ledger::{
        chain::{BatchHeader, ChainHead},
        export::{Needs, Span, day_of, manifest::Position, request::Request},
        leaf::Digest,
        verify::Line,
    },
    store::{
        StoreError,
        books::{
            halving::first_of,
            rows,
            source::{Cursor as _, Select, Source as _, Statement as _},
        },
    },
};

/// How many entries a page has at most; a batch is never divided.
const PAGE_ENTRIES: i64 = 4_096;
/// How many headers are read at once.
const HEADERS: i64 = 1_024;

const HEADS: Select = Select {
    table: "chain_head",
    sql: "SELECT slot, epoch, batch_no, seq, last_us, hash FROM chain_head WHERE batch_no > 0 ORDER BY slot",
};
const BATCHES: Select = Select {
    table: "batch",
    sql: "SELECT slot, batch_no, epoch, first_seq, n_entry, n_posting, total, recorded_us, client_batch_id,
                 merkle_root, prev_hash, hash
          FROM batch WHERE slot = $1 AND batch_no BETWEEN $2 AND $3 ORDER BY slot, batch_no",
};

/// Consecutive batches of a slot: what is read at once.
pub(super) struct Stretch {
    pub(super) slot: i64,
    pub(super) batches: Vec<BatchHeader>,
}

/// Where one slot's reading stands.
struct Reading {
    slot: i64,
    /// Read ahead; the first is the next.
    waiting: VecDeque<BatchHeader>,
    /// The number of the first batch that is not among them.
    next_no: i64,
    /// The entry that has to come next, once one has come.
    next_seq: Option<i64>,
    end: Position,
    end_no: i64,
}

/// The way through the batches.
pub(super) struct Plan {
    slots: Vec<Reading>,
    is_by_day: bool,
    recorded: Option<(i64, i64)>,
    has_opening: bool,
    entries: u64,
}

impl Plan {
    /// Fixes the end, which is now or where the request says, and finds the beginning.
    pub(super) fn make(books: &impl Books, request: &Request, needs: Needs) -> Result<Self, ReportError> {
        let mut plan =
            Self { slots: Vec::new(), is_by_day: needs.by_day, recorded: None, has_opening: false, entries: 0 };
        for head in read_heads(books)? {
            if let Some(end) = find_end(books, &head, request.to_us)? {
                plan.add_slot(books, request, needs, end)?;
            }
        }
        Ok(plan)
    }

    fn add_slot(
        &mut self,
        books: &impl Books,
        request: &Request,
        needs: Needs,
        (header, hash): (BatchHeader, Digest),
    ) -> Result<(), ReportError> {
        let from_no = match request.from_us {
            Some(from_us) => find_first(books, header.slot, header.batch_no, from_us)?,
            None => 1,
        };
        let first_no = if needs.opening { 1 } else { from_no };
        self.has_opening |= from_no > 1 && needs.opening;
        let seq = header.first_seq.saturating_add(header.entries).saturating_sub(1);
        let end = Position { slot: header.slot, batch_no: Some(header.batch_no), seq, hash };
        let mut slot = Reading {
            slot: header.slot,
            waiting: VecDeque::new(),
            next_no: first_no,
            next_seq: None,
            end,
            end_no: header.batch_no,
        };
        slot.look_ahead(books)?;
        if let Some(first) = slot.waiting.front() {
            let entries = seq.saturating_sub(first.first_seq).saturating_add(1);
            self.entries = self.entries.saturating_add(u64::try_from(entries).unwrap_or(0));
            let (earliest, latest) = self.recorded.unwrap_or((first.recorded_us, header.recorded_us));
            self.recorded = Some((earliest.min(first.recorded_us), latest.max(header.recorded_us)));
        }
        self.slots.push(slot);
        Ok(())
    }

    /// The days that it covers.
    pub(super) fn span(&self, request: &Request) -> Span {
        span_of(request, self.recorded, self.has_opening)
    }

    /// Up to where it goes, slot by slot.
    pub(super) fn position(&self) -> Vec<Position> {
        self.slots.iter().map(|slot| slot.end).collect()
    }

    /// The last entry of every slot.
    pub(super) fn ends(&self) -> BTreeMap<i64, i64> {
        self.slots.iter().map(|slot| (slot.slot, slot.end.seq)).collect()
    }

    /// How many entries there are to read.
    pub(super) const fn entries(&self) -> u64 {
        self.entries
    }

    /// What is read next; `None` at the end.
    pub(super) fn next(&mut self, books: &impl Books) -> Result<Option<Stretch>, ReportError> {
        let is_by_day = self.is_by_day;
        let day = |header: &BatchHeader| if is_by_day { day_of(header.recorded_us) } else { 0 };
        let due = self.slots.iter_mut().filter(|slot| !slot.waiting.is_empty());
        let Some(slot) = due.min_by_key(|slot| (slot.waiting.front().map(day), slot.slot)) else { return Ok(None) };
        let mut stretch = Stretch { slot: slot.slot, batches: Vec::new() };
        let (mut entries, mut of_day) = (0_i64, None);
        while let Some(header) = slot.waiting.front() {
            let total = entries.saturating_add(header.entries);
            if of_day.is_some_and(|of_day| of_day != day(header)) || (of_day.is_some() && total > PAGE_ENTRIES) {
                break;
            }
            (entries, of_day) = (total, Some(day(header)));
            slot.expect(header.first_seq)?;
            slot.next_seq = Some(header.first_seq.saturating_add(header.entries));
            stretch.batches.extend(slot.waiting.pop_front());
            if slot.waiting.is_empty() {
                slot.look_ahead(books)?;
            }
        }
        Ok(Some(stretch))
    }
}

impl Reading {
    fn look_ahead(&mut self, books: &impl Books) -> Result<(), ReportError> {
        let last = self.next_no.saturating_add(HEADERS).saturating_sub(1).min(self.end_no);
        if self.next_no > last {
            return Ok(());
        }
        for (header, _) in read_batches(books, self.slot, self.next_no, last)? {
            if header.batch_no != self.next_no {
                return Err(missing(self.slot, self.next_no));
            }
            self.next_no = self.next_no.saturating_add(1);
            self.waiting.push_back(header);
        }
        if self.next_no <= last {
            return Err(missing(self.slot, self.next_no));
        }
        Ok(())
    }

    fn expect(&self, first_seq: i64) -> Result<(), ReportError> {
        match self.next_seq {
            Some(expected) if expected != first_seq => {
                let what = format!("batches of slot {} do not follow each other at entry {expected}", self.slot);
                Err(StoreError::Inconsistent { table: "batch", what }.into())
            }
            _ => Ok(()),
        }
    }
}

fn missing(slot: i64, batch_no: i64) -> ReportError {
    StoreError::Inconsistent { table: "batch", what: format!("batch {batch_no} of slot {slot} is missing") }.into()
}

fn read_heads(books: &impl Books) -> Result<Vec<ChainHead>, ReportError> {
    let page = books.page(&[]);
    let mut statement = page.prepare(HEADS)?;
    let mut cursor = statement.open()?;
    let mut heads = Vec::new();
    cursor.advance()?;
    while let Some(row) = cursor.row() {
        match rows::head(row) {
            Ok(Line::Head(head)) => heads.push(head),
            Ok(_) => {}
            Err(column) => return Err(nonsense("chain_head", column)),
        }
        cursor.advance()?;
    }
    Ok(heads)
}

fn read_batches(
    books: &impl Books,
    slot: i64,
    first: i64,
    last: i64,
) -> Result<Vec<(BatchHeader, Digest)>, ReportError> {
    let numbers = [slot, first, last];
    let page = books.page(&numbers);
    let mut statement = page.prepare(BATCHES)?;
    let mut cursor = statement.open()?;
    let mut batches = Vec::new();
    cursor.advance()?;
    while let Some(row) = cursor.row() {
        let (header, hash) = rows::batch(row).map_err(|column| nonsense("batch", column))?;
        // Its numbers decide how much memory a page takes: nothing is believed that was not hashed.
        if header.hash() != hash {
            return Err(nonsense("batch", &format!("the header of {slot}/{} is not what was hashed", header.batch_no)));
        }
        batches.push((header, hash));
        cursor.advance()?;
    }
    Ok(batches)
}

fn read_batch(books: &impl Books, slot: i64, batch_no: i64) -> Result<(BatchHeader, Digest), ReportError> {
    read_batches(books, slot, batch_no, batch_no)?.pop().ok_or_else(|| missing(slot, batch_no))
}

/// The last batch of the slot before `to_us`; `None` if there is none.
fn find_end(
    books: &impl Books,
    head: &ChainHead,
    to_us: Option<i64>,
) -> Result<Option<(BatchHeader, Digest)>, ReportError> {
    let last = match to_us {
        Some(to_us) => find_first(books, head.slot, head.batch_no, to_us)?.saturating_sub(1),
        None => head.batch_no,
    };
    if last < 1 { Ok(None) } else { read_batch(books, head.slot, last).map(Some) }
}

/// The number of the slot's first batch that was recorded at `from_us` or later; one more than `last` if none was. The
/// times of a slot never go back, so it is enough to look at a few.
fn find_first(books: &impl Books, slot: i64, last: i64, from_us: i64) -> Result<i64, ReportError> {
    first_of(last, |batch_no| read_batch(books, slot, batch_no).map(|(header, _)| header.recorded_us >= from_us))
}

pub(super) fn nonsense(table: &'static str, column: &str) -> ReportError {
    StoreError::Inconsistent { table, what: column.to_owned() }.into()
}
