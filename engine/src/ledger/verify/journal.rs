//! Follows the chains: numbers without gaps, rows that are what was hashed, batches that follow each other.

use std::collections::BTreeMap;

use super::{
    Counts, Findings, Line, Problem, ProblemKind, Problems,
    anchors::{Anchors, Kept},
    facts::Facts,
    key_of,
    money::Money,
    movements::Movements,
    table_of,
};
use crate::{
    audit::AuditVerifier,
    ledger::{
        chain::{BatchHeader, ChainHead, GENESIS},
        checkpoint::Checkpoint,
        leaf::{Digest, Entry, Position, leaf_hash},
        merkle,
    },
};

/// Checks a stream of [`Line`]s.
#[derive(Debug, Default)]
pub struct Verifier {
    pub(super) problems: Problems,
    pub(super) money: Money,
    movements: Movements,
    pub(super) facts: Facts,
    pub(super) chains: BTreeMap<i64, Chain>,
    pub(super) anchors: Anchors,
    /// By slot: batches up to here are believed as they stand.
    believed: BTreeMap<i64, i64>,
    pub(super) counts: Counts,
    pub(super) trail: AuditVerifier,
    /// The chain that is being followed.
    current: Option<Chain>,
    leaves: Vec<Digest>,
    scratch: Vec<u8>,
}

/// One slot's chain as far as it has been followed.
#[derive(Debug)]
pub(super) struct Chain {
    /// `seq` is the last entry's that a batch covers; `hash` is computed from the last header.
    pub(super) head: ChainHead,
    /// The hash that is stored with the last header. It differs from the computed one only if that was reported.
    stored_hash: Digest,
    open: Option<OpenBatch>,
    /// Over the stored hashes since the last checkpoint.
    span: merkle::Frontier,
    /// A run of rows that no batch covers.
    strays: Option<(i64, i64)>,
    /// The database has a head for it.
    pub(super) has_stored_head: bool,
}

/// The batch whose entries are being read.
#[derive(Debug)]
struct OpenBatch {
    header: BatchHeader,
    stored_hash: Digest,
    /// The header is what was hashed.
    is_intact: bool,
    /// Its rows are not hashed.
    is_believed: bool,
    /// What `prev_hash` should be.
    prev_hash: Digest,
    first_seq: i64,
    next_seq: i64,
    entries: i64,
    postings: i64,
    total: i128,
    /// Rows are missing or unreadable, which was reported: the root cannot be right.
    is_partial: bool,
}

impl OpenBatch {
    /// The number after the last entry's, as the header says.
    const fn end(&self) -> i64 {
        self.header.first_seq.saturating_add(self.header.entries)
    }

    /// A header that is what was hashed says itself which rows are its own; after another one, all are that follow.
    const fn covers(&self, seq: i64) -> bool {
        !self.is_intact || (seq >= self.header.first_seq && seq < self.end())
    }

    fn key(&self) -> String {
        format!("{}/{}", self.header.slot, self.header.batch_no)
    }
}

impl Chain {
    fn new(slot: i64) -> Self {
        let head = ChainHead { slot, epoch: 0, batch_no: 0, seq: 0, last_us: 0, hash: GENESIS };
        let span = merkle::Frontier::default();
        Self { head, stored_hash: GENESIS, open: None, span, strays: None, has_stored_head: false }
    }

    /// Whether `hash` is the last batch's. If the stored one and the computed one differ, that is a problem of its own.
    pub(super) fn ends_with(&self, hash: &Digest) -> bool {
        self.head.hash == *hash || self.stored_hash == *hash
    }
}

impl Verifier {
    /// Before the first line. The books must go through what was `kept` outside, too.
    pub fn new(kept: Vec<Kept>) -> Self {
        Self { anchors: Anchors::new(kept), ..Self::default() }
    }

    /// As [`Self::new`], for books whose rows up to `checkpoint` are believed as they stand: only what came after is
    /// hashed. The chains must go through its heads all the same, and balances are added up from the first row on.
    pub fn believing(checkpoint: &Checkpoint, kept: Vec<Kept>) -> Self {
        let believed = checkpoint.heads.iter().map(|head| (head.slot, head.batch_no)).collect();
        Self { believed, ..Self::new(kept) }
    }

