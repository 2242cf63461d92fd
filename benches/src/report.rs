//! What a run found, as one JSON object or as a table.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

use crate::{console::Console, machine::Machine, search::Search, turns::Turns};

pub(crate) use self::postgres::{Figures, LedgerRate, Postgres, PostgresLedger, PostgresSettings, RunDry, Unbatched};

mod postgres;

/// Everything that one run measured; what was not measured is absent.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sqlite: Option<Sqlite>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) gateway: Option<Gateway>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) postgres: Option<Postgres>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) caps: Option<Turns>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) crowd: Option<Turns>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) growth: Option<Growth>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) console: Option<Console>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) search: Option<Search>,
    /// By callers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) proxies: Option<BTreeMap<u32, Proxies>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) size: Option<Size>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) start: Option<Start>,
}

impl Report {
    pub(crate) fn new(machine: Machine) -> Self {
        Self {
            machine,
            sqlite: None,
            gateway: None,
            postgres: None,
            caps: None,
            crowd: None,
            growth: None,
            console: None,
            search: None,
            proxies: None,
            size: None,
            start: None,
        }
    }
}

/// What was measured with the books in SQLite.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Sqlite {
    /// By callers.
    #[serde(flatten)]
    pub(crate) levels: BTreeMap<u32, Level>,
    /// How the database was set, read back from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) settings: Option<DatabaseSettings>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) books: Option<Books>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ledger: Option<LedgerAlone>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) verify: Option<Verify>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) export: Option<Export>,
}

/// Paid calls beside the proxies, at one number of callers: medians over the rounds.
#[derive(Debug, Serialize)]
pub(crate) struct Level {
    #[serde(flatten)]
    pub(crate) paid: PaidCall,
    /// The same calls, each with an `idempotency_key` of its own.
    pub(crate) keyed: PaidCall,
    pub(crate) paid_over_nginx: Option<f64>,
    #[serde(flatten)]
    pub(crate) proxies: Proxies,
}

/// One kind of paid call. The field names are the keys of the object.
#[derive(Debug, Serialize)]
pub(crate) struct PaidCall {
    pub(crate) paid_per_s: f64,
    pub(crate) paid_over_bare: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// Median latency minus that of the bare proxy in the same round.
    pub(crate) added_p50_ms: f64,
}

/// `POST /tools/invoke` on a free tool beside the bare proxy.
#[derive(Debug, Serialize)]
pub(crate) struct Gateway {
    /// By callers.
    #[serde(flatten)]
    pub(crate) levels: BTreeMap<u32, FreeCall>,
    /// Before the first call; `null` where the system does not tell.
    pub(crate) idle_resident_mib: Option<f64>,
    /// After the last one.
    pub(crate) loaded_resident_mib: Option<f64>,
}

/// Calls that cost nothing, at one number of callers: medians over the rounds.
#[derive(Debug, Serialize)]
pub(crate) struct FreeCall {
    pub(crate) free_per_s: f64,
    pub(crate) bare_per_s: f64,
    pub(crate) free_over_bare: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// Median latency minus that of the bare proxy in the same round.
    pub(crate) added_p50_ms: f64,
}

/// The ledger alone on small and on large books.
#[derive(Debug, Serialize)]
pub(crate) struct Growth {
    pub(crate) small_transactions: u64,
    pub(crate) large_transactions: u64,
    pub(crate) sqlite: Grown,
    /// `null` where its server is not installed: not measured.
    pub(crate) postgres: Option<Grown>,
}

/// Pairs of a hold and its capture: medians over the rounds.
#[derive(Debug, Serialize)]
pub(crate) struct Grown {
    pub(crate) small_per_s: f64,
    pub(crate) large_per_s: f64,
    /// Within a round.
    pub(crate) large_over_small: f64,
}

