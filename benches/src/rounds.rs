//! The sides take turns, A B A B, because a machine's mood changes within a run: ratios are taken within a round, and
//! the medians over the rounds are reported.

use std::{collections::BTreeMap, io::Write as _, net::SocketAddr, path::Path, process::Stdio, slice};

use crate::{
    driver::{Drive, Extent, Plan},
    failure::{Context as _, Failure, Outcome},
    nginx, note,
    process::{self, Process},
    report::{Level, PaidCall, Proxies, Sqlite, median, rounded},
    tollgate::{self, Site, Tollgate},
    upstream, verify,
    workspace::RunFolder,
};

/// How many calls are in flight, level by level.
pub(crate) const CALLERS: [u32; 3] = [1, 64, 256];

/// Driven before every measured time, in milliseconds.
const WARM_UP_MS: u64 = 1_000;

/// How long and how often.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// Measured seconds of one drive.
    pub(crate) seconds: u64,
    /// How often the sides take turns.
    pub(crate) rounds: u64,
}

impl Pace {
    /// A warm-up and the measured time.
    pub(crate) fn extent(self) -> Extent {
        Extent::Time { warm_up_ms: WARM_UP_MS, measured_ms: self.seconds.saturating_mul(1_000) }
    }
}

/// The upstream and the proxies in front of it.
#[derive(Debug)]
pub(crate) struct Yardsticks {
    /// Behind all sides.
    pub(crate) upstream: SocketAddr,
    bare: SocketAddr,
    nginx: Option<SocketAddr>,
    /// In the order in which they are stopped.
    _processes: Vec<Process>,
}

impl Yardsticks {
    /// Starts them; nginx only where it is installed.
    pub(crate) fn start(folder: &RunFolder) -> Outcome<Self> {
        let (upstream_process, upstream) = process::start_self("upstream", &[])?;
        let (bare_process, bare) = process::start_self("bare", &[format!("http://{upstream}/echo")])?;
        let mut processes = vec![bare_process];
        let started = nginx::start(&folder.subfolder("nginx")?, upstream)?;
        if started.is_none() {
            note("load: nginx is not installed, so it is not measured");
        }
        let nginx = started.map(|(nginx_process, address)| {
            processes.push(nginx_process);
            address
        });
        processes.push(upstream_process);
        Ok(Self { upstream, bare, nginx, _processes: processes })
    }

    /// One turn of the bare proxy.
    pub(crate) fn drive_bare(&self, callers: u32, pace: Pace) -> Outcome<Drive> {
        drive("bare", &tollgate::plan(vec![self.bare], callers, pace.extent()))
    }

    /// One turn of every proxy.
    fn drive(&self, callers: u32, pace: Pace, samples: &mut Samples) -> Outcome<()> {
        samples.bare.push(self.drive_bare(callers, pace)?);
        if let Some(nginx) = self.nginx {
            samples.nginx.push(drive("nginx", &tollgate::plan(vec![nginx], callers, pace.extent()))?);
        }
        Ok(())
    }
}

/// What the sides showed at one number of callers, round by round.
#[derive(Debug, Default)]
struct Samples {
    bare: Vec<Drive>,
    nginx: Vec<Drive>,
    paid: Vec<Drive>,
    keyed: Vec<Drive>,
}

/// Starts a driver process for `plan` and returns what it found; fails unless every answer was 200.
pub(crate) fn drive(side: &str, plan: &Plan) -> Outcome<Drive> {
    let program = std::env::current_exe().context(|| "cannot find my own program file".to_owned())?;
    let mut command = process::command(program);
    command.arg("drive").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().context(|| "cannot start the driver".to_owned())?;
    let mut stdin = child.stdin.take().ok_or_else(|| Failure::new("the driver has no standard input"))?;
    stdin.write_all(serde_json::to_string(plan)?.as_bytes())?;
    drop(stdin);
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Err(Failure::new(format!("the driver failed on {side} ({})", output.status)));
    }
    let found: Drive = serde_json::from_slice(&output.stdout)?;
    found.check_clean(side)?;
    note(&format!(
        "{:>4} callers  {side:12}{:>10.0}/s   p50 {:.3} ms   p99 {:.3} ms",
        plan.connections,
        found.per_s(),
        found.p50_ms,
        found.p99_ms
    ));
    Ok(found)
}

/// The bare proxy against nginx, without Tollgate.
pub(crate) fn measure_proxies(folder: &RunFolder, pace: Pace) -> Outcome<BTreeMap<u32, Proxies>> {
    let yardsticks = Yardsticks::start(folder)?;
    let mut levels = BTreeMap::new();
    for callers in CALLERS {
        let mut samples = Samples::default();
        for _ in 0..pace.rounds {
            yardsticks.drive(callers, pace, &mut samples)?;
        }
        levels.insert(callers, proxies_of(&samples));
    }
    Ok(levels)
}

