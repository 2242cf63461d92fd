//! `POST /tools/invoke` on a free tool beside the bare proxy: what deciding, checking, calling and recording add where no
//! money moves. And what the program holds in memory, idle and under that load.

use std::{collections::BTreeMap, path::Path};

use crate::{
    driver::{Drive, count_f64},
    failure::{Failure, Outcome},
    report::{FreeCall, Gateway, median, rounded},
    rounds::{CALLERS, Pace, Yardsticks, drive, find_ratio},
    tollgate::{self, Site, Tollgate},
    upstream,
    workspace::RunFolder,
};

/// In turn with the bare proxy; every answer must be 200, and the upstream's count the driver's.
pub(crate) fn measure(folder: &RunFolder, program: &Path, pace: Pace) -> Outcome<Gateway> {
    let yardsticks = Yardsticks::start(folder)?;
    let tollgate = Tollgate::start(program, &Site::with_sqlite(folder.subfolder("gateway")?), yardsticks.upstream)?;
    let resident_mib = || tollgate.find_resident_kib().map(|kib| rounded(count_f64(kib) / 1024.0));
    let idle_resident_mib = resident_mib();
    let mut levels = BTreeMap::new();
    for callers in CALLERS {
        let (mut bare, mut free): (Vec<Drive>, Vec<Drive>) = Default::default();
        for _ in 0..pace.rounds {
            bare.push(yardsticks.drive_bare(callers, pace)?);
            let before = upstream::load_count(yardsticks.upstream)?;
            let plan = tollgate::gateway_plan(tollgate.address(), callers, pace.extent());
            let found = drive("free tool", &plan).map_err(|failure| tollgate.explain(&failure))?;
            let received = upstream::load_count(yardsticks.upstream)?.saturating_sub(before);
            if received != found.paid_answers() {
                let answered = found.paid_answers();
                return Err(Failure::new(format!("{answered} calls were answered, {received} carried out")));
            }
            free.push(found);
        }
        levels.insert(callers, free_call(&free, &bare));
    }
    let loaded_resident_mib = resident_mib();
    drop(tollgate.stop()?);
    Ok(Gateway { levels, idle_resident_mib, loaded_resident_mib })
}

fn free_call(free: &[Drive], bare: &[Drive]) -> FreeCall {
    FreeCall {
        free_per_s: median(free.iter().map(Drive::per_s)),
        bare_per_s: median(bare.iter().map(Drive::per_s)),
        free_over_bare: find_ratio(free, bare).unwrap_or_default(),
        p50_ms: median(free.iter().map(|found| found.p50_ms)),
        p99_ms: median(free.iter().map(|found| found.p99_ms)),
        added_p50_ms: rounded(median(free.iter().zip(bare).map(|(free, bare)| free.p50_ms - bare.p50_ms))),
    }
}
