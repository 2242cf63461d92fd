//! Webhooks that have not taken something rest: what else is due for them waits, and nobody's turn is spent on them.

use std::collections::HashMap;

use engine::id::WebhookId;

/// How long a webhook rests at first, in microseconds: less than the pause before the same delivery is tried again. It doubles
/// with everything more that it does not take.
const REST_US_FIRST: i64 = 20_000_000;
/// The longest rest, in microseconds.
const REST_US_MAX: i64 = 900_000_000;
/// How many rest at most: of more than these nobody keeps account.
const RESTS_MAX: usize = 10_000;

#[derive(Debug, Clone, Copy)]
struct Rest {
    /// How often in a row it has not taken something.
    times: u32,
    /// In microseconds since the Unix epoch.
    until_us: i64,
}

/// Which webhooks rest. What a process knows of them ends with it.
#[derive(Debug, Default)]
pub(super) struct Rests(HashMap<WebhookId, Rest>);

impl Rests {
    /// Something was not taken at `now_us` (microseconds since the Unix epoch).
    pub(super) fn begin(&mut self, webhook: WebhookId, now_us: i64) {
        // Whoever has not failed for so long begins anew, and webhooks that are gone are forgotten.
        self.0.retain(|_, rest| now_us < rest.until_us.saturating_add(REST_US_MAX));
        let times = self.0.get(&webhook).map_or(0, |rest| rest.times);
        if times == 0 && self.0.len() >= RESTS_MAX {
            return;
        }
        let rest_us = REST_US_FIRST.saturating_mul(2_i64.saturating_pow(times)).min(REST_US_MAX);
        let until_us = now_us.saturating_add(rest_us);
        self.0.insert(webhook, Rest { times: times.saturating_add(1), until_us });
    }

    /// Everything was taken.
    pub(super) fn end(&mut self, webhook: WebhookId) {
        self.0.remove(&webhook);
    }

    /// Those that rest at `now_us` (microseconds since the Unix epoch).
    pub(super) fn at(&self, now_us: i64) -> impl Iterator<Item = WebhookId> {
        self.0.iter().filter(move |(_, rest)| now_us < rest.until_us).map(|(webhook, _)| *webhook)
    }
}

#[cfg(test)]
mod tests;
