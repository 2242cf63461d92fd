//! Checks the books: every row against what was hashed, every batch against the one before, every balance against the
//! sum of its postings.
//!
//! The verifier is fed line by line and does no input or output. Feed it [`Line`]s in this order: the accounts; the keys
//! and the checkpoints; the totals of what was taken back, the statements of payouts and the closes of periods; up to where
//! the counters are true; then, slot by slot, the batches, each followed by its entries by their number; then what the
//! database keeps beside the books. Its memory grows with accounts (grants have one each), counters, open holds, lines of trial balances, the holds that end in
//! another slot than they began in, and the transactions of which something was taken back, never with postings. What it
//! finds is a [`Problem`], never an error: it goes on, so that one report tells
//! everything.
//!
//! What neither follows from the books nor is stated in them ([`super::fact`]) cannot be checked against them: version
//! numbers, the day on which an account was closed, names for people. A chain that was rewritten from some batch to its end is consistent,
//! too: only a checkpoint reveals it, and if that was rewritten as well, one that was [`Kept`] elsewhere.

use super::{
    accounts::{AccountKind, LedgerAccountId},
    caps::{Counter, CounterKey},
    chain::{BatchHeader, ChainHead},
    checkpoint::SignedCheckpoint,
    grants::GrantEntry,
    leaf::{Digest, Entry, Position},
    movement::{RefundTotal, Statement},
    periods::{BalanceRow, PeriodClose},
    signing::NumberedKey,
};
use crate::{
    audit::{AuditHead, AuditRow},
    credits::Credits,
    id::EntryId,
};

mod anchors;
mod facts;
mod grants;
mod journal;
mod money;
mod movements;
mod periods;
mod projections;
mod trial_balance;

pub use anchors::Kept;
pub use journal::Verifier;
pub use trial_balance::{TrialBalance, TrialBalanceRow};

/// How many problems are kept. All are counted.
pub const PROBLEMS_MAX: usize = 100;

/// In which respect the books are wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProblemKind {
    /// Batches or entries are missing.
    Gap,
    /// Two claim one place: a number that was given twice, or a writer of an earlier term that went on.
    Fork,
    /// Rows differ from what was hashed, were added, or were taken away.
    LeafMismatch,
    /// A batch's stored root is not that of its rows, though they are what was hashed.
    RootMismatch,
    /// A batch does not carry the hash of the one before.
    LinkMismatch,
    /// A batch's header is not what was hashed.
    HeaderMismatch,
    /// A batch's counts or total are not those of its rows.
    CountMismatch,
    /// Recorded time goes backwards.
    TimeBackwards,
    /// The head of a chain is not its last batch.
    HeadMismatch,
    /// A balance, a counter or an open hold is not what the books add up to.
    ProjectionMismatch,
    /// An entry names an account that does not exist.
    UnknownAccount,
    /// An account's kind contradicts its code, or an account that every database has is missing.
    AccountMismatch,
    /// A hold was placed under the identifier of an open one.
    DuplicateId,
    /// A settlement of a hold that is not open at this place: it ended before, or was never placed.
    DoubleSettlement,
    /// A settlement that its hold does not allow, or one whose charge is missing or another.
    SettlementMismatch,
    /// What went back of a transaction, or was paid out, is not what it may be.
    ReversalMismatch,
    /// The books end before a place that a checkpoint vouches for, or the place is gone.
    AnchorMissing,
    /// The books are not what a checkpoint vouches for: a chain was written again, or the checkpoint is of other books.
    AnchorMismatch,
    /// A checkpoint is not signed by the key that it names.
    BadSignature,
    /// A key that no checkpoint of the key before has handed over to, or one that is missing.
    KeyMismatch,
    /// A row that decides over money is not what the books state.
    FactMismatch,
    /// A grant that is not funded, or that a hold took from which it could not.
    GrantMismatch,
    /// A period's close or its trial balance is not what the books make.
    PeriodMismatch,
    /// A stored value that no version of this program wrote, or a page that the database cannot read.
    Unreadable,
}

impl ProblemKind {
    /// The stable word of reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gap => "gap",
            Self::Fork => "fork",
            Self::LeafMismatch => "leaf_mismatch",
            Self::RootMismatch => "root_mismatch",
            Self::LinkMismatch => "link_mismatch",
            Self::HeaderMismatch => "header_mismatch",
            Self::CountMismatch => "count_mismatch",
            Self::TimeBackwards => "time_backwards",
            Self::HeadMismatch => "head_mismatch",
            Self::ProjectionMismatch => "projection_mismatch",
            Self::UnknownAccount => "unknown_account",
            Self::AccountMismatch => "account_mismatch",
            Self::DuplicateId => "duplicate_id",
            Self::DoubleSettlement => "double_settlement",
            Self::SettlementMismatch => "settlement_mismatch",
            Self::ReversalMismatch => "reversal_mismatch",
            Self::AnchorMissing => "anchor_missing",
            Self::AnchorMismatch => "anchor_mismatch",
            Self::BadSignature => "bad_signature",
            Self::KeyMismatch => "key_mismatch",
            Self::FactMismatch => "fact_mismatch",
            Self::GrantMismatch => "grant_mismatch",
            Self::PeriodMismatch => "period_mismatch",
            Self::Unreadable => "unreadable",
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// In which respect.
    pub kind: ProblemKind,
    /// The table concerned.
    pub table: &'static str,
    /// The primary key of the row concerned, its columns joined by `/`.
    pub key: String,
    /// What was found and what was expected, for people.
    pub text: String,
}

