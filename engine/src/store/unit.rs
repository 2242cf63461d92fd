//! A unit of work: statements and ledger transactions that happen together or not at all.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use sea_orm::{DbBackend, QueryTrait, Statement, sea_query::Values};

use super::{news::announcement, writer::Command};
use crate::{
    audit::AuditEntry,
    id::EntryId,
    ledger::{
        LedgerAccountId, Post, Refusal, grants::GiveGrant, leaf::Entry, movement, periods::PeriodClose, plan::Plan,
    },
};

/// One statement and how many rows it must touch.
#[derive(Debug, Clone)]
pub(super) struct Guarded {
    pub(super) sql: String,
    pub(super) values: Values,
    pub(super) rows: Option<u64>,
}

/// Collects what a use case wants to write. [`super::Ledger::save`] writes it once it has been said what of it the audit
/// trail tells: [`Self::audited`], or [`Self::unaudited`] with the reason.
///
/// Use cases read first and decide on what they read. What must still be true at the time of writing is said by the
/// number of rows that a statement has to touch: if it touches another number, nothing of the unit happens.
#[derive(Debug, Clone, Default)]
pub struct UnitOfWork {
    pub(super) statements: Vec<Guarded>,
    pub(super) commands: Vec<Command>,
    pub(super) is_rehearsal: bool,
    rehearsal: Option<Rehearsal>,
    opened: HashSet<LedgerAccountId>,
}

impl UnitOfWork {
    /// With nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a statement that must touch exactly one row.
    pub fn one<Q: QueryTrait>(&mut self, backend: DbBackend, query: &Q) -> &mut Self {
        self.push(query.build(backend), Some(1))
    }

    /// Adds a statement that may touch any number of rows.
    pub fn any<Q: QueryTrait>(&mut self, backend: DbBackend, query: &Q) -> &mut Self {
        self.push(query.build(backend), None)
    }

    /// Adds a statement by its text; `rows` as the number that it must touch.
    pub fn push(&mut self, statement: Statement, rows: Option<u64>) -> &mut Self {
        let values = statement.values.unwrap_or_else(|| Values(Vec::new()));
        self.statements.push(Guarded { sql: statement.sql, values, rows });
        self
    }

    /// Lets every server hear of this unit when it is written, where several share a database.
    pub fn announce(&mut self, backend: DbBackend) -> &mut Self {
        match backend {
            DbBackend::Postgres => self.push(announcement(), None),
            _ => self,
        }
    }

    /// Gives a ledger account of this unit its identifier: the first one of `draw` that the unit has not given yet. A
    /// catalog opens thousands of accounts in one millisecond, and their identifiers differ in 21 random bits.
    pub fn next_ledger_account(&mut self, mut draw: impl FnMut() -> LedgerAccountId) -> LedgerAccountId {
        loop {
            let id = draw();
            if self.opened.insert(id) {
                return id;
            }
        }
    }

    /// Adds a grant that expires.
    pub fn give(&mut self, give: GiveGrant) -> &mut Self {
        self.command(Command::Give(give))
    }

    /// Adds the close of a period.
    pub fn close_period(&mut self, close: PeriodClose) -> &mut Self {
        self.command(Command::Close(close))
    }

    /// Adds a ledger transaction.
    pub fn post(&mut self, post: Post) -> &mut Self {
        self.command(Command::Post(post))
    }

    /// Adds a command to the ledger. They are carried out in their order, after all statements.
    pub fn command(&mut self, command: Command) -> &mut Self {
        self.commands.push(command);
        self
    }

    /// Lets everything be decided and nothing be written: the answer is what it would have been, and a refusal is not
    /// recorded.
    pub const fn rehearse(&mut self) -> &mut Self {
        self.is_rehearsal = true;
        self
    }

    /// As [`Self::rehearse`]; what would have been written is in `rehearsal` afterwards.
    pub fn rehearse_for(&mut self, rehearsal: &Rehearsal) -> &mut Self {
        self.rehearsal = Some(rehearsal.clone());
        self.rehearse()
    }

    /// Keeps what a rehearsal has come to.
    pub(super) fn show_rehearsal(&self, plan: &Plan) {
        if let Some(Rehearsal(shown)) = &self.rehearsal {
            let lines = Rehearsed { entries: plan.entries.clone(), statements: plan.statements.clone() };
            *shown.lock().unwrap_or_else(PoisonError::into_inner) = lines;
        }
    }

    /// Says what the audit trail tells of this unit. It is written with the unit or not at all.
    #[must_use]
    pub fn audited(self, entry: AuditEntry) -> AuditedUnit {
        AuditedUnit { unit: self, trail: vec![entry] }
    }

    /// Says that the audit trail tells nothing of this unit, and why not.
    #[must_use]
    pub fn unaudited(self, why: &'static str) -> AuditedUnit {
        tracing::trace!(why, "a unit leaves no trace in the audit trail");
        AuditedUnit { unit: self, trail: Vec::new() }
    }
}

/// Where the writer leaves what a rehearsal would have written.
#[derive(Debug, Clone, Default)]
pub struct Rehearsal(Arc<Mutex<Rehearsed>>);

/// What a rehearsal would have written of the books.
#[derive(Debug, Clone, Default)]
pub struct Rehearsed {
    /// Their new lines.
    pub entries: Vec<Entry>,
    /// Statements of payouts, by the payouts' identifiers.
    pub statements: Vec<(EntryId, movement::Statement)>,
}

impl Rehearsal {
    /// What it has come to; nothing before that.
    pub fn take(&self) -> Rehearsed {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A unit of work with what the audit trail tells of it: the only kind that can be written.
#[derive(Debug, Clone)]
pub struct AuditedUnit {
    pub(super) unit: UnitOfWork,
    pub(super) trail: Vec<AuditEntry>,
}

impl AuditedUnit {
    /// Tells more.
    #[must_use]
    pub fn and(mut self, entries: impl IntoIterator<Item = AuditEntry>) -> Self {
        self.trail.extend(entries);
        self
    }
}

/// Why a unit was not written. Nothing of it happened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSaved {
    /// A statement touched another number of rows than it had to, or hit a unique value: what was read has changed.
    #[error("the data changed in the meantime (statement {statement})")]
    Conflict {
        /// Its position in the unit, from 0.
        statement: usize,
    },
    /// The ledger said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The writer could not.
    #[error(transparent)]
    Writer(#[from] super::WriterError),
}

#[cfg(test)]
mod tests;