    /// Takes the next line.
    pub fn take(&mut self, line: Line) {
        match line {
            Line::Account { id, kind, code } => self.money.account(id, kind, &code, &mut self.problems),
            Line::RefundTotal(id, total) => self.movements.total(id, total),
            Line::Statement(id, statement) => self.movements.statement(id, statement),
            Line::Key(key) => self.anchors.key(key, &mut self.problems),
            Line::Checkpoint(signed) => self.anchors.checkpoint(&signed, &mut self.problems),
            Line::Batch(header, stored_hash) => self.batch(&header, stored_hash),
            Line::Entry(position, batch_no, entry) => self.entry(position, batch_no, entry),
            Line::UnreadableEntry(position, problem) => self.unreadable(position, problem),
            Line::Problem(problem) => self.problems.push(problem),
            Line::Close(close) => self.money.periods.announce(close, &mut self.problems),
            Line::CountedTo(place) => self.money.count_to(place),
            beside => {
                self.end_books();
                self.stored(&beside);
            }
        }
    }

    /// After the last line.
    pub fn finish(mut self) -> Findings {
        self.end_books();
        self.report_missing();
        let ends = |slot: i64| self.chains.get(&slot).map_or(0, |chain| chain.head.seq);
        self.money.periods.finish(ends, &mut self.problems);
        Findings {
            counts: self.counts,
            heads: self.chains.values().map(|chain| chain.head).collect(),
            checkpoint: self.anchors.last(),
            problems: self.problems.kept,
            problem_count: self.problems.count,
        }
    }

    fn batch(&mut self, header: &BatchHeader, stored_hash: Digest) {
        self.counts.batches = self.counts.batches.saturating_add(1);
        self.anchors.complete(&mut self.problems);
        self.follow(header.slot);
        self.close_batch();
        let Some(chain) = &mut self.current else { return };
        let (problems, head) = (&mut self.problems, &chain.head);
        let key = || format!("{}/{}", header.slot, header.batch_no);
        let expected_no = head.batch_no.saturating_add(1);
        let mut next_seq = head.seq.saturating_add(1);
        // Of the batches that are believed, the last one's hash is what the checkpoint vouches for.
        let believed_to = self.believed.get(&header.slot).copied().unwrap_or(0);
        let computed = if header.batch_no < believed_to { stored_hash } else { header.hash() };
        let is_intact = computed == stored_hash;
        let mut prev_hash = head.hash;
        if header.batch_no == expected_no {
            if chain.ends_with(&header.prev_hash) {
                prev_hash = header.prev_hash;
            } else {
                problems.add(ProblemKind::LinkMismatch, "batch", key(), || {
                    "`prev_hash` is not the hash of the batch before".to_owned()
                });
            }
            // Of a header that is not what was hashed, `first_seq` is compared with the rows instead.
            if is_intact && header.first_seq != next_seq {
                let kind = if header.first_seq > next_seq { ProblemKind::Gap } else { ProblemKind::Fork };
                problems.add(kind, "batch", key(), || {
                    format!("`first_seq` is {}, the batch before ends with {}", header.first_seq, head.seq)
                });
                next_seq = header.first_seq;
            }
        } else {
            let kind = if header.batch_no > expected_no { ProblemKind::Gap } else { ProblemKind::Fork };
            problems.add(kind, "batch", key(), || format!("batch {expected_no} should stand here"));
            prev_hash = header.prev_hash;
            next_seq = header.first_seq;
        }
        if header.recorded_us < head.last_us {
            problems.add(ProblemKind::TimeBackwards, "batch", key(), || {
                format!("`recorded_us` is {}, that of the batch before {}", header.recorded_us, head.last_us)
            });
        }
        if header.epoch < head.epoch {
            problems.add(ProblemKind::Fork, "batch", key(), || {
                format!("a writer of term {} went on after term {}", header.epoch, head.epoch)
            });
        }
        chain.open = Some(OpenBatch {
            header: *header,
            stored_hash,
            is_intact,
            is_believed: header.batch_no <= believed_to,
            prev_hash,
            first_seq: next_seq,
            next_seq,
            entries: 0,
            postings: 0,
            total: 0,
            is_partial: false,
        });
        // A header that follows a gap begins a new run.
        chain.head.hash = computed;
        chain.stored_hash = stored_hash;
    }

