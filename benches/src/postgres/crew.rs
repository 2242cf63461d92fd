//! Several processes at one ledger: this program starts itself once for each, has all of them connect, and lets them go
//! at the same moment.

use std::{
    io::{BufReader, Read as _, Write as _},
    process::{Child, ChildStdin, ChildStdout, Stdio},
    sync::{Arc, atomic::Ordering},
};

use engine::{
    clock::{Clock, SharedClock},
    id::IdSource,
    ledger::LedgerAccountId,
    store::{Ledger, writer::WriterOptions},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    charging::{Charged, Charging, SpreadIds, Until, charge_from_all},
    driver::count_f64,
    failure::{Context as _, Failure, Outcome},
    process,
    report::{LedgerRate, rounded},
};

/// How many processes write to the ledger.
pub(crate) const PROCESSES: u32 = 4;

/// Callers of each, with one hold or capture in flight. As the baseline has the number of connections that suits it best, this is one
/// that suits batches: with 64 they are half as large.
pub(crate) const CALLERS: usize = 128;

/// So many numbers has each process for itself.
const NUMBERS_BITS: u32 = 48;

/// Accounts with consecutive numbers.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Accounts {
    pub(crate) first: i64,
    pub(crate) count: i64,
}

impl Accounts {
    /// Their names in the ledger.
    pub(crate) fn ids(self) -> Vec<LedgerAccountId> {
        (0..self.count).map(|index| LedgerAccountId::from_raw(self.first.saturating_add(index))).collect()
    }
}

/// What one process has to do. Read as a line of JSON from standard input.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Shift {
    /// The database.
    pub(crate) url: String,
    /// Who pays.
    pub(crate) wallets: Accounts,
    /// Who is paid.
    pub(crate) payees: Accounts,
    pub(crate) until: Until,
    /// Which run of the crew this is, and which process of it: names are never given twice.
    pub(crate) number: u64,
}

/// What one process saw. Written as a line of JSON to standard output.
#[derive(Debug, Serialize, Deserialize)]
struct Seen {
    /// Of pairs of a hold and its capture: nanoseconds, and how many took that long.
    latencies_ns: Vec<(u64, u64)>,
    captures: u64,
    measured: u64,
    /// Of the writer.
    requests: u64,
    /// In which it carried them out.
    batches: u64,
}

/// What a run of the whole crew showed.
#[derive(Debug)]
pub(crate) struct Found {
    /// All captures, the warm-up included.
    pub(crate) captures: u64,
    pub(crate) rate: LedgerRate,
}

/// Reads a shift from standard input, says `ready`, works when told to, says what it saw.
pub(crate) fn run() -> Outcome<()> {
    let mut stdin = BufReader::new(std::io::stdin());
    let shift: Shift = read_line(&mut stdin)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let seen = runtime.block_on(work(&shift, || {
        say("\"ready\"")?;
        read_line::<bool>(&mut stdin).map(drop)
    }))?;
    say(&serde_json::to_string(&seen)?)
}

async fn work(shift: &Shift, wait: impl FnOnce() -> Outcome<()>) -> Outcome<Seen> {
    let shared = Arc::new(SharedClock::start());
    let clock: Arc<dyn Clock> = Arc::<SharedClock>::clone(&shared);
    let first = shift.number << NUMBERS_BITS;
    let ids: Arc<dyn IdSource> = Arc::new(SpreadIds::starting_at(first));
    let options = WriterOptions { clock: Arc::clone(&clock), ids: Arc::clone(&ids) };
    let (ledger, writer) =
        Ledger::start_postgres(&shift.url, options, Some(shared)).context(|| "cannot start the writer".to_owned())?;
    wait()?;
    let (wallets, payees) = (shift.wallets.ids(), shift.payees.ids());
    let charging = Charging { ledger: ledger.clone(), clock, ids, wallets, payees, first };
    let charged = charge_from_all(charging, CALLERS, shift.until).await?;
    let counters = ledger.counters();
    let [requests, batches] = [&counters.requests, &counters.batches].map(|counter| counter.load(Ordering::Relaxed));
    // the writer stops when the last handle is gone
    drop(ledger);
    writer.join().map_err(|_panic| Failure::new("the writer's thread panicked"))?;
    let latencies_ns =
        charged.latencies_ns.iter_recorded().map(|value| (value.value_iterated_to(), value.count_at_value())).collect();
    let Charged { captures, measured, .. } = charged;
    Ok(Seen { latencies_ns, captures, measured, requests, batches })
}