/// The proxies that a paid call is compared with.
#[derive(Debug, Serialize)]
pub(crate) struct Proxies {
    pub(crate) bare_per_s: f64,
    pub(crate) bare_p50_ms: f64,
    pub(crate) bare_p99_ms: f64,
    /// `null` where nginx is not installed: not measured.
    pub(crate) nginx_per_s: Option<f64>,
    pub(crate) nginx_p50_ms: Option<f64>,
    pub(crate) nginx_p99_ms: Option<f64>,
    pub(crate) bare_over_nginx: Option<f64>,
}

/// What makes an answer durable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct DatabaseSettings {
    pub(crate) journal_mode: String,
    pub(crate) synchronous: String,
}

/// The books after the run against the upstream's own count; the run fails unless they agree.
#[derive(Debug, Serialize)]
pub(crate) struct Books {
    /// Calls that the upstream received from Tollgate.
    pub(crate) received: u64,
    /// Calls that the books charged.
    pub(crate) charged: u64,
    /// Calls that the driver saw answered with 200.
    pub(crate) answered: u64,
}

/// The ledger without HTTP: every hold and every capture durable before it is answered.
#[derive(Debug, Serialize)]
pub(crate) struct LedgerAlone {
    pub(crate) callers: usize,
    /// Pairs of a hold and its capture.
    pub(crate) hold_captures_per_s: f64,
    /// Of a pair.
    pub(crate) p50_ms: f64,
    /// Of a pair.
    pub(crate) p99_ms: f64,
    /// How many holds and captures shared a transaction, on average.
    pub(crate) requests_per_batch: f64,
}

/// The verifier, over the books of this run.
#[derive(Debug, Serialize)]
pub(crate) struct Verify {
    pub(crate) postings: u64,
    /// The whole command, from start to exit.
    pub(crate) seconds: f64,
    pub(crate) postings_per_s: f64,
}

/// Exports of the same books, beside the database's own dump of the tables that they come from.
#[derive(Debug, Serialize)]
pub(crate) struct Export {
    /// Entries in the books.
    pub(crate) entries: u64,
    /// The dump of all tables of the books; `null` where its program is not installed: not measured.
    pub(crate) dump_s: Option<f64>,
    /// By report and format.
    #[serde(flatten)]
    pub(crate) reports: BTreeMap<String, Exported>,
}

/// One export: the whole command, from start to exit, with the file on disk.
#[derive(Debug, Serialize)]
pub(crate) struct Exported {
    pub(crate) rows: u64,
    pub(crate) mib: f64,
    pub(crate) seconds: f64,
    pub(crate) rows_per_s: f64,
    /// How fast it is for the dump's speed as 1.
    pub(crate) over_dump: Option<f64>,
    /// The most that the process ever had; `null` where the system does not tell.
    pub(crate) peak_resident_mib: Option<f64>,
}

/// The binary on disk.
#[derive(Debug, Serialize)]
pub(crate) struct Size {
    pub(crate) binary_mib: f64,
    /// `null` where `strip` is not installed: not measured.
    pub(crate) stripped_mib: Option<f64>,
}

/// Time from the start of the process to the first 200 of `/readyz`, and what it holds when idle.
#[derive(Debug, Serialize)]
pub(crate) struct Start {
    /// With a database to make.
    pub(crate) first_ready_ms: f64,
    /// With the database there: the median of several starts.
    pub(crate) ready_ms: f64,
    /// `null` where the system does not tell.
    pub(crate) idle_resident_mib: Option<f64>,
}

/// Three decimals: more would claim a precision that no run has.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

/// The middle value, or the mean of the two in the middle; 0 for nothing.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.into_iter().collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let upper = sorted.get(sorted.len() >> 1).copied().unwrap_or_default();
    let lower = sorted.len().checked_sub(1).and_then(|last| sorted.get(last >> 1)).copied().unwrap_or_default();
    rounded(f64::midpoint(lower, upper))
}

const NOT_MEASURED: &str = "not measured";

struct Optional(Option<f64>);