    fn entry(&mut self, position: Position, batch_no: i64, entry: Entry) {
        self.counts.entries = self.counts.entries.saturating_add(1);
        if let Entry::Transaction(transaction) = &entry {
            self.counts.transactions = self.counts.transactions.saturating_add(1);
            let postings = u64::try_from(transaction.legs.len()).unwrap_or(u64::MAX);
            self.counts.postings = self.counts.postings.saturating_add(postings);
        }
        if self.place(position, table_of(&entry), Some(batch_no)) {
            if self.open_batch().is_some_and(|open| !open.is_believed) {
                self.leaves.push(leaf_hash(position, &entry, &mut self.scratch));
            }
            if let (Some(open), Entry::Transaction(transaction)) = (self.open_batch(), &entry) {
                for leg in &transaction.legs {
                    open.postings = open.postings.saturating_add(1);
                    open.total = open.total.saturating_add(leg.amount.micros().into());
                }
            }
        }
        match &entry {
            Entry::Transaction(transaction) => {
                self.movements.transaction(position, transaction, &mut self.problems);
            }
            Entry::Grant(grant) => self.movements.grant(grant),
            _ => {}
        }
        let recorded_us = self.open_batch().map_or(0, |open| open.header.recorded_us);
        if let Entry::Transaction(transaction) = &entry {
            self.facts.transaction(position, recorded_us, transaction, &mut self.problems);
        }
        self.money.entry(position, recorded_us, entry, &mut self.problems);
    }

    fn unreadable(&mut self, position: Position, problem: Problem) {
        self.counts.entries = self.counts.entries.saturating_add(1);
        self.place(position, problem.table, None);
        if let Some(open) = self.open_batch() {
            open.is_partial = true;
        }
        self.money.forget_due_charge();
        self.problems.push(problem);
    }

    fn open_batch(&mut self) -> Option<&mut OpenBatch> {
        self.current.as_mut()?.open.as_mut()
    }

    /// Checks a row's number; whether the open batch covers it.
    fn place(&mut self, position: Position, table: &'static str, batch_no: Option<i64>) -> bool {
        self.follow(position.slot);
        let Some(chain) = &mut self.current else { return false };
        let Some(open) = chain.open.as_mut().filter(|open| open.covers(position.seq)) else {
            let first = chain.strays.map_or(position.seq, |(first, _)| first);
            chain.strays = Some((first, position.seq));
            return false;
        };
        if position.seq < open.next_seq {
            open.is_partial = true;
            self.problems.add(ProblemKind::Fork, table, key_of(position), || "another row has this number".to_owned());
        } else if position.seq > open.next_seq {
            report_gap(&mut self.problems, open, position.seq);
        }
        open.next_seq = open.next_seq.max(position.seq.saturating_add(1));
        open.entries = open.entries.saturating_add(1);
        if let Some(batch_no) = batch_no.filter(|batch_no| *batch_no != open.header.batch_no) {
            self.problems.add(ProblemKind::LeafMismatch, table, key_of(position), || {
                format!("`batch_no` is {batch_no}, the row was hashed into batch {}", open.header.batch_no)
            });
        }
        true
    }

    /// Makes `slot`'s chain the current one.
    fn follow(&mut self, slot: i64) {
        if self.current.as_ref().is_none_or(|chain| chain.head.slot != slot) {
            self.end_chain();
            self.current = Some(Chain::new(slot));
        }
    }