fn say(line: &str) -> Outcome<()> {
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{line}")?;
    Ok(stdout.flush()?)
}

/// Anything that can be said in a line of JSON. Nothing, when the other side is gone.
fn read_line<T: DeserializeOwned>(from: &mut impl std::io::BufRead) -> Outcome<T> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    if line.is_empty() {
        return Err(Failure::new("a process of the crew is gone"));
    }
    Ok(serde_json::from_str(&line)?)
}

/// A process of the crew, seen from outside.
struct Member {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Member {
    fn start(shift: &Shift) -> Outcome<Self> {
        let program = std::env::current_exe().context(|| "cannot find my own program file".to_owned())?;
        let mut command = process::command(program);
        command.arg("charge").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().context(|| "cannot start a process of the crew".to_owned())?;
        let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Failure::new("a process of the crew has no pipes"));
        };
        writeln!(stdin, "{}", serde_json::to_string(shift)?)?;
        Ok(Self { child, stdin, stdout: BufReader::new(stdout) })
    }

    fn end(mut self) -> Outcome<Seen> {
        let seen = read_line(&mut self.stdout);
        drop(self.stdin);
        self.stdout.read_to_end(&mut Vec::new())?;
        let status = self.child.wait()?;
        // what it had to say stands above, on standard error
        if status.success() { seen } else { Err(Failure::new(format!("a process of the crew failed ({status})"))) }
    }
}

/// Lets the whole crew work. `shift.number` is the run's; what the processes are numbered by is made from it.
pub(crate) fn charge(shift: &Shift, seconds: u64) -> Outcome<Found> {
    let number = |index: u32| shift.number.saturating_mul(u64::from(PROCESSES)).saturating_add(u64::from(index));
    let mut members = (0..PROCESSES)
        .map(|index| Member::start(&Shift { number: number(index), ..shift.clone() }))
        .collect::<Outcome<Vec<_>>>()?;
    for member in &mut members {
        read_line::<String>(&mut member.stdout)?;
    }
    for member in &mut members {
        writeln!(member.stdin, "true")?;
    }
    // all are waited for before one's failure is told
    let seen: Vec<_> = members.into_iter().map(Member::end).collect();
    sum(&seen.into_iter().collect::<Outcome<Vec<_>>>()?, seconds)
}

fn sum(crew: &[Seen], seconds: u64) -> Outcome<Found> {
    let mut latencies_ns = Charged::nothing()?.latencies_ns;
    for (value, count) in crew.iter().flat_map(|seen| &seen.latencies_ns) {
        latencies_ns.saturating_record_n(*value, *count);
    }
    let total = |of: fn(&Seen) -> u64| crew.iter().map(of).fold(0, u64::saturating_add);
    let batches = count_f64(total(|seen| seen.batches)).max(1.0);
    let rate = LedgerRate {
        hold_captures_per_s: rounded(count_f64(total(|seen| seen.measured)) / count_f64(seconds.max(1))),
        p50_ms: rounded(count_f64(latencies_ns.value_at_quantile(0.50)) / 1e6),
        p99_ms: rounded(count_f64(latencies_ns.value_at_quantile(0.99)) / 1e6),
        requests_per_batch: rounded(count_f64(total(|seen| seen.requests)) / batches),
    };
    Ok(Found { captures: total(|seen| seen.captures), rate })
}

#[cfg(test)]
mod tests;
