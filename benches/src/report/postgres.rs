//! What was measured with the books in PostgreSQL.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

use super::{
    Books, Export, Level, NOT_MEASURED, Verify, median, write_books, write_export, write_levels, write_verify,
};

/// The part `postgres` of the object.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Postgres {
    /// Its server is not installed: `null`.
    NotMeasured,
    Measured(Box<Figures>),
}

/// What there is to say of it.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Figures {
    /// One server process; by callers.
    #[serde(flatten)]
    pub(crate) levels: BTreeMap<u32, Level>,
    /// Two server processes on the same database, which share the callers; by callers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) two_servers: Option<BTreeMap<u32, Level>>,
    /// How the server was set, read back from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) settings: Option<PostgresSettings>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) books: Option<Books>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ledger: Option<PostgresLedger>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) verify: Option<Verify>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) export: Option<Export>,
}

/// What makes an answer durable, and what else moves the figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct PostgresSettings {
    pub(crate) version: String,
    pub(crate) fsync: String,
    pub(crate) synchronous_commit: String,
    pub(crate) full_page_writes: String,
    pub(crate) shared_buffers: String,
}

impl PostgresSettings {
    /// Whether what was committed survives a power cut.
    pub(crate) fn is_durable(&self) -> bool {
        [&self.fsync, &self.synchronous_commit, &self.full_page_writes].iter().all(|setting| *setting == "on")
    }
}

/// The ledger without HTTP, from several processes: every hold and every capture durable before it is answered.
#[derive(Debug, Serialize)]
pub(crate) struct PostgresLedger {
    pub(crate) processes: u32,
    pub(crate) callers_of_each: usize,
    /// 1,000 wallets pay the same publisher and the platform.
    pub(crate) one_publisher: LedgerRate,
    /// 1,000 wallets pay 1,000 publishers and the platform.
    pub(crate) thousand_publishers: LedgerRate,
    pub(crate) one_over_thousand: f64,
    /// One wallet pays for all.
    pub(crate) one_wallet: LedgerRate,
    pub(crate) run_dry: RunDry,
    /// The same work as `one_publisher`, each step a transaction of its own.
    pub(crate) unbatched: Unbatched,
    pub(crate) over_unbatched: f64,
    /// pgledger's shape: a charge in one transaction, without a hold.
    pub(crate) row_locks: Unbatched,
    pub(crate) over_row_locks: f64,
}

/// Pairs of a hold and its capture, of all processes together.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct LedgerRate {
    pub(crate) hold_captures_per_s: f64,
    /// Of a pair.
    pub(crate) p50_ms: f64,
    /// Of a pair.
    pub(crate) p99_ms: f64,
    /// How many holds and captures shared a transaction, on average.
    pub(crate) requests_per_batch: f64,
}

impl LedgerRate {
    /// Of several rounds.
    pub(crate) fn median(rounds: &[Self]) -> Self {
        let of = |field: fn(&Self) -> f64| median(rounds.iter().map(field));
        Self {
            hold_captures_per_s: of(|found| found.hold_captures_per_s),
            p50_ms: of(|found| found.p50_ms),
            p99_ms: of(|found| found.p99_ms),
            requests_per_batch: of(|found| found.requests_per_batch),
        }
    }
}

/// A wallet that was asked for more than it had, from all processes at once. The run fails unless the two are equal.
#[derive(Debug, Serialize)]
pub(crate) struct RunDry {
    /// How many charges it could pay.
    pub(crate) funded: u64,
    /// How many it paid.
    pub(crate) captured: u64,
}

/// What row locks do without batches, with as many connections as they do best with.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Unbatched {
    pub(crate) connections: u32,
    pub(crate) per_s: f64,
    pub(crate) mean_ms: f64,
}

impl Unbatched {
    /// Of several rounds.
    pub(crate) fn median(rounds: &[Self]) -> Self {
        Self {
            connections: rounds.first().map_or(0, |found| found.connections),
            per_s: median(rounds.iter().map(|found| found.per_s)),
            mean_ms: median(rounds.iter().map(|found| found.mean_ms)),
        }
    }
}

pub(super) fn write_postgres(f: &mut fmt::Formatter<'_>, postgres: &Postgres) -> fmt::Result {
    let figures = match postgres {
        Postgres::NotMeasured => return write!(f, "\nPostgreSQL: {NOT_MEASURED}"),
        Postgres::Measured(figures) => figures,
    };
    if let Some(settings) = &figures.settings {
        let PostgresSettings { version, fsync, synchronous_commit, full_page_writes, shared_buffers } = settings;
        write!(f, "\nPostgreSQL {version}: fsync {fsync}, synchronous_commit {synchronous_commit}, ")?;
        write!(f, "full_page_writes {full_page_writes}, shared_buffers {shared_buffers}")?;
    }
    write_levels(f, &figures.levels)?;
    if let Some(levels) = &figures.two_servers {
        write!(f, "\ntwo servers on one database")?;
        write_levels(f, levels)?;
    }
    write_books(f, figures.books.as_ref())?;
    if let Some(ledger) = &figures.ledger {
        write_ledger(f, ledger)?;
    }
    write_verify(f, figures.verify.as_ref())?;
    write_export(f, figures.export.as_ref())
}

fn write_ledger(f: &mut fmt::Formatter<'_>, ledger: &PostgresLedger) -> fmt::Result {
    write!(f, "\nledger alone, {} processes with {} callers each", ledger.processes, ledger.callers_of_each)?;
    for (side, rate) in [
        ("one publisher", &ledger.one_publisher),
        ("1,000 publishers", &ledger.thousand_publishers),
        ("one wallet", &ledger.one_wallet),
    ] {
        let LedgerRate { hold_captures_per_s, p50_ms, p99_ms, requests_per_batch } = rate;
        write!(f, "\n  {side:18}{hold_captures_per_s:>10.0} hold+capture/s   p50 {p50_ms:.3} ms   p99 {p99_ms:.3} ms")?;
        write!(f, "   {requests_per_batch:.1} requests a batch")?;
    }
    for (side, rate, over) in [
        ("unbatched", &ledger.unbatched, ledger.over_unbatched),
        ("row locks, 1 step", &ledger.row_locks, ledger.over_row_locks),
    ] {
        let Unbatched { connections, per_s, mean_ms } = rate;
        write!(f, "\n  {side:18}{per_s:>10.0}/s, mean {mean_ms:.3} ms, {connections} connections")?;
        write!(f, "; one publisher is {over:.1} times that")?;
    }
    let RunDry { funded, captured } = ledger.run_dry;
    write!(f, "\n  one publisher ÷ 1,000 publishers {:.3}; ", ledger.one_over_thousand)?;
    write!(f, "a wallet with {funded} charges in it paid {captured}")
}

#[cfg(test)]
mod tests;
