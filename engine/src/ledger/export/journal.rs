//! The journal for accounting tools: every transaction, or sums by day, kind, wallet and publisher. Amounts are whole
//! micro-credits, debits positive, so that no tool has a tolerance to apply.

use std::collections::BTreeMap;

use super::{Frame, Item, Render, Span, day_of, out::Out};
use crate::{
    id::EntryId,
    ledger::{
        AccountKind, LedgerAccountId, TransactionKind,
        leaf::{Digest, Entry, Position, TransactionEntry},
        merkle::Frontier,
    },
};

/// The commodity: one micro-credit.
pub const COMMODITY: &str = "UCR";

/// What an accounting transaction says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About<'a> {
    /// What was before the first day.
    Opening,
    /// Sums of a day.
    Sums {
        /// Why money moved.
        kind: TransactionKind,
        /// How many transactions.
        count: u64,
        /// The first of them.
        first: Position,
        /// The last of them.
        last: Position,
        /// In how many batches they stand.
        batches: u64,
        /// The Merkle root over these batches' roots, in their order; of one batch its root.
        root: Digest,
    },
    /// One transaction.
    One {
        /// It.
        entry: &'a TransactionEntry,
        /// Where it stands.
        position: Position,
        /// The number of its batch.
        batch_no: i64,
        /// Its batch's Merkle root.
        root: Digest,
    },
}

/// How a tool wants its journal.
pub trait Dialect: std::fmt::Debug {
    /// The tool's name of an account.
    fn name(&self, kind: AccountKind, code: &str) -> String;

    /// What stands before the first transaction. `accounts` are the tool's names.
    fn begin(&self, frame: &Frame<'_>, accounts: &mut dyn Iterator<Item = &String>, out: &mut Out<'_>);

    /// A transaction: its amounts add up to nothing.
    fn transaction(&self, day: i64, about: &About<'_>, amounts: &[(&str, i128)], out: &mut Out<'_>);

    /// Every account's balance at the end, debits less credits.
    fn closing(&self, span: Span, balances: &mut dyn Iterator<Item = (&str, i128)>, out: &mut Out<'_>);
}

/// What is added up within a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    kind: i16,
    wallet: Option<LedgerAccountId>,
    publisher: Option<LedgerAccountId>,
}

#[derive(Debug)]
struct Sums {
    kind: TransactionKind,
    count: u64,
    first: Position,
    last: Position,
    batches: u64,
    /// Slot and number of the last batch.
    batch: (i64, i64),
    roots: Frontier,
    amounts: BTreeMap<LedgerAccountId, i128>,
}

/// Writes the journal in a tool's dialect.
#[derive(Debug)]
pub struct Journal<D> {
    dialect: D,
    is_full: bool,
    names: BTreeMap<LedgerAccountId, String>,
    /// Debits less credits.
    balances: BTreeMap<LedgerAccountId, i128>,
    is_open: bool,
    day: Option<i64>,
    groups: BTreeMap<Group, Sums>,
}

impl<D: Dialect> Journal<D> {
    /// In this dialect; `is_full`: every transaction.
    pub const fn new(dialect: D, is_full: bool) -> Self {
        Self {
            dialect,
            is_full,
            names: BTreeMap::new(),
            balances: BTreeMap::new(),
            is_open: false,
            day: None,
            groups: BTreeMap::new(),
        }
    }

    fn named<'a>(
        names: &'a BTreeMap<LedgerAccountId, String>,
        amounts: &BTreeMap<LedgerAccountId, i128>,
    ) -> Vec<(&'a str, i128)> {
        amounts.iter().map(|(id, amount)| (names.get(id).map_or("unknown", String::as_str), *amount)).collect()
    }

    fn open(&mut self, span: Span, out: &mut Out<'_>) {
        if self.is_open {
            return;
        }
        self.is_open = true;
        let mut amounts = Self::named(&self.names, &self.balances);
        amounts.retain(|(_, balance)| *balance != 0);
        if !amounts.is_empty() {
            self.dialect.transaction(span.first_day, &About::Opening, &amounts, out);
        }
    }

    /// Adds the legs to the balances; gives what the transaction moved.
    fn post(&mut self, entry: &TransactionEntry) -> BTreeMap<LedgerAccountId, i128> {
        let mut amounts = BTreeMap::new();
        for leg in &entry.legs {
            let amount = i128::from(leg.amount.micros());
            for (account, change) in [(leg.debit, amount), (leg.credit, amount.saturating_neg())] {
                for sums in [&mut amounts, &mut self.balances] {
                    let sum: &mut i128 = sums.entry(account).or_insert(0);
                    *sum = sum.saturating_add(change);
                }
            }
        }
        amounts
    }

    fn end_day(&mut self, out: &mut Out<'_>) {
        let Some(day) = self.day.take() else { return };
        for sums in std::mem::take(&mut self.groups).into_values() {
            let Sums { kind, count, first, last, batches, roots, amounts, .. } = sums;
            let about = About::Sums { kind, count, first, last, batches, root: roots.root() };
            self.dialect.transaction(day, &about, &Self::named(&self.names, &amounts), out);
        }
    }

    fn add(&mut self, frame: &Frame<'_>, item: &Item<'_>, entry: &TransactionEntry) {
        let flows = frame.chart.flows(&entry.legs);
        let group = Group { kind: entry.kind.raw(), wallet: flows.wallet, publisher: flows.publisher };
        let batch = (item.batch.slot, item.batch.batch_no);
        let moved = self.post(entry);
        let sums = self.groups.entry(group).or_insert_with(|| Sums {
            kind: entry.kind,
            count: 0,
            first: item.position,
            last: item.position,
            batches: 0,
            batch: (i64::MIN, 0),
            roots: Frontier::default(),
            amounts: BTreeMap::new(),
        });
        sums.count = sums.count.saturating_add(1);
        sums.last = item.position;
        if sums.batch != batch {
            sums.batch = batch;
            sums.batches = sums.batches.saturating_add(1);
            sums.roots.push(item.batch.root);
        }
        for (account, change) in moved {
            let sum = sums.amounts.entry(account).or_insert(0);
            *sum = sum.saturating_add(change);
        }
    }
}

