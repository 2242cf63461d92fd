//! The program itself: its size on disk, how soon it is ready, what it holds when idle.

use std::{path::Path, process::Command, time::Duration};

use crate::{
    driver::count_f64,
    failure::{Context as _, Failure, Outcome},
    process,
    report::{Size, Start, median, rounded},
    tollgate::{Site, Tollgate},
    workspace::RunFolder,
};

/// Starts with the database there, of which the median counts.
const STARTS: usize = 5;

/// How long a started server is left alone before its memory is read.
const IDLE: Duration = Duration::from_secs(2);

const MIB: f64 = 1024.0 * 1024.0;

/// The size of the binary as built and with its symbols stripped.
pub(crate) fn measure_size(folder: &RunFolder, program: &Path) -> Outcome<Size> {
    Ok(Size { binary_mib: file_mib(program)?, stripped_mib: find_stripped_mib(folder, program)? })
}

fn find_stripped_mib(folder: &RunFolder, program: &Path) -> Outcome<Option<f64>> {
    let Some(strip) = process::find_program("strip") else { return Ok(None) };
    let stripped = folder.path().join("stripped");
    let status = Command::new(strip).arg("-o").arg(&stripped).arg(program).status()?;
    if !status.success() {
        return Err(Failure::new(format!("`strip` ended with {status}")));
    }
    file_mib(&stripped).map(Some)
}

fn file_mib(path: &Path) -> Outcome<f64> {
    let bytes = std::fs::metadata(path).context(|| format!("cannot see `{}`", path.display()))?.len();
    Ok(rounded(count_f64(bytes) / MIB))
}

/// Time to ready on a new and on an existing database, and resident memory when nothing is asked.
pub(crate) fn measure_start(folder: &RunFolder, program: &Path) -> Outcome<Start> {
    let site = Site::with_sqlite(folder.subfolder("start")?);
    let first = Tollgate::start_plain(program, &site)?;
    let first_ready_ms = rounded(first.ready_after().as_secs_f64() * 1e3);
    drop(first.stop()?);
    let mut ready_ms = Vec::with_capacity(STARTS);
    let mut idle_kib = None;
    for _ in 0..STARTS {
        let tollgate = Tollgate::start_plain(program, &site)?;
        ready_ms.push(tollgate.ready_after().as_secs_f64() * 1e3);
        if idle_kib.is_none() {
            process::pause(IDLE);
            idle_kib = tollgate.find_resident_kib();
        }
        drop(tollgate.stop()?);
    }
    Ok(Start {
        first_ready_ms,
        ready_ms: median(ready_ms),
        idle_resident_mib: idle_kib.map(|kib| rounded(count_f64(kib) / 1024.0)),
    })
}
