//! Two servers in turn: paid calls of one against the same calls of another one, which differs in a single thing.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

use crate::{
    driver::{Drive, Extent},
    failure::Outcome,
    report::{median, rounded},
    rounds::{CALLERS, Pace, PaidCalls, Yardsticks, find_ratio},
    tollgate::{SPLIT, Tollgate},
};

/// One server with what the other has not, beside it, by callers: medians over the rounds. The field names are the keys of the
/// object.
#[derive(Debug, Serialize)]
pub(crate) struct Turns {
    /// What the first one has.
    #[serde(skip)]
    with: &'static str,
    /// What its throughput may fall to, as a part of the other's.
    #[serde(skip)]
    goal: f64,
    #[serde(flatten)]
    levels: BTreeMap<u32, Beside>,
}

/// At one number of callers.
#[derive(Debug, Serialize)]
struct Beside {
    with_per_s: f64,
    without_per_s: f64,
    with_over_without: f64,
    with_p50_ms: f64,
    without_p50_ms: f64,
    with_p99_ms: f64,
    without_p99_ms: f64,
    /// Median latency minus that of the other in the same round.
    added_p50_ms: f64,
}

/// One server, with what was driven against it.
struct Side {
    name: &'static str,
    server: Tollgate,
    calls: PaidCalls,
    drives: Vec<Drive>,
}

impl Side {
    fn of(name: &'static str, server: Tollgate, yardsticks: &Yardsticks) -> Outcome<Self> {
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

/// Drives both, each on a database of its own. `with` names what the first server has; `goal` is the part of the second one's
/// throughput that it is to have.
pub(crate) fn take_turns(
    (with, goal): (&'static str, f64),
    [first, second]: [Tollgate; 2],
    yardsticks: &Yardsticks,
    pace: Pace,
) -> Outcome<Turns> {
    let mut first = Side::of("with", first, yardsticks)?;
    let mut second = Side::of("without", second, yardsticks)?;
    let mut levels = BTreeMap::new();
    for callers in CALLERS {
        for round in 0..pace.rounds {
            // each side begins every other round
            let mut sides = [&mut second, &mut first];
            if round % 2 == 1 {
                sides.reverse();
            }
            for side in sides {
                side.drive(yardsticks, (callers, pace.extent()))?;
            }
        }
        levels.insert(callers, level_of(&first.drives, &second.drives));
        first.drives.clear();
        second.drives.clear();
    }
    first.stop()?;
    second.stop()?;
    Ok(Turns { with, goal, levels })
}

fn level_of(with: &[Drive], without: &[Drive]) -> Beside {
    let of = |drives: &[Drive], value: fn(&Drive) -> f64| median(drives.iter().map(value));
    Beside {
        with_per_s: of(with, Drive::per_s),
        without_per_s: of(without, Drive::per_s),
        with_over_without: find_ratio(with, without).unwrap_or_default(),
        with_p50_ms: of(with, |found| found.p50_ms),
        without_p50_ms: of(without, |found| found.p50_ms),
        with_p99_ms: of(with, |found| found.p99_ms),
        without_p99_ms: of(without, |found| found.p99_ms),
        added_p50_ms: rounded(median(with.iter().zip(without).map(|(with, without)| with.p50_ms - without.p50_ms))),
    }
}

impl fmt::Display for Turns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { with, goal, levels } = self;
        for (callers, level) in levels {
            let verdict = if level.with_over_without >= *goal { "reached" } else { "not reached" };
            writeln!(
                f,
                "{callers:>4} callers, {with}: {:.0}/s, {:.2} of {:.0}/s without (goal {goal}: {verdict}); p50 {:.3} ms, \
                 {:+.3} ms; p99 {:.3} ms and {:.3} ms",
                level.with_per_s,
                level.with_over_without,
                level.without_per_s,
                level.with_p50_ms,
                level.added_p50_ms,
                level.with_p99_ms,
                level.without_p99_ms,
            )?;
        }
        Ok(())
    }
}
