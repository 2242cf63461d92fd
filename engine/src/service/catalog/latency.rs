//! How long calls of a tool took, over time.

/// In how many parts a time is divided.
const PARTS: i64 = 24;

/// How long the calls of a part of a time took, all in microseconds. Half of them took at most `p50_us`, nineteen of twenty
/// at most `p95_us`, ninety-nine of a hundred at most `p99_us`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latency {
    /// When the part began, since the Unix epoch.
    pub from_us: i64,
    /// How many calls it had.
    pub calls: usize,
    /// The median.
    pub p50_us: i64,
    /// See above.
    pub p95_us: i64,
    /// See above.
    pub p99_us: i64,
    /// How many of them failed.
    pub failed: usize,
}

/// A call that ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ran {
    /// When it began, in microseconds since the Unix epoch.
    pub(super) began_us: i64,
    /// For how long it ran, in microseconds.
    pub(super) took_us: i64,
    /// It failed.
    pub(super) has_failed: bool,
}

/// The time from `from_us` to `to_us` (microseconds since the Unix epoch) in equal parts, each with what its calls took. A part
/// without calls is all zeros; without any call there are no parts.
pub(super) fn latencies(ran: &[Ran], from_us: i64, to_us: i64) -> Vec<Latency> {
    let step = to_us.saturating_sub(from_us).checked_div(PARTS).unwrap_or(0).max(1);
    if ran.is_empty() {
        return Vec::new();
    }
    let part = |number: i64| {
        let begins_us = from_us.saturating_add(step.saturating_mul(number));
        let is_last = number == PARTS.saturating_sub(1);
        let ends_us = if is_last { i64::MAX } else { begins_us.saturating_add(step) };
        let of_part = || ran.iter().filter(|call| (begins_us..ends_us).contains(&call.began_us));
        let mut within: Vec<i64> = of_part().map(|call| call.took_us).collect();
        within.sort_unstable();
        Latency {
            from_us: begins_us,
            calls: within.len(),
            p50_us: at_most(&within, 50),
            p95_us: at_most(&within, 95),
            p99_us: at_most(&within, 99),
            failed: of_part().filter(|call| call.has_failed).count(),
        }
    };
    (0..PARTS).map(part).collect()
}

/// The smallest value that `percent` of a hundred do not exceed; zero of none. The nearest rank: always one that was measured.
fn at_most(sorted: &[i64], percent: usize) -> i64 {
    let rank = sorted.len().saturating_mul(percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests;
