//! Reads the entries of some batches.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{
    Books, ReportError,
    plan::{Stretch, nonsense},
};
use crate::{
    ledger::{
        chain::BatchHeader,
        export::Needs,
        leaf::{Entry, Position},
    },
    store::books::{
        rows::{self, Decoded},
        source::{Cursor, Row, Select, Source as _, Statement as _},
    },
};

const TRANSACTIONS: Select = Select {
    table: "txn",
    sql: "SELECT slot, seq, batch_no, id, kind, hold_id, reverses, effective_us, meta_hash
          FROM txn WHERE slot = $1 AND seq BETWEEN $2 AND $3 ORDER BY slot, seq",
};
const POSTINGS: Select = Select {
    table: "posting",
    sql: "SELECT slot, seq, ord, debit, credit, amount
          FROM posting WHERE slot = $1 AND seq BETWEEN $2 AND $3 ORDER BY slot, seq, ord",
};
const HOLDS: Select = Select {
    table: "hold",
    sql: "SELECT slot, seq, batch_no, id, wallet, payee, amount, ttl_us, publisher_bps, partner_bps, partner,
                 expiry_capture, counters, meta_hash
          FROM hold WHERE slot = $1 AND seq BETWEEN $2 AND $3 ORDER BY slot, seq",
};
const SETTLEMENTS: Select = Select {
    table: "hold_resolution",
    sql: "SELECT slot, seq, batch_no, hold_id, id, outcome, captured, meta_hash
          FROM hold_resolution WHERE slot = $1 AND seq BETWEEN $2 AND $3 ORDER BY slot, seq",
};
const REFUSALS: Select = Select {
    table: "refusal",
    sql: "SELECT slot, seq, batch_no, id, wallet, reason, needed
          FROM refusal WHERE slot = $1 AND seq BETWEEN $2 AND $3 ORDER BY slot, seq",
};
const SOURCES: Select = Select {
    table: "hold_source",
    sql: "SELECT slot, seq, ord, grant_id, account, amount
          FROM hold_source WHERE slot = $1 AND seq BETWEEN $2 AND $3 ORDER BY slot, seq, ord",
};
const GRANTS: Select = Select {
    table: "wallet_grant",
    sql: "SELECT slot, seq, batch_no, id, wallet, account, priority, expires_us
          FROM wallet_grant WHERE slot = $1 AND seq BETWEEN $2 AND $3 ORDER BY slot, seq",
};
const CLOSES: Select = Select {
    table: "period_close",
    sql: "SELECT slot, seq, batch_no, id, period, start_us, end_us, cut, digest
          FROM period_close WHERE slot = $1 AND seq BETWEEN $2 AND $3 ORDER BY slot, seq",
};
/// A charge carries the identifier of its call, and what takes it back names that.
const TOOLS: Select = Select {
    table: "invocation",
    sql: "SELECT t.slot, t.seq, i.tool_id
          FROM txn t JOIN invocation i ON i.id = coalesce(t.hold_id, t.reverses)
          WHERE t.slot = $1 AND t.seq BETWEEN $2 AND $3 AND i.tool_id IS NOT NULL",
};
const ENDS: Select = Select {
    table: "hold_resolution",
    sql: "SELECT h.slot, h.seq, r.slot, r.seq FROM hold h JOIN hold_resolution r ON r.hold_id = h.id
          WHERE h.slot = $1 AND h.seq BETWEEN $2 AND $3",
};

/// An entry with what stands beside it.
pub(super) struct PageRow {
    pub(super) entry: Entry,
    pub(super) tool: Option<Uuid>,
    pub(super) end: Option<Position>,
}

/// The entries of some batches of a slot, those that were asked for.
pub(super) struct Page {
    stretch: Stretch,
    first_seq: i64,
    /// By number, from `first_seq` on.
    rows: Vec<Option<PageRow>>,
}

impl Page {
    /// The rows in their order.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&BatchHeader, Position, &PageRow)> {
        let mut batches = self.stretch.batches.iter().peekable();
        let numbered = (self.first_seq..).zip(&self.rows);
        numbered.filter_map(move |(seq, row)| {
            let ends_before = |header: &BatchHeader| header.first_seq.saturating_add(header.entries) <= seq;
            while batches.next_if(|header| ends_before(header)).is_some() {}
            Some((*batches.peek()?, Position { slot: self.stretch.slot, seq }, row.as_ref()?))
        })
    }

    /// How many numbers it covers.
    pub(super) fn entries(&self) -> u64 {
        u64::try_from(self.rows.len()).unwrap_or(u64::MAX)
    }

    fn at(&mut self, seq: i64) -> Option<&mut Option<PageRow>> {
        usize::try_from(seq.checked_sub(self.first_seq)?).ok().and_then(|at| self.rows.get_mut(at))
    }

    fn add_leg(&mut self, row: &impl Row) -> Result<(), ReportError> {
        let slot = self.stretch.slot;
        let leg = rows::leg(row).map_err(|column| nonsense("posting", column))?;
        let (seq, ord) = (number(row, 1)?, number(row, 2)?);
        match self.at(seq) {
            Some(Some(PageRow { entry: Entry::Transaction(entry), .. }))
                if usize::try_from(ord) == Ok(entry.legs.len()) =>
            {
                entry.legs.push(leg);
                Ok(())
            }
            _ => Err(nonsense("posting", &format!("{slot}/{seq}/{ord} belongs to no transaction"))),
        }
    }

    fn add_source(&mut self, row: &impl Row) -> Result<(), ReportError> {
        let slot = self.stretch.slot;
        let source = rows::source(row).map_err(|column| nonsense("hold_source", column))?;
        let (seq, ord) = (number(row, 1)?, number(row, 2)?);
        match self.at(seq) {
            Some(Some(PageRow { entry: Entry::Hold(entry), .. }))
                if usize::try_from(ord) == Ok(entry.sources.len()) =>
            {
                entry.sources.push(source);
                Ok(())
            }
            _ => Err(nonsense("hold_source", &format!("{slot}/{seq}/{ord} belongs to no hold"))),
        }
    }

    /// Everything that was asked for is there, as far as that can be said: the books have no gaps.
    fn check(&self, needs: Needs) -> Result<(), ReportError> {
        let is_whole = needs.transactions && needs.holds && needs.settlements && needs.refusals;
        match (self.first_seq..).zip(&self.rows).find(|(_, row)| is_whole && row.is_none()) {
            Some((seq, _)) => Err(nonsense("batch", &format!("entry {}/{seq} is missing", self.stretch.slot))),
            None => Ok(()),
        }
    }

    fn put(&mut self, table: &'static str, seq: i64, entry: Entry) -> Result<(), ReportError> {
        let slot = self.stretch.slot;
        match self.at(seq) {
            Some(place @ None) => {
                *place = Some(PageRow { entry, tool: None, end: None });
                Ok(())
            }
            _ => Err(nonsense(table, &format!("two entries at {slot}/{seq}"))),
        }
    }
}