/// Paid calls with the books in SQLite; then the books are checked against the upstream.
pub(crate) fn measure_paid(folder: &RunFolder, program: &Path, pace: Pace, sqlite: &mut Sqlite) -> Outcome<()> {
    let yardsticks = Yardsticks::start(folder)?;
    let site = Site::with_sqlite(folder.subfolder("tollgate")?);
    let tollgate = Tollgate::start(program, &site, yardsticks.upstream)?;
    sqlite.settings = Some(tollgate.check_durable()?);
    let mut calls = PaidCalls::default();
    sqlite.levels = calls.drive_levels(&yardsticks, slice::from_ref(&tollgate), &CALLERS, pace)?;
    let stopped = tollgate.stop()?;
    sqlite.verify = Some(verify::check_sound(&stopped)?);
    sqlite.books = Some(stopped.check_books(tollgate::SPLIT, calls.at_upstream, calls.answered)?);
    Ok(())
}

/// Counts over all paid drives of a run.
#[derive(Debug, Default)]
pub(crate) struct PaidCalls {
    /// What the upstream received while Tollgate was driven.
    pub(crate) at_upstream: u64,
    /// What the driver saw answered with 200.
    pub(crate) answered: u64,
}

impl PaidCalls {
    /// Paid calls to `servers`, with and without a key, in turn with the proxies, at each of these numbers of callers.
    pub(crate) fn drive_levels(
        &mut self,
        yardsticks: &Yardsticks,
        servers: &[Tollgate],
        levels: &[u32],
        pace: Pace,
    ) -> Outcome<BTreeMap<u32, Level>> {
        let upstream = yardsticks.upstream;
        // the first call of each end user writes more than the others
        self.drive("every token", servers, upstream, None, (64, Extent::EachCallerOnce))?;
        let mut found = BTreeMap::new();
        for callers in levels.iter().copied() {
            let mut samples = Samples::default();
            for round in 0..pace.rounds {
                yardsticks.drive(callers, pace, &mut samples)?;
                let shape = (callers, pace.extent());
                samples.paid.push(self.drive("paid", servers, upstream, None, shape)?);
                let key_prefix = Some(format!("load-{}-{callers}-{round}-", servers.len()));
                samples.keyed.push(self.drive("paid, keyed", servers, upstream, key_prefix, shape)?);
            }
            found.insert(callers, level_of(&samples));
        }
        Ok(found)
    }

    /// One turn of `servers`, with `shape` the callers and the extent.
    pub(crate) fn drive(
        &mut self,
        side: &str,
        servers: &[Tollgate],
        upstream: SocketAddr,
        key_prefix: Option<String>,
        shape: (u32, Extent),
    ) -> Outcome<Drive> {
        let before = upstream::load_count(upstream)?;
        let mut plan = tollgate::plan(servers.iter().map(Tollgate::address).collect(), shape.0, shape.1);
        plan.key_prefix = key_prefix;
        let explain = |failure| servers.iter().fold(failure, |failure, server| server.explain(&failure));
        let found = drive(side, &plan).map_err(explain)?;
        let received = upstream::load_count(upstream)?.saturating_sub(before);
        self.at_upstream = self.at_upstream.saturating_add(received);
        self.answered = self.answered.saturating_add(found.paid_answers());
        Ok(found)
    }
}

fn proxies_of(samples: &Samples) -> Proxies {
    let nginx = |median_of: &dyn Fn(&Drive) -> f64| {
        (!samples.nginx.is_empty()).then(|| median(samples.nginx.iter().map(median_of)))
    };
    Proxies {
        bare_per_s: median(samples.bare.iter().map(Drive::per_s)),
        bare_p50_ms: median(samples.bare.iter().map(|found| found.p50_ms)),
        bare_p99_ms: median(samples.bare.iter().map(|found| found.p99_ms)),
        nginx_per_s: nginx(&Drive::per_s),
        nginx_p50_ms: nginx(&|found| found.p50_ms),
        nginx_p99_ms: nginx(&|found| found.p99_ms),
        bare_over_nginx: find_ratio(&samples.bare, &samples.nginx),
    }
}

fn level_of(samples: &Samples) -> Level {
    Level {
        paid: paid_of(&samples.paid, &samples.bare),
        keyed: paid_of(&samples.keyed, &samples.bare),
        paid_over_nginx: find_ratio(&samples.paid, &samples.nginx),
        proxies: proxies_of(samples),
    }
}

fn paid_of(paid: &[Drive], bare: &[Drive]) -> PaidCall {
    PaidCall {
        paid_per_s: median(paid.iter().map(Drive::per_s)),
        paid_over_bare: find_ratio(paid, bare).unwrap_or_default(),
        p50_ms: median(paid.iter().map(|found| found.p50_ms)),
        p99_ms: median(paid.iter().map(|found| found.p99_ms)),
        added_p50_ms: rounded(median(paid.iter().zip(bare).map(|(paid, bare)| paid.p50_ms - bare.p50_ms))),
    }
}

/// The median of the ratios, round by round; `None` where one side has no rounds.
pub(crate) fn find_ratio(ours: &[Drive], theirs: &[Drive]) -> Option<f64> {
    let ratios: Vec<f64> = ours.iter().zip(theirs).map(|(ours, theirs)| ours.per_s() / theirs.per_s()).collect();
    (!ratios.is_empty()).then(|| median(ratios))
}

#[cfg(test)]
mod tests;