    fn end_chain(&mut self) {
        self.close_batch();
        if let Some(chain) = self.current.take() {
            self.money.end_slot(chain.head.slot, &mut self.problems);
            self.chains.insert(chain.head.slot, chain);
        }
    }

    fn end_books(&mut self) {
        self.end_chain();
        self.money.end_books(&mut self.problems);
        self.movements.end_books(&mut self.problems);
        self.anchors.end(&mut self.problems);
    }

    /// Compares the batch with its rows.
    fn close_batch(&mut self) {
        let Some(chain) = &mut self.current else { return };
        if let Some((first, last)) = chain.strays.take() {
            self.problems.add(ProblemKind::LeafMismatch, "batch", chain.head.slot, || {
                format!("no batch covers the rows from {first} to {last}")
            });
        }
        let Some(mut open) = chain.open.take() else { return };
        if open.is_intact && open.next_seq < open.end() {
            let end = open.end();
            report_gap(&mut self.problems, &mut open, end);
            open.next_seq = end;
        }
        compare_with_rows(&mut self.problems, &open, &self.leaves);
        self.leaves.clear();
        chain.head.epoch = chain.head.epoch.max(open.header.epoch);
        chain.head.batch_no = open.header.batch_no;
        chain.head.seq = open.next_seq.saturating_sub(1);
        chain.head.last_us = chain.head.last_us.max(open.header.recorded_us);
        chain.span.push(chain.stored_hash);
        // What is wrong with an earlier batch makes the span wrong, too, and was reported.
        let is_sound = self.problems.count == 0;
        let place = (chain.head.slot, chain.head.batch_no, chain.head.seq);
        let span = || is_sound.then(|| chain.span.root());
        if self.anchors.passed(place, |hash| chain.ends_with(hash), span, &mut self.problems) {
            chain.span = merkle::Frontier::default();
        }
    }
}

fn report_gap(problems: &mut Problems, open: &mut OpenBatch, end: i64) {
    open.is_partial = true;
    let (first, last) = (open.next_seq, end.saturating_sub(1));
    problems.add(ProblemKind::Gap, "batch", open.key(), || format!("the rows from {first} to {last} are missing"));
}

/// Compares a header with what its rows make of it.
fn compare_with_rows(problems: &mut Problems, open: &OpenBatch, leaves: &[Digest]) {
    let header = &open.header;
    let damaged = || "the header is not what `hash` was computed from".to_owned();
    if open.is_partial {
        if !open.is_intact {
            problems.add(ProblemKind::HeaderMismatch, "batch", open.key(), damaged);
        }
        return;
    }
    let derived = BatchHeader {
        first_seq: open.first_seq,
        entries: open.entries,
        postings: open.postings,
        total: i64::try_from(open.total).unwrap_or(i64::MAX),
        root: if open.is_believed { header.root } else { merkle::root(leaves) },
        prev_hash: open.prev_hash,
        ..*header
    };
    for (column, stored, derived) in [
        ("first_seq", header.first_seq, derived.first_seq),
        ("n_entry", header.entries, derived.entries),
        ("n_posting", header.postings, derived.postings),
        ("total", header.total, derived.total),
    ] {
        problems.compare((ProblemKind::CountMismatch, "batch"), open.key(), column, (stored, derived));
    }
    if open.is_intact && header.root == derived.root {
        return;
    }
    if open.is_believed {
        return;
    }
    // If the header that the rows make is what was hashed, the stored one was changed; if not, the rows were.
    let is_explained = derived.hash() == open.stored_hash;
    if header.root != derived.root {
        let kind = if is_explained { ProblemKind::RootMismatch } else { ProblemKind::LeafMismatch };
        let (first, last) = (open.first_seq, open.next_seq.saturating_sub(1));
        problems.add(kind, "batch", open.key(), || match kind {
            ProblemKind::RootMismatch => "`merkle_root` is not that of the rows".to_owned(),
            _ => format!("the rows from {first} to {last} are not what was hashed"),
        });
    }
    if !open.is_intact && !is_explained {
        problems.add(ProblemKind::HeaderMismatch, "batch", open.key(), damaged);
    }
}