impl fmt::Display for Optional {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(value) => f.pad(&format!("{value:.3}")),
            None => f.pad(NOT_MEASURED),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let machine = &self.machine;
        write!(
            f,
            "{}, {} cores{}, {} MiB, {}; fdatasync {:.3} ms; load before {:.2}{}",
            machine.cpu,
            machine.cores,
            if machine.pinned_to_two_cores { " (held on two)" } else { "" },
            machine.memory_mib,
            machine.kernel,
            machine.fdatasync_ms,
            machine.load_before,
            if machine.is_optimised { "" } else { "; NOT OPTIMISED: figures mean nothing" },
        )?;
        if let Some(sqlite) = &self.sqlite {
            write_sqlite(f, sqlite)?;
        }
        if let Some(gateway) = &self.gateway {
            write_gateway(f, gateway)?;
        }
        if let Some(postgres) = &self.postgres {
            postgres::write_postgres(f, postgres)?;
        }
        if let Some(growth) = &self.growth {
            write_growth(f, growth)?;
        }
        if let Some(console) = &self.console {
            write!(f, "\n{console}")?;
        }
        for turns in self.caps.iter().chain(&self.crowd) {
            write!(f, "\n{turns}")?;
        }
        if let Some(search) = &self.search {
            write!(f, "\n{search}")?;
        }
        for (callers, proxies) in self.proxies.iter().flatten() {
            write_proxies(f, *callers, proxies)?;
            write!(f, "\n{:9}bare ÷ nginx {}", "", Optional(proxies.bare_over_nginx))?;
        }
        if let Some(size) = &self.size {
            write!(f, "\nbinary {:.1} MiB, stripped {} MiB", size.binary_mib, Optional(size.stripped_mib))?;
        }
        if let Some(start) = &self.start {
            write!(
                f,
                "\nready after {:.0} ms ({:.0} ms with a database to make), idle {} MiB resident",
                start.ready_ms,
                start.first_ready_ms,
                Optional(start.idle_resident_mib)
            )?;
        }
        Ok(())
    }
}

fn write_sqlite(f: &mut fmt::Formatter<'_>, sqlite: &Sqlite) -> fmt::Result {
    if let Some(settings) = &sqlite.settings {
        write!(f, "\nSQLite: journal_mode {}, synchronous {}", settings.journal_mode, settings.synchronous)?;
    }
    write_levels(f, &sqlite.levels)?;
    write_books(f, sqlite.books.as_ref())?;
    if let Some(ledger) = &sqlite.ledger {
        write!(
            f,
            "\nledger alone, {} callers: {:.0} hold+capture/s, p50 {:.3} ms, p99 {:.3} ms, {:.1} requests a batch",
            ledger.callers, ledger.hold_captures_per_s, ledger.p50_ms, ledger.p99_ms, ledger.requests_per_batch
        )?;
    }
    write_verify(f, sqlite.verify.as_ref())?;
    write_export(f, sqlite.export.as_ref())
}

fn write_growth(f: &mut fmt::Formatter<'_>, growth: &Growth) -> fmt::Result {
    let Growth { small_transactions, large_transactions, sqlite, postgres } = growth;
    write!(f, "\nhold+capture with {large_transactions} transactions in the books against {small_transactions}")?;
    for (name, grown) in [("SQLite", Some(sqlite)), ("PostgreSQL", postgres.as_ref())] {
        match grown {
            None => write!(f, "\n  {name:11}{NOT_MEASURED}")?,
            Some(Grown { small_per_s, large_per_s, large_over_small }) => {
                write!(f, "\n  {name:11}{large_per_s:>9.0}/s against {small_per_s:.0}/s, ratio {large_over_small:.3}")?;
            }
        }
    }
    Ok(())
}

