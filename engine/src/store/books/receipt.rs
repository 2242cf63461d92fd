//! Finds what the books say of one name, and the way from there to a signed checkpoint.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Postgres, Sink, StoreError, halving, journal, postgres, projections, rows,
    source::{Cursor, Row as _, Select, Source, Statement as _},
    spawn, sqlite,
};
use crate::{
    id::EntryId,
    ledger::{
        chain::BatchHeader,
        checkpoint::SignedCheckpoint,
        leaf::{Digest, Entry, Position, leaf_hash},
        merkle,
        receipt::{ProvenEntry, Receipt},
        signing::NumberedKey,
        verify::{Kept, Line},
    },
    store::DatabasePlace,
};

/// What was found under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundReceipt {
    /// All of it is proven.
    Proven(Receipt),
    /// The books do not know the name.
    Unknown,
    /// No checkpoint vouches for this entry yet.
    NotYet(Position),
}

/// The receipt for what is called `id`.
///
/// # Errors
/// The database cannot be read, or the books are damaged at this place: then nothing is proven.
pub fn find_receipt(place: &DatabasePlace, id: EntryId) -> Result<FoundReceipt, StoreError> {
    with_source(place, &Find(id))
}

/// The checkpoint with this number, or the last one, with the key that signed it.
///
/// # Errors
/// The database cannot be read, or a row makes no sense.
pub fn find_checkpoint(place: &DatabasePlace, number: Option<i64>) -> Result<Option<Kept>, StoreError> {
    with_source(place, &FindCheckpoint(number))
}

/// Something that is asked of whichever database it is.
trait Question: Sync {
    type Answer: Send;
    fn ask(&self, source: &impl Source) -> Result<Self::Answer, StoreError>;
}

struct Find(EntryId);
struct FindCheckpoint(Option<i64>);

