//! `tollgate ledger verify` over the books of a drive: the whole command is timed, not what it says about itself.

use std::{path::Path, slice, time::Instant};

use serde_json::Value;

use crate::{
    driver::{Extent, count_f64},
    failure::{Failure, Outcome},
    process,
    report::{Sqlite, Verify, rounded},
    rounds::{Pace, PaidCalls},
    tollgate::{self, Installation, Site, Tollgate},
    workspace::RunFolder,
};

/// Callers of the drive that fills the books.
const CALLERS: u32 = 256;

/// Fills fresh books for as long as all rounds would take, then verifies them.
pub(crate) fn measure(folder: &RunFolder, program: &Path, pace: Pace, sqlite: &mut Sqlite) -> Outcome<()> {
    let (_upstream, upstream_address) = process::start_self("upstream", &[])?;
    let site = Site::with_sqlite(folder.subfolder("verify")?);
    let tollgate = Tollgate::start(program, &site, upstream_address)?;
    let servers = slice::from_ref(&tollgate);
    sqlite.settings = Some(tollgate.check_durable()?);
    let mut calls = PaidCalls::default();
    let filling = Pace { seconds: pace.seconds.saturating_mul(pace.rounds), ..pace };
    calls.drive("every token", servers, upstream_address, None, (64, Extent::EachCallerOnce))?;
    calls.drive("filling", servers, upstream_address, None, (CALLERS, filling.extent()))?;
    let stopped = tollgate.stop()?;
    sqlite.verify = Some(check_sound(&stopped)?);
    sqlite.books = Some(stopped.check_books(tollgate::SPLIT, calls.at_upstream, calls.answered)?);
    Ok(())
}

/// Verifies the books and times it; fails unless they are sound.
pub(crate) fn check_sound(installation: &Installation) -> Outcome<Verify> {
    let begin = Instant::now();
    let found = installation.run_json(&["ledger", "verify", "--json"])?;
    let seconds = begin.elapsed().as_secs_f64();
    let postings = found.get("postings").and_then(Value::as_u64);
    let problems = found.get("problems").and_then(Value::as_array);
    let is_ok = found.get("ok").and_then(Value::as_bool) == Some(true) && problems.is_some_and(Vec::is_empty);
    let (Some(postings), true) = (postings, is_ok) else {
        return Err(Failure::new(format!("`tollgate ledger verify` found the books unsound: {found}")));
    };
    Ok(Verify { postings, seconds: rounded(seconds), postings_per_s: rounded(count_f64(postings) / seconds) })
}
