//! Reports for auditors: from the entries of the books to bytes. No input or output: the store feeds entries, the
//! caller says where bytes go.
//!
//! Reading order: [`request`] (what can be asked), [`chart`] (the names), [`out`] (where bytes go), [`value`] and
//! [`table`] (rows as CSV or JSON Lines), then the reports: [`listing`], [`statement`], [`sums`], and [`journal`] with
//! [`hledger`] and [`beancount`]; [`manifest`] says what an export is of.
//!
//! Memory grows with the accounts, with a day's pairs of wallet and publisher and with the tools, never with postings.

use self::{
    chart::Chart,
    manifest::Position as ExportPosition,
    out::Out,
    request::{Format, Report, Request},
};
use super::{
    LedgerAccountId,
    chain::BatchHeader,
    leaf::{Digest, Entry, Position},
};
use crate::audit::AuditRow;

pub mod beancount;
pub mod chart;
pub mod hledger;
pub mod journal;
pub mod listing;
pub mod manifest;
pub mod names;
pub mod out;
pub mod request;
pub mod statement;
pub mod sums;
pub mod table;
pub mod trail;
pub mod value;

/// Microseconds of a day.
pub const DAY_US: i64 = 86_400_000_000;

/// What a report has to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is something that is read or is not")]
pub struct Needs {
    /// Transactions with their postings.
    pub transactions: bool,
    /// Holds.
    pub holds: bool,
    /// Settlements.
    pub settlements: bool,
    /// Refusals.
    pub refusals: bool,
    /// The tool that a transaction is about.
    pub tools: bool,
    /// Where a hold ended.
    pub ends: bool,
    /// What was before the first day, too.
    pub opening: bool,
    /// All slots of a day before the next day; else slot by slot.
    pub by_day: bool,
    /// The audit trail, and nothing else.
    pub audit: bool,
}

/// One entry of the books as a report gets it.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// The entry's batch.
    pub batch: &'a BatchHeader,
    /// Where it stands.
    pub position: Position,
    /// What it says.
    pub entry: &'a Entry,
    /// The tool that a transaction is about, as the chart numbers it, if there is one and the report asked for it.
    pub tool: Option<uuid::Uuid>,
    /// Where a hold ended, if it did within the export and the report asked for it.
    pub end: Option<Position>,
    /// It was recorded before the first day of the export.
    pub is_before: bool,
}

/// The days that an export is about, as days since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first: the one asked for, else that of the first batch.
    pub first_day: i64,
    /// The last: the one asked for, else that of the last batch.
    pub last_day: i64,
    /// An opening balance stands at the beginning.
    pub has_opening: bool,
}

/// What an export begins with.
#[derive(Debug)]
pub struct Frame<'a> {
    /// What was asked.
    pub request: &'a Request,
    /// The names.
    pub chart: &'a Chart,
    /// The accounts that it is limited to; `None`: all.
    pub only: Option<&'a std::collections::BTreeSet<LedgerAccountId>>,
    /// The days.
    pub span: Span,
    /// Up to where.
    pub position: &'a [ExportPosition],
}

impl Frame<'_> {
    /// Whether the export is about this account.
    pub fn is_about(&self, account: LedgerAccountId) -> bool {
        self.only.is_none_or(|only| only.contains(&account))
    }

    /// Whether the account was opened before the export ends. One that came later is not listed: the same range gives the
    /// same bytes, whatever has happened since.
    pub fn was_opened(&self, account: LedgerAccountId) -> bool {
        let opened_us = self.chart.accounts().get(&account).map(|account| account.opened_us);
        self.request.to_us.zip(opened_us).is_none_or(|(to_us, opened_us)| opened_us < to_us)
    }
}

/// Turns entries into bytes, one after the other.
pub trait Render {
    /// What stands before the first entry.
    fn begin(&mut self, frame: &Frame<'_>, out: &mut Out<'_>);

    /// An entry, in the order that [`Needs`] asks for.
    fn take(&mut self, frame: &Frame<'_>, item: &Item<'_>, out: &mut Out<'_>);

    /// A row of the audit trail with its hash, for a report that asks for them.
    fn take_audit(&mut self, _row: &AuditRow, _hash: &Digest, _out: &mut Out<'_>) {}

    /// What stands behind the last entry.
    fn finish(&mut self, frame: &Frame<'_>, out: &mut Out<'_>);
}

/// What the report of `request` has to be told.
pub const fn needs_of(request: &Request) -> Needs {
    const NOTHING: Needs = Needs {
        transactions: false,
        holds: false,
        settlements: false,
        refusals: false,
        tools: false,
        ends: false,
        opening: false,
        by_day: false,
        audit: false,
    };
    const TRANSACTIONS: Needs = Needs { transactions: true, ..NOTHING };
    match (request.report, request.format) {
        (Report::Journal, Format::Hledger | Format::Beancount) | (Report::AccountStatement, _) => {
            Needs { opening: true, by_day: true, ..TRANSACTIONS }
        }
        (Report::Journal, _) => Needs { holds: true, settlements: true, refusals: true, ..TRANSACTIONS },
        (Report::Postings | Report::Refunds, _) => TRANSACTIONS,
        (Report::PublisherStatement | Report::PartnerStatement, _) => {
            Needs { opening: true, by_day: true, tools: true, ..TRANSACTIONS }
        }
        (Report::TrialBalance, _) => Needs { opening: true, ..TRANSACTIONS },
        (Report::Revenue, _) => Needs { tools: true, ..TRANSACTIONS },
        (Report::OpenHolds, _) => Needs { holds: true, ends: true, opening: true, ..NOTHING },
        (Report::AuditTrail, _) => Needs { audit: true, ..NOTHING },
    }
}

/// What makes the bytes of `request`.
pub fn renderer_of(request: &Request) -> Box<dyn Render> {
    let format = match request.format {
        Format::Hledger => return Box::new(journal::Journal::new(hledger::Hledger, request.is_full)),
        Format::Beancount => return Box::new(journal::Journal::new(beancount::Beancount, request.is_full)),
        Format::Csv => table::RowFormat::Csv,
        Format::Jsonl => table::RowFormat::Jsonl,
    };
    match request.report {
        Report::Journal => Box::new(listing::Entries::new(format)),
        Report::Postings => Box::new(listing::Postings::new(format)),
        Report::Refunds => Box::new(listing::Refunds::new(format)),
        Report::OpenHolds => Box::new(listing::OpenHolds::new(format)),
        Report::AuditTrail => Box::new(trail::Trail::new(format)),
        Report::AccountStatement => Box::new(statement::AccountStatement::new(format)),
        Report::PublisherStatement | Report::PartnerStatement => Box::new(statement::PartyStatement::new(format)),
        Report::TrialBalance => Box::new(sums::TrialBalanceReport::new(format)),
        Report::Revenue => Box::new(sums::Revenue::new(format)),
    }
}

/// The day of a time in microseconds, as days since the Unix epoch.
pub const fn day_of(us: i64) -> i64 {
    us.div_euclid(DAY_US)
}

#[cfg(test)]
mod tests;