/// On a thread of its own: the caller may be one that must not wait for input and output.
fn with_source<Q: Question>(place: &DatabasePlace, question: &Q) -> Result<Q::Answer, StoreError> {
    std::thread::scope(|scope| {
        let reader = spawn(scope, || match place {
            DatabasePlace::File(path) => question.ask(&sqlite::open(path)?),
            DatabasePlace::Server(url) => postgres::read(url, |source: &Postgres| question.ask(source)),
        })?;
        reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn damaged(table: &'static str, what: impl ToString) -> StoreError {
    StoreError::Inconsistent { table, what: what.to_string() }
}

/// Every row that a cursor gives.
fn collect<C: Cursor, T>(
    table: &'static str,
    cursor: &mut C,
    mut read: impl FnMut(&C::Row) -> Option<T>,
) -> Result<Vec<T>, StoreError> {
    cursor.advance()?;
    let mut found = Vec::new();
    while let Some(row) = cursor.row() {
        found.push(read(row).ok_or_else(|| damaged(table, "a row that was looked for"))?);
        cursor.advance()?;
    }
    Ok(found)
}

/// A place, and the number of the batch that is written there.
type Place = (Position, i64);

fn places<S: Source>(source: &S, table: &'static str, condition: &str) -> Result<Vec<Place>, StoreError> {
    let sql = format!("SELECT slot, seq, batch_no FROM {table} WHERE {condition}");
    collect(table, &mut source.prepare_text(table, &sql)?.open()?, |row| {
        Some((Position { slot: row.read(0)?, seq: row.read(1)? }, row.read(2)?))
    })
}

fn keys<S: Source>(source: &S) -> Result<Vec<NumberedKey>, StoreError> {
    let Select { table, .. } = projections::KEYS;
    collect(table, &mut source.prepare(projections::KEYS)?.open()?, |row| match rows::key(row) {
        Ok(Line::Key(key)) => Some(key),
        _ => None,
    })
}

impl Question for FindCheckpoint {
    type Answer = Option<Kept>;

    fn ask(&self, source: &impl Source) -> Result<Option<Kept>, StoreError> {
        let Select { table, .. } = projections::CHECKPOINTS;
        let condition = match self.0 {
            Some(number) => format!("number = {number}"),
            None => "number = (SELECT max(number) FROM checkpoint)".to_owned(),
        };
        let sql = projections::CHECKPOINTS.only(&condition);
        let found = collect(table, &mut source.prepare_text(table, &sql)?.open()?, |row| rows::checkpoint(row).ok())?;
        let Some(signed) = found.into_iter().next() else { return Ok(None) };
        let keys = keys(source)?;
        let key = keys.iter().find(|key| key.number == signed.checkpoint.key);
        let key = key.ok_or_else(|| damaged("signing_key", format!("key {} is missing", signed.checkpoint.key)))?;
        Ok(Some(Kept { signed, public: key.public }))
    }
}

impl Question for Find {
    type Answer = FoundReceipt;

    fn ask(&self, source: &impl Source) -> Result<FoundReceipt, StoreError> {
        let found = find_places(source, self.0)?;
        if found.is_empty() {
            return Ok(FoundReceipt::Unknown);
        }
        let mut anchors = Anchors::new(source)?;
        let mut batches: BTreeMap<(i64, i64), BTreeSet<Position>> = BTreeMap::new();
        for (position, batch_no) in found {
            batches.entry((position.slot, batch_no)).or_default().insert(position);
        }
        let mut entries = Vec::new();
        for ((slot, batch_no), positions) in batches {
            let Some(checkpoint) = anchors.find(slot, batch_no)? else {
                return Ok(match positions.first() {
                    Some(position) => FoundReceipt::NotYet(*position),
                    None => FoundReceipt::Unknown,
                });
            };
            prove(source, (slot, batch_no), &positions, checkpoint, &mut entries)?;
        }
        let checkpoints: Vec<_> = anchors.found.into_values().collect();
        let signed_by: BTreeSet<_> = checkpoints.iter().map(|signed| signed.checkpoint.key).collect();
        let mut keys = keys(source)?;
        keys.retain(|key| signed_by.contains(&key.number));
        Ok(FoundReceipt::Proven(Receipt { id: self.0, entries, checkpoints, keys }))
    }
}

/// Everything that bears the name, the charges among it, and what was taken back of it.
fn find_places<S: Source>(source: &S, id: EntryId) -> Result<Vec<Place>, StoreError> {
    let id = source.id_literal(id);
    let mut found = places(source, "hold", &format!("id = {id}"))?;
    let mut ends = places(source, "hold_resolution", &format!("hold_id = {id}"))?;
    ends.extend(places(source, "hold_resolution", &format!("id = {id} AND id <> hold_id"))?);
    for (Position { slot, seq }, _) in &ends {
        // A charge follows its settlement.
        let next = seq.saturating_add(1);
        found.extend(places(source, "txn", &format!("slot = {slot} AND seq = {next} AND hold_id = {id}"))?);
    }
    found.extend(ends);
    found.extend(places(source, "txn", &format!("id = {id} AND id IS DISTINCT FROM hold_id"))?);
    found.extend(places(source, "txn", &format!("reverses = {id}"))?);
    Ok(found)
}

/// The checkpoints that vouch for what was looked for. Only a few are read for each: they are numbered without gaps, and
/// the heads of a slot only go forward.
struct Anchors<'s, S> {
    source: &'s S,
    last: i64,
    /// By number, those that entries lead to.
    found: BTreeMap<i64, SignedCheckpoint>,
}

impl<'s, S: Source> Anchors<'s, S> {
    fn new(source: &'s S) -> Result<Self, StoreError> {
        let Select { table, .. } = projections::LAST_CHECKPOINT;
        let statement = &mut source.prepare(projections::LAST_CHECKPOINT)?;
        let last: Vec<i64> = collect(table, &mut statement.open()?, |row| row.read(0))?;
        Ok(Self { source, last: last.into_iter().next().unwrap_or(0), found: BTreeMap::new() })
    }

    /// The first checkpoint that vouches for the batch; `None` if there is none yet.
    fn find(&mut self, slot: i64, batch_no: i64) -> Result<Option<&SignedCheckpoint>, StoreError> {
        let (source, last) = (self.source, self.last);
        let number = halving::first_of(last, |number| {
            let signed = read_checkpoint(source, number)?;
            Ok::<_, StoreError>(signed.checkpoint.head_of(slot).is_some_and(|head| batch_no <= head.batch_no))
        })?;
        if number > last {
            return Ok(None);
        }
        let signed = read_checkpoint(source, number)?;
        Ok(Some(self.found.entry(number).or_insert(signed)))
    }
}

fn read_checkpoint<S: Source>(source: &S, number: i64) -> Result<SignedCheckpoint, StoreError> {
    let Select { table, .. } = projections::CHECKPOINTS;
    let sql = projections::CHECKPOINTS.only(&format!("number = {number}"));
    let found = collect(table, &mut source.prepare_text(table, &sql)?.open()?, |row| rows::checkpoint(row).ok())?;
    found.into_iter().next().ok_or_else(|| damaged(table, format!("number {number} is missing")))
}

/// Follows the way from each of `positions` up to `signed`.
fn prove<S: Source>(
    source: &S,
    (slot, batch_no): (i64, i64),
    positions: &BTreeSet<Position>,
    signed: &SignedCheckpoint,
    proven: &mut Vec<ProvenEntry>,
) -> Result<(), StoreError> {
    let changed = || damaged("batch", format!("{slot}/{batch_no}: its rows are not what was hashed"));
    let sql = journal::BATCHES.only(&format!("slot = {slot} AND batch_no = {batch_no}"));
    let headers = collect("batch", &mut source.prepare_text("batch", &sql)?.open()?, |row| rows::batch(row).ok())?;
    let (header, hash) = headers.into_iter().next().ok_or_else(changed)?;
    let entries = read_entries(source, &header)?;
    let mut scratch = Vec::new();
    let leaves: Vec<_> = entries.iter().map(|(position, entry)| leaf_hash(*position, entry, &mut scratch)).collect();
    let head = signed.checkpoint.head_of(slot).ok_or_else(changed)?;
    let sql = format!(
        "SELECT hash FROM batch WHERE slot = {slot} AND batch_no > {} AND batch_no <= {} ORDER BY batch_no",
        head.after, head.batch_no
    );
    let span: Vec<Digest> = collect("batch", &mut source.prepare_text("batch", &sql)?.open()?, |row| row.read(0))?;
    if merkle::root(&leaves) != header.root || header.hash() != hash || merkle::root(&span) != head.span {
        return Err(changed());
    }
    let in_span = usize::try_from(batch_no.saturating_sub(head.after).saturating_sub(1)).map_err(|_size| changed())?;
    let span_path = merkle::path(&span, in_span).ok_or_else(changed)?;
    for (index, (position, entry)) in entries.into_iter().enumerate() {
        if positions.contains(&position) {
            proven.push(ProvenEntry {
                position,
                entry,
                path: merkle::path(&leaves, index).ok_or_else(changed)?,
                header,
                hash,
                span_path: span_path.clone(),
                checkpoint: signed.checkpoint.number,
            });
        }
    }
    Ok(())
}

/// The entries of a batch by their numbers.
fn read_entries<S: Source>(source: &S, header: &BatchHeader) -> Result<Vec<(Position, Entry)>, StoreError> {
    let mut sink = Sink::keeping();
    journal::read_batch(source, header, &mut sink)?;
    let mut entries = Vec::new();
    for line in sink.take_lines() {
        match line {
            Line::Entry(position, _, entry) => entries.push((position, entry)),
            Line::Problem(problem) | Line::UnreadableEntry(_, problem) => {
                return Err(damaged(problem.table, format!("{}: {}", problem.key, problem.text)));
            }
            _ => {}
        }
    }
    Ok(entries)
}
