//! How much is denied: day by day, beside the days on which versions were published, and by the rules that did it.

use std::collections::{BTreeMap, HashMap};

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::{
    invocation::CallOutcome,
    ledger::export::DAY_US,
    service::{
        Services,
        recent::{RECENT_CALLS, looked_through_since},
    },
    store::{
        StoreError,
        counts::{self, CallCount},
        entity,
    },
};

/// Of how many days is told, today among them.
pub const DECISION_DAYS: i64 = 30;
/// How many publications are told of, the latest ones.
const PUBLICATIONS_MAX: u64 = 100;

/// A day of calls.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DecisionDay {
    /// When it began, in microseconds since the Unix epoch; days are those of UTC.
    pub from_us: i64,
    /// How many calls came, whatever came of them, as far as they were counted.
    pub calls: i64,
    /// How many of them a policy denied.
    pub denied: i64,
    /// The numbers of the versions that were published on it, the earliest first.
    pub published: Vec<i64>,
}

/// Who denied the newest calls.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Denials {
    /// Policies and how many calls each denied, the most first. A call that two have denied counts for both.
    pub rules: Vec<(String, i64)>,
    /// There may be older calls: those since this moment, in microseconds since the Unix epoch, were looked through.
    pub since_us: Option<i64>,
}

impl Services {
    /// The last [`DECISION_DAYS`] days, the earliest first; none if no call was counted on any of them.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn load_decision_days(&self) -> Result<Vec<DecisionDay>, StoreError> {
        use entity::policy_version::{Column, Entity};
        let now_us = self.clock.now_us();
        let today_us = now_us.saturating_sub(now_us.rem_euclid(DAY_US));
        let first_us = today_us.saturating_sub(DAY_US.saturating_mul(DECISION_DAYS.saturating_sub(1)));
        let counted = counts::counted_days(self.db.readers(), first_us).await?;
        // There are as many versions as people have written: few.
        let published: Vec<(i64, Option<i64>)> = Entity::find()
            .select_only()
            .columns([Column::Number, Column::PublishedUs])
            .filter(Column::PublishedUs.gte(first_us))
            .order_by_desc(Column::Number)
            .limit(PUBLICATIONS_MAX)
            .into_tuple()
            .all(self.db.readers())
            .await?;
        let published = published.into_iter().filter_map(|(number, at_us)| Some((number, at_us?)));
        Ok(days_of(first_us, &counted, &published.collect::<Vec<_>>()))
    }

    /// Which policies denied calls among the newest [`RECENT_CALLS`]. The primary key serves this: it rises with time.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn load_denials(&self) -> Result<Denials, StoreError> {
        use entity::invocation::{Column, Entity};
        let calls: Vec<(Option<String>, i64)> = Entity::find()
            .select_only()
            .columns([Column::DeniedBy, Column::CreatedUs])
            .order_by_desc(Column::Id)
            .limit(RECENT_CALLS)
            .into_tuple()
            .all(self.db.readers())
            .await?;
        let since_us = looked_through_since(&calls, |(_, created_us)| *created_us);
        Ok(Denials { rules: by_rule(calls.iter().filter_map(|(denied_by, _)| denied_by.as_deref())), since_us })
    }
}

fn days_of(first_us: i64, counted: &[CallCount], published: &[(i64, i64)]) -> Vec<DecisionDay> {
    if counted.is_empty() {
        return Vec::new();
    }
    let mut sums: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
    for count in counted {
        let (calls, denied) = sums.entry(count.bucket_us).or_default();
        *calls = calls.saturating_add(count.calls);
        let is_denied = count.outcome == CallOutcome::Denied.raw();
        *denied = denied.saturating_add(if is_denied { count.calls } else { 0 });
    }
    let day = |number: i64| {
        let from_us = first_us.saturating_add(DAY_US.saturating_mul(number));
        let within = from_us..from_us.saturating_add(DAY_US);
        let (calls, denied) = sums.get(&from_us).copied().unwrap_or_default();
        let published = published.iter().rev().filter(|(_, at_us)| within.contains(at_us));
        DecisionDay { from_us, calls, denied, published: published.map(|(number, _)| *number).collect() }
    };
    (0..DECISION_DAYS).map(day).collect()
}

/// The policies that a recorded call names, between commas. A step's name quotes an odd key of the document, in which there
/// may be commas as well.
pub(in crate::service) fn named(denied_by: &str) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let parts = denied_by.split(move |c: char| {
        let is_end = c == ',' && !is_quoted;
        is_quoted ^= c == '"' && !is_escaped;
        is_escaped = is_quoted && c == '\\' && !is_escaped;
        is_end
    });
    parts.filter(|id| !id.is_empty())
}

/// The policies that are named, by how often they are.
fn by_rule<'a>(denied_by: impl Iterator<Item = &'a str>) -> Vec<(String, i64)> {
    let mut counts: HashMap<&str, i64> = HashMap::new();
    for rule in denied_by.flat_map(named) {
        let count = counts.entry(rule).or_default();
        *count = count.saturating_add(1);
    }
    let mut rules: Vec<(String, i64)> = counts.into_iter().map(|(rule, count)| (rule.to_owned(), count)).collect();
    rules.sort_unstable_by(|(one, few), (other, many)| many.cmp(few).then_with(|| one.cmp(other)));
    rules
}

#[cfg(test)]
mod tests;