fn write_gateway(f: &mut fmt::Formatter<'_>, gateway: &Gateway) -> fmt::Result {
    for (callers, free) in &gateway.levels {
        write!(f, "\n{callers} {} of the gateway", if *callers == 1 { "caller" } else { "callers" })?;
        write_side(f, "bare", Some(free.bare_per_s), None, None)?;
        write_side(f, "free tool", Some(free.free_per_s), Some(free.p50_ms), Some(free.p99_ms))?;
        write!(f, "   ÷ bare {:.3}, p50 +{:.3} ms", free.free_over_bare, free.added_p50_ms)?;
    }
    let (idle, loaded) = (Optional(gateway.idle_resident_mib), Optional(gateway.loaded_resident_mib));
    write!(f, "\nresident {idle} MiB idle, {loaded} MiB after the load")
}

fn write_levels(f: &mut fmt::Formatter<'_>, levels: &BTreeMap<u32, Level>) -> fmt::Result {
    for (callers, level) in levels {
        write_proxies(f, *callers, &level.proxies)?;
        for (side, paid) in [("paid", &level.paid), ("paid, keyed", &level.keyed)] {
            write_side(f, side, Some(paid.paid_per_s), Some(paid.p50_ms), Some(paid.p99_ms))?;
            write!(f, "   ÷ bare {:.3}, p50 +{:.3} ms", paid.paid_over_bare, paid.added_p50_ms)?;
        }
        let (paid_over_nginx, bare_over_nginx) = (level.paid_over_nginx, level.proxies.bare_over_nginx);
        write!(f, "\n{:9}paid ÷ nginx {}, ", "", Optional(paid_over_nginx))?;
        write!(f, "bare ÷ nginx {}", Optional(bare_over_nginx))?;
    }
    Ok(())
}

fn write_books(f: &mut fmt::Formatter<'_>, books: Option<&Books>) -> fmt::Result {
    let Some(Books { received, charged, answered }) = books else { return Ok(()) };
    write!(f, "\nbooks: {charged} calls charged, {received} counted by the upstream, {answered} answered")
}

fn write_verify(f: &mut fmt::Formatter<'_>, verify: Option<&Verify>) -> fmt::Result {
    let Some(Verify { postings, seconds, postings_per_s }) = verify else { return Ok(()) };
    write!(f, "\nverify: {postings} postings in {seconds:.2} s, {postings_per_s:.0} postings/s")
}

fn write_export(f: &mut fmt::Formatter<'_>, export: Option<&Export>) -> fmt::Result {
    let Some(Export { entries, dump_s, reports }) = export else { return Ok(()) };
    write!(f, "\nexport of {entries} entries; dump of their tables {} s", Optional(*dump_s))?;
    for (name, report) in reports {
        let (over, peak) = (Optional(report.over_dump), Optional(report.peak_resident_mib));
        write!(f, "\n  {name:18}{:>10.0} rows/s   {:.2} s   {:.0} MiB", report.rows_per_s, report.seconds, report.mib)?;
        write!(f, "   ÷ dump {over}   at most {peak} MiB resident")?;
    }
    Ok(())
}

fn write_proxies(f: &mut fmt::Formatter<'_>, callers: u32, proxies: &Proxies) -> fmt::Result {
    write!(f, "\n{callers} {}", if callers == 1 { "caller" } else { "callers" })?;
    let Proxies { bare_per_s, bare_p50_ms, bare_p99_ms, nginx_per_s, nginx_p50_ms, nginx_p99_ms, bare_over_nginx: _ } =
        *proxies;
    write_side(f, "nginx", nginx_per_s, nginx_p50_ms, nginx_p99_ms)?;
    write_side(f, "bare", Some(bare_per_s), Some(bare_p50_ms), Some(bare_p99_ms))
}

fn write_side(
    f: &mut fmt::Formatter<'_>,
    side: &str,
    per_s: Option<f64>,
    p50_ms: Option<f64>,
    p99_ms: Option<f64>,
) -> fmt::Result {
    match per_s {
        Some(per_s) => {
            write!(f, "\n  {side:12}{per_s:>10.0}/s   p50 {} ms   p99 {} ms", Optional(p50_ms), Optional(p99_ms))
        }
        None => write!(f, "\n  {side:12}{NOT_MEASURED}"),
    }
}

#[cfg(test)]
mod tests;