/// Reads what `needs` asks for. Ends of holds count up to `ends`, the last entry of every slot.
pub(super) fn read_page(
    books: &impl Books,
    stretch: Stretch,
    needs: Needs,
    ends: BTreeMap<i64, i64>,
) -> Result<Page, ReportError> {
    let (Some(first), Some(last)) = (stretch.batches.first(), stretch.batches.last()) else {
        return Ok(Page { stretch, first_seq: 0, rows: Vec::new() });
    };
    let (first_seq, end_seq) = (first.first_seq, last.first_seq.saturating_add(last.entries));
    let numbers = [stretch.slot, first_seq, end_seq.saturating_sub(1)];
    let count = usize::try_from(end_seq.saturating_sub(first_seq)).unwrap_or(0);
    let mut page = Page { stretch, first_seq, rows: Vec::new() };
    page.rows.resize_with(count, || None);
    let source = books.page(&numbers);
    if needs.transactions {
        let decode = |row: &_| rows::transaction(row, Vec::new()).map(Entry::Transaction);
        read_entries(&mut source.prepare(TRANSACTIONS)?.open()?, TRANSACTIONS, &mut page, decode)?;
        each(&mut source.prepare(POSTINGS)?.open()?, |row| page.add_leg(row))?;
    }
    if needs.holds {
        let decode = |row: &_| rows::hold(row, Vec::new()).map(Entry::Hold);
        read_entries(&mut source.prepare(HOLDS)?.open()?, HOLDS, &mut page, decode)?;
        each(&mut source.prepare(SOURCES)?.open()?, |row| page.add_source(row))?;
    }
    if needs.settlements {
        let decode = |row: &_| rows::settlement(row).map(Entry::Settlement);
        read_entries(&mut source.prepare(SETTLEMENTS)?.open()?, SETTLEMENTS, &mut page, decode)?;
    }
    if needs.refusals {
        let decode = |row: &_| rows::refusal(row).map(Entry::Refusal);
        read_entries(&mut source.prepare(REFUSALS)?.open()?, REFUSALS, &mut page, decode)?;
        // Whoever asks for refusals wants every entry.
        let decode = |row: &_| rows::grant(row).map(Entry::Grant);
        read_entries(&mut source.prepare(GRANTS)?.open()?, GRANTS, &mut page, decode)?;
        let decode = |row: &_| rows::close(row).map(Entry::Close);
        read_entries(&mut source.prepare(CLOSES)?.open()?, CLOSES, &mut page, decode)?;
    }
    if needs.tools {
        each(&mut source.prepare(TOOLS)?.open()?, |row| {
            let tool = row.read(2).map(Uuid::from_bytes).ok_or_else(|| nonsense("invocation", "tool_id"))?;
            if let Some(Some(found)) = page.at(number(row, 1)?) {
                found.tool = Some(tool);
            }
            Ok(())
        })?;
    }
    if needs.ends {
        each(&mut source.prepare(ENDS)?.open()?, |row| {
            let end = Position { slot: number(row, 2)?, seq: number(row, 3)? };
            let is_within = ends.get(&end.slot).is_some_and(|last| end.seq <= *last);
            if let Some(Some(found)) = page.at(number(row, 1)?).filter(|_| is_within) {
                found.end = Some(end);
            }
            Ok(())
        })?;
    }
    page.check(needs)?;
    Ok(page)
}

fn number(row: &impl Row, index: usize) -> Result<i64, ReportError> {
    row.read(index).ok_or_else(|| nonsense("posting", "the primary key"))
}

pub(super) fn each<C: Cursor>(
    cursor: &mut C,
    mut take: impl FnMut(&C::Row) -> Result<(), ReportError>,
) -> Result<(), ReportError> {
    cursor.advance()?;
    while let Some(row) = cursor.row() {
        take(row)?;
        cursor.advance()?;
    }
    Ok(())
}

fn read_entries<C: Cursor>(
    cursor: &mut C,
    Select { table, .. }: Select,
    page: &mut Page,
    decode: impl Fn(&C::Row) -> Decoded<Entry>,
) -> Result<(), ReportError> {
    each(cursor, |row| {
        let entry = decode(row).map_err(|column| nonsense(table, column))?;
        page.put(table, number(row, 1)?, entry)
    })
}
