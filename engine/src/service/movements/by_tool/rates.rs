//! How often the calls of tools went back, beside what is to be expected of as many calls.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::{Movement, charge_of};
use crate::{
    id::ToolId,
    invocation::CallOutcome,
    ledger::export::DAY_US,
    service::Services,
    store::{StoreError, counts, sales},
};

/// Of how many days rates are told, today among them.
pub const RATE_DAYS: i64 = 30;
/// Of how many tools: those of which most calls went back.
const RATES_TOLD: usize = 12;
const MILLION: i64 = 1_000_000;

/// How often calls went back. Rates are millionths: calls of which something went back on some days, of the calls that were
/// charged on the same days, as far as these were counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundRates {
    /// When the first of the days began, in microseconds since the Unix epoch; days are those of UTC.
    pub from_us: i64,
    /// The rate of all tools together.
    pub mean: i64,
    /// The tool of which most calls went back first. Tools of no publisher are not counted by tool, and are missing.
    pub tools: Vec<ToolRate>,
}

/// How often calls of one tool went back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolRate {
    /// Which tool.
    pub tool: ToolId,
    /// What it is called: `namespace/tool`.
    pub path: String,
    /// Calls of which something went back, a part or all.
    pub refunded: i64,
    /// Calls that were charged.
    pub paid_calls: i64,
    /// The rate.
    pub rate: i64,
    /// If it were as likely as of all tools together, a rate of so many calls would hardly ever be below this: three standard
    /// deviations.
    pub low: i64,
    /// And hardly ever above this.
    pub high: i64,
}

impl ToolRate {
    fn of(tool: Uuid, path: String, (refunded, paid_calls): (i64, i64), mean: i64) -> Self {
        let spread = spread(mean, paid_calls);
        Self {
            tool: ToolId::from(tool),
            path,
            refunded,
            paid_calls,
            rate: rate(refunded, paid_calls),
            low: mean.saturating_sub(spread).max(0),
            high: mean.saturating_add(spread).min(MILLION),
        }
    }
}

/// `part` of `whole`, in millionths.
fn rate(part: i64, whole: i64) -> i64 {
    let millionths = i128::from(part).saturating_mul(MILLION.into()).checked_div(whole.into()).unwrap_or(0);
    i64::try_from(millionths).unwrap_or(i64::MAX)
}

/// Three standard deviations of the rate of so many calls, each of which goes back with the likelihood `mean`. In millionths.
fn spread(mean: i64, calls: i64) -> i64 {
    let mean = mean.clamp(0, MILLION);
    let variance = mean.saturating_mul(MILLION.saturating_sub(mean)).saturating_mul(9).checked_div(calls.max(1));
    variance.and_then(i64::checked_isqrt).unwrap_or(0)
}

/// When the first whole day began that everything is known of, if orders since `since_us` are. `None` if that is none.
fn first_day(since_us: Option<i64>, now_us: i64) -> Option<i64> {
    let day_of = |at_us: i64| at_us.saturating_sub(at_us.rem_euclid(DAY_US));
    let usual_us = day_of(now_us).saturating_sub(DAY_US.saturating_mul(RATE_DAYS.saturating_sub(1)));
    let known_us = since_us.map(|since_us| day_of(since_us.saturating_sub(1)).saturating_add(DAY_US));
    Some(known_us.map_or(usual_us, |known_us| known_us.max(usual_us))).filter(|from_us| *from_us <= now_us)
}

impl Services {
    /// The rates of the tools of which most calls went back. What was paid is read from the sums of days and of ten minutes
    /// along their primary keys: for [`RATES_TOLD`] tools and [`RATE_DAYS`] days at most.
    pub(super) async fn load_refund_rates(
        &self,
        refunds: &[Movement],
        (tools, names): (&HashMap<Uuid, Uuid>, &HashMap<Uuid, String>),
        since_us: Option<i64>,
    ) -> Result<Option<RefundRates>, StoreError> {
        let Some(from_us) = first_day(since_us, self.clock.now_us()) else { return Ok(None) };
        let refunded = refunded_calls(refunds.iter().filter(|refund| refund.created_us >= from_us), tools);
        let readers = self.db.readers();
        let all_paid = counts::counted_of(readers, CallOutcome::Charged.raw(), from_us).await?;
        let all_refunded = refunded.iter().fold(0_i64, |sum, (_, count)| sum.saturating_add(*count));
        if all_paid <= 0 || all_refunded == 0 {
            return Ok(None);
        }
        let mean = rate(all_refunded, all_paid).min(MILLION);
        let told: Vec<Uuid> = refunded.iter().take(RATES_TOLD).map(|(tool, _)| *tool).collect();
        let days = (0..RATE_DAYS).map(|day| from_us.saturating_add(DAY_US.saturating_mul(day)));
        let paid = sales::paid_calls(readers, &told, &days.collect::<Vec<_>>()).await?;
        let rate_of = |(tool, count): &(Uuid, i64)| {
            let paid = paid.get(tool).copied().filter(|paid| *paid > 0)?;
            Some(ToolRate::of(*tool, names.get(tool).cloned().unwrap_or_default(), (*count, paid), mean))
        };
        let tools: Vec<ToolRate> = refunded.iter().take(RATES_TOLD).filter_map(rate_of).collect();
        Ok(Some(RefundRates { from_us, mean, tools }).filter(|rates| !rates.tools.is_empty()))
    }
}

/// Of how many calls of each tool something went back, the most first. A call of which parts went back counts once.
fn refunded_calls<'a>(refunds: impl Iterator<Item = &'a Movement>, tools: &HashMap<Uuid, Uuid>) -> Vec<(Uuid, i64)> {
    let mut calls: HashMap<Uuid, HashSet<Uuid>> = HashMap::new();
    for charge in refunds.filter_map(charge_of) {
        if let Some(tool) = tools.get(&charge) {
            calls.entry(*tool).or_default().insert(charge);
        }
    }
    let count = |calls: &HashSet<Uuid>| i64::try_from(calls.len()).unwrap_or(i64::MAX);
    let mut found: Vec<(Uuid, i64)> = calls.iter().map(|(tool, calls)| (*tool, count(calls))).collect();
    found.sort_unstable_by_key(|(tool, count)| (std::cmp::Reverse(*count), *tool));
    found
}

#[cfg(test)]
mod tests;
