//! What limits cost: paid calls with three nested limits on each, in turn with the same calls without any.

use std::{collections::BTreeMap, fmt, path::Path};

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    driver::{Drive, Extent},
    failure::Outcome,
    report::{median, rounded},
    rounds::{CALLERS, Pace, PaidCalls, Yardsticks, find_ratio},
    tollgate::{SPLIT, Site, Tollgate},
    workspace::RunFolder,
};

/// What the paid throughput with three nested limits may fall to, as a part of that without.
const GOAL: f64 = 0.85;

/// Calls with limits beside calls without, by callers: medians over the rounds.
#[derive(Debug, Serialize)]
pub(crate) struct Caps {
    #[serde(flatten)]
    levels: BTreeMap<u32, NestedCaps>,
}

/// At one number of callers. The field names are the keys of the object.
#[derive(Debug, Serialize)]
struct NestedCaps {
    capped_per_s: f64,
    uncapped_per_s: f64,
    capped_over_uncapped: f64,
    capped_p50_ms: f64,
    uncapped_p50_ms: f64,
    capped_p99_ms: f64,
    uncapped_p99_ms: f64,
    /// Median latency minus that without limits in the same round.
    added_p50_ms: f64,
}

/// The partner, each of its end users and the token, in three windows; nobody reaches any of them.
fn nested() -> Value {
    json!([
        { "per": "partner", "window": "month", "credits": 9_000_000 },
        { "per": "end_user", "window": "day", "credits": 8_000_000 },
        { "per": "token", "window": "total", "credits": 7_000_000 },
    ])
}

/// One server, with what was driven against it.
struct Side {
    name: &'static str,
    server: Tollgate,
    calls: PaidCalls,
    drives: Vec<Drive>,
}

impl Side {
    fn start(
        folder: &RunFolder,
        program: &Path,
        yardsticks: &Yardsticks,
        (name, caps): (&'static str, &Value),
    ) -> Outcome<Self> {
        let site = Site::with_sqlite(folder.subfolder(name)?);
        let server = Tollgate::start_limited(program, &site, yardsticks.upstream, caps)?;
        let mut side = Self { name, server, calls: PaidCalls::default(), drives: Vec::new() };
        // the first call of each end user writes more than the others
        side.drive(yardsticks, (64, Extent::EachCallerOnce))?;
        side.drives.clear();
        Ok(side)
    }

    fn drive(&mut self, yardsticks: &Yardsticks, shape: (u32, Extent)) -> Outcome<()> {
        let servers = std::slice::from_ref(&self.server);
        self.drives.push(self.calls.drive(self.name, servers, yardsticks.upstream, None, shape)?);
        Ok(())
    }

    /// Its books are those of all calls that it answered.
    fn stop(self) -> Outcome<()> {
        let Self { server, calls, .. } = self;
        server.stop()?.check_books(SPLIT, calls.at_upstream, calls.answered).map(drop)
    }
}

/// Both sides run at once on databases of their own, and take turns.
pub(crate) fn measure(folder: &RunFolder, program: &Path, pace: Pace) -> Outcome<Caps> {
    let yardsticks = Yardsticks::start(folder)?;
    let mut uncapped = Side::start(folder, program, &yardsticks, ("uncapped", &json!([])))?;
    let mut capped = Side::start(folder, program, &yardsticks, ("capped", &nested()))?;
    let mut levels = BTreeMap::new();
    for callers in CALLERS {
        for round in 0..pace.rounds {
            // each side begins every other round
            let mut sides = [&mut uncapped, &mut capped];
            if round % 2 == 1 {
                sides.reverse();
            }
            for side in sides {
                side.drive(&yardsticks, (callers, pace.extent()))?;
            }
        }
        levels.insert(callers, level_of(&capped.drives, &uncapped.drives));
        capped.drives.clear();
        uncapped.drives.clear();
    }
    capped.stop()?;
    uncapped.stop()?;
    Ok(Caps { levels })
}

fn level_of(capped: &[Drive], uncapped: &[Drive]) -> NestedCaps {
    let of = |drives: &[Drive], value: fn(&Drive) -> f64| median(drives.iter().map(value));
    NestedCaps {
        capped_per_s: of(capped, Drive::per_s),
        uncapped_per_s: of(uncapped, Drive::per_s),
        capped_over_uncapped: find_ratio(capped, uncapped).unwrap_or_default(),
        capped_p50_ms: of(capped, |found| found.p50_ms),
        uncapped_p50_ms: of(uncapped, |found| found.p50_ms),
        capped_p99_ms: of(capped, |found| found.p99_ms),
        uncapped_p99_ms: of(uncapped, |found| found.p99_ms),
        added_p50_ms: rounded(median(capped.iter().zip(uncapped).map(|(with, without)| with.p50_ms - without.p50_ms))),
    }
}

impl fmt::Display for Caps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (callers, level) in &self.levels {
            let verdict = if level.capped_over_uncapped >= GOAL { "reached" } else { "not reached" };
            writeln!(
                f,
                "{callers:>4} callers, three nested limits: {:.0}/s, {:.2} of {:.0}/s without (goal {GOAL}: {verdict}); \
                 p50 {:.3} ms, {:+.3} ms; p99 {:.3} ms and {:.3} ms",
                level.capped_per_s,
                level.capped_over_uncapped,
                level.uncapped_per_s,
                level.capped_p50_ms,
                level.added_p50_ms,
                level.capped_p99_ms,
                level.uncapped_p99_ms,
            )?;
        }
        Ok(())
    }
}
