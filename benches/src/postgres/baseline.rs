//! The yardstick of the ledger on PostgreSQL: the same work without batches, each step a transaction of its own with row
//! locks, driven by pgbench with prepared statements.

use std::process::Stdio;

use crate::{
    charging::SPLIT,
    failure::{Context as _, Failure, Outcome},
    note,
    postgres::cluster::Cluster,
    report::{Unbatched, rounded},
};

/// The database of the yardstick.
const DATABASE: &str = "baseline";

/// Connections that are tried; whatever does best is compared with.
const CONNECTIONS: [u32; 4] = [4, 16, 32, 64];

/// Wallets, as many as the ledger's own.
pub(crate) const WALLETS: i64 = 1_000;

/// Driven before every measured time, in seconds.
const WARM_UP_S: u64 = 1;

/// What is done without batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// Tollgate's: a hold, and in a second transaction its capture.
    HoldCapture,
    /// pgledger's: a charge in one transaction, without a hold.
    Charge,
}

impl Work {
    fn script(self) -> (&'static str, &'static str) {
        match self {
            Self::HoldCapture => ("hold_capture.sql", include_str!("baseline/hold_capture.sql")),
            Self::Charge => ("charge.sql", include_str!("baseline/charge.sql")),
        }
    }
}

/// A database that is driven without batches.
#[derive(Debug)]
pub(crate) struct Baseline<'c> {
    cluster: &'c Cluster,
    /// What pgbench has counted so far.
    charges: u64,
}

/// What pgbench says of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Run {
    transactions: u64,
    per_s: f64,
    mean_ms: f64,
}

impl<'c> Baseline<'c> {
    /// Makes it.
    pub(crate) fn create(cluster: &'c Cluster) -> Outcome<Self> {
        cluster.create_database(DATABASE)?;
        let schema = include_str!("baseline/schema.sql");
        cluster.run_script(DATABASE, schema, &[("wallets", WALLETS.to_string())])?;
        Ok(Self { cluster, charges: 0 })
    }

    /// Drives it at each number of connections that is worth trying: all of them at first, then the one that did best.
    pub(crate) fn drive(&mut self, work: Work, seconds: u64, best: Option<u32>) -> Outcome<Unbatched> {
        let tried = best.map_or(CONNECTIONS.to_vec(), |connections| vec![connections]);
        let mut found: Option<Unbatched> = None;
        for connections in tried {
            self.run(work, connections, WARM_UP_S)?;
            let run = self.run(work, connections, seconds)?;
            note(&format!("{connections:>4} connections, unbatched {work:?}{:>10.0}/s", run.per_s));
            if found.as_ref().is_none_or(|found| run.per_s > found.per_s) {
                let (per_s, mean_ms) = (rounded(run.per_s), rounded(run.mean_ms));
                found = Some(Unbatched { connections, per_s, mean_ms });
            }
        }
        found.ok_or_else(|| Failure::new("nothing to drive"))
    }

    /// Fails unless the money that was moved is that of the transactions that pgbench counted.
    pub(crate) fn check_books(&self) -> Outcome<()> {
        let earned = self.cluster.query(DATABASE, "SELECT id, balance FROM account WHERE id < 3 ORDER BY id")?;
        let amount = |share: i64| i128::from(share).saturating_mul(i128::from(self.charges));
        let expected = format!("1|{}\n2|{}", amount(SPLIT.platform), amount(SPLIT.publisher));
        if earned == expected {
            return Ok(());
        }
        Err(Failure::new(format!("the unbatched yardstick earned {earned:?}, but pgbench counted {expected:?}")))
    }

    fn run(&mut self, work: Work, connections: u32, seconds: u64) -> Outcome<Run> {
        let (name, script) = work.script();
        let file = self.cluster.folder().join(name);
        std::fs::write(&file, script)?;
        let mut pgbench = self.cluster.pgbench(DATABASE);
        pgbench.args(["--no-vacuum", "--protocol=prepared", "--jobs=1", "--file"]).arg(file);
        pgbench.arg(format!("--client={connections}")).arg(format!("--time={seconds}"));
        for (name, value) in [("wallets", WALLETS), ("share", SPLIT.publisher), ("fee", SPLIT.platform)] {
            pgbench.arg(format!("--define={name}={value}"));
        }
        let output = pgbench.stderr(Stdio::inherit()).output().context(|| "cannot run pgbench".to_owned())?;
        if !output.status.success() {
            return Err(Failure::new(format!("pgbench ended with {}", output.status)));
        }
        let run = parse(&String::from_utf8_lossy(&output.stdout))?;
        self.charges = self.charges.saturating_add(run.transactions);
        Ok(run)
    }
}

/// Reads pgbench's report. It has no median.
fn parse(report: &str) -> Outcome<Run> {
    let number = |label: &str| {
        let rest = report.lines().find_map(|line| line.strip_prefix(label));
        let word = rest.and_then(|rest| rest.split([' ', '/']).find(|word| !word.is_empty()));
        word.ok_or_else(|| Failure::new(format!("pgbench does not say `{label}`:\n{report}")))
    };
    let parse_f64 = |label: &str| number(label)?.parse::<f64>().context(|| format!("pgbench's `{label}`"));
    let failed = number("number of failed transactions:")?;
    if failed != "0" {
        return Err(Failure::new(format!("{failed} transactions of pgbench's failed")));
    }
    Ok(Run {
        transactions: number("number of transactions actually processed:")?
            .parse()
            .context(|| "pgbench's number of transactions".to_owned())?,
        per_s: parse_f64("tps =")?,
        mean_ms: parse_f64("latency average =")?,
    })
}

#[cfg(test)]
mod tests;
