//! How near this process was to what it can do at most: its writer, its readers, its calls.

use engine::service::{health::Health, saturation::SaturationMinute};

use crate::{
    kit::{Block, Measure, Strip, Strips, Text, instant_text},
    text::{t, t_with},
};

/// Six hours in steps of five minutes, in microseconds: of each the minute with the most is drawn.
const STEPS: i64 = 72;
const STEP_US: i64 = 300_000_000;

/// One value of a minute.
type Value = fn(&SaturationMinute) -> Option<i64>;

/// The strips, with whose they are; nothing if nothing was measured.
pub(super) fn of(health: &Health, minutes: &[SaturationMinute]) -> Vec<Block> {
    if minutes.is_empty() {
        return Vec::new();
    }
    let started = [("since", instant_text(health.started_us).into())];
    vec![strips(health, minutes).into(), Text::new(t_with("health-saturation-own", &started)).into()]
}

fn strips(health: &Health, minutes: &[SaturationMinute]) -> Strips {
    let first_us = first_of(health.now_us);
    let starts = (0..STEPS).map(|step| first_us.saturating_add(step.saturating_mul(STEP_US)));
    let strip = |key: &str, class, measure: Measure, limit: Option<i64>, value: Value| {
        let values = most_of_steps(first_us, minutes, value);
        let most = values.iter().flatten().copied().max().unwrap_or(0);
        let says = [("value", measure.says(most).into())];
        let says = match limit.filter(|_| measure == Measure::Number) {
            Some(limit) => {
                let [value] = says;
                t_with("health-saturation-most-of", &[value, ("limit", measure.says(limit).into())])
            }
            None => t_with("health-saturation-most", &says),
        };
        Strip { name: t(key), says, class, measure, whole: limit.unwrap_or(most), values }
    };
    let queue_max = i64::try_from(health.writer.queue_max).unwrap_or(i64::MAX);
    let (number, readers_max) = (Measure::Number, i64::from(health.readers.most));
    Strips {
        title: t("health-saturation"),
        labels: starts.map(instant_text).collect(),
        missing: t("health-saturation-missing"),
        strips: vec![
            strip("health-saturation-writer", "s1", Measure::Share, Some(1_000_000), |minute| minute.writer),
            strip("health-saturation-queued", "s3", number, Some(queue_max), |minute| Some(minute.queued)),
            strip("health-saturation-readers", "s2", number, Some(readers_max), |minute| Some(minute.readers)),
            strip("health-saturation-calls", "s5", number, None, |minute| Some(minute.calls)),
        ],
    }
}

/// When the first step begins, so that `now_us` is in the last one.
fn first_of(now_us: i64) -> i64 {
    let last_us = now_us.saturating_sub(now_us.rem_euclid(STEP_US));
    last_us.saturating_sub(STEP_US.saturating_mul(STEPS.saturating_sub(1)))
}

/// The most of every step from `first_us` on; `None` of a step without a minute of which it is known.
fn most_of_steps(first_us: i64, minutes: &[SaturationMinute], value: Value) -> Vec<Option<i64>> {
    let most = |step: i64| {
        let from_us = first_us.saturating_add(step.saturating_mul(STEP_US));
        let within = from_us..from_us.saturating_add(STEP_US);
        minutes.iter().filter(|minute| within.contains(&minute.from_us)).filter_map(value).max()
    };
    (0..STEPS).map(most).collect()
}

#[cfg(test)]
mod tests;