impl<D: Dialect> Render for Journal<D> {
    fn begin(&mut self, frame: &Frame<'_>, out: &mut Out<'_>) {
        let accounts = frame.chart.accounts().iter();
        self.names = accounts.map(|(id, account)| (*id, self.dialect.name(account.kind, &account.code))).collect();
        let opened = self.names.iter().filter(|(id, _)| frame.was_opened(**id));
        self.dialect.begin(frame, &mut opened.map(|(_, name)| name), out);
    }

    fn take(&mut self, frame: &Frame<'_>, item: &Item<'_>, out: &mut Out<'_>) {
        let Entry::Transaction(entry) = item.entry else { return };
        // A fact without postings moves nothing, and neither tool has a form for it.
        if entry.legs.is_empty() {
            return;
        }
        if item.is_before {
            drop(self.post(entry));
            return;
        }
        self.open(frame.span, out);
        let day = day_of(item.batch.recorded_us);
        if self.is_full {
            drop(self.post(entry));
            let name = |id: LedgerAccountId| self.names.get(&id).map_or("unknown", String::as_str);
            let sides = entry.legs.iter().flat_map(|leg| {
                let amount = i128::from(leg.amount.micros());
                [(name(leg.debit), amount), (name(leg.credit), amount.saturating_neg())]
            });
            let amounts: Vec<_> = sides.collect();
            let (position, batch_no, root) = (item.position, item.batch.batch_no, item.batch.root);
            self.dialect.transaction(day, &About::One { entry, position, batch_no, root }, &amounts, out);
            return;
        }
        if self.day.is_some_and(|open| open != day) {
            self.end_day(out);
        }
        self.day = Some(day);
        self.add(frame, item, entry);
    }

    fn finish(&mut self, frame: &Frame<'_>, out: &mut Out<'_>) {
        self.open(frame.span, out);
        self.end_day(out);
        let balance = |id: &LedgerAccountId| self.balances.get(id).copied().unwrap_or(0);
        // What was posted has to be there, whatever the clock said when the account was opened.
        let is_listed = |id: LedgerAccountId| frame.was_opened(id) || self.balances.contains_key(&id);
        let listed = self.names.iter().filter(|(id, _)| is_listed(**id));
        let mut balances = listed.map(|(id, name)| (name.as_str(), balance(id)));
        self.dialect.closing(frame.span, &mut balances, out);
    }
}

/// What a position looks like in both dialects.
pub(super) fn place(position: Position) -> String {
    format!("{}/{}", position.slot, position.seq)
}

/// An identifier as 32 hexadecimal digits.
pub(super) fn id_text(id: EntryId) -> String {
    id.uuid().as_simple().to_string()
}

/// Lines for people that say what the export is of.
pub(super) fn heading(frame: &Frame<'_>) -> Vec<String> {
    let mut lines = vec![
        format!("The books of Tollgate. {COMMODITY} is one micro-credit; amounts are whole, debits positive."),
        format!(
            "Days are of UTC and of when a transaction was recorded: {} to {}.",
            super::value::date_of(frame.span.first_day),
            super::value::date_of(frame.span.last_day)
        ),
    ];
    lines.extend(frame.position.iter().map(|at| {
        let hash = crate::ledger::hex::hex(&at.hash);
        format!("position: slot {} up to entry {}, batch {}, hash {hash}", at.slot, at.seq, at.batch_no.unwrap_or(0))
    }));
    lines
}