/// One line for the verifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// An account of the chart.
    Account {
        /// Which.
        id: LedgerAccountId,
        /// What it is for.
        kind: AccountKind,
        /// Its name in the chart.
        code: String,
    },
    /// How much of a transaction was taken back, as stored. Feed it before the books.
    RefundTotal(EntryId, RefundTotal),
    /// What a payout was worked out from, as stored. Feed it before the books.
    Statement(EntryId, Statement),
    /// A public key as stored. Keys come before the checkpoints, by their numbers.
    Key(NumberedKey),
    /// A checkpoint as stored. Checkpoints come before the batches, by their numbers.
    Checkpoint(SignedCheckpoint),
    /// The close of a period as its row has it: all of them, in the order of their numbers, before the first batch. They come
    /// once more as entries.
    Close(PeriodClose),
    /// Up to and including which entry of a slot the counters are true, as stored. Feed it before the books. Of slots without
    /// it they are true up to the end.
    CountedTo(Position),
    /// A batch, with the hash that is stored for it.
    Batch(BatchHeader, Digest),
    /// An entry, with the batch that its row names.
    Entry(Position, i64, Entry),
    /// A row of the books that cannot be read but for its place.
    UnreadableEntry(Position, Problem),
    /// Something that was found while reading.
    Problem(Problem),
    /// A wallet's balance as stored, in micro-credits.
    Wallet {
        /// Whose.
        id: LedgerAccountId,
        /// Received.
        credits: i64,
        /// Spent.
        debits: i64,
        /// Reserved.
        held: i64,
    },
    /// An unlimited account's balance in one slot as stored, in micro-credits.
    Hot {
        /// Whose.
        id: LedgerAccountId,
        /// Of which slot.
        slot: i64,
        /// Received.
        credits: i64,
        /// Spent.
        debits: i64,
    },
    /// A counter as stored.
    Counter(CounterKey, Counter),
    /// A call of unknown outcome whose hold is kept until that time (microseconds since the Unix epoch). The books do
    /// not record this: feed it before the open holds.
    Postponed(EntryId, i64),
    /// An open hold as stored.
    OpenHold {
        /// Which.
        id: EntryId,
        /// Whose money.
        wallet: LedgerAccountId,
        /// How much.
        amount: Credits,
        /// When the sweep settles it, in microseconds since the Unix epoch.
        expires_us: Option<i64>,
    },
    /// The head of a chain as stored.
    Head(ChainHead),
    /// Whether every row that is to be stated in the books has been. To be fed before the rows.
    FactsComplete(bool),
    /// A row that is stated in the books, as stored.
    FactRow {
        /// Its table.
        table: &'static str,
        /// Its key, for people.
        key: String,
        /// What the books call it.
        thing: EntryId,
        /// Its digest.
        digest: Digest,
    },
    /// A grant that has not lapsed, as stored.
    OpenGrant(GrantEntry),
    /// A line of the trial balance of a period as stored.
    TrialBalance(i64, BalanceRow),
    /// A row of the audit trail, with the hash that is stored for it: slot by slot, in the order of their numbers.
    Audit(Box<AuditRow>, Digest),
    /// Where the trail of a slot ends, as stored. To be fed after the rows.
    AuditHead(AuditHead),
}

/// How much was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Batches.
    pub batches: u64,
    /// Entries: transactions, holds, settlements and refusals.
    pub entries: u64,
    /// Transactions.
    pub transactions: u64,
    /// Postings.
    pub postings: u64,
    /// Rows of the audit trail.
    pub audit_rows: u64,
}

/// What the verifier found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    /// How much was read.
    pub counts: Counts,
    /// Where the chain of every slot ends, as derived from the books.
    pub heads: Vec<ChainHead>,
    /// The last of the stored checkpoints.
    pub checkpoint: Option<i64>,
    /// The first [`PROBLEMS_MAX`] problems.
    pub problems: Vec<Problem>,
    /// How many problems there are.
    pub problem_count: u64,
}

/// Keeps the first problems and counts all.
#[derive(Debug, Default)]
struct Problems {
    kept: Vec<Problem>,
    count: u64,
}

impl Problems {
    fn push(&mut self, problem: Problem) {
        self.count = self.count.saturating_add(1);
        if self.kept.len() < PROBLEMS_MAX {
            self.kept.push(problem);
        }
    }

    /// What was found in the audit trail.
    fn report(&mut self, (kind, table, key, text): (ProblemKind, &'static str, String, String)) {
        self.push(Problem { kind, table, key, text });
    }

    /// `text` is asked for only if the problem is kept.
    fn add(&mut self, kind: ProblemKind, table: &'static str, key: impl ToString, text: impl FnOnce() -> String) {
        if self.kept.len() < PROBLEMS_MAX {
            self.push(Problem { kind, table, key: key.to_string(), text: text() });
        } else {
            self.count = self.count.saturating_add(1);
        }
    }

    /// Reports `column` unless both values are the same.
    fn compare<T: PartialEq + std::fmt::Display>(
        &mut self,
        (kind, table): (ProblemKind, &'static str),
        key: impl ToString,
        column: &str,
        (stored, derived): (T, T),
    ) {
        if stored != derived {
            self.add(kind, table, key, || format!("`{column}` is {stored}, the books say {derived}"));
        }
    }
}

/// The table in which an entry stands.
const fn table_of(entry: &Entry) -> &'static str {
    match entry {
        Entry::Transaction(_) => "txn",
        Entry::Hold(_) => "hold",
        Entry::Settlement(_) => "hold_resolution",
        Entry::Refusal(_) => "refusal",
        Entry::Grant(_) => "wallet_grant",
        Entry::Close(_) => "period_close",
    }
}

/// The key of an entry's row.
fn key_of(position: Position) -> String {
    format!("{}/{}", position.slot, position.seq)
}

#[cfg(test)]
mod tests;
