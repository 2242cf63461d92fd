//! What the figures were measured on.

use std::{
    fs::{self, File},
    io::Write as _,
    path::Path,
    time::{Duration, Instant},
};

use serde::Serialize;

use crate::{
    failure::{Context as _, Outcome},
    process,
    report::rounded,
};

/// The facts about the machine that move the figures.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Machine {
    /// The processor, as it names itself.
    pub(crate) cpu: String,
    /// Processors that this process may use.
    pub(crate) cores: usize,
    /// Whether all parts were held on two of them.
    pub(crate) pinned_to_two_cores: bool,
    /// Memory in MiB.
    pub(crate) memory_mib: u64,
    /// The operating system's kernel.
    pub(crate) kernel: String,
    /// The median time of writing 4 KiB and waiting for the disk, in milliseconds, where the database lies.
    pub(crate) fdatasync_ms: f64,
    /// How many processes wanted a processor in the last minute before the run; should be near 0.
    pub(crate) load_before: f64,
    /// Whether this is an optimised build.
    pub(crate) is_optimised: bool,
}

/// Looks at the machine; `folder` lies on the disk that the database will use.
pub(crate) fn describe(folder: &Path) -> Outcome<Machine> {
    let first_words = |path: &str, count| {
        let text = fs::read_to_string(path).unwrap_or_default();
        text.split_whitespace().take(count).collect::<Vec<_>>().join(" ")
    };
    let load_before = first_words("/proc/loadavg", 1).parse().unwrap_or_default();
    Ok(Machine {
        cpu: find_field("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        pinned_to_two_cores: process::is_pinned(),
        memory_mib: find_kib("/proc/meminfo", "MemTotal").unwrap_or_default() >> 10,
        kernel: first_words("/proc/version", 3),
        fdatasync_ms: rounded(time_fdatasync(folder)?.as_secs_f64() * 1e3),
        load_before,
        is_optimised: !cfg!(debug_assertions),
    })
}

/// The value of the first line `name: value` of a file under `/proc`.
fn find_field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    text.lines()
        .find_map(|line| line.split_once(':').filter(|(key, _)| key.trim() == name))
        .map(|(_, value)| value.trim().to_owned())
}

/// As [`find_field`], for a value such as `1024 kB`.
pub(crate) fn find_kib(path: &str, name: &str) -> Option<u64> {
    find_field(path, name)?.split_whitespace().next()?.parse().ok()
}

fn time_fdatasync(folder: &Path) -> Outcome<Duration> {
    const TRIES: usize = 101;
    let path = folder.join("fdatasync");
    let mut file = File::create(&path).context(|| format!("cannot write `{}`", path.display()))?;
    let mut times = Vec::with_capacity(TRIES);
    for _ in 0..TRIES {
        file.write_all(&[7; 4096])?;
        let begin = Instant::now();
        file.sync_data()?;
        times.push(begin.elapsed());
    }
    drop(file);
    fs::remove_file(&path)?;
    times.sort_unstable();
    Ok(times.get(times.len() >> 1).copied().unwrap_or_default())
}
